"""Estimation of missing intervals: a straight line up to two hours, like days beyond, both scaled to the register.

Only measured values feed an estimate, as they came in; what is estimated here is never read again here.
"""

from functools import cache, cached_property
from itertools import pairwise
from math import lcm

import numpy as np

from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US
from quintet.terms.quality import qualities

from .alike import LikeDays, like_days
from .apportion import apportion, divide_half_even, line, roomy, spread
from .block import MISSING, Block, Bytes, Gaps, Ids, Ints, Mask, cells, of_kind

UNREACHED = -1
ROWS_AT_ONCE = 1000


class Past:
    """What like days are taken from: one block, by row and day since 1970-01-01."""

    def __init__(self, block: Block, settings: LikeDays, channels: Ids) -> None:
        """Prepare the lookups for some channels; those that the block lacks have no row."""
        self.block = block
        self.settings = settings
        self.candidates = cache(settings.candidates)
        self.edges = block.day_edges()
        own = {int(channel): row for row, channel in enumerate(block.channels)}
        self.row_of = {channel: own[channel] for channel in np.unique(channels).tolist() if channel in own}
        self.plain = {self.block.first_day + i: int(e) for i, e in enumerate(self.edges[:-1]) if self._is_plain(i)}

    def _is_plain(self, index: int) -> bool:
        """Tell whether a day runs through the local clock once, from its first place on."""
        slots = self.block.slot_of[self.edges[index] : self.edges[index + 1]]
        return bool((slots == np.arange(len(slots))).all())

    @cached_property
    def valid(self) -> dict[int, Mask]:
        """Mark, by row, the whole days of which every interval may belong to a like day."""
        rows = list(self.row_of.values())
        out: dict[int, Mask] = {}
        for start in range(0, len(rows) if len(self.block.whole_day) else 0, ROWS_AT_ONCE):
            some = np.array(rows[start : start + ROWS_AT_ONCE])
            fine = self.block.present[some] & self.settings.whole_day[self.block.quality[some]]
            whole = np.logical_and.reduceat(fine, self.edges[:-1], axis=1) & self.block.whole_day
            out.update(zip(some.tolist(), whole, strict=True))
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

    def shape_of(self, row: int, day: int, slots: Ids) -> Ints | None:
        """Give the amounts of one like day at some places of the clock; None unless that day is whole and valid."""
        index = day - self.block.first_day
        if not 0 <= index < len(self.block.whole_day) or not self.valid[row][index]:
            return None
        at = self._columns_at(day, slots)
        if at is None or not self.settings.used[self.block.quality[row, at]].all():
            return None
        return self.block.value[row, at]

    def _columns_at(self, day: int, slots: Ids) -> slice | Ids | None:
        """Find the columns of a day at some places of the clock: a slice in the common case, None if one is absent."""
        index, low, count = day - self.block.first_day, int(slots[0]), len(slots)
        first = int(self.edges[index])
        if day in self.plain and int(slots[-1]) - low == count - 1 and first + low + count <= self.edges[index + 1]:
            return slice(first + low, first + low + count)
        wanted = slots[slots < self.columns.shape[1]]
        at = self.columns[index, wanted]
        return None if len(wanted) < count or at.min() == UNREACHED else at


def estimate(
    block: Block, gaps: Gaps, history: Block | None = None, alike: LikeDays | None = None
) -> tuple[Ints, Bytes]:
    """Fill gaps of a block.

    `history` holds earlier columns of the same cadence (channels matched by number); `alike` says which days are alike
    (by default the shipped table, without holidays). Gives values (int64, m x n) and qualities (uint8, m x n): the
    block's own, but at the gaps' cells the estimate with its method as quality; 0 and MISSING where nothing is or could
    be said. A gap with a total is always filled and its estimates sum to the total exactly:

    - up to `line_hours`: the straight line between the nearest end points each side, when all that lies between them
      is no longer than that either; rounded half-even, or shared by `apportion` to the total (`linear`);
    - longer: for each local day the mean of the nearest valid like days before the gap, rounded half-even (`like_day`)
      or shared to the total (`like_day_scaled`); days without any stay missing;
    - a total without end points, like days or a positive shape: spread evenly (`register_spread`).

    Raises BadInput when gaps overlap, leave the block or cover a measured value, or when the cadences differ.
    """
    _refuse_bad_gaps(block, gaps, history)
    value, quality = block.value * block.present, block.quality * block.present
    at = cells(gaps.row, gaps.first, gaps.length)
    value[at], quality[at] = 0, MISSING
    settings = alike or like_days()
    most = int(settings.line_hours * HOUR_US // block.cadence_us)
    short = gaps.length <= most
    channels = block.channels[gaps.row]
    pasts = [Past(past, settings, channels) for past in (block, history) if past is not None]
    _fill_lines(pasts, gaps, np.flatnonzero(short), most, value, quality)
    for gap in np.flatnonzero(~short):
        _fill_like_days(pasts, gaps, int(gap), value, quality)
    empty = np.flatnonzero(gaps.has_total & (quality[gaps.row, gaps.first] == MISSING))
    for gap in empty:
        row, first, length = int(gaps.row[gap]), int(gaps.first[gap]), int(gaps.length[gap])
        value[row, first : first + length] = spread(int(gaps.total[gap]), length)
        quality[row, first : first + length] = qualities()["register_spread"].id
    return value, quality


def _refuse_bad_gaps(block: Block, gaps: Gaps, history: Block | None) -> None:
    """Refuse gaps that are none: an estimate may never stand in the place of a measurement."""
    if history is not None and history.cadence_us != block.cadence_us:
        raise BadInput("history and block differ in cadence.", code="bad_block")
    inside = (gaps.row >= 0) & (gaps.row < len(block.channels)) & (gaps.first >= 0) & (gaps.length > 0)
    if not (inside & (gaps.first.astype(np.int64) + gaps.length <= len(block.day_of))).all():
        raise BadInput("a gap lies outside of its block.", code="bad_gap")
    at = cells(gaps.row, gaps.first, gaps.length)
    covered = np.zeros(block.value.shape, np.bool_)
    covered[at] = True
    if np.count_nonzero(covered) < len(at[0]):
        raise BadInput("two gaps overlap.", code="bad_gap")
    if (block.present[at] & of_kind("measured")[block.quality[at]]).any():
        raise BadInput("a gap covers a measured value.", code="bad_gap")


def _fill_lines(pasts: list[Past], gaps: Gaps, short: Ints, most: int, value: Ints, quality: Bytes) -> None:
    """Fill short gaps by straight lines; those without two end points near enough stay as they are."""
    ends = np.array([_end_points(pasts, gaps, int(gap), most) for gap in short], np.int64).reshape(-1, 4)
    found = ends[:, 3] > 0
    short, (left, right, skipped, steps) = short[found], ends[found].T
    length = gaps.length[short]
    row, column = cells(gaps.row[short], gaps.first[short], length)
    step = column - np.repeat(gaps.first[short] - skipped, length)
    value[row, column] = line(np.repeat(left, length), np.repeat(right, length), step, np.repeat(steps, length))
    quality[row, column] = qualities()["linear"].id
    for place in np.flatnonzero(gaps.has_total[short]):
        gap = short[place]
        span = slice(int(gaps.first[gap]), int(gaps.first[gap] + gaps.length[gap]))
        step = skipped[place] + np.arange(int(gaps.length[gap]), dtype=np.int64)
        points = roomy(np.array([left[place], right[place]]), 2 * int(steps[place]))
        weights = points[0] * (steps[place] - step) + points[1] * step
        shared = _scaled(int(gaps.total[gap]), weights)
        if shared is None:
            quality[gaps.row[gap], span] = MISSING
        else:
            value[gaps.row[gap], span] = shared


def _end_points(pasts: list[Past], gaps: Gaps, gap: int, most: int) -> tuple[int, int, int, int]:
    """Find a short gap's end points: left and right value, steps from the left one to the gap and to the right one.

    Columns before the block are looked up in a history that ends where the block starts. All 0 without two end points,
    or with more than `most` columns between them.
    """
    block, usable = pasts[0].block, pasts[0].settings.end_point
    row, first, length = int(gaps.row[gap]), int(gaps.first[gap]), int(gaps.length[gap])
    end, spare = first + length, most - length
    after = np.flatnonzero(_usable(block, row, end, end + spare + 1, usable))
    if not len(after):
        return 0, 0, 0, 0
    spare -= int(after[0])
    right = int(block.value[row, end + after[0]])
    low = max(first - spare - 1, 0)
    before = np.flatnonzero(_usable(block, row, low, first, usable))
    if len(before):
        at, left = low + int(before[-1]), int(block.value[row, low + before[-1]])
    elif low > 0 or len(pasts) == 1 or pasts[1].block.end_us != block.start_us:
        return 0, 0, 0, 0
    else:
        past, old = pasts[1].block, pasts[1].row_of.get(int(block.channels[row]))
        width = len(past.day_of)
        start = max(width - (spare + 1 - first), 0)
        earlier = np.flatnonzero(_usable(past, old, start, width, usable)) if old is not None else np.zeros(0, np.int64)
        if not len(earlier):
            return 0, 0, 0, 0
        at, left = start + int(earlier[-1]) - width, int(past.value[old, start + earlier[-1]])
    return left, right, first - at, end + int(after[0]) - at


def _usable(block: Block, row: int, start: int, end: int, allowed: Mask) -> Mask:
    """Mark the columns of a row that may end a line."""
    return block.present[row, start:end] & allowed[block.quality[row, start:end]]


def _fill_like_days(pasts: list[Past], gaps: Gaps, gap: int, value: Ints, quality: Bytes) -> None:
    """Fill one long gap, local day by local day, from the like days before it."""
    block, settings = pasts[0].block, pasts[0].settings
    row, first, length = int(gaps.row[gap]), int(gaps.first[gap]), int(gaps.length[gap])
    days = block.day_of[first : first + length]
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), length]
    shapes: list[tuple[int, int, Ints, int]] = []
    for start, end in pairwise(cuts):
        day = block.first_day + int(days[start])
        slots = block.slot_of[first + start : first + end]
        total, count = _sum_of_like_days(pasts, row, pasts[0].candidates(day, block.first_day + int(days[0])), slots)
        if count >= settings.fewest:
            shapes.append((first + start, first + end, total, count))
    if not gaps.has_total[gap]:
        for start, end, total, count in shapes:
            value[row, start:end] = divide_half_even(total, count)
            quality[row, start:end] = qualities()["like_day"].id
        return
    if len(shapes) == len(cuts) - 1:
        common = lcm(*(count for _, _, _, count in shapes))
        weights = np.concatenate([roomy(total, common) * (common // count) for _, _, total, count in shapes])
        shared = _scaled(int(gaps.total[gap]), weights)
        if shared is not None:
            value[row, first : first + length] = shared
            quality[row, first : first + length] = qualities()["like_day_scaled"].id


def _sum_of_like_days(pasts: list[Past], row: int, candidates: list[int], slots: Ids) -> tuple[Ints, int]:
    """Add up the first valid like days, at most `most`; gives the sum and how many."""
    total, count = np.zeros(len(slots), np.int64), 0
    channel = int(pasts[0].block.channels[row])
    for day in candidates:
        for past in pasts:
            own = past.row_of.get(channel)
            shape = past.shape_of(own, day, slots) if own is not None else None
            if shape is not None:
                total, count = total + shape, count + 1
                break
        if count == pasts[0].settings.most:
            break
    return total, count


def _scaled(total: int, weights: Ints) -> Ints | None:
    """Share a total by a shape; None where the shape is nowhere above zero, or below it somewhere."""
    if weights.min() < 0 or weights.max() == 0:
        return None
    return apportion(total, weights)
