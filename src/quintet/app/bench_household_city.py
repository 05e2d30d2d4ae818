"""The city of `quintet bench household`: homes of five utilities with four weeks of readings, and who lives there."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from quintet.registry.person import RESIDENT, Person, Profile, Right
from quintet.store.records import FOREVER
from quintet.terms.period import day_start, from_us, local_day, to_us
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS

from .bench_bills import AGREED, TZ, UTILITIES
from .city import City

A_COMPLEX, A_BUILDING = 500, 60
DAYS = 29
"""Whole days before today: the page looks at 28 of them."""
QUARTER_US = 900_000_000
SLOTS = 96
PARTS = 4
"""A day of a large city is taken in so many pieces, which are one batch."""


class Home(msgspec.Struct, frozen=True):
    """A dwelling of the bench: its place, its meters' site and names in the order of UTILITIES, its resident's cookie.

    Its readings come `lag_us` after the quarter hour that they are of.
    """

    place: str
    site: str
    meters: list[str]
    lag_us: int
    cookie: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What the processes of the bench share; readings that were due by `filled_us` are in the city."""

    homes: list[Home]
    token: str
    filled_us: int


def make_city(folder: Path, households: int, days: int = DAYS) -> Plan:
    """Make the city up to this moment, close its days, and sign all its residents in."""
    City.create(folder, timezone=TZ).close()
    settings = folder / "city.toml"
    with settings.open("a", encoding="utf-8") as file:
        file.write("[bills]\nprovisional = true\n" + AGREED)
    homes = [_home(number, households) for number in range(households)]
    city = City.open(folder)
    try:
        city.pipeline.register(pa.Table.from_pylist(_meters(homes)), source="bench", actor="bench")
        now_us = city.now()
        today = local_day(from_us(now_us), clock(TZ))
        for back in range(days, -1, -1):
            _fill(city, homes, today - timedelta(days=back), now_us)
        city.close_days()
        _, secret = city.tokens.create("bench", ("readings",), actor="bench")
        homes = [_moved_in(city, home) for home in homes]
        return Plan(homes, secret, now_us)
    finally:
        city.close()


def _home(number: int, households: int) -> Home:
    site = f"c{number // A_COMPLEX + 1:03}"
    building, premise = f"{101 + number % A_COMPLEX // A_BUILDING}", f"{number % A_BUILDING + 1:04}"
    meters = [f"{building}-{premise}-{commodity}" for commodity in UTILITIES]
    # readings come as evenly as concentrators ask for them, not all at the quarter hour
    return Home(f"{site}/{building}/{premise}", site, meters, QUARTER_US * number // households)


def _meters(homes: list[Home]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, home in enumerate(homes):
        _, building, premise = home.place.split("/")
        for meter, (commodity, (unit, _)) in zip(home.meters, UTILITIES.items(), strict=True):
            rows.append({
                "site": home.site, "building": building, "premise": premise, "meter": meter, "commodity": commodity,
                "unit": unit, "value_kind": "interval_sum", "cadence_min": 15, "tz": TZ, "role": "consumption",
                "floor_area_m2": 59.5 + number % 50,
            })  # fmt: skip
    return rows


def _fill(city: City, homes: list[Home], day: date, now_us: int) -> None:
    """Take in what was sent of a day by now."""
    start_us = to_us(day_start(day, clock(TZ)))
    rng = np.random.default_rng(day.toordinal())
    parts = [_readings(part, start_us, now_us, rng) for part in np.array_split(np.array(homes, object), PARTS)]
    city.pipeline.commit(((part, QUARANTINE.empty_table()) for part in parts), source=f"{day}", actor="bench")


def _readings(homes: Any, start_us: int, now_us: int, rng: np.random.Generator) -> pa.Table:
    """Give a day's readings of some homes that were sent by now: a meter's one behind the other."""
    at = start_us + QUARTER_US * np.arange(SLOTS)
    sent = [int((at + QUARTER_US + home.lag_us <= now_us).sum()) for home in homes]
    counts = np.repeat(sent, len(UTILITIES))
    usual = np.tile([amount / SLOTS for _, amount in UTILITIES.values()], len(homes))
    total = int(counts.sum())
    number = np.repeat(np.arange(len(counts)), counts)
    slot = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    names = pa.array([meter for home in homes for meter in home.meters], pa.string())
    sites = pa.array([home.site for home in homes for _ in home.meters], pa.string())
    columns: dict[str, Any] = {
        "site": sites.take(pa.array(number)),
        "meter": names.take(pa.array(number)),
        "at": pa.array(at[slot], pa.timestamp("us", "UTC")),
        "value": np.round(usual[number] * rng.uniform(0.2, 1.8, total), 4),
        "commodity": pa.nulls(total, pa.string()),
        "unit": pa.nulls(total, pa.string()),
        "row": np.arange(1, total + 1),
    }
    return pa.table({name: pa.array(columns[name]).cast(READINGS.field(name).type) for name in READINGS.names})


def _moved_in(city: City, home: Home) -> Home:
    """Let somebody live in a home and sign him in: kept as accounts are, without an audited batch for each."""
    vault, now_us = city.people.vault, city.now()
    person = vault.new_person()
    profile = Profile(home.place, home.place, now_us, "ko", "")
    right = Right(RESIDENT, home.place, now_us, to_us(datetime(2020, 1, 1, tzinfo=clock(TZ))), FOREVER)
    vault.put(person, "profile", "", msgspec.json.encode(profile))
    vault.put(person, "right", "bench", msgspec.json.encode(right))
    return msgspec.structs.replace(home, cookie=city.entrance.begin(Person(person, profile)))
