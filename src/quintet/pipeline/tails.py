"""What is remembered of each channel's end: most readings continue it, and need no look-up and no second look.

A tail is a cache: losing it costs time, never an answer. It is read anew when the store is opened.
"""

from typing import Self

import numpy as np

from quintet.store.edits import edited_until
from quintet.store.engine import Snapshot
from quintet.store.read import EARLIEST_US

from .rows import I32, I64, IntervalRows, RawRows, starts_of_runs

NEVER = EARLIEST_US


class Tails:
    """Arrays by channel number.

    `at_us`: the newest raw reading's moment (NEVER where there is none). Where `calm`, the readings before it ran so
    evenly that a reading that continues them changes nothing before: `mantissa`, `exponent`, `unit` are that newest
    reading, `start_us` and `value` the last interval (of a register heard just once: the one before its first), `run`
    how often that value stood there in a row. `since_us` is where the first interval of a channel begins that was even
    from its first reading on, NEVER where that is long ago or unknown. `edited_us` is where the last edit that stands
    over the channel ends, NEVER without one.
    """

    def __init__(self) -> None:
        """Start with no channels."""
        self.at_us = np.zeros(0, np.int64)
        self.calm = np.zeros(0, np.bool_)
        self.mantissa = np.zeros(0, np.int64)
        self.exponent = np.zeros(0, np.int8)
        self.unit = np.zeros(0, np.int16)
        self.start_us = np.zeros(0, np.int64)
        self.value = np.zeros(0, np.int64)
        self.run = np.zeros(0, np.int64)
        self.since_us = np.zeros(0, np.int64)
        self.edited_us = np.zeros(0, np.int64)

    @classmethod
    def load(cls, snapshot: Snapshot) -> Self:
        """Read the newest moments from hot raw readings and from what was closed; nobody is calm yet (see waking)."""
        table = snapshot.arrow(
            """select channel, max(at_us) as at_us from (select channel, at_us from tail
                union all select channel, at_us from raw) group by channel"""
        )
        out = cls()
        if table.num_rows:
            channel = table["channel"].to_numpy()
            out.grow(int(channel.max()))
            out.at_us[channel] = table["at_us"].to_numpy()
        out.edit(*edited_until(snapshot))
        return out

    def grow(self, channel: int) -> None:
        """Make room for a channel number."""
        lack = channel + 1 - len(self.at_us)
        if lack <= 0:
            return
        for name, column in vars(self).items():
            filler = NEVER if name in ("at_us", "since_us", "edited_us") else 0
            setattr(self, name, np.concatenate([column, np.full(lack, filler, column.dtype)]))

    def edit(self, channels: I32, until_us: I64) -> None:
        """Remember where the last edits that stand over channels end."""
        if len(channels):
            self.grow(int(channels.max()))
            self.edited_us[channels] = until_us

    def heard(self, channels: I32) -> I64:
        """Give the places of the channels that have readings."""
        known = channels < len(self.at_us)
        return (
            np.flatnonzero(known & (self.at_us[np.where(known, channels, 0)] > NEVER))
            if known.any()
            else known.nonzero()[0]
        )

    def advance(self, rows: RawRows) -> None:
        """Take committed rows (sorted by channel and moment) into account."""
        if not len(rows):
            return
        heads = starts_of_runs(rows.channel)
        last = np.append(heads[1:], len(rows)) - 1
        own = rows.channel[last]
        newer = rows.at_us[last] >= self.at_us[own]
        self.at_us[own] = np.maximum(self.at_us[own], rows.at_us[last])
        self.mantissa[own[newer]] = rows.mantissa[last[newer]]
        self.exponent[own[newer]] = rows.exponent[last[newer]]
        self.unit[own[newer]] = rows.unit[last[newer]]

    def begin(self, channels: I32, since_us: I64, cadence_us: I64) -> None:
        """Remember channels of which the first readings were taken: their first interval begins at `since_us`."""
        self.since_us[channels] = since_us
        self.start_us[channels] = since_us - cadence_us
        self.value[channels], self.run[channels] = 0, 0

    def settle(self, rows: IntervalRows, calm: I32) -> None:
        """Remember the last intervals (sorted) of channels that now run evenly; `calm` are their numbers."""
        if len(rows):
            self._end(rows)
        self.calm[calm] = True

    def _end(self, rows: IntervalRows) -> None:
        """Remember the last intervals (sorted) of channels."""
        repeated = np.zeros(len(rows), np.bool_)
        repeated[1:] = (rows.channel[1:] == rows.channel[:-1]) & (rows.value[1:] == rows.value[:-1])
        begun = np.maximum.accumulate(np.where(repeated, 0, np.arange(len(rows))))
        heads = starts_of_runs(rows.channel)
        last = np.append(heads[1:], len(rows)) - 1
        own = rows.channel[last]
        unbroken = begun[last] == heads
        self.run[own] = last - begun[last] + 1 + np.where(unbroken, self._before(rows, heads), 0)
        self.start_us[own], self.value[own] = rows.start_us[last], rows.value[last]

    def _before(self, rows: IntervalRows, heads: I64) -> I64:
        """Give the length of the run that the first of the new rows of each channel continues."""
        own = rows.channel[heads]
        continues = (
            self.calm[own] & (self.value[own] == rows.value[heads]) & (rows.start_us[heads] > self.start_us[own])
        )
        return np.where(continues, self.run[own], 0)
