"""A store that takes versions of intervals as they are given, and a plain-Python model of what it should say."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest

from quintet.store.book import append_records
from quintet.store.closing import Closed, close_day
from quintet.store.engine import Engine
from quintet.store.read import content_hash, intervals
from quintet.store.records import ALWAYS, Record

HOUR = 3_600_000_000
DAY = 24 * HOUR
DAY_0 = 20_089
"""2025-01-01, counted from 1970."""
T0 = DAY_0 * DAY
VALID, LIKE_DAY, EDITED, WITHDRAWN = 1, 21, 40, 11

Version = tuple[int, int, int, int]
"""channel, start_us, value, quality."""
Raw = tuple[int, int, int]
"""channel, at_us, mantissa (in whole units of unit 0)."""
PLACEMENT: dict[str, pa.DataType] = {
    "channel": pa.int32(), "place": pa.string(), "flow": pa.string(), "sign": pa.int8(), "commodity": pa.string(),
    "quantity": pa.string(), "renewable": pa.bool_(), "cadence_min": pa.int32(), "start_us": pa.int64(),
    "end_us": pa.int64(), "clip": pa.int8(),
}  # fmt: skip


def placements(*rows: tuple[int, str]) -> pa.Table:
    """Say that channels count as consumption of electricity at a place, always."""
    said = [
        (channel, place, "consumption", 1, "electricity", "energy", False, 60, -(2**62), 2**62, 0)
        for channel, place in rows
    ]
    columns = list(zip(*said, strict=True)) if said else [()] * len(PLACEMENT)
    return pa.table({n: pa.array(c, t) for (n, t), c in zip(PLACEMENT.items(), columns, strict=True)})


@dataclass
class Store:
    """One store under test. Every write is received a second after the one before."""

    folder: Path
    timezone: str = "UTC"
    clock_us: int = T0
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine.open(self.folder, self.timezone)

    def reopen(self) -> None:
        self.engine.close()
        self.__post_init__()

    def close(self) -> None:
        self.engine.close()

    def tick(self) -> int:
        self.clock_us += 1_000_000
        return self.clock_us

    def name_channels(self, *names: str) -> None:
        """Give channels 0, 1, ... their names, as the registry's records do."""
        said = [Record("channel", name, ALWAYS, {"id": number}) for number, name in enumerate(names)]
        with self.engine.writing("registry", "test", "test", self.tick()) as writing:
            append_records(writing, said)

    def write(self, versions: list[Version], raw: list[Raw] | None = None) -> int:
        """Append versions of intervals and raw readings as one batch; give its number."""
        with self.engine.writing("readings", "test", "test", self.tick()) as writing:
            batch = writing.batch.id
            writing.append("interval", interval_table(versions, batch))
            writing.append("raw", raw_table(raw or [], batch))
        return batch

    def close_day(self, day: int, placed: pa.Table | None = None) -> Closed:
        return close_day(
            self.engine, day, placements() if placed is None else placed, actor="test", received_us=self.tick()
        )

    def effective(
        self,
        known_batch: int | None = None,
        low: int = T0 - 9 * DAY,
        high: int = T0 + 99 * DAY,
        channels: list[int] | None = None,
    ) -> list[Version]:
        """Read effective intervals: channel, start, value, quality."""
        with self.engine.snapshot() as snapshot:
            table = intervals(self.engine, snapshot, low, high, channels=channels, known_batch=known_batch)
        columns = (table[name].to_pylist() for name in ("channel", "start_us", "value", "quality"))
        return list(zip(*columns, strict=True))

    def hash(self) -> str:
        with self.engine.snapshot() as snapshot:
            return content_hash(snapshot)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.snapshot() as snapshot:
            return snapshot.rows(sql)

    def lake_files(self, lake: str = "intervals") -> list[Path]:
        """Give the live files of a lake table, in order of day."""
        found = self.rows(f"select path from lake_file where live and lake = '{lake}' order by day")
        return [self.folder / "lake" / lake / path for (path,) in found]


def interval_table(versions: list[Version], batch: int) -> pa.Table:
    columns = list(zip(*versions, strict=True)) if versions else [()] * 4
    kinds = (pa.int32(), pa.int64(), pa.int64(), pa.uint8())
    names = ("channel", "start_us", "value", "quality")
    table = {n: pa.array(c, k) for n, c, k in zip(names, columns, kinds, strict=True)}
    return pa.table({**table, "batch": pa.array([batch] * len(versions), pa.int32())})


def raw_table(raw: list[Raw], batch: int) -> pa.Table:
    channel, at_us, mantissa = list(zip(*raw, strict=True)) if raw else ((), (), ())
    return pa.table(
        {
            "channel": pa.array(channel, pa.int32()), "at_us": pa.array(at_us, pa.int64()),
            "mantissa": pa.array(mantissa, pa.int64()), "exponent": pa.array([0] * len(raw), pa.int8()),
            "unit": pa.array([0] * len(raw), pa.int16()), "batch": pa.array([batch] * len(raw), pa.int32()),
        }
    )  # fmt: skip


@dataclass
class Model:
    """The precedence in plain Python: of all versions of an interval an edit wins, then the later batch."""

    said: list[tuple[int, Version]] = field(default_factory=list)

    def write(self, batch: int, versions: list[Version]) -> None:
        self.said += [(batch, version) for version in versions]

    def effective(self, known_batch: int | None = None) -> list[Version]:
        best: dict[tuple[int, int], tuple[bool, int, Version]] = {}
        for batch, version in self.said:
            if known_batch is not None and batch > known_batch:
                continue
            candidate = (version[3] == EDITED, batch, version)
            here = best.get(version[:2])
            if here is None or candidate[:2] > here[:2]:
                best[version[:2]] = candidate
        return [entry[2] for _, entry in sorted(best.items()) if entry[2][3] != WITHDRAWN]


def hours(channel: int, day: int, values: list[int], quality: int = VALID) -> list[Version]:
    """Give a day's first hours as versions; `day` counts from 2025-01-01 UTC."""
    return [(channel, T0 + day * DAY + hour * HOUR, value, quality) for hour, value in enumerate(values)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    out = Store(tmp_path)
    yield out
    out.engine.close()


NewStore = Callable[..., Store]


@pytest.fixture
def new_store() -> Iterator[NewStore]:
    """Give a maker of fresh stores, for tests that need several."""
    with ExitStack() as stack:

        def make(timezone: str = "UTC") -> Store:
            out = Store(Path(stack.enter_context(TemporaryDirectory())), timezone)
            stack.callback(out.close)
            return out

        yield make
