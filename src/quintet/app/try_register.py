"""A register's readings as typed, one interval apart: an empty place keeps its time; differences over a rollover."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US
from quintet.vee.verdict import SKIP, Verdict

from .lazy import load
from .try_input import Numbers, amounts, numbers_of
from .try_trial import Trial, needed

MOST_DIALS = 15
"""A register with more digits exceeds what is kept exactly."""


@dataclass(frozen=True, slots=True)
class Step:
    """The difference of a register between two known readings, by their places; `rolled` where it passed 10^dials."""

    first: int
    last: int
    amount: int
    rolled: bool


def register_of(trial: Trial) -> Numbers:
    """Read the register's readings in order of time; None where one is missing.

    Raises UsageError for dials that no register has, and for a reading that so many dials cannot show.
    """
    readings = numbers_of(needed(trial.asked.register, trial.rule.id, "--register"), "--register")
    dials = trial.asked.dials
    if dials is None:
        return readings
    if not 1 <= dials <= MOST_DIALS:
        raise UsageError(
            f"{dials} is no number of dials.", code="bad_dials", place="--dials", remedy=f"Give 1 to {MOST_DIALS}."
        )
    for place, reading in enumerate(readings, start=1):
        if reading is not None and abs(reading) >= Decimal(10) ** dials:
            raise UsageError(
                f"a register of {dials} dials cannot show {reading}.",
                code="bad_dials",
                place=f"--register, place {place}",
                remedy="Give --dials the digits before the decimal point.",
            )
    return readings


def known_places(readings: Numbers) -> list[int]:
    """Give the places at which there is a reading."""
    return [place for place, reading in enumerate(readings) if reading is not None]


def too_few(trial: Trial, readings: Numbers, least: int) -> Verdict | None:
    """Skip a register with fewer readings than a rule compares."""
    count = len(known_places(readings))
    if count >= least:
        return None
    why = f"{trial.code} needs at least {least} readings in --register; there {'is' if count == 1 else 'are'} {count}."
    return Verdict(trial.code, SKIP, {}, [], why)


def span_of(trial: Trial, times: Fraction = Fraction(1)) -> int | None:
    """Give what a full turn of the dials is worth; None where nobody said how many there are."""
    dials = trial.asked.dials
    return None if dials is None else int(10**dials * trial.ratio * times)


def steps_of(trial: Trial, readings: Numbers, each_us: Fraction, times: Fraction = Fraction(1)) -> list[Step]:
    """Give the differences of neighbouring known readings in sub-units, `each_us` between two places.

    A fall from the last tenth of the dials is a rollover: a full turn is added, where the plate allows so much. Where
    no plate is known nothing bounds it here: these rules compare the difference with something else.
    """
    amount = amounts(readings, trial.ratio * times, trial.unit.code, "--register")
    share = Fraction(100) if trial.asked.dials is None else Fraction(load("derive_limits")().rollover_from_percent)
    span, places, out = span_of(trial, times), known_places(readings), list[Step]()
    for first, last in pairwise(places):
        high, low = amount[first] or 0, amount[last] or 0
        rolled = span is not None and low < high and high * 100 > share * span
        if rolled and span is not None and trial.plate is not None:
            rolled = low - high + span < trial.plate * (last - first) * each_us / HOUR_US
        out.append(Step(first, last, low - high + (span if rolled and span else 0), rolled))
    return out
