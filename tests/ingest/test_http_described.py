"""What the site publishes of its doors is true, and /ready says what stands in the way."""

import json
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet.ingest.http_limits import HttpLimits, http_limits
from quintet.ingest.http_readings import delivery_of
from quintet.store import room
from quintet.terms.catalogue import read_toml

from .conftest import METERS, Serve, wait_for
from .test_http_door import LISTS, READINGS, counts, problem, reading

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
    "null": type(None),
}  # fmt: skip


def faults(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> list[str]:
    """Say where a JSON value does not fit a schema of the answers."""
    if "$ref" in schema:
        return faults(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, at)
    if "anyOf" in schema:
        tried = [faults(value, one, document, at) for one in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{at}: {value!r} is no {kind}"]
    out = [f"{at}: lacks {name}" for name in schema.get("required", []) if name not in value]
    if kind == "object":
        out += [f"{at}: {name} is not published" for name in value.keys() - schema["properties"].keys()]
        for name, inner in schema["properties"].items():
            out += faults(value[name], inner, document, f"{at}.{name}") if name in value else []
    if kind == "array":
        for number, item in enumerate(value):
            out += faults(item, schema["items"], document, f"{at}[{number}]")
    return out


def check(answer: httpx.Response, published: dict[str, Any], document: dict[str, Any]) -> None:
    """Fail unless an answer's status, content type, headers and body are as published."""
    said = published["responses"]
    assert str(answer.status_code) in said, (answer.status_code, answer.text)
    content = said[str(answer.status_code)]["content"]
    kind = answer.headers["content-type"]
    assert kind in content
    assert faults(answer.json(), content[kind]["schema"], document) == []
    for name in said[str(answer.status_code)].get("headers", {}):
        assert re.fullmatch(r"[1-9]\d*", answer.headers[name])


@pytest.fixture(scope="module")
def sent() -> dict[str, list[Any]]:
    """Give rows that mean something in the city of the tests, good and bad."""
    odd = [None, 7, "x", [], {}, {"site": "c1"}]
    lists = [*METERS, {**METERS[0], "meter": "more", "dials": 5}, {**METERS[0], "unit": "furlong"}, *odd]
    return {READINGS: [reading(), reading(1, meter="none"), reading(2, value=None), *odd], LISTS: lists}


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_every_answer_of_the_doors_is_as_published(serve: Serve, sent: dict[str, list[Any]]) -> None:
    served = serve()
    document = served.client.get("/openapi.json").json()

    @given(st.data())
    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    def play(data: st.DataObject) -> None:
        address = data.draw(st.sampled_from([READINGS, LISTS]))
        published = document["paths"][address]["post"]
        forms = [*published["requestBody"]["content"], "text/plain"]
        headers = {"Content-Type": data.draw(st.sampled_from(forms))}
        rows = st.lists(st.sampled_from(sent[address]), max_size=4)
        content = data.draw(st.one_of(rows, BODIES))
        body = data.draw(st.one_of(st.just(json.dumps(content).encode()), st.binary(max_size=40)))
        if data.draw(st.integers(0, 9)) == 0:
            headers["Authorization"] = "Bearer nothing"
        if data.draw(st.booleans()):
            headers["Idempotency-Key"] = data.draw(st.sampled_from(["a", "b", "no key"]))
        answer = served.client.post(address, content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        check(answer, published, document)

    play()


def test_the_description_names_what_is_sent_and_how_to_prove_it(serve: Serve) -> None:
    served = serve()
    document = served.client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for address in (READINGS, LISTS):
        operation = document["paths"][address]["post"]
        assert operation["security"] == [{"token": []}]
        assert {"200", "401", "403", "413", "415", "422", "429", "503"} <= operation["responses"].keys()
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()
    names = [said["operationId"] for methods in document["paths"].values() for said in methods.values()]
    assert len(names) == len(set(names))
    page = served.client.get("/docs").text
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    check(served.client.get("/ready"), document["paths"]["/ready"]["get"], document)


def test_below_the_reserve_nothing_is_taken_and_it_goes_on_when_there_is_room(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve()
    document = served.client.get("/openapi.json").json()
    all_of_it = replace(room.limits(), reserve_bytes=2**62, reserve_share=1.0)
    with monkeypatch.context() as patched:
        patched.setattr(room, "limits", lambda: all_of_it)
        refused = served.send([reading()])
        assert problem(refused) == (503, "disk_full")
        check(refused, document["paths"][READINGS]["post"], document)
        ready = served.client.get("/ready")
        assert problem(ready) == (503, "disk_full")
        check(ready, document["paths"]["/ready"]["get"], document)
        assert served.client.get("/api/v1/places").status_code == 200
    assert served.raw_rows() == 0
    assert counts(served.send([reading()])) == (1, 0, 0, 0)
    assert served.client.get("/ready").status_code == 200


def test_a_committer_that_does_not_come_on_is_said(serve: Serve) -> None:
    served = serve()
    served.doors.stuck_s = 0.2
    with served.doors.city.engine.exclusive():
        future = served.doors.committer.submit(delivery())
        wait_for(lambda: served.client.get("/ready").status_code == 503, "it is seen")
        assert problem(served.client.get("/ready")) == (503, "committer_stuck")
    future.result(60)
    assert served.client.get("/ready").status_code == 200


def delivery() -> Any:
    """Give a delivery of one reading."""
    body = json.dumps([reading()]).encode()
    return delivery_of(body, "application/json", "identity", None, source="x", key="", digest="")


def test_each_limit_has_its_reason() -> None:
    rows = read_toml("quintet.ingest", "http.toml")["limit"]
    assert rows.keys() == set(HttpLimits.__slots__)
    assert all(row["value"] > 0 and row["source"] and row["why"] for row in rows.values())
    assert http_limits().held_bytes >= http_limits().body_bytes
