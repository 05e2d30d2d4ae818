"""Gaps of the same columns are filled together: one look at the calendar serves all of their rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from .block import Gaps, Ids, Ints, Mask
from .guess import Asked, Guess

CELLS_AT_ONCE = 500_000
"""Cells filled together: 4 MB of amounts, which stay in the cache."""


@dataclass(frozen=True, slots=True)
class Span:
    """k gaps over the same columns [first, first + length): their rows, and `place` of each among the gaps asked."""

    rows: Ints
    first: int
    length: int
    place: Ints


def part_of(gaps: Gaps, places: Ints | Mask) -> Gaps:
    """Give some of the gaps."""
    return Gaps(*(getattr(gaps, field.name)[places] for field in fields(Gaps)))


def lots(gaps: Gaps) -> Iterator[Ints]:
    """Cut gaps into lots of about CELLS_AT_ONCE cells, those of the same columns beside one another; gives places."""
    order = np.lexsort((gaps.row, gaps.first, gaps.length))
    done = np.cumsum(gaps.length[order], dtype=np.int64)
    cuts = np.searchsorted(done, np.arange(CELLS_AT_ONCE, int(done[-1]) if len(done) else 0, CELLS_AT_ONCE), "right")
    yield from (lot for lot in np.split(order, np.unique(np.maximum(cuts, 1))) if len(lot))


def spans_of(gaps: Gaps) -> Iterator[Span]:
    """Give gaps grouped by their columns."""
    order = np.lexsort((gaps.row, gaps.length, gaps.first))
    first, length = gaps.first[order], gaps.length[order]
    turns = np.flatnonzero((np.diff(first) != 0) | (np.diff(length) != 0)) + 1
    for place in np.split(order, turns):
        if len(place):
            rows = gaps.row[place].astype(np.int64)
            yield Span(rows, int(gaps.first[place[0]]), int(gaps.length[place[0]]), place)


def by_span(asked: Asked, shape: Callable[[Asked, Span], tuple[Ints, Ints, Mask]]) -> Guess:
    """Answer span by span: `shape` gives top, bottom and said (k x length each, or what broadcasts to it)."""
    length = asked.gaps.length.astype(np.int64)
    offset = np.cumsum(length) - length
    out = Guess.nothing(asked.cells)
    for span in spans_of(asked.gaps):
        at = offset[span.place][:, None] + np.arange(span.length)
        out.top[at], out.bottom[at], out.said[at] = shape(asked, span)
    return out


def days_of(asked: Asked, first: int, length: int) -> Iterator[tuple[int, int, int, Ids]]:
    """Cut columns by local day: first and end place among them, the day since 1970-01-01, places on the local clock."""
    block = asked.pasts[0].block
    days = block.day_of[first : first + length]
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), length]
    for start, end in pairwise(cuts):
        yield start, end, block.first_day + int(days[start]), block.slot_of[first + start : first + end]
