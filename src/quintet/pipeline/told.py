"""Estimates that came with the data: whoever sent the readings says of some that he estimated them himself.

They are no measurements, so they are not committed as readings; they stand as assigned estimates do (assigned.py), and
a run over the city leaves them: a measured value takes their place, an edit stands over them.
"""

from fractions import Fraction

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine
from quintet.terms.tables import QUARANTINE, READINGS

from .assigned import assign
from .commit import Pipeline, now_us
from .delivery import Receipt
from .difference import TOLD
from .evidence import without_repeats
from .rows import I64, MOST_AMOUNT, IntervalRows, RawRows, starts_of_runs

NEVER_HEARD = (
    "only_estimates",
    "The sender measured nothing of this channel, only estimated it. An estimate stands beside readings, not instead.",
)
TOO_LARGE = ("too_large", "The amount is larger than any that is kept. Ask the sender to mend it.")


def take_told(pipeline: Pipeline, engine: Engine, readings: pa.Table, *, source: str, actor: str) -> Receipt:
    """Commit estimates (READINGS: amounts of intervals, named by their start) of channels that were heard.

    What names no channel, or one of which nothing was measured, is quarantined. An interval that is measured or edited
    stays as it is, and counts as said before.
    """
    if not readings.num_rows:
        return Receipt()
    named = pipeline.normaliser().normalise(readings, QUARANTINE.empty_table(), now_us(), source)
    rows = without_repeats(named.rows).rows
    aside = [named.quarantine]
    value = np.array([_whole(one) for one in pipeline.amounts().of(rows)], dtype=object)
    fitting = np.array([abs(one) <= MOST_AMOUNT for one in value.tolist()], np.bool_)
    heard = np.isin(rows.channel, rows.channel[pipeline.tails.heard(rows.channel)]) if len(rows) else fitting
    words = _words(pipeline)
    for bad, (code, reason) in ((~fitting, TOO_LARGE), (fitting & ~heard, NEVER_HEARD)):
        aside.append(_aside(rows.take(bad), words, source, code, reason))
    refused = pa.concat_tables([one.cast(QUARANTINE) for one in aside])
    set_aside = Receipt()
    if refused.num_rows:
        set_aside = pipeline.commit([(READINGS.empty_table(), refused)], source=source, actor=actor)
    good = fitting & heard
    kept = _latest(rows.take(good), value[good].astype(np.int64))
    batch = assign(pipeline, engine, kept, source=source, actor=actor) if len(kept) else None
    accepted = batch.accepted if batch is not None else 0
    return Receipt(accepted, len(named.rows) - int((~good).sum()) - accepted, 0, set_aside.quarantined)


def _words(pipeline: Pipeline) -> dict[int, tuple[str, str]]:
    """Give the site and meter of each channel."""
    table = pipeline.registry().channels()
    columns = (table[name].to_pylist() for name in ("channel", "site", "meter"))
    return {channel: (site, meter) for channel, site, meter in zip(*columns, strict=True)}


def _whole(amount: Fraction) -> int:
    """Give a number of sub-units; half of one goes to the even neighbour."""
    return round(amount)


def _latest(rows: RawRows, value: I64) -> IntervalRows:
    """Keep one estimate an interval: of several in one source the largest number, whatever their order."""
    order = np.lexsort((value, rows.at_us, rows.channel))
    heads = starts_of_runs(rows.channel[order], rows.at_us[order])
    last = order[np.append(heads[1:], len(order)) - 1] if len(order) else order
    return IntervalRows(rows.channel[last], rows.at_us[last], value[last], np.full(len(last), TOLD, np.uint8))


def _aside(rows: RawRows, words: dict[int, tuple[str, str]], source: str, code: str, reason: str) -> pa.Table:
    found = [
        {
            "source": source, "row": None, "site": words[channel][0], "meter": words[channel][1], "code": code,
            "reason": reason, "original": f'{{"estimated_at_us": {at_us}}}',
        }
        for channel, at_us in zip(rows.channel.tolist(), rows.at_us.tolist(), strict=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(found, QUARANTINE)
