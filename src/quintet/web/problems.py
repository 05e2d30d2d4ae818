"""What went wrong, as RFC 9457 says it: application/problem+json with a stable `code` and what to do next."""

from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from quintet.terms.errors import QuintetError, UsageError

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


def problem_response(request: Request, error: QuintetError) -> Response:
    """Write an error with its own status, and with the headers that belong to it."""
    headers = headers_of(error)
    return _write(request.url.path, error.status, error.code, error.message, error.place, error.remedy, headers)


def headers_of(error: QuintetError) -> dict[str, str]:
    """Give what an error's status asks for: when to come again, or how to say who one is."""
    out = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
    return {**out, "WWW-Authenticate": CHALLENGE} if error.status == HTTPStatus.UNAUTHORIZED else out


def problem_bytes(path: str, error: QuintetError) -> bytes:
    """Give an error's body."""
    return msgspec.json.encode(_problem(path, error.status, error.code, error.message, error.place, error.remedy))


def unknown_parameters(names: list[str], known: list[str]) -> UsageError:
    """Say that nobody reads a parameter: a misspelt one would otherwise be silently without effect."""
    return UsageError(
        f"there is no parameter {', '.join(names)} here.",
        code="unknown_parameter",
        place=names[0],
        remedy=f"Known: {', '.join(known)}." if known else "It takes none.",
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
        code, remedy = {
            HTTPStatus.NOT_FOUND: ("no_such_address", "See /docs for the addresses that exist."),
            HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", f"It is asked with {headers.get('Allow', 'GET')}."),
        }.get(HTTPStatus(error.status_code), ("refused", "See /docs for what can be asked."))
        return _write(request.url.path, error.status_code, code, str(error.detail), "", remedy, headers)

    def of_nobody(request: Request, _error: Exception) -> Response:
        return _write(request.url.path, 500, "internal", BROKEN, "", BROKEN_REMEDY, None)

    app.add_exception_handler(QuintetError, of_ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_nobody)


def _problem(path: str, status: int, code: str, detail: str, place: str, remedy: str) -> Problem:
    title = HTTPStatus(status).phrase
    return Problem(f"urn:quintet:problem:{code}", title, status, detail, path, code, place, remedy)


def _write(
    path: str, status: int, code: str, detail: str, place: str, remedy: str, headers: dict[str, str] | None
) -> Response:
    body = msgspec.json.encode(_problem(path, status, code, detail, place, remedy))
    return Response(body, status, media_type=MEDIA_TYPE, headers=headers)
