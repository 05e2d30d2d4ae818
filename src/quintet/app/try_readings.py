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
from quintet.vee.verdict import FAIL, FLAG, PASS, Verdict

from .try_input import amounts
from .try_trial import Trial, needed, number_of_plate, register_of

REGISTER = list(ValueKind).index(ValueKind.REGISTER_CUMULATIVE)
ROLLOVER = "V12_rollover"
FALLS = frozenset(("rollback", "momentary_zero", "excursion", "V12_negative"))
"""What the derivation calls a fall that is no rollover."""


def mantissas(readings: list[Decimal]) -> tuple[list[int], list[int]]:
    """Take decimals apart into whole numbers and powers of ten."""
    parts = [(reading, reading.as_tuple().exponent) for reading in readings]
    powers = [power if isinstance(power, int) else 0 for _, power in parts]
    whole = [int(reading.scaleb(-power)) for (reading, _), power in zip(parts, powers, strict=True)]
    for place, number in enumerate(whole, start=1):
        if abs(number) >= 10**15:
            raise UsageError("has more digits than any meter.", code="too_large", place=f"--register, place {place}")
    return whole, powers


def derived(trial: Trial, readings: list[Decimal]) -> Derived:
    """Derive intervals from the readings of one register, an interval apart from the start on."""
    whole, powers = mantissas(readings)
    count, none = len(readings), np.zeros(len(readings), np.int32)
    at = trial.start_us + trial.cadence_us * np.arange(count, dtype=np.int64)
    evidence = Evidence(
        none,
        at,
        np.array(whole, np.int64),
        np.array(powers, np.int8),
        none.astype(np.int16),
        np.zeros(count, np.bool_),
    )
    return derive(evidence, channels_of(trial))


def channels_of(trial: Trial) -> Channels:
    """Describe the register."""
    plate = number_of_plate(trial)
    return Channels(
        kind=np.array([REGISTER], np.uint8),
        cadence_us=np.array([trial.cadence_us], np.int64),
        phase_us=np.array([grid_phase(trial.tz, trial.cadence_us)], np.int64),
        tz=[trial.asked.tz],
        dials=np.array([-1 if trial.asked.dials is None else trial.asked.dials], np.int32),
        multiplier=None,
        plate_max_per_hour=np.array([-1 if plate is None else plate], np.int64),
        unit_ratios=[trial.unit.ratio],
        unit_rates=[False],
    )


def named_at(trial: Trial, found: Derived, rules: frozenset[str]) -> list[int]:
    """Give the places of readings at which the derivation named one of some rules."""
    at = found.findings.at_us[np.isin(found.findings.rule, sorted(rules))]
    return sorted({int(place) for place in (at - trial.start_us) // trial.cadence_us})


def rollover(trial: Trial) -> Verdict:
    """V12 on a register: a fall is a rollover (passes, and the difference is completed) or negative (fails)."""
    readings = register_of(trial, needed(trial.asked.register, "V12", "--register"))
    found = derived(trial, readings)
    rolled, fallen = named_at(trial, found, frozenset((ROLLOVER,))), named_at(trial, found, FALLS)
    amount = [one or 0 for one in amounts(list(readings), trial.unit.ratio, trial.unit.code, "--register")]
    steps = [after - before for before, after in pairwise(amount)]
    place = min(range(len(steps)), key=steps.__getitem__) + 1
    figures: dict[str, tuple[str, Any]] = {
        "r1": ("amount", Fraction(amount[place - 1])),
        "r2": ("amount", Fraction(amount[place])),
        "d": ("amount", Fraction(steps[place - 1])),
        "rollover": ("text", place in rolled),
    }
    dials = trial.asked.dials
    if dials is not None:
        span = int(10**dials * trial.unit.ratio)
        cap = rollover_cap(-1 if (plate := number_of_plate(trial)) is None else plate, trial.cadence_us, span)
        figures |= {"dials": ("count", dials), "span": ("amount", Fraction(span)), "cap": ("amount", Fraction(cap))}
        if place in rolled:
            figures["use"] = ("amount", Fraction(steps[place - 1] + span))
    return Verdict("V12", FAIL if fallen else PASS, figures, fallen)


def named(trial: Trial) -> Verdict:
    """Any other rule of registers: fails where the derivation names it."""
    code = trial.rule.id
    readings = register_of(trial, needed(trial.asked.register, code, "--register"))
    at = named_at(trial, derived(trial, readings), frozenset((code,)))
    return Verdict(code, FAIL if at else PASS, {"readings": ("count", len(readings)), "hits": ("count", len(at))}, at)


def versions(trial: Trial) -> Verdict:
    """V19: the values are readings of one moment in one batch: equal ones are counted, different ones flagged.

    The one that counts is given: of lower magnitude, then the lower one.
    """
    values = [one for one in trial.values() if one is not None]
    if not values:
        raise UsageError("holds no reading.", code="bad_values", place="--values", remedy="Give two or more.")
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
    at = [place for place, value in enumerate(values) if value != int(settled.rows.mantissa[0])]
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
