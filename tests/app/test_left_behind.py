"""What is left behind: a letter in the flat, another session, a password that everybody tries, where to go on to."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from quintet.app.requests import MoveIn, MoveOut
from quintet.app.requests_people import InviteCreate
from quintet.terms.errors import BadInput
from quintet.web.oidc import here

from .peopled import HOMES, MOVE, NOW, PASSWORD, Hand, Peopled, made

OWN = HOMES[1]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def accepted(town: Peopled, code: str, name: str, password: str = PASSWORD) -> httpx.Response:
    return town.client().post("/api/v1/invitations:accept", json={"code": code, "name": name, "password": password})


def test_a_letter_opens_nothing_of_a_household_that_moved_out(town: Peopled) -> None:
    first, second = (town.ask(InviteCreate(OWN)).read()["code"] for _ in range(2))
    assert accepted(town, first, "old").status_code == 200
    town.hand.now = NOW + timedelta(days=2)
    town.ask(MoveOut(OWN, (NOW + timedelta(days=1)).isoformat()))
    town.ask(MoveIn(OWN, "family-next", (NOW + timedelta(days=1, hours=1)).isoformat()))
    refused = accepted(town, second, "mallory")
    assert (refused.status_code, refused.json()["code"]) == (401, "invitation_expired")
    assert town.city.people.find("mallory") is None


def test_an_invitation_before_a_move_must_say_whose_it_is(town: Peopled) -> None:
    leaves, comes = NOW + timedelta(days=5), NOW + timedelta(days=6)
    town.ask(MoveOut(OWN, leaves.isoformat()))
    town.ask(MoveIn(OWN, "family-next", comes.isoformat()))
    with pytest.raises(BadInput) as told:
        town.ask(InviteCreate(OWN))
    assert (told.value.code, told.value.place) == ("whose_home", "--from")
    for moment in (MOVE, comes):
        assert moment.astimezone(town.city.registry().tz).isoformat() in told.value.remedy
    code = town.ask(InviteCreate(OWN, start=comes.isoformat())).read()["code"]
    entered = accepted(town, code, "next")
    assert entered.status_code == 200
    assert entered.json()["homes"][0]["from"] == comes.astimezone(town.city.registry().tz).isoformat()


def test_a_new_password_ends_all_other_sessions_and_links(town: Peopled) -> None:
    entrance, person = town.city.entrance, town.person("mina", "resident", HOMES[2])
    mine, other = (town.signed_in(person) for _ in range(2))
    link = entrance.link(person)
    assert other.get("/api/v1/me").status_code == 200
    changed = mine.post("/api/v1/me/password", json={"password": PASSWORD})
    assert changed.status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    assert town.client().post("/api/v1/session:link", json={"code": link}).status_code == 401
    anew = town.client(Cookie=changed.headers["set-cookie"].split(";")[0])
    assert anew.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    "password", ["password1234", "123456789012", "aaaaaaaaaaaa", "qwertyuiop12", "minakimminakim", "mina.kim@city.kr"]
)
def test_a_password_that_is_soon_guessed_is_refused(town: Peopled, password: str) -> None:
    person = town.city.people.add("minakim", "Mina", mail="mina.kim@city.kr", actor="test")
    refused = town.signed_in(person).post("/api/v1/me/password", json={"password": password})
    assert (refused.status_code, refused.json()["code"]) == (422, "weak_password")
    assert person.password is None
    code = town.ask(InviteCreate(HOMES[0])).read()["code"]
    if "mina" not in password:
        assert accepted(town, code, "other", password).json()["code"] == "weak_password"


def test_long_sentences_in_any_language_are_taken(town: Peopled) -> None:
    person = town.city.people.add("minakim", "Mina", actor="test")
    last = ""
    for password in ("우리집은 파란 대문이다", "a long sentence is easy", "seven words of no song " * 6):
        again = {"password": password, "old": last}
        assert town.signed_in(person).post("/api/v1/me/password", json=again).status_code == 204, password
        last = password


@pytest.mark.parametrize("path", ["//evil.example", "/\t/evil.example", "/\n/evil.example", "/\\evil.example", "x", ""])
def test_who_signed_in_goes_on_within_this_site(path: str) -> None:
    assert here(path) == "/"
    assert here("/home?place=c1") == "/home?place=c1"


def test_who_moved_out_sets_no_budget_of_who_lives_there(town: Peopled) -> None:
    old = town.signed_in(town.person("old", "resident", OWN))
    new = town.signed_in(town.person("new", "resident", OWN, MOVE))
    body = {"place": OWN, "won": 50_000}
    assert new.put("/api/v1/home/budget", json=body).status_code == 200
    for won in (10_000, None):
        refused = old.put("/api/v1/home/budget", json={"place": OWN, "won": won})
        assert refused.status_code in (403, 404), refused.text
    assert new.get("/api/v1/home/budget", params={"place": OWN}).json()["won"] == 50_000
    assert old.get("/api/v1/home/budget", params={"place": OWN}).json().get("won") is None


def test_who_reads_by_the_month_learns_nothing_by_the_hour_from_alerts(town: Peopled) -> None:
    manager = town.signed_in(town.person("lee", "building_manager", "c1"))
    operator = town.signed_in(town.person("seo", "operator", "city"))
    for path in ("/api/v1/home/alerts", "/api/v1/home/budget"):
        refused = manager.get(path, params={"place": OWN})
        assert (refused.status_code, refused.json()["code"]) == (403, "too_fine_for_role")
        asked = operator.get(path, params={"place": OWN})
        assert (asked.status_code, asked.json()["code"]) == (403, "reason_needed")
