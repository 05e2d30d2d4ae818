"""Where a bill is heading at the pace so far: projected use and bill, the day of each tier, and use for a budget.

A pace is what was used so far divided by the days in which it was: nothing is forecast, and answers say so.
"""

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

from quintet.terms.errors import UsageError

from .bill import Bill, compute
from .cards import Cards
from .request import Asked
from .solve import Tier, crossing_day, tier_of


@dataclass(frozen=True, slots=True)
class Crossing:
    """The day on which an item's tier `number` begins at this pace (None: not within the bill), `limit` units used."""

    item: str
    name_en: str
    name_ko: str
    number: int
    limit: Fraction
    unit_price: Fraction
    day: date | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """A bill under way after `days` of its days: what was used so far, and what it comes to at this pace.

    `now` is the bill of the whole period if nothing more were used; `then` that of the projected use.
    """

    days: int | Fraction
    per_day: Fraction
    projected: Fraction
    tiers: tuple[Tier, ...]
    crossings: tuple[Crossing, ...]
    now: Bill
    then: Bill


def pace_of(asked: Asked, days: int | Fraction, table: Cards | None = None, begun: Fraction | int = 0) -> Pace:
    """Say where a bill stands after some of its days (`asked.use` is what was used in them) and where it is heading.

    So much of its first day was over when its use began (`begun`; below zero: it began before). Raises UsageError where
    no day is over, or more days than the bill has.
    """
    if not 1 <= days <= asked.days:
        raise UsageError(
            f"{days} days are over, of {asked.days}.", code="bad_pace", place="--day",
            remedy=f"Say how many days of the bill are over: 1 to {asked.days}.",
        )  # fmt: skip
    now = compute(asked, table)
    used, per_day = now.use, now.use / days
    projected = per_day * (asked.days - begun)
    whole = replace(asked, use=projected, unit=now.unit)
    one_tier = len(now.parts) == 1
    tiers = tuple(tier_of(asked, table)) if one_tier else ()
    crossings = _crossings(now, used, days, begun) if one_tier else ()
    return Pace(days, per_day, projected, tiers, crossings, now, compute(whole, table))


def _crossings(now: Bill, used: Fraction, days: int | Fraction, begun: Fraction | int) -> tuple[Crossing, ...]:
    """Give the day of each limit of each item that has tiers."""
    asked, scale = now.asked, now.months * now.asked.households
    out: list[Crossing] = []
    for charge in now.parts[0].charges:
        if charge.method != "blocks":
            continue
        for at, price in enumerate(charge.values[1:], 1):
            limit = charge.limits[at - 1] * scale
            day = crossing_day(asked.start, used, days, limit, asked.end, begun)
            out.append(
                Crossing(charge.item, charge.name_en, charge.name_ko, at + 1, limit, price, day, passed=used > limit)
            )
    return tuple(out)


def use_for(asked: Asked, budget: Fraction, table: Cards | None = None) -> Bill:
    """Give the bill of the most whole units that cost no more than a budget in won.

    More use never costs less, so that halving finds it. Raises UsageError where even no use costs more.
    """
    least = compute(asked.with_use(Fraction(0)), table)
    if budget < least.total:
        raise UsageError(
            f"no use at all costs {int(least.total)} won already.", code="small_budget", place="--budget",
            remedy="Say a larger one.", said={"won": int(least.total)},
        )  # fmt: skip
    low, high = 0, 1
    while compute(asked.with_use(Fraction(high)), table).total <= budget:
        low, high = high, high * 2
        if high > MOST_UNITS:
            raise UsageError(
                "use costs nothing here, or the budget is no household's.", code="large_budget", place="--budget",
                remedy="Say a smaller one.",
            )  # fmt: skip
    while high - low > 1:
        middle = (low + high) // 2
        if compute(asked.with_use(Fraction(middle)), table).total <= budget:
            low = middle
        else:
            high = middle
    return compute(asked.with_use(Fraction(low)), table)


MOST_UNITS = 10**7
"""No household's month; above it a budget is a slip of the pen."""
