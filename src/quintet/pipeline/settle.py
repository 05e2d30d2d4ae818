"""From new raw rows to what they change: evidence gathered, derived, judged and compared, shard by shard."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Snapshot
from quintet.store.read import EARLIEST_US, OUTRANKING, intervals, layers
from quintet.terms.length import DAY_US
from quintet.terms.quality import qualities
from quintet.terms.unit import units
from quintet.vee import Rules

from .chains import chained
from .derive import Channels, Derived, derive
from .derive import Evidence as DeriveEvidence
from .difference import ASSIGNED, BENEATH, Change, against, all_new, rollups
from .evidence import Evidence, Neighbourhood, near_of, neighbourhood, settle
from .extend import EVEN_KINDS, even_span, more_days, quiet_span
from .judge import Judged, judge
from .meaning import Meaning
from .recall import Recall
from .rows import (
    I32,
    I64,
    WORKERS,
    IntervalRows,
    Mask,
    RawRows,
    constant,
    cuts,
    key_order,
    local_of,
    merged_order,
    starts_of_runs,
)
from .rule_limits import most_estimate_days
from .spans import chosen, crossing, refused
from .standing import beneath, standing_over
from .tails import NEVER, Tails

LOOK_BACK_DAYS = 64
"""Like days are named up to eight weeks before the week in which a gap begins (vee's table), Sunday first: 62 days."""
EVEN = [qualities()[name].id for name in ("valid", "questionable")]
"""Qualities of intervals that readings gave evenly, whatever rules thought of the values."""
EDITED = np.array([int(number) for number in OUTRANKING.split(", ")], np.int64)


@dataclass(frozen=True)
class Outcome:
    """What the evidence of some channels changes, as the store's rows; `shown` are those without an edit over them.

    `calm` are the channels that end so evenly that a reading may simply continue them (see extend); `ends` are their
    last intervals, and `since_us` where those began that were even from their first reading on (else NEVER).
    """

    change: Change
    shown: IntervalRows
    by_hour: pa.Table
    by_day: pa.Table
    findings: pa.Table
    chained: pa.Table
    ends: IntervalRows
    calm: I32
    since_us: I64


@dataclass(frozen=True)
class Shard:
    """Evidence of some channels; what is derived counts from `trust_us` of each on, what stands before stays.

    `known` says that the store may hold intervals of these channels.
    """

    evidence: Evidence
    channels: I32
    trust_us: I64
    known: bool


class Settlement:
    """Turns the new rows of one batch into outcomes; several threads, one shard of channels each."""

    def __init__(
        self,
        engine: Engine,
        meaning: Meaning,
        rules: Rules,
        unit_names: list[str],
        batch: int,
        recall: Recall | None = None,
        edited_us: I64 | None = None,
    ) -> None:
        """Settle for one batch, with the registry's meaning and rules as they stand; what `recall` has is not read.

        `edited_us` says by channel number where the last edit that stands over it ends (see Tails).
        """
        self._recall = recall
        self._edited_us = edited_us
        self._edits: list[IntervalRows] = []
        self.found: list[Neighbourhood] = []
        self.lifted: IntervalRows | None = None
        """Assigned values that no longer stand: what evidence gives takes their place."""
        self._engine = engine
        self._meaning = meaning
        self._rules = rules
        self._unit_names = unit_names
        self._batch = batch

    def outcomes(self, snapshot: Snapshot, rows: RawRows, tails: Tails) -> Generator[Outcome]:
        """Give the outcome of each shard, in order of channel within fresh and known channels."""
        known = np.maximum(tails.at_us, tails.edited_us)[rows.channel] > EARLIEST_US
        fresh = rows if not known.any() else rows.take(~known)
        yield from self._run(snapshot, [*self._fresh(fresh), *self._known(snapshot, rows.take(known))])

    def again(self, snapshot: Snapshot, channels: I32) -> Generator[Outcome]:
        """Give the outcomes of channels whose meaning changed: all their evidence, understood anew."""
        first = np.full(len(channels), EARLIEST_US, np.int64)
        found = neighbourhood(self._engine, snapshot, channels, first, np.ones(len(channels), np.bool_))
        yield from self._run(snapshot, list(self._with_past(found)))

    def evidenced(self, snapshot: Snapshot, channels: I32, first_us: I64) -> Generator[IntervalRows]:
        """Give what readings alone say of channels (sorted), from before a moment each on: no rule has looked yet."""
        chained = snapshot.arrow("select distinct channel from chained")["channel"].to_numpy()
        found = neighbourhood(self._engine, snapshot, channels, first_us, np.isin(channels, chained))
        for shard in self._with_past(found):
            derived, _ = self._derive(shard)
            own = shard.channels[derived.channel]
            yield IntervalRows(own, derived.start_us, derived.value, derived.quality)

    def _run(self, snapshot: Snapshot, shards: list[Shard]) -> Generator[Outcome]:
        """Derive, judge and compare shards, several at a time; give their outcomes in order."""
        waiting: deque[Future[Outcome]] = deque()
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            for shard, (derived, bad) in zip(shards, pool.map(self._derive, shards), strict=True):
                # Reads go through the batch's own transaction, which only this thread may use.
                stored = self._stored(snapshot, shard, derived, bad) if shard.known else None
                cut = self._cut(shard, derived, bad, stored)
                for whole in self._whole(snapshot, shard.channels[cut]):
                    waiting.append(pool.submit(self._settle, *whole))
                rest = (shard, derived, stored) if not len(cut) else without(cut, shard, derived, stored)
                waiting.append(pool.submit(self._settle, *rest))
                while len(waiting) > WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _whole(self, snapshot: Snapshot, channels: I32) -> Generator[tuple[Shard, Derived, IntervalRows]]:
        """Read all the evidence of channels; gives shards of it with what is derived and stored."""
        if not len(channels):
            return
        first = np.full(len(channels), EARLIEST_US, np.int64)
        found = neighbourhood(self._engine, snapshot, channels, first, np.ones(len(channels), np.bool_))
        self.found.append(found)
        for shard in self._with_past(found):
            derived, bad = self._derive(shard)
            yield shard, derived, self._stored(snapshot, shard, derived, bad)

    def _cut(self, shard: Shard, derived: Derived, bad: Mask, stored: IntervalRows | None) -> I64:
        """Find the channels (by number in the shard) of which all evidence is needed: a span begins before it."""
        if stored is None or not len(stored):
            return np.zeros(0, np.int64)
        local = local_of(stored.channel, shard.channels)
        longest_us = most_estimate_days(self._rules) * DAY_US
        cadence_us = self._meaning.cadence_us[shard.channels]
        return crossing(shard.trust_us, cadence_us, derived, bad, replace(stored, channel=local), longest_us)

    def _fresh(self, rows: RawRows) -> Generator[Shard]:
        """Cut rows of channels without a past into shards; the batch is all their evidence."""
        for low, high in cuts(rows.channel):
            part, names = self._meaning.stated(rows.take(np.arange(low, high)), self._unit_names)
            evidence = settle(part, np.zeros(len(part), np.int32), ratios_of(names))
            channels = evidence.rows.channel[starts_of_runs(evidence.rows.channel)]
            yield Shard(evidence, channels, np.full(len(channels), EARLIEST_US, np.int64), known=False)

    def _known(self, snapshot: Snapshot, rows: RawRows) -> Generator[Shard]:
        """Fetch the neighbourhood of rows of channels with a past."""
        if not len(rows):
            return
        heads = starts_of_runs(rows.channel)
        channels = rows.channel[heads]
        # A rule over several days may judge the days before a new reading anew.
        first = rows.at_us[heads] - more_days(channels, self._meaning, self._rules) * DAY_US
        chained = snapshot.arrow("select distinct channel from chained")["channel"].to_numpy()
        whole = np.isin(channels, chained)
        if self._recall is not None and len(self._recall):
            near = near_of(first, whole, self._engine.tz)
            held = self._recall.around(rows, self._batch, channels, near, first)
            self.found.append(held)
            yield from self._with_past(held)
            rest = ~np.isin(channels, held.channels)
            channels, first, whole = channels[rest], first[rest], whole[rest]
        if len(channels):
            # The new rows are in the raw table by now: they come back with the stored ones, their batch known.
            found = neighbourhood(self._engine, snapshot, channels, first, whole)
            self.found.append(found)
            yield from self._with_past(found)

    def _with_past(self, found: Neighbourhood) -> Generator[Shard]:
        """Cut stored readings of channels into shards."""
        for low, high in cuts(found.rows.channel):
            part, names = self._meaning.stated(found.rows.take(np.arange(low, high)), self._unit_names)
            evidence = settle(part, found.batch[low:high], ratios_of(names))
            own = evidence.rows.channel[starts_of_runs(evidence.rows.channel)]
            yield Shard(evidence, own, found.trust_us[np.searchsorted(found.channels, own)], known=True)

    def _derive(self, shard: Shard) -> tuple[Derived, Mask]:
        """Derive a shard's intervals from its evidence, and mark those that rules will reject."""
        evidence, meaning = self._evidence(shard)
        derived = derive(evidence, meaning)
        if not shard.known:
            return derived, np.zeros(len(derived.channel), np.bool_)
        rows = IntervalRows(shard.channels[derived.channel], derived.start_us, derived.value, derived.quality)
        return derived, refused(rows, self._meaning, self._rules)

    def _evidence(self, shard: Shard) -> tuple[DeriveEvidence, Channels]:
        """Give a shard's evidence and channels as the derivation wants them: channels numbered from 0."""
        rows = shard.evidence.rows
        _, names = self._meaning.stated(rows, self._unit_names)
        local = local_of(rows.channel, shard.channels)
        evidence = DeriveEvidence(local, rows.at_us, rows.mantissa, rows.exponent, rows.unit, shard.evidence.doubtful)
        return evidence, self._meaning.channels(shard.channels, names)

    def _stored(self, snapshot: Snapshot, shard: Shard, derived: Derived, bad: Mask) -> IntervalRows:
        """Read what evidence gives by now: from `trust_us` on, to compare with, and before it, to judge by.

        Edits are noted apart: they neither feed estimates nor keep evidence from being derived.

        Rules look back a day, or as many intervals as they count repeats; where a gap is to be filled or a value is
        rejected, estimates look back at the weeks that like days come from.
        """
        trust_us = shard.trust_us
        from_us = trust_us - even_span(self._meaning.cadence_us[shard.channels], self._rules)
        from_us -= more_days(shard.channels, self._meaning, self._rules) * DAY_US
        gaps = derived.gaps
        filled = gaps.start_us + gaps.slots * self._cadence(shard, gaps.channel) > trust_us[gaps.channel]
        begun = np.minimum(gaps.start_us[filled], trust_us[gaps.channel[filled]])
        np.minimum.at(from_us, gaps.channel[filled], begun - LOOK_BACK_DAYS * DAY_US)
        own = derived.channel[bad & (derived.start_us >= trust_us[derived.channel])]
        from_us[own] = np.minimum(from_us[own], trust_us[own] - LOOK_BACK_DAYS * DAY_US)
        from_us = np.where(trust_us == EARLIEST_US, self._beginning(shard), from_us)
        near = np.zeros(len(from_us), np.bool_) if self._recall is None else self._recall.reaches(from_us)
        edited = self._edited(shard, from_us)
        near &= ~edited
        parts = self._below(snapshot, shard.channels[edited], from_us[edited])
        if self._recall is not None and near.any():
            own = shard.channels[near]
            cadence, phase = self._meaning.cadence_us[own], self._meaning.phase_us[own]
            parts.append(self._recall.intervals(own, cadence, phase, from_us[near]))
        away = ~(near | edited)
        if away.any():
            far = shard.channels[away]
            table = intervals(self._engine, snapshot, int(from_us[away].min()), -EARLIEST_US * 8, channels=far)
            rows = IntervalRows.from_arrow(table)
            parts.append(rows.take(rows.start_us >= from_us[local_of(rows.channel, shard.channels)]))
        rows = IntervalRows.concat(parts)
        order = key_order(rows.channel, rows.start_us)
        return rows if order is None else rows.take(order)

    def _edited(self, shard: Shard, from_us: I64) -> Mask:
        """Mark the channels of a shard over which an edit stands, from a moment each on."""
        if self._edited_us is None:
            return np.zeros(len(from_us), np.bool_)
        return self._edited_us[shard.channels] > from_us

    def _below(self, snapshot: Snapshot, channels: I32, from_us: I64) -> list[IntervalRows]:
        """Read what evidence gives of edited channels from a moment each on, and note the edits that stand over it."""
        if not len(channels):
            return []
        rows = [
            IntervalRows.from_arrow(table)
            for table in layers(self._engine, snapshot, int(from_us.min()), -EARLIEST_US * 8, channels)
        ]
        self._edits.append(rows[1])
        return [rows[0].take(rows[0].start_us >= from_us[local_of(rows[0].channel, channels)])]

    def _beginning(self, shard: Shard) -> I64:
        """Give the start of the slot of each channel's first reading, where all its evidence is here.

        Nothing was ever derived before it; under another grid, which the registry may have said before, two days.
        """
        cadence, phase = self._meaning.cadence_us[shard.channels], self._meaning.phase_us[shard.channels]
        evidence = shard.evidence.rows
        first_us = evidence.at_us[np.searchsorted(evidence.channel, shard.channels)]
        slot = (first_us + phase) // cadence * cadence - phase
        return slot - 2 * DAY_US if self._recall is None else slot

    def _cadence(self, shard: Shard, local: I32) -> I64:
        """Give the cadence of channels numbered within a shard."""
        return self._meaning.cadence_us[shard.channels[local]]

    def _settle(self, shard: Shard, derived: Derived, stored: IntervalRows | None) -> Outcome:
        """Judge what was derived for a shard and compare it with what the store says."""
        if stored is not None:
            before = stored.start_us < shard.trust_us[local_of(stored.channel, shard.channels)]
            past = stored.take(before)
            derived = self._continued(shard, derived, replace(past, quality=BENEATH[past.quality]))
            stored = stored.take(~before)
        judged = judge(derived, self._meaning, shard.channels, self._rules, self._engine.tz)
        final = judged.rows
        if stored is None:
            change = all_new(final)
        else:
            trusted = final.start_us >= shard.trust_us[local_of(final.channel, shard.channels)]
            lifted = None if self.lifted is None else standing_over(stored, self.lifted)
            change = against(final.take(trusted), stored, EDITED, lifted)
        edits = IntervalRows.concat(self._edits) if self._edits else final.take(final.start_us[:0])
        change, shown = beneath(change, edits)
        findings = self._findings(shard, derived, judged)
        chain = chained(*self._evidence(shard))
        rests = pa.table({"channel": pa.array(shard.channels[chain]), "batch": constant(self._batch, len(chain))})
        by_hour, by_day = rollups(change, self._engine.tz, self._batch)
        return Outcome(
            change, shown, by_hour, by_day, findings, rests, *self._ends(shard, derived, final, chain, stored)
        )

    def _ends(
        self, shard: Shard, derived: Derived, final: IntervalRows, chain: I32, stored: IntervalRows | None
    ) -> tuple[IntervalRows, I32, I64]:
        """Find the channels that end evenly: their last day whole (or all since they began), no evidence doubtful.

        A channel with assigned values behind its last interval is none: what continues it would take their place.
        """
        size = len(shard.channels)
        local = local_of(final.channel, shard.channels)
        last = np.full(size, EARLIEST_US, np.int64)
        heads = starts_of_runs(local)
        last[local[heads]] = final.start_us[np.append(heads[1:], len(final)) - 1] if len(heads) else last[:0]
        cadence = self._meaning.cadence_us[shard.channels]
        since, quiet = self._young(shard, final, local[heads], heads), quiet_span(cadence)
        span = np.where(since > NEVER, last + cadence - since, even_span(cadence, self._rules))
        recent = final.start_us > (last - span)[local]
        newest = shard.evidence.rows.at_us[shard.evidence.rows.channel.searchsorted(shard.channels, "right") - 1]
        even = np.bincount(local[recent & np.isin(final.quality, EVEN)], minlength=size) * cadence >= span
        even &= (newest == last) | (newest == last + cadence)
        found, at_us = derived.findings.channel, derived.findings.at_us
        even[found[at_us > (last - quiet)[found]]] = False
        even[derived.gaps.channel[derived.gaps.start_us > (last - quiet)[derived.gaps.channel]]] = False
        doubtful = shard.evidence.rows.take(shard.evidence.doubtful)
        doubted = np.searchsorted(shard.channels, doubtful.channel)
        even[doubted[doubtful.at_us > (last - quiet)[doubted]]] = False
        even[chain] = False
        if stored is not None:
            assigned = stored.take(ASSIGNED[stored.quality])
            own = np.searchsorted(shard.channels, assigned.channel)
            even[own[assigned.start_us > last[own]]] = False
        even &= EVEN_KINDS[self._meaning.kind[shard.channels]]
        return final.take(recent & even[local]), shard.channels[even], since[even]

    def _young(self, shard: Shard, final: IntervalRows, own: I32, heads: I64) -> I64:
        """Give where channels began of which all intervals are here and fewer than a day's; NEVER for the others."""
        out = np.full(len(shard.channels), NEVER, np.int64)
        first = final.start_us[heads]
        span = even_span(self._meaning.cadence_us[shard.channels[own]], self._rules)
        last = final.start_us[np.append(heads[1:], len(final)) - 1] if len(heads) else first
        young = (shard.trust_us[own] == EARLIEST_US) & (last - first < span)
        out[own[young]] = first[young]
        return out

    def _continued(self, shard: Shard, derived: Derived, past: IntervalRows) -> Derived:
        """Put what stands before `trust_us` in the place of what was derived there from a part of the evidence."""
        keep = derived.start_us >= shard.trust_us[derived.channel]
        local = local_of(past.channel, shard.channels)
        channel = np.concatenate([local, derived.channel[keep]])
        start = np.concatenate([past.start_us, derived.start_us[keep]])
        order = merged_order(channel, start)
        value = np.concatenate([past.value, derived.value[keep]])[order]
        quality = np.concatenate([past.quality, derived.quality[keep]])[order]
        gaps = derived.gaps
        ahead = gaps.start_us + gaps.slots * self._cadence(shard, gaps.channel) > shard.trust_us[gaps.channel]
        gaps = replace(gaps, **{f.name: getattr(gaps, f.name)[ahead] for f in fields(gaps)})
        return replace(derived, channel=channel[order], start_us=start[order], value=value, quality=quality, gaps=gaps)

    def _findings(self, shard: Shard, derived: Derived, judged: Judged) -> pa.Table:
        """Give what derivation and rules found from the moment on that this batch may have changed."""
        settled = shard.evidence
        twice, anew = np.flatnonzero(settled.doubtful), np.flatnonzero(settled.corrected)
        channel = np.concatenate(
            [
                shard.channels[derived.findings.channel],
                judged.finding_channel,
                settled.rows.channel[twice],
                settled.rows.channel[anew],
            ]
        )
        at_us = np.concatenate(
            [derived.findings.at_us, judged.finding_at_us, settled.rows.at_us[twice], settled.rows.at_us[anew]]
        )
        until = np.concatenate(
            [derived.findings.at_us, judged.finding_until_us, settled.rows.at_us[twice], settled.rows.at_us[anew]]
        )
        rule = [
            *derived.findings.rule,
            *judged.finding_rule,
            *["V19_conflict"] * len(twice),
            *["V19_corrected"] * len(anew),
        ]
        keep = at_us >= shard.trust_us[np.searchsorted(shard.channels, channel)]
        return pa.table(
            {
                "channel": pa.array(channel[keep].astype(np.int32)),
                "at_us": pa.array(at_us[keep]),
                "until_us": pa.array(until[keep]),
                "rule": pa.array(np.array(rule, dtype=object)[keep], pa.string()),
                "batch": constant(self._batch, int(keep.sum())),
            }
        )


def without(
    cut: I64, shard: Shard, derived: Derived, stored: IntervalRows | None
) -> tuple[Shard, Derived, IntervalRows | None]:
    """Leave some channels (by number in the shard) out."""
    keep = np.ones(len(shard.channels), np.bool_)
    keep[cut] = False
    evidence = shard.evidence
    rows = keep[np.searchsorted(shard.channels, evidence.rows.channel)]
    left = Evidence(evidence.rows.take(rows), evidence.doubtful[rows], evidence.corrected[rows])
    if stored is not None:
        stored = stored.take(keep[np.searchsorted(shard.channels, stored.channel)])
    return Shard(left, shard.channels[keep], shard.trust_us[keep], shard.known), chosen(derived, keep), stored


def ratios_of(unit_names: list[str]) -> list[Fraction]:
    """Give sub-units in one unit, by number."""
    return [units()[name].ratio if name else Fraction(1) for name in unit_names]
