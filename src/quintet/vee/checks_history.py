"""Rules that hold a channel against its own past, or look along its values: V08, V09, V14, V20."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.length import DAY_US
from quintet.terms.period import HOUR_US

from .beside import Beside, Use
from .block import Ints, Mask, spans
from .checks import Settings, Slab
from .checks_pair import above, constant, quotients, row_sums
from .found import Figure, Figures, Found, joined, objects, picked, some, unjudged, whole_rows


def use_against_past(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V08: average daily use against the period before and a year before; equal to a bound passes.

    Fails only where both ratios are under `low`, or both above `high`; skipped where either is unknown. A past that
    covers less than half the time that is judged is no history: it is unknown.
    """
    use = Use(row_sums(slab.value), slab.judged.sum(axis=1) * slab.cadence_us, np.zeros(0, np.int64))
    return _against(slab, settings, beside, use, "use")


def demand_against_past(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V09: the highest interval's demand against the period before and a year before; bounds as in V08."""
    covered = some(slab.judged)
    peak = np.where(slab.judged, slab.value, np.iinfo(np.int64).min).max(axis=1, initial=np.iinfo(np.int64).min)
    return _against(slab, settings, beside, Use(peak, covered.astype(np.int64), peak), "demand")


def _parts(use: Use, what: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Give what is compared as numerator and denominator: the total and its time, or the highest interval and 1."""
    there = use.covered_us > 0
    if what == "use":
        return np.asarray(use.total).astype(object), np.where(there, use.covered_us, 0).astype(object)
    return use.peak.astype(object), there.astype(np.int64).astype(object)


def _shown(parts: tuple[npt.NDArray[Any], npt.NDArray[Any]], what: str) -> npt.NDArray[Any]:
    """Give the average daily use, or the highest interval; None where nothing was covered."""
    out, (top, bottom) = objects(len(parts[0])), parts
    for row in np.flatnonzero(bottom != 0).tolist():
        out[row] = Fraction(top[row] * (DAY_US if what == "use" else 1), bottom[row])
    return out


def _against(slab: Slab, settings: Settings, beside: Beside, now: Use, what: str) -> Found:
    """Compare with both pasts."""
    if beside.use_before is None or beside.use_year_before is None:
        return unjudged(len(slab.value))
    own = _parts(now, what)
    pasts = [_parts(past, what) for past in (beside.use_before, beside.use_year_before)]
    sure, covered_us = np.asarray(own[1] > 0, np.bool_), slab.judged.sum(axis=1) * slab.cadence_us
    for past in (beside.use_before, beside.use_year_before):
        sure &= 2 * past.covered_us >= covered_us
    low, high = np.ones(len(sure), np.bool_), np.ones(len(sure), np.bool_)
    for top, bottom in pasts:
        sure &= np.asarray((top > 0) & (bottom > 0), np.bool_)
        mine, theirs = own[0] * bottom, top * own[1]
        low &= above(theirs * settings["low"].numerator, mine, Fraction(settings["low"].denominator))
        high &= above(mine, theirs, settings["high"])

    def figures() -> Figures:
        shown = [_shown(parts, what) for parts in (own, *pasts)]
        form = "amount" if what == "use" else "rate"
        return {
            what: Figure(form, shown[0]),
            f"{what}_before": Figure(form, shown[1]),
            f"{what}_year_before": Figure(form, shown[2]),
            "ratio_before": Figure("ratio", quotients(sure, shown[0], shown[1])),
            "ratio_year_before": Figure("ratio", quotients(sure, shown[0], shown[2])),
            "low": Figure("ratio", constant(len(sure), settings["low"])),
            "high": Figure("ratio", constant(len(sure), settings["high"])),
        }

    return Found(whole_rows(sure & (low | high), slab.value.shape[1]), sure, figures)


def change(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V14: neighbouring intervals with abs(x2 - x1) / x1 > ratio and abs(x2 - x1) >= floor (an hour); equal passes.

    Pairs with x1 = 0 or less are skipped, as are those with a missing interval. The later interval is named.
    """
    del beside
    value = slab.value
    pairs = slab.judged[:, 1:] & slab.judged[:, :-1] & (value[:, :-1] > 0)
    step = np.abs(value[:, 1:] - value[:, :-1])
    least = -(-settings["floor"] * slab.cadence_us // HOUR_US)
    row, column = np.nonzero(pairs & (step >= int(least)))
    ratio = settings["ratio"]
    top, bottom = ratio.numerator, ratio.denominator
    over = step[row, column].astype(object) * bottom > value[row, column].astype(object) * top
    row, column = row[over.astype(np.bool_)], column[over.astype(np.bool_)] + 1
    at = column.astype(np.int32)
    judged = some(pairs)
    return Found(
        (row.astype(np.int32), at, at),
        judged,
        lambda: {
            **_largest(value, pairs, step, judged),
            "threshold": Figure("ratio", constant(len(judged), ratio)),
            "floor": Figure("amount", constant(len(judged), settings["floor"] * Fraction(slab.cadence_us, HOUR_US))),
        },
    )


def _largest(value: Ints, pairs: Mask, step: Ints, judged: Mask) -> dict[str, Figure]:
    """Give the pair of the largest ratio in each row (by its whole part, the first of equals)."""
    if not step.shape[1]:
        return {}
    whole = np.where(pairs, step // np.where(pairs, value[:, :-1], 1), -1)
    best = whole.argmax(axis=1)
    rows = np.arange(len(value))
    before, after, size = value[rows, best], value[rows, best + 1], step[rows, best]
    return {
        "x1": Figure("amount", picked(judged, before)),
        "x2": Figure("amount", picked(judged, after)),
        "ratio": Figure("ratio", quotients(judged, size.astype(object), before.astype(object))),
    }


def estimated_too_long(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V20: intervals without a measurement in a row that last longer than so many days; equal passes."""
    estimated = ~slab.judged if beside.estimated is None else beside.estimated
    most = int(settings["days"]) * DAY_US // slab.cadence_us
    every = np.ones(len(slab.value), np.bool_)
    row, first, last = spans(estimated)
    long = last - first + 1 > most

    def figures() -> Figures:
        longest = np.zeros(len(slab.value), np.int64)
        np.maximum.at(longest, row, (last - first + 1).astype(np.int64))
        return {
            "estimated_days": Figure("ratio", quotients(every, longest.astype(object) * slab.cadence_us, _days(every))),
            "threshold": Figure("count", constant(len(every), settings["days"])),
        }

    return Found((row[long], first[long], last[long]) if len(row) else joined([]), every, figures)


def _days(mask: Mask) -> npt.NDArray[Any]:
    """Give the length of a day for each row."""
    return np.array([DAY_US] * len(mask), dtype=object)
