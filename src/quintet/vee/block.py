"""The arrays that validation and estimation work on: whole channels of one cadence over one range of time.

Rows are channels, columns intervals. Amounts are int64 sub-units (terms.unit); a magnitude stays under 2**60, so that
three of them still add up in 64 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.errors import BadInput
from quintet.terms.length import DAY_US
from quintet.terms.period import day_edges, from_us
from quintet.terms.quality import qualities

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

MISSING = 0
"""Quality of a column without a value (no quality has this id)."""


@dataclass(frozen=True)
class Block:
    """Whole channels of one cadence: m rows (channels), n columns (intervals from `start_us` on, `cadence_us` apart).

    Where `present` is False, value and quality mean nothing. `day_of` counts the city's local days from 0; day 0 is
    `first_day` days after 1970-01-01. `slot_of` is the column's place on the local clock (0 = the slot of midnight), so
    that a 23- or 25-hour day lines up with its neighbours. Only days marked in `whole_day` are judged as days.
    """

    start_us: int
    cadence_us: int
    channels: Ids
    value: Ints
    quality: Bytes
    present: Mask
    day_of: Ids
    whole_day: Mask
    slot_of: Ids
    first_day: int

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together."""
        shape = (len(self.channels), len(self.day_of))
        fits = self.value.shape == self.quality.shape == self.present.shape == shape and len(self.slot_of) == shape[1]
        if not fits or (shape[1] and int(self.day_of[-1]) >= len(self.whole_day)):
            raise BadInput(
                f"arrays of a block do not fit {shape[0]} channels x {shape[1]} intervals.", code="bad_block"
            )

    @classmethod
    def of(
        cls, start_us: int, cadence_us: int, channels: Ids, arrays: tuple[Ints, Bytes, Mask], tz: ZoneInfo
    ) -> "Block":
        """Build from values, qualities and presence (each m x n); the days follow from the city's clock."""
        day_of, whole_day, slot_of, first_day = _calendar(start_us, cadence_us, arrays[0].shape[1], tz.key)
        return cls(start_us, cadence_us, channels, *arrays, day_of, whole_day, slot_of, first_day)

    @property
    def end_us(self) -> int:
        """First moment after the last column."""
        return self.start_us + len(self.day_of) * self.cadence_us

    def day_edges(self) -> Ints:
        """Give the first column of each day and, last, the number of columns: ndays + 1 numbers."""
        return np.searchsorted(self.day_of, np.arange(len(self.whole_day) + 1)).astype(np.int64)

    def whole_days(self) -> list[tuple[int, int]]:
        """List the whole days as half-open ranges of columns."""
        edges = self.day_edges()
        return [(int(edges[day]), int(edges[day + 1])) for day in np.flatnonzero(self.whole_day)]


@lru_cache(maxsize=64)
def _calendar(start_us: int, cadence_us: int, columns: int, tz_key: str) -> tuple[Ids, Mask, Ids, int]:
    """Work out day_of, whole_day, slot_of and first_day of a range of columns on a local clock.

    A day is whole when no slot that starts in it lies outside of the range. The arrays are shared: read-only.
    """
    if not columns:
        return np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0, np.int32), 0
    tz, end_us = ZoneInfo(tz_key), start_us + columns * cadence_us
    at = start_us + cadence_us * np.arange(columns, dtype=np.int64)
    first_day, midnights = day_edges(start_us, end_us - cadence_us, tz)
    edges = np.searchsorted(at, midnights)
    edges[0] = 0
    held = np.diff(edges)
    day_of = np.repeat(np.arange(len(held), dtype=np.int32), held)
    whole = (start_us - cadence_us < midnights[:-1]) & (end_us >= midnights[1:]) & (held > 0)
    slot_of = np.zeros(columns, np.int32)
    for day in np.flatnonzero(held):
        own = slice(int(edges[day]), int(edges[day + 1]))
        if midnights[day + 1] - midnights[day] == DAY_US:
            slot_of[own] = _clock_us(int(at[own.start]), tz) // cadence_us + np.arange(held[day])
        else:
            slot_of[own] = [_clock_us(moment, tz) // cadence_us for moment in at[own].tolist()]
    for array in (day_of, whole, slot_of):
        array.setflags(write=False)
    return day_of, whole, slot_of, first_day


def _clock_us(at_us: int, tz: ZoneInfo) -> int:
    """Give what a local clock shows at a moment, as microseconds since its midnight."""
    local = from_us(at_us).astimezone(tz)
    return (local.hour * 60 + local.minute) * 60_000_000 + local.second * 1_000_000 + local.microsecond


class Kind(NamedTuple):
    """What a channel is, as far as rules ask; the order is that of the rulebook's SCOPES.

    `meter_class` is the city's own word for a kind of meter (a note of the meters table), empty where it has none.
    """

    commodity: str
    role: str
    quantity: str
    value_kind: str
    meter_class: str = ""


@dataclass(frozen=True)
class Traits:
    """What the rules know of each row of a block: m entries in each array.

    `kind_of` is each row's place in `kinds`; `plate_max_per_hour` is the physical maximum in sub-units an hour, -1
    where nobody knows it.
    """

    kinds: Sequence[Kind]
    kind_of: Ids
    plate_max_per_hour: Ints

    @classmethod
    def of(
        cls,
        commodity: list[str],
        role: list[str],
        quantity: list[str],
        plate_max_per_hour: Ints,
        value_kind: list[str],
        meter_class: list[str] | None = None,
    ) -> "Traits":
        """Build from rows given word by word; raise BadInput when the lists differ in length."""
        classes = [""] * len(commodity) if meter_class is None else meter_class
        if len({len(words) for words in (commodity, role, quantity, value_kind, classes)}) != 1:
            raise BadInput(f"traits do not fit {len(commodity)} channels.", code="bad_block")
        numbers: dict[Kind, int] = {}
        every = map(Kind, commodity, role, quantity, value_kind, classes)
        kind_of = np.array([numbers.setdefault(kind, len(numbers)) for kind in every], np.int32)
        return cls(list(numbers), kind_of, plate_max_per_hour)


@dataclass(frozen=True)
class Findings:
    """What validation found, flat: one entry a span of columns (both ends included) of one row, by one rule.

    `rule` is the index of the rule in its `Rules`. Sorted by row, first column, rule. `middle` marks those that lie in
    a rule's middle zone (V01, W01: to be looked at, no failure); None where no rule has one.
    """

    row: Ids
    column_first: Ids
    column_last: Ids
    rule: Ids
    middle: Mask | None = None

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.row)


@dataclass(frozen=True)
class Gaps:
    """Spans of columns to be filled, flat: row, first column, length.

    Where `has_total`, the estimates must sum to `total` exactly (a register's difference over the span).
    """

    row: Ids
    first: Ids
    length: Ids
    total: Ints
    has_total: Mask

    def __len__(self) -> int:
        """Count the gaps."""
        return len(self.row)


@cache
def measured_ids() -> Mask:
    """Mark (256 entries, by id) the qualities that rules may judge: measured, but no human edit: it outranks them."""
    top = qualities()["valid"].rank
    return ids_of([code for code, quality in qualities().items() if quality.kind == "measured" and quality.rank <= top])


def ids_of(codes: list[str]) -> Mask:
    """Mark qualities, named by code, in a table of 256 entries by id."""
    out = np.zeros(256, np.bool_)
    out[[qualities()[code].id for code in codes]] = True
    return out


@cache
def of_kind(kind: str) -> Mask:
    """Mark (256 entries, by id) the qualities of a kind: measured, estimated or rejected."""
    return ids_of([code for code, quality in qualities().items() if quality.kind == kind])


def spans(mask: Mask, least: int = 1) -> tuple[Ids, Ids, Ids]:
    """Find the runs of True of at least `least` columns in each row: row, first column, last column, in order."""
    rows = np.flatnonzero(mask.any(axis=1))
    edges = np.zeros((len(rows), mask.shape[1] + 2), np.int8)
    edges[:, 1:-1] = mask[rows]
    turns = np.diff(edges, axis=1)
    row, first = np.nonzero(turns == 1)
    last = np.nonzero(turns == -1)[1] - 1
    long = last - first + 1 >= least
    return rows[row[long]].astype(np.int32), first[long].astype(np.int32), last[long].astype(np.int32)


def cells(row: Ids, first: Ids, length: Ids) -> tuple[Ints, Ints]:
    """Unroll spans to their cells: the row and the column of each, span after span."""
    offset = np.cumsum(length, dtype=np.int64) - length
    column = np.arange(int(length.sum()), dtype=np.int64) + np.repeat(first - offset, length)
    return np.repeat(row.astype(np.int64), length), column


def find_gaps(block: Block) -> Gaps:
    """Find every span of columns without a measured, not rejected value; none has a total."""
    row, first, last = spans(~(block.present & of_kind("measured")[block.quality]))
    return Gaps(row, first, last - first + 1, np.zeros(len(row), np.int64), np.zeros(len(row), np.bool_))
