"""Daily sums of a channel for a reader who is told of a part of them: a meter from elsewhere, days not over."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from quintet.registry.rows import Channel
from quintet.store.engine import Engine
from quintet.store.read import intervals
from quintet.terms.amount import Ints
from quintet.terms.period import Span, day_start, from_us

from .rights import Here
from .series import ESTIMATED, MEASURED
from .whole_steps import told_until

DAY = timedelta(days=1)


def own_days(engine: Engine, sums: Ints, channel: Channel, here: Here, days: Sequence[date]) -> None:
    """Take out of a channel's daily sums [value, arrived, estimated; days] what the reader is not told.

    Of a day in which the meter came from elsewhere, or went, its own intervals are read.
    """
    over = told_until(here.finest_min, from_us(engine.clock_us()), engine.tz)
    for at, day in enumerate(days):
        span = Span(day_start(day, engine.tz), day_start(day + DAY, engine.tz))
        if over is not None and span.end > over:
            sums[:, at] = 0
            continue
        if here.parts is None:
            continue
        own = [(max(one.start, span.start), min(one.end, span.end)) for one in here.parts]
        if (span.start, span.end) in own:
            continue
        sums[:, at] = 0
        for low, high in own:
            if low < high:
                sums[:, at] += _summed(engine, channel, Span(low, high))


def _summed(engine: Engine, channel: Channel, span: Span) -> Ints:
    """Sum a channel's effective intervals that start in a span: value, arrived, estimated."""
    with engine.snapshot() as snapshot:
        found = intervals(engine, snapshot, span.start_us, span.end_us, channels=[channel.id])
    quality, value = found["quality"].to_numpy(), found["value"].to_numpy()
    arrived, estimated = MEASURED[quality], ESTIMATED[quality]
    return np.array([value[arrived | estimated].sum(), arrived.sum(), estimated.sum()], np.int64)
