"""A home's bill: the month so far by its contracts, where it is heading, and the tier it stands in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from quintet.access import Access
from quintet.access.bills import moved_within, own_days
from quintet.tariffs import Bill, crossing_day
from quintet.tariffs.ahead import Ahead, day_passed, together
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.home_rates import HomeRates, Priced
from quintet.tariffs.periods import limits
from quintet.terms.period import Span, day_start, from_us, to_us

from .answers_home import BillAhead, BillItem, BillLine, TierGauge
from .bills import MONTH_UNKNOWN, TOO_EARLY
from .home_now import Today
from .home_services import Service, slots_of
from .home_signs import Days
from .series import share

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Month:
    """The days of a household's bill of a calendar month, from `first` up to, not including, `end`; `over` of them are.

    `starts` is the calendar month's first day; the days [whole, until) of it are over and wholly the household's. Who
    moved in at an hour of it counts from `begins` on. `running`: it goes on; `holds_today`: the day shown is in it.
    `moved`: the day of a move from which on it is, for a reader who is bound to no household's time.
    """

    starts: date
    first: date
    end: date
    whole: date
    until: date
    begins: datetime
    stops: datetime
    over: int
    today: Today
    running: bool
    holds_today: bool
    moved: date | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What was used of a month's time that is over, in sub-units, and how many days of it are known, of how many."""

    value: int
    known: Fraction
    over: Fraction

    @property
    def share(self) -> Fraction | None:
        """Give how much of the time is known; None: none is over."""
        return self.known / self.over if self.over else None

    @property
    def enough(self) -> bool:
        """Tell whether enough of it is known to say where the month stands: missing days are no days without use."""
        return self.share is None or 100 * self.share >= limits()["pace_percent"]


def month_of(access: Access, place: str, first: date, today: Today) -> Month:
    """Give a calendar month's bill as it stands today: the days are those by which the reader's household is billed.

    It has no days where none of the month is the reader's. Who is bound to no household's time sees that of the one
    that lived there last: a month of two is nobody's bill.
    """
    following = (first + timedelta(days=32)).replace(day=1)
    begins, stop = day_start(first, today.tz), day_start(following, today.tz)
    moved = None
    if today.since is None and today.left is None:
        last = moved_within(access.registry(), place, first, following, to_us(today.now))
        if last is not None and last.start_us > to_us(begins):
            today = Today.at(today.now, today.tz, from_us(last.start_us).astimezone(today.tz))
            moved = today.since_day
        stop = stop if last is None else from_us(last.stop_us)
    begins = begins if today.since is None else max(begins, today.since)
    stop = stop if today.left is None else min(stop, today.left)
    own = (to_us(begins), to_us(stop))
    days = own_days(access.registry(), place, first, following, own) if begins < stop else None
    start, end = days or (following, following)
    holds_today = first <= today.day < following
    whole = first if today.whole is None else max(first, today.whole)
    # of a time that ended its last day is over too
    over = (min(today.day if today.left is None else today.day + DAY, end) - start).days
    running = holds_today and today.left is None and today.day < end
    until = min(following, today.day)
    return Month(first, start, end, whole, until, begins, stop, max(over, 0), today, running, holds_today, moved)


def first_part(access: Access, service: Service, month: Month) -> Past:
    """Give what was used on the day of moving in from that moment on, where it is of this month and over."""
    today = month.today
    day = today.since_day
    none = Past(0, Fraction(0), Fraction(0))
    if today.since is None or day is None or not month.starts <= day < min(month.whole, month.until):
        return none
    span = Span(today.since, day_start(day + DAY, today.tz))
    slots = slots_of(access, service, span, service.resolution, today.tz, span.end)
    known = [slot.value for slot in slots if slot.value is not None]
    part = Fraction((span.end - span.start) // SECOND, (span.end - day_start(day, today.tz)) // SECOND)
    value = sum(int(Fraction(one) * service.unit.ratio) for one in known)
    return Past(value, part * Fraction(len(known), max(len(slots), 1)), part)


def past_of(days: Days | None, part: Past) -> Past:
    """Add the whole days that are over to the part of the first one."""
    if days is None:
        return part
    value = int(days.value[days.known | days.heard].sum())
    known = Fraction(float(days.share.sum())).limit_denominator(24 * 60)
    return Past(part.value + value, part.known + min(known, len(days.share)), part.over + len(days.share))


def in_unit(service: Service, sub_units: float | int) -> Fraction:
    """Say sub-units in the unit that people read."""
    return Fraction(round(sub_units)) / service.unit.ratio


def bill_line(
    service: Service,
    place: str,
    month: Month,
    days: Days | None,
    ahead: Ahead | None,
    uses: tuple[Past, int | None],
    rates: HomeRates,
) -> BillLine:
    """Give one utility's line; `days` are the month's days that are over, `ahead` is the use of those to come.

    `uses` are of the time that is over, and of today (None: nothing was heard). Where too little of that time is known,
    neither a tier nor where the month is heading is said.
    """
    past, today_use = uses
    heard = past.known > 0 or (days is not None and bool(days.heard.any())) or today_use is not None
    used = past.value + (today_use or 0)
    asked = rates.asked(place, service.commodity.code, service.unit, month.first, month.end)
    priced = (
        rates.price(asked, in_unit(service, used)) if heard else Priced(None, ("silent" if month.over else "not_due",))
    )
    estimated = days is not None and bool((days.known & ~days.whole).any())
    coming = None if ahead is None or not heard or not past.enough else at_least(ahead, float(today_use or 0))
    bill = priced.bill
    card = None if bill is None else bill.cards[-1]
    tier, reason = (None, None) if bill is None else tier_gauge(bill, month, service, past, coming)
    return BillLine(
        service.commodity.code,
        service.commodity.name_en,
        service.commodity.name_ko,
        service.unit.code,
        service.unit.to_decimal(used) if heard else None,
        past.known < past.over,
        0 if days is None else int(days.known.sum()),
        None if past.share is None else share(float(past.share)),
        estimated,
        None if bill is None else int(bill.total),
        list(priced.why),
        "" if card is None else card.name_en,
        "" if card is None else card.name_ko,
        "" if card is None else card.source,
        "" if card is None else card.source_ko,
        "" if card is None else card.certainty,
        card is not None and card.stated,
        [] if bill is None else [BillItem(one.item, one.name_en, one.name_ko, _won(one.won)) for one in bill.lines],
        None if coming is None else ahead_answer(service, place, month, past.value, used, coming, rates),
        tier,
        reason,
        None,
    )


def at_least(ahead: Ahead, today_use: float) -> Ahead:
    """Forecast no less than today already has."""
    low, high = (None if one is None else max(one, today_use) for one in (ahead.low, ahead.high))
    return replace(ahead, use=max(ahead.use, today_use), low=low, high=high)


def sum_ends(lines: Sequence[tuple[BillAhead, Ahead]]) -> tuple[int | None, int | None, int | None]:
    """Give what utilities cost together at the month's end, and its range; None where one of them is not known."""
    if any(told.won is None for told, _ in lines) or not lines:
        return None, None, None
    won = sum(told.won or 0 for told, _ in lines)
    if any(told.won_low is None or told.won_high is None for told, _ in lines):
        return won, None, None
    low = together([((told.won or 0) - (told.won_low or 0), ahead) for told, ahead in lines])
    high = together([((told.won_high or 0) - (told.won or 0), ahead) for told, ahead in lines])
    return won, won - round(low), won + round(high)


def _won(exact: Fraction | None) -> Decimal | None:
    return None if exact is None else decimal_of(exact)


def ahead_answer(
    service: Service, place: str, month: Month, past: int, used: int, ahead: Ahead, rates: HomeRates
) -> BillAhead:
    """Price the end of a bill's days, and the ends of its range."""
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


def tier_gauge(
    bill: Bill, month: Month, service: Service, past: Past, ahead: Ahead | None
) -> tuple[TierGauge | None, str | None]:
    """Give the gauge of the first item that has tiers, and why it, or its day, cannot be said.

    There is none where no item has tiers, they change within the bill, or too little of the time that is over is known.
    The next tier's day is that of the forecast, as in the alert of it; without one, by the pace of the known time.
    """
    charge = next((one for one in bill.parts[0].charges if one.method == "blocks"), None)
    if charge is None or len(bill.parts) != 1:
        return None, None
    if not past.enough:
        return None, MONTH_UNKNOWN
    scale = bill.months
    limits_of = [limit * scale for limit in charge.limits]
    at = sum(bill.use > limit for limit in limits_of)
    limit = limits_of[at] if at < len(limits_of) else None
    day = reason = None
    if limit is not None and month.running:
        # a bill may count in another unit than the meter does
        asked_limit = limit * bill.asked.use / bill.use if bill.use else None
        reason = TOO_EARLY if ahead is None and past.known < 1 else None
        if asked_limit is not None and reason is None:
            day = _tier_day(month, service, past, asked_limit, ahead)
    return TierGauge(
        charge.name_en,
        charge.name_ko,
        bill.unit,
        at + 1,
        len(charge.values),
        [float(one) for one in limits_of],
        [float(one) for one in charge.values],
        round(float(bill.use), 3),
        None if limit is None else round(float(limit - bill.use), 3),
        day,
    ), reason


def _tier_day(month: Month, service: Service, past: Past, limit: Fraction, ahead: Ahead | None) -> date | None:
    """Give the day by whose end a limit (in the unit of the use) is passed; None: not this month."""
    if ahead is not None:
        return day_passed(ahead, month.today.day, float(past.value), float(limit * service.unit.ratio))
    midnight = day_start(month.first, month.today.tz)
    begun = Fraction((month.begins - midnight) // SECOND, 24 * 3600)
    day = crossing_day(month.first, in_unit(service, past.value), past.known, limit, month.end, begun)
    return None if day is None else max(day, month.today.day)
