"""Amounts over any stretch of time to the slots of the grid: linear in time, cumulative floors: exact sums."""

from dataclasses import dataclass

import numpy as np

from .shapes import I32, I64, PARTIAL, QUESTIONABLE, U8, VALID, Channels, Gaps, Mask, Spans
from .thresholds import limits

WIDTH = 2**31
"""Below this many time units a span's product of remainder and time stays within 64 bits."""


@dataclass(frozen=True)
class Pieces:
    """What falls into a slot from one span: amount and microseconds covered."""

    channel: I32
    slot: I64
    amount: I64
    covered: I64
    doubtful: Mask

    def take(self, rows: Mask | I64) -> "Pieces":
        """Give some of the pieces, in their order."""
        return Pieces(self.channel[rows], self.slot[rows], self.amount[rows], self.covered[rows], self.doubtful[rows])


def share(amount: I64, part_us: I64, whole_us: I64) -> I64:
    """Give floor(amount * part / whole) exactly, 0 <= part <= whole; |amount| <= 2**60. Of no time there is no part.

    amount = q * whole + r, so the share is q * part + floor(r * part / whole), r * part staying below 2**62 once time
    is counted in the coarsest of s, ms, us that is exact; the few spans that no such unit fits take Python's integers.
    """
    part, whole = part_us, whole_us
    for unit in (1000, 1000):
        coarser = part // unit, whole // unit
        coarse = (coarser[0] * unit == part) & (coarser[1] * unit == whole)
        part, whole = np.where(coarse, coarser[0], part), np.where(coarse, coarser[1], whole)
    whole = np.maximum(whole, 1)
    quotient, rest = np.divmod(amount, whole)
    out = quotient * part + rest * part // whole
    for row in np.flatnonzero(whole >= WIDTH).tolist():
        out[row] = int(amount[row]) * int(part[row]) // int(whole[row])
    return out


def spread(spans: Spans, channels: Channels) -> tuple[Pieces, Gaps]:
    """Lay spans (sorted by channel and start) on the grid.

    A known span of at most `measured_cadences` gives every slot that it touches its part. Of a longer one the partial
    first and last slot get theirs, questionable (that the pace was even is a guess), and the whole slots between become
    a gap that knows its total. An unknown span gives only the gap, without a total.
    """
    cadence = channels.cadence_us[spans.channel]
    head = -(-(spans.start_us + channels.phase_us[spans.channel]) // cadence) * cadence
    head -= channels.phase_us[spans.channel]
    tail = channels.slot(spans.channel, spans.end_us)
    length = spans.end_us - spans.start_us
    short = spans.known & (length <= limits().measured_cadences * cadence)
    slots = np.where(short, 0, np.maximum(tail - head, 0) // cadence)

    long = np.flatnonzero(spans.known & ~short)
    amount, begin, whole = spans.amount[long], spans.start_us[long], length[long]
    before = share(amount, head[long] - begin, whole)
    until = share(amount, tail[long] - begin, whole)
    total = np.zeros(len(short), np.int64)
    total[long] = until - before
    with_gap = slots > 0
    gaps = Gaps(spans.channel[with_gap], head[with_gap], slots[with_gap], total[with_gap], spans.known[with_gap])

    doubt = np.ones(len(long), np.bool_)
    first = Pieces(spans.channel[long], head[long] - cadence[long], before, head[long] - begin, doubt)
    last = Pieces(spans.channel[long], tail[long], amount - until, spans.end_us[long] - tail[long], doubt)
    parts = [_short(spans.take(short), channels), _nonempty(first), _nonempty(last)]
    return join_pieces(parts), gaps


def _short(spans: Spans, channels: Channels) -> Pieces:
    """Cut short spans at the slot edges inside them."""
    cadence = channels.cadence_us[spans.channel]
    slot = channels.slot(spans.channel, spans.start_us)
    count = -(-(spans.end_us - slot) // cadence)
    row = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    start, end, step = spans.start_us[row], spans.end_us[row], cadence[row]
    left = slot[row] + nth * step
    begin, stop = np.maximum(left, start), np.minimum(left + step, end)
    amount, whole = spans.amount[row], end - start
    part = share(amount, stop - start, whole) - share(amount, begin - start, whole)
    return Pieces(spans.channel[row], left, part, stop - begin, spans.doubtful[row])


def _nonempty(pieces: Pieces) -> Pieces:
    """Drop pieces that cover no time."""
    return pieces.take(pieces.covered > 0)


def join_pieces(parts: list[Pieces]) -> Pieces:
    """Put pieces together, in order of channel and slot."""
    joined = Pieces(
        np.concatenate([part.channel for part in parts]),
        np.concatenate([part.slot for part in parts]),
        np.concatenate([part.amount for part in parts]),
        np.concatenate([part.covered for part in parts]),
        np.concatenate([part.doubtful for part in parts]),
    )
    channel, slot = joined.channel, joined.slot
    if bool(((channel[1:] > channel[:-1]) | ((channel[1:] == channel[:-1]) & (slot[1:] >= slot[:-1]))).all()):
        return joined
    return joined.take(np.lexsort((slot, channel)))


def settle(pieces: Pieces, channels: Channels) -> tuple[I32, I64, I64, U8]:
    """Add up the pieces (sorted) of each slot: channel, slot, value, quality, unique and sorted.

    A slot that they do not cover whole is `partial`; one that a doubtful piece touches is `questionable`.
    """
    if not len(pieces.slot):
        return pieces.channel, pieces.slot, pieces.amount, np.zeros(0, np.uint8)
    fresh = np.ones(len(pieces.slot), np.bool_)
    fresh[1:] = (pieces.slot[1:] != pieces.slot[:-1]) | (pieces.channel[1:] != pieces.channel[:-1])
    first = np.flatnonzero(fresh)
    channel, slot = pieces.channel[first], pieces.slot[first]
    value = np.add.reduceat(pieces.amount, first)
    covered = np.add.reduceat(pieces.covered, first)
    doubtful = np.logical_or.reduceat(pieces.doubtful, first)
    quality = np.where(doubtful, QUESTIONABLE, VALID)
    quality[covered < channels.cadence_us[channel]] = PARTIAL
    return channel, slot, value, quality.astype(np.uint8)
