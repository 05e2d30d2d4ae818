"""A request of each operation that the site describes, and of each page: fit to be answered."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from quintet.terms.catalogue import read_toml

FITTING = Path(__file__).with_name("fitting.toml")
LAST = ("delete_me", "delete_session")
"""What ends the one who asks: asked at the end."""
Find = Callable[[str], str]
"""Gives the id of a thing, of the address that lists such things."""


class Question(NamedTuple):
    """One request, and which operation of the description it is of ("" for a page)."""

    operation: str
    method: str
    path: str
    query: Mapping[str, Any]
    body: Any


@cache
def fitting() -> dict[str, Any]:
    return tomllib.loads(FITTING.read_text())


def operations(document: Mapping[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Give method, address and description by operation."""
    return {
        said["operationId"]: (method.upper(), path, said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def streams(said: Mapping[str, Any]) -> bool:
    """Tell whether an operation is answered by a stream that does not end by itself."""
    return "text/event-stream" in json.dumps(said.get("responses", {}))


def questions(
    document: Mapping[str, Any], asked: Mapping[str, Any], find: Find, *, last: bool = False
) -> Iterator[Question]:
    """Give a request of each operation, and the pages; `last`: also what ends the one who asks, as the last."""
    every = operations(document)
    ordered = [name for name in every if name not in LAST] + [name for name in LAST if last and name in every]
    for name in ordered:
        method, path, said = every[name]
        if not streams(said):
            yield _question(document, name, method, path, said, asked, find)
    yield from (Question("", "GET", path, {}, None) for path in pages())


@cache
def pages() -> tuple[str, ...]:
    """Name the addresses that are declared beside the description."""
    rows = read_toml("quintet.web", "addresses.toml")["address"]
    plain = (path.replace("{view}", "bill") for path in rows if "*" not in path and not path.startswith("/api/"))
    return tuple(path for path in plain if "{" not in path)


def _question(
    document: Mapping[str, Any], name: str, method: str, path: str, said: Mapping[str, Any],
    asked: Mapping[str, Any], find: Find,
) -> Question:  # fmt: skip
    own = {**fitting()["values"], **asked, **fitting()["operation"].get(name, {})}
    where: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for one in said.get("parameters", []):
        if one["in"] == "path":
            where["path"][one["name"]] = own.get(one["name"]) or find(path.partition("/{")[0])
        elif one["required"] or one["name"] in {**asked, **fitting()["operation"].get(name, {})}:
            where[one["in"]][one["name"]] = value_of(one["schema"], one["name"], own)
    content = said.get("requestBody", {}).get("content", {}).get("application/json")
    body = None if content is None else _body(document, content["schema"], own)
    query = {key: value for key, value in where["query"].items() if value != ""}
    return Question(name, method, path.format(**where["path"]), query, body)


def _body(document: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _body(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], own)
    fields = schema.get("properties", {})
    wanted = {*schema.get("required", ()), *(name for name in fields if name in own)}
    filled = {name: value_of(fields.get(name, {}), name, own) for name in sorted(wanted)}
    return {name: value for name, value in filled.items() if value != ""}


def value_of(schema: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> Any:
    """Give a fitting value for a parameter or a field of a body."""
    if name in own:
        return own[name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    if kind == "array":
        return []
    return "1" if schema.get("format") != "date" else "2026-03-03"
