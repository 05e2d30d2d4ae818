"""The site: API, description, health and page in one application, each request with the rights of who asks."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from quintet import __version__
from quintet.views import Questions
from quintet.views.identity import Reader

from . import home_now, parameters, problems
from .api import JSON, router
from .described import describe
from .guard import Guard
from .home import home_routes
from .identity import Doorkeeper, NoDoor, Signing
from .page import city_page, reference_page, to_own_page
from .signin import signin_routes

STATIC = Path(__file__).parent / "static"
ABOUT = "Reads a city's places, meters, intervals and balances. Amounts are exact decimals in the unit that is named."


class Part(Protocol):
    """What is mounted beside the pages: addresses with their description, and what runs while the site does."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Starlette routes; an error of ours that they raise is answered as a problem."""
        ...

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        ...

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name that the paths refer to."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Begin when the site begins to answer, end when it stops."""
        ...


def build(
    questions: Questions,
    *,
    health: Callable[[], dict[str, Any]],
    parts: Sequence[Part] = (),
    doorkeeper: Doorkeeper | None = None,
) -> FastAPI:
    """Build the site, with further parts mounted; without a doorkeeper everybody asks these questions.

    `health` gives a plain object for /health; a `status` in it other than "ok" is answered with 503.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as running:
            for part in parts:
                await running.enter_async_context(part.running())
            yield

    app = FastAPI(
        title="Quintet",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    keeper = doorkeeper or NoDoor(questions)
    present = home_now.answering()
    app.include_router(router({home_now.PATH: present}))
    for part in parts:
        app.router.routes.extend(part.routes)
    described: dict[str, Any] = {}

    @app.get("/health", summary="How the city and its owner are.", operation_id="get_health", response_class=Response)
    def _health(request: Request) -> Response:
        parameters.read(request.query_params, ())
        state = health()
        fine = state.get("status", "ok") == "ok"
        return Response(msgspec.json.encode(state), 200 if fine else 503, media_type=JSON)

    @app.get("/openapi.json", include_in_schema=False)
    def _openapi() -> JSONResponse:
        return JSONResponse(described)

    @app.get("/", include_in_schema=False)
    def _page(request: Request) -> Response:
        reader = getattr(request.state, "reader", None)
        if isinstance(reader, Reader) and not reader.runs_city:
            return to_own_page(reader, request.query_params.get("lang"))
        return city_page(request.query_params.get("lang"), request.headers.get("accept-language", ""))

    @app.get("/docs", include_in_schema=False)
    def _docs() -> HTMLResponse:
        return reference_page(described)

    app.router.routes.extend([*signin_routes(keeper), *home_routes()])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    described.update(describe(app, parts))
    # what is asked most is found first, without what an API route does for its parameters: a third of the time
    app.router.routes.insert(0, Route(f"/api/v1{home_now.PATH}", present, methods=["GET"]))
    app.add_middleware(Signing, doorkeeper=keeper)
    app.add_middleware(Guard, public=keeper.public)
    return app
