"""Registering meters tables: ids, names, places, problems by name, and the same again saying nothing."""

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.registry import Registry, from_dataset
from quintet.store.records import ALWAYS, FOREVER, believed
from quintet.terms.errors import BadInput, NotFound
from quintet.terms.period import to_us
from quintet.terms.tables import CHANNELS, PLACEMENTS, PLACES, QUARANTINE

from .conftest import ROW, Book, table

EMPTY = Registry.from_records([])


def content(registry: Registry) -> list[list[dict[str, Any]]]:
    return [found.to_pylist() for found in (registry.channels(), registry.placements(), registry.places())]


def problem(**row: Any) -> dict[str, Any]:
    found = from_dataset(EMPTY, table(row))
    assert found.records == []
    assert found.problems.schema == QUARANTINE
    (only,) = found.problems.to_pylist()
    return only


def test_an_unnamed_city_has_a_root_and_nothing_else() -> None:
    assert EMPTY.places().to_pylist() == [
        {"place": "city", "parent": None, "level": "city", "name_en": "City", "name_ko": "도시", "floor_area_m2": None}
    ]
    assert (EMPTY.channels().num_rows, EMPTY.placements().num_rows, EMPTY.tz.key) == (0, 0, "UTC")


def test_ids_are_given_in_order_of_name_and_never_again(book: Book) -> None:
    registry = book.register({"meter": "b"}, {"meter": "a"})
    assert registry.channel_ids == {"s1/a": 1, "s1/b": 2}
    registry = book.register({"meter": "0"}, {"meter": "a"}, {"meter": "b"})
    assert registry.channel_ids == {"s1/0": 3, "s1/a": 1, "s1/b": 2}
    assert registry.channels().schema == CHANNELS
    assert registry.placements().schema == PLACEMENTS
    assert registry.places().schema == PLACES
    assert registry.channels()["channel"].to_pylist() == [1, 2, 3]


def test_a_row_becomes_a_channel_as_stated(book: Book) -> None:
    stated = {"unit": "kL", "commodity": "water", "dials": 5.0, "multiplier": "0.10", "plate_max": "2.5"}
    registry = book.register({**stated, "installed": datetime(2020, 1, 1, tzinfo=UTC), "removed": None})
    (row,) = registry.channels().to_pylist()
    assert (row["unit"], row["quantity"], row["dials"]) == ("kL", "volume", 5)
    assert (row["multiplier"], row["plate_max"], row["balanced"]) == ("0.10", "2.5", True)
    assert (row["installed"], row["removed"]) == (datetime(2020, 1, 1, tzinfo=UTC), None)
    assert row["usage_point"] == "s1/m1"


def test_several_reading_types_of_a_meter_have_longer_names(book: Book) -> None:
    heat = {"commodity": "heat"}
    volume = {"commodity": "heat_volume", "unit": "m3"}
    registry = book.register(heat, volume)
    assert set(registry.channel_ids) == {"s1/m1:heat", "s1/m1:heat_volume"}
    assert registry.lookup["s1", "m1"] == [1, 2]
    assert set(registry.channels()["usage_point"].to_pylist()) == {"s1/m1"}
    assert from_dataset(registry, table(volume)).records == [], "one alone keeps its name"


def test_a_channel_that_was_alone_keeps_its_short_name(book: Book) -> None:
    book.register({})
    registry = book.register({}, {"role": "export"})
    assert registry.channel_ids == {"s1/m1": 1, "s1/m1:electricity": 2}


def test_roles_tell_two_directions_apart(book: Book) -> None:
    registry = book.register({}, {"role": "export"})
    assert set(registry.channel_ids) == {"s1/m1:electricity-consumption", "s1/m1:electricity-export"}


def test_the_same_row_twice_is_one_and_two_different_ones_are_neither(book: Book) -> None:
    assert book.register({}, {}).channels().num_rows == 1
    found = from_dataset(EMPTY, table({"cadence_min": 15}, {"cadence_min": 30}))
    assert found.problems["code"].to_pylist() == ["duplicate_meter"] * 2


def test_solar_is_an_alias(book: Book) -> None:
    registry = book.register({"commodity": "solar", "role": None})
    (row,) = registry.channels().to_pylist()
    assert (row["commodity"], row["role"]) == ("electricity", "generation")
    (row,) = registry.placements().to_pylist()
    assert (row["flow"], row["renewable"]) == ("local_generation", True)


@pytest.mark.parametrize(
    ("row", "code", "word"),
    [
        ({"unit": "source_unit"}, "unknown_unit", "kWh"),
        ({"commodity": "cooling"}, "unknown_commodity", "[commodity.cooling]"),
        ({"unit": "m3"}, "wrong_quantity", "energy"),
        ({"unit": "kW"}, "wrong_unit", "register_cumulative"),
        ({"value_kind": "guess"}, "unknown_value_kind", "avg_power"),
        ({"role": "neither"}, "unknown_role", "site_import"),
        ({"role": None}, "unknown_role", "consumption"),
        ({"cadence_min": 7}, "bad_cadence", "7"),
        ({"cadence_min": None}, "bad_cadence", "cadence_min"),
        ({"cadence_min": 1.5}, "bad_cadence", "1.5"),
        ({"tz": "Asia/Nowhere"}, "unknown_tz", "Asia/Seoul"),
        ({"tz": None}, "unknown_tz", "Asia/Seoul"),
        ({"dials": 0}, "bad_dials", "dials"),
        ({"multiplier": "zero"}, "bad_multiplier", "decimal"),
        ({"plate_max": "inf"}, "bad_plate_max", "decimal"),
        ({"site": ""}, "bad_name", "site"),
        ({"site": "a/b"}, "bad_name", "'/'"),
        ({"installed": "2020-01-01T00:00:00"}, "naive_time", "+09:00"),
        ({"installed": datetime(2020, 1, 1)}, "naive_time", "offset"),  # noqa: DTZ001 the fault in question
        ({"installed": "2020-01-02", "removed": "2020-01-01"}, "empty_range", "before"),
        ({"replaces": "m0", "installed": "2020-01-01"}, "unknown_replaces", "m0"),
    ],
)
def test_a_row_with_a_fault_is_a_problem_by_name(row: dict[str, Any], code: str, word: str) -> None:
    found = problem(**row)
    assert found["code"] == code
    assert word in found["reason"]
    assert found["row"] == 1
    assert found["reason"].startswith(f"{row.get('site', 's1') or None}/m1: ")


def test_good_rows_are_kept_beside_bad_ones(book: Book) -> None:
    found = from_dataset(EMPTY, table({"meter": "good"}, {"meter": "bad", "unit": "?"}))
    assert found.problems["meter"].to_pylist() == ["bad"]
    assert found.problems["row"].to_pylist() == [2]
    assert Registry.from_records(believed(found.records)).channel_ids == {"s1/good": 1}


def test_a_table_without_a_column_or_without_rows_is_refused() -> None:
    with pytest.raises(BadInput, match=r"lacks unit, tz.*site, building"):
        from_dataset(EMPTY, table({}).drop_columns(["unit", "tz"]))
    with pytest.raises(BadInput, match="no rows"):
        from_dataset(EMPTY, table({}).slice(0, 0))


def test_events_may_leave_their_cadence_open(book: Book) -> None:
    registry = book.register({"value_kind": "event_sum", "cadence_min": None})
    assert registry.channels()["cadence_min"].to_pylist() == [15]


def test_places_come_from_the_columns(book: Book) -> None:
    registry = book.register(
        {"meter": "a", "premise": "101", "floor_area_m2": 59.9},
        {"meter": "b", "premise": None},
        {"meter": "c", "building": None, "premise": None},
        {"meter": "d", "site": "city", "building": "works", "premise": None},
        {"meter": "e", "site": "city", "building": "works", "premise": None, "role": "import"},
    )
    tree = {row["place"]: (row["parent"], row["level"], row["floor_area_m2"]) for row in registry.places().to_pylist()}
    assert tree == {
        "city": (None, "city", None),
        "city/works": ("city", "building", None),
        "s1": ("city", "complex", None),
        "s1/b1": ("s1", "building", None),
        "s1/b1/101": ("s1/b1", "premise", 59.9),
    }
    places = dict(zip(*(registry.placements()[name].to_pylist() for name in ("channel", "place")), strict=True))
    by_name = {name: places[number] for name, number in registry.channel_ids.items()}
    assert by_name["city/d"] == "city/works"
    assert by_name["city/e"] == "city", "what crosses the city's border is the city's own"
    assert by_name["s1/a"] == "s1/b1/101"
    assert by_name["s1/c"] == "s1"
    assert registry.descendants("s1") == {"s1", "s1/b1", "s1/b1/101"}


def test_a_dwelling_without_a_premise_column_is_the_premise(book: Book) -> None:
    assert book.register({"primary_use": "dwelling"}).places()["level"].to_pylist() == ["city", "complex", "premise"]
    registry = Book().register({"primary_use": "dwelling", "premise": None})
    assert registry.places()["level"].to_pylist() == ["city", "complex", "building"]


def test_unknown_names_come_with_near_ones(book: Book) -> None:
    registry = book.register({"meter": "b12-gas"})
    with pytest.raises(NotFound, match="Did you mean s1/b12-gas"):
        registry.channel_by_name("s1/b21-gas")
    with pytest.raises(NotFound, match="Did you mean s1/b12-gas"):
        registry.channel_by_name("b12-GAS")
    with pytest.raises(NotFound, match="no place 'nowhere'"):
        registry.descendants("nowhere")


def test_a_channel_tells_its_reading_type(book: Book) -> None:
    channel = book.register({"dials": 6}).channel_by_name("s1/m1")
    assert (channel.id, channel.quantity, channel.reading.dials, channel.reading.tz) == (1, "energy", 6, "Asia/Seoul")


def test_notes_are_kept_as_json_can_hold_them(book: Book) -> None:
    stated = {"rows": 7, "first": datetime(2020, 1, 1, tzinfo=UTC), "day": date(2020, 1, 2), "share": float("nan")}
    (meter,) = book.register({**stated, "note": "seen", "tags": ["a"]}).meters()
    assert meter.notes == {
        "s1/m1": {
            "rows": 7,
            "first": "2020-01-01 00:00:00.000000Z",
            "day": "2020-01-02",
            "note": "seen",
            "tags": "['a']",
        }
    }
    assert (meter.site, meter.meter, meter.building, meter.channels) == ("s1", "m1", "b1", ("s1/m1",))


def test_a_changed_attribute_is_a_correction_and_what_was_believed_stays(book: Book) -> None:
    book.register({"cadence_min": 15})
    before = book.batch
    registry = book.register({"cadence_min": 30})
    assert registry.channels()["cadence_min"].to_pylist() == [30]
    assert registry.placements()["cadence_min"].to_pylist() == [30]
    assert book.registry(known_at=before).channels()["cadence_min"].to_pylist() == [15]
    assert registry.channel_ids == {"s1/m1": 1}


def test_an_empty_cell_takes_nothing_away(book: Book) -> None:
    registry = book.register({"dials": 5, "multiplier": "10", "installed": "2020-01-01"})
    assert from_dataset(registry, table({})).records == []
    assert from_dataset(registry, table({"dials": None, "multiplier": None, "installed": None})).records == []


def test_installed_and_removed_bound_the_placement_and_can_be_corrected(book: Book, placed: Any) -> None:
    first, second, third = (to_us(datetime(2020, month, 1, tzinfo=UTC)) for month in (1, 2, 3))
    registry = book.register({"installed": "2020-01-01T00:00:00Z", "removed": "2020-03-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [("s1/b1", "consumption", 1, first, third)]
    registry = book.register({"installed": "2020-02-01T00:00:00Z", "removed": "2020-03-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [("s1/b1", "consumption", 1, second, third)]
    registry = book.register({"installed": "2020-01-01T00:00:00Z", "removed": "2020-02-01T00:00:00Z"})
    assert placed(registry, "s1/m1") == [("s1/b1", "consumption", 1, first, second)]


def test_a_row_may_say_which_meter_it_replaces(book: Book, placed: Any) -> None:
    at = to_us(datetime(2020, 2, 1, tzinfo=UTC))
    rows = [
        {"meter": "new", "replaces": "old", "installed": "2020-02-01T00:00:00Z"},
        {"meter": "old"},
        {"meter": "third", "replaces": "s1/new", "installed": "2020-03-01T00:00:00Z"},
    ]
    registry = book.register(*rows)
    later = to_us(datetime(2020, 3, 1, tzinfo=UTC))
    assert placed(registry, "s1/old") == [("s1/b1", "consumption", 1, ALWAYS, at)]
    assert placed(registry, "s1/new") == [("s1/b1", "consumption", 1, at, later)]
    assert placed(registry, "s1/third") == [("s1/b1", "consumption", 1, later, FOREVER)]
    assert set(registry.channels()["usage_point"].to_pylist()) == {"s1/old"}
    assert from_dataset(registry, table(*rows)).records == []
    rows[0]["installed"] = "2020-02-02T00:00:00Z"
    registry = book.register(*rows)
    moved = to_us(datetime(2020, 2, 2, tzinfo=UTC))
    assert placed(registry, "s1/old") == [("s1/b1", "consumption", 1, ALWAYS, moved)]
    assert placed(registry, "s1/new") == [("s1/b1", "consumption", 1, moved, later)]


def test_an_exchange_needs_a_moment_and_an_end() -> None:
    found = from_dataset(EMPTY, table({"meter": "a"}, {"meter": "b", "replaces": "a"}))
    assert found.problems["code"].to_pylist() == ["exchange_without_date"]
    circle = [{"meter": "a", "replaces": "b"}, {"meter": "b", "replaces": "a"}]
    circle += [{"meter": "c", "replaces": "b"}, {"meter": "d"}]
    found = from_dataset(EMPTY, table(*({**row, "installed": "2020-01-01"} for row in circle)))
    assert sorted(found.problems["meter"].to_pylist()) == ["a", "b", "c"]
    assert set(found.problems["code"].to_pylist()) == {"exchange_circle"}
    assert Registry.from_records(believed(found.records)).channel_ids == {"s1/d": 1}


def mapping(*rows: tuple[str, str, int]) -> pa.Table:
    sites, cities, days = zip(*rows, strict=True)
    return pa.table({"site": sites, "meter": ["m1"] * len(rows), "virtual_city": cities, "shift_days": days})


def test_a_map_places_meters_in_other_cities_and_times(book: Book) -> None:
    rows = ({}, {"site": "s2"}, {"site": "s3"})
    to = mapping(("s1", "V", 728), ("s2", "V", 0))
    registry = book.register(*rows, mapping=to)
    assert set(registry.channel_ids) == {"s1/m1", "s2/m1"}
    assert registry.descendants("V") == {"V", "s1", "s1/b1", "s2", "s2/b1"}
    assert [registry.shift_days(registry.channel_ids[name]) for name in ("s1/m1", "s2/m1")] == [728, 0]
    assert from_dataset(registry, table(*rows), mapping=to).records == []
    registry = book.register(*rows)
    assert registry.shift_days(1) == 728, "a table without the map takes no shift away"
    assert registry.tree.path("s1/b1") == ["s1/b1", "s1", "V", "city"]


@pytest.mark.parametrize(
    "rows", [(("s1", "V", 1), ("s1", "V", 2)), (("s1", "V", 1), ("s1", "W", 1)), (("", "V", 1),), (("s1", "s1", 1),)]
)
def test_a_map_that_contradicts_itself_is_refused(rows: Any) -> None:
    with pytest.raises(BadInput):
        from_dataset(EMPTY, table({}), mapping=mapping(*rows))


ROWS = [
    {"meter": "a", "floor_area_m2": 10.0},
    {"meter": "b", "floor_area_m2": 20.0, "primary_use": "dwelling"},
    {"meter": "c", "commodity": "solar", "role": "generation", "building": "b2"},
    {"meter": "c", "role": "net", "building": "b2"},
    {"meter": "d", "replaces": "a", "installed": "2020-01-01"},
    {"meter": "e", "site": "city", "building": None, "role": "import"},
    {"meter": "a", "floor_area_m2": 10.0},
]


@given(st.permutations(ROWS))
def test_the_order_of_rows_means_nothing(rows: list[dict[str, Any]]) -> None:
    shuffled = from_dataset(EMPTY, table(*rows))
    straight = from_dataset(EMPTY, table(*ROWS))
    assert content(Registry.from_records(believed(shuffled.records))) == content(
        Registry.from_records(believed(straight.records))
    )
    assert believed(shuffled.records) == believed(straight.records)


@given(st.lists(st.sampled_from(ROWS), min_size=1, unique_by=lambda row: row["meter"]))
def test_registering_twice_says_nothing_new(rows: list[dict[str, Any]]) -> None:
    found = from_dataset(EMPTY, table(*rows))
    registry = Registry.from_records(believed(found.records))
    assert from_dataset(registry, table(*rows)).records == []
    assert EMPTY.with_records(found.records).channels() == registry.channels()
    assert len(ROW) == 9


def test_an_id_is_never_given_again_even_when_its_channel_never_was(book: Book) -> None:
    book.register({"meter": "a", "installed": "2020-06-01"})
    registry = book.register({"meter": "a"}, {"meter": "b", "replaces": "a", "installed": "2020-05-01"})
    assert registry.channel_ids == {"s1/a": 1, "s1/b": 2}
    assert registry.placements()["channel"].to_pylist() == [2]


def test_a_removal_before_what_was_installed_is_a_problem(book: Book) -> None:
    registry = book.register({"installed": "2020-06-01"})
    found = from_dataset(registry, table({"removed": "2020-05-01"}))
    assert (found.records, found.problems["code"].to_pylist()) == ([], ["empty_range"])


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_what_replaces_a_row_with_a_fault_has_one_too(names: tuple[str, str]) -> None:
    first, second = names
    rows = [{"meter": first, "replaces": second}, {"meter": second, "replaces": "nobody"}]
    found = from_dataset(EMPTY, table(*({**row, "installed": "2020-01-01"} for row in rows)))
    assert found.records == []
    assert sorted(found.problems["meter"].to_pylist()) == ["a", "b"]
