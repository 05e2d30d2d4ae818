"""Making files durable: a file is there after a power loss only when it and its folder were synced."""

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to the disk."""
    sync_file(path)


def made_folder(path: Path) -> None:
    """Make a folder and those above it, each durably; one that is there is left as it is."""
    if path.is_dir():
        return
    made_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that after a crash either the old or the new content is there, whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    sync_file(part)
    part.replace(path)
    sync_folder(path.parent)
