"""The other side of `quintet bench household`, each in a process of its own: pages that listen, askers, and the meters.

What to do is read from stdin as JSON, `ready` is said when it has begun, and what was seen is written when a further
line comes (or by itself). Moments are those of the machine's monotonic clock (ns), which all processes share.
"""

import asyncio
import random
import re
import sys
import time
from collections.abc import Callable

import msgspec

from quintet.terms.period import from_us

from .bench_household_city import QUARTER_US, Home, Plan
from .bench_live import allow_files
from .load_http import PATH, Line, headers_of, insist

AT_ONCE = 50
SPARE_FILES = 500
EVENT = re.compile(rb"event: intervals\ndata: ([^\n]*)\n")
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
TAG = re.compile(rb"etag: ([^\r]+)", re.IGNORECASE)
STARTS = re.compile(rb'"start":"([^"]+)"')
HEAD = b"\r\n\r\n"
LOOK_AHEAD_S = 0.0005
LATE_STEP_S = 0.1
PATIENCE_S = 60.0
NO_ANSWER = 0
"""The status of a request whose line ended before its answer came."""


class Task(msgspec.Struct, frozen=True):
    """What one process is to do; `rate` is requests a second, `tags`: asked as a browser does that kept the answer."""

    what: str
    port: int
    plan: Plan
    count: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    tags: bool = False


class Asked(msgspec.Struct, frozen=True):
    """What askers saw: ms from the moment a request was due, statuses, bytes, lines that were open, own processor s."""

    waits_ms: list[float]
    statuses: dict[int, int]
    received: int
    lines: int
    behind_ms: float
    """How late the asker itself was at most: that is in `waits_ms` too."""
    cpu_s: float


class Heard(msgspec.Struct, frozen=True):
    """What pages heard: of each (home, start of an interval) when it came; since when all were open; processor s."""

    events: list[tuple[int, str, int]]
    open_ns: int
    cpu_s: float


class Fed(msgspec.Struct, frozen=True):
    """What the meters sent: of each (home, start) when it was sent, how long the door took (ms), own processor s."""

    sent: list[tuple[int, str, int]]
    waits_ms: list[float]
    readings: int
    refused: int
    cpu_s: float


def get(port: int, path: str, cookie: str, more: str = "") -> bytes:
    """Write a request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: quintet={cookie}\r\n{more}\r\n".encode()


class Page(asyncio.Protocol):
    """One open page: notes when which interval of its home was told."""

    def __init__(
        self, home: int, events: list[tuple[int, str, int]], request: bytes, opened: Callable[[], None]
    ) -> None:
        """Note into `events`; `opened` is called when the stream is fed."""
        self._home, self._events, self._request = home, events, request
        self._opened: Callable[[], None] | None = opened
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Find whole events."""
        now, text = time.monotonic_ns(), self._rest + data
        if self._opened is not None and b": beat" in text:
            self._opened()
            self._opened = None
        end = 0
        for found in EVENT.finditer(text):
            self._events += [(self._home, start.decode(), now) for start in set(STARTS.findall(found.group(1)))]
            end = found.end()
        self._rest = text[end:] if b"event: intervals" in text[end:] else text[end:][-64:]


async def listen(task: Task) -> Heard:
    """Open the pages' streams, say so, and listen until told to end."""
    loop = asyncio.get_running_loop()
    events: list[tuple[int, str, int]] = []
    opened, kept = asyncio.Semaphore(0), list[object]()
    for number, home in enumerate(task.plan.homes[: task.count]):
        request = get(task.port, f"/api/v1/live?place={home.place}", home.cookie)
        kept.append(
            await loop.create_connection(
                lambda number=number, request=request: Page(number, events, request, opened.release),
                "127.0.0.1",
                task.port,
            )
        )
        if number >= AT_ONCE:
            await opened.acquire()
    for _ in range(min(AT_ONCE, task.count)):
        await opened.acquire()
    began, open_ns = time.process_time(), time.monotonic_ns()
    ready()
    await loop.run_in_executor(None, sys.stdin.readline)
    return Heard(events, open_ns, round(time.process_time() - began, 2))


class Asker(asyncio.Protocol):
    """One kept connection with one request under way; `free` is given the connection back with its answer."""

    def __init__(self, free: Callable[["Asker", int, bytes, int], None]) -> None:
        """Give answers back to `free`: status, head, bytes."""
        self._free = free
        self._rest = b""
        self.transport: asyncio.WriteTransport | None = None
        self.due_ns = 0
        self.home = 0
        self.asking = self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.WriteTransport):
            self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end: the server lets a line go that nobody has asked by for a while."""
        del exc
        self.closed = True
        if self.asking:
            self._free(self, NO_ANSWER, b"", 0)

    def data_received(self, data: bytes) -> None:
        """Find the end of the answer; a line that is let go may be told so unasked."""
        if not self.asking:
            return
        self._rest += data
        at = self._rest.find(HEAD)
        if at < 0:
            return
        head = self._rest[:at]
        found = LENGTH.search(head)
        size = at + len(HEAD) + (int(found.group(1)) if found else 0)
        if len(self._rest) >= size:
            self._rest = b""
            self._free(self, int(head[9:12]), head, size)


class Asking:
    """Asks at a constant rate whatever the answers do: who is slow finds more and more requests at the door."""

    def __init__(self, task: Task) -> None:
        """Ask what a task says, each time another home in an order of chance."""
        self._task = task
        self._free: list[Asker] = []
        self._all: list[Asker] = []
        self._tags: dict[int, str] = {}
        self.waits_ms: list[float] = []
        self.statuses: dict[int, int] = {}
        self.received = self.lines = self.behind_ns = 0
        self.under_way = 0

    async def ask(self) -> Asked:
        """Ask for the task's time, and wait for the last answers."""
        task, loop = self._task, asyncio.get_running_loop()
        order = random.Random(1).sample(range(task.count), task.count)
        total = int(task.rate * task.seconds)
        cpu, began = time.process_time(), time.monotonic_ns()
        for number in range(total):
            due_ns = began + int(number / task.rate * 1e9)
            while (ahead_s := (due_ns - time.monotonic_ns()) / 1e9) > 0:
                await asyncio.sleep(ahead_s if ahead_s > LOOK_AHEAD_S else 0)
            self.behind_ns = max(self.behind_ns, time.monotonic_ns() - due_ns)
            self._free = [line for line in self._free if not line.closed]
            if not self._free:
                self.lines += 1
                await loop.create_connection(lambda: self._opened(Asker(self._back)), "127.0.0.1", task.port)
            self._send(self._free.pop(), order[number % task.count], due_ns)
        deadline = time.monotonic() + 60
        while self.under_way and time.monotonic() < deadline:
            await asyncio.sleep(LATE_STEP_S)
        spent = round(time.process_time() - cpu, 2)
        await self._close()
        return Asked(self.waits_ms, self.statuses, self.received, self.lines, self.behind_ns / 1e6, spent)

    async def _close(self) -> None:
        for asker in self._all:
            if asker.transport is not None:
                asker.transport.abort()
        while not all(asker.closed for asker in self._all):
            await asyncio.sleep(0)

    def _opened(self, asker: Asker) -> Asker:
        self._free.append(asker)
        self._all.append(asker)
        return asker

    def _send(self, asker: Asker, number: int, due_ns: int) -> None:
        home, tag = self._task.plan.homes[number], self._tags.get(number)
        more = "Accept-Encoding: gzip\r\n" + (f"If-None-Match: {tag}\r\n" if tag else "")
        asker.due_ns, asker.home, asker.asking = due_ns, number, True
        self.under_way += 1
        assert asker.transport is not None
        asker.transport.write(get(self._task.port, f"/api/v1/home/now?place={home.place}", home.cookie, more))

    def _back(self, asker: Asker, status: int, head: bytes, size: int) -> None:
        self.waits_ms.append((time.monotonic_ns() - asker.due_ns) / 1e6)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.received += size
        self.under_way -= 1
        asker.asking = False
        found = TAG.search(head) if self._task.tags else None
        if found:
            self._tags[asker.home] = found.group(1).decode()
        self._free.append(asker)


async def feed(task: Task) -> Fed:
    """Send each home's five readings when they are due: those that have waited at once, then as time goes by.

    A task of `rate` 1 sends as time goes by until it is told to end; of 0 it sends one quarter hour of all at once.
    """
    line, sent, waits = Line(f"http://127.0.0.1:{task.port}"), list[tuple[int, str, int]](), list[float]()
    readings = refused = number = 0
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    cpu, until_us = time.process_time(), task.plan.filled_us
    ready()
    while not ended.done():
        now_us = time.time_ns() // 1000
        due = list(due_between(task.plan.homes, until_us, now_us))
        until_us, number = now_us, number + 1
        if due:
            began = time.monotonic_ns()
            headers = headers_of(task.plan.token, "application/json", f"{task.plan.filled_us}-{now_us}-{number}")
            # between two posts a small city is silent for longer than a server keeps a line: the same post goes again
            reply = await insist(line, PATH, headers, _body(task.plan.homes, due), PATIENCE_S)
            waits.append((time.monotonic_ns() - began) / 1e6)
            refused += reply.status != 200
            readings += len(due) * len(task.plan.homes[0].meters)
            sent += [(home, _text(start_us), began) for home, start_us in due]
        await asyncio.wait([ended], timeout=max(0.0, task.seconds - (time.time_ns() // 1000 - now_us) / 1e6))
    await line.close()
    return Fed(sent, waits, readings, refused, round(time.process_time() - cpu, 2))


def due_between(homes: list[Home], after_us: int, until_us: int) -> list[tuple[int, int]]:
    """Give (home, start) of the quarter hours whose readings were due in (after, until]."""
    out: list[tuple[int, int]] = []
    for number, home in enumerate(homes):
        late_us = QUARTER_US + home.lag_us
        first, last = ((moment - late_us) // QUARTER_US for moment in (after_us, until_us))
        out += [(number, slot * QUARTER_US) for slot in range(first + 1, last + 1)]
    return out


def _body(homes: list[Home], due: list[tuple[int, int]]) -> bytes:
    rows = [(homes[home].site, meter, start) for home, start in due for meter in homes[home].meters]
    dice = random.Random(due[0][1])
    columns = {
        "site": [site for site, _, _ in rows],
        "meter": [meter for _, meter, _ in rows],
        "ts_us": [start for _, _, start in rows],
        "value": [round(dice.uniform(0.001, 0.1), 4) for _ in rows],
    }
    return msgspec.json.encode({"columns": columns})


def _text(start_us: int) -> str:
    """Write a moment as it can be compared: in UTC."""
    return from_us(start_us).isoformat()


def ready() -> None:
    """Say that it has begun."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def _done(task: Task) -> msgspec.Struct:
    if task.what == "listen":
        return await listen(task)
    return await (feed(task) if task.what == "feed" else Asking(task).ask())


def main() -> None:
    """Do one task."""
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)
    allow_files(task.count + SPARE_FILES)
    found = asyncio.run(_done(task))
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
