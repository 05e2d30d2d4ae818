"""One rule on one channel: the verdict is that of the function, and the figures agree with it."""

from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.errors import BadInput
from quintet.vee import Beside, Kind, candidates, judge_sample, rules
from quintet.vee.checks import CHECKS
from quintet.vee.figures import FIGURES
from quintet.vee.verdict import Sample, as_number

HOUSE = Kind("electricity", "consumption", "energy", "interval_sum")
TAP = Kind("water", "consumption", "volume", "interval_sum")
HOUR_US = 3_600_000_000
SMALL = st.one_of(st.none(), st.sampled_from([0, 1, 2, 500_000, 10**6, 2 * 10**6, 2_800_000, 9 * 10**6, -5]))


def tried(code: str, values: list[int | None], kind: Kind = HOUSE, plate: int | None = None, **facts: Any) -> Any:
    """Try one rule on hourly values."""
    sample = Sample(kind, values, HOUR_US, 0, ZoneInfo("UTC"), plate)
    return judge_sample(rules()[code], sample, Beside(**facts))


def test_every_rule_that_judges_as_readings_are_committed_shows_its_figures() -> None:
    assert FIGURES.keys() == CHECKS.keys()


@given(st.lists(SMALL, min_size=1, max_size=30))
def test_the_figures_of_a_spike_say_what_its_verdict_says(values: list[int | None]) -> None:
    found = tried("V07", values)
    ratio = found.figures["ratio"][1]
    if found.verdict == "skip":
        assert ratio is None
    else:
        assert (found.verdict == "fail") == (ratio > Fraction("1.8"))
        assert ratio == Fraction(found.figures["p1"][1] - found.figures["p3"][1], found.figures["p3"][1])


@given(st.lists(SMALL, min_size=1, max_size=60))
def test_the_figures_of_the_others_say_what_their_verdicts_say(values: list[int | None]) -> None:
    stuck, plate, zero = tried("V18", values), tried("V16", values, plate=2 * 10**6), tried("V10", values)
    if stuck.verdict != "skip":
        assert (stuck.verdict == "fail") == (stuck.figures["times"][1] >= 24)
        assert (plate.verdict == "fail") == (abs(plate.figures["largest"][1]) > 2 * 10**6)
    assert (zero.verdict == "fail") == ((zero.figures.get("zero_days", (0, 0))[1] or 0) >= 1)
    negative = tried("V12_negative", values, TAP)
    assert (negative.verdict == "fail") == any(value is not None and value < 0 for value in values)


@pytest.mark.parametrize(
    ("code", "values", "kind", "verdict"),
    [
        ("V07", [None, None], HOUSE, "skip"),
        ("V16", [5], HOUSE, "pass"),
        ("V16", [400_000 * 10**6 + 1], HOUSE, "fail"),
        ("W01", [1] * 24, TAP, "flag"),
        ("W01", [1] * 72, TAP, "fail"),
        ("W01", [1] * 72, HOUSE, "skip"),
        ("V06", [1], HOUSE, "skip"),
    ],
)
def test_verdicts(code: str, values: list[int | None], kind: Kind, verdict: str) -> None:
    found = tried(code, values, kind)
    assert found.verdict == verdict
    assert bool(found.why) == (verdict == "skip")


def test_places_are_listed_one_by_one() -> None:
    assert tried("V12_negative", [1, -1, -1, 2, -1], TAP).at == [1, 2, 4]


def test_what_no_meter_shows_and_what_is_found_upstream_is_refused() -> None:
    with pytest.raises(BadInput, match="value 2: is beyond"):
        tried("V07", [1, 2**60])
    with pytest.raises(BadInput, match="rule rollback: is found while"):
        tried("rollback", [1])
    with pytest.raises(BadInput, match="check does not fit"):
        tried("V17", [1, 2], check=np.zeros((1, 1), np.int64))


def test_a_code_means_itself_or_its_parts() -> None:
    assert [rule.id for rule in candidates(rules(), "V12")] == ["V12_negative", "V12_reverse", "V12_rollover"]
    assert [rule.id for rule in candidates(rules(), "V07")] == ["V07"]
    assert candidates(rules(), "V02") == []


def test_figures_are_said_in_units_that_people_read() -> None:
    kwh = Fraction(10**6)
    assert as_number("amount", 2_500_000, kwh, HOUR_US) == Fraction("2.5")
    assert as_number("rate", 2_500_000, kwh, HOUR_US // 4) == 10
    assert as_number("duration", 240_000_000, kwh, HOUR_US) == 4
    assert as_number("kelvin", 3000, kwh, HOUR_US) == 3
    assert as_number("text", "x", kwh, HOUR_US) == "x"
    assert as_number("amount", None, kwh, HOUR_US) is None
