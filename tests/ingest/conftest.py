"""A new city with a few meters, served for real: its doors, its site, uvicorn on a free port of this machine."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import uvicorn
from tests.broker import Broker
from tests.conftest import IDLE_S, Need
from tests.mqtt_stand import Stand, running_broker

from quintet.app.city import City
from quintet.app.doors import Doors
from quintet.app.site import build_site
from quintet.app.turns import Turns

METERS = [
    {
        "site": "c1", "building": "101", "meter": name, "commodity": commodity, "unit": unit, "value_kind": kind,
        "cadence_min": 15, "tz": "Asia/Seoul", "role": "consumption",
    }
    for name, commodity, unit, kind in (
        ("power", "electricity", "kWh", "interval_sum"),
        ("gas", "gas", "m3", "register_cumulative"),
        ("water", "water", "m3", "interval_sum"),
    )
]  # fmt: skip
PATIENCE_S = 60


@dataclass(frozen=True)
class Served:
    """A served city: its doors, a client that shows a good token, and the end of it."""

    doors: Doors
    turns: Turns
    address: str
    client: httpx.Client
    token: str
    end: Callable[[], None]

    def send(self, readings: Any, **headers: str) -> httpx.Response:
        """Send readings as JSON."""
        return self.client.post("/api/v1/readings:batch", json=readings, headers=headers)

    def raw_rows(self) -> int:
        """Count what the store holds."""
        with self.doors.city.engine.snapshot() as snapshot:
            return int(snapshot.rows("select count(*) from raw")[0][0])


Serve = Callable[..., Served]


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails in a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def new_city(folder: Path) -> City:
    """Make and open a city with the meters of these tests."""
    city = City.create(folder, timezone="Asia/Seoul")
    city.pipeline.register(pa.Table.from_pylist(METERS), source="test", actor="test")
    return city


@pytest.fixture(scope="session")
def made_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a new city's folder, which is only ever copied."""
    folder = tmp_path_factory.mktemp("made") / "city"
    new_city(folder).close()
    return folder


@pytest.fixture
def city_folder(made_city: Path, tmp_path: Path) -> Path:
    """Give the folder of a new city."""
    return Path(shutil.copytree(made_city, tmp_path / "city"))


@pytest.fixture
def serve(city_folder: Path) -> Iterator[Serve]:
    """Give a function that opens and serves the city; its words go to Doors. What it gives is ended with the test."""
    ends: list[Callable[[], None]] = []

    def start(**words: Any) -> Served:
        city = City.open(city_folder)
        turns = Turns()
        doors = Doors(city, turns, **words)
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            build_site(city, doors.parts),
            log_level="critical",
            server_header=False,
            timeout_graceful_shutdown=3,
            timeout_keep_alive=IDLE_S,
        )
        server = uvicorn.Server(config)
        doors.start()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started or not thread.is_alive(), "the server starts")
        assert server.started
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        _, token = city.tokens.create("shed", ("readings", "meters"), actor="test")
        client = httpx.Client(base_url=address, timeout=PATIENCE_S, headers={"Authorization": f"Bearer {token}"})

        def end() -> None:
            if end in ends:
                ends.remove(end)
                client.close()
                server.should_exit = True
                thread.join(PATIENCE_S)
                doors.stop(PATIENCE_S)
                door.close()
                city.close()

        ends.append(end)
        return Served(doors, turns, address, client, token, end)

    yield start
    while ends:
        ends[-1]()


@pytest.fixture
def broker(tmp_path: Path, need: Need) -> Iterator[Broker]:
    """Give a broker that runs."""
    with running_broker(tmp_path / "broker", need) as running:
        yield running


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """Give a city that takes what doors deliver."""
    opened = Stand(tmp_path / "city")
    yield opened
    opened.close()
