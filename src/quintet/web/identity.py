"""Who asks: each request gets its reader before any route runs; what nobody declared open is the city's own desk."""

import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, Forbidden, NotFound, QuintetError, Unknown
from quintet.views import Questions
from quintet.views.identity import Reader, everybody

from .api import ROUTES
from .lost_page import lost_page, wants_page
from .problems import language_of, problem_parts

FILE = "addresses.toml"
KINDS = ("anyone", "reader", "page", "door", "metrics")
DESK = ""
"""What is not declared: only an operator of the whole city gets it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE, SECURE_COOKIE = "quintet", "__Host-quintet"
REASON = "quintet-reason"
LONGEST_REASON = 500


class Doorkeeper(Protocol):
    """Finds out who asks."""

    @property
    def public(self) -> str:
        """The address by which people elsewhere reach the city, as https://city.example; empty: this machine only."""
        ...

    @property
    def staff_door(self) -> bool:
        """Whether staff can sign in with the city's identity provider."""
        ...

    def local(self) -> Reader | None:
        """Give who asks without any proof: at the machine itself, as long as that is nobody else's to say."""
        ...

    def by_cookie(self, secret: str, reason: str) -> Reader | None:
        """Give who has this session; None where it has ended."""
        ...

    def at_hand(self, secret: str, reason: str) -> Reader | None:
        """Give what `by_cookie` gives where that takes no waiting; None: ask that."""
        ...

    def by_token(self, header: str, reason: str) -> Reader:
        """Give who an Authorization header proves; raises Unknown."""
        ...


class NoDoor:
    """Stands where there are no accounts: everybody on this machine is the same reader."""

    public = ""
    staff_door = False

    def __init__(self, questions: Questions) -> None:
        """Let everybody ask these questions."""
        self._reader = everybody(questions)

    def local(self) -> Reader:
        """Give the one reader."""
        return self._reader

    def by_cookie(self, secret: str, reason: str) -> Reader:
        """Give the one reader: a session of another city means nothing here."""
        del secret, reason
        return self._reader

    def at_hand(self, secret: str, reason: str) -> Reader:
        """Give the one reader."""
        del secret, reason
        return self._reader

    def by_token(self, header: str, reason: str) -> Reader:
        """Give the one reader, who needs no token."""
        del header, reason
        return self._reader


class Signing:
    """Finds the reader of each request and lets nobody pass where he has no business."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        """Stand before an application."""
        self._app = app
        self._doorkeeper = doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, headers = str(scope["path"]), Headers(scope=scope)
        kind = kind_of(path)
        reader = None
        try:
            reader = None if kind == "door" else await self._reader(scope["method"], headers, kind)
            refusal = self._refusal(kind, reader, path)
        except QuintetError as error:
            refusal = error
        scope.setdefault("state", {})["reader"] = reader
        if refusal is None:
            await self._app(scope, receive, send)
        elif kind == "page" and refusal.status == HTTPStatus.UNAUTHORIZED:
            await to_sign_in(path, send)
        elif kind == DESK and wants_page(asked := HTTPConnection(scope)):
            # who has not signed in learns there what is his; that an address is the desk's is told to nobody else
            await lost_page(language_of(asked), refusal.status)(scope, receive, send)
        else:
            await answer(HTTPConnection(scope), refusal, send)

    async def _reader(self, method: str, headers: Headers, kind: str) -> Reader | None:
        """Find who asks; a session that has ended is nobody's, a token that proves nothing raises Unknown."""
        reason = reason_of(headers)
        token = headers.get("authorization", "")
        if token and kind != "anyone":
            return await run_in_threadpool(self._doorkeeper.by_token, token, reason)
        secret = cookie_of(headers, self._doorkeeper.public)
        if method not in SAFE:
            refuse_foreign(headers, self._doorkeeper.public, with_cookie=bool(secret))
        if not secret:
            return self._doorkeeper.local()
        # a thread that must be waited for costs more than all else of an answer that is at hand
        found = self._doorkeeper.at_hand(secret, reason)
        found = found or await run_in_threadpool(self._doorkeeper.by_cookie, secret, reason)
        return found or self._doorkeeper.local()

    def _refusal(self, kind: str, reader: Reader | None, path: str) -> QuintetError | None:
        if kind in ("anyone", "door"):
            return None
        if reader is None:
            return Unknown("who asks is not known.", code="sign_in", place=path, remedy="Sign in, or send a token.")
        needed = {"/api/v1/live": "live", "/metrics": "metrics"}.get(path, "read")
        fits = reader.runs_city if kind in (DESK, "metrics") else needed in reader.may
        if fits or (kind == "metrics" and "metrics" in reader.may):
            return None
        if kind == DESK and reader.identity.scope.discreet:
            return NotFound("Not Found", code="no_such_address", remedy="See /docs for the addresses that exist.")
        return Forbidden(
            "is not open to you.",
            code="not_your_desk",
            place=path,
            remedy="Ask the city's operator for the right to it.",
        )


def reader_of(request: Request) -> Reader:
    """Give the reader of a request; raises Unknown where an address is open to anyone and nobody signed in."""
    reader = getattr(request.state, "reader", None)
    if not isinstance(reader, Reader):
        raise Unknown("who asks is not known.", code="sign_in", remedy="Sign in, or send a token.")
    return reader


def kind_of(path: str) -> str:
    """Say who may use an address; "" for the city's desk."""
    exact, patterns = addresses()
    found = exact.get(path)
    if found is not None:
        return found
    return next((kind for pattern, kind in patterns.items() if pattern.fullmatch(path)), DESK)


@cache
def addresses() -> tuple[Mapping[str, str], Mapping[re.Pattern[str], str]]:
    """Read the table: plain addresses, and those with parts that vary. Raises BadInput for a kind that is none."""
    table = read_toml("quintet.web", FILE)
    check_keys(table, required={"address"}, optional=set(), place=FILE)
    rows = {**{f"/api/v1{route.path}": "reader" for route in ROUTES}, **table["address"]}
    exact: dict[str, str] = {}
    patterns: dict[re.Pattern[str], str] = {}
    for path, kind in rows.items():
        if kind not in KINDS:
            raise BadInput(f"{kind!r} is no kind.", code="bad_row", place=f"{FILE} {path}", remedy=", ".join(KINDS))
        if "{" not in path and not path.endswith("/*"):
            exact[path] = kind
            continue
        text = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
        patterns[re.compile(re.sub(r"/\\\*$", "/.*", text))] = kind
    return exact, patterns


def cookie_name(public: str) -> str:
    """Name the cookie: behind TLS one that only this host can have set; plain http on this machine cannot have that."""
    return SECURE_COOKIE if public else COOKIE


def cookie_of(headers: Headers, public: str) -> str:
    """Give the secret of the session's cookie; nothing where there is none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    found = jar.get(cookie_name(public))
    return found.value if found is not None else ""


def set_cookie(secret: str, public: str, seconds: int) -> str:
    """Write the header that sets the session's cookie; no seconds end it."""
    secure = "; Secure" if public else ""
    return f"{cookie_name(public)}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"


def refuse_foreign(headers: Headers, public: str, *, with_cookie: bool) -> None:
    """Refuse what another site's page lets a browser send; who rides on a cookie must say where he comes from."""
    origin, fetched = headers.get("origin", ""), headers.get("sec-fetch-site", "")
    here = urlsplit(origin).netloc.lower() == headers.get("host", "").lower() if origin else fetched == "same-origin"
    if public and origin:
        here = origin.lower() == public.lower()
    if not (here if origin or fetched or with_cookie else True):
        raise Forbidden(
            "comes from another site.",
            code="foreign_origin",
            place="Origin",
            remedy="Send it from the city's own pages, or with a token instead of the session.",
        )


def reason_of(headers: Headers) -> str:
    """Give why the reader reads, as he says it (percent-encoded UTF-8)."""
    return " ".join(unquote(headers.get(REASON, "")).split())[:LONGEST_REASON]


async def to_sign_in(path: str, send: Send) -> None:
    """Send a browser to the page where one signs in, and back afterwards."""
    where = f"/sign-in?next={quote(path, safe='/')}".encode()
    await send(
        {"type": "http.response.start", "status": 303, "headers": [(b"location", where), (b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


async def answer(asked: HTTPConnection, error: QuintetError, send: Send) -> None:
    """Answer with a problem."""
    body, own = problem_parts(asked, str(asked.scope["path"]), error)
    said = {**own, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
