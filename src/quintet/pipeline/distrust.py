"""Registers that roll over or fall so often that their differences measure nothing: what they gave there is rejected.

A register is not trusted where 24 hours hold `rollovers_a_day` rollovers or `rollbacks_a_day` rollbacks: from the first
of them to the last, and beside both for as long as they are apart, but no further than a day from the other. What is
trusted at a moment depends on the readings of the day before it and the day after it.
"""

from dataclasses import replace

import numpy as np

from quintet.terms.length import DAY_US
from quintet.terms.quality import qualities

from .shapes import I32, I64, Block, Channels, Evidence, Findings, Mask, found, join_findings
from .thresholds import limits

REJECTED = qualities()["rejected"].id
UNRELIABLE = "register_unreliable"
Stretches = tuple[I32, I64, I64]
"""Channels, and from when until when; sorted, those of one channel apart."""


def untrusted(evidence: Evidence, rolled: Findings, back: Mask) -> Stretches:
    """Find where registers are not trusted; `rolled` are their rollovers, `back` marks readings at a rollback."""
    rows = np.flatnonzero(back)
    parts = [
        _crowded(evidence, rolled.channel, rolled.at_us, limits().rollovers_a_day),
        _crowded(evidence, evidence.channel[rows], evidence.at_us[rows], limits().rollbacks_a_day),
    ]
    channel, start, end = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((end, start, channel))
    return _merged(channel[order], start[order], end[order])


def _crowded(evidence: Evidence, channel: I32, at_us: I64, times: int) -> Stretches:
    """Give the stretches of at most a day that hold so many events (sorted), with what lies beside."""
    first = np.arange(max(len(channel) - times + 1, 0))
    last = first + times - 1
    first = first[(channel[last] == channel[first]) & (at_us[last] - at_us[first] <= DAY_US)]
    last = first + times - 1
    apart = (at_us[last] - at_us[first]) // max(times - 1, 1)
    start = np.zeros(len(first), np.int64)
    for place, event in enumerate(first.tolist()):
        low, high = np.searchsorted(evidence.channel, [channel[event], channel[event] + 1])
        row = int(low + np.searchsorted(evidence.at_us[low:high], at_us[event]))
        before = int(evidence.at_us[row - 1]) if row > low else int(at_us[event])
        start[place] = min(before, int(at_us[event] - apart[place]))
    start = np.maximum(start, at_us[last] - DAY_US)
    return channel[first], start, np.minimum(at_us[last] + apart, at_us[first] + DAY_US)


def _merged(channel: I32, start: I64, end: I64) -> Stretches:
    """Join stretches (sorted) of a channel that touch."""
    if not len(channel):
        return channel, start, end
    fresh = np.ones(len(channel), np.bool_)
    reach = end.copy()
    for row in range(1, len(channel)):
        if channel[row] == channel[row - 1]:
            fresh[row] = start[row] > reach[row - 1]
            reach[row] = max(int(end[row]), int(reach[row - 1]))
    heads = np.flatnonzero(fresh)
    return channel[heads], start[heads], reach[np.append(heads[1:], len(channel)) - 1]


def without_trust(block: Block, stretches: Stretches, channels: Channels) -> Block:
    """Reject the intervals of a block that begin within stretches, take the totals of gaps there away, and name each.

    An interval that touches a stretch in part counts as within.
    """
    channel, start, end = stretches
    if not len(channel):
        return block
    quality, has_total = block.quality.copy(), block.gaps.has_total.copy()
    lengths = channels.cadence_us[block.gaps.channel] * block.gaps.slots
    for one, low, high in zip(channel.tolist(), start.tolist(), end.tolist(), strict=True):
        own = slice(*np.searchsorted(block.channel, [one, one + 1]).tolist())
        begin, step = block.start_us[own], int(channels.cadence_us[one])
        quality[own][(begin + step > low) & (begin < high)] = REJECTED
        gaps = slice(*np.searchsorted(block.gaps.channel, [one, one + 1]).tolist())
        begin = block.gaps.start_us[gaps]
        has_total[gaps] &= ~((begin + lengths[gaps] > low) & (begin < high))
    gaps = replace(block.gaps, has_total=has_total, total=np.where(has_total, block.gaps.total, 0))
    named = join_findings([block.findings, found(channel, start, UNRELIABLE)])
    return replace(block, quality=quality, gaps=gaps, findings=named)
