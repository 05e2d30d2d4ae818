"""Alerts in a served city: found after commits, told to who lives there and nobody else, called no problem."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quintet.app.alert_looks import homes_of, look
from quintet.app.alerting import Alerting
from quintet.app.requests_alerts import AlertsDismiss, AlertsList, AlertsReport, AlertsRun
from quintet.registry.person import RESIDENT
from quintet.terms.alert import STANDING
from quintet.terms.errors import NotFound, UsageError

from .peopled import HOMES, HOURS, MOVE, START, Hand, Peopled, made, send

LATER = 130
"""Hours after which every dwelling's water, which never rests, has flowed for more than three days."""
GET = "/api/v1/home/alerts"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    hand.now = START + timedelta(hours=LATER, minutes=31)
    send(out.city, range(HOURS, LATER))
    yield out
    out.close()


def listed(client: Any, place: str, **more: str) -> dict[str, Any]:
    answer = client.get(GET, params={"place": place, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_leak_is_told_in_both_languages_and_called_no_problem_by_who_lives_there(town: Peopled) -> None:
    client = town.signed_in(town.person("kim", RESIDENT, HOMES[0], START))
    before = listed(client, HOMES[0])
    assert (before["alerts"], before["looked_at"], before["checks"][0]["why"]) == ([], None, "not_looked")
    tally = look(town.city, homes_of(town.city), alike=True)
    assert (tally.homes, len(tally.raised)) == (len(HOMES), len(HOMES))
    found = listed(client, HOMES[0], language="en")
    (one,) = found["alerts"]
    assert (one["kind"], one["severity"], one["state"], one["may_dismiss"]) == ("water_leak", "act", "standing", True)
    assert "has not stopped for 130 hours" in one["text"]
    assert (one["won"], one["won_reason"]) == (None, "not_agreed")
    assert "no contract" in one["won_text"]
    assert "130시간 동안 한 번도 멈추지 않았습니다" in listed(client, HOMES[0], language="ko")["alerts"][0]["text"]
    checks = {(check["kind"], check["commodity"]): check for check in found["checks"]}
    assert checks["water_leak", "water"]["state"] == "alert"
    assert checks["base_load", "electricity"]["state"] == "cannot"
    assert ("gas_unresting", "gas") not in checks  # nobody in this city has gas
    done = client.post(f"{GET}/{one['id']}:not-a-problem")
    assert (done.status_code, done.json()["state"]) == (200, "dismissed")
    assert look(town.city, homes_of(town.city), alike=True).raised == []
    assert listed(client, HOMES[0])["standing"] == 0
    assert client.post(f"{GET}/{one['id']}:problem").json()["state"] == "standing"


def test_nobody_else_sees_or_settles_an_alert(town: Peopled) -> None:
    look(town.city, homes_of(town.city), alike=True)
    number = town.city.alerts.of(HOMES[0])[0].id
    neighbour = town.signed_in(town.person("lee", RESIDENT, HOMES[2], START))
    assert neighbour.get(GET, params={"place": HOMES[0]}).json()["code"] == "not_here"
    refused = neighbour.post(f"{GET}/{number}:not-a-problem")
    unknown = neighbour.post(f"{GET}/{'0' * 16}:not-a-problem")
    assert [(one.status_code, one.json()["code"]) for one in (refused, unknown)] == [(404, "not_here")] * 2
    manager = town.signed_in(town.person("park", "building_manager", "c1"))
    assert manager.post(f"{GET}/{number}:not-a-problem").status_code == 403
    assert manager.put("/api/v1/home/budget", json={"place": HOMES[0], "won": 50_000}).status_code == 403
    assert town.client().get(GET, params={"place": HOMES[0]}).status_code == 401
    assert town.city.alerts.alert(number).state == STANDING


def test_who_moved_in_has_an_alert_of_his_own_time_only(town: Peopled) -> None:
    look(town.city, homes_of(town.city), alike=True)
    client = town.signed_in(town.person("new", RESIDENT, HOMES[1], MOVE))
    (one,) = listed(client, HOMES[1])["alerts"]
    assert one["since"] == "2026-03-03T09:00:00+09:00"
    assert [figure["value"] for figure in one["figures"] if figure["name"] == "hours"] == [97]
    later = town.signed_in(town.person("later", RESIDENT, HOMES[1], MOVE + timedelta(days=1)))
    assert listed(later, HOMES[1])["alerts"] == []


def test_a_budget_is_the_households_own_and_bounded(town: Peopled) -> None:
    client = town.signed_in(town.person("kim", RESIDENT, HOMES[0], START))
    where = {"place": HOMES[0]}
    assert client.get("/api/v1/home/budget", params=where).json()["won"] is None
    for wrong in (999, 10_000_001, -1):
        answer = client.put("/api/v1/home/budget", json={**where, "won": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_budget")
    for wrong in ({**where}, {**where, "won": 1.5}, {**where, "won": "much"}, {**where, "won": 5000, "more": 1}):
        assert client.put("/api/v1/home/budget", json=wrong).status_code == 422
    set_to = client.put("/api/v1/home/budget", json={**where, "won": 90_000}).json()
    assert (set_to["won"], set_to["set_by_you"]) == (90_000, True)
    assert client.put("/api/v1/home/budget", json={**where, "won": None}).json()["won"] is None
    elsewhere = client.put("/api/v1/home/budget", json={"place": HOMES[2], "won": 90_000})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "not_here")


def test_the_thread_finds_what_was_sent_and_hands_the_news_over_once(town: Peopled) -> None:
    told: list[str] = []

    class Listener:
        def watched(self) -> dict[str, int]:
            return {}

        def tell(self, news: Any) -> None:
            told.extend(one.id for one in news)

    town.city.telling = Listener()
    alerting = Alerting(town.city, look_s=0.01)
    alerting.begin()
    deadline = time.monotonic() + 60
    while len(told) < len(HOMES) and time.monotonic() < deadline:
        time.sleep(0.02)
    town.hand.now += timedelta(hours=2)
    send(town.city, range(LATER, LATER + 1))
    send(town.city, range(LATER + 1, LATER + 2))
    while alerting.looked_us(HOMES[0]) != town.hand() and time.monotonic() < deadline:
        time.sleep(0.02)
    alerting.end()
    assert alerting.looked_us(HOMES[0]) == town.hand()
    assert sorted(told) == sorted(one.id for one in town.city.alerts.open())
    assert len(told) == len(set(told)) == len(HOMES)


@pytest.mark.parametrize(
    ("asked", "code"),
    [(AlertsReport(days=0), "out_of_range"), (AlertsReport(until="last"), "bad_day"),
     (AlertsReport(until="2025-02-30"), "bad_day"), (AlertsReport(until="1990-01-01"), "too_few_days")],
)  # fmt: skip
def test_a_report_of_nothing_is_refused(town: Peopled, asked: AlertsReport, code: str) -> None:
    with pytest.raises(UsageError) as told:
        town.ask(asked)
    assert told.value.code == code


def test_the_commands_list_run_dismiss_and_report(town: Peopled) -> None:
    ran = town.ask(AlertsRun())
    assert ran.read()["raised"] == len(HOMES)
    assert town.ask(AlertsRun(HOMES[0])).read() == {"homes": 1, "raised": 0, "ended": 0, "standing": len(HOMES)}
    found = town.ask(AlertsList("c1", language="ko")).read()["alerts"]
    assert {one["place"] for one in found} == set(HOMES[:4])
    done = town.ask(AlertsDismiss(found[0]["id"], "desk")).read()
    assert (done["state"], town.ask(AlertsList(state="dismissed")).read()["total"]) == ("dismissed", 1)
    assert town.ask(AlertsDismiss(found[0]["id"], "desk", undo=True)).read()["state"] == "standing"
    report = town.ask(AlertsReport(days=1)).read()
    (leaks,) = [row for row in report["kinds"] if row["kind"] == "water_leak"]
    assert (leaks["alerts"], leaks["alerts_per_home_month"]) == (len(HOMES), None)  # of one day: no rate
    with pytest.raises(UsageError, match="no state"):
        town.ask(AlertsList(state="gone"))
    with pytest.raises(NotFound):
        town.ask(AlertsList("nowhere"))
