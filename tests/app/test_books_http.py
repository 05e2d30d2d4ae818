"""The books over HTTP: what the command line can decide, publish and report, with the same checks and audit records."""

import io
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from tests import open_city
from tests.conftest import IDLE_S

from quintet.app.city import City
from quintet.app.doors import Doors
from quintet.app.report_bundle import BUNDLE, Bundle
from quintet.app.site import build_site
from quintet.app.turns import Turns
from quintet.ingest.http_books import ADDRESSES, Decided
from quintet.store.audit_check import check

from . import ledger_city

PATIENCE_S = 60.0
WHO = {"by": "kim", "reason": "ordinance 12"}
ORDERS: dict[str, dict[str, Any]] = {
    "/api/v1/self-sufficiency:pin": {"definition": "power_local", "since": "2022-01-01"},
    "/api/v1/emissions:publish": {"name": "march", "from": "2022-03-28", "to": "2022-03-31"},
    "/api/v1/factor-sets:make": {"name": "plan", "base": "shipped"},
    "/api/v1/targets:set": {"year": 2022, "metric": "emissions", "of": "total", "value": "120 tCO2e"},
    "/api/v1/targets:withdraw": {"year": 2022, "metric": "emissions", "of": "total"},
    "/api/v1/measures:state": {
        "name": "lamps", "commodity": "electricity", "since": "2022-03-01", "saves": "120 MWh", "what": "street lamps",
    },
}  # fmt: skip
LISTED = {
    "/api/v1/self-sufficiency/bound": ("bound", "definition", "power_local"),
    "/api/v1/emissions/publications": ("publications", "name", "march"),
    "/api/v1/factor-sets": ("sets", "name", "plan"),
    "/api/v1/measures": ("measures", "name", "lamps"),
}
Serve = Callable[[City], httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Give a function that serves a city with its doors and gives a client that may decide; ended with the test."""
    ends: list[Callable[[], None]] = []

    def start(city: City) -> httpx.Client:
        doors = Doors(city, Turns())
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        site = build_site(city, doors.parts)
        server = uvicorn.Server(
            uvicorn.Config(site, log_level="critical", timeout_graceful_shutdown=3, timeout_keep_alive=IDLE_S)
        )
        doors.start()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        _, token = city.tokens.create("desk", ("edits",), actor="test")
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        client = httpx.Client(base_url=address, timeout=PATIENCE_S, headers={"Authorization": f"Bearer {token}"})

        def end() -> None:
            client.close()
            server.should_exit = True
            thread.join(PATIENCE_S)
            doors.stop(PATIENCE_S)
            door.close()
            city.close()

        ends.append(end)
        deadline = time.monotonic() + PATIENCE_S
        while not server.started:
            assert thread.is_alive(), "the server starts"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return client

    yield start
    for end in ends:
        end()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def reading(client: httpx.Client) -> httpx.Client:
    """Give a client without a token: who sits at the machine reads."""
    return httpx.Client(base_url=client.base_url, timeout=PATIENCE_S)


def test_every_decision_is_kept_listed_and_in_the_audit_chain(tmp_path: Path, serve: Serve) -> None:
    city = ledger_city.made(tmp_path / "city")
    client = serve(city)
    seen = 0
    assert {one.path for one in ADDRESSES} == {*ORDERS, "/api/v1/open-data:release"}
    for path, order in ORDERS.items():
        answer = client.post(path, json=order | WHO)
        assert answer.status_code == 200, answer.text
        done = msgspec.json.decode(answer.content, type=Decided)
        assert (done.by, done.changed, done.audit > seen) == ("kim", True, True), path
        seen = done.audit
    again = client.post("/api/v1/self-sufficiency:pin", json=ORDERS["/api/v1/self-sufficiency:pin"] | WHO)
    assert again.json()["changed"] is False
    with reading(client) as reader:
        for path, (table, key, value) in LISTED.items():
            first = reader.get(path)
            assert value in [one[key] for one in first.json()[table]], path
            again = reader.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
    with city.engine.snapshot() as snapshot:
        assert check(city.engine, snapshot).broken is None
        actors = {one for (one,) in snapshot.rows("select actor from audit where action = 'decision'")}
    assert actors == {"kim"}


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/api/v1/self-sufficiency:pin", {"definition": "power"}, 422, "unknown_definition"),
    ("/api/v1/targets:set", {"value": "many"}, 422, "bad_target"),
    ("/api/v1/targets:set", {"place": "nowhere"}, 404, "unknown_place"),
    ("/api/v1/targets:set", {"colour": "red"}, 422, "bad_order"),
    ("/api/v1/targets:set", {"reason": " "}, 422, "no_reason"),
    ("/api/v1/targets:withdraw", {}, 404, "no_target"),
    ("/api/v1/open-data:release", {"from": "2022-03-28", "to": "2022-03-31"}, 400, "not_whole_months"),
    ("/api/v1/factor-sets:make", {"rows": {"factor": {"x": {"co2e_kg": "1"}}}}, 422, "bad_row"),
]
"""Address, what is wrong in its order, and how it is refused."""


def test_what_the_command_refuses_is_refused_here(tmp_path: Path, serve: Serve) -> None:
    client = serve(ledger_city.made(tmp_path / "city"))
    for path, wrong, status, code in REFUSED:
        answer = client.post(path, json=ORDERS.get(path, {}) | WHO | wrong)
        assert refusal(answer) == (status, code), (path, wrong, answer.text)
    del client.headers["Authorization"]
    for path in (one.path for one in ADDRESSES):
        assert client.post(path, json=ORDERS.get(path, {}) | WHO).status_code == 401, path


def test_open_data_are_told_once_released_in_every_form_with_tags(tmp_path: Path, serve: Serve) -> None:
    city = open_city.made(tmp_path / "city")
    client = serve(city)
    asked = {"from": "2027-07", "to": "2027-08"}
    assert refusal(client.get("/api/v1/open-data", params=asked)) == (400, "not_released")
    assert client.post("/api/v1/open-data:release", json=asked | WHO).status_code == 200
    with reading(client) as reader:
        media = {}
        for form in ("json", "csv", "csv-metadata", "ngsi-ld", "ngsi-ld-key-values"):
            first = reader.get("/api/v1/open-data", params=asked | {"format": form})
            assert first.status_code == 200, first.text
            media[form] = first.headers["content-type"].split(";")[0]
            tag = {"If-None-Match": first.headers["etag"]}
            assert reader.get("/api/v1/open-data", params=asked | {"format": form}, headers=tag).status_code == 304
        assert media["csv"] == "text/csv"
        assert media["ngsi-ld"] == "application/ld+json"
        cells = reader.get("/api/v1/open-data", params=asked | {"place": "d1/small"}).json()["cells"]
        assert cells
        assert all(one["value"] is None and one["status"] == "suppressed" for one in cells)
        assert [one["month"] for one in reader.get("/api/v1/open-data/releases").json()["releases"]] == ["2027-07"]
        assert refusal(reader.get("/api/v1/open-data", params=asked | {"format": "xml"})) == (400, "bad_form")
        assert refusal(reader.get("/api/v1/open-data", params=asked | {"place": "x"})) == (404, "unknown_place")
        described = reader.get("/openapi.json").json()["paths"]
    assert {"get"} == set(described["/api/v1/open-data"])
    assert {"post"} == set(described["/api/v1/open-data:release"])


def finished(client: httpx.Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while (told := client.get(job).json())["status"] == "working":
        assert time.monotonic() < deadline, "the report is made"
        time.sleep(0.05)
    return told


def test_a_report_is_ordered_made_fetched_and_verified(tmp_path: Path, serve: Serve) -> None:
    client = serve(ledger_city.made(tmp_path / "city"))
    del client.headers["Authorization"]
    ordered = client.post("/api/v1/reports", json={"period": "2022-03", "lang": "en"})
    assert ordered.status_code == 202, ordered.text
    done = finished(client, ordered.headers["location"])
    assert done["status"] == "done", done
    assert {one["name"] for one in done["files"]} >= {"report.xlsx", "report-en.pdf", "figures.json", BUNDLE}
    pdf = client.get(f"{done['report']}/files/report-en.pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    tag = {"If-None-Match": pdf.headers["etag"]}
    assert client.get(f"{done['report']}/files/report-en.pdf", headers=tag).status_code == 304
    packed = zipfile.ZipFile(io.BytesIO(client.get(f"{done['report']}/bundle").content))
    bundle = msgspec.json.decode(packed.read(BUNDLE), type=Bundle)
    assert set(packed.namelist()) == {BUNDLE, *bundle.files}
    verified = client.post(f"{done['report']}:verify")
    assert verified.json() == {
        "verified": True, "differing_figures": 0, "touched": [], "differences": [],
        "known_at": bundle.question.known_at,
    }  # fmt: skip
    figures = tmp_path / "city" / "reports" / done["id"] / "figures.json"
    figures.write_bytes(figures.read_bytes().replace(b"1", b"2", 1))
    assert client.post(f"{done['report']}:verify").json()["verified"] is False
    assert refusal(client.get(f"{done['report']}/bundle")) == (422, "bad_bundle")
    assert [one["id"] for one in client.get("/api/v1/reports").json()["reports"]] == [done["id"]]


def test_a_report_that_cannot_be_is_refused_and_one_that_fails_says_why(tmp_path: Path, serve: Serve) -> None:
    client = serve(ledger_city.made(tmp_path / "city"))
    del client.headers["Authorization"]
    for order, status, code in (
        ({"period": "2022-13"}, 400, "bad_period"),
        ({"period": "2022-03", "place": "nowhere"}, 404, "unknown_place"),
        ({"period": "2022-03", "lang": "fr"}, 422, "bad_order"),
    ):
        assert refusal(client.post("/api/v1/reports", json=order)) == (status, code), order
    assert refusal(client.get("/api/v1/jobs/0123456789abcdef")) == (404, "no_such_report")
    assert refusal(client.get("/api/v1/reports/..%2F..%2Fcity.toml"))[0] == 404
    ordered = client.post("/api/v1/reports", json={"period": "2022-03", "known_at": "2099-01-01"})
    done = finished(client, ordered.json()["job"])
    assert (done["status"], done["code"]) == ("failed", "future_known_at")
    assert refusal(client.get(f"{done['report']}/bundle")) == (404, "report_not_done")
