"""A home now: today's use of each utility so far, beside the same hours of usual days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.commodity import Commodity
from quintet.terms.period import Span, day_start, local_day
from quintet.terms.unit import Unit

from .answers_home import Tile
from .asked import span_of_day
from .home_limits import home_limits
from .home_services import (
    EDITED,
    ESTIMATED,
    MEASURED,
    MISSING,
    QUESTIONABLE,
    TO_COME,
    Service,
    Slot,
    heard_until,
    slots_of,
)
from .home_signs import Days, days_of, heard_before, last_heard, zero_since
from .home_usual import Usual
from .series import share

HOUR = timedelta(hours=1)
DOUBTFUL_FIRST = (QUESTIONABLE, ESTIMATED, EDITED, MEASURED)
FINE, LATE, SILENT, STOPPED, NEW, NONE = "fine", "late", "silent", "stopped", "new", "none"


@dataclass(frozen=True, slots=True)
class Today:
    """The local day that is shown and the moment it is shown at; `since`: from when on the home is the reader's to see.

    `seen` is what of the day is the reader's, `whole` the first whole local day that is (None: all are). Of a time that
    is over (`left`: its end) it is the last day, at its last moment.
    """

    day: date
    span: Span
    seen: Span
    now: datetime
    tz: ZoneInfo
    since: datetime | None
    whole: date | None
    left: datetime | None = None

    @classmethod
    def at(cls, now: datetime, tz: ZoneInfo, since: datetime | None, left: datetime | None = None) -> "Today":
        """Give the local day of a moment, or the last one of a time that ended."""
        now = now if left is None else left
        day = local_day(now if left is None else left - timedelta(microseconds=1), tz)
        span = span_of_day(day, tz)
        seen = span if left is None else Span(span.start, min(left, span.end))
        if since is None:
            return cls(day, span, seen, now, tz, None, None, left)
        first = local_day(since, tz)
        whole = first if since == day_start(first, tz) else first + timedelta(days=1)
        return cls(day, span, Span(max(since, span.start), seen.end), now, tz, since, whole, left)

    @property
    def since_day(self) -> date | None:
        """The local day of `since`."""
        return None if self.since is None else local_day(self.since, self.tz)

    @property
    def hours(self) -> int:
        """The hours of the day: 23, 24 or 25."""
        return round((self.span.end - self.span.start) / HOUR)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of one utility for its tile, before anything is priced."""

    service: Service
    days: Days | None
    slots: Sequence[Slot]
    use: Decimal | None
    as_of: datetime | None
    state: str
    last: datetime | None
    zero_since: date | None


def read_today(access: Access, service: Service, today: Today) -> Reading:
    """Read a utility's day so far and its signs of life."""
    return read_day(access, service, today, days_of(access, service, today.day, today.whole))


def read_day(access: Access, service: Service, today: Today, days: Days | None) -> Reading:
    """Read a utility's day so far, where the days before it are known."""
    minutes = service.minutes
    over = today.span.start + (today.now - today.span.start) // timedelta(minutes=minutes) * timedelta(minutes=minutes)
    over = over if today.left is None else today.left
    slots = slots_of(access, service, today.seen, service.resolution, today.tz, over)
    known = [slot.value for slot in slots if slot.value is not None]
    use = sum(known, Decimal(0)) if known else None
    as_of = heard_until(slots, minutes)
    last = as_of or last_heard(access, service, days, today.tz)
    zero = zero_since(days, None if use is None else int(use != 0))
    state = _state(access, service, today, days, last, zero)
    if state == FINE and as_of is not None:  # what is on its way is not missing
        slots = [slot if slot.start < as_of else Slot(slot.start, None, TO_COME, None, None) for slot in slots]
    return Reading(service, days, slots, use, as_of, state, last, zero)


def _state(
    access: Access, service: Service, today: Today, days: Days | None, last: datetime | None, zero: date | None
) -> str:
    """Say how a utility is."""
    limits = home_limits()
    if last is None:
        heard = days is not None and today.since is None and heard_before(access, service, days, today.tz)
        return SILENT if heard else NEW
    age = today.now - last
    if age > max(timedelta(hours=limits["silent_after_h"]), 2 * timedelta(minutes=service.minutes)):
        return SILENT
    if zero is not None:
        return STOPPED
    # the interval that is under way is no missed one
    return LATE if age >= (limits["late_intervals"] + 1) * timedelta(minutes=service.minutes) else FINE


def usual_so_far(reading: Reading, usual: Usual | None, today: Today) -> tuple[Decimal | None, int, str | None]:
    """Give the usual use up to the hour of the last reading, of how many days, and else why there is none."""
    if reading.as_of is None:
        return None, 0, "no_reading_today"
    if today.seen.start > today.span.start:
        return None, 0, "moved_in_today"
    if usual is None or today.hours != 24:
        return None, 0, "clock_change"
    if reading.state == STOPPED:
        return None, 0, "stopped"
    read = [slot for slot in reading.slots if slot.start < reading.as_of]
    if any(slot.mark in (MISSING, QUESTIONABLE) for slot in read):
        return None, 0, "gaps_today"
    minutes = int((reading.as_of - today.span.start) / timedelta(minutes=1))
    found, days = usual.until(minutes)
    return found, days, None if found is not None else "too_few_days"


def tile_of(reading: Reading, usual: Usual | None, today: Today) -> Tile:
    """Give a utility's tile, not yet priced."""
    so_far, days, reason = usual_so_far(reading, usual, today)
    hours = _hours(reading.slots, reading.service, today)
    read = [slot for slot in reading.slots if reading.as_of is None or slot.start < reading.as_of]
    due = [slot.coverage for slot in read if slot.coverage is not None]
    shares = [slot.estimated_share for slot in reading.slots if slot.estimated_share is not None]
    row, unit = reading.service.commodity, reading.service.unit
    return Tile(
        row.code,
        row.name_en,
        row.name_ko,
        unit.code,
        reading.state,
        reading.as_of,
        reading.last,
        reading.zero_since if reading.state == STOPPED else None,
        reading.use,
        share(sum(due) / len(due)) if due else None,
        share(sum(shares) / len(shares)) if shares else None,
        so_far,
        days,
        reason,
        None,
        None,
        None,
        [value for value, _ in hours],
        [mark for _, mark in hours],
        [None] * today.hours if usual is None or today.hours != 24 else usual.hours,
    )


def no_tile(row: Commodity, unit: Unit) -> Tile:
    """Give the tile of a carrier that this home is not metered for."""
    return Tile(
        row.code, row.name_en, row.name_ko, unit.code, NONE, None, None, None, None, None, None, None, 0, "no_meter",
        None, None, "no_meter", [], [], [],
    )  # fmt: skip


def _hours(slots: Sequence[Slot], service: Service, today: Today) -> list[tuple[Decimal | None, str]]:
    """Add up the intervals of each hour; what is read less often has no hours."""
    grouped: list[list[Slot]] = [[] for _ in range(today.hours)]
    if service.minutes <= 60:
        for slot in slots:
            grouped[int((slot.start - today.span.start) / HOUR)].append(slot)
    return [_hour(group) for group in grouped]


def _hour(slots: Sequence[Slot]) -> tuple[Decimal | None, str]:
    due = [slot for slot in slots if slot.mark != TO_COME]
    known = [slot.value for slot in due if slot.value is not None]
    if not known:
        return None, MISSING if due else TO_COME
    if len(known) < len(due):
        return sum(known, Decimal(0)), QUESTIONABLE
    marks = {slot.mark for slot in due}
    return sum(known, Decimal(0)), next(mark for mark in DOUBTFUL_FIRST if mark in marks)
