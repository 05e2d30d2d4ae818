"""`quintet bench live`: from a durable commit to thousands of listeners, and what stalled ones do to the others."""

import os
import platform
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
import pyarrow as pa
import uvicorn

from quintet.access import EVERYTHING, Feed
from quintet.pipeline.commit import Committed
from quintet.terms.errors import CityError
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions
from quintet.views.live import Live
from quintet.web.live import LivePart
from quintet.web.live_limits import Limits
from quintet.web.site import build

from .city import City

DWELLINGS = 200
"""Small on purpose: what is measured is the push, not the commit."""
SPARE_FILES = 500
PRESS_S = 0.4
SEND_BUFFER = 16_384
"""Smaller than what is shipped, so that those who stall are soon seen to."""
WAIT_S = 60.0
START = datetime(2026, 1, 4, 15, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: open streams, those of them that stall, and commits in each of the two runs."""

    listeners: int = 5000
    stalled: int = 1000
    commits: int = 40
    apart_s: float = 0.5


SMALL = Size(300, 60, 6, 0.2)


@dataclass(frozen=True, slots=True)
class Latency:
    """From durable to received, in ms over all listeners that read, and the share of events that they got."""

    p50: float
    p99: float
    most: float
    heard: float


def measure_live(*, small: bool) -> list[tuple[str, object]]:
    """Run the bench, small for the smoke test; give the figures with their names."""
    return list(run_live(SMALL if small else Size()).items())


def run_live(size: Size) -> dict[str, object]:
    """Measure with all listeners reading, then with some of them stalled; give the figures by name."""
    allow_files(size.listeners + SPARE_FILES)
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work, closing(city_of(Path(work))) as city:
        feed = Feed(city.engine, city.pipeline.registry, city.pipeline.recent)
        city.pipeline.listeners.append(feed.take)
        part = LivePart(Live(feed, EVERYTHING), bounds(size.listeners))
        site = build(Questions(city.access(EVERYTHING)), health=dict, parts=[part])
        figures: dict[str, object] = {"machine": f"{platform.machine()}, {os.cpu_count()} cores"}
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(site, log_level="critical", ws="none", backlog=4096))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
            thread.start()
            try:
                port = int(door.getsockname()[1])
                figures |= measured(city, part, port, size, 0)
                figures |= measured(city, part, port, size, size.stalled)
            finally:
                part.stop()
                server.should_exit = True
                thread.join()
        before, after = (figures[f"live_p99_ms_{stalled}_stalled"] for stalled in (0, size.stalled))
        figures["live_p99_ratio"] = round(float(str(after)) / max(float(str(before)), 0.001), 2)
        return figures


def measured(city: City, part: LivePart, port: int, size: Size, stalled: int) -> dict[str, object]:
    """Open the streams in a process of their own, commit, and read back when each listener heard of each commit."""
    memory = resident_mb()
    arguments = [str(port), str(size.listeners), str(stalled)]
    command = [sys.executable, "-m", "quintet.app.bench_listeners", *arguments]
    dropped = part.hub.counts.dropped
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
        pipe_in, pipe_out = piped(clients)
        if pipe_out.readline() != b"ready\n":
            raise CityError("the listeners did not come up.", code="bench_failed")
        opened = resident_mb()
        press(city, part, stalled)
        durable = commits(city, size)
        settle(part)
        pipe_in.write(b"end\n")
        pipe_in.flush()
        heard = msgspec.json.decode(pipe_out.readline(), type=dict[str, list[int]])
    late = latency(durable, heard, size.listeners - stalled)
    deadline = time.monotonic() + WAIT_S
    while part.hub.listeners and time.monotonic() < deadline:
        time.sleep(0.05)
    name = f"{stalled}_stalled"
    return {
        f"live_listeners_{name}": size.listeners,
        f"live_dropped_{name}": part.hub.counts.dropped - dropped,
        f"live_p50_ms_{name}": late.p50,
        f"live_p99_ms_{name}": late.p99,
        f"live_max_ms_{name}": late.most,
        f"live_heard_share_{name}": late.heard,
        f"live_memory_mb_{name}": [memory, opened, resident_mb()],
    }


def piped(clients: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    """Give the pipes of a process that was started with both."""
    if clients.stdin is None or clients.stdout is None:
        raise CityError("the listeners have no pipes.", code="bench_failed")
    return clients.stdin, clients.stdout


def commits(city: City, size: Size) -> dict[int, int]:
    """Commit one quarter hour of all dwellings at a time; give when each batch was durable (ns of the machine)."""
    durable: dict[int, int] = {}

    def note(done: Committed) -> None:
        durable[done.batch.id] = time.monotonic_ns()

    city.pipeline.listeners.insert(0, note)
    first = city.engine.last_batch
    for number in range(size.commits):
        began = time.monotonic()
        commit(city, first + number)
        time.sleep(max(0.0, size.apart_s - (time.monotonic() - began)))
    city.pipeline.listeners.pop(0)
    return durable


def press(city: City, part: LivePart, stalled: int) -> None:
    """Commit until the buffers of all that stall are full: what is measured then is measured beside them."""
    number, deadline = 0, time.monotonic() + WAIT_S
    while part.hub.blocked < stalled and time.monotonic() < deadline:
        number += 1
        commit(city, 100_000 + number, dwellings=1, quarters=90)
        time.sleep(PRESS_S)


def commit(city: City, number: int, dwellings: int = DWELLINGS, quarters: int = 1) -> None:
    """Commit some quarter hours of dwellings as one batch; each batch says something new."""
    low = number % 90 if quarters == 1 else 0
    slots = [(dwelling, slot) for dwelling in range(dwellings) for slot in range(low, low + quarters)]
    count = len(slots)
    values = [round(0.1 + (number * 7 + dwelling * 13 + slot) % 997 / 1000, 3) for dwelling, slot in slots]
    columns = {
        "site": ["b"] * count,
        "meter": [f"m{dwelling}" for dwelling, _ in slots],
        "at": [START + timedelta(minutes=15 * slot) for _, slot in slots],
        "value": values,
        "commodity": [None] * count,
        "unit": [None] * count,
        "row": list(range(1, count + 1)),
    }
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="bench", actor="bench")


def settle(part: LivePart) -> None:
    """Wait until nothing is on its way any more."""
    written = -1
    while written != part.hub.counts.written:
        written = part.hub.counts.written
        time.sleep(1)


def latency(durable: dict[int, int], heard: dict[str, list[int]], readers: int) -> Latency:
    """Compare when batches were durable with when an event that speaks of them was received.

    Commits that came close together are one event: it is held against the newest of them.
    """
    told = sorted(int(batch) for batch in heard if int(batch) in durable)
    if not told:
        return Latency(0.0, 0.0, 0.0, 0.0)
    waits = np.concatenate([(np.array(heard[str(batch)]) - durable[batch]) / 1e6 for batch in told])
    p50, p99, most = (round(float(np.quantile(waits, share)), 1) for share in (0.5, 0.99, 1.0))
    return Latency(p50, p99, most, round(len(waits) / (len(told) * readers), 4))


def city_of(work: Path) -> City:
    """Make a small city of electricity meters."""
    City.create(work / "city", timezone="Asia/Seoul").close()
    city = City.open(work / "city")
    rows = [
        {
            "site": "b",
            "building": f"{dwelling // 20}",
            "premise": f"{dwelling}",
            "meter": f"m{dwelling}",
            "commodity": "electricity",
            "unit": "kWh",
            "value_kind": "interval_sum",
            "cadence_min": 15,
            "tz": "Asia/Seoul",
            "role": "consumption",
        }
        for dwelling in range(DWELLINGS)
    ]
    city.pipeline.register(pa.Table.from_pylist(rows), source="bench", actor="bench")
    return city


def bounds(listeners: int) -> Limits:
    """Give the shipped bounds, with room for all listeners of both runs."""
    shipped = {name: getattr(Limits.shipped(), name) for name in Limits.__slots__}
    return Limits(
        **{**shipped, "listeners": max(int(shipped["listeners"]), 2 * listeners), "socket_bytes": SEND_BUFFER}
    )


def allow_files(count: int) -> None:
    """Let this process (and those it starts) open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


def resident_mb() -> int:
    """Give this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1_000_000
