"""Open data over HTTP: the released months, as JSON, CSV with its description, or NGSI-LD; each with an ETag."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import UsageError
from quintet.views.answers_open import OpenData, OpenReleases
from quintet.views.open_csv import csv_bytes, description_bytes
from quintet.views.open_data import OpenQuestions
from quintet.views.open_ngsi import ngsi_bytes

from . import parameters as asked
from .api import JSON, etag_of, matches
from .described import REF, problem_of, schemas_of
from .parameters import Parameter

PATH, RELEASES = "/api/v1/open-data", "/api/v1/open-data/releases"
HEADERS = {"Cache-Control": "public, no-cache"}
CSV_NAME = "open-data?format=csv"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Form:
    """A form in which open data are given."""

    media: str
    written: Callable[[OpenData], bytes]


FORMS: Mapping[str, Form] = {
    "json": Form(JSON, _ENCODER.encode),
    "csv": Form("text/csv; charset=utf-8", csv_bytes),
    "csv-metadata": Form("application/csvm+json", lambda found: description_bytes(found, CSV_NAME)),
    "ngsi-ld": Form("application/ld+json", lambda found: ngsi_bytes(found, key_values=False)),
    "ngsi-ld-key-values": Form("application/ld+json", lambda found: ngsi_bytes(found, key_values=True)),
}
STEP = Parameter(
    "resolution",
    "Length of a period on the city's clock; below a month the privacy floor asks for more customers.",
    {"type": "string", "enum": ["month", "day", "hour"], "default": "month"},
)
FORM = Parameter(
    "format",
    "json; csv, with csv-metadata as its description (CSVW); NGSI-LD normalised or as key-values.",
    {"type": "string", "enum": list(FORMS), "default": "json"},
)
FIRST = Parameter("from", "First day of the first month: 2025-01.", required=True, moment=True)
AFTER = Parameter(
    "to", "First day after the last month: 2025-04 (days and hours: any days).", required=True, moment=True
)
PARAMETERS = (FIRST, AFTER, STEP, asked.PLACE_OF_BOOKS, FORM)


class OpenDataPart:
    """A part of the site that anybody may ask: the floor decides what is told, not who asks."""

    def __init__(self, questions: OpenQuestions) -> None:
        """Answer from these questions."""
        self._questions = questions

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return (Route(PATH, self._data, methods=["GET"]), Route(RELEASES, self._releases, methods=["GET"]))

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        schema = {"$ref": REF.format(name=OpenData.__name__)}
        content: dict[str, Any] = {JSON: {"schema": schema}}
        for form in FORMS.values():
            content.setdefault(form.media, {"schema": {"type": "string"}})
        summary = "Aggregates for everybody, of released months, under the privacy floor."
        data = _operation("get_open_data", summary, PARAMETERS, content, OpenData)
        listed = {JSON: {"schema": {"$ref": REF.format(name=OpenReleases.__name__)}}}
        summary = "The months that were told to everybody."
        return {
            PATH: {"get": data},
            RELEASES: {"get": _operation("get_open_data_releases", summary, (), listed, OpenReleases)},
        }

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of((OpenData, OpenReleases))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside the answers."""
        return _nothing()

    async def _data(self, request: Request) -> Response:
        given = asked.read(request.query_params, PARAMETERS)
        name = str(given["format"] or "json")
        form = FORMS.get(name)
        if form is None:
            raise UsageError(
                f"open data are not written as {name!r}.", code="bad_form", place="format",
                remedy=f"Known: {', '.join(FORMS)}.",
                said={"text": name, "known": list(FORMS)},
            )  # fmt: skip
        start, end = str(given["from"]), str(given["to"])
        step, place = str(given["resolution"] or "month"), str(given["place"] or "city")

        def answer() -> bytes:
            return form.written(self._questions.open_data(start, end, step, place))

        return _answered(request, await run_in_threadpool(answer), form.media)

    async def _releases(self, request: Request) -> Response:
        asked.read(request.query_params, ())
        found = await run_in_threadpool(self._questions.releases)
        return _answered(request, _ENCODER.encode(found), JSON)


def _answered(request: Request, body: bytes, media: str) -> Response:
    tag = etag_of(body)
    headers = {**HEADERS, "ETag": tag}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media, headers=headers)


def _operation(
    name: str, summary: str, parameters: Sequence[Parameter], content: Mapping[str, Any], answer: type[msgspec.Struct]
) -> dict[str, Any]:
    tag = {"ETag": {"description": "Weak tag of the content.", "schema": {"type": "string"}}}
    condition = Parameter("If-None-Match", "A tag known already; 304 when it still holds.", where="header")
    said = (answer.__doc__ or "").split("\n")[0]
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [*(one.published() for one in parameters), condition.published()],
        "responses": {
            "200": {"description": said, "headers": tag, "content": dict(content)},
            "304": {"description": "Nothing has changed.", "headers": tag},
            **{str(status): problem_of(status) for status in (400, 404, 422)},
        },
    }


@asynccontextmanager
async def _nothing() -> AsyncGenerator[None]:
    yield
