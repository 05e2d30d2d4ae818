"""The interval of a total: exact where all is known, wide where much is not, and right as often as it says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.ledger.calibration import WAYS, calibrate
from quintet.ledger.meter_cells import MeterCells
from quintet.ledger.uncertainty import numbers, parse_numbers, total_interval
from quintet.terms.errors import BadInput, UsageError

DAYS, FIRST = 40, 10


def homes(count: int, seed: int, *, scale: float = 1000.0) -> MeterCells:
    """Give homes that differ by a lognormal level, each day by another, with one day of ten at zero."""
    rng = np.random.default_rng(seed)
    level = rng.lognormal(0, 0.8, (count, 1))
    value = (scale * level * rng.lognormal(0, 0.5, (count, DAYS))).astype(np.int64)
    value[rng.random(value.shape) < 0.1] = 0
    return measured(value)


def measured(value: np.ndarray) -> MeterCells:
    """Give channels whose every day was measured; the period begins on the tenth day."""
    whole = np.ones(value.shape, np.bool_)
    return laid(value, whole, np.zeros(value.shape))


def laid(value: np.ndarray, whole: np.ndarray, estimated: np.ndarray, size: np.ndarray | None = None) -> MeterCells:
    """Give channels that owe every day, of which the period begins on the tenth."""
    area = np.full(len(value), np.nan) if size is None else size
    due = np.ones(value.shape, np.bool_)
    return MeterCells(value, due, whole, estimated, np.arange(DAYS) >= FIRST, np.ones(DAYS), area)


def without(group: MeterCells, rows: slice, days: slice) -> MeterCells:
    """Give a group in which some channel-days were not heard."""
    value, whole, estimated = group.value.copy(), group.whole.copy(), group.estimated.copy()
    value[rows, days], whole[rows, days], estimated[rows, days] = 0, False, np.nan
    return laid(value, whole, estimated, group.size)


def total(group: MeterCells) -> int:
    """Give what the period truly came to."""
    return int(group.value[:, FIRST:].sum())


def test_what_is_all_measured_is_exact() -> None:
    group = homes(20, 1)
    found = total_interval([group, homes(3, 2)])
    truth = total(group) + total(homes(3, 2))
    assert (found.low, found.best, found.high, found.measured) == (truth, truth, truth, truth)
    assert found.unknown == 0


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
    assert wide.high - wide.low > 0.4 * (narrow.high - narrow.low), "one odd meter may be wider than many usual ones"
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
    assert found.unknown == 20


def test_an_estimated_day_is_taken_at_its_estimate() -> None:
    group = homes(60, 4)
    whole, estimated = group.whole.copy(), np.zeros(group.value.shape)
    whole[0, 20:25], estimated[0, 20:25] = False, 1.0
    found = total_interval([laid(group.value, whole, estimated)])
    assert found.low is not None
    assert found.high is not None
    assert found.low < total(group) < found.high


def test_too_few_like_meters_give_no_interval_and_say_so() -> None:
    few = without(homes(6, 5), slice(0, 2), slice(0, DAYS))
    found = total_interval([few])
    assert (found.low, found.best, found.high) == (None, None, None)
    assert found.reason == "2 meters were hardly ever heard, and too few like them were"


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
    found = calibrate([homes(count, 11)], way=way, share=0.1, level=0.9, trials=60, seed=5)
    assert found.refused == 0
    assert found.inside_share is not None
    assert found.inside_share >= 0.78, "60 trials of a share of 0.9 have a standard error of 0.039"


def test_a_building_never_heard_is_told_by_its_floor_area() -> None:
    dwellings, buildings = homes(60, 6), homes(6, 7, scale=1e6)
    areas = [np.full(60, 80.0) * dwellings.value.sum(axis=1) / dwellings.value.sum(axis=1).mean(), np.full(6, 80_000.0)]
    sized = [
        laid(one.value, one.whole, one.estimated, area) for one, area in zip((dwellings, buildings), areas, strict=True)
    ]
    new = without(sized[1], slice(0, 1), slice(0, DAYS))
    found = total_interval([new, sized[0]], 0.99)
    assert found.low is not None
    assert found.high is not None
    assert found.low < total(dwellings) + total(buildings) < found.high
    assert total_interval([without(buildings, slice(0, 1), slice(0, DAYS)), dwellings]).reason is not None


def test_meters_that_differ_too_much_are_no_basis_for_many_that_were_never_heard() -> None:
    group = homes(60, 8)
    uneven = laid(np.power(group.value.astype(np.float64), 2).astype(np.int64), group.whole, group.estimated)
    few, many = (without(uneven, slice(0, count), slice(0, DAYS)) for count in (2, 12))
    assert total_interval([few]).reason is None
    assert total_interval([many]).reason is not None


def test_a_meter_without_like_is_told_by_its_own_past_and_not_when_that_is_too_short() -> None:
    alone = homes(1, 9)
    short = total_interval([without(alone, slice(0, 1), slice(20, 22))], 0.99)
    assert short.low is not None
    assert short.high is not None
    assert short.low < total(alone) < short.high
    assert total_interval([without(alone, slice(0, 1), slice(15, 35))]).reason is not None


def test_a_day_on_which_nobody_was_measured_is_told_by_the_past_as_if_all_were_off_together() -> None:
    group = homes(30, 10)
    all_gone = total_interval([without(group, slice(0, 30), slice(20, 21))])
    half = total_interval([without(group, slice(0, 15), slice(20, 21))])
    assert None not in (all_gone.low, all_gone.high, half.low, half.high)
    assert (all_gone.low or 0) < total(group) < (all_gone.high or 0)
    assert (all_gone.high or 0) - (all_gone.low or 0) > 3 * ((half.high or 0) - (half.low or 0))


def test_a_meter_that_is_gone_with_all_the_others_on_other_days_is_still_told() -> None:
    group = homes(60, 11)
    for row in range(60):
        group = without(group, slice(row, row + 1), slice(FIRST + row % 30, FIRST + row % 30 + 1))
    found = total_interval([group], 0.99)
    assert found.low is not None
    assert found.high is not None
    assert found.low < total(homes(60, 11)) < found.high
    assert found.unknown == 60, "no meter was measured on every day"


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
        laid(group.value, group.whole[:, :5], group.estimated)


@pytest.mark.parametrize(
    "row", [{"value": 0, "reason": "x"}, {"value": 5, "reason": ""}, {"value": 1.5, "reason": "x"}, {"value": 5}]
)
def test_a_number_without_reason_or_sense_does_not_load(row: dict[str, Any]) -> None:
    table: dict[str, Any] = {name: {"value": value, "reason": "x"} for name, value in numbers().items()}
    assert parse_numbers(table) == numbers()
    with pytest.raises(BadInput):
        parse_numbers({**table, "draws": row})
