"""Commodities are rows: every shipped one is proved, and a city's own takes one row and no code."""

import tomllib
from typing import Any

import pytest

from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import Commodities, commodities
from quintet.terms.errors import BadInput
from quintet.terms.reading import Role
from quintet.terms.unit import units

ROWS: dict[str, Any] = read_toml("quintet.terms", "commodities.toml")["commodity"]
SHIPPED = {
    "electricity": ({"energy": "kWh"}, {"energy": 1}, True, True),
    "gas": ({"energy": "kWh", "volume": "m3"}, {"energy": 7, "volume": 7}, True, True),
    "water": ({"volume": "m3"}, {"volume": 9}, True, True),
    "heat": ({"energy": "kWh"}, {"energy": 12}, True, False),
    "hot_water": ({"energy": "kWh", "volume": "m3"}, {"energy": 12, "volume": 9}, True, False),
    "electricity_reactive": ({"reactive_energy": "kvarh"}, {"reactive_energy": 1}, False, True),
    "heat_volume": ({"volume": "m3"}, {"volume": 12}, False, True),
    "heat_delta_t": ({"temperature": "K_h"}, {}, False, True),
    "gas_uncorrected": ({"volume": "m3"}, {"volume": 7}, False, True),
    "gas_temperature": ({"temperature": "K_h"}, {}, False, True),
    "gas_pressure": ({"pressure": "kPa_h"}, {}, False, True),
    "outdoor_air": ({"air_temperature": "degC_h"}, {}, False, True),
    "air_temperature": ({"air_temperature": "degC_h"}, {}, False, True),
    "air_humidity": ({"humidity": "pct_h"}, {}, False, True),
    "pm25": ({"particles": "ug_m3_h"}, {}, False, True),
    "occupancy": ({"occupancy": "person_h"}, {}, False, True),
}
"""Quantities with the unit people read, ESPI 4.0 codes, whether it is balanced, and whether it crosses a boundary."""
COOLING = """
[commodity.cooling]
name_en = "district cooling"
name_ko = "지역냉방"
measures = { energy = "kWh" }
espi = { energy = 10 }
"""


def test_every_row_is_proved_here() -> None:
    assert set(ROWS) == set(SHIPPED) == set(commodities().rows)


@pytest.mark.parametrize("code", ROWS)
def test_a_shipped_commodity(code: str) -> None:
    row = commodities()[code]
    assert (dict(row.measures), dict(row.espi), row.balanced, row.crosses) == SHIPPED[code]
    assert row.code == code
    assert row.name_en
    assert any("가" <= letter <= "힣" for letter in row.name_ko)
    for quantity in row.measures:
        unit = row.display_unit(quantity)
        assert unit.quantity == quantity
        assert unit.decimals == 6, "shown exactly to the sub-unit"


def test_the_five_utilities_are_balanced() -> None:
    balanced = [code for code, row in commodities().rows.items() if row.balanced]
    assert balanced == ["electricity", "gas", "water", "heat", "hot_water"]


def test_cooling_is_one_row() -> None:
    before = dict(commodities().rows)
    table = commodities().with_rows(tomllib.loads(COOLING))
    cooling = table["cooling"]
    assert (cooling.name_ko, cooling.balanced, cooling.espi["energy"]) == ("지역냉방", True, 10)
    assert cooling.display_unit("energy") is units()["kWh"]
    assert cooling.crosses, "a network is taken to reach beyond the city unless its row says otherwise"
    inside = {"commodity": {"cooling": {**tomllib.loads(COOLING)["commodity"]["cooling"], "crosses": False}}}
    assert not commodities().with_rows(inside)["cooling"].crosses
    assert list(table.rows) == [*before, "cooling"]
    assert commodities().rows == before, "the shipped table is as it was"
    assert table.aliases == commodities().aliases


def test_a_citys_row_replaces_a_shipped_one() -> None:
    table = commodities().with_rows({"commodity": {"water": {**ROWS["water"], "name_en": "tap water"}}})
    assert table["water"].name_en == "tap water"
    assert commodities()["water"].name_en == "water"


def test_an_unknown_commodity_is_none_or_refused() -> None:
    assert commodities().get("cooling") is None
    with pytest.raises(BadInput, match="unknown commodity cooling") as caught:
        commodities()["cooling"]
    assert "[commodity.cooling]" in caught.value.remedy


def test_a_quantity_it_is_not_metered_in_is_refused() -> None:
    with pytest.raises(BadInput, match="electricity is not metered as volume") as caught:
        commodities()["electricity"].display_unit("volume")
    assert caught.value.code == "wrong_quantity"


@pytest.mark.parametrize(
    "change",
    [{"colour": "blue"}, {"measures": {"energy": "m3"}}, {"measures": {"energy": "BTU"}}, {"name_ko": None}],
    ids=["unknown key", "a unit of another quantity", "an unknown unit", "no Korean name"],
)
def test_a_row_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    row = {name: value for name, value in {**ROWS["heat"], **change}.items() if value is not None}
    with pytest.raises(BadInput):
        Commodities({"commodity": {"steam": row}})


def test_a_publishers_word_means_a_commodity_in_a_role() -> None:
    assert list(commodities().aliases) == ["solar"]
    solar = commodities().aliases["solar"]
    assert (solar.commodity, solar.role, solar.renewable) == ("electricity", "generation", True)
    for alias in commodities().aliases.values():
        assert commodities()[alias.commodity].balanced
        assert Role(alias.role)
    with pytest.raises(BadInput, match="lacks role"):
        Commodities({"alias": {"pv": {"commodity": "electricity"}}})
