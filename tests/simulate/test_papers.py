"""The city's papers: meters with their life and plate, places that form a tree, plants whose ends exist once."""

from collections import Counter

import pyarrow as pa

from quintet.simulate.papers import FAULTS, METERS
from quintet.terms.tables import MOMENT

from .conftest import START, city_of


def test_meters_are_sorted_unique_and_whole() -> None:
    table = city_of({"exchange": 0.02}, days=4, households=300).meters
    assert table.schema == METERS
    keys = list(zip(table["site"].to_pylist(), table["meter"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))
    for meter in table.to_pylist():
        assert meter["building"]
        assert (meter["premise"] is None) == (meter["primary_use"] != "dwelling")
        assert (meter["dials"] is None) == (meter["value_kind"] == "interval_sum")
        assert meter["site"] != "city" or meter["building"] == "city"


def test_an_exchange_links_the_two_meters_in_the_table() -> None:
    meters = {
        (m["site"], m["meter"]): m for m in city_of({"exchange": 0.02}, days=4, households=300).meters.to_pylist()
    }
    new = {key: m for key, m in meters.items() if m["replaces"]}
    assert len(new) > 3
    for (site, _), meter in new.items():
        old = meters[site, meter["replaces"]]
        assert old["removed"] == meter["installed"] is not None
        same = ("commodity", "unit", "building", "premise", "role", "dials", "plate_max", "floor_area_m2")
        assert [old[name] for name in same] == [meter[name] for name in same]
    ended = [m for m in meters.values() if m["removed"]]
    assert len(ended) == len(new)


def test_places_form_a_tree() -> None:
    settings = city_of(households=2000).settings
    places = {place["id"]: place for place in settings["place"]}
    assert len(places) == len(settings["place"])
    for place in places.values():
        if place["level"] == "district":
            assert "parent" not in place
        else:
            assert places[place["parent"]]["level"] == "district"
    levels = Counter(place["level"] for place in places.values())
    assert levels == {"district": 2, "complex": 8 + 2}


def test_each_complex_has_its_exchanger() -> None:
    plants = city_of(households=600).settings["plant"]
    kinds = Counter(plant["kind"] for plant in plants)
    assert kinds == {"solar": 1, "fuel_cell": 1, "heat_plant": 1, "heat_exchanger": 3}
    assert [plant["id"] for plant in plants if plant.get("renewable")] == ["solar-farm"]


def test_faults_and_weather_have_their_columns() -> None:
    city = city_of(True, days=5, households=100)
    assert city.faults.schema == FAULTS
    weather = city.weather(START)
    assert weather.schema.field("ts_utc").type == MOMENT
    assert set(weather["site"].to_pylist()) == {"city"}
    assert {"temp_c", "rh_pct", "ghi_raw"} <= set(weather.column_names)
    assert isinstance(weather, pa.Table)
