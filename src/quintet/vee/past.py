"""What an estimator may look at: the measured values of one block, by row, local day and place on the local clock."""

from collections.abc import Callable
from functools import cache, cached_property

import numpy as np

from .alike import LikeDays
from .block import MISSING, Block, Ids, Ints, Mask, of_kind

UNREACHED = -1
ROWS_AT_ONCE = 1000


def measured_only(block: Block) -> Block:
    """Give a block that holds nothing but measured values, in arrays that nobody can write to."""
    present = block.present & of_kind("measured")[block.quality]
    value = np.where(present, block.value, 0)
    quality = np.where(present, block.quality, np.uint8(MISSING))
    for array in (value, quality, present):
        array.setflags(write=False)
    whole = (block.day_of, block.whole_day, block.slot_of, block.first_day)
    return Block(block.start_us, block.cadence_us, block.channels, value, quality, present, *whole)


class Past:
    """One block of measured values: `own` gives its rows of the rows asked for, -1 where it lacks the channel."""

    def __init__(self, block: Block, settings: LikeDays, channels: Ids) -> None:
        """Prepare the lookups; `channels` are those of the rows that will be asked for, by row."""
        self.block = measured_only(block)
        self.settings = settings
        self.candidates: Callable[[int, int], list[int]] = cache(settings.candidates)
        self.edges = block.day_edges()
        rows = {int(channel): row for row, channel in enumerate(block.channels)}
        self.own = np.array([rows.get(channel, UNREACHED) for channel in channels.tolist()], np.int64)
        self.plain = {block.first_day + i for i in range(len(self.edges) - 1) if self._is_plain(i)}

    def _is_plain(self, index: int) -> bool:
        """Tell whether a day runs through the local clock once, from its first place on."""
        slots = self.block.slot_of[self.edges[index] : self.edges[index + 1]]
        return bool((slots == np.arange(len(slots))).all())

    @cached_property
    def valid(self) -> Mask:
        """Mark, by row, the whole days of which every interval may belong to a like day."""
        rows, days = len(self.block.channels), len(self.block.whole_day)
        out = np.zeros((rows, days), np.bool_)
        for start in range(0, rows if days else 0, ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            fine = self.settings.whole_day[self.block.quality[some]]
            out[some] = np.logical_and.reduceat(fine, self.edges[:-1], axis=1) & self.block.whole_day
        return out

    @cached_property
    def columns(self) -> Ids:
        """Give for each day and place on the local clock its column, -1 where the day has none (ndays x places).

        Of a doubled hour the first one stands for both.
        """
        places = int(self.block.slot_of.max(initial=0)) + 1
        out = np.full((len(self.block.whole_day), places), UNREACHED, np.int32)
        backwards = np.arange(len(self.block.day_of) - 1, -1, -1)
        out[self.block.day_of[backwards], self.block.slot_of[backwards]] = backwards
        return out

    def at(self, day: int, slots: Ids) -> slice | Ids | None:
        """Find the columns of a day at some places of the clock: a slice in the common case, None if one is absent."""
        index, low, count = day - self.block.first_day, int(slots[0]), len(slots)
        if not 0 <= index < len(self.block.whole_day):
            return None
        first = int(self.edges[index])
        if day in self.plain and int(slots[-1]) - low == count - 1 and first + low + count <= self.edges[index + 1]:
            return slice(first + low, first + low + count)
        wanted = slots[slots < self.columns.shape[1]]
        at = self.columns[index, wanted]
        return None if len(wanted) < count or at.min() == UNREACHED else at

    def day_at(self, rows: Ints, day: int, slots: Ids, *, whole: bool = True) -> tuple[Mask, Ints] | None:
        """Give one day at some places of the clock: which of k rows have it, all of it `used`, and their amounts.

        With `whole` they must have the whole day valid. Amounts stand only for the rows that have it, in their order;
        None where nobody can have it.
        """
        at = self.at(day, slots)
        if at is None:
            return None
        own = self.own[rows]
        fine = own != UNREACHED
        if whole:
            fine[fine] = self.valid[own[fine], day - self.block.first_day]
        own = own[fine]
        clean = self.settings.used[chosen(self.block.quality, own, at)].all(axis=1)
        fine[fine] = clean
        return fine, chosen(self.block.value, own[clean], at)


def chosen(array: np.ndarray, rows: Ints, at: slice | Ids) -> np.ndarray:
    """Give some columns of some rows; rows that follow one another are not copied twice."""
    if len(rows) == 1:
        return array[int(rows[0]), at][None]
    if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1 and bool((np.diff(rows) == 1).all()):
        return array[int(rows[0]) : int(rows[-1]) + 1, at]
    return array[rows, at] if isinstance(at, slice) else array[rows[:, None], at]
