"""A clock's rule as feeds of real senders say it; dates of three zones by the tz database itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from quintet.protocols.espi_clock import NO_RULE, LocalTime, local_time

AT = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Asia/Seoul", "UTC", "Asia/Kolkata"])
def test_a_clock_without_summer_time_has_no_rule(name: str) -> None:
    offset = int(AT.astimezone(ZoneInfo(name)).utcoffset().total_seconds())
    assert local_time(ZoneInfo(name), AT) == LocalTime(NO_RULE, 0, NO_RULE, offset)


@pytest.mark.parametrize(("name", "offset"), [("America/Los_Angeles", -28800), ("America/New_York", -18000)])
def test_north_america_is_said_as_its_utilities_say_it(name: str, offset: int) -> None:
    """B40E2000 and 360E2000 stand in all the published samples."""
    assert local_time(ZoneInfo(name), AT) == LocalTime("B40E2000", 3600, "360E2000", offset)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Europe/London", "Australia/Sydney", "America/Santiago"])
def test_a_rule_says_the_days_on_which_the_clock_changes(name: str) -> None:
    zone = ZoneInfo(name)
    said = local_time(zone, AT)
    offset = timedelta(seconds=said.tz_offset_s)
    for year in (2026, 2027):
        begin, end = (wall(rule, year) for rule in (said.dst_start, said.dst_end))
        start = begin - offset
        back = end - offset - timedelta(seconds=said.dst_offset_s)
        for moment, after in ((start, offset + timedelta(seconds=said.dst_offset_s)), (back, offset)):
            assert (moment - timedelta(minutes=1)).astimezone(zone).utcoffset() != after
            assert moment.astimezone(zone).utcoffset() == after


def wall(rule: str, year: int) -> datetime:
    """Read a rule as the standard describes its bits."""
    bits = int(rule, 16)
    month, operator, day = bits >> 28, bits >> 25 & 7, bits >> 20 & 31
    weekday, hour, seconds = bits >> 17 & 7, bits >> 12 & 31, bits & 0xFFF
    first = datetime(year, month, 1, hour, tzinfo=UTC) + timedelta(seconds=seconds)
    if operator == 0:
        return first.replace(day=day)
    days = [first + timedelta(days=step) for step in range(31) if (first + timedelta(days=step)).month == month]
    fitting = [one for one in days if one.isoweekday() == weekday]
    if operator == 1:
        return next(one for one in fitting if one.day >= day)
    return fitting[-1] if operator == 7 else fitting[operator - 2]


def test_a_clock_that_changes_by_no_yearly_rule_has_none() -> None:
    """Morocco's clock goes by the moon: it is said as it stands, without a rule that would be wrong next year."""
    said = local_time(ZoneInfo("Africa/Casablanca"), AT)
    assert (said.dst_start, said.dst_end, said.tz_offset_s) == (NO_RULE, NO_RULE, 3600)
