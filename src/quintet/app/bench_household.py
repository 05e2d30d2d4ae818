"""`quintet bench household`: open pages that hear, the present of homes that is asked for, and bills; ingest goes on.

The city is served by the real `quintet serve` in one process. Pages, askers and meters are processes of their own on
the same machine; what they cost is said. Requests are due at a constant rate: waiting counts from when each was due.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from quintet.terms.errors import CityError
from quintet.terms.period import to_us

from .bench_bills import UTILITIES, measure_bills
from .bench_household_city import DAYS, QUARTER_US, Plan, make_city
from .bench_household_clients import Asked, Fed, Heard, Task
from .bench_live import piped

Put = Callable[[str, object], None]
Result = TypeVar("Result", bound=msgspec.Struct)
FEED_BEAT_S = 1.0
LOOK_S, IDLE_CORES, LONGEST_S = 4.0, 0.5, 1800.0
"""A server that needs less than so much of a core for so long has no answers to make ahead any more: looks for alerts
take a quarter of one, for as long as they take."""
SETTLE_S = 3.0
OPENED_A_SECOND = 100.0
"""Pages are opened, and ask for the first time, so many a second."""
STOP_S = 60.0
SHARES = (0.5, 0.99, 0.999)
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: homes with their days of readings, requests a second and for how long, bills."""

    households: int = 5000
    days: int = DAYS
    rate: float = 500.0
    seconds: float = 120.0
    bills: int = 17_000


SMALL = Size(24, 5, 40.0, 2.0, 30)


def measure_household(put: Put, *, small: bool, households: int | None = None) -> None:
    """Make the city, serve it, and measure; then a month's bills."""
    seconds = float(os.environ.get("QUINTET_BENCH_SECONDS", "120"))
    size = SMALL if small else Size(households or Size().households, seconds=seconds)
    put("machine", f"{platform.machine()}, {os.cpu_count()} cores")
    put("households", size.households)
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as work:
        began = time.perf_counter()
        plan = make_city(Path(work) / "city", size.households, size.days)
        put("city_made_s", round(time.perf_counter() - began, 1))
        with served(Path(work) / "city") as (port, server):
            measured(put, Served(port, server, plan, size))
    measure_bills(lambda name, value: put(f"bills_{name}", value), small=small, households=size.bills)


@dataclass(frozen=True, slots=True)
class Served:
    """A served city that is measured."""

    port: int
    server: int
    plan: Plan
    size: Size

    def task(self, what: str, rate: float = 0.0, seconds: float = 0.0, *, tags: bool = False) -> Task:
        """Give a task of a client."""
        return Task(what, self.port, self.plan, self.size.households, rate, seconds, tags)


def measured(put: Put, of: Served) -> None:
    """Open all pages, and ask at the full rate while readings come; first all homes' answers are made ahead.

    Each page asks once as it is opened, as a browser does; what came since its answer was made ahead is read then.
    """
    size = of.size
    put("memory_mb_empty", resident_mb(of.server))
    with client(of.task("feed", seconds=FEED_BEAT_S)) as feed:
        put("made_ahead_s", idle(of.server))
        put("memory_mb_made_ahead", resident_mb(of.server))
        with client(of.task("listen")) as pages:
            put("memory_mb_pages_open", resident_mb(of.server))
            say(put, "opened", run(of.task("ask", OPENED_A_SECOND, size.households / OPENED_A_SECOND), Asked))
            for name, tags in (("now", False), ("now_again", True)):
                spent = processor_s(of.server)
                asked = run(of.task("ask", size.rate, size.seconds, tags=tags), Asked)
                put(f"{name}_server_cores", round((processor_s(of.server) - spent) / size.seconds, 2))
                say(put, name, asked)
            time.sleep(SETTLE_S)
            fed = ended(feed, Fed)
            time.sleep(SETTLE_S)
            heard = ended(pages, Heard)
    put("ingest_readings", fed.readings)
    put("ingest_refused", fed.refused)
    put("ingest_readings_s", round(size.households * len(UTILITIES) * 1e6 / QUARTER_US, 1))
    put("ingest_door_ms_p50_p99", quantiles(fed.waits_ms)[:2])
    put("meters_and_pages_cpu_s", [fed.cpu_s, heard.cpu_s])
    tell(put, fed, heard)
    put("memory_mb_end", resident_mb(of.server))


def idle(process: int) -> float:
    """Wait until a process has little to do; give the seconds."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_S:
        spent = processor_s(process)
        time.sleep(LOOK_S)
        if processor_s(process) - spent < IDLE_CORES * LOOK_S:
            break
    return round(time.monotonic() - began, 1)


def say(put: Put, name: str, asked: Asked) -> None:
    """Put what askers saw."""
    put(f"{name}_requests", len(asked.waits_ms))
    put(f"{name}_statuses", asked.statuses)
    put(f"{name}_ms_p50_p99_p999", quantiles(asked.waits_ms))
    put(f"{name}_ms_most", round(max(asked.waits_ms, default=0.0), 1))
    put(f"{name}_bytes_each", round(asked.received / max(len(asked.waits_ms), 1)))
    put(f"{name}_lines", asked.lines)
    put(f"{name}_asker_late_ms_cpu_s", [round(asked.behind_ms, 1), asked.cpu_s])


def tell(put: Put, fed: Fed, heard: Heard) -> None:
    """Put how long it took from a reading's sending to its arrival at its home's page, commit included."""
    first = {(home, moment_us(start)): at for home, start, at in reversed(heard.events)}
    due = [((home, moment_us(start)), at) for home, start, at in fed.sent if at >= heard.open_ns]
    waits = [(first[key] - at) / 1e6 for key, at in due if key in first]
    put("live_events", len(waits))
    put("live_heard_share", round(len(waits) / max(len(due), 1), 4))
    put("live_ms_p50_p99_p999", quantiles(waits))
    put("live_ms_most", round(max(waits, default=0.0), 1))


def moment_us(text: str) -> int:
    """Read a moment with an offset."""
    return to_us(datetime.fromisoformat(text))


def quantiles(waits_ms: list[float]) -> list[float]:
    """Give p50, p99 and p99.9."""
    return [round(float(np.quantile(waits_ms, share)), 1) for share in SHARES] if waits_ms else [0.0] * len(SHARES)


@contextmanager
def served(folder: Path) -> Generator[tuple[int, int]]:
    """Serve a city in a process of its own; give its port and process id."""
    command = [sys.executable, "-m", "quintet", "serve", "--city", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r":(\d+)/", server.stdout.readline())
            if found is None:
                raise CityError("the city was not served.", code="bench_failed")
            yield int(found.group(1)), server.pid
        finally:
            server.terminate()
            server.wait(STOP_S)


@contextmanager
def client(task: Task) -> "Generator[subprocess.Popen[bytes]]":
    """Start a client that goes on until it is told to end; it has begun when this gives it."""
    with begun(task) as process:
        try:
            if piped(process)[1].readline() != b"ready\n":
                raise CityError(f"`{task.what}` did not come up.", code="bench_failed")
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def begun(task: Task) -> "subprocess.Popen[bytes]":
    """Start a client's process."""
    command = [sys.executable, "-m", "quintet.app.bench_household_clients"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pipe = piped(process)[0]
    pipe.write(msgspec.json.encode(task) + b"\n")
    pipe.flush()
    return process


def run(task: Task, kind: type[Result]) -> Result:
    """Run a client to its end; give what it saw."""
    with begun(task) as process:
        return msgspec.json.decode(piped(process)[1].readline(), type=kind)


def ended(process: "subprocess.Popen[bytes]", kind: type[Result]) -> Result:
    """Tell a client to end; give what it saw."""
    pipe_in, pipe_out = piped(process)
    pipe_in.write(b"end\n")
    pipe_in.flush()
    found = msgspec.json.decode(pipe_out.readline(), type=kind)
    process.wait(STOP_S)
    return found


def resident_mb(process: int) -> int:
    """Give a process's resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def processor_s(process: int) -> float:
    """Give the processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S
