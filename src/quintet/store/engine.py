"""The embedded engine: one DuckDB database that one process owns, with transactions, batches and snapshots."""

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from quintet.terms.errors import CityError
from quintet.terms.period import HOUR_US, day_number, from_us, grid_phase, local_day
from quintet.terms.reading import clock

from .database import ENDING, Database
from .lake import LAKES, Lake, VerifiedFiles, log_key
from .mark import MARK, Mark
from .opening import opened
from .room import limits, require_room
from .trouble import from_engine_error

DATABASE = "quintet.duckdb"
FIRST_PUBLISHED = 1
"""A table's version 0 makes it; its first day is version 1."""
NEWEST = "select coalesce(max(id), 0), coalesce(max(received_us), 0) from batch"
MEMORY_LIMIT = "900MB"
"""DuckDB's share of the owner's 2 GB; what does not fit spills to the city folder."""


@dataclass(slots=True)
class Batch:
    """One committed step: who brought what when, and what became of it."""

    id: int
    kind: str
    source: str
    actor: str
    received_us: int
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0


class Snapshot:
    """One consistent moment of the store, for reading."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, files: VerifiedFiles) -> None:
        """Read through a cursor that is inside a transaction."""
        self._cursor = cursor
        self._files = files

    def arrow(self, sql: str, parameters: Sequence[Any] = (), tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a query, with Arrow tables joined in under their names; give the result as Arrow."""
        for name, table in (tables or {}).items():
            self._cursor.register(name, table)
        try:
            return self._cursor.sql(sql, params=list(parameters)).to_arrow_table()
        finally:
            for name in tables or {}:
                self._cursor.unregister(name)

    def rows(
        self, sql: str, parameters: Sequence[Any] = (), tables: Mapping[str, pa.Table] | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a query, with Arrow tables joined in under their names; give the result as tuples."""
        for name, table in (tables or {}).items():
            self._cursor.register(name, table)
        try:
            return self._cursor.execute(sql, list(parameters)).fetchall()
        finally:
            for name in tables or {}:
                self._cursor.unregister(name)

    def lake_paths(self, lake: str, first_day: int, last_day: int) -> list[str]:
        """List the verified files of a lake table that hold the given local days (both included)."""
        found = self.rows(
            "select path, digest from lake_file where lake = ? and live and day between ? and ? order by day",
            [lake, first_day, last_day],
        )
        return [self._files.path(lake, path, digest) for path, digest in found]

    def lake_paths_of(self, lake: str, days: Sequence[int]) -> list[str]:
        """List the verified files of a lake table that hold some local days."""
        found = self.rows(
            "select path, digest from lake_file where lake = ? and live and list_contains(?, day) order by day",
            [lake, list(days)],
        )
        return [self._files.path(lake, path, digest) for path, digest in found]


class Writing(Snapshot):
    """An open write transaction: everything appended becomes durable together, or not at all."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, files: VerifiedFiles, batch: Batch) -> None:
        """Write as part of one batch."""
        super().__init__(cursor, files)
        self.batch = batch
        self._steps: list[Callable[[], None]] = []
        self._last: list[Callable[[], None]] = []

    def at_end(self, step: Callable[[], None]) -> None:
        """Do something as the last of the batch, in its transaction: its moment and its counts are known by then."""
        self._last.append(step)

    @property
    def ending(self) -> bool:
        """Whether anything is to be done at the end."""
        return bool(self._last)

    def ended(self) -> None:
        """Do what is to be done at the end, in the order in which it was asked for."""
        for step in self._last:
            step()

    def then(self, step: Callable[[], None]) -> None:
        """Do something once the batch is in the store, though making it durable may fail after that.

        Memory of what the store holds is brought up here: it must not lag behind a batch that is there.
        """
        self._steps.append(step)

    def taken(self) -> None:
        """Do what was asked for: all of it, also where a step fails."""
        with ExitStack() as steps:
            for step in reversed(self._steps):
                steps.callback(step)

    def append(self, table: str, incoming: pa.Table) -> None:
        """Append rows to a table, columns matched by name."""
        if incoming.num_rows:
            # DuckDB finds the variable by its name: 1.2 ms; as a view that is made and dropped again 2.4 ms.
            self._cursor.execute(f"insert into {table} by name select * from incoming")

    def execute(self, sql: str, parameters: Sequence[Any] = (), tables: Mapping[str, pa.Table] | None = None) -> None:
        """Run a statement of the store's own (removal at a close, counters)."""
        for name, table in (tables or {}).items():
            self._cursor.register(name, table)
        self._cursor.execute(sql, list(parameters))
        for name in tables or {}:
            self._cursor.unregister(name)


class Engine:
    """Owns the database file and the lake of one city; every write of the city goes through one lock here."""

    def __init__(self, database: Database, mark: Mark, folder: Path, tz: ZoneInfo) -> None:
        """Wrap an open, migrated database and the mark of what it committed."""
        self._database = database
        self._mark = mark
        self._lock = threading.RLock()
        self.closing = threading.Lock()
        self.folder = folder
        self.tz = tz
        self.hour_phase_us = grid_phase(tz, HOUR_US)
        self.lakes = {name: Lake(folder / "lake", name) for name in LAKES}
        self.files = VerifiedFiles(folder / "lake")
        row = database.connection.execute(NEWEST).fetchone()
        self._last_batch, self._last_received = (int(row[0]), int(row[1])) if row else (0, 0)
        undone = database.connection.execute("select 1 from edit where undoes is not null limit 1").fetchone()
        self.undone = undone is not None
        """Whether an edit was ever undone: reading then looks below such edits."""
        self._edge = threading.Lock()
        self._doubtful: Writing | None = None
        """A batch whose commit ended the database, as long as nobody could ask the file whether it holds it."""
        self._unsynced = False
        self.now: Callable[[], int] | None = None

    @classmethod
    def open(cls, folder: Path, timezone: str, *, memory_limit: str = MEMORY_LIMIT) -> "Engine":
        """Open (or make) the store below a city folder and drop what a crash left half done.

        Raises CityError where it cannot be opened, is older than the lake, or has lost what was committed.
        """
        tz = clock(timezone)
        path = folder / "store" / DATABASE
        mark = Mark(folder / "store" / MARK)
        refuse_missing(path, mark)
        database = opened(path, mark, timezone, memory_limit)
        try:
            engine = cls(database, mark, folder, tz)
            engine.recover()
        except BaseException:
            database.close()
            raise
        mark.write(engine.last_batch)
        mark.sync()
        return engine

    def recover(self) -> list[str]:
        """Bring the lake back to what the database recorded; give what was dropped."""
        with self.snapshot() as snapshot:
            found = snapshot.rows("select lake, path, version from lake_file")
            logs = [key for (key,) in snapshot.rows("select key from meta")]
        dropped: list[str] = []
        for name, lake in self.lakes.items():
            own = [(str(path), int(version)) for table, path, version in found if table == name]
            recorded = max((version for _, version in own), default=None)
            # A close publishes one version of each table before it is recorded: more than that is no torn tail.
            if lake.newest_version() > (FIRST_PUBLISHED if recorded is None else recorded + 1):
                raise CityError(
                    f"is older than the lake: it records version {recorded} of {name}, not {lake.newest_version()}.",
                    code="store_older",
                    place=str(self.folder / "store" / DATABASE),
                    remedy="Restore a backup of the whole city; nothing was changed.",
                )
            prefix = log_key(name, "")
            log = {key.removeprefix(prefix) for key in logs if key.startswith(prefix)}
            dropped += lake.recover(recorded, {path for path, _ in own}, log)
        return dropped

    @contextmanager
    def snapshot(self) -> Generator[Snapshot]:
        """Read at one moment; each thread has cursors of its own, one for each snapshot that is open at once.

        Raises CityError where the disk or the database fails.
        """
        try:
            with self._database.reading() as cursor:
                yield Snapshot(cursor, self.files)
        except duckdb.Error as error:
            raise from_engine_error(error, str(self._database.path)) or error from error

    @contextmanager
    def writing(self, kind: str, source: str, actor: str, received_us: int) -> Generator[Writing]:
        """Open the one write transaction; it is durable when the block ends, and gone when the block raises.

        Raises CityError `disk_full` before anything is written where the disk has no room left, and CityError
        (`disk_full`, `store_io`) when it cannot be made durable: the next one may then be tried at once. It may then be
        in the store all the same (`Writing.then` is told); whoever writes next makes it durable first.
        """
        with self._lock:
            require_room(self.folder)
            with self._in_words(), self._database.used():
                self._make_sure()
                batch = Batch(self._last_batch + 1, kind, source, actor, received_us)
                yield from self._written(batch)
                self._make_sure()
                if self._database.fold_log(limits().log_bytes):
                    self._mark.sync()

    @contextmanager
    def _in_words(self) -> Generator[None]:
        """Say errors of the disk and the database in words."""
        try:
            yield
        except duckdb.Error as error:
            raise from_engine_error(error, str(self._database.path)) or error from error

    def _written(self, batch: Batch) -> Generator[Writing]:
        """Lend the transaction of a batch, and commit it."""
        connection = self._database.connection
        connection.begin()
        try:
            writing = Writing(connection, self.files, batch)
            yield writing
            with self._edge:
                self._commit(writing, batch)
            writing.taken()
        except BaseException:
            with suppress(duckdb.Error):  # one that the engine already ended has nothing to undo
                self._database.connection.rollback()
            raise

    def _commit(self, writing: Writing, batch: Batch) -> None:
        """Stamp and commit a batch: its moment is that of the commit, and later than every batch before."""
        now_us = self.now() if self.now is not None else 0
        batch.received_us = max(batch.received_us, now_us, self._last_received + 1)
        writing.ended()
        writing.execute(
            "insert into batch values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                batch.id, batch.kind, batch.source, batch.actor, batch.received_us,
                batch.accepted, batch.duplicate, batch.quarantined,
            ],
        )  # fmt: skip
        self._doubtful = writing
        try:
            self._database.connection.commit()
        except ENDING:
            # The batch may be durable all the same: only the file, opened anew, can tell.
            self._database.renew()
            if not self._holds(batch):
                self._doubtful = None
                raise
        except duckdb.Error:
            self._doubtful = None  # undone, and the database says so
            raise
        self._doubtful = None
        self._count(batch)

    def _holds(self, batch: Batch) -> bool:
        """Say whether the file holds a batch as its newest."""
        return self._database.connection.execute(NEWEST).fetchone() == (batch.id, batch.received_us)

    def _count(self, batch: Batch) -> None:
        """Take a batch for the newest; its log may still have to be made durable."""
        self._last_batch, self._last_received = batch.id, batch.received_us
        self._unsynced = True

    def _make_sure(self) -> None:
        """Find out about a doubtful batch, and make what is in the store durable. Raises CityError where that fails."""
        writing = self._doubtful
        if writing is not None:
            there = self._holds(writing.batch)
            self._doubtful = None
            if there:
                with self._edge:
                    self._count(writing.batch)
                writing.taken()
        if self._unsynced:
            self._database.sync_log()
            self._mark.write(self._last_batch)
            self._unsynced = False

    @contextmanager
    def asked(self) -> Generator[tuple[Snapshot, int]]:
        """Read at one moment, and say which: every batch seen is stamped at or before it, every other one after."""
        with self._edge:
            moment = max(self.clock_us(), self._last_received)
            opened = self.snapshot()
            snapshot = opened.__enter__()
            snapshot.rows("select 1 from meta limit 1")  # the snapshot is taken by the first query
        with closing_context(opened):
            yield snapshot, moment

    def move_clock(self, tz: ZoneInfo, source: str, now_us: int) -> None:
        """Keep days by another clock from now on; only for a store that holds no reading."""
        with self.writing("settings", source, "operator", now_us) as writing:
            writing.execute("update meta set value = ? where key = 'timezone'", [tz.key])
        self.tz, self.hour_phase_us = tz, grid_phase(tz, HOUR_US)

    @contextmanager
    def exclusive(self) -> Generator[None]:
        """Hold the write lock over steps that must see no commit between them; all that they see is durable.

        Raises CityError where an earlier batch is in the store and cannot be made durable still.
        """
        with self._lock:
            if self._doubtful is not None or self._unsynced:
                with self._in_words(), self._database.used():
                    self._make_sure()
            yield

    @property
    def last_batch(self) -> int:
        """The newest committed batch."""
        return self._last_batch

    def clock_us(self) -> int:
        """Give the present moment in microseconds: by the clock the pipeline was given, else the machine's."""
        return self.now() if self.now is not None else time.time_ns() // 1000

    def day_of(self, moment_us: int) -> int:
        """Give the number of the city's local day that holds a moment."""
        return day_number(local_day(from_us(moment_us), self.tz))

    def checkpoint(self) -> bool:
        """Fold the write-ahead log into the database file where there is room for it; False: it is still beside it."""
        with self._lock, self._database.used():
            folded = self._database.fold_log(0)
            if folded:
                self._mark.sync()
            return folded

    def forget_blocks(self) -> None:
        """Drop what the database keeps of its file in memory, so that it is read from the disk again."""
        with self._lock:
            self._database.forget_blocks()

    def close(self) -> None:
        """Fold the log in and give the file free."""
        with self._lock:
            self._database.close()
            self._mark.close()


@contextmanager
def closing_context(opened: AbstractContextManager[Snapshot]) -> Generator[None]:
    """Leave a context that was entered elsewhere."""
    try:
        yield
    finally:
        opened.__exit__(None, None, None)


def refuse_missing(path: Path, mark: Mark) -> None:
    """Raise CityError where there is no database beside what was made from one."""
    left = "lake of closed days" if any((path.parents[1] / "lake").glob("*/_delta_log/*.json")) else ""
    if not path.exists() and (left or mark.read() is not None):
        raise CityError(
            f"is missing, but the city's {left or 'mark of what was committed'} is there.",
            code="store_missing",
            place=str(path),
            remedy="Restore a backup; nothing was changed.",
        )
