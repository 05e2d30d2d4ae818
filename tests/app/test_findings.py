"""Doubt is seen where a number is read, and why: by command and over HTTP; a person's word ends it; `diff` tells it."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from quintet.app.answer import Answer, no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import AnyRequest, Diff, EditMake, Intervals, VeeFindings, VeeRun
from quintet.app.site import build_site
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

MONDAY = datetime(2027, 1, 4, tzinfo=UTC)
DAYS, ODD = 35, 30
"""On one day a meter says four times what it says on others."""
FROM, TO = "2027-02-03", "2027-02-04"


class Clock:
    def __init__(self) -> None:
        self.now = to_us(MONDAY + timedelta(days=DAYS + 2))

    def __call__(self) -> int:
        self.now += 1_000_000
        return self.now


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    City.create(tmp_path / "city", timezone="UTC").close()
    out = City.open(tmp_path / "city", now=Clock())
    rows = [
        {
            "site": "c1", "building": "b", "premise": meter, "meter": meter, "commodity": "electricity", "unit": "kWh",
            "value_kind": "interval_sum", "cadence_min": 60, "tz": "UTC", "role": "consumption",
        }
        for meter in ("odd", "even")
    ]  # fmt: skip
    out.pipeline.register(pa.Table.from_pylist(rows), source="test", actor="test")
    draw = random.Random(7)
    send(out, [(meter, h, 1 + draw.randrange(500) / 1000) for meter in ("odd", "even") for h in range(DAYS * 24)])
    yield out
    out.close()


def send(city: City, said: list[tuple[str, int, float]]) -> None:
    rows = [
        {
            "site": "c1", "meter": meter, "at": MONDAY + timedelta(hours=h), "row": at,
            "value": round(value * (4 if meter == "odd" and h // 24 == ODD else 1), 3),
        }
        for at, (meter, h, value) in enumerate(said, 1)
    ]  # fmt: skip
    city.pipeline.commit([(pa.Table.from_pylist(rows, READINGS), QUARANTINE.empty_table())], source="test", actor="me")


def ask(city: City, request: AnyRequest) -> Answer:
    return answer_request(city, request, no_progress)


def qualities_of(city: City, resolution: str = "hour", known_at: str | None = None, meter: str = "odd") -> list[str]:
    found = ask(city, Intervals(f"c1/{meter}", FROM, TO, resolution, known_at)).read()
    return [row["quality"] for row in found["rows"]]


def moment(city: City) -> str:
    """Give the present moment; what comes next is later."""
    said = datetime.fromtimestamp(city.now() / 1e6, UTC).isoformat()
    city.now()
    return said


def test_a_reader_sees_the_doubt_and_can_ask_why(city: City) -> None:
    before = moment(city)
    assert set(qualities_of(city)) == {"valid"}
    assert ask(city, VeeRun(actor="kim")).read()["marks_changed"] >= 24
    assert qualities_of(city) == ["suspect"] * 24
    assert qualities_of(city, "day") == ["suspect"]
    assert set(qualities_of(city, known_at=before)) == {"valid"}
    told = ask(city, VeeFindings(FROM, TO, channel="c1/odd")).read()
    by_rule = {row["rule"]: row for row in told["findings"]}
    level = by_rule["D01"]
    assert (level["severity"], level["marks"], level["by"], level["verdict"]) == ("flag", True, "run", "fail")
    assert (level["from"], level["to"]) == ("2027-02-03T00:00:00+00:00", "2027-02-04T00:00:00+00:00")
    assert level["figures"]["amount"] > 0
    assert level["name_ko"]
    assert ask(city, VeeFindings(FROM, TO, channel="c1/even")).read()["findings"] == []
    assert ask(city, VeeFindings("2027-01-20", "2027-01-21", channel="c1/odd")).read()["total"] == 0
    assert ask(city, VeeFindings(FROM, TO, place="c1", rule="D01")).read()["findings"] == [level]
    assert ask(city, VeeFindings(FROM, TO, channel="c1/odd", known_at=before)).read()["total"] == 0


def test_what_was_found_as_readings_came_in_is_told_too_and_once(city: City) -> None:
    send(city, [("odd", (DAYS * 24) + h, 9.0 if h == 12 else 1.0) for h in range(24)])
    found = ask(city, VeeFindings("2027-02-08", "2027-02-09", channel="c1/odd", rule="V07")).read()["findings"]
    assert [(row["by"], row["verdict"], row["severity"], row["marks"]) for row in found] == [
        ("commit", "", "flag", False)
    ]


def test_a_list_is_read_to_its_end_page_by_page(city: City) -> None:
    ask(city, VeeRun())
    send(city, [("odd", (DAYS * 24) + h, 9.0 if h == 12 else 1.0) for h in range(24)])
    whole = ask(city, VeeFindings(FROM, TO)).read()
    assert (whole["next_cursor"], len(whole["findings"])) == (None, whole["total"])
    pages: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(whole["total"]):
        page = ask(city, VeeFindings(FROM, TO, limit=1, cursor=cursor))
        pages += page.read()["findings"]
        cursor = page.read()["next_cursor"]
        assert (cursor is None) == (page.notes == [])
    assert (cursor, pages) == (None, whole["findings"])
    assert len(pages) > 1
    other = ask(city, VeeFindings(FROM, TO, limit=1)).read()["next_cursor"]
    with pytest.raises(UsageError, match="does not continue this question"):
        ask(city, VeeFindings(FROM, TO, rule="D01", cursor=other))


def test_the_same_over_http(city: City) -> None:
    ask(city, VeeRun())
    transport: Any = httpx.ASGITransport(app=build_site(city))

    async def get(**given: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/api/v1/findings", params={"from": FROM, "to": TO, **given})

    answer = asyncio.run(get(channel="c1/odd", rule="D01"))
    assert (answer.status_code, answer.json()["total"], answer.json()["findings"][0]["severity"]) == (200, 1, "flag")
    assert asyncio.run(get(channel="c1/odd", place="c1")).json()["code"] == "bad_findings"
    assert {row["channel"] for row in asyncio.run(get()).json()["findings"]} == {"c1/odd"}
    assert asyncio.run(get(channel="c1/nobody")).status_code == 404


def test_questions_that_cannot_be_answered_are_refused(city: City) -> None:
    with pytest.raises(UsageError, match="one channel or of one place"):
        ask(city, VeeFindings(FROM, TO, channel="c1/odd", place="c1"))
    with pytest.raises(NotFound):
        ask(city, VeeFindings(FROM, TO, place="nowhere"))
    with pytest.raises(UsageError, match="empty"):
        ask(city, VeeFindings(TO, FROM, channel="c1/odd"))


def test_a_person_accepts_what_a_rule_doubts_and_diff_tells_all_of_it(city: City) -> None:
    before = moment(city)
    doubted = ask(city, VeeRun()).read()["marks_changed"]
    marked = moment(city)
    asked = EditMake("accept", "2027-02-01", "2027-02-07", "kim", "a party", place="c1", quality="suspect", rule="D01")
    assert ask(city, asked).read()["intervals"] == 24
    ask(city, VeeRun())
    assert qualities_of(city) == ["edited"] * 24
    told = ask(city, Diff(before, marked, "2027-02", "2027-03", channel="c1/odd")).read()
    (cause,) = told["causes"]
    assert (cause["cause"], cause["intervals"], cause["change"]) == ("doubted", doubted, 0)
    assert "the values stay" in cause["text"]
    korean = ask(city, Diff(before, marked, "2027-02", "2027-03", channel="c1/odd", lang="ko")).read()
    assert "의심" in korean["causes"][0]["text"]
    after = ask(city, Diff(marked, moment(city), "2027-02", "2027-03", channel="c1/odd")).read()
    assert [row["cause"] for row in after["causes"]] == ["edit"]


def test_diff_names_the_correction_and_not_the_mark_that_came_after_it(city: City) -> None:
    before = moment(city)
    city.pipeline.commit(
        [(pa.Table.from_pylist([
            {"site": "c1", "meter": "even", "at": MONDAY + timedelta(days=ODD, hours=h), "value": 9.0 + h, "row": h + 1}
            for h in range(24)
        ], READINGS), QUARANTINE.empty_table())], source="test", actor="me",
    )  # fmt: skip
    ask(city, VeeRun())
    told = ask(city, Diff(before, moment(city), "2027-02", "2027-03", channel="c1/even")).read()
    assert qualities_of(city, meter="even") == ["suspect"] * 24
    causes = {row["cause"]: row["intervals"] for row in told["causes"]}
    assert causes["corrected"] == 24
    assert causes.keys() <= {"corrected", "doubted"}
    assert all(row["adds_up"] for row in told["totals"])
