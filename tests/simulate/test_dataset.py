"""The city as a folder: the files of the dataset layout say what the city says."""

import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from quintet.simulate import SimulatedCity, write_dataset
from quintet.simulate.dataset import toml_text
from quintet.terms.commodity import commodities
from quintet.terms.reading import ReadingType, Role, ValueKind
from quintet.terms.unit import units

from .conftest import Series, city_of, series, shown

RATES = {"late": 0.05, "exchange": 0.02, "gap": 0.02}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulatedCity, Path]:
    folder = tmp_path_factory.mktemp("dataset") / "new" / "city"
    city = city_of(RATES, days=4)
    write_dataset(city, folder)
    return city, folder


def test_all_readings_are_there_in_the_order_of_arrival(made: tuple[SimulatedCity, Path]) -> None:
    city, folder = made
    file = pq.ParquetFile(folder / "readings.parquet")
    assert file.num_row_groups == 4
    groups = [file.read_row_group(i) for i in range(4)]
    whole: Series = series(groups)
    assert whole == shown(city)
    assert sum(city.late(city.plan.day(i)).num_rows for i in range(4)) > 0
    first, last = (pc.min_max(group["ts_utc"]).as_py() for group in (groups[0], groups[-1]))
    assert first["max"] < last["max"]
    assert file.schema_arrow.field("ts_utc").type == pa.timestamp("us", tz="UTC")


def test_truth_faults_and_weather_lie_beside(made: tuple[SimulatedCity, Path]) -> None:
    city, folder = made
    days = [city.plan.day(i) for i in range(4)]
    assert pq.read_table(folder / "truth.parquet").equals(pa.concat_tables([city.truth(day) for day in days]))
    assert pq.read_table(folder / "weather.parquet").equals(pa.concat_tables([city.weather(day) for day in days]))
    assert pq.read_table(folder / "faults.parquet").equals(city.faults)
    assert pq.read_table(folder / "meters.parquet").equals(city.meters)


def test_city_toml_reads_back_as_the_settings(made: tuple[SimulatedCity, Path]) -> None:
    city, folder = made
    assert tomllib.loads((folder / "city.toml").read_text(encoding="utf-8")) == city.settings
    assert city.settings["city"]["simulated"] is True
    sites = {meter["site"] for meter in city.meters.to_pylist()} - {"city"}
    assert sites <= {place["id"] for place in city.settings["place"]}
    channels = {f"{meter['site']}/{meter['meter']}" for meter in city.meters.to_pylist()}
    named = [name for p in city.settings["plant"] for name in (*p.get("inputs", ()), *p["outputs"])]
    named += [name for store in city.settings["storage"] for name in store["channels"]]
    assert set(named) <= channels
    assert len(named) == len(set(named))


def test_every_meter_is_one_the_words_know(made: tuple[SimulatedCity, Path]) -> None:
    for meter in made[0].meters.to_pylist():
        alias = commodities().aliases.get(meter["commodity"])
        commodity = commodities()[alias.commodity if alias else meter["commodity"]]
        assert units()[meter["unit"]].quantity in commodity.measures
        kind, role = ValueKind(meter["value_kind"]), Role(meter["role"])
        ReadingType(commodity.code, meter["unit"], kind, role, meter["cadence_min"], meter["tz"], meter["dials"])
        assert alias is None or alias.role == meter["role"]


def test_toml_keeps_odd_texts() -> None:
    odd = {
        "city": {"name_en": 'A "town" \\ of', "name_ko": "도시", "simulated": False, "floor_area_m2": 1.5},
        "place": [],
    }
    assert tomllib.loads(toml_text(odd)) == {"city": odd["city"]}
