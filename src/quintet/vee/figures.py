"""The figures of the rules that judge as readings are committed, from the same terms as their verdicts: for one try."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from quintet.terms.period import HOUR_US

from .block import Ints, Mask, spans
from .checks import RANK, UNKNOWN, Settings, Slab, at_least, highest, peaks
from .checks_pair import constant
from .found import Figure, Figures, objects, picked, some


def spike_figures(slab: Slab, settings: Settings) -> tuple[Mask, Figures]:
    """V07: P1, P3 and (P1 - P3)/P3 of each row's worst day; judged where a day has P1 at the floor or above and P3 > 0.

    Where no day could be judged the figures are those of the day with the highest P1.
    """
    rows = len(slab.value)
    judged, best = np.zeros(rows, np.bool_), list[Fraction | None]([None] * rows)
    p1, p3 = objects(rows), objects(rows)
    least = at_least(settings["floor"], slab.cadence_us)
    for first, end in slab.days:
        day = slab.value[:, first:end]
        fit = peaks(day, least)[0] if end - first >= RANK else np.zeros(0, np.int64)
        for row in range(rows):
            high = sorted(day[row, slab.judged[row, first:end]].tolist(), reverse=True)[:RANK]
            if not high:
                continue
            third = high[RANK - 1] if len(high) == RANK else None
            fine = row in fit and third is not None and third > 0
            worth = Fraction(high[0] - third, third) if fine and third else Fraction(high[0])
            known = best[row]
            if (fine, worth) > (bool(judged[row]), known if known is not None else worth - 1):
                judged[row], best[row], p1[row], p3[row] = fine, worth, high[0], third
    numbers = [own if fine else None for own, fine in zip(best, judged, strict=True)]
    ratio = objects(rows)
    ratio[:] = numbers
    every = np.ones(rows, np.bool_)
    floor = settings["floor"] * Fraction(slab.cadence_us, HOUR_US)
    return judged, {
        "p1": Figure("amount", p1),
        "p3": Figure("amount", p3),
        "ratio": Figure("ratio", ratio),
        "threshold": Figure("ratio", constant(len(every), settings["ratio"])),
        "floor": Figure("amount", constant(len(every), floor)),
    }


def zero_figures(slab: Slab, settings: Settings) -> tuple[Mask, Figures]:
    """V10: the most days of zero in a row; judged where a day was measured whole."""
    whole = np.array([slab.judged[:, a:b].all(axis=1) for a, b in slab.days], np.bool_).reshape(len(slab.days), -1).T
    blank = np.array([~some(slab.value[:, a:b] != 0) for a, b in slab.days], np.bool_).reshape(whole.shape[::-1]).T
    judged = some(whole)
    return judged, {
        "zero_days": Figure("count", picked(judged, _longest(whole & blank))),
        "threshold": Figure("count", constant(len(judged), settings["days"])),
    }


def negative_figures(slab: Slab, settings: Settings) -> tuple[Mask, Figures]:
    """V12: the smallest value; zero passes."""
    del settings
    judged = some(slab.judged)
    lowest = np.where(slab.judged, slab.value, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
    return judged, {"smallest": Figure("amount", picked(judged, lowest))}


def plate_figures(slab: Slab, settings: Settings) -> tuple[Mask, Figures]:
    """V16: the value of the largest magnitude, and the maximum for one interval; judged where that is known."""
    limit = highest(slab.plate_max, settings)
    judged = some(slab.judged) & (limit != UNKNOWN)
    most = [Fraction(int(rate) * slab.cadence_us, HOUR_US) for rate in limit]
    return judged, {
        "largest": Figure("amount", picked(judged, _farthest(slab.value))),
        "threshold": Figure("amount", picked(judged, np.array(most, dtype=object))),
    }


def _farthest(value: Ints) -> Ints:
    """Give each row's value of the largest magnitude, with its sign; 0 where there are none."""
    if not value.shape[1]:
        return np.zeros(len(value), np.int64)
    return np.take_along_axis(value, np.abs(value).argmax(axis=1)[:, None], axis=1)[:, 0]


def stuck_figures(slab: Slab, settings: Settings) -> tuple[Mask, Figures]:
    """V18: the most equal values, not zero, in a row."""
    judged = some(slab.judged)
    same = (slab.value[:, 1:] == slab.value[:, :-1]) & (slab.value[:, 1:] != 0)
    used = some(slab.value != 0)
    return judged, {
        "times": Figure("count", picked(judged, _longest(same) + used)),
        "threshold": Figure("count", constant(len(judged), settings["times"])),
    }


def _longest(mask: Mask) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give the longest run of True in each row."""
    out = np.zeros(len(mask), np.int64)
    row, first, last = spans(mask)
    np.maximum.at(out, row, (last - first + 1).astype(np.int64))
    return out


FIGURES: dict[str, Callable[[Slab, Settings], tuple[Mask, Figures]]] = {
    "V07": spike_figures,
    "V10": zero_figures,
    "V12_negative": negative_figures,
    "V12_reverse": negative_figures,
    "V16": plate_figures,
    "V18": stuck_figures,
}
"""One for each rule of CHECKS: which rows it could judge, and what it compared."""
