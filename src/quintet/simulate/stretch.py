"""What faults are put into: a stretch of one meter's sound readings, and the parts that injectors are made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quintet.terms.period import HOUR_US

from .plan import Floats, Ints

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stretch:
    """What one meter sent: n readings at even moments (us, UTC), in the meter's own unit.

    A register's n readings bound n - 1 intervals; else each of n values is the amount of the interval from its moment
    on. `begin` is the interval at which a fault is to begin; `wrap` is 10**dials (0: unknown). `other` is what another
    meter of the same kind sent at these moments.
    """

    at_us: Ints
    value: Floats
    cadence_us: int
    register: bool
    begin: int
    wrap: float = 0.0
    other: Floats | None = None

    @property
    def amounts(self) -> Floats:
        """What was used in each interval."""
        return np.diff(self.value) if self.register else self.value

    @property
    def mean(self) -> float:
        """The mean use of an interval, 1 where nothing was used."""
        return float(self.amounts.mean()) or 1.0


@dataclass(frozen=True)
class Faulted:
    """Readings with a fault: moments and values in any number and order, and which intervals it touched."""

    at_us: Ints
    value: Floats
    touched: Mask


@dataclass(frozen=True, slots=True)
class Injector:
    """One kind of fault: what makes it, what its magnitude counts, and which readings it fits ("sum", "register").

    `held` marks those that were kept out of sight while rules were made.
    """

    code: str
    inject: Callable[[Stretch, float, np.random.Generator], Faulted]
    unit: str
    magnitudes: tuple[float, ...]
    kinds: frozenset[str]
    held: bool = False


def touched_between(stretch: Stretch, first: int, end: int) -> Mask:
    """Mark the intervals [first, end) of a stretch."""
    out = np.zeros(len(stretch.amounts), np.bool_)
    out[max(first, 0) : end] = True
    return out


def intervals_in(stretch: Stretch, hours: float) -> int:
    """Count the intervals in so many hours, at least one."""
    return max(round(hours * HOUR_US / stretch.cadence_us), 1)


def window_of(stretch: Stretch, hours: float) -> slice:
    """Give the readings of so many hours from the fault's beginning on; a register's first one ends its interval."""
    first = stretch.begin + int(stretch.register)
    return slice(first, min(first + intervals_in(stretch, hours), len(stretch.value)))


def said(stretch: Stretch, value: Floats, window: slice, *, after: bool = False) -> Faulted:
    """Give a stretch with other values in a window. A register's wrong reading spoils the interval after it too."""
    first = window.start - int(stretch.register)
    return Faulted(
        stretch.at_us, value, touched_between(stretch, first, window.stop - int(stretch.register) + int(after))
    )


def counted(stretch: Stretch, amounts: Floats, first: int, end: int) -> Faulted:
    """Give a stretch that measured other amounts: a register counts them on."""
    value = stretch.value[0] + np.concatenate([[0.0], np.cumsum(amounts)]) if stretch.register else amounts
    return Faulted(stretch.at_us, np.round(value, 6), touched_between(stretch, first, end))
