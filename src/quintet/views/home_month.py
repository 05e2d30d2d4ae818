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
from quintet.terms.period import Span

from .answers_bills import UtilityBill
from .answers_home import BillItem, BillLine, HomeBill, HomeLess, IssuedLine, LessRow, LessStep
from .asked import day_of
from .bill_rows import issued_bill
from .catalogue import Catalogue
from .home_bill import Month, first_part, month_of, past_of, sum_ends
from .home_forecast import month_ahead, outlook_of
from .home_now import Today, read_today
from .home_services import Service, services_of
from .home_signs import days_between
from .home_stretches import Counted, Utility, parts_of, utility_of
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
    found, as_of, coming = month_lines(home, month)
    frozen = {} if month.running else issued_lines(home, month)
    lines = [_as_issued(one, frozen.get(one.line.commodity)) for one in found]
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
        month.moved,
        sum_of([line.won for line in priced]),
        *ends,
        [line.commodity for line in lines if line.won is None],
        lines,
    )


def month_lines(home: Home, month: Month) -> tuple[list[Utility], datetime | None, dict[str, Ahead]]:
    """Give every utility as reckoned now, the time of the newest reading in it, and what was forecast."""
    access, today, rates = home.access, month.today, home.rates
    outlook = outlook_of(access, home.place, today.day, month.end, today.tz) if month.running else None
    out, as_of = list[Utility](), None
    coming: dict[str, Ahead] = {}
    for service in home.services:
        reading = read_today(access, service, today) if month.holds_today else None
        use = None if reading is None or reading.use is None else int(Fraction(reading.use) * service.unit.ratio)
        ahead = None
        if month.running and reading is not None and reading.days is not None:
            ahead = month_ahead(access, service, reading.days, month.end, today, outlook)
        if ahead is not None:
            coming[service.commodity.code] = ahead
        stretches = rates.stretches(home.place, service.commodity.code, month.first, month.end)
        counted = [_counted(home, service, part, use) for part in parts_of(month, stretches)]
        out.append(utility_of(service, home.place, counted, ahead, rates))
        if reading is not None and reading.as_of is not None:
            as_of = reading.as_of if as_of is None else max(as_of, reading.as_of)
    return out, as_of, coming


def _counted(home: Home, service: Service, part: Month, today_use: int | None) -> Counted:
    """Read what was counted in a stretch of a month."""
    days = days_between(home.access, service, part.whole, part.until) if part.whole < part.until else None
    past = past_of(days, first_part(home.access, service, part))
    return Counted(part, days, past, today_use if part.holds_today else None)


def issued_lines(home: Home, month: Month) -> dict[str, list[UtilityBill]]:
    """Give the bills that were issued of a month's days that are the reader's, by utility."""
    tz = home.today.tz
    number = month.starts.year * 100 + month.starts.month
    part = Span(month.begins, month.stops)
    with home.access.asking(home.place, None, part, MONTH_MIN, own=True) as asked:
        found = issued(asked, home.place, (number, number), part)
        commodities = asked.registry.commodities
    out: dict[str, list[UtilityBill]] = {}
    for one in found:
        out.setdefault(one.commodity, []).append(issued_bill(one, commodities[one.commodity], tz))
    return out


def _as_issued(utility: Utility, bills: Sequence[UtilityBill] | None) -> BillLine:
    """Say of a line what its issued bills ask for; a stretch that was held back stands beside them as reckoned."""
    line = utility.line
    if not bills:
        return line
    told = [_issued_line(one) for one in sorted(bills, key=lambda one: one.start)]
    rest = [
        other
        for part, other in utility.begun
        if not any(part.first <= one.last and one.first < part.end for one in told)
    ]
    uses = [one.use for one in (*told, *rest)]
    known = [use for use in uses if use is not None]
    return msgspec.structs.replace(
        line,
        won=sum_of([*(one.due_won for one in told), *(other.won for other in rest)]),
        why=list(dict.fromkeys(why for other in rest for why in other.why)),
        issued=told,
        items=[],
        use=sum(known[1:], known[0]) if len(known) == len(uses) else line.use,
        tier=None,
        tier_reason=None,
    )


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
    found, _, _ = month_lines(home, month)
    rows = [_less_row(one, home.rates) for one in found]
    return HomeLess(
        home.place, *home.names, home.catalogue.registry.city.tz, f"{month.starts:%Y-%m}", month.end - DAY,
        [row for row in rows if row is not None],
    )  # fmt: skip


def _less_row(utility: Utility, rates: HomeRates) -> LessRow | None:
    line = utility.line
    if line.ahead is None or line.won is None or line.use is None:
        return None
    steps: list[LessStep] = []
    for at in range(STEPS):
        uses = [one.at_end - max(one.at_end - one.so_far, Fraction(0)) * STEP * at for one in utility.ends]
        priced = [rates.price(one.asked, use).bill for one, use in zip(utility.ends, uses, strict=True)]
        bills = [bill for bill in priced if bill is not None]
        if len(bills) < len(priced):
            return None
        won = sum(int(bill.total) for bill in bills)
        use = round(float(sum(uses)), 3)
        steps.append(LessStep(float(STEP * at), use, won, steps[0].won - won if steps else 0))
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
