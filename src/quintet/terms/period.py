"""Periods: UTC inside, the city's local day outside, half-open ranges, 23- and 25-hour days as they are."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from .errors import UsageError
from .length import DAY_US as DAY_US
from .length import HOUR_US as HOUR_US
from .length import MICROSECONDS as MICROSECONDS
from .length import MINUTE_US as MINUTE_US
from .length import Resolution as Resolution

FIXED_MINUTES = {Resolution.QUARTER: 15, Resolution.HALF: 30, Resolution.HOUR: 60}


def to_us(moment: datetime) -> int:
    """Give microseconds since 1970 UTC; a naive datetime raises."""
    if moment.tzinfo is None:
        raise UsageError(
            f"{moment.isoformat()} has no offset.",
            code="naive_time",
            remedy="Write it as 2025-01-01T00:00:00+09:00.",
            said={"text": moment.isoformat()},
        )
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_us(microseconds: int) -> datetime:
    """Give the UTC moment of microseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def parse_moment(text: str, tz: ZoneInfo) -> datetime:
    """Read a moment: RFC 3339 with an offset, or a date, month or year, which means the start of that local day.

    A time without an offset is refused: in an autumn night it would mean two moments.
    """
    try:
        if len(text) == 4:
            return within_calendar(day_start(date.fromisoformat(f"{text}-01-01"), tz), text)
        if len(text) == 7:
            return within_calendar(day_start(date.fromisoformat(f"{text}-01"), tz), text)
        if len(text) == 10:
            return within_calendar(day_start(date.fromisoformat(text), tz), text)
        moment = datetime.fromisoformat(text)
        to_us(moment)
        return within_calendar(moment.astimezone(UTC), text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no moment.",
            code="bad_time",
            remedy="Write 2025, 2025-01, 2025-01-31 or 2025-01-31T12:00:00+09:00.",
            said={"text": text},
        ) from error


def within_calendar(moment: datetime, text: str) -> datetime:
    """Refuse a moment outside of 1900 .. 2199: no meter's reading is there, and days at the calendar's end are none."""
    if not 1900 <= moment.year < 2200:
        raise UsageError(
            f"{text!r} is outside of 1900 to 2199.",
            code="bad_time",
            remedy="Ask for a time of readings.",
            said={"text": text},
        )
    return moment


def day_start(day: date, tz: ZoneInfo) -> datetime:
    """Give the UTC moment at which a local day starts (the first such moment where midnight is doubled or missing)."""
    return datetime.combine(day, time(), tzinfo=tz).astimezone(UTC)


def local_day(moment: datetime, tz: ZoneInfo) -> date:
    """Give the local day that holds a moment."""
    return moment.astimezone(tz).date()


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of time [start, end), both UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a range that ends before it starts and a naive bound."""
        if to_us(self.end) <= to_us(self.start):
            raise UsageError(
                f"the range {self.start.isoformat()} .. {self.end.isoformat()} is empty.",
                code="empty_range",
                remedy="--to is the first moment that no longer counts; it must be after --from.",
            )

    @property
    def start_us(self) -> int:
        """Start in microseconds since 1970."""
        return to_us(self.start)

    @property
    def end_us(self) -> int:
        """End in microseconds since 1970."""
        return to_us(self.end)


def edges(span: Span, resolution: Resolution, tz: ZoneInfo) -> list[datetime]:
    """Cut a span into periods of the local clock: n + 1 UTC moments for n periods, the first and last as asked.

    Hours and quarters are counted from the local midnight, so a 23-hour day has 23 of them.
    """
    out = [span.start]
    day = local_day(span.start, tz)
    while out[-1] < span.end:
        if resolution is Resolution.MONTH:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            out.append(day_start(day, tz))
            continue
        step = timedelta(minutes=FIXED_MINUTES.get(resolution, 1440))
        begin, following = day_start(day, tz), day_start(day + timedelta(days=1), tz)
        if resolution is Resolution.DAY:
            out.append(following)
        else:
            moment = begin + ((out[-1] - begin) // step + 1) * step
            while moment < following and out[-1] < span.end:
                out.append(moment)
                moment += step
            if out[-1] < span.end:
                out.append(following)
        day += timedelta(days=1)
    out[-1] = span.end
    return out


def days(span: Span, tz: ZoneInfo) -> list[date]:
    """List the local days that a span touches."""
    first, last = local_day(span.start, tz), local_day(span.end - timedelta(microseconds=1), tz)
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Count days since 1970-01-01: how tables name a local day."""
    return (day - EPOCH).days


def day_of_number(number: int) -> date:
    """Give the date of a day number."""
    return EPOCH + timedelta(days=number)


@cache
def year_starts(year: int, tz: ZoneInfo) -> npt.NDArray[np.int64]:
    """Give the start of each local day of a year, in microseconds."""
    first = date(year, 1, 1)
    count = (date(year + 1, 1, 1) - first).days
    return np.array([to_us(day_start(first + timedelta(days=i), tz)) for i in range(count)], np.int64)


def day_edges(first_us: int, last_us: int, tz: ZoneInfo) -> tuple[int, npt.NDArray[np.int64]]:
    """Give the number of the first local day of a range, and the edges of all its days.

    n + 1 edges in microseconds for the n days from the one that holds `first_us` to the one that holds `last_us`.
    """
    return edges_between(local_day(from_us(first_us), tz), local_day(from_us(last_us), tz), tz)


@lru_cache(maxsize=256)
def edges_between(first: date, last: date, tz: ZoneInfo) -> tuple[int, npt.NDArray[np.int64]]:
    """Give the number of the first of some local days, and the edges of all of them (shared: read-only)."""
    end = last + timedelta(days=1)
    starts = np.concatenate([year_starts(year, tz) for year in range(first.year, end.year + 1)])
    skipped = (first - date(first.year, 1, 1)).days
    edges = starts[skipped : skipped + (end - first).days + 1]
    edges.setflags(write=False)
    return day_number(first), edges


def day_numbers(moments_us: npt.NDArray[np.int64], tz: ZoneInfo) -> npt.NDArray[np.int32]:
    """Give the local day number of each moment."""
    if not len(moments_us):
        return np.zeros(0, np.int32)
    first, starts = day_edges(int(moments_us.min()), int(moments_us.max()), tz)
    return (first + np.searchsorted(starts, moments_us, side="right") - 1).astype(np.int32)


@cache
def grid_phase(tz: ZoneInfo, cadence_us: int) -> int:
    """Give the phase of a local grid: a slot starts where (start + phase) % cadence == 0.

    The zone's standard offset of January 2000 is taken; summer time moves by whole slots of an hour or less.
    """
    offset = datetime(2000, 1, 1, tzinfo=UTC).astimezone(tz).utcoffset() or timedelta(0)
    return (offset // timedelta(microseconds=1)) % cadence_us


def hour_starts(moments_us: npt.NDArray[np.int64], tz: ZoneInfo) -> npt.NDArray[np.int64]:
    """Give the start of the local clock's hour that holds each moment."""
    phase = grid_phase(tz, HOUR_US)
    return moments_us - (moments_us + phase) % HOUR_US
