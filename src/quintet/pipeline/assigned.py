"""Assigned estimates: what a run over the city says where a channel's own readings say less (see vee/others.py).

They stand against derived estimates, rejected values and nothing; what is measured takes their place, and an edit
stands over them.
"""

from functools import partial

import numpy as np

from quintet.store.engine import Batch, Engine
from quintet.store.read import intervals
from quintet.terms.errors import BadInput

from .commit import Pipeline
from .difference import ARRIVED, ASSIGNED, rollups
from .effects import Settled, write_outcome
from .rows import IntervalRows, key_order
from .settle import EDITED
from .standing import replaced


def assign(pipeline: Pipeline, engine: Engine, found: IntervalRows, *, source: str, actor: str) -> Batch | None:
    """Commit assigned estimates (any order, one for an interval at most) as one batch; None where nothing is new.

    An interval of a channel that was never heard, or with a measured or edited value, is left out. Raises BadInput
    where a quality is no assigned one.
    """
    if not ASSIGNED[found.quality].all():
        raise BadInput("holds values of a quality that is not assigned.", code="not_assigned", place=source)
    with engine.exclusive():
        found = found.take(np.isin(found.channel, found.channel[pipeline.tails.heard(found.channel)]))
        order = key_order(found.channel, found.start_us)
        found = found if order is None else found.take(order)
        before = effective(engine, found)
        keep = (ARRIVED[before.quality] == 0) & ~np.isin(before.quality, EDITED)
        keep &= (before.quality != found.quality) | (before.value != found.value)
        if not keep.any():
            return None
        change = replaced(before.take(keep), found.take(keep))
        with engine.writing("assigned", source, actor, engine.clock_us()) as writing:
            by_hour, by_day = rollups(change, engine.tz, writing.batch.id)
            for name, table in (("rollup_hour", by_hour), ("rollup_day", by_day)):
                writing.append(name, table)
            writing.append("interval", change.rows.to_arrow(writing.batch.id))
            writing.batch.accepted = len(change.rows)
            done = Settled([(change.rows, by_day)])
            writing.then(partial(pipeline.take_assigned, np.unique(change.rows.channel), done, writing.batch))
        pipeline.tell()
    return writing.batch


def lift(pipeline: Pipeline, engine: Engine, gone: IntervalRows, *, source: str, actor: str) -> Batch | None:
    """Take assigned estimates back as one batch: what evidence gives takes their place. None where none of it stands.

    Of `gone` only channel and start count.
    """
    with engine.exclusive():
        order = key_order(gone.channel, gone.start_us)
        gone = gone if order is None else gone.take(order)
        gone = gone.take(ASSIGNED[effective(engine, gone).quality])
        if not len(gone):
            return None
        channels = np.unique(gone.channel)
        done = Settled()
        with engine.writing("assigned", source, actor, engine.clock_us()) as writing:
            settlement = pipeline.settlement(writing)
            settlement.lifted = gone
            for outcome in settlement.again(writing, channels):
                write_outcome(writing, outcome, done)
            writing.batch.accepted = len(gone)
            writing.then(partial(pipeline.take_assigned, channels, done, writing.batch))
        pipeline.tell()
    return writing.batch


def effective(engine: Engine, keys: IntervalRows) -> IntervalRows:
    """Give what stands now for each channel and start (sorted): value 0 and quality 0 where nothing does."""
    value, quality = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.uint8)
    if len(keys):
        low, high = int(keys.start_us.min()), int(keys.start_us.max())
        with engine.snapshot() as snapshot:
            table = intervals(engine, snapshot, low, high + 1, channels=np.unique(keys.channel))
        stored = IntervalRows.from_arrow(table)
        width = np.int64(high - low + 1)
        mine, theirs = (one.channel * width + (one.start_us - low) for one in (keys, stored))
        place = np.minimum(np.searchsorted(theirs, mine), max(len(theirs) - 1, 0))
        found = theirs[place] == mine if len(theirs) else np.zeros(len(keys), np.bool_)
        value[found], quality[found] = stored.value[place[found]], stored.quality[place[found]]
    return IntervalRows(keys.channel, keys.start_us, value, quality)
