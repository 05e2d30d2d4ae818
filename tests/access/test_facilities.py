"""A bus shelter from its meters and readings to what a good hour costs; what it reads is never balanced."""

from decimal import Decimal
from typing import Any

import pytest

from quintet.ledger.city_rows import statements_of
from quintet.store.records import ALWAYS, Record
from quintet.terms.errors import BadInput
from quintet.terms.period import Resolution, Span
from quintet.views.facilities import facilities_of

from .conftest import City, utc

STATE = {"site": "stop", "role": "submeter", "value_kind": "avg_power", "cadence_min": 15}
METERS: list[dict[str, Any]] = [
    {"site": "stop", "meter": "power"},
    {**STATE, "meter": "air", "commodity": "air_temperature", "unit": "degC"},
    {**STATE, "meter": "wet", "commodity": "air_humidity", "unit": "pct"},
    {**STATE, "meter": "dust", "commodity": "pm25", "unit": "ug_m3"},
    {**STATE, "meter": "people", "commodity": "occupancy", "unit": "person"},
]
READINGS = {"temperature": ["stop/air"], "humidity": ["stop/wet"], "pm25": ["stop/dust"], "occupancy": ["stop/people"]}
SHELTER = {"id": "stop-1", "class": "bus_shelter", "place": "stop", "meters": ["stop/power"], "readings": READINGS}
DAY = Span(utc(2), utc(3))
QUARTERS = [(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]


def send(city: City) -> None:
    """Send a day of 1.5 kWh an hour: frost until six, dust from 22 on, three people for half an hour each hour."""
    state = {
        "air": lambda hour, _: -4.5 if hour < 6 else 21.0,
        "wet": lambda _hour, _: 50.0,
        "dust": lambda hour, _: 90.0 if hour >= 22 else 12.0,
        "people": lambda _, minute: 3.0 if minute < 30 else 0.0,
    }
    rows = [("stop/power", utc(2, hour), 1.5) for hour in range(24)]
    rows += [(f"stop/{name}", utc(2, *at), of(*at)) for name, of in state.items() for at in QUARTERS]
    city.send(rows)


def asked(city: City, span: Span = DAY, step: Resolution = Resolution.DAY) -> list[dict[str, Any]]:
    return facilities_of(city.access(), span, step, place="city", known_at=None).rows


@pytest.fixture
def stop(city: City) -> City:
    city.register(*METERS)
    city.describe(facility=[SHELTER])
    send(city)
    return city


def test_a_shelters_day(stop: City) -> None:
    for closed in (False, True):
        if closed:
            stop.close_all()
        (row,) = asked(stop)
        assert (row["hours"], row["judged_hours"], row["comfortable_hours"], row["clean_hours"]) == (24, 24, 18, 22)
        assert (row["comfortable_clean_hours"], row["energy_kwh"], row["person_hours"]) == (16, 36, 36)
        assert (row["kwh_per_comfortable_clean_hour"], row["coverage"]) == (Decimal("2.25"), 1)
    hours = asked(stop, step=Resolution.HOUR)
    assert sum(row["comfortable_clean_hours"] for row in hours) == 16
    assert {row["kwh_per_comfortable_clean_hour"] for row in hours} == {None, Decimal("1.5")}


def test_what_a_facility_reads_is_never_balanced(stop: City) -> None:
    flows = stop.access().flows("stop", DAY, Resolution.DAY).flows
    assert set(flows["commodity"].to_pylist()) == {"electricity"}


def test_a_facility_begins_on_its_day_and_an_unknown_class_is_said(stop: City) -> None:
    stop.describe(facility=[{**SHELTER, "id": "late", "class": "kiosk", "valid_from": "2025-01-03"}])
    rows = asked(stop, Span(utc(2), utc(4)))
    assert [(row["facility"], row["start"].day) for row in rows] == [("late", 3), ("stop-1", 2), ("stop-1", 3)]
    assert rows[0]["reason"].startswith("there is no class kiosk")
    stop.describe(facility=[{**SHELTER, "readings": {**READINGS, "pm25": ["stop/wet"]}}])
    assert asked(stop)[-1]["reason"] == "pm25 is metered as humidity, not as particles"
    assert (rows[2]["judged_hours"], rows[2]["kwh_per_comfortable_clean_hour"]) == (0, None)


KIOSK: dict[str, Any] = {
    "name_en": "kiosk", "name_ko": "키오스크",
    "limit": {
        "temperature": {
            "commodity": "air_temperature", "unit": "degC", "low": "-10", "decides": "comfortable",
            "source": "the city",
            "date": "2025", "certainty": "A",
        }
    },
}  # fmt: skip


def test_a_city_adds_a_class_as_data_and_what_was_known_before_has_none(stop: City) -> None:
    stop.describe(facility=[{**SHELTER, "class": "kiosk", "readings": {"temperature": ["stop/air"]}}])
    before = stop.now
    (row,) = asked(stop)
    assert row["reason"].startswith("there is no class kiosk")
    own = statements_of({"facility_class": {"kiosk": KIOSK}})
    stop.apply([Record(one.kind, one.key, ALWAYS, one.body) for one in own])
    (row,) = asked(stop)
    assert (row["comfortable_clean_hours"], row["kwh_per_comfortable_clean_hour"]) == (24, Decimal("1.5"))
    (row,) = facilities_of(stop.access(), DAY, Resolution.DAY, place="city", known_at=before).rows
    assert row["reason"].startswith("there is no class kiosk")


def test_a_class_of_ones_own_without_its_origin_is_refused() -> None:
    (limit,) = KIOSK["limit"].values()
    for lacking in ("source", "date", "certainty", "decides"):
        row = {**KIOSK, "limit": {"temperature": {key: value for key, value in limit.items() if key != lacking}}}
        with pytest.raises(BadInput, match=f"lacks {lacking}"):
            statements_of({"facility_class": {"kiosk": row}})
