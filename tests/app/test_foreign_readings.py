"""Everyone asks everything: whatever address the description names, nobody is told a reading that is not his.

The addresses are read from the site itself, so that a new one is asked on the day it appears.
"""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import httpx
import pytest

from .peopled import HOMES, HOURS, Hand, Peopled, made, send
from .strangers import ASKED, Stranger, foreign, random_stranger, requests_of, strangers, streams, text_of

SHORT = ASKED[1:4]
KILLS = int(os.environ.get("QUINTET_KILLS", "0"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def ask_all(stranger: Stranger, document: dict[str, object], asked_of: Sequence[dict[str, str]]) -> int:
    """Ask everything; give how many answers were no refusals."""
    given = 0
    for asked in asked_of:
        for method, path, query, body in requests_of(document, asked):
            answer = stranger.client.request(method, path, params=query, json=body if body is not None else None)
            text = text_of(answer)
            fine = answer.status_code < 400
            wrong = foreign(stranger, text, fine)
            assert not wrong, (stranger.name, method, path, query, wrong)
            assert answer.status_code != 500, (stranger.name, method, path, query, text)
            given += fine
    return given


def test_nobody_is_told_a_foreign_reading_by_any_address(town: Peopled) -> None:
    document = town.client().get("/openapi.json").json()
    assert len(document["paths"]) > 30
    given = {}
    for stranger in list(strangers(town)):  # all are there before anybody asks
        given[stranger.name] = ask_all(stranger, document, SHORT)
    seen = {name for name, count in given.items() if count > len(SHORT) * 3}
    assert {"new in c1/101/2", "old in c1/101/2", "operator-c1-1", "household", "consent"} <= seen, given
    assert given["nobody"] == given["ended"] < given["household"]


def test_what_is_recognised_as_foreign_is_there_for_who_may_see_it(town: Peopled) -> None:
    """The test itself can fail: the operator of the whole city is told what a resident must not be."""
    staff = town.signed_in(town.person("all", "operator", "city"))
    staff.headers["Quintet-Reason"] = "test"
    blind = Stranger("blind", (), None, staff)
    document = town.client().get("/openapi.json").json()
    told: set[str] = set()
    for asked in ASKED[2:4]:
        for method, path, query, _ in requests_of(document, asked):
            if method == "GET":
                told |= foreign(blind, text_of(staff.request(method, path, params=query)), fine=True)
    assert len(told) > 100


def test_live_tells_each_his_own_only_and_late_readings_of_others_times_to_nobody(town: Peopled) -> None:
    document = town.client().get("/openapi.json").json()
    paths = [path for path, said in document["paths"].items() if any(streams(one) for one in said.values())]
    assert paths
    everyone = [one for one in strangers(town) if one.name not in ("nobody", "ended", "revoked")]
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
    send(town.city, range(2), more=0.5)  # changed late: of the time before the move
    send(town.city, range(HOURS - 1, HOURS), more=0.5)
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
def test_a_thousand_identities_by_every_address(town: Peopled) -> None:
    random = Random(6)
    document = town.client().get("/openapi.json").json()
    for number in range(max(KILLS, 1)):
        stranger = random_stranger(town, random, number)
        assert ask_all(stranger, document, ASKED) > len(ASKED)
        stranger.client.close()
