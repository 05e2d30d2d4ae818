"""A meter's zeros, a usual day and the lengths of a history, from days that are made up."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.terms.errors import UsageError
from quintet.terms.unit import units
from quintet.views.home_history import stretch_of
from quintet.views.home_limits import home_limits
from quintet.views.home_now import Today
from quintet.views.home_signs import Days, zero_since
from quintet.views.home_usual import REST, WORKING, Usual, kind_of

SEOUL = ZoneInfo("Asia/Seoul")


def days(values: list[int], whole: list[bool] | None = None) -> Days:
    known = np.array(whole if whole is not None else [True] * len(values))
    return Days(date(2026, 11, 1), np.array(values, np.int64), known, known, known, known.astype(np.float64))


@pytest.mark.parametrize(
    ("values", "today", "since"),
    [
        ([5] * 10 + [0] * 3, 0, date(2026, 11, 11)),
        ([5] * 10 + [0] * 2, 0, None),  # a weekend away
        ([5] * 10 + [0] * 3, 1, None),  # it goes on today
        ([5] * 5 + [0, 5] + [0] * 4, 0, None),  # no week of use before: the season may have ended
        ([0] * 13, 0, None),
        ([5] * 10 + [0] * 3, None, None),  # nothing was heard today
    ],
)
def test_a_meter_has_stopped_only_after_days_of_use(values: list[int], today: int | None, since: date | None) -> None:
    assert zero_since(days(values), today) == since


def test_days_that_were_not_measured_are_no_zeros() -> None:
    assert zero_since(days([5] * 10 + [0] * 3, [True] * 11 + [False] * 2), 0) is None


def test_a_usual_is_a_median_of_trusted_days_only() -> None:
    use = np.array([[1000] * 96, [2000] * 96, [9000] * 96, [3000] * 96], np.int64)
    sure = np.ones((4, 96), np.bool_)
    sure[2, 50:] = False
    usual = Usual.of(15, units()["kWh"], use, sure)
    assert usual.until(60) == (Decimal("0.01"), 4)
    assert usual.until(96 * 15) == (Decimal("0.192"), 3)
    assert usual.hours[0] == Decimal("0.01")
    few = Usual.of(15, units()["kWh"], use[:2], sure[:2])
    assert few.until(60) == (None, 2)
    assert few.hours == [None] * 24


@pytest.mark.parametrize("minutes", [15, 60, 1440])
@pytest.mark.parametrize("days", [0, 1, 3, 8, 20])
def test_a_usual_is_the_median_of_the_days_that_are_known_until_then(minutes: int, days: int) -> None:
    rng, unit, count = np.random.default_rng(days), units()["kWh"], 1440 // minutes
    sure = np.logical_and.accumulate(rng.random((days, count)) > 0.02, axis=1)
    use = rng.integers(-3, 10**9, (days, count))

    def median(first: int, end: int) -> Decimal | None:
        sums = use[sure[:, end - 1], first:end].sum(axis=1)
        return unit.to_decimal(int(np.median(sums))) if len(sums) >= home_limits()["usual_days_needed"] else None

    usual = Usual.of(minutes, unit, use, sure)
    for until in (15, 60, 600, 1439, 1440, 2000):
        if end := min(until // minutes, count):
            assert usual.until(until) == (median(0, end), int(sure[:, end - 1].sum()))
    steps = 60 // minutes
    assert usual.hours == [median(hour * steps, (hour + 1) * steps) if steps else None for hour in range(24)]
    assert usual.until(14) == (None, 0)


def test_a_day_of_rest_is_a_weekend_or_a_holiday_of_the_clock() -> None:
    assert kind_of(date(2026, 11, 24), SEOUL) == WORKING
    assert kind_of(date(2026, 11, 22), SEOUL) == REST
    assert kind_of(date(2026, 12, 25), SEOUL) == REST


def test_lengths_meet_the_same_days_a_year_before() -> None:
    week = stretch_of("week", date(2026, 11, 12), SEOUL)
    assert (week.first, week.end) == (date(2026, 11, 9), date(2026, 11, 16))
    assert week.span_before.start == datetime(2025, 11, 9, 15, tzinfo=UTC)
    leap = stretch_of("month", date(2024, 2, 29), SEOUL)
    assert (leap.first, leap.end) == (date(2024, 2, 1), date(2024, 3, 1))
    assert leap.span_before.end == datetime(2023, 2, 28, 15, tzinfo=UTC)
    with pytest.raises(UsageError, match="no length"):
        stretch_of("decade", date(2026, 11, 12), SEOUL)


def test_a_day_of_23_hours_is_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert Today.at(datetime(2026, 3, 29, 10, tzinfo=UTC), berlin, None).hours == 23
    moved = Today.at(datetime(2026, 11, 24, 3, tzinfo=UTC), SEOUL, datetime(2026, 11, 23, 3, tzinfo=UTC))
    assert (moved.since_day, moved.whole, moved.seen) == (date(2026, 11, 23), date(2026, 11, 24), moved.span)
