"""The addresses of accounts: signing in and out, who I am, my tokens, consents and read log, and leaving."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import BadInput, TooLarge, UnknownForm
from quintet.views.accounts import (
    Accept,
    Accounts,
    ConsentAsked,
    Leave,
    LetIn,
    NewPassword,
    OneCode,
    PasskeyMade,
    PasskeyShown,
    SignIn,
    TokenAsked,
)
from quintet.views.answers_accounts import Me, OwnToken, OwnTokens, Reads

from . import parameters
from .api import JSON
from .described import REF, path_items, problem_of, schemas_of
from .identity import cookie_of, reader_of, set_cookie
from .parameters import LIMIT
from .ready import nothing

API = "/api/v1"
MOST_BYTES = 16_384
HEADERS = {"Cache-Control": "no-store"}
Said = Any
"""A body as it was read, None where an address takes none."""
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Row:
    """One address and method: its body and answer as structs, and what answers."""

    method: str
    path: str
    name: str
    summary: str
    body: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | None
    work: Callable[["AccountsPart", Request, Said], Response]
    statuses: tuple[int, ...] = (400, 401, 403)
    limit: bool = False


class AccountsPart:
    """What the site mounts for accounts (`web.site.Part`)."""

    def __init__(self, accounts: Accounts, public: str = "") -> None:
        """Answer through these accounts; `public` is the address of the site elsewhere, if it has one."""
        self.accounts = accounts
        self.public = public

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses; those with a fixed word come before those with a part that varies."""
        return [Route(API + row.path, partial(self._answer, row), methods=[row.method]) for row in ROWS]

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        return path_items(API, ROWS, described)

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas_of(one for row in ROWS for one in (row.body, row.answer))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    async def _answer(self, row: Row, request: Request) -> Response:
        parameters.read(request.query_params, (LIMIT,) if row.limit else ())
        said = None if row.body is None else read_body(request, await bounded(request), row.body)
        return await run_in_threadpool(row.work, self, request, said)

    def let_in(self, found: LetIn) -> Response:
        """Answer who came in, with the cookie that keeps him in."""
        headers = {**HEADERS, "Set-Cookie": set_cookie(found.secret, self.public, found.seconds)}
        return Response(_ENCODER.encode(found.me), media_type=JSON, headers=headers)

    def ways(self, options: bytes) -> Response:
        """Answer with WebAuthn's own JSON."""
        return Response(options, media_type=JSON, headers=HEADERS)

    def out(self, request: Request) -> Response:
        """End the session and take the cookie back."""
        secret = cookie_of(request.headers, self.public)
        if secret:
            self.accounts.sign_out(secret)
        return Response(status_code=204, headers={**HEADERS, "Set-Cookie": set_cookie("", self.public, 0)})

    def changed(self, request: Request, said: Said) -> Response:
        """Set the password of who asks; his other sessions end, this one goes on with a new cookie."""
        found = self.accounts.set_password(reader_of(request), said, address_of(request))
        cookie = set_cookie(found.secret, self.public, found.seconds)
        return Response(status_code=204, headers={**HEADERS, "Set-Cookie": cookie})

    def left(self, request: Request, said: Said) -> Response:
        """Erase who asks."""
        secret = cookie_of(request.headers, self.public)
        self.accounts.leave(reader_of(request), said, address_of(request), secret)
        return Response(status_code=204, headers={**HEADERS, "Set-Cookie": set_cookie("", self.public, 0)})


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


def site_of(part: AccountsPart, request: Request) -> tuple[str, str]:
    """Give the host and the origin that a passkey is bound to: of the public address, else as the browser says them."""
    origin = part.public or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return urlsplit(origin).hostname or "", origin


def host_of_site(part: AccountsPart, request: Request) -> str:
    """Give the host that a passkey is bound to."""
    return site_of(part, request)[0]


def shown(answer: msgspec.Struct, status: int = 200) -> Response:
    """Write an answer."""
    return Response(_ENCODER.encode(answer), status, media_type=JSON, headers=HEADERS)


def ended(request: Request, accounts: Accounts) -> Response:
    """End a token or take a consent back."""
    accounts.end_token(reader_of(request), str(request.path_params["id"]))
    return Response(status_code=204, headers=HEADERS)


def reads(part: AccountsPart, request: Request, _said: Said) -> Response:
    """Say who read."""
    given = parameters.read(request.query_params, (LIMIT,))
    limit = parameters.within(given["limit"], LIMIT)
    return shown(part.accounts.reads(reader_of(request), limit))


ROWS = (
    Row(
        "POST", "/session", "post_session", "Sign in with name and password.", SignIn, Me,
        lambda part, request, said: part.let_in(part.accounts.sign_in(said, address_of(request))),
        (400, 401, 403, 429),
    ),
    Row(
        "DELETE", "/session", "delete_session", "Sign out.", None, None,
        lambda part, request, _: part.out(request),
    ),
    Row(
        "POST", "/session:link", "post_session_link", "Come in by a link that opens once.", OneCode, Me,
        lambda part, request, said: part.let_in(part.accounts.by_link(said, address_of(request))),
        (400, 401, 403, 429),
    ),
    Row(
        "POST", "/invitations:accept", "post_invitations_accept", "Make an account by an invitation.", Accept, Me,
        lambda part, request, said: part.let_in(part.accounts.accept(said, address_of(request))),
        (400, 401, 403, 422, 429),
    ),
    Row(
        "POST", "/session:passkey-options", "post_session_passkey_options", "What a browser needs for a passkey.",
        Nothing, None, lambda part, request, _: part.ways(part.accounts.passkey_options(host_of_site(part, request))),
    ),
    Row(
        "POST", "/session:passkey", "post_session_passkey", "Sign in with a passkey.", PasskeyShown, Me,
        lambda part, request, said: part.let_in(
            part.accounts.by_passkey(said, *site_of(part, request), address_of(request))
        ),
        (400, 401, 403, 429),
    ),
    Row(
        "POST", "/me/passkeys:options", "post_me_passkeys_options", "What a browser needs to make a passkey.",
        Nothing, None,
        lambda part, request, _: part.ways(
            part.accounts.new_passkey_options(reader_of(request), host_of_site(part, request))
        ),
    ),
    Row(
        "POST", "/me/passkeys", "post_me_passkeys", "Keep a passkey that a browser made.", PasskeyMade, Me,
        lambda part, request, said: shown(
            part.accounts.keep_passkey(reader_of(request), said, *site_of(part, request)), 201
        ),
        (400, 401, 403, 422),
    ),
    Row("GET", "/me", "get_me", "Who asks, and what he may see.", None, Me,
        lambda part, request, _: shown(part.accounts.me(reader_of(request).identity))),
    Row("DELETE", "/me", "delete_me", "Erase the person who asks, for good.", Leave, None,
        lambda part, request, said: part.left(request, said), (400, 401, 403, 429)),
    Row("POST", "/me/password", "post_me_password", "Set my password; all other sessions end.", NewPassword, None,
        lambda part, request, said: part.changed(request, said), (400, 401, 403, 422, 429)),
    Row("GET", "/me/reads", "get_me_reads", "Who else read of my dwellings, what and why.", None, Reads, reads,
        limit=True),
    Row("GET", "/me/tokens", "get_me_tokens", "My tokens, without what proves them.", None, OwnTokens,
        lambda part, request, _: shown(part.accounts.tokens(reader_of(request), consents=False))),
    Row("POST", "/me/tokens", "post_me_tokens", "Make a token for my own programs; shown once.", TokenAsked, OwnToken,
        lambda part, request, said: shown(part.accounts.make_token(reader_of(request), said), 201),
        (400, 401, 403, 404, 422)),
    Row("DELETE", "/me/tokens/{id}", "delete_me_tokens_id", "End a token.", None, None,
        lambda part, request, _: ended(request, part.accounts), (400, 401, 403, 404)),
    Row("GET", "/me/consents", "get_me_consents", "What third parties may see, for what, until when.", None,
        OwnTokens, lambda part, request, _: shown(part.accounts.tokens(reader_of(request), consents=True))),
    Row("POST", "/me/consents", "post_me_consents", "Let a third party see something, for a purpose, for a time.",
        ConsentAsked, OwnToken,
        lambda part, request, said: shown(part.accounts.agree(reader_of(request), said), 201),
        (400, 401, 403, 404, 422)),
    Row("DELETE", "/me/consents/{id}", "delete_me_consents_id", "Take a consent back: its streams end.", None, None,
        lambda part, request, _: ended(request, part.accounts), (400, 401, 403, 404)),
)  # fmt: skip
"""Every address of accounts."""


async def bounded(request: Request) -> bytes:
    """Read a body of bounded size; raises TooLarge."""
    out = bytearray()
    async for part in request.stream():
        out += part
        if len(out) > MOST_BYTES:
            raise TooLarge(f"is more than {MOST_BYTES} bytes.", code="too_large", remedy="Send less.")
    return bytes(out)


def read_body(request: Request, content: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Read a body as JSON of a struct; raises UnknownForm for another form, BadInput for what does not fit."""
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form != JSON:
        raise UnknownForm(f"is no {JSON}.", code="unknown_form", place="Content-Type", remedy=f"Send {JSON}.")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"does not fit: {error}.", code="bad_body", place="body", remedy="See /docs.") from error


def address_of(request: Request) -> str:
    """Give the address that asks, by which tries are counted."""
    return request.client.host if request.client is not None else ""


def described(row: Row) -> dict[str, Any]:
    """Describe an address."""
    fine = str(int(HTTPStatus.NO_CONTENT if row.answer is None else HTTPStatus.CREATED))
    if row.path.endswith("options") or (row.answer is not None and not row.path.startswith("/me/")):
        fine = "200"
    if row.method == "GET":
        fine = "200"
    content: dict[str, Any] = {"content": {JSON: {"schema": {"type": "object"}}}} if fine == "200" else {}
    if row.answer is not None:
        content = {"content": {JSON: {"schema": {"$ref": REF.format(name=row.answer.__name__)}}}}
    out: dict[str, Any] = {
        "summary": row.summary,
        "operationId": row.name,
        "responses": {
            fine: {"description": HTTPStatus(int(fine)).phrase, **content},
            **{str(status): problem_of(status) for status in row.statuses},
        },
    }
    if row.body is not None:
        out["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": {"$ref": REF.format(name=row.body.__name__)}}},
        }
        out["responses"] |= {str(status): problem_of(status) for status in (413, 415, 422)}
    if row.limit:
        out["parameters"] = [LIMIT.published()]
    if "{id}" in row.path:
        schema = {"type": "string", "minLength": 1, "maxLength": 64}
        out["parameters"] = [{"name": "id", "in": "path", "required": True, "description": "Its id.", "schema": schema}]
    return out
