"""Where a month is heading: the tier that comes before it ends, and the budget that a resident set.

By the forecast of the resident's page, which has a range: something is told when the range's lower end is beyond, so
that nine in ten of such months end there, and it is told until the forecast itself is no longer beyond.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from quintet.tariffs.ahead import EIGHT_TENTHS, Ahead, day_passed, together
from quintet.tariffs.ahead import limits as forecast_limits
from quintet.tariffs.bill import Bill
from quintet.terms.alert import MONTH, Figure
from quintet.terms.period import day_start, from_us, local_day, to_us

from .chance import above
from .found import GAPS, MOVED_IN, NO_BUDGET, NO_PRICE, NO_TIERS, TOO_EARLY, Fine, Found, Outcome, Unsaid
from .limits import limits
from .seen import HomeSeen, MonthUse, too_new

TIER, BUDGET = "tier", "budget"


@dataclass(frozen=True, slots=True)
class Ends:
    """What a utility's month comes to at its end, in the unit of its use: the forecast, and the range's lower end.

    `ahead` is the forecast of today and the days to come, in sub-units.
    """

    use: Fraction
    low: Fraction
    ahead: Ahead


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a tier that is not passed yet, in the unit of the bill; `number` is the tier that begins there."""

    limit: Fraction
    number: int
    price: Fraction
    names: tuple[str, str]


def tier(home: HomeSeen) -> list[Outcome]:
    """Look for a tier that the month reaches before its end."""
    return [_tier(home, commodity, use) for commodity, use in home.month.items()]


def _early(kind: str, home: HomeSeen, commodity: str, use: MonthUse) -> Unsaid | None:
    """Say that the month is too young, or not wholly known, to say where it is heading."""
    needed = limits("pace")["least_days"]
    if not use.own:
        known = (home.today - local_day(from_us(home.begins_us), home.tz)).days
        return Unsaid(kind, commodity, MOVED_IN, {"days": known, "needed_days": max(use.over, needed, known + 1)})
    if use.over < needed:
        moved = home.since_us is not None and use.start > use.start.replace(day=1)
        return Unsaid(kind, commodity, MOVED_IN if moved else TOO_EARLY, {"days": use.over, "needed_days": needed})
    return None if use.whole else Unsaid(kind, commodity, GAPS, {"days": use.over})


def ends_of(kind: str, home: HomeSeen, commodity: str, use: MonthUse) -> Ends | Unsaid:
    """Say what a month comes to, as the page does; or why that cannot be said with a range."""
    refused = _early(kind, home, commodity, use)
    if refused is not None:
        return refused
    if home.forecast is None:
        return Unsaid(kind, commodity, TOO_EARLY, {"days": use.over, "needed_days": limits("pace")["least_days"]})
    ahead, known = home.forecast(home.place, commodity, home.now_us, home.since_us, use.end)
    if ahead is None or ahead.low is None:
        wanted = forecast_limits()
        return too_new(kind, home, commodity, wanted["days_behind"] + wanted["trials_needed"], known)
    more, low = (Fraction(round(one)) / use.unit.ratio for one in (ahead.use, ahead.low))
    return Ends(use.used + more, use.used + low, ahead)


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
    coming = _next_limit(priced.bill)
    if coming is None:
        return Fine(TIER, commodity)
    ends = ends_of(TIER, home, commodity, use)
    return ends if isinstance(ends, Unsaid) else _crossed(home, commodity, use, priced.bill, coming, ends)


def _has_tiers(bill: Bill) -> bool:
    return len(bill.parts) == 1 and any(charge.method == "blocks" for charge in bill.parts[0].charges)


def _next_limit(bill: Bill) -> Limit | None:
    """Give the first limit, of all items, that the use of a bill is not above; None beyond the last."""
    scale = bill.months * bill.asked.households
    coming = [
        Limit(limit * scale, at + 2, charge.values[at + 1], (charge.name_en, charge.name_ko))
        for charge in bill.parts[0].charges
        if charge.method == "blocks"
        for at, limit in enumerate(charge.limits)
        if bill.use <= limit * scale
    ]
    return min(coming, key=lambda one: one.limit, default=None)


def _crossed(home: HomeSeen, commodity: str, use: MonthUse, bill: Bill, coming: Limit, ends: Ends) -> Outcome:
    # a bill may count in another unit than the meter does
    factor = bill.use / bill.asked.use if bill.asked.use else Fraction(1)
    limit = coming.limit / factor
    if ends.low <= limit:  # as of nearly all: what it would cost need not be priced
        return Fine(TIER, commodity, near=ends.use > limit)
    asked = home.rates.asked(home.place, commodity, use.unit, use.start, use.end)
    won, reason = home.rates.added(asked, limit, max(ends.use, limit))
    if won is not None and won < limits("pace")["least_won"]:
        return Fine(TIER, commodity, near=ends.use > limit)
    sure = above(float(ends.use), float(ends.use - ends.low) / EIGHT_TENTHS, float(limit))
    ratio = use.unit.ratio
    day = day_passed(ends.ahead, home.today, float(use.used * ratio), float(limit * ratio)) or use.end - timedelta(
        days=1
    )
    figures: dict[str, Figure] = {
        "tier": coming.number, "day": day.isoformat(), "limit": round(float(coming.limit), 1),
        "ends": round(float(ends.use * factor), 1), "least": round(float(ends.low * factor), 1),
        "item_en": coming.names[0], "item_ko": coming.names[1], "price": round(float(coming.price), 1),
        "unit": bill.unit, "month": f"{use.start:%Y-%m}",
    }  # fmt: skip
    since_us = _moment(home, home.today)
    return Found(TIER, commodity, since_us, _begun(home, use.start), figures, won, MONTH, reason or "", sure)


def budget(home: HomeSeen) -> list[Outcome]:
    """Look whether the month is heading beyond the budget that a resident set."""
    bound = home.budget_won
    if bound is None:
        return [Unsaid(BUDGET, "", NO_BUDGET)]
    ends: dict[str, Ends] = {}
    for commodity, use in home.month.items():
        one = ends_of(BUDGET, home, commodity, use)
        if isinstance(one, Unsaid):
            return [Unsaid(BUDGET, "", one.why, one.figures)]
        ends[commodity] = one
    return [_against(home, bound, ends) if ends else Unsaid(BUDGET, "", GAPS)]


def _against(home: HomeSeen, bound: int, ends: Mapping[str, Ends]) -> Outcome:
    found = month_ahead(home, ends)
    if found is None:
        return Unsaid(BUDGET, "", NO_PRICE)
    if found.low <= bound:
        return Fine(BUDGET, "", near=found.ends > bound)
    sure = above(found.ends, (found.ends - found.low) / EIGHT_TENTHS, bound)
    start = min(use.start for use in home.month.values())
    won = found.ends - bound
    figures: dict[str, Figure] = {
        "budget": bound, "so_far": found.so_far, "ends": found.ends, "least": found.low, "over": won,
        "month": f"{start:%Y-%m}", "unpriced": len(found.unpriced),
        "day": passing_day(home, ends, bound).isoformat(),
    }  # fmt: skip
    return Found(BUDGET, "", _moment(home, home.today), _begun(home, start), figures, won, MONTH, "", sure)


@dataclass(frozen=True, slots=True)
class MonthAhead:
    """A dwelling's month in won: so far, at its end, and at the lower end of the range, as the page joins them."""

    so_far: int
    ends: int
    low: int
    unpriced: tuple[str, ...]


def month_ahead(home: HomeSeen, ends: Mapping[str, Ends]) -> MonthAhead | None:
    """Price the month so far, at its end and at the range's lower end; None where nothing of it can be priced."""
    so_far, total = 0, 0
    offs: list[tuple[float, Ahead]] = []
    unpriced: list[str] = []
    for commodity, use in home.month.items():
        bills = [_won(home, commodity, use, one) for one in (use.used, ends[commodity].use, ends[commodity].low)]
        if any(one is None for one in bills):
            unpriced.append(commodity)
            continue
        now, then, least = (one or 0 for one in bills)
        so_far, total = so_far + now, total + then
        offs.append((then - least, ends[commodity].ahead))
    low = total - round(together(offs))
    return None if len(unpriced) == len(home.month) else MonthAhead(so_far, total, low, tuple(unpriced))


def _won(home: HomeSeen, commodity: str, use: MonthUse, amount: Fraction) -> int | None:
    asked = home.rates.asked(home.place, commodity, use.unit, use.start, use.end)
    bill = home.rates.price(asked, amount).bill
    return None if bill is None else int(bill.total)


def passing_day(home: HomeSeen, ends: Mapping[str, Ends], bound: int) -> date:
    """Give the day from today on by whose end the month's bill passes an amount, where its forecast does."""
    last = max(use.end for use in home.month.values())
    days = (last - home.today).days
    low, high = 0, days
    while low < high:
        middle = (low + high) // 2
        part = Fraction(middle, days)
        wons = [
            _won(home, code, use, use.used + (ends[code].use - use.used) * part) for code, use in home.month.items()
        ]
        if sum(one or 0 for one in wons) > bound:
            high = middle
        else:
            low = middle + 1
    return home.today + timedelta(days=max(low - 1, 0))


def _moment(home: HomeSeen, day: date) -> int:
    """Give the moment at which a local day begins."""
    return to_us(day_start(day, home.tz))


def _begun(home: HomeSeen, start: date) -> int:
    """Give from when on a month is known: who moved in at an hour of its first day knows it from then on."""
    return max(_moment(home, start), home.begins_us)
