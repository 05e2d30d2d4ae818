"""A building of homes with hourly heat, hot water and water meters: what the tests of the run share."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from quintet.jobs.vee_run import Report, run
from quintet.store.events import Event, append_event, withdraw_event
from quintet.store.exceptions import Item, items
from quintet.store.runs import standing_findings
from quintet.terms.period import day_number, to_us
from quintet.vee import rules

from .conftest import City, Reading

START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday."""
HOMES = 8
CARRIERS = {"heat": "kWh", "hot_water": "m3", "water": "m3"}
Finding = tuple[int, str, str, str]


def at(day: int, hour: int = 0) -> datetime:
    """Give a moment of the city, days from its first Monday on."""
    return START + timedelta(days=day, hours=hour)


def register(city: City, homes: int = HOMES, *, kind: str = "interval_sum") -> None:
    """Register the homes' meters: `h0-heat`, `h0-water` …, each home a premise of building b."""
    rows = [
        {
            "site": "s", "building": "b", "premise": f"h{home}", "meter": f"h{home}-{carrier}", "commodity": carrier,
            "unit": unit, "value_kind": kind, "cadence_min": 60, "tz": city.timezone, "role": "consumption",
        }
        for home in range(homes)
        for carrier, unit in CARRIERS.items()
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")


def use(carrier: str, home: int, hours: int) -> float:
    """Give what a home uses in an hour from the start: no two alike, each day much like the one before."""
    draw = random.Random(f"{carrier} {home} {hours}").random()
    hour = hours % 24
    awake = 7 <= hour <= 9 or 18 <= hour <= 22
    if carrier == "heat":
        return round(1.0 + home / 10 + draw / 4, 3)
    return round((0.02 + draw / 100) if awake else 0.0, 4)


def readings(days: int, homes: int = HOMES, *, skip: Callable[[str, int, int], bool] | None = None) -> list[Reading]:
    """Give all homes' readings of so many days; `skip` (carrier, home, hours) leaves some out."""
    return [
        (f"h{home}-{carrier}", START + timedelta(hours=hours), use(carrier, home, hours))
        for carrier in CARRIERS
        for home in range(homes)
        for hours in range(days * 24)
        if skip is None or not skip(carrier, home, hours)
    ]


def judge(city: City, until: datetime | None = None) -> Report:
    """Run over the city's days, until the day after its last reading where none is said."""
    ends = city.rows("select max(day) + 1 from rollup_day")[0][0]
    ends = ends if until is None else day_number(until.date())
    return run(city.engine, city.pipeline, rules(), actor="test", days=(-(2**31), int(ends)))


def found(city: City, rule: str | None = None) -> list[Finding]:
    """List the findings that stand: unit, channel's name, rule, verdict."""
    names = {number: name for name, number in city.pipeline.registry().channel_ids.items()}
    with city.engine.snapshot() as snapshot:
        rows = standing_findings(snapshot).to_pylist()
    return [(r["unit"], names[r["channel"]], r["rule"], r["verdict"]) for r in rows if rule in (None, r["rule"])]


def queue(city: City) -> list[Item]:
    """List the exceptions."""
    with city.engine.snapshot() as snapshot:
        return items(snapshot)


def state(city: City) -> tuple[list[dict[str, object]], list[tuple[object, ...]]]:
    """Give all that a run leaves behind: the findings that stand, and what is open."""
    with city.engine.snapshot() as snapshot:
        rows = standing_findings(snapshot).to_pylist()
    open_ = sorted((item for item in queue(city) if item.state == "open"), key=lambda item: (item.kind, item.cause))
    return rows, [(item.kind, item.cause, item.since_us, item.content) for item in open_]


def withdraw(city: City, number: int) -> None:
    """Withdraw an event."""
    with city.engine.writing("event", "test", "kim", city.tick()) as writing:
        withdraw_event(writing, number, actor="kim", reason="wrong street")


def say(city: City, kind: str, first: datetime, last: datetime, *, place: str = "s/b") -> int:
    """State an event of a place."""
    event = Event(kind, to_us(first), to_us(last), "kim", "said by the grid's control room", place)
    with city.engine.writing("event", "test", "kim", city.tick()) as writing:
        return append_event(writing, event)
