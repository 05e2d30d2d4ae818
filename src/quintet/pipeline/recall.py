"""The newest evidence of channels that keep taking the long way: kept, so that the next reading asks the store nothing.

A cache of committed raw readings, never the truth: what does not fit is forgotten, and read from the store again.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from quintet.store.read import EARLIEST_US
from quintet.store.recent import Recent
from quintet.terms.period import day_of_number, day_start, to_us

from .evidence import Neighbourhood, trusted_from
from .rows import I32, I64, IntervalRows, Mask, RawRows, merged_order

MOST_ROWS = 1_000_000
"""Readings kept: 27 MB, the last ten days of a thousand channels of 15 minutes."""
MOST_CHANNELS = 5_000
"""A batch that sends more channels the long way is a load, after which they go the short one."""


@dataclass(frozen=True, slots=True)
class Held:
    """All evidence of one channel from a moment on, with the batch that brought each reading; sorted by moment."""

    from_us: int
    rows: RawRows
    batch: I32


class Recall:
    """Evidence and effective intervals of channels as they were committed; one writer uses it."""

    def __init__(self, recent: Recent, tz: ZoneInfo) -> None:
        """Hold nothing yet; `recent` has the effective intervals of the newest days."""
        self._recent = recent
        self._tz = tz
        self._held: dict[int, Held] = {}
        self._rows = 0

    def set_clock(self, tz: ZoneInfo) -> None:
        """Take days by another clock, while nothing is held."""
        self._tz = tz

    def __len__(self) -> int:
        """Count the channels held."""
        return len(self._held)

    def around(self, new: RawRows, batch: int, channels: I32, near_us: I64, first_new_us: I64) -> Neighbourhood:
        """Put what is held of channels from a moment each on together with their new readings (sorted).

        Gives the neighbourhood of those channels of which enough is held; the others are not in it.
        """
        held = [self._held.get(channel) for channel in channels.tolist()]
        begun = np.array([EARLIEST_US if one is None else one.from_us for one in held], np.int64)
        first = np.array([0 if one is None or not len(one.rows) else one.rows.at_us[0] for one in held], np.int64)
        empty = np.array([one is not None and not len(one.rows) for one in held], np.bool_)
        there = np.array([one is not None for one in held], np.bool_)
        young = there & (begun == EARLIEST_US) & (empty | (first >= near_us))
        near_us = np.where(young, EARLIEST_US, near_us)
        mine = there & (begun <= near_us)
        parts, batches = [new.take(np.isin(new.channel, channels[mine]))], list[I32]()
        batches.append(np.full(len(parts[0]), batch, np.int32))
        for place in np.flatnonzero(mine).tolist():
            one = held[place]
            if one is not None:
                low = 0 if young[place] else int(one.rows.at_us.searchsorted(near_us[place]))
                parts.append(one.rows.part(low, len(one.rows)))
                batches.append(one.batch[low:])
        rows, of_batch = RawRows.concat(parts), np.concatenate(batches)
        order = merged_order(rows.channel, rows.at_us)
        rows, of_batch = rows.take(order), of_batch[order]
        own, near = channels[mine], near_us[mine]
        trust = trusted_from(rows, own, near, first_new_us[mine], self._tz)
        enough = (trust != EARLIEST_US) | (near == EARLIEST_US)
        inside = np.isin(rows.channel, own[enough])
        return Neighbourhood(rows.take(inside), of_batch[inside], own[enough], near[enough], trust[enough])

    def advance(self, new: RawRows, found: list[Neighbourhood], even: Mask) -> None:
        """Take a durable batch into account: its readings, what was found around them, who runs evenly now.

        What is held of channels with new readings is what was found, or nothing.
        """
        if self._held:
            held = np.array(list(self._held), np.int32)
            at = np.minimum(np.searchsorted(new.channel, held), len(new) - 1) if len(new) else held[:0]
            for channel in held[new.channel[at] == held].tolist() if len(new) else []:
                self._rows -= len(self._held.pop(channel).rows)
        for near in found:
            keep = np.flatnonzero(~even[near.channels])
            if len(keep) > MOST_CHANNELS:
                continue
            low = np.searchsorted(near.rows.channel, near.channels[keep], "left")
            high = np.searchsorted(near.rows.channel, near.channels[keep], "right")
            own, from_us = near.channels[keep].tolist(), near.from_us[keep].tolist()
            for channel, begun, begin, end in zip(own, from_us, low.tolist(), high.tolist(), strict=True):
                before = self._held.pop(channel, None)
                self._rows -= 0 if before is None else len(before.rows)
                # copies: a part must not keep the whole neighbourhood in memory
                rows = near.rows.part(begin, end, copied=True)
                self._held[channel] = Held(begun, rows, near.batch[begin:end].copy())
                self._rows += end - begin
        while self._rows > MOST_ROWS:
            self._rows -= len(self._held.pop(next(iter(self._held))).rows)

    def reaches(self, from_us: I64) -> Mask:
        """Mark the moments from which on the effective intervals of all channels are in memory."""
        first = self._recent.first_day
        if first > self._recent.newest or first < 0:
            return np.zeros(len(from_us), np.bool_)
        return from_us >= to_us(day_start(day_of_number(first), self._tz))

    def intervals(self, channels: I32, cadence_us: I64, phase_us: I64, from_us: I64) -> IntervalRows:
        """Give the effective intervals of channels from a moment each on, which `reaches` must have marked."""
        none = np.zeros(0, np.int64)
        parts = [IntervalRows(none.astype(np.int32), none, none, none.astype(np.uint8))]
        keys = np.stack([cadence_us, phase_us]) if len(channels) else np.zeros((2, 0), np.int64)
        for step, shift in np.unique(keys, axis=1).T.tolist():
            grid = np.flatnonzero((cadence_us == step) & (phase_us == shift))
            for day in range(self._recent.first_day, self._recent.newest + 1):
                held = self._recent.days(channels[grid], step, shift, day)
                if held is None:
                    continue
                start, value, quality = held
                row, column = np.nonzero(quality)
                at_us = start + column * step
                late = at_us >= from_us[grid[row]]
                row, column = row[late], column[late]
                parts.append(IntervalRows(channels[grid[row]], at_us[late], value[row, column], quality[row, column]))
        rows = IntervalRows.concat(parts)
        return rows.take(merged_order(rows.channel, rows.start_us))
