"""The rules' functions: each takes a slab of rows of one kind and its thresholds, and gives the spans it objects to.

A rule sees amounts of measured intervals only: where nothing may be judged (missing, rejected, estimated, edited) the
slab holds 0 and `judged` is False. All verdicts are in whole numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from quintet.terms.period import HOUR_US

from .apportion import times_floor
from .block import Ints, Mask, spans
from .found import Spans, joined

Settings = Mapping[str, Fraction]
UNKNOWN = -1
RANK = 3
"""A spike stands out from the third highest value of its day."""


@dataclass(frozen=True, slots=True)
class Slab:
    """Some rows of a block, all of one kind: k rows, n columns.

    `value` is 0 wherever `judged` is False. `plate_max` is sub-units an hour, -1 unknown. `days` are the whole local
    days as half-open ranges of columns, in order.
    """

    value: Ints
    judged: Mask
    plate_max: Ints
    cadence_us: int
    days: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's function and the thresholds it reads, by name, with the form each must have.

    A threshold that is `optional` need not be known for every quantity.

    `reach` says what its verdict on an interval depends on: that "interval", its whole local "day", or a "run" of
    equal values of any length. (Rules of reach "period" take what stands beside a block: PeriodCheck.)
    """

    function: Callable[[Slab, Settings], Spans]
    needs: Mapping[str, str]
    reach: Literal["interval", "day", "run"]
    optional: frozenset[str] = frozenset()


def spike(slab: Slab, settings: Settings) -> Spans:
    """V07: values of a whole day with (P - P3) / P3 > ratio, P3 the third highest; equal passes.

    Days are skipped where the highest is under the floor (an hour) or P3 = 0. Written without division:
    P > P3 (1 + ratio).
    """
    least = at_least(settings["floor"], slab.cadence_us)
    out: list[Spans] = []
    for first, end in slab.days:
        if end - first < RANK:
            continue
        rows, high, third = peaks(slab.value[:, first:end], least)
        limit = times_floor(np.maximum(third, 0), 1 + settings["ratio"])
        bad = (high.max(axis=1, initial=0) > limit) & (third > 0)
        row, column = np.nonzero(high[bad] > limit[bad, None])
        at = (column + first).astype(np.int32)
        out.append((rows[bad][row].astype(np.int32), at, at))
    return joined(out)


def at_least(rate: Fraction, cadence_us: int) -> int:
    """Give the smallest whole amount of one interval that reaches a rate (sub-units an hour)."""
    return int(-(-rate * cadence_us // HOUR_US))


def peaks(day: Ints, least: int) -> tuple[Ints, Ints, Ints]:
    """Find the rows whose highest value is not under `least`: their places, their values, their third highest."""
    rows = np.flatnonzero(day.max(axis=1) >= least)
    high, place = day[rows], day.shape[1] - RANK
    return rows, high, np.partition(high, place, axis=1)[:, place]


def zero_days(slab: Slab, settings: Settings) -> Spans:
    """V10: at least so many whole local days in a row with every interval measured and zero."""
    days = slab.days
    if not days:
        return joined([])
    blank = np.zeros((len(slab.value), len(days)), np.bool_)
    for place, (first, end) in enumerate(days):
        rows = np.flatnonzero((slab.value[:, first] == 0) & slab.judged[:, first])
        blank[rows, place] = ~slab.value[rows, first:end].any(axis=1) & slab.judged[rows, first:end].all(axis=1)
    breaks = [place for place in range(1, len(days)) if days[place][0] != days[place - 1][1]]
    out: list[Spans] = []
    for begin, end in zip([0, *breaks], [*breaks, len(days)], strict=True):
        row, first, last = spans(blank[:, begin:end], int(settings["days"]))
        starts = np.array([day[0] for day in days[begin:end]], np.int32)
        ends = np.array([day[1] - 1 for day in days[begin:end]], np.int32)
        out.append((row, starts[first], ends[last]))
    return joined(out)


def below_zero(slab: Slab, settings: Settings) -> Spans:
    """V12: values under zero; zero passes. A slab holds zero where nothing is judged."""
    del settings
    rows = np.flatnonzero(slab.value.min(axis=1) < 0)
    row, first, last = spans(slab.value[rows] < 0)
    return rows[row].astype(np.int32), first, last


def reverse_flow(slab: Slab, settings: Settings) -> Spans:
    """V12: values under zero, except what a generator may draw by itself: up to `standby` of its rated power.

    The rating is the plate or, of a whole day, its highest value divided by `dark`, whichever is more; where neither is
    known (a day that is not over), a channel with a standby passes. Zero passes, and so does equal.
    """
    share = settings["standby"]
    if not share:
        return below_zero(slab, settings)
    rows = np.flatnonzero(slab.value.min(axis=1) < 0)
    value, plate = slab.value[rows], slab.plate_max[rows]
    known = plate != UNKNOWN
    own = times_floor(np.where(known, plate, 0), Fraction(slab.cadence_us, HOUR_US) * share)
    limit = np.broadcast_to(np.where(known, own, np.iinfo(np.int64).max)[:, None], value.shape).copy()
    for first, end in slab.days:
        highest = np.maximum(value[:, first:end].max(axis=1), 0)
        limit[:, first:end] = np.maximum(own, times_floor(highest, share / settings["dark"]))[:, None]
    row, first, last = spans(value < -limit)
    return rows[row].astype(np.int32), first, last


def highest(plate_max: Ints, settings: Settings) -> Ints:
    """Give the most that each row can show in an hour: its plate's maximum, else the usual `most`, else UNKNOWN."""
    usual = int(settings["most"]) if "most" in settings else UNKNOWN
    return np.where(plate_max == UNKNOWN, usual, plate_max)


def above_plate(slab: Slab, settings: Settings) -> Spans:
    """V16: magnitudes above the maximum for one interval (see `highest`); equal passes, an unknown one passes all."""
    most = highest(slab.plate_max, settings)
    known = np.flatnonzero(most != UNKNOWN)
    if not len(known):
        return joined([])
    value = slab.value if len(known) == len(slab.value) else slab.value[known]
    limit = times_floor(most[known], Fraction(slab.cadence_us, HOUR_US))
    over = np.flatnonzero((value.max(axis=1) > limit) | (value.min(axis=1) < -limit))
    row, first, last = spans(np.abs(value[over]) > limit[over, None])
    return known[over[row]].astype(np.int32), first, last


def stuck(slab: Slab, settings: Settings) -> Spans:
    """V18: the same value, not zero, so many times in a row or more; a missing interval ends the run.

    A run of N holds two neighbours of every (N // 2)-th column; only rows with such an equal pair are looked at whole.
    """
    times = int(settings["times"])
    coarse = slab.value[:, :: max(times // 2, 1)]
    pairs = (coarse[:, 1:] == coarse[:, :-1]) & (coarse[:, 1:] != 0)
    rows = np.flatnonzero(pairs.any(axis=1)) if times > 1 else np.arange(len(slab.value))
    value = slab.value[rows]
    same = (value[:, 1:] == value[:, :-1]) & (value[:, 1:] != 0)
    row, first, last = spans(same, max(times - 1, 1))
    return rows[row].astype(np.int32), first, last + 1


CHECKS: dict[str, Check] = {
    "V07": Check(spike, {"ratio": "ratio", "floor": "rate"}, "day"),
    "V10": Check(zero_days, {"days": "count"}, "day"),
    "V12_negative": Check(below_zero, {}, "interval"),
    "V12_reverse": Check(reverse_flow, {"standby": "ratio", "dark": "ratio"}, "interval"),
    "V16": Check(above_plate, {"most": "rate"}, "interval", frozenset(("most",))),
    "V18": Check(stuck, {"times": "count"}, "run"),
}
"""Every rule that is judged as readings are committed, by its id; for longer periods see PERIOD (period_checks.py)."""
