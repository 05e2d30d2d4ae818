"""What a stated amount emits: the shipped factors, chosen by what is said, and nothing in silence."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.amount import Amount, AmountEmission, StatedCalorific, emission_of, per_unit
from quintet.ledger.balance import balance
from quintet.ledger.calorific import calorific_values
from quintet.ledger.choice import Wanted
from quintet.ledger.emissions import emissions
from quintet.ledger.factors import factors, gwp_set, gwp_sets
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, QuintetError, UsageError


def emitted(number: Any, unit: str, commodity: str, gwp: str = "AR5", **more: Any) -> AmountEmission:
    amount = Amount(Fraction(number), unit, more.pop("basis", None), more.pop("calorific", None))
    return emission_of(amount, Wanted(commodity, **more), gwp=gwp)


@pytest.mark.parametrize(
    ("year", "purpose", "tonnes", "others"),
    [
        (2014, "inventory", "0.4594", 1),
        (2016, "three_year_mean", "0.4594", 1),
        (2020, "inventory", "0.4541", 0),
        (2021, "inventory", "0.4509", 1),
        (2021, "three_year_mean", "0.4541", 1),
        (2021, "reference", "0.4509", 1),
        (2022, "inventory", "0.4312", 1),
        (2023, "inventory", "0.4173", 0),
    ],
)
def test_electricity_is_by_its_year_and_purpose_and_names_the_others(
    year: int, purpose: str, tonnes: str, others: int
) -> None:
    found = emitted(1, "MWh", "electricity", year=year, purpose=purpose)
    assert found.kg_co2e == Fraction(tonnes) * 1000
    assert (len(found.others), found.gases_kg, found.factor.scope) == (others, {}, 2)
    assert found.gwp.startswith("as published")


def test_one_amount_in_several_units_emits_the_same() -> None:
    same = [(1, "toe"), ("41.868", "GJ"), ("0.041868", "TJ"), (11630, "kWh"), ("11.63", "MWh"), (10, "Gcal"),
            (10_000, "Mcal")]  # fmt: skip
    kinds: list[dict[str, Any]] = [
        {"commodity": "electricity", "year": 2023},
        {"commodity": "heat", "year": 2021, "branch": "Daegu"},
    ]
    for more in kinds:
        assert len({emitted(number, unit, **more).kg_co2e for number, unit in same}) == 1


def test_every_branch_is_found_by_its_names_and_differs() -> None:
    rows = [row for row in factors().rows.values() if row.branches]
    assert len(rows) == 8
    for row in rows:
        for name in row.branches:
            found = emitted(1, "TJ", "heat", year=2021, branch=name.upper())
            assert (found.factor.id, dict(found.gases_kg)) == (row.id, row.gases_kg)
    assert len({emitted(1, "TJ", "heat", year=2021, branch=row.branches[0]).kg_co2e for row in rows}) == 8


@pytest.mark.parametrize("gwp", gwp_sets())
def test_the_gases_add_up_under_every_set(gwp: str) -> None:
    found = emitted(25, "GJ", "heat", gwp, year=2021, branch="Daegu")
    weights = gwp_set(gwp).weights
    assert found.kg_co2e == sum(found.gases_co2e_kg.values())
    assert found.gases_kg["ch4"] == Fraction("5.4446") / 40
    assert found.gases_co2e_kg["ch4"] == found.gases_kg["ch4"] * weights["ch4"]
    assert found.gwp == gwp
    assert per_unit(found.factor, gwp_set(gwp))["co2e"] == found.factor_kg_co2e


def test_gas_counts_net_energy_by_the_value_in_force_or_the_stated_one() -> None:
    net = emitted(385, "GJ", "gas", basis="net", use="residential")
    gross = emitted(427, "GJ", "gas", basis="gross", use="residential")
    volume = emitted(10_000, "m3", "gas", use="residential")
    reference = emitted(10_000, "Nm3", "gas", use="residential")
    assert net.kg_co2e == gross.kg_co2e == volume.kg_co2e == reference.kg_co2e
    assert (net.calorific, gross.calorific, volume.calorific) == (None, *[calorific_values()[0]] * 2)
    assert "taken as at reference" in volume.basis
    assert "volume at reference" in reference.basis
    stated = StatedCalorific(Fraction(77), "net")
    double = emitted(10_000, "m3", "gas", use="residential", basis="net", calorific=stated)
    assert (double.kg_co2e, double.calorific and double.calorific.content["gross"]) == (
        2 * net.kg_co2e,
        Fraction("85.4"),
    )


def test_the_use_decides_the_methane() -> None:
    uses = {use: emitted(1, "TJ", "gas", basis="net", use=use).gases_kg for use in ("residential", "energy-industries")}
    assert {use: (gases["ch4"], gases["n2o"]) for use, gases in uses.items()} == {
        "residential": (5, Fraction(1, 10)),
        "energy-industries": (1, Fraction(1, 10)),
    }


def test_a_factor_may_be_named_whatever_its_year() -> None:
    found = emitted(1, "MWh", "electricity", year=2026, factor="kr_electricity_2023")
    assert (found.kg_co2e, found.basis) == (Fraction("417.3"), "named, 2023")


NOTHING = StatedCalorific(Fraction(0), "net")
REFUSED: list[tuple[tuple[Any, ...], dict[str, Any], type[QuintetError], str]] = [
    ((1, "MWh", "electricity"), {}, UsageError, "name the year of activity"),
    ((1, "MWh", "electricity"), {"year": 2018}, BadInput, "activity of 2018.*2020-2022.*--factor"),
    ((1, "MWh", "electricity"), {"year": 2024}, BadInput, "activity of 2024"),
    ((1, "MWh", "electricity"), {"year": 20230}, UsageError, "is no year"),
    ((1, "MWh", "electricity"), {"year": 2023, "known_on": date(2025, 12, 16)}, BadInput, "activity of 2023"),
    ((1, "MWh", "electricity"), {"year": 2023, "known_on": date(2019, 1, 1)}, BadInput, "had been published.*2020"),
    ((1, "MWh", "electricity"), {"year": 2023, "purpose": "trading"}, BadInput, "three_year_mean.*--factor"),
    ((1, "MWh", "electricity"), {"year": 2023, "branch": "Daegu"}, BadInput, "Leave --branch out"),
    ((1, "MWh", "electricity"), {"year": 2023, "basis": "net"}, UsageError, "no gross and net"),
    ((1, "MWh", "electricity"), {"year": 2023, "gwp": "AR6"}, UsageError, "AR6_fossil, AR6_nonfossil"),
    ((1, "MWh", "electricity"), {"year": 2023, "gwp": "AR9"}, UsageError, "unknown GWP set.*SAR"),
    ((1, "m3", "electricity"), {"year": 2023}, UsageError, "does not measure electricity.*MWh"),
    ((1, "MW", "electricity"), {"year": 2023}, UsageError, "does not measure"),
    ((1, "Nm3", "electricity"), {"year": 2023}, UsageError, "there is no unit"),
    ((1, "GJ", "heat"), {"year": 2021}, UsageError, "differ by branch.*Cheongju.*Daegu"),
    ((1, "GJ", "heat"), {"year": 2021, "branch": "Busan"}, BadInput, "'Busan'.*Daegu"),
    ((1, "GJ", "heat"), {"year": 2022, "branch": "Daegu"}, BadInput, "2021 .kdhc_heat_2021_daegu"),
    ((1, "m3", "heat"), {"year": 2021, "branch": "Daegu"}, UsageError, "does not measure heat"),
    ((1, "GJ", "gas"), {"use": "residential"}, UsageError, "either gross or net"),
    ((1, "GJ", "gas"), {"basis": "net"}, UsageError, "differ by use"),
    ((1, "GJ", "gas"), {"basis": "net", "use": "rockets"}, BadInput, "energy_industries"),
    ((1, "m3", "water"), {"year": 2023}, BadInput, "2009 .kr_tap_water_2009"),
    ((1, "kWh", "hot_water"), {"year": 2023}, BadInput, "no factor is of hot_water"),
    ((1, "kWh", "steam"), {"year": 2023}, BadInput, "there is no 'steam'.*electricity"),
    ((1, "GJ", "heat"), {"factor": "kr_electricity_2023"}, UsageError, "is of electricity"),
    ((1, "GJ", "heat"), {"factor": "kdhc_heat_2021_daegu", "branch": "capital"}, UsageError, "not for 'capital'"),
    ((1, "m3", "gas"), {"use": "residential", "calorific": NOTHING}, BadInput, "above zero"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "more", "error", "said"), REFUSED)
def test_what_is_ambiguous_or_not_there_is_refused_by_name(
    words: tuple[Any, ...], more: dict[str, Any], error: type[QuintetError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        emitted(*words, **more)
    assert caught.value.place.startswith("--")


def test_a_branch_needs_its_supplier() -> None:
    row = {"factor": {"x": {"commodity": "heat", "branches": ["X"], "unit": "TJ", "co2e_kg": "1", "activity": "any",
                            "published_on": "2020", "scope": 2, "purposes": ["inventory"], "gwp": "unstated",
                            "source": "s", "certainty": "M"}}}  # fmt: skip
    with pytest.raises(BadInput, match="branches of no supplier"):
        factors().with_rows(row)


@pytest.mark.parametrize("year", [2015, 2020, 2021, 2022, 2023])
def test_the_citys_ledger_counts_the_same(flows_of: Any, hours: Any, year: int) -> None:
    edges = hours(1, start=datetime(year, 6, 1, tzinfo=UTC))
    flows = flows_of(edges, {"consumption": [7_000_000_001]})
    table = balance(flows, place="city", edges=edges, commodities=commodities(), boundaries_metered=frozenset())
    (row,) = emissions(table, tz=ZoneInfo("Asia/Seoul"))
    found = emitted("7000.000001", "kWh", "electricity", year=year)
    assert (found.kg_co2e, found.factor.id, found.basis) == (row.kg_co2e, row.factor, row.basis)


amounts = st.decimals(0, 10**9, places=6)


@given(amounts, amounts, st.sampled_from([("electricity", "kWh", {"year": 2023}), ("gas", "m3", {"use": "residential"}),
                                          ("heat", "Gcal", {"year": 2021, "branch": "Sejong"})]))  # fmt: skip
def test_emissions_are_linear_in_the_amount(one: Decimal, other: Decimal, kind: Any) -> None:
    commodity, unit, more = kind
    both = emitted(Fraction(one) + Fraction(other), unit, commodity, **more)
    parts = [emitted(number, unit, commodity, **more) for number in (one, other)]
    assert both.kg_co2e == sum(part.kg_co2e for part in parts)
    assert emitted(3 * Fraction(one), unit, commodity, **more).kg_co2e == 3 * parts[0].kg_co2e
    for gas, kg in both.gases_kg.items():
        assert kg == sum(part.gases_kg[gas] for part in parts)
