"""The read log: who read what of a dwelling, when, for which span, and why; those who live there can see it.

A reason may name somebody. So reasons and purposes are sealed under a key of the household whose time was read, and
destroyed with the last account of it; what was read of the time of several households opens as long as all their keys
are there.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import reduce
from typing import Protocol

import msgspec

from quintet.registry.person import Person
from quintet.registry.stays import Stays
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

    def note(self, read: Read) -> int:
        """Keep one; it is kept before the answer is given. Gives the number of its line."""
        ...

    def extend(self, line: int, until_us: int) -> None:
        """Say that what a line tells of went on until a moment."""
        ...


@dataclass(frozen=True, slots=True)
class Noted:
    """A reading as it was noted, with the moment."""

    at_us: int
    read: Read


COLUMNS = "at_us, place, from_us, until_us, step_min, what, reader, role, reason, purpose"
SAME_US = 60_000_000
"""What the same reader reads of a dwelling within a minute, in the same way, is noted once, with the whole span."""
SEALED = "sealed:"
"""So the column `reason` begins where why is sealed: the number of keys and the name of the sealed rows follow."""
KIND = "why"


class VaultLog:
    """Keeps the read log beside what is kept of people. Safe for several threads."""

    def __init__(self, vault: Vault, clock_us: Callable[[], int], stays: Stays) -> None:
        """Keep it in a vault."""
        self._vault = vault
        self._clock_us = clock_us
        self._stays = stays
        self._lock = threading.Lock()
        self._settled = False

    def note(self, read: Read) -> int:
        """Keep a reading; one like that of a moment ago widens its span, within the same household's time."""
        self._settle()
        now, stays = self._clock_us(), self._stays.of(read.place, read.from_us, read.until_us)
        like = (read.place, read.reader, read.role, read.step_min, read.what)
        with self._lock:
            found = self._vault.rows(
                PEOPLE,
                """select seq, from_us, until_us, reason from read where at_us > ? and place = ? and reader = ?
                    and role = ? and step_min = ? and what = ? order by seq desc""",
                [now - SAME_US, *like],
            )
            for line, start, end, why in found:
                span = min(start, read.from_us), max(end, read.until_us)
                same = stays == self._stays.of(read.place, *span) == self._stays.of(read.place, start, end)
                if same and self._opened(why) == (read.reason, read.purpose):
                    statement = "update read set from_us = ?, until_us = ? where seq = ?"
                    self._vault.write(PEOPLE, statement, [*span, line])
                    return int(line)
            why = self._sealed(stays, read.reason, read.purpose)
            kept = astuple(replace(read, reason=why, purpose=""))
            self._vault.write(
                PEOPLE, f"insert into read({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [now, *kept]
            )
            line = "select max(seq) from read where place = ? and reader = ?"
            return int(self._vault.rows(PEOPLE, line, [read.place, read.reader])[0][0])

    def extend(self, line: int, until_us: int) -> None:
        """Move the end of a line's span to a later moment."""
        self._vault.write(
            PEOPLE, "update read set until_us = ? where seq = ? and until_us < ?", [until_us, line, until_us]
        )

    def of(self, places: Sequence[str], from_us: int, until_us: int, limit: int) -> list[Noted]:
        """Give who read of any of some places a span that touches [from_us, until_us), the newest first."""
        self._settle()
        marks = ", ".join("?" * len(places))
        found = self._vault.rows(
            PEOPLE,
            f"""select {COLUMNS} from read where place in ({marks}) and until_us > ? and from_us < ?
                order by at_us desc, seq desc limit ?""",
            [*places, from_us, until_us, limit],
        )
        out: list[Noted] = []
        for row in found:
            reason, purpose = self._opened(row[-2])
            out.append(Noted(row[0], replace(Read(*row[1:]), reason=reason, purpose=purpose)))
        return out

    def part(self, person: Person) -> None:
        """Destroy, before a person is erased, why was read of the stays that end with him."""
        for stay in self._stays.ending_with(person):
            self._vault.destroy(stay, self._clock_us())

    def _sealed(self, stays: Sequence[str], reason: str, purpose: str) -> str:
        """Seal why under all of some keys, a share under each: whoever lacks one has nothing. Gives their name."""
        if not reason and not purpose:
            return ""
        name, body = secrets.token_hex(8), msgspec.json.encode((reason, purpose))
        shares = [secrets.token_bytes(len(body)) for _ in stays[1:]]
        shares.append(reduce(_crossed, shares, body))
        for stay, share in zip(stays, shares, strict=True):
            self._vault.made_key(stay)
            self._vault.put(stay, KIND, name, share)
        return f"{SEALED}{len(stays)}:{name}"

    def _opened(self, why: str) -> tuple[str, str]:
        """Give reason and purpose; empty where they were destroyed."""
        if not why.startswith(SEALED):
            return "", ""
        count, _, name = why.removeprefix(SEALED).partition(":")
        shares = self._vault.shares(KIND, name)
        return (
            msgspec.json.decode(reduce(_crossed, shares), type=tuple[str, str]) if len(shares) == int(count) else NONE
        )

    def _settle(self) -> None:
        """Seal what was written before reasons were sealed; once."""
        if self._settled:
            return
        with self._lock:
            left = self._vault.rows(
                PEOPLE,
                f"""select seq, place, from_us, until_us, reason, purpose from read
                    where purpose <> '' or (reason <> '' and substr(reason, 1, {len(SEALED)}) <> ?)""",
                [SEALED],
            )
            for line, place, start, end, reason, purpose in left:
                why = self._sealed(self._stays.of(place, start, end), reason, purpose)
                self._vault.write(PEOPLE, "update read set reason = ?, purpose = '' where seq = ?", [why, line])
            self._settled = True


NONE = ("", "")


def _crossed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
