"""Backup and restore of one consistent moment: the database, the lake files it pins, and the settings."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec

from quintet.terms.errors import BadInput, CityError, Damaged, UsageError

from .digest import file_digest
from .durable import sync_folder, write_durably
from .engine import DATABASE, Engine
from .scrub import damaged_files

MANIFEST = "backup.json"


def create_backup(engine: Engine, settings: Path, target: Path) -> dict[str, Any]:
    """Copy a city into a new folder while no write happens; give its manifest (files, bytes, digests, batch).

    The write lock is held while the database file is copied (readers go on); lake files are immutable.
    """
    try:
        if target.exists() and any(target.iterdir()):
            raise UsageError(
                "is not empty.", code="folder_taken", place=str(target), remedy="Back up into a new folder."
            )
        with engine.exclusive():
            for damage in damaged_files(engine):
                raise Damaged(damage.message, code="damaged", place=damage.place, remedy="Run `quintet doctor` first.")
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
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UsageError(
                "is not empty.", code="folder_taken", place=str(folder), remedy="Restore into a new folder."
            )
        files = manifest_of(source).files
        for name, (_, digest) in files.items():
            path = source / name
            if not path.is_file() or file_digest(path) != digest:
                raise damaged(path)
        for name in files:
            copied(source / name, folder / name)
    except OSError as error:
        raise CityError(
            f"cannot be written: {error.strerror}.",
            code="restore_failed",
            place=str(folder),
            remedy="Free space or choose another folder; the backup is untouched.",
        ) from error
    return len(files)


class Manifest(msgspec.Struct):
    """What a backup holds: the newest batch, and size and digest of each file by its path below the backup."""

    batch: int
    bytes: int
    files: dict[str, tuple[int, str]]


def manifest_of(source: Path) -> Manifest:
    """Read a backup's manifest; one that cannot be read, or names a file outside of the backup, is damaged."""
    path = source / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path) from error
    root = source.resolve()
    if any(not (root / name).resolve().is_relative_to(root) for name in manifest.files):
        raise damaged(path)
    return manifest


def damaged(path: Path) -> BadInput:
    """Say that a part of a backup is not as it was written."""
    return BadInput(
        "is missing from the backup or damaged.",
        code="backup_damaged",
        place=str(path),
        remedy="Take another backup; nothing was restored.",
    )
