"""A part that is a table: one row an address and method, from which it is routed, read, answered and described."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import BadInput, TooLarge, UnknownForm
from quintet.views.identity import Reader

from . import parameters
from .api import JSON
from .described import content_of, problem_of, schemas_of
from .identity import reader_of
from .parameters import Parameter
from .ready import nothing

API = "/api/v1"
HEADERS = {"Cache-Control": "no-store"}
MOST_BYTES = 16_384
ID = Parameter("id", "Its id.", {"type": "string", "minLength": 1, "maxLength": 64}, required=True, where="path")
_ENCODER = msgspec.json.Encoder()

Served = TypeVar("Served")
Said = Any
"""A body as it was read, None where an address takes none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a row takes it: query parameters by name (None: not given), and the body as the row's struct."""

    request: Request
    given: Mapping[str, str | int | float | None]
    said: Said

    @property
    def reader(self) -> Reader:
        """Who asks; raises Unknown where nobody signed in."""
        return reader_of(self.request)

    @property
    def id(self) -> str:
        """What the address names."""
        return str(self.request.path_params[ID.name])

    @property
    def client(self) -> str:
        """The address that asks, by which tries are counted."""
        return self.request.client.host if self.request.client is not None else ""


@dataclass(frozen=True, slots=True)
class Row(Generic[Served]):
    """One address and method: its parameters, body and answer, what answers, and with which problems.

    `work` gives the answer's struct or a response of its own; where `answer` is None, what it gives is not said. `fine`
    is the status where all is well: 204 where there is nothing to say.
    """

    method: str
    path: str
    name: str
    summary: str
    body: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    work: Callable[[Served, Call], msgspec.Struct | Response | None]
    fine: int = 200
    asked: tuple[Parameter, ...] = ()
    statuses: tuple[int, ...] = (400, 401, 403)


class TablePart(Generic[Served]):
    """What the site mounts of a table of addresses (`web.site.Part`)."""

    def __init__(self, rows: Sequence[Row[Served]], served: Served) -> None:
        """Answer each row's address with its work upon `served`."""
        self._rows = rows
        self._served = served

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses, in the table's order."""
        return [Route(API + row.path, partial(self._answer, row), methods=[row.method]) for row in self._rows]

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        out: dict[str, Any] = {}
        for row in self._rows:
            out.setdefault(API + row.path, {})[row.method.lower()] = described(row)
        return out

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of(one for row in self._rows for one in (row.body, row.answer))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    async def _answer(self, row: Row[Served], request: Request) -> Response:
        given = parameters.read(request.query_params, [one for one in row.asked if one.where == "query"])
        said = None if row.body is None else read_body(request, await bounded(request), row.body)
        found = await run_in_threadpool(row.work, self._served, Call(request, given, said))
        if isinstance(found, Response):
            return found
        if row.answer is None:
            return Response(status_code=row.fine, headers=HEADERS)
        return Response(_ENCODER.encode(found), row.fine, media_type=JSON, headers=HEADERS)


async def bounded(request: Request) -> bytes:
    """Read a body of bounded size; raises TooLarge."""
    out = bytearray()
    async for part in request.stream():
        out += part
        if len(out) > MOST_BYTES:
            raise TooLarge(
                f"is more than {MOST_BYTES} bytes.", code="too_large", remedy="Send less.", said={"most": MOST_BYTES}
            )
    return bytes(out)


def read_body(request: Request, content: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Read a body as JSON of a struct; raises UnknownForm for another form, BadInput for what does not fit."""
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form != JSON:
        raise UnknownForm(
            f"is no {JSON}.",
            code="unknown_form",
            place="Content-Type",
            remedy=f"Send {JSON}.",
            said={"form": JSON},
        )
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(
            f"does not fit: {error}.",
            code="bad_body",
            place="body",
            remedy="See /docs.",
            said={"fault": str(error)},
        ) from error


def described(row: Row[Any]) -> dict[str, Any]:
    """Describe an address; one that answers without a struct of ours and with a body says any object."""
    fine: dict[str, Any] = {"description": HTTPStatus(row.fine).phrase}
    if row.answer is not None:
        fine = {"description": (row.answer.__doc__ or "").split("\n")[0], "content": content_of(row.answer)}
    elif row.fine != HTTPStatus.NO_CONTENT:
        fine["content"] = {JSON: {"schema": {"type": "object"}}}
    statuses = row.statuses if row.body is None else (*row.statuses, 413, 415, 422)
    out: dict[str, Any] = {
        "summary": row.summary,
        "operationId": row.name,
        "responses": {str(row.fine): fine, **{str(status): problem_of(status) for status in statuses}},
    }
    if row.body is not None:
        out["requestBody"] = {"required": True, "content": content_of(row.body)}
    if row.asked:
        out["parameters"] = [one.published() for one in row.asked]
    return out
