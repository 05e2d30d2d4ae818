"""Emission factors: each dated and sourced, chosen by activity year, and refused where they are not."""

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.ledger.dated import latest_day, number, said
from quintet.ledger.definitions import definitions, totals
from quintet.ledger.factors import Factors, factors, gwp_set, gwp_sets
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.unit import units

TABLE = read_toml("quintet.ledger", "factors.toml")
GOOD = TABLE["factor"]["kr_electricity_2023"]


def one(**changes: Any) -> Factors:
    return Factors({"factor": {"x": {**GOOD, **changes}}})


@pytest.mark.parametrize(
    ("year", "factor", "basis"),
    [
        (2010, "kr_electricity_2014_2016", "earliest published 2014-2016"),
        (2015, "kr_electricity_2014_2016", "mean of 2014-2016"),
        (2018, "kr_electricity_2014_2016", "nearest before 2014-2016"),
        (2020, "kr_electricity_2020_2022", "mean of 2020-2022"),
        (2021, "kr_electricity_2021", "activity year 2021"),
        (2022, "kr_electricity_2022", "activity year 2022"),
        (2023, "kr_electricity_2023", "activity year 2023"),
        (2026, "kr_electricity_2023", "latest published 2023"),
    ],
)
def test_the_activity_year_chooses(year: int, factor: str, basis: str) -> None:
    chosen = factors().factor_for("electricity", date(year, 7, 1), "inventory")
    assert chosen is not None
    assert (chosen.factor.id, chosen.basis) == (factor, basis)


def test_only_what_was_published_by_then_counts() -> None:
    known = factors().factor_for("electricity", date(2023, 7, 1), known_on=date(2025, 6, 1))
    assert known is not None
    assert (known.factor.id, known.basis) == ("kr_electricity_2020_2022", "latest published 2020-2022")
    assert factors().factor_for("electricity", date(2023, 7, 1), known_on=date(2019, 1, 1)) is None
    days = [date(2025, 12, 16), date(2025, 12, 17)]
    found = [factors().factor_for("electricity", date(2023, 7, 1), known_on=day) for day in days]
    assert [one and one.factor.years for one in found] == ["2020-2022", "2023"]


def test_purpose_end_use_and_supplier_choose() -> None:
    target = factors().factor_for("electricity", date(2015, 1, 1), "public_target")
    homes = factors().factor_for("gas", date(2023, 1, 1), end_use="buildings")
    plants = factors().factor_for("gas", date(2023, 1, 1), end_use="plants")
    assert target is not None
    assert target.factor.id == "kr_electricity_2014_2016_gases"
    assert homes is not None
    assert plants is not None
    assert (homes.basis, homes.factor.gases_kg and homes.factor.gases_kg["ch4"]) == ("any year", 5)
    assert plants.factor.gases_kg
    assert plants.factor.gases_kg["ch4"] == 1
    assert factors().factor_for("heat", date(2021, 1, 1)) is None
    assert factors().factor_for("electricity", date(2023, 1, 1), "trading") is None


def test_a_later_publication_for_the_same_year_wins() -> None:
    revised = {**GOOD, "co2e_kg": "400", "published_on": "2026-12"}
    table = factors().with_rows({"factor": {"revised": revised}})
    chosen = table.factor_for("electricity", date(2023, 7, 1))
    assert chosen is not None
    assert chosen.factor.id == "revised"
    assert "revised" not in factors().rows


@pytest.mark.parametrize("key", ["published_on", "source", "activity", "gwp", "scope", "purposes", "certainty"])
def test_a_factor_without_its_origin_does_not_load(key: str) -> None:
    with pytest.raises(BadInput, match=f"factor x: lacks {key}"):
        Factors({"factor": {"x": {name: GOOD[name] for name in GOOD if name != key}}})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "green"}, "unknown colour"),
        ({"source": " "}, "needs a source"),
        ({"published_on": "soon"}, "no date"),
        ({"published_on": "2025-02-30"}, "no date"),
        ({"published_on": "2025-13"}, "no date"),
        ({"co2e_kg": 417.3}, "no exact number"),
        ({"co2e_kg": "NaN"}, "no exact number"),
        ({"co2e_kg": "-1"}, "no exact number"),
        ({"co2_kg": "1"}, "needs either"),
        ({"gwp": "AR6"}, "unknown gwp"),
        ({"gwp": "none"}, "unknown gwp"),
        ({"certainty": "sure"}, "certainty"),
        ({"scope": 4}, "scope"),
        ({"heating_value": "medium"}, "heating value"),
        ({"unit": "barrel"}, "no known unit"),
        ({"purposes": []}, "no purpose"),
        ({"activity": [2024, 2023]}, "activity"),
        ({"activity": "2023"}, "activity"),
    ],
)
def test_a_bad_factor_does_not_load(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        one(**changes)


def test_a_bad_source_row_does_not_load() -> None:
    row = TABLE["source"]["gas_burnt"]
    for change in ({"flows": ["burnt"]}, {"note": "x"}):
        with pytest.raises(BadInput, match="source x"):
            Factors({"source": {"x": {**row, **change}}})


def test_every_shipped_row_is_sound() -> None:
    assert len(factors().rows) == len(TABLE["factor"]) > 0
    for row in factors().rows.values():
        unit, commodity = units()[row.unit], commodities()[row.commodity]
        assert unit.quantity in commodity.measures
        assert row.kg_co2e(gwp_set("AR5")) > 0
        assert latest_day(row.published_on).year >= (row.last_year or 0)
    assert {row.commodity for row in factors().sources.values()} <= commodities().rows.keys()
    assert {row.scope for row in factors().sources.values()} == {1, 2, 3}


def test_the_published_figures_stand_as_published() -> None:
    figures = {2015: "0.4594", 2020: "0.4541", 2021: "0.4509", 2022: "0.4312", 2023: "0.4173"}
    for year, tonnes in figures.items():
        chosen = factors().factor_for("electricity", date(year, 1, 1))
        assert chosen is not None
        assert chosen.factor.unit == "MWh"
        assert chosen.factor.co2e_kg == Fraction(tonnes) * 1000


def test_ar6_alone_is_ambiguous_and_refused() -> None:
    assert gwp_set("AR5").weights == {"co2": 1, "ch4": 28, "n2o": 265}
    with pytest.raises(UsageError, match="AR6_fossil"):
        gwp_set("AR6")
    assert {name: row.weights["ch4"] for name, row in gwp_sets().items() if name.startswith("AR6")} == {
        "AR6_fossil": Fraction("29.8"),
        "AR6_nonfossil": Fraction("27.0"),
        "AR6_unspecified": Fraction("27.9"),
    }


def test_dates_are_as_exact_as_they_are_known() -> None:
    assert latest_day("2024") == date(2024, 12, 31)
    assert latest_day("2024-02") == date(2024, 2, 29)
    assert latest_day("2024-02-03") == date(2024, 2, 3)
    assert number("0.1", "") == Fraction(1, 10)


def test_fractions_are_said_rounded_half_to_even() -> None:
    assert str(said(Fraction(1, 3))) == "0.333333"
    assert str(said(Fraction(-1, 3), 2)) == "-0.33"
    assert str(said(Fraction(5, 2), 0)) == "2"
    assert str(said(Fraction(1200))) == "1200"
    assert str(said(Fraction(0))) == "0"
    assert str(said(Fraction(10**40) + Fraction(1, 4))) == f"{10**40}.25"


def test_the_page_of_factors_names_each_with_its_numbers(root: Path) -> None:
    page = (root / "docs/factors.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for row in factors().rows.values():
        numbers = [str(TABLE["factor"][row.id][key]) for key in ("co2e_kg", "co2_kg", "ch4_kg", "n2o_kg")
                   if key in TABLE["factor"][row.id]]  # fmt: skip
        for said_there in (row.published_on, row.years, *numbers, *row.purposes, f"| {row.certainty} |"):
            assert said_there in lines[row.id], (row.id, said_there)
    for row in gwp_sets().values():
        assert row.published_on in lines[row.id]
    assert set(lines) == {*factors().rows, *gwp_sets(), *definitions(), *totals()}
