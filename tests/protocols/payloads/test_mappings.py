"""Formats as tables: a city adds and changes them, the most literal topic wins, a mistake is named with its place."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from quintet.protocols.payloads import Mappings, decode_message, load_mappings
from quintet.protocols.payloads.topics import pattern
from quintet.terms.errors import BadInput

NOW_US = 1_767_229_200_000_000
BASE = """
[format.own]
title = "t"
source = "https://example.org"
read = 2026-01-01
topic = "{TOPIC}"
site = "s"
meter = "{meter}"
payload = "json"
time = { field = "at.local", kind = "rfc3339_or_local", tz = "Europe/Berlin" }
clock = { field = "sent", kind = "epoch_s" }
[[format.own.reading]]
field = "total"
unit = "kWh"
value_kind = "register_cumulative"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def own(folder: Path, topic: str = "x/{meter}") -> Mappings:
    return load_mappings([written(folder, BASE.replace("{TOPIC}", topic))])


def test_local_stamps_are_read_by_the_formats_zone_and_the_device_clock_is_kept(tmp_path: Path) -> None:
    body = b'{"total":1.5,"at":{"local":"2026-07-01T02:00:00"},"sent":1767229200.5}'
    row = decode_message("x/m", body, NOW_US, own(tmp_path)).readings.to_pylist()[0]
    assert row["at"] == datetime(2026, 7, 1, tzinfo=UTC)
    assert row["sent_at"] == datetime(2026, 1, 1, 1, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("stamp", ["2026-10-25T02:30:00", "2026-03-29T02:30:00"])
def test_a_local_stamp_that_is_there_twice_or_never_counts_as_received(stamp: str, tmp_path: Path) -> None:
    body = f'{{"total":1.5,"at":{{"local":"{stamp}"}}}}'.encode()
    row = decode_message("x/m", body, NOW_US, own(tmp_path)).readings.to_pylist()[0]
    assert row["at"] == datetime(2026, 1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("sent", ["1e999999", '"soon"', "[1]", "1e300"])
def test_a_clock_that_is_none_is_named_at_once(sent: str, tmp_path: Path) -> None:
    found = decode_message("x/m", f'{{"total":1,"sent":{sent}}}'.encode(), NOW_US, own(tmp_path))
    assert found.refused["code"].to_pylist() == ["bad_clock"]


def test_a_city_chooses_which_readings_are_taken(tmp_path: Path) -> None:
    chosen = load_mappings([written(tmp_path, '[take]\ntasmota = ["ENERGY.Power"]\n')])
    found = decode_message("tele/plug/SENSOR", b'{"ENERGY":{"Total":1,"Power":7}}', NOW_US, chosen)
    assert found.readings["meter"].to_pylist() == ["plug-power"]
    assert found.readings["unit"].to_pylist() == ["W"]


def test_the_most_literal_topic_wins_and_a_citys_own_format_comes_first(tmp_path: Path) -> None:
    ours = own(tmp_path, "tele/{meter}/SENSOR")
    assert decode_message("tele/m/SENSOR", b'{"total":2}', NOW_US, ours).readings["site"].to_pylist() == ["s"]
    ranks = [pattern(text, "").rank for text in ("a/b", "a/{x}", "a/{x+}/c", "a/{x+}", "{x}/b", "{x+}")]
    assert ranks == sorted(ranks)


def test_topics_are_remembered_up_to_a_bound() -> None:
    few = Mappings(load_mappings().formats, most_routes=10)
    for number in range(100):
        route = few.route(f"quintet/v1/s/m{number}")
        assert route is not None
        assert route.meter == f"m{number}"
        assert few.route(f"quintet/v1/s/m{number}") is route


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('unit = "kWh"', 'unit = "furlong"', "unknown_unit"),
        ('unit = "kWh"', 'multiplier = "many"', "bad_row"),
        ('unit = "kWh"', "multiplier = 0.1", "bad_row"),
        ('unit = "kWh"', 'colour = "red"', "bad_row"),
        ('field = "total"', "", "bad_row"),
        ("register_cumulative", "guess", "bad_row"),
        ('payload = "json"', 'payload = "xml"', "bad_row"),
        ("rfc3339_or_local", "soon", "bad_row"),
        ("Europe/Berlin", "Mars/Olympus", "unknown_tz"),
        ("{TOPIC}", "a/#", "bad_topic"),
        ("{TOPIC}", "a//b", "bad_topic"),
        ("{TOPIC}", "{meter}/{meter}", "bad_topic"),
        ("{TOPIC}", "{meter+}/{other+}", "bad_topic"),
        ("{TOPIC}", "a/{other}", "bad_topic"),
        ("[format.own]", "[formats.own]", "bad_row"),
        ("[format.own]", '[take]\nnone = ["a"]\n[format.own]', "bad_row"),
    ],
)
def test_a_mistake_is_named_with_its_file(old: str, new: str, code: str, tmp_path: Path) -> None:
    path = written(tmp_path, BASE.replace(old, new).replace("{TOPIC}", "x/{meter}"))
    with pytest.raises(BadInput) as caught:
        load_mappings([path])
    assert caught.value.code == code
    assert "own" in caught.value.place
