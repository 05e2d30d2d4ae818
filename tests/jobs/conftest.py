"""A city with some meters and a history of days, as its doors would have filled it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest

from quintet.pipeline.commit import Pipeline, Receipt
from quintet.store.engine import Engine
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

Reading = tuple[str, datetime, float]


@dataclass
class City:
    """One city under test."""

    folder: Path
    timezone: str = "UTC"
    clock_us: int = 1_780_000_000_000_000
    engine: Engine = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(self.folder, self.timezone)
        self.pipeline = Pipeline(self.engine, rules(), now=self.tick)

    def close(self) -> None:
        self.engine.close()

    def tick(self) -> int:
        self.clock_us += 1_000_000
        return self.clock_us

    def reopen(self) -> None:
        self.engine.close()
        self.__post_init__()

    def register(self, *meters: str) -> None:
        """Register hourly electricity meters of site `s`."""
        rows = [
            {
                "site": "s", "building": "b", "meter": name, "commodity": "electricity", "unit": "kWh",
                "value_kind": "interval_sum", "cadence_min": 60, "tz": self.timezone, "role": "consumption",
            }
            for name in meters
        ]  # fmt: skip
        self.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")

    def send(self, rows: list[Reading]) -> Receipt:
        columns: dict[str, Any] = {
            "site": ["s"] * len(rows), "meter": [row[0] for row in rows], "at": [row[1] for row in rows],
            "value": [row[2] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
            "row": range(1, len(rows) + 1),
        }  # fmt: skip
        table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
        return self.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.snapshot() as snapshot:
            return snapshot.rows(sql)

    def lake_file(self, lake: str = "intervals") -> Path:
        """Give the first live file of a lake table."""
        (path,) = self.rows(f"select path from lake_file where live and lake = '{lake}' order by day limit 1")[0]
        return self.folder / "lake" / lake / path


@pytest.fixture
def new_city() -> Iterator[Callable[..., City]]:
    """Give a maker of empty cities: `new_city(timezone)`."""
    with ExitStack() as stack:

        def make(timezone: str = "UTC") -> City:
            out = City(Path(stack.enter_context(TemporaryDirectory())), timezone)
            stack.callback(out.close)
            return out

        yield make


@pytest.fixture
def city(new_city: Callable[..., City]) -> City:
    """Give a city in UTC with meters `a` and `b` and three days of readings, the 1st to the 3rd of March 2025."""
    out = new_city()
    out.register("a", "b")
    out.send(history("a") + history("b"))
    return out


def history(meter: str, days: int = 3) -> list[Reading]:
    return [(meter, march(1, hour), 0.25 + hour % 7) for hour in range(24 * days)]


def march(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Give a moment of March 2025 UTC."""
    return datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour, minutes=minute)


def us(moment: datetime) -> int:
    return to_us(moment)
