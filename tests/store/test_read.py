"""Hot tables, overlay and lake read as one, compared with the precedence in plain Python."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.store.read import EARLIEST_US, raw_readings
from quintet.terms.period import day_start, from_us, local_day, to_us
from quintet.terms.reading import clock

from .conftest import DAY, DAY_0, EDITED, HOUR, LIKE_DAY, T0, VALID, WITHDRAWN, Model, Store, hours

CHANNELS, DAYS, HOURS = 3, 3, 3
VERSION = st.tuples(
    st.integers(0, CHANNELS - 1),
    st.builds(lambda day, hour: T0 + day * DAY + hour * HOUR, st.integers(0, DAYS - 1), st.integers(0, HOURS - 1)),
    st.integers(-(10**15), 10**15),
    st.sampled_from([VALID, VALID, LIKE_DAY, EDITED, WITHDRAWN]),
)
WRITE = st.lists(VERSION, min_size=1, max_size=8, unique_by=lambda version: version[:2])
STEP = st.one_of(WRITE, WRITE, st.integers(0, DAYS - 1))


@given(steps=st.lists(STEP, min_size=2, max_size=8), data=st.data())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_versions_and_any_closings_read_as_the_precedence_says(
    new_store: Callable[[], Store], steps: list[Any], data: st.DataObject
) -> None:
    store, model = new_store(), Model()
    for step in steps:
        if isinstance(step, int):
            before = store.effective()
            store.close_day(DAY_0 + step)
            assert store.effective() == before
        else:
            model.write(store.write(step), step)
    assert store.effective() == model.effective()
    for batch in range(store.engine.last_batch + 1):
        assert store.effective(batch) == model.effective(batch)
    low, high = sorted(data.draw(st.lists(st.integers(T0, T0 + DAYS * DAY), min_size=2, max_size=2, unique=True)))
    some = data.draw(st.lists(st.integers(0, CHANNELS - 1), unique=True))
    batch = data.draw(st.one_of(st.none(), st.integers(0, store.engine.last_batch)))
    expected = [row for row in model.effective(batch) if row[0] in some and low <= row[1] < high]
    assert store.effective(batch, low, high, some) == expected
    store.reopen()
    assert store.effective() == model.effective()


def test_an_edit_stands_against_later_batches_and_a_later_edit_replaces_it(store: Store) -> None:
    at = T0 + HOUR
    for value, quality in ((1, VALID), (2, EDITED), (3, VALID), (4, EDITED), (5, LIKE_DAY)):
        store.write([(0, at, value, quality)])
    assert store.effective() == [(0, at, 4, EDITED)]
    assert [store.effective(batch)[0][2] for batch in range(1, 6)] == [1, 2, 2, 4, 4]


def test_what_was_withdrawn_is_not_there_and_was_there_before(store: Store) -> None:
    store.write(hours(0, 0, [7]))
    store.write(hours(0, 0, [0], WITHDRAWN))
    assert store.effective() == []
    assert store.effective(1) == hours(0, 0, [7])
    store.close_day(DAY_0)
    assert store.effective() == []
    assert store.effective(1) == hours(0, 0, [7])


def test_a_batch_not_yet_made_knows_nothing(store: Store) -> None:
    store.write(hours(0, 0, [7]))
    assert store.effective(0) == []


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Madrid", (2025, 3, 30)), ("Europe/Madrid", (2025, 10, 26)), ("Asia/Seoul", (2025, 1, 1))]
)
def test_a_closed_day_is_the_citys_local_day(
    new_store: Callable[..., Store], zone: str, day: tuple[int, int, int]
) -> None:
    store, tz = new_store(zone), clock(zone)
    middle = T0 + (store.engine.day_of(T0) - DAY_0) * DAY
    number = middle // DAY if day == (2025, 1, 1) else {3: 20_177, 10: 20_387}[day[1]]
    rows = [(0, number * DAY + hour * HOUR, hour + 30, VALID) for hour in range(-30, 54)]
    store.write(rows)
    closed = store.close_day(number)
    expected = [row for row in rows if local_day(from_us(row[1]), tz).toordinal() == number + 719_163]
    assert closed.rows == len(expected) == {3: 23, 10: 25, 1: 24}[day[1]]
    assert expected[0][1] == to_us(day_start(local_day(from_us(expected[0][1]), tz), tz))
    assert [row[0] for row in store.rows("select count(*) from interval")] == [len(rows) - len(expected)]
    assert store.effective(low=T0 - 99 * DAY, high=T0 + 999 * DAY) == rows


def windows(*rows: tuple[int, int]) -> pa.Table:
    return pa.table(
        {"channel": pa.array([r[0] for r in rows], pa.int32()), "from_us": pa.array([r[1] for r in rows], pa.int64())}
    )


def read_raw(store: Store, wanted: pa.Table, known_batch: int | None = None) -> list[tuple[int, int, int, int]]:
    with store.engine.snapshot() as snapshot:
        table = raw_readings(store.engine, snapshot, wanted, known_batch=known_batch)
    return list(zip(*(table[name].to_pylist() for name in ("channel", "at_us", "mantissa", "batch")), strict=True))


def test_raw_readings_are_read_across_hot_and_lake(store: Store) -> None:
    first = [(0, T0 + 5, 10), (0, T0 + DAY + 5, 11), (1, T0 + 6, 20)]
    store.write([], first)
    store.close_day(DAY_0)
    late = [(0, T0 + 7, 12), (1, T0 + 2 * DAY, 21)]
    store.write([], late)
    everything = windows((0, EARLIEST_US), (1, EARLIEST_US))
    assert sorted(read_raw(store, everything)) == sorted([(*row, 1) for row in first] + [(*row, 3) for row in late])
    assert sorted(read_raw(store, everything, 1)) == sorted((*row, 1) for row in first)
    assert read_raw(store, windows((0, T0 + 6), (1, T0 + 7))) == [
        (0, T0 + 7, 12, 3),
        (0, T0 + DAY + 5, 11, 1),
        (1, T0 + 2 * DAY, 21, 3),
    ]
    assert read_raw(store, windows()) == []


def test_the_content_hash_says_the_content_and_nothing_else(new_store: Callable[[], Store]) -> None:
    rows = [*hours(0, 0, [1, 2, 3]), *hours(1, 1, [-4, 5])]
    once, pieces, other = new_store(), new_store(), new_store()
    for store in (once, other):
        store.name_channels("s/a", "s/b")
    pieces.name_channels("s/b", "s/a")
    empty = once.hash()
    once.write(rows)
    swapped = [(1 - channel, *rest) for channel, *rest in rows]
    for row in reversed(swapped):
        pieces.write([(*row[:2], 99, row[3])])
        pieces.write([tuple(row)])  # type: ignore[list-item]
        pieces.close_day(DAY_0 + 1)
    assert once.hash() == pieces.hash() != empty
    once.close_day(DAY_0)
    assert once.hash() == pieces.hash()
    other.write([*rows[:-1], (*rows[-1][:2], rows[-1][2] + 1, VALID)])
    assert other.hash() != once.hash()
    other.write(rows[-1:])
    assert other.hash() == once.hash()


@pytest.mark.parametrize(
    "changed", [(0, T0, 1, LIKE_DAY), (0, T0 + HOUR, 1, VALID), (1, T0, 1, VALID), (0, T0, 2, VALID)]
)
def test_the_content_hash_sees_every_part_of_an_interval(new_store: Callable[[], Store], changed: Any) -> None:
    found = []
    for row in ((0, T0, 1, VALID), changed):
        store = new_store()
        store.name_channels("s/a", "s/b")
        store.write([row])
        found.append(store.hash())
    assert found[0] != found[1]
