"""One open stream of server-sent events: a bounded queue, one task that writes, and an end for who does not read."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from quintet.views.live import Mark, News, Watch

from .live_limits import Limits


class Streams(Protocol):
    """Where streams are fed."""

    @property
    def limits(self) -> Limits:
        """The bounds."""
        ...

    async def join(self, listener: "Listener", watch: Watch, last_event_id: str) -> None:
        """Begin to feed a listener."""
        ...

    def leave(self, listener: "Listener") -> None:
        """Feed a listener no longer."""
        ...


def framed(news: News) -> bytes:
    """Write an event as it goes over the wire; JSON holds no line break.

    What goes before it has no id: who is cut off between the two has been served neither.
    """
    return _event(news.first, "") + _event(news, f"id: {news.mark}\n")


def _event(news: News | None, head: str) -> bytes:
    return b"" if news is None else f"{head}event: {news.event}\ndata: ".encode() + news.data + b"\n\n"


def beat(mark: Mark) -> bytes:
    """Write a heartbeat: a comment, and how far the listener has been served."""
    return f": beat\nid: {mark}\n\n".encode()


class Listener:
    """One client: what waits to be written to it, and since when it has taken nothing."""

    def __init__(self, transport: asyncio.WriteTransport | None, limits: Limits) -> None:
        """Hold an empty queue; `transport` is the connection itself, where the server lets us have it."""
        self._transport = transport
        self._limits = limits
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self._last = False
        self.task: asyncio.Task[None] | None = None
        self.after = Mark(0, 0)
        self.writing_since: float | None = None
        self.circle: Hashable = None
        """Among whom it is told, once it has joined."""
        self.still: Callable[[], bool] | None = None
        """Whether it may go on listening; None: always. Asked now and then, in a thread of its own."""

    def put(self, frame: bytes) -> bool:
        """Queue a frame; False when the listener lags too far behind to get it."""
        if len(self._queue) >= self._limits.queue_events or self._bytes + len(frame) > self._limits.queue_bytes:
            return False
        self._queue.append(frame)
        self._bytes += len(frame)
        self._ready.set()
        return True

    def finish(self) -> None:
        """End the stream when all that waits has been written."""
        self._last = True
        self._ready.set()

    def drop(self) -> None:
        """Cut the connection: what waits in it is of no use to anyone."""
        self._queue.clear()
        if self._transport is not None:
            self._transport.abort()
        elif self.task is not None:
            self.task.cancel()
        self.finish()

    async def write(self, send: Send) -> None:
        """Write what is queued until the stream is finished; waits while the connection takes nothing."""
        clock = asyncio.get_running_loop().time
        while True:
            if not self._queue:
                if self._last:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    return
                self._ready.clear()
                await self._ready.wait()
                continue
            body = self._queue.popleft() if len(self._queue) == 1 else b"".join(self._queue)
            self._queue.clear()
            self._bytes = 0
            self.writing_since = clock()
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self.writing_since = None


class EventStream(Response):
    """Answers with a stream that ends when the client, the site or the client's patience does."""

    def __init__(
        self,
        streams: Streams,
        watch: Watch,
        last_event_id: str,
        headers: dict[str, str],
        still: Callable[[], bool] | None = None,
        ended: Callable[[], None] | None = None,
    ) -> None:
        """Feed from `streams` what is new at a place; a client that comes back says the last event it got.

        `still` says whether the listener may go on; `ended` is called at the end, in a thread of its own.
        """
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._streams = streams
        self._watch = watch
        self._last_event_id = last_event_id
        self._still = still
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream."""
        del scope
        limits = self._streams.limits
        transport = transport_of(receive)
        if transport is not None:
            bound_buffer(transport, limits.socket_bytes)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        listener = Listener(transport, limits)
        listener.still = self._still
        listener.put(f"retry: {limits.retry_ms}\n\n".encode())
        writing = listener.task = asyncio.create_task(listener.write(send))
        leaving = asyncio.create_task(disconnected(receive))
        try:
            await self._streams.join(listener, self._watch, self._last_event_id)
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.leave(listener)
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)
            if self._ended is not None:
                await asyncio.to_thread(self._ended)


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def transport_of(receive: Receive) -> asyncio.WriteTransport | None:
    """Find the connection behind an ASGI request; None where the server hides it.

    ASGI has no word for cutting a connection whose client does not read: closing it in order would wait for him.
    """
    cycle: Any = getattr(receive, "__self__", None)
    transport: Any = getattr(cycle, "transport", None)
    return transport if hasattr(transport, "abort") else None


def bound_buffer(transport: asyncio.WriteTransport, size: int) -> None:
    """Bound what the kernel keeps for a client who does not read."""
    connection: Any = transport.get_extra_info("socket")
    if connection is not None:
        # not every loop lets its own socket object be set: this one is of the same handle, which it must not close
        same = socket.socket(fileno=connection.fileno())
        try:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
        finally:
            same.detach()
