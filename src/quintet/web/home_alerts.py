"""The addresses of alerts: what a household is told of by itself, what it calls no problem, and its budget."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.alert import Alert
from quintet.terms.errors import BadInput, Forbidden, NotFound
from quintet.terms.period import from_us
from quintet.views.answers_alerts import BudgetAsked, HomeAlert, HomeAlertList, HomeBudget
from quintet.views.home_alerts import HomeAlertQuestions
from quintet.views.identity import Reader

from . import parameters
from .accounts import bounded, read_body, shown
from .api import JSON
from .described import REF, path_items, problem_of, schemas_of
from .identity import reader_of
from .page import chosen_language
from .parameters import DWELLING, Parameter
from .ready import nothing

API = "/api/v1"
LANGUAGE = Parameter(
    "language", "In which language it is said; default: the reader's own.", {"type": "string", "enum": ["en", "ko"]}
)
ENDED_DAYS = Parameter(
    "ended_days", "Also those that ended in so many days.",
    {"type": "integer", "minimum": 0, "maximum": 3650, "default": 30},
)  # fmt: skip
ID = Parameter("id", "An alert's id.", required=True, where="path")


class AlertDesk(Protocol):
    """What a served city does with alerts."""

    def now_us(self) -> int:
        """Give the present moment in microseconds since 1970."""
        ...

    def looked_us(self, place: str) -> int | None:
        """Give when a dwelling was looked at last since this process began; None: not yet."""
        ...

    def alert(self, number: str) -> Alert:
        """Find an alert by its id; raises NotFound."""
        ...

    def dismiss(self, number: str, by: str) -> Alert:
        """Call an alert no problem; raises BadInput for one that has ended."""
        ...

    def undo(self, number: str, by: str) -> Alert:
        """Take that back; raises as `dismiss` does."""
        ...

    def budget_bounds(self) -> tuple[int, int]:
        """Give the least and the most that a budget may be, in won."""
        ...

    def set_budget(self, place: str, won: int | None, tenancy_us: int, by: str) -> None:
        """Set or take away a household's budget."""
        ...


Said = Any
"""A body as it was read, None where an address takes none."""
Work = Callable[["AlertsPart", Request, Said], msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Row:
    """One address and method: its parameters, its body as a struct, what answers, and with which problems."""

    method: str
    path: str
    name: str
    summary: str
    asked: tuple[Parameter, ...]
    body: type[msgspec.Struct] | None
    work: Work
    answer: type[msgspec.Struct]
    statuses: tuple[int, ...] = (400, 401, 403, 404, 422)


class AlertsPart:
    """What the site mounts for alerts (`web.site.Part`)."""

    def __init__(self, desk: AlertDesk) -> None:
        """Answer through a desk."""
        self.desk = desk

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses."""
        return [Route(API + row.path, partial(self._answer, row), methods=[row.method]) for row in ROWS]

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        return path_items(API, ROWS, _described)

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of(one for row in ROWS for one in (row.body, row.answer))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it: what looks is the owner's."""
        return nothing()

    async def _answer(self, row: Row, request: Request) -> Response:
        said = None if row.body is None else read_body(request, await bounded(request), row.body)
        reader = reader_of(request)
        try:
            return shown(await run_in_threadpool(row.work, self, request, said))
        except NotFound as error:
            raise reader.veiled(error) from error


def alerts(part: AlertsPart, request: Request, _said: Said) -> HomeAlertList:
    """List a home's alerts."""
    given = parameters.read(request.query_params, (DWELLING, LANGUAGE, ENDED_DAYS))
    reader, place = reader_of(request), str(given["place"])
    days = given["ended_days"]
    now_us = part.desk.now_us()
    return reader.ask(HomeAlertQuestions).alerts(
        place, _language(request, reader, given["language"]), now_us, part.desk.looked_us(place),
        ended_days=30 if days is None else parameters.within(days, ENDED_DAYS),
        may_dismiss=lives_there(reader, place, now_us),
    )  # fmt: skip


def no_problem(part: AlertsPart, request: Request, _said: Said) -> HomeAlert:
    """Call an alert no problem."""
    return _stepped(part, request, part.desk.dismiss)


def a_problem(part: AlertsPart, request: Request, _said: Said) -> HomeAlert:
    """Take back that an alert is no problem."""
    return _stepped(part, request, part.desk.undo)


def _stepped(part: AlertsPart, request: Request, step: Callable[[str, str], Alert]) -> HomeAlert:
    given = parameters.read(request.query_params, (LANGUAGE,))
    reader, number = reader_of(request), str(request.path_params["id"])
    questions, place = reader.ask(HomeAlertQuestions), part.desk.alert(number).place
    questions.find(place, number)
    refuse_others(reader, place, part.desk.now_us())
    language = _language(request, reader, given["language"])
    return questions.one(step(number, reader.id), language, may_dismiss=True)


def budget(part: AlertsPart, request: Request, _said: Said) -> HomeBudget:
    """Give a home's budget."""
    given = parameters.read(request.query_params, (DWELLING,))
    reader = reader_of(request)
    return reader.ask(HomeAlertQuestions).budget(str(given["place"]), reader.id, part.desk.budget_bounds())


def set_budget(part: AlertsPart, request: Request, said: BudgetAsked) -> HomeBudget:
    """Set or take away a home's budget."""
    parameters.read(request.query_params, ())
    reader, bounds = reader_of(request), part.desk.budget_bounds()
    questions = reader.ask(HomeAlertQuestions)
    tenancy_us = questions.tenancy_us(said.place)
    refuse_others(reader, said.place, part.desk.now_us())
    if said.won is not None and not bounds[0] <= said.won <= bounds[1]:
        raise BadInput(
            f"{said.won:,} won is no budget of a month.",
            code="bad_budget",
            place="won",
            remedy=f"Say {bounds[0]:,} to {bounds[1]:,} won, or null for none.",
        )
    part.desk.set_budget(said.place, said.won, tenancy_us, reader.id)
    return questions.budget(said.place, reader.id, bounds)


def lives_there(reader: Reader, place: str, now_us: int) -> bool:
    """Tell whether a reader speaks for a home: who lives there now himself, or whoever is at the machine."""
    if reader.kind == "local":
        return True
    now = from_us(now_us)
    return reader.kind == "person" and any(
        home.place == place and (home.since is None or home.since <= now) and (home.until is None or now < home.until)
        for home in reader.homes
    )


def refuse_others(reader: Reader, place: str, now_us: int) -> None:
    """Raise Forbidden for who does not live there: what is no problem is for the household to say."""
    if not lives_there(reader, place, now_us):
        raise Forbidden(
            "is for those who live there to say.",
            code="not_your_home",
            place=place,
            remedy="Sign in as a resident of this home.",
        )


def _language(request: Request, reader: Reader, asked: object) -> str:
    if asked is not None:
        return parameters.one_of(str(asked), LANGUAGE)
    return chosen_language(reader.language or None, request.headers.get("accept-language", ""))


ROWS = (
    Row("GET", "/home/alerts", "get_home_alerts", "What a home is told of by itself, and what is looked for.",
        (DWELLING, LANGUAGE, ENDED_DAYS), None, alerts, HomeAlertList),
    Row("POST", "/home/alerts/{id}:not-a-problem", "post_home_alerts_id_not_a_problem",
        "Call an alert no problem: it stays so until it grows materially.", (ID, LANGUAGE), None, no_problem,
        HomeAlert),
    Row("POST", "/home/alerts/{id}:problem", "post_home_alerts_id_problem", "Take back that an alert is no problem.",
        (ID, LANGUAGE), None, a_problem, HomeAlert),
    Row("GET", "/home/budget", "get_home_budget", "What a home wants to spend a month.", (DWELLING,), None, budget,
        HomeBudget),
    Row("PUT", "/home/budget", "put_home_budget", "Set what a home wants to spend a month, or take it away.", (),
        BudgetAsked, set_budget, HomeBudget, (400, 401, 403, 404, 413, 415, 422)),
)  # fmt: skip
"""Every address of alerts."""


def _described(row: Row) -> dict[str, Any]:
    """Describe an address."""
    content = {JSON: {"schema": {"$ref": REF.format(name=row.answer.__name__)}}}
    out: dict[str, Any] = {
        "summary": row.summary,
        "operationId": row.name,
        "parameters": [one.published() for one in row.asked],
        "responses": {
            "200": {"description": (row.answer.__doc__ or "").split("\n")[0], "content": content},
            **{str(status): problem_of(status) for status in row.statuses},
        },
    }
    if row.body is not None:
        schema = {"schema": {"$ref": REF.format(name=row.body.__name__)}}
        out["requestBody"] = {"required": True, "content": {JSON: schema}}
    return out
