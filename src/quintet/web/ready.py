"""/ready: whether what is sent now would be taken; 503 with the reason while it would not."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import QuintetError

from . import parameters
from .api import JSON
from .described import problem_of

READY = "/ready"


class ReadyPart:
    """A part of the site: one address for whoever watches over the process."""

    def __init__(self, trouble: Callable[[], QuintetError | None]) -> None:
        """Ask `trouble` at each request what stands in the way: None for nothing."""
        self._trouble = trouble

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The route."""
        return (Route(READY, self._answer, methods=["GET"]),)

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        fine = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
        responses = {"200": {"description": "What is sent is taken.", "content": {JSON: {"schema": fine}}}}
        for status in (HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            responses[str(int(status))] = problem_of(status)
        return {
            READY: {
                "get": {
                    "summary": "Whether what is sent now would be taken, and if not, why.",
                    "operationId": "get_ready",
                    "responses": responses,
                }
            }
        }

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name: none of its own."""
        return {}

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    async def _answer(self, request: Request) -> Response:
        parameters.read(request.query_params, ())
        trouble = await run_in_threadpool(self._trouble)
        if trouble is not None:
            raise trouble
        return Response(
            msgspec.json.encode({"status": "ready"}), media_type=JSON, headers={"Cache-Control": "no-store"}
        )


@asynccontextmanager
async def nothing() -> AsyncGenerator[None]:
    """Run nothing."""
    yield
