"""D01, D03, Q01, Z01: what a channel never did in the weeks before; each at its very edge, and what it lets pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quintet.vee import rules
from quintet.vee.block import Block
from quintet.vee.period import judge_period

Make = Callable[..., Any]
DAYS = 40
LAST = 35
START = "2025-03-05T00:00:00+09:00"


@pytest.fixture
def found(make_block: Make, make_traits: Make) -> Callable[..., set[tuple[str, int, int]]]:
    """Give a judge of hours: (rule, first hour, last hour) of what D01, D03 and Z01 find, or else the rules named."""

    def judge(hours: Any, only: tuple[str, ...] = ("D01", "D03", "Z01"), **words: str) -> set[tuple[str, int, int]]:
        rows = [[None if value is None else int(value) for value in hours]]
        block: Block = make_block(rows, start=START)
        table = rules()
        out = judge_period(block, make_traits(1, **words), table)
        named = [table.rules[index].id for index in out.rule.tolist()]
        spans = zip(named, out.column_first.tolist(), out.column_last.tolist(), strict=True)
        return {span for span in spans if span[0] in only}

    return judge


def days(*levels: int, usual: int = 1_000_000) -> list[int]:
    """Give hours of DAYS days at a usual amount; `levels` stand from day LAST on."""
    each = [usual] * LAST + list(levels)
    each += [usual] * (DAYS - len(each))
    return [level for level in each for _ in range(24)]


@pytest.mark.parametrize(("level", "hit"), [(1_500_000, False), (1_500_001, True), (250_000, False), (333_333, False)])
def test_a_high_day_fails_above_the_bound_and_passes_at_it(found: Make, level: int, hit: bool) -> None:
    spans = found(days(level))
    assert (("D01", LAST * 24, LAST * 24 + 23) in spans) is (hit or level * 3 < 1_000_000)


def test_a_low_day_fails_below_the_bound_and_passes_at_it(found: Make) -> None:
    usual = 3_000_000
    assert found(days(1_000_000, usual=usual)) == set()
    assert found(days(999_999, usual=usual)) == {("D01", LAST * 24, LAST * 24 + 23)}


def test_three_days_together_show_what_one_does_not(found: Make) -> None:
    assert found(days(499_000, 499_000, 499_000)) >= {("D03", LAST * 24, (LAST + 3) * 24 - 1)}
    assert not any(rule == "D01" for rule, _, _ in found(days(499_000, 499_000, 499_000)))
    assert found(days(500_000, 500_000, 500_000)) == set()


def test_a_short_history_a_gap_in_the_day_and_small_amounts_pass(found: Make) -> None:
    early = days()[:]
    early[24 * 13 : 24 * 14] = [9_000_000] * 24
    assert ("D01", 24 * 13, 24 * 14 - 1) not in found(early)
    gap: list[int | None] = list(days(9_000_000))
    gap[LAST * 24 + 5] = None
    assert found(gap) == set()
    # Three times nearly nothing is nearly nothing: under the floor of 50 W.
    assert found(days(49_999, usual=16_000)) == set()
    assert found(days(50_000, usual=16_000)) == {("D01", LAST * 24, LAST * 24 + 23)}


def test_a_level_that_was_there_within_four_weeks_passes(found: Make) -> None:
    hours = days(2_000_000)
    hours[24 * (LAST - 28) : 24 * (LAST - 27)] = [2_000_000] * 24
    assert not any(first == LAST * 24 for _, first, _ in found(hours))
    hours = days(2_000_000)
    hours[24 * (LAST - 29) : 24 * (LAST - 28)] = [2_000_000] * 24
    assert any(first == LAST * 24 for _, first, _ in found(hours))


@pytest.mark.parametrize("level", [5_000_000, 100_000])
def test_each_day_of_a_lasting_change_is_named_for_two_weeks(found: Make, level: int) -> None:
    hours = [1_000_000] * 24 * 20 + [level] * 24 * 20
    said: dict[str, set[int]] = {}
    for rule, first, last in found(hours, ("D01", "D03")):
        said.setdefault(rule, set()).update(range(first // 24, last // 24 + 1))
    assert said["D01"] == set(range(20, 34))
    # three days together may hold some of before, and have fewer like them
    assert set(range(20, 33)) <= said["D03"] <= set(range(18, 34))


def test_a_day_doubted_counts_again_when_it_is_two_weeks_old(found: Make) -> None:
    for age, hit in ((13, True), (14, False)):
        hours = np.array(days(3_000_000)).reshape(DAYS, 24)
        hours[LAST - age] = 3_000_000
        assert (("D01", LAST * 24, LAST * 24 + 23) in found(hours.ravel())) is hit


def test_zeros_that_were_named_are_no_measure_for_those_after_them(found: Make) -> None:
    hours = np.array(days()).reshape(DAYS, 24)
    for day in (20, 25, 33, 34):
        hours[day, 6:16] = 0
    # on day 34 those of day 20 count
    assert {first // 24 for _, first, _ in found(hours.ravel(), ("Z01",))} == {20, 25, 33}


def test_a_panel_is_too_low_only_far_under_its_darkest_day(found: Make) -> None:
    words = {"role": "generation", "commodity": "electricity"}
    assert found(days(100_000), **words) == set()
    assert found(days(99_999), **words) == {("D01", LAST * 24, LAST * 24 + 23)}


def test_zeros_fail_where_there_were_none_and_pass_up_to_two_hours(found: Make) -> None:
    hours = days()
    hours[LAST * 24 + 3 : LAST * 24 + 5] = [0, 0]
    assert found(hours) == set()
    hours[LAST * 24 + 5] = 0
    assert found(hours) == {("Z01", LAST * 24 + 3, LAST * 24 + 5)}


@pytest.mark.parametrize(("since", "hit"), [(LAST - 14, True), (LAST - 13, False)])
def test_a_meter_that_began_lately_is_held_against_nothing(found: Make, since: int, hit: bool) -> None:
    rules = ("D01", "D03", "Q01", "Q02", "R01", "P01", "S01", "Z01", "Z02")
    level = 3_000_000
    for odd in ([9 * level] * 24, [level // 9] * 24, [level] * 3 + [0] * 6 + [level] * 15):
        hours: list[int | None] = [*days(usual=level)]
        hours[: since * 24] = [None] * (since * 24)
        hours[LAST * 24 : (LAST + 1) * 24] = odd
        named = {rule for rule, first, _ in found(hours, rules) if first < (LAST + 1) * 24}
        # Q01 asks for ten days: an even use has no other step, though
        assert bool(named - {"Q01", "Q02"}) is hit


def test_days_at_zero_are_no_history_of_how_much_is_much(found: Make) -> None:
    hours = days(9_000_000)
    hours[: (LAST - 13) * 24] = [0] * ((LAST - 13) * 24)  # heating in summer; an empty dwelling
    assert not any(first == LAST * 24 for _, first, _ in found(hours, ("D01", "P01", "S01")))
    hours[(LAST - 14) * 24 : (LAST - 13) * 24] = [1_000_000] * 24
    spans = found(hours, ("D01", "P01", "S01"))
    assert {rule for rule, first, _ in spans if first == LAST * 24} == {"D01", "P01", "S01"}


@pytest.mark.parametrize(("level", "named"), [(10_000_000, set()), (10_000_001, {"D01", "P01"}), (99_999, {"D01"})])
def test_heating_moves_with_the_weather_and_is_named_beyond_a_decimal_point(
    found: Make, level: int, named: set[str]
) -> None:
    rules = ("D01", "P01", "S01", "Z02")
    spans = found(days(level), rules, commodity="heat")
    assert {rule for rule, first, _ in spans if first == LAST * 24} == named


def test_zeros_are_held_against_the_longest_of_the_weeks_before(found: Make) -> None:
    hours = np.array(days()).reshape(DAYS, 24)
    hours[:, :5] = 0  # every night five hours
    hours[LAST, :10] = 0
    assert not any(rule == "Z01" for rule, _, _ in found(hours.ravel()))
    hours[LAST, :11] = 0
    assert ("Z01", LAST * 24, LAST * 24 + 10) in found(hours.ravel())
    water = {"commodity": "water", "quantity": "volume"}
    assert not any(rule == "Z01" for rule, _, _ in found(hours.ravel(), **water))
    hours[LAST, :21] = 0
    assert ("Z01", LAST * 24, LAST * 24 + 20) in found(hours.ravel(), **water)


def test_a_channel_that_never_counted_is_no_dead_meter(found: Make) -> None:
    assert found([0] * DAYS * 24) == set()
    hours = [0] * 24 * 15 + [1_000_000] + [0] * (DAYS * 24 - 24 * 15 - 1)
    assert not any(rule == "Z01" for rule, _, _ in found(hours))


def counted(step: int, *, seed: int = 1) -> np.ndarray:
    """Give hours of DAYS days, each a whole number of steps from 40 to 60."""
    return np.random.default_rng(seed).integers(40, 61, DAYS * 24) * step


def test_amounts_off_the_meters_step_fail_and_whole_numbers_of_it_pass(found: Make) -> None:
    hours = counted(10_000)
    assert found(hours, ("Q01",)) == set()
    hours[LAST * 24 + 7] += 10_000
    assert found(hours, ("Q01",)) == set()
    hours[LAST * 24 : LAST * 24 + 5] += 5_000  # as readings that were missed leave them
    assert found(hours, ("Q01",)) == set()
    hours[LAST * 24 + 5] += 5_000
    assert found(hours, ("Q01",)) == {("Q01", LAST * 24, LAST * 24 + 23)}


def test_a_day_of_another_factor_falls_off_the_step_though_its_level_is_usual(found: Make) -> None:
    hours = counted(10_000)
    hours[LAST * 24 : LAST * 24 + 24] = hours[LAST * 24 : LAST * 24 + 24] * 9 // 10
    assert found(hours, ("Q01",)) == {("Q01", LAST * 24, LAST * 24 + 23)}


def test_a_coarser_day_needs_more_amounts_than_chance_makes_even(found: Make) -> None:
    hours = np.tile([40, 41], DAYS * 12) * 10_000
    hours[LAST * 24 :] = 0
    hours[LAST * 24 : LAST * 24 + 13] = 420_000
    hours[LAST * 24 : LAST * 24 + 13 : 2] = 440_000
    assert found(hours, ("Q01",)) == set()  # half of those before are even: once in 8,192
    hours[LAST * 24 + 13] = 420_000
    assert found(hours, ("Q01",)) == {("Q01", LAST * 24, LAST * 24 + 23)}


def test_what_is_finer_than_any_pulse_is_arithmetic_and_no_step(found: Make) -> None:
    hours = counted(10)
    hours[LAST * 24 : LAST * 24 + 24] += 1
    assert found(hours, ("Q01",)) == {("Q01", LAST * 24, LAST * 24 + 23)}
    hours = counted(9)
    hours[LAST * 24 : LAST * 24 + 24] += 1
    assert found(hours, ("Q01",)) == set()
