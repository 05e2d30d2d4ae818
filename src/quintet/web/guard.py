"""Under which names the site answers, and under which rules a browser shows what it gets: nothing from elsewhere."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quintet.terms.errors import UsageError

from .problems import problem_parts

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """Refuses a request whose Host is no name of the site, and adds the security headers to every answer.

    A page elsewhere whose name is made to point at 127.0.0.1 (DNS rebinding) still sends its own name as Host.
    """

    def __init__(self, app: ASGIApp, public: str = "") -> None:
        """Stand before an application; `public` is the address by which people elsewhere reach it, if they may."""
        self._app = app
        self._hosts = LOOPBACK | ({host_of(urlsplit(public).netloc)} if public else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if host_of(Headers(scope=scope).get("host", "")) in self._hosts:
            await self._app(scope, receive, guarded)
            return
        await _refuse(HTTPConnection(scope), guarded)


def host_of(header: str) -> str:
    """Give the host of a Host header, without its port."""
    host, _, port = header.rpartition(":")
    return (host if port.isdecimal() else header).lower()


async def _refuse(asked: HTTPConnection, send: Send) -> None:
    error = UsageError(
        "Quintet answers this machine, and the address that `quintet serve --public` names, only.",
        code="foreign_host",
        place="Host",
        remedy="Open it as http://127.0.0.1 with its port; from elsewhere use an SSH tunnel.",
    )
    body, said = problem_parts(asked, str(asked.scope["path"]), error)
    headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
