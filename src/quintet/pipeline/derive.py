"""Readings to intervals: a pure function of the evidence, exact to the last sub-unit, over many channels at once.

What is derived at a slot depends only on readings near it: for sums, rates and events the neighbouring reading; for
cumulative registers the neighbouring readings up to N (`excursion_readings`) beyond the cluster of falls that it lies
in, the readings at both ends of a gap, and how often the register fell within a day of it; for counters that reset
daily the local days beside it. The exception is `carry`, the remainder of amounts that are no whole sub-units, which is
part of the input.

Findings: V03_gap, V04_overlap, V12_rollover, V12_negative, off_grid, too_large, momentary_zero, excursion, rollback,
stale, reset_missed, reset_unseen, reset_early, day_not_closed, register_unreliable.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from quintet.terms.reading import ValueKind

from .exact import Factors
from .registers import registers
from .resets import daily_registers
from .shapes import I32, I64, Block, Channels, Derived, Evidence, Findings, Gaps, join_findings, join_gaps
from .sums import event_sums, interval_sums, mean_flows

__all__ = ["Channels", "Derived", "Evidence", "Findings", "Gaps", "derive"]

Rule = Callable[[Evidence, Channels, Factors], tuple[Block, dict[int, Fraction]]]

RULES: dict[ValueKind, Rule] = {
    ValueKind.INTERVAL_SUM: interval_sums,
    ValueKind.AVG_POWER: interval_sums,
    ValueKind.REGISTER_CUMULATIVE: registers,
    ValueKind.REGISTER_DAILY_RESET: daily_registers,
    ValueKind.EVENT_SUM: event_sums,
    ValueKind.INST_FLOW: mean_flows,
}

LOT = 150_000
"""Readings worked on at once (whole channels): the columns of one lot stay in the processor's cache."""


def derive(evidence: Evidence, channels: Channels) -> Derived:
    """Derive intervals, gaps and findings; `carry` gives the remainders, where they are not zero.

    Raises nothing for bad values: what cannot be used is dropped with a finding. The order of channels is irrelevant.
    """
    factors = Factors(channels)
    carry = {name: rest for name, rest in channels.carry.items() if rest}
    blocks: list[Block] = []
    for begin, end in _lots(evidence.channel):
        lot = evidence.take(slice(begin, end))
        parts: list[Block] = []
        for kind, rows in _by_kind(lot, channels):
            block, left = RULES[kind](lot if rows is None else lot.take(rows), channels, factors)
            parts.append(block)
            carry.update(left)
        blocks.append(parts[0] if len(parts) == 1 else _interleave(parts))
    return Derived(
        np.concatenate([np.zeros(0, np.int32), *(block.channel for block in blocks)]),
        np.concatenate([np.zeros(0, np.int64), *(block.start_us for block in blocks)]),
        np.concatenate([np.zeros(0, np.int64), *(block.value for block in blocks)]),
        np.concatenate([np.zeros(0, np.uint8), *(block.quality for block in blocks)]),
        join_gaps([block.gaps for block in blocks]),
        join_findings([block.findings for block in blocks]),
        {name: rest for name, rest in carry.items() if rest},
    )


def _lots(channel: I32) -> list[tuple[int, int]]:
    """Cut the evidence into lots of whole channels, each at least LOT rows but the last."""
    out: list[tuple[int, int]] = []
    begin = 0
    while begin < len(channel):
        last = min(begin + LOT, len(channel)) - 1
        end = int(np.searchsorted(channel, channel[last], "right"))
        out.append((begin, end))
        begin = end
    return out


def _by_kind(lot: Evidence, channels: Channels) -> list[tuple[ValueKind, I64 | None]]:
    """List the kinds present with their rows (None: all of them)."""
    kinds = list(ValueKind)
    kind = channels.kind[lot.channel]
    present = np.flatnonzero(np.bincount(kind)).tolist()
    if len(present) == 1:
        return [(kinds[present[0]], None)]
    return [(kinds[one], np.flatnonzero(kind == one)) for one in present]


def _interleave(parts: list[Block]) -> Block:
    """Put blocks of different channels together in order of channel: every row's place is known, nothing is sorted."""
    size = max(int(part.channel[-1]) if len(part.channel) else 0 for part in parts) + 1
    counts = [np.bincount(part.channel, minlength=size) for part in parts]
    total = np.sum(counts, axis=0)
    first = np.cumsum(total) - total
    places = [
        np.arange(len(part.channel)) + (first - (np.cumsum(count) - count))[part.channel]
        for part, count in zip(parts, counts, strict=True)
    ]
    length = int(total.sum())
    channel, start = np.empty(length, np.int32), np.empty(length, np.int64)
    value, quality = np.empty(length, np.int64), np.empty(length, np.uint8)
    for part, place in zip(parts, places, strict=True):
        channel[place], start[place] = part.channel, part.start_us
        value[place], quality[place] = part.value, part.quality
    gaps = join_gaps([part.gaps for part in parts])
    return Block(channel, start, value, quality, gaps, join_findings([part.findings for part in parts]))
