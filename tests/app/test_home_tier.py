"""The tier on the page and in a bill so far: missing time is no zero; the day of moving in has its hours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quintet.access import EVERYTHING, Access
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests_bills import BillShow
from quintet.views import Questions
from quintet.views.answers_bills import UtilityBill
from quintet.views.answers_home import BillLine
from quintet.views.bills import dwelling_bills

from .billed_city import SEOUL, UNITS, Clock, made
from .test_home_moves import HOME, OCTOBER, at, by_the_hour, change, reader, send_hours

POWER = "electricity"
Make = Callable[[date, float, int], City]


@pytest.fixture
def city_at(tmp_path: Path) -> Iterator[Make]:
    """Give a maker: half past midnight of a day of October, so much power on each day before but the first ones."""
    with ExitStack() as stack:

        def make(today: date, daily: float, unknown: int) -> City:
            clock = Clock(today)
            clock.us += 30 * 60_000_000
            city = made(tmp_path / "city", clock, left_out=tuple(f"0101-{code}" for code in UNITS))
            stack.callback(city.close)
            by_the_hour(city, POWER)
            hours = range(24 * unknown, 24 * (today.day - 1))
            send_hours(city, ((POWER, at(1) + timedelta(hours=hour), round(daily / 24, 6)) for hour in hours))
            return city

        yield make


def said(city: City, access: Access) -> tuple[BillLine, UtilityBill]:
    """Give what the page and the bill say of power."""
    (line,) = Questions(access, now=city.now).home.bill(HOME, OCTOBER).lines
    bills = dwelling_bills(access, HOME, OCTOBER, None, SEOUL).bills
    return line, next(one for one in bills if one.commodity == POWER)


def next_day(bill: UtilityBill) -> Any:
    """Give the day of the next tier of a bill so far."""
    assert bill.pace is not None
    return bill.pace.tiers[0].next_day


def test_the_pace_is_that_of_the_known_days(city_at: Make) -> None:
    """Nine of ten days known, 16 kWh each: 200 kWh are passed on the 13th. By 144 kWh in ten it were the 14th."""
    city = city_at(date(2025, 10, 11), 16, 1)
    line, bill = said(city, city.access(EVERYTHING))
    assert (line.known, line.days_known, line.gaps, line.ahead) == (0.9, 9, True, None)
    assert line.tier is not None
    assert (line.tier.number, line.tier.day, line.tier_reason) == (1, date(2025, 10, 13), None)
    assert line.tier.left == pytest.approx(200 - 9 * 16, abs=0.01)
    assert next_day(bill) == line.tier.day


def test_a_limit_that_the_known_days_would_have_passed_is_passed_today(city_at: Make) -> None:
    """Nine of ten days known, 21 kWh each: the known 189 kWh are below 200, all ten would not be."""
    city = city_at(date(2025, 10, 11), 21, 1)
    line, bill = said(city, city.access(EVERYTHING))
    assert line.tier is not None
    assert (line.tier.number, line.tier.day, next_day(bill)) == (1, date(2025, 10, 11), date(2025, 10, 11))


@pytest.mark.parametrize("today", [date(2025, 10, 11), date(2025, 10, 31)])
def test_of_a_month_mostly_unknown_no_tier_is_named(city_at: Make, today: date) -> None:
    city = city_at(today, 16, 7 if today.day == 11 else 13)
    line, bill = said(city, city.access(EVERYTHING))
    assert line.known is not None
    assert line.known < 0.8
    assert (line.tier, line.tier_reason, line.ahead) == (None, "month_unknown", None)
    assert (bill.pace, bill.pace_reason) == (None, "month_unknown")
    notes = answer_request(city, BillShow(HOME, OCTOBER), no_progress).notes
    assert any("too little of the days so far is known" in note for note in notes)
    assert not any("at this pace" in note for note in notes)
    assert line.won is not None, "what is known has its amount"


@pytest.mark.parametrize(
    ("moved", "daily", "day", "reason"),
    [
        # 26 of 31 days: a limit of 167.7 kWh, 8.39 days of 20 kWh after noon of the 6th
        (at(6, 12), 20, date(2025, 10, 14), None),
        (at(10, 15), 20, None, "too_early"),
    ],
)
def test_the_day_of_moving_in_counts_its_own_hours(
    city_at: Make, moved: datetime, daily: float, day: date | None, reason: str | None
) -> None:
    city = city_at(date(2025, 10, 11), daily, 0)
    change(city, at(1, month=8), None, "before")
    change(city, moved, moved, "after")
    line, bill = said(city, reader(city, moved))
    assert line.tier is not None
    assert (line.tier.day, line.tier_reason, line.known, line.gaps) == (day, reason, 1, False)
    assert (None if bill.pace is None else next_day(bill), bill.pace_reason) == (day, reason)
    if bill.pace is not None:
        assert float(bill.pace.projected_use) == pytest.approx(25.5 * daily, rel=0.01)
