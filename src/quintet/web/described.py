"""The published description (OpenAPI): made from the tables that answer, so that it cannot say anything else."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from .api import JSON, ROUTES, Route
from .identity import COOKIE, DESK, SECURE_COOKIE, kind_of
from .problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{name}"
TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `quintet token create`, or one that a household made.",
}
SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "name": COOKIE,
    "description": f"Who has signed in; behind TLS the cookie is called {SECURE_COOKIE}.",
}
HEALTH = {"type": "object", "additionalProperties": True}


class Described(Protocol):
    """Addresses that describe themselves."""

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        ...

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name that the paths refer to."""
        ...


def content_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Describe a body or an answer as JSON of a struct."""
    return {JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}}}


def schemas_of(types: Iterable[type[msgspec.Struct] | None]) -> dict[str, Any]:
    """Give the schemas of structs and of what they hold, by name, whatever order they come in; None is none."""
    known = sorted({one for one in types if one is not None}, key=lambda one: one.__name__)
    _, found = msgspec.json.schema_components(known, ref_template=REF)
    return dict(exact(found))


def describe(app: FastAPI, parts: Sequence[Described] = ()) -> dict[str, Any]:
    """Give the application's OpenAPI document, with what further parts say of themselves."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    types = [route.answer for route in ROUTES]
    _, schemas = msgspec.json.schema_components([*types, Problem], ref_template=REF)
    document.setdefault("components", {})["schemas"] = exact(schemas)
    for route in ROUTES:
        document["paths"][f"/api/v1{route.path}"]["get"] |= _operation(route)
    for part in parts:
        document["paths"] |= part.paths
        document["components"]["schemas"] |= part.schemas
    document["components"]["securitySchemes"] = {"token": TOKEN, "session": SESSION}
    document["paths"]["/health"]["get"]["responses"] = {
        str(status): {"description": words, "content": {JSON: {"schema": HEALTH}}}
        for status, words in ((200, "All is well."), (503, "Something is wrong; the answer says what."))
    } | {"400": problem_of(400)}
    for path, methods in document["paths"].items():
        for said in methods.values():
            _guarded(kind_of(path), said)
    return document


def _guarded(kind: str, said: dict[str, Any]) -> None:
    """Say of an operation what it takes to be let in, and how who has no business there is answered."""
    if kind != "anyone":
        said.setdefault("security", [{"token": []}] if kind == "door" else [{"token": []}, {"session": []}])
        said["responses"] = {**{str(status): problem_of(status) for status in (401, 403)}, **said["responses"]}
    if kind == DESK:
        said["responses"] = {"404": problem_of(404), **said["responses"]}


def exact(schema: Any) -> Any:
    """Say decimals as what they are written as: numbers with every digit."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**{key: value for key, value in schema.items() if key != "format"}, "type": "number"}
        return {key: exact(value) for key, value in schema.items()}
    return [exact(value) for value in schema] if isinstance(schema, list) else schema


def _operation(route: Route) -> dict[str, Any]:
    tag = {"description": "Weak tag of the content.", "schema": {"type": "string"}}
    condition = {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "A tag known already; 304 when it still holds.",
        "schema": {"type": "string"},
    }
    responses: dict[str, Any] = {
        "200": {
            "description": (route.answer.__doc__ or "").split("\n")[0],
            "headers": {"ETag": tag},
            "content": content_of(route.answer),
        },
        "304": {"description": "Nothing has changed.", "headers": {"ETag": tag}},
    }
    responses |= {str(status): problem_of(status) for status in route.statuses}
    return {"parameters": [*(one.published() for one in route.parameters), condition], "responses": responses}


def problem_of(status: int) -> dict[str, Any]:
    """Describe an answer of a status that is a problem."""
    schema = {"$ref": REF.format(name=Problem.__name__)}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
