"""Columns of raw readings and of intervals while they travel through the pipeline: NumPy arrays of one length."""

from collections.abc import Generator
from dataclasses import dataclass, fields
from os import sched_getaffinity
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SHARD_ROWS = 1_000_000
"""Readings derived at once by one thread: about 100 MB of working space."""
LEAST_ROWS = 200_000
"""Fewer are not worth a thread of their own: beside doors and readers two threads took twice the time of one."""
WORKERS = len(sched_getaffinity(0))
"""Threads that work on shards: one for each core this process may use."""
MOST_AMOUNT = 2**52
"""No interval is larger in sub-units (4.5 TWh, 4.5 km3): a day of minutes of such still adds up in 64 bits."""
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
I8 = npt.NDArray[np.int8]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RawRows:
    """Raw readings: channel number, moment (us), mantissa and exponent as received, number of the unit as received."""

    channel: I32
    at_us: I64
    mantissa: I64
    exponent: I8
    unit: I16

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.channel)

    def take(self, rows: I64 | Mask) -> Self:
        """Give the chosen rows."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def part(self, low: int, high: int, *, copied: bool = False) -> Self:
        """Give the rows from `low` up to `high`, sharing memory unless `copied`."""
        rows = slice(low, high)
        one = type(self)(
            self.channel[rows], self.at_us[rows], self.mantissa[rows], self.exponent[rows], self.unit[rows]
        )
        return one.concat([one]) if copied else one

    @classmethod
    def concat(cls, parts: list[Self]) -> Self:
        """Put parts behind one another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """Read columns of the same names."""
        kinds = (np.int32, np.int64, np.int64, np.int8, np.int16)
        return cls(
            *(table[f.name].to_numpy().astype(kind, copy=False) for f, kind in zip(fields(cls), kinds, strict=True))
        )

    def to_arrow(self, batch: int) -> pa.Table:
        """Give the rows as the store keeps them."""
        columns = {field.name: pa.array(getattr(self, field.name)) for field in fields(self)}
        return pa.table({**columns, "batch": constant(batch, len(self))})


@dataclass(frozen=True, slots=True)
class IntervalRows:
    """Intervals: channel number, start (us), value in sub-units, quality id; sorted by channel and start."""

    channel: I32
    start_us: I64
    value: I64
    quality: U8

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.channel)

    def take(self, rows: I64 | Mask) -> Self:
        """Give the chosen rows."""
        return type(self)(self.channel[rows], self.start_us[rows], self.value[rows], self.quality[rows])

    @classmethod
    def concat(cls, parts: list[Self]) -> Self:
        """Put parts behind one another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Self:
        """Read columns of the same names."""
        kinds = (np.int32, np.int64, np.int64, np.uint8)
        return cls(
            *(table[f.name].to_numpy().astype(kind, copy=False) for f, kind in zip(fields(cls), kinds, strict=True))
        )

    def to_arrow(self, batch: int) -> pa.Table:
        """Give the rows as the store keeps them."""
        columns = {field.name: pa.array(getattr(self, field.name)) for field in fields(self)}
        return pa.table({**columns, "batch": constant(batch, len(self))})


def constant(value: int, count: int) -> pa.Array:
    """Give a column that says the same on every row."""
    return pa.array(np.full(count, value, np.int32))


def key_order(channel: I32, moment: I64) -> I64 | None:
    """Give the order by channel and moment; None when the rows are in it already."""
    if len(channel) < 2:
        return None
    step = np.diff(channel)
    if bool(np.all((step > 0) | ((step == 0) & (np.diff(moment) >= 0)))):
        return None
    return np.lexsort((moment, channel)).astype(np.int64, copy=False)


def merged_order(channel: I32, moment: I64) -> I64:
    """Give the stable order by channel and moment of a few sorted stretches that stand behind one another.

    One key instead of two, sorted by a method that finds the stretches: a fifth of the time of `lexsort`.
    """
    if len(channel) < 2:
        return np.arange(len(channel))
    low, high = int(moment.min()), int(moment.max())
    width = high - low + 1
    if width * (int(channel.max()) + 1) >= 2**63:
        return np.lexsort((moment, channel)).astype(np.int64, copy=False)
    return np.argsort(channel * np.int64(width) + (moment - low), kind="stable")


def local_of(channel: I32, channels: I32) -> I32:
    """Give each row's place among `channels` (sorted, all of them that occur); rows are sorted by channel."""
    edges = np.append(np.searchsorted(channel, channels), len(channel))
    return np.repeat(np.arange(len(channels), dtype=np.int32), np.diff(edges))


def starts_of_runs(*columns: npt.NDArray[np.generic]) -> I64:
    """Give the first row of each run of equal keys in sorted columns."""
    count = len(columns[0])
    if not count:
        return np.zeros(0, np.int64)
    changed = np.zeros(count, np.bool_)
    changed[0] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changed)


def stretches(heads: I64, count: int) -> list[tuple[int, int]]:
    """Give the half-open ranges of rows between heads, the last one to `count`; none where there are no heads."""
    starts = heads.tolist()
    return list(zip(starts, [*starts[1:], count], strict=False))


def cuts(channel: I32) -> Generator[tuple[int, int]]:
    """Cut sorted rows at channel boundaries into ranges of at most about SHARD_ROWS, one for each worker if few."""
    low, count = 0, len(channel)
    size = min(max(-(-count // WORKERS), LEAST_ROWS), SHARD_ROWS)
    while low < count:
        high = min(low + size, count)
        if high < count:
            high = int(np.searchsorted(channel, channel[high - 1], side="right"))
        yield low, high
        low = high
