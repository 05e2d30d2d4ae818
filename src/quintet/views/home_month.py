"""A home's month: every utility's bill so far and ahead, the bills that were issued, and what using less would save."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

import msgspec

from quintet.access import Access
from quintet.access.bills import issued
from quintet.access.roles import MONTH_MIN
from quintet.tariffs.ahead import Ahead
from quintet.tariffs.home_rates import HomeRates, rates_of
from quintet.terms.errors import UsageError
from quintet.terms.period import Span, day_start

from .answers_bills import UtilityBill
from .answers_home import BillItem, BillLine, HomeBill, HomeLess, IssuedLine, LessRow, LessStep
from .asked import day_of
from .bill_rows import issued_bill
from .catalogue import Catalogue
from .home_bill import Month, bill_line, first_part, month_of, past_of, sum_ends
from .home_forecast import month_ahead, outlook_of
from .home_now import Today, read_today
from .home_services import Service, services_of
from .home_signs import days_between
from .home_tiles import sum_of

DAY = timedelta(days=1)
STEPS = 11
"""Steps of using less: none, then 5 % each, up to half of what is still to come."""
STEP = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Home:
    """One home as a reader sees it today."""

    access: Access
    catalogue: Catalogue
    place: str
    names: tuple[str, str]
    today: Today

    @property
    def services(self) -> list[Service]:
        """Give its utilities of which the reader is told."""
        return services_of(self.catalogue, self.place, self.access.utilities(self.place))

    @property
    def rates(self) -> HomeRates:
        """Give its contracts and rate cards."""
        return rates_of(self.catalogue.registry)


def asked_month(home: Home, month: str | None = None) -> Month:
    """Read a month, 2026-11 (None: this one); raises UsageError for what is no month of the reader's."""
    today = home.today
    first = today.day.replace(day=1) if month is None else _first(month)
    found = month_of(home.access, home.place, first, today)
    if first > today.day or found.first >= found.end:
        raise UsageError(
            f"{month} is not a month of yours.", code="bad_month", place="month", remedy="Ask for one that has begun."
        )
    return found


def month_bill(home: Home, month: Month) -> HomeBill:
    """Give a month's bill: as issued where it was, else so far with where it is heading."""
    lines, as_of, coming = month_lines(home, month)
    frozen = {} if month.running else issued_lines(home, month)
    lines = [_as_issued(line, frozen.get(line.commodity)) for line in lines]
    priced = [line for line in lines if line.won is not None]
    ahead = [(line.ahead, coming[line.commodity]) for line in priced if line.ahead is not None]
    ends = sum_ends(ahead if len(ahead) == len(priced) else [])
    return HomeBill(
        home.place,
        *home.names,
        home.catalogue.registry.city.tz,
        f"{month.starts:%Y-%m}",
        month.first,
        month.end - DAY,
        (month.end - month.first).days,
        month.over,
        as_of,
        home.today.since_day,
        sum_of([line.won for line in priced]),
        *ends,
        [line.commodity for line in lines if line.won is None],
        lines,
    )


def month_lines(home: Home, month: Month) -> tuple[list[BillLine], datetime | None, dict[str, Ahead]]:
    """Give every utility's line as reckoned now, the time of the newest reading in it, and what was forecast."""
    access, today, rates = home.access, home.today, home.rates
    outlook = outlook_of(access, home.place, today.day, month.end, today.tz) if month.running else None
    lines, as_of = list[BillLine](), None
    coming: dict[str, Ahead] = {}
    for service in home.services:
        reading = read_today(access, service, today) if month.holds_today else None
        days = days_between(access, service, month.whole, month.until) if month.whole < month.until else None
        use = None if reading is None or reading.use is None else int(Fraction(reading.use) * service.unit.ratio)
        ahead = None
        if month.running and reading is not None and reading.days is not None:
            ahead = month_ahead(access, service, reading.days, month.end, today, outlook)
        if ahead is not None:
            coming[service.commodity.code] = ahead
        past = past_of(days, first_part(access, service, month, today))
        lines.append(bill_line(service, home.place, month, days, ahead, (past, use), rates))
        if reading is not None and reading.as_of is not None:
            as_of = reading.as_of if as_of is None else max(as_of, reading.as_of)
    return lines, as_of, coming


def issued_lines(home: Home, month: Month) -> dict[str, list[UtilityBill]]:
    """Give the bills that were issued of a month's days that are the reader's, by utility."""
    tz = home.today.tz
    number = month.starts.year * 100 + month.starts.month
    end = day_start((month.starts + 32 * DAY).replace(day=1), tz)
    part = Span(month.begins, end if home.today.left is None else min(end, home.today.left))
    with home.access.asking(home.place, None, part, MONTH_MIN, own=True) as asked:
        found = issued(asked, home.place, (number, number), part)
        commodities = asked.registry.commodities
    out: dict[str, list[UtilityBill]] = {}
    for one in found:
        out.setdefault(one.commodity, []).append(issued_bill(one, commodities[one.commodity], tz))
    return out


def _as_issued(line: BillLine, bills: Sequence[UtilityBill] | None) -> BillLine:
    """Say of a line what its issued bills ask for."""
    if not bills:
        return line
    told = [_issued_line(one) for one in sorted(bills, key=lambda one: one.start)]
    uses = [one.use for one in told if one.use is not None]
    return msgspec.structs.replace(
        line, won=sum_of([one.due_won for one in told]), why=[], issued=told, items=[],
        use=sum(uses[1:], uses[0]) if len(uses) == len(told) else line.use, tier=None, tier_reason=None,
    )  # fmt: skip


def _issued_line(bill: UtilityBill) -> IssuedLine:
    assert bill.issued_at is not None
    items = [BillItem(one.item, one.name_en, one.name_ko, one.won) for one in bill.items]
    return IssuedLine(
        bill.issued_at, bill.start, bill.end - DAY, bill.use, bill.total_won, bill.due_won, bool(bill.sound), items,
        bill.adjustments,
    )  # fmt: skip


def using_less(home: Home) -> HomeLess:
    """Say for each utility what this month's bill would be if of what is still to come less were used."""
    month = asked_month(home)
    lines, _, _ = month_lines(home, month)
    units = {service.commodity.code: service for service in home.services}
    rows = [_less_row(home, month, units[line.commodity], line) for line in lines]
    return HomeLess(
        home.place, *home.names, home.catalogue.registry.city.tz, f"{month.starts:%Y-%m}", month.end - DAY,
        [row for row in rows if row is not None],
    )  # fmt: skip


def _less_row(home: Home, month: Month, service: Service, line: BillLine) -> LessRow | None:
    if line.ahead is None or line.won is None or line.use is None:
        return None
    rates = home.rates
    asked = rates.asked(home.place, line.commodity, service.unit, month.first, month.end)
    so_far, end = Fraction(line.use), Fraction(str(line.ahead.use))
    steps: list[LessStep] = []
    for at in range(STEPS):
        use = end - max(end - so_far, Fraction(0)) * STEP * at
        bill = rates.price(asked, use).bill
        if bill is None:
            return None
        won = int(bill.total)
        steps.append(LessStep(float(STEP * at), round(float(use), 3), won, steps[0].won - won if steps else 0))
    return LessRow(line.commodity, line.name_en, line.name_ko, line.unit, steps)


def _first(month: str) -> date:
    """Read a month, 2026-11."""
    try:
        return day_of(f"{month}-01" if len(month) == 7 else "")
    except UsageError as error:
        raise UsageError(
            f"{month!r} is no month.",
            code="bad_month",
            place="month",
            remedy="Write it as 2026-11.",
            said={"text": month},
        ) from error
