"""Opening the database of a city: its settings and version, and what a damaged write-ahead log would have lost."""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from quintet.terms.errors import CityError, Damaged

from .database import Database
from .durable import made_folder, sync_file, sync_folder
from .mark import Mark
from .room import left_bytes
from .schema import migrate, version_of
from .trouble import from_engine_error

TORN = re.compile(r"Corrupt WAL file: entry at byte position (\d+) computed checksum")
"""What DuckDB says of a log entry that is not as it was written."""
FOUND_LOG = ".as-found"
"""Ends the name of the copy of a log that was not folded in, while the database is opened."""


def opened(path: Path, mark: Mark, timezone: str, memory_limit: str) -> Database:
    """Open (or make) a database, bring it to this version, and see that it holds all that its mark knows of.

    Raises CityError: it cannot be opened, its days are kept in another time zone, or it has lost batches.
    """
    try:
        made_folder(path.parent)
        kept = keep_log(path)
        database = with_torn_log_cut(path, kept, mark, settings(path.parent / "spill", memory_limit))
    except (duckdb.Error, OSError) as error:
        raise unreadable(path, error) from error
    try:
        refuse_lost(database, mark, kept)
        take_version(database, timezone)
    except duckdb.Error as error:
        database.close()
        raise unreadable(path, error) from error
    except BaseException:
        database.close()
        raise
    kept.unlink(missing_ok=True)
    return database


def settings(spill: Path, memory_limit: str) -> list[str]:
    """Give the statements for each opening. The log is folded in by the engine, outside of any commit."""
    return [
        f"set memory_limit = '{memory_limit}'",
        f"set temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'",
        "set timezone = 'UTC'",
        "set checkpoint_threshold = '1TB'",
        "set preserve_insertion_order = true",
    ]


def keep_log(path: Path) -> Path:
    """Copy a log that a crash left, where there is room: opening cuts a damaged one short. Gives the copy's path."""
    log = path.with_name(path.name + ".wal")
    kept = log.with_name(log.name + FOUND_LOG)
    if log.is_file() and not kept.exists() and left_bytes(path.parent) > log.stat().st_size:
        part = kept.with_name(kept.name + ".part")
        with suppress(OSError):  # without the copy there is less to mend with, no more
            shutil.copyfile(log, part)
            part.replace(kept)
    return kept


def with_torn_log_cut(path: Path, kept: Path, mark: Mark, statements: list[str]) -> Database:
    """Open the database file. A log whose last entry is torn, as a power loss leaves it, is cut where that begins.

    DuckDB itself ignores an entry that is cut short, but refuses one with a hole. Whether what was cut off had been
    committed is told by the mark; without a mark or a copy of the log nothing is cut. Raises duckdb.Error, OSError.
    """
    try:
        return Database(path, statements)
    except duckdb.Error as error:
        torn = TORN.search(str(error))
        if torn is None or mark.read() is None or not kept.exists():
            raise
    log = path.with_name(path.name + ".wal")
    os.truncate(log, int(torn[1]))
    sync_file(log)
    return Database(path, statements)


def refuse_lost(database: Database, mark: Mark, kept: Path) -> None:
    """Raise Damaged where the database holds less than was committed: its log was cut short."""
    connection = database.connection
    newest = connection.execute("select coalesce(max(id), 0) from batch").fetchone() if version_of(connection) else None
    lost = (mark.read() or 0) - (int(newest[0]) if newest else 0)
    if lost > 0:
        copy = f" The log as it was found is {kept.name}." if kept.exists() else ""
        raise Damaged(
            f"has lost the last {lost} of its batches: its write-ahead log is damaged.",
            code="log_damaged",
            place=str(database.log),
            remedy=f"Restore a backup.{copy} To go on without them, remove {mark.path}.",
        )


def take_version(database: Database, timezone: str) -> None:
    """Bring the tables to this version and settle the time zone; what that changes is folded in at once."""
    connection = database.connection
    try:
        before = migrate(connection, str(database.path))
    except duckdb.Error as error:
        raise not_moved(database, 1, error) from error
    stored = connection.execute("select value from meta where key = 'timezone'").fetchone()
    if stored is not None and stored[0] != timezone:
        raise CityError(
            f"keeps its days in {stored[0]}, city.toml now says {timezone}.",
            code="timezone_changed",
            place=str(database.path.parents[1] / "city.toml"),
            remedy=f"Set timezone back to {stored[0]}; a city's days cannot move once data are stored.",
        )
    if stored is None:
        connection.execute("insert into meta values ('timezone', ?)", [timezone])
    if stored is None or before != version_of(connection):
        fold_or_leave(database)
    sync_folder(database.path.parent)


def fold_or_leave(database: Database) -> None:
    """Fold the log in; where the disk has no room for it all is durable in the log, and the database goes on."""
    if not database.fold_log(0):
        with database.used():  # opens it anew if the attempt has ended it
            pass


def not_moved(database: Database, by: int, error: duckdb.Error) -> CityError | Damaged:
    """Say that a store could not be brought one version up (`by` 1) or down (-1), and that it stays as it was."""
    known = from_engine_error(error, str(database.path))
    if known is not None:
        return known
    stays = version_of(database.connection)
    return CityError(
        f"could not become store version {stays + by} ({first_line(error)}); it stays at version {stays}, whole.",
        code="migration_failed",
        place=str(database.path),
        remedy="The Quintet that used this version opens it as before; report this.",
    )


def unreadable(path: Path, error: Exception) -> CityError | Damaged:
    """Say that a database cannot be opened, and why."""
    full = from_engine_error(error)
    if full is not None and full.code == "disk_full":
        return full
    return CityError(
        f"cannot be opened: {first_line(error)}",
        code="store_unreadable",
        place=str(path),
        remedy="Check permissions and free space; if the file is damaged, restore a backup.",
    )


def first_line(error: Exception) -> str:
    """Give an error's first line, which is what a person can read of it."""
    return str(error).strip().split("\n")[0]
