"""A utility of a home over a day, a week, a month or a year, beside the same a year before and the weather.

A day and a week are set beside those of 52 weeks before, so that weekdays meet; a month and a year beside the same of
the calendar.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.scope import other_utility
from quintet.terms.commodity import Commodities
from quintet.terms.errors import BadInput, Lacking, UsageError
from quintet.terms.period import Resolution, Span, day_start, edges

from .answers_home import HistoryRow
from .home_limits import home_limits
from .home_now import Today
from .home_services import EDITED, MEASURED, QUESTIONABLE, TO_COME, Service, Slot, slots_of

DAY = timedelta(days=1)
WHOLE = (MEASURED, EDITED)


@dataclass(frozen=True, slots=True)
class Length:
    """How long a history is, and in which steps: `first` gives the first day of the one that holds a day."""

    code: str
    step: Resolution
    first: Callable[[date], date]
    after: Callable[[date], date]
    """Gives the first day of the next one."""
    before: Callable[[date], date]
    """Gives the same day a year before."""


def _month_after(day: date) -> date:
    return (day.replace(day=1) + 32 * DAY).replace(day=1)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)


LENGTHS = {
    one.code: one
    for one in (
        Length("day", Resolution.HOUR, lambda day: day, lambda day: day + DAY, lambda day: day - 364 * DAY),
        Length(
            "week",
            Resolution.DAY,
            lambda day: day - day.weekday() * DAY,
            lambda day: day + 7 * DAY,
            lambda day: day - 364 * DAY,
        ),
        Length("month", Resolution.DAY, lambda day: day.replace(day=1), _month_after, _year_before),
        Length(
            "year",
            Resolution.MONTH,
            lambda day: day.replace(month=1, day=1),
            lambda day: day.replace(year=day.year + 1, month=1, day=1),
            lambda day: day.replace(year=day.year - 1),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days of a history, [first, end), and those of the year before."""

    length: Length
    first: date
    end: date
    tz: ZoneInfo

    @property
    def span(self) -> Span:
        """Give its span."""
        return Span(day_start(self.first, self.tz), day_start(self.end, self.tz))

    @property
    def span_before(self) -> Span:
        """Give the span a year before."""
        before = self.length.before
        return Span(day_start(before(self.first), self.tz), day_start(before(self.end), self.tz))


def stretch_of(length: str, at: date, tz: ZoneInfo) -> Stretch:
    """Give the day, week, month or year that holds a day; raises UsageError for another length."""
    found = LENGTHS.get(length)
    if found is None:
        raise UsageError(
            f"there is no length {length!r}.", code="bad_length", place="length",
            remedy=f"Known: {', '.join(LENGTHS)}.", said={"text": length, "known": list(LENGTHS)},
        )  # fmt: skip
    first = found.first(at)
    return Stretch(found, first, found.after(first), tz)


def service_of(
    services: Sequence[Service], utility: str | None, place: str, known: Commodities, of: Set[str] | None = None
) -> Service:
    """Give the utility of a home that is asked for (None: its first); the reader is told `of` these (None: all).

    Raises BadInput for what is no utility of the city, Forbidden for one that the reader is not told of, Lacking for
    one that the home has no meter of.
    """
    if utility is not None and utility not in known.rows:
        codes = [code for code, row in known.rows.items() if row.balanced]
        raise BadInput(
            f"there is no utility {utility!r}.", code="unknown_commodity", place="utility",
            remedy=f"Known: {', '.join(codes)}.", said={"name": utility, "known": codes},
        )  # fmt: skip
    if utility is not None and of is not None and utility not in of:
        raise other_utility(place, of)
    if not services:
        raise Lacking("has no meter.", code="no_meter", place=place, remedy="Its use appears with its first meter.")
    found = next((one for one in services if utility in (None, one.commodity.code)), None)
    if found is None:
        has = [one.commodity.code for one in services]
        has_ko = [f"{one.commodity.name_ko} ({one.commodity.code})" for one in services]
        raise Lacking(
            f"has no meter of {utility}.", code="no_meter", place=place, remedy=f"It has {', '.join(has)}.",
            said={"name_ko": known.rows[utility or ""].name_ko, "known_ko": has_ko},
        )  # fmt: skip
    return found


def history_rows(access: Access, service: Service, place: str, stretch: Stretch, today: Today) -> list[HistoryRow]:
    """Give the periods of a stretch, each beside the one a year before."""
    step = stretch.length.step
    if service.minutes > 60 and step is Resolution.HOUR:
        step = service.resolution
    own = read(access, service, stretch.span, step, today)
    before = read(access, service, stretch.span_before, step, today)
    starts = [slot.start for slot in own]
    warm = _temperatures(access, place, stretch, step, today)
    beside = _beside(starts, before, stretch)
    return [
        HistoryRow(
            slot.start, slot.value, slot.mark, slot.coverage, slot.estimated_share,
            None if then is None else then.value, TO_COME if then is None else then.mark, warm.get(slot.start),
        )
        for slot, then in zip(own, beside, strict=True)
    ]  # fmt: skip


def read(access: Access, service: Service, span: Span, step: Resolution, today: Today) -> list[Slot]:
    """Read the periods of a span that are the reader's; those outside of his time hold nothing, and are not due."""
    starts = edges(span, step, today.tz)[:-1]
    low = span.start if today.since is None else max(span.start, today.since)
    high = span.end if today.left is None else min(span.end, today.left)
    if low >= high or span.start >= today.now:
        return [Slot(start.astimezone(today.tz), None, TO_COME, None, None) for start in starts]
    found = slots_of(access, service, Span(low, high), step, today.tz, today.now)
    ends = [*(slot.start for slot in found[1:]), high]
    late = (home_limits()["late_intervals"] + 1) * timedelta(minutes=service.minutes)
    known = {slot.start: _marked(slot, end, late, today.now) for slot, end in zip(found, ends, strict=True)}
    # the first period of a mover holds only his own days
    first = next((start for start in reversed(starts) if start <= low), low)
    if low != span.start and first != low and found:
        known[first.astimezone(today.tz)] = found[0]._replace(start=first.astimezone(today.tz), mark=QUESTIONABLE)
    if high != span.end and high not in starts and found and found[-1].start in known:  # nor does his last one
        known[found[-1].start] = known[found[-1].start]._replace(mark=QUESTIONABLE)
    return [
        known.get(start.astimezone(today.tz), Slot(start.astimezone(today.tz), None, TO_COME, None, None))
        for start in starts
    ]


def _marked(slot: Slot, end: datetime, late: timedelta, now: datetime) -> Slot:
    """Mark a period of which a part is neither measured nor estimated: what is known of it is not all of it.

    What is on its way, shorter than `late` and at the end of what is due, is not missing.
    """
    if slot.coverage is None or slot.start >= now:
        return slot
    under_way = end > now - late
    if slot.value is None:
        return slot._replace(mark=TO_COME) if under_way and slot.start >= now - late else slot
    share = slot.estimated_share or 0.0
    known = slot.coverage / (1 - share) if share < 1 else 1.0
    missing = (1 - known) * (min(end, now) - slot.start)
    if known > 0.999 or (under_way and missing <= late):
        return slot
    return slot._replace(mark=QUESTIONABLE)


def _beside(starts: Sequence[datetime], before: Sequence[Slot], stretch: Stretch) -> list[Slot | None]:
    """Give the period a year before of each; by local date, since a month may be a day shorter."""
    known = {slot.start.replace(tzinfo=None): slot for slot in before}
    out: list[Slot | None] = []
    for start in starts:
        day = start.date()
        if stretch.length.code == "month" and (day.month, day.day) == (2, 29):
            out.append(None)
            continue
        then = datetime.combine(stretch.length.before(day), start.time())
        out.append(known.get(then))
    return out


def _temperatures(
    access: Access, place: str, stretch: Stretch, step: Resolution, today: Today
) -> dict[datetime, float]:
    """Give the mean outdoor temperature of each period in which any was measured."""
    low = stretch.span.start if today.since is None else max(stretch.span.start, today.since)
    high = min(stretch.span.end, today.now)
    if low >= high:
        return {}
    table = access.outdoor(place, Span(low, high))
    periods = [edge.astimezone(today.tz) for edge in edges(stretch.span, step, today.tz)]
    sums: dict[datetime, list[float]] = {}
    at = 0
    for start, celsius in zip(table["start"].to_pylist(), table["temp_c"].to_pylist(), strict=True):
        while at + 1 < len(periods) and periods[at + 1] <= start:
            at += 1
        sums.setdefault(periods[at], []).append(celsius)
    return {start: round(sum(values) / len(values), 1) for start, values in sums.items()}


def known_share(rows: Sequence[HistoryRow], stretch: Stretch, today: Today) -> float | None:
    """Give how much of the time that is due and the reader's is known, measured or estimated; None where none is."""
    ends = [*(row.start for row in rows[1:]), stretch.span.end]
    due, known = timedelta(0), timedelta(0)
    for row, end in zip(rows, ends, strict=True):
        start = row.start if today.since is None else max(row.start, today.since)
        long = min(end, today.now if today.left is None else today.left) - start
        if row.mark == TO_COME or long <= timedelta(0):
            continue
        share = row.estimated_share or 0.0
        due += long
        known += long * min(1.0, (row.coverage or 0.0) / (1 - share) if share < 1 else 1.0)
    return round(known / due, 4) if due else None


def alike(rows: Sequence[HistoryRow]) -> tuple[Decimal | None, Decimal | None]:
    """Sum the periods of which both years are known whole: now, and a year before; None where there are none."""
    pairs = [
        (row.value, row.before)
        for row in rows
        if row.value is not None and row.before is not None and row.mark in WHOLE and row.before_mark in WHOLE
    ]
    if not pairs:
        return None, None
    return sum((one for one, _ in pairs), Decimal(0)), sum((other for _, other in pairs), Decimal(0))
