"""Closing: only days that are over by the city's clock, each once, late arrivals merged the next time."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

import pytest

from quintet.jobs.closing import close_days, refresh_closed
from quintet.registry import rewire
from quintet.terms.period import day_number

from .conftest import City, history, march, us

LATER = march(9)
FIRST = day_number(date(2025, 3, 1))


def closed(city: City) -> list[int]:
    return [row[0] for row in city.rows("select day from closed_day order by day")]


def close(city: City, until: date | None = None, now: datetime = LATER) -> list[int]:
    return close_days(city.engine, city.pipeline.registry(), until, us(now))


def test_days_that_are_over_are_closed_and_today_is_not(city: City) -> None:
    assert close(city, now=march(3, 23, 59)) == [FIRST, FIRST + 1]
    assert closed(city) == [FIRST, FIRST + 1]
    assert city.rows("select count(*) from interval where start_us >= " + str(us(march(3)))) == [(48,)]
    assert close(city, now=march(3, 23, 59)) == []
    assert close(city, now=march(4)) == [FIRST + 2]
    assert city.rows("select count(*) from interval") == [(0,)]


def test_before_the_first_day_is_over_nothing_is_closed(city: City) -> None:
    assert close(city, now=march(1, 12)) == []
    assert closed(city) == []
    assert not (city.folder / "lake").exists()


def test_a_limit_is_the_first_day_that_stays_open(city: City) -> None:
    assert close(city, date(2025, 3, 2)) == [FIRST]
    assert close(city, date(2025, 3, 2)) == []
    assert close(city, date(2025, 2, 1)) == []
    assert close(city, date(2025, 12, 1)) == [FIRST + 1, FIRST + 2]


def test_what_came_late_for_a_closed_day_is_merged_the_next_time(city: City) -> None:
    close(city)
    city.send([("a", march(2, 5), 9.5)])
    assert close(city) == [FIRST + 1]
    assert closed(city) == [FIRST, FIRST + 1, FIRST + 2]
    assert city.rows("select lake, day, rows from lake_file where live and lake = 'superseded'") == [
        ("superseded", FIRST + 1, 1)
    ]
    assert close(city) == []


def test_an_empty_city_has_nothing_to_close(new_city: Callable[..., City]) -> None:
    assert close(new_city()) == []


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
def test_a_day_is_over_by_the_citys_clock(new_city: Callable[..., City], zone: str) -> None:
    city = new_city(zone)
    city.register("a")
    city.send(history("a"))
    offset = timezone(timedelta(hours=9 if zone == "Asia/Seoul" else -5))
    midnight = datetime(2025, 3, 3, tzinfo=offset)
    before = close(city, now=midnight - timedelta(microseconds=1))
    assert before[-1] == FIRST
    assert close(city, now=midnight) == [FIRST + 1]


def test_progress_names_each_day_before_it_is_closed(city: City) -> None:
    said: list[tuple[str, int]] = []
    close_days(
        city.engine, city.pipeline.registry(), None, us(march(3)), lambda day: said.append((day, len(closed(city))))
    )
    assert said == [("2025-03-01", 0), ("2025-03-02", 1)]


def test_a_closing_is_a_batch_with_a_name(city: City) -> None:
    close(city, date(2025, 3, 2))
    assert city.rows(
        f"select kind, source, actor, received_us >= {us(march(9))} from batch order by id desc limit 1"
    ) == [("close", "2025-03-01", "closing", True)]


def flow_sums(city: City) -> list[tuple[object, ...]]:
    return city.rows("select day, hour_us, place, value, arrived_min from flow_hour order by all")


def test_sums_of_closed_days_are_made_anew_when_the_registry_changed(city: City) -> None:
    close(city)
    before, known = flow_sums(city), city.rows("select day, batch from closed_day order by day")
    assert refresh_closed(city.engine, city.pipeline.registry(), us(LATER)) == []
    point = rewire(city.pipeline.registry(), "s/a", valid_from=march(2), place="city")
    city.pipeline.apply_records(point, kind="registry", source="test", actor="test")
    assert refresh_closed(city.engine, city.pipeline.registry(), us(LATER)) == [FIRST, FIRST + 1, FIRST + 2]
    after = flow_sums(city)
    assert {row[2] for row in before} == {"s/b"}
    assert {(row[0], row[2]) for row in after} == {
        (FIRST, "s/b"),
        (FIRST + 1, "s/b"),
        (FIRST + 1, "city"),
        (FIRST + 2, "s/b"),
        (FIRST + 2, "city"),
    }
    assert sum(int(str(row[3])) for row in after) == sum(int(str(row[3])) for row in before)
    assert city.rows("select day, batch from closed_day order by day") == known
    assert refresh_closed(city.engine, city.pipeline.registry(), us(LATER)) == []


def test_a_registry_that_changes_while_days_are_closed_leaves_no_wrong_sums(city: City) -> None:
    """Closing takes long; what it counted by an older registry must be seen to be stale, not taken for the newest."""

    def rewired(day: str) -> None:
        if day == "2025-03-01":
            point = rewire(city.pipeline.registry(), "s/a", valid_from=march(1), place="city")
            city.pipeline.apply_records(point, kind="registry", source="test", actor="test")

    close_days(city.engine, city.pipeline.registry(), None, us(LATER), rewired)
    refresh_closed(city.engine, city.pipeline.registry(), us(LATER))
    assert {row[2] for row in flow_sums(city)} == {"s/b", "city"}
