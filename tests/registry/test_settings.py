"""city.toml: what it says becomes records; what nobody reads, or what cannot be, is refused by name."""

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from quintet.registry import Registry, apply_settings, from_dataset
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.errors import BadInput, QuintetError
from quintet.terms.period import to_us

from .conftest import Book, table

CITY = tomllib.loads("""
[city]
name_en = "Riverside"
name_ko = "강변"
timezone = "Asia/Seoul"
simulated = true
[[place]]
id = "s1"
level = "complex"
parent = "d1"
name_en = "First"
name_ko = "첫째"
floor_area_m2 = 1000
[[place]]
id = "d1"
level = "district"
[[plant]]
id = "fc1"
kind = "fuel_cell"
place = "d1"
inputs = ["s1/fc-gas"]
outputs = ["s1/fc-power"]
valid_from = 2020-01-01
source = "plate"
[[storage]]
id = "b1"
place = "d1"
channels = ["s1/battery"]
[[feeder]]
id = "f1"
commodity = "electricity"
place = "d1"
supply = ["s1/m1"]
[commodity.cooling]
name_en = "cooling"
name_ko = "냉방"
measures = { energy = "kWh" }
""")


def test_a_city_is_described(book: Book) -> None:
    book.commit(apply_settings(book.registry(), CITY))
    registry = book.registry()
    assert (registry.city.name_en, registry.city.simulated, registry.tz.key) == ("Riverside", True, "Asia/Seoul")
    places = {row["place"]: row for row in registry.places().to_pylist()}
    assert places["city"]["name_ko"] == "강변"
    assert (places["s1"]["parent"], places["s1"]["name_ko"], places["s1"]["floor_area_m2"]) == ("d1", "첫째", 1000.0)
    (plant,) = registry.plants()
    new_year = to_us(datetime(2019, 12, 31, 15, tzinfo=UTC))
    assert (plant.id, plant.kind, plant.start_us, plant.end_us, plant.source) == (
        "fc1",
        "fuel_cell",
        new_year,
        FOREVER,
        "plate",
    )
    assert [(row.id, row.channels, row.start_us) for row in registry.storages()] == [("b1", ("s1/battery",), ALWAYS)]
    assert [(row.id, row.commodity, row.supply) for row in registry.feeders()] == [("f1", "electricity", ("s1/m1",))]
    assert registry.commodities["cooling"].name_ko == "냉방"


def test_a_meter_heads_one_feeder_at_a_time(book: Book) -> None:
    one = {"id": "f1", "commodity": "electricity", "place": "city", "supply": ["s1/m1"]}
    later = {**one, "id": "f2", "valid_from": "2021-01-01"}
    book.commit(apply_settings(book.registry(), {"feeder": [one]}))
    with pytest.raises(BadInput, match="so does feeder f1") as told:
        apply_settings(book.registry(), {"feeder": [later]})
    assert told.value.place == "feeder f2"
    ended = {**one, "supply": [], "valid_from": "2021-01-01"}
    book.commit(apply_settings(book.registry(), {"feeder": [one, ended, later]}))
    assert [(row.id, row.supply) for row in book.registry().feeders()] == [
        ("f1", ("s1/m1",)), ("f1", ()), ("f2", ("s1/m1",)),
    ]  # fmt: skip


def test_networks_facilities_and_carriers_are_data(book: Book) -> None:
    said: dict[str, Any] = {
        "city": {**CITY["city"], "carriers": ["heat"]},
        "place": [{**CITY["place"][1], "carriers": ["cooling"]}],
        "commodity": CITY["commodity"],
        "feeder": [{**CITY["feeder"][0], "level": "zone", "feeders": ["f2"], "returns": ["s1/out"]}],
        "facility": [
            {"id": "x", "class": "bus_shelter", "place": "d1", "meters": ["a/b"], "readings": {"pm25": ["a/c"]}}
        ],
    }
    book.commit(apply_settings(book.registry(), said))
    registry = book.registry()
    (feeder,), (facility,) = registry.feeders(), registry.facilities()
    assert (feeder.level, feeder.feeders, feeder.places, feeder.returns) == ("zone", ("f2",), (), ("s1/out",))
    assert (facility.klass, facility.name, facility.meters, facility.readings) == (
        "bus_shelter", "x", ("a/b",), {"pm25": ("a/c",)},
    )  # fmt: skip
    assert registry.carriers == ("heat",)
    assert "feeder f1 names feeder f2, which does not exist." in registry.dangling()
    assert "facility x names channel a/c, which does not exist." in registry.dangling()
    for wrong in (
        {"city": {**CITY["city"], "carriers": ["steam"]}},
        {"place": [{**CITY["place"][1], "carriers": ["x"]}]},
    ):
        with pytest.raises(BadInput, match="unknown commodity"):
            apply_settings(book.registry(), wrong)


def test_the_same_file_again_says_nothing_and_a_shorter_one_ends_nothing(book: Book) -> None:
    book.commit(apply_settings(book.registry(), CITY))
    assert apply_settings(book.registry(), CITY) == []
    assert apply_settings(book.registry(), {"city": CITY["city"]}) == []


def test_a_plant_changes_from_a_moment(book: Book) -> None:
    book.commit(apply_settings(book.registry(), CITY))
    later = {**CITY["plant"][0], "outputs": [], "valid_from": "2021-01-01T00:00:00+09:00"}
    book.commit(apply_settings(book.registry(), {"plant": [CITY["plant"][0], later]}))
    assert [plant.outputs for plant in book.registry().plants()] == [("s1/fc-power",), ()]


def test_what_a_city_does_not_have_is_named(book: Book) -> None:
    book.commit(apply_settings(book.registry(), CITY))
    assert book.registry().dangling() == [
        "plant fc1 names channel s1/fc-gas, which does not exist.",
        "plant fc1 names channel s1/fc-power, which does not exist.",
        "storage b1 names channel s1/battery, which does not exist.",
        "feeder f1 names channel s1/m1, which does not exist.",
    ]
    book.register({})
    assert not any("s1/m1" in line for line in book.registry().dangling())
    lost = {"storage": [{"id": "b2", "place": "nowhere", "channels": []}]}
    book.commit(apply_settings(book.registry(), lost))
    assert "storage b2 stands on place nowhere, which does not exist." in book.registry().dangling()


def test_a_dataset_comes_with_its_settings(book: Book) -> None:
    registry = book.register({"commodity": "cooling", "unit": "ton_h"}, settings=CITY)
    assert registry.channels()["commodity"].to_pylist() == ["cooling"]
    assert registry.tree.path("s1/b1") == ["s1/b1", "s1", "d1", "city"]
    assert registry.tree.bodies["s1"]["name_en"] == "First", "a meters table does not rename what city.toml described"
    assert from_dataset(registry, table({"commodity": "cooling", "unit": "ton_h"}), settings=CITY).records == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"cities": {}}, "unknown cities"),
        ({"city": {"name_en": "x", "name_ko": "x"}}, "lacks timezone"),
        ({"city": {"name_en": "x", "name_ko": "x", "timezone": "Mars/Crater"}}, "unknown time zone"),
        ({"city": {"name_en": 1, "name_ko": "x", "timezone": "UTC"}}, "name_en = 1"),
        ({"city": {"name_en": "x", "name_ko": "x", "timezone": "UTC", "simulated": 1}}, "simulated = 1"),
        ({"place": [{"id": "x", "level": "city"}]}, "cannot be a city"),
        ({"place": [{"id": "city", "level": "district"}]}, "cannot be a district"),
        ({"place": [{"id": "x", "level": "building", "parent": "y"}]}, "cannot stand below y"),
        ({"place": [{"id": "x", "level": "district", "parent": "x"}]}, "cannot stand below x"),
        ({"place": [{"id": "x", "level": "premise", "floor_area_m2": True}]}, "floor_area_m2 = True"),
        ({"place": [{"id": "x", "level": "premise"}, {"id": "x", "level": "building"}]}, "twice"),
        ({"place": ["x"]}, "no table"),
        ({"plant": [{"id": "x", "kind": "y", "place": "city", "inputs": [1]}]}, "channel names"),
        ({"plant": [{"id": "x", "kind": "y", "place": "city", "input": []}]}, "unknown input"),
        ({"plant": [{"id": "x", "kind": "y", "place": "city", "valid_from": "soon"}]}, "no moment"),
        ({"plant": [{"id": "x", "kind": "y", "place": "city", "valid_from": datetime(2020, 1, 1)}]}, "no offset"),  # noqa: DTZ001
        ({"storage": [{"id": "x", "place": "city"}]}, "lacks channels"),
        ({"feeder": [{"id": "x", "place": "city", "commodity": "steam", "supply": []}]}, "unknown commodity steam"),
        ({"commodity": {"steam": {"name_en": "x", "name_ko": "x", "measures": {"energy": "m3"}}}}, "not measure"),
        ({"commodity": {"steam": {"name_en": "x", "name_ko": "x", "measures": {"energy": "?"}}}}, "unknown unit"),
    ],
)
def test_what_nobody_reads_or_cannot_be_is_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(QuintetError, match=word):
        apply_settings(Registry.from_records([]), settings)


def test_a_refusal_names_the_row() -> None:
    with pytest.raises(BadInput) as caught:
        apply_settings(Registry.from_records([]), {"plant": [{"id": "fc9", "place": "city"}]})
    assert caught.value.place == "plant fc9"
