"""Cumulative registers to intervals: rollover by dial count, excursions, rollbacks, differences laid on the grid."""

from fractions import Fraction

import numpy as np

from quintet.terms.period import HOUR_US

from .distrust import Stretches, untrusted, without_trust
from .exact import Factors, floors
from .excursions import settle_falls
from .grid import assemble, on_grid
from .shapes import I64, QUESTIONABLE, VALID, Block, Channels, Evidence, Findings, Mask, Spans, found
from .sums import without_large
from .thresholds import limits


def readable(evidence: Evidence, factors: Factors) -> tuple[Evidence, I64, list[Findings]]:
    """Give register readings in whole sub-units; drops and names those beyond 64 bits and below zero."""
    value, fine = floors(evidence, factors)
    findings: list[Findings] = []
    if fine is not None and not bool(fine.all()):
        evidence, findings = without_large(evidence, fine)
        value = value[fine]
    below = value < 0
    if bool(below.any()):
        gone = evidence.take(below)
        findings.append(found(gone.channel, gone.at_us, "V12_negative"))
        evidence, value = evidence.take(~below), value[~below]
    return evidence, value, findings


def registers(evidence: Evidence, channels: Channels, factors: Factors) -> tuple[Block, dict[int, Fraction]]:
    """Turn register differences into intervals.

    Every reading is floored to sub-units once, so differences telescope: the intervals and gap totals between two
    readings sum to the difference of the two, exactly, unless a rollback lies between. Where a register rolls over or
    falls too often its intervals are rejected (see distrust.py).
    """
    evidence, value, findings = readable(evidence, factors)
    same = evidence.channel[1:] == evidence.channel[:-1]
    doubtful = evidence.doubtful
    fallen: Mask | None = None
    broken: Stretches | None = None
    if bool((same & (value[1:] < value[:-1])).any()):
        value, rolled = _unroll(evidence, value, channels, factors)
        keep, fallen = settle_falls(evidence.channel.astype(np.int64), value)
        broken = untrusted(evidence, rolled, fallen)
        findings += [rolled, *fall_findings(evidence, value, keep, fallen)]
        doubtful = bridged(doubtful, keep)
        evidence, value, doubtful, fallen = evidence.take(keep), value[keep], doubtful[keep], fallen[keep]
        same = evidence.channel[1:] == evidence.channel[:-1]
    if len(evidence) < 2:
        none = np.zeros(0, np.int64)
        regular = (evidence.channel[:0], none, none, none.astype(np.uint8))
        return assemble(regular, None, findings, channels), {}
    block = _differences(evidence, value, same, doubtful, fallen, findings, channels)
    return (block if broken is None else without_trust(block, broken, channels)), {}


def _differences(
    evidence: Evidence,
    value: I64,
    same: Mask,
    doubtful: Mask,
    fallen: Mask | None,
    findings: list[Findings],
    channels: Channels,
) -> Block:
    """Lay the differences of neighbouring readings on the grid; neighbours one slot apart fill it without more ado.

    `same[i]` tells that rows i and i + 1 are of one channel; `doubtful` marks readings with a conflict behind them or a
    dropped reading right before them; `fallen` those at which the register was set back.
    """
    straight, cadence = on_grid(evidence, channels)
    at, amount = evidence.at_us, np.diff(value)
    regular = same & straight[:-1] & (np.diff(at) == (cadence if cadence.ndim == 0 else cadence[:-1]))
    if fallen is not None:
        regular &= ~fallen[1:]
    odd = np.flatnonzero(same & ~regular)
    spans: Spans | None = None
    doubt = _touching(evidence.doubtful, doubtful)
    if len(odd):
        known = np.ones(len(odd), np.bool_) if fallen is None else ~fallen[1:][odd]
        channel, start, end = evidence.channel[:-1][odd], at[:-1][odd], at[1:][odd]
        spans = Spans(channel, start, end, np.where(known, amount[odd], 0), known, doubt[odd])
    quality = np.where(doubt[regular], np.uint8(QUESTIONABLE), np.uint8(VALID))
    rows = evidence.channel[:-1][regular], at[:-1][regular], amount[regular], quality
    return assemble(rows, spans, findings, channels)


def _touching(conflict: Mask, doubtful: Mask) -> Mask:
    """Tell which differences to doubt: a conflict at either end, or a dropped reading between."""
    return conflict[:-1] | doubtful[1:]


def bridged(doubtful: Mask, keep: Mask) -> Mask:
    """Add to the doubtful readings those that come right after a dropped one."""
    after = doubtful.copy()
    after[1:] |= ~keep[:-1]
    return after


def fall_findings(evidence: Evidence, value: I64, keep: Mask, fallen: Mask) -> list[Findings]:
    """Name dropped readings and rollbacks."""
    zero, other, back = (np.flatnonzero(mask) for mask in (~keep & (value == 0), ~keep & (value != 0), fallen))
    named = ((zero, "momentary_zero"), (other, "excursion"), (back, "rollback"))
    return [found(evidence.channel[rows], evidence.at_us[rows], rule) for rows, rule in named]


def _unroll(evidence: Evidence, value: I64, channels: Channels, factors: Factors) -> tuple[I64, Findings]:
    """Add 10**dials after each rollover (V12), so that the register goes on rising.

    A fall is a rollover when the reading before stood in the last tenth of the dials, the difference plus 10**dials is
    under the cap, and none of the next N readings comes back to where it was (then the low one was an excursion).
    """
    falls = (evidence.channel[1:] == evidence.channel[:-1]) & (value[1:] < value[:-1])
    rows = np.flatnonzero(falls & (channels.dials[evidence.channel[1:]] > 0)).tolist()
    out = value.copy()
    hits: list[int] = []
    for row in rows:
        name = int(evidence.channel[row])
        dials = int(channels.dials[name])
        span = factors.factor(int(factors.group[name]), int(evidence.unit[row + 1]), dials).__floor__()
        stop = int(np.searchsorted(evidence.channel, name, "right"))
        soon = value[row + 1 : min(row + 2 + limits().excursion_readings, stop)]
        added = int(value[row + 1]) - int(value[row]) + span
        high = int(value[row]) * 100 > limits().rollover_from_percent * span
        if high and 0 <= added < _cap(evidence, row, channels, span) and not bool((soon >= value[row]).any()):
            out[row + 1 : stop] += span
            hits.append(row + 1)
    return out, found(evidence.channel[hits], evidence.at_us[hits], "V12_rollover")


def _cap(evidence: Evidence, row: int, channels: Channels, span: int) -> int:
    """Give the cap of a rollover between a reading and the next."""
    most = int(channels.plate_max_per_hour[evidence.channel[row]])
    return rollover_cap(most, int(evidence.at_us[row + 1] - evidence.at_us[row]), span)


def rollover_cap(plate_max_per_hour: int, length_us: int, span: int) -> int:
    """Give what a rollover stays under (equal is none): by the plate (-1 unknown), else a share of the dials' span."""
    if plate_max_per_hour < 0:
        return span * limits().rollover_share_percent // 100
    return -(-plate_max_per_hour * length_us // HOUR_US)
