"""Amounts and rates to intervals: interval sums, average power, events, samples of a flow."""

from fractions import Fraction

import numpy as np

from .exact import Factors, chained
from .grid import assemble, gap_findings, on_grid
from .shapes import (
    DERIVED,
    I32,
    I64,
    QUESTIONABLE,
    U8,
    VALID,
    Block,
    Channels,
    Evidence,
    Findings,
    Gaps,
    Mask,
    Spans,
    found,
    join_findings,
    no_gaps,
)


def without_large(evidence: Evidence, fine: Mask | None) -> tuple[Evidence, list[Findings]]:
    """Drop readings beyond 64 bits of sub-units, with a finding each."""
    if fine is None or bool(fine.all()):
        return evidence, []
    gone = evidence.take(~fine)
    return evidence.take(fine), [found(gone.channel, gone.at_us, "too_large")]


def interval_sums(evidence: Evidence, channels: Channels, factors: Factors) -> tuple[Block, dict[int, Fraction]]:
    """Take amounts (or mean rates) over [at, at + cadence).

    A stamp off the grid is apportioned to the two slots it touches (`off_grid`); where two readings claim the same time
    both are kept and doubted (`V04_overlap`): which one is wrong cannot be told here.
    """
    amount, fine, carry = chained(evidence, factors, channels.carry)
    evidence, findings = without_large(evidence, fine)
    if fine is not None:
        amount = amount[fine]
    if not len(evidence):
        return assemble(_rows(evidence, amount, evidence.doubtful), None, findings, channels), carry
    straight, cadence = on_grid(evidence, channels)
    step, same = np.diff(evidence.at_us), evidence.channel[1:] == evidence.channel[:-1]
    length = cadence if cadence.ndim == 0 else cadence[:-1]
    early, late = same & (step < length), same & (step > length)
    doubtful = evidence.doubtful
    if bool(early.any()):
        doubtful = doubtful.copy()
        doubtful[:-1] |= early
        doubtful[1:] |= early
        findings.append(found(evidence.channel[1:][early], evidence.at_us[1:][early], "V04_overlap"))
    spans: Spans | None = None
    ends = evidence.at_us + cadence
    if not bool(straight.all()):
        odd = ~straight
        part = evidence.take(odd)
        spans = Spans(part.channel, part.at_us, ends[odd], amount[odd], np.ones(len(part), np.bool_), doubtful[odd])
        findings.append(found(part.channel, part.at_us, "off_grid"))
        evidence_on, amount, doubtful = evidence.take(straight), amount[straight], doubtful[straight]
    else:
        evidence_on = evidence
    if bool(late.any()):
        missing = _unknown(evidence.channel[1:][late], ends[:-1][late], evidence.at_us[1:][late])
        spans = missing if spans is None else Spans.join([spans, missing])
    return assemble(_rows(evidence_on, amount, doubtful), spans, findings, channels), carry


def _rows(evidence: Evidence, amount: I64, doubtful: Mask) -> tuple[I32, I64, I64, U8]:
    """Give interval rows of readings that fill one slot each."""
    quality = np.where(doubtful, np.uint8(QUESTIONABLE), np.uint8(VALID))
    return evidence.channel, evidence.at_us, amount, quality


def _unknown(channel: I32, start_us: I64, end_us: I64) -> Spans:
    """Give stretches of time of which nothing is known."""
    no = np.zeros(len(channel), np.bool_)
    return Spans(channel, start_us, end_us, np.zeros(len(channel), np.int64), no, no)


def _slots(evidence: Evidence, channels: Channels) -> tuple[I64, I64]:
    """Give the slot of every reading and the first row of each run of one slot."""
    slot = channels.slot(evidence.channel, evidence.at_us)
    fresh = np.ones(len(slot), np.bool_)
    fresh[1:] = (slot[1:] != slot[:-1]) | (evidence.channel[1:] != evidence.channel[:-1])
    return slot, np.flatnonzero(fresh)


def event_sums(evidence: Evidence, channels: Channels, factors: Factors) -> tuple[Block, dict[int, Fraction]]:
    """Add up the events of each slot. A slot without events is no gap: nothing happened, or nobody said."""
    amount, fine, carry = chained(evidence, factors, channels.carry)
    evidence, findings = without_large(evidence, fine)
    if fine is not None:
        amount = amount[fine]
    slot, first = _slots(evidence, channels)
    value = np.add.reduceat(amount, first) if len(first) else amount
    doubtful = np.logical_or.reduceat(evidence.doubtful, first) if len(first) else evidence.doubtful
    quality = np.where(doubtful, np.uint8(QUESTIONABLE), np.uint8(VALID))
    rows = evidence.channel[first], slot[first], value, quality
    return Block(*rows, no_gaps(), join_findings(findings)), carry


def mean_flows(evidence: Evidence, channels: Channels, factors: Factors) -> tuple[Block, dict[int, Fraction]]:
    """Take each slot's mean of its samples as its rate: floor(sum of sample * cadence / samples), `derived`.

    floor(floor(x) / n) = floor(x / n), so the sum may be made whole before it is divided. A mean of samples is no
    running sum, so nothing is carried. Slots between samples that have none are a gap.
    """
    _, fine, _ = chained(evidence, factors, {})
    evidence, findings = without_large(evidence, fine)
    slot, first = _slots(evidence, channels)
    if not len(first):
        return Block(evidence.channel, slot, slot, slot.astype(np.uint8), no_gaps(), join_findings(findings)), {}
    amount, _, _ = chained(evidence, factors, {}, first)
    count = np.diff(np.append(first, len(slot)))
    value = np.add.reduceat(amount, first) // count
    doubtful = np.logical_or.reduceat(evidence.doubtful, first)
    quality = np.where(doubtful, np.uint8(QUESTIONABLE), np.uint8(DERIVED))
    channel, start = evidence.channel[first], slot[first]
    cadence = channels.cadence_us[channel]
    empty = np.diff(start) // cadence[:-1] - 1
    late = np.flatnonzero((channel[1:] == channel[:-1]) & (empty > 0))
    nothing = np.zeros(len(late), np.int64)
    gaps = Gaps(channel[late], start[late] + cadence[late], empty[late], nothing, nothing.astype(np.bool_))
    return Block(channel, start, value, quality, gaps, join_findings([*findings, gap_findings(gaps)])), {}
