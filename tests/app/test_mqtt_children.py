"""A door that `serve` should run and that does not come up is seen, with the reason."""

import time
from collections.abc import Callable
from pathlib import Path

from quintet.app.metrics_doors import own_doors
from quintet.app.mqtt_children import ChildState, MqttChildren
from quintet.ingest.frames import DoorState

PATIENCE_S = 60
NOW_US = 1_000_000_000


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_door_that_never_comes_up_is_down_with_its_exit_code(tmp_path: Path) -> None:
    children = MqttChildren(tmp_path / "no-city", 1, "no broker at all")
    assert [door.reason for door in own_doors([], NOW_US, children.states())] == ["is starting"]
    children.start()
    try:
        wait_for(lambda: children.states()[0].exit_code is not None)
        (door,) = own_doors([], NOW_US, children.states())
    finally:
        children.stop()
    assert (door.name, door.state) == ("mqtt-0", "down")
    assert door.reason.startswith("ended with code 1 after start 1; ")


def test_a_door_that_runs_says_itself_how_it_is() -> None:
    said = DoorState("mqtt", 0, "broker", connected=True, reported_us=NOW_US)
    other = DoorState("mqtt", 7, "broker", connected=False, reported_us=NOW_US)
    started = [ChildState("mqtt-0", True, None, 1), ChildState("mqtt-1", True, None, 1)]
    found = {door.name: (door.state, door.reason) for door in own_doors([said, other], NOW_US, started)}
    assert found == {"mqtt-0": ("up", ""), "mqtt-7": ("disconnected", ""), "mqtt-1": ("down", "is starting")}
    ended = [ChildState("mqtt-0", False, 1, 3)]
    (door,) = own_doors([said], NOW_US, ended)
    assert (door.state, door.reason) == ("down", "ended with code 1 after start 3; it is started again in a while")
