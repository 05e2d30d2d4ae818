"""`GET /api/v1/me/export`: all that my dwelling's meters said, to be taken along."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from quintet.views.own_data import FORMS, OwnData, OwnFeed, as_csv, as_xlsx

from . import parameters
from .described import problem_of
from .identity import reader_of
from .parameters import TIMES, Parameter
from .ready import nothing

ADDRESS = "/api/v1/me/export"
FORM = Parameter("form", "How it is written.", {"type": "string", "enum": list(FORMS), "default": "csv"})
PLACE = Parameter("place", "Which of my dwellings; needed where there are several.")
FROM = Parameter("from", f"First moment: {TIMES}. Default: a year before the last.", moment=True)
TO = Parameter("to", f"First moment that no longer counts: {TIMES}. Default: now.", moment=True)
ASKED = (FORM, PLACE, FROM, TO)
GREEN_BUTTON = "greenbutton"
WriteFeed = Callable[[OwnFeed], Iterator[bytes]]
"""Writes a dwelling's channels as a Green Button feed, piece by piece."""


class OwnDataPart:
    """What the site mounts for taking one's data along (`web.site.Part`)."""

    schemas: Mapping[str, Any] = {}

    def __init__(self, now_us: Callable[[], int], write_feed: WriteFeed) -> None:
        """Give what was measured until now; `write_feed` writes Green Button."""
        self._now_us = now_us
        self._write_feed = write_feed

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The one address."""
        return [Route(ADDRESS, self._answer, methods=["GET"])]

    @property
    def paths(self) -> Mapping[str, Any]:
        """Its description."""
        content = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind, _ in FORMS.values()}
        said = {
            "summary": "All that my dwelling's meters said in my time there.",
            "operationId": "get_me_export",
            "parameters": [one.published() for one in ASKED],
            "responses": {
                "200": {"description": "A row an interval, exact; as Green Button an Atom feed.", "content": content},
                **{str(status): problem_of(status) for status in (400, 401, 403, 404)},
            },
        }
        return {ADDRESS: {"get": said}}

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    async def _answer(self, request: Request) -> Response:
        given = parameters.read(request.query_params, ASKED)
        form = parameters.one_of(str(given["form"] or "csv"), FORM)
        kind, end = FORMS[form]
        own = OwnData(reader_of(request), self._now_us())
        asked = [None if given[name] is None else str(given[name]) for name in ("place", "from", "to")]
        headers = {
            "Content-Disposition": f'attachment; filename="readings.{end}"',
            "Cache-Control": "no-store",
        }
        if form == GREEN_BUTTON:
            feed = await run_in_threadpool(own.feed, *asked)
            return StreamingResponse(self._write_feed(feed), media_type=kind, headers=headers)
        rows = await run_in_threadpool(own.rows, *asked)
        if form == "xlsx":
            return Response(await run_in_threadpool(as_xlsx, rows), media_type=kind, headers=headers)
        return StreamingResponse(as_csv(rows), media_type=kind, headers=headers)
