"""Self-sufficiency of stated series and totals: exact, by the ledger's own definitions, never from what is missing."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.definitions import definitions, parse_totals, totals
from quintet.ledger.given import Answered, Given, answer_given, unit_of
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.ledger.totals import final_energy, in_primary, parse_primary, primary, zeb_primary
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError

F = Fraction


def answered(minutes: int = 60, unit: str = "kWh", **series: Any) -> Answered:
    exact = {name: [Fraction(value) for value in values] for name, values in series.items()}
    return answer_given(Given(unit, minutes, "hour", **exact))


def values(found: Answered) -> dict[str, Fraction | None]:
    return {code: one.value for code, one in found.answers.items()}


def test_hourly_matching_with_the_grids_share() -> None:
    found = answered(load=[2, 2], own=[1, 3], grid_share=["0.4", "0.4"])
    assert values(found) == {
        "power_renewable": 1, "power_local": 1, "interval_autarky": F(3, 4), "cfe_hourly": F("0.85"),
        "self_consumption": F(3, 4), "energy_offset": 1, "net_zero_ratio": 1,
    }  # fmt: skip
    assert found.needs == {}
    assert found.answers["cfe_hourly"].numerator == F("3.4")
    assert values(answered(load=[2, 2], own=[1, 3]))["cfe_hourly"] == F(3, 4)
    assert values(answered(load=[2, 2], own=[1, 3], grid_share=[1, 0]))["cfe_hourly"] == 1


def test_only_the_renewable_part_is_carbon_free() -> None:
    found = values(answered(load=[5, 5], own=[4, 8], own_renewable=[1, 2]))
    assert (found["power_renewable"], found["power_local"], found["cfe_hourly"]) == (F(3, 10), F(12, 10), F(3, 10))
    assert found["interval_autarky"] == F(9, 10)
    alone = answered(load=[5, 5], own_renewable=[1, 2])
    assert set(alone.answers) == {"power_renewable", "cfe_hourly"}


def test_totals_of_a_year_are_not_matched_within_it() -> None:
    bare = answered(525_600, load=[6000], own=[5400])
    assert set(bare.answers) == {"power_renewable", "power_local", "energy_offset"}
    assert bare.needs["interval_autarky"] == "--import"
    assert "hour or less" in bare.needs["cfe_hourly"]
    known = answered(525_600, load=[6000], own=[5400], exported=[2400])
    assert values(known)["interval_autarky"] == F(1, 2)
    assert values(known)["net_zero_ratio"] == F(2400, 3000)


def test_what_follows_is_derived_and_what_is_stated_is_not() -> None:
    found = answered(load=[5, 5], own=[10, 0], charged=[5, 0], discharged=[0, 4])
    assert (values(found)["interval_autarky"], found.answers["interval_autarky"].derived) == (F(9, 10), ("import",))
    stated = answered(load=[5, 5], own=[6, 6], imported=[1, 1], exported=[1, 1])
    assert (stated.closure, stated.answers["net_zero_ratio"].derived) == (2, ())
    from_import = answered(load=[5, 5], own=[6, 4], imported=[0, 1])
    assert from_import.answers["self_consumption"].derived == ("export",)
    assert values(from_import)["self_consumption"] == F(9, 10)
    assert values(answered(load=[4], imported=[1])) == {"interval_autarky": F(3, 4)}


@pytest.mark.parametrize("unit", ["kWh", "MWh", "GJ", "toe", "Gcal"])
def test_the_unit_changes_no_ratio(unit: str) -> None:
    found = answered(unit=unit, load=["2.000000000007", 3], own=["1.0000000001", "0.3"])
    assert values(found)["energy_offset"] == (F("1.0000000001") + F("0.3")) / F("5.000000000007")


@pytest.mark.parametrize(
    ("series", "error", "said"),
    [
        ({"load": [1, 2], "own": [1]}, UsageError, "--own: the series differ in length: --load 2, --own 1"),
        ({"load": [1, 2], "own": [1, 1], "grid_share": ["0.4"]}, UsageError, "--grid-share"),
        ({"load": [1, -2], "own": [1, 1]}, UsageError, "--load, place 2: -2 is below zero"),
        ({"load": [1], "own": [1], "grid_share": ["1.5"]}, UsageError, "above 1"),
        ({"load": [1], "own": [1], "own_renewable": [2]}, BadInput, "renewable part is larger"),
        ({"load": [5], "own": [1], "imported": [1]}, BadInput, "more is used"),
        ({"load": [5], "own": [1], "imported": [1], "exported": [0]}, BadInput, "more is used"),
        ({"load": [1], "own": [5], "exported": [1]}, BadInput, "larger than load and export"),
        ({"load": [1], "imported": [2]}, BadInput, "more is imported than used"),
        ({"load": [1, "1e-40"], "own": [1, 1]}, BadInput, "too many digits"),
    ],
)
def test_what_contradicts_itself_is_refused(series: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        answered(**series)


def test_what_is_not_stated_is_needed_and_never_zero() -> None:
    found = answered(load=[1, 2])
    assert found.answers == {}
    assert set(found.needs) == set(definitions())
    assert found.needs["energy_offset"] == "--own"
    assert answered(own=[1, 2]).needs["energy_offset"] == "--load"
    assert values(answered(load=[0], own=[0]))["energy_offset"] is None


def test_units_are_of_energy() -> None:
    assert unit_of("toe").quantity == "energy"
    for name in ("m3", "kW", "x"):
        with pytest.raises(UsageError, match="kWh"):
            unit_of(name)


def test_primary_energy_as_zero_energy_buildings_count_it() -> None:
    demand = in_primary({"electricity": F(50), "fuel": F(10)}, "--demand")
    share = zeb_primary(demand, in_primary({"electricity": F(20)}, "--produced"))
    assert (share.numerator, share.denominator) == (55, F("148.5") + 55)
    assert share.value == F(55) / F("203.5")
    assert [zeb_primary(100 - F(p), F(p)).grade for p in (100, 80, 79, 60, 40, 20, 19)] == [1, 2, 3, 3, 4, 5, None]
    assert zeb_primary(F(0), F(0)).value is None
    with pytest.raises(BadInput, match=r"coal.*district_heat"):
        in_primary({"coal": F(1)}, "--demand")
    assert primary().factors["district_heat"] == F("0.728")


def test_final_energy() -> None:
    assert final_energy(F(11), F(100)).value == F("0.11")
    assert final_energy(F(1), F(0)).value is None


@pytest.mark.parametrize("key", ["source", "published_on", "factor"])
def test_a_primary_factor_without_its_origin_does_not_load(key: str) -> None:
    table = read_toml("quintet.ledger", "primary.toml")
    bare = {name: value for name, value in table["factor"]["fuel"].items() if name != key}
    with pytest.raises(BadInput, match=f"lacks {key}"):
        parse_primary({**table, "factor": {"fuel": bare}})
    with pytest.raises(BadInput, match="source"):
        parse_primary({**table, "factor": {"fuel": {**table["factor"]["fuel"], "source": ""}}})
    with pytest.raises(BadInput, match="grades fall"):
        parse_primary({**table, "grades": {**table["grades"], "from": ["0.2", "1"]}})


def test_definitions_over_totals_are_sound() -> None:
    assert set(totals()) == {"zeb_primary", "final_energy"}
    row = {**read_toml("quintet.ledger", "definitions.toml")["total"]["final_energy"], "certainty": "?"}
    with pytest.raises(BadInput, match="certainty"):
        parse_totals({"total": {"x": row}})


amounts = st.lists(st.decimals(0, 10**6, places=3), min_size=5, max_size=5)
shares = st.lists(st.decimals(0, 1, places=3), min_size=5, max_size=5)


@given(amounts, amounts, shares)
def test_matching_stays_within_what_each_hour_allows(load: Any, own: Any, share: Any) -> None:
    found = values(answered(load=load, own=own, grid_share=share))
    plain = values(answered(load=load, own=own))
    if sum(load):
        hourly = F(sum(min(use, made) for use, made in zip(load, own, strict=True))) / F(sum(load))
        assert plain["interval_autarky"] == plain["cfe_hourly"] == hourly
        assert found["cfe_hourly"] is not None
        rest = sum(F(max(u - o, 0)) * F(s) for u, o, s in zip(load, own, share, strict=True)) / F(sum(load))
        assert found["cfe_hourly"] == hourly + rest
        assert 0 <= hourly <= found["cfe_hourly"] <= 1


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4), st.lists(st.integers(0, 10**9), min_size=4, max_size=4))
def test_the_citys_ledger_answers_the_same(flows_of: Any, hours: Any, load: list[int], own: list[int]) -> None:
    edges = hours(4)
    flows = flows_of(edges, {"local_generation*": own, "consumption": load})
    city = selfsufficiency(
        flows, edges=edges, commodities=commodities(), boundaries_metered=frozenset(), interval="hour"
    )
    mine = answered(unit="mWh", load=load, own=own)
    assert {one.id: (one.value, one.numerator) for one in city} == {
        code: (one.value, one.numerator) for code, one in mine.answers.items()
    }
