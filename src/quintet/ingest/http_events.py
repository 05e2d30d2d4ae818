"""The address for events: what is stated beside the readings comes in as JSON, and is answered when it is durable.

What a statement means, and who may make one, is asked of what stands behind the door.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import NotFound

from .http_answers import PROBLEM, REF, operation
from .http_body import Room
from .http_door import beside, form_of
from .http_edits import answered, decoded, let_in, published
from .http_limits import HttpLimits, http_limits
from .http_meters import JSON

EVENTS, WITHDRAW = "/api/v1/events", "/api/v1/events/{id}/withdraw"
WORKERS = 1
"""Statements are small, and take turns anyway."""


class EventOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody states of a place or of a channel (one of them): from a moment until another, or on and on.

    `detail` names the flag of a device_flag; else it is free text.
    """

    kind: str
    start: str = msgspec.field(name="from")
    by: str
    reason: str
    end: str | None = msgspec.field(name="to", default=None)
    place: str | None = None
    channel: str | None = None
    detail: str = ""


class WithdrawOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes an event back, and why."""

    by: str
    reason: str


class ListedEvent(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One event: of what, from when until when (null: it goes on), stated by whom and why."""

    id: int
    kind: str
    place: str | None
    channel: str | None
    start: str
    end: str | None
    by: str
    reason: str
    detail: str


class EventsListed(msgspec.Struct, frozen=True):
    """The events that stand, by beginning."""

    events: list[ListedEvent]


@dataclass(frozen=True, slots=True)
class BehindEvents:
    """What stands behind: `admit` gives the source that an Authorization header proves for a right, or raises.

    `add`, `withdraw` (the event's number first) and `listed` (the query's parameters that were given, by name) give
    JSON documents of ListedEvent and EventsListed; the last text of the first two is the token's source.
    """

    admit: Callable[[str, str], str]
    add: Callable[[EventOrder, str], bytes]
    withdraw: Callable[[int, WithdrawOrder, str], bytes]
    listed: Callable[[Mapping[str, str]], bytes]


QUERY = (
    ("kind", "Only events of this kind.", {"type": "string"}),
    ("place", "Only events that touch this place: stated of it, of what holds it, or of what is in it.",
     {"type": "string"}),
    ("from", "Only events that go on at or after this moment.", {"type": "string"}),
    ("to", "Only events that begin before this moment.", {"type": "string"}),
    ("known_at", "As was known at this moment.", {"type": "string"}),
)  # fmt: skip
"""The parameters of the list: name, description, schema."""


class EventsDoor:
    """A part of the site: events are stated, withdrawn and listed here."""

    def __init__(self, behind: BehindEvents, limits: HttpLimits | None = None) -> None:
        """Stand before what keeps events."""
        self._behind = behind
        self._room = Room(limits or http_limits())
        self._working: ThreadPoolExecutor | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return (
            Route(EVENTS, self._add, methods=["POST"]),
            Route(EVENTS, self._list, methods=["GET"]),
            Route(WITHDRAW, self._withdraw, methods=["POST"]),
        )

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        add, withdraw = (
            operation(name, text, answer=ListedEvent, bodies={JSON: {"schema": {"$ref": REF.format(name=of.__name__)}}})
            for name, text, of in (
                ("post_events", "State an event; answered when it is durable.", EventOrder),
                ("post_event_withdraw", "Take an event back; answered when that is durable.", WithdrawOrder),
            )
        )
        text = "List the events that stand, by beginning."
        listed = operation("get_events", text, answer=EventsListed, bodies={})
        del listed["requestBody"]
        listed["parameters"] = [published(*one) for one in QUERY]
        number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
        withdraw["parameters"] = [
            {"name": "id", "in": "path", "required": True, "description": "The event.", "schema": number}
        ]
        for one in (add, withdraw, listed):
            one["responses"]["404"] = {"description": "Not Found", **PROBLEM}
        return {EVENTS: {"post": add, "get": listed}, WITHDRAW: {"post": withdraw}}

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        _, found = msgspec.json.schema_components([EventOrder, WithdrawOrder, EventsListed], ref_template=REF)
        return found

    def running(self) -> AbstractAsyncContextManager[None]:
        """Work while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self._working = ThreadPoolExecutor(WORKERS, "event")
        try:
            yield
        finally:
            pool, self._working = self._working, None
            pool.shutdown(wait=False, cancel_futures=True)

    async def _add(self, request: Request) -> Response:
        source = let_in(self._behind.admit, request)
        form_of(request, (JSON,), ("identity",))
        with self._room.place(source) as place:
            order = decoded(await place.read(request), EventOrder)
            return answered(await beside(self._working, partial(self._behind.add, order, source)))

    async def _withdraw(self, request: Request) -> Response:
        source = let_in(self._behind.admit, request)
        form_of(request, (JSON,), ("identity",))
        text = request.path_params["id"]
        if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) < 2**31):
            raise NotFound(f"there is no event {text}.", code="no_such_event", remedy=f"See GET {EVENTS}.")
        with self._room.place(source) as place:
            order = decoded(await place.read(request), WithdrawOrder)
            return answered(await beside(self._working, partial(self._behind.withdraw, int(text), order, source)))

    async def _list(self, request: Request) -> Response:
        let_in(self._behind.admit, request, frozenset(name for name, *_ in QUERY))
        return answered(await beside(self._working, partial(self._behind.listed, dict(request.query_params))))
