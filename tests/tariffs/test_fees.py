"""The television licence fee: outside tax and fund, only where asked for, by whole months, none for little use."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from quintet.tariffs import Asked, bill_month, compute
from quintet.tariffs.agreements import terms_of
from quintet.tariffs.cards import cards
from quintet.tariffs.complexes import allocate_single, allocate_total
from quintet.tariffs.facts import refuse_unfit
from quintet.tariffs.fees import TV_FEE
from quintet.tariffs.many import compute_many
from quintet.terms.errors import BadInput, NotFound, UsageError

ASKED = Asked("electricity", Fraction(223), "kWh", *bill_month("2025-10"), "low_voltage", options={TV_FEE: Fraction(1)})


@pytest.mark.parametrize(
    ("use", "start", "end", "won"),
    [
        (223, "2025-10-01", "2025-11-01", 2500), (50, "2025-10-01", "2025-11-01", 2500),
        (49, "2025-10-01", "2025-11-01", 0), (223, "2025-10-01", "2025-12-01", 5000),
        (99, "2025-10-01", "2025-12-01", 0), (223, "2025-10-01", "2025-10-11", 0),
    ],
)  # fmt: skip
def test_the_fee_of_a_bill(use: int, start: str, end: str, won: int) -> None:
    days = date.fromisoformat(start), date.fromisoformat(end)
    with_fee = compute(Asked("electricity", Fraction(use), "kWh", *days, "low_voltage", options={TV_FEE: Fraction(1)}))
    plain = compute(Asked("electricity", Fraction(use), "kWh", *days, "low_voltage", options={TV_FEE: Fraction(0)}))
    assert with_fee.total == plain.total + won
    assert with_fee.lines == (*plain.lines, with_fee.lines[-1])
    assert (with_fee.lines[-1].item, with_fee.lines[-1].won) == (TV_FEE, won)


def test_many_bills_have_the_fee_that_each_has_alone() -> None:
    uses = [0, 49_999, 50_000, 50_001, 223_000]
    fine = Asked("electricity", Fraction(1, 1000), "kWh", *bill_month("2025-10"), "low_voltage", options=ASKED.options)
    many = compute_many(fine, uses)
    alone = [compute(ASKED.with_use(Fraction(use, 1000))) for use in uses]
    assert many.total.tolist() == [bill.total for bill in alone]
    won = many.lines[-1].won
    assert won is not None
    assert (
        [won.at(row) for row in range(len(uses))] == [bill.lines[-1].won for bill in alone] == [0, 0, 2500, 2500, 2500]
    )


def test_a_complex_shares_no_fee() -> None:
    """It is each household's own, and no part of what the complex is billed for."""
    uses = {"101": Fraction(300), "102": Fraction(400)}
    fee = replace(ASKED, contract="apartment_single")
    plain = replace(fee, options={})
    assert allocate_single(fee, uses, Fraction(50)).total_won == allocate_single(plain, uses, Fraction(50)).total_won
    assert (
        allocate_total(ASKED, uses, 1000).total_won == allocate_total(replace(ASKED, options={}), uses, 1000).total_won
    )


def test_where_there_is_none() -> None:
    with pytest.raises(UsageError, match="bill of electricity"):
        compute(Asked("water", Fraction(1), "m3", *bill_month("2025-10"), city="ansan", options=ASKED.options))
    with pytest.raises(UsageError, match="one household"):
        Asked("electricity", Fraction(1), "kWh", *bill_month("2025-10"), households=3, options=ASKED.options)
    with pytest.raises(NotFound, match="not known to hold"):
        compute(Asked("electricity", Fraction(1), "kWh", *bill_month("2027-03"), "low_voltage", options=ASKED.options,
                      provisional=True))  # fmt: skip


@pytest.mark.parametrize(
    ("commodity", "said", "says"),
    [
        ("water", {"card_city": "ansan", "pipe_mm": "15"}, "Known: 13;"),
        ("water", {"pipe_mm": "21"}, "Known: 13, 20, 25,"),
        ("water", {"contract": "household", "card_city": "gimhae"}, "bill cards"),
        ("water", {"area_m2": "84"}, "Leave it out"),
        ("heat", {"area_m2": "0"}, "above 0"),
        ("gas", {"calorific": "0"}, "above 0"),
        ("gas", {"contract": "residential", "pipe_mm": "13"}, "Leave it out"),
        ("electricity", {"tv_fee": "2"}, "It is 1 where"),
        ("gas", {"tv_fee": "1"}, "It is 1 where"),
    ],
)
def test_a_fact_that_fits_no_card_is_refused(commodity: str, said: dict[str, str], says: str) -> None:
    stated = terms_of({"place": "a", "commodity": commodity, "source": "x", **said})
    with pytest.raises(BadInput) as error:
        refuse_unfit(stated.key, stated.body, cards())
    assert (says in error.value.remedy, "billing a, " in error.value.place) == (True, True)


@pytest.mark.parametrize(
    ("commodity", "said"),
    [
        ("water", {"card_city": "ansan", "pipe_mm": "13"}), ("water", {"pipe_mm": "13"}), ("heat", {"area_m2": "84.9"}),
        ("heat", {"contract": "business", "capacity": "100"}), ("gas", {"calorific": "42.7", "correction": "0.99"}),
        ("electricity", {"tv_fee": "1", "common_won": "0"}),
        ("electricity:common", {"unit_price": "0", "base_won": "0"}),
    ],
)  # fmt: skip
def test_a_fact_that_fits_is_taken(commodity: str, said: dict[str, str]) -> None:
    stated = terms_of({"place": "a", "commodity": commodity, "source": "x", **said})
    refuse_unfit(stated.key, stated.body, cards())


@pytest.mark.parametrize(("commodity", "relief", "says"), [
    ("electricity", "rich", "large_family"), ("water", "large_family", "None is known"),
    ("electricity", "newborn+large_family", "combines with"), ("electricity", "near_poor+", "Known"),
])  # fmt: skip
def test_a_reduction_that_cannot_be_granted_is_refused(commodity: str, relief: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        terms_of({"place": "a", "commodity": commodity, "source": "x", "relief": relief})
    assert (says in error.value.remedy, error.value.place) == (True, f"billing a, {commodity}, relief")
