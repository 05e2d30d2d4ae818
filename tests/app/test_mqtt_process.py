"""The door as a process: started and ended by `serve`, with a city that is killed under it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.broker import DOOR_PASSWORD, Broker, Publisher
from tests.ingest.test_mqtt_door import reading
from tests.mqtt_stand import PATIENCE_S, Stand, wait_for, write_broker
from tests.program import environment

from quintet.app.city import City

from .conftest import Run

COUNT = 6_000
KILLS = 2


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Give a function that starts `quintet serve` with the settings beside the city, and waits until it answers."""
    begun: list[subprocess.Popen[str]] = []

    def begin(city: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "quintet.app", "serve", "--port", "0", "--city", city],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(),
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://")
        return process

    yield begin
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def write_settings(folder: Path, broker: Broker, *lines: str) -> None:
    (folder / "secret").write_text(f"{DOOR_PASSWORD}\n")
    write_broker(folder, broker, 'password_file = "secret"', *lines)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def stored(city: Path) -> int:
    """Count the readings that the batches of a city that nobody owns took in; a reading sent again is not counted."""
    opened = City.open(city)
    try:
        with opened.engine.snapshot() as snapshot:
            # serve closes days that are over: their readings stand in the lake, not in the table `raw`
            return int(snapshot.rows("select coalesce(sum(accepted), 0) from batch where kind = 'readings'")[0][0])
    finally:
        opened.close()


def made(folder: Path) -> Path:
    stand = Stand(folder)
    stand.close()
    return folder


def test_an_owner_that_is_killed_mid_stream_loses_and_doubles_nothing(
    broker: Broker, tmp_path: Path, serve: Callable[[Path], subprocess.Popen[str]]
) -> None:
    write_settings(tmp_path, broker)
    city = made(tmp_path / "city")
    publisher = Publisher(broker.port, "p")
    process = serve(city)
    wait_for(lambda: broker.has_saved("quintet-"), "a session on the broker's disk")
    paced = (time.sleep(0.0005) or reading(number) for number in range(COUNT))
    thread = threading.Thread(target=publisher.publish, args=(paced,))
    thread.start()
    for number in range(1, KILLS + 1):
        wait_for(lambda number=number: len(publisher.acknowledged) > number * COUNT // (KILLS + 2), "messages")
        doors = children(process.pid)
        assert doors
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda doors=doors: not any(map(alive, doors)), "doors that end with their owner")
        process = serve(city)
    thread.join()
    found = 0
    for pause_s in (2, 4, 8, 16, 32, 64):
        time.sleep(pause_s)  # what the broker still holds comes now
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        found = stored(city)
        if found >= COUNT:
            break
        process = serve(city)
    assert found == COUNT


def test_serve_ends_its_doors_in_order(
    broker: Broker, tmp_path: Path, serve: Callable[[Path], subprocess.Popen[str]]
) -> None:
    write_settings(tmp_path, broker, "doors = 2")
    process = serve(made(tmp_path / "city"))
    wait_for(lambda: broker.has_saved("-0") and broker.has_saved("-1"), "two sessions")
    doors = children(process.pid)
    assert len(doors) == 2
    os.kill(doors[0], signal.SIGKILL)
    wait_for(lambda: len(children(process.pid)) == 2 and doors[0] not in children(process.pid), "a new door")
    doors = children(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert not any(map(alive, doors))


def test_without_a_broker_the_command_says_what_to_give(quintet: Run, tmp_path: Path) -> None:
    city = made(tmp_path / "city")
    done = quintet("door", "mqtt", "--city", str(city), cwd=tmp_path)
    assert done.returncode == 2
    assert "no broker was named" in done.stderr
    done = quintet("serve", "--mqtt", "here:port", "--city", str(city), cwd=tmp_path)
    assert done.returncode == 2
    assert "'here:port' is no broker" in done.stderr
