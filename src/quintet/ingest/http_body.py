"""Bodies of requests: read in pieces, never more than is allowed, and never more at once than there is room for."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import Request

from quintet.pipeline.delivery import Busy
from quintet.terms.errors import TooLarge, TooSlow

from .http_limits import HttpLimits


class Room:
    """What the door holds of bodies that are on the way; used from the event loop alone."""

    def __init__(self, limits: HttpLimits) -> None:
        """Begin empty."""
        self._limits = limits
        self.bodies = 0
        self.held_bytes = 0
        self.turned_away = 0

    @property
    def full(self) -> bool:
        """Whether the next body would be turned away."""
        return self.bodies >= self._limits.bodies or self.held_bytes >= self._limits.held_bytes

    @contextmanager
    def place(self) -> Generator["Place"]:
        """Have a place for one body, given back with all that it held; raises Busy when there is none."""
        if self.full:
            raise self.crowded()
        self.bodies += 1
        place = Place(self, self._limits)
        try:
            yield place
        finally:
            self.bodies -= 1
            self.held_bytes -= place.held

    def crowded(self) -> Busy:
        """Count a body that was turned away, and say when it may come again."""
        self.turned_away += 1
        return Busy(self._limits.retry_after_s)


class Place:
    """One body's share of the room."""

    def __init__(self, room: Room, limits: HttpLimits) -> None:
        """Begin with nothing."""
        self._room = room
        self._limits = limits
        self.held = 0

    def take(self, count: int) -> None:
        """Hold more bytes; raises Busy when all bodies together are too many."""
        if self._room.held_bytes + count > self._limits.held_bytes:
            raise self._room.crowded()
        self._room.held_bytes += count
        self.held += count

    async def read(self, request: Request) -> bytes:
        """Read a request's body whole.

        Raises TooLarge by its stated length or while it comes, Busy when there is no room, TooSlow when it does not
        come in time, and starlette's ClientDisconnect when the sender leaves.
        """
        stated = request.headers.get("content-length", "")
        if stated.isdecimal():
            if int(stated) > self._limits.body_bytes:
                raise self._too_large()
            self.take(int(stated))
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_s):
                async for part in request.stream():
                    size += len(part)
                    if size > self._limits.body_bytes:
                        raise self._too_large()
                    if size > self.held:
                        self.take(size - self.held)
                    if part:
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
