"""Numbers as received: the shortest decimal that means a double, exactly; what no meter shows is masked."""

from decimal import Decimal, InvalidOperation

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quintet.terms.amount import LARGEST, decimals_of, split

METERED = st.decimals(-(10**9), 10**9, places=3).map(float)
TINY = 1e-100
"""Below this an exponent may not fit its byte; a test of its own says what becomes of such numbers."""
ANY = st.floats(-LARGEST, LARGEST).filter(lambda value: value == 0 or abs(value) > TINY)
PRINTED = st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 20)).map(lambda pair: float(f"{pair[0]}e-{pair[1]}"))


def shortest(value: float) -> Decimal:
    return Decimal(repr(value))


@given(st.lists(st.one_of(METERED, PRINTED, ANY), max_size=30))
@example([0.1 + 0.2, 1 / 3, 1e15, -1e15, 0.0, -0.0, 123456789012345.6, 2.5e-16, 1e-22, 9007199254740993.0 / 10])
def test_every_double_becomes_the_decimal_it_prints_as(values: list[float]) -> None:
    mantissa, exponent, fine = decimals_of(np.array(values, np.float64))
    assert (mantissa.dtype, exponent.dtype, fine.dtype) == (np.int64, np.int8, np.bool_)
    for value, m, e, good in zip(values, mantissa.tolist(), exponent.tolist(), fine.tolist(), strict=True):
        assert good
        assert Decimal(m).scaleb(e) == shortest(value)
        assert float(Decimal(m).scaleb(e)) == value
        assert e <= 0


@pytest.mark.parametrize("value", [5e-324, 2.2250738585072014e-308, 1e-150, -3e-129, 1.5e-120])
def test_what_is_too_small_for_any_meter_is_zero_or_masked_and_no_other_number(value: float) -> None:
    mantissa, exponent, fine = decimals_of(np.array([value]))
    if fine[0]:
        assert abs(Decimal(int(mantissa[0])).scaleb(int(exponent[0])) - shortest(value)) < Decimal("1e-18")
    else:
        assert (mantissa[0], exponent[0]) == (0, 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 1.0000001e15, -1.1e15])
def test_what_no_meter_shows_is_masked_and_zero(value: float) -> None:
    mantissa, exponent, fine = decimals_of(np.array([1.5, value, 2.25]))
    assert fine.tolist() == [True, False, True]
    assert mantissa.tolist() == [15, 0, 225]
    assert exponent.tolist() == [-1, 0, -2]


def test_the_largest_that_is_taken() -> None:
    mantissa, exponent, fine = decimals_of(np.array([LARGEST, -LARGEST, np.nextafter(LARGEST, np.inf)]))
    assert fine.tolist() == [True, True, False]
    assert (mantissa[:2].tolist(), exponent[:2].tolist()) == ([10**15, -(10**15)], [0, 0])


def test_nothing_gives_nothing() -> None:
    assert [len(column) for column in decimals_of(np.zeros(0))] == [0, 0, 0]


@given(
    st.lists(st.one_of(METERED, ANY, st.just(float("nan"))), min_size=1, max_size=20), st.randoms(use_true_random=False)
)
def test_a_value_means_the_same_in_any_company(values: list[float], dice: object) -> None:
    order = list(range(len(values)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    together = decimals_of(np.array(values))
    shuffled = decimals_of(np.array([values[at] for at in order]))
    for one, other in zip(together, shuffled, strict=True):
        assert one[order].tolist() == other.tolist()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**11), max_value=10**11))
def test_a_decimal_is_split_exactly(number: Decimal) -> None:
    mantissa, exponent = split(number)
    assert Decimal(mantissa).scaleb(exponent) == number
    assert mantissa % 10 != 0 or mantissa == 0


def test_more_than_eighteen_digits_are_cut() -> None:
    assert split(Decimal("-0.12345678901234567899")) == (-123456789012345678, -18)
    assert split(Decimal("12345678901234567899")) == (123456789012345678, 2)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidOperation):
        split(Decimal(text))
