"""What a home's use costs: its contracts, the rate cards in force, and why a price cannot be said."""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from quintet.terms.errors import NotFound, QuintetError
from quintet.terms.period import day_start, from_us, local_day, to_us
from quintet.terms.unit import Unit

from .agreements import Agreements, cards_of, provisional
from .bill import ROUNDING, Bill, compute
from .dwellings import AREA
from .fees import TV_FEE
from .request import Asked

WHOLE = (ROUNDING, TV_FEE)
"""Lines that belong to no hour of use: they come with the whole bill."""
NOT_AGREED, NOT_POSSIBLE, LACKS, PROVISIONAL = "not_agreed", "not_possible", "lacks", "provisional"


@dataclass(frozen=True, slots=True)
class Priced:
    """A bill, or why there is none; `why` names also what of it is not whole or not certain."""

    bill: Bill | None
    why: tuple[str, ...]

    @property
    def exact(self) -> Fraction:
        """Give the won before any rounding, so that small amounts can be told apart."""
        if self.bill is None:
            return Fraction(0)
        return sum((_exact(line) for line in self.bill.lines if line.item not in WHOLE), Fraction(0))


class HomeRates:
    """The contracts and rate cards that one registry states."""

    def __init__(self, registry: Any) -> None:
        """Read what is stated; cheap to ask afterwards."""
        self.table = cards_of(registry.timelines)
        self._provisional = provisional(registry.timelines)
        self._agreements = Agreements(registry.timelines, registry.tree.path)
        self._tz = registry.tz
        self._bodies = registry.tree.bodies

    def asked(self, place: str, commodity: str, unit: Unit, start: date, end: date) -> Asked | None:
        """Say what bill of no use is asked for over [start, end); None where no contract is stated."""
        found = self._agreements.at(place, commodity, to_us(day_start(start, self._tz)))
        if found is None:
            return None
        area = self._bodies[place].get("floor_area_m2")
        options = dict(found.options)
        asked = Asked(
            commodity, Fraction(0), unit.code, start, end, found.contract, found.city, found.branch, 1, options,
            found.relief, self._provisional,
        )  # fmt: skip
        if area is not None and AREA not in options and self._takes_area(asked):
            return replace(asked, options={**options, AREA: Fraction(str(area))})
        return asked

    def stretches(self, place: str, commodity: str, start: date, end: date) -> list[tuple[date, date]]:
        """Cut the days [start, end) where what is agreed changes: each stretch is a bill of its own."""
        low, high = (to_us(day_start(day, self._tz)) for day in (start, end))
        cuts = self._agreements.cuts(place, commodity, low, high)
        return list(pairwise([start, *(local_day(from_us(moment), self._tz) for moment in cuts), end]))

    def _takes_area(self, asked: Asked) -> bool:
        """Tell whether the card's charges want the area; the home's own is taken then."""
        try:
            pattern = compute(asked, self.table)
        except QuintetError:
            return False
        return any(charge.option == AREA for part in pattern.parts for charge in part.charges)

    def price(self, asked: Asked | None, use: Fraction) -> Priced:
        """Give the bill of a use in the unit that was asked."""
        if asked is None:
            return Priced(None, (NOT_AGREED,))
        try:
            bill = compute(asked.with_use(max(use, Fraction(0))), self.table)
        except NotFound as error:
            return Priced(None, (error.code,))
        except QuintetError:
            return Priced(None, (NOT_POSSIBLE,))
        why = (*((LACKS,) if bill.lacks else ()), *((PROVISIONAL,) if bill.beyond else ()))
        return Priced(bill, why)

    def added(self, asked: Asked | None, before: Fraction, after: Fraction) -> tuple[int | None, str | None]:
        """Give the won that a use adds to a bill that stands at `before`, and else why that cannot be said."""
        first, second = self.price(asked, before), self.price(asked, after)
        if first.bill is None or second.bill is None:
            return None, (first.why or second.why)[0]
        return round(second.exact - first.exact), None


@lru_cache(maxsize=4)
def rates_of(registry: Any) -> HomeRates:
    """Give what one registry states; all who read the same city share it."""
    return HomeRates(registry)


def _exact(line: Any) -> Fraction:
    """Give a line's won before its rounding, where its parts are known."""
    if line.pieces:
        return sum((piece.won for piece in line.pieces), Fraction(0))
    return line.won or Fraction(0)
