"""The API as a client meets it: a real server, a real city, exact numbers, tags and pages."""

import json
from decimal import Decimal

import httpx
import pytest

from quintet.app.answers_balance import BALANCE_COLUMNS

DAY = {"from": "2026-11-03", "to": "2026-11-04"}
CHANNEL = "c001/101-0102-electricity"


def exact(answer: httpx.Response) -> dict[str, object]:
    return json.loads(answer.content, parse_float=Decimal)


def test_health_says_what_the_owner_says(client: httpx.Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "days": 3})


def test_places_are_paged_by_an_opaque_cursor(client: httpx.Client) -> None:
    seen: list[str] = []
    query: dict[str, str] = {"level": "premise", "limit": "7"}
    while True:
        page = client.get("/api/v1/places", params=query).json()
        assert len(page["places"]) <= 7
        seen += [row["place"] for row in page["places"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 30
    assert seen == sorted(seen)


def test_a_dwelling_has_five_meters(client: httpx.Client) -> None:
    meters = client.get("/api/v1/meters", params={"place": "c001/101/0101"}).json()["meters"]
    assert sorted(row["commodity"] for row in meters) == ["electricity", "gas", "heat", "hot_water", "water"]
    assert {row["place"] for row in meters} == {"c001/101/0101"}


def test_a_series_sums_exactly_to_its_day(client: httpx.Client) -> None:
    query = {"channel": CHANNEL, **DAY}
    quarters = exact(client.get("/api/v1/intervals", params={**query, "resolution": "15min"}))
    day = exact(client.get("/api/v1/intervals", params={**query, "resolution": "day"}))
    rows, whole = quarters["rows"], day["rows"]
    assert isinstance(rows, list)
    assert isinstance(whole, list)
    assert len(rows) == 96
    assert sum(Decimal(row["value"]) for row in rows) == Decimal(whole[0]["value"])
    assert rows[0]["start"] == "2026-11-03T00:00:00+09:00"
    assert rows[0].keys() == {"start", "value", "unit", "quality", "coverage", "estimated_share"}


def test_max_points_thins_and_keeps_the_peak(client: httpx.Client) -> None:
    query = {"channel": CHANNEL, **DAY, "resolution": "15min"}
    whole = client.get("/api/v1/intervals", params=query).json()
    fewer = client.get("/api/v1/intervals", params={**query, "max_points": 12}).json()
    assert (whole["downsampled"], fewer["downsampled"]) == (False, True)
    assert len(fewer["rows"]) <= 12
    assert max(row["value"] for row in fewer["rows"]) == max(row["value"] for row in whole["rows"])


def test_balances_have_the_rows_of_the_contract_and_close(client: httpx.Client) -> None:
    answer = client.get("/api/v1/balances", params={**DAY, "resolution": "day"})
    assert answer.headers["content-type"] == "application/json"
    said = exact(answer)
    rows = said["rows"]
    assert isinstance(rows, list)
    assert said.keys() == {"known_at", "rule_set", "rows"}
    assert [row["commodity"] for row in rows] == ["electricity", "gas", "heat", "hot_water", "water"]
    for row in rows:
        assert list(row) == BALANCE_COLUMNS
        if row["derived"]:
            assert row["closure_error"] is None
            continue
        supply = sum(
            Decimal(row[name]) for name in ("import", "local_generation", "conversion_out", "storage_discharge")
        )
        use = sum(
            Decimal(row[name]) for name in ("consumption", "conversion_in", "storage_charge", "export", "known_loss")
        )
        assert Decimal(row["closure_error"]) == supply - use


def test_an_unescaped_plus_sign_is_understood(client: httpx.Client) -> None:
    query = "from=2026-11-03T00:00:00+09:00&to=2026-11-04T00:00:00%2B09:00&resolution=day"
    plus = client.get(f"/api/v1/balances?{query}")
    assert plus.status_code == 200
    assert plus.json()["rows"] == client.get("/api/v1/balances", params={**DAY, "resolution": "day"}).json()["rows"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("places", {}),
        ("meters", {"limit": "3"}),
        ("intervals", {"channel": CHANNEL, **DAY, "resolution": "hour"}),
        ("balances", {**DAY, "resolution": "hour"}),
        ("city-days", {}),
        ("dwelling-days", {"place": "c001/101/0101"}),
    ],
)
def test_a_known_tag_is_answered_with_304(client: httpx.Client, path: str, query: dict[str, str]) -> None:
    first = client.get(f"/api/v1/{path}", params=query)
    tag = first.headers["etag"]
    again = client.get(f"/api/v1/{path}", params=query, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get(f"/api/v1/{path}", params=query, headers={"If-None-Match": 'W/"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_other_content_has_another_tag(client: httpx.Client) -> None:
    tags = {
        client.get("/api/v1/city-days", params={"day": day}).headers["etag"]
        for day in ("2026-11-02", "2026-11-03", "2026-11-04")
    }
    assert len(tags) == 3


def test_the_city_day_names_its_simulation_and_its_end(client: httpx.Client) -> None:
    day = client.get("/api/v1/city-days").json()
    assert day["simulated"] is True
    assert (day["day"], day["as_of"], day["stale"]) == ("2026-11-04", "2026-11-04T14:30:00+09:00", False)
    assert [carrier["commodity"] for carrier in day["carriers"]] == ["electricity", "gas", "water", "heat", "hot_water"]
    assert all(len(carrier["hours"]) == 15 for carrier in day["carriers"])


def test_a_dwelling_shows_what_is_estimated_and_what_is_missing(client: httpx.Client) -> None:
    home = client.get("/api/v1/dwelling-days", params={"place": "c001/101/0101"}).json()
    utilities = {one["commodity"]: one for one in home["utilities"]}
    power, water = utilities["electricity"]["rows"], utilities["water"]["rows"]
    assert {row["quality"] for row in power[44:48]} == {"linear"}
    assert {row["estimated_share"] for row in power[8:36]} == {1.0}
    assert all(row["value"] is None and row["coverage"] == 0 for row in water[48:58])
    assert all(row["value"] is None and row["coverage"] is None for row in water[58:])
    assert utilities["gas"]["coverage"] == 1.0
