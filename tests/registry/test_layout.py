"""Reading tables as they come: typed, all text, dictionary-encoded, with other columns."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from quintet.registry import Registry, from_dataset
from quintet.registry.layout import Stated, mapped_meters, meter_rows, original
from quintet.store.records import believed
from quintet.terms.errors import BadInput

from .conftest import table

EMPTY = Registry.from_records([])
TYPED: dict[str, Any] = {"cadence_min": 15, "dials": 5, "plate_max": Decimal("2.50"), "multiplier": 10}
TEXT = {key: str(value) for key, value in TYPED.items()}


def registered(meters: pa.Table) -> Any:
    found = from_dataset(EMPTY, meters)
    assert found.problems.to_pylist() == []
    return Registry.from_records(believed(found.records)).channels().to_pylist()


def test_text_means_what_numbers_mean() -> None:
    assert registered(table(TYPED)) == registered(table(TEXT))
    assert registered(table(TEXT))[0]["plate_max"] == "2.50"


def test_floats_with_holes_are_whole_numbers_all_the_same() -> None:
    meters = table({"meter": "a", "dials": 5.0}, {"meter": "b", "dials": float("nan")}, {"meter": "c", "dials": None})
    assert [row["dials"] for row in registered(meters)] == [5, None, None]


def test_columns_that_parquet_packs_are_read() -> None:
    plain = table({"meter": "a"}, {"meter": "b"})
    packed = pa.table(
        {name: plain[name].cast(pa.string()).combine_chunks().dictionary_encode() for name in plain.column_names}
    )
    assert registered(packed) == registered(plain)


@pytest.mark.parametrize(
    "installed",
    [
        datetime(2019, 12, 31, 15, tzinfo=UTC),
        pa.scalar(1577804400, pa.timestamp("s", "Asia/Seoul")),
        "2020-01-01T00:00:00+09:00",
        "2019-12-31T15:00:00Z",
    ],
)
def test_a_moment_may_be_written_in_several_ways(installed: Any) -> None:
    meters = table({}).append_column("installed", pa.array([installed]))
    assert registered(meters)[0]["installed"] == datetime(2019, 12, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize("installed", [date(2020, 1, 1), "2020-01-01"])
def test_a_date_is_the_citys_local_day(installed: Any) -> None:
    city = {"city": {"name_en": "x", "name_ko": "x", "timezone": "Asia/Seoul"}}
    meters = table({}).append_column("installed", pa.array([installed]))
    found = from_dataset(EMPTY, meters, settings=city)
    (row,) = Registry.from_records(believed(found.records)).channels().to_pylist()
    assert row["installed"] == datetime(2019, 12, 31, 15, tzinfo=UTC)


def test_empty_text_says_nothing() -> None:
    (row,) = meter_rows(table({"building": "", "replaces": "", "dials": "", "note": ""}))
    assert (row.building, row.replaces, row.stated.dials, row.notes) == (None, None, None, {})


def test_rows_that_count_alike_share_what_they_say() -> None:
    first, second = meter_rows(table({"meter": "a"}, {"meter": "b"}))
    assert isinstance(first.stated, Stated)
    assert first.stated is second.stated


def test_notes_hold_nothing_that_json_cannot() -> None:
    (row,) = meter_rows(table({"a": float("inf"), "b": True, "c": b"x", "d": {"deep": 1}, "e": 1.5, "f": None}))
    assert row.notes == {"b": True, "c": "b'x'", "d": "{'deep': 1}", "e": 1.5}


def test_a_problem_shows_the_row_as_it_came() -> None:
    (row,) = meter_rows(table({"note": "seen", "dials": 5}))
    shown = original(row)
    assert (shown["site"], shown["cadence_min"], shown["note"], shown["dials"]) == ("s1", 15, "seen", 5)
    assert "premise" not in shown


def test_a_map_is_read_by_site_and_meter() -> None:
    columns = {"site": ["s1", "s1"], "meter": ["a", "a"], "virtual_city": ["V", "V"], "shift_days": [7, 7]}
    assert mapped_meters(pa.table(columns)) == {("s1", "a"): ("V", 7)}
    with pytest.raises(BadInput, match="lacks shift_days"):
        mapped_meters(pa.table(columns).drop_columns(["shift_days"]))
    with pytest.raises(BadInput, match="whole number"):
        mapped_meters(pa.table({**columns, "shift_days": [7.5, 7.5]}))
