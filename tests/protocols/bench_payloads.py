"""How fast payloads are decoded by one core: `python tests/protocols/bench_payloads.py [rows]`.

Bodies of the HTTP door as Arrow, JSON columns, rows and lines and MessagePack; MQTT messages of one reading and of 200.
Prints thousand readings a second of processor time, so that a busy machine tells the same.
"""

import json
import sys
from collections.abc import Callable
from io import BytesIO
from time import process_time

import msgspec
import numpy as np
import pyarrow as pa

from quintet.protocols.payloads import Payload, decode_body, decode_messages, load_mappings

METERS = 1000
BATCH = 200
START_US = 1_767_225_600_000_000
JSON = "application/json"


def columns(rows: int) -> dict[str, list[object]]:
    """Make a day's readings of a thousand meters."""
    value = np.round(np.random.default_rng(1).gamma(2.0, 0.2, rows), 3)
    minute = np.arange(rows) // METERS % 1440
    return {
        "site": [f"complex-{number % METERS // 500}" for number in range(rows)],
        "meter": [f"c{number % METERS // 500}-{number % METERS}-electricity" for number in range(rows)],
        "ts_utc": [f"2026-01-01T{m // 60:02}:{m % 60:02}:00Z" for m in minute.tolist()],
        "value": value.tolist(),
    }


def arrow(table: pa.Table) -> bytes:
    """Write an Arrow stream."""
    sink = BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def bodies(rows: int) -> dict[str, Callable[[], Payload]]:
    """Make each body once; give what decodes it."""
    said = columns(rows)
    listed = [dict(zip(said, row, strict=True)) for row in zip(*said.values(), strict=True)]
    at = pa.array(np.arange(rows) // METERS * 60_000_000 + START_US, pa.timestamp("us", "UTC"))
    table = pa.table({**said, "ts_utc": at})
    counted = {**said, "ts_us": (np.arange(rows) // METERS * 60_000_000 + START_US).tolist()}
    del counted["ts_utc"]
    made = {
        "arrow": (arrow(table), "application/vnd.apache.arrow.stream"),
        "json columns, ts_utc": (json.dumps({"columns": said}).encode(), JSON),
        "json columns, ts_us, one site": (json.dumps({"columns": {**counted, "site": "s"}}).encode(), JSON),
        "json rows": (json.dumps({"readings": listed}).encode(), JSON),
        "json rows, one of them bad": (json.dumps([*listed[:-1], {"value": True}]).encode(), JSON),
        "json lines": ("\n".join(map(json.dumps, listed)).encode(), "application/x-ndjson"),
        "msgpack columns": (msgspec.msgpack.encode({"columns": said}), "application/msgpack"),
    }
    return {what: lambda body=body, media=media: decode_body(body, media) for what, (body, media) in made.items()}


def messages(rows: int) -> dict[str, Callable[[], Payload]]:
    """Make MQTT messages once; give what decodes them."""
    mappings = load_mappings()
    said = columns(rows)
    lines = list(zip(*said.values(), strict=True))
    one = [(f"quintet/v1/{s}/{m}", json.dumps({"value": v, "ts_utc": t}).encode(), START_US) for s, m, t, v in lines]
    bare = [(f"quintet/v1/{s}/{m}", str(v).encode(), START_US) for s, m, _, v in lines]
    tasmota = [
        (f"tele/{m}/SENSOR", json.dumps({"Time": t, "ENERGY": {"Total": v, "Today": v, "Power": 3}}).encode(), START_US)
        for _, m, t, v in lines
    ]
    batch, by_meter = [], []
    for first in range(0, rows, BATCH):
        part = {name: column[first : first + BATCH] for name, column in said.items() if name != "site"}
        batch.append(("quintet/v1/s", json.dumps({"columns": part}).encode(), START_US))
        meters = {meter: [value] for meter, value in zip(part["meter"], part["value"], strict=True)}
        by_meter.append(
            ("quintet/v1/s", json.dumps({"meters": meters, "ts_utc": part["ts_utc"][:1]}).encode(), START_US)
        )
    made = {
        "mqtt, one reading": one,
        "mqtt, a bare number": bare,
        "mqtt, tasmota": tasmota,
        "mqtt, 200 in columns": batch,
        "mqtt, 200 by meter": by_meter,
    }
    return {what: lambda sent=sent: decode_messages(sent, mappings) for what, sent in made.items()}


def measure(rows: int) -> dict[str, float]:
    """Measure each, the best of three runs; give thousand readings a second."""
    pa.set_cpu_count(1)
    found: dict[str, float] = {}
    for what, decode in {**bodies(rows), **messages(rows)}.items():
        best = 0.0
        for _ in range(3):
            began = process_time()
            payload = decode()
            best = max(best, payload.rows / (process_time() - began) / 1000)
        assert payload.readings.num_rows >= rows - 1, what
        found[what] = best
    return found


if __name__ == "__main__":
    for what, thousand in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000).items():
        print(f"{what:32} {thousand:9.0f} k readings/s")
