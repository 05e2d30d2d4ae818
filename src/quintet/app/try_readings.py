"""Rules that are found while readings become intervals, tried: the pipeline's own derivation judges them."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from quintet.pipeline.derive import Channels, Derived, Evidence, derive
from quintet.pipeline.evidence import settle
from quintet.pipeline.registers import rollover_cap
from quintet.pipeline.rows import RawRows
from quintet.terms.errors import UsageError
from quintet.terms.period import grid_phase
from quintet.terms.reading import ValueKind
from quintet.vee.verdict import FAIL, FLAG, PASS, SKIP, Verdict

from .try_input import Numbers, amounts
from .try_register import known_places, register_of, span_of, too_few
from .try_trial import Trial

REGISTER = list(ValueKind).index(ValueKind.REGISTER_CUMULATIVE)
ROLLOVER = "V12_rollover"
FALLS = frozenset(("rollback", "momentary_zero", "excursion", "V12_negative"))
"""What the derivation calls a fall that is no rollover."""
OTHER_BATCHES = frozenset(("V19_corrected",))
"""What shows only when a reading arrives again later."""
MOST_DIGITS = 18
"""Of a reading, in 64 bits."""


def mantissas(readings: list[Decimal]) -> tuple[list[int], list[int]]:
    """Take decimals apart into whole numbers and powers of ten."""
    parts = [(reading, reading.as_tuple().exponent) for reading in readings]
    powers = [power if isinstance(power, int) else 0 for _, power in parts]
    whole = [int(reading.scaleb(-power)) for (reading, _), power in zip(parts, powers, strict=True)]
    for place, number in enumerate(whole, start=1):
        if abs(number) >= 10**MOST_DIGITS:
            raise UsageError(
                f"has more than {MOST_DIGITS} digits.",
                code="too_large",
                place=f"--register, reading {place}",
                remedy="Give what a meter shows.",
            )
    return whole, powers


def derived(trial: Trial, readings: Numbers) -> Derived:
    """Derive intervals from the readings of one register, an interval apart from the start on; None is missing."""
    places = known_places(readings)
    whole, powers = mantissas([reading for reading in readings if reading is not None])
    none = np.zeros(len(places), np.int32)
    at = trial.start_us + trial.cadence_us * np.array(places, np.int64)
    evidence = Evidence(
        none,
        at,
        np.array(whole, np.int64),
        np.array(powers, np.int8),
        none.astype(np.int16),
        np.zeros(len(places), np.bool_),
    )
    return derive(evidence, channels_of(trial))


def channels_of(trial: Trial) -> Channels:
    """Describe the register."""
    return Channels(
        kind=np.array([REGISTER], np.uint8),
        cadence_us=np.array([trial.cadence_us], np.int64),
        phase_us=np.array([grid_phase(trial.tz, trial.cadence_us)], np.int64),
        tz=[trial.asked.tz],
        dials=np.array([-1 if trial.asked.dials is None else trial.asked.dials], np.int32),
        multiplier=None,
        plate_max_per_hour=np.array([-1 if trial.plate is None else trial.plate], np.int64),
        unit_ratios=[trial.ratio],
        unit_rates=[False],
    )


def named_at(trial: Trial, found: Derived, rules: frozenset[str]) -> list[int]:
    """Give the places of readings at which the derivation named one of some rules."""
    at = found.findings.at_us[np.isin(found.findings.rule, sorted(rules))]
    return sorted({int(place) for place in (at - trial.start_us) // trial.cadence_us})


def rollover(trial: Trial) -> Verdict:
    """V12 on a register: a fall is a rollover (passes, and the difference is completed) or negative (fails).

    The figures are those of the deepest fall, or of the smallest step where nothing fell.
    """
    readings = register_of(trial)
    few = too_few(trial, readings, 2)
    if few is not None:
        return few
    found = derived(trial, readings)
    rolled, fallen = named_at(trial, found, frozenset((ROLLOVER,))), named_at(trial, found, FALLS)
    amount = amounts(readings, trial.ratio, trial.unit.code, "--register")
    places = known_places(readings)
    first, last = min(pairwise(places), key=lambda two: (amount[two[1]] or 0) - (amount[two[0]] or 0))
    r1, r2 = amount[first] or 0, amount[last] or 0
    figures: dict[str, tuple[str, Any]] = {
        "r1": ("amount", Fraction(r1)),
        "r2": ("amount", Fraction(r2)),
        "d": ("amount", Fraction(r2 - r1)),
        "rollover": ("text", last in rolled),
    }
    span = span_of(trial)
    if span is not None:
        cap = rollover_cap(-1 if trial.plate is None else trial.plate, (last - first) * trial.cadence_us, span)
        figures |= {"dials": ("count", trial.asked.dials), "span": ("amount", Fraction(span))}
        figures |= {"cap": ("amount", Fraction(cap))}
        if last in rolled:
            figures["use"] = ("amount", Fraction(r2 - r1 + span))
    return Verdict("V12", FAIL if fallen else PASS, figures, fallen)


def named(trial: Trial) -> Verdict:
    """Any other rule of registers: fails where the derivation names it."""
    code = trial.rule.id
    if code in OTHER_BATCHES:
        return Verdict(code, SKIP, {}, [], f"{code} compares batches that arrive one after another; a try is one.")
    readings = register_of(trial)
    few = too_few(trial, readings, 2)
    if few is not None:
        return few
    at = named_at(trial, derived(trial, readings), frozenset((code,)))
    count = len(known_places(readings))
    return Verdict(code, FAIL if at else PASS, {"readings": ("count", count), "hits": ("count", len(at))}, at)


def versions(trial: Trial) -> Verdict:
    """V19: the values are readings of one moment in one batch: equal ones are counted, different ones flagged.

    The one that counts is given: of lower magnitude, then the lower one.
    """
    given = trial.values()
    values = [one for one in given if one is not None]
    if not values:
        return Verdict("V19", SKIP, {}, [], "V19 needs readings of one moment in --values; there is none.")
    count = len(values)
    none = np.zeros(count, np.int32)
    rows = RawRows(
        none,
        np.full(count, trial.start_us, np.int64),
        np.array(values, np.int64),
        none.astype(np.int8),
        none.astype(np.int16),
    )
    settled = settle(rows, np.ones(count, np.int32), [Fraction(1)])
    conflict = bool(settled.doubtful[0])
    figures: dict[str, tuple[str, Any]] = {
        "readings": ("count", count),
        "duplicates": ("count", count - len(set(values))),
        "counts": ("amount", Fraction(int(settled.rows.mantissa[0]))),
    }
    at = [place for place, value in enumerate(given) if value not in (None, int(settled.rows.mantissa[0]))]
    return Verdict("V19", FLAG if conflict else PASS, figures, at)


READINGS: dict[str, Callable[[Trial], Verdict]] = {
    "V12": rollover,
    "V12_rollover": rollover,
    "V19": versions,
    "V19_duplicate": versions,
    "V19_conflict": versions,
}


def try_readings(trial: Trial) -> Verdict:
    """Try a rule of readings."""
    return READINGS.get(trial.code, named)(trial)
