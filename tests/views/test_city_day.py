"""A city's day: the hours add up to the day, the last one may be a piece, and nothing heard is said as nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.views import Questions
from quintet.views.answers import CarrierDay, CityDay

from .conftest import NOW, SLOT, START, rows_of, send

NewCity = Callable[..., City]


def shown(city: City, day: str | None = None) -> CityDay:
    return Questions(city.access(EVERYTHING), now=city.now).city_today(day)


def carrier(day: CityDay, code: str) -> CarrierDay:
    return next(one for one in day.carriers if one.commodity == code)


def test_the_hours_of_a_day_add_up_to_it(city: City) -> None:
    day = shown(city, "2025-02-01")
    power = carrier(day, "electricity")
    assert (day.day, day.is_today, day.stale) == (date(2025, 2, 1), False, False)
    assert len(power.hours) == 24
    assert (power.use, sum(Decimal(hour.consumption or 0) for hour in power.hours)) == (Decimal(24), Decimal(24))
    assert power.supply == Decimal("29.76"), "28.8 imported and 0.96 made"
    assert day.coverage == 1.0


def test_today_ends_where_readings_end_in_the_middle_of_an_hour(city: City) -> None:
    day = shown(city)
    power = carrier(day, "electricity")
    assert (day.day, day.is_today) == (date(2025, 2, 2), True)
    assert day.until == START + timedelta(days=1, hours=14, minutes=30)
    assert len(power.hours) == 15
    assert [hour.consumption for hour in power.hours[-2:]] == [Decimal(1), Decimal("0.5")]
    assert power.use == Decimal("14.5")


def test_a_city_without_readings_says_no_day_and_no_zero(new_city: NewCity) -> None:
    day = shown(new_city(NOW))
    assert (day.day, day.until, day.as_of, day.coverage) == (None, None, None, None)
    assert (day.carriers, day.self_sufficiency, day.stale) == ([], [], False)
    assert day.rule_set


def test_a_meter_that_is_silent_for_half_a_day_is_missed_and_the_rest_still_shown(new_city: NewCity) -> None:
    city = new_city(NOW)
    rows = [row for row in rows_of(0, 96) if row[1] != "home" or row[2] < START + SLOT * 48]
    send(city, rows)
    day = shown(city, "2025-02-01")
    assert day.coverage is not None
    assert day.coverage == pytest.approx(7 / 8)
    assert carrier(day, "electricity").total.coverage < 1


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25)])
def test_the_days_of_changed_clocks_have_23_and_25_hours(new_city: NewCity, day: str, hours: int) -> None:
    begins = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=1 if hours == 23 else 2)
    city = new_city(begins + timedelta(days=2), timezone="Europe/Berlin")
    send(city, rows_of(0, 4 * 30, begins))
    power = carrier(shown(city, day), "electricity")
    assert (len(power.hours), power.use) == (hours, Decimal(hours))
