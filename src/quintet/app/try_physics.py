"""H01 and G01 tried: heat against its flow, gas against its conditions; exact, kelvin and Celsius told apart."""

import dataclasses
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.terms.unit import units
from quintet.vee import NOTHING, Beside, Verdict, fact
from quintet.vee.beside import exact_fact
from quintet.vee.checks_physics import normal_volume
from quintet.vee.verdict import SKIP

from .try_input import exact_or_none, numbers_of, positive, same_length
from .try_trial import Trial, needed

CONDITION = {"k": Fraction(0), "c": Fraction("273.15")}
COLDEST_K = 150
"""A temperature without unit under this is in degrees Celsius: no gas in a pipe is so cold, none so hot."""


def heat(trial: Trial) -> Verdict:
    """H01: heat (values), the carrier's volume and the difference of temperatures."""
    values = trial.values()
    volume = trial.beside_values(trial.asked.volume, "--volume", len(values), units()["m3"])
    warmth = conditions(numbers_of(needed(trial.asked.delta_t, "H01", "--delta-t"), "--delta-t"), 1000)
    return trial.judge(values, Beside(volume=volume, delta_t_mk=row_of(warmth, len(values), "--delta-t")))


def gas(trial: Trial) -> Verdict:
    """G01: gas as it flowed with its conditions, against the recorded normal volume.

    With --volume the values are what was recorded, else they are what flowed and --recorded is compared.
    """
    asked = trial.asked
    values = trial.values()
    flowed = values if asked.volume is None else trial.list_of(asked.volume, "--volume")
    recorded = values if asked.volume is not None else None
    if asked.recorded is not None:
        recorded = same_length(trial.list_of(asked.recorded, "--recorded"), len(values), "--recorded")
    kpa = above_zero(numbers_of(needed(asked.pressure, "G01", "--pressure"), "--pressure"), "--pressure")
    k = kelvin(needed(asked.temperature, "G01", "--temperature"))
    z = above_zero(numbers_of(asked.compressibility or "1", "--compressibility"), "--compressibility")
    given = (("--pressure", kpa, 1000), ("--temperature", k, 1000), ("--compressibility", z, 10**6))
    parts = [row_of(conditions(numbers, times), len(values), option) for option, numbers, times in given]
    volume = fact(same_length(flowed, len(values), "--volume")).reshape(1, -1)
    shown: dict[str, tuple[str, Any]] = {}
    for name, numbers in (("pressure_kpa", kpa), ("temperature_k", k), ("compressibility", z)):
        shown |= {name: ("ratio", exact_or_none(numbers[0]))} if len(set(numbers)) == 1 else {}
    if recorded is not None:
        found = trial.judge(recorded, Beside(
            volume=volume, pressure_pa=parts[0], temperature_mk=parts[1], compressibility_ppm=parts[2]
        ))  # fmt: skip
        return dataclasses.replace(found, figures={**found.figures, **shown})
    rows = list(zip(volume[0].tolist(), *(part[0].tolist() for part in parts), strict=True))
    vn = normal_volume([row for row in rows if NOTHING not in row], trial.rule.settings(trial.kind) or {})
    why = "No recorded normal volume was given to compare with: give --recorded."
    return Verdict("G01", SKIP, {"vn": ("amount", vn), **shown}, [], why)


def above_zero(numbers: list[Decimal | None], option: str) -> list[Decimal | None]:
    """Refuse a condition that is not above zero."""
    for number in numbers:
        if number is not None:
            positive(number, option)
    return numbers


def conditions(numbers: Iterable[Decimal | Fraction | None], times: int) -> list[Fraction | None]:
    """Give conditions exactly in the parts that rules read: `times` of them in one unit."""
    return [None if number is None else Fraction(number) * times for number in numbers]


def row_of(numbers: list[Fraction | None], count: int, option: str) -> Any:
    """Give one exact number for each value, 1 x n; one stands for all."""
    return exact_fact(same_length(numbers, count, option)).reshape(1, -1)


def kelvin(text: str) -> list[Fraction | None]:
    """Read temperatures: `288.15`, `288.15K`, `15C`, `15°C`; a number under 150 without unit is in degrees Celsius."""
    out: list[Fraction | None] = []
    for place, word in enumerate(text.strip().removesuffix(",").split(","), start=1):
        bare = word.strip()
        unit = bare[-1:].lower() if bare[-1:].lower() in CONDITION else ""
        found = numbers_of(bare.rstrip("KkCc").rstrip("°").strip() or "nan", "--temperature")[0]
        if found is None:
            out.append(None)
            continue
        shift = CONDITION[unit] if unit else CONDITION["c" if found < COLDEST_K else "k"]
        out.append(positive(Fraction(found) + shift, f"--temperature, place {place}", f"{bare} (absolute, in K)"))
    return out
