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
        TokenCreate("d3", ("read",), role=role, place=place),
        UserGrant("mgr", role, place),
        UserAdd("other", role=role, place=place),
    ):
        with pytest.raises(BadInput) as told:
            town.ask(request)
        assert told.value.code == code
    assert town.city.people.find("other") is None, "nobody is made whose role is refused"


def test_a_token_as_a_resident_reads_the_stay_in_which_it_was_made_and_is_noted(town: Peopled) -> None:
    owner = town.signed_in(town.person("bob", "resident", MOVED, MOVE))
    made_one = town.ask(TokenCreate("panel", ("read", "live"), role="resident", place=MOVED)).read()
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
    token = town.ask(TokenCreate("dash", ("read",), role="operator", place="c1")).read()["token"]
    dash = bearer(town, token)
    dash.headers["Quintet-Reason"] = "panel"
    assert hours(dash, channel(MOVED, "water"), MOVE).status_code == 200
    town.hand.now += timedelta(days=400)
    assert hours(dash, channel(MOVED, "water"), MOVE).status_code == 200
