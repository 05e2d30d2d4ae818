"""What a run finds in a week of a block of channels: period rules, doubtful values, holes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.pipeline.rows import I64, Mask
from quintet.store.audit import canonical
from quintet.store.runs import FINDINGS
from quintet.vee import Block, Rules
from quintet.vee.block import ids_of, of_kind, spans
from quintet.vee.inference import UNKNOWN
from quintet.vee.outages import UNCLEAR

from .vee_evidence import columns_of
from .vee_gaps import Against, Hole
from .vee_homes import Verdict
from .vee_load import LARGEST, Sheet, held
from .vee_units import Unit, moment

SILENT, MISSING, ZERO, AGAINST = "silent", "missing", "zero_meter", "event_contradicted"
HOURS = 24
OUTAGES = {"supply": "supply_outage", "comms": "comms_outage", UNCLEAR: "outage_unclear"}
FAIL, FLAG, NOTE = "fail", "flag", "note"
PASSED_OVER = frozenset({"not_cold", "season_unknown"})
"""Reasons for which a meter at zero is nothing to speak of."""
DOUBTFUL = ids_of(["questionable", "rejected"])
QUESTIONABLE = ids_of(["questionable"])
NO_VALUE = of_kind("rejected") | ~of_kind("measured") & ~of_kind("estimated")


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a unit, as the store keeps it; `detail` holds figures, `amount` (sub-units) what is at stake."""

    unit: int
    channel: int
    at_us: int
    until_us: int
    rule: str
    verdict: str
    detail: Mapping[str, Any]


def table_of(found: Iterable[Found]) -> pa.Table:
    """Give findings as the store takes them: of one channel, rule and beginning, the longest."""
    kept: dict[tuple[int, int, str, int], Found] = {}
    for one in found:
        key = (one.unit, one.channel, one.rule, one.at_us)
        if key not in kept or one.until_us > kept[key].until_us:
            kept[key] = one
    rows = [kept[key] for key in sorted(kept)]
    columns = {name: [getattr(one, name) for one in rows] for name in FINDINGS.names}
    columns["detail"] = [canonical(dict(one.detail)) for one in rows]
    return pa.table({name: pa.array(columns[name], FINDINGS.field(name).type) for name in FINDINGS.names})


def of_rules(unit: Unit, block: Block, found: Any, rules: Rules, unit_us: tuple[int, int]) -> Iterable[Found]:
    """Give what period rules found in a block, as far as it reaches into the unit."""
    own = columns_of(block, *unit_us)
    for row, first, last, index, middle in zip(
        found.row.tolist(), found.column_first.tolist(), found.column_last.tolist(), found.rule.tolist(),
        found.middle.tolist(), strict=True,
    ):  # fmt: skip
        if last < own.start:
            continue
        low, high = (block.start_us + column * block.cadence_us for column in (first, last + 1))
        amount = total_of(block.value[row, first : last + 1] * block.present[row, first : last + 1])
        verdict = FLAG if middle else FAIL
        yield Found(unit.first, int(block.channels[row]), low, high, rules.rules[index].id, verdict, {"amount": amount})


def doubts(
    unit: Unit, block: Sheet, noted: Mapping[int, list[tuple[str, int, int]]], unit_us: tuple[int, int]
) -> Iterable[Found]:
    """Give what is doubtful or was left out in a unit, by channel and the rule that said so when it was committed.

    `noted` holds the findings of the write path by channel: rule, from and until. Only values that are still doubtful
    count: what a person decided is decided.
    """
    own = columns_of(block, *unit_us)
    doubtful = block.present[:, own] & held(block.quality[:, own], DOUBTFUL)
    for row in np.flatnonzero(doubtful.any(axis=1)).tolist():
        channel = int(block.channels[row])
        hit: dict[str, Mask] = {}
        for rule, at_us, until_us in noted.get(channel, ()):
            low = (at_us - block.start_us) // block.cadence_us - own.start
            high = -((block.start_us - max(until_us, at_us + 1)) // block.cadence_us) - own.start
            mask = hit.setdefault(rule, np.zeros(doubtful.shape[1], np.bool_))
            mask[max(low, 0) : max(high, 0)] = True
        for rule, mask in sorted(hit.items()):
            at = np.flatnonzero(mask & doubtful[row])
            if len(at):
                amount = total_of(block.value[row, own][at])
                low, high = (block.start_us + (own.start + int(c)) * block.cadence_us for c in (at[0], at[-1] + 1))
                yield Found(unit.first, channel, low, high, rule, FLAG, {"amount": amount, "intervals": len(at)})


def total_of(values: I64) -> int:
    """Sum up magnitudes, each within the bounds of what a meter can show."""
    return int(np.minimum(np.abs(values), LARGEST).sum())


def holes(unit: Unit, found: Iterable[Hole]) -> Iterable[Found]:
    """Give what holes were."""
    for hole in found:
        outage = hole.outage
        said = {"reason": outage.reason, "figures": dict(outage.figures), "missing": list(outage.missing)}
        verdict = FLAG if outage.verdict == UNCLEAR else NOTE
        yield Found(unit.first, hole.channel, hole.from_us, hole.until_us, OUTAGES[outage.verdict], verdict, said)


def contradictions(unit: Unit, found: Iterable[Against]) -> Iterable[Found]:
    """Give where an event says that supply was away, and meters counted."""
    for one in found:
        detail = {"event": one.event, "amount": total_of(one.used), "intervals": len(one.used)}
        yield Found(unit.first, one.channel, one.from_us, one.until_us, AGAINST, FLAG, detail)


def missing(unit: Unit, block: Sheet, since_us: I64, usual: I64, unit_us: tuple[int, int]) -> Iterable[Found]:
    """Give the holes of a unit that nothing fills: no estimate could be made, so they are in no sum."""
    own = columns_of(block, *unit_us)
    empty = ~block.present[:, own] | held(block.quality[:, own], NO_VALUE)
    ends = block.value.shape[1] == own.stop
    row, first, last = spans(empty)
    for at, low, high in zip(row.tolist(), first.tolist(), last.tolist(), strict=True):
        from_us, until_us = (block.start_us + (own.start + c) * block.cadence_us for c in (low, high + 1))
        if from_us <= int(since_us[at]) or (ends and high == empty.shape[1] - 1):
            continue
        amount = int(usual[at]) * (high + 1 - low) * block.cadence_us // 86_400_000_000
        detail = {"amount": amount, "intervals": high + 1 - low}
        yield Found(unit.first, int(block.channels[at]), from_us, until_us, MISSING, FAIL, detail)


def begun(whole: Sheet) -> I64:
    """Give when each row's first measured value begins; the end of time where it has none."""
    valued = whole.here
    first = valued.argmax(axis=1)
    return np.where(valued.any(axis=1), whole.start_us + first * whole.cadence_us, 2**62)


def usual_a_day(whole: Sheet, plate_max_per_hour: I64) -> I64:
    """Give what each row uses on a day: the median of days of which half was measured and not doubted; 0 without one.

    A day of which some is missing counts as if the rest of it had been as what is known. It is no more than the meter's
    plate lets through in a day (`plate_max_per_hour`, sub-units, -1 unknown).
    """
    heads = np.flatnonzero(np.diff(whole.day_of, prepend=-1))
    if not len(heads):
        return np.zeros(len(whole.channels), np.int64)
    doubted = held(whole.quality, QUESTIONABLE) & whole.here
    here = whole.here & ~doubted
    total = np.abs(np.add.reduceat(np.where(doubted, 0, whole.amount), heads, axis=1))
    count = np.add.reduceat(here, heads, axis=1, dtype=np.int64)
    slots = 86_400_000_000 // whole.cadence_us
    each = np.maximum(count, 1)
    # a sum may be near the bounds of 64 bits: never multiplied whole
    total = total // each * slots + total % each * slots // each
    known = (count * 2 >= np.diff(heads, append=len(whole.day_of))) & (count > 0)
    days = known.sum(axis=1)
    ranked = np.sort(np.where(known, total, np.iinfo(np.int64).max), axis=1)
    middle = np.take_along_axis(ranked, np.maximum(days - 1, 0)[:, None] // 2, axis=1)[:, 0]
    most = np.where(plate_max_per_hour < 0, 2**62, plate_max_per_hour * HOURS)
    return np.where(days > 0, np.minimum(middle, most), 0)


def zeros(unit: Unit, found: Iterable[Verdict], tz: Any) -> Iterable[Found]:
    """Give what meters at zero were told to be, as far as they were at zero in the unit."""
    for one in found:
        inferred = one.inferred
        if one.last_day < unit.first or (inferred.verdict == UNKNOWN and inferred.reason in PASSED_OVER):
            continue
        detail = {
            "reason": inferred.reason,
            "figures": dict(inferred.figures),
            "missing": list(inferred.missing),
            "amount": inferred.figures["neighbours_mean"] * inferred.figures["zero_days"],
        }
        low, high = moment(one.first_day, tz), moment(one.last_day + 1, tz)
        yield Found(unit.first, one.channel, low, high, ZERO, inferred.verdict, detail)
