"""Events over HTTP: stated, withdrawn and listed as by command, by whoever has a token that may."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from quintet.ingest.http_events import EVENTS, EventsListed
from quintet.store.audit_check import check
from quintet.vee import device_flags

from .conftest import METERS, Serve

START = datetime(2025, 10, 1, tzinfo=UTC)
METER = f"{METERS[0]['site']}/{METERS[0]['meter']}"
FLAG: dict[str, Any] = {
    "kind": "device_flag", "channel": METER, "from": START.isoformat(), "to": (START + timedelta(hours=2)).isoformat(),
    "detail": "power_failure", "by": "Anna", "reason": "it says so",
}  # fmt: skip


@pytest.fixture
def client(serve: Serve) -> httpx.Client:
    """Give a client that may state events."""
    served = serve()
    _, token = served.doors.city.tokens.create("desk", ("edits",), actor="test")
    served.client.headers["Authorization"] = f"Bearer {token}"
    return served.client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def listed(client: httpx.Client, **query: str) -> list[int]:
    answer = client.get(EVENTS, params=query)
    return [one.id for one in msgspec.json.decode(answer.content, type=EventsListed).events]


def test_an_event_is_stated_listed_as_known_then_and_withdrawn(client: httpx.Client) -> None:
    made = client.post(EVENTS, json=FLAG)
    assert (made.status_code, made.json()["id"], made.json()["channel"]) == (200, 1, METER)
    place = METER.split("/")[0]
    outage = {"kind": "supply_outage", "place": place, "from": "2025-10-02", "by": "Bo", "reason": "a storm"}
    assert client.post(EVENTS, json=outage).json()["to"] is None
    assert listed(client) == [1, 2]
    assert listed(client, kind="supply_outage") == [2]
    assert listed(client, place=place, to="2025-10-02") == [1]
    assert listed(client, **{"from": (START + timedelta(days=9)).isoformat()}) == [2]
    moment = datetime.now(UTC).isoformat()
    withdrawn = client.post(f"{EVENTS}/1/withdraw", json={"by": "Bo", "reason": "the next meter"})
    assert withdrawn.status_code == 200
    assert (listed(client), listed(client, known_at=moment)) == ([2], [1, 2])
    again = client.post(f"{EVENTS}/1/withdraw", json={"by": "Bo", "reason": "again"})
    assert refusal(again) == (422, "already_withdrawn")


def test_what_came_over_http_is_in_the_chain_with_the_source_of_its_token(serve: Serve) -> None:
    served = serve()
    city = served.doors.city
    _, token = city.tokens.create("desk", ("edits",), actor="test")
    assert served.client.post(EVENTS, json=FLAG, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    with city.engine.snapshot() as snapshot:
        assert check(city.engine, snapshot).broken is None
        said = snapshot.rows("select b.source, a.actor from event e join batch b on b.id = e.batch join audit a"
                             " on a.seq = e.audit")  # fmt: skip
    assert said == [("desk", "Anna")]


def test_refusals_are_problems_and_state_nothing(client: httpx.Client) -> None:
    for body, found in (
        ({**FLAG, "detail": "power_fail"}, (422, "unknown_flag")),
        ({**FLAG, "kind": "flood"}, (400, "bad_event")),
        ({**FLAG, "channel": "no/body"}, (404, "unknown_channel")),
        ({**FLAG, "place": "x"}, (400, "bad_event")),
        ({**FLAG, "by": " "}, (400, "no_name")),
        ({**FLAG, "to": "2025-09-01"}, (400, "bad_range")),
        ({**FLAG, "town": "x"}, (422, "bad_order")),
        ({**FLAG, "from": 7}, (422, "bad_order")),
    ):
        assert refusal(client.post(EVENTS, json=body)) == found, body
    flags = client.post(EVENTS, json={**FLAG, "detail": "x"}).json()
    assert all(code in flags["detail"] + flags.get("remedy", "") for code in device_flags())
    who = {"by": "Bo", "reason": "wrong"}
    for number in ("9", "x", "9" * 30):
        assert refusal(client.post(f"{EVENTS}/{number}/withdraw", json=who)) == (404, "no_such_event")
    for query, code in (
        ("town=x", "unknown_parameter"),
        ("kind=flood", "bad_event"),
        ("kind=a&kind=b", "bad_parameter"),
    ):
        assert refusal(client.get(f"{EVENTS}?{query}")) == (400, code)
    assert refusal(client.get(EVENTS, params={"known_at": "2099-01-01"})) == (400, "future_known_at")
    assert listed(client) == []


def test_a_token_must_allow_it(client: httpx.Client) -> None:
    assert refusal(client.post(EVENTS, json=FLAG, headers={"Authorization": ""})) == (401, "unknown_token")
    assert refusal(client.get(EVENTS, headers={"Authorization": "Bearer x"})) == (401, "unknown_token")


def test_the_description_says_what_is_sent_and_answered(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    paths, schemas = document["paths"], document["components"]["schemas"]
    assert set(paths[EVENTS]) == {"post", "get"}
    assert [one["name"] for one in paths[EVENTS]["get"]["parameters"]] == ["kind", "place", "from", "to", "known_at"]
    assert paths[f"{EVENTS}/{{id}}/withdraw"]["post"]["security"] == [{"token": []}]
    assert set(schemas["EventOrder"]["required"]) == {"kind", "from", "by", "reason"}
