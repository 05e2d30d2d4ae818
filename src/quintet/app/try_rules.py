"""How each rule is tried: what it reads beside values, given to the very function that judges a city's channels."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from quintet.terms.errors import UsageError
from quintet.terms.period import from_us, to_us
from quintet.terms.unit import units
from quintet.vee import NOTHING, Beside, Use, Verdict, device_flags, fact, find_gaps, flag_bits
from quintet.vee.checks_physics import normal_volume
from quintet.vee.verdict import FAIL, PASS, SKIP

from .lazy import load
from .try_input import DAY_US, amounts, length_us, number_of, numbers_of, same_length
from .try_trial import Trial, needed, number_of_plate, register_of

CONDITION = {"k": Fraction(0), "c": Fraction("273.15")}
COLDEST_K = 150
"""A temperature without unit under this is in degrees Celsius: no gas in a pipe is so cold, none so hot."""


def plain(trial: Trial) -> Verdict:
    """Judge values alone: V07, V10, V12, V14, V18, W01; rules that are found in readings are handed on."""
    if trial.rule.upstream or (trial.code == "V12" and trial.asked.register is not None):
        return load("try_readings")(trial)
    return trial.judge(trial.values())


def plate(trial: Trial) -> Verdict:
    """V16: values against the plate's maximum, per hour in the values' unit (kW, m3/h)."""
    needed(trial.asked.plate_max, "V16", "--plate-max")
    return trial.judge(trial.values(), plate=number_of_plate(trial))


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
    """V06: values times --interval-multiplier against the register's difference times --multiplier."""
    asked = trial.asked
    times, own = (
        Fraction(number_of(text, option))
        for text, option in ((asked.multiplier, "--multiplier"), (asked.interval_multiplier, "--interval-multiplier"))
    )
    values = numbers_of(needed(asked.values, "V06", "--values"), "--values")
    amount = amounts(values, trial.unit.ratio * own, trial.unit.code, "--values")
    readings = register_of(trial, needed(asked.register, "V06", "--register"))
    total = amounts([readings[-1] - readings[0]], trial.unit.ratio * times, trial.unit.code, "--register")
    step = amounts([Decimal(1)], trial.unit.ratio * times, trial.unit.code, "--multiplier")
    found = trial.judge(amount, Beside(register_total=fact(total), register_step=fact(step)))
    more = {
        "register_start": ("ratio", Fraction(readings[0])),
        "register_end": ("ratio", Fraction(readings[-1])),
        "multiplier": ("ratio", times),
    }
    return dataclasses.replace(found, figures={**found.figures, **more})


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
    """V15: each difference of a register against the one before; the readings are one interval apart."""
    text = needed(trial.asked.register, "V15", "--register")
    readings = register_of(trial, text, 3)
    amount = amounts(list(readings), trial.unit.ratio, trial.unit.code, "--register")
    steps = [b - a for a, b in pairwise(one or 0 for one in amount)]
    found: list[Verdict] = []
    for place, (before, now) in enumerate(pairwise(steps)):
        one = trial.judge([None], Beside(register_total=fact([now]), register_before=fact([before])))
        found.append(dataclasses.replace(one, at=[place + 2] if one.at else []))
    return max(found, key=lambda one: (bool(one.at), one.verdict != SKIP))


def check_meter(trial: Trial) -> Verdict:
    """V17: values against the check meter's."""
    values = trial.values()
    beside = trial.beside_values(trial.asked.check, "--check", len(values), trial.unit)
    own = trial.asked.accuracy
    percent = None if own is None else Fraction(number_of(own.strip().removesuffix("%"), "--class"))
    ppm = fact([None if percent is None else int(percent * 10_000)])
    return trial.judge(values, Beside(check=beside, class_ppm=ppm))


def estimated(trial: Trial) -> Verdict:
    """V20: the values' empty places as estimated intervals, or so many days of them."""
    if trial.asked.days is None:
        return trial.judge(trial.values())
    count = Fraction(number_of(trial.asked.days, "--days")) * DAY_US / trial.cadence_us
    if count.denominator != 1 or not 0 < count < 10**6:
        raise UsageError("is no whole number of intervals.", code="bad_number", place="--days")
    return trial.judge([None] * int(count))


def heat(trial: Trial) -> Verdict:
    """H01: heat (values), the carrier's volume and the difference of temperatures."""
    values = trial.values()
    volume = trial.beside_values(trial.asked.volume, "--volume", len(values), units()["m3"])
    warmth = thousandths(needed(trial.asked.delta_t, "H01", "--delta-t"), "--delta-t", len(values))
    return trial.judge(values, Beside(volume=volume, delta_t_mk=warmth))


def gas(trial: Trial) -> Verdict:
    """G01: gas as it flowed with its conditions, against the recorded normal volume.

    With --volume the values are what was recorded, else they are what flowed and --recorded is compared.
    """
    asked = trial.asked
    values = trial.values()
    flowed = values if asked.volume is None else trial.list_of(asked.volume, "--volume")
    recorded = values if asked.volume is not None else None
    if asked.recorded is not None:
        recorded = trial.list_of(asked.recorded, "--recorded")
    flowed = same_length(flowed, len(values), "--volume")
    pressure = thousandths(needed(asked.pressure, "G01", "--pressure"), "--pressure", len(values))
    temperature = kelvin(needed(asked.temperature, "G01", "--temperature"), len(values))
    text = asked.compressibility or "1"
    ppm = numbers_of(text, "--compressibility")
    z = fact(same_length(amounts(ppm, Fraction(10**6), "", "--compressibility"), len(values), "--compressibility"))
    parts = (fact(flowed).reshape(1, -1), pressure, temperature, z.reshape(1, -1))
    if recorded is not None:
        return trial.judge(same_length(recorded, len(values), "--recorded"), Beside(
            volume=parts[0], pressure_pa=parts[1], temperature_mk=parts[2], compressibility_ppm=parts[3]
        ))  # fmt: skip
    settings = trial.rule.settings(trial.kind) or {}
    rows = list(zip(*(part[0].tolist() for part in parts), strict=True))
    vn = normal_volume([row for row in rows if NOTHING not in row and row[2] > 0 and row[3] > 0], settings)
    return Verdict("G01", SKIP, {"vn": ("amount", vn)}, [], "No recorded normal volume was given to compare with.")


def thousandths(text: str, option: str, count: int) -> Any:
    """Read conditions in kPa or K as whole Pa or mK, m x n."""
    given = amounts(numbers_of(text, option), Fraction(1000), "", option)
    return fact(same_length(given, count, option)).reshape(1, -1)


def kelvin(text: str, count: int) -> Any:
    """Read temperatures as mK: `288.15`, `288.15K`, `15C`; a number under 150 without unit is in degrees Celsius."""
    out: list[int | None] = []
    for word in re_split(text):
        unit = word[-1].lower() if word[-1].lower() in CONDITION else ""
        number = Fraction(number_of(word.rstrip("KkCc").rstrip("°").strip(), "--temperature"))
        shift = CONDITION[unit] if unit else CONDITION["c" if number < COLDEST_K else "k"]
        out.append(int((number + shift) * 1000))
    return fact(same_length(out, count, "--temperature")).reshape(1, -1)


def count(trial: Trial) -> Verdict:
    """V03, V04: n = period / length on the local clock (a day has 23, 24 or 25 hours), against the values given.

    V03 fails at what is missing and at what is too many, V04 at what is too many.
    """
    values = trial.values()
    days = number_of(trial.asked.days or "1", "--days")
    if days != int(days) or not 0 < days <= 3660:
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
    "V13": reactive,
    "V15": register_change,
    "V16": plate,
    "V17": check_meter,
    "V20": estimated,
    "H01": heat,
    "G01": gas,
}
"""How each rule is tried that reads more than values."""
