"""Bills over HTTP: a dwelling's month, what it lacks in two languages, and refusals that say what is wrong."""

import httpx
import pytest

HOME = {"place": "c001/101/0101", "month": "2026-11"}


def test_a_month_without_contracts_says_so_and_no_zero(client: httpx.Client) -> None:
    found = client.get("/api/v1/bills", params=HOME)
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["total_won"], told["whole"]) == (None, False)
    assert {one["commodity"] for one in told["bills"]} >= {"electricity", "water"}
    for one in told["bills"]:
        assert one["due_won"] is None
        assert {why["code"] for why in one["why"]} >= {"not_agreed"}
        assert all(why["ko"] and why["remedy_ko"] for why in one["why"])
    again = client.get("/api/v1/bills", params=HOME, headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("", {"month": "2026-13"}, 400, "bad_time"),
        ("", {"place": "nowhere"}, 404, "unknown_place"),
        ("", {"place": "c001"}, 400, "no_dwelling"),
        ("/explained", {}, 404, "not_issued"),
        ("/explained", {"month": "November"}, 400, "bad_time"),
        ("/allocation", {"place": "c001", "commodity": "electricity"}, 404, "not_agreed"),
        ("/allocation", {"place": "c001"}, 400, "bad_parameter"),
        ("/incentives", {"place": "c001"}, 400, "no_dwelling"),
    ],
)
def test_refusals_are_plain(client: httpx.Client, path: str, change: dict[str, str], status: int, code: str) -> None:
    refused = client.get(f"/api/v1/bills{path}", params={**HOME, **change})
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text


def test_incentives_have_no_baseline_in_a_young_city(client: httpx.Client) -> None:
    rows = client.get("/api/v1/bills/incentives", params=HOME).json()["incentives"]
    assert {(one["program"], one["commodity"]) for one in rows} >= {("cashback", "electricity"), ("points", "water")}
    assert all(one["won"] is None and one["reason"] for one in rows)
