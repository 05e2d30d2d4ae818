"""A small city whose every flow is known by heart: registered and fed through the pipeline, read through access."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest

from quintet.access import EVERYTHING, Access, Scope
from quintet.access.flows import closing_placements
from quintet.pipeline.commit import Pipeline
from quintet.registry import Registry
from quintet.store.book import read_records
from quintet.store.closing import close_day, open_days
from quintet.store.engine import Engine
from quintet.store.read import intervals
from quintet.store.records import Record, believed
from quintet.terms.period import from_us, to_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

NOW_US = 1_780_000_000_000_000
"""May 2026: the moment of receipt of the first batch; each batch comes a second later."""
Reading = tuple[str, datetime, float]
METER: dict[str, Any] = {
    "building": None, "commodity": "electricity", "unit": "kWh", "value_kind": "interval_sum", "cadence_min": 60,
    "role": "consumption",
}  # fmt: skip
PARENT = {
    "city": None, "d1": "city", "s1": "d1", "s1/b1": "s1", "s1/b1/1": "s1/b1", "s1/b1/2": "s1/b1", "s1/b2": "s1",
    "s2": "city", "s2/b1": "s2",
}  # fmt: skip
"""The places of the small city, in plain words."""
SETTINGS: dict[str, Any] = {
    "place": [{"id": "d1", "level": "district"}, {"id": "s1", "level": "complex", "parent": "d1"}],
    "plant": [
        {"id": "pv", "kind": "solar", "place": "d1", "outputs": ["s1/pv"], "renewable": True},
        {"id": "fc", "kind": "fuel_cell", "place": "s1", "inputs": ["s1/fc-gas"], "outputs": ["s1/fc-power"]},
    ],
    "storage": [{"id": "battery", "place": "d1", "channels": ["s1/battery"]}],
}
METERS: list[dict[str, Any]] = [
    {"site": "s1", "building": "b1", "premise": "1", "meter": "left"},
    {"site": "s1", "building": "b1", "premise": "2", "meter": "right", "cadence_min": 15},
    {"site": "s1", "building": "b1", "premise": "1", "meter": "left-gas", "commodity": "gas", "unit": "m3"},
    {"site": "s1", "building": "b2", "meter": "school"},
    {"site": "s1", "building": "b2", "meter": "school-lifts", "role": "submeter"},
    {"site": "s1", "building": "b2", "meter": "roof", "commodity": "solar", "role": "generation"},
    {"site": "s1", "building": "b2", "meter": "reactive", "commodity": "electricity_reactive", "unit": "kvarh"},
    {"site": "s1", "meter": "pv", "role": "generation"},
    {"site": "s1", "meter": "fc-gas", "commodity": "gas", "unit": "m3"},
    {"site": "s1", "meter": "fc-power", "role": "generation"},
    {"site": "s1", "meter": "battery", "role": "storage", "cadence_min": 15},
    {"site": "s1", "meter": "gate", "role": "site_import"},
    {"site": "s2", "building": "b1", "meter": "flat", "cadence_min": 30},
    {"site": "s2", "building": "b1", "meter": "own-import", "role": "import"},
    {"site": "s2", "building": "b1", "meter": "own-export", "role": "export"},
    {"site": "city", "meter": "grid", "role": "import"},
    {"site": "city", "meter": "grid-out", "role": "export"},
    {"site": "city", "meter": "gas-in", "role": "import", "commodity": "gas", "unit": "m3"},
]
COUNTED: dict[str, tuple[str, str, bool]] = {
    "s1/left": ("s1/b1/1", "consumption", False),
    "s1/right": ("s1/b1/2", "consumption", False),
    "s1/left-gas": ("s1/b1/1", "consumption", False),
    "s1/school": ("s1/b2", "consumption", False),
    "s1/roof": ("s1/b2", "local_generation", True),
    "s1/pv": ("d1", "local_generation", True),
    "s1/fc-gas": ("s1", "conversion_in", False),
    "s1/fc-power": ("s1", "conversion_out", False),
    "s1/battery": ("d1", "storage", False),
    "s1/gate": ("s1", "import", False),
    "s2/flat": ("s2/b1", "consumption", False),
    "s2/own-import": ("s2/b1", "import", False),
    "s2/own-export": ("s2/b1", "export", False),
    "city/grid": ("city", "import", False),
    "city/grid-out": ("city", "export", False),
    "city/gas-in": ("city", "import", False),
}
"""Where each channel counts, as which flow, renewable or not: written down, not asked of the registry."""
BOUNDARY = {"import", "export"}


@dataclass
class City:
    """One city under test, with a clock of its own."""

    folder: Path
    timezone: str = "UTC"
    clock_us: int = NOW_US
    engine: Engine = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(self.folder, self.timezone)
        self.pipeline = Pipeline(self.engine, rules(), now=self.tick)

    def reopen(self) -> None:
        self.engine.close()
        self.__post_init__()

    def close(self) -> None:
        self.engine.close()

    def tick(self) -> int:
        self.clock_us += 1_000_000
        return self.clock_us

    @property
    def now(self) -> datetime:
        return from_us(self.clock_us)

    def describe(self, **settings: Any) -> None:
        city = {"name_en": "Test", "name_ko": "시험", "timezone": self.timezone}
        self.pipeline.describe({"city": city, **settings}, source="city.toml", actor="test")

    def register(self, *meters: dict[str, Any]) -> None:
        """Register meters; a row says what differs from METER."""
        rows = [{**METER, "tz": self.timezone, **meter} for meter in meters]
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = pa.table({name: [row.get(name) for row in rows] for name in names})
        receipt = self.pipeline.register(table, source="meters", actor="test")
        assert receipt.quarantined == 0

    def send(self, rows: list[Reading]) -> None:
        """Commit readings (channel name, moment, value) as one batch; none may be set aside."""
        site, meter = zip(*(name.split("/") for name, _, _ in rows), strict=True)
        columns: dict[str, Any] = {
            "site": site, "meter": meter, "at": [row[1] for row in rows], "value": [row[2] for row in rows],
            "commodity": [None] * len(rows), "unit": [None] * len(rows), "row": range(1, len(rows) + 1),
        }  # fmt: skip
        table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
        receipt = self.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
        assert receipt.quarantined == 0

    def apply(self, records: list[Record]) -> None:
        self.pipeline.apply_records(records, kind="registry", source="test", actor="test")

    def registry_at(self, batch: int | None) -> Registry:
        if batch is None:
            return self.pipeline.registry()
        with self.engine.snapshot() as snapshot:
            return Registry.from_records(believed(read_records(snapshot, batch)))

    def access(self, scope: Scope = EVERYTHING, now_us: int | None = None) -> Access:
        self.engine.now = lambda: now_us or self.clock_us
        return Access(self.engine, self.registry_at, self.pipeline.recent, scope, "rules-1")

    def close_all(self, but: int | None = None) -> list[int]:
        """Close every open day; `but` is one to leave open."""
        with self.engine.snapshot() as snapshot:
            due = [day for day in open_days(self.engine, snapshot) if day != but]
        for day in due:
            close_day(
                self.engine, day, closing_placements(self.pipeline.registry()), actor="test", received_us=self.tick()
            )
        return due

    def effective(self, known_batch: int | None = None) -> list[tuple[str, int, int, int]]:
        """Give all effective intervals: channel name, start (us), value, quality."""
        names = {number: name for name, number in self.pipeline.registry().channel_ids.items()}
        with self.engine.snapshot() as snapshot:
            table = intervals(self.engine, snapshot, 0, 3 * 10**15, known_batch=known_batch)
        columns = (table[name].to_pylist() for name in ("channel", "start_us", "value", "quality"))
        return [(names[channel], *rest) for channel, *rest in zip(*columns, strict=True)]  # type: ignore[misc]


def small_city(city: City, start: datetime, days: int, seed: int = 1) -> City:
    """Describe and register the small city and play some days of it, with gaps, in one batch."""
    city.register(*METERS)
    city.describe(**SETTINGS)
    city.send(played(city, start, days, Random(seed)))
    return city


def played(city: City, start: datetime, days: int, dice: Random) -> list[Reading]:
    rows: list[Reading] = []
    for meter in METERS:
        name, step = f"{meter['site']}/{meter['meter']}", timedelta(minutes=meter.get("cadence_min", 60))
        at = start
        while at < start + timedelta(days=days):
            use = round(dice.random() * 2, 3) - (1 if meter["meter"] == "battery" else 0)
            rows.append((name, at, round(use, 3)))
            at += step * (dice.randrange(2, 9) if dice.random() < 0.03 else 1)
    return rows


NewCity = Callable[..., City]


@pytest.fixture
def new_city() -> Iterator[NewCity]:
    """Give a maker of empty cities: `new_city(timezone)`."""
    with ExitStack() as stack:

        def make(timezone: str = "UTC") -> City:
            out = City(Path(stack.enter_context(TemporaryDirectory())), timezone)
            stack.callback(out.close)
            return out

        yield make


@pytest.fixture
def city(new_city: NewCity) -> City:
    return new_city()


def utc(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Give a moment of January 2025 UTC."""
    return datetime(2025, 1, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


def us(moment: datetime) -> int:
    return to_us(moment)
