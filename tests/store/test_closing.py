"""Closing a day, and merging what came late: nothing is lost, nothing is said twice, what was known stays known."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.store.closing import bounds, open_days
from quintet.store.engine import Writing

from .conftest import DAY, DAY_0, EDITED, HOUR, LIKE_DAY, T0, VALID, WITHDRAWN, Store, hours, placements


def opened(store: Store) -> list[int]:
    with store.engine.snapshot() as snapshot:
        return open_days(store.engine, snapshot)


def lake_rows(store: Store, lake: str) -> list[tuple[int, int, int, int]]:
    """Give channel, value, quality and batch of all live rows of a lake table."""
    tables = [pq.ParquetFile(path).read() for path in store.lake_files(lake)]
    names = ("channel", "value", "quality", "batch")
    return sorted(row for table in tables for row in zip(*(table[name].to_pylist() for name in names), strict=True))


def test_a_day_goes_whole_from_the_hot_tables_to_the_lake(store: Store) -> None:
    store.write([*hours(0, 0, [1, 2]), *hours(0, 1, [3])], [(0, T0 + 1, 5), (0, T0 + DAY, 6)])
    assert opened(store) == [DAY_0, DAY_0 + 1]
    closed = store.close_day(DAY_0)
    assert (closed.day, closed.rows) == (DAY_0, 2)
    assert {file.lake: file.rows for file in closed.files} == {"intervals": 2, "raw": 1}
    assert store.rows("select value from interval") == [(3,)]
    assert store.rows("select mantissa from raw") == [(6,)]
    assert lake_rows(store, "intervals") == [(0, 1, VALID, 1), (0, 2, VALID, 1)]
    assert opened(store) == [DAY_0 + 1]
    assert store.rows("select day, batch, registry_batch from closed_day") == [(DAY_0, 1, 0)]


def test_late_rows_wait_and_are_merged_with_what_they_supersede_kept(store: Store) -> None:
    store.write(hours(0, 0, [1, 2, 3]), [(0, T0, 5)])
    store.close_day(DAY_0)
    late = store.write([(0, T0 + HOUR, 20, VALID), (0, T0 + 9 * HOUR, 9, VALID)], [(0, T0 + 2, 6)])
    assert opened(store) == [DAY_0]
    before = [store.effective(batch) for batch in (None, *range(late + 1))]
    store.close_day(DAY_0)
    assert [store.effective(batch) for batch in (None, *range(late + 1))] == before
    assert lake_rows(store, "intervals") == [(0, 1, 1, 1), (0, 3, 1, 1), (0, 9, 1, late), (0, 20, 1, late)]
    assert lake_rows(store, "superseded") == [(0, 2, VALID, 1)]
    assert [row[0] for row in store.rows("select count(*) from closed_day")] == [1]
    assert store.rows("select lake, rows from lake_file where live order by lake") == [
        ("intervals", 4),
        ("raw", 2),
        ("superseded", 1),
    ]
    assert opened(store) == []


def test_a_late_measurement_under_an_edit_goes_straight_to_the_superseded(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    edit = store.write(hours(0, 0, [50], EDITED))
    store.close_day(DAY_0)
    late = store.write(hours(0, 0, [2]))
    assert store.effective() == hours(0, 0, [50], EDITED)
    store.close_day(DAY_0)
    assert store.effective() == hours(0, 0, [50], EDITED)
    assert lake_rows(store, "superseded") == [(0, 1, VALID, 1), (0, 2, VALID, late)]
    assert lake_rows(store, "intervals") == [(0, 50, EDITED, edit)]


def test_a_withdrawal_is_kept_by_the_lake(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    store.close_day(DAY_0)
    store.write(hours(0, 0, [0], WITHDRAWN))
    store.close_day(DAY_0)
    assert store.effective() == []
    assert store.effective(1) == hours(0, 0, [1])
    store.write(hours(0, 0, [3], LIKE_DAY))
    assert store.effective() == hours(0, 0, [3], LIKE_DAY)


def test_what_commits_while_a_day_closes_stays_in_the_overlay(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit lands after the closing's snapshot and before its transaction: the moment that could lose it."""
    store.write(hours(0, 0, [1, 2]), [(0, T0, 5)])
    publish, late = store.engine.lakes["intervals"].publish, [(0, T0, 7, VALID), (0, T0 + 5 * HOUR, 8, VALID)]

    def interrupted(*arguments: object) -> object:
        store.write(late, [(0, T0 + 9, 6)])
        return publish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(store.engine.lakes["intervals"], "publish", interrupted)
    store.close_day(DAY_0)
    monkeypatch.undo()
    expected = [late[0], (0, T0 + HOUR, 2, VALID), late[1]]
    assert store.effective() == expected
    assert opened(store) == [DAY_0]
    store.close_day(DAY_0)
    assert store.effective() == expected
    assert store.effective(1) == hours(0, 0, [1, 2])
    assert store.rows("select (select count(*) from interval), (select count(*) from raw)") == [(0, 0)]


@pytest.mark.parametrize("step", ["lake_file", "flow_hour", "closed_day", "rollup_day", "tail"])
def test_a_close_that_fails_at_any_statement_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store.write(hours(0, 0, [1, 2]), [(0, T0, 5)])
    before = store.rows(
        "select (select count(*) from interval), (select count(*) from raw), (select count(*) from batch)"
    )
    execute = Writing.execute

    def failing(self: Writing, sql: str, *arguments: object) -> None:
        if sql.startswith(("insert into", "delete from")) and step in sql:
            raise OSError(28, "No space left on device")
        execute(self, sql, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Writing, "execute", failing)
    with pytest.raises(OSError, match="No space"):
        store.close_day(DAY_0)
    monkeypatch.undo()
    assert (
        store.rows("select (select count(*) from interval), (select count(*) from raw), (select count(*) from batch)")
        == before
    )
    assert store.effective() == hours(0, 0, [1, 2])
    store.reopen()
    assert store.effective() == hours(0, 0, [1, 2])
    assert not list((store.folder / "lake").rglob("*.parquet"))
    store.close_day(DAY_0)
    assert store.effective() == hours(0, 0, [1, 2])


def test_the_newest_moment_of_a_channel_outlives_its_raw_rows(store: Store) -> None:
    store.write([], [(0, T0 + 5, 1), (1, T0 + 6, 1)])
    store.close_day(DAY_0)
    store.write([], [(0, T0 + DAY + 7, 1), (1, T0 + 2, 1)])
    store.close_day(DAY_0 + 1)
    store.close_day(DAY_0)
    assert sorted(store.rows("select channel, at_us from tail")) == [(0, T0 + DAY + 7), (1, T0 + 6)]


def test_closing_a_day_of_nothing_publishes_nothing(store: Store) -> None:
    assert opened(store) == []
    assert store.close_day(DAY_0).files == ()
    assert not (store.folder / "lake").exists()


def test_closing_again_without_news_changes_no_answer(store: Store) -> None:
    store.name_channels("s/a")
    store.write(hours(0, 0, [1, 2]))
    store.close_day(DAY_0)
    said = store.hash()
    store.close_day(DAY_0)
    assert store.hash() == said
    assert opened(store) == []


def test_a_closing_day_keeps_its_hourly_sums_by_place(store: Store) -> None:
    store.write([*hours(0, 0, [1, 2]), (0, T0 + HOUR // 2, 10, LIKE_DAY), *hours(1, 0, [5]), *hours(2, 0, [70])])
    store.write(hours(0, 1, [99]))
    store.close_day(DAY_0, placements((0, "a"), (1, "b")))
    columns = "hour_us, place, value::bigint, arrived_min, estimated_min"
    expected = [(T0, "a", 11, 60, 60), (T0, "b", 5, 60, 0), (T0 + HOUR, "a", 2, 60, 0)]
    assert store.rows(f"select {columns} from flow_hour order by hour_us, place") == expected
    store.write(hours(0, 0, [100]))
    store.close_day(DAY_0, placements((0, "a"), (1, "b")))
    assert store.rows(f"select {columns} from flow_hour order by hour_us, place") == [
        (T0, "a", 110, 60, 60),
        *expected[1:],
    ]


def test_folded_rollups_sum_to_the_same(store: Store) -> None:
    with store.engine.writing("readings", "test", "test", store.tick()) as writing:
        for value, arrived, estimated in ((5, 2, 0), (-1, -1, 1), (10**15, 0, 0)):
            writing.execute("insert into rollup_day values (3, ?, ?, ?, ?, 1)", [DAY_0, value, arrived, estimated])
            writing.execute("insert into rollup_day values (3, ?, ?, ?, ?, 1)", [DAY_0 + 1, value, arrived, estimated])
            writing.execute("insert into rollup_hour values (3, ?, ?, ?, ?, 1)", [T0, value, arrived, estimated])
            writing.execute("insert into rollup_hour values (3, ?, ?, ?, ?, 1)", [T0 + DAY, value, arrived, estimated])
    store.close_day(DAY_0)
    rows = store.rows("select day, value, arrived, estimated from rollup_day order by day, value")
    assert rows[0] == (DAY_0, 10**15 + 4, 1, 1)
    assert len(rows) == 4
    assert store.rows("select distinct hour_us from rollup_hour") == [(T0 + DAY,)]


def test_open_days_asks_for_days_that_have_rows_and_no_others(store: Store) -> None:
    store.write([*hours(0, 0, [1]), *hours(0, 7, [1])], [(1, T0 + 3 * DAY - 1, 1)])
    assert opened(store) == [DAY_0, DAY_0 + 2, DAY_0 + 7]


@given(moments=st.lists(st.integers(T0, T0 + 400 * DAY), min_size=1, max_size=6))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_open_days_are_the_local_days_of_the_rows(new_store: Callable[..., Store], moments: list[int]) -> None:
    store = new_store("Europe/Madrid")
    store.write([(0, moment, 1, VALID) for moment in set(moments)])
    assert opened(store) == sorted({store.engine.day_of(moment) for moment in moments})
    for day in opened(store):
        low, high = bounds(store.engine, day)
        assert any(low <= moment < high for moment in moments)
        assert (store.engine.day_of(low), store.engine.day_of(high - 1), store.engine.day_of(high)) == (
            day,
            day,
            day + 1,
        )


def test_a_folder_name_with_a_quote_can_be_closed_and_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "o'brien's [city]*")
    store.write(hours(0, 0, [1]))
    store.close_day(DAY_0)
    store.reopen()
    assert store.effective() == hours(0, 0, [1])
    store.engine.close()
