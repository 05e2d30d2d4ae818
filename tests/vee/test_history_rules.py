"""V08, V09, V14, V20 over a block's own past, and V01, V05, V11 by what is stated beside it."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from quintet.terms.errors import BadInput
from quintet.vee import Beside, Block, Use, device_flags, fact, flag_bits
from quintet.vee.checks_state import FAIL, FLAG, PASS, clock_zone

Make = Callable[..., Block]
Hits = Callable[..., list[tuple[int, int, int]]]
DAY_US = 86_400_000_000
MIN_US = 60_000_000


def used(total: int, days: int = 1, peak: int = 0) -> Use:
    """Say what one channel used before."""
    return Use(fact([total]), fact([days * DAY_US]), fact([peak]))


# V08, V09 against the past


@pytest.mark.parametrize(
    ("before", "year", "bad"),
    [
        (120, 120, False),  # twice both
        (119, 119, True),
        (119, 120, False),  # more than twice one of them only
        (480, 480, False),  # half of both
        (481, 481, True),
        (481, 119, False),  # low against one, high against the other
        (0, 100, False),
    ],
)
def test_use_is_held_against_both_pasts(make_block: Make, hits: Hits, before: int, year: int, bad: bool) -> None:
    beside = Beside(use_before=used(before), use_year_before=used(3 * year, days=3))
    assert hits("V08", make_block([[10] * 24]), beside) == ([(0, 0, 23)] if bad else [])


def test_use_counts_by_the_time_that_was_measured(make_block: Make, hits: Hits) -> None:
    beside = Beside(use_before=used(119), use_year_before=used(119))
    assert hits("V08", make_block([[10] * 12 + [None] * 12]), beside) == [(0, 0, 23)]
    assert hits("V08", make_block([[None] * 24]), beside) == []
    assert hits("V08", make_block([[10] * 24]), Beside(use_before=used(1))) == []


@pytest.mark.parametrize(("peak", "bad"), [(5, False), (4, True), (20, False), (21, True), (0, False)])
def test_demand_is_the_highest_interval(make_block: Make, hits: Hits, peak: int, bad: bool) -> None:
    beside = Beside(use_before=used(1, peak=peak), use_year_before=used(1, peak=peak))
    assert hits("V09", make_block([[1, 10, None]]), beside) == ([(0, 0, 2)] if bad else [])


# V14 consecutive change


@pytest.mark.parametrize(("after", "bad"), [(101 * 200_000, False), (101 * 200_000 + 1, True)])
def test_a_change_of_exactly_the_ratio_passes(make_block: Make, hits: Hits, after: int, bad: bool) -> None:
    assert hits("V14", make_block([[200_000, after]])) == ([(0, 1, 1)] if bad else [])


def test_small_changes_gaps_and_zero_are_skipped(make_block: Make, hits: Hits) -> None:
    assert hits("V14", make_block([[1, 20_000_000, None, 1, None, 30_000_000, 0, 50_000_000]])) == []
    assert hits("V14", make_block([[1, 20_000_001]])) == [(0, 1, 1)]
    assert hits("V14", make_block([[1, 5_000_001]], cadence_min=15)) == [(0, 1, 1)]


# V20 estimated too long


@pytest.mark.parametrize(("days", "bad"), [(7, False), (8, True)])
def test_seven_estimated_days_pass(make_block: Make, hits: Hits, days: int, bad: bool) -> None:
    quality = dict.fromkeys([(0, 24 + hour) for hour in range(24 * days)], "like_day")
    block = make_block([[1] * 24 * 10], quality=quality)
    assert hits("V20", block) == ([(0, 24, 24 + 24 * days - 1)] if bad else [])


def test_what_is_missing_is_not_estimated(make_block: Make, hits: Hits) -> None:
    assert hits("V20", make_block([[None] * 24 * 10])) == []


# V01 clock


@pytest.mark.parametrize(
    ("minutes", "cadence", "zone"),
    [
        (3, 15, PASS), (-3, 60, PASS), (Fraction(181, 60), 15, FLAG), (14, 15, FLAG), (15, 15, FAIL), (-15, 15, FAIL),
        (55, 60, FLAG), (56, 60, FAIL), (60, 60, FAIL), (55, 1440, FLAG), (60, 1440, FAIL),
    ],
)  # fmt: skip
def test_clock_zones(
    make_block: Make, hits: Hits, judged: Callable[..., Any], minutes: int | Fraction, cadence: int, zone: int
) -> None:
    offset = Beside(clock_offset_us=fact([int(minutes * MIN_US)]))
    block = make_block([[1]], cadence_min=cadence)
    assert hits("V01", block, offset) == ([(0, 0, 0)] if zone != PASS else [])
    settings = {"pass": Fraction(3 * MIN_US), "flag": Fraction(55 * MIN_US), "intervals": Fraction(1)}
    assert clock_zone(fact([int(minutes * MIN_US)]), cadence * MIN_US, settings).tolist() == [zone]
    found = judged("V01", block, offset)
    assert found.middle.tolist() == ([zone == FLAG] if zone != PASS else [])


# V05 device flags


def test_flags_that_count_are_named_where_they_were_raised(make_block: Make, hits: Hits) -> None:
    flags = np.array([[0, flag_bits(["overflow"]), flag_bits(["test_mode", "low_battery"]), 0]], np.uint32)
    assert hits("V05", make_block([[1, 2, None, 4]]), Beside(flags=flags)) == [(0, 1, 2)]


def test_a_flag_that_says_nothing_of_the_value_passes(make_block: Make, hits: Hits) -> None:
    flags = np.array([[flag_bits(["power_failure"])]], np.uint32)
    assert hits("V05", make_block([[1]]), Beside(flags=flags)) == []
    with pytest.raises(BadInput, match="bogus is no device flag"):
        flag_bits(["bogus"])
    assert {"overflow", "test_mode", "memory_error"} <= {code for code, flag in device_flags().items() if flag.counts}


# V11 use while inactive


def test_any_use_of_an_inactive_point_is_named(make_block: Make, hits: Hits) -> None:
    inactive = np.array([[False, True, True, True]])
    assert hits("V11", make_block([[5, 0, 1, None]]), Beside(inactive=inactive)) == [(0, 2, 2)]
    assert hits("V11", make_block([[5, 0, 0, 0]]), Beside(inactive=inactive)) == []
