"""Room for the originals of what could not be taken: bounded by source, and what there is no room for is counted.

A row beyond the bounds is counted by source and reason in the commit that answers for it; its original is not kept.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import Damaged
from quintet.terms.length import DAY_US

from .engine import Snapshot, Writing
from .quarantine import NOW, OPEN

BEYOND = "quarantine_beyond/"
"""Begins the keys under which the store's `meta` counts rows that were not kept."""
OTHERS = "(other sources)"


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/quarantine.toml`; days are UTC, what "waits" is neither taken nor dismissed."""

    source_day_rows: int
    source_day_bytes: int
    source_rows: int
    source_bytes: int
    all_rows: int
    all_bytes: int
    sources_counted: int
    retry_after_s: int


@cache
def limits() -> Limits:
    """Give the shipped bounds."""
    return Limits(**numbers_of(read_toml("quintet.store", "quarantine.toml"), Limits.__slots__, "quarantine.toml"))


class NotKept(msgspec.Struct, frozen=True):
    """Rows of one source and reason that were counted and not kept: how many, of how many bytes, since when (us)."""

    rows: int = 0
    bytes: int = 0
    first_us: int = 0
    last_us: int = 0
    batch: int = 0


@dataclass(slots=True)
class Held:
    """Rows and bytes that stand in quarantine: those of a day, and those that wait."""

    day_rows: int = 0
    day_bytes: int = 0
    rows: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count one more original."""
        self.day_rows += 1
        self.day_bytes += size
        self.rows += 1
        self.bytes += size


@dataclass(slots=True)
class Room:
    """What is left of the bounds. Reads the store when it is first asked, and anew when others changed it.

    `bounds` are those shipped unless others are given. Used with the write lock held.
    """

    bounds: Limits = field(default_factory=limits)
    _of: dict[str, Held] = field(default_factory=dict[str, Held])
    _all: Held = field(default_factory=Held)
    _day: int = -1
    _mark: tuple[int, int] = (-1, -1)

    def beyond(self, snapshot: Snapshot, fresh: pa.Table, now_us: int) -> npt.NDArray[np.bool_]:
        """Mark the rows, in their order, for whose originals there is no room; takes nothing yet."""
        out = np.zeros(fresh.num_rows, np.bool_)
        sources = fresh["source"].to_pylist()
        sizes = _sizes(fresh)
        self._read(snapshot, set(sources), now_us)
        counted, weighed = Counter(sources), Counter[str]()
        for source, size in zip(sources, sizes, strict=True):
            weighed[source] += size
        if self._fit(counted, weighed):
            return out
        held = {source: _copy(self._of[source]) for source in counted}
        total = _copy(self._all)
        for place, (source, size) in enumerate(zip(sources, sizes, strict=True)):
            if self._has_room(held[source], total, 1, size):
                held[source].add(size)
                total.add(size)
            else:
                out[place] = True
        return out

    def take(self, kept: pa.Table, mark: tuple[int, int]) -> None:
        """Count originals that stand in the store now; `mark` is the store's (see `mark_of`) with them."""
        for source, size in zip(kept["source"].to_pylist(), _sizes(kept), strict=True):
            if source in self._of:
                self._of[source].add(size)
            self._all.add(size)
        self._mark = mark

    def _fit(self, counted: Counter[str], weighed: Counter[str]) -> bool:
        """Say whether all of it fits."""
        rows, size = counted.total(), weighed.total()
        return all(
            self._has_room(self._of[source], self._all, counted[source], weighed[source]) for source in counted
        ) and (self._all.rows + rows <= self.bounds.all_rows and self._all.bytes + size <= self.bounds.all_bytes)

    def _has_room(self, held: Held, total: Held, rows: int, size: int) -> bool:
        bounds = self.bounds
        return (
            held.day_rows + rows <= bounds.source_day_rows
            and held.day_bytes + size <= bounds.source_day_bytes
            and held.rows + rows <= bounds.source_rows
            and held.bytes + size <= bounds.source_bytes
            and total.rows + rows <= bounds.all_rows
            and total.bytes + size <= bounds.all_bytes
        )

    def _read(self, snapshot: Snapshot, sources: set[str], now_us: int) -> None:
        """Know how much of some sources stands in quarantine."""
        mark, day = mark_of(snapshot), now_us // DAY_US
        if mark != self._mark or day != self._day or len(self._of) > self.bounds.sources_counted:
            self._of.clear()
            rows, size = snapshot.rows(
                f"select count(*), coalesce(sum(strlen(original)), 0) from ({NOW}) where state = ?", [OPEN]
            )[0]
            self._all, self._mark, self._day = Held(0, 0, int(rows), int(size)), mark, day
        unknown = sorted(sources - self._of.keys())
        if unknown:
            found = snapshot.rows(
                f"""select n.source, count(*) filter (b.received_us >= $1),
                        coalesce(sum(strlen(n.original)) filter (b.received_us >= $1), 0),
                        count(*) filter (n.state = $2), coalesce(sum(strlen(n.original)) filter (n.state = $2), 0)
                    from ({NOW}) n join batch b on n.batch = b.id where list_contains($3, n.source)
                    group by n.source""",
                [day * DAY_US, OPEN, unknown],
            )
            self._of |= {source: Held() for source in unknown}
            self._of |= {source: Held(*map(int, counts)) for source, *counts in found}


def mark_of(snapshot: Snapshot) -> tuple[int, int]:
    """Give what changes whenever rows are set aside or settled."""
    found = snapshot.rows("select (select count(*) from quarantine), (select count(*) from quarantine_step)")[0]
    return int(found[0]), int(found[1])


def count_beyond(writing: Writing, beyond: pa.Table, most_sources: int) -> None:
    """Count rows that are not kept, by source and reason, as part of a batch."""
    if not beyond.num_rows:
        return
    known = not_kept(writing)
    named = {source for source, _ in known}
    more: dict[tuple[str, str], list[int]] = {}
    for source, code, size in zip(
        beyond["source"].to_pylist(), beyond["code"].to_pylist(), _sizes(beyond), strict=True
    ):
        name = source if source in named or len(named) < most_sources else OTHERS
        named.add(name)
        one = more.setdefault((name, code), [0, 0])
        one[0] += 1
        one[1] += size
    now_us, batch = writing.batch.received_us, writing.batch.id
    for (source, code), (rows, size) in more.items():
        was = known.get((source, code), NotKept(first_us=now_us))
        said = NotKept(was.rows + rows, was.bytes + size, was.first_us, now_us, batch)
        key = BEYOND + msgspec.json.encode((source, code)).decode()
        writing.execute("delete from meta where key = ?", [key])
        writing.execute("insert into meta values (?, ?)", [key, msgspec.json.encode(said).decode()])


def not_kept(snapshot: Snapshot) -> dict[tuple[str, str], NotKept]:
    """Give what was counted and not kept, by source and code. Raises Damaged where that cannot be read."""
    found = snapshot.rows("select key, value from meta where starts_with(key, ?) order by key", [BEYOND])
    try:
        return {
            msgspec.json.decode(key.removeprefix(BEYOND), type=tuple[str, str]): msgspec.json.decode(
                value, type=NotKept
            )
            for key, value in found
        }
    except msgspec.DecodeError as error:
        raise Damaged(
            "says of rows that were not kept what cannot be read: its table `meta` was changed.",
            code="meta_damaged",
            place="store",
            remedy="Restore a backup (`quintet backup restore`).",
        ) from error


def not_kept_by_code(found: Iterable[tuple[tuple[str, str], NotKept]]) -> Counter[str]:
    """Add up rows that were not kept by code."""
    out = Counter[str]()
    for (_, code), one in found:
        out[code] += one.rows
    return out


def _sizes(rows: pa.Table) -> list[int]:
    return pc.binary_length(rows["original"]).to_pylist()


def _copy(held: Held) -> Held:
    return Held(held.day_rows, held.day_bytes, held.rows, held.bytes)
