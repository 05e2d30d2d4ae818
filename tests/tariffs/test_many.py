"""Many bills at once say just what each says alone: every line, every total, whatever the group."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import Asked, bill_month, compute
from quintet.tariffs.many import Amounts, compute_many
from quintet.tariffs.reliefs import reliefs
from quintet.terms.errors import NotFound, UsageError

GAS = {"unit_price": Fraction("22.3456"), "base_won": Fraction(1000), "calorific": Fraction("42.716")}
KINDS: list[dict[str, Any]] = [
    *({"commodity": "electricity", "unit": "kWh", "contract": name} for name in ("low_voltage", "apartment_single")),
    {"commodity": "electricity", "unit": "kWh", "contract": "high_voltage", "options": {"common_won": Fraction(12345)}},
    {"commodity": "electricity", "unit": "kWh", "contract": "low_voltage", "options": {"tv_fee": Fraction(1)}},
    {"commodity": "electricity", "unit": "kWh", "contract": "general", "options": {"unit_price": Fraction("139.7")}},
    {"commodity": "gas", "unit": "m3", "options": {**GAS, "correction": Fraction("0.9981")}},
    {"commodity": "water", "unit": "m3", "city": "ansan", "options": {"pipe_mm": Fraction(13)}},
    {"commodity": "water", "unit": "m3", "city": "ansan"},
    {"commodity": "heat", "unit": "kWh", "options": {"unit_price": Fraction("101.57"), "base_won": Fraction(4454)}},
    {"commodity": "hot_water", "unit": "m3", "options": {"unit_price": Fraction(4000)}},
]
SUB = {"kWh": 10**6, "m3": 10**6}


def same(asked: Asked, uses: Sequence[int], sub: int, sizes: Sequence[Fraction] | None = None) -> None:
    """Compare a group's columns with each bill computed alone."""
    fine = Asked(
        asked.commodity, Fraction(1, sub), asked.unit, asked.start, asked.end, asked.contract, asked.city, asked.branch,
        asked.households, asked.options, asked.relief, asked.provisional,
    )  # fmt: skip
    given_sizes = None
    if sizes is not None:
        given_sizes = {"area_m2": Amounts(np.array([int(one * 10) for one in sizes], np.int64), 10)}
    many = compute_many(fine, uses, given_sizes)
    for row, use in enumerate(uses):
        alone = asked.with_use(Fraction(use, sub))
        if sizes is not None:
            alone = Asked(
                alone.commodity, alone.use, alone.unit, alone.start, alone.end, alone.contract, alone.city,
                alone.branch, 1, {**alone.options, "area_m2": sizes[row]},
            )  # fmt: skip
        bill = compute(alone)
        assert int(many.total[row]) == bill.total
        assert many.use.at(row) == bill.use
        assert many.subtotal.at(row) == bill.subtotal
        found = {line.item: None if line.won is None else line.won.at(row) for line in many.lines}
        assert {item: won for item, won in found.items() if won != 0 or item != "rounding"} == {
            line.item: line.won for line in bill.lines
        }


@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(0, 2 * 10**9), min_size=1, max_size=8),
    st.dates(date(2023, 1, 1), date(2026, 3, 1)),
    st.integers(1, 70),
)
def test_a_group_is_its_bills(kind: dict[str, Any], uses: list[int], start: date, days: int) -> None:
    end = min(start + timedelta(days=days), date(2026, 4, 1))
    same(Asked(use=Fraction(0), start=start, end=end, **kind), uses, SUB[kind["unit"]])


@given(st.sampled_from(sorted(reliefs())), st.lists(st.integers(0, 1500), min_size=1, max_size=5), st.integers(1, 12))
def test_a_group_with_a_reduction(name: str, uses: list[int], month: int) -> None:
    start, end = bill_month(f"2025-{month:02}")
    same(Asked("electricity", Fraction(0), "kWh", start, end, "low_voltage", relief=name), uses, 1)


@pytest.mark.parametrize("month", ["2025-02", "2025-07", "2025-08", "2025-12"])
def test_limits_belong_to_the_lower_block(month: str) -> None:
    start, end = bill_month(month)
    edges = [
        limit * 10**6 + more for limit in (0, 200, 300, 400, 450, 1000) for more in (-1, 0, 1) if limit + more >= 0
    ]
    same(Asked("electricity", Fraction(0), "kWh", start, end, "low_voltage"), edges, 10**6)
    same(Asked("electricity", Fraction(0), "kWh", start - timedelta(days=9), end, "high_voltage"), edges, 10**6)


def test_sizes_differ_within_a_group() -> None:
    asked = Asked("heat", Fraction(0), "Mcal", *bill_month("2024-01"))
    same(asked, [0, 700, 1234], 1, [Fraction("59.9"), Fraction(84), Fraction("101.3")])


def test_numbers_beyond_64_bits_stay_exact() -> None:
    asked = Asked("gas", Fraction(0), "m3", *bill_month("2025-01"), options={**GAS, "calorific": Fraction(1, 7**9)})
    same(asked, [2**62, 3, 10**18], 10**6)


def test_what_no_bill_of_the_group_can_have_is_refused_for_all() -> None:
    asked = Asked("electricity", Fraction(1), "kWh", *bill_month("2026-11"), "low_voltage")
    with pytest.raises(NotFound, match="not been published"):
        compute_many(asked, [1])
    with pytest.raises(UsageError):
        compute_many(Asked("water", Fraction(1), "m3", *bill_month("2025-05")), [1])
    gimhae = compute_many(Asked("water", Fraction(1), "m3", *bill_month("2025-05"), city="gimhae"), [100, 101])
    assert gimhae.unpriced.tolist() == [False, True]
