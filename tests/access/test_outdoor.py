"""The outdoor temperature of a place is that of the station above it; nothing is made up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quintet.access import EVERYTHING, Access
from quintet.ingest import find, ingest_dataset
from quintet.pipeline.commit import Pipeline
from quintet.store.engine import Engine
from quintet.terms.errors import NotFound
from quintet.terms.period import Span
from quintet.terms.tables import OUTDOOR
from quintet.vee import rules

START = datetime(2025, 1, 6, tzinfo=UTC)
METERS = """site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,b,m1,electricity,kWh,interval_sum,60,UTC,consumption
c2,b,m1,electricity,kWh,interval_sum,60,UTC,consumption
"""


def test_a_place_has_the_temperatures_of_its_own_station(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "meters.csv").write_text(METERS)
    (folder / "readings.csv").write_text("site,meter,ts_utc,value\nc1,m1,2025-01-06T00:00:00Z,1.5\n")
    rows = [(site, h, mean + h) for site, mean in (("c1", -2.5), ("c2", 20.0)) for h in range(8) if h not in (3, 4, 5)]
    lines = [f"{site},{(START + timedelta(hours=h)).isoformat()},{temp}" for site, h, temp in rows]
    (folder / "weather.csv").write_text("site,ts_utc,temp_c\n" + "\n".join(lines) + "\n")
    engine = Engine.open(tmp_path / "city", "UTC")
    try:
        pipeline = Pipeline(engine, rules())
        (dataset,) = find([folder])
        ingest_dataset(pipeline, dataset, actor="test")
        access = Access(engine, lambda _: pipeline.registry(), pipeline.recent, EVERYTHING, "test")
        span = Span(START, START + timedelta(hours=7))
        table = access.outdoor("c1/b", span)
        assert table.schema == OUTDOOR
        assert table["temp_c"].to_pylist() == [-2.5, -1.5, -0.5, 3.5]
        assert set(table["place"].to_pylist()) == {"c1"}
        assert set(table["minutes"].to_pylist()) == {60}
        assert access.outdoor("c2", span)["temp_c"][0].as_py() == 20.0
        with pytest.raises(NotFound):
            access.outdoor("nowhere", span)
    finally:
        engine.close()
