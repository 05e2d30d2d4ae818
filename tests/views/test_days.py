"""Which day is shown, and how far: on live, late, silent and empty cities."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.errors import UsageError
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions

SLOT = timedelta(minutes=15)
START = datetime(2025, 1, 31, 15, tzinfo=UTC)
NewCity = Callable[..., City]


def fed(city: City, slots: int) -> Questions:
    """Send the home's quarter hours from the start of 2025-02-01 on."""
    columns = {
        "site": ["c1"] * slots,
        "meter": ["home"] * slots,
        "at": [START + SLOT * number for number in range(slots)],
        "value": [0.26 if number % 2 else 0.24 for number in range(slots)],
        "commodity": [None] * slots,
        "unit": [None] * slots,
        "row": list(range(1, slots + 1)),
    }
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
    return Questions(city.access(EVERYTHING), now=city.now)


def test_a_city_without_readings_says_so(new_city: NewCity) -> None:
    city = new_city(START + timedelta(hours=12))
    questions = Questions(city.access(EVERYTHING), now=city.now)
    today = questions.city_today()
    assert (today.day, today.as_of, today.carriers, today.self_sufficiency) == (None, None, [], [])
    assert today.rule_set
    home = questions.dwelling("c1/101")
    assert (home.day, home.as_of, [one.rows for one in home.utilities]) == (None, None, [[], []])


@pytest.mark.parametrize("silent", [timedelta(days=2), timedelta(days=40), timedelta(days=400), timedelta(days=5000)])
def test_a_silent_city_shows_the_last_day_that_it_has(new_city: NewCity, silent: timedelta) -> None:
    today = fed(new_city(START + silent), 50).city_today()
    assert (today.day, today.is_today, today.stale) == (date(2025, 2, 1), False, False)
    assert today.as_of == START + 50 * SLOT
    assert today.until == START + timedelta(days=1)


def test_late_readings_make_a_day_stale_and_their_hours_missing(new_city: NewCity) -> None:
    today = fed(new_city(START + timedelta(hours=10, minutes=50)), 40).city_today()
    assert (today.is_today, today.stale) == (True, True)
    assert today.as_of == START + timedelta(hours=10)
    assert today.until == START + timedelta(hours=10, minutes=45)
    power = next(one for one in today.carriers if one.commodity == "electricity")
    assert [hour.consumption is None for hour in power.hours] == [False] * 10 + [True]


def test_two_intervals_are_not_late(new_city: NewCity) -> None:
    today = fed(new_city(START + timedelta(hours=10, minutes=30)), 40).city_today()
    assert (today.stale, today.until) == (False, START + timedelta(hours=10))


def test_just_after_midnight_the_day_that_ended_is_shown(new_city: NewCity) -> None:
    questions = fed(new_city(START + timedelta(days=1, minutes=20)), 97)
    assert questions.city_today().day == date(2025, 2, 1)
    assert questions.city_today("2025-02-02").is_today


def test_a_day_without_any_reading_is_shown_empty(new_city: NewCity) -> None:
    day = fed(new_city(START + timedelta(days=9)), 96).city_today("2025-02-03")
    power = next(one for one in day.carriers if one.commodity == "electricity")
    assert (day.day, day.as_of, power.use, len(power.hours)) == (date(2025, 2, 3), None, None, 24)
    assert day.coverage == 0.0


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-03-29", 24), ("2024-10-27", 25)])
def test_a_day_has_the_hours_of_the_citys_clock(new_city: NewCity, day: str, hours: int) -> None:
    city = new_city(START + timedelta(days=90), "Europe/Berlin")
    questions = Questions(city.access(EVERYTHING), now=city.now)
    found = questions.city_today(day)
    assert {len(carrier.hours) for carrier in found.carriers} == {hours}
    assert [len(one.rows) for one in questions.dwelling("c1/101", day).utilities] == [hours * 4] * 2


def test_a_day_as_known_at_a_moment_is_without_what_came_later(new_city: NewCity) -> None:
    city = new_city(START + timedelta(hours=10, minutes=50))
    questions = fed(city, 40)
    moment = questions.city_today().known_at.isoformat()
    before = [questions.city_today(), questions.dwelling("c1/101")]
    fed(city, 43)
    assert [questions.city_today(), questions.dwelling("c1/101")] != before
    then, home = questions.city_today(known_at=moment), questions.dwelling("c1/101", known_at=moment)
    assert (then.as_of, home.as_of) == (before[0].as_of, before[1].as_of)
    assert [one.use for one in then.carriers] == [one.use for one in before[0].carriers]
    assert [one.total for one in home.utilities] == [one.total for one in before[1].utilities]
    assert questions.city_today(known_at="2025-01-01T00:00:00Z").carriers == []
    with pytest.raises(UsageError, match="is in the future"):
        questions.city_today(known_at="2099-01-01T00:00:00Z")
