"""A store with a registry and a pipeline, and ways to feed it: what the tests of the write path share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest

from quintet.access.flows import closing_placements
from quintet.pipeline.commit import Pipeline, Receipt
from quintet.store.closing import close_day, open_days
from quintet.store.engine import Engine
from quintet.store.read import content_hash, intervals
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import rules

NOON_2026 = 1_780_000_000_000_000
Row = tuple[str, datetime, float]


@dataclass
class Bench:
    """One store under test. `clock_us` is the moment of receipt; every commit moves it on by a second."""

    folder: Path
    timezone: str = "UTC"
    clock_us: int = NOON_2026
    engine: Engine = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(self.folder, self.timezone)
        self.pipeline = Pipeline(self.engine, rules(), now=self.now)

    def now(self) -> int:
        self.clock_us += 1_000_000
        return self.clock_us

    def reopen(self) -> None:
        self.engine.close()
        self.__post_init__()

    def register(self, **meters: tuple[str, str, str, int] | tuple[str, str, str, int, int]) -> None:
        """Register meters of site `s`: name=(commodity, unit, value_kind, cadence_min, dials)."""
        rows = [
            {
                "site": "s", "building": "b", "meter": name, "commodity": commodity, "unit": unit, "value_kind": kind,
                "cadence_min": cadence, "tz": self.timezone, "role": "consumption",
                "dials": dials[0] if dials else None,
            }
            for name, (commodity, unit, kind, cadence, *dials) in meters.items()
        ]  # fmt: skip
        self.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")

    def send(self, rows: list[Row], source: str = "test") -> Receipt:
        """Commit rows (meter, moment, value) as one batch."""
        columns = {
            "site": ["s"] * len(rows), "meter": [row[0] for row in rows], "at": [row[1] for row in rows],
            "value": [row[2] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
            "row": list(range(1, len(rows) + 1)),
        }  # fmt: skip
        table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
        return self.pipeline.commit([(table, QUARANTINE.empty_table())], source=source, actor="test")

    def effective(self, known_batch: int | None = None) -> list[tuple[int, int, int, int]]:
        """Give all effective intervals: channel, start (us), value, quality."""
        with self.engine.snapshot() as snapshot:
            table = intervals(self.engine, snapshot, -(10**15), 4 * 10**15, known_batch=known_batch)
        columns = (table[name].to_pylist() for name in ("channel", "start_us", "value", "quality"))
        return list(zip(*columns, strict=True))

    def hash(self) -> str:
        with self.engine.snapshot() as snapshot:
            return content_hash(snapshot)

    def close_all(self) -> list[int]:
        placements = closing_placements(self.pipeline.registry())
        with self.engine.snapshot() as snapshot:
            due = open_days(self.engine, snapshot)
        for day in due:
            close_day(self.engine, day, placements, actor="test", received_us=self.now())
        return due

    def rollup_days(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """Give rollups by (channel, day): value, arrived, estimated; zeros left out."""
        with self.engine.snapshot() as snapshot:
            rows = snapshot.rows(
                "select channel, day, sum(value), sum(arrived), sum(estimated) from rollup_day group by all"
            )
        return {(c, d): (int(v), int(a), int(e)) for c, d, v, a, e in rows if v or a or e}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    out = Bench(tmp_path)
    yield out
    out.engine.close()


@pytest.fixture
def new_bench() -> Iterator[Callable[[], Bench]]:
    """Give a maker of fresh stores, for tests that need several."""
    made: list[tuple[TemporaryDirectory[str], Bench]] = []

    def make() -> Bench:
        folder = TemporaryDirectory()
        made.append((folder, Bench(Path(folder.name))))
        return made[-1][1]

    yield make
    for folder, bench in made:
        bench.engine.close()
        folder.cleanup()


def moment(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """Give a moment of January 2025 UTC."""
    return datetime(2025, 1, day, hour, minute, second, tzinfo=UTC)
