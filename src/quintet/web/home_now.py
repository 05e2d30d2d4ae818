"""The present of a home over HTTP: most of those who ask have seen no change, and are answered without a thread."""

import gzip
from collections.abc import Awaitable, Callable

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from quintet.terms.errors import NotFound

from . import parameters as asked
from .api import HEADERS, JSON, matches
from .identity import reader_of

PATH = "/home/now"
PACKING = 1
"""How hard an answer is packed: 5 kB become 1.1 in 40 µs; harder saves a tenth and takes three times as long."""
MAKERS = 2
"""So many answers are made at a time: those at hand wait for the turns of each thread that computes."""


def answering() -> Callable[[Request], Awaitable[Response]]:
    """Give what answers a site's questions."""
    makers: list[CapacityLimiter] = []

    async def home_now(request: Request) -> Response:
        """Answer with what is kept of the home where it still stands; a thread makes what does not."""
        place = _place(request)
        reader = reader_of(request)
        try:
            held = reader.questions.home.now_at_hand(place)
        except NotFound as error:
            raise reader.veiled(error) from error
        if held is not None:
            return _tagged(request, *held)
        if not makers:
            makers.append(CapacityLimiter(MAKERS))
        return await run_sync(_made, request, place, limiter=makers[0])

    return home_now


def _made(request: Request, place: str) -> Response:
    reader = reader_of(request)
    try:
        return _tagged(request, *reader.questions.home.now_told(place))
    except NotFound as error:
        raise reader.veiled(error) from error


def _place(request: Request) -> str:
    return str(asked.read(request.query_params, (asked.DWELLING,))[asked.DWELLING.name])


def _tagged(request: Request, body: bytes, digest: str) -> Response:
    """Send an answer, packed where it may be, or say that it is what the asker has."""
    headers = {**HEADERS, "ETag": f'W/"{digest}"', "Vary": "Accept-Encoding"}
    if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, PACKING, mtime=0)
    return Response(body, media_type=JSON, headers=headers)
