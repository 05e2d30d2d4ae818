"""Numbers as received: a decimal as mantissa and power of ten, found exactly and fast for whole columns."""

from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Exponents = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

MAX_MANTISSA = 2**53
MOST_PLACES = 22  # 10**22 is the largest power of ten that a double holds exactly
ROOM = 2**62
"""Below this, a sum fits into 64 bits."""
SMALLEST = 1e-100
LARGEST = 10**15
"""A reading beyond this many units is no meter's: rejected, so that no later sum overflows 64 bits."""


def decimals_of(values: npt.NDArray[np.float64]) -> tuple[Ints, Exponents, Mask]:
    """Split doubles into the shortest decimal that means them: value = mantissa * 10**exponent.

    Gives mantissas (int64), exponents (int8, <= 0) and a mask of the values that are finite and within +-LARGEST; where
    the mask is False both are 0. mantissa / 10**k is a correctly rounded division of two exact doubles, so when it
    gives the value back, the decimal printed is the one received (Clinger 1990). Longer numbers go through `repr`.
    """
    count = len(values)
    fine = np.isfinite(values)
    fine &= np.abs(np.where(fine, values, 0.0)) <= LARGEST
    mantissa = np.zeros(count, np.int64)
    exponent = np.zeros(count, np.int8)
    open_rows = np.flatnonzero(fine)
    for places in range(MOST_PLACES + 1):
        if not len(open_rows):
            break
        here = values[open_rows]
        scaled = np.rint(here * 10.0**places)
        exact = (scaled / 10.0**places == here) & (np.abs(scaled) < MAX_MANTISSA)
        hit = open_rows[exact]
        mantissa[hit] = scaled[exact].astype(np.int64)
        exponent[hit] = -places
        open_rows = open_rows[~exact]
    for row in open_rows:
        if abs(values[row]) >= SMALLEST:  # below that it is nothing in any sub-unit
            mantissa[row], exponent[row] = split(Decimal(repr(float(values[row]))))
    return mantissa, exponent, fine


def split(number: Decimal) -> tuple[int, int]:
    """Give mantissa and exponent of a decimal, cut to 18 significant digits (more than any register shows)."""
    sign, digits, exponent = number.normalize().as_tuple()
    if not isinstance(exponent, int):
        raise InvalidOperation(f"{number} is no number")
    if len(digits) > 18:
        exponent += len(digits) - 18
        digits = digits[:18]
    mantissa = int("".join(map(str, digits)))
    return (-mantissa if sign else mantissa), exponent
