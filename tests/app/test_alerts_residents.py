"""Whose time an alert rests on: a leak is shown to who lives there now, and nobody is shown the look of another's."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quintet.access.telling import Target
from quintet.app.alert_looks import look
from quintet.app.alerting import Alerting
from quintet.registry.changes import move_in
from quintet.registry.person import RESIDENT, Person
from quintet.store.alerts import LookRow, append_steps
from quintet.terms.alert import STANDING

from .peopled import HOMES, HOURS, START, Hand, Peopled, made, send

LATER = 130
"""Hours of readings, in none of which the water rests."""
HOME = HOMES[2]
GET = "/api/v1/home/alerts"
LEAK = ("water_leak", "water")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    hand.now = START + timedelta(hours=LATER, minutes=31)
    send(out.city, range(HOURS, LATER))
    yield out
    out.close()


def listed(town: Peopled, person: Person, place: str = HOME, language: str = "en") -> dict[str, Any]:
    answer = town.signed_in(person).get(GET, params={"place": place, "language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()


def states(found: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one["kind"], one["commodity"]): (one["state"], one["why"]) for one in found["checks"]}


def moved(town: Peopled, at: datetime, home: str = HOME) -> None:
    rows = move_in(town.city.registry(), premise=home, occupant="family-next", at=at)
    town.city.pipeline.apply_records(rows, kind="registry", source="test", actor="test")


def test_a_leak_that_began_before_the_right_is_shown_from_the_right_on_and_told(town: Peopled) -> None:
    look(town.city, [HOME], alike=False)
    (before,) = town.city.alerts.of(HOME)
    town.hand.now += timedelta(minutes=1)
    kim = town.person("kim", RESIDENT, HOME, START + timedelta(hours=40))
    assert states(listed(town, kim))[LEAK] == ("cannot", "moved_in")  # that look rests on hours before his
    town.city.tellings.keep_target(
        kim.id, Target("mail", "kim@naju.example", town.hand(), confirmed_us=town.hand())
    )  # fmt: skip
    laid = 0

    def tell(news: Any) -> None:
        nonlocal laid
        laid += town.city.telling.tell(news.raised)

    look(town.city, [HOME], alike=False, told=tell)
    found = listed(town, kim)
    (one,) = found["alerts"]
    assert (found["standing"], laid) == (1, 1)
    assert [figure["value"] for figure in one["figures"] if figure["name"] == "hours"] == [90]
    assert one["since"] == "2026-03-03T16:00:00+09:00"
    assert states(found)[LEAK][0] == "alert"
    assert states(found)["tier", "water"] == ("cannot", "moved_in")  # the month's bill is not his alone
    assert town.city.alerts.alert(before.id).end_reason == "moved"
    assert look(town.city, [HOME], alike=False).raised == []


def test_who_was_invited_today_is_told_that_nothing_can_be_said_yet(town: Peopled) -> None:
    look(town.city, [HOME], alike=False)
    town.hand.now += timedelta(minutes=1)
    new = town.person("new", RESIDENT, HOME, town.hand.now)
    found = listed(town, new)
    assert (found["alerts"], found["looked_at"]) == ([], None)
    assert set(states(found).values()) == {("cannot", "not_looked")}
    town.hand.now += timedelta(minutes=1)
    for hours in range(3):
        look(town.city, [HOME], alike=False)
        found = listed(town, new)
        assert found["alerts"] == []
        assert found["looked_at"] is not None
        assert states(found)[LEAK] == ("cannot", "moved_in")
        assert "watched" not in {state for state, _ in states(found).values()}
        send(town.city, range(LATER + hours, LATER + hours + 1))
        town.hand.now += timedelta(hours=1)
    assert "Water that never stops: only days of your own household count; of 1 that are needed 0 are known." in {
        one["text"] for one in found["checks"]
    }


def test_of_several_residents_only_those_are_told_nothing_there_whose_time_was_looked_at(town: Peopled) -> None:
    kim = town.person("kim", RESIDENT, HOME, START)
    lee = town.person("lee", RESIDENT, HOME, START + timedelta(hours=100))
    look(town.city, [HOME], alike=False)
    assert listed(town, kim)["standing"] == 1
    later = listed(town, lee)
    assert later["alerts"] == []
    assert set(states(later).values()) == {("cannot", "moved_in")}
    assert "of 58 that are needed 1 are known" in later["checks"][0]["text"]
    assert all(
        "{" not in one["text"] for language in ("en", "ko") for one in listed(town, lee, language=language)["checks"]
    )
    town.city.people.disable(kim, actor="test")  # a right that counts no more bounds nothing
    look(town.city, [HOME], alike=False)
    assert states(listed(town, lee))[LEAK] == ("cannot", "moved_in")
    assert town.city.alerts.open() == []  # thirty hours of his own are no evidence yet


def test_who_moves_in_is_not_shown_the_look_at_who_lived_there_before(town: Peopled) -> None:
    look(town.city, [HOME], alike=False)
    moved(town, START + timedelta(hours=LATER - 29))
    new = town.person("new", RESIDENT, HOME, START + timedelta(hours=LATER - 29))
    found = listed(town, new)
    assert (found["looked_at"], found["alerts"]) == (None, [])
    assert set(states(found).values()) == {("cannot", "not_looked")}
    look(town.city, [HOME], alike=False)
    found = listed(town, new)
    assert found["looked_at"] is not None
    assert states(found)[LEAK] == ("cannot", "moved_in")


@pytest.mark.parametrize(("at_h", "why"), [(LATER - 30, "not_looked"), (LATER - 28, "silent")])
def test_a_look_that_did_not_keep_whose_it_was_counts_from_the_move_on(town: Peopled, at_h: int, why: str) -> None:
    moved(town, START + timedelta(hours=LATER - 29))
    new = town.person("new", RESIDENT, HOME, START + timedelta(hours=LATER - 29))
    at_us = int((START + timedelta(hours=at_h)).timestamp()) * 1_000_000
    with town.city.engine.writing("alerts", "alerts", "alerts", at_us) as writing:
        append_steps(writing, [], [LookRow(HOME, at_us, [[*LEAK, "silent", {"hours": 30}]])])
    assert states(listed(town, new))[LEAK] == ("cannot", why)


def test_what_was_called_no_problem_stays_so_when_an_account_comes(town: Peopled) -> None:
    look(town.city, [HOME], alike=False)
    (before,) = town.city.alerts.of(HOME)
    town.city.alerts.dismiss(before.id, by="desk")
    town.hand.now += timedelta(minutes=1)
    kim = town.person("kim", RESIDENT, HOME, START + timedelta(hours=40))
    assert look(town.city, [HOME], alike=False).raised == []
    (one,) = listed(town, kim)["alerts"]
    assert (one["id"] == before.id, one["state"]) == (False, "dismissed")


def test_a_move_and_an_account_ask_for_a_look_at_that_dwelling(town: Peopled) -> None:
    town.city.telling = None
    alerting = Alerting(town.city, look_s=0.01)
    alerting.begin()

    def looked(place: str) -> None:
        deadline = time.monotonic() + 60
        while alerting.looked_us(place) != town.hand() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert alerting.looked_us(place) == town.hand()

    try:
        looked(HOMES[-1])
        town.hand.now += timedelta(minutes=2)
        town.person("kim", RESIDENT, HOMES[0], START + timedelta(hours=40))
        looked(HOMES[0])
        town.hand.now += timedelta(minutes=2)
        moved(town, START + timedelta(hours=LATER - 29))
        looked(HOME)
        town.hand.now += timedelta(minutes=2)
        town.person("lee", RESIDENT, HOMES[0], START + timedelta(hours=90))  # one more, who may see less
        looked(HOMES[0])
        moved(town, town.hand.now + timedelta(minutes=30), HOMES[3])
        town.hand.now += timedelta(hours=1)  # nothing is sent and nothing recorded meanwhile
        looked(HOMES[3])
        assert alerting.looked_us(HOMES[-1]) != town.hand()
    finally:
        alerting.end()
    assert [one.state for one in town.city.alerts.of(HOMES[0])] == [STANDING, "ended"]


def test_without_a_recorded_move_no_budget_and_no_problem_goes_on_to_who_comes_next(town: Peopled) -> None:
    kim = town.person("kim", RESIDENT, HOME, START)
    client, where = town.signed_in(kim), {"place": HOME}
    look(town.city, [HOME], alike=False)
    (leak,) = listed(town, kim)["alerts"]
    assert client.post(f"{GET}/{leak['id']}:not-a-problem").json()["state"] == "dismissed"
    assert client.put("/api/v1/home/budget", json={**where, "won": 90_000}).json()["won"] == 90_000
    town.hand.now += timedelta(hours=1)
    wife = town.signed_in(town.person("wife", RESIDENT, HOME, START + timedelta(hours=30)))
    look(town.city, [HOME], alike=False)
    assert wife.get("/api/v1/home/budget", params=where).json()["won"] == 90_000  # of one household
    town.city.people.disable(kim, actor="test")
    town.city.people.disable(town.city.people.need("wife"), actor="test")
    town.hand.now += timedelta(minutes=1)
    next_one = town.person("next", RESIDENT, HOME, town.hand.now)
    browser = town.signed_in(next_one)
    assert browser.get("/api/v1/home/budget", params=where).json()["won"] is None
    town.hand.now += timedelta(minutes=1)
    look(town.city, [HOME], alike=False)
    assert browser.get("/api/v1/home/budget", params=where).json()["won"] is None
    assert states(listed(town, next_one))["budget", ""] == ("cannot", "no_budget")
    town.hand.now += timedelta(hours=80)
    send(town.city, range(LATER, LATER + 80))
    look(town.city, [HOME], alike=False)
    (own,) = listed(town, next_one)["alerts"]
    assert (own["kind"], own["state"], own["dismissed_at"]) == ("water_leak", "standing", None)
    assert browser.put("/api/v1/home/budget", json={**where, "won": 80_000}).json()["won"] == 80_000
    look(town.city, [HOME], alike=False)
    assert states(listed(town, next_one))["budget", ""][1] != "no_budget"
