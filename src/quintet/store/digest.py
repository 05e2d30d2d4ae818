"""Digests: of files, to find a flipped bit, and of what the store says, to find a difference."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
