"""CSV of the dataset layout: separators, decimal marks, encodings, line numbers; every row is taken or named."""

import csv
import json
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO, StringIO

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols import CODED_READINGS, read_map, read_meters, read_readings
from quintet.protocols.csv_rows import STRETCH
from quintet.terms.errors import BadInput
from quintet.terms.tables import QUARANTINE, READINGS

HEADER = "site,meter,ts_utc,value\n"
START = datetime(2018, 1, 1, tzinfo=UTC)
GOOD = "s,m,2018-01-01T00:00:00Z,1\n"


def decode(data: bytes | str, name: str = "readings.csv") -> tuple[pa.Table, pa.Table]:
    parts = list(read_readings(BytesIO(data.encode() if isinstance(data, str) else data), name))
    for good, bad in parts:
        assert good.schema == CODED_READINGS
        assert bad.schema == QUARANTINE
    return pa.concat_tables(good for good, _ in parts).cast(READINGS), pa.concat_tables(bad for _, bad in parts)


def test_a_plain_file_is_read_with_its_lines() -> None:
    good, bad = decode(HEADER + GOOD + "\ns,m2,2018-01-01 09:15:00+09:00,-2.5\n")
    assert bad.num_rows == 0
    assert [tuple(row.values()) for row in good.to_pylist()] == [
        ("s", "m", START, 1.0, None, None, 2),
        ("s", "m2", START + timedelta(minutes=15), -2.5, None, None, 4),
    ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp949"])
@pytest.mark.parametrize(("separator", "mark"), [(",", "."), (";", ","), (";", "."), ("\t", ",")])
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_encodings_separators_marks_and_line_ends(codec: str, separator: str, mark: str, ending: str) -> None:
    lines = [["meter", "note", "value", "site", "ts_utc", "unit", "commodity"]]
    lines += [["전기-1", "가, 나", f"3{mark}25", "나주", "2018-01-01T00:00:00Z", "kWh", "electricity"]]
    quoted = [[f'"{field}"' if separator in field else field for field in line] for line in lines]
    text = (ending or "\n").join(separator.join(line) for line in quoted) + ending
    good, bad = decode(text.encode(codec))
    assert bad.num_rows == 0
    assert [tuple(row.values()) for row in good.to_pylist()] == [
        ("나주", "전기-1", START, 3.25, "electricity", "kWh", 2)
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("s,m,2018-01-01T00:00:00,1", "naive_time"),
        ("s,m,2018-01-01,1", "naive_time"),
        ("s,m,1.1.2018 0:00,1", "bad_time"),
        ("s,m,,1", "no_time"),
        ("s,m,2018-01-01T00:00:00Z,", "no_value"),
        ("s,m,2018-01-01T00:00:00Z,about 5", "bad_value"),
        ('s,m,2018-01-01T00:00:00Z,"1,5"', "bad_value"),
        ("s,m,2018-01-01T00:00:00Z,NaN", "not_finite"),
        ("s,m,2018-01-01T00:00:00Z,-inf", "not_finite"),
        ("s,m,2018-01-01T00:00:00Z,1e308", "out_of_range"),
        ("s,m,2018-01-01T00:00:00Z,-1000000000000001", "out_of_range"),
        (",m,2018-01-01T00:00:00Z,1", "no_meter"),
        ("s, ,2018-01-01T00:00:00Z,1", "no_meter"),
        ("s,m,2018-01-01T00:00:00Z", "wrong_columns"),
        ("s,m,2018-01-01T00:00:00Z,1,2", "wrong_columns"),
        ('s,"m\nm",2018-01-01T00:00:00Z,1', "broken_quote"),
        ("s,m,when,how much", "bad_time"),
        (",,,", "no_meter"),
    ],
)
def test_a_bad_line_is_quarantined_by_name_and_its_neighbours_stay(line: str, code: str) -> None:
    good, bad = decode(HEADER + GOOD + line + "\n" + GOOD, "city/readings.csv")
    assert good["row"].to_pylist() == [2, 4 + line.count("\n")]
    row = bad.to_pylist()[0]
    assert (row["source"], row["row"], row["code"]) == ("city/readings.csv", 3, code)
    assert row["reason"].endswith(".")
    fields = next(csv.reader(StringIO(line, newline="")))
    kept = json.loads(row["original"])
    assert [kept[name] for name in ("site", "meter", "ts_utc", "value")] == [*fields, ""][:4]
    assert kept.get("rest", []) == fields[4:]


def test_a_quotation_mark_that_never_closes_loses_nothing_silently() -> None:
    good, bad = decode(HEADER + GOOD + 's,"m,2018-01-01T00:00:00Z,1\n' + GOOD * 3)
    assert good.num_rows == 1
    assert bad["code"].to_pylist() == ["wrong_columns"]
    assert bad["original"][0].as_py().count("2018-01-01") == 4


def test_a_quotation_mark_that_swallows_a_long_file_is_named_by_its_line() -> None:
    with pytest.raises(BadInput, match=r"readings.csv line 3: cannot be read from here on") as caught:
        decode(HEADER + GOOD + 's,"m,2018-01-01T00:00:00Z,1\n' + GOOD * 10_000)
    assert caught.value.code == "broken_csv"


@pytest.mark.parametrize("missing", ["site", "meter", "ts_utc", "value"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_missing_column_names_itself_and_what_is_there(missing: str, separator: str) -> None:
    others = [name for name in ("site", "meter", "ts_utc", "value") if name != missing]
    with pytest.raises(BadInput, match=f"no column {missing}; it has {', '.join(others)}") as caught:
        decode(separator.join(others) + "\n")
    assert (caught.value.code, caught.value.place) == ("missing_column", "readings.csv")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"site,meter,ts_utc,value,value\n", "double_column"),
        (b"s,m,2018-01-01T00:00:00Z,1\n", "missing_column"),
        (HEADER.encode() + b"s,m\xff\xff,2018-01-01T00:00:00Z,1\n", "bad_encoding"),
        (b"PK\x03\x04\x00\x00\x00", "bad_encoding"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused_with_a_remedy(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(data)
    assert (caught.value.code, caught.value.place) == (code, "readings.csv")
    assert caught.value.remedy


def test_a_file_with_a_header_only_has_no_readings() -> None:
    good, bad = decode(HEADER)
    assert (good.num_rows, bad.num_rows) == (0, 0)


def test_long_files_come_in_stretches_with_their_lines() -> None:
    count = STRETCH + 3
    lines = [GOOD] * count
    lines[STRETCH] = "s,m,never,1\n"
    good, bad = decode(HEADER + "".join(lines))
    assert good.num_rows == count - 1
    assert bad["row"].to_pylist() == [STRETCH + 2]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1),
            st.datetimes(timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))),
            st.floats(-1e15, 1e15),
        )
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_is_written_comes_back(rows: list[tuple[str, datetime, float]], separator: str, codec: str) -> None:
    sheet = StringIO(newline="")
    writer = csv.writer(sheet, delimiter=separator)
    writer.writerow(["site", "meter", "ts_utc", "value"])
    mark = "." if separator == "," else ","
    writer.writerows([name, name, at.isoformat(), repr(value).replace(".", mark)] for name, at, value in rows)
    good, bad = decode(sheet.getvalue().encode(codec))
    assert bad.num_rows == 0
    assert good["meter"].to_pylist() == [name for name, _, _ in rows]
    assert good["value"].to_pylist() == [value for _, _, value in rows]
    microsecond = timedelta(microseconds=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert good["at"].cast(pa.int64()).to_pylist() == [(at - epoch) // microsecond for _, at, _ in rows]
    assert good["row"].to_pylist() == list(range(2, len(rows) + 2))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.sampled_from([",", ";"]))
def test_any_text_below_a_header_is_taken_or_named_never_a_traceback(text: str, separator: str) -> None:
    good, bad = decode(HEADER.replace(",", separator) + text)
    records = [record for record in csv.reader(StringIO(text, newline=""), delimiter=separator) if record]
    assert good.num_rows + bad.num_rows == len(records)


METERS = "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role,floor_area_m2,note\n"


def test_the_list_of_meters_is_text_but_for_its_floor_area() -> None:
    data = METERS + "s,b,m,gas,m3,register_cumulative,60,UTC,consumption,84.5,x\ns,b,n,gas,m3,interval_sum,,UTC,net,,\n"
    table = read_meters(BytesIO(data.encode()), "meters.csv")
    assert table["cadence_min"].to_pylist() == ["60", ""]
    assert table["floor_area_m2"].to_pylist() == [84.5, None]
    assert table["note"].to_pylist() == ["x", ""]


def test_a_decimal_comma_in_the_list_of_meters() -> None:
    data = METERS.replace(",", ";") + "s;b;m;gas;m3;interval_sum;60;UTC;consumption;84,5;x\n"
    assert read_meters(BytesIO(data.encode()), "meters.csv")["floor_area_m2"].to_pylist() == [84.5]


@pytest.mark.parametrize(
    ("line", "code"),
    [("s,b,m,gas,m3,interval_sum,60,UTC,net,wide,\n", "bad_value"), ("s,b,m,gas\n", "wrong_columns")],
)
def test_a_broken_line_in_the_list_of_meters_is_named(line: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_meters(BytesIO((METERS + line).encode()), "meters.csv")
    assert (caught.value.code, caught.value.place) == (code, "meters.csv line 2")


def test_a_map_shifts_by_whole_days() -> None:
    data = b"site,meter,virtual_city,shift_days\ns,m,V,-728\n"
    assert read_map(BytesIO(data), "map.csv")["shift_days"].to_pylist() == [-728]
    with pytest.raises(BadInput, match=r"map.csv line 2: shift_days '1.5' is no whole number"):
        read_map(BytesIO(data.replace(b"-728", b"1.5")), "map.csv")
    with pytest.raises(BadInput, match="no column shift_days"):
        read_map(BytesIO(b"site,meter,virtual_city\n"), "map.csv")
