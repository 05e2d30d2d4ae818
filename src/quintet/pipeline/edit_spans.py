"""What an edit is to change: its intervals picked out, with what stands there, and the values that will stand."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals, wanted
from quintet.store.runs import standing_findings
from quintet.terms.catalogue import numbers_of, read_toml
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.length import DAY_US
from quintet.terms.period import day_numbers, day_of_number, day_start, from_us, to_us
from quintet.terms.quality import ORDERED_FROM, qualities, qualities_by_id
from quintet.vee import Block, Gaps, Rules, estimate, spans
from quintet.vee.alike import like_days_in
from quintet.vee.period_checks import PERIOD

from .accepting import accepted
from .laying import laid_over
from .meaning import Meaning
from .rows import I32, I64, MOST_AMOUNT, IntervalRows, Mask, key_order, starts_of_runs
from .rule_limits import longest_estimate_days

EDITED = qualities()["edited"].id
REJECTED_BY_PERSON = qualities()["rejected_by_person"].id
OF_RUNS = frozenset(
    {"zero_meter", "outage_unclear", "supply_outage", "comms_outage", "missing", "unusable", "event_contradicted"}
)
"""What runs find beside rules: a meter at zero, a hole and what it was."""
MISSING = 0
"""Stands for the quality of an interval of which nothing is known."""
ACTIONS = ("accept", "reject", "replace", "estimate")


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/editing.toml`."""

    most_intervals: int
    look_back_days: int
    channels_at_once: int


@cache
def limits() -> Limits:
    """Give the shipped bounds."""
    return Limits(**numbers_of(read_toml("quintet.pipeline", "editing.toml"), Limits.__slots__, "editing.toml"))


@dataclass(frozen=True, slots=True)
class Values:
    """New values by start (us): sub-units."""

    start_us: I64
    value: I64


@dataclass(frozen=True, slots=True)
class Picked:
    """Which intervals an edit is about: channels (sorted), a half-open range (us), and what must be true of them.

    `quality` is the id of what is effective there now (MISSING: nothing is), `rule` one that found something there.
    """

    channels: I32
    from_us: int
    until_us: int
    quality: int | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a person orders: an action of ACTIONS on picked intervals; `value` or `values` for a replacement.

    `keep_total`: the estimates of each stretch sum to what stood there.
    """

    action: str
    picked: Picked
    value: int | None = None
    values: Values | None = None
    keep_total: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an order changes, row for row: what stands now (quality MISSING for nothing) and what will stand."""

    before: IntervalRows
    after: IntervalRows


@dataclass(frozen=True, slots=True)
class City:
    """What an order is worked out with: the store at one moment, what channels are, and the rules in force."""

    engine: Engine
    snapshot: Snapshot
    meaning: Meaning
    rules: Rules


def planned(city: City, order: Order) -> Plan:
    """Work out an order; raises BadInput or UsageError where it says nothing that can be done.

    Intervals that stand as ordered already are part of it: they stay when an earlier edit of them is undone.
    """
    engine, snapshot, meaning = city.engine, city.snapshot, city.meaning
    _check(order, engine.clock_us())
    if order.picked.rule is not None:
        refuse_unknown_rule(city, order.picked.rule)
    if order.action in ("replace", "estimate"):
        before = on_grid(engine, snapshot, meaning, order.picked)
    else:
        before = effective(engine, snapshot, order.picked.channels, order.picked.from_us, order.picked.until_us)
    if len(before) > limits().most_intervals:
        raise _too_many(len(before))
    there = len(before)
    before = before.take(chosen(snapshot, before, meaning, order.picked))
    if not len(before):
        raise _nothing(order, there, city.engine.tz)
    after = _AFTER[order.action](city, order, before)
    said = after.quality != MISSING
    if not (said & ((after.quality != before.quality) | (after.value != before.value))).any():
        raise BadInput(
            "would change nothing.", code="nothing_changes", place="the edit", remedy="It stands already as you say."
        )
    return Plan(before.take(said), after.take(said))


def _check(order: Order, now_us: int) -> None:
    """Refuse an order that contradicts itself."""
    if order.action not in ACTIONS:
        raise UsageError(
            f"there is no edit {order.action!r}.", code="bad_action", remedy=f"Known: {', '.join(ACTIONS)}."
        )
    if order.picked.until_us <= order.picked.from_us:
        raise UsageError("the range ends before it begins.", code="bad_range", place="--to")
    if order.picked.until_us > now_us:
        raise BadInput(
            "reaches into the future.",
            code="future_edit",
            place="the range",
            remedy="Nobody can know yet what will be measured: end it at a moment that has passed.",
        )
    given = (order.value is not None) + (order.values is not None)
    if given != (order.action == "replace"):
        raise UsageError(
            "a replacement needs one value or a file of values; other edits take none.",
            code="bad_values",
            remedy="Give --value or --values with `replace`, and only there.",
        )


def _too_many(count: int) -> BadInput:
    most = limits().most_intervals
    return BadInput(
        f"holds {count:,} intervals; one edit changes at most {most:,}.",
        code="too_many_intervals",
        place="the range",
        remedy="Make the range shorter or name fewer channels.",
    )


def _nothing(order: Order, there: int, tz: ZoneInfo) -> BadInput:
    """Say why a range holds nothing to edit; `there` intervals are in it before they are filtered."""
    picked = order.picked
    low, high = (from_us(moment).astimezone(tz).isoformat() for moment in (picked.from_us, picked.until_us))
    count = len(picked.channels)
    place = f"{count} channel{'s' * (count != 1)}, {low} .. {high}"
    words = [f"of quality {qualities_by_id()[picked.quality].code}"] if picked.quality else []
    words += ["that is missing"] if picked.quality == MISSING else []
    words += [f"in which {picked.rule} found something"] if picked.rule is not None else []
    if there:
        message = f"holds {there:,} intervals, but none {' and '.join(words)}."
        remedy = "Leave the filter out, or see with `quintet intervals` what is there."
    elif order.action in ("replace", "estimate"):
        message, remedy = "no interval begins there.", "Make the range longer: one interval of the channel at least."
    else:
        message = f"holds nothing to {order.action}: nothing was read there, and nothing could be estimated."
        remedy = "Put a value there with `quintet edit replace`, or try `quintet edit estimate`."
    return BadInput(message, code="nothing_picked", place=place, remedy=remedy)


def refuse_unknown_rule(city: City, rule: str) -> None:
    """Raise UsageError for what is no rule, and that nothing was ever found by."""
    known = [one.id for one in city.rules.rules]
    sql = """select 1 from finding where rule = $1 or rule like $1 || '\\_%' escape '\\'
        union all select 1 from run_finding where rule = $1 limit 1"""
    if any(one == rule or one.startswith(f"{rule}_") for one in known) or city.snapshot.rows(sql, [rule]):
        return
    raise UsageError(
        f"there is no rule {rule!r}.",
        code="unknown_rule",
        place="--rule",
        remedy=f"Known: {', '.join(known)}; `quintet vee rules` says what each looks for.",
    )


def effective(engine: Engine, snapshot: Snapshot, channels: I32, from_us: int, until_us: int) -> IntervalRows:
    """Read what is effective; sorted by channel and start."""
    return IntervalRows.from_arrow(intervals(engine, snapshot, from_us, until_us, channels=channels))


def on_grid(engine: Engine, snapshot: Snapshot, meaning: Meaning, picked: Picked) -> IntervalRows:
    """Give every interval of the channels' grids in the range, with what is effective there, MISSING for nothing."""
    cadence, phase = meaning.cadence_us[picked.channels], meaning.phase_us[picked.channels]
    first = picked.from_us + (-(picked.from_us + phase)) % cadence
    count = np.maximum(-((first - picked.until_us) // cadence), 0)
    if int(count.sum()) > limits().most_intervals:
        raise _too_many(int(count.sum()))
    number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    channel = np.repeat(picked.channels, count).astype(np.int32)
    start = np.repeat(first, count) + number * np.repeat(cadence, count)
    out = IntervalRows(channel, start, np.zeros(len(start), np.int64), np.zeros(len(start), np.uint8))
    return laid_over(out, effective(engine, snapshot, picked.channels, picked.from_us, picked.until_us))


def chosen(snapshot: Snapshot, rows: IntervalRows, meaning: Meaning, picked: Picked) -> Mask:
    """Mark the rows that the filter of an order asks for."""
    out = np.ones(len(rows), np.bool_)
    if picked.quality is not None:
        out &= rows.quality == picked.quality
    if picked.rule is not None and len(rows):
        out &= found_by(snapshot, rows, meaning, picked)
    return out


def found_by(snapshot: Snapshot, rows: IntervalRows, meaning: Meaning, picked: Picked) -> Mask:
    """Mark the rows in which a rule (its id, or what stands before the first _) found something.

    What a run found counts as it stands now, by rules over a period and of its own (OF_RUNS): of others it repeats what
    was found as readings were committed, week by week.
    """
    cells = pa.table(
        {"channel": rows.channel, "start_us": rows.start_us, "end_us": rows.start_us + meaning.cadence_us[rows.channel]}
    ).append_column("place", pa.array(np.arange(len(rows))))
    tables = {"cells": cells, "wanted": wanted(picked.channels), "stands": standing_findings(snapshot)}
    table = snapshot.arrow(
        """select distinct c.place from cells c join (select channel, at_us, greatest(until_us, at_us + 1) as until_us
            from (select channel, at_us, until_us, rule from finding union all
                select channel, at_us, until_us, rule from stands where rule in (select rule from periodic))
            where (rule = $1 or rule like $1 || '\\_%' escape '\\') and channel in (select channel from wanted)) f
            on f.channel = c.channel and f.at_us < c.end_us and f.until_us > c.start_us""",
        [picked.rule],
        {**tables, "periodic": pa.table({"rule": pa.array(sorted({*PERIOD, *OF_RUNS}))})},
    )
    out = np.zeros(len(rows), np.bool_)
    out[table["place"].to_numpy()] = True
    return out


def _same(quality: int, before: IntervalRows) -> IntervalRows:
    return IntervalRows(before.channel, before.start_us, before.value, np.full(len(before), quality, np.uint8))


def _accepted(city: City, order: Order, before: IntervalRows) -> IntervalRows:
    """Let what was measured stand as a person's word."""
    return accepted(city.engine, city.snapshot, city.meaning, city.rules, before, order.picked.quality)


def _rejected(_city: City, _order: Order, before: IntervalRows) -> IntervalRows:
    """Keep values, and count them no more."""
    return _same(REJECTED_BY_PERSON, before)


def _replaced(_city: City, order: Order, before: IntervalRows) -> IntervalRows:
    """Put given values in the place of what stands."""
    if order.values is None:
        value = np.full(len(before), order.value, np.int64)
    else:
        if len(order.picked.channels) > 1:
            raise UsageError("a file of values is for one channel.", code="bad_values", place="--values")
        at = np.searchsorted(before.start_us, order.values.start_us)
        there = (at < len(before)) & (before.start_us[np.minimum(at, len(before) - 1)] == order.values.start_us)
        if not there.all():
            raise BadInput(
                f"{int((~there).sum())} of its starts are no interval of the range.",
                code="off_grid",
                place="--values",
                remedy="Name intervals by their start, inside --from and --to.",
            )
        value, quality = before.value.copy(), np.full(len(before), MISSING, np.uint8)
        value[at], quality[at] = order.values.value, EDITED
        return IntervalRows(before.channel, before.start_us, value, quality)
    return IntervalRows(before.channel, before.start_us, value, np.full(len(before), EDITED, np.uint8))


def _estimated(city: City, order: Order, before: IntervalRows) -> IntervalRows:
    """Estimate anew, as if nothing had been measured there; where nobody can tell, what stands stays."""
    meaning = city.meaning
    parts: list[IntervalRows] = []
    channels = before.channel[starts_of_runs(before.channel)]
    grid = np.stack([meaning.cadence_us[channels], meaning.phase_us[channels]])
    for step, shift in np.unique(grid, axis=1).T.tolist():
        own = channels[(grid[0] == step) & (grid[1] == shift)]
        for low in range(0, len(own), limits().channels_at_once):
            some = own[low : low + limits().channels_at_once]
            cells = before.take(np.isin(before.channel, some))
            parts.append(_estimated_block(city, cells, (step, shift), keep=order.keep_total))
    rows = IntervalRows.concat(parts)
    place = key_order(rows.channel, rows.start_us)
    rows = rows if place is None else rows.take(place)
    if not (rows.quality >= ORDERED_FROM).any():
        raise BadInput(
            "cannot be estimated: too few measured values are near, and no day like it.",
            code="no_estimate",
            place="the range",
            remedy="Choose a shorter range, or give values with `replace`.",
        )
    return rows


def _estimated_block(city: City, cells: IntervalRows, grid: tuple[int, int], *, keep: bool) -> IntervalRows:
    """Estimate cells (sorted) of channels of one grid; `keep`: each stretch keeps its sum."""
    engine, meaning, (step, shift) = city.engine, city.meaning, grid
    channels = cells.channel[starts_of_runs(cells.channel)]
    start, columns = _extent(cells, step, shift, engine.tz)
    known = effective(engine, city.snapshot, channels, start, start + columns * step)
    known = known.take((known.start_us - start) % step == 0)
    value, quality = np.zeros((len(channels), columns), np.int64), np.zeros((len(channels), columns), np.uint8)
    row, column = np.searchsorted(channels, known.channel), (known.start_us - start) // step
    value[row, column], quality[row, column] = known.value, known.quality
    value[np.abs(value) > MOST_AMOUNT] = 0
    at = np.searchsorted(channels, cells.channel), (cells.start_us - start) // step
    asked = np.zeros(quality.shape, np.bool_)
    asked[at] = True
    stood = np.where(asked, value, 0)
    quality[asked] = MISSING
    row, first, last = spans(asked)
    sums = np.concatenate([np.zeros((len(channels), 1), np.int64), np.cumsum(stood, axis=1)], axis=1)
    length = (last - first + 1).astype(np.int32)
    gaps = Gaps(row, first, length, sums[row, last + 1] - sums[row, first], np.full(len(row), keep))
    if not keep:
        longest = longest_estimate_days(city.rules, meaning, channels) * DAY_US // step
        fits = length <= longest[row]
        gaps = Gaps(row[fits], first[fits], length[fits], gaps.total[fits], gaps.has_total[fits])
    block = Block.of(start, step, channels, (value, quality, quality > 0), engine.tz)
    made, method = estimate(
        block, gaps, None, like_days_in(engine.tz.key), meaning.order, meaning.subjects(channels.tolist())
    )
    done = asked & (method > 0)
    new_value, new_quality = np.where(done, made, 0)[at], np.where(done, method, MISSING)[at]
    ordered = np.where(new_quality > 0, new_quality + ORDERED_FROM, MISSING).astype(np.uint8)
    return IntervalRows(cells.channel, cells.start_us, new_value, ordered)


def _extent(cells: IntervalRows, step: int, shift: int, tz: ZoneInfo) -> tuple[int, int]:
    """Give the first slot and the number of slots of the days that cells lie in, and of those that estimates look at.

    The day after is needed too: a straight line ends there.
    """
    first, last = day_numbers(np.array([cells.start_us.min(), cells.start_us.max()]), tz).tolist()
    edges = (first - limits().look_back_days, last + 2)
    low, high = (to_us(day_start(day_of_number(number), tz)) for number in edges)
    start = low + (-(low + shift)) % step
    return start, -((start - high) // step)


_AFTER = {"accept": _accepted, "reject": _rejected, "replace": _replaced, "estimate": _estimated}
