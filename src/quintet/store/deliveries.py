"""Deliveries that had a key: what became of them, so that the same key is answered the same."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .engine import Snapshot, Writing

COLUMNS = (
    "source",
    "key",
    "digest",
    "batch",
    "accepted",
    "duplicate",
    "rejected",
    "quarantined",
    "skipped",
    "problems",
)
WORDS = ("source", "key", "digest", "problems")
TABLE = pa.schema(
    [pa.field(name, pa.string() if name in WORDS else pa.int64()) for name in (*COLUMNS, "hash", "received_us")]
)

MERGED = 50_000
"""Keys that are kept one by one before they are sorted in among the others."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One delivery as recorded: its sender and key, the digest of its body, its batch, counts, and problems (JSON)."""

    source: str
    key: str
    digest: str
    batch: int
    accepted: int
    duplicate: int
    rejected: int
    quarantined: int
    skipped: int
    problems: str


def key_hash(source: str, key: str) -> int:
    """Give a number for a sender's key: a store of numbers is searched without an index, and needs little memory."""
    digest = hashlib.blake2b(f"{source}\x1f{key}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class KnownKeys:
    """The numbers of all keys recorded, in memory (8 bytes each): most keys are new, and need no look-up.

    One that was forgotten since may still be known here: the record decides.
    """

    def __init__(self, hashes: npt.NDArray[np.int64]) -> None:
        """Start with some numbers."""
        self._sorted = np.sort(hashes)
        self._added: set[int] = set()

    @classmethod
    def load(cls, snapshot: Snapshot) -> Self:
        """Read the numbers of all records."""
        return cls(snapshot.arrow("select hash from delivery")["hash"].to_numpy().astype(np.int64))

    def known(self, keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Give the keys that may be recorded."""
        return [key for key in keys if self._holds(key_hash(*key))]

    def add(self, kept: Iterable["Kept"]) -> None:
        """Take durable records into account."""
        self._added.update(key_hash(one.source, one.key) for one in kept)
        if len(self._added) > MERGED:
            self._sorted = np.union1d(self._sorted, np.fromiter(self._added, np.int64, len(self._added)))
            self._added.clear()

    def _holds(self, number: int) -> bool:
        place = int(np.searchsorted(self._sorted, number))
        return number in self._added or (place < len(self._sorted) and int(self._sorted[place]) == number)


def find_deliveries(snapshot: Snapshot, keys: Iterable[tuple[str, str]], since_us: int) -> dict[tuple[str, str], Kept]:
    """Find what is recorded of senders' keys, unless it came before a moment."""
    hashes = sorted({key_hash(*one) for one in keys})
    if not hashes:
        return {}
    found = snapshot.rows(
        f"""select {", ".join(COLUMNS)} from delivery
            where hash in ({", ".join(map(str, hashes))}) and received_us >= ? order by batch""",
        [since_us],
    )
    kept = (Kept(*row) for row in found)
    return {(one.source, one.key): one for one in kept}


def append_deliveries(writing: Writing, kept: list[Kept]) -> None:
    """Record deliveries with the batch that holds them."""
    rows = [
        {
            **{name: getattr(one, name) for name in COLUMNS},
            "hash": key_hash(one.source, one.key),
            "received_us": writing.batch.received_us,
        }
        for one in kept
    ]
    writing.append("delivery", pa.Table.from_pylist(rows, TABLE))


def forget_deliveries(writing: Writing, before_us: int) -> None:
    """Forget keys that came before a moment."""
    writing.execute("delete from delivery where received_us < ?", [before_us])
