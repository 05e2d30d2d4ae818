"""The short way for readings that simply continue their channels: no look-up, no second look at what stands.

A channel takes it when its new readings come after all others, follow evenly on the grid, break no rule, close no local
day and leave no remainder. For all else there is the long way (settle); both give the same, which a test proves.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.period import day_numbers
from quintet.terms.quality import qualities
from quintet.vee import Block, Rules, validate

from .derive import Derived, derive
from .derive import Evidence as DeriveEvidence
from .meaning import KINDS, Meaning
from .rows import I32, I64, IntervalRows, Mask, RawRows, key_order, starts_of_runs
from .tails import Tails

VALID = qualities()["valid"].id
EVEN_KINDS = np.isin([kind.value for kind in KINDS], ["interval_sum", "avg_power", "register_cumulative"])
"""Kinds whose intervals follow from two neighbouring readings alone."""


@dataclass(frozen=True)
class Extension:
    """Intervals that continue their channels; `channels` took the short way, sorted."""

    rows: IntervalRows
    channels: I32


def extend(
    rows: RawRows, tails: Tails, meaning: Meaning, unit_names: list[str], rules: Rules, tz: ZoneInfo
) -> Extension:
    """Derive what continues evenly; all rows of one batch, sorted by channel and moment, none said before."""
    heads = starts_of_runs(rows.channel)
    candidate = tails.calm[rows.channel[heads]] & (rows.at_us[heads] > tails.at_us[rows.channel[heads]])
    candidate &= EVEN_KINDS[meaning.kind[rows.channel[heads]]]
    channels = rows.channel[heads[candidate]]
    if not len(channels):
        return Extension(rows_of_none(), channels)
    mine = rows.take(np.repeat(candidate, np.diff(np.append(heads, len(rows)))))
    derived = derived_from(mine, channels, tails, meaning, unit_names)
    own = channels[derived.channel]
    fresh = derived.start_us > tails.start_us[own]
    even = np.ones(len(channels), np.bool_)
    even[repeated(mine, channels)] = False
    even[derived.gaps.channel] = False
    even[derived.findings.channel] = False
    even[list(derived.carry)] = False
    even[derived.channel[fresh & (derived.quality != VALID)]] = False
    cadence = meaning.cadence_us[own]
    closing = day_numbers(derived.start_us + cadence, tz) > day_numbers(derived.start_us, tz)
    even[derived.channel[fresh & closing]] = False
    even[unfollowed(derived, fresh, channels, tails, meaning)] = False
    keep = fresh & even[derived.channel]
    out = IntervalRows(own[keep], derived.start_us[keep], derived.value[keep], derived.quality[keep])
    doubtful = np.union1d(stuck(out, tails, rules), broken(out, meaning, rules, tz))
    out = out.take(~np.isin(out.channel, doubtful))
    return Extension(out, channels[even & ~np.isin(channels, doubtful)])


def derived_from(mine: RawRows, channels: I32, tails: Tails, meaning: Meaning, unit_names: list[str]) -> Derived:
    """Derive new readings together with the newest one before them."""
    last = RawRows(
        channels, tails.at_us[channels], tails.mantissa[channels], tails.exponent[channels], tails.unit[channels]
    )
    both = RawRows.concat([last, mine])
    order = key_order(both.channel, both.at_us)
    both = both if order is None else both.take(order)
    local = np.searchsorted(channels, both.channel).astype(np.int32)
    calm = np.zeros(len(both), np.bool_)
    evidence = DeriveEvidence(local, both.at_us, both.mantissa, both.exponent, both.unit, calm)
    return derive(evidence, meaning.channels(channels, unit_names))


def repeated(mine: RawRows, channels: I32) -> I64:
    """Find channels of which the batch says two things of one moment."""
    same = (mine.channel[1:] == mine.channel[:-1]) & (mine.at_us[1:] == mine.at_us[:-1])
    return np.searchsorted(channels, mine.channel[1:][same])


def unfollowed(derived: Derived, fresh: Mask, channels: I32, tails: Tails, meaning: Meaning) -> I64:
    """Find channels whose first new interval does not follow the last one directly, or that got none."""
    firsts = np.flatnonzero(fresh)
    heads = firsts[starts_of_runs(derived.channel[firsts])]
    local = derived.channel[heads]
    follows = derived.start_us[heads] == tails.start_us[channels[local]] + meaning.cadence_us[channels[local]]
    return np.setdiff1d(np.arange(len(channels)), local[follows])


def stuck(rows: IntervalRows, tails: Tails, rules: Rules) -> I32:
    """Find channels whose value, not zero, would now have stood as often as a rule that counts repeats may ask for."""
    least = min((int(p.value) for rule in rules.rules for p in rule.parameters if p.name == "times"), default=2**31)
    heads = starts_of_runs(rows.channel)
    if not len(heads):
        return rows.channel
    own = rows.channel[heads]
    longest = tails.run[own] + np.diff(np.append(heads, len(rows)))
    return own[longest >= least]


def broken(rows: IntervalRows, meaning: Meaning, rules: Rules, tz: ZoneInfo) -> I32:
    """Find channels with an interval that a rule objects to by itself."""
    if not len(rows):
        return rows.channel
    order = np.lexsort((rows.channel, rows.start_us, meaning.cadence_us[rows.channel]))
    cadence, start = meaning.cadence_us[rows.channel][order], rows.start_us[order]
    heads = starts_of_runs(cadence, start)
    found = [rows.channel[:0]]
    for head, tail in zip(heads, np.append(heads[1:], len(order)), strict=True):
        own = order[head:tail]
        value = rows.value[own][:, None]
        quality = np.full(value.shape, VALID, np.uint8)
        numbers = rows.channel[own]
        block = Block.of(int(start[head]), int(cadence[head]), numbers, (value, quality, quality > 0), tz)
        judged, _ = validate(block, meaning.traits(numbers), rules)
        found.append(numbers[judged[:, 0] != VALID])
    return np.unique(np.concatenate(found))


def rows_of_none() -> IntervalRows:
    """Give no intervals."""
    none = np.zeros(0, np.int64)
    return IntervalRows(none.astype(np.int32), none, none, none.astype(np.uint8))
