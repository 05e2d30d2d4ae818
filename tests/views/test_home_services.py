"""A utility of a home: its channels added up, and each period drawn by the worst that is known of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from quintet.access import EVERYTHING
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import EditMake
from quintet.terms.period import Resolution, Span
from quintet.views.catalogue import Catalogue
from quintet.views.home_services import Service, Slot, heard_until, services_of, slots_of

from .conftest import NOW, SLOT, START, send

HOME = "c1/101"
SEOUL = ZoneInfo("Asia/Seoul")
HOURS = Span(START, START + timedelta(hours=4))
NewCity = Callable[..., City]
SECOND = {
    "site": "c1", "building": "101", "meter": "night", "commodity": "electricity", "unit": "kWh",
    "role": "consumption", "value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul",
}  # fmt: skip


@pytest.fixture
def city(new_city: NewCity) -> City:
    """Give a home of two electricity meters: one is heard for four hours, the other lacks the third hour."""
    out = new_city(NOW)
    out.pipeline.register(pa.Table.from_pylist([SECOND]), source="meters", actor="test")
    send(out, [("c1", "home", START + SLOT * slot, 0.25 + slot % 2 / 100) for slot in range(16)])
    send(out, [("c1", "night", START + SLOT * slot, 0.5 + slot % 2 / 100) for slot in range(16) if slot // 4 != 2])
    return out


def utilities(city: City) -> dict[str, Service]:
    return {one.commodity.code: one for one in services_of(Catalogue(city.access(EVERYTHING)), HOME)}


def hours(city: City, until: datetime = NOW) -> list[Slot]:
    service = utilities(city)["electricity"]
    return slots_of(city.access(EVERYTHING), service, HOURS, Resolution.HOUR, SEOUL, until)


def test_meters_of_one_utility_are_one_service_and_what_is_made_is_none(city: City) -> None:
    found = utilities(city)
    assert list(found) == ["electricity", "water"]
    assert sorted(found["electricity"].channels) == ["c1/home", "c1/night"]
    assert (found["electricity"].resolution, found["electricity"].minutes) == (Resolution.QUARTER, 15)


def test_a_period_is_the_sum_of_its_meters_on_the_citys_clock(city: City) -> None:
    first, second, *_ = hours(city)
    assert (first.start, second.start - first.start) == (datetime(2025, 2, 1, tzinfo=SEOUL), timedelta(hours=1))
    assert first == Slot(first.start, Decimal("3.04"), "measured", 1.0, 0.0)


def test_what_one_of_two_meters_lacks_is_no_whole_measurement(city: City) -> None:
    third = hours(city)[2]
    assert third[1:] == (Decimal("3.04"), "estimated", 0.5, 0.5)


def test_nothing_is_due_from_the_present_moment_on(city: City) -> None:
    found = hours(city, START + timedelta(hours=2))
    assert [one.mark for one in found] == ["measured", "measured", "", ""]
    assert [one.value for one in found[2:]] == [None, None]
    assert heard_until(found, 60) == START + timedelta(hours=2)
    assert heard_until(found[2:], 60) is None


def test_a_meter_that_never_spoke_is_missing_and_not_zero(city: City) -> None:
    water = slots_of(city.access(EVERYTHING), utilities(city)["water"], HOURS, Resolution.HOUR, SEOUL, NOW)
    assert {(one.value, one.mark, one.coverage) for one in water} == {(None, "missing", 0.0)}
    assert heard_until(water, 60) is None


def test_an_edited_and_a_rejected_hour_are_drawn_as_such(city: City) -> None:
    def edit(action: str, hour: int, **more: str) -> None:
        start, end = (START + timedelta(hours=hour + at) for at in (0, 1))
        for channel in ("c1/home", "c1/night"):
            asked = EditMake(
                action, start.isoformat(), end.isoformat(), by="Kim", reason="test", channel=channel, **more
            )
            answer_request(city, asked, no_progress)

    edit("replace", 0, value="0.2")
    edit("reject", 1)
    first, second, *_ = hours(city)
    assert (first.mark, first.value) == ("edited", Decimal("1.6"))
    assert second[1:] == (None, "missing", 0.0, None)


def test_a_span_over_the_change_of_clocks_has_as_many_hours_as_the_day(new_city: NewCity) -> None:
    city = new_city(datetime(2025, 4, 1, tzinfo=UTC), timezone="Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    day = Span(datetime(2025, 3, 30, tzinfo=berlin), datetime(2025, 3, 31, tzinfo=berlin))
    service = utilities(city)["electricity"]
    found = slots_of(city.access(EVERYTHING), service, day, Resolution.HOUR, berlin, day.end)
    assert len(found) == 23
    assert [one.start.hour for one in found[:4]] == [0, 1, 3, 4]
