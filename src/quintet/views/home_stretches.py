"""A home's utility over a month in which its contract changes: each stretch is a bill of its own, and they add up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import TypeVar

import msgspec

from quintet.tariffs import Asked
from quintet.tariffs.ahead import Ahead
from quintet.tariffs.home_rates import HomeRates
from quintet.terms.period import day_start

from .answers_home import BillAhead, BillItem, BillLine
from .home_bill import Month, Past, ahead_answer, bill_line
from .home_services import Service
from .home_signs import Days
from .series import share

CONTRACT_CHANGED = "contract_changed"
UNHEARD = ("silent", "not_due")
DAY = timedelta(days=1)
Amount = TypeVar("Amount", int, float, Decimal)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of a utility in one stretch: its days that are over, all of that time, and today."""

    month: Month
    days: Days | None
    past: Past
    today_use: int | None


@dataclass(frozen=True, slots=True)
class End:
    """What a stretch's bill is asked by, and its use so far and at its end, in the unit that people read."""

    asked: Asked | None
    so_far: Fraction
    at_end: Fraction


@dataclass(frozen=True, slots=True)
class Utility:
    """One utility of a home's month: its line, the lines of its stretches that have begun, and where each ends."""

    line: BillLine
    begun: Sequence[tuple[Month, BillLine]]
    ends: Sequence[End]


def parts_of(month: Month, stretches: Sequence[tuple[date, date]]) -> list[Month]:
    """Cut a month's bill into stretches of its days; the hours before its first day are of the first stretch."""
    out: list[Month] = []
    day, over = month.today.day, (month.over, month.first)
    for number, (first, end) in enumerate(stretches):
        opens, closes = number == 0, number == len(stretches) - 1
        holds_today = month.holds_today and (opens or first <= day) and (closes or day < end)
        out.append(replace(
            month,
            starts=month.starts if opens else first,
            first=first,
            end=end,
            whole=month.whole if opens else max(month.whole, first),
            until=month.until if closes else min(month.until, end),
            begins=month.begins if opens else max(month.begins, day_start(first, month.today.tz)),
            over=min(max(over[0] - (first - over[1]).days, 0), (end - first).days),
            running=month.running and holds_today,
            holds_today=holds_today,
        ))  # fmt: skip
    return out


def part_of(ahead: Ahead, month: Month) -> Ahead:
    """Give what of a forecast lies in a stretch; its range is shared as its use is."""
    if month.first <= month.today.day and month.end >= month.today.day + DAY * len(ahead.by_day):
        return ahead
    low, high = (max((day - month.today.day).days, 0) for day in (month.first, month.end))
    by_day, whole = ahead.by_day[low:high], sum(ahead.by_day)
    part = sum(by_day) / whole if whole else len(by_day) / max(len(ahead.by_day), 1)
    least, most = (None if one is None else one * part for one in (ahead.low, ahead.high))
    return Ahead(ahead.use * part, least, most, ahead.trials, by_day)


def utility_of(
    service: Service, place: str, counted: Sequence[Counted], ahead: Ahead | None, rates: HomeRates
) -> Utility:
    """Give a utility of a month, of its stretches in order."""
    begun = [one for one in counted if one.month.over or one.month.holds_today] or list(counted[:1])
    parts = [None if ahead is None else part_of(ahead, one.month) for one in counted]
    lines = [
        bill_line(service, place, one.month, one.days, part if one.month.holds_today else None,
                  (one.past, one.today_use), rates)
        for one, part in zip(begun, parts, strict=False)
    ]  # fmt: skip
    told = [
        _ending(service, place, one, line, part, rates)
        for one, line, part in zip_longest(counted, lines, parts)
    ]  # fmt: skip
    held = [(one.month, line) for one, line in zip(begun, lines, strict=True)]
    ends = [end for end, _ in told]
    if len(counted) == 1:
        return Utility(lines[0], held, ends)
    running = begun[-1].month.running and ahead is not None
    return Utility(_joined(begun, lines, _sum([one for _, one in told]) if running else None), held, ends)


def _ending(
    service: Service, place: str, one: Counted, line: BillLine | None, ahead: Ahead | None, rates: HomeRates
) -> tuple[End, BillAhead | None]:
    """Say where a stretch ends: one that is over as it stands, one to come by the forecast; None: not known."""
    asked = rates.asked(place, service.commodity.code, service.unit, one.month.first, one.month.end)
    if line is None or (line.use is None and not one.past.over):  # nothing of it is counted yet
        told = None if ahead is None else ahead_answer(service, place, one.month, 0, 0, ahead, rates)
        return End(asked, Fraction(0), Fraction(0) if told is None else Fraction(str(told.use))), told
    so_far, told = Fraction(line.use or 0), line.ahead
    if not one.month.holds_today and line.use is not None and one.past.enough:
        use = round(float(line.use), 3)
        told = BillAhead(use, use, use, line.won, line.won, line.won, 0)
    return End(asked, so_far, so_far if line.ahead is None else Fraction(str(line.ahead.use))), told


def _sum(tolds: Sequence[BillAhead | None]) -> BillAhead | None:
    """Add up where stretches end; None where one of them is not known."""
    known = [one for one in tolds if one is not None]
    if len(known) < len(tolds):
        return None
    uses = [(one.use, one.use_low, one.use_high) for one in known]
    wons = [(one.won, one.won_low, one.won_high) for one in known]
    use, low, high = (_added(every) for every in zip(*uses, strict=True))
    won, won_low, won_high = (_added(every) for every in zip(*wons, strict=True))
    low, high = (None if one is None else round(one, 3) for one in (low, high))
    return BillAhead(round(use or 0.0, 3), low, high, won, won_low, won_high, max(one.trials for one in known))


def _added(amounts: Sequence[Amount | None]) -> Amount | None:
    known = [one for one in amounts if one is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(amounts) else None


def _joined(begun: Sequence[Counted], lines: Sequence[BillLine], ahead: BillAhead | None) -> BillLine:
    """Add up the lines of stretches that have begun; the card, and the tier while it runs, are those of the last one.

    A stretch of which nothing is known is a gap of the month, where another has an amount.
    """
    last, pasts = lines[-1], [one.past for one in begun]
    priced = [line for line in lines if line.won is not None]
    left_out = [line for line in lines if line.won is None and not (priced and set(line.why) <= set(UNHEARD))]
    uses = [line.use for line in lines if line.use is not None]
    known, over = sum(one.known for one in pasts), sum(one.over for one in pasts)
    why = dict.fromkeys(why for line in (left_out or priced or lines) for why in line.why)
    return msgspec.structs.replace(
        last,
        use=_added(uses),
        gaps=any(one.known < one.over for one in pasts),
        days_known=sum(line.days_known for line in lines),
        known=share(float(Fraction(known) / over)) if over else None,
        estimated=any(line.estimated for line in lines),
        won=None if left_out else _added([line.won for line in priced]),
        why=[*why, CONTRACT_CHANGED],
        items=[] if left_out else _items(priced),
        ahead=None if left_out else ahead,
        tier=last.tier if begun[-1].month.running else None,
        tier_reason=last.tier_reason if begun[-1].month.running else None,
    )


def _items(lines: Sequence[BillLine]) -> list[BillItem]:
    """Add up what stands under the same item; what of it is not known stands by itself."""
    held: dict[tuple[str, bool], list[BillItem]] = {}
    for line in lines:
        for item in line.items:
            held.setdefault((item.item, item.won is None), []).append(item)
    return [msgspec.structs.replace(same[-1], won=_added([one.won for one in same])) for same in held.values()]
