"""What a person asked for, read and checked: moments, spans, resolutions, days, sizes. The clock is the city's."""

import base64
import binascii
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_MIN
from quintet.terms.period import FIXED_MINUTES, Resolution, Span, day_start, parse_moment

FIRST_YEAR, LAST_YEAR = 1900, 2199
MONTH_MIN = 28 * 1440
MOST_INTERVALS = 600_000
"""Periods of one series: a year of minutes, many years of quarter hours."""
MOST_BALANCES = 20_000
"""Periods of one balance: two years of hours."""


def moment_of(text: str, tz: ZoneInfo, name: str) -> datetime:
    """Read a moment; one without an offset, or outside the years that a city can have, raises UsageError."""
    try:
        moment = parse_moment(text, tz)
    except OverflowError:
        moment = None
    except UsageError as error:
        raise UsageError(error.message, code=error.code, place=name, remedy=error.remedy, said=error.said) from error
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise UsageError(
            f"{text!r} is out of reach.",
            code="bad_time",
            place=name,
            remedy=f"Ask for a moment between {FIRST_YEAR} and {LAST_YEAR}.",
            said={"text": text, "first": str(FIRST_YEAR), "last": str(LAST_YEAR)},
        )
    return moment


def known_at_of(text: str | None, tz: ZoneInfo) -> datetime | None:
    """Read `known_at`; None (now) where it was not given."""
    return None if text is None else moment_of(text, tz, "known_at")


def span_of(start: str, end: str, tz: ZoneInfo) -> Span:
    """Read `from` and `to`; a range that is empty raises UsageError."""
    first, last = moment_of(start, tz, "from"), moment_of(end, tz, "to")
    if last <= first:
        raise UsageError(
            f"the range {start} .. {end} is empty.",
            code="empty_range",
            place="to",
            remedy="`to` is the first moment that no longer counts; it must be after `from`.",
            said={"start": start, "end": end},
        )
    return Span(first, last)


def check_size(span: Span, resolution: Resolution, most: int) -> None:
    """Refuse a question whose answer would have more than `most` periods."""
    minutes = {**FIXED_MINUTES, Resolution.MONTH: MONTH_MIN}.get(resolution, DAY_MIN)
    periods = (span.end - span.start) / timedelta(minutes=minutes)
    if periods > most:
        raise UsageError(
            f"that range holds about {periods:,.0f} periods; one answer has at most {most:,}.",
            code="range_too_long",
            place="resolution",
            remedy="Ask for a shorter range or a coarser resolution.",
            said={"periods": round(periods), "most": most},
        )


def day_of(text: str) -> date:
    """Read a local day, 2025-01-31."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(
            f"{text!r} is no day.",
            code="bad_day",
            place="day",
            remedy="Write it as 2025-01-31.",
            said={"text": text},
        )
    return day


def span_of_day(day: date, tz: ZoneInfo) -> Span:
    """Give a local day's span: 23, 24 or 25 hours."""
    return Span(day_start(day, tz), day_start(day + timedelta(days=1), tz))


def within(value: int, low: int, high: int, name: str) -> int:
    """Refuse a number outside low .. high."""
    if not low <= value <= high:
        raise UsageError(
            f"{value} is out of range.",
            code=f"bad_{name}",
            place=name,
            remedy=f"Give a number from {low} to {high}.",
            said={"text": str(value), "low": low, "high": high},
        )
    return value


def cursor_after(question: list[str | None], last: str) -> str:
    """Give the cursor of the page after `last`; it only continues the same question."""
    return base64.urlsafe_b64encode(msgspec.json.encode([*question, last])).decode().rstrip("=")


def cursor_start(question: list[str | None], cursor: str | None) -> str:
    """Give the name after which a page starts ("" for the first); a cursor of another question raises UsageError."""
    if cursor is None:
        return ""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        said = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=list[str | None])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        said = []
    if len(said) != len(question) + 1 or said[:-1] != question or not said[-1]:
        raise UsageError(
            "that cursor does not continue this question.",
            code="bad_cursor",
            place="cursor",
            remedy="Take `next_cursor` of the page before, with the same filters; leave it out for the first page.",
        )
    return said[-1]
