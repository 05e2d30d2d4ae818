"""A city's clock as ESPI says it (LocalTimeParameters): the offset, and by which rule summer time begins and ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NO_RULE = "FFFFFFFF"
"""No correction by summer time (espi.xsd, DstRuleType)."""
ON_DAY, ON_OR_AFTER, FIRST, LAST = 0, 1, 2, 7
"""Operators of a rule: on the day of the month; that weekday on or after it; the first of that
weekday (2 to 6: first to fifth); the last."""
YEARS = 12
"""A rule must say the dates of so many years, or it is none; in 11 years a date has been on every day of the week."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The four fields; seconds, rules as eight hexadecimal digits."""

    dst_end: str
    dst_offset_s: int
    dst_start: str
    tz_offset_s: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the clock: the moment as the clock showed it just before, and by how many seconds it went on."""

    wall: datetime
    by_s: int


def local_time(tz: ZoneInfo, at: datetime) -> LocalTime:
    """Say a clock as it goes at a moment; without summer time, or by no yearly rule, it has none."""
    changes = [_changes(tz, at.astimezone(tz).year + step) for step in range(YEARS)]
    if all(len(year) == 2 for year in changes):
        ahead = [next((one for one in year if one.by_s > 0), None) for year in changes]
        back = [next((one for one in year if one.by_s < 0), None) for year in changes]
        begin, end = _rule(ahead), _rule(back)
        if begin and end and ahead[0] is not None:
            half_a_year = timedelta(days=182)
            standard = min(_offset_s(tz, at), _offset_s(tz, at + half_a_year))
            return LocalTime(end, ahead[0].by_s, begin, standard)
    return LocalTime(NO_RULE, 0, NO_RULE, _offset_s(tz, at))


def _changes(tz: ZoneInfo, year: int) -> list[Change]:
    """Find the changes of a year, to the minute."""
    found: list[Change] = []
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        after = day + timedelta(days=1)
        if (step := _offset_s(tz, after) - _offset_s(tz, day)) != 0:
            low, high = day, after
            while high - low > timedelta(minutes=1):
                middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
                low, high = (low, middle) if _offset_s(tz, middle) != _offset_s(tz, day) else (middle, high)
            wall = (high + timedelta(seconds=_offset_s(tz, day))).replace(tzinfo=None)
            found.append(Change(wall, step))
        day = after
    return found


def _offset_s(tz: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(tz).utcoffset() or timedelta()).total_seconds())


def _rule(changes: list[Change | None]) -> str | None:
    """Give the rule that says the moments of all these years; None where there is none."""
    walls = [one.wall for one in changes if one is not None]
    if len(walls) < len(changes):
        return None
    same = {(wall.month, wall.hour, wall.minute) for wall in walls}
    if len(same) > 1:
        return None
    month, hour, minute = same.pop()
    if len({wall.weekday() for wall in walls}) == 1:
        weekday = walls[0].weekday() + 1
        if all((wall + timedelta(days=WEEK)).month != month for wall in walls):
            return _bits(month, LAST, 0, weekday, hour, minute)
        if len(nth := {(wall.day - 1) // WEEK for wall in walls}) == 1:
            return _bits(month, FIRST + nth.pop(), 0, weekday, hour, minute)
        earliest, latest = (which(wall.day for wall in walls) for which in (min, max))
        if latest - earliest < WEEK:
            return _bits(month, ON_OR_AFTER, earliest, weekday, hour, minute)
    if len(days := {wall.day for wall in walls}) == 1:
        return _bits(month, ON_DAY, days.pop(), 0, hour, minute)
    return None


def _bits(month: int, operator: int, day: int, weekday: int, hour: int, minute: int) -> str:
    """Write a rule (DstRuleType): month, operator, day of the month, weekday (1 Monday), hour, seconds of it."""
    return f"{month << 28 | operator << 25 | day << 20 | weekday << 17 | hour << 12 | minute * 60:08X}"
