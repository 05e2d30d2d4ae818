"""A city with its committer and intake in this process, and MQTT doors beside it in threads of their own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow as pa
import uvloop

from quintet.app.city import City
from quintet.app.intake import Intake
from quintet.app.mqtt_process import guarded_decode, note_trouble
from quintet.app.mqtt_settings import MqttSettings
from quintet.ingest.frames import DoorState
from quintet.ingest.mqtt_door import Door
from quintet.ingest.mqtt_limits import MqttLimits, mqtt_limits
from quintet.ingest.mqtt_parcels import Decode
from quintet.ingest.mqtt_payloads import payloads
from quintet.pipeline.grouping import Committer

from .broker import DOOR_PASSWORD, DOOR_USER, PATIENCE_S, Broker
from .conftest import Need

METERS = 100
_SHIPPED = mqtt_limits()
QUICK = msgspec.structs.replace(
    _SHIPPED,
    connection=msgspec.structs.replace(_SHIPPED.connection, first_retry_s=0.05, most_retry_s=0.2, refused_retry_s=0.3),
    again=msgspec.structs.replace(_SHIPPED.again, first_retry_s=0.05, most_retry_s=0.2),
    report=msgspec.structs.replace(_SHIPPED.report, every_s=0.1),
)
"""The shipped limits, with shorter waits."""


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true; fails naming it after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s in vain: {what}"
        time.sleep(0.01)


def meters(sites: int, count: int = METERS) -> pa.Table:
    """List `count` quarter-hour meters m0, m1, ... at each of the sites s0, s1, ..."""
    rows = [
        {
            "site": f"s{site}",
            "building": f"b{site}",
            "meter": f"m{number}",
            "commodity": "electricity",
            "unit": "kWh",
            "value_kind": "interval_sum",
            "cadence_min": 15,
            "tz": "UTC",
            "role": "consumption",
        }
        for site in range(sites)
        for number in range(count)
    ]
    return pa.Table.from_pylist(rows)


def settings_for(broker: Broker, *, user: str = DOOR_USER, password: str = DOOR_PASSWORD) -> MqttSettings:
    """Give the settings of a door at a broker of the tests."""
    return MqttSettings("127.0.0.1", broker.port, user, password, None, None, None, ("quintet/v1/#",), 1, "door")


class Stand:
    """The owner's side in this process; `doors` says what the doors report."""

    def __init__(self, folder: Path, sites: int = 2) -> None:
        """Make the city with its meters and begin to commit."""
        self.folder = folder
        self.city = City.create(folder)
        self.city.pipeline.register(meters(sites), source="meters", actor="test")
        self.committer = Committer(self.city.pipeline)
        self.committer.start()
        self.intake = Intake(folder / "run" / "ingest.sock", self.committer.submit)
        self.intake.start()

    def close(self) -> None:
        """End in the order of `serve`."""
        self.intake.stop()
        self.committer.stop(PATIENCE_S)
        self.city.close()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the hot tables."""
        with self.city.engine.snapshot() as snapshot:
            return snapshot.rows(sql)

    def stored(self) -> int:
        """Count the raw readings."""
        return int(str(self.rows("select count(*) from raw")[0][0]))

    def doubled(self) -> int:
        """Count readings that stand there more than once."""
        return len(self.rows("select channel, at_us from raw group by all having count(*) > 1"))

    def state(self) -> DoorState:
        """Give what the only door says of itself."""
        (state,) = self.intake.doors()
        return state

    def has_door(self, connected: bool = True) -> bool:
        """Say whether a door is at the broker."""
        return any(state.connected is connected for state in self.intake.doors())


@contextmanager
def running_broker(folder: Path, need: Need) -> Iterator[Broker]:
    """Run a broker below a folder until the block ends; skips where there is none."""
    need("/usr/sbin/mosquitto", "the door is tested at a real broker")
    started = Broker(folder).start()
    try:
        yield started
    finally:
        started.end()


def write_broker(folder: Path, broker: Broker, *lines: str) -> Path:
    """Write a quintet.toml that names the broker; give its path."""
    said = [f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "{DOOR_USER}"', *lines]
    (folder / "quintet.toml").write_text("\n".join(said) + "\n")
    return folder / "quintet.toml"


@contextmanager
def door_at(
    folder: Path,
    settings: MqttSettings,
    number: int = 0,
    *,
    said: list[str] | None = None,
    decode: Decode | None = None,
    limits: MqttLimits = QUICK,
) -> Iterator[None]:
    """Run a door in a thread until the block ends."""
    loop_ready = threading.Event()
    held: list[Callable[[], object]] = []
    tell = (said if said is not None else []).append

    known = payloads()

    async def work() -> None:
        end = asyncio.Event()
        held.append(lambda: loop.call_soon_threadsafe(end.set))
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(note_trouble)
        door = Door(
            number,
            settings.address(folder, number),
            settings.subscriptions(),
            payloads=replace(known, decode=guarded_decode(decode or known.decode)),
            owner=lambda: folder / "run" / "ingest.sock",
            limits=limits,
            tell=tell,
        )
        loop_ready.set()
        await door.run(end)

    thread = threading.Thread(target=uvloop.run, args=(work(),))
    thread.start()
    assert loop_ready.wait(PATIENCE_S)
    try:
        yield
    finally:
        held[0]()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def with_tls(settings: MqttSettings, broker: Broker) -> MqttSettings:
    """Give the settings for the encrypted listener."""
    return replace(settings, port=broker.tls_port, tls_ca=broker.folder / "ca.crt")
