"""Judging readings that continue their channels: each interval by itself at once, each local day when it is over."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.recent import Recent
from quintet.terms.period import day_numbers, day_of_number, day_start, to_us
from quintet.terms.quality import qualities
from quintet.vee import Block, Findings, Rules, validate

from .difference import BENEATH, Change, all_new, joined
from .meaning import Meaning
from .rows import I32, I64, U8, IntervalRows, Mask, starts_of_runs, stretches
from .tails import NEVER

REJECTED = qualities()["rejected"].id
FINDINGS = pa.schema([("channel", pa.int32()), ("at_us", pa.int64()), ("until_us", pa.int64()), ("rule", pa.string())])


@dataclass(frozen=True)
class Days:
    """What judging gave: channels that must go the long way (not unique), new qualities, and findings."""

    refused: I32
    judged: IntervalRows
    findings: pa.Table

    def applied(self, rows: IntervalRows) -> Change:
        """Give the change that new rows make, with the qualities their days were judged to have.

        A judged interval that is none of the new rows stood before: it gets a new version of another quality, and its
        sums stay as they are.
        """
        mine = self.judged.take(np.isin(self.judged.channel, rows.channel))
        if not len(mine):
            return all_new(rows)
        channel = np.concatenate([rows.channel, mine.channel])
        start = np.concatenate([rows.start_us, mine.start_us])
        order = np.lexsort((start, channel))
        same = (channel[order][1:] == channel[order][:-1]) & (start[order][1:] == start[order][:-1])
        twins = np.sort(np.stack([order[:-1][same], order[1:][same]]), axis=0)
        quality = rows.quality.copy()
        quality[twins[0]] = mine.quality[twins[1] - len(rows)]
        old = mine.take(np.setdiff1d(np.arange(len(mine)), twins[1] - len(rows)))
        none = np.zeros(len(old), np.int64)
        new = IntervalRows(rows.channel, rows.start_us, rows.value, quality)
        return joined(all_new(new), Change(old, none, none, none)) if len(old) else all_new(new)

    def findings_of(self, channels: I32) -> pa.Table:
        """Give the findings in some channels."""
        if not self.findings.num_rows:
            return self.findings
        return self.findings.filter(pa.array(np.isin(self.findings["channel"].to_numpy(), channels)))


def judge_days(rows: IntervalRows, recent: Recent, meaning: Meaning, rules: Rules, tz: ZoneInfo, since_us: I64) -> Days:
    """Judge new intervals (sorted by channel and start, each channel's without a hole).

    A day that the new intervals end is judged whole, together with what is remembered of it; where that is not whole,
    the channel goes the long way. The day within which a channel began (`since_us`, by channel number) never is whole.
    An interval of an open day is judged by itself: what rules find in a whole day is
    found when it is over, and runs of equal values are looked for in `extend`. The channel goes the long way where a
    rule rejects a value or objects to one of an open day.
    """
    refused = [rows.channel[:0]]
    judged = [rows.take(np.zeros(0, np.int64))]
    findings = [FINDINGS.empty_table()]
    if not len(rows):
        return Days(refused[0], judged[0], findings[0])
    day = day_numbers(rows.start_us, tz)
    cadence, phase = meaning.cadence_us[rows.channel], meaning.phase_us[rows.channel]
    over = in_ended_days(rows, day, cadence, tz)
    over[over] = ~begun_within(day[over], since_us[rows.channel[over]], cadence[over], tz)
    apart = rows.take(~over)
    refused.append(apart.channel[judged_alone(apart, meaning, rules) != apart.quality])
    ended = np.flatnonzero(over)
    order = ended[np.lexsort((phase[ended], cadence[ended], day[ended]))]
    heads = starts_of_runs(day[order], cadence[order], phase[order])
    for head, tail in stretches(heads, len(order)):
        own = np.sort(order[head:tail])
        block = day_sheet(rows.take(own), int(day[own[0]]), recent, meaning, tz)
        quality, found = validate(block, meaning.traits(block.channels), rules)
        changed = quality != block.quality
        bad = ~block.present.all(axis=1) | (changed & (quality == REJECTED)).any(axis=1)
        refused.append(block.channels[bad])
        row, column = np.nonzero(changed & ~bad[:, None])
        start = block.start_us + column * block.cadence_us
        judged.append(IntervalRows(block.channels[row], start, block.value[row, column], quality[row, column]))
        findings.append(findings_table(block, found, ~bad, rules))
    return Days(np.concatenate(refused), IntervalRows.concat(judged), pa.concat_tables(findings))


def in_ended_days(rows: IntervalRows, day: I32, cadence: I64, tz: ZoneInfo) -> Mask:
    """Mark the rows of those local days of their channel whose last interval is among the rows."""
    heads = starts_of_runs(rows.channel, day)
    last = np.append(heads[1:], len(rows)) - 1
    ends = day_numbers(rows.start_us[last] + cadence[last], tz) > day[last]
    return np.repeat(ends, last - heads + 1)


def begun_within(day: I32, since_us: I64, cadence: I64, tz: ZoneInfo) -> Mask:
    """Mark the days within which a channel began: its first interval is not the day's first."""
    out = np.zeros(len(day), np.bool_)
    near = np.flatnonzero(since_us > NEVER)
    mine = day[near] == day_numbers(since_us[near], tz)
    near = near[mine]
    out[near] = day[near] == day_numbers(since_us[near] - cadence[near], tz)
    return out


def judged_alone(rows: IntervalRows, meaning: Meaning, rules: Rules) -> U8:
    """Give the qualities of intervals by the rules that look at each by itself."""
    out = rows.quality.copy()
    cadence = meaning.cadence_us[rows.channel]
    for step in np.unique(cadence).tolist():
        mine = cadence == step
        own = rows if mine.all() else rows.take(mine)
        quality, _ = validate(column_of(own, step), meaning.traits(own.channel), rules, alone=True)
        out[mine] = quality[:, 0]
    return out


def column_of(rows: IntervalRows, cadence_us: int) -> Block:
    """Give intervals of one cadence as a block of one column: each is a row of its own, and no day is whole."""
    count = len(rows)
    none, present = np.zeros(1, np.int32), np.ones((count, 1), np.bool_)
    value, quality = rows.value.reshape(count, 1), rows.quality.reshape(count, 1)
    return Block(0, cadence_us, rows.channel, value, quality, present, none, np.zeros(1, np.bool_), none, 0)


def day_sheet(rows: IntervalRows, day: int, recent: Recent, meaning: Meaning, tz: ZoneInfo) -> Block:
    """Lay new intervals of one day and grid over what is remembered of that day."""
    channels = rows.channel[starts_of_runs(rows.channel)]
    cadence, phase = int(meaning.cadence_us[channels[0]]), int(meaning.phase_us[channels[0]])
    held = recent.days(channels, cadence, phase, day)
    if held is None:
        low, high = (to_us(day_start(day_of_number(number), tz)) for number in (day, day + 1))
        start = low + (-(low + phase)) % cadence
        shape = (len(channels), -((start - high) // cadence))
        value, quality = np.zeros(shape, np.int64), np.zeros(shape, np.uint8)
    else:
        start, value, marked = held
        quality = BENEATH[marked]
    row = np.searchsorted(channels, rows.channel)
    column = (rows.start_us - start) // cadence
    value[row, column], quality[row, column] = rows.value, rows.quality
    return Block.of(start, cadence, channels, (value, quality, quality > 0), tz)


def findings_table(block: Block, found: Findings, wanted: Mask, rules: Rules) -> pa.Table:
    """Give findings in wanted rows, as the store keeps them."""
    own = wanted[found.row]
    at_us = block.start_us + found.column_first[own].astype(np.int64) * block.cadence_us
    until_us: I64 = block.start_us + (found.column_last[own].astype(np.int64) + 1) * block.cadence_us
    return pa.table(
        {
            "channel": pa.array(block.channels[found.row[own]], pa.int32()),
            "at_us": pa.array(at_us),
            "until_us": pa.array(until_us),
            "rule": pa.array([rules.rules[index].id for index in found.rule[own]], pa.string()),
        },
        schema=FINDINGS,
    )
