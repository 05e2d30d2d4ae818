"""Edits over HTTP: made, shown, undone and listed as by command, by whoever has a token that may."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pytest

from quintet.ingest.http_edits import EDITS, EditDone, EditsListed, numbers
from quintet.terms.tables import QUARANTINE, READINGS

from .conftest import METERS, Serve

START = datetime(2025, 10, 1, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "action": "replace", "from": START.isoformat(), "to": (START + timedelta(hours=1)).isoformat(), "value": 7.5,
    "by": "Anna", "reason": "read by hand",
}  # fmt: skip


@pytest.fixture
def desk(serve: Serve) -> tuple[httpx.Client, str]:
    """Give a client that may edit, and a channel of intervals with readings."""
    served = serve()
    city = served.doors.city
    meter = next(row for row in METERS if row["value_kind"] == "interval_sum")
    rows = [
        {
            "site": meter["site"],
            "meter": meter["meter"],
            "at": START + timedelta(minutes=15 * n),
            "value": 1.0,
            "row": n,
        }
        for n in range(12)
    ]
    table = pa.Table.from_pylist(rows, READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
    _, token = city.tokens.create("desk", ("edits",), actor="test")
    served.client.headers["Authorization"] = f"Bearer {token}"
    return served.client, f"{meter['site']}/{meter['meter']}"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def test_an_edit_is_shown_made_listed_and_undone(desk: tuple[httpx.Client, str]) -> None:
    client, channel = desk
    order = {**ORDER, "channel": channel}
    shown = client.post(EDITS, json={**order, "dry_run": True})
    assert (shown.status_code, shown.json()["id"], shown.json()["intervals"]) == (200, None, 4)
    assert client.get(EDITS).json()["edits"] == []
    made = msgspec.json.decode(client.post(EDITS, json=order).content, type=EditDone)
    assert (made.id, [row.after for row in made.rows]) == (1, [7.5] * 4)
    undone = client.post(f"{EDITS}/1/undo", json={"by": "Bo", "reason": "wrong meter"})
    assert undone.json()["rows"][0]["after"] == 1
    listed = msgspec.json.decode(client.get(EDITS, params={"limit": 1, "channel": channel}).content, type=EditsListed)
    assert ([one.undoes for one in listed.edits], listed.next) == ([1], 2)
    assert listed.edits[0].asked == {"via": "desk"}
    (first,) = client.get(EDITS, params={"before": 2}).json()["edits"]
    assert (first["by"], first["undone_by"], first["asked"]["value"]) == ("Anna", 2, "7.5")


def test_refusals_are_problems_and_change_nothing(desk: tuple[httpx.Client, str]) -> None:
    client, channel = desk
    order = {**ORDER, "channel": channel}
    for body, found in (
        ({**order, "by": ""}, (400, "no_name")),
        ({**order, "channel": "no/body"}, (404, "unknown_channel")),
        ({**order, "value": 0.0000001}, (422, "too_fine_value")),
        ({**order, "value": "7"}, (200, "")),
        ({**order, "value": [7]}, (422, "bad_order")),
        ({**order, "action": "mend"}, (422, "bad_order")),
        ({**order, "town": "x"}, (422, "bad_order")),
        ({key: value for key, value in order.items() if key != "reason"}, (422, "bad_order")),
        ({**order, "values": [{"start": order["from"], "value": 1}]}, (400, "bad_values")),
    ):
        answer = client.post(EDITS, json={**body, "dry_run": True})
        assert (answer.status_code, "") == found if answer.status_code == 200 else refusal(answer) == found, body
    assert refusal(client.post(EDITS, content=b"{", headers={"Content-Type": "application/json"})) == (422, "bad_json")
    assert refusal(client.post(EDITS, content=b"x", headers={"Content-Type": "text/csv"})) == (415, "unknown_form")
    who = {"by": "Bo", "reason": "wrong"}
    for number in ("9", "x", "9" * 30):
        assert refusal(client.post(f"{EDITS}/{number}/undo", json=who)) == (404, "no_such_edit")
    assert refusal(client.get(EDITS, params={"limit": "0"})) == (400, "bad_limit")
    assert refusal(client.get(EDITS, params={"town": "x"})) == (400, "unknown_parameter")
    assert client.get(EDITS).json() == {"edits": [], "next": None}


def test_a_token_must_allow_it(desk: tuple[httpx.Client, str], serve: Serve) -> None:
    client, channel = desk
    order = {**ORDER, "channel": channel}
    assert refusal(client.post(EDITS, json=order, headers={"Authorization": ""})) == (401, "unknown_token")
    assert refusal(client.get(EDITS, headers={"Authorization": "Bearer x"})) == (401, "unknown_token")
    city = client.get("/openapi.json").json()
    assert city["paths"][EDITS]["post"]["security"] == [{"token": []}]


def test_the_description_says_what_is_sent_and_answered(desk: tuple[httpx.Client, str]) -> None:
    document = desk[0].get("/openapi.json").json()
    paths, schemas = document["paths"], document["components"]["schemas"]
    assert set(paths[EDITS]) == {"post", "get"}
    assert set(paths[f"{EDITS}/{{id}}/undo"]) == {"post"}
    assert [one["name"] for one in paths[EDITS]["get"]["parameters"]] == ["limit", "before", "channel", "known_at"]
    assert "requestBody" not in paths[EDITS]["get"]
    assert set(schemas["EditOrder"]["required"]) == {"action", "from", "to", "by", "reason"}
    assert schemas["IntervalChanged"]["properties"]["after"]["anyOf"][0] == {"type": "number"}
    assert numbers([{"format": "decimal", "type": "string"}]) == [{"type": "number"}]
