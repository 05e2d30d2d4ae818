"""The bills of a place's dwellings: reckoned from what access hands out, or as issued; each says what it lacks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import areas_m2, issued, premise_use
from quintet.access.roles import MONTH_MIN
from quintet.tariffs.agreements import TERMS, Agreements, cards_of, provisional
from quintet.tariffs.dwellings import Rates, Reckoned, Reckoning, reckon
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.pace import Pace, pace_of
from quintet.tariffs.periods import limits
from quintet.tariffs.request import bill_month
from quintet.terms.errors import Forbidden, UsageError
from quintet.terms.length import DAY_US
from quintet.terms.period import Span, day_start, from_us, local_day, to_us
from quintet.terms.premise_use import PremiseUse
from quintet.terms.unit import units

from .answers_bills import DwellingBills, UtilityBill
from .bill_rows import Frozen, absent, issued_bill, reckoned_bill
from .series import share

DWELLING = "premise"
MONTH_UNKNOWN, TOO_EARLY = "month_unknown", "too_early"
"""Why no pace is said, nor a tier: too little of the time so far is known, or less than a day is."""


class Stated(Protocol):
    """What of a registry bills read: dated statements, the tree of places, the commodities."""

    @property
    def timelines(self) -> Callable[[str], Mapping[str, Any]]:
        """Gives statements of a kind by key."""
        ...

    @property
    def tree(self) -> Any:
        """The places."""
        ...


@lru_cache(maxsize=2)
def agreements(registry: Stated) -> Agreements:
    """Give a registry's agreements, made once."""
    return Agreements(registry.timelines, registry.tree.path)


def month_span(month: str, tz: ZoneInfo) -> tuple[date, date, Span]:
    """Read a month: its first day, that of the next, and its span."""
    try:
        first, end = bill_month(month)
    except UsageError as error:
        error.place = "month"
        raise
    return first, end, Span(day_start(first, tz), day_start(end, tz))


def own_part(access: Access, place: str, span: Span) -> Span:
    """Give the part of a month of a dwelling that is the reader's; Forbidden where none is."""
    part = access.clip(place, span)
    if access.registry().tree.bodies.get(place, {}).get("level") != DWELLING:
        raise UsageError(
            "is no dwelling.", code="no_dwelling", place=place,
            remedy="Name one; `quintet bill run --place` lists the bills of all dwellings of a place.",
        )  # fmt: skip
    if part is None:
        raise Forbidden(
            "was not yours to read in that month.", code="before_your_time", place=place,
            remedy="Ask for a month in which you lived there.",
        )  # fmt: skip
    return part


def reckon_place(
    access: Access,
    place: str,
    first: date,
    end: date,
    known_at: datetime | None = None,
    *,
    carry: bool | None = None,
    within: Span | None = None,
) -> Reckoning:
    """Reckon the bills of a place's dwellings over local days [first, end), now or as known at a moment.

    `carry`: whether the last card known is taken as still in force (None: as the city says). `within`: the part of
    these days that is the reader's, where that is not all.
    """
    tz = access.registry().tz
    span = Span(day_start(first, tz), day_start(end, tz))
    each, of = access.registry().tree.bodies.get(place, {}).get("level") != DWELLING, None
    if not each:
        access.may_read(place)
        of = access.utilities(place)
    with access.asking(place, known_at, within or span, MONTH_MIN, each=each, own=of is not None) as asked:
        registry = asked.registry
        stated = agreements(registry)
        low, high = span.start_us, span.end_us
        cuts = partial(_cuts, stated, low, high)
        found = premise_use(asked, place, first, end, cuts, within=within)
        found = [one for one in found if of is None or one.commodity in of]
        rates = Rates(
            cards_of(registry.timelines),
            provisional(registry.timelines) if carry is None else carry,
            areas_m2(registry, place),
            units().sub_units,
        )
        until = local_day(from_us(asked.until_us), tz)
        starts = {day: to_us(day_start(day, tz)) for day in {row.first for row in found}}
        rows = [(one, stated.at(one.place, one.commodity, starts[one.first])) for one in found]
        known, now, rule_set = from_us(asked.known_us), from_us(asked.until_us), asked.rule_set
    found_bills = reckon(rows, rates, until)
    known, now = known.astimezone(tz), now.astimezone(tz)
    return Reckoning(place, first, end, found_bills, known, now, rule_set, rates.table)


def _cuts(stated: Agreements, low: int, high: int, place: str, commodity: str) -> Sequence[int]:
    """Give the moments of a month at which a place's agreements of a utility change."""
    return stated.cuts(place, commodity, low, high)


def dwelling_bills(access: Access, place: str, month: str, known_at: datetime | None, tz: ZoneInfo) -> DwellingBills:
    """Give a dwelling's bills of a month: as issued where they are, else reckoned; what has no meter is said."""
    first, end, span = month_span(month, tz)
    part = own_part(access, place, span)
    days = (local_day(part.start, tz), local_day(part.end, tz))
    found = reckon_place(access, place, first, end, known_at, within=part)
    number = first.year * 100 + first.month
    of = access.utilities(place)
    with access.asking(place, known_at, part, MONTH_MIN, own=of is not None) as asked:
        frozen = [one for one in issued(asked, place, (number, number), part) if of is None or one.commodity in of]
        registry = asked.registry
    commodities = registry.commodities
    bills: list[UtilityBill] = []
    bills += [issued_bill(one, commodities[one.commodity], tz) for one in frozen]
    bills += [
        reckoned_bill(one, commodities[one.metered.commodity], *_pace(one, found, tz))
        for one in found.rows
        if not any(_overlap(one.metered, other) for other in frozen)
    ]
    here = {one.commodity for one in bills}
    billed = {key.partition(" ")[0] for key in registry.timelines(TERMS)} | set(registry.carriers)
    bills += [
        absent(commodities[code], *days, place)
        for code in sorted(billed - here)
        if code in commodities.rows and (of is None or code in of)
    ]
    bills.sort(key=lambda one: (one.commodity, one.start))
    amounts = [one.due_won for one in bills if one.due_won is not None]
    missing = [one.commodity for one in bills if one.due_won is None and not one.absent]
    return DwellingBills(
        found.known_at, found.rule_set, place, month, bills, sum(amounts) if amounts else None, not missing, missing
    )


def _overlap(one: PremiseUse, other: Frozen) -> bool:
    """Tell whether some of a bill's days were billed and issued already."""
    days = (date.fromisoformat(other.body["from"]), date.fromisoformat(other.body["to"]))
    return one.commodity == other.body["commodity"] and one.first < days[1] and days[0] < one.end


def _pace(one: Reckoned, found: Reckoning, tz: ZoneInfo) -> tuple[Pace | None, str | None]:
    """Say where a bill under way is heading, by the time that is known of it; or why that cannot be said."""
    bill = one.alone
    if "so_far" not in one.why or bill is None or bill.lacks:
        return None, None
    metered = one.metered
    known = min(Fraction(metered.arrived_min + metered.estimated_min, max(metered.expected_min, 1)), Fraction(1))
    if 100 * known < limits()["pace_percent"]:
        return None, MONTH_UNKNOWN
    midnight, now = to_us(day_start(metered.first, tz)), to_us(found.until)
    begins = midnight if metered.start_us is None else metered.start_us
    days = Fraction(now - begins, DAY_US) * known
    if not 1 <= days <= bill.asked.days:
        return None, TOO_EARLY if days < 1 else None
    pace = pace_of(bill.asked, days, found.table, Fraction(begins - midnight, DAY_US))
    # by the known time a limit may be passed that what is known has not passed: not before today, then
    today = local_day(found.until, tz)
    crossings = tuple(
        one if one.passed or one.day is None else replace(one, day=max(one.day, today)) for one in pace.crossings
    )
    return replace(pace, crossings=crossings), None


def place_bills(found: Reckoning, commodities: Any) -> Sequence[UtilityBill]:
    """Give the reckoned bills of many dwellings."""
    return [reckoned_bill(one, commodities[one.metered.commodity]) for one in found.rows]


def run_rows(found: Reckoning) -> list[dict[str, Any]]:
    """Give a row for each reckoned bill, without its items: what a list of a city's bills shows."""
    out: list[dict[str, Any]] = []
    for one in found.rows:
        metered, pattern = one.metered, one.pattern
        known = metered.arrived_min + metered.estimated_min
        out.append({
            "place": metered.place, "commodity": metered.commodity, "start": metered.first.isoformat(),
            "end": metered.end.isoformat(), "use": None if one.use is None else decimal_of(one.use),
            "unit": None if pattern is None else pattern.unit, "total_won": one.total,
            "status": "none" if one.total is None else "reckoned",
            "coverage": share(metered.arrived_min / metered.expected_min) if metered.expected_min else None,
            "estimated_share": share(metered.estimated_min / known) if known else None, "why": list(one.why),
        })  # fmt: skip
    return out
