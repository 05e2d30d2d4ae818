"""Arrow streams: columns of every type that can be meant, exact values, bounded and checked before use."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow as pa
import pytest

from quintet.protocols.payloads import Limits, Payload, decode_body
from quintet.terms.errors import BadInput

ARROW = "application/vnd.apache.arrow.stream"
START = datetime(2026, 1, 1, tzinfo=UTC)
START_US = 1_767_225_600_000_000
FEW = Limits(unpacked_bytes=1 << 20, rows=3, values=40, row_bytes=200)


def stream(tables: Sequence[pa.Table], compression: str | None = None) -> bytes:
    sink = BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, tables[0].schema, options=options) as writer:
        for table in tables:
            writer.write_table(table)
    return sink.getvalue()


def table(**columns: Any) -> pa.Table:
    some = {"site": ["s"], "meter": ["m"], "ts_utc": pa.array([START], pa.timestamp("us", "UTC")), "value": [1.5]}
    return pa.table({name: column for name, column in {**some, **columns}.items() if column is not None})


def decode(*tables: pa.Table, limits: Limits | None = None) -> Payload:
    return decode_body(stream(tables), ARROW, limits=limits)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"ts_utc": ["2026-01-01T09:00:00+09:00"], "value": ["1.50"]},
        {"ts_utc": pa.array([START], pa.timestamp("ns", "Asia/Seoul")), "value": pa.array([1.5], pa.float32())},
        {"ts_utc": None, "ts_us": [START_US]},
        {"ts_utc": None, "ts_us": pa.array([START_US], pa.uint64()), "value": [Decimal("1.50")]},
        {"site": pa.array(["s"]).dictionary_encode(), "meter": pa.array(["m"], pa.large_string())},
    ],
)
def test_types_that_can_be_meant(columns: dict[str, Any]) -> None:
    found = decode(table(**columns))
    row = found.readings.to_pylist()[0]
    assert (row["site"], row["meter"], row["at"], row["value"], row["row"]) == ("s", "m", START, 1.5, 1)
    assert "sent_at" not in row


def test_several_batches_count_on_and_state_their_clock_and_other_fields() -> None:
    one = table(sent_at=["2026-01-01T00:00:01Z"], unit=["kWh"], rssi=[3], tags=[["a"]])
    found = decode(one, one)
    assert found.readings["row"].to_pylist() == [1, 2]
    assert found.readings["sent_at"].to_pylist() == [START.replace(second=1)] * 2
    assert {("rssi", "number"), ("tags", "array"), ("value", "number"), ("unit", "text")} <= found.shapes


def test_bad_rows_are_named() -> None:
    found = decode(
        table(
            site=["s"] * 6,
            meter=["m", None, "m", "m", "m", "m"],
            ts_utc=["2026-01-01T00:00:00Z"] * 3 + ["2026-01-01", None, "2026-01-01T00:00:00Z"],
            value=["1", "2", "12345678901234.567", "4", "5", "x"],
        )
    )
    assert found.readings["row"].to_pylist() == [1]
    assert list(zip(found.refused["row"].to_pylist(), found.refused["code"].to_pylist(), strict=True)) == [
        (2, "no_meter"),
        (3, "too_precise"),
        (4, "naive_time"),
        (5, "no_time"),
        (6, "bad_value"),
    ]
    assert "12345678901234.567" in found.refused["original"][1].as_py()


def test_a_decimal_of_more_digits_than_a_double_and_far_moments_are_refused() -> None:
    exact = decode(table(value=[Decimal("12345678901234.567")]))
    assert exact.refused["code"].to_pylist() == ["too_precise"]
    far = decode(table(ts_utc=None, ts_us=pa.array([2**63 + 5], pa.uint64())))
    assert far.refused["code"].to_pylist() == ["bad_time"]
    clock = decode(table(sent_at_us=[2**62]))
    assert clock.refused["code"].to_pylist() == ["bad_clock"]


def test_a_dictionary_that_holds_null_names_no_meter() -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array([None, "m"]))
    found = decode(table(site=["s", "s"], meter=words, ts_utc=None, ts_us=[START_US] * 2, value=[1.0, 2.0]))
    assert found.readings["meter"].to_pylist() == ["m"]
    assert found.refused["code"].to_pylist() == ["no_meter"]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"value": None}, "missing_column"),
        ({"ts_utc": None}, "missing_column"),
        ({"ts_us": [START_US]}, "two_times"),
        ({"ts_utc": pa.array([START], pa.timestamp("us"))}, "naive_time"),
        ({"ts_utc": [5]}, "wrong_type"),
        ({"value": [[1.5]]}, "wrong_type"),
        ({"meter": [1.5]}, "wrong_type"),
        ({"ts_utc": None, "ts_us": [1.5]}, "wrong_type"),
    ],
)
def test_a_stream_that_cannot_be_meant_is_refused(columns: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(table(**columns))
    assert caught.value.code == code


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_buffers_packed_inside_of_the_stream_are_refused(codec: str) -> None:
    bomb = table(site=["s"] * 100_000, meter=["m"] * 100_000, ts_utc=None, ts_us=[0] * 100_000, value=[0.0] * 100_000)
    for one in (bomb, bomb.set_column(1, "meter", bomb["meter"].dictionary_encode())):
        with pytest.raises(BadInput) as caught:
            decode_body(stream([one], codec), ARROW)
        assert caught.value.code == "compressed_buffers"


def test_rows_are_counted_before_anything_is_made_of_them() -> None:
    assert decode(table(), table(), table(), limits=FEW).rows == 3
    with pytest.raises(BadInput) as caught:
        decode(table(), table(), table(), table(), limits=FEW)
    assert caught.value.code == "too_large"


def test_every_torn_stream_is_refused_or_holds_whole_rows() -> None:
    whole = stream([table(), table()])
    for end in range(0, len(whole), 7):
        code, rows = "", 0
        try:
            rows = decode_body(whole[:end], ARROW).rows
        except BadInput as error:
            code = error.code
        assert code in {"", "damaged_body", "missing_column"}
        assert rows in (0, 1, 2)
