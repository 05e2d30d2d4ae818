"""Backup and restore of one consistent moment: the database, the lake files it pins, and the settings."""

import json
import shutil
from pathlib import Path
from typing import Any

from quintet.terms.errors import BadInput, CityError, UsageError

from .digest import file_digest
from .durable import sync_folder, write_durably
from .engine import DATABASE, Engine

MANIFEST = "backup.json"


def create_backup(engine: Engine, settings: Path, target: Path) -> dict[str, Any]:
    """Copy a city into a new folder while no write happens; give its manifest (files, bytes, digests, batch).

    The write lock is held while the database file is copied (readers go on); lake files are immutable.
    """
    if target.exists() and any(target.iterdir()):
        raise UsageError("is not empty.", code="folder_taken", place=str(target), remedy="Back up into a new folder.")
    try:
        with engine.exclusive():
            engine.checkpoint()
            copies = [
                (settings, target / settings.name),
                (engine.folder / "store" / DATABASE, target / "store" / DATABASE),
            ]
            lake = engine.folder / "lake"
            copies += [
                (path, target / "lake" / path.relative_to(lake)) for path in sorted(lake.rglob("*")) if path.is_file()
            ]
            files = {str(to.relative_to(target)): copied(path, to) for path, to in copies}
            batch = engine.last_batch
        manifest = {"batch": batch, "bytes": sum(size for size, _ in files.values()), "files": files}
        write_durably(target / MANIFEST, json.dumps(manifest).encode())
        sync_folder(target)
    except OSError as error:
        raise CityError(
            f"cannot be written: {error.strerror}.",
            code="backup_failed",
            place=str(target),
            remedy="Free space or choose another folder; the city is untouched.",
        ) from error
    return manifest


def copied(path: Path, to: Path) -> tuple[int, str]:
    """Copy a file and read it back; give its size and digest."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
    return to.stat().st_size, file_digest(to)


def restore_backup(source: Path, folder: Path) -> int:
    """Make a city folder from a backup whose every file is as its manifest says; give the number of files."""
    if not (source / MANIFEST).is_file():
        raise BadInput("is no backup.", code="no_backup", place=str(source), remedy=f"A backup holds {MANIFEST}.")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("is not empty.", code="folder_taken", place=str(folder), remedy="Restore into a new folder.")
    files: dict[str, tuple[int, str]] = json.loads((source / MANIFEST).read_text())["files"]
    for name, (_, digest) in files.items():
        path = source / name
        if not path.is_file() or file_digest(path) != digest:
            raise BadInput(
                "is missing from the backup or damaged.",
                code="backup_damaged",
                place=str(path),
                remedy="Take another backup; nothing was restored.",
            )
    for name in files:
        copied(source / name, folder / name)
    return len(files)
