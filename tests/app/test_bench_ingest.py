"""The bench of the doors beside other stores: it measures what it says, on a small village."""

from pathlib import Path

import pyarrow as pa
import pytest

from quintet.app import bench_ingest
from quintet.app.bench_ingest import Measured, measure, quantiles_ms, table_of
from quintet.app.bench_peers import ClickHouse, csv_of, lines_of
from quintet.app.bench_quintet import QuintetArrow, packed_bytes


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> bench_ingest.Day:
    return bench_ingest.make_day(tmp_path_factory.mktemp("day"), 20, 3_000)


def test_the_readings_come_in_order_of_time_and_name_their_meters(day: bench_ingest.Day) -> None:
    assert day.rows.num_rows == 3_000
    at = day.rows["at"].cast(pa.int64()).to_pylist()
    assert at == sorted(at)
    assert len(day.households) == 20
    listed = set(zip(day.meters["site"].to_pylist(), day.meters["meter"].to_pylist(), strict=True))
    assert set(day.names) <= listed
    assert all(day.names[number] in listed for household in day.households for number in household)


def test_quintet_takes_all_of_them_and_gives_a_household_back(day: bench_ingest.Day, tmp_path: Path) -> None:
    found = measure(QuintetArrow, tmp_path / "city", day)
    assert found.readings_s > 0
    assert found.bytes_each > 0


def test_a_peer_is_given_the_same_readings() -> None:
    piece = pa.table(
        {
            "channel": pa.array([7, 8], pa.int32()),
            "at": pa.array([1_000_000, 2_000_000], pa.timestamp("us", tz="UTC")),
            "value": [0.25, 3.0],
        }
    )
    assert csv_of(piece) == b"7,1000000,0.25\n8,2000000,3\n"
    assert lines_of(piece) == b"r,m=7 v=0.25 1000000\nr,m=8 v=3.0 2000000"
    binary = ClickHouse(Path("nowhere")).ready(piece)
    assert (len(binary), binary[:4]) == (40, b"\x07\x00\x00\x00")


def test_the_table_says_how_many_times_quintet_is(tmp_path: Path) -> None:
    rows = [Measured("Quintet, x", "all", 300.0, 1.0, (1.0, 2.0)), Measured("Other", "less", 100.0, 9.0, (3.0, 4.0))]
    lines = table_of(rows).splitlines()
    assert lines[2].split(" | ")[3] == "1.00"
    assert lines[3].split(" | ")[3] == "3.00"
    assert quantiles_ms([0.001, 0.003]) == (2.0, 3.0)


def test_packed_parquet_is_weighed(day: bench_ingest.Day, tmp_path: Path) -> None:
    path = tmp_path / "packed.parquet"
    assert packed_bytes(day.rows, path) * day.rows.num_rows == pytest.approx(path.stat().st_size)


def test_a_dataset_is_weighed_in_the_lake_and_packed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "meters.csv").write_text(
        "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role\n"
        "c,b,m,electricity,kWh,interval_sum,60,UTC,consumption\n"
    )
    lines = [f"c,m,2025-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z,{hour % 7}.5" for hour in range(240)]
    (data / "readings.csv").write_text("\n".join(["site,meter,ts_utc,value", *lines]) + "\n")
    (tmp_path / "work").mkdir()
    found = bench_ingest.weigh(data, tmp_path / "work")
    assert found["Quintet, both"] > found["Quintet's raw readings"] > 0
    assert found["one packed Parquet"] > 0
