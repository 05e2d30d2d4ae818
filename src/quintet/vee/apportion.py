"""Exact sharing and rounding in whole numbers: no float decides, and what is shared sums to what was there."""

from fractions import Fraction

import numpy as np

from .block import Ints

LARGEST = 2**63 - 1
SAFE_BITS = 62


def bits_of(values: Ints) -> int:
    """Give the bits of the largest magnitude."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0))).bit_length()


def roomy(values: Ints, factor: int) -> Ints:
    """Give values in a type in which they may be multiplied by a factor: int64, or unbounded integers if need be."""
    bits = bits_of(values) + factor.bit_length()
    return values.astype(np.int64 if bits <= SAFE_BITS else object, copy=False)


def apportion(total: int, weights: Ints) -> Ints:
    """Share a total by non-negative weights (their sum above 0) in whole numbers that sum to it exactly.

    Largest remainder (Hamilton's method); equal remainders favour the earlier. Products beyond 64 bits are taken in
    unbounded integers.
    """
    wide = roomy(weights, abs(total) * len(weights))
    whole = int(wide.sum())
    share = wide * total // whole
    rest = wide * total - share * whole
    left = total - int(share.sum())
    share = share.astype(np.int64)
    share[np.argsort(-rest, kind="stable")[:left]] += 1
    return share


def spread(total: int, length: int) -> Ints:
    """Share a total evenly; the odd sub-units go to the earliest."""
    each, left = divmod(total, length)
    return each + (np.arange(length) < left).astype(np.int64)


def divide_half_even(numerator: Ints, denominator: Ints | int) -> Ints:
    """Divide and round to the nearest whole number, halves to the even one. The denominator is positive."""
    down = numerator // denominator
    twice = 2 * (numerator - down * denominator)
    return down + ((twice > denominator) | ((twice == denominator) & (down % 2 == 1)))


def line(left: Ints, right: Ints, step: Ints, steps: Ints) -> Ints:
    """Give the straight line's value `step` of `steps` on the way from left to right, rounded half-even.

    The difference is split by `divmod` first, so that nothing larger than the values themselves is ever multiplied.
    """
    each, odd = np.divmod(right - left, steps)
    base = left + each * step
    # base moves by a whole number; parity for the half is that of the sum, hence the shift by base's own parity
    return base - base % 2 + divide_half_even(odd * step + (base % 2) * steps, steps)


def times_floor(values: Ints, factor: Fraction) -> Ints:
    """Give floor(values x factor) for values and factor >= 0, exactly; beyond 64 bits the largest int64.

    Needs numerator x denominator of the factor within 62 bits (the rules' loader sees to it).
    """
    top, bottom = factor.numerator, factor.denominator
    most = LARGEST // max(top, 1) * bottom
    safe = np.minimum(values, most - bottom if top > bottom else LARGEST)
    whole, odd = np.divmod(safe, bottom)
    return np.where(values > safe, LARGEST, whole * top + odd * top // bottom)
