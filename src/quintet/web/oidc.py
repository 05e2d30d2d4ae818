"""The addresses by which staff sign in with the city's identity provider."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import QuintetError
from quintet.views.accounts import LetIn

from .identity import set_cookie
from .lost_page import wants_page
from .ready import nothing

START, CALLBACK = "/oidc/start", "/oidc/callback"
HEADERS = {"Cache-Control": "no-store"}
WAIT_S = 600


class StaffDoor(Protocol):
    """The way to the provider and back."""

    def begin(self, origin: str, after: str) -> tuple[str, str]:
        """Give the provider's address for a browser, and the secret that its cookie is to hold."""
        ...

    def finish(self, origin: str, state: str, code: str, browser: str) -> tuple[LetIn, str]:
        """Let in whom the provider vouches for; give him and where he wanted to go."""
        ...


class OidcPart:
    """What the site mounts for staff (`web.site.Part`); its addresses are for browsers and not described."""

    paths: Mapping[str, Any] = {}
    schemas: Mapping[str, Any] = {}

    def __init__(self, door: StaffDoor, public: str = "") -> None:
        """Lead through a door; `public` is the address of the site elsewhere, if it has one."""
        self._door = door
        self._public = public

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The two addresses."""
        return [Route(START, self._start, methods=["GET"]), Route(CALLBACK, self._back, methods=["GET"])]

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing runs beside it."""
        return nothing()

    async def _start(self, request: Request) -> Response:
        try:
            return await self._begun(request)
        except QuintetError as error:
            return said_on_page(request, error)

    async def _begun(self, request: Request) -> Response:
        after = request.query_params.get("next", "/")
        url, browser = await run_in_threadpool(self._door.begin, self._origin(request), after)
        return RedirectResponse(url, 303, {**HEADERS, "Set-Cookie": self._cookie(browser, WAIT_S)})

    async def _back(self, request: Request) -> Response:
        try:
            return await self._let_in(request)
        except QuintetError as error:
            return said_on_page(request, error)

    async def _let_in(self, request: Request) -> Response:
        state, code = (request.query_params.get(name, "") for name in ("state", "code"))
        found, after = await run_in_threadpool(
            self._door.finish, self._origin(request), state, code, self._browser(request)
        )
        answer = RedirectResponse(here(after), 303, HEADERS)
        answer.headers.append("Set-Cookie", set_cookie(found.secret, self._public, found.seconds))
        answer.headers.append("Set-Cookie", self._cookie("", 0))
        return answer

    def _origin(self, request: Request) -> str:
        return self._public or f"{request.url.scheme}://{request.headers.get('host', '')}"

    @property
    def _name(self) -> str:
        return "__Host-quintet-oidc" if self._public else "quintet-oidc"

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._public else ""
        return f"{self._name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"

    def _browser(self, request: Request) -> str:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(request.headers.get("cookie", ""))
        except CookieError:
            return ""
        found = jar.get(self._name)
        return found.value if found is not None else ""


def said_on_page(request: Request, error: QuintetError) -> Response:
    """Lead a browser back to the page where one signs in, which says what went wrong; programs get the problem."""
    if not wants_page(request):
        raise error
    return RedirectResponse(f"/sign-in?failed={error.code}", 303, HEADERS)


def here(path: str) -> str:
    """Give a path of this site; anything else would send people away."""
    odd = any(sign <= " " or sign == "\\" for sign in path)  # a browser drops tabs and turns backslashes round
    return path if path.startswith("/") and not path.startswith("//") and not odd else "/"
