"""Backup and restore of one consistent moment: the database, the lake files it pins, and the settings."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from quintet.terms.errors import BadInput, CityError, Damaged, UsageError

from .digest import file_digest
from .durable import made_folder, sync_file, sync_folder, write_durably
from .engine import DATABASE, Engine
from .opening import first_line
from .room import require_room
from .scrub import damaged_files

MANIFEST = "backup.json"


def create_backup(engine: Engine, settings: Path, target: Path, beside: Sequence[Path] = ()) -> dict[str, Any]:
    """Copy a city into a new folder while no write happens; give its manifest (files, bytes, digests, batch).

    `beside` are files and folders in the city's folder that belong to it; those that are not there are left out.

    The write lock is held while the database file is copied (readers go on); lake files are immutable. What was copied
    is read back whole before the backup counts as one; where that fails the target is left as it was.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError("is not empty.", code="folder_taken", place=str(target), remedy="Back up into a new folder.")
    try:
        with engine.exclusive():
            for damage in damaged_files(engine):
                raise Damaged(damage.message, code="damaged", place=damage.place, remedy="Run `quintet doctor` first.")
            engine.checkpoint()  # where it has no room to be folded in, the log is copied
            copies = copies_of(engine, [settings, *beside], target)
            made_folder(target)
            require_room(target, sum(path.stat().st_size for path, _ in copies))
            files = {str(to.relative_to(target)): copied(path, to) for path, to in copies}
            batch = engine.last_batch
        read_whole(target / "store" / DATABASE, engine.folder / "store" / DATABASE)
        manifest: dict[str, Any] = {"batch": batch, "bytes": sum(size for size, _ in files.values()), "files": files}
        manifest["digest"] = manifest_digest(manifest)
        write_durably(target / MANIFEST, json.dumps(manifest).encode())
    except OSError as error:
        clear(target)
        raise CityError(
            f"cannot be written: {error.strerror}.",
            code="backup_failed",
            place=str(target),
            remedy="Free space or choose another folder; the city is untouched.",
        ) from error
    except BaseException:
        clear(target)
        raise
    return manifest


def copies_of(engine: Engine, beside: Sequence[Path], target: Path) -> list[tuple[Path, Path]]:
    """List what a backup copies, and where to; `beside` stand in the city's folder."""
    lake, database = engine.folder / "lake", engine.folder / "store" / DATABASE
    log = database.with_name(database.name + ".wal")
    named = [path for one in beside for path in (sorted(one.rglob("*")) if one.is_dir() else [one])]
    return [
        *((path, target / path.relative_to(engine.folder)) for path in named if path.is_file()),
        *((path, target / "store" / path.name) for path in (database, log) if path.exists()),
        *((path, target / "lake" / path.relative_to(lake)) for path in sorted(lake.rglob("*")) if path.is_file()),
    ]


def copied(path: Path, to: Path) -> tuple[int, str]:
    """Copy a file durably and read it back; give its size and digest."""
    made_folder(to.parent)
    shutil.copyfile(path, to)
    sync_file(to)
    sync_folder(to.parent)
    return to.stat().st_size, file_digest(to)


def read_whole(database: Path, original: Path) -> None:
    """Read every block of a copied database; raises Damaged, naming the original, where one fails its checksum."""
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                connection.execute(f"select bit_xor(hash(t)) from {table} t").fetchall()
    except duckdb.Error as error:
        raise Damaged(
            f"cannot be read whole: {first_line(error)}",
            code="damaged",
            place=str(original),
            remedy="Restore an earlier backup; this one was not kept.",
        ) from error


def clear(target: Path) -> None:
    """Remove what a backup that failed has copied: the folder was new or empty."""
    if target.is_dir():
        for entry in list(target.iterdir()):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


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


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """What a backup holds: the newest batch, and size and digest of each file by its path below the backup.

    `digest` is that of all the others; backups made before there was one have none.
    """

    batch: int
    bytes: int
    files: dict[str, tuple[int, str]]
    digest: str = ""


def manifest_digest(manifest: dict[str, Any]) -> str:
    """Give the digest of what a manifest says, itself left out."""
    said = {name: manifest[name] for name in ("batch", "bytes", "files")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def manifest_of(source: Path) -> Manifest:
    """Read a backup's manifest; one that cannot be read, or names a file outside of the backup, is damaged."""
    path = source / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path) from error
    if manifest.digest and manifest.digest != manifest_digest(msgspec.structs.asdict(manifest)):
        raise damaged(path)
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
