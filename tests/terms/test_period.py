"""Periods of the local clock: they partition what was asked, days have the hours they have, naive times are refused."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.terms.errors import UsageError
from quintet.terms.period import (
    FIXED_MINUTES,
    HOUR_US,
    MINUTE_US,
    Resolution,
    Span,
    day_edges,
    day_number,
    day_numbers,
    day_of_number,
    day_start,
    days,
    edges,
    from_us,
    grid_phase,
    hour_starts,
    local_day,
    parse_moment,
    to_us,
)

ZONES = [
    *("UTC", "Asia/Seoul", "Europe/Madrid", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Auckland", "Asia/Tehran", "America/Havana"),
]
"""With summer time and without, offsets of 30 and 45 minutes, midnights doubled and missing."""
ZONE = st.sampled_from([ZoneInfo(name) for name in ZONES])
FIRST = datetime(1990, 1, 1, tzinfo=UTC)
SECONDS = 50 * 366 * 86_400
MOMENT = st.integers(0, SECONDS).map(lambda seconds: FIRST + timedelta(seconds=seconds))
SEOUL, MADRID = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Madrid")


@given(MOMENT, st.integers(1, 5 * 86_400), st.sampled_from(list(Resolution)), ZONE)
def test_periods_partition_the_span(start: datetime, length: int, resolution: Resolution, tz: ZoneInfo) -> None:
    span = Span(start, start + timedelta(seconds=length))
    found = edges(span, resolution, tz)
    assert (found[0], found[-1]) == (span.start, span.end)
    assert all(low < high for low, high in pairwise(found))
    longest = timedelta(
        minutes=FIXED_MINUTES.get(resolution, 31 * 1440 + 60 if resolution is Resolution.MONTH else 1500)
    )
    assert all(high - low <= longest for low, high in pairwise(found))
    for edge in found[1:-1]:
        day = day_start(local_day(edge, tz), tz)
        if resolution is Resolution.MONTH:
            assert (edge, local_day(edge, tz).day) == (day, 1)
        elif resolution is Resolution.DAY:
            assert edge == day
        else:
            assert (edge - day) % timedelta(minutes=FIXED_MINUTES[resolution]) == timedelta(0)


@given(MOMENT, st.integers(40, 400), ZONE)
def test_no_day_and_no_month_is_left_out(start: datetime, length: int, tz: ZoneInfo) -> None:
    span = Span(start, start + timedelta(days=length))
    assert len(edges(span, Resolution.DAY, tz)) - 1 == len(days(span, tz))
    months = {(day.year, day.month) for day in days(span, tz)}
    assert len(edges(span, Resolution.MONTH, tz)) - 1 == len(months)


@given(MOMENT, ZONE)
def test_a_whole_day_has_as_many_hours_as_it_lasts(moment: datetime, tz: ZoneInfo) -> None:
    day = local_day(moment, tz)
    span = Span(day_start(day, tz), day_start(day + timedelta(days=1), tz))
    lasts = (span.end - span.start) / timedelta(hours=1)
    found = edges(span, Resolution.HOUR, tz)
    assert lasts in {23, 23.5, 24, 24.5, 25}
    assert len(found) - 1 == -(-lasts // 1)
    assert span.start <= moment < span.end
    assert days(span, tz) == [day]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", date(2025, 3, 30), 23),
        ("Europe/Madrid", date(2025, 10, 26), 25),
        ("Asia/Seoul", date(1988, 5, 8), 23),
        ("Asia/Seoul", date(1988, 10, 9), 25),
        ("Asia/Seoul", date(2025, 3, 30), 24),
        ("America/New_York", date(2025, 3, 9), 23),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Havana", date(2024, 11, 3), 25),
        ("Africa/Cairo", date(2024, 4, 26), 23),
    ],
)
def test_days_of_23_and_25_hours(zone: str, day: date, hours: int) -> None:
    tz = ZoneInfo(zone)
    span = Span(day_start(day, tz), day_start(day + timedelta(days=1), tz))
    assert span.end - span.start == timedelta(hours=hours)
    assert len(edges(span, Resolution.HOUR, tz)) == hours + 1
    assert len(edges(span, Resolution.QUARTER, tz)) == 4 * hours + 1
    assert edges(span, Resolution.DAY, tz) == [span.start, span.end]


def test_periods_start_where_the_clock_says_and_end_as_asked() -> None:
    span = Span(datetime(2025, 1, 1, 3, 20, tzinfo=UTC), datetime(2025, 1, 1, 5, 5, tzinfo=UTC))
    clock = [edge.astimezone(SEOUL).strftime("%H:%M") for edge in edges(span, Resolution.HOUR, SEOUL)]
    assert clock == ["12:20", "13:00", "14:00", "14:05"]
    assert edges(span, Resolution.DAY, SEOUL) == [span.start, span.end]
    year = Span(day_start(date(2025, 1, 15), SEOUL), day_start(date(2025, 4, 2), SEOUL))
    assert [local_day(edge, SEOUL).isoformat() for edge in edges(year, Resolution.MONTH, SEOUL)] == [
        "2025-01-15", "2025-02-01", "2025-03-01", "2025-04-01", "2025-04-02",
    ]  # fmt: skip


def test_an_empty_range_and_a_backward_one_are_refused() -> None:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for end in (moment, moment - timedelta(seconds=1)):
        with pytest.raises(UsageError, match="is empty") as caught:
            Span(moment, end)
        assert caught.value.exit_code == 2
    span = Span(moment, moment + timedelta(microseconds=1))
    assert span.end_us - span.start_us == 1


def test_a_naive_time_is_refused_everywhere() -> None:
    naive, aware = datetime(2025, 1, 1), datetime(2025, 1, 1, tzinfo=UTC)  # noqa: DTZ001
    with pytest.raises(UsageError, match="has no offset"):
        to_us(naive)
    for start, end in ((naive, aware), (aware, naive), (naive, naive)):
        with pytest.raises(UsageError, match="has no offset"):
            Span(start, end)
    for text in ("2025-01-01T00:00:00", "2025-10-26 02:30"):
        with pytest.raises(UsageError, match="has no offset") as caught:
            parse_moment(text, SEOUL)
        assert caught.value.code == "naive_time"


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=ZONE))  # noqa: DTZ001
def test_microseconds_are_exact_both_ways(moment: datetime) -> None:
    assert from_us(to_us(moment)) == moment.astimezone(UTC)
    assert to_us(from_us(to_us(moment))) == to_us(moment)


def test_moments_are_read_as_people_and_machines_write_them() -> None:
    expected = {
        "2025-01-31": datetime(2025, 1, 30, 15, tzinfo=UTC),
        "2025-02": datetime(2025, 1, 31, 15, tzinfo=UTC),
        "2025": datetime(2024, 12, 31, 15, tzinfo=UTC),
        "2025-01-31T12:00:00+09:00": datetime(2025, 1, 31, 3, tzinfo=UTC),
        "2025-01-31T12:00:00Z": datetime(2025, 1, 31, 12, tzinfo=UTC),
        "2025-01-31T12:00:00.000001-05:00": datetime(2025, 1, 31, 17, 0, 0, 1, tzinfo=UTC),
    }
    for text, moment in expected.items():
        found = parse_moment(text, SEOUL)
        assert found == moment
        assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "soon", "2025-13", "2025-02-30", "31.01.2025", "2025-01-31T25:00:00Z", "2025/01/31", "1e9"],
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment") as caught:
        parse_moment(text, SEOUL)
    assert "2025-01-31T12:00:00+09:00" in caught.value.remedy


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31", "0001-01", "0001-01-01T00:00:00+23:00", "9999-12-31T23:00:00-09:00"]
)
def test_a_moment_at_the_end_of_the_calendar_is_no_traceback(text: str) -> None:
    for tz in (SEOUL, ZoneInfo("America/New_York")):
        with suppress(UsageError):
            assert parse_moment(text, tz).tzinfo is UTC


@given(st.lists(MOMENT, min_size=1, max_size=20), ZONE)
def test_day_numbers_are_those_of_the_local_clock(moments: list[datetime], tz: ZoneInfo) -> None:
    found = day_numbers(np.array([to_us(moment) for moment in moments], np.int64), tz)
    assert found.dtype == np.int32
    assert [day_of_number(int(number)) for number in found] == [local_day(moment, tz) for moment in moments]


@given(MOMENT, st.integers(0, 40 * 86_400), ZONE)
def test_day_edges_hold_both_moments(first: datetime, length: int, tz: ZoneInfo) -> None:
    last = first + timedelta(seconds=length)
    number, starts = day_edges(to_us(first), to_us(last), tz)
    assert starts[0] <= to_us(first) < starts[1]
    assert starts[-2] <= to_us(last) < starts[-1]
    expected = [to_us(day_start(day_of_number(number + index), tz)) for index in range(len(starts))]
    assert starts.tolist() == expected


def test_no_moments_have_no_days() -> None:
    assert day_numbers(np.zeros(0, np.int64), SEOUL).tolist() == []


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_day_number_is_the_day(day: date) -> None:
    assert day_of_number(day_number(day)) == day
    assert day_number(day) == day.toordinal() - date(1970, 1, 1).toordinal()


@given(ZONE, st.sampled_from([1, 5, 10, 15, 30, 60, 120, 1440]), st.dates(date(2000, 1, 1), date(2000, 1, 1)))
def test_local_midnight_in_standard_time_is_on_the_grid(tz: ZoneInfo, cadence: int, day: date) -> None:
    phase, step = grid_phase(tz, cadence * MINUTE_US), cadence * MINUTE_US
    offset = datetime(2000, 1, 1, tzinfo=UTC).astimezone(tz).utcoffset()
    assert offset is not None
    midnight = to_us(datetime(2000, 1, 5, tzinfo=UTC) - offset)
    assert (midnight + phase) % step == 0
    assert 0 <= phase < step


@pytest.mark.parametrize(
    ("zone", "cadence", "minutes"),
    [
        ("Asia/Seoul", 60, 0),
        ("Asia/Seoul", 1440, 540),
        ("Asia/Kathmandu", 60, 45),
        ("America/St_Johns", 60, 30),
        ("America/New_York", 1440, 1140),
    ],
)
def test_the_phase_of_a_grid(zone: str, cadence: int, minutes: int) -> None:
    assert grid_phase(ZoneInfo(zone), cadence * MINUTE_US) == minutes * MINUTE_US


@given(st.lists(MOMENT, min_size=1, max_size=20), ZONE)
def test_an_hour_starts_within_the_hour_before(moments: list[datetime], tz: ZoneInfo) -> None:
    found = hour_starts(np.array([to_us(moment) for moment in moments], np.int64), tz)
    for start, moment in zip(found.tolist(), moments, strict=True):
        assert 0 <= to_us(moment) - start < HOUR_US
        assert (start + grid_phase(tz, HOUR_US)) % HOUR_US == 0


def test_hours_start_where_the_local_clock_says() -> None:
    for zone, at, expected in (
        ("Asia/Kathmandu", datetime(2025, 1, 1, 3, 20, tzinfo=UTC), datetime(2025, 1, 1, 3, 15, tzinfo=UTC)),
        ("Europe/Madrid", datetime(2025, 10, 26, 0, 59, tzinfo=UTC), datetime(2025, 10, 26, 0, tzinfo=UTC)),
    ):
        assert hour_starts(np.array([to_us(at)], np.int64), ZoneInfo(zone)).tolist() == [to_us(expected)]


def test_madrid_in_one_line() -> None:
    assert local_day(datetime(2025, 3, 29, 23, tzinfo=UTC), MADRID) == date(2025, 3, 30)
    assert day_start(date(2025, 3, 30), MADRID) == datetime(2025, 3, 29, 23, tzinfo=UTC)
