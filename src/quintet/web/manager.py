"""The building manager's addresses: three pages that need no script, and the same under /api/v1/buildings."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import Forbidden, NotFound, QuintetError
from quintet.views.answers import Answer
from quintet.views.answers_manager import BuildingAllocation, BuildingClose, BuildingVisits
from quintet.views.identity import Reader
from quintet.views.manager_words import words
from quintet.views.questions_manager import BuildingQuestions, Note, Notebook

from . import parameters as asked
from .api import HEADERS, JSON, etag_of, matches
from .described import REF, problem_of, schemas_of
from .identity import reader_of
from .manager_csv import as_csv, flat_rows, visit_rows
from .manager_html import TABS, Frame, problem_page
from .manager_pages import allocation_page, close_page, visits_page
from .page import chosen_language
from .parameters import Parameter
from .problem_words import worded
from .ready import nothing
from .rows import bounded, read_body

API = "/api/v1/buildings"
PAGE = "/building"
PEOPLE = frozenset({"person", "local"})
"""Who may write: a person who signed in, or who is at the machine."""
PERSON = "person:"
"""Begins the actor of a note that a signed-in person wrote; what follows says nothing without the city's accounts."""
PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept-Language, Cookie"}
BUILDING = Parameter("place", "A complex or a building.", required=True, where="path")
WHERE = Parameter("place", "A complex or a building (default: the first that is yours).")
MONTH = Parameter(
    "month", "The month, 2025-10 (default: the newest that is over).",
    {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
)  # fmt: skip
COMMODITY = Parameter("commodity", "The utility (default: the first with a contract of the whole complex).")
LANGUAGE = Parameter("lang", "The page's language.", {"type": "string", "enum": ["ko", "en"]})
Given = dict[str, Any]
Told = TypeVar("Told", bound=Answer)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class VisitMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody found at a meter: one of the list's `findings`, and a note."""

    channel: str
    found: str
    note: str = ""


class MonthClosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That somebody closed the list of a month; open points need a reason."""

    month: str
    reason: str = ""


class Building(Answer, frozen=True):
    """A complex or building that is the reader's."""

    place: str
    name_en: str
    name_ko: str


class Buildings(Answer, frozen=True):
    """The complexes, and the buildings in none of these, that are the reader's."""

    buildings: list[Building]


@dataclass(frozen=True, slots=True)
class Row:
    """One address of the API: what it takes and gives, and what answers."""

    path: str
    name: str
    summary: str
    answer: type[msgspec.Struct]
    parameters: tuple[Parameter, ...]
    ask: Callable[[BuildingQuestions, Given], Answer]


ROWS = (
    Row(
        "", "get_buildings", "The buildings that are mine to manage.", Buildings, (),
        lambda questions, _given: Buildings([Building(place, name.en, name.ko) for place, name in questions.mine()]),
    ),
    Row(
        "/{place}/visits", "get_building_visits", "The walk to meters that are silent, dead or of no use.",
        BuildingVisits, (BUILDING,), lambda questions, given: questions.visits(**given),
    ),
    Row(
        "/{place}/close", "get_building_close", "The list that closes a month.", BuildingClose, (BUILDING, MONTH),
        lambda questions, given: questions.close(**given),
    ),
    Row(
        "/{place}/allocation", "get_building_allocation", "A complex' bill shared over its flats, with how.",
        BuildingAllocation, (BUILDING, MONTH, COMMODITY, asked.COMMON_WON),
        lambda questions, given: questions.allocation(**given),
    ),
)  # fmt: skip
WRITES: Mapping[str, tuple[str, str, type[msgspec.Struct], type[msgspec.Struct]]] = {
    "/{place}/visits": ("post_building_visits", "Write down what was found at a meter.", VisitMade, BuildingVisits),
    "/{place}/close": (
        "post_building_close",
        "Close the list of a month; it issues no bill.",
        MonthClosed,
        BuildingClose,
    ),
}
"""By address: the operation's name, its line, its body, and its answer."""


class BuildingPart:
    """What the site mounts for building managers (`web.site.Part`)."""

    def __init__(self, notebook: Notebook, called: Callable[[str], str]) -> None:
        """Write into a notebook; `called` gives how the person of an id is called."""
        self._notebook = notebook
        self._called = called

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses; a building's id may hold a slash."""
        out: list[BaseRoute] = [
            Route(API + row.path.replace("{place}", "{place:path}"), partial(self._answer, row), methods=["GET"])
            for row in ROWS
        ]
        out += [
            Route(API + path.replace("{place}", "{place:path}"), partial(self._take, path), methods=["POST"])
            for path in WRITES
        ]
        out += [Route(f"{PAGE}/{view}", partial(self._page, view), methods=["GET"]) for view in TABS]
        out += [
            Route(PAGE, partial(self._page, TABS[0]), methods=["GET"]),
            Route(f"{PAGE}/visits", partial(self._form, "visits"), methods=["POST"]),
            Route(f"{PAGE}/close", partial(self._form, "close"), methods=["POST"]),
            Route(f"{PAGE}/visits.csv", partial(self._csv, "visits"), methods=["GET"]),
            Route(f"{PAGE}/allocation.csv", partial(self._csv, "allocation"), methods=["GET"]),
        ]
        return out

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        out: dict[str, Any] = {API + row.path: {"get": _described_get(row)} for row in ROWS}
        for path, said in WRITES.items():
            out[API + path]["post"] = _described_post(*said)
        return out

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of((*(row.answer for row in ROWS), VisitMade, MonthClosed))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    def _answer(self, row: Row, request: Request) -> Response:
        """Answer one question of the API; a sync function, which the framework gives a thread of its own."""
        given = asked.read(request.query_params, row.parameters) | asked.in_path(request.path_params, row.parameters)
        reader = reader_of(request)
        found = self._asked(reader, lambda questions: row.ask(questions, _said(given)))
        tag = etag_of(_ENCODER.encode(_undated(found)))
        headers = {**HEADERS, "ETag": tag}
        if matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(_ENCODER.encode(found), media_type=JSON, headers=headers)

    async def _take(self, path: str, request: Request) -> Response:
        asked.read(request.query_params, ())
        body = read_body(request, await bounded(request), WRITES[path][2])
        given = {"place": str(request.path_params["place"]), **msgspec.structs.asdict(body)}
        found = await run_in_threadpool(self._written, reader_of(request), path.rpartition("/")[2], given)
        return Response(_ENCODER.encode(found), 201, media_type=JSON, headers={"Cache-Control": "no-store"})

    def _asked(self, reader: Reader, ask: Callable[[BuildingQuestions], Told]) -> Told:
        """Ask with the reader's rights; to the discreet what there is not and what is not his are the same."""
        try:
            return self._named(ask(reader.questions.buildings))
        except NotFound as error:
            raise reader.veiled(error) from error

    def _written(self, reader: Reader, what: str, given: Given) -> Answer:
        """Write a note, and give the list as it is then."""
        if reader.kind not in PEOPLE:
            raise Forbidden(
                "is written by a person.", code="person_needed", place=what,
                remedy="Sign in. Programs state events at /api/v1/events.",
            )  # fmt: skip
        questions, place = reader.questions.buildings, str(given["place"])

        def write(ask: BuildingQuestions) -> Answer:
            note = self._note(ask, what, given)
            self._notebook.keep(note, reader.id if reader.kind == "local" else PERSON + reader.id)
            return questions.visits(place) if what == "visits" else questions.close(place, given["month"])

        return self._asked(reader, write)

    def _note(self, questions: BuildingQuestions, what: str, given: Given) -> Note:
        return questions.visited(**given) if what == "visits" else questions.closing(**given)

    def _named(self, found: Any) -> Any:
        """Put people's names in the place of their ids."""
        if isinstance(found, BuildingClose) and found.closed is not None:
            return _replace(found, closed=_replace(found.closed, by=self._name(found.closed.by)))
        if isinstance(found, BuildingVisits):
            lists = {name: [self._visited(one) for one in getattr(found, name)] for name in ("visits", "done")}
            return _replace(found, **lists)
        return found

    def _visited(self, one: Any) -> Any:
        if one.visited is None:
            return one
        return _replace(one, visited=_replace(one.visited, by=self._name(one.visited.by)))

    def _name(self, actor: str) -> str:
        return self._called(actor.removeprefix(PERSON)) if actor.startswith(PERSON) else actor

    def _frame(self, request: Request, view: str, given: Mapping[str, Any]) -> Frame:
        """Say what a page is made for."""
        reader = reader_of(request)
        wished = str(given.get("lang") or "") or reader.language or None
        language = chosen_language(wished, request.headers.get("accept-language", ""))
        questions = reader.questions.buildings
        mine = questions.mine()
        place = str(given.get("place") or (mine[0][0] if mine else ""))
        month = str(given.get("month") or questions.last_month())
        return Frame(language, view, place, month, [(one, getattr(name, language)) for one, name in mine])

    def _page(self, view: str, request: Request) -> Response:
        known = (WHERE, MONTH, LANGUAGE, COMMODITY, asked.COMMON_WON)
        first = {name: request.query_params.get(name) for name in ("place", "month", "lang")}
        frame = self._frame(request, view, first)
        try:
            given = asked.read(request.query_params, known)
            if view == "allocation":
                frame = frame._replace(more={
                    name: str(given[name]) for name in ("commodity", "common_won") if given.get(name) is not None
                })  # fmt: skip
            return self._shown(frame, reader_of(request), given)
        except QuintetError as error:
            return _refused(frame, error)

    def _shown(self, frame: Frame, reader: Reader, given: Mapping[str, Any]) -> Response:
        """Write a view."""
        if not frame.place:
            raise NotFound("no building is yours.", code="no_buildings", place=PAGE)
        won = given.get("common_won")
        if frame.view == "visits":
            found = self._asked(reader, lambda questions: questions.visits(frame.place))
            sure = {code: getattr(row, frame.language) for code, row in words().rows["sure"].items()}
            text = visits_page(frame, found, sure)
        elif frame.view == "close":
            text = close_page(frame, self._asked(reader, lambda questions: questions.close(frame.place, frame.month)))
        else:
            shared = self._asked(reader, lambda questions: _allocation(questions, frame, given))
            text = allocation_page(frame, shared, won)
        return HTMLResponse(text, headers={**PRIVATE, "Content-Language": frame.language})

    async def _form(self, view: str, request: Request) -> Response:
        """Take a page's form, and show the list again; what was not taken is said on the page."""
        said = {
            name: every[-1] for name, every in parse_qs((await bounded(request)).decode("utf-8", "replace")).items()
        }
        return await run_in_threadpool(self._formed, view, request, said)

    def _formed(self, view: str, request: Request, said: dict[str, str]) -> Response:
        frame = self._frame(request, view, said)
        fields = ("channel", "found", "note") if view == "visits" else ("month", "reason")
        try:
            given = {"place": frame.place, **{name: said.get(name, "") for name in fields}}
            self._written(reader_of(request), view, given)
        except QuintetError as error:
            return _refused(frame, error)
        return RedirectResponse(frame.address(view), HTTPStatus.SEE_OTHER)

    def _csv(self, view: str, request: Request) -> Response:
        given = asked.read(request.query_params, (WHERE, MONTH, LANGUAGE, COMMODITY, asked.COMMON_WON))
        frame, reader = self._frame(request, view, given), reader_of(request)
        if view == "visits":
            rows = visit_rows(self._asked(reader, lambda questions: questions.visits(frame.place)))
        else:
            rows = flat_rows(self._asked(reader, lambda questions: _allocation(questions, frame, given)))
        named = f"{view}-{frame.place.replace('/', '-')}" + ("" if view == "visits" else f"-{frame.month}")
        safe = "".join(one if one.isascii() and (one.isalnum() or one in "-_") else "_" for one in named)
        headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{safe}.csv"'}
        return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)


def _allocation(questions: BuildingQuestions, frame: Frame, given: Mapping[str, Any]) -> BuildingAllocation:
    """Ask for the shared bill that a page's address names."""
    return questions.allocation(frame.place, frame.month, given.get("commodity"), given.get("common_won"))


def _refused(frame: Frame, error: QuintetError) -> Response:
    """Write a page of what went wrong, in the reader's language."""
    code = {"forbidden": "not_your_building", "not_here": "not_your_building"}.get(error.code, error.code)
    text = problem_page(frame, code, " ".join(worded(error, frame.language)).strip())
    return HTMLResponse(text, error.status, headers={**PRIVATE, "Content-Language": frame.language})


def _said(given: Given) -> Given:
    return {name: value for name, value in given.items() if value is not None}


def _replace(struct: Any, **news: Any) -> Any:
    return msgspec.structs.replace(struct, **news)


def _undated(found: Answer) -> list[Any]:
    """Give an answer without the moment of asking, which makes no other answer of it."""
    return [getattr(found, name) for name in found.__struct_fields__ if name != "known_at"]


def _described_get(row: Row) -> dict[str, Any]:
    fine = {"description": (row.answer.__doc__ or "").split("\n")[0], "content": _content(row.answer)}
    return {
        "summary": row.summary,
        "operationId": row.name,
        "parameters": [one.published() for one in row.parameters],
        "responses": {
            "200": fine,
            "304": {"description": "Nothing has changed."},
            **{str(status): problem_of(status) for status in (400, 401, 403, 404)},
        },
    }


def _described_post(
    name: str, summary: str, body: type[msgspec.Struct], answer: type[msgspec.Struct]
) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [BUILDING.published()],
        "requestBody": {"required": True, "content": _content(body)},
        "responses": {
            "201": {"description": "Created", "content": _content(answer)},
            **{str(status): problem_of(status) for status in (400, 401, 403, 404, 413, 415, 422, 503)},
        },
    }


def _content(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}}}
