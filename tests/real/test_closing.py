"""Days of the measured city closed into the lake: every answer stays what it was."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.ingest import find, ingest_dataset
from quintet.store.read import content_hash
from quintet.terms.period import Resolution, Span

FIRST, LAST = datetime(2019, 3, 1, tzinfo=UTC), datetime(2019, 3, 11, tzinfo=UTC)
UNTIL = date(2019, 3, 8)
SPAN = Span(FIRST, LAST)
NAMES = (
    "cambridge_even/b10-electricity",
    "alicante_even/hh050-water",
    "ucsd_a/campus-TotalCampusLoad",
    "ut_austin_a/GDC-water",
    "fontana_odd/home1-pv",
)


@pytest.fixture
def spring(tmp_path: Path, measured: Path) -> tuple[City, Path]:
    """Give the fictional city with ten days of March 2019, and those days as a dataset."""
    source = tmp_path / "spring"
    source.mkdir()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy (select * from '{measured}/meters.parquet') to '{source}/meters.parquet'")
        connection.execute(
            f"""copy (select r.* from '{measured}/readings.parquet' r
                    join read_csv('{measured}/virtual_city_map.csv') p using (site, meter)
                    where ts_utc + to_days(shift_days::integer) >= timestamptz '{FIRST.isoformat()}'
                        and ts_utc + to_days(shift_days::integer) < timestamptz '{LAST.isoformat()}')
                to '{source}/readings.parquet'"""
        )
    city = City.create(tmp_path / "city")
    (dataset,) = find([source], map_file=measured / "virtual_city_map.csv")
    receipt = ingest_dataset(city.pipeline, dataset, actor="test")
    assert receipt.accepted > 50_000
    return city, source


def answers(city: City) -> dict[str, Any]:
    """Ask what people ask: the content hash, the city's flows, series of some channels."""
    access = city.access(EVERYTHING)
    found: dict[str, Any] = {}
    with city.engine.snapshot() as snapshot:
        found["hash"] = content_hash(snapshot)
    for resolution in (Resolution.HOUR, Resolution.DAY):
        found[f"city {resolution}"] = access.flows("city", SPAN, resolution).flows
    found["site"] = access.flows("cambridge_even", SPAN, Resolution.DAY).flows
    for name in NAMES:
        found[name] = access.series(name, SPAN, Resolution.HOUR)
    return found


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        name
        for name, said in before.items()
        if not (said.equals(after[name]) if isinstance(said, pa.Table) else said == after[name])
    ]


def test_a_week_of_the_measured_city_closed_answers_the_same(spring: tuple[City, Path]) -> None:
    city, _ = spring
    before = answers(city)
    closed = city.close_days(until=UNTIL)
    assert len(closed) == 7
    assert differing(before, answers(city)) == []
    with city.engine.snapshot() as snapshot:
        assert snapshot.rows("select count(*) from lake_file where lake = 'intervals' and live")[0][0] == 7
        left = snapshot.rows("select count(*) from interval where start_us < 1552003200000000")[0][0]
    assert left == 0
    city.close()
    again = City.open(city.folder)
    assert differing(before, answers(again)) == []
    assert again.close_days(until=UNTIL) == []
    again.close()


def test_closed_days_know_their_readings_again(spring: tuple[City, Path], measured: Path) -> None:
    """The same folder after closing is known row for row; a reading that comes late for a closed day counts."""
    city, source = spring
    city.close_days(until=UNTIL)
    before = answers(city)
    (dataset,) = find([source], map_file=measured / "virtual_city_map.csv")
    again = ingest_dataset(city.pipeline, dataset, actor="test")
    assert (again.accepted, again.rejected) == (0, 0)
    assert differing(before, answers(city)) == []
    city.close()


def test_rows_that_come_late_for_closed_days_give_what_all_at_once_gives(
    tmp_path: Path, spring: tuple[City, Path], measured: Path, city_of: Callable[..., Any]
) -> None:
    """Each seventh row held back, the days closed, then sent: the same content as if it had come in time."""
    whole, source = spring
    with whole.engine.snapshot() as snapshot:
        expected = content_hash(snapshot)
    whole.close()
    parts = [tmp_path / "early", tmp_path / "late"]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for part, test in zip(parts, ("<> 0", "= 0"), strict=True):
            part.mkdir()
            (part / "meters.parquet").write_bytes((source / "meters.parquet").read_bytes())
            connection.execute(
                f"""copy (select * from '{source}/readings.parquet' where hash(ts_utc, meter) % 7 {test})
                    to '{part}/readings.parquet'"""
            )
    city = City.create(tmp_path / "pieces")
    for part in parts:
        (dataset,) = find([part], map_file=measured / "virtual_city_map.csv")
        ingest_dataset(city.pipeline, dataset, actor="test")
        city.close_days(until=UNTIL)
    with city.engine.snapshot() as snapshot:
        assert content_hash(snapshot) == expected
    assert [one for one in city.doctor().findings if one.severity == "error"] == []
    city.close()
