"""Counters that reset daily, just after the midnight of their meter's own clock, to intervals.

The reading AT midnight is the closing total of the day before; every later one counts from 0 at midnight. What two such
counters of the measured city (2 years, every 15 minutes) do besides, and what follows:

- 18 times (8 and 10) the logger stood still over midnight: the same non-zero number from an evening to the next
  day's 04:30 .. 16:00, mostly on both meters together. The repeats say nothing and are dropped (`stale`). Where the
  number that follows is lower (10 times), a reset lies between and it counts from midnight: the morning is a gap that
  knows its total, the evening one that does not. Where it is not lower (8 times), the reset may or may not have
  happened: one such morning gives 50,000 after 76,610 on one meter and 1,910 after 1,900 on the other (reset), another
  143,480 by 06:15 after 111,060, five times the usual pace unless it was not. So the whole time is a gap without a
  total (`reset_unseen`).
- On two midnights the counters went on rising (3,650 -> 3,680 in 15 minutes): not reset. The difference counts,
  questionable (`reset_missed`); counting from 0 would put more than a whole day into a quarter-hour.
- All their daytime falls end such a standstill or lie in a doubled autumn hour. A fall elsewhere is first tried as an
  excursion; else, when the new value fits 4 times the day's mean pace, the counter began anew at an unknown moment
  (`reset_early`); else it is a rollback. Nobody counted what passed between the last reading and the reset, so the time
  between the two readings is a gap without a total either way: a counter that shows 0 AT midnight has not measured a
  last interval of 0, it has lost it. From the new value on, it counts.
- A missing closing row leaves the tail of its day unknown (`day_not_closed`).

What is derived at a moment depends on the readings of its own local day, the day before and the day after.
"""

from fractions import Fraction
from functools import cache

import numpy as np

from quintet.terms.length import DAY_US
from quintet.terms.period import Span as Period
from quintet.terms.period import day_start, days, from_us, to_us
from quintet.terms.reading import clock

from .exact import Factors
from .excursions import settle_falls
from .grid import assemble, split
from .registers import bridged, fall_findings, readable
from .shapes import I64, Block, Channels, Evidence, Findings, Mask, Spans, found
from .thresholds import limits


@cache
def _midnights(tz: str, first_day: int, last_day: int) -> I64:
    """Give the local midnights of a clock, UTC microseconds, for whole UTC days with a margin on both sides."""
    zone = clock(tz)
    period = Period(from_us((first_day - 2) * DAY_US), from_us((last_day + 3) * DAY_US))
    return np.array([to_us(day_start(day, zone)) for day in days(period, zone)], np.int64)


def _last_midnight(evidence: Evidence, channels: Channels) -> I64:
    """Give the last local midnight strictly before every reading: where its count began."""
    out = np.zeros(len(evidence), np.int64)
    zones: dict[str, int] = {}
    present = np.unique(evidence.channel)
    of_channel = np.zeros(int(present[-1]) + 1, np.int64)
    of_channel[present] = [zones.setdefault(channels.tz[one], len(zones)) for one in present.tolist()]
    zone = of_channel[evidence.channel]
    first, last = int(evidence.at_us.min()) // DAY_US, int(evidence.at_us.max()) // DAY_US
    for name, index in zones.items():
        rows = zone == index
        edges = _midnights(name, first, last)
        out[rows] = edges[np.searchsorted(edges, evidence.at_us[rows], "left") - 1]
    return out


def daily_registers(evidence: Evidence, channels: Channels, factors: Factors) -> tuple[Block, dict[int, Fraction]]:
    """Turn readings of counters that reset daily into intervals, by the rules at the top of this module."""
    evidence, value, findings = readable(evidence, factors)
    none = np.zeros(0, np.int64)
    nothing = (evidence.channel[:0], none, none, none.astype(np.uint8))
    if not len(evidence):
        return assemble(nothing, None, findings, channels), {}
    midnight = _last_midnight(evidence, channels)
    stale = _stale(evidence, value, midnight)
    findings.append(found(evidence.channel[stale], evidence.at_us[stale], "stale"))
    after_stale = bridged(np.zeros(len(stale), np.bool_), ~stale)[~stale]
    evidence, value, midnight = evidence.take(~stale), value[~stale], midnight[~stale]
    day = np.cumsum(np.diff(midnight, prepend=-1) != 0) + np.cumsum(np.diff(evidence.channel, prepend=-1) != 0)
    from_zero = np.zeros(len(value), np.bool_)
    from_zero[1:] = (evidence.channel[1:] == evidence.channel[:-1]) & (midnight[1:] != midnight[:-1])
    keep, fallen = settle_falls(day, value, from_zero)
    findings += fall_findings(evidence, value, keep, np.zeros(len(keep), np.bool_))
    doubt = bridged(evidence.doubtful, keep)[keep]
    kept = _Counts(evidence.take(keep), value[keep], midnight[keep], after_stale[keep], fallen[keep], doubt)
    spans, lost, more = kept.spans(channels)
    regular, odd = split(spans, channels)
    odd = Spans.join([odd, lost])
    return assemble(regular, odd, [*findings, *more], channels), {}


def _stale(evidence: Evidence, value: I64, midnight: I64) -> Mask:
    """Mark the repeats of a non-zero number that stands on both sides of a midnight, within the two days beside it."""
    stale = np.zeros(len(value), np.bool_)
    same = evidence.channel[1:] == evidence.channel[:-1]
    across = np.flatnonzero(same & (midnight[1:] != midnight[:-1]) & (value[1:] == value[:-1]) & (value[1:] != 0))
    if not len(across):
        return stale
    edge = np.ones(len(value) + 1, np.bool_)
    edge[1:-1] = ~same | (midnight[1:] != midnight[:-1]) | (value[1:] != value[:-1])
    edges = np.flatnonzero(edge)
    for row in across.tolist():
        left = int(edges[np.searchsorted(edges, row, "right") - 1])
        right = int(edges[np.searchsorted(edges, row + 1, "right")])
        stale[left + 1 : right] = True
    return stale


class _Counts:
    """The readings of daily counters that are left, and what is known about each."""

    def __init__(
        self, evidence: Evidence, value: I64, midnight: I64, after_stale: Mask, fallen: Mask, doubt: Mask
    ) -> None:
        """Hold n rows: counts in sub-units, where each count began, and what lies right before each."""
        self.evidence, self.value, self.midnight = evidence, value, midnight
        self.after_stale, self.fallen, self.doubt = after_stale, fallen, doubt

    def spans(self, channels: Channels) -> tuple[Spans, Spans, list[Findings]]:
        """Give what passed between neighbouring readings, or since midnight where one lies between; and lost tails."""
        channel, at, value = self.evidence.channel, self.evidence.at_us, self.value
        same = channel[1:] == channel[:-1]
        pair = np.flatnonzero(same)
        before, after = pair, pair + 1
        step = value[after] - value[before]
        crossed = self.midnight[after] != self.midnight[before]
        close = at[after] - at[before] <= limits().measured_cadences * channels.cadence_us[channel[after]]
        unsure = crossed & self.after_stale[after] & (step >= 0)
        missed = crossed & ~unsure & close & (step > 0) & (value[before] > 0)
        from_midnight = crossed & ~unsure & ~missed
        early = self.fallen[after] & self._fits(before, after) & close
        back = self.fallen[after] & ~early
        known = ~unsure & ~self.fallen[after]
        amount = np.where(from_midnight, value[after], step)
        doubt = self.evidence.doubtful[before] & ~from_midnight | self.doubt[after] | missed
        start = np.where(from_midnight, self.midnight[after], at[before])
        spans = Spans(channel[after], start, at[after], np.where(known, amount, 0), known, doubt)
        tail = np.flatnonzero(from_midnight & (at[before] < self.midnight[after]))
        no = np.zeros(len(tail), np.bool_)
        lost = Spans(channel[before][tail], at[before][tail], start[tail], np.zeros(len(tail), np.int64), no, no.copy())
        named = (
            (unsure, "reset_unseen"),
            (missed, "reset_missed"),
            (early, "reset_early"),
            (back, "rollback"),
        )
        findings = [found(channel[after][rows], at[after][rows], rule) for rows, rule in named]
        findings.append(found(lost.channel, lost.start_us, "day_not_closed"))
        return spans, lost, findings

    def _fits(self, before: I64, after: I64) -> Mask:
        """Tell whether a count from 0 keeps to the pace of its day so far (floats decide nothing that is summed)."""
        pace = self.value[before] / np.maximum(self.evidence.at_us[before] - self.midnight[before], 1)
        passed = self.evidence.at_us[after] - self.evidence.at_us[before]
        return self.value[after] <= limits().early_reset_pace * pace * passed
