"""Poison of each door, through a real `serve`: kept as it came, and taken once the city can read it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.broker import DOOR_PASSWORD, Broker, Publisher
from tests.mqtt_stand import write_broker

from .served import Served, document, run, wait_for

COLUMNS = "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role"
METERS = f"""{COLUMNS}
acme,b,pump7,electricity,kWh,register_cumulative,15,UTC,consumption
tasmota,b,plug,electricity,kWh,register_cumulative,15,UTC,consumption
c1,b,late,electricity,kWh,interval_sum,15,UTC,consumption
"""
AT = "2026-01-13T00:00:00Z"
FORMATS = """
[format.acme]
title = "Acme pumps"
source = "https://example.org/acme"
read = 2026-01-01
topic = "acme/{pump}"
site = "acme"
meter = "{pump}"
payload = "json"
time = { field = "at", kind = "rfc3339" }
[[format.acme.reading]]
field = "kwh"
unit = "kWh"
multiplier = "0.1"
value_kind = "register_cumulative"

[format.bare_plugs]
title = "Plugs that send a bare number where others send an object"
source = "https://example.org/plugs"
read = 2026-01-01
topic = "tele/{plug}/SENSOR"
site = "tasmota"
meter = "{plug}"
payload = "number"
[[format.bare_plugs.reading]]
unit = "kWh"
value_kind = "register_cumulative"
"""
SENT = [
    ("acme/pump7", json.dumps({"kwh": 125, "at": AT}).encode()),  # nobody knows the topic
    ("acme/pump7", b"\xff\xfe\x00"),  # and never will
    ("tele/plug/SENSOR", b"17.25"),  # known, but of another form
    ("quintet/v1/c1/late", json.dumps({"value": 2.5, "ts_utc": AT}).encode()),  # no such meter yet
    ("quintet/v1/c1", json.dumps([{"meter": "late", "ts_utc": "2026-01-13T00:15:00Z", "value": 3}]).encode()),
]
POSTED = [
    {"site": "c1", "meter": "late", "ts_utc": "2026-01-13T00:30:00Z", "value": 4},
    {"site": "c1", "meter": "late", "ts_utc": "2026-01-13T00:45", "value": 5},  # no offset: never
    {"topic": "quintet/v1/c1/late", "payload": "9", "received_us": 1_768_262_400_000_000},  # no row, whatever it copies
]


@pytest.fixture
def served(tmp_path: Path, broker: Broker) -> Iterator[Served]:
    served = Served(tmp_path / "city")
    config = write_broker(tmp_path, broker, 'topics = ["quintet/v1/#", "tele/+/SENSOR", "acme/#"]')
    served.start(QUINTET_CONFIG=str(config), QUINTET_MQTT_PASSWORD=DOOR_PASSWORD)
    wait_for(lambda: waiting(served) == 0 and connected(served), "the door did not come up")
    yield served
    served.end()


def connected(served: Served) -> bool:
    doors = document("top", "--city", served.folder)["doors"]
    assert isinstance(doors, list)
    return any(door["name"].startswith("mqtt") and door["state"] == "up" for door in doors)


def waiting(served: Served) -> int:
    rows = document("quarantine", "count", "--city", served.folder)["rows"]
    assert isinstance(rows, int)
    return rows


def post(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    body = json.dumps({"readings": POSTED}).encode()
    asked = urllib.request.Request(f"{served.address}api/v1/readings:batch", body, headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200


def test_poison_of_both_doors_is_taken_once_the_city_can_read_it(
    served: Served, broker: Broker, tmp_path: Path
) -> None:
    publisher = Publisher(broker.port, "gateway")
    publisher.publish(SENT)
    publisher.close()
    post(served)
    everything = len(SENT) + len(POSTED)
    wait_for(lambda: waiting(served) == everything, "not all poison came to quarantine")
    (served.folder / "mappings").mkdir(exist_ok=True)
    (served.folder / "mappings" / "ours.toml").write_text(FORMATS)
    (tmp_path / "meters.csv").write_text(METERS)
    run("registry", "sync", tmp_path / "meters.csv", "--city", served.folder)
    done = document("quarantine", "replay", "--city", served.folder)
    assert (done["taken"], done["kept"]) == (5, 3), done
    left = document("quarantine", "list", "--city", served.folder)["quarantine"]
    assert isinstance(left, list)
    assert sorted((row["source"], row["code"]) for row in left) == [
        ("load", "naive_time"), ("load", "no_meter"), ("mqtt:acme", "undecodable"),
    ]  # fmt: skip
    again = document("quarantine", "replay", "--city", served.folder)
    assert (again["taken"], again["kept"]) == (0, 3)
    assert energy(served) == [2.5, 3.0, 4.0]


def energy(served: Served) -> list[float]:
    """Give what the late meter used in each quarter of the hour."""
    window = ("--from", AT, "--to", "2026-01-13T00:45:00Z", "--resolution", "15min")
    rows = document("intervals", "c1/late", *window, "--city", served.folder)["rows"]
    assert isinstance(rows, list)
    return [float(row["value"]) for row in rows]
