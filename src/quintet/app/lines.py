"""The lines of the site: HTTP as uvicorn reads it, with a bound on what a line may send before it has asked anything.

httptools knows no such bound: it keeps a header that never ends, and waits for ever for one that does not go on.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .serving_limits import ServingLimits, serving_limits

REFUSALS = {
    HTTPStatus.REQUEST_TIMEOUT: ("too_slow", "the head did not come in time.", "Send it at once."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("too_large", "the head is too large.", "Send fewer headers."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("too_many_connections", "too many connections are open.", "Try again in a while."),
}
RETRY_S = 2


class Line(HttpToolsProtocol):
    """One connection. `connections` is how many there may be at once; set by `bounded` in a class of its own."""

    most = 0
    limits: ServingLimits = serving_limits()

    def __init__(self, *args: Any, **words: Any) -> None:
        """Begin before the first request."""
        super().__init__(*args, **words)
        self._head = 0
        self._waiting: asyncio.TimerHandle | None = None
        self._asking = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let a line in, or turn it away where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a line."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what is neither body nor a head that ends is bounded in bytes, and a head in time."""
        if self.transport.is_closing():
            return
        self._head += len(data)
        if not self._asking and self._waiting is None:
            self._await_head()
        super().data_received(data)
        if self._head > self.limits.head_bytes and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Take a whole head."""
        self._head, self._asking = 0, True
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body: only what stands between two pieces counts as head."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request: the next one has a head again."""
        self._head, self._asking = 0, False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer; the rest of a body that nobody read must come in the time of a head."""
        super().on_response_complete()
        if self._asking and not self.transport.is_closing():
            self._await_head()

    def _await_head(self) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(self.limits.head_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why, unless an answer is on its way already, and hang up."""
        self._stop_waiting()
        cycle: Any = self.cycle  # none before the first request
        answering = cycle is not None and not cycle.response_complete
        if not answering and not self.transport.is_closing():
            self.transport.write(refusal(status))
        self.transport.close()


def bounded(connections: int, limits: ServingLimits | None = None) -> type[HttpToolsProtocol]:
    """Give the protocol of a site that takes so many connections at once."""
    return type("BoundedLine", (Line,), {"most": connections, "limits": limits or serving_limits()})


def refusal(status: HTTPStatus) -> bytes:
    """Give a whole answer that ends a line, as a problem."""
    code, detail, remedy = REFUSALS[status]
    said = {"type": f"urn:quintet:problem:{code}", "title": status.phrase, "status": status.value, "detail": detail}
    body = msgspec.json.encode({**said, "instance": "", "code": code, "place": "", "remedy": remedy})
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        *([f"retry-after: {RETRY_S}"] if status == HTTPStatus.SERVICE_UNAVAILABLE else []),
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
