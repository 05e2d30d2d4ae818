"""The read log: live push stands in it too, and why somebody read is the household's alone and goes with it."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.registry.stays import Stays
from quintet.store.records import ALWAYS, FOREVER
from quintet.store.vault import FOLDER, PEOPLE
from quintet.terms.period import to_us

from .peopled import HOMES, MOVE, NOW, START, Hand, Peopled, channel, made
from .strangers import bearer
from .test_accounts import hours
from .test_privacy import agreed

OWN, MOVED = HOMES[4], HOMES[1]
WHY = "complaint of Alice Kim"
HOUR = timedelta(hours=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def noted(client: httpx.Client) -> list[dict[str, Any]]:
    return client.get("/api/v1/me/reads").json()["reads"]


def listened(client: httpx.Client, place: str, work: object = None) -> None:
    """Open a stream, see its first line, and close it."""
    with client.stream("GET", "/api/v1/live", params={"place": place}) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()  # left alone it would close the stream
        next(lines)
        if callable(work):
            work()


def asked(client: httpx.Client, home: str, start: datetime, end: datetime) -> httpx.Response:
    span = {"from": start.isoformat(), "to": end.isoformat(), "resolution": "hour"}
    return client.get("/api/v1/intervals", params={"channel": channel(home, "water"), **span})


def test_following_a_dwelling_live_stands_in_its_read_log_from_its_beginning_to_its_end(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", OWN))
    staff = town.signed_in(town.person("staff", "operator", "city"))
    staff.headers["Quintet-Reason"] = "curious"
    began = town.hand.now

    def later() -> None:
        told = noted(owner)
        assert [(one["who"], one["what"], one["reason"]) for one in told] == [("Staff", "live", "curious")]
        assert told[0]["from"] == began.astimezone(town.city.registry().tz).isoformat()
        town.hand.now += timedelta(minutes=7)

    listened(staff, OWN, later)
    end = town.hand.now.astimezone(town.city.registry().tz).isoformat()
    waited = time.monotonic() + 60
    while noted(owner)[0]["until"] != end:
        assert time.monotonic() < waited, noted(owner)
        time.sleep(0.05)
    listened(owner, OWN)
    assert len(noted(owner)) == 1, "one's own following is not noted"


def test_a_consents_following_is_noted_with_its_purpose(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", OWN))
    third = bearer(town, agreed(owner, commodities=["water"])["token"])
    listened(third, OWN)
    assert [(one["who"], one["role"], one["what"], one["purpose"]) for one in noted(owner)] == [
        ("Saver", "integrator", "live of water", "advice")
    ]


def test_who_may_not_follow_leaves_no_line(town: Peopled) -> None:
    staff = town.signed_in(town.person("staff", "operator", "city"))
    assert staff.get("/api/v1/live", params={"place": OWN}).json()["code"] == "reason_needed"
    assert town.city.read_log.of([OWN], ALWAYS, FOREVER, 9) == []


def test_a_reason_is_told_to_the_household_whose_time_was_read_and_to_no_other(town: Peopled) -> None:
    old = town.person("alice", "resident", MOVED, START)
    new = town.signed_in(town.person("bob", "resident", MOVED, MOVE))
    staff = town.signed_in(town.person("staff", "operator", "city"))
    staff.headers["Quintet-Reason"] = WHY
    assert asked(staff, MOVED, START, MOVE + 3 * HOUR).status_code == 200
    assert [(one["reason"], one["from"]) for one in noted(new)] == [
        ("", MOVE.astimezone(town.city.registry().tz).isoformat())
    ]
    assert asked(staff, MOVED, START, START + HOUR).status_code == 200
    assert sorted(one["reason"] for one in noted(town.signed_in(old))) == ["", WHY]
    assert len(noted(new)) == 1
    told = town.city.read_log.of([MOVED], ALWAYS, FOREVER, 9)
    assert [one.read.reason for one in told] == [WHY, WHY], "the city's office sees why its people read"


def test_a_reason_goes_with_the_last_of_the_household_and_no_backup_holds_it(town: Peopled, tmp_path: Path) -> None:
    alice, room_mate = (town.person(name, "resident", MOVED, START) for name in ("alice", "ben"))
    bob = town.person("bob", "resident", MOVED, MOVE)
    staff = town.signed_in(town.person("staff", "operator", "city"))
    staff.headers["Quintet-Reason"] = WHY
    assert asked(staff, MOVED, START, START + HOUR).status_code == 200
    staff.headers["Quintet-Reason"] = "a dead meter"
    assert asked(staff, MOVED, MOVE + HOUR, MOVE + 2 * HOUR).status_code == 200
    files = [town.city.folder / FOLDER / PEOPLE]
    town.city.backup(tmp_path / "before")

    def reasons() -> list[str]:
        return [one.read.reason for one in town.city.read_log.of([MOVED], ALWAYS, FOREVER, 9)]

    town.city.people.erase(room_mate, actor="test")
    assert reasons() == ["a dead meter", WHY], "others of the household are still there"
    town.city.people.erase(alice, actor="test")
    assert reasons() == ["a dead meter", ""]
    assert [one["reason"] for one in noted(town.signed_in(bob))] == ["a dead meter"]
    town.city.backup(tmp_path / "after")
    files += [one for name in ("before", "after") for one in (tmp_path / name).rglob("*") if one.is_file()]
    assert not any(WHY.encode() in one.read_bytes() for one in files)


def test_a_log_of_before_reasons_were_sealed_is_sealed(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", OWN))
    staff = town.signed_in(town.person("staff", "operator", "city"))
    staff.headers["Quintet-Reason"] = "a dead meter"
    assert hours(staff, channel(OWN, "water")).status_code == 200
    path = town.city.folder / FOLDER / PEOPLE
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.execute("update read set reason = ?, purpose = 'advice'", [WHY])
        older.execute("drop index sealed_row")
    city = town.city
    again = type(city.read_log)(city.people.vault, city.engine.clock_us, Stays(city.registry, city.people))
    told = again.of([OWN], ALWAYS, FOREVER, 9)
    assert [(one.read.reason, one.read.purpose) for one in told] == [(WHY, "advice")]
    assert WHY.encode() not in path.read_bytes()
    assert [one["reason"] for one in noted(owner)] == [WHY]


def test_the_same_reading_within_a_minute_is_one_line_and_another_reason_is_another(town: Peopled) -> None:
    log = town.city.read_log
    town.person("owner", "resident", OWN)
    staff = town.signed_in(town.person("staff", "operator", "city"))
    for why, start in (("a", START), ("a", START + HOUR), ("b", START)):
        staff.headers["Quintet-Reason"] = why
        assert asked(staff, OWN, start, start + HOUR).status_code == 200
    told = log.of([OWN], ALWAYS, FOREVER, 9)
    assert [(one.read.reason, one.read.from_us, one.read.until_us) for one in told] == [
        ("b", to_us(START), to_us(START + HOUR)),
        ("a", to_us(START), to_us(START + 2 * HOUR)),
    ]
    work = [threading.Thread(target=asked, args=(staff, OWN, START, START + HOUR)) for _ in range(4)]
    for one in work:
        one.start()
    for one in work:
        one.join(60)
    assert len(log.of([OWN], ALWAYS, FOREVER, 9)) == 2
    assert to_us(NOW) < log.of([OWN], ALWAYS, FOREVER, 9)[0].at_us
