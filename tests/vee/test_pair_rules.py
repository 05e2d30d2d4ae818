"""V06, V13, V15, V17, each against its companion: a case that is refused, one at the very edge, one that is skipped."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quintet.terms.errors import BadInput
from quintet.vee import NOTHING, Beside, Block, Traits, fact, judge_period, rules

Make = Callable[..., Block]
Describe = Callable[..., Traits]
Hits = Callable[..., list[tuple[str, int, int, int]]]
KWH = 1_000_000


# V06 sum check


@pytest.mark.parametrize(("register", "bad"), [(244, False), (320, False), (321, True), (160, False), (159, True)])
def test_a_sum_may_be_two_multipliers_off(make_block: Make, hits: Hits, register: int, bad: bool) -> None:
    block = make_block([[10 * KWH] * 24])
    beside = Beside(register_total=fact([register * KWH]), register_step=fact([40 * KWH]))
    assert hits("V06", block, beside) == ([(0, 0, 23)] if bad else [])


@pytest.mark.parametrize("row", [[10] * 23 + [None], [10] * 24])
def test_a_sum_with_a_gap_or_without_a_register_is_skipped(make_block: Make, hits: Hits, row: list[Any]) -> None:
    unknown = NOTHING if row[-1] else 10**9
    beside = Beside(register_total=fact([unknown]), register_step=fact([1]))
    assert hits("V06", make_block([row]), beside) == []
    assert hits("V06", make_block([row]), Beside()) == []


def test_a_sum_beyond_64_bits_is_still_exact(make_block: Make, hits: Hits) -> None:
    block = make_block([[2**59] * 24, [1] * 24])
    beside = Beside(register_total=fact([0, 24]), register_step=fact([KWH, KWH]))
    assert hits("V06", block, beside) == [(0, 0, 23)]


# V13 reactive energy


@pytest.mark.parametrize(("active", "reactive", "bad"), [(300_000, 0, False), (300_001, 0, True), (300_001, 1, False)])
def test_no_reactive_energy_beside_active_use(
    make_block: Make, hits: Hits, active: int, reactive: int, bad: bool
) -> None:
    beside = Beside(reactive=np.array([[7, reactive]], np.int64))
    assert hits("V13", make_block([[5 * KWH, active]]), beside) == ([(0, 1, 1)] if bad else [])


def test_a_city_may_ask_for_a_power_factor(make_block: Make, hits: Hits, more: Callable[..., Any]) -> None:
    change = {"V13": {"parameter": [more("power_factor", "0.8", "1")]}}
    block = make_block([[4 * KWH, 4 * KWH, 2**59]])
    beside = Beside(reactive=np.array([[3 * KWH, 3 * KWH + 1, 2**59]], np.int64))
    assert hits("V13", block, beside, change) == [(0, 1, 2)]
    assert hits("V13", block, beside) == []


# V15 register change


@pytest.mark.parametrize(("now", "bad"), [(110 * KWH, False), (110 * KWH + 1, True), (0, False)])
def test_a_registers_change_far_from_the_one_before(make_block: Make, hits: Hits, now: int, bad: bool) -> None:
    beside = Beside(register_total=fact([now]), register_before=fact([10 * KWH]))
    assert hits("V15", make_block([[0] * 24]), beside) == ([(0, 0, 23)] if bad else [])


@pytest.mark.parametrize(("now", "before"), [(KWH, 0), (1_199_999, 1), (NOTHING, 5), (9 * KWH, NOTHING)])
def test_a_change_from_nothing_or_of_an_empty_home_is_skipped(
    make_block: Make, hits: Hits, now: int, before: int
) -> None:
    beside = Beside(register_total=fact([now]), register_before=fact([before]))
    assert hits("V15", make_block([[0] * 24]), beside) == []


# V17 main against check meter


@pytest.mark.parametrize(("main", "bad"), [(101_500_000, False), (101_500_001, True), (98_500_000, False)])
def test_the_check_meter_allows_one_and_a_half_classes(make_block: Make, hits: Hits, main: int, bad: bool) -> None:
    beside = Beside(check=np.array([[100 * KWH]], np.int64))
    assert hits("V17", make_block([[main]]), beside) == ([(0, 0, 0)] if bad else [])


def test_the_meters_own_class_counts_and_gaps_do_not(make_block: Make, hits: Hits) -> None:
    block = make_block([[103 * KWH, None], [103 * KWH, 5]])
    check = np.array([[100 * KWH, 50 * KWH], [100 * KWH, NOTHING]], np.int64)
    assert hits("V17", block, Beside(check=check, class_ppm=fact([20_000, NOTHING]))) == [(1, 0, 1)]
    dead = Beside(check=np.zeros((2, 2), np.int64))
    assert hits("V17", make_block([[1, 0], [0, 0]]), dead) == [(0, 0, 1)]


def test_facts_that_do_not_fit_are_refused_by_name(make_block: Make, make_traits: Describe) -> None:
    block, short = make_block([[1, 2]]), np.zeros((1, 3), np.int64)
    with pytest.raises(BadInput, match="check does not fit 1 channels x 2 intervals"):
        judge_period(block, make_traits(1), rules(), Beside(check=short))
    with pytest.raises(BadInput, match="traits do not fit"):
        judge_period(block, make_traits(2), rules())
