"""P01, S01, Z02, R01: what no interval and no such hour showed in the weeks before; each at its very edge."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quintet.vee import rules
from quintet.vee.local_days import most_before, sums_before
from quintet.vee.period import judge_period

Make = Callable[..., Any]
DAYS, LAST = 40, 35
PANEL = {"role": "generation", "commodity": "electricity"}


@pytest.fixture
def found(make_block: Make, make_traits: Make) -> Make:
    """Give a judge of hours, days x 24: (first hour, last hour) of what one rule finds."""

    def judge(rule: str, hours: Any, **words: str) -> set[tuple[int, int]]:
        flat = [None if value < 0 else int(value) for value in np.asarray(hours).ravel()]
        block, table = make_block([flat], start="2025-03-05T00:00:00+09:00"), rules()
        out = judge_period(block, make_traits(1, **words), table)
        own = out.rule == table.index[rule]
        return set(zip(out.column_first[own].tolist(), out.column_last[own].tolist(), strict=True))

    return judge


def usual(level: int = 1_000_000) -> np.ndarray:
    """Give DAYS days of an even use, more by day than by night."""
    return np.tile(np.where(np.arange(24) < 7, level // 2, level), (DAYS, 1))


def at(hour: int, last: int | None = None) -> tuple[int, int]:
    """Give a span of hours of day LAST."""
    return LAST * 24 + hour, LAST * 24 + (hour if last is None else last)


def test_an_interval_fails_above_twice_the_highest_and_passes_at_it(found: Make) -> None:
    hours = usual()
    hours[LAST, 3] = 2_000_000
    assert found("P01", hours) == set()
    hours[LAST, 3] += 1
    assert found("P01", hours) == {at(3)}
    hours[LAST - 28, 9] = 1_000_001
    assert found("P01", hours) == set()


def test_small_amounts_and_a_short_past_are_never_too_high(found: Make) -> None:
    hours = usual(10_000)
    hours[LAST, 3] = 49_999  # the floor is 50 W
    assert found("P01", hours) == set()
    hours[LAST, 3] = 50_000
    assert found("P01", hours) == {at(3)}
    hours = usual()
    hours[13, 3] = 9_000_000
    assert found("P01", hours) == set()


def test_four_hours_above_their_like_fail_and_three_pass(found: Make) -> None:
    hours = usual()
    hours[LAST, 1:4] = 750_001
    assert found("S01", hours) == set()
    hours[LAST, 4] = 750_000
    assert found("S01", hours) == set()
    hours[LAST, 4] = 750_001
    assert found("S01", hours) == {at(1, 4)}
    # the hours beside it count: six o'clock may be as high as seven
    hours[LAST] = usual()[0]
    hours[LAST, 3:7] = 1_000_000
    assert found("S01", hours) == set()


def test_a_panel_is_held_to_the_sun(found: Make) -> None:
    hours = usual()
    hours[LAST, 12:14] = 1_400_000
    assert found("S01", hours, **PANEL) == set()
    hours[LAST, 12:14] = 1_400_001
    assert found("S01", hours, **PANEL) == {at(12, 13)}
    assert found("S01", hours) == set()


@pytest.mark.parametrize(("rule", "level"), [("P01", 5_000_000), ("S01", 1_800_000), ("Z02", 0)])
@pytest.mark.parametrize("since", [14, 17, 20])
def test_each_day_of_what_goes_on_is_named_for_two_weeks(found: Make, rule: str, level: int, since: int) -> None:
    hours = usual()
    hours[since:, 10:16] = level
    hours[since:, 20] = 1_100_000  # as the rest of a day may be
    assert found(rule, hours) == {(day * 24 + 10, day * 24 + 15) for day in range(since, min(since + 14, DAYS))}


def test_what_is_found_hangs_on_no_other_channel_and_no_later_day(make_block: Make, make_traits: Make) -> None:
    rng = np.random.default_rng(5)
    rows = rng.integers(0, 3_000_000, (12, DAYS * 24)) * (rng.random((12, DAYS * 24)) < 0.97)
    rows[:, 22 * 24 :] *= rng.integers(1, 9, (12, 1))
    table = rules()
    own = {table.index[rule] for rule in ("D01", "P01", "S01", "Z02")}

    def said(some: np.ndarray) -> set[tuple[int, int, int]]:
        """Give row, rule and hour of all that is found."""
        out = judge_period(make_block(some.tolist(), start="2025-03-05T00:00:00+09:00"), make_traits(len(some)), table)
        columns = (out.row.tolist(), out.rule.tolist(), out.column_first.tolist(), out.column_last.tolist())
        spans = zip(*columns, strict=True)
        return {(row, rule, hour) for row, rule, low, high in spans if rule in own for hour in range(low, high + 1)}

    together = said(rows)
    assert {rule for _, rule, _ in together} >= {table.index["D01"], table.index["P01"], table.index["S01"]}
    assert together == {(n, rule, hour) for n in range(len(rows)) for _, rule, hour in said(rows[n : n + 1])}
    for end in (24 * 26, 24 * 33):
        assert said(rows[:, :end]) == {one for one in together if one[2] < end}


def test_zeros_at_hours_that_never_had_one_fail_from_three_on(found: Make) -> None:
    hours = usual()
    hours[:, :6] = 0
    hours[LAST, :7] = 0  # beside the usual ones
    hours[LAST, 12:14] = 0
    assert found("Z02", hours, **PANEL) == set()
    hours[LAST, 14] = 0
    assert found("Z02", hours, **PANEL) == {at(12, 14)}
    hours[LAST - 20, 13] = 0
    assert found("Z02", hours, **PANEL) == set()
    hours[LAST - 20, 13], hours[LAST, 13] = 1, -1  # a missing hour is no zero
    assert found("Z02", hours, **PANEL) == set()


def test_a_day_sent_again_is_named_and_what_repeats_by_itself_is_not(found: Make) -> None:
    rng = np.random.default_rng(2)
    hours = rng.integers(100, 1_000, (DAYS, 24)) * 1_000
    assert found("R01", hours) == set()
    hours[LAST, 10:13] = hours[LAST - 1, 10:13]
    # three of some 670 that never did: once in 300 million, but there are 48 places a day for it
    assert found("R01", hours) == set()
    hours[LAST, 13] = hours[LAST - 1, 13]
    assert found("R01", hours) == {at(10, 13)}
    hours[LAST, 12] += 1_000
    assert found("R01", hours) == set()
    hours[LAST] = hours[LAST - 7]
    assert found("R01", hours) == {at(0, 23)}
    assert found("R01", usual()) == set()
    hours = np.tile(rng.integers(100, 1_000, 24) * 1_000, (DAYS, 1))
    hours[LAST + 1 :, ::5] += 1_000
    assert not any(first >= LAST * 24 for first, _ in found("R01", hours))


def test_coarse_counts_that_recur_are_no_repetition(found: Make) -> None:
    rng = np.random.default_rng(6)
    for most in (2, 4, 8):
        hours = rng.integers(1, most + 1, (DAYS, 24)) * 10_000
        hours[LAST, 8:13] = hours[LAST - 1, 8:13]
        assert found("R01", hours) == set()
    # one in eight, twenty-four times
    hours[LAST] = hours[LAST - 1]
    assert {first // 24 for first, _ in found("R01", hours)} == {LAST}


def test_what_cannot_be_compared_is_no_sign_that_nothing_recurs(found: Make) -> None:
    rng = np.random.default_rng(2)
    hours = rng.integers(100, 1_000, (DAYS, 24)) * 1_000
    hours[: LAST - 20] = -1
    hours[LAST] = hours[LAST - 7]
    assert found("R01", hours) == set()  # after a week, of a week's lag, 13 days only
    hours[LAST] = hours[LAST - 1]
    assert found("R01", hours) == {at(0, 23)}


def test_chance_alone_sends_nothing_again(found: Make) -> None:
    rng = np.random.default_rng(7)
    hours = np.where(rng.random((400, 24)) < 0.5, rng.poisson(3, (400, 24)), 0) * 10_000
    # ten by ten rows of 40 days: 260 channel-days are judged of each kind of count
    assert all(found("R01", hours[first : first + DAYS]) == set() for first in range(0, 400, DAYS))


def test_the_most_and_the_sum_of_the_days_before_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    for days in (1, 2, 9, 40):
        value = rng.integers(-9, 100, (3, days, 2))
        for history in (1, 3, 14, 28):
            most, total = most_before(value, history), sums_before(value, history)
            for day in range(days):
                before = value[:, max(day - history, 0) : day]
                assert (most[:, day] == before.max(axis=1, initial=0)).all()
                assert (total[:, day] == before.sum(axis=1)).all()
