"""Bodies of requests: read in pieces, never more than is allowed, and never more at once than there is room for."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import Request

from quintet.pipeline.delivery import Busy
from quintet.terms.errors import TooLarge, TooSlow

from .http_limits import HttpLimits


class Crowded(Busy):
    """The door holds as many bodies as it may, of all sources or of this one; nothing of this one was taken."""

    def __init__(self, retry_after_s: int, whose: str) -> None:
        """Say whose bodies are too many, and when to come back."""
        super().__init__(retry_after_s)
        self.message = f"{whose} bodies are on the way than the door takes at once."
        self.args = (self.message,)


class Room:
    """What the door holds of bodies that are on the way; used from the event loop alone."""

    def __init__(self, limits: HttpLimits) -> None:
        """Begin empty."""
        self._limits = limits
        self.bodies = 0
        self.held_bytes = 0
        self.turned_away = 0
        self._bodies_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether the next body would be turned away."""
        return self.bodies >= self._limits.bodies or self.held_bytes >= self._limits.held_bytes

    @contextmanager
    def place(self, source: str) -> Generator["Place"]:
        """Have a place for one body of a source, given back with all that it held; raises Busy when there is none."""
        if self.full:
            raise self._crowded("more")
        if self._bodies_of[source] >= self._limits.source_bodies:
            raise self._crowded("more of this source's")
        self.bodies += 1
        self._bodies_of[source] += 1
        place = Place(self, self._limits, source)
        try:
            yield place
        finally:
            self.bodies -= 1
            self._bodies_of[source] -= 1
            self.hold(source, -place.held)
            if not self._bodies_of[source]:
                del self._bodies_of[source], self._bytes_of[source]

    def hold(self, source: str, count: int) -> None:
        """Hold more bytes of a source, or less; raises Busy when they are too many."""
        if count > 0 and self.held_bytes + count > self._limits.held_bytes:
            raise self._crowded("more")
        if count > 0 and self._bytes_of[source] + count > self._limits.source_bytes:
            raise self._crowded("more of this source's")
        self.held_bytes += count
        self._bytes_of[source] += count

    def _crowded(self, whose: str) -> Busy:
        """Count a body that was turned away, and say when it may come again."""
        self.turned_away += 1
        return Crowded(self._limits.retry_after_s, whose)


class Place:
    """One body's share of the room."""

    def __init__(self, room: Room, limits: HttpLimits, source: str) -> None:
        """Begin with nothing."""
        self._room = room
        self._limits = limits
        self._source = source
        self.held = 0

    def _take(self, count: int) -> None:
        self._room.hold(self._source, count)
        self.held += count

    async def read(self, request: Request) -> bytes:
        """Read a request's body whole.

        Room is taken for what has come, not for what is announced: who sends nothing keeps nobody out. Raises TooLarge
        by the stated length or while it comes, Busy when there is no room, TooSlow when it does not come in time, and
        starlette's ClientDisconnect when the sender leaves.
        """
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._limits.body_bytes:
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_s):
                async for part in request.stream():
                    size += len(part)
                    if size > self._limits.body_bytes:
                        raise self._too_large()
                    if part:
                        self._take(len(part))
                        parts.append(part)
        except TimeoutError as error:
            raise TooSlow(
                f"did not come whole within {self._limits.body_s} s.",
                code="too_slow",
                place="the body",
                remedy="Send less at once.",
            ) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"is larger than {self._limits.body_bytes:,} bytes.",
            code="too_large",
            place="the body",
            remedy="Send it in several requests, or packed (Content-Encoding: zstd or gzip).",
        )
