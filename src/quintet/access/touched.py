"""Which channels a commit touched, and which local days of them: what was worked out before still stands where none is.

A stamp is the count of commits taken in by then. Who keeps an answer reads the stamp before he reads anything else; the
answer stands while none of its channels was touched after that stamp.
"""

import threading
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.terms.period import day_numbers

from .changes import Commit

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
DAYS_APART = 4
"""So many of the newest days are told apart; a touch of an older one is a touch of all before them."""


class Touched:
    """The newest commit that touched each channel, by local day; safe for several threads."""

    def __init__(self, tz: ZoneInfo) -> None:
        """Begin with nothing touched; register `take` with the pipeline, before whoever asks for anything."""
        self._tz = tz
        self._lock = threading.Lock()
        self._stamp = 0
        self._any: I64 = np.zeros(0, np.int64)
        self._older: I64 = np.zeros(0, np.int64)
        self._days: dict[int, I64] = {}

    @property
    def stamp(self) -> int:
        """The stamp of this moment."""
        return self._stamp

    def take(self, committed: Commit) -> None:
        """Take in a durable batch."""
        rows = committed.rows
        if rows is None or not len(rows.channel):
            return
        days = day_numbers(rows.start_us, self._tz)
        with self._lock:
            stamp = self._stamp + 1
            self._any = _marked(self._any, rows.channel, stamp)
            for day in np.unique(days).tolist():
                self._mark_day(int(day), rows.channel[days == day], stamp)
            self._stamp = stamp  # last: who reads it now finds the touch

    def since(self, channels: I32) -> int:
        """Give the stamp at which any of some channels was last touched; 0 for never."""
        return _newest(self._any, channels)

    def since_before(self, channels: I32, day: int) -> int:
        """Give the stamp at which anything before a local day (by number) was last touched."""
        with self._lock:
            found = [_newest(self._older, channels)]
            found += [_newest(held, channels) for number, held in self._days.items() if number < day]
        return max(found)

    def _mark_day(self, day: int, channels: I32, stamp: int) -> None:
        """Mark a day; the oldest of those that are told apart joins what is older."""
        if day not in self._days and len(self._days) >= DAYS_APART:
            oldest = min(self._days)
            if day < oldest:
                self._older = _marked(self._older, channels, stamp)
                return
            gone = self._days.pop(oldest)
            size = max(len(gone), len(self._older))
            self._older = np.maximum(_sized(gone, size), _sized(self._older, size))
        self._days[day] = _marked(self._days.get(day, np.zeros(0, np.int64)), channels, stamp)


def _marked(held: I64, channels: I32, stamp: int) -> I64:
    """Mark channels, in place where there is room: a number that is read meanwhile is the old or the new one."""
    top = int(channels.max()) + 1
    out = held if len(held) >= top else _sized(held, max(top, 2 * len(held)))
    out[channels] = stamp
    return out


def _sized(held: I64, size: int) -> I64:
    out = np.zeros(size, np.int64)
    out[: len(held)] = held
    return out


def _newest(held: I64, channels: I32) -> int:
    known = channels[channels < len(held)]
    return int(held[known].max()) if len(known) else 0
