"""The measured city's meters: all registered but those nobody can read, and those by name."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from quintet.registry import Registry, from_dataset
from quintet.store.records import believed

EMPTY = Registry.from_records([])
UNREADABLE = {"GDC-heat", "JCD-heat"}
COLD = {"GDC-cooling", "JCD-cooling"}


@pytest.fixture(scope="session")
def meters(shared: Path) -> pa.Table:
    return pa.parquet.read_table(shared / "data/city/meters.parquet")


@pytest.fixture(scope="session")
def virtual(shared: Path) -> pa.Table:
    return pa.csv.read_csv(shared / "data/city/virtual_city_map.csv")


def test_all_but_four_register_and_the_four_are_named(meters: pa.Table) -> None:
    found = from_dataset(EMPTY, meters)
    codes = {row["meter"]: row["code"] for row in found.problems.to_pylist()}
    assert codes == {**dict.fromkeys(UNREADABLE, "unknown_unit"), **dict.fromkeys(COLD, "unknown_commodity")}
    assert set(found.problems["site"].to_pylist()) == {"ut_austin_a"}
    registry = Registry.from_records(believed(found.records))
    assert registry.channels().num_rows == meters.num_rows - 4 == 241
    assert from_dataset(registry, meters).records == []


def test_cooling_is_one_row_and_touches_no_code(meters: pa.Table) -> None:
    row = {"name_en": "cooling", "name_ko": "냉방", "measures": {"energy": "kWh"}}
    found = from_dataset(EMPTY, meters, settings={"commodity": {"cooling": row}})
    assert set(found.problems["meter"].to_pylist()) == UNREADABLE
    registry = Registry.from_records(believed(found.records))
    cold = [row for row in registry.placements().to_pylist() if row["commodity"] == "cooling"]
    assert {(row["place"], row["flow"]) for row in cold} == {
        ("ut_austin_a/GDC", "consumption"),
        ("ut_austin_a/JCD", "consumption"),
    }


def test_roles_and_places_of_the_real_meters(meters: pa.Table, placed: Any) -> None:
    registry = Registry.from_records(believed(from_dataset(EMPTY, meters).records))
    where = {name: [row[:2] for row in placed(registry, name)] for name in registry.channel_ids}
    assert where["latrobe/NMI5-elec"] == [("latrobe", "import")]
    assert where["ucsd_a/campus-SDGE_Import"] == [("ucsd_a/CAMPUS", "import")]
    assert where["fontana_odd/home1-pv"] == [("fontana_odd/home1", "local_generation")]
    assert where["burnaby_y2/house1-fridge"] == []
    assert where["ucsd_a/StudentServices-ReactivePower"] == []
    levels = {row["place"]: row["level"] for row in registry.places().to_pylist()}
    assert levels["alicante_even/hh000"] == "premise"
    assert levels["cambridge_even/b0"] == "building"
    areas = {row["place"]: row["floor_area_m2"] for row in registry.places().to_pylist()}
    assert areas["cambridge_even/b46"] == 218.7
    (meter,) = [meter for meter in registry.meters() if meter.meter == "W5-water"]
    assert meter.notes["latrobe/W5-water"]["note"] == "behaves as a register; unit kL assumed"


def test_with_the_map_it_is_one_city(meters: pa.Table, virtual: pa.Table) -> None:
    found = from_dataset(EMPTY, meters, mapping=virtual)
    assert {row["meter"] for row in found.problems.to_pylist()} == UNREADABLE
    registry = Registry.from_records(believed(found.records))
    assert registry.channels().num_rows == virtual.num_rows - 2 == 222
    assert "V-share" in registry.tree.path("alicante_even/hh000")
    shifts = {name.split("/")[0]: registry.shift_days(number) for name, number in registry.channel_ids.items()}
    assert (shifts["alicante_even"], shifts["fontana_odd"], shifts["cambridge_even"]) == (728, 728, 0)
    assert from_dataset(registry, meters, mapping=virtual).records == []


def test_the_household_folder_registers_whole(shared: Path) -> None:
    found = from_dataset(EMPTY, pa.parquet.read_table(shared / "data/household/meters.parquet"))
    assert found.problems.num_rows == 0
