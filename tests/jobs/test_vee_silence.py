"""Silence is judged until the end of a run, however long it lasts; when a run comes changes nothing of its findings."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from quintet.store.runs import standing_findings
from quintet.terms.period import to_us

from .conftest import City, Reading
from .homes import HOMES, at, found, judge, queue, readings, register

NewCity = Callable[..., City]


def silent_from(day: int, days: int) -> list[Reading]:
    """Give readings of homes, all but home 7's water silent from a day on."""
    return [row for row in readings(days) if row[1] < at(day) or row[0] == "h7-water"]


def rows(city: City) -> list[dict[str, Any]]:
    with city.engine.snapshot() as snapshot:
        return standing_findings(snapshot).to_pylist()


def test_a_concentrator_dead_for_three_months_stays_one_open_item(new_city: NewCity) -> None:
    city = new_city()
    register(city)
    city.send(silent_from(16, 28))
    won: list[int] = []
    for weeks in (4, 6, 13, 20):
        judge(city, at(7 * weeks))
        (item,) = [item for item in queue(city) if item.kind == "connection" and item.cause == "s/b"]
        assert (item.id, item.state, item.recurrences, item.since_us) == (1, "open", 0, to_us(at(16)))
        won.append(item.content["won"])
    assert won == sorted(set(won)), "what is missing grows by the day"
    names = {number: name for name, number in city.pipeline.registry().channel_ids.items()}
    heat = [row for row in rows(city) if names[row["channel"]] == "s/h0-heat" and row["rule"] == "silent"]
    assert {row["at_us"] for row in heat} == {to_us(at(16))}
    assert len(heat) == 20 - 2


def test_a_period_is_judged_alike_whenever_that_is_done(new_city: NewCity) -> None:
    early, late = new_city(), new_city()
    for city in (early, late):
        register(city)
        city.send(silent_from(16, 28))
    judge(early, at(28))
    before = rows(early)
    for weeks in (5, 9, 16):
        judge(early, at(7 * weeks))
    judge(late, at(7 * 16))
    last = max(row["unit"] for row in before)
    assert [row for row in rows(early) if row["unit"] <= last] == before
    assert rows(early) == rows(late)
    assert judge(early, at(7 * 9)).units == 0, "a shorter run takes nothing back"


def test_who_was_taken_away_is_not_silent_and_who_was_installed_and_never_heard_is(new_city: NewCity) -> None:
    city = new_city()
    register(city)
    more = [
        {
            "site": "s", "building": "b", "meter": name, "commodity": "water", "unit": "m3",
            "value_kind": "interval_sum", "cadence_min": 60, "tz": "UTC", "role": "consumption",
            "installed": installed, "removed": removed,
        }
        for name, installed, removed in (("never", at(3), None), ("gone", at(0), at(10)), ("unknown", None, None))
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(more), source="meters", actor="test")
    city.send(readings(28) + [("gone", at(0, hour), 0.01) for hour in range(24 * 9)])
    judge(city)
    assert {row[1] for row in found(city, "silent")} == {"s/never"}
    (row,) = {(r["at_us"], r["verdict"]) for r in rows(city) if r["rule"] == "silent"}
    assert row == (to_us(at(3)), "fail")
    assert HOMES == 8


def test_an_archive_that_ended_years_ago_is_one_silent_city(new_city: NewCity) -> None:
    city = new_city()
    register(city)
    ends = {f"h{home}-{carrier}": 14 + home for home in range(HOMES) for carrier in ("heat", "hot_water", "water")}
    city.send([row for row in readings(28) if row[1] < at(ends[row[0]])])
    judge(city, at(7 * 60))
    (item,) = [item for item in queue(city) if item.state == "open"]
    assert (item.kind, item.cause, len(item.content["channels"])) == ("connection", "s/b", 3 * HOMES)
    assert item.since_us == to_us(at(14 + (HOMES - 1) // 2)), "when half had fallen silent"
    city.send([row for row in readings(7 * 60) if row[0] == "h0-heat" and row[1] >= at(7 * 60 - 3)])
    judge(city, at(7 * 60))
    assert {item.state for item in queue(city) if item.cause == "s/b"} == {"closed"}
