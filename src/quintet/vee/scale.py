"""E4 and rounding: what estimators guessed becomes whole sub-units, and meets a register's difference exactly."""

from math import lcm

import numpy as np

from .apportion import SAFE_BITS, apportion, bits_of, divide_half_even
from .block import Gaps, Ints, Mask
from .guess import Guess

COMMON = 2**20
"""A common denominator above this is worked out gap by gap, in unbounded integers."""


def rounded(guess: Guess) -> Ints:
    """Round each value to whole sub-units, halves to the even one."""
    value = divide_half_even(guess.top, guess.bottom)
    return value if value.dtype == np.int64 else value.astype(np.int64)


def scaled(guess: Guess, gaps: Gaps) -> tuple[Ints, Mask]:
    """Share each gap's total by the shape guessed; gives values by cell and, by gap, whether the shape could be scaled.

    It cannot where a cell has nothing said, or one has not the total's sign, or all are zero; a total of zero is zero
    everywhere. (Whether a total below zero may be shared at all is the order's to say.)
    """
    length = gaps.length.astype(np.int64)
    first = np.cumsum(length) - length
    value = np.zeros(len(guess.top), np.int64)
    fine = np.zeros(len(gaps), np.bool_)
    for size in np.unique(length).tolist():
        mine = np.flatnonzero(length == size)
        at = first[mine][:, None] + np.arange(size)
        top = guess.top[at]
        total = gaps.total[mine]
        top = np.where((total < 0)[:, None], -top, top)
        able = (top >= 0).all(axis=1) & (top > 0).any(axis=1)
        fine[mine] = guess.said[at].all(axis=1) & (able | (total == 0))
        good = fine[mine] & able
        if good.any():
            weights = weights_of(top[good], guess.bottom[at[good]])
            value[at[good]] = apportioned(gaps.total[mine[good]], weights)
    return value, fine


def weights_of(top: Ints, bottom: Ints) -> Ints:
    """Bring the fractions of each row (k x n) over a common denominator; gives the numerators."""
    if bool((bottom == bottom[:, :1]).all()):
        return top
    different = np.unique(bottom).tolist()
    common = lcm(*different)
    if common > COMMON:
        rows = [[lcm(*set(row)) // one for one in row] for row in bottom.tolist()]
        return top.astype(object) * np.array(rows, dtype=object)
    if bits_of(top) + common.bit_length() > SAFE_BITS:
        top = top.astype(object)
    return top * (common // bottom)


def apportioned(total: Ints, weights: Ints) -> Ints:
    """Share k totals by k rows of non-negative weights (k x n, each row's sum above 0), as `apportion` shares one.

    All rows at once where their products stay in 64 bits, the others one by one.
    """
    out = np.empty(weights.shape, np.int64)
    bits = bits_of(weights)
    fits = weights.dtype == np.int64 and bits + weights.shape[1].bit_length() <= SAFE_BITS
    small = (np.abs(total) < 1 << (SAFE_BITS - bits)) if fits else np.zeros(len(total), np.bool_)
    out[small] = _shared(total[small], weights[small])
    for row in np.flatnonzero(~small).tolist():
        out[row] = apportion(int(total[row]), weights[row])
    return out


def _shared(total: Ints, weights: Ints) -> Ints:
    """Share totals in 64 bits: largest remainder, equal remainders favour the earlier."""
    if not len(total):
        return np.zeros(weights.shape, np.int64)
    product = weights * total[:, None]
    whole = weights.sum(axis=1)[:, None]
    share = product // whole
    rest = product - share * whole
    left = total - share.sum(axis=1)
    # the smallest remainder that still gets one; where nothing is left, none is that large
    place = np.minimum(weights.shape[1] - left, weights.shape[1] - 1)
    least = np.where(left > 0, np.sort(rest, axis=1)[np.arange(len(total)), place], np.iinfo(np.int64).max)[:, None]
    more = rest > least
    equal = rest == least
    spare = (left - more.sum(axis=1))[:, None]
    return share + (more | (equal & (np.cumsum(equal, axis=1) <= spare)))
