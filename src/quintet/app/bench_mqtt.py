"""`quintet bench mqtt`: readings through a real broker, doors in processes of their own and a real `serve`.

A simulated city's day in order of time, as single readings and as concentrators' batches of 200, published at QoS 1 as
fast as it goes by processes that send packets made before. The clock runs from the first packet to the moment that the
last batch bears, which its own commit follows; the seconds of processor time of each process tell what limits. The
broker has the configuration that ships, but lets everybody in.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from zlib import crc32

from quintet.simulate import CityPlan, SimulatedCity, simulate_city
from quintet.simulate.stream import Traffic
from quintet.terms.errors import CityError

from .bench_days import START
from .bench_peers import free_port
from .bench_publisher import Packets, cpu_s
from .bench_quintet import TIMEZONE
from .city import City
from .load_bodies import mqtt_messages

PUBLISHERS = 2
BATCH = 200
SINGLES, IN_BATCHES = 300_000, 2_000_000
POLL_S = 0.25
PATIENCE_S = 300.0
ACCEPTED = re.compile(r'^quintet_door_readings_accepted_total\{door="mqtt"\} (\S+)', re.MULTILINE)
DOOR_UP = re.compile(r'^quintet_door_up\{door="mqtt[^"]*"\} 1', re.MULTILINE)
WHERE_BROKERS_ARE = "/usr/sbin:/usr/bin:/usr/local/sbin"


@dataclass(frozen=True)
class Round:
    """One measurement: how many doors, how many readings a message, how many readings."""

    name: str
    doors: int
    each: int
    readings: int


def measure_mqtt(put: Callable[[str, object], None], *, small: bool) -> None:
    """Measure both kinds of messages with one and with two doors; says so where there is no broker."""
    program = shutil.which("mosquitto", path=WHERE_BROKERS_ARE)
    if program is None:
        put("mqtt", "mosquitto is not installed")
        return
    share = 100 if small else 1
    rounds = [
        Round(f"mqtt_{name}_doors_{doors}", doors, each, readings // share)
        for name, each, readings in (("single", 1, SINGLES), ("batches_of_200", BATCH, IN_BATCHES))
        for doors in ((1,) if small else (1, 2))
    ]
    city = simulate_city(CityPlan(start=START, days=1, households=60 if small else 17_000, tz=TIMEZONE, faults=False))
    put("mqtt_channels", len(city.meters))
    for one in rounds:
        with tempfile.TemporaryDirectory(prefix="quintet-bench-", ignore_cleanup_errors=True) as work:
            put(one.name, played(one, city, Path(work), program))


def played(one: Round, city: SimulatedCity, folder: Path, program: str) -> dict[str, object]:
    """Play one round in a city of its own; give rates and the processor time of each process."""
    packets = written(one, city, folder)
    readings = sum(each.readings for each in packets)
    owner = City.create(folder / "city", timezone=TIMEZONE)
    owner.pipeline.register(city.meters, settings=city.settings, source="bench", actor="bench")
    owner.close()
    with ExitStack() as stack:
        port = free_port()
        broker = stack.enter_context(subprocess.Popen([program, "-c", configured(folder, port)]))
        stack.callback(ended, broker)
        serve = subprocess.Popen(
            [sys.executable, "-m", "quintet", "serve", "--city", str(folder / "city"), "--port", "0"],
            stdout=subprocess.PIPE, env={**_plain(), "QUINTET_CONFIG": settings(folder, port, one.doors)},
        )  # fmt: skip
        stack.enter_context(serve)
        stack.callback(ended, serve)
        where = f"http://127.0.0.1:{urlsplit(_first_line(serve)).port}/metrics"
        waited(lambda: len(DOOR_UP.findall(said(where))) == one.doors, "the doors")
        doors = _children(serve.pid)
        before = {pid: cpu_s(pid) for pid in (serve.pid, broker.pid, *doors)}
        publishers = [
            subprocess.Popen(
                [sys.executable, "-m", "quintet.app.bench_publisher", str(port), str(each.file)],
                stdout=subprocess.PIPE, text=True,
            )
            for each in packets
        ]  # fmt: skip
        waited(lambda: accepted(where) >= readings, "all readings")
        spent = {pid: round(cpu_s(pid) - before[pid], 2) for pid in before}
        clocks = [[float(word) for word in publisher.communicate()[0].split()] for publisher in publishers]
    began_s = min(first for first, _ in clocks)
    lasted = last_batch_s(folder / "city") - began_s
    return {
        "messages_s": round(sum(each.messages for each in packets) / lasted),
        "readings_s": round(readings / lasted),
        "seconds": round(lasted, 2),
        "broker_took_all_after_s": round(max(last for _, last in clocks) - began_s, 2),
        "cpu_s_owner": spent[serve.pid],
        "cpu_s_doors": [spent[pid] for pid in doors],
        "cpu_s_broker": spent[broker.pid],
    }


def written(one: Round, city: SimulatedCity, folder: Path) -> list[Packets]:
    """Write the packets of a round to files, one for each publisher; a topic's messages are all by the same one."""
    traffic = Traffic(city)
    write = mqtt_messages(traffic.names)
    out = [Packets(folder / f"packets-{number}") for number in range(PUBLISHERS)]
    count = 0
    for parcel in traffic.parcels(city.plan.day(0), one.each, by_site=True):
        topic, payload = write(parcel)
        out[crc32(topic.encode()) % PUBLISHERS].add(topic, payload, len(parcel))
        count += len(parcel)
        if count >= one.readings:
            break
    for each in out:
        each.close()
    return out


def configured(folder: Path, port: int) -> str:
    """Write the shipped configuration of the broker with one plain listener that lets everybody in; give its path."""
    text = files("quintet.ingest").joinpath("data", "mosquitto.conf").read_text(encoding="utf-8")
    head, _, rest = text.partition("listener @TLS_PORT@")
    text = head + rest[rest.index("listener @PORT@") :]
    lines = [line for line in text.splitlines() if not line.startswith(("password_file", "acl_file", "log_type"))]
    lines = [line.replace("allow_anonymous false", "allow_anonymous true") for line in lines]
    state = folder / "broker"
    state.mkdir(mode=0o777)
    state.chmod(0o777)  # a broker that is started as root gives that up
    folder.chmod(0o755)
    file = folder / "mosquitto.conf"
    said = "\n".join(lines).replace("@STATE@", str(state)).replace("@PORT@", str(port))
    file.write_text(f"{said}\nlog_type error\n", encoding="utf-8")
    return str(file)


def settings(folder: Path, port: int, doors: int) -> str:
    """Write the settings of `serve`; give their path."""
    file = folder / "quintet.toml"
    file.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ndoors = {doors}\n', encoding="utf-8")
    return str(file)


def last_batch_s(folder: Path) -> float:
    """Give the moment of the newest batch of readings, in seconds since 1970."""
    city = City.open(folder)
    try:
        with city.engine.snapshot() as snapshot:
            return int(snapshot.rows("select max(received_us) from batch where kind = 'readings'")[0][0]) / 1e6
    finally:
        city.close()


def said(where: str) -> str:
    """Read the owner's metrics."""
    with urllib.request.urlopen(where, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


def accepted(where: str) -> float:
    """Give how many readings of the MQTT doors are durable."""
    found = ACCEPTED.search(said(where))
    return float(found.group(1)) if found else 0.0


def waited(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true; raises CityError naming it after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise CityError(f"waited in vain for {what}.", code="bench_stuck", remedy="Look at what it said above.")
        time.sleep(POLL_S)


def ended(process: "subprocess.Popen[bytes]") -> None:
    """End a process as an operator would."""
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_S)


def _first_line(process: "subprocess.Popen[bytes]") -> str:
    return process.stdout.readline().decode().strip() if process.stdout is not None else ""


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("QUINTET_")}


def _children(pid: int) -> list[int]:
    """Give the processes that another one started, from whichever of its threads."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted(int(word) for file in found for word in file.read_text(encoding="ascii").split())
