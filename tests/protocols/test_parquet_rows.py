"""Parquet of the dataset layout: good rows whole, bad rows by name, a damaged or naive file refused."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols import CODED_READINGS, read_meters, read_readings
from quintet.protocols.parquet_rows import STRETCH
from quintet.terms.errors import BadInput
from quintet.terms.tables import QUARANTINE, READINGS

START = datetime(2018, 1, 1, tzinfo=UTC)
UTC_US = pa.timestamp("us", tz="UTC")


def written(table: pa.Table, **options: Any) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def readings(**columns: Any) -> pa.Table:
    count = max((len(column) for column in columns.values()), default=3)
    plain = {
        "site": ["s"] * count,
        "meter": [f"m{row % 2}" for row in range(count)],
        "ts_utc": pa.array([START + timedelta(hours=row) for row in range(count)], UTC_US),
        "value": [float(row) for row in range(count)],
    }
    return pa.table({**plain, **columns})


def decode(data: bytes, name: str = "readings.parquet") -> tuple[pa.Table, pa.Table]:
    parts = list(read_readings(BytesIO(data), name))
    for good, bad in parts:
        assert good.schema == CODED_READINGS
        assert bad.schema == QUARANTINE
    return pa.concat_tables(good for good, _ in parts), pa.concat_tables(bad for _, bad in parts)


def test_good_rows_come_through_as_they_are() -> None:
    table = readings(commodity=["gas", "gas", None], unit=["m3", "m3", ""], building=["b"] * 3)
    good, bad = decode(written(table))
    assert bad.num_rows == 0
    one, two = START + timedelta(hours=1), START + timedelta(hours=2)
    assert [tuple(row.values()) for row in good.cast(READINGS).to_pylist()] == [
        ("s", "m0", START, 0.0, "gas", "m3", 1),
        ("s", "m1", one, 1.0, "gas", "m3", 2),
        ("s", "m0", two, 2.0, None, None, 3),
    ]


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("value", pa.array([None], pa.float64()), "no_value"),
        ("value", pa.array([float("nan")]), "not_finite"),
        ("value", pa.array([float("-inf")]), "not_finite"),
        ("value", pa.array([1e308]), "out_of_range"),
        ("value", pa.array([-1.1e15]), "out_of_range"),
        ("value", pa.array(["twelve"]), "bad_value"),
        ("ts_utc", pa.array([None], UTC_US), "no_time"),
        ("ts_utc", pa.array(["2018-01-01T00:00:00"]), "naive_time"),
        ("ts_utc", pa.array(["then"]), "bad_time"),
        ("ts_utc", pa.array([2**61], pa.timestamp("ms", tz="UTC")), "bad_time"),
        ("ts_utc", pa.array([-(2**62)], UTC_US), "bad_time"),
        ("site", pa.array([None], pa.string()), "no_meter"),
        ("meter", pa.array([" "]), "no_meter"),
    ],
)
def test_a_bad_row_is_quarantined_by_name_and_its_neighbours_stay(column: str, values: pa.Array, code: str) -> None:
    sound = {"value": pa.array([1.0]), "ts_utc": pa.array([START], UTC_US)}.get(column, pa.array(["s"]))
    if pa.types.is_string(values.type):
        sound = pa.array([sound[0].as_py().isoformat() if column == "ts_utc" else str(sound[0])])
    both = readings(**{column: pa.concat_arrays([sound.cast(values.type), values, sound.cast(values.type)])})
    good, bad = decode(written(both), "city/readings.parquet")
    assert good["row"].to_pylist() == [1, 3]
    row = bad.to_pylist()[0]
    assert (row["source"], row["row"], row["code"]) == ("city/readings.parquet", 2, code)
    assert row["reason"].endswith(".")
    assert json.loads(row["original"]).keys() == {"site", "meter", "ts_utc", "value"}


def test_the_original_of_a_bad_row_is_compact_json() -> None:
    table = readings(value=[1.0, float("nan"), 2.0], building=["b", "동", "b"])
    _, bad = decode(written(table))
    assert bad["original"].to_pylist() == [
        '{"site":"s","meter":"m1","ts_utc":"2018-01-01T01:00:00.000000Z","value":"nan","building":"동"}'
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", " c ", "", None]),
            st.none() | st.integers(-(10**15), 10**15),
            st.none() | st.floats() | st.floats(-1e15, 1e15),
        ),
        min_size=1,
    )
)
def test_every_row_is_either_taken_or_named(rows: list[tuple[str | None, int | None, float | None]]) -> None:
    site, at, value = (list(column) for column in zip(*rows, strict=True))
    table = pa.table(
        {
            "site": pa.array(site, pa.string()),
            "meter": ["m"] * len(rows),
            "ts_utc": pa.array(at, pa.int64()).cast(UTC_US),
            "value": pa.array(value, pa.float64()),
        }
    )
    good, bad = decode(written(table))
    assert sorted(good["row"].to_pylist() + bad["row"].to_pylist()) == list(range(1, len(rows) + 1))
    for row, number in zip(good.cast(READINGS).to_pylist(), good["row"].to_pylist(), strict=True):
        named, moment, amount = rows[number - 1]
        assert (row["site"], row["value"]) == ((named or "").strip(), amount)
        assert (row["at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == moment
        assert abs(row["value"]) <= 1e15
    for number in bad["row"].to_pylist():
        named, moment, amount = rows[number - 1]
        assert not (named or "").strip() or moment is None or amount is None or not abs(amount) <= 1e15


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (pa.float32(), 0.1, 0.1),
        (pa.int16(), 7, 7.0),
        (pa.decimal128(20, 3), Decimal("1234.567"), 1234.567),
        (pa.dictionary(pa.int8(), pa.string()), "5.5", 5.5),
        (pa.int64(), 2**60, None),
    ],
)
def test_numbers_of_other_types_mean_what_they_say(kind: pa.DataType, value: object, read: float | None) -> None:
    column = pa.array([value], pa.string() if isinstance(value, str) else kind).cast(kind)
    good, bad = decode(written(readings(value=column)))
    assert good["value"].to_pylist() == ([] if read is None else [read])
    assert bad["code"].to_pylist() == (["out_of_range"] if read is None else [])


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s", tz="UTC"), pa.timestamp("ns", tz="Asia/Seoul"), pa.timestamp("ms", tz="+09:00")]
)
def test_stamps_of_any_unit_and_zone_are_the_same_moment(kind: pa.DataType) -> None:
    good, _ = decode(written(readings(ts_utc=pa.array([START], UTC_US).cast(kind)), store_schema=True))
    assert good["at"].to_pylist() == [START]


def test_digits_below_a_microsecond_are_cut_downwards() -> None:
    stamps = pa.array([-1, 1_999], pa.int64()).cast(pa.timestamp("ns", tz="UTC"))
    good, _ = decode(written(readings(ts_utc=stamps)))
    assert good["at"].cast(pa.int64()).to_pylist() == [-1, 1]


@pytest.mark.parametrize("column", ["site", "meter", "ts_utc", "value"])
def test_a_missing_column_names_itself_and_what_is_there(column: str) -> None:
    with pytest.raises(BadInput, match=f"no column {column}; it has ") as caught:
        decode(written(readings().drop_columns([column])), "far/readings.parquet")
    assert (caught.value.code, caught.value.place) == ("missing_column", "far/readings.parquet")


def test_a_stamp_column_without_a_zone_refuses_the_file() -> None:
    with pytest.raises(BadInput, match="ts_utc has no time zone") as caught:
        decode(written(readings(ts_utc=pa.array([START.replace(tzinfo=None)], pa.timestamp("us")))))
    assert caught.value.code == "naive_time"
    assert "+09:00" in caught.value.remedy


@pytest.mark.parametrize(
    ("column", "values"),
    [("ts_utc", pa.array([1])), ("value", pa.array([True])), ("site", pa.array([1.5])), ("unit", pa.array([[1]]))],
)
def test_a_column_of_a_senseless_type_refuses_the_file(column: str, values: pa.Array) -> None:
    with pytest.raises(BadInput, match=f"{column} is ") as caught:
        decode(written(readings(**{column: values})))
    assert caught.value.code == "wrong_type"


def test_meter_numbers_are_names() -> None:
    good, _ = decode(written(readings(meter=pa.array([4711]))))
    assert good["meter"].to_pylist() == ["4711"]


def test_a_file_cut_short_anywhere_is_called_damaged() -> None:
    whole = written(readings(value=list(np.arange(5000.0))))
    for length in (3, 4, 100, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        with pytest.raises(BadInput, match="is damaged or") as caught:
            decode(whole[:length])
        assert caught.value.code == "damaged_file"
        assert caught.value.place == "readings.parquet"


def test_pages_overwritten_inside_a_file_are_called_damaged() -> None:
    whole = written(readings(value=list(np.arange(5000.0))), use_dictionary=False, compression="zstd")
    with pytest.raises(BadInput, match="is damaged or truncated"):
        decode(whole[:200] + bytes(400) + whole[600:])


@pytest.mark.parametrize("column", ["site", "building", "value"])
def test_words_that_are_no_text_are_called_damaged(column: str) -> None:
    latin = pa.array([b"Z\xfcrich", b"1"]).view(pa.string())
    columns = {"meter": ["a", " "], column: latin}
    with pytest.raises(BadInput, match="is damaged or truncated"):
        decode(written(readings(**columns)))


@pytest.mark.parametrize("data", [b"", b"site,meter,ts_utc,value\n"])
def test_an_empty_file_and_another_format_under_this_name_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode(data)
    assert caught.value.code == ("damaged_file" if data else "empty_file")


def test_long_files_come_in_bounded_stretches_with_their_row_numbers() -> None:
    count = 2 * STRETCH + 5
    values = np.zeros(count)
    values[[0, STRETCH, count - 1]] = np.nan
    table = pa.table(
        {
            "site": pa.array(np.zeros(count, np.int8)).cast(pa.string()).dictionary_encode(),
            "meter": pa.array(np.arange(count) % 7).cast(pa.string()).dictionary_encode(),
            "ts_utc": pa.array(np.arange(count)).cast(UTC_US),
            "value": values,
        }
    )
    parts = list(read_readings(BytesIO(written(table, row_group_size=count)), "r"))
    assert all(good.num_rows + bad.num_rows <= STRETCH for good, bad in parts)
    assert [row for _, bad in parts for row in bad["row"].to_pylist()] == [1, STRETCH + 1, count]
    assert sum(good.num_rows for good, _ in parts) == count - 3


def test_the_list_of_meters_keeps_every_column_as_plain_words() -> None:
    need = ("site", "building", "meter", "commodity", "unit", "value_kind", "tz", "role")
    table = pa.table(
        {**{name: pa.array(["x"]).dictionary_encode() for name in need}, "cadence_min": [15], "note": ["n"]}
    )
    read = read_meters(BytesIO(written(table)), "meters.parquet")
    assert read.column_names == table.column_names
    assert read.schema.field("site").type == pa.string()
    with pytest.raises(BadInput, match="no column cadence_min"):
        read_meters(BytesIO(written(table.drop_columns(["cadence_min"]))), "meters.parquet")


def test_the_measured_city_is_taken_but_for_its_counted_faults(shared: Path) -> None:
    taken, codes = 0, []
    with (shared / "data" / "city" / "readings.parquet").open("rb") as file:
        for good, bad in read_readings(file, "readings.parquet"):
            taken += good.num_rows
            codes += bad["code"].to_pylist()
    assert (codes.count("no_time"), codes.count("no_value")) == (16, 82)
    assert taken == 6_781_185 - len(codes)
