"""The listeners of `quintet bench live`, in a process of their own: raw sockets that note when each batch arrives."""

import asyncio
import re
import socket
import sys
import time
from collections.abc import Callable

import msgspec

STALLED_BUFFER = 4096
AT_ONCE = 100
EVENT = re.compile(rb"id: (\d+)-\d+\nevent: intervals\n")
TAIL = 64
"""Bytes kept of what was read, so that a head that is cut between two reads is found."""


class Reader(asyncio.Protocol):
    """One listener that reads: notes the batch of every event and the moment it came."""

    def __init__(self, heard: dict[int, list[int]], request: bytes, open_: Callable[[], None]) -> None:
        """Note into `heard`; `open_` is called when the stream is fed."""
        self._heard = heard
        self._request = request
        self._open: Callable[[], None] | None = open_
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Find heads of events."""
        now = time.monotonic_ns()
        text = self._rest + data
        if self._open is not None and b": beat" in text:
            self._open()
            self._open = None
        end = 0
        for found in EVENT.finditer(text):
            self._heard.setdefault(int(found.group(1)), []).append(now)
            end = found.end()
        self._rest = text[max(end, len(text) - TAIL) :]


async def listen(port: int, count: int, stalled: int) -> None:
    """Open the streams, say so, read until told to end, and print when each batch was heard."""
    loop = asyncio.get_running_loop()
    heard: dict[int, list[int]] = {}
    request = f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    kept: list[object] = []
    for _ in range(stalled):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER)
        one.setblocking(False)
        await loop.sock_connect(one, ("127.0.0.1", port))
        await loop.sock_sendall(one, request)
        kept.append(one)
    opened = asyncio.Semaphore(0)
    for number in range(count - stalled):
        kept.append(await loop.create_connection(lambda: Reader(heard, request, opened.release), "127.0.0.1", port))
        if number >= AT_ONCE:
            await opened.acquire()
    for _ in range(min(AT_ONCE, count - stalled)):
        await opened.acquire()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.readline)
    sys.stdout.buffer.write(msgspec.json.encode({str(batch): moments for batch, moments in heard.items()}) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(listen(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
