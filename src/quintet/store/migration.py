"""Bringing a city's store to a chosen version while nobody has it open: up, or back for an older Quintet."""

from pathlib import Path

import duckdb

from quintet.terms.errors import CityError

from .database import Database
from .durable import sync_folder
from .engine import DATABASE, MEMORY_LIMIT
from .mark import MARK, Mark
from .opening import fold_or_leave, keep_log, not_moved, refuse_lost, settings, unreadable, with_torn_log_cut
from .schema import VERSIONS, migrate, take_back, version_of


def migrate_store(folder: Path, target: int | None = None) -> tuple[int, int]:
    """Bring the store below a city folder to a version (default: the newest); gives the versions before and after.

    Every step is one transaction, so a crash leaves a whole version. Raises CityError where there is no store or it
    cannot be opened, UsageError for a version that there is no way to.
    """
    path = folder / "store" / DATABASE
    if not path.is_file():
        raise CityError("has no store yet.", code="no_store", place=str(folder), remedy="There is nothing to migrate.")
    try:
        kept, mark = keep_log(path), Mark(path.parent / MARK)
        database = with_torn_log_cut(path, kept, mark, settings(path.parent / "spill", MEMORY_LIMIT))
    except (duckdb.Error, OSError) as error:
        raise unreadable(path, error) from error
    try:
        refuse_lost(database, mark, kept)
        before = moved(database, len(VERSIONS) if target is None else target)
        after = version_of(database.connection)
        fold_or_leave(database)
    except duckdb.Error as error:
        raise unreadable(path, error) from error
    finally:
        database.close()
    kept.unlink(missing_ok=True)
    sync_folder(path.parent)
    return before, after


def moved(database: Database, target: int) -> int:
    """Bring an open store to a version; gives the one before. Raises as `migrate_store` does."""
    connection, place = database.connection, str(database.path)
    up = version_of(connection) < target <= len(VERSIONS)
    try:
        return migrate(connection, place, VERSIONS[:target]) if up else take_back(connection, place, target)
    except duckdb.Error as error:
        raise not_moved(database, 1 if up else -1, error) from error
