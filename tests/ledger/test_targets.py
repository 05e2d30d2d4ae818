"""Targets as records, and the way to them: what is missing never looks like progress."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.targets import (
    AHEAD,
    BEHIND,
    EARLY,
    MISSED,
    OPEN,
    REACHED,
    TARGET,
    VERDICTS,
    Measure,
    emission_path,
    measure_statement,
    share_path,
    stated_saving,
    statements,
    target_statement,
    targets,
    unplaced,
    withdrawal,
)
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput

ROW = {
    "place": "city", "year": 2030, "metric": "emissions", "of": "total", "value": "1200 tCO2e", "by": "council",
    "why": "plan",
}  # fmt: skip
KG = st.fractions(min_value=0, max_value=10**6, max_denominator=100)
SHARE = st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=100)


@pytest.mark.parametrize(
    ("change", "amount"),
    [
        ({}, Fraction(1_200_000)),
        ({"value": "0.5 kgCO2e"}, Fraction(1, 2)),
        ({"metric": "self_sufficiency", "of": "power_local", "value": "35 %"}, Fraction(35, 100)),
        ({"metric": "self_sufficiency", "of": "zeb_primary", "value": "0.2"}, Fraction(1, 5)),
    ],
)
def test_a_target_is_read_exactly(change: dict[str, Any], amount: Fraction) -> None:
    assert Fraction(target_statement({**ROW, **change}).body["amount"]) == amount


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"value": "1200"}, "bad_target"),
        ({"value": "-1 tCO2e"}, "bad_target"),
        ({"value": "nan tCO2e"}, "bad_target"),
        ({"value": "35 %"}, "bad_target"),
        ({"value": 1200.0}, "bad_target"),
        ({"of": "scope_4"}, "unknown_target"),
        ({"metric": "self_sufficiency"}, "unknown_target"),
        ({"metric": "joy"}, "unknown_metric"),
        ({"year": 30}, "bad_year"),
        ({"year": "2030"}, "bad_year"),
        ({"why": " "}, "no_reason"),
        ({"more": 1}, "bad_row"),
    ],
)
def test_what_is_no_target_does_not_load(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as error:
        target_statement({**ROW, **change})
    assert error.value.code == code


def test_a_later_record_replaces_and_withdraws_and_the_past_stays_known() -> None:
    first, second = target_statement(ROW), target_statement({**ROW, "value": "900 tCO2e"})
    key = first.key
    said: list[tuple[int, dict[str, Any]]] = [(10, first.body), (20, second.body)]

    def at(moment: int) -> list[Fraction]:
        return [one.amount for one in targets(lambda kind: {key: said} if kind == TARGET else {}, moment)]

    (one,) = targets(lambda _: {key: said}, 30)
    said.append((30, withdrawal(one, "kim", "a new plan").body))
    assert [at(5), at(15), at(25), at(35)] == [[], [1_200_000], [900_000], []]


def test_measures_and_targets_of_city_toml() -> None:
    rows = {
        "target": [{**ROW, "valid_from": date(2026, 1, 1)}],
        "measure": [
            {
                "id": "lamps", "place": "d1", "commodity": "electricity", "from": date(2025, 7, 1), "saves": "12 MWh",
                "what_en": "street lamps", "by": "kim", "why": "report 4",
            }
        ],
    }  # fmt: skip
    target, measure = statements(rows, commodities())
    assert (target.day, target.key) == (date(2026, 1, 1), "city/2030/emissions/total")
    assert (measure.key, Fraction(measure.body["saves"])) == ("lamps", 12_000_000_000)
    for wrong in ({"saves": "12 m3"}, {"saves": "much"}, {"commodity": "joy"}, {"from": "soon"}):
        with pytest.raises(BadInput):
            measure_statement({**rows["measure"][0], "from": "2025-07-01", **wrong}, commodities())


def test_a_target_of_a_place_that_is_none_is_named_until_it_is_withdrawn() -> None:
    """City.toml may come before the meters that make its places: it is taken, and doctor names what stays."""
    first = target_statement({**ROW, "place": "d99"})
    said: dict[str, list[tuple[int, Any]]] = {first.key: [(10, first.body)]}

    def named(*places: str) -> list[str]:
        return unplaced(lambda kind: said if kind == TARGET else {}, places)

    assert named("city") == [f"target {first.key} is for place d99, which does not exist."]
    assert named("city", "d99") == []
    (one,) = targets(lambda _: said, 20)
    said[first.key].append((30, withdrawal(one, "kim", "a slip").body))
    assert named("city") == []


def test_a_measure_saves_by_the_days_on_which_it_stood() -> None:
    one = Measure("m", "city", "heat", "energy", date(2025, 7, 1), Fraction(365), "", "", "", "")
    assert stated_saving([one], date(2025, 1, 1), date(2025, 7, 1), 365) == 0
    assert stated_saving([one], date(2025, 6, 1), date(2025, 7, 11), 365) == 10
    assert stated_saving([one], date(2026, 1, 1), date(2026, 2, 1), 365) == 31


@pytest.mark.parametrize(
    ("kg", "share", "gone", "whole", "verdict"),
    [
        (0, 1, 0, True, EARLY),
        (100, 1, 100, True, AHEAD),
        (101, 1, 100, True, BEHIND),
        (365, 1, 365, True, REACHED),
        (366, 1, 200, True, MISSED),
        (50, Fraction(1, 2), 100, True, OPEN),
        (50, 1, 100, False, OPEN),
        (101, Fraction(1, 2), 100, True, BEHIND),
        (365, Fraction(99, 100), 365, True, OPEN),
        (366, Fraction(1, 2), 200, False, MISSED),
    ],
)
def test_the_way_to_an_emission_target(kg: int, share: Fraction, gone: int, whole: bool, verdict: str) -> None:
    path = emission_path(Fraction(365), [(Fraction(kg), Fraction(share))], whole, gone, 365)
    assert path.verdict == verdict
    told = (whole and share == 1) or kg > 365
    if gone:
        assert (path.so_far, path.left) == (kg, 365 - kg if told else None)
        assert path.pace == Fraction(kg) / Fraction(share) / gone
    if 0 < gone < 365:
        assert path.pace_needed == (Fraction(365 - kg, 365 - gone) if told and kg <= 365 else None)


@given(KG, st.lists(st.tuples(KG, SHARE), min_size=1, max_size=4), st.integers(1, 364), st.data())
def test_a_meter_that_falls_silent_never_looks_like_progress(
    target: Fraction, parts: list[tuple[Fraction, Fraction]], gone: int, data: st.DataObject
) -> None:
    full = [(kg, Fraction(1)) for kg, _ in parts]
    heard = [(kg * data.draw(SHARE), share) for kg, share in parts]
    path = emission_path(target, heard, True, gone, 365)
    if any(share < 1 for _, share in heard):
        assert path.verdict in (OPEN, BEHIND, MISSED)
    if path.verdict in (BEHIND, MISSED):
        assert emission_path(target, full, True, gone, 365).verdict in (BEHIND, MISSED), "what is missing only adds"


def test_without_anything_heard_there_is_no_pace() -> None:
    path = emission_path(Fraction(365), [(Fraction(0), None), (Fraction(5), Fraction(1))], True, 10, 365)
    assert (path.pace, path.verdict) == (None, OPEN)


def test_the_way_to_a_share() -> None:
    path = share_path(Fraction(1, 2), Fraction(2, 5), True, 100, 200)
    assert (path.left, path.pace_needed, path.verdict) == (Fraction(1, 10), Fraction(3, 5), BEHIND)
    assert share_path(Fraction(1, 2), Fraction(3, 5), True, 100, 200).verdict == AHEAD
    assert share_path(Fraction(1, 2), Fraction(3, 5), False, 100, 200).verdict == OPEN
    assert share_path(Fraction(1, 2), Fraction(2, 5), True, 200, 200).verdict == MISSED
    assert share_path(Fraction(1, 2), Fraction(1, 2), True, 200, 200).verdict == REACHED
    assert share_path(Fraction(1, 2), None, True, 5, 200).verdict == OPEN
    assert share_path(Fraction(1, 2), None, True, 0, 200).verdict == EARLY
    assert all(english != korean for english, korean in VERDICTS.values())
