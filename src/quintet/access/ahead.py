"""Readings of many channels over the same days, read from the store at once: one by one they would take a second each.

It answers nobody by itself: an access that has it still checks each question before it looks here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine
from quintet.store.read import intervals
from quintet.terms.period import Span

from .series import Rows


@dataclass(frozen=True, slots=True)
class Ahead:
    """Effective intervals (channel, start_us, value, quality; sorted) of some channels over a span."""

    span: Span
    channels: frozenset[int]
    rows: pa.Table

    @classmethod
    def read(cls, engine: Engine, channels: Sequence[int], span: Span) -> "Ahead":
        """Read them as they are now."""
        with engine.snapshot() as snapshot:
            found = intervals(engine, snapshot, span.start_us, span.end_us, channels=np.array(channels, np.int32))
        return cls(span, frozenset(channels), found.combine_chunks())

    def of(self, channel: int, span: Span) -> Rows | None:
        """Give a channel's intervals in a span; None where they were not read."""
        if channel not in self.channels or span.start < self.span.start or span.end > self.span.end:
            return None
        numbers, wanted = self.rows["channel"].to_numpy(), np.int32(channel)  # of one kind: else all are converted
        low, high = np.searchsorted(numbers, wanted), np.searchsorted(numbers, wanted, side="right")
        own = self.rows.slice(low, high - low)
        start = own["start_us"].to_numpy()
        first, end = np.searchsorted(start, span.start_us), np.searchsorted(start, span.end_us)
        return start[first:end], own["value"].to_numpy()[first:end], own["quality"].to_numpy()[first:end]
