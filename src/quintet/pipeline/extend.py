"""The short way for readings that simply continue their channels: no look-up, no second look at what stands.

A channel takes it when its new readings come after all others, follow evenly on the grid, break no rule that
rejects, and leave no remainder. For all else there is the long way (settle); both give the same, which a test proves.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.recent import Recent
from quintet.terms.period import HOUR_US
from quintet.terms.quality import qualities
from quintet.vee import Rules, like_days

from .chains import chained
from .days import FINDINGS, judge_days
from .derive import Derived, derive
from .derive import Evidence as DeriveEvidence
from .difference import Change, all_new
from .evidence import DAY_US, NEIGHBOURS
from .meaning import KINDS, Meaning
from .rows import I32, I64, MOST_AMOUNT, IntervalRows, Mask, RawRows, key_order, starts_of_runs
from .tails import Tails

VALID = qualities()["valid"].id
EVEN_KINDS = np.isin([kind.value for kind in KINDS], ["interval_sum", "avg_power", "register_cumulative"])
"""Kinds whose intervals follow from two neighbouring readings alone."""


@dataclass(frozen=True)
class Extension:
    """What continues its channels: the change it makes, what rules found in days that are now over.

    `channels` took the short way (sorted); `rows` are their new intervals.
    """

    change: Change
    rows: IntervalRows
    channels: I32
    findings: pa.Table


def extend(
    rows: RawRows, tails: Tails, recent: Recent, meaning: Meaning, unit_names: list[str], rules: Rules, tz: ZoneInfo
) -> Extension:
    """Derive what continues evenly; all rows of one batch, sorted by channel and moment, none said before."""
    heads = starts_of_runs(rows.channel)
    candidate = tails.calm[rows.channel[heads]] & (rows.at_us[heads] > tails.at_us[rows.channel[heads]])
    candidate &= EVEN_KINDS[meaning.kind[rows.channel[heads]]]
    channels = rows.channel[heads[candidate]]
    if not len(channels):
        return Extension(all_new(rows_of_none()), rows_of_none(), channels, FINDINGS.empty_table())
    mine = rows if candidate.all() else rows.take(np.repeat(candidate, np.diff(np.append(heads, len(rows)))))
    both, names = meaning.stated(continued(mine, channels, tails), unit_names)
    local = places_of(both.channel, channels)
    undoubted = np.zeros(len(both), np.bool_)
    evidence = DeriveEvidence(local, both.at_us, both.mantissa, both.exponent, both.unit, undoubted)
    traits = meaning.channels(channels, names)
    derived = derive(evidence, traits)
    own = channels[derived.channel]
    fresh = derived.start_us > tails.start_us[own]
    even = np.ones(len(channels), np.bool_)
    even[repeated(mine, channels)] = False
    even[derived.gaps.channel] = False
    even[derived.findings.channel] = False
    even[chained(evidence, traits)] = False
    even[derived.channel[fresh & ((derived.quality != VALID) | (np.abs(derived.value) > MOST_AMOUNT))]] = False
    even &= followed(derived, fresh, channels, tails, meaning)
    keep = fresh & even[derived.channel]
    out = IntervalRows(own[keep], derived.start_us[keep], derived.value[keep], derived.quality[keep])
    out = without(out, stuck(out, tails, rules))
    days = judge_days(out, recent, meaning, rules, tz)
    out = without(out, days.refused)
    change = days.applied(out)
    return Extension(change, out, out.channel[starts_of_runs(out.channel)], days.findings_of(out.channel))


def places_of(sorted_channel: I32, channels: I32) -> I32:
    """Give each row's place among the distinct channels of sorted rows."""
    heads = starts_of_runs(sorted_channel)
    if len(heads) != len(channels):
        return np.searchsorted(channels, sorted_channel).astype(np.int32)
    return np.repeat(np.arange(len(heads), dtype=np.int32), np.diff(np.append(heads, len(sorted_channel))))


def without(rows: IntervalRows, channels: I32) -> IntervalRows:
    """Leave the rows of some channels out."""
    return rows.take(~np.isin(rows.channel, channels)) if len(channels) else rows


def continued(mine: RawRows, channels: I32, tails: Tails) -> RawRows:
    """Give new readings together with the newest one before them, sorted."""
    last = RawRows(
        channels, tails.at_us[channels], tails.mantissa[channels], tails.exponent[channels], tails.unit[channels]
    )
    both = RawRows.concat([last, mine])
    order = key_order(both.channel, both.at_us)
    return both if order is None else both.take(order)


def repeated(mine: RawRows, channels: I32) -> I64:
    """Find channels of which the batch says two things of one moment."""
    same = (mine.channel[1:] == mine.channel[:-1]) & (mine.at_us[1:] == mine.at_us[:-1])
    return np.searchsorted(channels, mine.channel[1:][same])


def followed(derived: Derived, fresh: Mask, channels: I32, tails: Tails, meaning: Meaning) -> Mask:
    """Mark the channels whose first new interval follows the last one directly."""
    firsts = np.flatnonzero(fresh)
    heads = firsts[starts_of_runs(derived.channel[firsts])]
    local = derived.channel[heads]
    follows = derived.start_us[heads] == tails.start_us[channels[local]] + meaning.cadence_us[channels[local]]
    out = np.zeros(len(channels), np.bool_)
    out[local[follows]] = True
    return out


def stuck(rows: IntervalRows, tails: Tails, rules: Rules) -> I32:
    """Find channels in which a value, not zero, now stands as often in a row as a rule that counts repeats may ask."""
    least = repeats(rules)
    if not len(rows) or not least:
        return rows.channel[:0]
    heads = starts_of_runs(rows.channel)
    begun = starts_of_runs(rows.channel, rows.value)
    length = np.diff(np.append(begun, len(rows)))
    first = np.isin(begun, heads)
    own = rows.channel[begun]
    length += np.where(first & (tails.value[own] == rows.value[begun]), tails.run[own], 0)
    return own[(length >= least) & (rows.value[begun] != 0)]


def repeats(rules: Rules) -> int:
    """Give the fewest equal values in a row that a rule may object to; 0 where none does."""
    return min((int(p.value) for rule in rules.rules for p in rule.parameters if p.name == "times"), default=0)


def even_span(cadence_us: I64, rules: Rules) -> I64:
    """Give how long channels must have run evenly: a day, and as long as a rule that counts repeats may look back.

    The longest day and the longest straight line before it: what is flagged when a day ends may have ended a line.
    """
    longest = 25 + like_days().line_hours
    return np.maximum(longest * HOUR_US, repeats(rules) * cadence_us)


def quiet_span(cadence_us: I64) -> I64:
    """Give how long a channel's derivation must have noticed nothing: what it noticed may bear on what follows."""
    return np.maximum(2 * DAY_US, NEIGHBOURS * cadence_us)


def rows_of_none() -> IntervalRows:
    """Give no intervals."""
    none = np.zeros(0, np.int64)
    return IntervalRows(none.astype(np.int32), none, none, none.astype(np.uint8))
