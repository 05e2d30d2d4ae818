"""The rhythm of days: weekdays, Korean holidays, places on the clock."""

from datetime import date

import pytest

from quintet.simulate.plan import CityPlan
from quintet.simulate.rhythm import clock_slots, day_type, is_holiday


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 14), 0),
        (date(2026, 1, 17), 1),
        (date(2026, 1, 18), 2),
        (date(2026, 2, 17), 2),  # Seollal, a Tuesday
        (date(2025, 10, 6), 2),  # Chuseok, a Monday
        (date(2024, 5, 6), 2),  # a substitute day
        (date(2026, 10, 9), 2),  # Hangul day, a Friday
        (date(2026, 10, 8), 0),
    ],
)
def test_day_types(day: date, kind: int) -> None:
    assert day_type(day) == kind


def test_a_year_without_lunar_dates_keeps_the_fixed_ones() -> None:
    assert is_holiday(date(2051, 3, 1))
    assert not is_holiday(date(2051, 3, 2))


def test_slots_follow_the_local_clock() -> None:
    plan = CityPlan(start=date(2026, 3, 29), days=1, tz="Europe/Berlin")
    slots = clock_slots(plan.edges(plan.start)[:-1], plan.zone).tolist()
    assert slots == [*range(8), *range(12, 96)]  # there is no 02:00 to 02:45 that day
    seoul = CityPlan(start=date(2026, 3, 29), days=1)
    assert clock_slots(seoul.edges(seoul.start)[:-1], seoul.zone).tolist() == list(range(96))


def test_a_repeated_hour_repeats_its_slots() -> None:
    plan = CityPlan(start=date(2026, 10, 25), days=1, tz="Europe/Berlin")
    slots = clock_slots(plan.edges(plan.start)[:-1], plan.zone).tolist()
    assert slots == [*range(12), *range(8, 96)]
