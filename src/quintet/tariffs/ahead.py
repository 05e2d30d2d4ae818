"""Use of days to come, from the days behind: by like days, or by degree days where temperatures are known.

By like days: each day ahead is the mean of the trusted days of its kind among the last four weeks. The range is the
wider of two: how far the same forecast, done from every earlier day whose following days are known, missed (the middle
eight tenths of the ratios); and how much the sum of so many days varies when they vary as those behind did. Trials
overlap and are few, so that the first alone would be too narrow.

By degree days: use = base + heating x HDD + cooling x CDD + rest, fitted by least squares on the days behind and the
same days a year before (slopes below zero are left out). The days ahead get the degrees that were usual a year before,
and the level of the last four weeks beside the fit. The range holds how days lie about the fit, and how degrees lay
about the usual ones. Nothing is said with too few days behind, and no range with too few trials.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import numbers_of, read_toml

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
RANGE = (0.1, 0.9)
"""The quantiles of past misses between which the range lies."""
EIGHT_TENTHS = 1.2816
"""Standard deviations to either side that hold eight tenths of a normal distribution."""
MOST_ALIKE = 0.9
"""Above it so few days cannot tell a trend from likeness."""
NAMES = ("days_behind", "trials_needed", "near_days", "fitted_days", "level_days")


@cache
def limits() -> dict[str, int]:
    """Give the limits of ahead.toml."""
    return numbers_of(read_toml("quintet.tariffs", "ahead.toml"), NAMES, "ahead.toml")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Use of the days ahead, in sub-units; `low` and `high` are None without enough behind them.

    `trials` counts what the range is made of: past forecasts, or the days that were fitted to degrees.
    """

    use: float
    low: float | None
    high: float | None
    trials: int


@dataclass(frozen=True, slots=True)
class Past:
    """Days of use: sub-units, whether all of a day was measured, and whether it was a day of rest."""

    value: Values
    sure: Mask
    rest: Mask


@dataclass(frozen=True, slots=True)
class Degrees:
    """Degree days by day [days, kinds]; NaN: not known. `before` are days about the same a year ago (may be none).

    `usual` are those that a year ago lead to expect: of the days behind, then of those ahead; `then` are those that
    were, of the same days.
    """

    behind: Values
    usual: Values
    then: Values
    before: Values
    past: Past


def ahead_of(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask, degrees: Degrees | None = None) -> Ahead | None:
    """Forecast the days ahead (True: a day of rest) from the days behind; None where too few of those are known."""
    if int(sure.sum()) < limits()["days_behind"]:
        return None
    behind = Past(value, sure, rest)
    found = None if degrees is None else _by_degrees(behind, rest_ahead, degrees)
    return found or _by_like_days(behind, rest_ahead)


def _by_like_days(behind: Past, rest_ahead: Mask) -> Ahead | None:
    value, sure, rest = behind.value, behind.sure, behind.rest
    middle = _sum(value, sure, rest, rest_ahead)
    if middle is None:
        return None
    count = len(rest_ahead)
    ratios: list[float] = []
    for origin in range(limits()["days_behind"], len(value) - count + 1):
        ahead = slice(origin, origin + count)
        if not sure[ahead].all():
            continue
        told = _sum(value[:origin], sure[:origin], rest[:origin], rest[ahead])
        if told:
            ratios.append(float(value[ahead].sum()) / told)
    if len(ratios) < limits()["trials_needed"]:
        return Ahead(middle, None, None, len(ratios))
    low, high = (float(one) for one in np.quantile(ratios, RANGE))
    apart = EIGHT_TENTHS * float(np.sqrt(_apart(*_about_kinds(value, sure, rest), count)))
    return Ahead(middle, max(min(middle * low, middle - apart), 0.0), max(middle * high, middle + apart), len(ratios))


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


def _alike(left: Values, known: Mask) -> float:
    """Say how like the day before a day is, 0 to 1: the first autocorrelation."""
    square = float((left[known] ** 2).sum())
    pairs = known[1:] & known[:-1]
    return min(max(float((left[1:] * left[:-1])[pairs].sum()) / square, 0.0), MOST_ALIKE) if square else 0.0


def _apart(left: Values, known: Mask, count: int) -> float:
    """Give the variance of a sum of so many days whose level is the mean of those known.

    sd2 x (n + n2/m), for n days whose level is the mean of m, times (1 + r) / (1 - r) for days that are alike by r to
    the day before (an AR(1) process).
    """
    behind = int(known.sum())
    square = float((left[known] ** 2).sum())
    if behind == 0 or square == 0:
        return 0.0
    alike = _alike(left, known)
    return square / max(behind - 2, 1) * (count + count**2 / behind) * (1 + alike) / (1 - alike)


def _sum(value: Values, sure: Mask, rest: Mask, rest_ahead: Mask) -> float | None:
    """Add up the means of the days' kinds."""
    if int(sure.sum()) < limits()["days_behind"]:
        return None
    last = slice(max(len(value) - limits()["near_days"], 0), None)
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


def _by_degrees(behind: Past, rest_ahead: Mask, degrees: Degrees) -> Ahead | None:
    """Forecast by a fit of use to degrees; None where too little is known, or degrees explain nothing."""
    count, near = len(rest_ahead), limits()["near_days"]
    told = np.asarray(~np.isnan(degrees.behind).any(axis=1), np.bool_)
    now, then = behind.sure & told, degrees.past.sure & ~np.isnan(degrees.before).any(axis=1)
    usual = degrees.usual[len(behind.value) :]
    recent = now & (np.arange(len(now)) >= len(now) - near)
    if int(now.sum() + then.sum()) < limits()["fitted_days"] or np.isnan(usual).any() or not recent.any():
        return None
    slopes = _fit(
        np.concatenate([degrees.behind[now], degrees.before[then]]),
        np.concatenate([behind.rest[now], degrees.past.rest[then]]),
        np.concatenate([behind.value[now], degrees.past.value[then]]),
    )
    if slopes is None:
        return None
    fitted = _told(slopes, degrees.behind[recent], behind.rest[recent])
    coming = _told(slopes, usual, rest_ahead)
    weight = limits()["level_days"] * (fitted.sum() + coming.sum()) / (len(fitted) + count)
    if weight == 0:
        return None
    level = float((behind.value[recent].sum() + weight) / (fitted.sum() + weight))
    middle = level * float(coming.sum())
    left = np.zeros(len(now))
    left[recent] = behind.value[recent] - level * fitted
    spread = _apart(_centred(left, recent), recent, count)
    if then.any():
        other = np.where(then, degrees.past.value - _told(slopes, np.nan_to_num(degrees.before), degrees.past.rest), 0)
        spread = max(spread, level**2 * _apart(_centred(other, then), then, count))
    spread += _weather(slopes, degrees, told, count) * level**2
    apart = EIGHT_TENTHS * float(np.sqrt(spread))
    return Ahead(middle, max(middle - apart, 0.0), middle + apart, int(now.sum() + then.sum()))


def _centred(left: Values, known: Mask) -> Values:
    return np.where(known, left - left[known].mean(), 0)


def _columns(degrees: Values, rest: Mask) -> Values:
    return np.column_stack([np.ones(len(rest)), rest.astype(np.float64), degrees])


def _fit(degrees: Values, rest: Mask, use: Values) -> Values | None:
    """Fit use to base, days of rest and degrees; a slope below zero is left out. None: no degrees are left."""
    x = _columns(degrees, rest)
    kept = np.concatenate([[True, bool(rest.any() and not rest.all())], np.ptp(degrees, axis=0) > 0])
    while kept[2:].any():
        out = np.zeros(x.shape[1])
        out[kept] = np.linalg.lstsq(x[:, kept], use, rcond=None)[0]
        wrong = kept & (out < 0) & (np.arange(len(out)) >= 2)
        if not wrong.any():
            return out
        kept &= ~wrong
    return None


def _told(slopes: Values, degrees: Values, rest: Mask) -> Values:
    """Give the fit's use of days; never below zero."""
    return np.maximum(_columns(degrees, rest) @ slopes, 0)


def _weather(slopes: Values, degrees: Degrees, told: Mask, count: int) -> float:
    """Give the variance of the use of so many days that weather brings.

    Degrees lie about the usual ones as they lately did, or as a year ago in the days ahead, whichever is more: before a
    season begins they lie still.
    """
    total, behind = 0.0, len(degrees.behind)
    for kind, slope in enumerate(slopes[2:]):
        lately = degrees.behind[:, kind] - degrees.usual[:behind, kind]
        year_ago = (degrees.then - degrees.usual)[behind:, kind]
        total += slope**2 * max(_sum_variance(lately[told], count), _sum_variance(year_ago, count))
    return total


def _sum_variance(off: Values, count: int) -> float:
    """Give the variance of the sum of so many days that lie about a known level as these do."""
    known = ~np.isnan(off)
    if not known.any():
        return 0.0
    alike = _alike(np.where(known, off, 0), known)
    return float((off[known] ** 2).mean()) * count * (1 + alike) / (1 - alike)


def usual_degrees(before: Values, half: int) -> Values:
    """Smooth degrees of days a year ago over `half` days to either side (NaN: too few known); shorter by both ends."""
    windows = np.lib.stride_tricks.sliding_window_view(before, 2 * half + 1, axis=0)
    known = ~np.isnan(windows)
    count = known.sum(axis=-1)
    mean = np.where(known, windows, 0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count > half, mean, np.nan)
