"""Sharing and rounding in whole numbers, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.vee.apportion import LARGEST, apportion, divide_half_even, line, spread, times_floor

AMOUNT = st.integers(0, 2**60)
SIGNED = st.integers(-(2**60), 2**60)


@given(st.integers(-(2**60), 2**60), st.lists(AMOUNT, min_size=1, max_size=100).filter(any))
def test_shares_sum_to_the_total_and_miss_the_exact_share_by_less_than_one(total: int, weights: list[int]) -> None:
    if sum(weights) >= 2**62:
        weights = [weight >> 7 for weight in weights] + [1]
    share = apportion(total, np.array(weights, np.int64)).tolist()
    assert sum(share) == total
    for part, weight in zip(share, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(st.integers(0, 10**6), st.lists(st.integers(0, 50), min_size=2, max_size=30).filter(any))
def test_larger_weights_never_get_less_and_ties_favour_the_earlier(total: int, weights: list[int]) -> None:
    share = apportion(total, np.array(weights, np.int64)).tolist()
    for earlier in range(len(weights)):
        for later in range(earlier + 1, len(weights)):
            if weights[earlier] >= weights[later]:
                assert share[earlier] >= share[later]


def test_ties_go_to_the_earlier_interval() -> None:
    assert apportion(5, np.array([1, 1, 1, 1])).tolist() == [2, 1, 1, 1]
    assert apportion(-5, np.array([1, 1, 1, 1])).tolist() == [-1, -1, -1, -2]


def test_products_beyond_64_bits_stay_exact() -> None:
    weights = np.array([2**60, 2**60 - 1, 3])
    share = apportion(2**59 + 1, weights).tolist()
    assert sum(share) == 2**59 + 1
    assert share[2] in (0, 1)


@given(st.integers(-(2**60), 2**60), st.integers(1, 500))
def test_an_even_spread_sums_and_differs_by_one_at_most(total: int, length: int) -> None:
    share = spread(total, length).tolist()
    assert sum(share) == total
    assert share == sorted(share, reverse=True)
    assert share[0] - share[-1] <= 1


@given(st.lists(SIGNED, min_size=1, max_size=20), st.integers(1, 7))
def test_division_rounds_halves_to_even(numerators: list[int], denominator: int) -> None:
    got = divide_half_even(np.array(numerators, np.int64), denominator).tolist()
    assert got == [round(Fraction(numerator, denominator)) for numerator in numerators]


@given(SIGNED, SIGNED, st.integers(1, 121), st.data())
def test_a_line_is_the_exact_line_rounded_half_even(left: int, right: int, steps: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps))
    got = line(*(np.array([number], np.int64) for number in (left, right, step, steps)))
    assert got.tolist() == [round(left + Fraction((right - left) * step, steps))]


@given(AMOUNT, st.fractions(0, 1000, max_denominator=10**6))
def test_times_floor_is_exact_and_saturates(value: int, factor: Fraction) -> None:
    got = int(times_floor(np.array([value], np.int64), factor)[0])
    exact = value * factor.numerator // factor.denominator
    assert got == exact or (exact > LARGEST - 2 * factor.numerator and got == LARGEST)


@pytest.mark.parametrize(("value", "factor", "want"), [(5, "2.8", 14), (4, "2.8", 11), (7, "0.25", 1), (9, "0", 0)])
def test_times_floor_at_its_edges(value: int, factor: str, want: int) -> None:
    assert times_floor(np.array([value], np.int64), Fraction(factor)).tolist() == [want]
