"""Exact sums over named sets of channels in periods, with what was expected and heard of each: one grouped read."""

from collections.abc import Set
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.set_flows import set_days, set_intervals
from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, day_edges

Amounts = npt.NDArray[Any]
"""Whole sub-units: int64 while sums over all sets surely fit, Python integers (dtype object) beyond."""
Mask = npt.NDArray[np.bool_]

ROOM = 2**62
"""Below this, a sum fits into 64 bits."""
TERMS = 16
"""Sums over flows and levels count an amount at most this often."""
NEVER_DAY, LAST_DAY = -(2**31), 2**31 - 1
SET_COLUMNS = ["channel", "key", "sign", "clip", "cadence_min", "start_us", "end_us"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer knows: a consistent read, the registry and batch (None: now), and until when channels owe."""

    engine: Engine
    snapshot: Snapshot
    registry: Registry
    batch: int | None
    known_us: int
    until_us: int
    rule_set: str


@dataclass(frozen=True, slots=True)
class SetSums:
    """Sums [sets, periods]: values in sub-units, channel-minutes arrived and estimated, channel-time expected.

    `standing_us` is the time in which a channel stands, whether or not it owes intervals, to the period's end.
    """

    value: Amounts
    arrived_min: Ints
    estimated_min: Ints
    expected_us: Ints
    standing_us: Ints

    def part(self, chosen: slice) -> "SetSums":
        """Give the sums of some sets."""
        return SetSums(*(getattr(self, one.name)[chosen] for one in fields(self)))

    @property
    def expected_min(self) -> Ints:
        """The channel-minutes that were expected."""
        return self.expected_us // MINUTE_US

    @property
    def unknown(self) -> Mask:
        """A channel stands there and nothing is known of it."""
        return (self.arrived_min + self.estimated_min == 0) & (self.standing_us >= MINUTE_US)

    @property
    def whole(self) -> Mask:
        """All that was expected is known, measured or estimated."""
        return self.arrived_min + self.estimated_min >= self.expected_min


def set_sums(moment: Asked, rows: pa.Table, sets: int, edges_us: Ints, events: Set[int]) -> SetSums:
    """Sum `sets` sets over the periods between edges; `rows` has SET_COLUMNS, `key` being the set's number.

    Channels of `events` owe nothing. Rows whose channel is negative stand for a channel that is not there: they owe and
    are never heard.
    """
    count = len(edges_us) - 1
    parts = _read(moment, rows.filter(pa.array(rows["channel"].to_numpy() >= 0)), edges_us)
    shape = (sets, count)
    value, arrived, estimated = _scattered(parts, shape)
    until = np.minimum(edges_us, max(moment.until_us, int(edges_us[0])))
    owing = ~np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    expected = _time(rows.filter(pa.array(owing)), shape, until)
    return SetSums(value, arrived, estimated, expected, _time(rows, shape, edges_us))


def _read(moment: Asked, rows: pa.Table, edges_us: Ints) -> pa.Table:
    """Read whole days from the rollups where that is all that is asked; what cannot be so from the intervals."""
    edges = pa.table({"start_us": edges_us, "period": np.arange(len(edges_us))})
    first, midnights = day_edges(int(edges_us[0]), int(edges_us[-1]) - 1, moment.engine.tz)
    if moment.batch is not None or not np.isin(edges_us, midnights).all():
        return set_intervals(moment.engine, moment.snapshot, edges, rows, moment.batch)
    period = np.searchsorted(edges_us, midnights[:-1], side="right") - 1
    days = pa.table({"day": pa.array(first + np.arange(len(period)), pa.int32()), "period": period})
    bounds = [_day_of(rows[name].to_numpy(), first, midnights) for name in ("start_us", "end_us")]
    odd = (rows["clip"].to_numpy() != 0) | np.isnan(bounds[0]) | np.isnan(bounds[1])
    even = rows.filter(pa.array(~odd))
    for name, days_of in zip(("first_day", "end_day"), bounds, strict=True):
        even = even.append_column(name, pa.array(days_of[~odd].astype(np.int32)))
    tables = [
        set_days(moment.snapshot, days, even),
        set_intervals(moment.engine, moment.snapshot, edges, rows.filter(pa.array(odd)), None),
    ]
    return pa.concat_tables(table.cast(tables[0].schema) for table in tables)


def _day_of(moments: Ints, first: int, midnights: Ints) -> npt.NDArray[np.float64]:
    """Give the day that each bound begins within the days asked for; NaN for a bound inside one of them."""
    place = np.searchsorted(midnights, moments)
    inside = np.minimum(place, len(midnights) - 1)
    out = np.where(midnights[inside] == moments, first + inside, np.nan)
    out = np.where(moments <= midnights[0], NEVER_DAY, out)
    return np.where(moments >= midnights[-1], LAST_DAY, out)


def _scattered(found: pa.Table, shape: tuple[int, int]) -> tuple[Amounts, Ints, Ints]:
    """Lay sums out as arrays."""
    key, period = (found[name].to_numpy().astype(np.int64) for name in ("key", "period"))
    amounts = _integers(found["value"])
    out = [np.zeros(shape, kind) for kind in (amounts.dtype, np.int64, np.int64)]
    columns = (amounts, *(found[name].to_numpy() for name in ("arrived_min", "estimated_min")))
    for array, column in zip(out, columns, strict=True):
        np.add.at(array, (key, period), column)
    return out[0], out[1], out[2]


def _integers(column: pa.ChunkedArray) -> Amounts:
    """Give a decimal column as exact integers: int64 where any sum of them surely fits, whatever their signs."""
    try:
        narrow = np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)
    except pa.ArrowInvalid:
        return np.array([int(value) for value in column.to_pylist()], dtype=object)
    return narrow if float(np.abs(narrow.astype(np.float64)).sum()) * TERMS < ROOM else narrow.astype(object)


def _time(rows: pa.Table, shape: tuple[int, int], edges_us: Ints) -> Ints:
    """Count for each set the time of its rows in each period, in microseconds."""
    bounds = np.stack([rows[name].to_numpy() for name in ("start_us", "end_us")], axis=1)
    spans, found = np.unique(np.clip(bounds, edges_us[0], edges_us[-1]), axis=0, return_inverse=True)
    which = found.reshape(-1)
    out = np.zeros(shape, np.int64)
    key = rows["key"].to_numpy().astype(np.int64)
    order = np.argsort(which, kind="stable")
    cuts = np.searchsorted(which[order], np.arange(len(spans) + 1))
    for number, (start, end) in enumerate(spans.tolist()):
        shared = np.maximum(np.minimum(edges_us[1:], end) - np.maximum(edges_us[:-1], start), 0)
        channels = np.bincount(key[order[cuts[number] : cuts[number + 1]]], minlength=shape[0])
        held = np.flatnonzero(channels)
        out[held] += channels[held, None] * shared
    return out
