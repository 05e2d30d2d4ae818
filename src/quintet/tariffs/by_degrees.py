"""Use of days to come by degree days: use = base + heating x HDD + cooling x CDD + days of rest.

Fitted by least squares on the days behind and the same days a year before; slopes below zero are left out. Degrees
count from the temperatures that explain a home's days best (variable bases, as PRISM has them: Fels 1986). The days
ahead get the degrees to expect of the weather ahead, and the level of the last four weeks beside the fit.

The range holds how days lie about the fit, with a level that is known of a few days only (by Student's t), or how far
such a level missed a year ago, whichever is more; how sure the slopes are, as far as the days ahead differ from those
of which the level is known; and the weather, by the slopes.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from .days_ahead import EIGHT_TENTHS, Ahead, Mask, Past, Values, apart, lasting, limits, missed
from .outdoor import Coming

T_TERMS = ((EIGHT_TENTHS**2 + 1) / 4, (5 * EIGHT_TENTHS**4 + 16 * EIGHT_TENTHS**2 + 3) / 96)
"""Student's t over the normal's quantile, in powers of one over the degrees of freedom (Cornish and Fisher)."""
LEAST_FREE = 3
"""Degrees of freedom of the level at least: with fewer a range says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Degrees:
    """Mean outdoor temperatures by day, degC (NaN: not known): of the days behind, and what to expect of those ahead.

    `before` are those of days about the same a year ago (may be none), `past` is what was used on them.
    """

    behind: Values
    ahead: Coming
    before: Values
    past: Past


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Sub-units a day (base), more on a day of rest, a heating and a cooling degree; `inverse` is that of X'X.

    `heating_c` and `cooling_c` are the temperatures from which degrees count; `kept` are the columns that were fitted.
    """

    slopes: Values
    heating_c: float
    cooling_c: float
    inverse: Values
    kept: Mask
    square: float

    def columns(self, temps: Values, rest: Mask) -> Values:
        """Give what a day's use is made of, [days, 4]."""
        return _columns(temps, rest, self.heating_c, self.cooling_c)

    def told(self, columns: Values) -> Values:
        """Give the fit's use of days; never below zero."""
        return np.maximum(columns @ self.slopes, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over the days: of all columns that may be fitted with each other, with the use, and of the use squared.

    The columns are base, rest, degrees from each heating base, then from each cooling base; `moves`: not always alike.
    """

    squares: Values
    products: Values
    use: float
    moves: Mask


def by_degrees(behind: Past, rest_ahead: Mask, degrees: Degrees) -> Ahead | None:
    """Forecast by a fit of use to degrees; None where too little is known, or degrees explain nothing."""
    count, near = len(rest_ahead), limits()["near_days"]
    now, then = behind.sure & ~np.isnan(degrees.behind), degrees.past.sure & ~np.isnan(degrees.before)
    recent = now & (np.arange(len(now)) >= len(now) - near)
    if int(now.sum() + then.sum()) < limits()["fitted_days"] or not recent.any():
        return None
    fit = _best(
        np.concatenate([degrees.behind[now], degrees.before[then]]),
        np.concatenate([behind.rest[now], degrees.past.rest[then]]),
        np.concatenate([behind.value[now], degrees.past.value[then]]),
    )
    if fit is None:
        return None
    lately = fit.columns(degrees.behind[recent], behind.rest[recent])
    (under, colder), (over, warmer) = degrees.ahead.below(fit.heating_c), degrees.ahead.above(fit.cooling_c)
    to_come = np.column_stack([np.ones(count), rest_ahead.astype(np.float64), under, over])
    fitted, coming = fit.told(lately), fit.told(to_come)
    weight = limits()["level_days"] * (fitted.sum() + coming.sum()) / (len(fitted) + count)
    if weight == 0:
        return None
    level = float((behind.value[recent].sum() + weight) / (fitted.sum() + weight))
    left = np.zeros(len(now))
    left[recent] = behind.value[recent] - level * fitted
    own = _own(left, recent, level, fit, degrees, then, count)
    own += level**2 * _slopes(
        fit, to_come.sum(axis=0) - count * lately.mean(axis=0), left, recent, len(now) + len(then)
    )
    pull = level * (fit.slopes[3] * warmer - fit.slopes[2] * colder) @ degrees.ahead.root
    off = EIGHT_TENTHS * float(np.sqrt(own + float((pull**2).sum())))
    by_day = level * coming
    middle = float(by_day.sum())
    return Ahead(
        middle, max(middle - off, 0.0), middle + off, int(now.sum() + then.sum()),
        tuple(float(one) for one in by_day), own, tuple(float(one) for one in pull),
    )  # fmt: skip


def _own(left: Values, recent: Mask, level: float, fit: Fit, degrees: Degrees, then: Mask, count: int) -> float:
    """Give the variance of the days' sum about the fit: as lately or as a year ago, whichever is more."""
    centred = _centred(left, recent)
    free = max(float(recent.sum()) / lasting(centred, recent) - 1, LEAST_FREE)
    widened = (1 + T_TERMS[0] / free + T_TERMS[1] / free**2) ** 2
    spread = apart(centred, recent, count)
    if not then.any():
        return spread * widened
    told = fit.told(fit.columns(np.nan_to_num(degrees.before), degrees.past.rest))
    other = np.where(then, degrees.past.value - told, 0)
    spread = max(spread, level**2 * apart(_centred(other, then), then, count))
    return max(spread * widened, level**2 * missed(other, then, count))


def _slopes(fit: Fit, moved: Values, left: Values, recent: Mask, days: int) -> float:
    """Give the variance that unsure slopes bring to days that differ so much from those of which the level is known."""
    kept = moved[fit.kept]
    variance = fit.square / max(days - int(fit.kept.sum()), 1)
    return float(kept @ fit.inverse @ kept) * variance * lasting(_centred(left, recent), recent)


def _centred(left: Values, known: Mask) -> Values:
    return np.where(known, left - left[known].mean(), 0)


def _columns(temps: Values, rest: Mask, heating_c: float, cooling_c: float) -> Values:
    return np.column_stack(
        [
            np.ones(len(rest)),
            rest.astype(np.float64),
            np.maximum(heating_c - temps, 0),
            np.maximum(temps - cooling_c, 0),
        ]
    )


@cache
def _bases(kind: str) -> tuple[float, ...]:
    """Give the temperatures from which a kind of degrees may count."""
    bound = limits()
    low, high, step = (bound[f"{kind}_{name}_c"] for name in ("from", "to", "step"))
    return tuple(float(one) for one in range(low, high + 1, step))


def _best(temps: Values, rest: Mask, use: Values) -> Fit | None:
    """Fit with the bases that explain most: first heating's, then cooling's. None: no degrees are left."""
    heating, cooling = _bases("heating"), _bases("cooling")
    x = np.column_stack(
        [
            np.ones(len(rest)), rest.astype(np.float64),
            *(np.maximum(one - temps, 0) for one in heating), *(np.maximum(temps - one, 0) for one in cooling),
        ]
    )  # fmt: skip
    moves = np.concatenate([[True], np.ptp(x[:, 1:], axis=0) > 0])
    sums = Sums(x.T @ x, x.T @ use, float(use @ use), moves)
    best: Fit | None = None
    middle = len(cooling) // 2
    for at in reversed(range(len(heating))):
        best = _better(best, _fit(sums, at, middle))
    found = len(heating) - 1 if best is None else heating.index(best.heating_c)
    for at in range(len(cooling)):
        if at != middle and moves[2 + len(heating) + at]:
            best = _better(best, _fit(sums, found, at))
    return best


def _better(one: Fit | None, other: Fit | None) -> Fit | None:
    return other if one is None or (other is not None and other.square < one.square) else one


def _fit(sums: Sums, heating: int, cooling: int) -> Fit | None:
    """Fit use to base, days of rest and degrees; a slope below zero is left out. None: no degrees are left."""
    bases = _bases("heating")
    at = np.array([0, 1, 2 + heating, 2 + len(bases) + cooling])
    kept = sums.moves[at]
    while kept[2:].any():
        part = at[kept]
        inverse = np.asarray(np.linalg.pinv(sums.squares[np.ix_(part, part)], hermitian=True), np.float64)
        out = np.zeros(len(at))
        out[kept] = inverse @ sums.products[part]
        wrong = kept & (out < 0) & (np.arange(len(at)) >= 2)
        if not wrong.any():
            square = max(sums.use - float(out[kept] @ sums.products[part]), 0.0)
            return Fit(out, bases[heating], _bases("cooling")[cooling], inverse, kept, square)
        kept = kept & ~wrong
    return None
