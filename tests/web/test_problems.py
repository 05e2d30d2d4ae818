"""Whatever is wrong with a request is said as RFC 9457 asks, with a code, a remedy and no traceback."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from quintet.views import Questions
from quintet.web.problems import MEDIA_TYPE
from quintet.web.site import build

Serve = Callable[[FastAPI], str]
DAY = "from=2026-11-03&to=2026-11-04"


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == MEDIA_TYPE
    said = answer.json()
    assert said.keys() == {"type", "title", "status", "detail", "instance", "code", "place", "remedy"}
    assert said["status"] == answer.status_code
    assert said["type"] == f"urn:quintet:problem:{said['code']}"
    assert said["instance"] == answer.url.path
    assert said["detail"]
    assert said["remedy"]
    assert "Traceback" not in answer.text
    return answer.status_code, said["code"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("/api/v1/intervals?channel=c001/none&resolution=day&" + DAY, 404, "unknown_channel"),
        ("/api/v1/balances?place=c999&resolution=day&" + DAY, 404, "unknown_place"),
        ("/api/v1/dwelling-days?place=c999", 404, "unknown_place"),
        ("/api/v1/meters?place=c999", 404, "unknown_place"),
        ("/api/v1/meters?commodity=plasma", 422, "unknown_commodity"),
        ("/api/v1/balances?from=2026-11-03T00:00:00&to=2026-11-04&resolution=day", 400, "naive_time"),
        ("/api/v1/balances?from=2026-11-03T00:00:00%20&to=2026-11-04&resolution=day", 400, "bad_time"),
        ("/api/v1/balances?from=2026-11-04&to=2026-11-04&resolution=day", 400, "empty_range"),
        ("/api/v1/balances?resolution=week&" + DAY, 400, "bad_resolution"),
        ("/api/v1/balances?" + DAY, 400, "bad_parameter"),
        ("/api/v1/balances?resolution=day&resolution=hour&" + DAY, 400, "bad_parameter"),
        ("/api/v1/balances?resolution=day&plaec=c001&" + DAY, 400, "unknown_parameter"),
        ("/api/v1/places?limit=many", 400, "bad_limit"),
        ("/api/v1/places?limit=0", 400, "bad_limit"),
        ("/api/v1/places?cursor=made-up", 400, "bad_cursor"),
        ("/api/v1/places?level=%00", 400, "bad_parameter"),
        ("/api/v1/city-days?day=today", 400, "bad_day"),
        ("/api/v1/intervals?channel=c001/101-0102-gas&max_points=1&resolution=day&" + DAY, 400, "bad_max_points"),
        ("/health?verbose=1", 400, "unknown_parameter"),
        ("/api/v1/readings", 404, "no_such_address"),
        ("/static/../site.py", 404, "no_such_address"),
        ("/static/%2e%2e/site.py", 404, "no_such_address"),
    ],
)
def test_a_wrong_request_is_refused_by_name(client: httpx.Client, asked: str, status: int, code: str) -> None:
    assert problem(client.get(asked)) == (status, code)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(client: httpx.Client, method: str) -> None:
    assert problem(client.request(method, "/api/v1/places")) == (405, "method_not_allowed")


def test_a_near_miss_names_what_was_meant(client: httpx.Client) -> None:
    said = client.get("/api/v1/dwelling-days?place=101/0101").json()
    assert "c001/101/0101" in said["remedy"]


@pytest.mark.parametrize("host", ["quintet.example", "127.0.0.1.example", "10.0.0.1:8000", "", "localhost.example:80"])
def test_a_foreign_host_is_refused_everywhere(client: httpx.Client, host: str) -> None:
    for address in ("/", "/api/v1/places", "/static/page.js", "/health"):
        assert problem(client.get(address, headers={"Host": host})) == (400, "foreign_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:80", "[::1]"])
def test_this_machine_may_be_called_by_its_names(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_every_answer_has_its_security_headers(client: httpx.Client) -> None:
    for address in ("/", "/docs", "/api/v1/places", "/api/v1/nothing", "/static/page.css", "/openapi.json"):
        headers = client.get(address).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_what_nobody_foresaw_is_a_problem_too(serve: Serve, site_questions: Questions) -> None:
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError("secret detail")

    answer = httpx.get(f"{serve(build(site_questions, health=broken))}/health")
    assert problem(answer) == (500, "internal")
    assert "secret" not in answer.text


def test_a_sick_city_is_unavailable(serve: Serve, site_questions: Questions) -> None:
    answer = httpx.get(f"{serve(build(site_questions, health=lambda: {'status': 'disk full'}))}/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "disk full"})
