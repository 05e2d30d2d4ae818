"""Tiers, the next unit, less use, the day of a limit; and a complex that shares its bill."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import Asked, bill_month, compute, crossing_day, tier_of, what_if_less
from quintet.tariffs.complexes import allocate_single, allocate_total
from quintet.tariffs.exact import share_out
from quintet.tariffs.solve import next_unit_won
from quintet.terms.errors import BadInput, UsageError


def power(use: Any, month: str = "2025-10", contract: str = "low_voltage") -> Asked:
    start, end = bill_month(month)
    return Asked("electricity", Fraction(use), "kWh", start, end, contract)


@pytest.mark.parametrize(
    ("use", "month", "number", "left", "price", "following"),
    [
        (0, "2025-10", 1, 200, "120", "214.6"),
        (200, "2025-10", 1, 0, "120", "214.6"),
        (337, "2025-10", 2, 63, "214.6", "307.3"),
        (337, "2025-08", 2, 113, "214.6", "307.3"),
        (401, "2025-10", 3, None, "307.3", None),
        (401, "2025-12", 3, 599, "307.3", "736.2"),
        (1001, "2025-12", 4, None, "736.2", None),
    ],
)
def test_the_tier(use: int, month: str, number: int, left: int | None, price: str, following: str | None) -> None:
    (tier,) = tier_of(power(use, month))
    assert (tier.number, tier.left, tier.unit_price) == (number, left, Fraction(price))
    assert tier.next_price == (None if following is None else Fraction(following))
    assert tier.count == (4 if month in ("2025-08", "2025-12") else 3)


def test_the_next_unit_and_less_use_are_differences_of_whole_bills() -> None:
    assert next_unit_won(power(400)) == 90310 - 83530
    saving = what_if_less(power(401), Fraction(1))
    assert (saving.now.total, saving.then.total, saving.won) == (90310, 83530, 6780)
    assert what_if_less(power(337), Fraction(0)).won == 0
    for less in (338, -1):
        with pytest.raises(UsageError, match="between 0 and the use"):
            what_if_less(power(337), Fraction(less))


def test_a_bill_across_seasons_has_no_one_tier_and_a_part_of_a_month_a_part_of_the_blocks() -> None:
    start = date(2025, 6, 16)
    with pytest.raises(UsageError, match="Ask up to 2025-07-01"):
        tier_of(Asked("electricity", Fraction(1), "kWh", start, date(2025, 7, 16), "low_voltage"))
    (tier,) = tier_of(Asked("electricity", Fraction(1), "kWh", start, date(2025, 6, 26), "low_voltage"))
    assert tier.limit == Fraction(200, 3)
    water = Asked("water", Fraction(20), "m3", *bill_month("2025-10"), city="ansan")
    assert [(tier.item, tier.number, tier.left) for tier in tier_of(water)] == [("water", 1, 0), ("sewer", 1, 0)]


@pytest.mark.parametrize(
    ("used", "days", "limit", "day"),
    [(200, 10, 400, 21), (200, 10, 399, 20), (100, 10, 310, None), (0, 5, 1, None), (400, 10, 400, 11)],
)
def test_the_day_on_which_a_limit_is_passed(used: int, days: int, limit: int, day: int | None) -> None:
    """After k days k x used / days stand on the meter: the limit is passed on the first day that ends above it."""
    found = crossing_day(date(2025, 10, 1), Fraction(used), days, Fraction(limit), date(2025, 11, 1))
    assert found == (None if day is None else date(2025, 10, day))
    with pytest.raises(UsageError):
        crossing_day(date(2025, 10, 1), Fraction(1), 0, Fraction(1), date(2025, 11, 1))


def test_a_single_contract_is_shared_to_the_last_won() -> None:
    uses = {"101": Fraction(300), "102": Fraction(300), "103": Fraction(0)}
    found = allocate_single(power(0, contract="apartment_single"), uses, Fraction(150))
    assert found.whole is not None
    assert found.whole.use == 750
    assert found.total_won == found.whole.total
    own = [int(compute(power(use, contract="high_voltage")).total) for use in (300, 300, 0)]
    assert [int(flat.own.total) for flat in found.flats] == own
    assert found.common_won == found.total_won - sum(own)
    assert sum(flat.common_won for flat in found.flats) == found.common_won
    credit = allocate_single(power(0, contract="apartment_single"), {"a": Fraction(900), "b": Fraction(0)}, Fraction(0))
    assert credit.common_won < 0
    assert sum(flat.total_won for flat in credit.flats) == credit.total_won


def test_a_total_contract_shares_the_common_bill_by_area() -> None:
    uses = {"101": Fraction(300), "102": Fraction(400)}
    found = allocate_total(power(0, contract="apartment_total"), uses, 10_001, [Fraction(59), Fraction(84)])
    assert [int(flat.own.total) for flat in found.flats] == [57760, 83530]
    assert [flat.common_won for flat in found.flats] == [4126, 5875]
    assert found.total_won == 57760 + 83530 + 10_001
    with pytest.raises(BadInput, match="one weight"):
        allocate_total(power(0), uses, 1, [Fraction(1)])
    with pytest.raises(BadInput, match="without flats"):
        allocate_total(power(0), {}, 1)


@given(st.integers(0, 10**9), st.lists(st.fractions(0, 100), min_size=1, max_size=30).filter(any))
def test_shares_add_up_and_are_within_a_won(total: int, weights: list[Fraction]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    assert all(abs(share - total * weight / whole) < 1 for share, weight in zip(shares, weights, strict=True))
    with pytest.raises(BadInput):
        share_out(total, [Fraction(0)])
