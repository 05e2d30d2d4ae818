"""Use of days to come by like days: each is the mean of the trusted days of its kind among the last four weeks.

The range is the wider of two: how far the same forecast, done from every earlier day whose following days are known,
missed (the middle eight tenths of the ratios); and how much the sum of so many days varies when they vary as those
behind did. Trials overlap and are few, so that the first alone would be too narrow. No range with too few trials.
"""

import numpy as np

from .days_ahead import EIGHT_TENTHS, Ahead, Mask, Past, Values, apart, limits

RANGE = (0.1, 0.9)
"""The quantiles of past misses between which the range lies."""


def by_like_days(behind: Past, rest_ahead: Mask) -> Ahead | None:
    """Forecast the days ahead; None where too few of those behind are known."""
    value, sure, rest = behind.value, behind.sure, behind.rest
    days = _days(value, sure, rest, rest_ahead)
    if days is None:
        return None
    count, middle = len(rest_ahead), float(days.sum())
    ratios: list[float] = []
    for origin in range(limits()["days_behind"], len(value) - count + 1):
        ahead = slice(origin, origin + count)
        if not sure[ahead].all():
            continue
        told = _days(value[:origin], sure[:origin], rest[:origin], rest[ahead])
        if told is not None and told.any():
            ratios.append(float(value[ahead].sum() / told.sum()))
    by_day = tuple(float(one) for one in days)
    if len(ratios) < limits()["trials_needed"]:
        return Ahead(middle, None, None, len(ratios), by_day)
    low, high = (float(one) for one in np.quantile(ratios, RANGE))
    off = EIGHT_TENTHS * float(np.sqrt(apart(*_about_kinds(value, sure, rest), count)))
    return Ahead(
        middle, max(min(middle * low, middle - off), 0.0), max(middle * high, middle + off), len(ratios), by_day
    )


def _about_kinds(value: Values, sure: Mask, rest: Mask) -> tuple[Values, Mask]:
    """Give how far each of the last days lay from the mean of its kind, and which of them count."""
    last = slice(max(len(value) - limits()["near_days"], 0), None)
    near, known, kind = value[last], sure[last], rest[last]
    left = np.zeros(len(near))
    for wanted in (False, True):
        like = known & (kind == wanted)
        if like.any():
            left[like] = near[like] - near[like].mean()
    return left, known


def _days(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask) -> Values | None:
    """Give each day the mean of its kind."""
    if int(sure.sum()) < limits()["days_behind"]:
        return None
    last = slice(max(len(value) - limits()["near_days"], 0), None)
    near, known, kind = value[last], sure[last], rest[last]
    if not known.any():
        return None
    mean = float(near[known].mean())
    work, idle = (
        float(near[like].mean()) if like.any() else mean
        for like in (known & (kind == wanted) for wanted in (False, True))
    )
    return np.where(rest_ahead, idle, work)
