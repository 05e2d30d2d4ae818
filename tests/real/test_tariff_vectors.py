"""Every published or derived case of the Korean tariff vectors, line by line, beside the checkout.

Published: KR-E-PUB-1 (a bill that the supplier explained), KR-E-PUB-3 (a web calculator, whose total is not cut to 10
won: `total_unrounded`), KR-G-PUB-1, KR-W-PUB-1 and -2. KR-H-FACT is a published price. KR-E-DER-* were derived from the
rate card and the rounding rules by those who made the vectors: they are no bills that anybody received.
"""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.tariffs import Asked, Bill, bill_month, cards, compute

MONTHS = {
    "other": ("2025-10", "2026-03"),
    "summer": ("2025-07", "2025-08"),
    "winter": ("2025-12", "2026-01", "2026-02"),
}
CONTRACTS = {"LV": ("low_voltage", "apartment_total"), "HV": ("high_voltage", "apartment_single")}
ELECTRICITY = ("base", "energy", "climate", "fuel_adj", "vat", "fund")


@pytest.fixture(scope="module")
def cases(shared: Path, need: Any) -> dict[str, Any]:
    """Read all cases by id."""
    out: dict[str, Any] = {}
    for name in ("electricity", "gas", "heat", "water"):
        path = need(shared / "vectors" / "tariff_kr" / f"{name}.json", "the published bills stand there")
        out |= {case["id"]: case for case in json.loads(path.read_text(encoding="utf-8"), parse_float=str)}
    return out


def billed(commodity: str, use: Any, unit: str, month: str, contract: str | None = None, **more: Any) -> Bill:
    start, end = bill_month(month)
    return compute(Asked(commodity, Fraction(use), unit, start, end, contract, **more))


def won(bill: Bill) -> dict[str, Any]:
    lines = {line.item: line.won for line in bill.lines}
    return {**lines, "subtotal": bill.subtotal, "total": bill.total}


def test_there_are_as_many_cases_as_are_tested_here(cases: dict[str, Any]) -> None:
    derived = {f"KR-E-DER-{n}" for n in range(1, 17)}
    published = {"KR-E-PUB-1", "KR-E-PUB-3", "KR-G-PUB-1", "KR-W-PUB-1", "KR-W-PUB-2", "KR-H-FACT"}
    assert cases.keys() == derived | published


def test_derived_electricity(cases: dict[str, Any]) -> None:
    seen = 0
    for name, case in cases.items():
        if not name.startswith("KR-E-DER"):
            continue
        for contract in CONTRACTS[case["voltage"]]:
            for month in MONTHS[case["season"]]:
                found = won(billed("electricity", case["kwh"], "kWh", month, contract))
                for item in (*ELECTRICITY, "subtotal", "total"):
                    assert found[item] == case[item], (name, contract, month, item)
                seen += 1
    assert seen > 60


def test_published_electricity_of_2016(cases: dict[str, Any]) -> None:
    case = cases["KR-E-PUB-1"]
    found = won(billed("electricity", case["input"]["kwh"], "kWh", "2016-05", "low_voltage"))
    assert {item: found[item] for item in case["expect"]} == case["expect"]
    assert "climate" not in found
    charges = cards().rows["kepco_residential_lv_2013_11"].charges
    assert [str(value) for value in charges[0].values] == [str(value) for value in case["tariff"]["base"]]
    assert list(charges[1].values) == [Fraction(text) for text in case["tariff"]["rate"]]


def test_published_calculator_of_2024(cases: dict[str, Any]) -> None:
    case = cases["KR-E-PUB-3"]
    found = won(billed("electricity", case["input"]["kwh"], "kWh", "2024-06", "low_voltage"))
    unrounded = case["expect"].pop("total_unrounded")
    assert {item: found[item] for item in case["expect"]} == case["expect"]
    assert found["total"] - found["rounding"] == unrounded


def test_published_gas_of_2009(cases: dict[str, Any]) -> None:
    case = cases["KR-G-PUB-1"]
    bill = billed("gas", case["input"]["m3"], "m3", "2009-01", city="changwon")
    found = won(bill)
    assert found["total"] == case["expect"]["total"]
    assert found["subtotal"] + found["vat"] == Fraction("145085.82")
    stated = {"unit_price": Fraction(case["input"]["price_per_m3"]), "base_won": Fraction(case["input"]["base"])}
    energy = {"calorific": Fraction(1), **stated}
    assert billed("gas", case["input"]["m3"], "m3", "2025-01", options=energy).total == case["expect"]["total"]


@pytest.mark.parametrize(("name", "city"), [("KR-W-PUB-1", "ansan"), ("KR-W-PUB-2", "gimhae")])
def test_published_water(cases: dict[str, Any], name: str, city: str) -> None:
    case = cases[name]
    pipe = {"pipe_mm": Fraction(case["input"]["meter_mm"])}
    found = won(billed("water", case["input"]["m3"], "m3", "2026-02", case["input"]["use"], city=city, options=pipe))
    assert {item: found[item] for item in case["expect"]} == case["expect"]


def test_published_heat_prices(cases: dict[str, Any]) -> None:
    case = cases["KR-H-FACT"]
    prices = {name: Fraction(text) for name, text in case["prices_won_per_Mcal"].items()}
    for season, month in (("winter", "2021-01"), ("spring_autumn", "2021-04"), ("summer", "2021-08")):
        found = won(billed("heat", 1000, "Mcal", month, "residential_seasonal", options={"area_m2": Fraction(85)}))
        assert found["energy"] == 1000 * prices[season]
    for contract, name in (("residential", "single"), ("business", "business"), ("public", "public")):
        assert won(billed("heat", 1000, "Mcal", "2021-01", contract))["energy"] == 1000 * prices[name]
    assert 1000 * prices["winter"] == case["expect"]["usage_charge_ex_vat"]


def test_the_rate_card_is_the_one_that_was_published(shared: Path, need: Any) -> None:
    path = need(shared / "vectors" / "tariff_kr" / "rate_card.json", "the rate card stands there")
    card = json.loads(path.read_text(encoding="utf-8"), parse_float=str)[
        "kepco_residential_2023_05_to_at_least_2026_Q1"
    ]
    for row, voltage in (("kepco_residential_lv_2023_05", "LV"), ("kepco_residential_hv_2023_05", "HV")):
        ours = cards().rows[row]
        assert ours.until >= date(2026, 3, 31)
        for charge in ours.charges:
            summer = 7 in charge.months
            above = [1000] if summer or 12 in charge.months else []
            limits = card["blocks"]["summer_jul_aug" if summer else "other"]
            if charge.item == "base":
                assert (list(charge.limits), list(charge.values)) == (limits, card[voltage]["base"])
            else:
                rates = card[voltage]["rate"] + ([card[voltage]["super"]] if above else [])
                assert (list(charge.limits), list(charge.values)) == (
                    limits + above,
                    [Fraction(rate) for rate in rates],
                )
    for day, rate in ((date(2024, 6, 30), 0), (date(2024, 7, 1), 1), (date(2025, 6, 30), 1), (date(2025, 7, 1), 2)):
        assert cards().levy_on("fund", day).rate == Fraction(card["power_fund"][rate]["rate"])
    assert cards().levy_on("climate", date(2025, 7, 1)).rate == Fraction(card["climate_env_won_per_kwh"])
    assert cards().levy_on("fuel_adj", date(2025, 7, 1)).rate == Fraction(card["fuel_adj_won_per_kwh"])
