"""MQTT messages: our own topics, other people's formats, poison kept as it came, and originals decoded again."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quintet.protocols.payloads import Payload, decode_message, decode_messages, decode_original, load_mappings
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

AT = "2026-01-01T00:00:00Z"
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(hours=1)
NOW_US = 1_767_229_200_000_000
MAPPINGS = load_mappings()


def send(topic: str, payload: object) -> Payload:
    """Decode one message; what is no bytes is written as JSON."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return decode_message(topic, data, NOW_US, MAPPINGS)


def said(payload: Payload) -> list[tuple[Any, ...]]:
    """Give site, meter, moment, value and unit of the good rows."""
    return [(row["site"], row["meter"], row["at"], row["value"], row["unit"]) for row in payload.readings.to_pylist()]


@pytest.mark.parametrize(
    ("payload", "at", "value", "unit"),
    [
        (b"12.5", NOW, 12.5, None),
        (b" -0.25\n", NOW, -0.25, None),
        (b"1e3", NOW, 1000.0, None),
        ({"value": 12.5}, NOW, 12.5, None),
        ({"value": "12.50", "unit": "kWh"}, NOW, 12.5, "kWh"),
        ({"value": 1, "ts_utc": AT, "unit": "kWh"}, START, 1.0, "kWh"),
        ({"value": 1, "ts_us": NOW_US - 3_600_000_000, "other": {"a": 1}}, START, 1.0, None),
        ({"value": 1, "ts_utc": None}, NOW, 1.0, None),
    ],
)
def test_one_reading(payload: object, at: datetime, value: float, unit: str | None) -> None:
    found = send("quintet/v1/home/a/b", payload)
    assert said(found) == [("home", "a/b", at, value, unit)]
    assert found.readings["row"].to_pylist() == [1]
    assert "sent_at" not in found.readings.column_names


def test_a_device_may_state_its_clock() -> None:
    found = decode_messages(
        [
            ("quintet/v1/s/a", json.dumps({"value": 1, "sent_at": AT}).encode(), NOW_US),
            ("quintet/v1/s/b", b"2", NOW_US),
        ],
        MAPPINGS,
    )
    assert found.readings["sent_at"].to_pylist() == [START, None]
    assert ("sent_at", "text") in found.shapes


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps({"columns": {"meter": ["a", "b"], "ts_utc": [AT, AT], "value": [1, 2]}}).encode(),
        json.dumps({"meters": {"a": [1], "b": [2]}, "ts_utc": [AT]}).encode(),
        json.dumps({"meters": {"a": 1, "b": 2}, "ts_utc": AT}).encode(),
        json.dumps([{"meter": "a", "ts_utc": AT, "value": 1}, {"meter": "b", "ts_utc": AT, "value": 2}]).encode(),
        b'{"meter":"a","ts_utc":"2026-01-01T00:00:00Z","value":1}\n{"meter":"b","ts_utc":"2026-01-01T00:00:00Z","value":2}',
        msgspec.msgpack.encode({"columns": {"meter": ["a", "b"], "ts_utc": [AT, AT], "value": [1, 2]}}),
        gzip.compress(json.dumps({"meters": {"a": [1], "b": [2]}, "ts_utc": [AT]}).encode(), mtime=0),
    ],
)
def test_a_concentrators_batch_in_every_format(payload: bytes) -> None:
    found = send("quintet/v1/home", payload)
    assert said(found) == [("home", "a", START, 1.0, None), ("home", "b", START, 2.0, None)]
    assert found.readings["row"].to_pylist() == [1, 2]


def test_a_batch_names_only_the_site_of_its_topic_and_its_bad_rows_stand_alone() -> None:
    rows = [{"meter": "a", "ts_utc": AT, "value": 1}, {"site": "other", "meter": "b", "ts_utc": AT, "value": 2}]
    found = send("quintet/v1/home", rows)
    assert said(found) == [("home", "a", START, 1.0, None)]
    refused = found.refused.to_pylist()[0]
    assert (refused["source"], refused["row"], refused["code"]) == ("mqtt:home", 2, "other_site")
    original = json.loads(refused["original"])
    assert json.loads(original["payload"]) == rows[1:]
    assert original["topic"] == "quintet/v1/home"


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("nobody/knows", b"1", "unknown_topic"),
        ("quintet/v2/s/m", b"1", "unknown_topic"),
        ("bad\udcfftopic/x", b"1", "unknown_topic"),
        ("quintet/v1/s/m", b"on", "undecodable"),
        ("quintet/v1/s/m", b"\xff\xfe\x00", "undecodable"),
        ("quintet/v1/s/m", b'{"value":', "undecodable"),
        ("quintet/v1/s", b"\xc1", "undecodable"),
        ("quintet/v1/s", b'{"meters":{"a":[1,2]},"ts_utc":["2026-01-01T00:00:00Z"]}', "undecodable"),
        ("tele/plug/SENSOR", b"offline", "undecodable"),
        ("quintet/v1/s/m", b"{}", "no_value"),
        ("quintet/v1/s/m", b'{"value":true}', "bad_value"),
        ("quintet/v1/s/m", b'{"value":1,"meter":"other"}', "other_site"),
        ("quintet/v1/s/m", b"12345678901234.567", "too_precise"),
        ("zigbee2mqtt/plug", b'{"energy":"much"}', "bad_value"),
        ("zigbee2mqtt/plug", b'{"energy":1,"last_seen":1e300}', "bad_time"),
    ],
)
def test_poison_is_kept_as_it_came_and_can_be_decoded_again(topic: str, payload: bytes, code: str) -> None:
    around = ("quintet/v1/s/good", b"1", NOW_US)
    found = decode_messages([around, (topic, payload, NOW_US), around], MAPPINGS)
    assert found.readings["meter"].to_pylist() == ["good", "good"]
    assert found.refused["code"].to_pylist() == [code]
    assert found.rows == 3
    again = decode_original(found.refused["original"][0].as_py(), MAPPINGS, source="mqtt:x")
    assert again.refused["code"].to_pylist() == [code]
    assert again.refused["source"].to_pylist() == ["mqtt:x"]


def test_a_message_of_bytes_is_kept_to_the_bit() -> None:
    payload = bytes(range(256))
    original = json.loads(send("nobody/knows", payload).refused["original"][0].as_py())
    assert set(original["payload"]) == {"base64"}
    told = decode_original(json.dumps({**original, "topic": "quintet/v1/s/m"}), MAPPINGS)
    assert json.loads(told.refused["original"][0].as_py())["payload"] == original["payload"]


def test_after_the_cause_is_mended_an_original_gives_the_reading_at_its_moment_of_receipt(tmp_path: Path) -> None:
    original = send("acme/pump7", {"kwh": 5}).refused["original"][0].as_py()
    (tmp_path / "acme.toml").write_text(ACME, encoding="utf-8")
    found = decode_original(original, load_mappings([tmp_path / "acme.toml"]))
    assert said(found) == [("acme", "pump7", NOW, 0.5, "kWh")]


@pytest.mark.parametrize(
    "original",
    [
        {"site": "s", "meter": "m", "ts_utc": AT, "value": 1.5},
        {"site": "s", "meter": "m", "at": AT, "value": "1.5", "rest": ["x"]},
    ],
)
def test_a_row_of_a_body_or_a_file_is_decoded_again(original: dict[str, object]) -> None:
    assert said(decode_original(json.dumps(original), MAPPINGS)) == [("s", "m", START, 1.5, None)]


def test_a_row_of_a_body_that_looks_like_a_message_chooses_no_topic() -> None:
    forged = json.dumps({"topic": "quintet/v1/s/m", "payload": "1", "received_us": NOW_US})
    assert said(decode_original(forged, MAPPINGS)) == [("s", "m", NOW, 1.0, None)]
    found = decode_original(forged, MAPPINGS, source="collector")
    assert found.readings.num_rows == 0
    assert found.refused["code"].to_pylist() == ["no_meter"]


def test_what_is_no_original_comes_back() -> None:
    far = '{"topic":"quintet/v1/s/m","payload":"1","received_us":9999999999999999999999}'
    for text in ("", "nope", '{"topic":"a","payload":{"base64":"!"}}', "\ud800", far):
        assert decode_original(text, MAPPINGS).refused.num_rows == 1


@pytest.mark.parametrize(
    ("topic", "payload", "rows"),
    [
        (
            "tele/plug/SENSOR",
            {"Time": "2026-01-01T00:00:00", "ENERGY": {"Total": 1.5, "Today": 0.5, "Power": 3}},
            [("tasmota", "plug", NOW, 1.5, "kWh")],
        ),
        (
            "tele/plug/SENSOR",
            {"Time": "2026-01-01T09:00:00+09:00", "ENERGY": {"Total": [1.5, "2.5"]}},
            [("tasmota", "plug-1", START, 1.5, "kWh"), ("tasmota", "plug-2", START, 2.5, "kWh")],
        ),
        ("tele/plug/SENSOR", {"Time": AT, "AM2301": {"Temperature": 20}}, []),
        ("tele/plug/STATE", {"POWER": "ON"}, []),
        (
            "zigbee2mqtt/hall/plug",
            {"energy": 2.25, "last_seen": AT},
            [("zigbee2mqtt", "hall/plug", START, 2.25, "kWh")],
        ),
        (
            "zigbee2mqtt/tap",
            {"water_consumed": 7, "last_seen": NOW_US // 1000},
            [("zigbee2mqtt", "tap-water", NOW, 7.0, None)],
        ),
        ("zigbee2mqtt/bridge/state", b"online", []),
        ("zigbee2mqtt/hall/plug/availability", b"online", []),
        ("homeassistant/sensor/gas/state", b'"12.25"', [("homeassistant", "gas", NOW, 12.25, None)]),
        ("homeassistant/sensor/gas/state", b"unavailable", []),
        ("homeassistant/sensor/gas/unit_of_measurement", b'"m3"', []),
        ("homeassistant/sensor/node/gas/config", {"unit_of_meas": "m3"}, []),
        ("cellar/sensor/water_total/state", b"3.5", [("esphome", "cellar-water_total", NOW, 3.5, None)]),
        ("cellar/sensor/water_total/state", b"nan", []),
        (
            "shellyplus1pm-a8/status/switch:0",
            {"id": 0, "apower": 8.9, "aenergy": {"total": 6.532, "by_minute": [1, 2, 3]}},
            [("shelly", "shellyplus1pm-a8-switch-0", NOW, 6.532, "Wh")],
        ),
        (
            "shellypro3em-b1/status/emdata:0",
            {"id": 0, "total_act": 100.25, "total_act_ret": 3},
            [
                ("shelly", "shellypro3em-b1-emdata-0", NOW, 100.25, "Wh"),
                ("shelly", "shellypro3em-b1-emdata-0-returned", NOW, 3.0, "Wh"),
            ],
        ),
        (
            "shellyproem50-c2/status/em1data:1",
            {"id": 1, "total_act_energy": 6644.9, "total_act_ret_energy": 2595.26},
            [
                ("shelly", "shellyproem50-c2-em1data-1", NOW, 6644.9, "Wh"),
                ("shelly", "shellyproem50-c2-em1data-1-returned", NOW, 2595.26, "Wh"),
            ],
        ),
        (
            "zigbee2mqtt/roof",
            {"energy": 1.5, "produced_energy": 9.25, "power": -300, "last_seen": "2026-01-01T01:00:00.000+01:00"},
            [("zigbee2mqtt", "roof", START, 1.5, "kWh"), ("zigbee2mqtt", "roof-produced", START, 9.25, "kWh")],
        ),
        ("quintet/v1/s/m", b"", []),
    ],
)
def test_messages_of_other_people(topic: str, payload: object, rows: list[tuple[object, ...]]) -> None:
    found = send(topic, payload)
    assert said(found) == rows
    assert found.refused.num_rows == 0


def test_a_renamed_and_a_retyped_field_show_among_the_shapes() -> None:
    before = send("tele/plug/SENSOR", {"ENERGY": {"Total": 1.5}}).shapes
    renamed = send("tele/plug/SENSOR", {"ENERGY": {"Sum": 1.5}}).shapes
    retyped = send("tele/plug/SENSOR", {"ENERGY": {"Total": "1.5"}}).shapes
    assert ("tasmota.ENERGY.Total", "number") in before
    assert ("tasmota.ENERGY.Sum", "number") in renamed - before
    assert ("tasmota.ENERGY.Total", "text") in retyped - before


def test_a_long_list_is_one_table_in_order() -> None:
    sent = [(f"quintet/v1/s/m{number % 7}", str(number).encode(), NOW_US + number) for number in range(5000)]
    found = decode_messages(sent, MAPPINGS)
    assert found.readings["value"].to_pylist() == [float(number) for number in range(5000)]
    assert found.readings["meter"].combine_chunks().dictionary.to_pylist() == [f"m{number}" for number in range(7)]


def test_every_shipped_format_names_its_origin_and_known_units() -> None:
    assert {"tasmota", "zigbee2mqtt", "home_assistant"} <= {form.name for form in MAPPINGS.formats}
    for form in MAPPINGS.formats:
        assert form.source.startswith("https://"), form.name
        assert any(field.taken for field in form.fields), form.name
        for field in form.fields:
            assert field.unit is None or units()[field.unit].rate == (field.value_kind is ValueKind.AVG_POWER), field


ACME = """
[format.acme]
title = "Acme pumps"
source = "https://example.org/acme"
read = 2026-01-01
topic = "acme/{pump}"
site = "acme"
meter = "{pump}"
payload = "json"
[[format.acme.reading]]
field = "kwh"
commodity = "electricity"
unit = "kWh"
multiplier = "0.1"
value_kind = "register_cumulative"
"""
