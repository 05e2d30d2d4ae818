"""What erred least in the same hours of a channel's own days fills its gap."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from quintet.vee import Block, Gaps, estimate, shipped_order
from quintet.vee.tested import OLDEST_DAYS

Make = Callable[..., Block]
List = Callable[..., Gaps]
Row = list[int | None]
WEDNESDAY = date(2025, 3, 5)
ORDER = shipped_order().only("self_tested")


def weeks(make_block: Make, rows: list[Row], days: int) -> Block:
    """Give hourly rows of so many whole days before a Wednesday, and what comes then."""
    begin = WEDNESDAY - timedelta(days=days)
    return make_block(rows, start=f"{begin}T00:00:00+09:00")


def filled(block: Block, gaps: Gaps) -> tuple[list[list[int]], np.ndarray]:
    value, quality = estimate(block, gaps, order=ORDER)
    return value.tolist(), quality


def test_an_even_pace_gets_a_line_and_a_daily_shape_its_like_days(make_block: Make, make_gaps: List) -> None:
    """The first channel climbs without end, so no day before is like it; the second repeats each day."""
    days = 35
    climbing: Row = [*range(1000, 1000 + 24 * days), *[None] * 8, *range(1008 + 24 * days, 1032 + 24 * days)]
    daily: Row = [*[hour * hour for hour in range(24)] * days, *[None] * 8, *[hour * hour for hour in range(8, 24)] * 2]
    block = weeks(make_block, [climbing, daily[: len(climbing)]], days)
    first = 24 * days
    value, quality = filled(block, make_gaps((0, first, 8, None), (1, first, 8, None)))
    assert value[0][first : first + 8] == list(range(1000 + first, 1008 + first))
    assert value[1][first : first + 8] == [hour * hour for hour in range(8)]
    assert (quality[:, first : first + 8] > 0).all()


def test_a_total_is_shared_by_the_shape_that_shared_the_past_best(make_block: Make, make_gaps: List) -> None:
    days = 35
    row: Row = [*[1, 3] * 12 * days, *[None] * 6, 1, 3]
    block = weeks(make_block, [row], days)
    value, _ = filled(block, make_gaps((0, 24 * days, 6, 24)))
    assert value[0][24 * days : 24 * days + 6] == [2, 6] * 3


def test_it_says_nothing_where_the_same_hours_were_never_measured(make_block: Make, make_gaps: List) -> None:
    row: Row = [5] * 10 + [None] * 6 + [5] * 4
    _, quality = filled(make_block([row]), make_gaps((0, 10, 6, None)))
    assert not quality[0, 10:16].any()
    holed: Row = [None if place % 24 == 3 else 5 for place in range(24 * 20)] + [None] * 6 + [5]
    _, quality = filled(weeks(make_block, [holed], 20), make_gaps((0, 24 * 20, 6, None)))
    assert not quality[0, 24 * 20 : 24 * 20 + 6].any(), "one hour of each was missing"


def test_nothing_older_than_a_commit_reads_is_looked_at(make_block: Make, make_gaps: List) -> None:
    """What was before may be anything, or absent: a live commit and a load from scratch must say the same."""
    rng = np.random.default_rng(3)
    recent: Row = [*rng.integers(0, 100, 24 * OLDEST_DAYS).tolist(), *[None] * 30, *rng.integers(0, 100, 20).tolist()]
    older: Row = rng.integers(0, 10**6, 24 * 30).tolist()
    for length, total in ((6, None), (30, None), (30, 777)):
        row = [*recent[: 24 * OLDEST_DAYS], *[None] * length, *recent[24 * OLDEST_DAYS + 30 :]]
        short = filled(weeks(make_block, [row], OLDEST_DAYS), make_gaps((0, 24 * OLDEST_DAYS, length, total)))[0][0]
        block = weeks(make_block, [[*older, *row]], OLDEST_DAYS + 30)
        long = filled(block, make_gaps((0, 24 * (OLDEST_DAYS + 30), length, total)))[0][0]
        assert short == long[24 * 30 :]


def test_a_gap_of_three_weeks_is_tested_by_its_first_week(make_block: Make, make_gaps: List) -> None:
    levels = (5, 5, 20, 40, 60, 9, 5)  # Tuesday, Wednesday and Thursday stand for each other
    weekly: Row = [levels[day % 7] + hour % 5 for day in range(63) for hour in range(24)]
    row: Row = [*weekly[: 24 * 42], *[None] * (24 * 21)]
    value, _ = filled(weeks(make_block, [row], 42), make_gaps((0, 24 * 42, 24 * 21, None)))
    assert value[0][24 * 42 :] == weekly[24 * 42 :]
