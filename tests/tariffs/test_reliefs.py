"""Reductions: before tax, at most what a month allows, never more than the charges, prorated by days."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import Asked, Bill, bill_month, compute
from quintet.tariffs.reliefs import reliefs
from quintet.terms.errors import NotFound, UsageError


def bill(use: Any, month: str, name: str | None, **more: Any) -> Bill:
    asked = Asked("electricity", Fraction(use), "kWh", *bill_month(month), "low_voltage", relief=name, **more)
    return compute(asked)


def taken(of: Bill) -> int:
    return -int(next((line.won for line in of.lines if line.item == "relief"), Fraction(0)) or 0)


@pytest.mark.parametrize(
    ("name", "month", "use", "won"),
    [
        ("large_family", "2025-10", 100, 4293), ("large_family", "2025-10", 400, 16000),
        ("large_family", "2025-08", 900, 16000), ("newborn", "2025-10", 200, 8313),
        ("life_support", "2025-10", 400, 22236), ("basic_living", "2025-05", 300, 16000),
        ("basic_living", "2025-06", 300, 20000), ("disabled_or_merit", "2025-08", 300, 20000),
        ("basic_housing", "2025-09", 300, 10000),
        ("near_poor", "2025-07", 300, 10000), ("near_poor", "2025-10", 300, 8000), ("basic_living", "2025-10", 0, 910),
    ],
)  # fmt: skip
def test_what_is_taken_off(name: str, month: str, use: int, won: int) -> None:
    found, plain = bill(use, month, name), bill(use, month, None)
    assert taken(found) == won
    assert found.subtotal == plain.subtotal - won
    assert found.total == sum((line.won for line in found.lines if line.won is not None), Fraction(0))
    vat = next(line.won for line in found.lines if line.item == "vat")
    assert vat == (found.subtotal / 10 + Fraction(1, 2)) // 1


def test_days_share_what_a_month_allows() -> None:
    name, use = "basic_living", Fraction(300)
    days = (date(2025, 5, 17), date(2025, 6, 16))
    asked = Asked("electricity", use, "kWh", *days, "low_voltage", relief=name)
    assert taken(compute(asked)) == 18000  # 15 days of 16,000 and 15 of 20,000
    ten = Asked("electricity", use, "kWh", date(2025, 10, 1), date(2025, 10, 11), "low_voltage", relief=name)
    assert taken(compute(ten)) == 16000 * 10 // 31


@given(st.sampled_from(sorted(reliefs())), st.integers(0, 2000), st.integers(1, 12))
def test_no_bill_falls_below_zero_or_rises(name: str, use: int, month: int) -> None:
    found, plain = bill(use, f"2025-{month:02}", name), bill(use, f"2025-{month:02}", None)
    assert 0 <= found.total <= plain.total


@pytest.mark.parametrize(
    ("names", "use", "taken_won"),
    [
        ("large_family+near_poor", 300, (8000, 12978)), ("near_poor+large_family", 300, (8000, 12978)),
        ("large_family+basic_living", 900, (16000, 16000)), ("large_family+basic_living", 0, (910, 0)),
        ("large_family+disabled_or_merit", 300, (16000,)), ("life_support+disabled_or_merit", 400, (22236,)),
        ("life_support+basic_housing", 400, (10000, 19236)),
    ],
)  # fmt: skip
def test_two_reductions_add_or_the_larger_counts(names: str, use: int, taken_won: tuple[int, ...]) -> None:
    """Where the welfare one adds it comes first, and the family's share is of what is left; else the larger alone."""
    found, plain = bill(use, "2025-10", names), bill(use, "2025-10", None)
    assert tuple(-int(line.won or 0) for line in found.lines if line.item.startswith("relief")) == taken_won
    assert found.subtotal == plain.subtotal - sum(taken_won)
    assert len(found.reliefs) == 2


@given(st.sampled_from(sorted(reliefs())), st.sampled_from(sorted(reliefs())), st.integers(0, 1500), st.integers(1, 12))
def test_two_reductions_take_no_less_than_each(one: str, other: str, use: int, month: int) -> None:
    day = f"2025-{month:02}"
    if reliefs()[one].group == reliefs()[other].group:
        with pytest.raises(UsageError, match="combine is not known"):
            bill(use, day, f"{one}+{other}")
        return
    both = bill(use, day, f"{one}+{other}")
    assert 0 <= both.subtotal <= min(bill(use, day, name).subtotal for name in (one, other))


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="'rich' is not known"):
        bill(1, "2025-10", "rich")
    with pytest.raises(UsageError, match="one household"):
        bill(1, "2025-10", "large_family", households=3)
    with pytest.raises(UsageError, match="None is known for water"):
        compute(Asked("water", Fraction(1), "m3", *bill_month("2025-10"), city="ansan", relief="large_family"))
    with pytest.raises(NotFound, match="not known to hold"):
        compute(Asked("electricity", Fraction(1), "kWh", *bill_month("2015-10"), "low_voltage", relief="newborn"))
