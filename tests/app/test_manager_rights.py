"""Who sees a building's work: its own managers for as long as they are, and nobody else; over the real site."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import uvicorn
from tests.conftest import IDLE_S
from tests.managed_city import FIRST, LAST, SEOUL, Hand, made

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.doors import Doors
from quintet.app.operations import answer_request
from quintet.app.requests import EventList
from quintet.app.site import build_site
from quintet.app.turns import Turns
from quintet.registry.person import RESIDENT, Person, Right
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.period import day_start, to_us

OCTOBER = "2025-10"
VIEWS = ("visits", "close", "allocation")


class Town:
    """The city with people, served on a free port."""

    def __init__(self, city: City, hand: Hand) -> None:
        self.city, self.hand = city, hand
        doors = Doors(city, Turns())
        self.live = doors.live
        site = build_site(city, doors.parts, doors.keeper)
        config = uvicorn.Config(site, port=0, log_level="critical", ws="none", timeout_keep_alive=IDLE_S)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            time.sleep(0.01)
        self.origin = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        self.clients: list[httpx.Client] = []

    def client(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.origin, headers={"Origin": self.origin, **headers}, timeout=60)
        self.clients.append(client)
        return client

    def person(self, name: str, role: str, place: str, **bounds: int) -> Person:
        person = self.city.people.add(name, name.title(), actor="test")
        self.city.people.grant(person, Right(role, place, self.hand(), **bounds), actor="test")
        return person

    def signed_in(self, person: Person) -> httpx.Client:
        return self.client(Cookie=f"quintet={self.city.entrance.begin(person)}")

    def close(self) -> None:
        self.live.stop()
        for client in self.clients:
            client.close()
        self.server.should_exit = True
        self.thread.join(30)
        self.city.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    hand = Hand(FIRST)
    out = Town(made(tmp_path_factory.mktemp("rights") / "city", hand), hand)
    yield out
    out.close()


@pytest.fixture(scope="module")
def mina(town: Town) -> httpx.Client:
    return town.signed_in(town.person("mina", "building_manager", "c1"))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_manager_sees_her_buildings_and_nothing_of_another_complex(town: Town, mina: httpx.Client) -> None:
    assert [one["place"] for one in mina.get("/api/v1/buildings").json()["buildings"]] == ["c1"]
    for view in VIEWS:
        assert mina.get(f"/api/v1/buildings/c1/{view}").status_code == 200
        assert mina.get(f"/api/v1/buildings/c1%2F101/{view}").status_code in (200, 404)
        foreign = mina.get(f"/api/v1/buildings/c2/{view}")
        nothing = mina.get(f"/api/v1/buildings/nowhere/{view}")
        assert code_of(foreign) == code_of(nothing) == (404, "not_your_building")
        assert foreign.text.replace("c2", "nowhere") == nothing.text
        page = mina.get(f"/building/{view}", params={"place": "c2", "lang": "en"})
        assert (page.status_code, "c2/201" in page.text) == (404, False)
    assert {one["building"] for one in mina.get("/api/v1/buildings/c1%2F101/visits").json()["visits"]} == {"c1/101"}


def test_months_are_the_finest_of_a_dwelling_that_she_gets(mina: httpx.Client) -> None:
    query = {"channel": "c1/101-0202-heat", "from": "2025-10-20", "to": "2025-10-22", "resolution": "day"}
    assert code_of(mina.get("/api/v1/intervals", params=query)) == (403, "too_fine_for_role")


@pytest.mark.parametrize(
    ("role", "place", "told"),
    [
        (RESIDENT, "c1/101/0202", (404, "not_here")),
        ("analyst", "c1", (403, "only_released")),
        ("building_manager", "c2", (404, "not_your_building")),
    ],
)
def test_nobody_else_sees_or_writes_it(town: Town, role: str, place: str, told: tuple[int, str]) -> None:
    bounds = {"from_us": ALWAYS, "until_us": FOREVER} if role == RESIDENT else {}
    client = town.signed_in(town.person(f"other-{role}", role, place, **bounds))
    for view in VIEWS:
        assert code_of(client.get(f"/api/v1/buildings/c1/{view}")) == told
    visit = {"channel": "c1/101-0202-heat", "found": "exchanged"}
    assert code_of(client.post("/api/v1/buildings/c1/visits", json=visit)) == told
    assert code_of(client.post("/api/v1/buildings/c1/close", json={"month": OCTOBER, "reason": "x"})) == told
    own = client.get(f"/api/v1/buildings/{place.replace('/', '%2F')}/visits")
    assert own.status_code == (200 if role == "building_manager" else 400 if role == RESIDENT else 403)
    listed = answer_request(town.city, EventList(), no_progress).read()["events"]
    assert not [one for one in listed if one["kind"] in ("meter_visit", "month_closed")]


def test_a_right_ends_on_its_day(town: Town) -> None:
    until = to_us(day_start(LAST + timedelta(days=1), SEOUL))
    gone = town.signed_in(town.person("former", "building_manager", "c1", valid_until_us=until))
    assert code_of(gone.get("/api/v1/buildings/c1/visits")) == (404, "not_here")
    assert gone.get("/api/v1/buildings").json() == {"buildings": []}
    page = gone.get("/building", params={"lang": "ko"})
    assert (page.status_code, "관리하는 건물이 없습니다" in page.text) == (404, True)


def test_a_stranger_is_sent_to_sign_in(town: Town, mina: httpx.Client) -> None:
    assert mina.get("/building").status_code == 200
    stranger = town.client()
    assert code_of(stranger.get("/api/v1/buildings/c1/visits")) == (401, "sign_in")
    page = stranger.get("/building/close", follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/building/close")


def test_a_token_reads_and_does_not_write(town: Town, mina: httpx.Client) -> None:
    assert mina.get("/building").status_code == 200
    _, secret = town.city.tokens.create("board", ("read",), actor="test", place="c1", role="building_manager")
    client = town.client(Authorization=f"Bearer {secret}")
    assert client.get("/api/v1/buildings/c1/visits").status_code == 200
    visit = {"channel": "c1/101-0202-heat", "found": "exchanged"}
    assert code_of(client.post("/api/v1/buildings/c1/visits", json=visit)) == (403, "person_needed")


def test_what_she_writes_is_kept_under_an_id_and_shown_under_her_name(town: Town, mina: httpx.Client) -> None:
    visit = {"channel": "c1/101-1001-water", "found": "no_access", "note": "rang twice"}
    made_ = mina.post("/api/v1/buildings/c1/visits", json=visit)
    assert made_.status_code == 201
    waiting = next(one for one in made_.json()["visits"] if one["flat"] == "1001")
    assert (waiting["state"], waiting["visited"]["by"], waiting["visited"]["note"]) == ("waiting", "Mina", "rang twice")
    (event,) = answer_request(town.city, EventList(kind="meter_visit"), no_progress).read()["events"]
    assert event["by"].startswith("person:")
    assert "ina" not in event["by"]
    refused = mina.post("/api/v1/buildings/c1/close", json={"month": OCTOBER})
    assert code_of(refused) == (400, "reason_needed_to_close")
    closed = mina.post("/api/v1/buildings/c1/close", json={"month": OCTOBER, "reason": "heat rates come later"})
    assert (closed.status_code, closed.json()["closed"]["by"]) == (201, "Mina")
    assert mina.get("/api/v1/buildings/c1/close", params={"month": OCTOBER}).json()["closed"]["by"] == "Mina"


def test_a_form_from_another_site_is_refused(town: Town, mina: httpx.Client) -> None:
    form = {"place": "c1", "channel": "c1/101-0202-heat", "found": "exchanged"}
    answer = mina.post("/building/visits", data=form, headers={"Origin": "https://elsewhere.example"})
    assert code_of(answer) == (403, "foreign_origin")


def test_csv_holds_every_flat_and_the_sum(mina: httpx.Client) -> None:
    answer = mina.get("/building/allocation.csv", params={"place": "c1", "month": OCTOBER})
    assert answer.headers["content-disposition"] == 'attachment; filename="allocation-c1-2025-10.csv"'
    lines = answer.content.decode("utf-8-sig").splitlines()
    head = lines[0].split(",")
    assert (len(lines), head[0]) == (10, "place")
    total = head.index("total_won")
    own = [int(line.split(",")[total]) for line in lines[1:]]
    assert sum(own[:-1]) == own[-1]
    walk = mina.get("/building/visits.csv", params={"place": "c1"}).content.decode("utf-8-sig").splitlines()
    assert "c1/101-0202-heat" in walk[1]
