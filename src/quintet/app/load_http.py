"""Plays messages to the HTTP door: as many lines as clients, each kept open, one request on it at a time."""

import asyncio
import random
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from quintet.terms.errors import CityError

from .load_acks import Acks
from .load_limits import LIMITS
from .load_plan import LoadConfig, Message, Tally

PATH = "/api/v1/readings:batch"
AGAIN = frozenset({429, 503})
"""Answers that ask for patience: the same message is sent again, after the time that they name."""


class Next(Protocol):
    """Gives messages when they are due; None at the end."""

    async def __call__(self) -> Message | None:
        """Wait for the next message's turn."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A door's answer: its status, headers in lower case, its body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One kept connection to a server, opened when it is needed."""

    def __init__(self, to: str) -> None:
        """Remember where to."""
        parts = urlsplit(to)
        self.host, self.secure = parts.hostname or "127.0.0.1", parts.scheme == "https"
        self.port = parts.port or (443 if self.secure else 80)
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, headers: str, body: bytes, stall_s: float = 0.0) -> Reply:
        """Post a body and read the answer; raises OSError or EOFError when the line breaks.

        `headers` are whole lines; `stall_s` pauses half-way through the body.
        """
        if self._line is None:
            context = ssl.create_default_context() if self.secure else None
            self._line = await asyncio.open_connection(self.host, self.port, ssl=context, limit=1 << 20)
        reader, writer = self._line
        first = f"POST {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{headers}"
        request = f"{first}Content-Length: {len(body)}\r\n\r\n".encode()
        if stall_s:
            writer.write(request + body[: len(body) // 2])
            await writer.drain()
            await asyncio.sleep(stall_s)
            writer.write(body[len(body) // 2 :])
        else:
            writer.write(request + body)
        await writer.drain()
        raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        said = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in raw[1:] if line)}
        content = await reader.readexactly(int(said.get("content-length", "0")))
        if said.get("connection", "").lower() == "close":
            await self.close()
        return Reply(int(raw[0].split(" ", 2)[1]), said, content)

    async def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            writer, self._line = self._line[1], None
            writer.close()
            with suppress(OSError, asyncio.IncompleteReadError):
                await writer.wait_closed()


def headers_of(token: str, media_type: str, key: str = "") -> str:
    """Give the header lines of a request: the body's type, the right to send it, the key to repeat it by."""
    right = f"Authorization: Bearer {token}\r\n" if token else ""
    once = f"Idempotency-Key: {key}\r\n" if key else ""
    return f"Content-Type: {media_type}\r\n{right}{once}"


async def insist(line: Line, path: str, headers: str, body: bytes, patience_s: float) -> Reply:
    """Post what may safely be posted twice, until it is answered for good; after the patience the last answer counts.

    Raises CityError where there was none at all.
    """
    deadline = time.monotonic() + patience_s
    wait_s = LIMITS.first_wait_ms / 1000
    while True:
        reply = await _asked(line, path, headers, body)
        if reply is not None and reply.status not in AGAIN:
            return reply
        if time.monotonic() > deadline:
            break
        wait_s = min(wait_s * 2, 1.0)
        await asyncio.sleep(wait_s if reply is None else _pause_s(reply))
    if reply is None:
        raise CityError(
            f"nobody answered within {patience_s:.0f} s.",
            code="no_answer",
            place=f"{line.host}:{line.port}",
            remedy="Start `quintet serve`, or name its address with --to.",
        )
    return reply


async def _asked(line: Line, path: str, headers: str, body: bytes, stall_s: float = 0.0) -> Reply | None:
    """Post once; None where the line broke or nothing came in time."""
    try:
        async with asyncio.timeout(LIMITS.answer_s):
            return await line.ask(path, headers, body, stall_s)
    except (OSError, EOFError, TimeoutError):
        await line.close()
        return None


def _pause_s(reply: Reply) -> float:
    """Give how long to wait as an answer asks, spread where it is long: not all clients come back at once."""
    asked = reply.headers.get("retry-after", "1")
    pause = min(float(asked) if asked.isdecimal() else 1.0, LIMITS.longest_wait_s)
    return pause * random.uniform(0.5, 1.0) if pause > 1 else pause


async def play(config: LoadConfig, media_type: str, following: Next, acks: Acks, tally: Tally) -> None:
    """Play until there is no next message; what is under way is brought to an end within the patience."""
    clients = [_Client(config, media_type, acks, tally) for _ in range(config.clients)]
    await asyncio.gather(*(client.play(following) for client in clients))


class _Client:
    def __init__(self, config: LoadConfig, media_type: str, acks: Acks, tally: Tally) -> None:
        self._config, self._media_type, self._acks, self._tally = config, media_type, acks, tally
        self._line = Line(config.to)
        self._count = 0

    async def play(self, following: Next) -> None:
        while (message := await following()) is not None:
            await self._deliver(message)
        await self._line.close()

    async def _deliver(self, message: Message) -> None:
        """Send one message until it is answered for good, or patience ends."""
        tally = self._tally
        tally.sent += 1
        tally.sent_readings += len(message.parcel)
        self._count += 1
        stall_s = self._config.mischief.stall_s if self._count % LIMITS.stall_one_in == 0 else 0.0
        deadline = time.monotonic() + self._config.patience_s
        wait_s = LIMITS.first_wait_ms / 1000
        while True:
            began = time.monotonic()
            reply = await self._once(message, stall_s)
            if reply is not None and reply.status not in AGAIN:
                self._answered(message, reply, time.monotonic() - began)
                return
            if time.monotonic() > deadline:
                tally.given_up += 1
                return
            tally.retried += 1
            if reply is None:
                wait_s = min(wait_s * 2, 1.0)
                await asyncio.sleep(wait_s)
            else:
                tally.refused[str(reply.status)] += 1
                await asyncio.sleep(_pause_s(reply))

    async def _once(self, message: Message, stall_s: float) -> Reply | None:
        headers = headers_of(self._config.token, self._media_type, message.key)
        reply = await _asked(self._line, PATH, headers, message.payload, stall_s)
        self._tally.broken += reply is None
        return reply

    def _answered(self, message: Message, reply: Reply, took_s: float) -> None:
        """Count an answer, and note which readings it acknowledges."""
        tally = self._tally
        tally.latency_s.append(took_s)
        if reply.status != 200:
            tally.refused[str(reply.status)] += 1
            tally.turned_down += 1
            return
        said: dict[str, Any] = msgspec.json.decode(reply.body)
        tally.accepted += said["accepted"]
        tally.duplicate += said["duplicate"]
        bad = len(message.parcel) - said["accepted"] - said["duplicate"]
        parcel = message.parcel
        if bad:
            tally.rejected += bad
            named = [row["index"] for row in said["rejected"]]
            if len(named) < bad:
                return  # the list is cut: which of them were taken is not known
            parcel = parcel.without(named)
        tally.acked += 1
        tally.acked_readings += len(parcel)
        self._acks.add(parcel, said["batch"])
