"""Facilities with a service: what an hour costs in which the service was there, by the limits of the facility's class.

    kWh per comfortable, clean hour = energy used in the judged steps / hours of them that are comfortable and clean

A step (the longest interval of the facility's meters and readings) is judged where its energy and every reading that
the class limits are known, measured or estimated; it is comfortable where every reading that decides that lies in its
band, by the mean over the step, and clean likewise. Steps that cannot be judged are in neither number and lower the
coverage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from quintet.terms.amount import Ints
from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US
from quintet.terms.unit import units

from .dated import latest_day, number
from .grid import Amounts, Mask

DECIDES = ("comfortable", "clean")
CERTAINTIES = ("S", "V", "M", "A")
LIMIT_KEYS = {"commodity", "unit", "decides", "source", "date", "certainty"}


@dataclass(frozen=True, slots=True)
class Limit:
    """The band of one reading, in `unit` (a rate: the state itself); None where it has no such end."""

    reading: str
    commodity: str
    unit: str
    low: Fraction | None
    high: Fraction | None
    decides: str
    source: str
    date: str
    certainty: str


@dataclass(frozen=True, slots=True)
class FacilityClass:
    """What facilities of one kind are judged by; `occupancy` names the reading that counts people, or is empty."""

    code: str
    name_en: str
    name_ko: str
    occupancy: str
    limits: tuple[Limit, ...]


def parse_classes(table: Mapping[str, Any]) -> dict[str, FacilityClass]:
    """Build classes from parsed TOML; a limit without date or source does not load."""
    out: dict[str, FacilityClass] = {}
    for code, row in table.items():
        place = f"facility class {code}"
        check_keys(row, required={"name_en", "name_ko", "limit"}, optional={"occupancy"}, place=place)
        if not isinstance(row["limit"], Mapping) or not row["limit"]:
            raise BadInput("limits nothing: every hour would be good.", code="bad_row", place=place)
        limits = tuple(_limit(name, dict(one), f"{place}, limit {name}") for name, one in row["limit"].items())
        out[code] = FacilityClass(code, row["name_en"], row["name_ko"], row.get("occupancy", ""), limits)
    return out


def _limit(name: str, row: dict[str, Any], place: str) -> Limit:
    check_keys(row, required=LIMIT_KEYS, optional={"low", "high"}, place=place)
    low, high = (_bound(row[end], place) if end in row else None for end in ("low", "high"))
    latest_day(row["date"], place)
    fine = row["decides"] in DECIDES and row["certainty"] in CERTAINTIES and str(row["source"]).strip()
    unit = units().get(row["unit"])
    if not fine or unit is None or not unit.rate or (low is None and high is None):
        raise BadInput(
            "wants a band in the unit of a state, what it decides, a source and a certainty mark.",
            code="bad_row",
            place=place,
        )
    if low is not None and high is not None and low > high:
        raise BadInput("its band is empty.", code="bad_row", place=place)
    return Limit(
        name, row["commodity"], row["unit"], low, high, row["decides"], row["source"], row["date"], row["certainty"]
    )


def _bound(text: Any, place: str) -> Fraction:
    """Read an end of a band, which may lie below zero (frost)."""
    below = isinstance(text, str) and text.startswith("-")
    return -number(text[1:], place) if below else number(text, place)


@cache
def facility_classes() -> Mapping[str, FacilityClass]:
    """Give the shipped classes."""
    return MappingProxyType(parse_classes(read_toml("quintet.ledger", "facilities.toml")["class"]))


def classes_with(own: Mapping[str, Any]) -> Mapping[str, FacilityClass]:
    """Give the shipped classes with a city's own on top; raises BadInput for a row that does not load."""
    return {**facility_classes(), **parse_classes(own)}


@dataclass(frozen=True, slots=True)
class Read:
    """One reading of a facility by step: the state times hours in sub-units, whether it is known, and estimated."""

    reading: str
    value: Amounts
    known: Mask
    estimated: Mask | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What a facility did in one period, in exact hours and kWh; None where nothing can be said.

    `hours` are those in which it stood, `judged` those that could be judged, `estimated` those of them in which any of
    what they are judged by was estimated in part; `energy_kwh` is of the judged ones.
    """

    hours: Fraction
    judged: Fraction
    estimated: Fraction
    comfortable: Fraction
    clean: Fraction
    good: Fraction
    person_hours: Fraction | None
    energy_kwh: Fraction
    kwh_per_good_hour: Fraction | None
    reason: str | None


def fine_steps(limit: Limit, value: Amounts, step_us: Ints) -> Mask:
    """Tell in which steps the mean of a state lies in its band: the state times hours against the band times hours."""
    ratio = units()[limit.unit].ratio
    out = np.ones(len(step_us), np.bool_)
    for end, above in ((limit.low, True), (limit.high, False)):
        if end is None:
            continue
        bound = ratio * end / HOUR_US
        left = np.asarray(value, dtype=object) * bound.denominator
        right = step_us.astype(object) * bound.numerator
        out &= np.asarray(left >= right if above else left <= right, np.bool_)
    return out


def service(
    klass: FacilityClass,
    energy_kwh: Sequence[Fraction],
    known: Mask,
    reads: Sequence[Read],
    step_us: Ints,
    stands: Mask,
    estimated: Mask | None = None,
) -> Service:
    """Judge one period by its steps; `stands` tells in which the facility stood, `estimated` where its energy was."""
    guessed = np.zeros(len(step_us), np.bool_) if estimated is None else estimated
    judged, words = known & stands, {word: np.ones(len(step_us), np.bool_) for word in DECIDES}
    lacking = [limit.reading for limit in klass.limits if not any(read.reading == limit.reading for read in reads)]
    for limit in klass.limits:
        for read in (one for one in reads if one.reading == limit.reading):
            judged &= read.known
            guessed = guessed if read.estimated is None else guessed | read.estimated
            words[limit.decides] &= fine_steps(limit, read.value, step_us)
    if lacking:
        judged[:] = False
    good = judged & words["comfortable"] & words["clean"]
    energy = sum((energy_kwh[at] for at in np.flatnonzero(judged).tolist()), Fraction(0))
    hours = {name: _hours(step_us, mask) for name, mask in (
        ("hours", stands), ("judged", judged), ("estimated", judged & guessed),
        ("comfortable", judged & words["comfortable"]),
        ("clean", judged & words["clean"]), ("good", good),
    )}  # fmt: skip
    reason = None
    if lacking:
        reason = f"no reading of {', '.join(lacking)} is named"
    elif not judged.any():
        reason = "in no step is everything known that it is judged by"
    elif not hours["good"]:
        reason = "no hour was comfortable and clean"
    people = [read for read in reads if read.reading == klass.occupancy]
    counted = None
    if people:
        total = sum(int(value) for read in people for value in read.value[read.known & judged].tolist())
        counted = Fraction(total) / units()["person_h"].ratio
    ratio = None if reason else energy / hours["good"]
    return Service(**hours, person_hours=counted, energy_kwh=energy, kwh_per_good_hour=ratio, reason=reason)


def _hours(step_us: Ints, mask: Mask) -> Fraction:
    return Fraction(int(step_us[mask].sum()), HOUR_US)
