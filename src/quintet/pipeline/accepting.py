"""What stands when a person accepts intervals: what the readings say there, whatever rules or edits made of it."""

import numpy as np

from quintet.store.book import unit_codes
from quintet.store.engine import Engine, Snapshot
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.vee import Rules

from .difference import ARRIVED, COUNTED
from .laying import laid_over
from .meaning import Meaning
from .rows import MOST_AMOUNT, IntervalRows, key_order, starts_of_runs
from .settle import EDITED as OF_PEOPLE
from .settle import Settlement

EDITED = qualities()["edited"].id
REJECTED = qualities()["rejected"].id


def accepted(
    engine: Engine, snapshot: Snapshot, meaning: Meaning, rules: Rules, before: IntervalRows, quality: int | None
) -> IntervalRows:
    """Give what stands when rows (sorted; what is effective) are accepted, as edited values; quality 0 for none.

    A measured value stands as it is. Where a rule rejected one, an estimate took its place or an edit covers it, what
    the readings themselves give stands; where they give nothing, what stands now, unless it counts for nothing. A
    person who asks for intervals of one `quality` that counts means the values that have it: they stand as they are.
    Raises BadInput where nothing is left that could stand.
    """
    asked = (ARRIVED[before.quality] == 0) | np.isin(before.quality, OF_PEOPLE)
    if quality is not None and COUNTED[quality]:
        asked[:] = False
    value, said = before.value.copy(), before.quality != REJECTED
    if asked.any():
        own = evidenced(engine, snapshot, meaning, rules, before.take(asked))
        found = own.quality > 0
        at = np.flatnonzero(asked)[found]
        value[at], said[at] = own.value[found], True
    if not said.any():
        raise BadInput(
            "holds only values that no meter can show.",
            code="nothing_to_accept",
            place="the range",
            remedy="Give values with `replace`, or have them estimated with `estimate`.",
        )
    return IntervalRows(before.channel, before.start_us, value, np.where(said, EDITED, 0).astype(np.uint8))


def evidenced(engine: Engine, snapshot: Snapshot, meaning: Meaning, rules: Rules, cells: IntervalRows) -> IntervalRows:
    """Give what readings say of intervals (sorted) before any rule; value and quality 0 where they say nothing."""
    heads = starts_of_runs(cells.channel)
    settlement = Settlement(engine, meaning, rules, list(unit_codes(snapshot)), 0)
    parts = list(settlement.evidenced(snapshot, cells.channel[heads], cells.start_us[heads]))
    rows = IntervalRows.concat([cells.take(np.zeros(0, np.int64)), *parts])
    rows = rows.take(np.abs(rows.value) <= MOST_AMOUNT)
    order = key_order(rows.channel, rows.start_us)
    rows = rows if order is None else rows.take(order)
    bare = IntervalRows(cells.channel, cells.start_us, cells.value * 0, cells.quality * np.uint8(0))
    return laid_over(bare, rows)
