"""Live push: `GET /api/v1/live` as server-sent events, for many listeners of few places."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import CityError
from quintet.views.identity import Reader
from quintet.views.live import Live

from . import parameters
from .live_described import LAST_EVENT_ID, PATHS, PLACE, SCHEMAS
from .live_hub import Hub
from .live_limits import Limits
from .live_stream import EventStream

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream"


class LivePart:
    """What the site mounts for live push (`web.site.Part`)."""

    def __init__(self, live: Live, limits: Limits | None = None) -> None:
        """Push to each what he may see; who has no rights of his own is given `live`."""
        self._live = live
        self.limits = limits or Limits.shipped()
        self.hub = Hub(live, self.limits)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The one address."""
        return [Route("/api/v1/live", self._answer, methods=["GET"], name="live")]

    @property
    def paths(self) -> Mapping[str, Any]:
        """Its description."""
        return PATHS

    @property
    def schemas(self) -> Mapping[str, Any]:
        """The events' contents."""
        return SCHEMAS

    def running(self) -> AbstractAsyncContextManager[None]:
        """Push while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self.hub.begin()
        try:
            yield
        finally:
            await self.hub.end()

    def stop(self) -> None:
        """Say `bye` to every listener and end the streams; may be called from any thread, before the site stops."""
        self.hub.stop()

    async def _answer(self, request: Request) -> Response:
        given = parameters.read(request.query_params, (PLACE, LAST_EVENT_ID))
        place = str(given["place"] or PLACE.schema["default"])
        known = request.headers.get("last-event-id") or str(given["last_event_id"] or "")
        # a city of many meters takes a moment to be laid out after its registry changed
        reader: Reader = request.state.reader
        watch = await asyncio.to_thread(reader.live(self._live).follow, place)
        if self.hub.full or self.hub.stopping:
            raise CityError(
                "cannot take more listeners now.",
                code="too_many_listeners",
                place="live",
                remedy="Try again after Retry-After seconds; until then ask the other addresses.",
            )
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=MEDIA_TYPE)
        still = None if reader.lasting else partial(reader.may_follow, watch, self._live)
        ended = partial(reader.live(self._live).followed, watch)
        return EventStream(self.hub, watch, known, {**HEADERS, "Content-Type": MEDIA_TYPE}, still, ended)
