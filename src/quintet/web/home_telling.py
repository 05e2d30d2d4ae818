"""The addresses of telling: where a household wants to be told of alerts, when not, and who else is told."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.views.answers_telling import CodeTaken, Telling
from quintet.views.home_telling import HomeTelling
from quintet.views.telling_asked import (
    AwayAsked,
    ChosenAsked,
    CodeAsked,
    MailAsked,
    PushAsked,
    PushLeft,
    TestAsked,
    WebhookAsked,
    WelfareAsked,
)

from . import parameters
from .accounts import bounded, read_body, shown
from .api import JSON
from .described import REF, path_items, problem_of, schemas_of
from .identity import reader_of
from .ready import nothing
from .telling_page import telling_routes

API = "/api/v1"
Said = Any
"""A body as it was read, None where an address takes none."""
Work = Callable[[HomeTelling, Request, Said], msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Row:
    """One address and method: its body as a struct, what answers, and with which problems."""

    method: str
    path: str
    name: str
    summary: str
    body: type[msgspec.Struct] | None
    work: Work
    answer: type[msgspec.Struct] = Telling
    statuses: tuple[int, ...] = (400, 401, 403)


def _drop(channel: str) -> Work:
    return lambda telling, request, _: telling.drop(reader_of(request), channel, str(request.path_params["id"]))


TAKES = (400, 401, 403, 429, 503)
ROWS = (
    Row(
        "GET", "/home/telling", "get_home_telling", "How I am told of alerts, and what I was told.", None,
        lambda telling, request, _: telling.told(reader_of(request)),
    ),
    Row(
        "PUT", "/home/telling", "put_home_telling", "Set my quiet hours, and what I do not want to be told.",
        ChosenAsked, lambda telling, request, said: telling.choose(reader_of(request), said),
    ),
    Row(
        "PUT", "/home/telling/away", "put_home_telling_away", "Say until when nobody is at home.", AwayAsked,
        lambda telling, request, said: telling.away(reader_of(request), said),
    ),
    Row(
        "POST", "/home/telling/mail", "post_home_telling_mail", "Take a mail address; a code goes there first.",
        MailAsked, lambda telling, request, said: telling.add_mail(reader_of(request), said), statuses=TAKES,
    ),
    Row("DELETE", "/home/telling/mail/{id}", "delete_home_telling_mail_id", "Forget a mail address.", None,
        _drop("mail"), statuses=(400, 401, 403, 404)),
    Row(
        "POST", "/home/telling/push", "post_home_telling_push", "Take a browser's subscription.", PushAsked,
        lambda telling, request, said: telling.add_push(reader_of(request), said), statuses=TAKES,
    ),
    Row(
        "POST", "/home/telling/push:leave", "post_home_telling_push_leave", "Forget a subscription by its endpoint.",
        PushLeft, lambda telling, request, said: telling.leave_push(reader_of(request), said),
    ),
    Row("DELETE", "/home/telling/push/{id}", "delete_home_telling_push_id", "Forget a subscription.", None,
        _drop("push"), statuses=(400, 401, 403, 404)),
    Row(
        "POST", "/home/telling/webhook", "post_home_telling_webhook", "Take an address that is called.", WebhookAsked,
        lambda telling, request, said: telling.add_webhook(reader_of(request), said), statuses=TAKES,
    ),
    Row("DELETE", "/home/telling/webhook/{id}", "delete_home_telling_webhook_id", "Forget an address that is called.",
        None, _drop("webhook"), statuses=(400, 401, 403, 404)),
    Row(
        "POST", "/home/telling:test", "post_home_telling_test", "Send a test message to one of my addresses.",
        TestAsked, lambda telling, request, said: telling.test(reader_of(request), said),
        statuses=(400, 401, 403, 404, 429, 503),
    ),
    Row(
        "POST", "/home/telling/welfare", "post_home_telling_welfare",
        "Agree that somebody is told when my home uses no water.", WelfareAsked,
        lambda telling, request, said: telling.agree(reader_of(request), said),
        statuses=(400, 401, 403, 404, 429, 503),
    ),
    Row("DELETE", "/home/telling/welfare/{id}", "delete_home_telling_welfare_id",
        "Take that back: nothing more is told.", None, _drop("no_water"), statuses=(400, 401, 403, 404)),
    Row(
        "POST", "/telling:confirm", "post_telling_confirm", "Confirm an address by the code that went there.",
        CodeAsked, lambda telling, _, said: telling.confirm(said), CodeTaken, (400, 403, 404),
    ),
    Row(
        "POST", "/telling:stop", "post_telling_stop", "End what is told at an address, by the code in a message.",
        CodeAsked, lambda telling, _, said: telling.stop(said), CodeTaken, (400, 403, 404),
    ),
)  # fmt: skip
"""Every address of telling. The last two need no reader: a code proves itself."""


class TellingPart:
    """What the site mounts for telling (`web.site.Part`)."""

    def __init__(self, telling: HomeTelling) -> None:
        """Answer through this."""
        self._telling = telling

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses, and the page that opens the codes of messages."""
        own = [Route(API + row.path, partial(self._answer, row), methods=[row.method]) for row in ROWS]
        return [*own, *telling_routes()]

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        return path_items(API, ROWS, _described)

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of(one for row in ROWS for one in (row.body, row.answer))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it: what sends is the owner's."""
        return nothing()

    async def _answer(self, row: Row, request: Request) -> Response:
        parameters.read(request.query_params, ())
        said = None if row.body is None else read_body(request, await bounded(request), row.body)
        found = await run_in_threadpool(row.work, self._telling, request, said)
        return shown(found)


def _described(row: Row) -> dict[str, Any]:
    """Describe an address."""
    content = {JSON: {"schema": {"$ref": REF.format(name=row.answer.__name__)}}}
    out: dict[str, Any] = {
        "summary": row.summary,
        "operationId": row.name,
        "responses": {
            "200": {"description": (row.answer.__doc__ or "").split("\n")[0], "content": content},
            **{str(status): problem_of(status) for status in row.statuses},
        },
    }
    if row.body is not None:
        body = {JSON: {"schema": {"$ref": REF.format(name=row.body.__name__)}}}
        out["requestBody"] = {"required": True, "content": body}
        out["responses"] |= {str(status): problem_of(status) for status in (413, 415, 422)}
    if "{id}" in row.path:
        schema = {"type": "string", "minLength": 1, "maxLength": 64}
        out["parameters"] = [{"name": "id", "in": "path", "required": True, "description": "Its id.", "schema": schema}]
    return out
