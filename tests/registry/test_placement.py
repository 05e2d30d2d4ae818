"""Which flow a channel counts as, and where: by its role, by its plant or storage, behind a net meter."""

from datetime import UTC, datetime
from typing import Any

import pytest

from quintet.registry import apply_settings
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.period import to_us

from .conftest import Book

ALL = (ALWAYS, FOREVER)
MAY = to_us(datetime(2020, 5, 1, tzinfo=UTC))
JUNE = to_us(datetime(2020, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("consumption", [("s1/b1", "consumption", 1, *ALL)]),
        ("generation", [("s1/b1", "local_generation", 1, *ALL)]),
        ("import", [("s1/b1", "import", 1, *ALL)]),
        ("export", [("s1/b1", "export", 1, *ALL)]),
        ("site_import", [("s1", "import", 1, *ALL)]),
        ("storage", [("s1/b1", "storage", 1, *ALL)]),
        ("net", [("s1/b1", "consumption", 1, *ALL)]),
        ("submeter", []),
    ],
)
def test_a_role_says_the_flow(book: Book, placed: Any, role: str, expected: list[Any]) -> None:
    assert placed(book.register({"role": role}), "s1/m1") == expected


def test_what_is_no_commodity_counts_nowhere(book: Book) -> None:
    registry = book.register({"commodity": "electricity_reactive", "unit": "kvarh"})
    assert registry.channels()["balanced"].to_pylist() == [False]
    assert registry.placements().num_rows == 0


def plant(book: Book, *rows: dict[str, Any], kind: str = "plant") -> Any:
    book.commit(apply_settings(book.registry(), {"place": [{"id": "d1", "level": "district"}], kind: list(rows)}))
    return book.registry()


def test_a_converter_takes_and_gives_at_its_own_place(book: Book, placed: Any) -> None:
    book.register({"meter": "gas", "commodity": "gas"}, {"meter": "power", "role": "generation"})
    row = {"id": "fc1", "kind": "fuel_cell", "place": "d1", "inputs": ["s1/gas"], "outputs": ["s1/power"]}
    registry = plant(book, {**row, "renewable": True})
    assert placed(registry, "s1/gas") == [("d1", "conversion_in", 1, *ALL)]
    assert placed(registry, "s1/power") == [("d1", "conversion_out", 1, *ALL)]
    renewable = {row["flow"]: row["renewable"] for row in registry.placements().to_pylist()}
    assert renewable == {"conversion_in": False, "conversion_out": True}


def test_a_plant_without_inputs_generates_from_its_first_day_on(book: Book, placed: Any) -> None:
    book.register({"role": "submeter"})
    row = {"id": "pv", "kind": "solar", "place": "d1", "outputs": ["s1/m1"], "renewable": True}
    registry = plant(book, {**row, "valid_from": "2020-05-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [("d1", "local_generation", 1, MAY, FOREVER)]
    assert registry.placements()["renewable"].to_pylist() == [True]
    registry = plant(book, {**row, "place": "city", "valid_from": "2020-06-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [
        ("d1", "local_generation", 1, MAY, JUNE),
        ("city", "local_generation", 1, JUNE, FOREVER),
    ]


def test_before_its_plant_a_channel_counts_by_its_role(book: Book, placed: Any) -> None:
    book.register({"role": "consumption"})
    row = {"id": "hp", "kind": "heat_pump", "place": "d1", "inputs": ["s1/m1"], "outputs": ["s1/heat"]}
    registry = plant(book, {**row, "valid_from": "2020-05-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [
        ("s1/b1", "consumption", 1, ALWAYS, MAY),
        ("d1", "conversion_in", 1, MAY, FOREVER),
    ]


def test_what_one_plant_gives_another_may_take(book: Book, placed: Any) -> None:
    book.register({"commodity": "heat"})
    first = {"id": "a", "kind": "heat_plant", "place": "city", "inputs": ["s1/gas"], "outputs": ["s1/m1"]}
    second = {"id": "b", "kind": "heat_exchanger", "place": "d1", "inputs": ["s1/m1"], "outputs": ["s1/hot"]}
    assert sorted(placed(plant(book, first, second), "s1/m1")) == [
        ("city", "conversion_out", 1, *ALL),
        ("d1", "conversion_in", 1, *ALL),
    ]


def test_a_channel_counts_once_as_one_flow(book: Book, placed: Any) -> None:
    book.register({"role": "generation"})
    rows = [
        {"id": name, "kind": "solar", "place": place, "outputs": ["s1/m1"]}
        for name, place in (("b", "city"), ("a", "d1"))
    ]
    assert placed(plant(book, *rows), "s1/m1") == [("d1", "local_generation", 1, *ALL)]


def test_a_storage_counts_discharge_as_positive(book: Book, placed: Any) -> None:
    book.register(
        {"meter": "both", "role": "storage"},
        {"meter": "in", "role": "consumption"},
        {"meter": "out", "role": "generation"},
    )
    registry = plant(book, {"id": "b", "place": "d1", "channels": ["s1/both", "s1/in", "s1/out"]}, kind="storage")
    assert placed(registry, "s1/both") == [("d1", "storage", 1, *ALL)]
    assert placed(registry, "s1/in") == [("d1", "storage", -1, *ALL)]
    assert placed(registry, "s1/out") == [("d1", "storage", 1, *ALL)]


def test_generation_behind_a_net_meter_is_consumption_too(book: Book, placed: Any) -> None:
    registry = book.register(
        {"meter": "net", "role": "net", "installed": "2020-05-01T00:00:00Z"},
        {"meter": "roof", "commodity": "solar", "role": "generation", "removed": "2020-06-01T00:00:00Z"},
        {"meter": "other", "commodity": "solar", "role": "generation", "building": "b2"},
        {"meter": "heat", "commodity": "heat", "role": "generation"},
    )
    assert placed(registry, "s1/net") == [("s1/b1", "consumption", 1, MAY, FOREVER)]
    assert placed(registry, "s1/roof") == [
        ("s1/b1", "local_generation", 1, ALWAYS, JUNE),
        ("s1/b1", "consumption", 1, MAY, JUNE),
    ]
    assert placed(registry, "s1/other") == [("s1/b2", "local_generation", 1, *ALL)]
    assert placed(registry, "s1/heat") == [("s1/b1", "local_generation", 1, *ALL)]
    consumed = [row["renewable"] for row in registry.placements().to_pylist() if row["flow"] == "consumption"]
    assert consumed == [False, False]


def test_a_city_wide_site_import_is_the_citys(book: Book, placed: Any) -> None:
    registry = book.register({"site": "city", "building": "works", "role": "site_import"})
    assert placed(registry, "city/m1") == [("city", "import", 1, *ALL)]


def test_rows_are_in_order_of_channel_and_time(book: Book) -> None:
    rows = book.register(*({"meter": f"m{n}", "building": f"b{n % 3}"} for n in range(9))).placements().to_pylist()
    assert [row["channel"] for row in rows] == sorted(row["channel"] for row in rows)
    assert {row["usage_point"] for row in rows} == {f"s1/m{n}" for n in range(9)}


def test_a_place_that_is_not_there_takes_no_meter_away(book: Book, placed: Any) -> None:
    book.register({"meter": "gas", "commodity": "gas"}, {"meter": "power", "role": "generation"}, {"meter": "battery"})
    row = {"id": "fc1", "kind": "fuel_cell", "place": "nowhere", "inputs": ["s1/gas"], "outputs": ["s1/power"]}
    plant(book, row)
    registry = plant(book, {"id": "b", "place": "nowhere", "channels": ["s1/battery"]}, kind="storage")
    assert placed(registry, "s1/gas") == [("s1/b1", "conversion_in", 1, *ALL)]
    assert placed(registry, "s1/power") == [("s1/b1", "conversion_out", 1, *ALL)]
    assert [row[:2] for row in placed(registry, "s1/battery")] == [("s1/b1", "storage")]
    assert "plant fc1 stands on place nowhere, which does not exist." in registry.dangling()
