"""Derived intervals are judged and their gaps filled, in blocks of channels that share cadence and days."""

import dataclasses
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.length import DAY_US
from quintet.terms.period import day_numbers, day_of_number, day_start, to_us
from quintet.terms.quality import qualities
from quintet.vee import Block, Gaps, LikeDays, Order, Rules, estimate, spans, validate
from quintet.vee.alike import like_days_in
from quintet.vee.block import cells
from quintet.vee.groups import part_of
from quintet.vee.outages import jump_on_return, with_return

from .derive import Derived
from .meaning import NUMBERS, Meaning
from .rows import I32, I64, MOST_AMOUNT, U8, IntervalRows, Mask, key_order, starts_of_runs, stretches
from .rule_limits import highest_amounts, longest_estimate_days

REJECTED = qualities()["rejected"].id
LUMPING = NUMBERS["interval_sum"]
RETURNED = "return_jump"
IMPOSSIBLE = "total_beyond_plate"
EVENLY = "register_spread"


@dataclass(frozen=True)
class Judged:
    """Final intervals of some channels, and what the rules found: channel, first and last moment, rule id."""

    rows: IntervalRows
    finding_channel: I32
    finding_at_us: I64
    finding_until_us: I64
    finding_rule: list[str]


@dataclass(frozen=True)
class Extent:
    """How far each of k channels reaches: its first and last slot, and the local days that hold them."""

    first_us: I64
    last_us: I64
    first_day: I64
    last_day: I64
    starts_day: I64
    ends_day: I64


def extent_of(derived: Derived, meaning: Meaning, channels: I32, tz: ZoneInfo) -> Extent:
    """Measure where each channel's intervals and gaps begin and end; channels without any are given as empty."""
    size = len(channels)
    first, last = np.full(size, 2**62, np.int64), np.full(size, -(2**62), np.int64)
    heads = starts_of_runs(derived.channel)
    own = derived.channel[heads]
    first[own] = derived.start_us[heads]
    last[own] = derived.start_us[np.append(heads[1:], len(derived.channel))[: len(heads)] - 1]
    cadence = meaning.cadence_us[channels]
    gap_end = derived.gaps.start_us + (derived.gaps.slots - 1) * cadence[derived.gaps.channel]
    np.minimum.at(first, derived.gaps.channel, derived.gaps.start_us)
    np.maximum.at(last, derived.gaps.channel, gap_end)
    held = last >= first
    first_day, last_day = np.zeros(size, np.int64), np.full(size, -1, np.int64)
    first_day[held], last_day[held] = day_numbers(first[held], tz), day_numbers(last[held], tz)
    before, after = np.zeros(size, np.int64), np.zeros(size, np.int64)
    before[held] = day_numbers(first[held] - cadence[held], tz) < first_day[held]
    after[held] = day_numbers(last[held] + cadence[held], tz) > last_day[held]
    return Extent(first, last, first_day, last_day, before, after)


def judge(derived: Derived, meaning: Meaning, channels: I32, rules: Rules, tz: ZoneInfo) -> Judged:
    """Validate all intervals and estimate the gaps between them.

    `derived` numbers channels 0..k-1; `channels` gives their numbers in the city. A day is judged for a channel when
    the channel's evidence covers its beginning and its end, whatever other channels have.
    """
    extent = extent_of(derived, meaning, channels, tz)
    held = np.flatnonzero(extent.last_day >= extent.first_day)
    keys = np.stack(
        [
            meaning.cadence_us[channels[held]], meaning.phase_us[channels[held]], extent.first_day[held],
            extent.last_day[held], extent.starts_day[held], extent.ends_day[held],
        ]
    )  # fmt: skip
    order = np.lexsort(keys[::-1])
    heads = starts_of_runs(*(key[order] for key in keys))
    parts: list[Judged] = []
    bounds = np.searchsorted(derived.channel, np.arange(len(channels) + 1))
    gap_order = np.argsort(derived.gaps.channel, kind="stable")
    gap_bounds = np.searchsorted(derived.gaps.channel[gap_order], np.arange(len(channels) + 1))
    for head, tail in stretches(heads, len(order)):
        members = np.sort(held[order[head:tail]])
        rows = runs(bounds[members], bounds[members + 1])
        gaps = gap_order[runs(gap_bounds[members], gap_bounds[members + 1])]
        parts.append(judge_group(derived, rows, gaps, members, extent, meaning, channels, rules, tz))
    return merged(parts)


def runs(first: I64, end: I64) -> I64:
    """Give all places in the half-open ranges [first, end), one range after another."""
    length = end - first
    return np.arange(int(length.sum())) + np.repeat(first - (np.cumsum(length) - length), length)


def judge_group(
    derived: Derived,
    rows: I64,
    gaps: I64,
    members: I64,
    extent: Extent,
    meaning: Meaning,
    channels: I32,
    rules: Rules,
    tz: ZoneInfo,
) -> Judged:
    """Judge the channels of one cadence and one extent as one block."""
    numbers = channels[members]
    cadence, phase = int(meaning.cadence_us[numbers[0]]), int(meaning.phase_us[numbers[0]])
    low = to_us(day_start(day_of_number(int(extent.first_day[members[0]])), tz))
    high = to_us(day_start(day_of_number(int(extent.last_day[members[0]]) + 1), tz))
    start = low + (-(low + phase)) % cadence
    columns = -((start - high) // cadence)
    value = np.zeros((len(members), columns), np.int64)
    quality = np.zeros(value.shape, np.uint8)
    row = np.searchsorted(members, derived.channel[rows])
    column = (derived.start_us[rows] - start) // cadence
    value[row, column], quality[row, column] = derived.value[rows], derived.quality[rows]
    absurd = np.abs(value) > MOST_AMOUNT
    value[absurd], quality[absurd] = 0, REJECTED
    block = Block.of(start, cadence, numbers, (value, quality, quality > 0), tz)
    whole = block.whole_day.copy()
    whole[0] &= bool(extent.starts_day[members[0]])
    whole[-1] &= bool(extent.ends_day[members[0]])
    block = dataclasses.replace(block, whole_day=whole)
    quality, found = validate(block, meaning.traits(numbers), rules)
    open_gaps = Gaps(
        np.searchsorted(members, derived.gaps.channel[gaps]).astype(np.int32),
        ((derived.gaps.start_us[gaps] - start) // cadence).astype(np.int32),
        derived.gaps.slots[gaps].astype(np.int32),
        derived.gaps.total[gaps],
        derived.gaps.has_total[gaps],
    )
    highest = highest_amounts(rules, meaning, numbers, cadence)
    returned = returns(block, quality, open_gaps, meaning.kind[numbers])
    returned[returned] = ~lumps_beyond(block, open_gaps, returned, highest)
    lump_row, lump_column = open_gaps.row[returned], (open_gaps.first + open_gaps.length)[returned]
    if returned.any():
        open_gaps, hidden = with_return(open_gaps, block, returned), block.present.copy()
        hidden[lump_row, lump_column] = False
        block = dataclasses.replace(block, present=hidden, quality=block.quality * hidden)
        quality, found = validate(block, meaning.traits(numbers), rules)
    impossible = open_gaps.has_total & beyond(open_gaps.total, open_gaps.length, highest[open_gaps.row])
    no_total, open_gaps = part_of(open_gaps, impossible), part_of(open_gaps, ~impossible)
    open_gaps = with_rejected(open_gaps, quality)
    longest = longest_estimate_days(rules, meaning, numbers) * DAY_US // cadence
    open_gaps = within(open_gaps, longest[open_gaps.row])
    if len(open_gaps):
        asked = dataclasses.replace(block, quality=quality)
        subjects = meaning.subjects(numbers.tolist())
        estimated, methods = filled_within(asked, open_gaps, highest, like_days_in(tz.key), meaning.order, subjects)
        filled = methods > 0
        value, quality = np.where(filled, estimated, value), np.where(filled, methods, quality)
    at_row, at_column = np.nonzero(quality)
    final = IntervalRows(
        numbers[at_row], start + at_column * cadence, value[at_row, at_column], quality[at_row, at_column]
    )
    large_row, large_column = np.nonzero(absurd)
    last_column = no_total.first + no_total.length - 1
    first = np.concatenate([found.column_first, large_column, lump_column, no_total.first]).astype(np.int64)
    last = np.concatenate([found.column_last, large_column, lump_column, last_column]).astype(np.int64)
    return Judged(
        final,
        numbers[np.concatenate([found.row, large_row, lump_row, no_total.row])],
        start + first * cadence,
        start + (last + 1) * cadence,
        [
            *(rules.rules[index].id for index in found.rule),
            *["too_large"] * len(large_row),
            *[RETURNED] * len(lump_row),
            *[IMPOSSIBLE] * len(no_total),
        ],
    )


def returns(block: Block, quality: U8, gaps: Gaps, kind: U8) -> Mask:
    """Mark the gaps whose use came as one amount with the interval after them (vee/outages.py).

    Only meters that send intervals do that, and it counts whatever a rule thinks of the amount: `quality` is that of
    the rules.
    """
    out = np.zeros(len(gaps), np.bool_)
    able = np.flatnonzero((kind[gaps.row] == LUMPING) & (gaps.first + gaps.length < block.value.shape[1]))
    if not len(able):
        return out
    judged = quality.copy()
    row, end = gaps.row[able], (gaps.first + gaps.length)[able]
    judged[row, end] = block.quality[row, end]
    some = Gaps(*(getattr(gaps, field.name)[able] for field in dataclasses.fields(Gaps)))
    out[able] = jump_on_return(dataclasses.replace(block, quality=judged), some)
    return out


def lumps_beyond(block: Block, gaps: Gaps, returned: Mask, highest: I64) -> Mask:
    """Tell which amounts that came with a return are more than the meter could have counted in that time."""
    row, end = gaps.row[returned], (gaps.first + gaps.length)[returned]
    return beyond(block.value[row, end], gaps.length[returned] + 1, highest[row])


def beyond(total: I64, length: I32, highest: I64) -> Mask:
    """Tell which totals are more, in either direction, than so many intervals can hold; equal is none."""
    size = np.abs(total)
    return (size > 0) & ((size - 1) // length >= highest)


def filled_within(
    block: Block, gaps: Gaps, highest: I64, alike: LikeDays, order: Order, subjects: list[str]
) -> tuple[I64, U8]:
    """Estimate, with no value above what the meter can show: a total is then shared evenly, else the gap stays open.

    Gives values and methods, 0 where nothing was filled; a total is no more than its intervals can hold.
    """
    value, methods = estimate(block, gaps, None, alike, order, subjects)
    high = np.abs(value) > highest[:, None]
    if not (high & (methods > 0)).any():
        return value, methods
    row, column = cells(gaps.row, gaps.first, gaps.length)
    over = np.logical_or.reduceat(high[row, column], np.cumsum(gaps.length) - gaps.length)
    own = np.repeat(over, gaps.length)
    methods[row[own], column[own]] = 0
    shared = part_of(gaps, over & gaps.has_total)
    if len(shared):
        even, how = estimate(block, shared, None, alike, order.only(EVENLY), subjects)
        row, column = cells(shared.row, shared.first, shared.length)
        value[row, column], methods[row, column] = even[row, column], how[row, column]
    return value, methods


def with_rejected(gaps: Gaps, quality: U8) -> Gaps:
    """Add the spans of rejected values: where a measurement cannot be, an estimate stands in, if one can be made."""
    row, first, last = spans(quality == REJECTED)
    if not len(row):
        return gaps
    none = np.zeros(len(row), np.int64)
    more = Gaps(row, first, (last - first + 1).astype(np.int32), none, none.astype(np.bool_))
    return Gaps(*(np.concatenate([getattr(g, f.name) for g in (gaps, more)]) for f in dataclasses.fields(Gaps)))


def within(gaps: Gaps, longest: I64) -> Gaps:
    """Leave out gaps that nobody may estimate: longer than the rules allow (V20), and without a register's total.

    `longest` is the most columns of each gap.
    """
    return part_of(gaps, gaps.has_total | (gaps.length <= longest))


def merged(parts: list[Judged]) -> Judged:
    """Put groups together, sorted by channel and start."""
    if not parts:
        none = np.zeros(0, np.int64)
        empty = IntervalRows(np.zeros(0, np.int32), none, none, np.zeros(0, np.uint8))
        return Judged(empty, np.zeros(0, np.int32), none, none, [])
    rows = IntervalRows.concat([part.rows for part in parts])
    order = key_order(rows.channel, rows.start_us)
    return Judged(
        rows if order is None else rows.take(order),
        np.concatenate([part.finding_channel for part in parts]),
        np.concatenate([part.finding_at_us for part in parts]),
        np.concatenate([part.finding_until_us for part in parts]),
        [rule for part in parts for rule in part.finding_rule],
    )
