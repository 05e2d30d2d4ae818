"""A city of three meters whose every number is known: each half hour 0.5 kWh used, 0.02 made, 0.6 imported."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions

START = datetime(2025, 1, 31, 15, tzinfo=UTC)
"""2025-02-01 00:00 in Seoul."""
NOW = datetime(2025, 2, 2, 5, 31, tzinfo=UTC)
"""14:31 in Seoul on the second day: 58 quarter hours of it are over."""
SLOTS = 96 + 58
SLOT = timedelta(minutes=15)
METERS = (
    ("c1", "101", "home", "electricity", "kWh", "consumption", "dwelling"),
    ("c1", "101", "home-water", "water", "m3", "consumption", "dwelling"),
    ("c1", "roof", "roof", "solar", "kWh", "generation", None),
    ("city", None, "grid", "electricity", "kWh", "import", None),
)
VALUES = {
    ("c1", "home"): (0.24, 0.26),
    ("c1", "roof"): (0.009, 0.011),
    ("city", "grid"): (0.29, 0.31),
    ("c1", "home-water"): (0.001, 0.003),
}
"""Even and odd quarter hours: a meter that always says the same is taken for stuck."""
Row = tuple[str, str, datetime, float]
Clock = Callable[[], int]


def register(city: City) -> None:
    names = ("site", "building", "meter", "commodity", "unit", "role", "primary_use")
    rest = {"value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul"}
    rows = [dict(zip(names, row, strict=True)) | rest for row in METERS]
    city.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")


def send(city: City, rows: list[Row]) -> None:
    """Commit rows (site, meter, start, value) as one batch."""
    columns = {
        "site": [row[0] for row in rows], "meter": [row[1] for row in rows], "at": [row[2] for row in rows],
        "value": [row[3] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
        "row": list(range(1, len(rows) + 1)),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")


def rows_of(first: int, last: int, start: datetime = START) -> list[Row]:
    """Give all meters' readings of the slots first .. last - 1, counted from `start`."""
    slots = range(first, last)
    return [(*key, start + SLOT * slot, values[slot % 2]) for slot in slots for key, values in VALUES.items()]


@pytest.fixture
def new_city(tmp_path: Path) -> Iterator[Callable[..., City]]:
    """Give a maker of a city with its meters and no readings, at a moment that stands still."""
    made: list[City] = []

    def make(now: datetime, timezone: str = "Asia/Seoul") -> City:
        folder = tmp_path / f"city-{len(made)}"
        City.create(folder, name_en="Naju", name_ko="나주", timezone=timezone).close()
        made.append(City.open(folder, now=lambda: to_us(now)))
        register(made[-1])
        return made[-1]

    yield make
    for city in made:
        city.close()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Give the city with its readings until NOW, which tests only ask."""
    folder = tmp_path_factory.mktemp("views") / "city"
    City.create(folder, name_en="Naju", name_ko="나주", timezone="Asia/Seoul").close()
    out = City.open(folder, now=lambda: to_us(NOW))
    register(out)
    send(out, rows_of(0, SLOTS))
    yield out
    out.close()


@pytest.fixture(scope="session")
def questions(city: City) -> Questions:
    return Questions(city.access(EVERYTHING), now=city.now)
