"""`load` through a real broker and a real MQTT door: what the broker acknowledged is stored once."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.broker import DEVICE_PASSWORD, DOOR_PASSWORD, Broker
from tests.mqtt_stand import write_broker

from quintet.app.load import Load, LoadConfig, Mischief

from .served import Served, document, wait_for


@pytest.fixture
def served(tmp_path: Path, broker: Broker) -> Iterator[Served]:
    served = Served(tmp_path / "city", households=20)
    served.start(QUINTET_CONFIG=str(write_broker(tmp_path, broker)), QUINTET_MQTT_PASSWORD=DOOR_PASSWORD)
    wait_for(lambda: mqtt_state(served) == "up", "the door did not come up")
    yield served
    served.end()


def mqtt_state(served: Served) -> str:
    doors = document("top", "--city", served.folder)["doors"]
    assert isinstance(doors, list)
    return next((str(door["state"]) for door in doors if door["name"].startswith("mqtt")), "none")


def stored(served: Served, acks: Path, expect: int) -> bool:
    """Say whether all that was acknowledged is there; a broker's answer comes before the commit."""
    said = document("load", "verify", acks, "--city", served.folder, expect=expect)
    assert (said["doubled"], said["differing"]) == (0, 0)
    return said["missing"] == 0


@pytest.mark.parametrize("readings", [1, 40])
def test_what_a_broker_acknowledged_is_stored_once(
    served: Served, broker: Broker, tmp_path: Path, readings: int
) -> None:
    load = Load(
        LoadConfig(
            to=f"mqtt://127.0.0.1:{broker.port}", acks=tmp_path / "acks", rate=1_000.0 if readings == 1 else 4_000.0,
            seconds=3.0, readings_a_message=readings, clients=2, user="loader", password=DEVICE_PASSWORD, households=20,
            mischief=Mischief(twice=readings == 40),
        )
    )  # fmt: skip
    player = threading.Thread(target=load.run)
    player.start()
    if readings == 40:
        wait_for(lambda: load.tally.acked > 10, "nothing was acknowledged")
        broker.end(signal.SIGKILL)
        broker.start()
    player.join(60)
    assert not player.is_alive()
    tally = load.tally
    assert tally.given_up == 0
    assert tally.acked == tally.sent > 0
    arrived = document("top", "--city", served.folder)
    assert arrived["quarantine"] == {}
    wait_for(lambda: settled(served, tally.acked_readings), "not all of it came")
    assert stored(served, tmp_path / "acks", expect=0)


def settled(served: Served, readings: int) -> bool:
    committer = document("top", "--city", served.folder)["committer"]
    assert isinstance(committer, dict)
    got = sum(committer[name].get("mqtt", 0) for name in ("accepted", "duplicate"))
    return got >= readings


def test_what_has_a_receipt_is_stored_when_it_comes(served: Served, broker: Broker, tmp_path: Path) -> None:
    """The broker is killed while messages are under way: nothing is lost, for what has no receipt is sent again."""
    load = Load(
        LoadConfig(
            to=f"mqtt://127.0.0.1:{broker.port}", acks=tmp_path / "acks", rate=2_000.0, seconds=3.0, clients=2,
            readings_a_message=20, user="loader", password=DEVICE_PASSWORD, households=20, receipt_s=4.0,
        )
    )  # fmt: skip
    player = threading.Thread(target=load.run)
    player.start()
    wait_for(lambda: load.tally.acked > 10, "no receipt came")
    broker.end(signal.SIGKILL)
    broker.start()
    player.join(90)
    assert not player.is_alive()
    tally = load.tally
    assert (tally.given_up, tally.rejected) == (0, 0)
    assert tally.acked == tally.sent > 10
    assert tally.acked_readings == tally.accepted + tally.duplicate
    assert stored(served, tmp_path / "acks", expect=0)
