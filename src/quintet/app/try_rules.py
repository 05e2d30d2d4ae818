"""How each rule is tried: what it reads beside values, given to the very function that judges a city's channels."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np

from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_US, length_us
from quintet.terms.period import MINUTE_US, from_us, to_us
from quintet.terms.unit import units
from quintet.vee import Beside, Use, Verdict, device_flags, fact, find_gaps, flag_bits
from quintet.vee.beside import exact_fact
from quintet.vee.verdict import FAIL, PASS, SKIP, describe, looks_back, needs_whole_days

from .lazy import load
from .try_input import amounts, exact_or_none, number_of, numbers_of, positive, positive_of
from .try_physics import gas, heat
from .try_register import register_of, steps_of, too_few
from .try_trial import Trial, needed

MOST_DAYS = 3660
HUNDRED_PERCENT = 100
NEEDS: dict[str, dict[str, str]] = {
    "V01": {"offset": "how far the device's clock is off"},
    "V05": {"flags": "what the device said of itself"},
    "V06": {"register": "the register's first and last reading"},
    "V08": {"before": "the use of the period before", "year_before": "the use of a year before"},
    "V09": {"before": "the values of the period before", "year_before": "the values of a year before"},
    "V13": {"reactive": "the reactive energy beside the values"},
    "V15": {"register": "three readings or more"},
    "V16": {"plate_max": "the meter's maximum an hour"},
    "V17": {"check": "the check meter's values"},
    "H01": {"volume": "the carrier's volume", "delta_t": "the difference of temperatures"},
    "G01": {"pressure": "the gas's absolute pressure", "temperature": "the gas's temperature"},
}
"""What a rule compares the values with, by the option that gives it; without one of them it judges nothing."""
OF_VALUES = frozenset(("V03_gap", "V04_overlap", "V19_duplicate", "V19_conflict", "V19_corrected"))
"""Rules of readings that are tried on values, or on either."""


def try_trial(trial: Trial) -> Verdict:
    """Try the rule that was asked for; skips, saying what is needed, where nothing is there to compare with."""
    if trial.rule.settings(trial.kind) is None and (trial.code != "V12" or trial.asked.register is None):
        why = f"{trial.code} does not apply to {describe(trial.kind)}."
        return Verdict(trial.rule.id, SKIP, {}, [], why)
    needs = dict(NEEDS.get(trial.rule.id, {}))
    if trial.rule.upstream and trial.rule.id not in OF_VALUES:
        needs = {"register": "two readings or more"}
    lacking = [(name, what) for name, what in needs.items() if getattr(trial.asked, name) is None]
    if lacking:
        said = " and ".join(f"--{name.replace('_', '-')} ({what})" for name, what in lacking)
        return Verdict(trial.rule.id, SKIP, {}, [], f"{trial.code} needs {said}; nothing was judged.")
    return TRIALS.get(trial.rule.id, plain)(trial)


def plain(trial: Trial) -> Verdict:
    """Judge values alone: V07, V10, V12, V14, V18, W01, ..; rules that are found in readings are handed on."""
    if trial.rule.upstream or (trial.code == "V12" and trial.asked.register is not None):
        return load("try_readings")(trial)
    found = trial.judge(trial.values())
    if not (looks_back(trial.rule) and needs_whole_days(trial.rule)):
        return found
    settings = trial.rule.settings(trial.kind) or {}
    found = dataclasses.replace(found, figures={**_stated(trial, settings), **found.figures})
    if found.verdict != SKIP:
        return found
    why = (
        f"{found.why} {trial.code} compares whole days with at least {settings['fewest']} days before them: give those"
        " with --history (ending where the values begin), or all in --values or --file."
    )
    return dataclasses.replace(found, why=why)


def _stated(trial: Trial, settings: Mapping[str, Fraction]) -> dict[str, tuple[str, Any]]:
    """Give the thresholds in force as figures: of a rule that works out none itself."""
    forms = {one.name: one.form for one in trial.rule.parameters}
    amount = {name: own * trial.fine for name, own in settings.items() if forms[name] in ("amount", "rate")}
    return {name: ("amount", amount[name]) if name in amount else ("ratio", own) for name, own in settings.items()}


def plate(trial: Trial) -> Verdict:
    """V16: values against the plate's maximum, per hour in the values' unit (kW, m3/h)."""
    return trial.judge(trial.values(), plate=trial.plate)


def reverse(trial: Trial) -> Verdict:
    """V12 on values: a generator's own draw at night is measured by its plate, where one is given."""
    return plain(trial) if trial.asked.register is not None else trial.judge(trial.values(), plate=trial.plate)


def clock_off(trial: Trial) -> Verdict:
    """V01: the device's clock less the reference."""
    offset = length_us(needed(trial.asked.offset, "V01", "--offset"), "--offset")
    return trial.judge(trial.optional_values(), Beside(clock_offset_us=fact([offset])))


def flags(trial: Trial) -> Verdict:
    """V05: flags of the whole stretch (`overflow`) or of one place (`3:overflow`, places from 0)."""
    values = trial.optional_values()
    bits = np.zeros((1, len(values)), np.uint32)
    for word in re_split(needed(trial.asked.flags, "V05", "--flags")):
        place, _, name = word.rpartition(":")
        if place and (not place.isdecimal() or int(place) >= len(values)):
            raise UsageError(f"there is no place {place}.", code="bad_flags", place="--flags")
        if name not in device_flags():
            known = ", ".join(device_flags())
            raise UsageError(
                f"{name!r} is no device flag.", code="unknown_flag", place="--flags", remedy=f"Known: {known}."
            )
        bits[0, slice(int(place), int(place) + 1) if place else slice(None)] |= np.uint32(flag_bits([name]))
    return trial.judge(values, Beside(flags=bits))


def re_split(text: str) -> list[str]:
    """Split words at commas; "none" means no word."""
    return [word.strip() for word in text.split(",") if word.strip() and word.strip() != "none"]


def sum_check(trial: Trial) -> Verdict:
    """V06: values times --interval-multiplier against the register's difference times --multiplier.

    The register's readings lie evenly over the values; with --dials it may have rolled over on the way.
    """
    times, own = trial.multiplier, trial.interval_multiplier
    values = numbers_of(needed(trial.asked.values, "V06", "--values"), "--values")
    amount = amounts(values, trial.ratio * own, trial.unit.code, "--values")
    readings = register_of(trial)
    few = too_few(trial, readings, 2)
    if few is not None:
        return few
    figures: dict[str, tuple[str, Any]] = {
        "register_start": ("ratio", exact_or_none(readings[0])),
        "register_end": ("ratio", exact_or_none(readings[-1])),
        "multiplier": ("ratio", times),
    }
    if readings[0] is None or readings[-1] is None:
        return Verdict("V06", SKIP, figures, [], "The register's first or last reading is missing.")
    each = Fraction(trial.cadence_us * len(values), len(readings) - 1)
    steps = steps_of(trial, readings, each, times)
    step = amounts([Decimal(1)], trial.ratio * times, trial.unit.code, "--multiplier")
    found = trial.judge(
        amount, Beside(register_total=fact([sum(one.amount for one in steps)]), register_step=fact(step))
    )
    if trial.asked.dials is not None:
        figures["rollovers"] = ("count", sum(one.rolled for one in steps))
    return dataclasses.replace(found, figures={**found.figures, **figures})


def past(trial: Trial) -> Verdict:
    """V08, V09: values against those of the period before and of a year before."""
    values = trial.values()
    used: list[Use] = []
    pairs = ((trial.asked.before, "--before"), (trial.asked.year_before, "--year-before"))
    for text, option in pairs:
        given = [] if text is None else [one for one in trial.list_of(text, option) if one is not None]
        single = trial.rule.id == "V08" and len(given) == 1
        covered = DAY_US if single else len(given) * trial.cadence_us
        used.append(Use(fact([sum(given)]), fact([covered]), fact([max(given, default=0)])))
    return trial.judge(values, Beside(use_before=used[0], use_year_before=used[1]))


def inactive(trial: Trial) -> Verdict:
    """V11: the values of a usage point that is inactive."""
    values = trial.values()
    return trial.judge(values, Beside(inactive=np.ones((1, len(values)), np.bool_)))


def reactive(trial: Trial) -> Verdict:
    """V13: values (kWh) with their kvarh."""
    values = trial.values()
    beside = trial.beside_values(trial.asked.reactive, "--reactive", len(values), units()["kvarh"])
    return trial.judge(values, Beside(reactive=beside))


def register_change(trial: Trial) -> Verdict:
    """V15: each difference of a register against the one before; the readings are one interval apart.

    Differences over a missing reading are not compared: they stand for another length of time.
    """
    readings = register_of(trial)
    few = too_few(trial, readings, 3)
    if few is not None:
        return few
    steps = {one.first: one for one in steps_of(trial, readings, Fraction(trial.cadence_us))}
    own = [steps[place].amount if place in steps and steps[place].last == place + 1 else None
           for place in range(len(readings) - 1)]  # fmt: skip
    found: list[Verdict] = []
    for place, (before, now) in enumerate(pairwise(own)):
        one = trial.judge([None], Beside(register_total=fact([now]), register_before=fact([before])))
        found.append(dataclasses.replace(one, at=[place + 2] if one.at else []))
    worst = max(found, key=lambda one: (bool(one.at), one.verdict != SKIP))
    return dataclasses.replace(worst, at=[place for one in found for place in one.at])


def check_meter(trial: Trial) -> Verdict:
    """V17: values against the check meter's."""
    values = trial.values()
    beside = trial.beside_values(trial.asked.check, "--check", len(values))
    own = trial.asked.accuracy
    percent = None if own is None else positive_of(own.strip().removesuffix("%"), "--class")
    if percent is not None and percent > HUNDRED_PERCENT:
        raise UsageError(
            f"{own!r} is no accuracy class.",
            code="bad_number",
            place="--class",
            remedy="Give per cent, as in 1 or 0.5.",
        )
    ppm = exact_fact([None if percent is None else percent * 10_000])
    return trial.judge(values, Beside(check=beside, class_ppm=ppm))


def estimated(trial: Trial) -> Verdict:
    """V20: the values' empty places as estimated intervals, or so many days of them."""
    if trial.asked.days is None:
        return trial.judge(trial.values())
    days = number_of(trial.asked.days, "--days")
    if days == 0:
        return trial.judge([0])
    length = positive(days, "--days") * DAY_US
    finer = gcd(trial.cadence_us, int(length))
    if finer >= MINUTE_US:  # a length that --interval does not divide is counted in finer intervals
        trial.cadence_us = finer
    count = length / trial.cadence_us
    if count.denominator != 1 or count >= 10**6:
        raise UsageError(
            f"{trial.asked.days} days are no whole number of intervals, or too many.",
            code="bad_number",
            place="--days",
            remedy="Give days and whole minutes, as in 7.5.",
        )
    return trial.judge([None] * int(count))


def count(trial: Trial) -> Verdict:
    """V03, V04: n = period / length on the local clock (a day has 23, 24 or 25 hours), against the values given.

    V03 fails at what is missing and at what is too many, V04 at what is too many.
    """
    values = trial.values()
    days = number_of(trial.asked.days or "1", "--days")
    if days != int(days) or not 0 < days <= MOST_DAYS:
        raise UsageError("is no number of whole days.", code="bad_number", place="--days", remedy="Give 1 or more.")
    begin = from_us(trial.start_us).astimezone(trial.tz)
    length = to_us(begin + timedelta(days=int(days))) - trial.start_us
    expected = length // trial.cadence_us
    padded = [*values[:expected], *[None] * (expected - len(values))]
    gaps = find_gaps(trial.sample(padded).block())
    missing = [
        place for first, size in zip(gaps.first, gaps.length, strict=True) for place in range(first, first + size)
    ]
    surplus = list(range(expected, len(values)))
    at = surplus if trial.rule.id.startswith("V04") else sorted(missing + surplus)
    figures: dict[str, tuple[str, Any]] = {
        "expected": ("count", expected),
        "given": ("count", sum(value is not None for value in values)),
        "missing": ("count", len(missing)),
        "surplus": ("count", len(surplus)),
    }
    return Verdict(trial.rule.id, FAIL if at else PASS, figures, [int(place) for place in at])


TRIALS: dict[str, Callable[[Trial], Verdict]] = {
    "V03_gap": count,
    "V04_overlap": count,
    "V01": clock_off,
    "V05": flags,
    "V06": sum_check,
    "V08": past,
    "V09": past,
    "V11": inactive,
    "V12_negative": reverse,
    "V12_reverse": reverse,
    "V13": reactive,
    "V15": register_change,
    "V16": plate,
    "V17": check_meter,
    "V20": estimated,
    "H01": heat,
    "G01": gas,
}
"""How each rule is tried that reads more than values."""
