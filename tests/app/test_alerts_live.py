"""The live event of alerts: who may see an alert hears that something changed, at once; nobody else hears of it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.access.feed import Feed
from quintet.access.scope import EVERYTHING
from quintet.app.alert_looks import homes_of, look
from quintet.registry.person import RESIDENT
from quintet.terms.alert import STANDING
from quintet.views.live import Live, Mark

from .foreign import foreign_numbers
from .peopled import HOMES, HOURS, MOVE, START, Hand, Peopled, made, send
from .strangers import strangers
from .test_alerts import LATER

GET = "/api/v1/home/alerts"
FOLLOWED = (*HOMES[1:3], HOMES[5], "c1")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    hand.now = START + timedelta(hours=LATER, minutes=31)
    send(out.city, range(HOURS, LATER))
    yield out
    out.close()


@dataclass
class Ear:
    """One stream: what was heard on it as (event, content), and the last id."""

    status: int = 0
    heard: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    last_id: str = ""

    def of(self, event: str) -> list[Any]:
        return [content for name, content in self.heard if name == event]


class Ears:
    """Streams that are read until the town's live push ends."""

    def __init__(self, town: Peopled) -> None:
        self._town = town
        self._threads: list[threading.Thread] = []
        self._closing = ExitStack()

    def follow(self, client: httpx.Client, place: str, last_event_id: str = "") -> Ear:
        """Open a stream; returns when it is fed, or was refused."""
        ear, fed = Ear(), threading.Event()
        thread = threading.Thread(target=self._listen, args=(client, place, last_event_id, ear, fed), daemon=True)
        self._threads.append(thread)
        thread.start()
        assert fed.wait(60)
        return ear

    def _listen(self, client: httpx.Client, place: str, after: str, ear: Ear, fed: threading.Event) -> None:
        headers = {**client.headers, **({"Last-Event-ID": after} if after else {})}
        with (
            httpx.Client(base_url=self._town.origin, headers=headers, timeout=60) as own,
            own.stream("GET", "/api/v1/live", params={"place": place}) as answer,
        ):
            ear.status = answer.status_code
            event = ""
            for line in answer.iter_lines() if ear.status == 200 else ():
                name, _, said = line.partition(": ")
                if name == "id":
                    ear.last_id = said
                elif name == "event":
                    event = said
                elif name == "data":
                    ear.heard.append((event, json.loads(said)))
                elif line.startswith(":"):
                    fed.set()
            fed.set()

    def end(self) -> None:
        self._town.live.stop()
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def ears(town: Peopled) -> Iterator[Ears]:
    out = Ears(town)
    yield out
    out.end()


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def everything(town: Peopled) -> Any:
    return look(town.city, homes_of(town.city), alike=True)


def test_who_may_see_the_alert_hears_of_it_at_once_and_nobody_else(town: Peopled, ears: Ears) -> None:
    everyone = [one for one in strangers(town) if one.name not in ("nobody", "ended", "revoked", "late token")]
    streams = {(one.name, place): ears.follow(one.client, place) for one in everyone for place in FOLLOWED}
    tally = everything(town)
    assert len(tally.raised) == len(HOMES)
    own = streams["owner", HOMES[5]]
    wait_for(lambda: bool(own.of("alerts")))
    send(town.city, range(LATER, LATER + 1))  # whatever else was to come has come before this
    open_ears = {key: ear for key, ear in streams.items() if ear.status == 200}
    wait_for(lambda: all(ear.of("intervals") for (_, place), ear in open_ears.items() if place in HOMES))
    may = set()
    for one in everyone:
        for place in FOLLOWED:
            answer = one.client.get(GET, params={"place": place})
            if answer.status_code == 200 and answer.json()["alerts"]:
                may.add((one.name, place))
    told = {key for key, ear in streams.items() if ear.of("alerts")}
    assert told == may & set(open_ears)
    assert {("owner", HOMES[5]), ("household", HOMES[5]), ("new in c1/101/2", HOMES[1])} <= told
    assert not {name for name, _ in told} & {"consent", "old in c1/101/2", "building_manager-c1-101-0"}
    for one in everyone:
        for place in FOLLOWED:
            said = streams[one.name, place].of("alerts")
            assert all(set(row) == {"place", "batch"} and row["place"] == place for row in said)
            assert not foreign_numbers(one.seen, json.dumps(said))


def test_every_step_but_telling_is_heard_and_another_home_stays_silent(town: Peopled, ears: Ears) -> None:
    kim = town.signed_in(town.person("kim", RESIDENT, HOMES[0], START))
    lee = town.signed_in(town.person("lee", RESIDENT, HOMES[2], START))
    late = town.signed_in(town.person("late", RESIDENT, HOMES[0], MOVE))  # who may not see what it rests on
    mine, neighbour, newer = ears.follow(kim, HOMES[0]), ears.follow(lee, HOMES[2]), ears.follow(late, HOMES[0])
    look(town.city, HOMES[:1], alike=False)
    wait_for(lambda: len(mine.of("alerts")) == 1)
    number = town.city.alerts.of(HOMES[0])[0].id
    town.city.alerts.told(number, by="mail", outcome="sent")
    for count, step in ((2, "not-a-problem"), (3, "problem")):
        time.sleep(town.live.limits.dwelling_pause_ms / 1000)  # what comes closer together is one event
        assert kim.post(f"{GET}/{number}:{step}").status_code == 200
        wait_for(lambda count=count: len(mine.of("alerts")) == count)
    assert late.get(GET, params={"place": HOMES[0]}).json()["alerts"] == []
    assert (neighbour.heard, newer.heard) == ([], [])


def test_who_comes_back_hears_that_something_changed_meanwhile_and_once_only(town: Peopled, ears: Ears) -> None:
    kim = town.signed_in(town.person("kim", RESIDENT, HOMES[0], START))
    first = ears.follow(kim, HOMES[0])
    before = first.last_id
    everything(town)
    wait_for(lambda: bool(first.of("alerts")))
    wait_for(lambda: first.last_id != before)
    assert [name for name, _ in ears.follow(kim, HOMES[0], before).heard] == ["alerts"]
    assert ears.follow(kim, HOMES[0], first.last_id).heard == []
    assert ears.follow(kim, HOMES[0]).heard == []
    send(town.city, range(LATER, LATER + 1), HOMES[:1])
    wait_for(lambda: bool(first.of("intervals")))
    assert [name for name, _ in ears.follow(kim, HOMES[0], before).heard] == ["alerts", "intervals"]


def test_after_a_restart_the_store_tells_what_changed_meanwhile(town: Peopled) -> None:
    city = town.city
    kept = str(Mark(*batch_of(city)))
    everything(town)
    live = Live(Feed(city.engine, city.registry, city.pipeline.recent), EVERYTHING)
    mark, missed = live.since(live.follow(HOMES[0]), kept)
    assert missed is not None
    assert (missed.event, json.loads(missed.data)) == ("alerts", {"place": HOMES[0], "batch": mark.batch})
    assert live.since(live.follow(HOMES[0]), str(mark))[1] is None
    city.alerts.told(city.alerts.of(HOMES[0])[0].id, by="mail", outcome="sent")
    anew = Live(Feed(city.engine, city.registry, city.pipeline.recent), EVERYTHING)
    assert anew.since(anew.follow(HOMES[0]), str(mark))[1] is None


def batch_of(city: Any) -> tuple[int, int]:
    with city.engine.snapshot() as snapshot:
        return snapshot.rows("select id, received_us from batch order by id desc limit 1")[0]


def test_a_right_that_was_taken_back_hears_no_alert(town: Peopled, ears: Ears) -> None:
    kim = town.person("kim", RESIDENT, HOMES[0], START)
    stays = town.person("lee", RESIDENT, HOMES[0], START)
    gone, here = ears.follow(town.signed_in(kim), HOMES[0]), ears.follow(town.signed_in(stays), HOMES[0])
    town.city.people.revoke(kim, next(iter(kim.rights)), actor="test")
    wait_for(lambda: bool(gone.of("bye")))
    everything(town)
    wait_for(lambda: bool(here.of("alerts")))
    assert gone.of("alerts") == []
    assert town.city.alerts.of(HOMES[0])[0].state == STANDING
