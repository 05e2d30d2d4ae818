"""`vee run` and the queue of exceptions, asked by command and over HTTP: the same items, worst first."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from quintet.access import EVERYTHING, Scope
from quintet.app.answer import Answer, no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import (
    AnyRequest,
    ExceptionsClose,
    ExceptionsList,
    ExceptionsReopen,
    ExceptionsShow,
    VeeRun,
)
from quintet.app.site import build_site
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import from_us, to_us
from quintet.terms.tables import QUARANTINE, READINGS

MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
NOW = to_us(MONDAY + timedelta(days=16))
METERS = ("small", "large")
"""Both fall silent after ten days; the large one uses ten times as much."""


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    City.create(tmp_path / "city", timezone="UTC").close()
    out = City.open(tmp_path / "city", now=lambda: NOW)
    fill(out)
    yield out
    out.close()


def fill(out: City) -> None:
    """Register the meters and send what they measured."""
    rows = [
        {
            "site": "c1", "building": meter, "meter": meter, "commodity": "electricity", "unit": "kWh",
            "value_kind": "interval_sum", "cadence_min": 60, "tz": "UTC", "role": "consumption",
        }
        for meter in METERS
    ]  # fmt: skip
    out.pipeline.register(pa.Table.from_pylist(rows), source="test", actor="test")
    sent = [
        {"site": "c1", "meter": meter, "at": MONDAY + timedelta(hours=h), "value": each + h * 7919 % 97 / 40, "row": h}
        for meter, each in zip(METERS, (1.0, 10.0), strict=True)
        for h in range(240)
    ]
    out.pipeline.commit([(pa.Table.from_pylist(sent, READINGS), QUARANTINE.empty_table())], source="test", actor="test")


def ask(city: City, request: AnyRequest) -> Answer:
    return answer_request(city, request, no_progress)


def test_what_broke_is_listed_worst_first_and_the_second_run_does_nothing(city: City) -> None:
    done = ask(city, VeeRun(actor="kim")).read()
    assert (done["units"], done["exceptions_open"]) == (3, 2)
    again = ask(city, VeeRun())
    assert (again.read()["units"], again.notes) == (0, ["Nothing has changed since the last run."])
    listed = ask(city, ExceptionsList())
    queue = listed.read()
    assert [row["cause"] for row in queue["exceptions"]] == ["c1/large", "c1/small"]
    assert queue["won"] == sum(row["won"] for row in queue["exceptions"])
    assert queue["exceptions"][0]["since"] == "2025-01-16T00:00:00+00:00"
    assert "approximation" in queue["note"]
    assert "approximation" in listed.notes[0]
    assert ask(city, ExceptionsList(kind="leak")).read()["total"] == 0
    assert ask(city, ExceptionsList(place="c1/small")).read()["total"] == 1
    assert len(ask(city, ExceptionsList(limit=1)).read()["exceptions"]) == 1


def test_an_item_is_shown_closed_and_opened_again(city: City) -> None:
    ask(city, VeeRun())
    shown = ask(city, ExceptionsShow(1)).read()
    assert shown["channels"] == [shown["item"]["cause"]]
    assert shown["evidence"][0]["rule"] == "silent"
    assert shown["amounts"]["electricity"].endswith(" kWh")
    ask(city, ExceptionsClose(1, "kim", "switched off"))
    assert ask(city, ExceptionsList(state="closed")).read()["total"] == 1
    ask(city, ExceptionsReopen(1, "kim", "it was not"))
    history = ask(city, ExceptionsShow(1)).read()["history"]
    assert [(step["state"], step["actor"]) for step in history] == [("open", ""), ("closed", "kim"), ("open", "kim")]


def test_what_cannot_be_asked_is_refused(city: City) -> None:
    bad: list[tuple[type[Exception], AnyRequest]] = [
        (UsageError, VeeRun(start="yesterday")),
        (UsageError, VeeRun(start="2025-01-07", end="2025-01-07")),
        (UsageError, ExceptionsList(state="lost")),
        (UsageError, ExceptionsList(limit=0)),
        (NotFound, ExceptionsList(place="nowhere")),
        (NotFound, ExceptionsShow(1)),
        (NotFound, ExceptionsClose(1, "kim", "x")),
    ]
    for error, request in bad:
        with pytest.raises(error):
            ask(city, request)


@pytest.mark.anyio
async def test_the_queue_is_known_as_of_a_moment(tmp_path: Path) -> None:
    City.create(tmp_path / "later", timezone="UTC").close()
    clock = [time.time_ns() // 1000]  # the city was made just now: nothing is known from before
    city = City.open(tmp_path / "later", now=lambda: clock[0])
    fill(city)
    moments: list[str] = []
    for act in (VeeRun(), ExceptionsClose(1, "kim", "switched off"), ExceptionsReopen(1, "kim", "it was not")):
        moments.append(from_us(clock[0]).isoformat())
        clock[0] += 86_399_000_000
        ask(city, act)
        clock[0] += 1_000_000  # batches of one moment follow one another by a microsecond each
    counts = [len(ask(city, ExceptionsList(known_at=at)).read()["exceptions"]) for at in moments]
    assert counts == [0, 2, 1]
    aged = [ask(city, ExceptionsList(known_at=at)).read()["exceptions"][-1]["age_days"] for at in moments[1:]]
    assert aged[1] == aged[0] + 1
    history = ask(city, ExceptionsShow(1, moments[1])).read()["history"]
    assert [step["state"] for step in history] == ["open"]
    with pytest.raises(NotFound):
        ask(city, ExceptionsShow(1, moments[0]))
    with pytest.raises(UsageError, match="future"):
        ask(city, ExceptionsList(known_at="2099-01-01"))
    door = httpx.ASGITransport(app=build_site(city))
    async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as client:
        for at, count in zip(moments, counts, strict=True):
            queue = (await client.get("/api/v1/exceptions", params={"known_at": at})).json()
            known = datetime.fromisoformat(queue["known_at"])
            assert (queue["total"], known) == (count, datetime.fromisoformat(at))
        one = await client.get("/api/v1/exceptions/1", params={"known_at": moments[2]})
        assert one.json()["item"]["state"] == "closed"
        for path, known in (("places", ["city"]), ("meters", [])):
            then = await client.get(f"/api/v1/{path}", params={"known_at": "2025-01-01"})
            assert [row["place"] for row in then.json()[path]] == known
            now = await client.get(f"/api/v1/{path}", params={"known_at": moments[0]})
            assert now.json() == (await client.get(f"/api/v1/{path}")).json()
    city.close()


def test_only_the_weeks_asked_for_are_judged(city: City) -> None:
    assert ask(city, VeeRun(end="2025-01-13")).read()["units"] == 1
    assert ask(city, VeeRun(start="2025-01-13")).read()["units"] == 2


@pytest.mark.anyio
async def test_the_same_is_answered_over_http(city: City) -> None:
    ask(city, VeeRun())
    door = httpx.ASGITransport(app=build_site(city))
    async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as client:

        async def get(path: str, status: int = 200) -> Any:
            answer = await client.get(f"/api/v1/exceptions{path}")
            assert answer.status_code == status, answer.text
            return answer.json()

        queue = await get("")
        assert [row["cause"] for row in queue["exceptions"]] == ["c1/large", "c1/small"]
        number = queue["exceptions"][0]["id"]
        assert (await get(f"/{number}"))["item"] == queue["exceptions"][0]
        assert (await get("/99", 404))["code"] == "no_such_exception"
        assert (await get("/x", 400))["code"] == "bad_number"
        assert (await get("?state=lost", 400))["code"] == "bad_state"


def test_a_reader_sees_only_what_broke_at_places_of_his_own(city: City) -> None:
    ask(city, VeeRun(actor="kim"))
    everyone = city.access(EVERYTHING)
    numbers = {item.content["place"]: item.id for item in everyone.exceptions()[1]}
    assert set(numbers) == {"c1/large", "c1/small"}
    mine = city.access(Scope("kim", frozenset({"c1/small"})))
    assert [item.id for item in mine.exceptions()[1]] == [numbers["c1/small"]]
    assert mine.exception(numbers["c1/small"])[0].content["place"] == "c1/small"
    with pytest.raises(NotFound):
        mine.exception(numbers["c1/large"])
    assert not city.access(Scope("eve", frozenset())).exceptions()[1]
