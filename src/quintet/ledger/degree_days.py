"""Weather by degree days: what a day's use owes to heating and cooling, fitted by least squares on days.

`use = base + heating * HDD + cooling * CDD` (the variable-degree-day idea of PRISM, Fels 1986, with stated base
temperatures). A model of a city's own past: it says what weather explains, and nothing of days to come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import CERTAINTIES, check_keys, numbers_of, read_toml
from quintet.terms.errors import BadInput

from .dated import latest_day, number

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
FILE = "degree_days.toml"
LIMITS = ("min_days", "heard_pct", "known_pct", "estimated_pct")
BASE_KEYS = {"heating_c", "cooling_c", "published_on", "source", "certainty"}
PERCENT = 100
FLAT = 1e-12
"""A sum of squares below this share of the days' own size is no spread at all."""


@dataclass(frozen=True, slots=True)
class Bases:
    """The temperatures from which degrees count, in degC, with their source."""

    heating_c: float
    cooling_c: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Fit:
    """One carrier's model: sub-units a day (`base`) and a degree day; standard errors in the same units.

    A regressor that was zero on all days is left out: its coefficient is 0 and its error None. `r2_unseen` is that of
    days each foretold by a fit without it (PRESS); errors assume independent days, which days of a season are not.
    """

    base: float
    heating: float
    cooling: float
    base_error: float
    heating_error: float | None
    cooling_error: float | None
    r2: float
    r2_unseen: float
    days: int


@dataclass(frozen=True, slots=True)
class Degrees:
    """Degree days of a period: per day on average over the days that have a mean temperature, of all its days."""

    heating: float
    cooling: float
    known_days: int
    days: int


@cache
def bases() -> Bases:
    """Give the base temperatures; a row without date or source does not load."""
    table = read_toml("quintet.ledger", FILE)
    row = table["base"]
    check_keys(row, required=BASE_KEYS, optional=set(), place=f"{FILE} [base]")
    latest_day(row["published_on"], FILE)
    if not str(row["source"]).strip() or row["certainty"] not in CERTAINTIES:
        raise BadInput("wants a source and a certainty mark.", code="bad_row", place=FILE)
    low, high = (float(number(row[name], FILE)) for name in ("heating_c", "cooling_c"))
    return Bases(low, high, row["source"], row["certainty"])


@cache
def limits() -> Mapping[str, int]:
    """Give the limits by name."""
    return numbers_of({"limit": read_toml("quintet.ledger", FILE)["limit"]}, LIMITS, FILE)


def day_means(start_us: Ints, minutes: Ints, temp_c: Floats, edges_us: Ints) -> Floats:
    """Give each day's mean temperature (degC) from readings; NaN where the station told too little of the day."""
    count = len(edges_us) - 1
    day = np.searchsorted(edges_us, start_us, side="right") - 1
    inside = (day >= 0) & (day < count)
    heard = np.bincount(day[inside], minutes[inside], count)
    total = np.bincount(day[inside], (minutes * temp_c)[inside], count)
    whole = np.diff(edges_us) / 60e6
    enough = heard * PERCENT >= whole * limits()["heard_pct"]
    return np.where(enough, total / np.maximum(heard, 1), np.nan)


def degree_days(means_c: Floats) -> tuple[Floats, Floats]:
    """Give heating and cooling degree days of days; NaN stays NaN."""
    base = bases()
    return np.maximum(base.heating_c - means_c, 0), np.maximum(means_c - base.cooling_c, 0)


def degrees_of(means_c: Floats) -> Degrees | str:
    """Give a period's degree days per day, or say why not: too many days without a mean temperature."""
    known = ~np.isnan(means_c)
    count, days = int(known.sum()), len(means_c)
    if count == 0:
        return "no outdoor temperature is there"
    if count * PERCENT < days * limits()["known_pct"]:
        return f"the outdoor temperature is known on {count} of {days} days only"
    heating, cooling = degree_days(means_c[known])
    return Degrees(float(heating.mean()), float(cooling.mean()), count, days)


def fit(use: Floats, means_c: Floats, known_share: Floats, estimated_share: Floats) -> Fit | str:
    """Fit a carrier's use by day (sub-units), or say why that is refused.

    Days are used where weather is known, the known share is high enough (their use is scaled to the whole by it) and
    little of it is estimated. A fit that foretells unseen days worse than their mean would is refused.
    """
    bound = limits()
    good = (
        ~np.isnan(means_c) & (known_share * PERCENT >= bound["known_pct"])
        & (estimated_share * PERCENT <= bound["estimated_pct"])
    )  # fmt: skip
    count = int(good.sum())
    if count < bound["min_days"]:
        return f"{count} days have weather and use well known; {bound['min_days']} are needed"
    y = use[good] / known_share[good]
    heating, cooling = degree_days(means_c[good])
    kept = [bool(np.ptp(one) > 0) for one in (heating, cooling)]
    if not any(kept):
        return "heating and cooling degrees are the same on all days"
    columns = [np.ones(count), *(one for one, keep in zip((heating, cooling), kept, strict=True) if keep)]
    return _fitted(np.column_stack(columns), y, kept)


def _fitted(x: Floats, y: Floats, kept: list[bool]) -> Fit | str:
    """Solve by least squares (QR); R2 within, and by leaving each day out (residual / (1 - leverage))."""
    count, width = x.shape
    spread = float(((y - y.mean()) ** 2).sum())
    if spread <= FLAT * float((y**2).sum()):
        return "the use is the same on all days"
    q, r = np.linalg.qr(x)
    if np.linalg.matrix_rank(x) < width:
        return "heating and cooling cannot be told apart on these days"
    found = np.linalg.solve(r, q.T @ y)
    left = y - x @ found
    leverage = (q**2).sum(axis=1)
    if (leverage >= 1 - 1e-9).any():
        return "one day alone decides the fit"
    # what a mean without the day itself would miss it by
    by_mean = float((((y - y.mean()) * count / (count - 1)) ** 2).sum())
    unseen = 1 - float(((left / (1 - leverage)) ** 2).sum()) / by_mean
    if unseen <= 0:
        return f"degree days foretell unseen days worse than their mean does (R2 {unseen:.3f})"
    inverse = np.linalg.inv(r)
    errors = np.sqrt((left @ left) / (count - width) * (inverse**2).sum(axis=1))
    slopes, wrong = iter(found[1:]), iter(errors[1:])
    (heating, heating_error), (cooling, cooling_error) = (
        (float(next(slopes)), float(next(wrong))) if keep else (0.0, None) for keep in kept
    )
    r2 = 1 - float(left @ left) / spread
    return Fit(
        float(found[0]), heating, cooling, float(errors[0]), heating_error, cooling_error, r2, unseen, count
    )  # fmt: skip


def weather_part(model: Fit, base: Degrees, other: Degrees) -> int:
    """Give what of a period's use (sub-units) is owed to other degree days a day than the base's, by the model."""
    extra = model.heating * (other.heating - base.heating) + model.cooling * (other.cooling - base.cooling)
    return round(extra * other.days)
