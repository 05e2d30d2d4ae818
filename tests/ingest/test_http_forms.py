"""Every form of a body that the HTTP door takes is taken alike, and none unpacks to more than is allowed."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from quintet.protocols.payloads.payload import shipped_limits

from .conftest import Serve
from .test_http_door import READINGS, counts, problem

COUNT = 96
START_US = 1_793_664_000_000_000
"""2026-11-03 00:00 UTC."""
STAMPS = [START_US + slot * 900_000_000 for slot in range(COUNT)]
VALUES = [round(0.2 + slot / 1000, 3) for slot in range(COUNT)]
ROWS = [{"site": "c1", "meter": "power", "ts_us": at, "value": value} for at, value in zip(STAMPS, VALUES, strict=True)]
COLUMNS = {"columns": {"site": "c1", "meter": "power", "ts_us": STAMPS, "value": VALUES}}


def arrow() -> bytes:
    """Write the rows as an Arrow stream."""
    stamps = pa.array(STAMPS, pa.timestamp("us", tz="UTC"))
    table = pa.table({"site": ["c1"] * COUNT, "meter": ["power"] * COUNT, "ts_utc": stamps, "value": VALUES})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


FORMS: dict[str, tuple[str, bytes]] = {
    "rows": ("application/json", json.dumps({"readings": ROWS}).encode()),
    "list": ("application/json; charset=utf-8", json.dumps(ROWS).encode()),
    "columns": ("application/json", json.dumps(COLUMNS).encode()),
    "lines": ("application/x-ndjson", "\n".join(map(json.dumps, ROWS)).encode()),
    "msgpack": ("application/msgpack", msgspec.msgpack.encode({"readings": ROWS})),
    "msgpack columns": ("application/msgpack", msgspec.msgpack.encode(COLUMNS)),
    "arrow": ("application/vnd.apache.arrow.stream", arrow()),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": lambda body: pa.compress(body, codec="zstd", asbytes=True),
}


def test_every_form_says_the_same(serve: Serve) -> None:
    served = serve()
    taken: list[tuple[int, int, int, int]] = []
    for media, body in FORMS.values():
        for encoding, pack in PACKED.items():
            headers = {"Content-Type": media, "Content-Encoding": encoding}
            taken.append(counts(served.client.post(READINGS, content=pack(body), headers=headers)))
    assert taken == [(COUNT, 0, 0, 0)] + [(0, COUNT, 0, 0)] * (len(FORMS) * len(PACKED) - 1)
    assert served.raw_rows() == COUNT


def test_a_part_of_a_body_is_refused_in_every_form(serve: Serve) -> None:
    served = serve()
    for name, (media, body) in FORMS.items():
        for encoding, pack in PACKED.items():
            if name != "lines" or encoding != "identity":
                headers = {"Content-Type": media, "Content-Encoding": encoding}
                answer = served.client.post(READINGS, content=pack(body)[: len(pack(body)) // 2], headers=headers)
                # half a list of lines is a list of lines; half an Arrow stream may be a whole one of fewer rows
                assert answer.status_code == 422 or name == "arrow", (name, encoding, answer.text)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"])
def test_a_bomb_is_too_large(serve: Serve, encoding: str, media: str) -> None:
    served = serve(bounds=replace(shipped_limits(), unpacked_bytes=1_000_000))
    bomb = PACKED[encoding](b" " * 50_000_000)
    assert len(bomb) < 100_000
    headers = {"Content-Type": media, "Content-Encoding": encoding}
    assert problem(served.client.post(READINGS, content=bomb, headers=headers)) == (413, "too_large")
    assert problem(served.client.post(READINGS, content=bomb * 2, headers=headers)) == (413, "too_large")
    assert counts(served.send(ROWS)) == (COUNT, 0, 0, 0)


def test_too_many_rows_are_too_large(serve: Serve) -> None:
    served = serve(bounds=replace(shipped_limits(), rows=COUNT // 2))
    for media, body in FORMS.values():
        answer = served.client.post(READINGS, content=body, headers={"Content-Type": media})
        assert problem(answer) == (413, "too_large")
    assert served.raw_rows() == 0


def test_a_value_is_kept_digit_by_digit(serve: Serve) -> None:
    served = serve()
    rows: list[dict[str, Any]] = [
        {"site": "c1", "meter": "gas", "ts_us": at, "value": value}
        for at, value in zip(STAMPS, ("12345.678901", "12345.678902", 12346, "0.1e5"), strict=False)
    ]
    served.send(rows)
    with served.doors.city.engine.snapshot() as snapshot:
        kept = snapshot.rows("select mantissa, exponent from raw order by at_us")
    assert kept[:3] == [(12345678901, -6), (12345678902, -6), (12346, 0)]
