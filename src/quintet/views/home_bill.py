"""A home's bill: the month so far by its contracts, where it is heading, and the tier it stands in."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from quintet.access import Access
from quintet.tariffs import Bill, crossing_day
from quintet.tariffs.ahead import Ahead
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.home_rates import HomeRates, Priced
from quintet.terms.period import Span, day_start

from .answers_home import BillAhead, BillItem, BillLine, TierGauge
from .home_now import Today
from .home_services import Service, slots_of
from .home_signs import Days

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Month:
    """The days of a bill, from `first` up to, not including, `end`; `over` of them are; `running`: today is one.

    `last`: it ends with the day on which the home was left.
    """

    first: date
    end: date
    over: int
    today: Today
    running: bool
    last: bool = False


def month_of(first: date, today: Today) -> Month:
    """Give a calendar month's bill as it stands today; only days that are the reader's are in it."""
    end = (first + timedelta(days=32)).replace(day=1)
    start = first if today.since_day is None else max(first, today.since_day)
    if today.left is not None:
        end = min(end, today.day + DAY)
        return Month(start, end, max((end - start).days, 0), today, running=False, last=end == today.day + DAY)
    running = start <= today.day < end
    over = (min(today.day, end) - start).days
    return Month(start, end, max(over, 0), today, running)


def first_part(access: Access, service: Service, first: date, today: Today) -> int:
    """Give what was used on the day of moving in from that moment on, in sub-units, where it is `first` and over."""
    if today.since is None or today.whole is None or first != today.since_day or first in (today.whole, today.day):
        return 0
    span = Span(today.since, day_start(today.whole, today.tz))
    slots = slots_of(access, service, span, service.resolution, today.tz, span.end)
    return sum(int(Fraction(slot.value) * service.unit.ratio) for slot in slots if slot.value is not None)


def in_unit(service: Service, sub_units: float | int) -> Fraction:
    """Say sub-units in the unit that people read."""
    return Fraction(round(sub_units)) / service.unit.ratio


def bill_line(
    service: Service,
    place: str,
    month: Month,
    days: Days | None,
    ahead: Ahead | None,
    uses: tuple[int, int | None],
    rates: HomeRates,
) -> BillLine:
    """Give one utility's line; `days` are the month's days that are over, `ahead` is the use of those to come.

    `uses` are of the part of the first day that is the reader's, and of today (None: nothing was heard).
    """
    part, today_use = uses
    known = None if days is None else days.value[days.known | days.heard]
    past = part + (0 if known is None else int(known.sum()))
    heard = (days is not None and bool((days.known | days.heard).any())) or today_use is not None
    used = past + (today_use or 0)
    asked = rates.asked(place, service.commodity.code, service.unit, month.first, month.end)
    priced = (
        rates.price(asked, in_unit(service, used)) if heard else Priced(None, ("silent" if month.over else "not_due",))
    )
    gaps = days is not None and not bool(days.known.all())
    estimated = days is not None and bool((days.known & ~days.whole).any())
    coming = None if ahead is None or not heard else at_least(ahead, float(today_use or 0))
    bill = priced.bill
    card = None if bill is None else bill.cards[-1]
    return BillLine(
        service.commodity.code,
        service.commodity.name_en,
        service.commodity.name_ko,
        service.unit.code,
        service.unit.to_decimal(used) if heard else None,
        gaps,
        0 if days is None else int(days.known.sum()),
        estimated,
        None if bill is None else int(bill.total),
        list(priced.why),
        "" if card is None else card.name_en,
        "" if card is None else card.name_ko,
        "" if card is None else card.source,
        "" if card is None else card.certainty,
        card is not None and card.stated,
        [] if bill is None else [BillItem(one.item, one.name_en, one.name_ko, _won(one.won)) for one in bill.lines],
        None if coming is None else _ahead_answer(service, place, month, past, used, coming, rates),
        None if bill is None else tier_gauge(bill, month, in_unit(service, past)),
        None,
    )


def at_least(ahead: Ahead, today_use: float) -> Ahead:
    """Forecast no less than today already has."""
    low, high = (None if one is None else max(one, today_use) for one in (ahead.low, ahead.high))
    return Ahead(max(ahead.use, today_use), low, high, ahead.trials)


def _won(exact: Fraction | None) -> Decimal | None:
    return None if exact is None else decimal_of(exact)


def _ahead_answer(
    service: Service, place: str, month: Month, past: int, used: int, ahead: Ahead, rates: HomeRates
) -> BillAhead:
    """Price the month's end, and the ends of its range."""
    asked = rates.asked(place, service.commodity.code, service.unit, month.first, month.end)

    def told(more: float | None) -> tuple[float | None, int | None]:
        if more is None:
            return None, None
        use = in_unit(service, max(past + more, used))
        bill = rates.price(asked, use).bill
        return round(float(use), 3), None if bill is None else int(bill.total)

    (use, won), (low, won_low), (high, won_high) = told(ahead.use), told(ahead.low), told(ahead.high)
    assert use is not None
    return BillAhead(use, low, high, won, won_low, won_high, ahead.trials)


def tier_gauge(bill: Bill, month: Month, past: Fraction) -> TierGauge | None:
    """Give the gauge of the first item that has tiers; None where it has none, or they change within the bill.

    `past` is what was used on the days that are over, in the unit asked.
    """
    if len(bill.parts) != 1:
        return None
    charge = next((one for one in bill.parts[0].charges if one.method == "blocks"), None)
    if charge is None:
        return None
    scale = bill.months
    limits = [limit * scale for limit in charge.limits]
    at = sum(bill.use > limit for limit in limits)
    limit = limits[at] if at < len(limits) else None
    day = None
    if limit is not None and month.running and month.over > 0 and bill.asked.use > 0:
        pace = past * bill.use / bill.asked.use
        day = crossing_day(month.first, pace, month.over, limit, month.end)
        day = None if day is None else max(day, month.today.day)
    return TierGauge(
        charge.name_en,
        charge.name_ko,
        bill.unit,
        at + 1,
        len(charge.values),
        [float(one) for one in limits],
        [float(one) for one in charge.values],
        round(float(bill.use), 3),
        None if limit is None else round(float(limit - bill.use), 3),
        day,
    )
