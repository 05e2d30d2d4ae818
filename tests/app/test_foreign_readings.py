"""Everyone asks everything: whatever address the description names, nobody is told a reading that is not his.

The addresses are read from the site itself, so that a new one is asked on the day it appears; one that nobody may reach
with an answer must be named in fitting.toml, with the reason.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from .asking import LAST, fitting, operations, questions, streams
from .foreign import LATE, Seen, text_of
from .inside import Inside
from .peopled import HOMES, HOURS, PASSWORD, Hand, Peopled, made, send
from .strangers import ASKED, OWN, Stranger, foreign, random_stranger, strangers

SHORT = ASKED[1:4:2]
KILLS = int(os.environ.get("QUINTET_KILLS", "0"))
SHARDS = 4
"""The long form in so many parts, which may run at once."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


class Asker:
    """Asks as anybody, inside the process, and counts what came of it."""

    def __init__(self, town: Peopled) -> None:
        self._town = town
        self._inside = Inside(town.site)
        self.document: dict[str, Any] = town.client().get("/openapi.json").json()
        self.requests = 0
        self.statuses: Counter[int] = Counter()
        self.reached: set[str] = set()
        self._ids: dict[str, str] = {}

    def close(self) -> None:
        self._inside.close()

    def moved_in(self, stranger: Stranger) -> Stranger:
        """Give the same stranger with a browser inside the process."""
        old = stranger.client
        client = httpx.Client(transport=self._inside, base_url=old.base_url, headers=old.headers, cookies=old.cookies)
        return replace(stranger, client=client)

    def learn(self, stranger: Stranger) -> None:
        """Take from somebody's lists the ids of what is his: others will ask for these."""
        for name, (method, path, _) in operations(self.document).items():
            parents = {other.partition("/{")[0] for _, other, _ in operations(self.document).values() if "/{" in other}
            if method == "GET" and path in parents:
                asked = {**ASKED[3], "place": OWN}
                query = next(one.query for one in questions(self.document, asked, self.find) if one.operation == name)
                answer = stranger.client.get(path, params=query)
                found = list(ids_in(answer.json())) if answer.status_code == 200 else []
                if found:
                    self._ids.setdefault(path, found[0])

    def find(self, parent: str) -> str:
        return self._ids.get(parent, "1")

    def ask_all(self, stranger: Stranger, asked_of: Sequence[Mapping[str, Any]], *, last: bool = False) -> int:
        """Ask everything; give how many answers were no refusals. Whoever cannot leave as himself is not asked to."""
        given = 0
        for number, asked in enumerate(asked_of, 1):
            ends = last and number == len(asked_of)
            for one in questions(self.document, asked, self.find, last=ends):
                answer = stranger.client.request(one.method, one.path, params=one.query, json=one.body)
                text = text_of(answer)
                fine = answer.status_code < 300
                where = (stranger.name, *one, answer.status_code)
                wrong = foreign(stranger, text, fine)
                assert not wrong, (where, wrong)
                assert answer.status_code < 500 or answer.status_code == 503, (where, text)
                self.requests += 1
                self.statuses[answer.status_code] += 1
                given += fine
                if fine:
                    self.reached.add(one.operation)
        return given


@pytest.fixture
def asker(town: Peopled) -> Iterator[Asker]:
    out = Asker(town)
    yield out
    out.close()


def ids_in(said: Any) -> Iterator[str]:
    """Give what things in a list are called."""
    if isinstance(said, list):
        for one in said:
            yield from ids_in(one)
    elif isinstance(said, dict):
        yield from (str(said[key]) for key in ("id", "number", "name") if isinstance(said.get(key), (str, int)))
        for one in said.values():
            yield from ids_in(one)


def test_nobody_is_told_a_foreign_reading_by_any_address(town: Peopled, asker: Asker) -> None:
    assert len(asker.document["paths"]) > 30
    everyone = [asker.moved_in(one) for one in strangers(town)]  # all are there before anybody asks
    owner = next(one for one in everyone if one.name == "owner")
    asker.learn(owner)
    kept = {path: owner.client.get(path).json() for path in ("/api/v1/me/tokens", "/api/v1/me/consents")}
    given = {}
    for stranger in everyone:
        if stranger.name != "owner":
            given[stranger.name] = asker.ask_all(stranger, SHORT)
    for path, before in kept.items():
        assert [one["id"] for one in owner.client.get(path).json()["tokens"]] == [one["id"] for one in before["tokens"]]
    seen = {name for name, count in given.items() if count > len(SHORT) * 3}
    assert {"new in c1/101/2", "old in c1/101/2", "operator-c1-1", "household", "consent"} <= seen, given
    assert given["nobody"] == given["ended"] == given["late token"] < given["household"]


def test_every_operation_is_answered_to_somebody_or_named_with_the_reason(town: Peopled, asker: Asker) -> None:
    leaver = town.person("leaver", "resident", HOMES[2])
    town.city.entrance.set_password(leaver, PASSWORD)
    rightful = [
        Stranger("leaver", (Seen(HOMES[2]),), (HOMES[2],), town.signed_in(leaver)),
        *(one for one in strangers(town) if one.name in ("owner", "household")),
    ]
    whole = town.signed_in(town.person("all", "operator", "city"))
    whole.headers["Quintet-Reason"] = "test"
    every = tuple(Seen(home) for home in HOMES)
    rightful.append(Stranger("all", every, ("city",), whole, owner=True))
    for stranger in map(asker.moved_in, rightful):
        home = stranger.zones[0] if stranger.zones[0] != "city" else HOMES[0]
        asked = {**ASKED[1], "place": home, "channel": ASKED[1]["channel"].replace("c1-101-2", home.replace("/", "-"))}
        asked |= {"name": "leaver"} if stranger.name == "leaver" else {}
        asked["channel"] = f"{home.partition('/')[0]}/{asked['channel'].partition('/')[2]}"
        asker.learn(stranger)
        asker.ask_all(stranger, [asked], last=stranger.name == "leaver")
    again = asker.moved_in(Stranger("again", (), (), town.client()))
    assert again.client.post("/api/v1/session", json={"name": "leaver", "password": PASSWORD}).status_code == 401
    every_operation, named = set(operations(asker.document)), fitting()["unreached"]
    lacking = sorted(every_operation - asker.reached - set(named))
    assert not lacking, "answered to nobody, and fitting.toml says no reason: " + " ".join(lacking)
    assert set(named) - every_operation == set(), "fitting.toml names what is not there any more"
    assert set(LAST) - asker.reached == set(), "they end the one who asks"


def test_what_is_recognised_as_foreign_is_there_for_who_may_see_it(town: Peopled, asker: Asker) -> None:
    """The test itself can fail: the operator of the whole city is told what a resident must not be."""
    staff = town.signed_in(town.person("all", "operator", "city"))
    staff.headers["Quintet-Reason"] = "test"
    blind = asker.moved_in(Stranger("blind", (), (), staff))
    told: Counter[str] = Counter()
    for asked in ASKED[2:4]:
        for one in questions(asker.document, asked, asker.find):
            if one.method == "GET":
                answer = blind.client.get(one.path, params=one.query)
                found = foreign(blind, text_of(answer), fine=True)
                told[one.operation] += len(found)
    assert sum(told.values()) > 100
    assert {
        name for name in ("get_intervals", "get_balances", "get_dwelling_days", "get_home_now") if not told[name]
    } == set()


def test_live_tells_each_his_own_only_and_late_readings_of_others_times_to_nobody(town: Peopled) -> None:
    document = town.client().get("/openapi.json").json()
    paths = [path for path, said in document["paths"].items() if any(streams(one) for one in said.values())]
    assert paths
    everyone = [one for one in strangers(town) if one.name not in ("nobody", "ended", "revoked", "late token")]
    asked = [(one, path, place) for one in everyone for path in paths for place in (HOMES[1], HOMES[5])]
    heard: dict[tuple[str, str], list[str]] = {}
    open_now = threading.Barrier(len(asked) + 1, timeout=60)

    def listen(stranger: Stranger, path: str, place: str) -> None:
        lines = heard[stranger.name, place] = []
        headers = dict(stranger.client.headers)
        cookies = stranger.client.cookies
        with (
            httpx.Client(base_url=town.origin, headers=headers, cookies=cookies, timeout=60) as client,
            client.stream("GET", path, params={"place": place}) as answer,
        ):
            if answer.status_code != 200:
                lines.append(answer.read().decode())
                open_now.wait()
                return
            parts = answer.iter_lines()
            for line in parts:
                if line.startswith(":"):
                    break
            open_now.wait()
            for line in parts:
                lines += [line] if line.startswith("data:") else []

    threads = [threading.Thread(target=listen, args=one, daemon=True) for one in asked]
    for thread in threads:
        thread.start()
    open_now.wait()
    send(town.city, range(2), more=LATE)  # changed late: of the time before the move
    send(town.city, range(HOURS - 1, HOURS), more=LATE)
    deadline = [one for one in asked if one[0].name == "new in c1/101/2" and one[2] == HOMES[1]]
    wait_until(lambda: any(heard[one[0].name, one[2]] for one in deadline))
    town.live.stop()
    for thread in threads:
        thread.join(60)
    for stranger, _, place in asked:
        wrong = foreign(stranger, "\n".join(heard[stranger.name, place]), fine=False)
        assert not wrong, (stranger.name, place, wrong)
    own = json.loads(heard["new in c1/101/2", HOMES[1]][0].removeprefix("data:"))
    assert {row["start"][:10] for row in own["intervals"]} == {"2026-03-04"}
    assert all("not_here" in line for line in heard["new in c1/101/2", HOMES[5]])
    water = [json.loads(line[5:]) for line in heard["consent", HOMES[5]]]
    assert {row["channel"].rpartition("-")[2] for one in water for row in one.get("intervals", [])} == {"water"}


def wait_until(true: object) -> None:
    assert callable(true)
    done = threading.Event()
    for _ in range(600):
        if true():
            return
        done.wait(0.1)
    pytest.fail("nothing came")


@pytest.mark.soak
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_thousand_identities_by_every_address(town: Peopled, asker: Asker, shard: int) -> None:
    random = Random(shard)
    owner = next(one for one in map(asker.moved_in, strangers(town)) if one.name == "owner")
    asker.learn(owner)
    held = [one["id"] for one in owner.client.get("/api/v1/me/tokens").json()["tokens"]]
    given = 0
    for number in range(shard, max(KILLS, 10), SHARDS):
        stranger = asker.moved_in(random_stranger(town, random, number))
        given += asker.ask_all(stranger, [*random.sample(ASKED, 2), own_question(stranger, random)], last=True)
        town.forget_clients()
    assert [one["id"] for one in owner.client.get("/api/v1/me/tokens").json()["tokens"]] == held
    assert given > asker.requests // 10
    print(f"shard {shard}: {asker.requests} requests, {given} answered, statuses {dict(asker.statuses)}")


def own_question(stranger: Stranger, random: Random) -> dict[str, str]:
    """Ask of what is his, where anything is."""
    asked = random.choice(ASKED)
    if not stranger.zones:
        return asked
    return {**asked, "place": random.choice(stranger.zones)}
