"""The read log: who read what of a dwelling, when, for which span, and why; those who live there can see it."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Protocol

from quintet.store.vault import PEOPLE, Vault


@dataclass(frozen=True, slots=True)
class Read:
    """One reading of a dwelling (or of each below a place) by `reader` in a role; moments are microseconds.

    `step_min` is how fine (0: each reading), `what` says in words what was read.
    """

    place: str
    from_us: int
    until_us: int
    step_min: int
    what: str
    reader: str
    role: str
    reason: str
    purpose: str


class ReadLog(Protocol):
    """Where readings are noted."""

    def note(self, read: Read) -> None:
        """Keep one; it is kept before the answer is given."""
        ...


@dataclass(frozen=True, slots=True)
class Noted:
    """A reading as it was noted, with the moment."""

    at_us: int
    read: Read


COLUMNS = "at_us, place, from_us, until_us, step_min, what, reader, role, reason, purpose"
SAME_US = 60_000_000
"""What the same reader reads of a dwelling within a minute, in the same way, is noted once, with the whole span."""


class VaultLog:
    """Keeps the read log beside what is kept of people."""

    def __init__(self, vault: Vault, clock_us: Callable[[], int]) -> None:
        """Keep it in a vault."""
        self._vault = vault
        self._clock_us = clock_us

    def note(self, read: Read) -> None:
        """Keep a reading; one like that of a moment ago widens its span."""
        now = self._clock_us()
        like = (read.place, read.reader, read.role, read.reason, read.purpose, read.step_min, read.what)
        touched = self._vault.write(
            PEOPLE,
            """update read set from_us = min(from_us, ?), until_us = max(until_us, ?) where at_us > ? and place = ?
                and reader = ? and role = ? and reason = ? and purpose = ? and step_min = ? and what = ?""",
            [read.from_us, read.until_us, now - SAME_US, *like],
        )
        if not touched:
            self._vault.write(
                PEOPLE, f"insert into read({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [now, *astuple(read)]
            )

    def of(self, places: Sequence[str], from_us: int, until_us: int, limit: int) -> list[Noted]:
        """Give who read of any of some places a span that touches [from_us, until_us), the newest first."""
        marks = ", ".join("?" * len(places))
        found = self._vault.rows(
            PEOPLE,
            f"""select {COLUMNS} from read where place in ({marks}) and until_us > ? and from_us < ?
                order by at_us desc, seq desc limit ?""",
            [*places, from_us, until_us, limit],
        )
        return [Noted(row[0], Read(*row[1:])) for row in found]
