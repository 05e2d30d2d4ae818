"""What a derivation changes: new versions of intervals, and the differences that keep the rollups true."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.terms.period import day_numbers, hour_starts
from quintet.terms.quality import qualities, qualities_by_id

from .rows import I32, I64, U8, IntervalRows, Mask, constant, merged_order, starts_of_runs

WITHDRAWN = qualities()["withdrawn"].id
ASSIGNED = np.zeros(256, np.bool_)
"""Whether a quality's value was put there by a run or by who sent the data: it stands until something measured does."""
TOLD = qualities()["told_estimate"].id
"""What the sender of a channel's readings estimated himself: no run takes that back."""
OF_RUNS = np.zeros(256, np.bool_)
"""Whether a quality's value was assigned by a run, which may take it back."""
BENEATH = np.arange(256, dtype=np.uint8)
"""The quality with which evidence gives a value, by the one that it stands with: another only where it is marked."""
MARK_OF = np.zeros(256, np.uint8)
"""The quality that marks a value of a quality; 0 where none does."""
COUNTED = np.zeros(256, np.int64)
"""Whether a quality's value is part of sums."""
ARRIVED = np.zeros(256, np.int64)
ESTIMATED = np.zeros(256, np.int64)
for _quality in qualities_by_id().values():
    ARRIVED[_quality.id] = _quality.kind == "measured"
    ESTIMATED[_quality.id] = _quality.kind == "estimated"
    COUNTED[_quality.id] = _quality.kind != "rejected"
    ASSIGNED[_quality.id] = _quality.assigned
    OF_RUNS[_quality.id] = _quality.assigned and _quality.id != TOLD
    if _quality.covers:
        BENEATH[_quality.id] = qualities()[_quality.covers].id
        MARK_OF[BENEATH[_quality.id]] = _quality.id


@dataclass(frozen=True, slots=True)
class Change:
    """New versions to append, and for each what it adds to the sums: value, arrived and estimated intervals."""

    rows: IntervalRows
    value: I64
    arrived: I64
    estimated: I64


def all_new(rows: IntervalRows) -> Change:
    """Give the change of intervals where nothing stood before."""
    counted = COUNTED[rows.quality]
    return Change(rows, rows.value * counted, ARRIVED[rows.quality], ESTIMATED[rows.quality])


def against(derived: IntervalRows, stored: IntervalRows, outranked: I64, lifted: Mask | None = None) -> Change:
    """Compare what evidence gives now with what is effective in the store over the same range.

    Both sorted by channel and start. Equal rows give nothing; a stored interval that evidence no longer gives is
    withdrawn; `outranked` numbers stored qualities (edits) that stand whatever the evidence says. A stored assigned
    value stands unless the evidence gives a measured one, but where `lifted` marks it: then it is as any other. A
    marked value stands while the evidence gives the same value with the quality beneath the mark.
    """
    assigned = ASSIGNED[stored.quality] if lifted is None else ASSIGNED[stored.quality] & ~lifted
    channel = np.concatenate([stored.channel, derived.channel])
    start = np.concatenate([stored.start_us, derived.start_us])
    newer = np.concatenate([np.zeros(len(stored), np.int8), np.ones(len(derived), np.int8)])
    order = merged_order(channel, start)
    source = newer[order]
    paired = np.zeros(len(order), np.bool_)
    paired[1:] = (channel[order][1:] == channel[order][:-1]) & (start[order][1:] == start[order][:-1])
    position = np.where(source == 0, order, order - len(stored))
    new_at = position[source == 1]
    has_old = paired[source == 1]
    old_at = np.where(has_old, position[np.flatnonzero(source == 1) - 1], 0)
    old_value, old_quality = old_versions(stored, old_at)
    edited = has_old & np.isin(old_quality, outranked)
    changed = ~has_old | (old_value != derived.value[new_at])
    changed |= BENEATH[old_quality] != derived.quality[new_at]
    if assigned.any():
        changed &= ~(has_old & assigned[old_at] & (ARRIVED[derived.quality[new_at]] == 0))
    new = all_new(derived.take(new_at[changed]))
    weigh = (has_old & changed).astype(np.int64)[changed]
    stands = edited[changed]
    before = COUNTED[old_quality[changed]] * old_value[changed]
    fresh = Change(
        new.rows,
        np.where(stands, 0, new.value - weigh * before),
        np.where(stands, 0, new.arrived - weigh * ARRIVED[old_quality[changed]]),
        np.where(stands, 0, new.estimated - weigh * ESTIMATED[old_quality[changed]]),
    )
    followed = np.zeros(len(order), np.bool_)
    followed[:-1] = paired[1:]
    left = position[(source == 0) & ~followed]
    gone = stored.take(left[~np.isin(stored.quality[left], outranked) & ~assigned[left]])
    return joined(fresh, withdrawal(gone))


def old_versions(stored: IntervalRows, places: I64) -> tuple[I64, U8]:
    """Give stored values and qualities at places; zeros where nothing is stored at all."""
    if not len(stored):
        return np.zeros(len(places), np.int64), np.zeros(len(places), np.uint8)
    return stored.value[places], stored.quality[places]


def withdrawal(gone: IntervalRows) -> Change:
    """Give the change that takes intervals out again."""
    rows = IntervalRows(
        gone.channel, gone.start_us, np.zeros(len(gone), np.int64), np.full(len(gone), WITHDRAWN, np.uint8)
    )
    return Change(rows, -gone.value * COUNTED[gone.quality], -ARRIVED[gone.quality], -ESTIMATED[gone.quality])


def joined(*changes: Change) -> Change:
    """Put changes together, sorted by channel and start."""
    rows = IntervalRows.concat([change.rows for change in changes])
    order = merged_order(rows.channel, rows.start_us)
    sums = [np.concatenate([getattr(c, name) for c in changes])[order] for name in ("value", "arrived", "estimated")]
    return Change(rows.take(order), *sums)


def rollups(change: Change, tz: ZoneInfo, batch: int) -> tuple[pa.Table, pa.Table]:
    """Give the differences by channel and hour, and by channel and local day, as the store appends them."""
    hours = hour_starts(change.rows.start_us, tz)
    days = day_numbers(change.rows.start_us, tz)
    return reduced(change, "hour_us", hours, batch), reduced(change, "day", days, batch)


def reduced(change: Change, name: str, period: I64 | I32, batch: int) -> pa.Table:
    """Sum a change's rows over runs of equal channel and period; the period's column is called `name`."""
    channel = change.rows.channel
    heads = starts_of_runs(channel, period)
    sums = [
        np.add.reduceat(values, heads) if len(heads) else np.zeros(0, np.int64)
        for values in (change.value, change.arrived, change.estimated)
    ]
    return pa.table(
        {
            "channel": pa.array(channel[heads]),
            name: pa.array(period[heads]),
            "value": pa.array(sums[0]),
            "arrived": pa.array(sums[1].astype(np.int16)),
            "estimated": pa.array(sums[2].astype(np.int16)),
            "batch": constant(batch, len(heads)),
        }
    )
