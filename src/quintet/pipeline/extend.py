"""The short way for readings that simply continue their channels: no look-up, no second look at what stands.

A channel takes it when its new readings come after all others (or are its first), follow evenly on the grid, break no
rule that rejects, and leave no remainder. For all else there is the long way (settle); both give the same, which a test
proves.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.recent import Recent
from quintet.terms.length import DAY_US
from quintet.terms.period import HOUR_US
from quintet.terms.quality import qualities
from quintet.vee import Rules, like_days

from .chains import chained
from .days import FINDINGS, judge_days
from .derive import Derived, derive
from .derive import Evidence as DeriveEvidence
from .difference import Change, all_new
from .evidence import NEIGHBOURS, repeats_key
from .meaning import KINDS, Meaning
from .rows import I32, I64, MOST_AMOUNT, IntervalRows, Mask, RawRows, key_order, starts_of_runs
from .tails import NEVER, Tails

VALID = qualities()["valid"].id
EVEN_KINDS = np.isin([kind.value for kind in KINDS], ["interval_sum", "avg_power", "register_cumulative"])
"""Kinds whose intervals follow from two neighbouring readings alone."""


@dataclass(frozen=True)
class Extension:
    """What continues its channels: the change it makes, what rules found in days that are now over.

    `channels` took the short way (sorted); `rows` are their new intervals. `begun` are those of which these are the
    first readings, `since_us` the start of the first interval that each has or will have.
    """

    change: Change
    rows: IntervalRows
    channels: I32
    findings: pa.Table
    begun: I32
    since_us: I64


def extend(
    rows: RawRows, tails: Tails, recent: Recent, meaning: Meaning, unit_names: list[str], rules: Rules, tz: ZoneInfo
) -> Extension:
    """Derive what continues evenly; all rows of one batch, sorted by channel and moment, none said before."""
    heads = starts_of_runs(rows.channel)
    newest_us = tails.at_us[rows.channel[heads]]
    candidate = (newest_us == NEVER) | (tails.calm[rows.channel[heads]] & (rows.at_us[heads] > newest_us))
    candidate &= EVEN_KINDS[meaning.kind[rows.channel[heads]]]
    candidate &= more_days(rows.channel[heads], meaning, rules) == 0
    # The derivation takes one reading a moment: where the batch says two, the long way settles which counts.
    candidate &= ~np.isin(rows.channel[heads], rows.channel[repeats_key(rows)])
    candidate &= clear_of_edits(rows.channel[heads], rows.at_us[heads], tails, meaning, rules)
    channels = rows.channel[heads[candidate]]
    if not len(channels):
        none = rows_of_none()
        return Extension(all_new(none), none, channels, FINDINGS.empty_table(), channels, none.start_us)
    mine = rows if candidate.all() else rows.take(np.repeat(candidate, np.diff(np.append(heads, len(rows)))))
    start = beginnings(rows.at_us[heads[candidate]], channels, tails, meaning)
    both, names = meaning.stated(continued(mine, channels[~start.first], tails), unit_names)
    local = places_of(both.channel, channels)
    undoubted = np.zeros(len(both), np.bool_)
    evidence = DeriveEvidence(local, both.at_us, both.mantissa, both.exponent, both.unit, undoubted)
    traits = meaning.channels(channels, names)
    derived = derive(evidence, traits)
    fresh = derived.start_us >= start.next_us[derived.channel]
    even = start.on_grid.copy()
    even[derived.gaps.channel] = False
    even[derived.findings.channel] = False
    even[chained(evidence, traits)] = False
    even[derived.channel[fresh & ((derived.quality != VALID) | (np.abs(derived.value) > MOST_AMOUNT))]] = False
    even &= followed(derived, fresh, start)
    keep = fresh & even[derived.channel]
    own = channels[derived.channel[keep]]
    out = IntervalRows(own, derived.start_us[keep], derived.value[keep], derived.quality[keep])
    refused = [stuck(out, tails, rules)]
    days = judge_days(without(out, refused[0]), recent, meaning, rules, tz, start.since_of(channels, tails))
    refused.append(days.refused)
    even[np.searchsorted(channels, np.concatenate(refused))] = False
    out = without(out, np.concatenate(refused))
    taken, begun = channels[even], even & start.first
    findings = days.findings_of(taken)
    return Extension(days.applied(out), out, taken, findings, channels[begun], start.next_us[begun])


def clear_of_edits(channels: I32, first_us: I64, tails: Tails, meaning: Meaning, rules: Rules) -> Mask:
    """Mark the channels whose first new reading is so far behind the last edit that no rule looks back to it."""
    edited = tails.edited_us[channels] > NEVER
    if not edited.any():
        return ~edited
    back_us = even_span(meaning.cadence_us[channels], rules) + 2 * DAY_US
    return ~edited | (first_us > tails.edited_us[channels] + back_us)


@dataclass(frozen=True)
class Beginnings:
    """Where the new intervals of k channels must begin: `next_us`, the slot after the last one that they have.

    Of the channels marked `first` these are the first readings; where they are not `on_grid` nothing is even.
    """

    first: Mask
    next_us: I64
    on_grid: Mask

    def since_of(self, channels: I32, tails: Tails) -> I64:
        """Give by channel number the start of the first interval of those that have not long been heard."""
        out = tails.since_us
        if self.first.any():
            out = out.copy()
            out[channels[self.first]] = self.next_us[self.first]
        return out


def beginnings(first_us: I64, channels: I32, tails: Tails, meaning: Meaning) -> Beginnings:
    """Find where channels begin or go on; `first_us` is the first new reading of each."""
    first = tails.at_us[channels] == NEVER
    cadence, phase = meaning.cadence_us[channels], meaning.phase_us[channels]
    on_grid = ~first | ((first_us + phase) % cadence == 0)
    return Beginnings(first, np.where(first, first_us, tails.start_us[channels] + cadence), on_grid)


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
    """Give new readings together with the newest one before them of the channels that have one, sorted."""
    if not len(channels):
        return mine
    last = RawRows(
        channels, tails.at_us[channels], tails.mantissa[channels], tails.exponent[channels], tails.unit[channels]
    )
    both = RawRows.concat([last, mine])
    order = key_order(both.channel, both.at_us)
    return both if order is None else both.take(order)


def followed(derived: Derived, fresh: Mask, start: Beginnings) -> Mask:
    """Mark the channels whose first new interval follows the last one directly.

    A first reading alone need not give an interval: a register's next one does.
    """
    firsts = np.flatnonzero(fresh)
    heads = firsts[starts_of_runs(derived.channel[firsts])]
    local = derived.channel[heads]
    out = start.first.copy()
    out[local] = derived.start_us[heads] == start.next_us[local]
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
    judged = [rule for rule in rules.rules if rule.reach == "run"]
    return min((int(p.value) for rule in judged for p in rule.parameters if p.name == "times"), default=0)


def even_span(cadence_us: I64, rules: Rules) -> I64:
    """Give how long channels must have run evenly: a day, and as long as a rule that counts repeats may look back.

    The longest day and the longest straight line before it: what is flagged when a day ends may have ended a line.
    """
    longest = 25 + like_days().line_hours
    return np.maximum(longest * HOUR_US, repeats(rules) * cadence_us)


def more_days(channels: I32, meaning: Meaning, rules: Rules) -> I64:
    """Give how many days beyond one a rule looks at together; as shipped, none does.

    Days are judged here one at a time, so a channel of which more are asked for goes the long way.
    """
    traits = meaning.traits(channels)
    most = [max((int(s.get("days", 1)) for _, _, s in rules.plan(kind)), default=1) - 1 for kind in traits.kinds]
    return np.array([*most, 0], np.int64)[traits.kind_of]


def quiet_span(cadence_us: I64) -> I64:
    """Give how long a channel's derivation must have noticed nothing: what it noticed may bear on what follows."""
    return np.maximum(2 * DAY_US, NEIGHBOURS * cadence_us)


def rows_of_none() -> IntervalRows:
    """Give no intervals."""
    none = np.zeros(0, np.int64)
    return IntervalRows(none.astype(np.int32), none, none, none.astype(np.uint8))
