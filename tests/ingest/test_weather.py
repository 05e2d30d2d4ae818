"""A dataset's weather comes in as readings of one station a site, by the door of all readings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quintet.ingest import find, ingest_dataset
from quintet.pipeline.commit import Pipeline
from quintet.protocols import read_weather
from quintet.registry.weather import station_of, stations
from quintet.store.engine import Engine
from quintet.store.read import intervals
from quintet.terms.errors import BadInput
from quintet.terms.period import to_us
from quintet.vee import rules

START = datetime(2025, 1, 6, tzinfo=UTC)
METERS = """site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,b,m1,electricity,kWh,interval_sum,60,UTC,consumption
c2,b,m1,electricity,kWh,interval_sum,60,UTC,consumption
"""
READINGS = "site,meter,ts_utc,value\nc1,m1,2025-01-06T00:00:00Z,1.5\n"


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "data"
    out.mkdir()
    (out / "meters.csv").write_text(METERS)
    (out / "readings.csv").write_text(READINGS)
    return out


def taken(folder: Path) -> tuple[int, int, dict[str, list[tuple[int, int]]], list[tuple[str, str]]]:
    """Take the folder in twice: accepted, set aside, start and value by channel, and why rows were set aside."""
    engine = Engine.open(folder.parent / "city", "UTC")
    try:
        pipeline = Pipeline(engine, rules())
        (dataset,) = find([folder])
        receipt = ingest_dataset(pipeline, dataset, actor="test")
        before = pipeline.registry().batch
        ingest_dataset(pipeline, dataset, actor="test")
        assert pipeline.registry().batch == before
        names = {number: name for name, number in pipeline.registry().channel_ids.items()}
        with engine.snapshot() as snapshot:
            table = intervals(engine, snapshot, to_us(START), to_us(hour(1000)))
            aside = snapshot.rows("select distinct meter, code from quarantine order by all")
        out: dict[str, list[tuple[int, int]]] = {}
        for row in table.to_pylist():
            out.setdefault(names[row["channel"]], []).append((row["start_us"], row["value"]))
        known = stations(pipeline.registry())
        for place in ("c1", "c1/b"):
            assert station_of(pipeline.registry(), place, known) == pipeline.registry().channel_ids.get("c1/weather")
        return receipt.accepted, receipt.quarantined, out, [(str(meter), str(code)) for meter, code in aside]
    finally:
        engine.close()


def test_a_csv_with_gaps_decimal_commas_and_a_bad_row(folder: Path) -> None:
    lines = [f"c1;{hour(h / 2).isoformat()};{str(-1.5 + h / 4).replace('.', ',')};80" for h in range(4)]
    lines += [f"c1;{hour(2).isoformat()};;80", "c1;tomorrow;3;80", f"nowhere;{hour(0).isoformat()};3;80"]
    (folder / "weather.csv").write_text("site;ts_utc;temp_c;rh_pct\n" + "\n".join(lines) + "\n")
    accepted, aside, held, why = taken(folder)
    assert (accepted, aside, why) == (1, 1, [("weather", "bad_time")])
    # half an hour at -1.5 degC is -0.75 degree hours
    wanted = [(to_us(hour(h / 2)), round((-1.5 + h / 4) / 2 * 1_000_000)) for h in range(4)]
    assert held["c1/weather"] == wanted
    assert set(held) == {"c1/weather", "c1/m1"}


def test_a_parquet_of_several_sites(folder: Path) -> None:
    rows = [
        {"site": site, "ts_utc": hour(h), "temp_c": None if h == 2 else mean + h}
        for site, mean in (("c1", -4.0), ("c2", 10.0))
        for h in range(5)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "weather.parquet")
    accepted, aside, held, _ = taken(folder)
    assert (accepted, aside) == (1, 0)
    values = [value / 1_000_000 for _, value in held["c2/weather"]]
    assert values[:2] + values[3:] == [10.0, 11.0, 13.0, 14.0]


def test_a_file_without_temperatures_is_refused_and_names_the_column(folder: Path) -> None:
    path = folder / "weather.csv"
    path.write_text("site,ts_utc,rh_pct\nc1,2025-01-06T00:00:00Z,80\n")
    with path.open("rb") as file, pytest.raises(BadInput, match="temp_c"):
        read_weather(file, str(path), {"c1": "UTC"})


def test_weather_of_nobody_gives_no_station(folder: Path) -> None:
    path = folder / "weather.csv"
    path.write_text("site,ts_utc,temp_c\nzz,2025-01-06T00:00:00Z,8\n")
    with path.open("rb") as file:
        found, parts = read_weather(file, str(path), {"c1": "UTC"})
    assert found is None
    assert sum(good.num_rows + bad.num_rows for good, bad in parts) == 0
