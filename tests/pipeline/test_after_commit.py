"""What goes wrong after a batch is in the store: memory keeps step with it, and the same key is answered once."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from quintet.pipeline.delivery import Delivery, Outcome
from quintet.pipeline.grouping import Committer
from quintet.pipeline.telling import Committed
from quintet.store import database
from quintet.terms.errors import CityError, QuintetError
from quintet.terms.tables import QUARANTINE, READINGS

METERS = {"e": ("electricity", "kWh", "interval_sum", 15)}
PATIENCE_S = 60


def deliver(value: float, hour: int, key: str) -> Delivery:
    row = {"row": 1, "site": "s", "meter": "e", "at": datetime(2026, 5, 1, hour, tzinfo=UTC), "value": value}
    return Delivery(pa.Table.from_pylist([row], READINGS), QUARANTINE.empty_table(), "a", "http", key, "of " + key)


@pytest.fixture
def committer(bench: Any) -> Iterator[Committer]:
    bench.register(**METERS)
    out = Committer(bench.pipeline)
    out.start()
    assert said(out, deliver(1.0, 0, "k0")).receipt.accepted == 1
    yield out
    out.stop(PATIENCE_S)


def said(committer: Committer, delivery: Delivery) -> Outcome:
    return committer.submit(delivery).result(PATIENCE_S)


def in_store(bench: Any) -> tuple[Any, Any, Any]:
    with bench.engine.snapshot() as snapshot:
        raw = snapshot.rows("select at_us, mantissa, count(*) from raw group by all order by all")
        keys = snapshot.rows("select key, count(*), max(accepted) from delivery group by all order by all")
        batches = snapshot.rows("select count(*) - count(distinct id) from batch")
    return [row[1:] for row in raw], keys, batches


def sums_are_those_of_a_fresh_reading(bench: Any) -> None:
    """Compare the sums with the effective intervals, and memory with what is read at a new start."""
    total = sum(value for _, _, value, _ in bench.effective())
    assert sum(value for value, _, _ in bench.rollup_days().values()) == total
    held = bench.pipeline.tails.at_us.tolist()
    bench.reopen()
    assert bench.pipeline.tails.at_us.tolist() == held


@contextmanager
def failing_once(monkeypatch: pytest.MonkeyPatch, bench: Any) -> Generator[None]:
    """Let the next making-durable of the log's name fail."""
    real, left = database.sync_folder, [OSError(5, "EIO")]

    def sync(folder: Path) -> None:
        if left:
            raise left.pop()
        real(folder)

    bench.engine.checkpoint()  # the next commit begins a log
    with monkeypatch.context() as patch:
        patch.setattr(database, "sync_folder", sync)
        yield
    assert not left


def test_a_batch_that_cannot_be_made_durable_at_once_is_not_stored_twice(
    bench: Any, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    bench.pipeline.listeners.append(lambda committed: heard.append(committed.batch.id))
    with failing_once(monkeypatch, bench):
        with pytest.raises(CityError):
            said(committer, deliver(2.0, 1, "k1"))
        assert not heard, "a batch was told before it was durable"
        again = said(committer, deliver(2.0, 1, "k1"))
    assert (again.receipt.accepted, again.repeated) == (1, True)
    assert in_store(bench) == ([(1, 1), (2, 1)], [("k0", 1, 1), ("k1", 1, 1)], [(0,)])
    assert heard == [again.batch]
    assert said(committer, deliver(2.0, 1, "k2")).receipt.duplicate == 1
    sums_are_those_of_a_fresh_reading(bench)


def test_nothing_is_answered_from_the_store_while_it_is_not_durable(
    bench: Any, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: Path) -> None:
        raise OSError(5, "EIO")

    bench.engine.checkpoint()
    with monkeypatch.context() as patch:
        patch.setattr(database, "sync_folder", never)
        for delivery in (deliver(2.0, 1, "k1"), deliver(2.0, 1, "k1"), deliver(2.0, 1, ""), deliver(1.0, 0, "k0")):
            with pytest.raises(CityError):
                said(committer, delivery)
    assert said(committer, deliver(2.0, 1, "")).receipt.duplicate == 1


def test_statements_that_cannot_be_made_durable_at_once_are_known_all_the_same(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing_once(monkeypatch, bench), pytest.raises(CityError):
        bench.register(**METERS)
    bench.register(**METERS)
    with bench.engine.snapshot() as snapshot:
        assert snapshot.rows("select count(*) - count(distinct (kind, key, valid_from_us)) from record") == [(0,)]
    assert len(bench.pipeline.registry().channel_ids) == 1


class EndsAfterIt:
    """A connection whose next commit is durable and then ends the database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._left = 1

    def commit(self) -> None:
        self._connection.commit()
        if self._left:
            self._left = 0
            raise duckdb.FatalException("failed after it was durable")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_commit_that_nobody_can_ask_about_at_once_is_found_later(
    bench: Any, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 0.1)
    held = bench.engine._database
    held.connection = EndsAfterIt(held.connection)
    reading, over = threading.Event(), threading.Event()

    def read() -> None:
        with bench.engine.snapshot() as snapshot:
            snapshot.rows("select 1 from raw")
            reading.set()
            over.wait(PATIENCE_S)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert reading.wait(PATIENCE_S)
        with pytest.raises(QuintetError):
            said(committer, deliver(2.0, 1, "k1"))
    finally:
        over.set()
        reader.join(PATIENCE_S)
    again = said(committer, deliver(2.0, 1, "k1"))
    assert (again.receipt.accepted, again.repeated) == (1, True)
    assert said(committer, deliver(3.0, 2, "k2")).batch == again.batch + 1
    assert in_store(bench) == ([(1, 1), (2, 1), (3, 1)], [("k0", 1, 1), ("k1", 1, 1), ("k2", 1, 1)], [(0,)])
    sums_are_those_of_a_fresh_reading(bench)


def test_a_listener_that_fails_harms_neither_the_delivery_nor_other_listeners(
    bench: Any, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    heard: list[int] = []

    def fail(_: Committed) -> None:
        raise ValueError("deaf")

    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(str(args.exc_value)))
    bench.pipeline.listeners += [fail, lambda committed: heard.append(committed.batch.id)]
    out = said(committer, deliver(2.0, 1, "k1"))
    assert (out.receipt.accepted, out.repeated) == (1, False)
    assert (heard, told) == ([out.batch], ["deaf"])
    again = said(committer, deliver(2.0, 1, "k1"))
    assert (again.batch, again.repeated) == (out.batch, True)
    assert in_store(bench)[1] == [("k0", 1, 1), ("k1", 1, 1)]
