"""Hours of channels, from files as they lie and hot rows by precedence, are what the effective intervals add up to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.store.hours import ChannelHours, hours_of_channels
from quintet.terms.errors import CityError, Damaged

from .conftest import DAY, DAY_0, EDITED, HOUR, LIKE_DAY, T0, VALID, WITHDRAWN, Store, hours

CHANNELS, DAYS = 4, 3
QUARTER = HOUR // 4
TRUSTED, KNOWN = [VALID, EDITED], [VALID, EDITED, LIKE_DAY]
VERSION = st.tuples(
    st.integers(0, CHANNELS - 1),
    st.builds(lambda day, slot: T0 + day * DAY + slot * QUARTER, st.integers(0, DAYS - 1), st.integers(0, 9)),
    st.integers(-(10**15), 10**15),
    st.sampled_from([VALID, VALID, LIKE_DAY, EDITED, WITHDRAWN]),
)
WRITE = st.lists(VERSION, min_size=1, max_size=20, unique_by=lambda version: version[:2])
STEP = st.one_of(WRITE, WRITE, st.integers(0, DAYS - 1))


def read(store: Store, low: int, high: int, channels: list[int]) -> ChannelHours:
    with store.engine.snapshot() as snapshot:
        return hours_of_channels(store.engine, snapshot, low, high, np.array(channels, np.int32), TRUSTED, KNOWN)


def added(store: Store, low: int, high: int, channels: list[int]) -> dict[str, Any]:
    """Add up effective intervals one by one."""
    shape = (len(channels), (high - low) // HOUR)
    out = {name: np.zeros(shape, np.int64) for name in ("value", "trusted", "known")}
    for channel, start, value, quality in store.effective(low=low, high=high, channels=channels):
        at = channels.index(channel), (start - low) // HOUR
        out["value"][at] += value if quality in KNOWN else 0
        out["trusted"][at] += quality in TRUSTED
        out["known"][at] += quality in KNOWN
    return out


@given(steps=st.lists(STEP, min_size=2, max_size=8), some=st.sets(st.integers(0, CHANNELS - 1), min_size=1))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_versions_and_closings_add_up_as_intervals_do(
    new_store: Callable[[], Store], steps: list[Any], some: set[int]
) -> None:
    store, low, high = new_store(), T0 + HOUR, T0 + 2 * DAY + HOUR
    for step in steps:
        if isinstance(step, int):
            store.close_day(DAY_0 + step)
        else:
            store.write(step)
        found, wanted = read(store, low, high, sorted(some)), added(store, low, high, sorted(some))
        assert (found.channels.tolist(), found.start_us) == (sorted(some), low)
        for name, expected in wanted.items():
            assert getattr(found, name).tolist() == expected.tolist(), name


def test_only_the_hour_that_something_came_late_to_is_read_by_precedence(store: Store) -> None:
    store.write([*hours(0, 0, [1, 2, 3]), *hours(1, 0, [10, 20, 30])])
    store.close_day(DAY_0)
    store.write([(0, T0 + HOUR, 7, VALID), (0, T0 + 2 * HOUR, 0, WITHDRAWN)])
    found = read(store, T0, T0 + DAY, [0, 1])
    assert found.value[:, :4].tolist() == [[1, 7, 0, 0], [10, 20, 30, 0]]
    assert found.trusted[:, :4].tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]


def test_a_channel_far_off_and_one_without_rows_cost_no_hours(store: Store) -> None:
    store.write([*hours(5, 0, [1]), *hours(900_000, 0, [2])])
    store.close_day(DAY_0)
    found = read(store, T0, T0 + 2 * HOUR, [5, 6, 900_000, 5])
    assert found.channels.tolist() == [5, 6, 900_000]
    assert found.value.tolist() == [[1, 0], [0, 0], [2, 0]]
    assert read(store, T0, T0, [5]).value.shape == (1, 0)


def test_a_file_that_cannot_be_read_is_said(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    store.close_day(DAY_0)
    (path,) = store.lake_files()
    assert read(store, T0, T0 + DAY, [0]).value[0, 0] == 1  # its digest was looked at: that is done once
    path.unlink()
    with pytest.raises((CityError, Damaged)) as told:
        read(store, T0, T0 + DAY, [0])
    assert str(path) in told.value.place
