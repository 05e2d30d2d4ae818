"""Which day an answer speaks of: today once it has begun to report, else the last day that has readings."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from quintet.access import Access, FlowsAnswer
from quintet.terms.period import Resolution, Span, day_start, local_day
from quintet.terms.reading import DEFAULT_CADENCE_MIN

from .asked import FIRST_YEAR, span_of_day

INTERVAL = timedelta(minutes=DEFAULT_CADENCE_MIN)
PATIENCE = 2 * INTERVAL
"""Two missed intervals: so long nothing is called late, and a new day has not begun."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A local day and how far it has been heard.

    `as_of` ends the last reading, `until` what is shown: a day that is over is shown whole; today as far as it was
    heard or, once readings are late, as far as it should have been; never an interval that is not over. `hours` are
    the flows of the whole day by the hour.
    """

    day: date
    span: Span
    until: datetime
    as_of: datetime | None
    is_today: bool
    stale: bool
    hours: FlowsAnswer


def heard_latest(access: Access, root: str, now: datetime, tz: ZoneInfo) -> Heard | None:
    """Give today once it has begun to report, else the last day that has readings; None where there is none."""
    today = local_day(now - PATIENCE, tz)
    heard = heard_day(access, root, today, now, tz)
    if heard.as_of is not None:
        return heard
    day = last_day(access, root, today, tz)
    return None if day is None else heard_day(access, root, day, now, tz)


def last_day(access: Access, root: str, today: date, tz: ZoneInfo) -> date | None:
    """Find the last local day, not after `today`, on which a place was heard; None where there is none.

    Looks back in stretches that double, so that a city silent for ten years costs a dozen questions.
    """
    end, width = today + timedelta(days=1), 1
    while end.year >= FIRST_YEAR:
        begin = end - timedelta(days=width)
        step = Resolution.DAY if width < 32 else Resolution.MONTH
        found = _last_heard(access.flows(root, Span(day_start(begin, tz), day_start(end, tz)), step))
        if found is not None and step is Resolution.MONTH:
            found = _last_heard(access.flows(root, found, Resolution.DAY))
        if found is not None:
            return local_day(found.start, tz)
        end, width = begin, width * 2
    return None


def heard_day(access: Access, root: str, day: date, now: datetime, tz: ZoneInfo) -> Heard:
    """Say how far a day has come, by everything that stands in a place."""
    span = span_of_day(day, tz)
    is_today = span.start <= now < span.end
    hours = access.flows(root, span, Resolution.HOUR)
    heard = _as_of(access, root, hours)
    if not is_today:
        return Heard(day, span, span.end, heard, is_today=False, stale=False, hours=hours)
    over = span.start + max((now - span.start) // INTERVAL, 1) * INTERVAL
    stale = heard is None or now - heard > PATIENCE
    until = over if heard is None or stale else min(heard, over)
    return Heard(day, span, until, None if heard is None else min(heard, over), is_today, stale, hours)


def _as_of(access: Access, place: str, hours: FlowsAnswer) -> datetime | None:
    """Give the end of the last reading in a day, to the quarter hour; None where there is none."""
    hour = _last_heard(hours)
    if hour is None:
        return None
    quarter = _last_heard(access.flows(place, hour, Resolution.QUARTER))
    return hour.end if quarter is None else quarter.end


def _last_heard(answer: FlowsAnswer) -> Span | None:
    """Give the last period of an answer in which anything measured arrived."""
    heard = {
        start
        for start, arrived in zip(
            answer.flows["start"].to_pylist(), answer.flows["arrived_min"].to_pylist(), strict=True
        )
        if arrived
    }
    for start, end in zip(answer.edges[-2::-1], answer.edges[:0:-1], strict=True):
        if start in heard:
            return Span(start, end)
    return None
