"""Like days set against what stands beside a gap: at the level of the hours there, or together with the line across.

What stands beside a gap is looked at up to SIDE intervals away, flagged values too: those are settled by the day's end,
when an estimate of a long gap must stand already.
"""

from collections.abc import Callable

import numpy as np

from .block import Ints, Mask
from .groups import Span, by_span, days_of
from .guess import Asked, Guess
from .lines import across
from .scale import rounded
from .shapes import mean_of, stacked, trimmed_of

SIDE = 16
"""Intervals looked at on each side: fewer than the readings (24) over which a late one may change what was derived."""
PARTS = 1024
LEAST, MOST = PARTS // 4, PARTS * 4
"""A channel's level beside a gap is taken in parts of its like days', from a quarter to four times."""
KEPT = 717
"""Parts of the level beside a gap that are believed to hold in its middle: seven tenths, as the back-test says."""
HALF_LIFE_HOURS = 4
"""So far from an end of the gap the level of that end counts for half of what it counts there."""
ROOM = 2**48
"""Amounts from here on say nothing: their products would not fit."""
MOST_DAYS = 5
Joined = Callable[[Ints, Ints, Ints], tuple[Ints, Ints]]
"""Puts a stack of days, how many of them each row has, and the line together: top and bottom."""


def like_day_level(asked: Asked) -> Guess:
    """Take the trimmed mean of five like days at the level of the hours beside the gap, against like days there."""
    return by_span(asked, _levelled)


def blend(asked: Asked) -> Guess:
    """Take the mean of like days and the straight line, half and half."""
    return _with_line(asked, asked.settings.most, _halves)


def median_blend(asked: Asked) -> Guess:
    """Take, value by value, the median of five like days and the straight line, which counts twice."""
    return _with_line(asked, MOST_DAYS, _median)


def _with_line(asked: Asked, most: int, joined: Joined) -> Guess:
    """Put like days and the line across each gap together."""
    line = across(asked)
    value = rounded(line)
    length = asked.gaps.length.astype(np.int64)
    offset = np.cumsum(length) - length

    def shape(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
        past = asked.pasts[0]
        begun = past.block.first_day + int(past.block.day_of[span.first])
        at = offset[span.place][:, None] + np.arange(span.length)
        top, bottom, said = value[at], np.ones((len(at), span.length), np.int64), line.said[at]
        for start, end, day, slots in days_of(asked, span.first, span.length):
            stack, count = stacked(asked, span.rows, past.candidates(day, begun), slots, most)
            # a line that ends below zero must not draw down what never was
            own = np.maximum(top[:, start:end], np.minimum(stack.min(axis=0), 0))
            top[:, start:end], bottom[:, start:end] = joined(stack, count, own)
            said[:, start:end] &= (count >= asked.settings.fewest)[:, None]
        return top, bottom, said

    return by_span(asked, shape)


def _halves(stack: Ints, count: Ints, line: Ints) -> tuple[Ints, Ints]:
    """Give the mean of the days' mean and the line."""
    top, bottom = mean_of(stack, count)
    return top + bottom * line, 2 * bottom


def _median(stack: Ints, count: Ints, line: Ints) -> tuple[Ints, Ints]:
    """Give the median of the first `count` of each row's days and, twice, the line."""
    ranked = np.concatenate([stack, line[None], line[None]])
    lacking = np.arange(len(stack))[:, None] >= count
    ranked[: len(stack)][lacking] = np.iinfo(np.int64).max
    ranked.sort(axis=0)
    row = np.arange(stack.shape[1])
    low, high = ranked[(count + 1) // 2, row], ranked[(count + 2) // 2, row]
    odd = (count % 2 == 1)[:, None]
    return np.where(odd, low, low + high), np.where(odd, 1, 2)


def _levelled(asked: Asked, span: Span) -> tuple[Ints, Ints, Mask]:
    """Fill a span from like days, each end at the level that the channel has there."""
    block = asked.pasts[0].block
    low, end = max(span.first - SIDE, 0), min(span.first + span.length + SIDE, len(block.day_of))
    top, bottom, said = _like_days(asked, span, low, end)
    own = slice(span.first - low, span.first - low + span.length)
    sides = [
        _level(asked, span, first, (top, bottom, said), low) for first in (span.first - SIDE, span.first + span.length)
    ]
    before, after = (np.where(fine, level, other) for (level, fine), (other, _) in zip(sides, sides[::-1], strict=True))
    known = sides[0][1] | sides[1][1]
    # levels fade from either end towards the middle's
    hour = max(3_600_000_000 // block.cadence_us, 1)
    half = HALF_LIFE_HOURS * hour
    place = np.arange(span.length, dtype=np.int64)
    near, far = PARTS * half // (half + place), PARTS * half // (half + span.length - 1 - place)
    middle = (PARTS + ((before + after) // 2 - PARTS) * KEPT // PARTS)[:, None]
    level = middle + ((before[:, None] - middle) * near + (after[:, None] - middle) * far) // (2 * PARTS)
    top, bottom, said = top[:, own], bottom[:, own], said[:, own] & known[:, None]
    fits = np.abs(top) < ROOM
    return np.where(fits, top, 0) * level, bottom * PARTS, said & fits


def _like_days(asked: Asked, span: Span, low: int, end: int) -> tuple[Ints, Ints, Mask]:
    """Give the trimmed mean of like days for columns [low, end), which reach beyond the span on both sides."""
    past = asked.pasts[0]
    begun = past.block.first_day + int(past.block.day_of[span.first])
    shape = (len(span.rows), end - low)
    top, bottom, said = np.zeros(shape, np.int64), np.ones(shape, np.int64), np.zeros(shape, np.bool_)
    for first, last, day, slots in days_of(asked, low, end - low):
        stack, count = stacked(asked, span.rows, past.candidates(day, min(day, begun)), slots, MOST_DAYS)
        top[:, first:last], bottom[:, first:last] = trimmed_of(stack, count)
        said[:, first:last] = (count >= asked.settings.fewest)[:, None]
    return top, bottom, said


def _level(asked: Asked, span: Span, first: int, like: tuple[Ints, Ints, Mask], low: int) -> tuple[Ints, Mask]:
    """Compare SIDE columns with their like days: parts of PARTS by row, and where all of both is known."""
    past = asked.pasts[0]
    block, rows = past.block, past.own[span.rows]
    if first < 0 or first + SIDE > len(block.day_of):
        return np.full(len(rows), PARTS, np.int64), np.zeros(len(rows), np.bool_)
    own, beside = slice(first, first + SIDE), slice(first - low, first - low + SIDE)
    top, bottom, said = (array[:, beside] for array in like)
    fine = asked.settings.beside[block.quality[rows, own]].all(axis=1) & said.all(axis=1)
    measured = block.value[rows, own].sum(axis=1)
    usual = (top // bottom).sum(axis=1)
    fine &= (measured < ROOM) & (usual < ROOM)
    ratio = np.where(fine, measured, 0) * PARTS // np.maximum(usual, 1)
    return np.where(fine & (usual > 0), np.clip(ratio, LEAST, MOST), PARTS), fine
