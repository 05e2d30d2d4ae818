"""Meters that are heard and give nothing of use are one item each; one wild value rules nothing."""

import math
from collections.abc import Callable

import pyarrow as pa
import pytest

from quintet.store.exceptions import Item
from quintet.store.runs import standing_findings

from .conftest import City, Reading
from .homes import at, found, judge, queue, readings, register, state

NewCity = Callable[..., City]
WEEKS = 3


def registers(city: City, *meters: str, plate: float | None = None) -> None:
    """Register hourly registers of four digits in the homes' building."""
    rows = [
        {
            "site": "s", "building": "b", "meter": name, "commodity": "heat", "unit": "kWh", "tz": "UTC", "dials": 4,
            "value_kind": "register_cumulative", "cadence_min": 60, "role": "consumption", "plate_max": plate,
        }
        for name in meters
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")


def rows_of(meter: str, value: Callable[[int], float], days: int = 7 * WEEKS) -> list[Reading]:
    return [(meter, at(0, hour), value(hour)) for hour in range(24 * days + 1)]


BROKEN: dict[str, Callable[[int], float]] = {
    "backwards": lambda hour: round(9000 - hour * 1.5, 3),
    "mostly nothing": lambda hour: [500 + hour, math.nan, 1e308, 500 + hour][hour % 4],
    "half a turn an hour": lambda hour: hour * 4999 % 10_000,
}


def items_of(city: City, meter: str, kind: str = "unusable") -> list[Item]:
    return [item for item in queue(city) if item.kind == kind and item.cause == f"s/{meter}"]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_meter_that_gives_nothing_of_use_is_one_item_until_it_does(new_city: NewCity, kind: str) -> None:
    city = new_city()
    register(city)
    registers(city, "bad", "good", plate=20)
    city.send(
        readings(7 * WEEKS)
        + rows_of("bad", BROKEN[kind])
        + rows_of("good", lambda hour: 100 + hour * 1.25 + hour % 7 / 10)
    )
    judge(city)
    assert {row[1] for row in found(city, "unusable")} == {"s/bad"}
    (item,) = items_of(city, "bad")
    assert (item.state, item.content["channels"]) == ("open", ["s/bad"])
    assert {one.kind for one in queue(city) if one.cause.startswith("s/bad")} <= {"unusable", "estimated_long", "check"}
    fresh = [row for row in readings(7 * (WEEKS + 2)) if row[1] >= at(7 * WEEKS)]
    city.send(fresh + [("bad", at(7 * WEEKS, hour), 50 + hour * 1.5 + hour % 7 / 10) for hour in range(1, 24 * 14 + 1)])
    judge(city)
    assert [one.state for one in items_of(city, "bad")] == ["closed"]


def test_bad_readings_that_come_late_are_found_as_by_a_run_from_scratch(new_city: NewCity) -> None:
    late, whole = new_city(), new_city()
    for city in (late, whole):
        register(city)
        registers(city, "bad")
        city.send(readings(7 * WEEKS))
    judge(late)
    for city in (late, whole):
        city.send(rows_of("bad", BROKEN["backwards"]))
        assert judge(city).units > 0
    assert state(late) == state(whole)
    assert items_of(late, "bad")
    assert judge(late).units == 0


def test_a_connection_that_comes_and_goes_is_no_unusable_meter(new_city: NewCity) -> None:
    city = new_city()
    register(city)
    city.send(readings(7 * WEEKS, skip=lambda _carrier, home, hours: home == 0 and hours % 24 >= 8))
    judge(city)
    assert found(city, "unusable") == []


def test_one_wild_value_does_not_rule_what_is_at_stake(new_city: NewCity) -> None:
    city = new_city()
    register(city)
    wild = readings(15, skip=lambda _c, home, _h: home == 0)
    own = [row for row in readings(13) if row[0] == "h0-heat" and row[1] != at(9)]
    city.send(wild + own + [("h0-heat", at(9), 9995.0)])
    judge(city)
    with city.engine.snapshot() as snapshot:
        names = city.pipeline.registry().channel_ids
        rows = standing_findings(snapshot).to_pylist()
    said = [row["detail"] for row in rows if row["rule"] == "silent" and row["channel"] == names["s/h0-heat"]]
    assert said
    (item,) = items_of(city, "h0-heat", "connection") or [item for item in queue(city) if item.kind == "connection"]
    assert item.content["amounts"]["heat"] < 4 * 24 * 2_000_000
