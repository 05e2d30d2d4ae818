"""Targets over HTTP: the way to them, weather and changes, with tags, and refusals that say what is wrong."""

import json
from decimal import Decimal

import httpx
import pytest

SPANS = {"from": "2026-11-03", "to": "2026-11-04", "base_from": "2026-11-02", "base_to": "2026-11-03"}


@pytest.mark.parametrize(("path", "given"), [("", {"year": "2026"}), ("/weather", SPANS), ("/change", SPANS)])
def test_an_answer_has_a_tag_and_is_not_sent_twice(client: httpx.Client, path: str, given: dict[str, str]) -> None:
    first = client.get(f"/api/v1/targets{path}", params=given)
    assert first.status_code == 200, first.text
    again = client.get(f"/api/v1/targets{path}", params=given, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_parts_add_up_and_refusals_are_plain(client: httpx.Client) -> None:
    told = json.loads(client.get("/api/v1/targets/change", params=SPANS).content, parse_float=Decimal)
    parts = sum(one["amount"] for one in told["parts"])
    assert abs(parts - told["change"]) < Decimal("0.0001"), "each part is rounded to the milligram"
    assert told["method"] == "shapley"
    for change, status, code in (
        ({"activity": "joy"}, 400, "unknown_activity"),
        ({"place": "nowhere"}, 404, "unknown_place"),
        ({"base_to": "2026-11-02"}, 400, "empty_range"),
    ):
        refused = client.get("/api/v1/targets/change", params={**SPANS, **change})
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert client.get("/api/v1/targets", params={"year": "20"}).json()["code"] == "bad_year"
