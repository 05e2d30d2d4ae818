"""Bringing a city's store to a chosen version while nobody has it open: up, or back for an older Quintet."""

from pathlib import Path

import duckdb

from quintet.terms.errors import CityError

from .database import Database
from .durable import sync_folder
from .engine import DATABASE, MEMORY_LIMIT
from .mark import MARK, Mark
from .opening import keep_log, refuse_lost, settings, unreadable
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
        kept = keep_log(path)
        database = Database(path, settings(path.parent / "spill", MEMORY_LIMIT))
    except (duckdb.Error, OSError) as error:
        raise unreadable(path, error) from error
    try:
        refuse_lost(database, Mark(path.parent / MARK), kept)
        wanted = len(VERSIONS) if target is None else target
        if version_of(database.connection) < wanted <= len(VERSIONS):
            before = migrate(database.connection, str(path), VERSIONS[:wanted])
        else:
            before = take_back(database.connection, str(path), wanted)
        after = version_of(database.connection)
        database.fold()
    except duckdb.Error as error:
        raise unreadable(path, error) from error
    finally:
        database.close()
    kept.unlink(missing_ok=True)
    sync_folder(path.parent)
    return before, after
