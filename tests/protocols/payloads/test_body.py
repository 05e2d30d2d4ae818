"""HTTP bodies: the shapes in every format, each bad row by name with its original, and nothing changed on the way."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols import CODED_READINGS
from quintet.protocols.payloads import Limits, Payload, decode_body, joined, shipped_limits
from quintet.protocols.payloads.json_rows import BLOCK, block_rows, quick_rows
from quintet.protocols.payloads.rows import Rows, number_of
from quintet.terms.errors import BadInput
from quintet.terms.tables import QUARANTINE

JSON, LINES, MSGPACK = "application/json", "application/x-ndjson", "application/msgpack"
AT = "2026-01-01T00:00:00Z"
START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = 1_767_225_600_000_000
ROW = {"site": "s", "meter": "m", "ts_utc": AT, "value": 1.25}
TWO = {"site": "s", "meter": ["a", "b"], "ts_utc": [AT, AT]}
FEW = Limits(unpacked_bytes=4096, rows=3, values=40, row_bytes=200)


def decode(value: Any, media: str = JSON, **more: Any) -> Payload:
    """Write a value in a format and decode it."""
    if isinstance(value, bytes):
        data = value
    elif media == MSGPACK:
        data = msgspec.msgpack.encode(value)
    elif media == LINES:
        data = "\n".join(json.dumps(row) for row in value["readings"]).encode()
    else:
        data = json.dumps(value).encode()
    found = decode_body(data, media, **more)
    assert found.readings.select(CODED_READINGS.names).schema == CODED_READINGS
    assert found.refused.schema == QUARANTINE
    assert found.rows == found.readings.num_rows + found.refused.num_rows
    return found


def said(payload: Payload) -> list[tuple[Any, ...]]:
    """Give the good rows, without the columns that none of them fills."""
    return [
        (row["site"], row["meter"], row["at"], row["value"], row["commodity"], row["unit"], row["row"])
        for row in payload.readings.to_pylist()
    ]


def codes(payload: Payload) -> list[tuple[int, str]]:
    """Give the bad rows' numbers and codes."""
    return list(zip(payload.refused["row"].to_pylist(), payload.refused["code"].to_pylist(), strict=True))


@pytest.mark.parametrize("media", [JSON, MSGPACK, LINES])
def test_rows_in_every_format(media: str) -> None:
    rows = [
        ROW,
        {"site": "s", "meter": "n", "ts_us": START_US + 1, "value": "-2.50", "unit": "kWh", "commodity": "gas"},
    ]
    found = decode({"readings": rows}, media)
    assert said(found) == [
        ("s", "m", START, 1.25, None, None, 1),
        ("s", "n", START + timedelta(microseconds=1), -2.5, "gas", "kWh", 2),
    ]
    assert found.readings.column_names == CODED_READINGS.names
    assert ("value", "text") in found.shapes
    assert ("ts_us", "number") in found.shapes


@pytest.mark.parametrize("media", [JSON, MSGPACK])
@pytest.mark.parametrize("word", ["s", ["s", "s"]])
def test_columns_with_one_word_for_all_or_one_each(media: str, word: object) -> None:
    columns = {"site": word, "meter": ["m", "n"], "ts_utc": [AT, AT], "value": [1.25, 2], "sent_at": AT, "x": [1, "a"]}
    found = decode({"columns": columns}, media)
    assert said(found) == [("s", "m", START, 1.25, None, None, 1), ("s", "n", START, 2.0, None, None, 2)]
    assert found.readings["sent_at"].to_pylist() == [START, START]
    assert {("x", "number"), ("x", "text")} <= found.shapes


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_values_by_meter_share_their_moments(media: str) -> None:
    later = START + timedelta(hours=1)
    body = {"meters": {"a": [1, 2], "b": [3, None]}, "site": "s", "ts_us": [START_US, START_US + 3_600_000_000]}
    found = decode(body, media)
    assert [(row[1], row[2], row[3]) for row in said(found)] == [
        ("a", START, 1.0),
        ("a", later, 2.0),
        ("b", START, 3.0),
    ]
    assert codes(found) == [(4, "no_value")]
    assert json.loads(found.refused["original"][0].as_py())["meter"] == "b"
    one = decode({"meters": {"a": 1, "b": "2.5"}, "site": "s", "ts_utc": AT}, media)
    assert [(row[1], row[2], row[3]) for row in said(one)] == [("a", START, 1.0), ("b", START, 2.5)]


@pytest.mark.parametrize("media", [JSON, MSGPACK, LINES])
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"value": None}, "no_value"),
        ({"value": "about 5"}, "bad_value"),
        ({"value": True}, "bad_value"),
        ({"value": [1]}, "bad_value"),
        ({"value": "NaN"}, "not_finite"),
        ({"value": 1e15 * 1.01}, "out_of_range"),
        ({"value": "12345678901234.567"}, "too_precise"),
        ({"value": "1e-400"}, "too_precise"),
        ({"ts_utc": None}, "no_time"),
        ({"ts_utc": "2026-01-01T00:00:00"}, "naive_time"),
        ({"ts_utc": "yesterday"}, "bad_time"),
        ({"ts_utc": 5}, "bad_time"),
        ({"ts_utc": None, "ts_us": 1 << 61}, "bad_time"),
        ({"ts_utc": None, "ts_us": 1.5}, "bad_time"),
        ({"ts_us": START_US}, "two_times"),
        ({"sent_at": "now"}, "bad_clock"),
        ({"sent_at": "2026-01-01T00:00:00"}, "bad_clock"),
        ({"meter": ""}, "no_meter"),
        ({"site": None}, "no_meter"),
        ({"meter": {"id": 1}}, "bad_word"),
        ({"unit": ["kWh"]}, "bad_word"),
    ],
)
def test_a_bad_row_is_named_and_its_neighbours_stay(media: str, bad: dict[str, object], code: str) -> None:
    row = {**ROW, **bad, "note": "kept"}
    found = decode({"readings": [ROW, row, ROW]}, media)
    assert codes(found) == [(2, code)]
    assert found.readings["row"].to_pylist() == [1, 3]
    assert json.loads(found.refused["original"][0].as_py()) == row
    assert found.refused["reason"][0].as_py()


def test_json_columns_keep_good_rows_and_the_words_of_bad_ones() -> None:
    columns = {"site": "s", "meter": ["a", 7, "c"], "ts_utc": [AT, AT, "x"], "value": [True, "2.50", 3]}
    found = decode({"columns": columns})
    assert said(found) == [("s", "7", START, 2.5, None, None, 2)]
    assert codes(found) == [(1, "bad_value"), (3, "bad_time")]
    assert json.loads(found.refused["original"][1].as_py()) == {"site": "s", "meter": "c", "ts_utc": "x", "value": 3}


@pytest.mark.parametrize("text", ["0.30000000000000001", "9007199254740993", "1.00000000000000000001", "4.9e-324"])
def test_a_number_that_would_change_silently_is_never_taken(text: str) -> None:
    for written in (text, f'"{text}"'):
        body = f'[{{"site":"s","meter":"m","ts_utc":"{AT}","value":{written}}}]'.encode()
        found = decode(body)
        assert found.readings.num_rows == 0, text
        assert text in found.refused["original"][0].as_py()
    columns = f'{{"columns":{{"site":"s","meter":["m"],"ts_utc":["{AT}"],"value":[{text}]}}}}'.encode()
    assert decode(columns).readings.num_rows == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_decimal_is_kept_as_written_or_refused(number: Any) -> None:
    value, fault = number_of(str(number))
    assert value is not None
    exact = number == type(number)(repr(value))
    assert bool(fault) is not exact


@pytest.mark.parametrize("text", ["1_000", "0x10", "1,5", "٣", "1 000", "--1", "1e", "true", "9" * 500])
def test_what_is_no_decimal_is_no_value(text: str) -> None:
    assert number_of(text)[0] is None
    assert number_of(text)[1]


ROWS = st.lists(
    st.fixed_dictionaries(
        {"site": st.sampled_from(["s", "", None, 5]), "value": st.sampled_from([1, 2.5, "3", None, True, "x", 1e300])},
        optional={
            "meter": st.sampled_from(["m", " m ", [1]]),
            "ts_utc": st.sampled_from([AT, None, "x", 3]),
            "ts_us": st.sampled_from([START_US, "1", 2.0]),
            "sent_at": st.sampled_from([AT, "x"]),
            "extra": st.sampled_from([1, None, {}]),
        },
    ),
    max_size=5,
)


@given(ROWS)
def test_reading_all_at_once_and_one_by_one_give_the_same(rows: list[dict[str, object]]) -> None:
    raw = msgspec.json.encode(rows)
    quick, careful = Rows(), Rows()
    shapes = quick_rows(raw, quick, None)
    one_by_one = block_rows([msgspec.json.encode(row) for row in rows], careful, shipped_limits(), None)
    if shapes is not None:
        assert shapes == one_by_one
        for name in Rows.__slots__:
            assert [cell or None for cell in getattr(quick, name)] == [cell or None for cell in getattr(careful, name)]


def test_bad_rows_among_many_keep_their_numbers() -> None:
    rows: list[object] = [{**ROW, "value": number} for number in range(3 * BLOCK)]
    rows[BLOCK + 5] = 7
    rows[-1] = {**ROW, "value": "12345678901234567"}
    found = decode({"readings": rows})
    assert codes(found) == [(BLOCK + 6, "not_a_row"), (3 * BLOCK, "out_of_range")]
    assert found.readings["value"].to_pylist() == [float(row - 1) for row in found.readings["row"].to_pylist()]


def test_lines_may_be_blank_and_broken() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(ROW).encode() + b"\r\n\n{nope}\n  \n" + json.dumps(ROW).encode()
    found = decode(body, LINES)
    assert codes(found) == [(2, "not_a_row")]
    assert found.refused["original"][0].as_py() == "{nope}"
    assert found.readings["row"].to_pylist() == [1, 3]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
@pytest.mark.parametrize("between", [b"\n", b"\n\n\r\n"])
def test_as_many_lines_are_read_as_rows_are_allowed_and_blank_ones_are_none(between: bytes, end: bytes) -> None:
    line = json.dumps(ROW).encode()
    assert decode(between.join([line] * FEW.rows) + end, LINES, limits=FEW).readings.num_rows == FEW.rows
    for last in (line, b"5", b"{nope"):
        with pytest.raises(BadInput) as caught:
            decode(between.join([*[line] * FEW.rows, last]) + end, LINES, limits=FEW)
        assert caught.value.code == "too_large"


def test_blank_lines_cost_nothing() -> None:
    body = b"\n" * (1 << 20) + json.dumps(ROW).encode()
    tracemalloc.start()
    assert decode_body(body, LINES, limits=Limits(1 << 22, 10, 100, 4096)).rows == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


@pytest.mark.parametrize(
    "body",
    [
        {"columns": {**TWO, "value": [1, None]}},
        {"columns": {**TWO, "unit": "kWh", "ts_us": [1, None], "ts_utc": None}},
        {"columns": {**TWO, "value": []}},
        {"columns": {**TWO, "value": ["1", 2]}},
        {"columns": {"site": "s", "meter": "m", "ts_us": 5}},
        {"meters": {"a": 1, "b": 2}, "site": "s", "ts_us": START_US},
        {"meters": {"a": [1], "b": None}, "site": "s", "ts_utc": "2026-01-01T00:00:00Z"},
        {"meters": {"a": [1, 2], "b": [3, 4]}, "site": ["s", "t"], "ts_us": [START_US, 1 << 62], "sent_at": "nope"},
        {"meters": {"a": [1, 2], "b": [3]}, "site": "s", "ts_us": [START_US, START_US]},
        {"meters": {}, "site": "s", "ts_us": [START_US]},
        {"meters": {"a": [[1]], "b": {}}, "site": "s", "ts_us": START_US},
    ],
)
@pytest.mark.parametrize("site", [None, "s"])
def test_a_body_read_in_one_go_says_what_it_says_column_by_column(body: object, site: str | None) -> None:
    """MessagePack has no such short way."""
    found: list[object] = []
    for media, packed in ((JSON, json.dumps(body).encode()), (MSGPACK, msgspec.msgpack.encode(body))):
        try:
            payload = decode_body(packed, media, site=site)
        except BadInput as error:
            found.append(error.code)
        else:
            rows = (payload.readings.to_pylist(), payload.refused.drop_columns(["original"]).to_pylist())
            found.append((rows, payload.shapes, payload.rows))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("body", "media", "code", "place"),
    [
        (b"", JSON, "bad_body", "body byte 0"),
        (b"{}", JSON, "bad_body", "body"),
        (b"[1,", JSON, "bad_body", "body byte 3"),
        (b'{"readings":[{"value":NaN}]}', JSON, "bad_body", "body byte 22"),
        (b'{"readings":{}}', JSON, "bad_body", "body"),
        (b'"text"', JSON, "bad_body", "body"),
        (b"nope\nnope", LINES, "bad_body", "body"),
        (b"\xc1", MSGPACK, "bad_body", "body"),
        (b"\xdd\xff\xff\xff\xff", MSGPACK, "too_large", "body"),
        (b"\x81\xa8readings\xdd\xff\xff\xff\xff", MSGPACK, "bad_body", "body byte 15"),
        (b'{"columns":{"site":"s","value":[1],"meter":["a","b"]}}', JSON, "column_lengths", "body"),
        (b'{"columns":{"site":"s"}}', JSON, "no_columns", "body"),
        (b'{"meters":{"a":[1,2]},"ts_utc":["2026-01-01T00:00:00Z"]}', JSON, "column_lengths", "body"),
        (b"[]", "text/csv", "unknown_media_type", "body"),
    ],
)
def test_what_is_no_such_thing_at_all_is_refused_with_its_place(body: bytes, media: str, code: str, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode_body(body, media)
    assert (caught.value.code, caught.value.place) == (code, place)
    assert caught.value.remedy


@pytest.mark.parametrize("media", [JSON, MSGPACK, LINES])
def test_more_rows_than_allowed_are_refused(media: str) -> None:
    assert decode({"readings": [ROW] * 3}, media, limits=FEW).rows == 3
    with pytest.raises(BadInput, match="more than 3 readings"):
        decode({"readings": [ROW] * 5}, media, limits=FEW)


def test_more_columns_values_and_longer_rows_than_allowed() -> None:
    for body in ({"columns": {"value": [1] * 4}}, {"meters": {str(n): 1 for n in range(4)}}, [0] * 50):
        with pytest.raises(BadInput) as caught:
            decode(body, limits=FEW)
        assert caught.value.code == "too_large"
    long = {**ROW, "meter": 5, "note": "x" * 300}
    assert codes(decode([ROW, long], limits=FEW)) == [(2, "not_a_row")]


def test_a_sender_of_one_site_names_no_other() -> None:
    found = decode([{**ROW, "site": "other"}, {key: ROW[key] for key in ROW if key != "site"}, ROW], site="s")
    assert codes(found) == [(1, "other_site")]
    assert found.readings["site"].to_pylist() == ["s", "s"]
    columns = {"columns": {"site": ["s", "o"], "meter": ["m", "m"], "ts_utc": [AT, AT], "value": [1, 2]}}
    assert codes(decode(columns, site="s")) == [(2, "other_site")]


def test_a_media_type_may_have_parameters_and_an_empty_list_is_a_payload() -> None:
    assert decode_body(b"[]", "Application/JSON; charset=utf-8").rows == 0


def test_payloads_are_joined_whether_they_state_a_clock_or_not() -> None:
    both = joined([decode([ROW]), decode([{**ROW, "sent_at": AT}, {}])])
    assert both.rows == 3
    assert both.readings["sent_at"].to_pylist() == [None, START]
    assert joined([]).rows == 0
    assert pa.types.is_dictionary(both.readings.schema.field("meter").type)


ROW_OF_OUTER = {"site": "s", "meter": "m", "ts_us": 1, "value": 1}
OUTER_BODIES = {
    "readings": ({"readings": [ROW_OF_OUTER]}, {"note": 1, "site": "x", "columns": {}}),
    "columns": ({"columns": {name: [word] for name, word in ROW_OF_OUTER.items()}}, {"note": 1, "unit": "kWh"}),
    "meters": ({"meters": {"m": [1]}, "site": "s", "ts_us": [1]}, {"note": 1, "sent": "2026"}),
}


@pytest.mark.parametrize("way", OUTER_BODIES)
@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_a_field_beside_the_readings_that_nobody_reads_is_seen(way: str, media: str) -> None:
    body, more = OUTER_BODIES[way]
    write = msgspec.json.encode if media == JSON else msgspec.msgpack.encode
    plain, wider = decode_body(write(body), media), decode_body(write({**more, **body}), media)
    assert wider.readings.equals(plain.readings)
    kinds = {int: "number", str: "text", dict: "object"}
    assert wider.shapes - plain.shapes == {(f"body.{name}", kinds[type(word)]) for name, word in more.items()}


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_fields_made_up_by_the_thousand_stay_few(media: str) -> None:
    write = msgspec.json.encode if media == JSON else msgspec.msgpack.encode
    many = {f"n{number}": number for number in range(50_000)}
    found = decode_body(write({"readings": [ROW_OF_OUTER], **many}), media)
    assert found.readings.num_rows == 1
    unread = {name for name, _ in found.shapes if name.startswith("body.")}
    assert 0 < len(unread) <= 64
    huge = decode_body(write({"readings": [ROW_OF_OUTER], "note": "x" * 5_000_000}), media)
    assert any(name.startswith("body.") for name, _ in huge.shapes)
