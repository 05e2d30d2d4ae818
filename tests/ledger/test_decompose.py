"""A change taken apart adds up to the last digit, whatever the order of causes."""

from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.ledger.decompose import (
    ACTIVITY,
    CARRIERS,
    GAPS,
    INTENSITY,
    PARTS,
    SUPPLY,
    WEATHER,
    WORDS,
    CarrierState,
    PeriodState,
    RatioState,
    emission_parts,
    ratio_parts,
    shapley,
)

POSITIVE = st.fractions(min_value=Fraction(1, 100), max_value=10**9, max_denominator=1000)
SHARE = st.fractions(min_value=Fraction(-1, 2), max_value=Fraction(9, 10), max_denominator=100)


@st.composite
def periods(draw: st.DrawFn) -> tuple[PeriodState, PeriodState]:
    content = {"electricity": Fraction(1), "gas": draw(POSITIVE), "water": None}
    names = draw(st.lists(st.sampled_from(sorted(content)), unique=True, max_size=3))

    def one(later: bool) -> PeriodState:
        carriers: dict[str, CarrierState] = {}
        for name in names:
            used = draw(POSITIVE)
            weather = used * draw(SHARE) if later else Fraction(0)
            carriers[name] = CarrierState(used, weather, content[name], draw(POSITIVE), draw(POSITIVE))
        return PeriodState(draw(POSITIVE), carriers)

    return one(False), one(True)


def total(period: PeriodState) -> Fraction:
    return sum((one.kg for one in period.carriers.values()), Fraction(0))


@given(periods())
def test_the_parts_add_up_to_the_change_to_the_last_digit(pair: tuple[PeriodState, PeriodState]) -> None:
    before, after = pair
    assert sum(emission_parts(before, after).values()) == total(after) - total(before)


@given(periods())
def test_what_goes_there_comes_back(pair: tuple[PeriodState, PeriodState]) -> None:
    before, after = pair
    there, back = emission_parts(before, after), emission_parts(after, before)
    assert {name: -part for name, part in back.items()} == there


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(POSITIVE, POSITIVE), min_size=1))
def test_no_order_of_causes_makes_another_part(of: dict[str, tuple[Fraction, Fraction]]) -> None:
    def value(changed: frozenset[str]) -> Fraction:
        out = Fraction(1)
        for name, pair in of.items():
            out = out * pair[name in changed] + 1
        return out

    told = [shapley(order, value) for order in permutations(of)]
    assert all(one == told[0] for one in told)


def test_each_cause_alone_is_told_as_itself() -> None:
    base = CarrierState(Fraction(100), Fraction(0), Fraction(1), Fraction(40), Fraction(1))
    before = PeriodState(Fraction(10), {"heat": base})
    cases = {
        WEATHER: (10, CarrierState(Fraction(120), Fraction(20), Fraction(1), Fraction(48), Fraction(1))),
        ACTIVITY: (12, CarrierState(Fraction(120), Fraction(0), Fraction(1), Fraction(48), Fraction(1))),
        INTENSITY: (10, CarrierState(Fraction(120), Fraction(0), Fraction(1), Fraction(48), Fraction(1))),
        SUPPLY: (10, CarrierState(Fraction(100), Fraction(0), Fraction(1), Fraction(48), Fraction(1))),
        GAPS: (10, CarrierState(Fraction(100), Fraction(0), Fraction(1), Fraction(32), Fraction(5, 4))),
    }
    for cause, (activity, state) in cases.items():
        parts = emission_parts(before, PeriodState(Fraction(activity), {"heat": state}))
        assert parts.pop(cause) == state.kg - 40, cause
        assert not any(parts.values()), cause


def test_a_switch_of_carriers_is_a_share_and_no_saving() -> None:
    def state(power: int, gas: int) -> PeriodState:
        one = Fraction(1)
        return PeriodState(
            Fraction(10),
            {
                "electricity": CarrierState(Fraction(power), Fraction(0), one, Fraction(power, 2), one),
                "gas": CarrierState(Fraction(gas), Fraction(0), one, Fraction(gas, 5), one),
            },
        )

    parts = emission_parts(state(50, 50), state(80, 20))
    assert parts.pop(CARRIERS) == Fraction(30, 2) - Fraction(30, 5)
    assert not any(parts.values())


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE, SHARE)
def test_self_sufficiency_adds_up_too(
    made: Fraction,
    used: Fraction,
    active: Fraction,
    made2: Fraction,
    used2: Fraction,
    active2: Fraction,
    warm: Fraction,
) -> None:
    before, after = RatioState(made, used, Fraction(0), active), RatioState(made2, used2, used2 * warm, active2)
    parts = ratio_parts(before, after)
    if isinstance(parts, str):
        assert warm < 0, "only weather that saved more than all use leaves nothing to divide by"
    else:
        assert sum(parts.values()) == made2 / used2 - made / used


def test_every_part_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(PARTS)
    assert all(english and korean and english != korean for english, korean in WORDS.values())


def test_nothing_to_take_apart_is_nothing() -> None:
    empty = PeriodState(Fraction(1), {})
    assert set(emission_parts(empty, empty).values()) == {Fraction(0)}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_equal_causes_have_equal_parts(count: int) -> None:
    parts = shapley([str(at) for at in range(count)], lambda changed: Fraction(len(changed) ** 2))
    assert set(parts.values()) == {Fraction(count)}
