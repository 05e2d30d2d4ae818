"""What is said of a bill under way agrees with bills reckoned directly: tier, day, rest, less use, incentives."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import Asked, Bill, bill_month, compute, tier_of, what_if_less
from quintet.tariffs.incentives import program_on, standing, won_of
from quintet.tariffs.pace import pace_of, use_for

DAY = date(2025, 10, 1)
MONTHS = st.sampled_from([f"2025-{month:02}" for month in range(1, 13)])
CONTRACTS = st.sampled_from(["low_voltage", "high_voltage", "apartment_single"])
USES = st.one_of(st.integers(1, 1500).map(Fraction), st.fractions(1, 1500, max_denominator=1000))


def power(use: Fraction, month: str, contract: str = "low_voltage") -> Asked:
    return Asked("electricity", use, "kWh", *bill_month(month), contract)


def exact_energy(asked: Asked) -> Fraction:
    line = next(line for line in compute(asked).lines if line.item == "energy")
    return sum((piece.won for piece in line.pieces), Fraction(0))


@given(CONTRACTS, USES, MONTHS)
def test_what_is_left_of_a_tier_costs_its_price_and_a_unit_beyond_the_next(
    contract: str, use: Fraction, month: str
) -> None:
    asked = power(use, month, contract)
    (tier,) = tier_of(asked)
    if tier.left is None:
        assert exact_energy(power(use + 1, month, contract)) - exact_energy(asked) == tier.unit_price
        return
    at_limit = asked.with_use(use + tier.left)
    assert exact_energy(at_limit) - exact_energy(asked) == tier.left * tier.unit_price
    beyond = asked.with_use(use + tier.left + Fraction(1, 1000))
    assert (exact_energy(beyond) - exact_energy(at_limit)) * 1000 == tier.next_price
    assert [one.number for one in tier_of(at_limit)] == [tier.number]
    assert [one.number for one in tier_of(beyond)] == [tier.number + 1]


@given(USES, st.integers(1, 28), MONTHS)
def test_each_tier_begins_on_the_first_day_that_ends_above_its_limit(use: Fraction, days: int, month: str) -> None:
    """Day by day at the pace so far, the tier that a bill of what was used by each evening stands in."""
    asked = power(use, month)
    found = pace_of(asked, days)
    begun: dict[int, date] = {}
    for at in range(asked.days):
        (tier,) = tier_of(asked.with_use(use / days * (at + 1)))
        for number in range(2, tier.number + 1):
            begun.setdefault(number, asked.start + timedelta(days=at))
    assert {one.number: one.day for one in found.crossings} == {
        one.number: begun.get(one.number) for one in found.crossings
    }
    assert [one.passed for one in found.crossings] == [use > one.limit for one in found.crossings]
    assert found.then.total == compute(asked.with_use(use / days * asked.days)).total


@given(CONTRACTS, st.integers(0, 1500), st.integers(0, 1500), MONTHS)
def test_less_use_saves_the_difference_of_two_bills(contract: str, use: int, less: int, month: str) -> None:
    now, then = (compute(power(Fraction(one), month, contract)) for one in (max(use, less), abs(use - less)))
    saving = what_if_less(power(now.use, month, contract), now.use - then.use)
    assert (saving.won, saving.then.total) == (now.total - then.total, then.total)
    assert saving.won >= 0


@given(st.integers(1020, 500_000), MONTHS)
def test_the_use_for_a_budget_is_the_most(budget: int, month: str) -> None:
    def total(bill: Bill, more: int) -> Fraction:
        return compute(replace(bill.asked, use=bill.use + more)).total

    most = use_for(power(Fraction(0), month), Fraction(budget))
    assert total(most, 0) <= budget < total(most, 1)


@given(
    st.sampled_from([("cashback", "electricity"), ("points", "electricity"), ("points", "water"), ("points", "gas")]),
    st.fractions(1, 2000, max_denominator=100),
    st.fractions(0, Fraction(3, 2), max_denominator=500),
)
def test_the_next_step_and_one_percent_more_are_what_using_less_pays(
    which: tuple[str, str], baseline: Fraction, share: Fraction
) -> None:
    program, use = program_on(*which, DAY), baseline * share
    found = standing(program, which[1], baseline, use)
    assert found.won == won_of(program, which[1], baseline, (baseline - use) / baseline)
    if use >= baseline / 100:
        later = standing(program, which[1], baseline, use - baseline / 100)
        assert later.won == found.won + found.one_more_won
    if found.next_left is None or found.next_left > use:
        return
    reached = standing(program, which[1], baseline, use - found.next_left)
    short = standing(program, which[1], baseline, use - found.next_left * Fraction(999, 1000))
    assert reached.step == found.next_step
    assert (short.step, short.paid) == (found.step, found.paid)
    assert reached.paid > found.paid
