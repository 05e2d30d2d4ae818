"""Somebody who means harm: many tries at once, odd addresses, sessions that should have ended, cells that reckon."""

import csv
import io
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from quintet.app.requests_people import InviteCreate, UserGrant
from quintet.registry.account_limits import account_limits
from quintet.registry.passwords import Tries
from quintet.store.vault import KEYS
from quintet.terms.errors import QuintetError
from quintet.views.own_data import as_csv

from .peopled import HOMES, PASSWORD, START, Hand, Peopled, made
from .test_accounts import code_of

OWN, OTHER = HOMES[4], HOMES[0]
NOW_OF = "/api/v1/home/now"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def test_tries_that_come_at_once_are_counted_as_if_one_came_after_the_other(town: Peopled) -> None:
    town.city.entrance.set_password(town.person("owner", "resident", OWN), PASSWORD)
    codes: Counter[str] = Counter()
    together = threading.Barrier(12)

    def guess(number: int) -> None:
        together.wait(30)
        try:
            town.city.entrance.sign_in("owner", f"a wrong sentence, number {number}", "192.0.2.1")
        except QuintetError as error:
            codes[error.code] += 1

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == {"not_let_in": 5, "too_many_tries": 7}
    town.city.entrance.sign_in("owner", PASSWORD, "192.0.2.2")


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1:4711", "192.0.2.1:4712", True),
        ("[2001:db8:1:2::1]:4711", "2001:db8:1:2::9", True),
        ("proxy", "other", False),
    ],
)
def test_who_has_a_whole_network_of_addresses_has_no_more_tries(first: str, second: str, one: bool) -> None:
    tries = Tries()
    for _ in range(5):
        tries.failed("owner", first)
    if one:
        with pytest.raises(QuintetError, match="too many tries"):
            tries.check("owner", second)
    else:
        tries.check("owner", second)


@pytest.mark.parametrize("every", [False, True], ids=["signing out", "a new password"])
def test_a_session_that_is_asked_for_while_it_ends_has_ended(
    town: Peopled, every: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrance, vault = town.city.entrance, town.city.people.vault
    person = town.person("owner", "resident", OWN)
    secret = entrance.begin(person)
    kept = vault.write

    def meanwhile(file: str, text: str, values: Any = ()) -> int:
        """Let a request of that session come right before it is deleted."""
        if file == KEYS and text.startswith("delete from session where") and "expires_us" not in text:
            assert entrance.signed(secret) is not None
        return kept(file, text, values)

    monkeypatch.setattr(vault, "write", meanwhile)
    if every:
        entrance.sign_out_all(person)
    else:
        entrance.sign_out(secret)
    assert entrance.signed(secret) is None
    assert entrance.at_hand(secret) is None


def test_a_name_that_a_spreadsheet_would_reckon_stays_text() -> None:
    bad = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1")
    rows = [(name, f"{name}/m", "water", START.isoformat(), "-1.5", "kWh", "measured", "1", "0") for name in bad]
    found = list(csv.reader(io.StringIO(b"".join(as_csv(iter(rows))).decode())))[1:]
    for row in found:
        assert row[0][0] == row[1][0] == "'"
        assert row[4] == "-1.5", "an amount is one"


WAYS_AROUND = (
    f"/api/v1/home/now?place={OTHER}",
    f"/api/v1/home/now?place={OWN}/../../201/1/../../../{OTHER}",
    f"/api/v1/home/now?place={OTHER.replace('/', '%2F')}",
    f"/api/v1/home/now?place={OTHER.upper()}",
    f"/api/v1/home/now?place={OTHER}%00",
    f"/api/v1/home/now?place=%EF%BD%83{OTHER[1:]}",
    f"/api/v1/home/now?place={OWN}&place={OTHER}",
    f"/api/v1/home/now?place[]={OTHER}",
    f"/api/v1/home//now?place={OTHER}",
    f"/api/v1/./home/now?place={OTHER}",
    f"/API/v1/home/now?place={OTHER}",
    f"/static/..%2f..%2fapi/v1/home/now?place={OTHER}",
    f"/static/../api/v1/balances?place={OTHER}&from=2026-03-02&to=2026-03-03&resolution=day",
    f"/api/v1/home/now/?place={OTHER}",
    f"/api/v1/intervals;place={OTHER}?channel={OTHER}",
)


def refusals(client: httpx.Client, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Ask exactly that address: a client that is kind would tidy it up."""
    url = httpx.URL(client.base_url).copy_with(raw_path=path.encode())
    answer = client.request(method, url, headers=headers)
    return answer.status_code, answer.content


def test_no_way_of_writing_an_address_leads_next_door(town: Peopled) -> None:
    town.person("next", "resident", OTHER)
    client = town.signed_in(town.person("owner", "resident", OWN))
    assert client.get(NOW_OF, params={"place": OWN}).status_code == 200
    for path in WAYS_AROUND:
        status, body = refusals(client, path)
        assert status in (303, 400, 404, 405, 422), (path, status, body[:300])
    for more in ({"X-HTTP-Method-Override": "GET"}, {"X-Original-URL": NOW_OF}, {"X-Forwarded-Host": "evil.example"}):
        assert refusals(client, f"{NOW_OF}?place={OTHER}", **more)[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_no_other_method_tells_what_get_refuses(town: Peopled, method: str) -> None:
    town.person("next", "resident", OTHER)
    mine = town.signed_in(town.person("owner", "resident", OWN))
    nobody = town.client()
    for client in (mine, nobody):
        status, body = refusals(client, f"{NOW_OF}?place={OTHER}", method)
        assert status in (400, 401, 404, 405, 403), (method, status)
        assert not body or status >= 400
    if method == "HEAD":
        whole = refusals(mine, f"{NOW_OF}?place={OTHER}")[0]
        assert refusals(mine, f"{NOW_OF}?place={OTHER}", "HEAD")[0] == whole


FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "", "Sec-Fetch-Site": "same-site"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1.evil.example"},
)


@pytest.mark.parametrize("came", FOREIGN)
def test_a_foreign_page_changes_nothing_with_the_cookie(town: Peopled, came: dict[str, str]) -> None:
    client = town.signed_in(town.person("owner", "resident", OWN))
    body = b'{"name": "panel", "may": ["read"], "until": "2026-03-06"}'
    for form in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        sent = {**came, "Content-Type": form}
        sent = {name: value for name, value in sent.items() if value}
        bare = httpx.Client(base_url=town.origin, headers={"Cookie": client.headers["cookie"]}, timeout=60)
        with bare:
            answer = bare.post("/api/v1/me/tokens", content=body, headers=sent)
        assert code_of(answer) == (403, "foreign_origin"), (sent, answer.text)
    own = client.post("/api/v1/me/tokens", content=body, headers={"Content-Type": "text/plain"})
    assert code_of(own) == (415, "unknown_form")
    assert client.get("/api/v1/me/tokens").json()["tokens"] == []


def test_an_answer_that_somebody_has_is_not_confirmed_to_who_may_not_have_it(town: Peopled) -> None:
    """Nobody learns by a 304, nor from what is kept, and a right that ended a second ago has ended."""
    mine = town.signed_in(town.person("owner", "resident", OWN))
    person = town.person("next", "resident", OTHER)
    other = town.signed_in(person)
    first = mine.get(NOW_OF, params={"place": OWN})
    tag = first.headers["etag"]
    again = {"If-None-Match": tag}
    assert mine.get(NOW_OF, params={"place": OWN}, headers=again).status_code == 304
    for sent in (again, {"If-None-Match": "*"}):
        assert code_of(other.get(NOW_OF, params={"place": OWN}, headers=sent)) == (404, "not_here")
        assert code_of(town.client().get(NOW_OF, params={"place": OWN}, headers=sent)) == (401, "sign_in")
    mate = town.person("mate", "resident", OWN)
    theirs = town.signed_in(mate)
    assert theirs.get(NOW_OF, params={"place": OWN}, headers=again).status_code == 304
    (right,) = mate.rights
    town.city.people.revoke(mate, right, actor="test")
    town.hand.now += timedelta(seconds=1)
    assert theirs.get(NOW_OF, params={"place": OWN}, headers=again).status_code in (403, 404)
    assert "private" in first.headers["cache-control"]


def test_a_new_password_a_revoked_right_and_an_erasure_each_end_what_was_open(town: Peopled) -> None:
    people, entrance = town.city.people, town.city.entrance
    ends: dict[str, threading.Event] = {}
    threads: list[threading.Thread] = []
    who = {name: town.person(name, "resident", OWN) for name in ("password", "revoked", "erased")}
    opened = {name: threading.Event() for name in who}
    for name, person in who.items():
        client, ends[name] = town.signed_in(person), threading.Event()

        def listen(name: str = name, client: httpx.Client = client) -> None:
            with client.stream("GET", "/api/v1/live", params={"place": OWN}) as answer:
                assert answer.status_code == 200
                for _ in answer.iter_lines():
                    opened[name].set()
            ends[name].set()

        threads.append(threading.Thread(target=listen, daemon=True))
        threads[-1].start()
    assert all(one.wait(30) for one in opened.values())
    entrance.sign_out_all(who["password"])
    people.revoke(who["revoked"], next(iter(who["revoked"].rights)), actor="test")
    people.erase(who["erased"], actor="test")
    assert all(one.wait(30) for one in ends.values()), {name: one.is_set() for name, one in ends.items()}


def test_a_link_is_not_used_up_by_a_preview_and_opens_once(town: Peopled) -> None:
    code = town.city.entrance.link(town.person("owner", "resident", OWN))
    for method in ("GET", "HEAD"):
        assert town.client().request(method, "/enter", headers={"User-Agent": "preview"}).status_code in (200, 405)
    before = {"Cookie": "quintet=a-cookie-that-was-planted"}
    come = town.client(**before).post("/api/v1/session:link", json={"code": code})
    assert come.status_code == 200
    assert "a-cookie-that-was-planted" not in come.headers["set-cookie"]
    assert code_of(town.client(**before).get("/api/v1/me")) == (401, "sign_in")
    assert code_of(town.client().post("/api/v1/session:link", json={"code": code})) == (401, "link_not_valid")


def test_whoever_becomes_staff_has_a_staff_session_from_then_on(town: Peopled) -> None:
    """Thirty days are a household's; a session that began as one does not go on as the operator's for so long."""
    jun = town.person("jun", "resident", HOMES[3])
    client = town.signed_in(jun)
    town.ask(UserGrant("jun", "operator", "c1", actor="test"))
    for _ in range(13):
        town.hand.now += timedelta(minutes=55)
        assert client.get("/api/v1/me").status_code == 200
    town.hand.now += timedelta(minutes=55)
    assert code_of(client.get("/api/v1/me")) == (401, "sign_in")


def test_a_code_is_no_way_to_learn_who_has_an_account(town: Peopled) -> None:
    town.person("known-name", "resident", HOMES[3])
    code = town.ask(InviteCreate(HOMES[0])).read()["code"]
    said = {"code": code, "name": "known-name", "password": "a sentence that is long enough"}
    bound = account_limits().tries_of_address
    answers = [code_of(town.client().post("/api/v1/invitations:accept", json=said)) for _ in range(bound + 1)]
    assert (answers[0][1], answers[-1]) == ("name_taken", (429, "too_many_tries"))
