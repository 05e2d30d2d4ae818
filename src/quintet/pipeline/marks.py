"""Marks of doubt: what a run over the city finds of values over a longer time is seen where they are read.

A mark changes neither the value nor what is summed. It stands only over what evidence gives as valid or derived; edits,
estimates, and what is rejected or questionable already stay as they are. What is marked depends on nothing but the
spans that are in doubt and on what evidence gives, so marking anew gives the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Writing
from quintet.store.marks import marked_spans
from quintet.store.read import intervals

from .commit import Pipeline
from .difference import BENEATH, MARK_OF, all_new, rollups
from .effects import Settled
from .rows import I32, I64, IntervalRows, Mask

LOT_CELLS = 2_000_000
"""Intervals read at once."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of channels, half-open (us), in any order; they may overlap."""

    channel: I32
    from_us: I64
    until_us: I64

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Take them from a table."""
        return cls(*(table[name].to_numpy() for name in ("channel", "from_us", "until_us")))

    def take(self, rows: Mask) -> Self:
        """Give some of them."""
        return type(self)(self.channel[rows], self.from_us[rows], self.until_us[rows])

    def joined(self, others: Self) -> Self:
        """Give these and others."""
        names = ("channel", "from_us", "until_us")
        return type(self)(*(np.concatenate([getattr(self, name), getattr(others, name)]) for name in names))


def mark(
    pipeline: Pipeline, engine: Engine, writing: Writing, doubted: Spans, window_us: tuple[int, int], seen: int
) -> int:
    """Put marks on what spans cover in a window [low, high) and take all others there away, as part of a batch.

    What came after batch `seen` nobody judged yet: it is marked by the run that does. Gives how many intervals changed.
    """
    marked = Spans.of(marked_spans(engine, writing, *window_us))
    done: list[IntervalRows] = []
    for channels, low, high in lots(pipeline, doubted.joined(marked)):
        table = intervals(engine, writing, low, high, channels=channels)
        rows = IntervalRows.from_arrow(table)
        wanted = covered(rows, doubted.take(np.isin(doubted.channel, channels))) & inside(rows, window_us)
        fresh = np.where(wanted & (table["batch"].to_numpy() <= seen), MARK_OF[rows.quality], np.uint8(0))
        kept = np.where(wanted | ~inside(rows, window_us), rows.quality, BENEATH[rows.quality])
        quality = np.where(fresh > 0, fresh, kept).astype(np.uint8)
        changed = quality != rows.quality
        if changed.any():
            new = IntervalRows(rows.channel, rows.start_us, rows.value, quality).take(changed)
            writing.append("interval", new.to_arrow(writing.batch.id))
            done.append(new)
    if done:
        none = rollups(all_new(done[0].take(np.zeros(0, np.int64))), engine.tz, writing.batch.id)[1]
        settled = Settled([(rows, none) for rows in done])
        writing.then(partial(pipeline.take_marks, settled, writing.batch))
    return sum(map(len, done))


def lots(pipeline: Pipeline, spans: Spans) -> Iterator[tuple[I32, int, int]]:
    """Cut the channels of spans into lots of about LOT_CELLS intervals: channels (sorted), from when, until when."""
    channels, place = np.unique(spans.channel, return_inverse=True)
    if not len(channels):
        return
    low, high = np.full(len(channels), 2**62, np.int64), np.full(len(channels), -(2**62), np.int64)
    np.minimum.at(low, place, spans.from_us)
    np.maximum.at(high, place, spans.until_us)
    cells = int(high.max() - low.min()) // pipeline.meaning().cadence_us[channels] + 1
    lot = (np.cumsum(cells) - cells) // LOT_CELLS
    for number in np.unique(lot).tolist():
        own = lot == number
        yield channels[own], int(low[own].min()), int(high[own].max())


def covered(rows: IntervalRows, spans: Spans) -> Mask:
    """Mark the rows (sorted) that begin within a span of their channel."""
    if not len(rows) or not len(spans.channel):
        return np.zeros(len(rows), np.bool_)
    edges = np.zeros(len(rows) + 1, np.int64)
    heads, tails = (np.searchsorted(rows.channel, spans.channel, side) for side in ("left", "right"))
    low, width = int(rows.start_us.min()), int(rows.start_us.max() - rows.start_us.min()) + 2
    keys = rows.channel.astype(np.int64) * width + (rows.start_us - low)
    for moment, step in ((spans.from_us, 1), (spans.until_us, -1)):
        at = np.searchsorted(keys, spans.channel.astype(np.int64) * width + np.clip(moment - low, 0, width - 1))
        np.add.at(edges, np.clip(at, heads, tails), step)
    return np.cumsum(edges[:-1]) > 0


def inside(rows: IntervalRows, window_us: tuple[int, int]) -> Mask:
    """Mark the rows that begin in a window."""
    return (rows.start_us >= window_us[0]) & (rows.start_us < window_us[1])
