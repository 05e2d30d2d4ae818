"""Exact sums over named sets of channels in periods, with what was expected and heard of each: one grouped read."""

from collections.abc import Set
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.set_flows import (
    OPEN,
    SET_SUMS,
    folded_until,
    newer_folds,
    set_days,
    set_intervals,
    set_months,
    set_pairs,
)
from quintet.store.signed_flows import set_signed
from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, day_edges

from .flows import Amounts, exact_integers
from .hour_sums import Known, signed_split

Mask = npt.NDArray[np.bool_]

ROWS_AT_ONCE = 1_000
"""Sets whose times are added together: a year of days of so many stays in the processor's memory."""
NEVER_DAY, LAST_DAY = -(2**31), 2**31 - 1
EPOCH_MONTH = 1970 * 12
"""The number of the month in which day number 0 lies."""
SET_COLUMNS = ["channel", "key", "sign", "clip", "cadence_min", "start_us", "end_us"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer knows: a consistent read, the registry and batch (None: now), and until when channels owe.

    `registered` is the batch whose registry counts (None: that of `batch`); `scratch`: stored sums are not read, but
    every interval.
    """

    engine: Engine
    snapshot: Snapshot
    registry: Registry
    batch: int | None
    known_us: int
    until_us: int
    rule_set: str
    registered: int | None = None
    scratch: bool = False


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


def set_sums(
    moment: Asked, rows: pa.Table, sets: int, edges_us: Ints, events: Set[int], read: Mask | None = None,
    *, lean: bool = False,
) -> SetSums:  # fmt: skip
    """Sum `sets` sets over the periods between edges; `rows` has SET_COLUMNS, `key` being the set's number.

    Channels of `events` owe nothing. Rows whose channel is negative stand for a channel that is not there: they owe and
    are never heard. Where `read` marks rows, only those are heard here, and all are expected.
    `lean`, for many sets on many days: minutes take 32 bits, and `standing_us` is not worked out (0, in no room).
    """
    count = len(edges_us) - 1
    there = rows["channel"].to_numpy() >= 0
    parts = _read(moment, rows.filter(pa.array(there if read is None else there & read)), edges_us)
    shape = (sets, count)
    value, arrived, estimated = _scattered(parts, shape, np.int32 if lean else np.int64)
    until = np.minimum(edges_us, max(moment.until_us, int(edges_us[0])))
    owing = ~np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    expected = _time(rows.filter(pa.array(owing)), shape, until)
    standing = np.broadcast_to(np.zeros((), np.int64), shape) if lean else _time(rows, shape, edges_us)
    return SetSums(value, arrived, estimated, expected, standing)


def _read(moment: Asked, rows: pa.Table, edges_us: Ints) -> pa.Table:
    """Read whole days from the rollups where that is all that is asked; what cannot be so from the intervals."""
    edges = pa.table({"start_us": edges_us, "period": np.arange(len(edges_us))})
    first, midnights = day_edges(int(edges_us[0]), int(edges_us[-1]) - 1, moment.engine.tz)
    if moment.scratch or not np.isin(edges_us, midnights).all():
        return set_intervals(moment.engine, moment.snapshot, edges, rows, moment.batch)
    period = np.searchsorted(edges_us, midnights[:-1], side="right") - 1
    whole, cut = parted(rows, first, midnights)
    signed = pa.array(whole["clip"].to_numpy() != 0)
    starts = day_starts(first, midnights, period)
    tables = [
        *_days(moment, whole.filter(pc.invert(signed)), starts),
        *_signed(moment, whole.filter(signed), starts),
        set_pairs(moment.engine, moment.snapshot, starts, cut, cut.select(["channel", "day"]), moment.batch),
    ]
    return pa.concat_tables(table.select(SET_SUMS.names).cast(SET_SUMS) for table in tables)


def day_starts(first: int, midnights: Ints, period: Ints) -> pa.Table:
    """Give the `start_us`, `day` and `period` of local days numbered from `first`, and of where the last one ends."""
    number = pa.array(first + np.arange(len(midnights)), pa.int32())
    return pa.table({"start_us": midnights, "day": number, "period": np.append(period, period[-1])})


def parted(rows: pa.Table, first: int, midnights: Ints) -> tuple[pa.Table, pa.Table]:
    """Part rows into whole days (also `first_day`, `end_day`), and into the pieces of a day (`day`) at their ends."""
    start, end = rows["start_us"].to_numpy(), rows["end_us"].to_numpy()
    count = len(midnights) - 1
    began, ended = np.searchsorted(midnights, start), np.searchsorted(midnights, end, side="right") - 1
    first_day = np.where(began == 0, NEVER_DAY, np.where(began > count, LAST_DAY, first + began))
    end_day = np.where(ended < 0, NEVER_DAY, np.where(ended >= count, LAST_DAY, first + ended))
    inside = [(began > 0) & (began <= count), (ended >= 0) & (ended < count)]
    cut = [inside[0] & (midnights[np.minimum(began, count)] != start), inside[1] & (midnights[ended] != end)]
    cut[1] &= ~(cut[0] & (ended < began))  # begun and ended on one day: one piece
    pieces: list[pa.Table] = []
    for mine, at in zip(cut, (began - 1, ended), strict=True):
        held = np.flatnonzero(mine)
        day = at[held]
        low, high = np.maximum(start[held], midnights[day]), np.minimum(end[held], midnights[day + 1])
        part = _bounded(rows.take(pa.array(held)), low, high)
        pieces.append(part.append_column("day", pa.array((first + day).astype(np.int32))))
    counts = pa.array(first_day < end_day)
    whole = _bounded(rows, *(midnights[np.clip(days - first, 0, count)] for days in (first_day, end_day)))
    for name, days in (("first_day", first_day), ("end_day", end_day)):
        whole = whole.append_column(name, pa.array(days.astype(np.int32)))
    return whole.filter(counts), pa.concat_tables(pieces)


def _bounded(rows: pa.Table, start_us: Ints, end_us: Ints) -> pa.Table:
    """Give rows with other bounds."""
    for name, moments in (("start_us", start_us), ("end_us", end_us)):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(moments, pa.int64()))
    return rows


def _signed(moment: Asked, rows: pa.Table, starts: pa.Table) -> list[pa.Table]:
    """Sum halves of signed rows that count on whole days: those that are kept, and the intervals of all other days."""
    if not rows.num_rows:
        return []
    midnights, number = starts["start_us"].to_numpy(), starts["day"].to_numpy()
    low, high = int(midnights[0]), int(midnights[-1])
    channels = rows.select(["channel"])
    known = Known(moment.batch, moment.registered)
    kept, others = signed_split(moment.engine, moment.snapshot, low, high, channels, known)
    days = starts.slice(0, len(number) - 1)
    clear = days.filter(pc.is_in(days["day"], pa.array(kept, pa.int32())))
    each = np.unique(channels["channel"].to_numpy())
    pairs = pa.table({
        "channel": pa.array(np.repeat(each, len(others)), pa.int32()),
        "day": pa.array(np.tile(np.array(others, np.int32), len(each)), pa.int32()),
    })  # fmt: skip
    return [
        set_signed(moment.snapshot, clear, rows),
        set_pairs(moment.engine, moment.snapshot, starts, rows, pairs, moment.batch),
    ]


def _days(moment: Asked, rows: pa.Table, starts: pa.Table) -> list[pa.Table]:
    """Sum rows that count on whole days: by months where they can be, by days, and by intervals what is newer.

    `starts` holds each local day's `start_us`, `day` and `period`, its last row being where the last day ends.
    """
    snapshot, known = moment.snapshot, moment.batch
    days = starts.slice(0, starts.num_rows - 1).select(["day", "period"])
    number, period = days["day"].to_numpy(), days["period"].to_numpy()
    folded = folded_until(snapshot, int(number[0]), int(number[-1]))
    until = np.array([folded.get(day, OPEN) for day in number.tolist()], np.int64)
    days = days.append_column("folded", pa.array(until))
    months, inside = _months(number, period)
    whole = pa.array((rows["first_day"].to_numpy() <= number[0]) & (rows["end_day"].to_numpy() > number[-1]))
    long, short = rows.filter(whole), rows.filter(pc.invert(whole))
    out = [
        set_months(snapshot, months, long, known),
        set_days(snapshot, days.filter(pa.array(inside)), long, known, loose=True),
        set_days(snapshot, days.filter(pa.array(~inside)), long, known),
        set_days(snapshot, days, short, known),
    ]
    if known is not None:
        newer = newer_folds(snapshot, days, rows.select(["channel"]), known)
        out.append(set_pairs(moment.engine, snapshot, starts, rows, newer, known))
    return out


def _months(number: Ints, period: Ints) -> tuple[pa.Table, Mask]:
    """Give the months all of whose days are asked for in one period, and which days those are."""
    month = number.astype("datetime64[D]").astype("datetime64[M]")
    distinct, which, count = np.unique(month, return_inverse=True, return_counts=True)
    length = ((distinct + 1).astype("datetime64[D]") - distinct.astype("datetime64[D]")).astype(np.int64)
    first = np.append(0, np.cumsum(count)[:-1])
    whole = (count == length) & (period[first] == period[first + count - 1])
    chosen = distinct[whole].astype(np.int64) + EPOCH_MONTH
    months = pa.table({"month": pa.array(chosen, pa.int32()), "period": period[first[whole]]})
    return months, whole[which]


def _scattered(found: pa.Table, shape: tuple[int, int], minutes: type[np.integer[Any]]) -> tuple[Amounts, Ints, Ints]:
    """Lay sums out as arrays, minutes in numbers of a kind."""
    key, period = (found[name].to_numpy().astype(np.int64) for name in ("key", "period"))
    amounts = exact_integers(found["value"])
    out = [np.zeros(shape, kind) for kind in (amounts.dtype, minutes, minutes)]
    columns = (amounts, *(found[name].to_numpy() for name in ("arrived_min", "estimated_min")))
    for array, column in zip(out, columns, strict=True):
        np.add.at(array, (key, period), column.astype(array.dtype, copy=False))  # of one kind: `at` is slow on two
    return out[0], out[1], out[2]


def _time(rows: pa.Table, shape: tuple[int, int], edges_us: Ints) -> Ints:
    """Count for each set the time of its rows in each period, in microseconds."""
    bounds = np.stack([rows[name].to_numpy() for name in ("start_us", "end_us")], axis=1)
    starts, ends = np.clip(bounds, edges_us[0], edges_us[-1]).T
    (first, begun), (last, ended) = (np.unique(one, return_inverse=True) for one in (starts, ends))
    pairs, which = np.unique(begun * len(last) + ended, return_inverse=True)
    spans = np.stack([first[pairs // max(len(last), 1)], last[pairs % max(len(last), 1)]], axis=1)
    out = np.zeros(shape, np.int64)
    key = rows["key"].to_numpy().astype(np.int64)
    order = np.argsort(which, kind="stable")
    cuts = np.searchsorted(which[order], np.arange(len(spans) + 1))
    for number, (start, end) in enumerate(spans.tolist()):
        shared = np.maximum(np.minimum(edges_us[1:], end) - np.maximum(edges_us[:-1], start), 0)
        channels = np.bincount(key[order[cuts[number] : cuts[number + 1]]], minlength=shape[0])
        held = np.flatnonzero(channels)
        for low in range(0, len(held), ROWS_AT_ONCE):
            some = held[low : low + ROWS_AT_ONCE]
            out[some] += channels[some, None] * shared
    return out
