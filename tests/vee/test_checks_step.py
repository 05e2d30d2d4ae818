"""Q01, Q02: amounts off the step that the meter counts in, where it shows at first sight and where it does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quintet.vee import rules
from quintet.vee.checks_step import between_rests, fits_parts
from quintet.vee.period import judge_period

Make = Callable[..., Any]
DAYS, LAST = 40, 35
HOURS = slice(LAST * 24, LAST * 24 + 24)
DAY = {(LAST * 24, LAST * 24 + 23)}


@pytest.fixture
def found(make_block: Make, make_traits: Make) -> Make:
    """Give a judge of hours: (first hour, last hour) of what one rule finds."""

    def judge(rule: str, hours: Any, **words: str) -> set[tuple[int, int]]:
        block, table = make_block([[int(one) for one in hours]], start="2025-03-05T00:00:00+09:00"), rules()
        out = judge_period(block, make_traits(1, **words), table)
        own = out.rule == table.index[rule]
        return set(zip(out.column_first[own].tolist(), out.column_last[own].tolist(), strict=True))

    return judge


def test_three_days_together_show_a_coarser_step_that_one_does_not(found: Make) -> None:
    rng = np.random.default_rng(4)
    hours = np.zeros(DAYS * 24, np.int64)
    hours[np.arange(DAYS)[:, None] * 24 + [7, 12, 18, 20, 21]] = 10_000 * rng.integers(1, 9, (DAYS, 5))
    assert found("Q01", hours) == set()
    hours[LAST * 24 : (LAST + 1) * 24] *= 3
    assert found("Q01", hours) == set()  # five amounts: too few by themselves
    hours[(LAST + 1) * 24 : (LAST + 3) * 24] *= 3
    assert found("Q01", hours) == {(LAST * 24, (LAST + 3) * 24 - 1)}


def shared_by_time(seed: int = 5) -> np.ndarray:
    """Give hours of a register that counts whole litres, read between the hours: each use is shared by two of them."""
    rng = np.random.default_rng(seed)
    hours = np.zeros(DAYS * 24, np.int64)
    for place in range(3, len(hours) - 3, 6):
        litres, part = int(rng.integers(5, 60)) * 1_000, rng.random()
        hours[place] += round(litres * part)
        hours[place + 1] += litres - round(litres * part)
    return hours


def test_what_was_shared_by_time_has_a_step_between_rests(found: Make) -> None:
    water = {"commodity": "water", "quantity": "volume"}
    hours = shared_by_time()
    assert found("Q01", hours, **water) == set()
    hours[HOURS] = hours[HOURS] * 9 // 10
    assert found("Q01", hours, **water) == DAY


def test_what_is_not_known_whole_is_left_out_of_the_rests() -> None:
    value = np.array([[3, 0, 1, 2, 0, 4, 0, 0, 5, 6]])
    judged = np.ones(value.shape, np.bool_)
    assert between_rests(value, judged).tolist() == [[0, 0, 0, 3, 0, 4, 0, 0, 0, 0]]
    judged[0, 4], value[0, 4] = False, 0
    assert between_rests(value, judged).tolist() == [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]


def minute_means(seed: int = 6) -> np.ndarray:
    """Give hours in mWh of a logger that averages whole watts of every minute; of a third it missed some minutes."""
    rng = np.random.default_rng(seed)
    watt_minutes = rng.integers(20_000, 90_000, DAYS * 24)
    minutes = np.where(rng.random(DAYS * 24) < 0.3, 59, 60)
    return np.round(watt_minutes * 1000 / minutes).astype(np.int64)


def test_amounts_that_are_no_means_of_minutes_fail(found: Make) -> None:
    hours = minute_means()
    assert 0.7 < fits_parts(hours, 60).mean() < 0.85
    assert found("Q02", hours) == set()
    hours[HOURS] = hours[HOURS] * 9 // 10
    assert found("Q02", hours) == DAY


def test_a_day_fails_only_where_chance_and_every_day_before_speak_against_it(found: Make) -> None:
    hours = minute_means()
    hours[HOURS] = 1_000_000 + 7  # off a sixtieth
    hours[LAST * 24 : LAST * 24 + 8] = 1_000_000
    assert found("Q02", hours) == DAY  # eight of 24, where three in four fit
    hours[LAST * 24 : LAST * 24 + 10] = 1_000_000
    assert found("Q02", hours) == set()
    hours = minute_means()
    hours[HOURS] = 1_000_007
    hours[(LAST - 9) * 24 : (LAST - 8) * 24] = 1_000_007
    assert found("Q02", hours) == {((LAST - 9) * 24, (LAST - 8) * 24 - 1)}


def test_whole_watt_hours_may_be_off_by_a_rounding(found: Make) -> None:
    rng = np.random.default_rng(7)
    hours = rng.integers(100, 900, DAYS * 24) * 1_000 + rng.integers(-1, 2, DAYS * 24)
    assert found("Q01", hours) == found("Q02", hours) == set()
    hours[HOURS] = hours[HOURS] * 5 // 4
    assert found("Q02", hours) == DAY


def test_parts_are_those_that_rounding_alone_keeps_off_a_whole() -> None:
    assert fits_parts(np.array([1_000, 1_017, 16_667, 16_650, 33_333, -17]), 60).all()
    assert not fits_parts(np.array([1_001, 1_007, 1_009, 1_016, 1_018, 16_660]), 60).any()
    assert fits_parts(np.array([999, 1_000, 1_001, 1_002, 998]), 1).tolist() == [True, True, True, False, False]
