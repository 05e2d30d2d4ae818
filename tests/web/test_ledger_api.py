"""The ledger's questions over HTTP: the same answers as the functions give, exact, with tags and known-at."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

SPAN = {"from": "2026-11-02", "to": "2026-11-04"}
HOURLY = {**SPAN, "resolution": "hour"}
PATHS = ("self-sufficiency", "self-sufficiency/explain", "emissions", "emissions/gpc")


def exact(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_has_a_tag_and_is_not_sent_twice(client: httpx.Client, path: str) -> None:
    first = client.get(f"/api/v1/{path}", params=HOURLY)
    assert first.status_code == 200, first.text
    again = client.get(f"/api/v1/{path}", params=HOURLY, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/api/v1/{path}", params={**HOURLY, "from": "2026-11-03"})
    assert other.headers["etag"] != first.headers["etag"]


def test_every_definition_is_told_and_the_steps_lead_from_one_to_the_next(client: httpx.Client) -> None:
    told = exact(client.get("/api/v1/self-sufficiency", params=HOURLY))
    values = {one["id"]: one["value"] for one in told["definitions"]}
    assert len(values) == 9
    assert values["power_renewable"] > 0
    assert values["zeb_primary"] is not None
    assert told["pinned"] is None
    steps = exact(client.get("/api/v1/self-sufficiency/explain", params=HOURLY))["steps"]
    whole = [one for one in steps if one["by_assumption"] is not None]
    assert len(whole) >= 8
    for one in whole:
        parts = one["value_before"] + one["by_assumption"] + one["by_intervals"]
        assert abs(parts - one["value_after"]) <= Decimal("2e-12"), "each number is rounded to twelve places"


def test_greenhouse_gases_are_told_by_scope_and_as_the_table(client: httpx.Client) -> None:
    told = exact(client.get("/api/v1/emissions", params={**SPAN, "resolution": "day", "gwp": "SAR"}))
    sums = {one["scope"]: one["kg_co2e"] for one in told["scopes"]}
    assert (told["direct_kg_co2e"], told["gwp"]) == (sums[1], "SAR")
    assert told["indirect_kg_co2e"] == sums[2] + sums[3]
    rows = sum(one["kg_co2e"] for one in told["rows"] if one["scope"] == 2 and one["kg_co2e"] is not None)
    assert abs(rows - sums[2]) < Decimal("0.0001")
    table = exact(client.get("/api/v1/emissions/gpc", params={**SPAN, "resolution": "day", "gwp": "SAR"}))
    cells = sum(one["kg_co2e"] for one in table["cells"] if one["kg_co2e"] is not None)
    assert abs(cells - sum(sums.values())) < Decimal("0.0001")


@pytest.mark.parametrize(
    ("path", "more", "status", "code"),
    [
        ("emissions", {"factor_set": "nonesuch"}, 404, "unknown_set"),
        ("emissions", {"count_at": "both"}, 400, "bad_count_at"),
        ("emissions", {"gwp": "AR6"}, 400, "unknown_gwp"),
        ("emissions/compare/2025", {}, 404, "unknown_publication"),
        ("self-sufficiency", {"place": "c999"}, 404, "unknown_place"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    client: httpx.Client, path: str, more: dict[str, str], status: int, code: str
) -> None:
    query = more if "compare" in path else {**HOURLY, **more}
    answer = client.get(f"/api/v1/{path}", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
