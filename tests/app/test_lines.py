"""A line that has asked nothing yet costs little: its head is bounded in bytes and time, lines in number."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from quintet.app.lines import bounded
from quintet.app.serving_limits import serving_limits

PATIENCE_S = 60
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
Start = Callable[..., int]


async def echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{len(body)}")


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that serves on a free port, with a few limits of its own."""
    ends: list[Callable[[], None]] = []

    def begin(connections: int = 50, **words: Any) -> int:
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        site = Starlette(routes=[Route("/", echo, methods=["GET", "POST"])])
        protocol = bounded(connections, replace(serving_limits(), **words))
        config = uvicorn.Config(site, http=protocol, log_level="critical", log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)

        def end() -> None:
            server.should_exit = True
            thread.join(PATIENCE_S)
            door.close()

        ends.append(end)
        return int(door.getsockname()[1])

    yield begin
    for end in ends:
        end()


def line_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def all_of(line: socket.socket) -> bytes:
    """Read until the line ends."""
    out = b""
    while part := _read(line):
        out += part
    return out


def _read(line: socket.socket) -> bytes:
    try:
        return line.recv(65_536)
    except ConnectionResetError:
        return b""


def cut_after(line: socket.socket) -> int:
    """Send for ever, until the line is cut; give how much was sent."""
    sent = 0
    try:
        while sent < 200_000_000:
            sent += line.send(b"a" * 100_000)
    except (ConnectionResetError, BrokenPipeError):
        pass
    return sent


def test_a_head_without_end_is_cut_off(start: Start) -> None:
    port = start()
    with line_to(port) as line:
        line.sendall(GET + b"X: ")
        assert cut_after(line) < 50_000_000
    with line_to(port) as line:
        line.sendall(GET + b"X: " + b"a" * 100_000)
        answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer


def test_a_chunked_body_s_trailer_without_end_is_cut_off(start: Start) -> None:
    with line_to(start()) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ")
        assert cut_after(line) < 50_000_000


def test_bodies_are_no_heads(start: Start) -> None:
    port = start(head_bytes=1_000)
    body = b"x" * 3_000_000
    with line_to(port) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3_000):
            line.sendall(b"3\r\nabc\r\n")
        line.sendall(b"0\r\n\r\n" + GET + b"Connection: close\r\n\r\n")
        answer = all_of(line)
    assert [answer.count(b"HTTP/1.1 200 OK"), b"3000000" in answer, b"9000" in answer] == [3, True, True]


@pytest.mark.parametrize("first", [b"", b"\r\n", b"GET / HTTP/1.1\r\nX: "])
@pytest.mark.parametrize("before", [False, True])
def test_a_head_that_does_not_come_is_not_waited_for(start: Start, first: bytes, before: bool) -> None:
    with line_to(start(head_s=1)) as line:
        if before:
            line.sendall(GET + b"\r\n")
            assert line.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        line.sendall(first)
        answer = all_of(line)
    assert answer.startswith(b"HTTP/1.1 408 ") or (before and not first)  # who only idles is let go without a word


def dripped(line: socket.socket) -> bytes:
    """Send a byte now and then until the line ends; give what it said, or fail when it stands for ever."""
    deadline = time.monotonic() + PATIENCE_S
    line.settimeout(0.2)
    out = b""
    while True:
        assert time.monotonic() < deadline, "the line is kept for ever"
        try:
            line.sendall(b"a")
            part = line.recv(65_536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return out
        if not part:
            return out
        out += part


def test_a_head_that_drips_in_is_not_waited_for(start: Start) -> None:
    with line_to(start(head_s=1)) as line:
        line.sendall(GET + b"X: ")
        assert dripped(line).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_nobody_reads_and_that_drips_in_is_not_waited_for(start: Start) -> None:
    with line_to(start(head_s=1)) as line:
        line.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert dripped(line).startswith(b"HTTP/1.1 404 ")


def test_a_slow_body_is_not_a_slow_head(start: Start) -> None:
    with line_to(start(head_s=1)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nx")
        time.sleep(1.5)
        line.sendall(b"x")
        assert all_of(line).startswith(b"HTTP/1.1 200 OK")


def test_too_many_lines_are_turned_away_and_those_that_stand_go_on(start: Start) -> None:
    port = start(connections=3)
    lines = [line_to(port) for _ in range(3)]
    try:
        for line in lines:
            line.sendall(GET + b"\r\n")
            assert line.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        with line_to(port) as more:
            answer = all_of(more)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in answer
        lines[0].sendall(GET + b"\r\n")
        assert lines[0].recv(65_536).startswith(b"HTTP/1.1 200 OK")
    finally:
        for line in lines:
            line.close()


def test_it_is_a_protocol_of_its_own_for_each_site() -> None:
    assert asyncio.Protocol in bounded(1).__mro__
    assert bounded(1) is not bounded(2)
