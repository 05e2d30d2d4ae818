"""Sums over a place are exact whatever their size, and count what is measured and what is estimated apart."""

import numpy as np

from quintet.access.members import Group
from quintet.access.totals import LOW, QUARTER_US, Sums, quarter_starts
from quintet.terms.period import to_us
from quintet.terms.quality import qualities
from quintet.terms.reading import clock

from .conftest import utc

VALID, LINEAR, REJECTED = (qualities()[code].id for code in ("valid", "linear", "rejected"))


def group(count: int, *, sign: int = 1, clip: int = 0, end_us: int = 10**17) -> Group:
    """Give a grid of `count` channels of one flow."""
    same = np.ones(count, np.int64)
    channel = np.arange(count, dtype=np.int32)
    return Group(QUARTER_US, 0, channel, 0 * same, end_us * same, sign * same, clip * same, 0 * same, 15 * same)


def added(own: Group, values: list[int], quality: int, start: int = 0) -> tuple[int, int, int]:
    """Add one interval of each channel; give value, arrived and estimated minutes."""
    sums = Sums(1, 1)
    starts, slots = np.array([start], np.int64), np.zeros(1, np.int64)
    cells = np.array(values, np.int64)[:, None]
    sums.add(own, 0, starts, slots, cells, np.full(cells.shape, quality, np.uint8))
    return int(sums.high[0, 0]) * LOW + int(sums.low[0, 0]), int(sums.arrived[0, 0]), int(sums.estimated[0, 0])


def test_a_sum_larger_than_64_bits_is_exact() -> None:
    values = [2**62 - 1, 2**62 - 3, 2**62 - 5, -7]
    assert added(group(4), values, VALID) == (sum(values), 60, 0)
    assert sum(values) > 2**63


def test_negative_values_and_signs_are_exact() -> None:
    assert added(group(3), [-5, -(2**40), 3], VALID)[0] == -(2**40) - 2
    assert added(group(3, sign=-1), [-5, -(2**40), 3], VALID)[0] == 2**40 + 2


def test_halves_of_a_signed_flow_count_their_half() -> None:
    assert added(group(3, clip=1), [-5, 4, 3], VALID)[0] == 7
    assert added(group(3, clip=-1), [-5, 4, 3], VALID)[0] == 5


def test_estimated_counts_apart_and_rejected_not_at_all() -> None:
    assert added(group(2), [1, 2], LINEAR) == (3, 0, 30)
    assert added(group(2), [1, 2], REJECTED) == (0, 0, 0)


def test_what_ended_before_an_interval_counts_no_more() -> None:
    assert added(group(2, end_us=QUARTER_US), [1, 2], VALID, start=QUARTER_US) == (0, 0, 0)
    assert added(group(2, end_us=QUARTER_US + 1), [1, 2], VALID, start=QUARTER_US) == (3, 30, 0)


def test_an_interval_belongs_to_the_quarter_hour_in_which_it_starts() -> None:
    starts = np.array([to_us(utc(1, 0, minute)) for minute in (0, 1, 14, 15, 59)], np.int64)
    given = quarter_starts(starts, clock("Asia/Kolkata"))
    assert given.tolist() == [to_us(utc(1, 0, minute)) for minute in (0, 0, 0, 15, 45)]
