"""What a place above a dwelling comes to in the quarter hours that changed, summed from the newest days in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.store.recent import Recent
from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, day_numbers, grid_phase

from .flows import Key, minutes_of
from .members import Counting, Group
from .series import ESTIMATED, MEASURED

QUARTER_US = 15 * MINUTE_US
CELLS_AT_ONCE = 100_000
"""Intervals copied out of the memory in one go: commits wait for that long, about a millisecond."""
LOW = 2**32
"""Values are summed in two halves of 32 bits, so that no city is too large for 64."""
Matrix = npt.NDArray[np.int64]
Qualities = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Total:
    """One flow in one quarter hour, as FLOWS has it: sub-units (None: a channel stands there and nothing is known)."""

    start_us: int
    key: Key
    value: int | None
    expected_min: int
    arrived_min: int
    estimated_min: int


class Sums:
    """Exact sums by key and quarter hour: value, arrived and estimated minutes."""

    def __init__(self, keys: int, slots: int) -> None:
        """Begin at nothing."""
        self.high, self.low, self.arrived, self.estimated = (np.zeros((keys, slots), np.int64) for _ in range(4))

    def add(self, group: Group, low: int, starts: Ints, slots: Ints, value: Matrix, quality: Qualities) -> None:
        """Add intervals (channels x starts) of `group` from row `low` on; `slots` are the starts' quarter hours."""
        rows = slice(low, low + len(value))
        active = (starts >= group.start_us[rows, None]) & (starts < group.end_us[rows, None])
        measured, estimated = MEASURED[quality] & active, ESTIMATED[quality] & active
        clip = group.clip[rows, None]
        amount = group.sign[rows, None] * value
        amount = np.where(clip == 0, amount, np.maximum(clip * amount, 0)) * (measured | estimated)
        key = group.key[rows]
        heads = np.flatnonzero(np.diff(key, prepend=-1))
        minutes = group.minutes[rows, None]
        parts = (amount // LOW, amount % LOW, measured * minutes, estimated * minutes)
        for total, part in zip((self.high, self.low, self.arrived, self.estimated), parts, strict=True):
            summed = np.add.reduceat(part, heads, axis=0)
            np.add.at(total, (key[heads][:, None], slots[None, :]), summed)


def quarter_starts(start_us: Ints, tz: ZoneInfo) -> Ints:
    """Give the quarter hour of the city's clock in which each interval starts."""
    return start_us - (start_us + grid_phase(tz, QUARTER_US)) % QUARTER_US


def held_totals(
    recent: Recent, tz: ZoneInfo, counting: Counting, channel: npt.NDArray[np.int32], start_us: Ints, now_us: int
) -> tuple[list[Total], list[int]]:
    """Sum a place's flows in the quarter hours in which the given intervals changed.

    Gives the totals of the flows that these channels are part of, and the local days (numbers) that are too old to be
    remembered: those must be read anew.
    """
    quarter = quarter_starts(start_us, tz)
    day = day_numbers(quarter, tz)
    old = day < recent.first_day
    quarters, which = np.unique(quarter[~old], return_inverse=True)
    totals: list[Total] = []
    if len(quarters):
        sums = _summed(recent, tz, counting, quarters)
        touched = _touched(counting, channel[~old], start_us[~old], which, len(quarters))
        totals = _totals(counting, quarters, sums, touched, now_us)
        # a day that was let go meanwhile was read as empty
        gone = day[~old] < recent.first_day
        if bool(gone.any()):
            totals = [one for one, lost in zip(totals, _lost(totals, tz, recent.first_day), strict=True) if not lost]
            old = day < recent.first_day
    return totals, np.unique(day[old]).tolist()


def _lost(totals: Sequence[Total], tz: ZoneInfo, first_day: int) -> list[bool]:
    return (day_numbers(np.array([one.start_us for one in totals], np.int64), tz) < first_day).tolist()


def _summed(recent: Recent, tz: ZoneInfo, counting: Counting, quarters: Ints) -> Sums:
    """Sum all members' intervals that start in some quarter hours (sorted)."""
    sums = Sums(len(counting.keys), len(quarters))
    days = day_numbers(quarters, tz)
    for group in counting.groups:
        for day in np.unique(days).tolist():
            starts = recent.starts(group.cadence_us, group.phase_us, day)
            inside = quarter_starts(starts, tz)
            wanted = np.flatnonzero(np.isin(inside, quarters))
            for first, end in stretches_of(wanted):
                slots = np.searchsorted(quarters, inside[first:end])
                at_once = max(CELLS_AT_ONCE // (end - first), 1)
                for low in range(0, len(group.channel), at_once):
                    own = group.channel[low : low + at_once]
                    held = recent.days(own, group.cadence_us, group.phase_us, day, (first, end))
                    if held is not None:
                        sums.add(group, low, starts[first:end], slots, held[1], held[2])
    return sums


def stretches_of(columns: Ints) -> list[tuple[int, int]]:
    """Give sorted columns as half-open ranges of neighbours."""
    if not len(columns):
        return []
    breaks = np.flatnonzero(np.diff(columns) > 1)
    firsts, lasts = columns[np.append(0, breaks + 1)], columns[np.append(breaks, len(columns) - 1)]
    return list(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))


def _touched(
    counting: Counting, channel: npt.NDArray[np.int32], start_us: Ints, slot: Ints, slots: int
) -> npt.NDArray[np.bool_]:
    """Mark (keys x quarter hours) the flows of which changed intervals are part."""
    out = np.zeros((len(counting.keys), slots), np.bool_)
    order = np.argsort(channel, kind="stable")
    channel, start_us, slot = channel[order], start_us[order], slot[order]
    for group in counting.groups:
        first = np.searchsorted(channel, group.channel, side="left")
        count = np.searchsorted(channel, group.channel, side="right") - first
        row = np.repeat(np.arange(len(group.channel)), count)
        at = np.repeat(first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))
        inside = (start_us[at] >= group.start_us[row]) & (start_us[at] < group.end_us[row])
        out[group.key[row[inside]], slot[at[inside]]] = True
    return out


def _totals(counting: Counting, quarters: Ints, sums: Sums, touched: npt.NDArray[np.bool_], now_us: int) -> list[Total]:
    out: list[Total] = []
    for slot, quarter in enumerate(quarters.tolist()):
        keys = np.flatnonzero(touched[:, slot]).tolist()
        if not keys:
            continue
        edges = np.array([quarter, quarter + QUARTER_US], np.int64)
        expected = minutes_of(counting.counted.due, edges, now_us)
        standing = minutes_of(counting.counted.standing, edges, int(edges[-1]))
        for number in keys:
            key = counting.keys[number]
            arrived, estimated = int(sums.arrived[number, slot]), int(sums.estimated[number, slot])
            value = int(sums.high[number, slot]) * LOW + int(sums.low[number, slot])
            known = arrived + estimated > 0 or not int(standing[key][0])
            out.append(Total(quarter, key, value if known else None, int(expected[key][0]), arrived, estimated))
    return out
