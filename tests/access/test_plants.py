"""Conversions: double entries whose sums are the balance's to the last integer, with efficiency exact in energy."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from quintet.ledger.conversions import kwh_of
from quintet.ledger.dated import said
from quintet.terms.commodity import commodities
from quintet.terms.period import Resolution, Span
from quintet.terms.tables import SUM
from quintet.terms.unit import units
from quintet.views.balances import place_balances
from quintet.views.conversions import conversions_of
from quintet.views.exact import decimal_texts

from .conftest import SETTINGS, City, small_city, utc

SPAN = Span(utc(2), utc(4))
CHP: list[dict[str, Any]] = [
    {"site": "p", "meter": "gas", "commodity": "gas", "unit": "m3"},
    {"site": "p", "meter": "power", "role": "generation"},
    {"site": "p", "meter": "heat", "commodity": "heat", "role": "generation"},
    {"site": "p", "meter": "pump-power"},
    {"site": "p", "meter": "pump-heat", "commodity": "heat", "role": "generation"},
]
PLANTS = [
    {"id": "chp", "kind": "chp", "place": "p", "inputs": ["p/gas"], "outputs": ["p/power", "p/heat"]},
    {"id": "pump", "kind": "heat_pump", "place": "p", "inputs": ["p/pump-power"], "outputs": ["p/pump-heat"]},
]


def asked(
    city: City, span: Span = SPAN, step: Resolution = Resolution.DAY, place: str = "city"
) -> list[dict[str, Any]]:
    return conversions_of(city.access(), span, step, place=place, known_at=None).rows


def test_a_chp_and_a_heat_pump_are_booked_on_both_sides(city: City) -> None:
    city.register(*CHP)
    city.describe(plant=PLANTS)
    amounts = {"gas": 1.0, "power": 4.0, "heat": 5.0, "pump-power": 2.0, "pump-heat": 7.0}
    city.send([(f"p/{name}", utc(2, hour), each) for name, each in amounts.items() for hour in range(24)])
    chp, pump = asked(city, Span(utc(2), utc(3)))
    gas = 24 * Fraction("42.7") / Fraction("3.6")
    assert chp["inputs"][0]["energy_kwh"] == chp["energy_in_kwh"] == said(gas, 12)
    assert "gross energy by kr_city_gas_2022" in chp["inputs"][0]["basis"]
    assert [(one["commodity"], one["amount"]) for one in chp["outputs"]] == [("electricity", 96), ("heat", 120)]
    assert (chp["efficiency"], chp["lost_kwh"]) == (said(216 / gas, 12), said(gas - 216, 12))
    assert (pump["efficiency"], pump["lost_kwh"], pump["reason"]) == (Decimal("3.5"), -120, None)


def test_a_hole_leaves_no_efficiency(city: City) -> None:
    city.register(*CHP)
    city.describe(plant=PLANTS)
    city.send([(f"p/{name}", utc(2, hour), 1.0) for name in ("gas", "power") for hour in range(24)])
    chp, pump = asked(city, Span(utc(2), utc(3)))
    assert (chp["efficiency"], chp["lost_kwh"], chp["reason"]) == (
        None,
        None,
        "not every entry is known in every interval",
    )
    assert (pump["energy_in_kwh"], pump["inputs"][0]["amount"], pump["inputs"][0]["coverage"]) == (None, None, 0)


@pytest.mark.parametrize("step", [Resolution.DAY, Resolution.HOUR])
def test_the_entries_are_the_balances_conversions(city: City, step: Resolution) -> None:
    small_city(city, utc(2), 2)
    twin = {**SETTINGS["plant"][1], "id": "fc-twin", "valid_from": "2025-01-03T05:00:00Z"}
    city.describe(**{**SETTINGS, "plant": [*SETTINGS["plant"], twin]})
    for place in ("city", "s1"):
        booked: dict[Any, Decimal] = {}
        for row in asked(city, step=step, place=place):
            for entry in (*row["inputs"], *row["outputs"]):
                key = (row["start"], entry["commodity"], entry["unit"], entry["side"])
                booked[key] = booked.get(key, Decimal(0)) + (entry["amount"] or 0)
        for row in place_balances(city.access(), place, SPAN, step, None, city.pipeline.registry().tz).rows:
            for side, amount in (("in", row.conversion_in), ("out", row.conversion_out)):
                assert (amount or 0) == booked.get((row.start, row.commodity, row.unit, side), 0)
        assert sum(value != 0 for value in booked.values()) >= 4


def test_energy_counts_by_what_is_known_of_it() -> None:
    day = date(2025, 1, 2)
    assert kwh_of("heat", "energy", day, commodities())[0] == Fraction(1, 10**6)
    assert kwh_of("water", "volume", day, commodities()) == (0, "carries no energy")
    content, basis = kwh_of("hot_water", "volume", day, commodities())
    assert (content, basis) == (Fraction("52.335") / 10**6, "energy by hot_water_45k"), "as in self-sufficiency"
    assert kwh_of("gas", "energy", day, commodities())[1] == "metered as gross energy"


def test_columns_of_text_say_what_a_unit_says() -> None:
    dice = Random(3)
    amounts = [None, 0, 1, -1, 10**6, -(10**7), 120, 2**70] + [dice.randrange(-(10**12), 10**12) for _ in range(200)]
    names = [dice.choice(["kWh", "m3", "Wh", "L", "mL"]) for _ in amounts]
    column = pa.chunked_array([pa.array([None if one is None else Decimal(one) for one in amounts], SUM)])
    texts = decimal_texts(column, pa.chunked_array([names])).to_pylist()
    units_of = [units()[name] for name in names]
    said_of = [
        None if one is None else format(unit.to_decimal(one), "f") for one, unit in zip(amounts, units_of, strict=True)
    ]
    assert texts == said_of


def test_a_plant_at_a_place_that_is_not_there_is_booked_where_its_meters_stand(city: City) -> None:
    """Its meters count in the balance all the same: so its entries are said, and the place that it was stated at."""
    city.register(*CHP)
    city.describe(plant=[{**PLANTS[1], "place": "nowhere"}])
    city.send([(f"p/{name}", utc(2, hour), 2.0) for name in ("pump-power", "pump-heat") for hour in range(24)])
    day = Span(utc(2), utc(3))
    for place in ("city", "p"):
        (row,) = asked(city, day, place=place)
        assert (row["plant"], row["place"], row["energy_in_kwh"], row["efficiency"]) == ("pump", "nowhere", 48, 1)
        held = place_balances(city.access(), place, day, Resolution.DAY, None, city.access().registry().tz).rows
        assert sum(one.conversion_in or 0 for one in held) == 48
    city.describe(place=[{"id": "d9", "level": "district"}])
    assert asked(city, day, place="d9") == []
