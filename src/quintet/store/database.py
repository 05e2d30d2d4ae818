"""The open database file: its cursors, its write-ahead log, and how it is opened anew after an error that ends it.

DuckDB refuses everything after some errors (a full disk while the log is folded in): the file is sound then, and
needs to be opened again. That happens here, when the next one comes who reads or writes.
"""

import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from quintet.terms.errors import CityError

from .durable import sync_folder
from .room import left_bytes
from .trouble import from_os_error

ENDING = (duckdb.FatalException, duckdb.InternalException)
"""After one of these DuckDB answers nothing until the database is opened anew."""
PATIENCE_S = 10.0
"""How long opening anew waits for readers: what they ask fails meanwhile, so they leave soon."""


class Database:
    """One database file, opened by this process. The connection is for whoever writes, each reader has a cursor."""

    def __init__(self, path: Path, settings: Sequence[str]) -> None:
        """Open the file (or make it); `settings` are statements for each opening. Raises duckdb.Error."""
        self.path = path
        self.log = path.with_name(path.name + ".wal")
        self._settings = settings
        self._turn = threading.Condition()
        self._local = threading.local()
        self._cursors: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
        self._lent: set[duckdb.DuckDBPyConnection] = set()
        self._busy = 0
        self._generation = 0
        self._ended = False
        self._log_synced = False
        self.connection = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.path))
        for statement in self._settings:
            connection.execute(statement)
        return connection

    @contextmanager
    def reading(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Lend a cursor inside a transaction; each thread has cursors of its own, one for each that is open at once."""
        cursor = self._begun()
        generation = self._generation
        try:
            yield cursor
        except ENDING:
            self._ended = True
            raise
        finally:
            with suppress(duckdb.Error):  # one that ended has nothing to roll back
                cursor.rollback()
            self._give_back(cursor, generation)

    def _begun(self) -> duckdb.DuckDBPyConnection:
        """Give a cursor inside a transaction; a database that turns out to have ended is opened anew, once."""
        self.enter()
        try:
            return self._begin()
        except ENDING:
            self._ended = True
            self._leave()
        except BaseException:
            self._leave()
            raise
        self.enter()
        try:
            return self._begin()
        except BaseException:
            self._leave()
            raise

    def _begin(self) -> duckdb.DuckDBPyConnection:
        with self._turn:  # whoever closes the database meanwhile closes this cursor too, or waits for it to be lent
            spare = self._spare()
            cursor = spare.pop() if spare else self.connection.cursor()
            self._cursors.add(cursor)
            self._lent.add(cursor)
        try:
            cursor.begin()
        except BaseException:
            self._lent.discard(cursor)
            raise
        return cursor

    def _give_back(self, cursor: duckdb.DuckDBPyConnection, generation: int) -> None:
        """Keep a cursor for this thread's next reading, unless the database was opened anew or closed meanwhile."""
        with self._turn:
            self._lent.discard(cursor)
            if generation == self._generation:
                self._spare().append(cursor)
            else:
                cursor.close()
            self._busy -= 1
            self._turn.notify_all()

    def _spare(self) -> list[duckdb.DuckDBPyConnection]:
        """Give this thread's cursors that nobody uses; those of an earlier opening are forgotten."""
        if getattr(self._local, "generation", -1) != self._generation:
            self._local.generation = self._generation
            self._local.spare = []
        return self._local.spare

    def enter(self) -> None:
        """Count somebody in who uses the database, first opening it anew if it has ended."""
        with self._turn:
            if self._ended:
                self._renew(0)
            self._busy += 1

    def _leave(self) -> None:
        with self._turn:
            self._busy -= 1
            self._turn.notify_all()

    @contextmanager
    def used(self) -> Generator[None]:
        """Use the connection: meanwhile nobody else opens the database anew."""
        self.enter()
        try:
            yield
        except ENDING:
            self._ended = True
            raise
        finally:
            self._leave()

    def renew(self) -> None:
        """Open the database anew after an error that ended it, for one who is counted in."""
        with self._turn:
            self._ended = True
            self._renew(1)

    def _renew(self, own: int) -> None:
        """Open anew as soon as nobody but `own` uses the database; raises CityError when somebody stays."""
        if not self._turn.wait_for(lambda: self._busy <= own, PATIENCE_S):
            raise CityError(
                "is to be opened anew, and somebody still reads it.",
                code="store_io",
                place=str(self.path),
                remedy="Try again; if it stays so, start Quintet again.",
            )
        if not self._ended:
            return
        for cursor in list(self._cursors):
            cursor.close()
        self.connection.close()
        self._generation += 1
        self.connection = self._connect()
        self._log_synced = self._ended = False

    def sync_log(self) -> None:
        """Make the log's name durable: without it a log that was begun since the last folding could be lost whole.

        Raises CityError where the disk fails.
        """
        if self._log_synced:
            return
        try:
            sync_folder(self.path.parent)
        except OSError as error:
            raise from_os_error(error) from error
        self._log_synced = True

    def fold(self) -> None:
        """Fold the log into the file; raises duckdb.Error."""
        self.connection.execute("checkpoint")
        self._log_synced = False

    def fold_log(self, least_bytes: int) -> bool:
        """Fold a log of that size or more in where there is room for it; when that fails, all is still in the log."""
        try:
            size = self.log.stat().st_size
        except FileNotFoundError:
            return least_bytes == 0
        if size < least_bytes or left_bytes(self.path.parent) < size:
            return False
        try:
            self.fold()
        except ENDING:
            self._ended = True
            return False
        except duckdb.Error:
            return False  # readers in the way, or the disk is full after all: the next commit tries again
        return True

    def forget_blocks(self) -> None:
        """Drop cached blocks as far as nobody uses them: a memory limit that holds none throws them out."""
        limit = self.connection.execute("select current_setting('memory_limit')").fetchone()
        with suppress(duckdb.OutOfMemoryException):
            self.connection.execute("set memory_limit = '1MB'")
        self.connection.execute(f"set memory_limit = '{limit[0] if limit else '-1'}'")

    def close(self) -> None:
        """Fold the log in and give the file free; a reader that is still at it keeps the file open until it ends."""
        with self._turn:
            self._generation += 1
            for cursor in set(self._cursors) - self._lent:
                cursor.close()
            self.connection.close()
