"""The published description is true: every answer to any question fits what it says, status, type and body."""

import re
from functools import cache
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.web.api import ROUTES

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> list[str]:
    """Say where a JSON value does not fit a schema (the part of JSON Schema that the description uses)."""
    if "$ref" in schema:
        return faults(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, at)
    if "anyOf" in schema:
        tried = [faults(value, one, document, at) for one in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    kind = schema.get("type")
    if kind is not None and (
        not isinstance(value, JSON_TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number"))
    ):
        return [f"{at}: {value!r} is no {kind}"]
    out = [f"{at}: lacks {name}" for name in schema.get("required", []) if name not in value]
    if kind == "object" and "properties" in schema:
        out += [f"{at}: {name} is not published" for name in value.keys() - schema["properties"].keys()]
        for name, inner in schema["properties"].items():
            out += faults(value[name], inner, document, f"{at}.{name}") if name in value else []
    if kind == "array":
        for number, item in enumerate(value):
            out += faults(item, schema["items"], document, f"{at}[{number}]")
    if schema.get("format") == "date-time" and not re.search(r"T.*(Z|[+-]\d\d:\d\d)$", value):
        out.append(f"{at}: {value!r} has no offset")
    return out


def check(answer: httpx.Response, path: str, document: dict[str, Any]) -> None:
    """Fail unless an answer's status, content type and body are as published."""
    published = document["paths"][path]["get"]["responses"]
    assert str(answer.status_code) in published, (answer.status_code, answer.text)
    content = published[str(answer.status_code)].get("content")
    if content is None:
        assert answer.content == b""
        return
    kind = answer.headers["content-type"]
    assert kind in content
    assert faults(answer.json(), content[kind]["schema"], document) == []


@cache
def described(address: str) -> dict[str, Any]:
    return httpx.get(f"{address}/openapi.json").json()


GOOD = {
    "channel": ["c001/101-0101-electricity", "city/none", "c001/101-0102-water"],
    "place": ["city", "c001", "c001/101/0101", "nowhere"],
    "parent": ["city", "c001/101"],
    "from": ["2026-11-02", "2026-11-03T10:00:00+09:00", "2026-11", "2026-11-03T10:00:00"],
    "to": ["2026-11-04", "2026-11-05", "2026-11-02"],
    "known_at": ["2026-11-03", "2026-11-04T14:31:00+09:00"],
    "day": ["2026-11-03", "2026-11-04", "2020-01-01", "2099-01-01"],
    "commodity": ["water", "plasma"],
    "month": ["2026-11", "2026-13"],
    "cursor": ["nonsense"],
}
"""Values that mean something in the city of the tests, good and bad."""


def values(parameter: dict[str, Any]) -> st.SearchStrategy[str]:
    schema = parameter["schema"]
    told = [str(one) for one in (*GOOD.get(parameter["name"], []), *schema.get("enum", []))]
    if schema["type"] == "integer":
        told += [str(schema["minimum"]), str(schema["maximum"]), "7", "-1"]
    good = st.sampled_from(told or ["x"])
    return st.one_of(good, good, good, good, good, st.text(max_size=8))


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_answer_is_as_published(client: httpx.Client, address: str, data: st.DataObject) -> None:
    document = described(address)
    path = data.draw(st.sampled_from(sorted(document["paths"])))
    query: dict[str, str] = {}
    for parameter in document["paths"][path]["get"].get("parameters", []):
        if parameter["in"] == "query" and data.draw(st.booleans() if not parameter["required"] else st.just(True)):
            query[parameter["name"]] = data.draw(values(parameter))
    number = data.draw(st.sampled_from(["1", "0", "x", "999999999"]))
    answer = client.get(path.replace("{number}", number), params=query)
    assert answer.status_code < 500
    check(answer, path, document)


NOT_YET = {"/api/v1/bills/explained", "/api/v1/bills/allocation"}
"""Nothing was issued in this city, and nothing agreed."""


def test_a_good_question_to_each_address_is_answered_as_published(client: httpx.Client, address: str) -> None:
    document = described(address)
    good = {"channel": "c001/101-0101-water", "from": "2026-11-03", "to": "2026-11-05", "resolution": "hour"}
    good |= {"base_from": "2026-11-02", "base_to": "2026-11-03", "month": "2026-11", "commodity": "electricity"}
    for path, methods in document["paths"].items():
        if "{" in path:  # nothing broke in this city: no item has a number
            continue
        asked = {one["name"]: one for one in methods["get"].get("parameters", []) if one["in"] == "query"}
        query = {name: good.get(name, "c001/101/0101") for name, one in asked.items() if one["required"]}
        if "base_from" in query:
            query["to"] = "2026-11-04"  # only what is over is compared
        answer = client.get(path, params=query)
        assert answer.status_code == (404 if path in NOT_YET else 200), answer.text
        check(answer, path, document)
        if "etag" in answer.headers:
            check(client.get(path, params=query, headers={"If-None-Match": answer.headers["etag"]}), path, document)


def test_the_description_names_every_address_once(address: str) -> None:
    document = described(address)
    assert set(document["paths"]) == {f"/api/v1{route.path}" for route in ROUTES} | {"/health"}
    names = [methods["get"]["operationId"] for methods in document["paths"].values()]
    assert len(names) == len(set(names))
    assert document["openapi"].startswith("3.1")


def test_every_reference_of_the_description_leads_somewhere(address: str) -> None:
    document = described(address)
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named
    assert named <= document["components"]["schemas"].keys()


def test_decimals_are_published_as_the_numbers_they_are(address: str) -> None:
    row = described(address)["components"]["schemas"]["BalanceRow"]["properties"]
    assert {"type": "number"} in row["import"]["anyOf"]
    assert "import_" not in row


def test_the_check_itself_refuses_what_does_not_fit() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
    }
    assert faults({"a": 1.5}, schema, {}) == []
    assert faults({"a": None}, schema, {}) == []
    for wrong in ({}, {"a": "1"}, {"a": True}, {"a": 1, "b": 2}, []):
        assert faults(wrong, schema, {})


def test_the_reference_page_names_every_address_and_parameter(client: httpx.Client, address: str) -> None:
    page = client.get("/docs").text
    for path, methods in described(address)["paths"].items():
        assert f"GET {path}" in page
        for one in methods["get"].get("parameters", []):
            assert one["in"] == "header" or f"<code>{one['name']}</code>" in page
