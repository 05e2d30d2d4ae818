"""Holes in the readings: was the supply away, or only the connection; and the jump with which a meter comes back.

After an outage of the connection the meter went on counting: what comes with the first reading is the outage's own use,
and is spread over it. After an outage of the supply nothing was used. Pure functions.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.length import DAY_US

from .alike import LikeDays
from .block import Block, Gaps, Ids, Ints, Mask, of_kind
from .estimation import estimate
from .sourced import thresholds_of

SUPPLY, COMMS, UNCLEAR = "supply", "comms", "unclear"
THRESHOLDS = ("most", "neighbours", "least_slots", "above", "history", "within")
Numbers = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Around:
    """What stands beside one hole.

    `stated`: what an event that covers it says (SUPPLY, COMMS, or "" for none); `flagged`: the device reported a power
    failure in it; `own_total`: what the meter's own register moved over it (sub-units), None where nobody knows.
    Neighbours on the same feeder while it lasted: how many were heard and at zero, were heard and used something, were
    silent as well; and of the silent ones how many registers moved, and how many stood still, over it.
    """

    stated: str = ""
    flagged: bool = False
    own_total: int | None = None
    at_zero: int = 0
    using: int = 0
    silent: int = 0
    silent_moved: int = 0
    silent_still: int = 0


@dataclass(frozen=True, slots=True)
class Outage:
    """What a hole was: SUPPLY, COMMS or UNCLEAR, why (a stable code), the figures, and what was not there to tell."""

    verdict: str
    reason: str
    figures: Mapping[str, int]
    missing: tuple[str, ...]


def tell_apart(around: Around, numbers: Numbers | None = None) -> Outage:
    """Tell what a hole was. What the meter itself counted decides before all else: it cannot count without supply."""
    rules = numbers or outages()
    figures = {
        name: int(value) for name, value in dataclasses.asdict(around).items() if name != "stated" and value is not None
    }
    verdict, reason = _verdict(around, rules)
    here = {
        "event": bool(around.stated),
        "device_flag": around.flagged,
        "register": around.own_total is not None,
        "neighbours": around.at_zero + around.using + around.silent_moved + around.silent_still >= rules["neighbours"],
    }
    return Outage(verdict, reason, figures, tuple(name for name, known in here.items() if not known))


def _verdict(around: Around, rules: Numbers) -> tuple[str, str]:
    moved = around.own_total is not None and around.own_total != 0
    if around.stated == SUPPLY:
        return (UNCLEAR, "stated_but_counted") if moved else (SUPPLY, "stated")
    if moved:
        return COMMS, "register_moved"
    if around.stated == COMMS:
        return COMMS, "stated"
    idle, busy = around.at_zero + around.silent_still, around.using + around.silent_moved
    enough = idle + busy >= rules["neighbours"]
    if around.flagged:
        return (UNCLEAR, "flag_against_neighbours") if enough and _most(busy, idle, rules) else (SUPPLY, "device_flag")
    if not enough:
        return UNCLEAR, "no_evidence"
    if not busy:
        return SUPPLY, "neighbours_at_zero"
    if _most(busy, idle, rules):
        return COMMS, "neighbours_use"
    return UNCLEAR, "neighbours_differ"


def _most(part: int, other: int, rules: Numbers) -> bool:
    return part > rules["most"] * (part + other)


def jump_on_return(block: Block, gaps: Gaps, alike: LikeDays | None = None, numbers: Numbers | None = None) -> Mask:
    """Mark the gaps whose use the meter handed in as one amount with its first interval after them.

    That interval is above all that was measured in the weeks before, far above what like days and neighbours in time
    expect of it and of any interval of the gap, and about as much as they expect of both together; and it stands alone:
    where the interval after it is known and high too, use is high, and what was measured stands. A gap with a total
    of its own, without an interval right after it, or of which nothing can be expected, is not marked.
    """
    rules = numbers or outages()
    out = np.zeros(len(gaps), np.bool_)
    end = gaps.first + gaps.length
    able = np.flatnonzero((~gaps.has_total) & (gaps.length >= int(rules["least_slots"])) & (end < len(block.day_of)))
    able = able[_counted(block, gaps.row[able], end[able])]
    able = able[_alone(block, gaps.row[able], end[able], rules)]
    if not len(able):
        return out
    wanted = with_return(_some(gaps, able), block, np.ones(len(able), np.bool_))
    free = dataclasses.replace(wanted, has_total=np.zeros(len(able), np.bool_))
    hidden = block.present.copy()
    for row, first, length in zip(free.row, free.first, free.length, strict=True):
        hidden[row, first : first + length] = False
    value, method = estimate(dataclasses.replace(block, present=hidden), free, None, alike)
    for place, gap in enumerate(able.tolist()):
        span = slice(int(free.first[place]), int(free.first[place] + free.length[place]))
        row = int(free.row[place])
        if (method[row, span] > 0).all() and int(wanted.total[place]) > _highest(block, row, span.start, rules):
            out[gap] = _is_lump(int(wanted.total[place]), value[row, span], rules)
    return out


def _alone(block: Block, row: Ids, column: Ids, rules: Numbers) -> Mask:
    """Mark intervals that are far above the one after them, or after which nothing was measured."""
    after = np.minimum(column + 1, len(block.day_of) - 1)
    known = (column + 1 < len(block.day_of)) & _counted(block, row, after)
    return ~known | (block.value[row, column] >= float(rules["above"]) * block.value[row, after])


def _highest(block: Block, row: int, end: int, rules: Numbers) -> int:
    """Give the highest interval measured in the days before a column; the largest number where there is none."""
    first = max(end - int(rules["history"]) * DAY_US // block.cadence_us, 0)
    columns = np.arange(first, end)
    seen = columns[_counted(block, np.full(len(columns), row, np.int32), columns.astype(np.int32))]
    return int(block.value[row, seen].max()) if len(seen) else 2**62


def with_return(gaps: Gaps, block: Block, marked: Mask) -> Gaps:
    """Give marked gaps together with the interval after them: what that holds is the total of both."""
    end = (gaps.first + gaps.length)[marked]
    length, total, has_total = gaps.length.copy(), gaps.total.copy(), gaps.has_total.copy()
    length[marked] += 1
    total[marked] = block.value[gaps.row[marked], end]
    has_total[marked] = True
    return Gaps(gaps.row, gaps.first, length, total, has_total)


def _is_lump(amount: int, expected: Ints, rules: Numbers) -> bool:
    """Tell whether an amount is far above each expected interval and about as much as all of them together."""
    whole = int(expected.sum())
    if whole <= 0 or expected.min() < 0:
        return False
    return amount >= rules["above"] * int(expected.max()) and abs(amount - whole) <= rules["within"] * whole


def _counted(block: Block, row: Ids, column: Ids) -> Mask:
    """Mark the cells that hold a measured value."""
    return block.present[row, column] & of_kind("measured")[block.quality[row, column]]


def _some(gaps: Gaps, at: Ints) -> Gaps:
    return Gaps(*(getattr(gaps, field.name)[at] for field in dataclasses.fields(Gaps)))


def outages_from(table: Mapping[str, Any]) -> Numbers:
    """Load the thresholds; one that is missing, unknown or has no source is refused."""
    check_keys(dict(table), required={"threshold"}, optional=set(), place="outages")
    return thresholds_of(table["threshold"], THRESHOLDS, "outages")


@cache
def outages() -> Numbers:
    """Give the thresholds that ship with the package."""
    return outages_from(read_toml("quintet.vee", "outages.toml"))
