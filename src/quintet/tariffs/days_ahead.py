"""What is known of days of use, what is forecast of those ahead, and how much the sum of such days varies."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import numbers_of, read_toml

Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
EIGHT_TENTHS = 1.2816
"""Standard deviations to either side that hold eight tenths of a normal distribution."""
MOST_ALIKE = 0.9
"""Above it so few days cannot tell a trend from likeness."""
NAMES = (
    *("days_behind", "trials_needed", "near_days", "fitted_days", "level_days"),
    *("heating_from_c", "heating_to_c", "heating_step_c", "cooling_from_c", "cooling_to_c", "cooling_step_c"),
)


@cache
def limits() -> dict[str, int]:
    """Give the limits of ahead.toml."""
    return numbers_of(read_toml("quintet.tariffs", "ahead.toml"), NAMES, "ahead.toml")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Use of the days ahead, in sub-units; `low` and `high` are None without enough behind them.

    `trials` counts what the range is made of: past forecasts, or the days that were fitted to degrees. `by_day` is what
    is expected of each day. Where weather was reckoned with, `own` is the variance that is the home's own, and `pull`
    says how the use follows each of the independent parts of which the weather ahead is made (None: not known).
    """

    use: float
    low: float | None
    high: float | None
    trials: int
    by_day: tuple[float, ...] = ()
    own: float = 0.0
    pull: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Days of use: sub-units, whether all of a day was measured, and whether it was a day of rest."""

    value: Values
    sure: Mask
    rest: Mask


def alike(left: Values, known: Mask) -> float:
    """Say how like the day before a day is, 0 to 1: the first autocorrelation."""
    square = float((left[known] ** 2).sum())
    pairs = known[1:] & known[:-1]
    return min(max(float((left[1:] * left[:-1])[pairs].sum()) / square, 0.0), MOST_ALIKE) if square else 0.0


def lasting(left: Values, known: Mask) -> float:
    """Give by how much likeness widens a sum of days: (1 + r) / (1 - r), of an AR(1) process."""
    found = alike(left, known)
    return (1 + found) / (1 - found)


def apart(left: Values, known: Mask, count: int) -> float:
    """Give the variance of a sum of so many days whose level is the mean of those known.

    sd2 x (n + n2/m), for n days whose level is the mean of m, times (1 + r) / (1 - r) for days that are alike by r to
    the day before (an AR(1) process).
    """
    behind = int(known.sum())
    square = float((left[known] ** 2).sum())
    if behind == 0 or square == 0:
        return 0.0
    return square / max(behind - 2, 1) * (count + count**2 / behind) * lasting(left, known)


def missed(left: Values, known: Mask, count: int) -> float:
    """Give the mean square by which near days' level missed the sum of so many days after them; 0: too few trials.

    A level that wanders is not seen in how days lie about their own mean, only in such trials.
    """
    near, origins = limits()["near_days"], np.arange(limits()["near_days"], len(left) - count + 1)
    if len(origins) < limits()["trials_needed"]:
        return 0.0
    total = np.concatenate([[0.0], np.cumsum(np.where(known, left, 0))])
    days = np.concatenate([[0], np.cumsum(known)])
    behind, ahead = days[origins] - days[origins - near], days[origins + count] - days[origins]
    good = (behind >= limits()["days_behind"]) & (2 * ahead >= count)
    if int(good.sum()) < limits()["trials_needed"]:
        return 0.0
    at = origins[good]
    came, level = (total[at + count] - total[at]) / ahead[good], (total[at] - total[at - near]) / behind[good]
    return float((((came - level) * count) ** 2).mean())
