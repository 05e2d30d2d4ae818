"""The words of the feed: a mark in the order of batches, what changed at a place, and how much is told at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from quintet.terms.alert import Alert
from quintet.terms.amount import Ints
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.unit import Unit

from .members import I32
from .totals import Total

U8 = npt.NDArray[np.uint8]


class ChangedRows(Protocol):
    """Intervals as the pipeline commits them, columns of one length."""

    @property
    def channel(self) -> I32:
        """Channel numbers."""
        ...

    @property
    def start_us(self) -> Ints:
        """Starts in microseconds since 1970."""
        ...

    @property
    def value(self) -> Ints:
        """Sub-units."""
        ...

    @property
    def quality(self) -> U8:
        """Quality ids; `withdrawn` where there is no interval any more."""
        ...


class MadeBatch(Protocol):
    """A durable batch."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def kind(self) -> str:
        """What it holds."""
        ...

    @property
    def received_us(self) -> int:
        """Its moment in microseconds since 1970, later than that of every batch before."""
        ...


class Commit(Protocol):
    """A batch and the intervals it changed."""

    @property
    def batch(self) -> MadeBatch:
        """The batch."""
        ...

    @property
    def rows(self) -> ChangedRows | None:
        """What it changed; None for nothing."""
        ...


class Stepped(Protocol):
    """A batch of steps in the life of alerts."""

    @property
    def batch(self) -> MadeBatch:
        """The batch."""
        ...

    @property
    def alerts(self) -> Sequence[Alert]:
        """The alerts as they stand after it."""
        ...


class Mark(NamedTuple):
    """A point in the order of batches: a batch's number and moment, so that one of another city is not taken for it."""

    batch: int
    stamp_us: int

    def __str__(self) -> str:
        """Give it as listeners keep it."""
        return f"{self.batch}-{self.stamp_us}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what a listener kept; None for what never was a mark."""
        batch, _, stamp = text.partition("-")
        fine = all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (batch, stamp))
        return cls(int(batch), int(stamp)) if fine else None


class Change(NamedTuple):
    """One interval of one channel as it is now: sub-units of `unit`, None where nothing is known any more."""

    channel: str
    start_us: int
    value: int | None
    unit: Unit
    quality: str


@dataclass(frozen=True)
class Changes:
    """What changed at a place up to a mark. `anew`: too much to say, or other meters; `gone`: it may not be read now.

    Of a dwelling `intervals`, and whether `alerts` of it changed; of a place above one `totals`, and the local days (by
    number) that changed and are too old to be summed here.
    """

    mark: Mark
    intervals: Sequence[Change] = ()
    totals: Sequence[Total] = ()
    days: Sequence[int] = ()
    alerts: bool = False
    anew: bool = False
    gone: bool = False

    @property
    def amounts(self) -> bool:
        """Tell whether amounts changed that are told one by one."""
        return bool(self.intervals or self.totals or self.days)

    def __bool__(self) -> bool:
        """Tell whether there is anything to say."""
        return self.amounts or self.alerts or self.anew or self.gone


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is remembered and told at once (live.toml)."""

    ring_rows: int
    ring_batches: int
    event_rows: int
    resume_rows: int

    @classmethod
    def shipped(cls) -> Self:
        """Give the limits that ship with this package."""
        return cls(**numbers_of(read_toml("quintet.access", "live.toml"), cls.__slots__, "live.toml"))


class Rows(NamedTuple):
    """Changed intervals, each once, in order of channel and start."""

    channel: I32
    start_us: Ints
    value: Ints
    quality: U8

    def take(self, rows: Ints) -> "Rows":
        """Give the chosen rows."""
        return Rows(self.channel[rows], self.start_us[rows], self.value[rows], self.quality[rows])

    def of(self, channels: I32) -> "Rows":
        """Give the rows of some channels."""
        low = np.searchsorted(self.channel, channels, side="left")
        high = np.searchsorted(self.channel, channels, side="right")
        parts = [np.arange(*bounds) for bounds in zip(low.tolist(), high.tolist(), strict=True)]
        return self.take(np.concatenate(parts) if parts else np.zeros(0, np.int64))


NO_ROWS = Rows(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))


def newest_of(parts: Sequence[ChangedRows]) -> Rows:
    """Put batches' rows together, the newest batch first: each interval as the newest of them has it."""
    if not parts:
        return NO_ROWS
    rows = Rows(
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.start_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )
    rows = rows.take(np.lexsort((rows.start_us, rows.channel)).astype(np.int64, copy=False))
    first = np.ones(len(rows.channel), np.bool_)
    first[1:] = (rows.channel[1:] != rows.channel[:-1]) | (rows.start_us[1:] != rows.start_us[:-1])
    return rows.take(np.flatnonzero(first))
