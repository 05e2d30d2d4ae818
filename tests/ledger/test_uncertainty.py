"""The interval of a total: exact where all is known, wide where much is not, and right as often as it says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.ledger.calibration import WAYS, calibrate
from quintet.ledger.uncertainty import DaySums, numbers, parse_numbers, total_interval
from quintet.terms.errors import BadInput, UsageError

DAYS, FIRST = 40, 10


def homes(count: int, seed: int, *, scale: float = 1000.0) -> DaySums:
    """Give homes that differ by a lognormal level, each day by another, with one day of ten at zero."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(0, 0.8, (count, 1))
    value = (scale * level * rng.lognormal(0, 0.5, (count, DAYS))).astype(np.int64)
    value[rng.random(value.shape) < 0.1] = 0
    return measured(value)


def measured(value: np.ndarray) -> DaySums:
    """Give channels whose every day was measured; the period begins on the tenth day."""
    whole = np.ones(value.shape, np.bool_)
    return DaySums(value, whole, whole, np.zeros(value.shape), np.arange(DAYS) >= FIRST)


def without(group: DaySums, rows: slice, days: slice) -> DaySums:
    """Give a group in which some channel-days were not heard."""
    value, whole, estimated = group.value.copy(), group.whole.copy(), group.estimated.copy()
    value[rows, days], whole[rows, days], estimated[rows, days] = 0, False, np.nan
    return DaySums(value, group.due, whole, estimated, group.inside)


def total(group: DaySums) -> int:
    """Give what the period truly came to."""
    return int(group.value[:, FIRST:].sum())


def test_what_is_all_measured_is_exact() -> None:
    group = homes(20, 1)
    found = total_interval([group, homes(3, 2)])
    truth = total(group) + total(homes(3, 2))
    assert (found.low, found.best, found.high, found.measured) == (truth, truth, truth, truth)
    assert found.unknown_channels == 0


def test_the_same_question_has_the_same_answer() -> None:
    group = without(homes(40, 1), slice(0, 5), slice(15, 25))
    assert total_interval([group], 0.9, 7) == total_interval([group], 0.9, 7)
    assert total_interval([group], 0.9, 7) != total_interval([group], 0.9, 8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 8))
def test_less_known_is_never_narrower_by_much_and_a_higher_level_never_narrower(seed: int, hidden: int) -> None:
    group = homes(60, seed)
    some, more = (without(group, slice(0, n), slice(FIRST, DAYS)) for n in (hidden, hidden + 30))
    narrow, wide = (total_interval([one], 0.9, seed) for one in (some, more))
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low is not None
    assert wide.high is not None
    assert wide.high - wide.low > narrow.high - narrow.low
    sure = total_interval([some], 0.99, seed)
    assert sure.low is not None
    assert sure.high is not None
    assert sure.low <= narrow.low <= narrow.high <= sure.high


def test_a_silent_meter_is_not_taken_for_a_saving() -> None:
    group = homes(60, 3)
    silent = without(group, slice(0, 20), slice(FIRST, DAYS))
    found = total_interval([silent])
    assert found.low is not None
    assert found.low > found.measured
    assert found.unknown_channels == 20


def test_an_estimated_day_is_taken_at_its_estimate() -> None:
    group = homes(60, 4)
    whole, estimated = group.whole.copy(), np.zeros(group.value.shape)
    whole[0, 20:25], estimated[0, 20:25] = False, 1.0
    found = total_interval([DaySums(group.value, group.due, whole, estimated, group.inside)])
    assert found.low is not None
    assert found.high is not None
    assert found.low < total(group) < found.high


def test_too_few_like_meters_give_no_interval_and_say_so() -> None:
    few = without(homes(6, 5), slice(0, 2), slice(0, DAYS))
    found = total_interval([few])
    assert (found.low, found.best, found.high) == (None, None, None)
    assert found.reason == "2 meters are not wholly measured, and only 4 like them are"


def test_a_building_never_heard_is_not_taken_for_a_home_but_one_with_a_past_is_told_by_it() -> None:
    dwellings, buildings = homes(60, 6), homes(3, 7, scale=1e6)
    new = without(buildings, slice(0, 1), slice(0, DAYS))
    assert total_interval([new, dwellings]).reason is not None
    silent = without(buildings, slice(0, 1), slice(30, DAYS))
    found = total_interval([silent, dwellings], 0.998)
    truth = total(dwellings) + total(buildings)
    assert found.low is not None
    assert found.high is not None
    assert found.low < truth < found.high


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [40, 300])
def test_of_ten_intervals_nine_hold_the_truth(way: str, count: int) -> None:
    found = calibrate([homes(count, 11)], way=way, share=0.1, level=0.9, trials=120, seed=5)
    assert found.refused == 0
    assert found.inside_share is not None
    assert 0.8 <= found.inside_share <= 0.99, "120 trials of a share of 0.9 have a standard error of 0.027"


def test_trials_where_nothing_is_known_are_none() -> None:
    silent = without(homes(20, 1), slice(0, 20), slice(0, DAYS))
    found = calibrate([silent], way="new", share=0.1, level=0.9, trials=10, seed=1)
    assert (found.trials, found.inside_share, found.mean_width) == (0, None, None)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(UsageError, match="is no level"):
        total_interval([homes(9, 1)], level)


def test_arrays_that_do_not_fit_are_refused() -> None:
    group = homes(9, 1)
    with pytest.raises(UsageError, match="differ in shape"):
        DaySums(group.value, group.due, group.whole[:, :5], group.estimated, group.inside)


@pytest.mark.parametrize(
    "row", [{"value": 0, "reason": "x"}, {"value": 5, "reason": ""}, {"value": 1.5, "reason": "x"}, {"value": 5}]
)
def test_a_number_without_reason_or_sense_does_not_load(row: dict[str, Any]) -> None:
    table: dict[str, Any] = {name: {"value": value, "reason": "x"} for name, value in numbers().items()}
    assert parse_numbers(table) == numbers()
    with pytest.raises(BadInput):
        parse_numbers({**table, "draws": row})
