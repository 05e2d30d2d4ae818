"""Estimators beyond the mean of like days: the week before, medians, levels, blends, totals of many gaps at once."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.vee import Block, Gaps, estimate, shipped_order
from quintet.vee.apportion import apportion
from quintet.vee.order import FUNCTIONS
from quintet.vee.scale import apportioned, weights_of

Make = Callable[..., Block]
List = Callable[..., Gaps]
FOUR_WEEKS = "2025-02-05T00:00:00+09:00"
LAST = 28 * 24
OWN = [name for name, row in shipped_order().rows.items() if row.reach == "own"]


def days(*levels: int) -> list[int | None]:
    """Give a day an entry, each hour at that level."""
    return [level for level in levels for _ in range(24)]


def only(block: Block, gaps: Gaps, name: str) -> list[list[int]]:
    return estimate(block, gaps, order=shipped_order().only(name))[0].tolist()


def test_last_week_takes_the_nearest_week_that_has_the_hours(make_block: Make, make_gaps: List) -> None:
    row = days(*range(28)) + [None] * 24
    block = make_block([row], start=FOUR_WEEKS)
    assert only(block, make_gaps((0, LAST, 24, None)), "last_week")[0][LAST:] == [21] * 24
    row[21 * 24 + 5] = None
    holed = make_block([row], start=FOUR_WEEKS)
    assert only(holed, make_gaps((0, LAST, 24, None)), "last_week")[0][LAST:] == [14] * 24


def test_flat_is_the_mean_of_the_last_week(make_block: Make, make_gaps: List) -> None:
    row = days(*[1000] * 21, 1, 2, 3, 4, 5, 6, 7) + [None] * 24
    block = make_block([row], start=FOUR_WEEKS)
    assert only(block, make_gaps((0, LAST, 24, None)), "flat")[0][LAST:] == [4] * 24
    assert only(block, make_gaps((0, LAST, 24, 25)), "flat")[0][LAST:] == [2, *[1] * 23]


def test_one_wild_like_day_moves_a_mean_but_no_median(make_block: Make, make_gaps: List) -> None:
    levels = [10] * 28
    levels[27] = 10_000
    block = make_block([days(*levels) + [None] * 24], start=FOUR_WEEKS)
    gaps = make_gaps((0, LAST, 24, None))
    assert only(block, gaps, "like_day")[0][-1] == 3340
    assert only(block, gaps, "like_day_median")[0][-1] == 10


def test_a_level_follows_the_hours_beside_the_gap(make_block: Make, make_gaps: List) -> None:
    levels = [10] * 27 + [20]
    row = days(*levels) + [None] * 6 + [20] * 42
    value = only(make_block([row], start=FOUR_WEEKS), make_gaps((0, LAST, 6, None)), "like_day_level")[0][
        LAST : LAST + 6
    ]
    assert all(15 <= one <= 20 for one in value)
    assert value[0] == max(value)
    assert (
        only(make_block([row[: LAST + 7]], start=FOUR_WEEKS), make_gaps((0, LAST, 6, None)), "like_day_level")[0][LAST]
        >= 15
    )


def test_a_line_below_zero_draws_down_nothing(make_block: Make, make_gaps: List) -> None:
    row = days(*[4] * 28) + [None] * 6 + [-100, 4]
    block = make_block([row], start=FOUR_WEEKS, quality={(0, LAST + 6): "questionable"})
    for name in ("blend", "median_blend"):
        assert min(only(block, make_gaps((0, LAST, 6, None)), name)[0][LAST : LAST + 6]) >= 0


@pytest.mark.parametrize("name", OWN)
def test_every_estimator_meets_a_total_or_says_nothing(make_block: Make, make_gaps: List, name: str) -> None:
    rows = [[(hour * 7 + row) % 23 for hour in range(24 * 28)] + [None] * 2 + [3] * 40 for row in range(3)]
    block = make_block(rows, start=FOUR_WEEKS)
    value, quality = estimate(
        block,
        make_gaps(*((row, LAST, 2, total) for row, total in enumerate((0, 7, 10**15)))),
        order=shipped_order().only(name),
    )
    for row, total in enumerate((0, 7, 10**15)):
        full = (quality[row, LAST : LAST + 2] > 0).all()
        assert value[row, LAST : LAST + 2].sum() == (total if full else 0)
    assert (quality[1, LAST : LAST + 2] > 0).all()


@pytest.mark.parametrize("name", OWN)
def test_gaps_filled_together_are_filled_as_each_alone(make_block: Make, make_gaps: List, name: str) -> None:
    """Rows with the same columns missing go together; what a row gets must not depend on its neighbours."""
    dice = np.random.default_rng(1)
    rows: list[list[int | None]] = dice.integers(0, 1000, (5, 24 * 35)).tolist()
    listed = [(row, LAST + 12 * (row % 2), 30, None if row % 3 else 5000 + row) for row in range(5)]
    for row, first, length, _ in listed:
        rows[row][first : first + length] = [None] * length
    rows[2][3 * 24] = None
    value, quality = estimate(make_block(rows, start=FOUR_WEEKS), make_gaps(*listed), order=shipped_order().only(name))
    for row, first, length, total in listed:
        alone = make_block([rows[row]], start=FOUR_WEEKS, channels=[row])
        one = estimate(alone, make_gaps((0, first, length, total)), order=shipped_order().only(name))
        assert one[0][0].tolist() == value[row].tolist()
        assert one[1][0].tolist() == quality[row].tolist()


@given(
    st.lists(st.lists(st.integers(0, 2**40), min_size=5, max_size=5), min_size=1, max_size=4),
    st.lists(st.integers(-(2**50), 2**50), min_size=4, max_size=4),
)
def test_totals_shared_together_are_shared_as_one_by_one(weights: list[list[int]], totals: list[int]) -> None:
    wide = np.array([row if any(row) else [1] * 5 for row in weights], np.int64)
    total = np.array(totals[: len(wide)], np.int64)
    shared = apportioned(total, wide)
    assert shared.tolist() == [apportion(int(t), row).tolist() for t, row in zip(total, wide, strict=True)]
    assert shared.sum(axis=1).tolist() == total.tolist()


@given(st.lists(st.tuples(st.integers(0, 2**50), st.integers(1, 7)), min_size=1, max_size=6))
def test_fractions_keep_their_proportions(cells: list[tuple[int, int]]) -> None:
    top, bottom = np.array([[one[0] for one in cells]]), np.array([[one[1] for one in cells]])
    (weights,) = weights_of(top, bottom).tolist()
    first = next((place for place, weight in enumerate(weights) if weight), 0)
    for weight, (over, under) in zip(weights, cells, strict=True):
        assert weight * Fraction(*cells[first]) == weights[first] * Fraction(over, under)


def test_every_estimator_is_listed_once() -> None:
    assert set(OWN) < FUNCTIONS.keys()
    everything: list[Any] = list(FUNCTIONS)
    assert len(everything) == len(set(everything))
