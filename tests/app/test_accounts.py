"""Accounts from end to end: who is invited signs in and sees his own dwelling, for his own time, and nothing else."""

import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.app.requests_ledger import Intervals
from quintet.app.requests_people import InviteCreate, UserErase, UserGrant, UserLink, UserReads
from quintet.registry.account_limits import account_limits
from quintet.registry.passwords import TooManyTries, Tries
from quintet.terms.errors import BadInput

from .peopled import HOMES, MOVE, NOW, PASSWORD, START, Hand, Peopled, channel, made

OWN, NEIGHBOUR = HOMES[1], HOMES[0]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    city = made(tmp_path / "city", hand)
    out = Peopled(city, hand)
    yield out
    out.close()


def invited(town: Peopled, place: str = OWN, name: str = "Hana") -> httpx.Client:
    code = town.ask(InviteCreate(place)).read()["code"]
    client = town.client()
    answer = client.post("/api/v1/invitations:accept", json={"code": code, "name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def hours(client: httpx.Client, name: str, start: Any = MOVE, end: Any = NOW) -> Any:
    query = {"channel": name, "from": start.isoformat(), "to": end.isoformat(), "resolution": "hour"}
    return client.get("/api/v1/intervals", params=query)


def test_an_invited_resident_signs_in_and_sees_own_dwelling_since_moving_in_only(town: Peopled) -> None:
    first = invited(town)
    me = first.get("/api/v1/me").json()
    assert [(home["place"], home["from"], home["until"]) for home in me["homes"]] == [
        (OWN, "2026-03-03T09:00:00+09:00", None)
    ]
    client = town.client()
    assert code_of(client.get("/api/v1/me")) == (401, "sign_in")
    answer = client.post("/api/v1/session", json={"name": "hana ", "password": PASSWORD})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("quintet=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(cookie.split("; "))
    rows = hours(client, channel(OWN, "water")).json()["rows"]
    assert len([row for row in rows if row["value"] is not None]) == 29
    assert code_of(hours(client, channel(OWN, "water"), START)) == (403, "before_your_time")
    assert code_of(hours(client, channel(NEIGHBOUR, "water"))) == (404, "not_here")
    day = client.get("/api/v1/dwelling-days", params={"place": OWN, "day": "2026-03-03"}).json()
    assert day["from"] == "2026-03-03T09:00:00+09:00"
    assert code_of(client.get("/api/v1/dwelling-days", params={"place": OWN, "day": "2026-03-02"}))[0] == 403
    listed = client.get("/api/v1/meters").json()["meters"]
    assert {row["channel"] for row in listed} == {channel(OWN, "electricity"), channel(OWN, "water")}
    assert [row["place"] for row in client.get("/api/v1/places").json()["places"]] == [OWN]
    assert client.delete("/api/v1/session").status_code == 204
    assert code_of(client.get("/api/v1/me")) == (401, "sign_in")


def test_what_is_not_yours_and_what_does_not_exist_look_the_same(town: Peopled) -> None:
    client = invited(town)
    for path, name, there, nowhere in (
        ("dwelling-days", "place", NEIGHBOUR, "c9/1/1"),
        ("dwelling-days", "place", "city", "nowhere"),
        ("intervals", "channel", channel(NEIGHBOUR, "water"), "c1/nobody"),
        ("balances", "place", NEIGHBOUR, "c1/101/99"),
        ("findings", "place", NEIGHBOUR, "c1/101/99"),
        ("places", "parent", "c1", "c8"),
        ("meters", "place", "c1", "c8"),
    ):
        query = {"from": MOVE.isoformat(), "to": NOW.isoformat(), "resolution": "hour"}
        query = query if path in ("intervals", "balances") else {"from": query["from"], "to": query["to"]}
        query = {} if path in ("dwelling-days", "places", "meters") else query
        one, other = (client.get(f"/api/v1/{path}", params={**query, name: value}) for value in (there, nowhere))
        said = one.json(), other.json()
        assert one.status_code == other.status_code == 404, (path, said)
        assert said[0] | {"place": ""} == said[1] | {"place": ""}, path


def test_who_moved_out_keeps_his_own_time_and_sees_nothing_after(town: Peopled) -> None:
    old = town.signed_in(town.person("old", "resident", OWN))
    assert old.get("/api/v1/me").json()["homes"][0]["until"] == "2026-03-03T08:59:59+09:00"
    assert hours(old, channel(OWN, "water"), START, MOVE - timedelta(hours=1)).status_code == 200
    assert code_of(hours(old, channel(OWN, "water"), START, NOW)) == (403, "after_your_time")
    later = {"known_at": (NOW + timedelta(seconds=9)).isoformat()}
    refused = old.get("/api/v1/dwelling-days", params={"place": OWN, **later})
    assert code_of(refused) == (403, "after_your_time"), refused.text


def test_wrong_codes_say_what_to_do_and_too_many_are_refused(town: Peopled) -> None:
    code = town.ask(InviteCreate(OWN, days=1)).read()["code"]
    client, body = town.client(), {"name": "a", "password": PASSWORD}
    accept = "/api/v1/invitations:accept"
    assert code_of(client.post(accept, json={"code": "AAAA-AAAA-AAAA-AAAA", **body})) == (401, "invitation_unknown")
    short = {"code": code, "name": "a", "password": "short"}
    assert code_of(client.post(accept, json=short)) == (422, "bad_password")
    town.hand.now += timedelta(days=2)
    assert code_of(client.post(accept, json={"code": code, **body})) == (401, "invitation_expired")
    code = town.ask(InviteCreate(OWN)).read()["code"]
    assert client.post(accept, json={"code": code.lower().replace("-", " "), **body}).status_code == 200
    assert code_of(client.post(accept, json={"code": code, **body, "name": "b"})) == (401, "invitation_used")
    seen = {code_of(client.post(accept, json={"code": "B" * 16, **body})) for _ in range(70)}
    assert seen == {(401, "invitation_unknown"), (429, "too_many_tries")}


def test_an_unknown_name_and_a_wrong_password_get_the_same_answers_to_the_end(town: Peopled) -> None:
    invited(town)
    told: list[list[tuple[int, str]]] = []
    for name in ("hana", "nobody"):
        client = town.client()
        answers = [client.post("/api/v1/session", json={"name": name, "password": "wrong " * 4}) for _ in range(7)]
        told.append([code_of(one) for one in answers])
        assert all(int(one.headers["retry-after"]) <= 15 * 60 for one in answers[5:])
    assert told[0] == told[1] == [(401, "not_let_in")] * 5 + [(429, "too_many_tries")] * 2
    right = town.client().post("/api/v1/session", json={"name": "hana", "password": PASSWORD})
    assert code_of(right) == (429, "too_many_tries"), "the lock says nothing of who is right"


def test_a_link_opens_once_and_a_foreign_page_cannot_ride_on_the_cookie(town: Peopled) -> None:
    person = town.person("mina", "resident", HOMES[2])
    code = town.ask(UserLink("mina")).read()["code"]
    client = town.client()
    assert client.post("/api/v1/session:link", json={"code": code}).status_code == 200
    assert code_of(client.post("/api/v1/session:link", json={"code": code})) == (401, "link_not_valid")
    for origin in ("https://evil.example", "http://127.0.0.1:9999", "null"):
        refused = client.post("/api/v1/me/tokens", json={"name": "x", "may": ["read"]}, headers={"Origin": origin})
        assert code_of(refused) == (403, "foreign_origin")
    assert not person.passes
    late = town.city.entrance.link(person)
    town.hand.now += timedelta(hours=2)
    assert code_of(client.post("/api/v1/session:link", json={"code": late})) == (401, "link_not_valid")


def test_an_operator_gives_a_reason_for_hours_and_the_family_reads_it(town: Peopled) -> None:
    resident, staff = invited(town), town.signed_in(town.person("seo", "operator", "c1"))
    name = channel(OWN, "water")
    assert code_of(hours(staff, name)) == (403, "reason_needed")
    staff.headers["Quintet-Reason"] = "%EB%88%84%EC%88%98 leak"
    assert hours(staff, name).status_code == 200
    assert code_of(hours(staff, channel(HOMES[4], "water"))) == (403, "forbidden")
    reads = resident.get("/api/v1/me/reads").json()["reads"]
    assert [(one["who"], one["role"], one["reason"], one["what"]) for one in reads] == [
        ("Seo", "operator", "누수 leak", "readings of water")
    ]
    assert town.ask(UserReads(OWN)).read()["reads"][0]["who"] == "Seo"
    town.ask(Intervals(name, MOVE.isoformat(), NOW.isoformat(), "hour"))
    assert resident.get("/api/v1/me/reads").json()["reads"][0]["who"] == "operator at the machine"
    neighbour = town.signed_in(town.person("jin", "resident", NEIGHBOUR))
    assert neighbour.get("/api/v1/me/reads").json()["reads"] == []


def test_a_building_manager_reads_months_of_flats_and_an_analyst_none(town: Peopled) -> None:
    manager = town.signed_in(town.person("manager", "building_manager", "c1/101"))
    assert code_of(hours(manager, channel(OWN, "water"))) == (403, "too_fine_for_role")
    analyst = town.signed_in(town.person("ana", "analyst", "city"))
    assert code_of(hours(analyst, channel(OWN, "water")))[0] == 403
    assert all(row["level"] != "premise" for row in analyst.get("/api/v1/places").json()["places"])


def test_a_right_is_valid_from_and_until_and_gone_when_revoked(town: Peopled) -> None:
    person = town.city.people.add("temp", "Temp", actor="test")
    client = town.signed_in(person)
    made_right = town.ask(UserGrant("temp", "operator", "c1", "2026-03-05", "2026-03-06", actor="test")).read()
    balances = {"from": "2026-03-02", "to": "2026-03-03", "resolution": "day", "place": "c1"}
    told = []
    for days in (0, 1, 1):
        town.hand.now += timedelta(days=days)
        client = town.signed_in(person)
        told.append(client.get("/api/v1/balances", params=balances).status_code)
    assert (made_right["right"] in person.rights, told) == (True, [404, 200, 404])


def test_erased_is_gone_from_disk_and_the_numbers_stay(town: Peopled, tmp_path: Path) -> None:
    client = invited(town, name="erasable-name")
    before = town.city.engine.last_batch
    town.ask(UserErase("erasable-name"))
    assert code_of(client.get("/api/v1/me")) == (401, "sign_in")
    assert not any(b"erasable" in file.read_bytes() for file in town.city.folder.rglob("*") if file.is_file())
    assert town.city.engine.last_batch > before
    again = town.client().post("/api/v1/session", json={"name": "erasable-name", "password": PASSWORD})
    assert code_of(again) == (401, "not_let_in")


def test_names_cannot_be_told_apart_from_many_addresses_and_a_try_is_remembered_small() -> None:
    """Any name, from ever other addresses: the same answers, and what is kept of a name is not as long as the name."""
    told = list[int]()
    for name in ("known-name", "nobody-there", "x" * 50_000):
        tries, refused = Tries(), 0
        for number in range(account_limits().tries_of_name + 2):
            try:
                tries.check(name, f"10.0.{number}.1")
            except TooManyTries:
                refused += 1
            else:
                tries.failed(name, f"10.0.{number}.1")
        told.append(refused)
        assert all(len(key) < 200 for key in tries._window.storage.events)
    assert told == [2, 2, 2]


def test_an_invitation_to_a_home_whose_move_nobody_recorded_says_what_follows(town: Peopled) -> None:
    notes = town.ask(InviteCreate(NEIGHBOUR)).notes
    assert "what the household may see begins now" in notes[1]
    assert "registry move-in" in notes[1]
    assert len(town.ask(InviteCreate(NEIGHBOUR, start=START.isoformat())).notes) == 1  # since when was said
    assert len(town.ask(InviteCreate(OWN)).notes) == 1  # the registry knows who lives there


def test_a_korean_password_is_the_same_on_every_device_and_a_longer_one_is_another(town: Peopled) -> None:
    """A device may send a syllable as one sign or as its letters."""
    person = town.person("hana", "resident", HOMES[5])
    sentence = "저녁마다 강가를 걷는 고양이 두 마리"
    letters = unicodedata.normalize("NFD", sentence)
    for given, other in ((sentence, letters), (letters, sentence)):
        town.city.entrance.set_password(person, given)
        assert town.client().post("/api/v1/session", json={"name": "hana", "password": other}).status_code == 200
    with pytest.raises(BadInput, match="has 9 signs"):  # twenty letters
        town.city.entrance.set_password(person, unicodedata.normalize("NFD", "강가 고양이 둘셋"))
    longest = (sentence * 20)[:256]
    town.city.entrance.set_password(person, longest)
    for given, status in ((longest, 200), (longest + "x", 401)):
        assert town.client().post("/api/v1/session", json={"name": "hana", "password": given}).status_code == status
