"""What using less pays: every step at its border, one percent more, baselines; and what is not known."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs.incentives import (
    baseline_of,
    half_year,
    program_on,
    programs,
    response_baseline,
    standing,
    won_of,
    year_before,
)
from quintet.terms.errors import NotFound, UsageError

DAY = date(2025, 10, 1)
CASHBACK = program_on("cashback", "electricity", DAY)
POINTS = program_on("points", "water", DAY)
RESPONSE = program_on("response", "electricity", DAY)


@pytest.mark.parametrize(
    ("use", "paid", "won"),
    [
        (400, 0, 0), (389, 0, 0), (388, 30, 360), (381, 30, 570), (380, 60, 1200), (361, 60, 2340), (360, 80, 3200),
        (321, 80, 6320), (320, 100, 8000), (280, 100, 12000), (100, 100, 12000), (0, 100, 12000), (450, 0, 0),
    ],
)  # fmt: skip
def test_cashback_at_every_border(use: int, paid: int, won: int) -> None:
    """3-5 % 30 won, 5-10 % 60, 10-20 % 80, from 20 % 100 for each kWh saved, of 30 % at most."""
    found = standing(CASHBACK, "electricity", Fraction(400), Fraction(use))
    assert (found.paid, found.won, found.saved) == (paid, won, 400 - use)


@given(st.fractions(1, 2000, max_denominator=1000), st.fractions(0, 2500, max_denominator=1000))
def test_saving_more_never_pays_less(baseline: Fraction, use: Fraction) -> None:
    for program, commodity in ((CASHBACK, "electricity"), (POINTS, "water"), (RESPONSE, "electricity")):
        found = standing(program, commodity, baseline, use)
        assert found.one_more_won >= 0
        more = min(found.share + Fraction(1, 100), Fraction(1))
        assert found.won + found.one_more_won == won_of(program, commodity, baseline, more)
        if found.next_step is not None and found.next_left is not None:
            then = standing(program, commodity, baseline, use - found.next_left)
            assert then.step == found.next_step
            assert (then.paid > found.paid, then.won >= found.won) == (True, True)


@pytest.mark.parametrize(
    ("commodity", "share", "points"),
    [
        ("electricity", "0.05", 5000), ("electricity", "0.0999", 5000), ("electricity", "0.10", 10000),
        ("electricity", "0.15", 15000), ("water", "0.15", 2000), ("gas", "0.10", 6000), ("gas", "0.049", 0),
    ],
)  # fmt: skip
def test_carbon_points(commodity: str, share: str, points: int) -> None:
    found = standing(POINTS, commodity, Fraction(1000), 1000 - 1000 * Fraction(share))
    assert (found.paid, found.won) == (points, points)


def test_baselines() -> None:
    assert baseline_of(CASHBACK, [Fraction(300), Fraction(400)]) == 350
    assert baseline_of(CASHBACK, [None, Fraction(400)]) == 400
    assert baseline_of(CASHBACK, [Fraction(300), Fraction(400), Fraction(9)]) == 350
    for unknown in ([], [None, None]):
        with pytest.raises(NotFound, match="not known"):
            baseline_of(CASHBACK, unknown)
    ten = [Fraction(number) for number in (9, 100, 10, 11, 12, 13, 14, 15, 16, 1)]
    assert response_baseline(RESPONSE, ten) == Fraction(100, 8)
    with pytest.raises(UsageError, match="9 days are given"):
        response_baseline(RESPONSE, ten[1:])
    success = standing(RESPONSE, "electricity", Fraction(100), Fraction(90))
    assert (success.won, standing(RESPONSE, "electricity", Fraction(100), Fraction(91)).won) == (1000, 0)
    with pytest.raises(NotFound, match="nothing to save of"):
        standing(CASHBACK, "electricity", Fraction(0), Fraction(0))


@pytest.mark.parametrize("commodity", ["heat", "hot_water"])
def test_heat_and_hot_water_are_covered_by_none(commodity: str) -> None:
    for kind in ("cashback", "points", "response"):
        with pytest.raises(NotFound, match="not covered"):
            program_on(kind, commodity, DAY)


def test_each_is_dated_and_sourced() -> None:
    assert {one.kind for one in programs().values()} == {"cashback", "points", "response"}
    assert all(one.source and one.published_on and one.name_en != one.name_ko for one in programs().values())
    with pytest.raises(NotFound, match="not been published"):
        program_on("cashback", "electricity", date(2031, 1, 1))
    with pytest.raises(UsageError, match="no incentive"):
        program_on("luck", "electricity", DAY)


@pytest.mark.parametrize(
    ("day", "half"), [("2025-01-31", ("2025-01-01", "2025-07-01")), ("2025-07-01", ("2025-07-01", "2026-01-01"))]
)
def test_half_years(day: str, half: Any) -> None:
    assert tuple(one.isoformat() for one in half_year(date.fromisoformat(day))) == half
    assert year_before(date(2024, 2, 29), 1) == date(2023, 2, 28)
