"""Where a month is heading: the tier that comes before it ends, and the budget that a resident set.

By the pace of the days that are over (tariffs/pace.py). How sure it is follows from how much one day differs from the
next; nothing else is forecast.
"""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from quintet.tariffs.bill import Bill
from quintet.tariffs.pace import Crossing, Pace, pace_of
from quintet.terms.alert import MONTH, Figure
from quintet.terms.errors import QuintetError
from quintet.terms.period import day_start, to_us

from .chance import above
from .found import GAPS, MOVED_IN, NO_BUDGET, NO_PRICE, NO_TIERS, TOO_EARLY, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import HomeSeen, MonthUse

TIER, BUDGET = "tier", "budget"


def tier(home: HomeSeen) -> list[Outcome]:
    """Look for a tier that the month's pace reaches before its end."""
    return [_tier(home, commodity, use) for commodity, use in home.month.items()]


def _early(kind: str, home: HomeSeen, commodity: str, use: MonthUse) -> Unsaid | None:
    """Say that the month is too young, or not wholly known, for a pace."""
    needed = limits("pace")["least_days"]
    if use.over < needed:
        moved = home.since_us is not None and use.start > use.start.replace(day=1)
        return Unsaid(kind, commodity, MOVED_IN if moved else TOO_EARLY, {"days": use.over, "needed_days": needed})
    return None if use.whole else Unsaid(kind, commodity, GAPS, {"days": use.over})


def _tier(home: HomeSeen, commodity: str, use: MonthUse) -> Outcome:
    refused = _early(TIER, home, commodity, use)
    if refused is not None:
        return refused
    asked = home.rates.asked(home.place, commodity, use.unit, use.start, use.end)
    priced = home.rates.price(asked, use.used)
    if asked is None or priced.bill is None:
        return Unsaid(TIER, commodity, priced.why[0] if priced.why else NO_PRICE)
    if not _has_tiers(priced.bill):
        return Unsaid(TIER, commodity, NO_TIERS)
    projected = use.used * (use.end - use.start).days / use.over
    if _tiers_passed(priced.bill, projected) == _tiers_passed(priced.bill, use.used):
        return Fine(TIER, commodity)
    try:
        pace = pace_of(asked.with_use(use.used), use.over, home.rates.table)
    except QuintetError as error:
        return Unsaid(TIER, commodity, error.code)
    coming = next((one for one in pace.crossings if not one.passed and one.day is not None), None)
    return Fine(TIER, commodity) if coming is None else _crossed(home, commodity, use, coming, pace)


def _has_tiers(bill: Bill) -> bool:
    return len(bill.parts) == 1 and any(charge.method == "blocks" for charge in bill.parts[0].charges)


def _tiers_passed(bill: Bill, use: Fraction) -> int:
    """Count the limits, of all items, that a use in the unit asked is above."""
    scale, factor = bill.months * bill.asked.households, bill.use / bill.asked.use if bill.asked.use else Fraction(1)
    charges = [charge for charge in bill.parts[0].charges if charge.method == "blocks"]
    return sum(use * factor > limit * scale for charge in charges for limit in charge.limits)


def _spread(use: MonthUse) -> float:
    """Give the standard deviation of what the days to come add up to, in the unit asked."""
    left = (use.end - use.start).days - use.over
    if len(use.daily) < 2 or left <= 0:
        return 0.0
    deviation = float(np.std(use.daily.astype(np.float64), ddof=1)) / float(use.unit.ratio)
    # what is not known of the mean counts for each day to come
    return deviation * (left + left * left / len(use.daily)) ** 0.5


def _crossed(home: HomeSeen, commodity: str, use: MonthUse, coming: Crossing, pace: Pace) -> Outcome:
    bounds, projected, unit = limits("pace"), pace.projected, pace.now.unit
    asked = home.rates.asked(home.place, commodity, use.unit, use.start, use.end)
    factor = projected / (use.used * (use.end - use.start).days / use.over) if use.used else Fraction(1)
    limit = coming.limit / factor
    ends = projected / factor
    sure = above(float(ends), _spread(use), float(limit))
    won, reason = home.rates.added(asked, limit, ends)
    if 100 * sure < bounds["sure_percent"] or (won is not None and won < bounds["least_won"]):
        return Fine(TIER, commodity)
    assert coming.day is not None
    figures: dict[str, Figure] = {
        "tier": coming.number, "day": max(coming.day, home.today).isoformat(), "limit": round(float(coming.limit), 1),
        "ends": round(float(projected), 1), "item_en": coming.name_en, "item_ko": coming.name_ko,
        "price": round(float(coming.unit_price), 1), "unit": unit, "month": f"{use.start:%Y-%m}",
    }  # fmt: skip
    since_us = _moment(home, home.today)
    return Found(TIER, commodity, since_us, _moment(home, use.start), figures, won, MONTH, reason or "", sure)


def budget(home: HomeSeen) -> list[Outcome]:
    """Look whether the month is heading beyond the budget that a resident set."""
    bound = home.budget_won
    if bound is None:
        return [Unsaid(BUDGET, "", NO_BUDGET)]
    uses = list(home.month.items())
    early = [refused for code, use in uses for refused in [_early(BUDGET, home, code, use)] if refused is not None]
    if not uses or early:
        return [Unsaid(BUDGET, "", early[0].why if early else GAPS)]
    return [_against(home, bound)]


def _against(home: HomeSeen, bound: int) -> Outcome:
    found = month_ahead(home)
    if found.ends is None:
        return Unsaid(BUDGET, "", NO_PRICE)
    sure = above(found.ends, found.spread, bound)
    if 100 * sure < limits("pace")["sure_percent"]:
        return Fine(BUDGET, "")
    start = min(use.start for use in home.month.values())
    figures: dict[str, Figure] = {
        "budget": bound, "so_far": found.so_far or 0, "ends": round(found.ends), "over": round(found.ends) - bound,
        "month": f"{start:%Y-%m}", "unpriced": len(found.unpriced),
    }  # fmt: skip
    day = passing_day(home, bound)
    if day is not None:
        figures["day"] = day.isoformat()
    won = round(found.ends) - bound
    return Found(BUDGET, "", _moment(home, home.today), _moment(home, start), figures, won, MONTH, "", sure)


class MonthAhead:
    """A dwelling's month in won: so far, at its end at this pace, and the standard deviation of that."""

    def __init__(self, so_far: int | None, ends: float | None, spread: float, unpriced: tuple[str, ...]) -> None:
        """Say what the month comes to; None where nothing of it can be priced."""
        self.so_far, self.ends, self.spread, self.unpriced = so_far, ends, spread, unpriced


def month_ahead(home: HomeSeen, upon: int | None = None) -> MonthAhead:
    """Price the month so far and at its end; `upon`: at the end of so many of its days instead."""
    so_far, ends, variance = 0, 0.0, 0.0
    unpriced: list[str] = []
    for commodity, use in home.month.items():
        asked = home.rates.asked(home.place, commodity, use.unit, use.start, use.end)
        days = (use.end - use.start).days if upon is None else min(upon, (use.end - use.start).days)
        at_end = use.used * days / use.over if use.over else use.used
        now, then = home.rates.price(asked, use.used), home.rates.price(asked, max(at_end, use.used))
        if now.bill is None or then.bill is None:
            unpriced.append(commodity)
            continue
        so_far += int(now.bill.total)
        ends += float(then.bill.total)
        slope = float(then.exact - now.exact) / float(at_end - use.used) if at_end > use.used else 0.0
        variance += (slope * _spread(use)) ** 2
    if len(unpriced) == len(home.month):
        return MonthAhead(None, None, 0.0, tuple(unpriced))
    return MonthAhead(so_far, ends, variance**0.5, tuple(unpriced))


def passing_day(home: HomeSeen, bound: int) -> date | None:
    """Give the day on which the month's bill passes an amount at this pace; None: not before it ends."""
    start, end = min(use.start for use in home.month.values()), max(use.end for use in home.month.values())
    low, high = 0, (end - start).days
    if (month_ahead(home, high).ends or 0) <= bound:
        return None
    while low < high:
        middle = (low + high) // 2
        if (month_ahead(home, middle).ends or 0) > bound:
            high = middle
        else:
            low = middle + 1
    return max(start + timedelta(days=low - 1), start)


def _moment(home: HomeSeen, day: date) -> int:
    """Give the moment at which a local day begins."""
    return to_us(day_start(day, home.tz))
