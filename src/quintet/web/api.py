"""The routes of /api/v1: one table row each, answered by `views`, written exactly, with an ETag."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from quintet.views import Questions
from quintet.views.answers import (
    Answer,
    Balances,
    CityDay,
    DwellingDay,
    ExceptionDetail,
    Exceptions,
    Intervals,
    Meters,
    Places,
)

from . import parameters as asked
from .parameters import Parameter

JSON = "application/json"
HEADERS = {"Cache-Control": "private, no-cache"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One address: what it takes, what it gives, and the question behind it. `apart` is left out of the ETag."""

    path: str
    summary: str
    answer: type[Answer]
    parameters: tuple[Parameter, ...]
    ask: Callable[[Questions, Given], Answer]
    statuses: tuple[int, ...] = (400, 403, 404)
    apart: str | None = "known_at"


ROUTES = (
    Route(
        "/places",
        "Places, in order of id.",
        Places,
        (asked.LEVEL, asked.PARENT, asked.CURSOR, asked.LIMIT),
        lambda questions, given: questions.places(**_said(given)),
        apart=None,
    ),
    Route(
        "/meters",
        "Channels of meters, in order of name.",
        Meters,
        (asked.PLACE_OF_METERS, asked.COMMODITY, asked.CURSOR, asked.LIMIT),
        lambda questions, given: questions.meters(**_said(given)),
        statuses=(400, 403, 404, 422),
        apart=None,
    ),
    Route(
        "/intervals",
        "One channel's series.",
        Intervals,
        (asked.CHANNEL, asked.FROM, asked.TO, asked.RESOLUTION, asked.KNOWN_AT, asked.MAX_POINTS),
        lambda questions, given: questions.intervals(**_ranged(given)),
    ),
    Route(
        "/balances",
        "Supply against use of a place, a row a period and carrier.",
        Balances,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.BALANCED_PLACE, asked.KNOWN_AT),
        lambda questions, given: questions.balances(**_ranged(given)),
    ),
    Route(
        "/city-days",
        "A city's day by the hour: every carrier's supply against use, and self-sufficiency.",
        CityDay,
        (asked.DAY, asked.KNOWN_AT),
        lambda questions, given: questions.city_today(**_said(given)),
        statuses=(400, 403),
    ),
    Route(
        "/dwelling-days",
        "A dwelling's meters over a day, each by its own interval.",
        DwellingDay,
        (asked.DWELLING, asked.DAY, asked.KNOWN_AT),
        lambda questions, given: questions.dwelling(**_said(given)),
    ),
    Route(
        "/exceptions",
        "What broke, worst first: each item of one cause, with what is at stake and what to do.",
        Exceptions,
        (asked.STATE, asked.KIND, asked.PLACE_OF_EXCEPTIONS, asked.LIMIT),
        lambda questions, given: questions.exceptions(**_said(given)),
    ),
    Route(
        "/exceptions/{number}",
        "One exception with its channels, evidence and history.",
        ExceptionDetail,
        (asked.NUMBER,),
        lambda questions, given: questions.exception(**_said(given)),
        apart=None,
    ),
)


def router(questions: Questions) -> APIRouter:
    """Give the routes, answered by these questions."""
    out = APIRouter(prefix="/api/v1")
    for route in ROUTES:
        out.add_api_route(
            route.path,
            _endpoint(route, questions),
            methods=["GET"],
            name=route.path.strip("/"),
            summary=route.summary,
            operation_id=operation_of(route.path),
            response_class=Response,
        )
    return out


def operation_of(path: str) -> str:
    """Name the operation of an address: get_places of /places, get_exceptions_number of /exceptions/{number}."""
    return "get_" + path.strip("/").translate(str.maketrans("-/", "__", "{}"))


def _endpoint(route: Route, questions: Questions) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        given = asked.read(request.query_params, route.parameters)
        found = route.ask(questions, given | asked.in_path(request.path_params, route.parameters))
        body = _ENCODER.encode(found)
        tag = etag_of(body if route.apart is None else _without(found, route.apart))
        headers = {**HEADERS, "ETag": tag}
        if matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=JSON, headers=headers)

    return answer


def etag_of(content: bytes) -> str:
    """Give a weak tag of an answer's content.

    Weak, for the moment of asking (`known_at`, where none was asked for) is left out: the same content at two moments
    is the same answer.
    """
    return f'W/"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def matches(header: str, tag: str) -> bool:
    """Tell whether If-None-Match names a tag (RFC 9110, weak comparison)."""
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in named or tag.removeprefix("W/") in named


def _without(answer: Answer, name: str) -> bytes:
    fields = (one for one in answer.__struct_fields__ if one != name)
    return _ENCODER.encode([getattr(answer, one) for one in fields])


def _said(given: Given) -> Given:
    """Keep what was given: what was not, the question knows best."""
    return {name: value for name, value in given.items() if value is not None}


def _ranged(given: Given) -> Given:
    """Name `from` and `to` as Python can."""
    return {{"from": "start", "to": "end"}.get(name, name): value for name, value in _said(given).items()}
