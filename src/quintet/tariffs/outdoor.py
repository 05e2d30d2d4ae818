"""Outdoor temperatures of days to come, from this year's days behind and the same days of past years.

What is usual of a day is the mean of the known years, each smoothed over a fortnight. Days lie about it in spells of
some days (an AR(1) process, as the known days tell) and by whole months (what is known of months' means, or published
of them). This year's days behind are off the usual ones by both, and because the known years were off themselves; all
of them are normal, so that the days ahead given those behind are too (Gaussian conditioning; simple kriging).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import CERTAINTIES, check_keys, numbers_of, read_toml
from quintet.terms.errors import BadInput

Values = npt.NDArray[np.float64]
FILE = "outdoor.toml"
NAMES = ("month_years", "month_lasts_days", "smoothed_days", "least_days", "years_read")
ROW = {"value", "published_on", "source", "certainty", "why"}
MONTH = 30
"""Days of a month's mean."""
CURVE = 4
"""Coefficients of a season's course over the days that are known of a year: a cubic."""
GRID = np.arange(0, 0.86, 0.05)
"""How like the day before a day may be: spells die away within a week, what lasts longer is a month's."""


@cache
def limits() -> dict[str, int]:
    """Give the limits of outdoor.toml."""
    return numbers_of({"limit": read_toml("quintet.tariffs", FILE)["limit"]}, NAMES, FILE)


@cache
def month_spread_k() -> float:
    """Give the published spread of a month's mean from year to year; a row without date or source does not load."""
    table = read_toml("quintet.tariffs", FILE)["published"]
    check_keys(table, required={"month_spread_k"}, optional=set(), place=FILE)
    row = table["month_spread_k"]
    check_keys(row, required=ROW, optional=set(), place=f"{FILE} month_spread_k")
    date.fromisoformat(row["published_on"])
    if not str(row["source"]).strip() or row["certainty"] not in CERTAINTIES or not row["value"] > 0:
        raise BadInput("wants a value above zero, a source and a certainty mark.", code="bad_row", place=FILE)
    return float(row["value"])


@dataclass(frozen=True, slots=True, eq=False)
class Coming:
    """Mean temperatures of the days ahead, degC: normal about `mean`, their covariance is `root` @ `root`.T (K)."""

    mean: Values
    root: Values
    spread: Values

    def below(self, base_c: float) -> tuple[Values, Values]:
        """Give each day's expected degrees below a temperature, and how they fall with each degree more (0 to 1)."""
        z = (base_c - self.mean) / self.spread
        share = _normal(z)
        return np.maximum(self.spread * (np.exp(-(z**2) / 2) / sqrt(2 * np.pi) + z * share), 0), share

    def above(self, base_c: float) -> tuple[Values, Values]:
        """Give each day's expected degrees above a temperature, and how they rise with each degree more (0 to 1)."""
        under, share = self.below(base_c)
        return np.maximum(under + self.mean - base_c, 0), 1 - share


def coming(behind: Values, years: Sequence[Values], ahead: int) -> Coming | None:
    """Say what temperatures to expect on the `ahead` days after those behind (NaN: not known).

    `years` are the days of past years [so many to either side of those behind and ahead, smoothed_days each]; one of
    which too little is known does not count. None where none does.
    """
    half = limits()["smoothed_days"]
    count = len(behind) + ahead
    smooth = [one for one in (_smooth(year, half) for year in years) if not np.isnan(one[-ahead:]).any()]
    if not smooth:
        return None
    usual = np.stack(smooth)
    inside = [year[half : half + count] for year in years]
    known = ~np.isnan(usual)
    mean = np.where(known, usual, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    off = behind - np.where(known.any(axis=0), mean, np.nan)[: len(behind)]
    told = np.flatnonzero(~np.isnan(off))
    lasting = _spells([behind, *inside])
    process = _covariance(
        *lasting, _months([*usual, np.concatenate([behind, np.full(ahead, np.nan)])]), count + 2 * half
    )
    kernel = np.convolve(np.ones(2 * half + 1), np.ones(2 * half + 1)) / (2 * half + 1) ** 2
    two_sided = np.concatenate([process[:0:-1], process])
    middle = len(process) - 1
    smoothed = np.convolve(two_sided, kernel, "same")[middle : middle + count]
    lag = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    both = (process[:count] + smoothed / len(smooth))[lag]
    days = np.arange(len(behind), count)
    if len(told) == 0:
        centre, spread = mean[days], both[np.ix_(days, days)]
    else:
        weight = np.linalg.solve(both[np.ix_(told, told)], both[np.ix_(told, days)]).T
        centre = mean[days] + weight @ off[told]
        spread = both[np.ix_(days, days)] - weight @ both[np.ix_(told, days)]
    root = np.asarray(np.linalg.cholesky(spread + np.eye(ahead) * 1e-9 * float(spread.trace()) / ahead), np.float64)
    return Coming(centre, root, np.sqrt(np.diag(spread)))


def _smooth(days: Values, half: int) -> Values:
    """Smooth days over `half` to either side (NaN: too few known); shorter by both ends."""
    windows = np.lib.stride_tricks.sliding_window_view(days, 2 * half + 1)
    known = ~np.isnan(windows)
    count = known.sum(axis=-1)
    mean = np.where(known, windows, 0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count > half, mean, np.nan)


def _spells(runs: Sequence[Values]) -> tuple[float, float]:
    """Give the variance of days about their season's course, and how like the day before a day is (AR(1)).

    A course fitted to so few days takes some of the spells with it: what is left of them is what an AR(1) process would
    leave, and the process whose days would be left as alike is taken.
    """
    square, product, expected = 0.0, 0.0, np.zeros((2, len(GRID)))
    for run in runs:
        known = ~np.isnan(run)
        if known.sum() < limits()["least_days"]:
            continue
        x = _course(len(run))[known]
        left = np.zeros(len(run))
        left[known] = run[known] - x @ np.linalg.lstsq(x, run[known], rcond=None)[0]
        square += float((left**2).sum())
        product += float((left[1:] * left[:-1]).sum())
        expected += _left_over(len(run)) * known.mean()
    if square == 0:
        return month_spread_k() ** 2, 0.0
    at = int(np.argmin(np.abs(expected[1] / expected[0] - product / square)))
    return square / float(expected[0, at]), float(GRID[at])


def _course(days: int) -> Values:
    """Give the columns of a season's course over so many days."""
    return np.asarray(np.polynomial.legendre.legvander(np.linspace(-1, 1, days), CURVE - 1), np.float64)


@lru_cache(maxsize=256)
def _left_over(days: int) -> Values:
    """Give the squares, and the products with the day before, that fitting a course leaves of days of variance 1.

    Both are sums over the days, by how alike the days are [2, GRID].
    """
    basis = np.linalg.qr(_course(days))[0]
    rest = np.eye(days) - basis @ basis.T
    lag = np.abs(np.subtract.outer(np.arange(days), np.arange(days)))
    left = [rest @ alike**lag @ rest for alike in GRID]
    return np.array([[one.trace() for one in left], [np.trace(one, 1) for one in left]])


def _months(years: Sequence[Values]) -> float:
    """Give the variance of a month's mean from year to year, K2: as the known years tell and as is published."""
    square, free = limits()["month_years"] * month_spread_k() ** 2, limits()["month_years"]
    blocks = len(years[0]) // MONTH
    for at in range(blocks):
        means = [one[at * MONTH : (at + 1) * MONTH] for one in years]
        known = np.array([one.mean() for one in means if not np.isnan(one).any()])
        if len(known) > 1:
            square += float(((known - known.mean()) ** 2).sum())
            free += len(known) - 1
    return square / free


def _covariance(days: float, alike: float, months: float, count: int) -> Values:
    """Give the covariance of days so far apart: spells, and what months vary by beyond them."""
    lag = np.arange(count)
    spells = np.asarray(days * alike**lag, np.float64)
    lasting = np.asarray(np.exp(-lag / limits()["month_lasts_days"]), np.float64)
    by_spells, by_months = _of_mean(spells[:MONTH]), _of_mean(lasting[:MONTH])
    return spells + max(months - by_spells, 0.0) / by_months * lasting


def _of_mean(covariance: Values) -> float:
    """Give the variance of the mean of as many days."""
    count = len(covariance)
    weights = 2.0 * (count - np.arange(count))
    weights[0] = count
    return float(weights @ covariance) / count**2


def _normal(z: Values) -> Values:
    """Give the share of a normal distribution below each z (Abramowitz and Stegun 7.1.26, to 1e-7)."""
    x = np.abs(z) / sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = poly * np.exp(-(x**2)) / 2
    return np.where(z > 0, 1 - tail, tail)
