"""Roles that only a household can give: not handed out over places, not without a line in the read log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from quintet.app.requests import TokenCreate
from quintet.app.requests_people import UserAdd, UserGrant
from quintet.registry.person import Right
from quintet.terms.errors import BadInput

from .peopled import HOMES, MOVE, START, Hand, Peopled, channel, made
from .strangers import bearer
from .test_accounts import code_of, hours

MOVED = HOMES[1]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


@pytest.mark.parametrize(
    ("role", "place", "code"),
    [("resident", "c1", "no_dwelling"), ("integrator", "c1", "needs_consent"), ("integrator", MOVED, "needs_consent")],
)
def test_what_a_household_gives_is_not_handed_out(town: Peopled, role: str, place: str, code: str) -> None:
    town.city.people.add("mgr", "Mgr", actor="test")
    for request in (
        TokenCreate("d3", ["read"], role=role, place=place),
        UserGrant("mgr", role, place),
        UserAdd("other", role=role, place=place),
    ):
        with pytest.raises(BadInput) as told:
            town.ask(request)
        assert told.value.code == code
    assert town.city.people.find("other") is None, "nobody is made whose role is refused"


def test_a_token_as_a_resident_reads_the_stay_in_which_it_was_made_and_is_noted(town: Peopled) -> None:
    owner = town.signed_in(town.person("bob", "resident", MOVED, MOVE))
    made_one = town.ask(TokenCreate("panel", ["read", "live"], role="resident", place=MOVED)).read()
    panel = bearer(town, made_one["token"])
    assert hours(panel, channel(MOVED, "water"), MOVE).status_code == 200
    assert code_of(hours(panel, channel(MOVED, "water"), START)) == (403, "before_your_time")
    with panel.stream("GET", "/api/v1/live", params={"place": MOVED}) as answer:
        assert answer.status_code == 200
    noted = owner.get("/api/v1/me/reads").json()["reads"]
    assert [(one["who"], one["role"], one["what"]) for one in noted] == [
        ("panel", "resident", "live"),
        ("panel", "resident", "readings of water"),
    ]


def test_what_was_handed_out_before_opens_nothing(town: Peopled) -> None:
    for role, place in (("resident", "c1"), ("integrator", "c1"), ("integrator", MOVED)):
        _, token = town.city.tokens.create("old", ("read",), actor="t", place=place, role=role)
        refused = hours(bearer(town, token), channel(MOVED, "water"), MOVE)
        assert code_of(refused) == (404, "not_here")
    person = town.city.people.add("mgr", "Mgr", actor="test")
    town.city.people.grant(person, Right("integrator", "c1", town.hand()), actor="test")
    assert code_of(hours(town.signed_in(person), channel(MOVED, "water"), MOVE)) == (404, "not_here")


def test_a_dashboard_of_the_citys_goes_on(town: Peopled) -> None:
    token = town.ask(TokenCreate("dash", ["read"], role="operator", place="c1")).read()["token"]
    dash = bearer(town, token)
    dash.headers["Quintet-Reason"] = "panel"
    assert hours(dash, channel(MOVED, "water"), MOVE).status_code == 200
    town.hand.now += timedelta(days=400)
    assert hours(dash, channel(MOVED, "water"), MOVE).status_code == 200


def test_a_consent_that_never_holds_or_says_too_much_is_refused(town: Peopled) -> None:
    owner = town.signed_in(town.person("owner", "resident", HOMES[4]))
    whole = {"party": "Saver", "purpose": "advice", "until": "2026-04-01"}
    for more, code, place in (
        ({"from": "2026-05-01"}, "empty_range", "from"),
        ({"from": "2026-04-01"}, "empty_range", "from"),
        ({"party": "x" * 121}, "too_long", "party"),
        ({"purpose": "x" * 501}, "too_long", "purpose"),
    ):
        answer = owner.post("/api/v1/me/consents", json=whole | more)
        assert (answer.status_code, answer.json()["code"], answer.json()["place"]) == (422, code, place)
    assert owner.get("/api/v1/me/consents").json()["tokens"] == []
    assert owner.post("/api/v1/me/consents", json=whole).status_code == 201


def test_who_has_no_password_signs_in_anew_to_erase_himself(town: Peopled) -> None:
    person = town.person("owner", "resident", HOMES[4])
    left_open = town.signed_in(person)
    town.hand.now += timedelta(minutes=11)
    refused = left_open.request("DELETE", "/api/v1/me", json={})
    assert code_of(refused) == (403, "sign_in_again")
    assert town.city.people.find("owner") is person
    link = town.city.entrance.link(person)
    entered = town.client().post("/api/v1/session:link", json={"code": link})
    anew = town.client(Cookie=entered.headers["set-cookie"].split(";")[0])
    assert anew.request("DELETE", "/api/v1/me", json={}).status_code == 204
    assert town.city.people.find("owner") is None


def test_a_consent_for_one_utility_is_told_of_that_one_and_of_no_other(town: Peopled) -> None:
    own = HOMES[4]
    owner = town.signed_in(town.person("owner", "resident", own))
    since = (START - timedelta(days=2)).isoformat()
    body = {"party": "Saver", "purpose": "advice", "until": "2026-04-01", "commodities": ["water"], "from": since}
    third = bearer(town, owner.post("/api/v1/me/consents", json=body).json()["token"])
    listed = third.get("/api/v1/meters", params={"place": own})
    assert listed.status_code == 200, listed.text
    meters = listed.json()["meters"]
    assert [one["commodity"] for one in meters] == ["water"]
    for path, key in (("home/now", "tiles"), ("home/bill", "lines"), ("dwelling-days", "utilities")):
        answer = third.get(f"/api/v1/{path}", params={"place": own})
        assert answer.status_code == 200, (path, answer.text)
        assert [one["commodity"] for one in answer.json()[key]] == ["water"], path
        whole = owner.get(f"/api/v1/{path}", params={"place": own}).json()[key]
        assert len(whole) == 2, path
        if path != "home/bill":
            assert answer.json()[key] == [one for one in whole if one["commodity"] == "water"], path
    history = third.get("/api/v1/home/history", params={"place": own, "length": "week"})
    assert (history.status_code, history.json()["commodity"]) == (200, "water")
    for utility in ("electricity", "gas"):  # whether the home has it or not
        asked = third.get("/api/v1/home/history", params={"place": own, "utility": utility})
        assert code_of(asked) == (403, "other_utility")
    bills = third.get("/api/v1/bills", params={"place": own, "month": "2026-03"})
    assert bills.status_code == 200, bills.text
    assert {one["commodity"] for one in bills.json()["bills"]} == {"water"}
    assert code_of(hours(third, channel(own, "electricity"))) == (403, "other_utility")
    span = {"place": own, "from": "2026-03-02", "to": "2026-03-03", "resolution": "day"}
    assert code_of(third.get("/api/v1/balances", params=span)) == (403, "other_utility")
