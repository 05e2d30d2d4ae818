"""W01, H01, G01: what physics allows, and one step beyond."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from quintet.vee import NOTHING, Beside, Block, rules
from quintet.vee.checks_physics import normal_volume

Make = Callable[..., Block]
Hits = Callable[..., list[tuple[int, int, int]]]
KWH = M3 = 1_000_000
WATER = {"commodity": "water", "quantity": "volume"}
HEAT = {"commodity": "heat"}
GAS = {"commodity": "gas", "quantity": "volume"}


def row(*values: int) -> Any:
    """Give one row of facts."""
    return np.array([values], np.int64)


# W01 leak


@pytest.mark.parametrize(
    ("hours", "want", "middle"),
    [
        ([1] * 23, [], []),
        ([1] * 24, [(0, 0, 23)], [True]),
        ([1] * 23 + [0] + [1] * 23, [], []),
        ([1] * 71, [(0, 0, 70)], [True]),
        ([1] * 72, [(0, 0, 71)], [False]),
        ([1] * 12 + [None] + [1] * 12, [], []),
    ],
)
def test_water_that_never_rests(
    make_block: Make, hits: Hits, judged: Callable[..., Any], hours: list[Any], want: Any, middle: list[bool]
) -> None:
    assert hits("W01", make_block([hours]), traits=WATER) == want
    assert judged("W01", make_block([hours]), traits=WATER).middle.tolist() == middle


def test_quarter_hours_make_hours(make_block: Make, hits: Hits) -> None:
    drip: list[int | None] = [0, 0, 1, 0] * 24
    assert hits("W01", make_block([drip], cadence_min=15), traits=WATER) == [(0, 0, 95)]
    assert hits("W01", make_block([[0] * 4 + drip[4:]], cadence_min=15), traits=WATER) == []
    known = [1, None, None, None] * 24
    assert hits("W01", make_block([known], cadence_min=15), traits=WATER) == [(0, 0, 95)]
    assert hits("W01", make_block([[1] * 10], cadence_min=1440), traits=WATER) == []


def test_who_nearly_always_draws_water_does_not_leak(hits: Hits, make_block: Make) -> None:
    """After two weeks a run is held against the longest one before: twice as long passes, longer fails."""
    habit = ([1] * 36 + [0] * 12) * 8
    assert hits("W01", make_block([[*habit[:336], 0, *[1] * 72, 0]]), traits=WATER)[-1:] == [(0, 288, 323)]
    assert hits("W01", make_block([[*habit[:336], 0, *[1] * 73, 0]]), traits=WATER)[-1:] == [(0, 337, 409)]
    assert hits("W01", make_block([[1] * 28 * 24]), traits=WATER) == [(0, 0, 28 * 24 - 1)]
    assert hits("W01", make_block([[1] * (28 * 24 + 1)]), traits=WATER) == []


# H01 heat balance


@pytest.mark.parametrize(
    ("energy", "delta_mk", "bad"),
    [
        (116_300_000, 10_000, False),
        (116_300_000 * 20 // 19, 10_000, False),  # 5 % of E over: 1.163 V dT = 0.95 E
        (116_300_000 * 20 // 19 + 1_000, 10_000, True),
        (110_761_904, 10_000, True),  # just beyond 1.163 V dT = 1.05 E
        (110_761_905, 10_000, False),
        (0, 10_000, True),
        (0, 2_999, False),
        (50 * KWH, 3_000, True),
        (50 * KWH, 2_999, False),
    ],
)
def test_heat_follows_flow_and_temperatures(
    make_block: Make, hits: Hits, energy: int, delta_mk: int, bad: bool
) -> None:
    block = make_block([[energy]], cadence_min=1440)
    beside = Beside(volume=row(10 * M3), delta_t_mk=row(delta_mk))
    assert hits("H01", block, beside, traits=HEAT) == ([(0, 0, 0)] if bad else [])


def test_heat_is_balanced_over_the_day_not_the_hour(make_block: Make, hits: Hits) -> None:
    energy: Sequence[int | None] = [116_300_000, 0, None, *[0] * 21]
    volume = row(5 * M3, 5 * M3, 9 * M3, *[0] * 21)
    beside = Beside(volume=volume, delta_t_mk=row(*[10_000] * 24))
    assert hits("H01", make_block([energy]), beside, traits=HEAT) == []
    half = Beside(volume=row(5 * M3, *[NOTHING] * 23), delta_t_mk=row(*[10_000] * 24))
    assert hits("H01", make_block([energy]), half, traits=HEAT) == [(0, 0, 23)]


def test_an_absurd_volume_is_exact_and_its_neighbour_unmoved(make_block: Make, hits: Hits) -> None:
    block = make_block([[116_300_000], [116_300_000]], cadence_min=1440)
    volume = np.array([[2**59], [10 * M3]], np.int64)
    beside = Beside(volume=volume, delta_t_mk=np.full((2, 1), 10_000, np.int64))
    assert hits("H01", block, beside, traits=HEAT) == [(0, 0, 0)]


# G01 gas correction


@pytest.mark.parametrize(("recorded", "bad"), [(101 * M3, False), (101 * M3 + 1, True), (99 * M3, False), (0, True)])
def test_the_recorded_normal_volume_follows_its_conditions(
    make_block: Make, hits: Hits, recorded: int, bad: bool
) -> None:
    beside = Beside(
        volume=row(100 * M3), pressure_pa=row(101_325), temperature_mk=row(273_150), compressibility_ppm=row(1_000_000)
    )
    block = make_block([[recorded]], cadence_min=1440)
    assert hits("G01", block, beside, traits=GAS) == ([(0, 0, 0)] if bad else [])


def test_the_formula_is_exact() -> None:
    kind = next(k for k in [rules()["G01"]] if k)
    settings = {one.name: one.value for one in kind.parameters}
    found = normal_volume([(100 * M3, 105_000, 288_150, 998_000), (0, 1, 1, 1)], settings)
    want = Fraction(100 * M3) * Fraction(105) / Fraction("101.325") * Fraction("273.15") / Fraction("288.15")
    assert found == want / Fraction("0.998")


def test_gas_without_conditions_is_skipped(make_block: Make, hits: Hits) -> None:
    block = make_block([[1]], cadence_min=1440)
    assert hits("G01", block, Beside(volume=row(5)), traits=GAS) == []
    cold = Beside(volume=row(5), pressure_pa=row(1), temperature_mk=row(0), compressibility_ppm=row(1))
    assert hits("G01", block, cold, traits=GAS) == []
