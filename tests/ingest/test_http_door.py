"""The HTTP door before a real city: who is let in, what is answered, and what is stored when it is."""

import json
from typing import Any

import httpx
import pytest

from .conftest import METERS, Serve, Served

READINGS, LISTS = "/api/v1/readings:batch", "/api/v1/meters:batch"
JSON = {"Content-Type": "application/json"}


def reading(slot: int = 0, **more: Any) -> dict[str, Any]:
    """Give one good reading of a quarter of an hour."""
    at = f"2026-11-03T{slot // 4:02}:{slot % 4 * 15:02}:00Z"
    return {"site": "c1", "meter": "power", "ts_utc": at, "value": 0.25, **more}


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Give a refusal's status and code; it must be a problem with a remedy."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["remedy"]
    assert "Traceback" not in answer.text
    return answer.status_code, said["code"]


def counts(answer: httpx.Response) -> tuple[int, int, int, int]:
    """Give what became of a delivery's rows."""
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return said["accepted"], said["duplicate"], said["quarantined"], said["rejected_total"]


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()


def test_a_reading_is_stored_when_it_is_answered(served: Served) -> None:
    answer = served.send({"readings": [reading()]})
    assert counts(answer) == (1, 0, 0, 0)
    assert answer.headers["cache-control"] == "no-store"
    assert served.raw_rows() == 1
    asked = {"channel": "c1/power", "from": "2026-11-03", "to": "2026-11-04", "resolution": "15min"}
    rows = served.client.get("/api/v1/intervals", params=asked).json()["rows"]
    assert [row["value"] for row in rows if row["value"] is not None] == [0.25]


def test_each_row_is_counted_once_and_bad_ones_are_named(served: Served) -> None:
    sent = [reading(0), reading(1), reading(0), reading(2, meter="none"), reading(3, value="much"), 7, reading(4)]
    said = served.send({"readings": sent}).json()
    assert said["accepted"] + said["duplicate"] + said["quarantined"] == len(sent)
    assert (said["accepted"], said["duplicate"]) == (3, 1)
    assert [row["index"] for row in said["rejected"]] == [3, 4, 5]
    assert said["rejected"][0]["code"] == "unregistered_meter"
    assert all(row["reason"] for row in said["rejected"])
    assert counts(served.send({"readings": sent[:2]})) == (0, 2, 0, 0)
    assert served.raw_rows() == 3


def test_the_source_of_a_delivery_is_its_token_s(served: Served) -> None:
    served.send({"readings": [reading(), reading(1, meter="none")]})
    with served.doors.city.engine.snapshot() as snapshot:
        assert snapshot.rows("select source, actor from batch order by id desc limit 1") == [("shed", "http")]
        assert snapshot.rows("select distinct source from quarantine") == [("shed",)]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", f"Bearer qnt_{'0' * 12}_{'A' * 43}"])
def test_without_a_token_nothing_is_read(served: Served, header: str) -> None:
    for address in (READINGS, LISTS):
        answer = httpx.post(served.address + address, content=b"no matter", headers={"Authorization": header})
        assert problem(answer) == (401, "unknown_token")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_does_what_it_may_until_it_is_revoked(served: Served) -> None:
    made, token = served.doors.city.tokens.create("meter-7", ("readings",), actor="test")
    mine = {"Authorization": f"Bearer {token}"}
    assert served.send([reading()], **mine).status_code == 200
    assert problem(served.client.post(LISTS, json=METERS, headers=mine)) == (403, "missing_right")
    served.doors.city.tokens.revoke(made.id, actor="test")
    assert problem(served.send([reading(1)], **mine)) == (401, "unknown_token")
    assert served.raw_rows() == 1


def test_a_token_does_not_make_the_registry_anew(served: Served) -> None:
    before = served.doors.city.registry()
    served.doors.city.tokens.create("one-more", actor="test")
    assert served.doors.city.registry() is before


def test_the_same_key_gives_the_same_answer(served: Served, serve: Serve) -> None:
    sent = {"readings": [reading(), reading(1, meter="none")]}
    first = served.send(sent, **{"Idempotency-Key": "parcel-1"})
    again = served.send(sent, **{"Idempotency-Key": "parcel-1"})
    assert again.json() == {**first.json(), "repeated": True}
    assert first.json()["repeated"] is False
    other = served.send({"readings": [reading(2)]}, **{"Idempotency-Key": "parcel-1"})
    assert problem(other) == (422, "key_reused")
    served.end()
    after = serve()
    assert after.send(sent, **{"Idempotency-Key": "parcel-1"}).json() == again.json()
    _, token = after.doors.city.tokens.create("neighbour", actor="test")
    theirs = after.send([reading(3)], **{"Idempotency-Key": "parcel-1", "Authorization": f"Bearer {token}"})
    assert counts(theirs) == (1, 0, 0, 0)


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(served: Served, key: str) -> None:
    headers = httpx.Headers([(b"Idempotency-Key", key.encode())])
    answer = served.client.post(READINGS, json=[reading()], headers=headers)
    assert problem(answer) == (400, "bad_key")
    assert served.raw_rows() == 0


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data"])
def test_an_unknown_form_is_refused_with_the_known_ones(served: Served, kind: str) -> None:
    answer = served.client.post(READINGS, content=b"[]", headers={"Content-Type": kind})
    assert problem(answer) == (415, "unknown_form")
    assert "application/json" in answer.json()["remedy"]
    packed = served.send([reading()], **{"Content-Encoding": "br"})
    assert problem(packed) == (415, "unknown_form")
    assert "zstd" in packed.json()["remedy"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"3", b'{"readings": 3}', b"null", b"[" * 100_000])
def test_a_body_that_is_none_is_refused(served: Served, body: bytes) -> None:
    status, _ = problem(served.client.post(READINGS, content=body, headers=JSON))
    assert status == 422
    assert problem(served.client.post(LISTS, content=body, headers=JSON))[0] == 422
    assert served.raw_rows() == 0


def test_other_ways_to_ask_are_named(served: Served) -> None:
    for address in (READINGS, LISTS):
        answer = served.client.get(address)
        assert problem(answer) == (405, "method_not_allowed")
        assert "POST" in answer.json()["remedy"]
    assert problem(served.client.post(READINGS, params={"dry": "1"}, json=[])) == (400, "unknown_parameter")
    foreign = served.client.post(READINGS, json=[reading()], headers={"Host": "elsewhere.example"})
    assert problem(foreign) == (400, "foreign_host")


def test_meters_are_registered_and_their_readings_taken_at_once(served: Served) -> None:
    row = {**METERS[0], "meter": "new", "floor_area_m2": 84.5, "dials": 6, "note": {"colour": "red"}}
    odd = {**METERS[0], "meter": "odd", "commodity": "plasma"}
    said = served.client.post(LISTS, json={"meters": [odd, row, "x"]}).json()
    assert (said["registered"], said["rejected_total"]) == (1, 2)
    assert [(one["index"], one["code"]) for one in said["rejected"]] == [(0, "unknown_commodity"), (2, "no_row")]
    assert counts(served.send([reading(meter="new")])) == (1, 0, 0, 0)
    assert served.doors.city.registry().channel_by_name("c1/new").reading.dials == 6
    lines = "\n".join(json.dumps({**METERS[0], "meter": name}) for name in ("a", "b"))
    more = served.client.post(LISTS, content=lines, headers={"Content-Type": "application/x-ndjson"}).json()
    assert more == {**more, "registered": 2, "rejected": []}
    again = served.client.post(LISTS, content=lines, headers={"Content-Type": "application/x-ndjson"}).json()
    assert (again["registered"], again["changed"]) == (0, 0)


def test_a_list_without_a_needed_column_is_refused_whole(served: Served) -> None:
    bare = [{name: value for name, value in METERS[0].items() if name != "role"}]
    assert problem(served.client.post(LISTS, json=bare)) == (422, "missing_column")
    assert problem(served.client.post(LISTS, json=[])) == (422, "empty_table")


def test_what_stands_in_the_way_is_said(served: Served) -> None:
    assert served.client.get("/ready").json() == {"status": "ready"}
    assert problem(served.client.get("/ready?x=1")) == (400, "unknown_parameter")


def test_an_answer_that_is_given_again_counts_the_same_refusals(served: Served) -> None:
    sent = [reading(0, meter=f"none-{number}") for number in range(300)]
    first, again = (served.send(sent, **{"Idempotency-Key": "many"}).json() for _ in range(2))
    assert (first["rejected_total"], len(first["rejected"])) == (300, 100)
    assert again == {**first, "repeated": True}


@pytest.mark.parametrize(
    "body",
    [
        [reading(units="Wh", Note="x")],
        {"columns": {**{name: [value] for name, value in reading().items()}, "units": "Wh", "Note": ["x"]}},
    ],
)
def test_fields_that_nobody_reads_are_named(served: Served, body: Any) -> None:
    answer = served.send(body)
    assert counts(answer) == (1, 0, 0, 0)
    assert answer.json()["ignored_fields"] == ["Note", "units"]
    assert served.send([reading(1, unit="kWh", commodity="electricity")]).json()["ignored_fields"] == []


def test_refusals_are_counted_by_reason(served: Served) -> None:
    served.send([reading()])
    served.client.post(READINGS, content=b"x", headers={"Content-Type": "text/plain"})
    served.client.post(READINGS, content=b"x", headers={"Authorization": "Bearer nobody"})
    text = served.client.get("/metrics").text
    for code in ("ok", "unknown_form", "unknown_token"):
        assert f'quintet_door_answers_total{{code="{code}",door="http"}} 1.0' in text
