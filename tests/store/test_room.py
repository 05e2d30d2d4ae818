"""Room on the disk, and what the database does where there is none."""

import threading
from pathlib import Path

import duckdb
import pytest

from quintet.store import trouble
from quintet.store.database import Database
from quintet.store.room import left_bytes, limits, require_room
from quintet.terms.errors import CityError, Damaged

from .conftest import Store, hours


def test_the_limits_leave_room_for_folding_a_log() -> None:
    known = limits()
    assert known.reserve_bytes >= known.log_bytes
    assert 0 < known.reserve_share < 1


def test_less_room_than_needed_is_refused(tmp_path: Path) -> None:
    left = left_bytes(tmp_path)
    require_room(tmp_path)
    with pytest.raises(CityError) as full:
        require_room(tmp_path, left + 2**40)
    assert (full.value.code, full.value.place) == ("disk_full", str(tmp_path))
    assert full.value.remedy


def test_the_databases_errors_are_told_apart() -> None:
    said = trouble.from_engine_error
    full = said(duckdb.TransactionException("Failed to commit: No space left on device"), "there")
    assert full is not None
    assert (full.code, full.place) == ("disk_full", "there")
    damaged = said(duckdb.Error("Corrupt database file: computed checksum 1 does not match stored checksum 2"), "there")
    assert isinstance(damaged, Damaged)
    assert said(duckdb.ParserException("syntax error")) is None
    assert said(ValueError("No space left on device")) is None
    assert trouble.from_os_error(OSError("Unable to copy: No space left on device (os error 28)")).code == "disk_full"


def ended(database: Database) -> None:
    """Let an error end the database, as a failing disk does."""
    with pytest.raises(duckdb.Error), database.used():
        raise duckdb.FatalException("the disk failed")


def test_a_database_that_ended_is_opened_anew_for_the_next_one(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    database = store.engine._database
    before = database.connection
    ended(database)
    assert store.effective() == hours(0, 0, [1])
    assert database.connection is not before
    store.write(hours(0, 0, [2]))
    ended(database)
    store.write(hours(0, 0, [3]))
    assert store.effective() == hours(0, 0, [3])


def test_readers_of_other_threads_go_on_after_the_database_ended(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    database, found, errors = store.engine._database, [], []
    turn = threading.Barrier(3, timeout=60)

    def read() -> None:
        try:
            for _ in range(3):
                found.append(store.effective())
                turn.wait()
                turn.wait()
        except CityError as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        turn.wait()
        ended(database)
        turn.wait()
    for reader in readers:
        reader.join()
    assert errors == []
    assert found == [hours(0, 0, [1])] * 6


def test_whoever_reads_while_the_database_is_opened_anew_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quintet.store.database.PATIENCE_S", 0.05)
    store.write(hours(0, 0, [1]))
    with store.engine.snapshot() as snapshot:
        ended(store.engine._database)
        with pytest.raises(CityError, match="still reads it") as busy, store.engine.snapshot():
            pass
        assert busy.value.code == "store_io"
        assert snapshot.rows("select count(*) from interval") == [(1,)]
    assert store.effective() == hours(0, 0, [1])


def test_a_commit_that_is_durable_though_the_database_ended_counts(store: Store) -> None:
    """DuckDB ends when it cannot fold its log in right after a commit; here somebody stands in the file's way."""
    database = store.engine._database

    class Ending:
        """A connection whose commit is durable and then ends the database."""

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def commit(self) -> None:
            self.inner.commit()
            raise duckdb.FatalException("Transaction COMMIT succeeded and is durable, but the autocheckpoint failed")

        def __init__(self, inner: duckdb.DuckDBPyConnection) -> None:
            self.inner = inner

    database.connection = Ending(database.connection)  # type: ignore[assignment]
    batch = store.write(hours(0, 0, [1]))
    assert store.engine.last_batch == batch
    assert not isinstance(database.connection, Ending)
    assert store.effective() == hours(0, 0, [1])


def test_a_commit_that_was_lost_when_the_database_ended_is_said(store: Store) -> None:
    database = store.engine._database
    before = store.engine.last_batch

    def refuse() -> None:
        database.connection.rollback()
        raise duckdb.FatalException("Could not write file: No space left on device")

    class Ending:
        commit = staticmethod(refuse)

        def __init__(self, inner: duckdb.DuckDBPyConnection) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

    database.connection = Ending(database.connection)  # type: ignore[assignment]
    with pytest.raises(CityError) as full:
        store.write(hours(0, 0, [1]))
    assert full.value.code == "disk_full"
    assert store.engine.last_batch == before
    store.write(hours(0, 0, [2]))
    assert store.effective() == hours(0, 0, [2])


def test_the_log_is_folded_in_where_there_is_room(store: Store) -> None:
    store.write(hours(0, 0, [1]))
    database = store.engine._database
    assert database.log.stat().st_size
    assert not database.fold_log(2**40)
    assert store.engine.checkpoint()
    assert not database.log.exists() or not database.log.stat().st_size
    assert store.engine.checkpoint()
