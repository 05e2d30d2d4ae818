"""A home's use until the month's end: the mean of like days, with a range that comes from its own past misses.

Each day ahead is taken as the mean of the trusted days of its kind among the last four weeks. The range is the wider of
two: how far the same forecast, done from every earlier day whose following days are known, missed (the middle eight
tenths of the ratios); and how much the sum of so many days varies when they vary as those behind did (the prediction
interval of eight tenths, widened for days that are like the day before). Trials overlap and are few, so that the first
alone would be too narrow. Nothing is said with too few days behind, and no range with too few trials.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .home_limits import home_limits

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
RANGE = (0.1, 0.9)
"""The quantiles of past misses between which the range lies."""
EIGHT_TENTHS = 1.2816
"""Standard deviations to either side that hold eight tenths of a normal distribution."""
MOST_ALIKE = 0.9
"""Above it so few days cannot tell a trend from likeness."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Use of the days ahead, in sub-units; `low` and `high` are None without enough trials."""

    use: float
    low: float | None
    high: float | None
    trials: int


def ahead_of(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask) -> Ahead | None:
    """Forecast the days ahead (True: a day of rest) from the days behind; None where too few of those are known."""
    limits = home_limits()
    middle = _sum(value, sure, rest, rest_ahead)
    if middle is None:
        return None
    count = len(rest_ahead)
    ratios: list[float] = []
    for origin in range(limits["forecast_days_behind"], len(value) - count + 1):
        ahead = slice(origin, origin + count)
        if not sure[ahead].all():
            continue
        told = _sum(value[:origin], sure[:origin], rest[:origin], rest[ahead])
        if told:
            ratios.append(float(value[ahead].sum()) / told)
    if len(ratios) < limits["forecast_trials_needed"]:
        return Ahead(middle, None, None, len(ratios))
    low, high = (float(one) for one in np.quantile(ratios, RANGE))
    apart = _apart(value, sure, rest, count)
    return Ahead(middle, max(min(middle * low, middle - apart), 0.0), max(middle * high, middle + apart), len(ratios))


def _apart(value: Values, sure: Mask, rest: Mask, count: int) -> float:
    """Give how far the sum of so many days may lie from its forecast, by how the days behind vary about their kinds.

    sd x sqrt(n + n2/m), for n days whose level is the mean of m, times sqrt((1 + r) / (1 - r)) for days that are alike
    by r to the day before (an AR(1) process).
    """
    last = slice(max(len(value) - home_limits()["usual_days_back"], 0), None)
    near, known, kind = value[last], sure[last], rest[last]
    left = np.zeros(len(near))
    for wanted in (False, True):
        like = known & (kind == wanted)
        if like.any():
            left[like] = near[like] - near[like].mean()
    behind = int(known.sum())
    square = float((left[known] ** 2).sum())
    if square == 0:
        return 0.0
    pairs = known[1:] & known[:-1]
    alike = min(max(float((left[1:] * left[:-1])[pairs].sum()) / square, 0.0), MOST_ALIKE)
    spread = np.sqrt(square / max(behind - 2, 1) * (count + count**2 / behind) * (1 + alike) / (1 - alike))
    return EIGHT_TENTHS * float(spread)


def _sum(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask) -> float | None:
    """Add up the means of the days' kinds."""
    limits = home_limits()
    if int(sure.sum()) < limits["forecast_days_behind"]:
        return None
    last = slice(max(len(value) - limits["usual_days_back"], 0), None)
    near, known, kind = value[last], sure[last], rest[last]
    if not known.any():
        return None
    mean = float(near[known].mean())
    total = 0.0
    for wanted in (False, True):
        days = int((rest_ahead == wanted).sum())
        like = known & (kind == wanted)
        total += days * (float(near[like].mean()) if like.any() else mean)
    return total
