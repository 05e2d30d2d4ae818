"""What a person's file said when it was last taken in: a bit that flipped in it is told from an edit.

Whoever edits a file changes its time; a bit that flips on the disk does not.
"""

from pathlib import Path

from quintet.terms.errors import Damaged

from .digest import file_digest
from .engine import Snapshot, Writing

SETTINGS_KEY = "settings"
"""The row of the table `meta` that says what city.toml said."""


def state_of(path: Path) -> str:
    """Give a file's digest, size and time as one text."""
    status = path.stat()
    return f"{file_digest(path)} {status.st_size} {status.st_mtime_ns}"


def stated(snapshot: Snapshot) -> list[str]:
    """Give digest, size and time of city.toml when it was last taken in; empty where it never was."""
    known = snapshot.rows("select value from meta where key = ?", [SETTINGS_KEY])
    return str(known[0][0]).split() if known else []


def refuse_flipped(snapshot: Snapshot, path: Path) -> None:
    """Raise Damaged where a file says something else than when it was taken in, and nobody has edited it."""
    before, now = stated(snapshot), state_of(path).split()
    if len(before) == len(now) and before[0] != now[0] and before[1:] == now[1:]:
        raise Damaged(
            "does not say what it said when it was taken in, and nobody has edited it.",
            code="settings_damaged",
            place=str(path),
            remedy="Look it through, mend it and save it, or restore it from a backup.",
        )


def state(writing: Writing, path: Path) -> None:
    """Note what a file says now."""
    writing.execute("delete from meta where key = ?", [SETTINGS_KEY])
    writing.execute("insert into meta values (?, ?)", [SETTINGS_KEY, state_of(path)])
