"""A real `serve` and a real MQTT door in processes of their own, under the load of a simulated city.

A city's meters can be shared out among several loads: then each reading has one way in, and none makes up for another.
"""

import http.client
import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.app.served import Served
from tests.broker import DEVICE_PASSWORD, DOOR_PASSWORD, DOOR_USER, Broker
from tests.program import environment

from quintet.app.city import City
from quintet.app.load import Load, LoadConfig
from quintet.ingest import Dataset, commit_readings
from quintet.simulate import SimulatedCity

from .conftest import COMMAND

PATIENCE_S = 60.0
QUEUE = Path(__file__).with_name("queue_program.py")
LOW_PORTS = range(20_000, 32_000)


def low_port() -> int:
    """Give a free port below those that the system gives to outgoing connections.

    While a server is away, who tries to reach its port again and again could be given that very port for its own end.
    """
    while True:
        port = random.choice(LOW_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Part:
    """Every `of`-th meter of a simulated city from number `which` on, as a load takes a city."""

    def __init__(self, city: SimulatedCity, which: int, of: int) -> None:
        self._city = city
        self.plan = city.plan
        self.meters = city.meters.take(list(range(which, city.meters.num_rows, of)))
        self._names = _labels(self.meters)

    def readings(self, day: date) -> pa.Table:
        return self._mine(self._city.readings(day))

    def late(self, day: date) -> pa.Table:
        return self._mine(self._city.late(day))

    def _mine(self, table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(_labels(table), value_set=self._names))


def _labels(table: pa.Table) -> pa.Array:
    words = [table[name].cast(pa.string()) for name in ("site", "meter")]
    return pc.binary_join_element_wise(*words, "\n").combine_chunks()


def register(folder: Path, meters: pa.Table) -> None:
    """Register the meters of a city that nobody owns."""
    city = City.open(folder)
    city.pipeline.register(meters, source="test", actor="test")
    city.close()


def clean_run(folder: Path, meters: pa.Table, readings: pa.Table) -> dict[str, Any]:
    """Make a city that takes all readings at once, from one file; gives the doctor's facts."""
    folder.mkdir()
    pq.write_table(readings, folder / "readings.parquet")
    City.create(folder / "city", timezone="Asia/Seoul").close()
    register(folder / "city", meters)
    city = City.open(folder / "city")
    commit_readings(city.pipeline, Dataset(folder, (folder / "readings.parquet",)), actor="test")
    city.close()
    return examined(folder / "city")


class LiveCity:
    """A city that is served on a port of its own, killed and served again; its MQTT door outlives it."""

    def __init__(
        self, folder: Path, meters: pa.Table, broker: Broker | None = None, *, queue_rows: int | None = None
    ) -> None:
        """Make the city with its meters, and settings that name the broker; `queue_rows` bounds the commit queue."""
        folder.mkdir()
        self.made = Served(folder / "city")
        register(self.made.folder, meters)
        self.folder, self.token = self.made.folder, self.made.token
        self.broker = broker
        self._command = COMMAND if queue_rows is None else [*COMMAND[:-2], str(QUEUE), str(queue_rows)]
        self.port = low_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.door: subprocess.Popen[bytes] | None = None
        self._environment = environment(QUINTET_LOG=str(folder / "events"))
        if broker is not None:
            settings = folder / "quintet.toml"
            settings.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "{DOOR_USER}"\n')
            self._environment |= {"QUINTET_MQTT_PASSWORD": DOOR_PASSWORD}
        self._door_settings = {"QUINTET_CONFIG": str(folder / "quintet.toml")}

    def begin(self) -> None:
        """Serve; does not wait for it."""
        words = ["serve", "--city", str(self.folder), "--port", str(self.port)]
        self.process = self._begin(words, self._environment)

    def begin_door(self) -> None:
        """Start the MQTT door, and wait until the broker knows it."""
        assert self.broker is not None
        words = ["door", "mqtt", "--city", str(self.folder)]
        self.door = self._begin(words, self._environment | self._door_settings)
        wait_for(lambda: self.broker.has_saved("quintet-"), "the door has no session at the broker")

    def _begin(self, words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen([*self._command, *words], stdout=subprocess.DEVNULL, stderr=log, env=environment)

    def wait_ready(self) -> None:
        """Wait until what is sent would be taken."""
        deadline = time.monotonic() + PATIENCE_S
        while self.ask("/ready") is None:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def ask(self, path: str) -> str | None:
        """Get a page; None where there is none now."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("GET", path)
            answer = line.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            line.close()
        return text if answer.status == 200 else None

    def counted(self, outcome: str, door: str = "") -> int:
        """Count the readings with an outcome (accepted, duplicate, quarantined) since it was started, of all doors."""
        lines = (self.ask("/metrics") or "").splitlines()
        begin = f"quintet_door_readings_{outcome}_total{{"
        counts = [line for line in lines if line.startswith(begin + f'door="{door}"' * bool(door))]
        return sum(int(float(line.rpartition(" ")[2])) for line in counts)

    def kill(self) -> None:
        """End it with kill -9."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End the door and the owner in order, however they stand."""
        for process in (self.door, self.process):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.door = self.process = None

    def load(self, acks: Path, city: Any, *, mqtt: bool = False, **more: Any) -> Load:
        """Prepare the load of a part of the city through one of the doors."""
        config: dict[str, Any] = {"rate": 0.0, "seconds": 86_400.0, "token": self.token, **more}
        if mqtt:
            assert self.broker is not None
            to = f"mqtt://127.0.0.1:{self.broker.port}"
            return Load(LoadConfig(to=to, acks=acks, user="loader", password=DEVICE_PASSWORD, **config), city)
        return Load(LoadConfig(to=self.address, acks=acks, **config), city)

    def verify(self, acks: Path) -> dict[str, Any]:
        """Prove a file of acknowledgements; gives what was found, whatever it is."""
        command = [*COMMAND, "load", "verify", acks, "--city", self.folder, "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        assert done.stdout, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        assert said["acknowledged"] > 0
        return said


@contextmanager
def playing(*loads: Load) -> Iterator[None]:
    """Play loads in threads until the block ends, then let them finish what is under way."""
    threads = [threading.Thread(target=load.run, name="load") for load in loads]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for load in loads:
            load.stop()
        for thread in threads:
            thread.join()


def examined(folder: Path) -> dict[str, Any]:
    """Look a city over that nobody serves: nothing is wrong, nothing stands there twice; gives the doctor's facts."""
    city = City.open(folder)
    try:
        found = city.doctor(scrub=True)
        assert [finding for finding in found.findings if finding.severity == "error"] == []
        with city.engine.snapshot() as snapshot:
            hot = "select channel, at_us, mantissa, exponent, unit from raw group by all having count(*) > 1"
            assert snapshot.rows(hot) == []
        return found.facts
    finally:
        city.close()


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Give how much memory of a process stands in RAM now, in MB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
