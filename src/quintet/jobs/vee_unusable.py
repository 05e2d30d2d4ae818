"""Meters that are heard and give next to no usable number, as a register that runs backwards."""

from collections.abc import Collection, Iterator, Mapping, Set
from zoneinfo import ZoneInfo

import numpy as np

from quintet.pipeline.rows import I64, Mask
from quintet.store.engine import Snapshot
from quintet.store.runs import noted_at

from .exception_kinds import kinds
from .vee_evidence import columns_of
from .vee_findings import DOUBTFUL, FAIL, Found
from .vee_gaps import EDITED
from .vee_load import Sheet, held
from .vee_units import Unit, moment

UNUSABLE = "unusable"
QUARTER_US = 900_000_000
"""Local days begin at a multiple of this in every time zone in use."""
Noted = Mapping[int, Collection[tuple[str, int, int]]]
Days = tuple[I64, I64]


def unusable(
    unit: Unit, block: Sheet, noted: Noted, usual: I64, rules: Set[str], looked_us: tuple[int, int]
) -> Iterator[Found]:
    """Give the channels of a block that were heard in the week before the unit's end, on most days to no use.

    A day counts from the first to the last interval in which the channel was heard: a value, or a reading that the
    write path noted under one of `rules` (those that doubt or reject; `noted` by channel: rule, from, until). It is a
    bad one where less than the stated share of those intervals has a measured value. Silence is no bad day, nor is a
    doubted value a missing one: it is told by the rule that doubts it.
    """
    table = kinds()
    own = columns_of(block, *looked_us)
    here, quality = block.here[:, own], block.quality[:, own]
    decided = block.present[:, own] & held(quality, EDITED)
    sound = here | decided
    heard = here | (block.present[:, own] & held(quality, DOUBTFUL)) | _noted_cells(block, own, noted, rules)
    heads = np.flatnonzero(np.diff(block.day_of[own], prepend=-1)).tolist()
    ends = [*heads[1:], heard.shape[1]]
    heard_days, bad = np.zeros(len(heard), np.int64), np.zeros((len(heard), len(heads)), np.bool_)
    for day, (low, high) in enumerate(zip(heads, ends, strict=True)):
        cells = heard[:, low:high]
        any_ = cells.any(axis=1)
        between = high - low - cells.argmax(axis=1) - cells[:, ::-1].argmax(axis=1)
        bad[:, day] = any_ & (sound[:, low:high].sum(axis=1) < float(table.unusable_share) * between)
        heard_days += any_
    count = bad.sum(axis=1)
    hit = (count >= table.unusable_days) & (count > float(table.unusable_share) * heard_days)
    for row in np.flatnonzero(hit).tolist():
        number, at = int(block.channels[row]), np.flatnonzero(bad[row])
        first, last = heads[int(at[0])], ends[int(at[-1])]
        low, high = (block.start_us + (own.start + column) * block.cadence_us for column in (first, last))
        said: dict[str, int] = {}
        for rule, from_us, _ in noted.get(number, ()):
            if rule in rules and low <= from_us < high:
                said[rule] = said.get(rule, 0) + 1
        detail = {
            "amount": int(usual[row]) * int(count[row]), "bad_days": int(count[row]),
            "heard_days": int(heard_days[row]), "usable": int(sound[row, first:last].sum()),
            "intervals": last - first, "noted": said,
        }  # fmt: skip
        yield Found(unit.first, number, low, high, UNUSABLE, FAIL, detail)


def _noted_cells(block: Sheet, own: slice, noted: Noted, rules: Set[str]) -> Mask:
    """Mark the intervals in which a reading came that the write path doubted or left out."""
    out = np.zeros((len(block.channels), len(range(*own.indices(block.value.shape[1])))), np.bool_)
    for row, number in enumerate(block.channels.tolist()):
        at = [from_us for rule, from_us, _ in noted.get(number, ()) if rule in rules]
        column = (np.array(at, np.int64) - block.start_us) // block.cadence_us - own.start
        out[row, column[(column >= 0) & (column < out.shape[1])]] = True
    return out


def with_noted(changed: Days, snapshot: Snapshot, rules: Set[str], tz: ZoneInfo) -> Days:
    """Give changed days (store.runs.changed_days) and those of which the write path noted what `rules` doubt.

    A reading that gives no interval changes no sum, but what is said of its meter.
    """
    if not len(changed[0]):
        return changed
    found = noted_at(snapshot, sorted(rules), QUARTER_US)
    low, high = int(changed[0][0]), int(changed[0][-1])
    starts = np.array([moment(day, tz) for day in range(low, high + 2)], np.int64)
    day = low + np.searchsorted(starts, found["at_us"].to_numpy(), side="right") - 1
    inside = (day >= low) & (day <= high)
    newest = np.full(high + 1 - low, -1, np.int64)
    np.maximum.at(newest, day[inside] - low, found["batch"].to_numpy()[inside])
    np.maximum.at(newest, changed[0] - low, changed[1])
    days = np.flatnonzero(newest >= 0)
    return days + low, newest[days]
