"""E2: the straight line between the nearest end points on both sides of a gap."""

import numpy as np

from quintet.terms.period import HOUR_US

from .apportion import roomy
from .block import Gaps, Ints, Mask
from .guess import Asked, Guess
from .past import UNREACHED, Past


def linear(asked: Asked) -> Guess:
    """Draw lines over gaps when all that lies between the end points is no longer than `line_hours`."""
    return _lines(asked, _most(asked) - asked.gaps.length.astype(np.int64))


def straight(asked: Asked) -> Guess:
    """Draw lines over gaps of any length; a yardstick, for beyond `line_hours` a line says little."""
    return _lines(asked, np.full(len(asked.gaps), _most(asked), np.int64))


def across(asked: Asked) -> Guess:
    """Draw lines over gaps of any length between what stands beside them, flagged values too (see blends)."""
    return _lines(asked, np.full(len(asked.gaps), _most(asked), np.int64), asked.settings.beside)


def _most(asked: Asked) -> int:
    """Give the longest stretch without a usable value that `linear` bridges, in columns."""
    return int(asked.settings.line_hours * HOUR_US // asked.pasts[0].block.cadence_us)


def _lines(asked: Asked, spare: Ints, ends: Mask | None = None) -> Guess:
    """Draw lines over gaps; `spare` columns beside each may be unusable, both sides together.

    `ends` marks the qualities that may end a line.
    """
    gaps, past = asked.gaps, asked.pasts[0]
    usable = asked.settings.end_point if ends is None else ends
    length = gaps.length.astype(np.int64)
    after, right = _nearest(past, gaps, spare, usable, forwards=True)
    left_over = np.where(after == UNREACHED, -1, spare - after)
    before, left = _nearest(past, gaps, left_over, usable, forwards=False)
    if len(asked.pasts) > 1 and asked.pasts[1].block.end_us == past.block.start_us:
        before, left = _in_history(asked.pasts[1], gaps, left_over, usable, (before, left))
    found = (after != UNREACHED) & (before != UNREACHED)
    steps = np.where(found, before + 1 + length + after, 1)
    offset = np.cumsum(length) - length
    step = np.arange(asked.cells, dtype=np.int64) + np.repeat(before + 1 - offset, length)
    far = int(steps.max(initial=1)) * 2
    points = roomy(np.concatenate([left, right, np.zeros(1, np.int64)]), far)
    each = np.repeat(np.arange(len(length)), length)
    whole, known = steps[each], found[each]
    value = points[each] * (whole - step) + points[len(length) + each] * step
    return Guess(np.where(known, value, 0), whole, known)


def _nearest(past: Past, gaps: Gaps, spare: Ints, usable: Mask, *, forwards: bool) -> tuple[Ints, Ints]:
    """Find the nearest end point on one side of each gap: columns between (-1: none within `spare`), and its value."""
    width, widest = len(past.block.day_of), int(spare.max(initial=-1)) + 1
    if widest <= 0:
        return np.full(len(gaps), UNREACHED, np.int64), np.zeros(len(gaps), np.int64)
    first = gaps.first.astype(np.int64)
    edge = (first + gaps.length)[:, None] + np.arange(widest) if forwards else first[:, None] - 1 - np.arange(widest)
    row = past.own[gaps.row][:, None]
    return _first_usable(past, row, edge, (edge >= 0) & (edge < width), spare, usable)


def _first_usable(past: Past, row: Ints, column: Ints, inside: Mask, spare: Ints, usable: Mask) -> tuple[Ints, Ints]:
    """Find the first usable of some columns (g x w) a gap; gives its place and value, -1 and 0 without one."""
    column = np.where(inside, column, 0)
    fine = inside & usable[past.block.quality[row, column]]
    fine &= np.arange(column.shape[1]) <= spare[:, None]
    place = np.argmax(fine, axis=1)
    each = np.arange(len(place))
    found = fine[each, place]
    value = past.block.value[row[:, 0], column[each, place]]
    return np.where(found, place, UNREACHED), np.where(found, value, 0)


def _in_history(past: Past, gaps: Gaps, spare: Ints, usable: Mask, found: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Look for left end points, where none was found, at the end of a history that ends where the block starts."""
    before, left = found
    width, widest = len(past.block.day_of), int(spare.max(initial=-1)) + 1
    if widest <= 0 or not len(past.block.channels):
        return before, left
    column = width + gaps.first.astype(np.int64)[:, None] - 1 - np.arange(widest)
    own = past.own[gaps.row]
    inside = (column >= 0) & (column < width) & (own != UNREACHED)[:, None]
    place, value = _first_usable(past, np.maximum(own, 0)[:, None], column, inside, spare, usable)
    lacking = before == UNREACHED
    return np.where(lacking, place, before), np.where(lacking, value, left)
