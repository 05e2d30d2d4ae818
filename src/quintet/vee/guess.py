"""What an estimator is asked and what it must answer; an answer that does not fit is refused, naming the estimator.

An estimator is a pure function of measured values. It is handed read-only arrays, and answers for every cell of every
gap asked, in their order: so it can neither leave a cell out unnoticed nor touch another.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quintet.terms.errors import BadInput

from .alike import LikeDays
from .block import Gaps, Ints, Mask
from .past import Past


@dataclass(frozen=True)
class Known:
    """Amounts of other meters over a block's cells (m x n), where `known`."""

    value: Ints
    known: Mask


@dataclass(frozen=True)
class Others:
    """What others know of a block's cells; each may be left out (see others.py)."""

    outage: Mask | None = None
    check: Known | None = None
    parent: Known | None = None
    siblings: Known | None = None
    profile: Known | None = None
    homes: Known | None = None


@dataclass(frozen=True)
class Asked:
    """Gaps (g of them, c cells together) to be filled from what `pasts` hold: the block itself, then its history."""

    pasts: list[Past]
    gaps: Gaps
    others: Others | None = None

    @property
    def settings(self) -> LikeDays:
        """Which days are alike, and which qualities may serve."""
        return self.pasts[0].settings

    @property
    def cells(self) -> int:
        """Count the cells asked for."""
        return int(self.gaps.length.sum())


@dataclass(frozen=True)
class Guess:
    """One value a cell as a fraction, `top` / `bottom` in sub-units (c entries each; `bottom` > 0), where `said`."""

    top: Ints
    bottom: Ints
    said: Mask

    @classmethod
    def nothing(cls, cells: int) -> "Guess":
        """Say nothing of some cells."""
        return cls(np.zeros(cells, np.int64), np.ones(cells, np.int64), np.zeros(cells, np.bool_))


@dataclass(frozen=True, slots=True)
class Estimator:
    """An estimator's function by its name in data."""

    name: str
    function: Callable[[Asked], Guess]


def guessed(estimator: Estimator, asked: Asked) -> Guess:
    """Ask an estimator; raises BadInput naming it where it answers for fewer or more cells than asked, or writes."""
    try:
        guess = estimator.function(asked)
    except ValueError as error:
        raise bad_estimator(estimator.name, f"cannot be asked: {error}") from error
    lengths = {len(guess.top), len(guess.bottom), len(guess.said)}
    if lengths != {asked.cells}:
        raise bad_estimator(estimator.name, f"gave {min(lengths)} values of {asked.cells} asked")
    if asked.cells and (guess.bottom.min() < 1 or guess.said.dtype != np.bool_):
        raise bad_estimator(estimator.name, "gave no fractions")
    return guess


def bad_estimator(name: str, what: str) -> BadInput:
    """Say of an estimator what is wrong with it."""
    remedy = "Mend it, or take it out of the order of estimators; nothing was estimated with it."
    return BadInput(f"{what}.", code="bad_estimator", place=f"estimator {name}", remedy=remedy)
