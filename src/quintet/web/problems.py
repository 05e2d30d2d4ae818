"""What went wrong, as RFC 9457 says it: application/problem+json with a stable `code` and what to do next.

Who reads Korean is told in Korean (`problem_words`); `code` and `place` are the same in every language.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from quintet.terms.errors import QuintetError, UsageError

from .lost_page import lost_page, wants_page
from .page import chosen_language
from .problem_words import worded

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="quintet"'
BROKEN = "Quintet could not answer this; nothing stored was touched."
BROKEN_REMEDY = "Ask again. If it stays, run `quintet doctor` and report it with what the program printed."


class Problem(msgspec.Struct, frozen=True):
    """A problem: `code` is stable, `place` names the parameter, place or channel, `remedy` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    place: str
    remedy: str


def problem_response(request: Request, error: QuintetError, headers: Mapping[str, str] | None = None) -> Response:
    """Write an error in the reader's language, with its own status and the headers that belong to it."""
    if error.code == "no_such_address" and wants_page(request):
        return lost_page(language_of(request), error.status)
    body, own = problem_parts(request, request.url.path, error)
    return Response(body, error.status, headers={**(headers or {}), **own})


def problem_parts(asked: HTTPConnection, path: str, error: QuintetError) -> tuple[bytes, dict[str, str]]:
    """Give an error's body in the language of who asks, and its headers."""
    language = language_of(asked)
    detail, remedy = worded(error, language)
    title = HTTPStatus(error.status).phrase
    problem = Problem(
        f"urn:quintet:problem:{error.code}", title, error.status, detail, path, error.code, error.place, remedy
    )
    said = {"Content-Type": MEDIA_TYPE, "Content-Language": language, "Vary": "Accept-Language"}
    return msgspec.json.encode(problem), {**said, **headers_of(error)}


def headers_of(error: QuintetError) -> dict[str, str]:
    """Give what an error's status asks for: when to come again, or how to say who one is."""
    out = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
    return {**out, "WWW-Authenticate": CHALLENGE} if error.status == HTTPStatus.UNAUTHORIZED else out


def language_of(asked: HTTPConnection) -> str:
    """Choose a language as the pages do: the address's, else the account's, else the first accepted one."""
    query = asked.query_params
    reader = getattr(asked.state, "reader", None)
    wished = query.get("lang") or query.get("language") or getattr(reader, "language", "") or None
    return chosen_language(wished, asked.headers.get("accept-language", ""))


def unknown_parameters(names: list[str], known: list[str]) -> UsageError:
    """Say that nobody reads a parameter: a misspelt one would otherwise be silently without effect."""
    return UsageError(
        f"there is no parameter {', '.join(names)} here.",
        code="unknown_parameter",
        place=names[0],
        remedy=f"Known: {', '.join(known)}." if known else "It takes none.",
        said={"names": names, "known": known} if known else {"names": names},
    )


def install(app: FastAPI) -> None:
    """Let an application answer every error as a problem, those of the framework included."""

    def of_ours(request: Request, error: Exception) -> Response:
        if not isinstance(error, QuintetError):
            raise error
        return problem_response(request, error)

    def of_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        headers = dict(error.headers or {})
        methods = headers.get("Allow", "GET")
        code, remedy = {
            HTTPStatus.NOT_FOUND: ("no_such_address", "See /docs for the addresses that exist."),
            HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", f"It is asked with {methods}."),
        }.get(HTTPStatus(error.status_code), ("refused", "See /docs for what can be asked."))
        found = QuintetError(str(error.detail), code=code, remedy=remedy, said={"methods": methods})
        found.status = error.status_code
        return problem_response(request, found, headers)

    def of_nobody(request: Request, _error: Exception) -> Response:
        return problem_response(request, QuintetError(BROKEN, code="internal", remedy=BROKEN_REMEDY))

    app.add_exception_handler(QuintetError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_nobody)
