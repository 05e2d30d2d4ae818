"""The site: API, description, health and page in one application, for this machine only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from quintet import __version__
from quintet.views import Questions

from . import parameters, problems
from .api import JSON, router
from .described import describe
from .guard import Guard
from .page import city_page, reference_page

STATIC = Path(__file__).parent / "static"
ABOUT = "Reads a city's places, meters, intervals and balances. Amounts are exact decimals in the unit that is named."


def build(questions: Questions, *, health: Callable[[], dict[str, Any]]) -> FastAPI:
    """Build the site over one reader's questions.

    `health` gives a plain object for /health; a `status` in it other than "ok" is answered with 503.
    """
    app = FastAPI(
        title="Quintet", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, openapi_url=None
    )
    problems.install(app)
    app.include_router(router(questions))
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
    def _page(request: Request) -> HTMLResponse:
        return city_page(request.query_params.get("lang"), request.headers.get("accept-language", ""))

    @app.get("/docs", include_in_schema=False)
    def _docs() -> HTMLResponse:
        return reference_page(described)

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    described.update(describe(app))
    app.add_middleware(Guard)
    return app
