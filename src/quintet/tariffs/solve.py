"""Questions about a bill that is not there yet: the tier, the next unit, less use, the day a limit is reached."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from quintet.terms.errors import UsageError

from .bill import Bill, compute
from .cards import Cards
from .request import Asked


@dataclass(frozen=True, slots=True)
class Tier:
    """Where a use stands in the blocks of one item: tier `number` of `count`, `left` units before the next.

    `unit_price` and `next_price` are the item's won per unit in this tier and the next (None: there is none).
    """

    item: str
    name_en: str
    name_ko: str
    number: int
    count: int
    unit: str
    limit: Fraction | None
    left: Fraction | None
    unit_price: Fraction
    next_price: Fraction | None


@dataclass(frozen=True, slots=True)
class Saving:
    """Two bills that differ in use only, and the won between them."""

    now: Bill
    then: Bill

    @property
    def won(self) -> Fraction:
        """Give what is saved, after all roundings."""
        return self.now.total - self.then.total


def tier_of(asked: Asked, table: Cards | None = None) -> list[Tier]:
    """Say the tier of each item that has blocks; a use at a limit is still in the tier below it.

    A bill that crosses a season or rate change has no one tier: UsageError.
    """
    bill = compute(asked, table)
    first, *more = bill.parts
    if more:
        raise UsageError(
            f"from {asked.start} to {asked.end} a season or rate changes, so that there is no one tier.",
            code="crosses_season",
            place="--from",
            remedy=f"Ask up to {more[0].start}, or for one month.",
            said={"day": more[0].start},
        )
    scale = bill.months * asked.households
    out: list[Tier] = []
    for charge in first.charges:
        if charge.method == "blocks":
            at = sum(bill.use > limit * scale for limit in charge.limits)
            limit = charge.limits[at] * scale if at < len(charge.limits) else None
            out.append(
                Tier(
                    charge.item, charge.name_en, charge.name_ko, at + 1, len(charge.values), bill.unit, limit,
                    None if limit is None else limit - bill.use, charge.values[at],
                    charge.values[at + 1] if at + 1 < len(charge.values) else None,
                )
            )  # fmt: skip
    return out


def next_unit_won(asked: Asked, table: Cards | None = None) -> Fraction:
    """Give what one more unit (of the use as asked) adds to the bill, base step, taxes and roundings included."""
    return compute(asked.with_use(asked.use + 1), table).total - compute(asked, table).total


def what_if_less(asked: Asked, less: Fraction, table: Cards | None = None) -> Saving:
    """Compute the bill and the one with `less` used; `less` is 0 or more, and at most the use."""
    if not 0 <= less <= asked.use:
        raise UsageError(
            "is not between 0 and the use.", code="bad_less", place="--less", remedy="Nobody uses less than nothing."
        )
    return Saving(compute(asked, table), compute(asked.with_use(asked.use - less), table))


def crossing_day(
    start: date, used: Fraction, days: int | Fraction, limit: Fraction, end: date, begun: Fraction | int = 0
) -> date | None:
    """Give the day on which a use passes a limit at the pace of the `days` so far; None: not before `end`, exclusive.

    After k days at `used` / `days` a day, the limit is passed on the first day whose end has more than the limit. So
    much of a day, `begun`, was over when use began; below zero: it began before `start`.
    """
    if days <= 0 or used < 0:
        raise UsageError("a pace wants a day at least.", code="bad_pace", place="--day", remedy="Ask after a day.")
    if used == 0:
        return None
    day = start + timedelta(days=floor(begun + limit * days / used))
    return day if day < end else None
