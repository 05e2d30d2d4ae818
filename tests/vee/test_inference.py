"""What zeros mean: dead, thrift, away or unknown, by what stands beside the meter; and settings that do not load."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quintet.terms.catalogue import read_toml
from quintet.terms.errors import BadInput
from quintet.vee.inference import (
    AWAY,
    DEAD,
    THRIFT,
    UNKNOWN,
    Inferred,
    Neighbours,
    Signals,
    Subject,
    infer,
    inference,
    inference_from,
    neighbours_of,
    rest_shows_use,
)

DAYS = 20
ZERO_FROM = 10
COLD, WARM = Subject(("hot_water",), cold=True), Subject(("water",), cold=False)


def signals(**changes: Any) -> Signals:
    """Give one meter that used 1000 a day for ten days and then nothing, among ten neighbours that all use 1000.

    Each change is one day's value for the zero days, or an array of all days.
    """

    def row(name: str, before: Any, after: Any) -> Any:
        said = changes.get(name, after)
        if isinstance(said, np.ndarray):
            return said.reshape(1, DAYS)
        return np.array([[before] * ZERO_FROM + [said] * (DAYS - ZERO_FROM)])

    near = Neighbours(row("known", 10, 10), row("using", 10, 10), row("mean", 1000, 1000))
    temperature = np.array([5.0] * ZERO_FROM + [changes.get("temperature", np.nan)] * (DAYS - ZERO_FROM))
    pairs = {
        name: row(name, 0, 0).astype(bool)
        for name in ("present", "source", "rest", "present_known", "source_known", "rest_known")
    }
    own_known = row("own_known", 1, 1).astype(bool)
    return Signals(own=row("own", 1000, 0), own_known=own_known, neighbours=near, temperature_c=temperature, **pairs)


def only(found: list[Inferred]) -> Inferred:
    assert len(found) == 1
    return found[0]


def verdict(subject: Subject = COLD, **changes: Any) -> tuple[str, str]:
    one = only(infer(signals(**changes), subject))
    return one.verdict, one.reason


HOME: dict[str, Any] = {"present": 1, "present_known": 1}
AWAY_WATER: dict[str, Any] = {"present": 0, "present_known": 1}


def test_zero_heat_while_hot_water_runs_and_neighbours_heat_is_a_dead_meter() -> None:
    one = only(infer(signals(**HOME), COLD))
    assert (one.verdict, one.reason, one.first, one.last) == (DEAD, "neighbours_use_it", ZERO_FROM, DAYS - 1)
    assert one.figures["neighbours_mean"] == 1000
    assert one.figures["presence_days"] == one.figures["zero_days"] == 10
    assert one.missing == ("source", "parent", "temperature")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (AWAY_WATER, (AWAY, "nothing_used")),
        ({}, (UNKNOWN, "presence_unknown")),
        ({**HOME, "using": 0}, (UNKNOWN, "not_cold")),
        ({**HOME, "using": 5}, (UNKNOWN, "not_cold")),
        ({**HOME, "using": 6}, (DEAD, "neighbours_use_it")),
        ({**HOME, "known": 4, "using": 4}, (UNKNOWN, "season_unknown")),
        ({**HOME, "known": 5, "using": 5}, (DEAD, "neighbours_use_it")),
        ({**HOME, "known": 0, "using": 0, "temperature": 2.0}, (UNKNOWN, "no_neighbours")),
        ({**HOME, "using": 1, "temperature": 2.0}, (THRIFT, "neighbours_do_without")),
        ({**HOME, "temperature": 15.0}, (UNKNOWN, "not_cold")),
        ({**HOME, "temperature": 14.9}, (DEAD, "neighbours_use_it")),
        ({"source": 1, "source_known": 1}, (DEAD, "source_runs")),
        ({"rest": 1, "rest_known": 1}, (DEAD, "parent_shows_use")),
        ({**AWAY_WATER, "source": 0, "source_known": 1}, (AWAY, "nothing_used")),
        ({"rest": 1}, (UNKNOWN, "presence_unknown")),
    ],
)
def test_what_stands_beside_decides(changes: dict[str, Any], said: tuple[str, str]) -> None:
    assert verdict(**changes) == said


def test_seldom_at_home_is_left_open() -> None:
    seldom = np.array([1] * ZERO_FROM + [1, 0] * 5)
    assert verdict(present=seldom, present_known=1) == (UNKNOWN, "seldom_present")


def test_who_used_little_before_is_thrifty_and_who_used_nothing_at_all_is_not() -> None:
    little = np.array([99] * ZERO_FROM + [0] * ZERO_FROM)
    assert verdict(**HOME, own=little) == (THRIFT, "little_before")
    assert verdict(**HOME, own=little + np.array([1] * ZERO_FROM + [0] * ZERO_FROM)) == (DEAD, "neighbours_use_it")
    always = np.zeros(DAYS, np.int64)
    everyday = np.ones(DAYS, np.int64)
    assert verdict(own=always, present=everyday, present_known=everyday) == (DEAD, "neighbours_use_it")


def test_short_or_unknown_zeros_say_nothing() -> None:
    short = np.array([1000] * 16 + [0] * 4)
    assert infer(signals(**HOME, own=short), COLD) == []
    assert only(infer(signals(**HOME, own=np.array([1000] * 15 + [0] * 5)), COLD)).first == 15
    assert infer(signals(**HOME, own_known=0), COLD) == []


def test_what_is_used_all_year_needs_no_cold() -> None:
    assert verdict(WARM, **HOME, temperature=30.0) == (DEAD, "neighbours_use_it")
    assert verdict(WARM, **HOME, using=2) == (THRIFT, "neighbours_do_without")


def test_neighbours_leave_the_meter_itself_out() -> None:
    own = np.array([[10, 0], [20, 5], [0, 0], [7, 7]], np.int64)
    known = np.array([[1, 1], [1, 1], [1, 0], [1, 1]], np.bool_)
    near = neighbours_of(own, known, np.array([0, 0, 0, 1], np.int32))
    assert near.known.tolist() == [[2, 1], [2, 1], [2, 2], [0, 0]]
    assert near.using.tolist() == [[1, 1], [1, 0], [2, 1], [0, 0]]
    assert near.mean.tolist() == [[20, 5], [10, 0], [15, 5], [0, 0]]


def test_a_parent_shows_use_only_beyond_its_losses() -> None:
    parent, others = np.array([1000, 1000, 0, -5]), np.array([900, 899, 0, 0])
    assert rest_shows_use(parent, others, inference()).tolist() == [False, True, False, False]


def test_settings_without_source_or_with_an_unknown_key_do_not_load() -> None:
    def changed(**part: Any) -> dict[str, Any]:
        table = read_toml("quintet.vee", "inference.toml")
        for name, row in part.items():
            table[name] = {**table[name], **row}
        return table

    fine = read_toml("quintet.vee", "inference.toml")
    assert inference_from(fine) == inference()
    bad = [
        changed(threshold={"zero_days": {**fine["threshold"]["zero_days"], "source": " "}}),
        changed(threshold={"more": fine["threshold"]["zero_days"]}),
        changed(subject={"heat": {**fine["subject"]["heat"], "presence": ["light"]}}),
        changed(subject={"water": {**fine["subject"]["water"], "presence": ["water"]}}),
        changed(presence={"water": {**fine["presence"]["water"], "least": "0"}}),
        {**fine, "extra": {}},
    ]
    for table in bad:
        with pytest.raises(BadInput):
            inference_from(table)


def test_other_settings_count() -> None:
    sooner = {**inference().numbers, "zero_days": inference().numbers["neighbours"] - 1}
    short = np.array([1000] * 16 + [0] * 4)
    assert only(infer(signals(**HOME, own=short), COLD, replace(inference(), numbers=sooner))).verdict == DEAD
