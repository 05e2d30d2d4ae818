"""Telling people from end to end: addresses, codes, quiet hours and contacts over the API, mail from a real server."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.alerts.receivers import Listener, Mailbox, listener, mail_server

from quintet.app.requests_alerts import AlertsTelling
from quintet.app.telling_settings import telling_settings
from quintet.registry.alerts import Seen
from quintet.registry.people import Right
from quintet.registry.telling_limits import kept_limits
from quintet.terms.alert import ONCE, Alert
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import to_us

from .peopled import HOMES, START, Hand, Peopled, made
from .strangers import bearer

OWN = HOMES[4]
ADDRESS = "https://naju.example"
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""Those of RFC 8291's example."""


@contextmanager
def running(folder: Path, text: str) -> Iterator[Peopled]:
    (folder / "quintet.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUINTET_CONFIG", str(folder / "quintet.toml"))
        hand = Hand()
        out = Peopled(made(folder / "city", hand), hand)
    out.city.doors.keeper.address = ADDRESS
    try:
        yield out
    finally:
        out.close()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as out:
        yield out


@pytest.fixture
def web() -> Iterator[Listener]:
    with listener() as out:
        yield out


@pytest.fixture
def town(tmp_path: Path, box: Mailbox) -> Iterator[Peopled]:
    mail = f'[telling.mail]\nhost = "127.0.0.1"\nport = {box.port}\ntls = "none"\nsender = "quintet@naju.example"\n'
    with running(tmp_path, f'[telling]\nallow = ["127.0.0.0/8"]\n{mail}') as out:
        yield out


@pytest.fixture
def mina(town: Peopled) -> httpx.Client:
    return town.signed_in(town.person("mina", "resident", OWN))


def sent(town: Peopled) -> int:
    count = town.city.telling.teller.send()
    town.hand.now += timedelta(minutes=1)
    return count


def fine(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def link(mail: Any, what: str) -> str:
    found = re.search(rf"{ADDRESS}/telling#{what}=(\S+)", mail.get_content())
    assert found is not None
    return found.group(1)


def alert(town: Peopled, kind: str = "tier", place: str = OWN) -> Alert:
    now = town.hand()
    hour = 3_600_000_000
    figures = {"hours": 26, "tier": 2}
    return Alert("ab12", place, kind, "water", now - 26 * hour, now - 50 * hour, 0, now, figures, None, ONCE, "", 0.9)


def confirmed(town: Peopled, client: httpx.Client, box: Mailbox, address: str = "mina@naju.example") -> None:
    fine(client.post("/api/v1/home/telling/mail", json={"address": address}))
    sent(town)
    fine(town.client().post("/api/v1/telling:confirm", json={"code": link(box.mails[-1], "confirm")}))


def test_nothing_but_a_code_goes_to_an_address_before_it_is_confirmed(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    said = fine(mina.post("/api/v1/home/telling/mail", json={"address": "Mina@Naju.example"}))
    assert [(one["address"], one["state"]) for one in said["mail"]] == [("Mina@naju.example", "waiting")]
    town.city.telling.tell([alert(town)])
    sent(town)
    (mail,) = box.mails
    assert mail["subject"] == "Confirm this address"
    stranger = town.client()  # who reads the mail need not be signed in
    assert code_of(stranger.post("/api/v1/telling:confirm", json={"code": "x.y"})) == (404, "code_not_valid")
    taken = fine(stranger.post("/api/v1/telling:confirm", json={"code": link(mail, "confirm")}))
    assert taken == {"what": "mail", "name": "Mina@naju.example"}
    town.city.telling.tell([alert(town)])
    sent(town)
    assert len(box.mails) == 2
    told = fine(mina.get("/api/v1/home/telling"))
    assert [(one["title"], one["state"]) for one in told["recent"]] == [
        (box.mails[1]["subject"], "sent"), ("Confirm this address", "sent"),
    ]  # fmt: skip
    assert fine(stranger.post("/api/v1/telling:stop", json={"code": link(box.mails[1], "stop")}))["what"] == "mail"
    assert fine(mina.get("/api/v1/home/telling"))["mail"] == []


def test_a_code_counts_for_its_time_and_only_the_newest(town: Peopled, mina: httpx.Client, box: Mailbox) -> None:
    for _ in range(2):
        fine(mina.post("/api/v1/home/telling/mail", json={"address": "a@naju.example"}))
        sent(town)
    first, second = (link(mail, "confirm") for mail in box.mails)
    assert code_of(mina.post("/api/v1/telling:confirm", json={"code": first})) == (404, "code_not_valid")
    town.hand.now += timedelta(hours=kept_limits().code_hours)
    assert code_of(mina.post("/api/v1/telling:confirm", json={"code": second})) == (404, "code_not_valid")


def test_nobody_can_flood_a_strangers_mailbox(town: Peopled, mina: httpx.Client) -> None:
    answers = [mina.post("/api/v1/home/telling/mail", json={"address": "victim@naju.example"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code_of(answers[-1]) == (429, "too_many_codes")
    other = town.signed_in(town.person("jun", "resident", HOMES[0]))  # whoever asks
    assert other.post("/api/v1/home/telling/mail", json={"address": "victim@naju.example"}).status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("put", "", {"quiet": {"from": "7:00", "until": "22:00"}, "off": []}, (422, "bad_quiet")),
        ("put", "", {"quiet": {"from": "07:00", "until": "07:00"}, "off": []}, (422, "bad_quiet")),
        ("put", "", {"quiet": None, "off": ["nonsense"]}, (422, "unknown_kind")),
        ("put", "", {"quiet": None}, (422, "bad_body")),
        ("post", "/mail", {"address": "nobody"}, (422, "bad_address")),
        ("post", "/webhook", {"url": "http://naju.example/"}, (422, "bad_url")),
        ("post", "/webhook", {"url": "https://10.1.2.3/"}, (422, "forbidden_url")),
        ("post", "/push", {"endpoint": "https://p.example/x", "keys": {"p256dh": "x", "auth": "y"}}, (422, "bad_keys")),
        ("post", ":test", {"id": "nothing"}, (404, "unknown_target")),
        ("put", "/away", {"until": "tomorrow"}, (400, "bad_day")),
        ("post", "/welfare", {"contact": "Jun", "mail": "j@naju.example", "agree": False}, (422, "not_agreed")),
        ("post", "/welfare", {"contact": "Jun", "agree": True}, (422, "bad_contact")),
        ("post", "/welfare", {"contact": "J", "mail": "j@n.kr", "agree": True, "place": HOMES[0]}, (404, "not_here")),
    ],
)  # fmt: skip
def test_bad_input_says_what_to_do(
    mina: httpx.Client, method: str, path: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = mina.request(method, f"/api/v1/home/telling{path}", json=body)
    assert code_of(answer) == expected
    assert answer.json()["remedy"]


def test_a_token_is_no_person_and_another_persons_address_is_not_there(town: Peopled, mina: httpx.Client) -> None:
    fine(mina.post("/api/v1/home/telling/mail", json={"address": "a@naju.example"}))
    (own,) = fine(mina.get("/api/v1/home/telling"))["mail"]
    jun = town.signed_in(town.person("jun", "resident", HOMES[0]))
    assert code_of(jun.delete(f"/api/v1/home/telling/mail/{own['id']}")) == (404, "unknown_target")
    assert fine(jun.get("/api/v1/home/telling"))["mail"] == []
    token = mina.post("/api/v1/me/tokens", json={"name": "x", "may": ["read"]}).json()["token"]
    assert code_of(bearer(town, token).get("/api/v1/home/telling")) == (403, "not_a_person")
    assert code_of(town.client().get("/api/v1/home/telling")) == (401, "sign_in")


def test_quiet_hours_and_what_is_off_are_kept(town: Peopled, mina: httpx.Client) -> None:
    body = {"quiet": {"from": "22:00", "until": "07:00"}, "off": ["tier"]}
    said = fine(mina.put("/api/v1/home/telling", json=body))
    assert (said["quiet"], said["timezone"]) == (body["quiet"], "Asia/Seoul")
    kinds = {one["kind"]: one for one in said["kinds"]}
    assert (kinds["tier"]["on"], kinds["water_leak"]["on"]) == (False, True)
    assert kinds["gas_unresting"]["urgent"]
    assert not kinds["budget"]["urgent"]
    assert fine(mina.put("/api/v1/home/telling", json={"quiet": None, "off": []}))["quiet"] is None
    assert fine(mina.put("/api/v1/home/telling/away", json={"until": "2026-03-20"}))["away_until"] == "2026-03-20"
    assert town.city.telling.watched() == {}


def test_a_browser_subscribes_and_leaves(town: Peopled, mina: httpx.Client, web: Listener) -> None:
    asked = {"endpoint": f"{web.url}/push/1", "keys": KEYS, "expirationTime": None, "label": "Phone <b>"}
    for _ in range(2):  # the same browser again is no second one
        said = fine(mina.post("/api/v1/home/telling/push", json=asked))
        assert [one["label"] for one in said["push"]] == ["Phone b"]
    fine(mina.post("/api/v1/home/telling:test", json={"id": said["push"][0]["id"]}))
    assert sent(town) == 1
    assert len(web.came) == 1
    web.status = 410
    fine(mina.post("/api/v1/home/telling:test", json={"id": said["push"][0]["id"]}))
    sent(town)
    after = fine(mina.get("/api/v1/home/telling"))
    assert after["push"] == []
    newest = after["recent"][0]
    assert (newest["channel"], newest["state"], newest["reason"]) == ("push", "given_up", "gone")
    web.status = 201
    fine(mina.post("/api/v1/home/telling/push", json=asked))
    assert fine(mina.post("/api/v1/home/telling/push:leave", json={"endpoint": asked["endpoint"]}))["push"] == []


def test_a_webhook_shows_its_secret_once(town: Peopled, mina: httpx.Client, web: Listener) -> None:
    (made_one,) = fine(mina.post("/api/v1/home/telling/webhook", json={"url": web.url}))["webhook"]
    assert made_one["secret"].startswith("whsec_")
    (shown,) = fine(mina.get("/api/v1/home/telling"))["webhook"]
    assert shown["secret"] is None
    town.city.telling.tell([alert(town)])
    sent(town)
    assert json.loads(web.came[0][2])["alerts"][0]["place"] == OWN
    for other in ("mail", "push", "welfare"):
        assert mina.delete(f"/api/v1/home/telling/{other}/{shown['id']}").status_code == 404
    assert fine(mina.delete(f"/api/v1/home/telling/webhook/{shown['id']}"))["webhook"] == []


def test_more_than_a_days_tests_are_refused(mina: httpx.Client, web: Listener) -> None:
    (made_one,) = fine(mina.post("/api/v1/home/telling/webhook", json={"url": web.url}))["webhook"]
    body = {"id": made_one["id"]}
    answers = [mina.post("/api/v1/home/telling:test", json=body) for _ in range(kept_limits().tests_a_day + 1)]
    assert [one.status_code for one in answers] == [200] * kept_limits().tests_a_day + [429]


def agreed(town: Peopled, client: httpx.Client, box: Mailbox) -> dict[str, Any]:
    body = {"contact": "Jun", "mail": "jun@naju.example", "agree": True}
    said = fine(client.post("/api/v1/home/telling/welfare", json=body))
    sent(town)
    return said["welfare"]["contacts"][0]


def test_who_moved_out_agrees_to_nothing_there(town: Peopled, box: Mailbox) -> None:
    """He may still read what was his; the dwelling is somebody else's to speak for."""
    old = town.city.people.add("old", "Old", actor="test")
    left = town.hand() - 3_600_000_000
    town.city.people.grant(old, Right("resident", OWN, town.hand(), to_us(START), left), actor="test")
    client = town.signed_in(old)
    body = {"contact": "Jun", "mail": "jun@naju.example", "agree": True, "place": OWN}
    answer = client.post("/api/v1/home/telling/welfare", json=body)
    assert answer.status_code in (403, 404), answer.text
    said = fine(client.get("/api/v1/home/telling"))["welfare"]
    assert (said["offered"], said["contacts"], box.mails) == (False, [], [])


def test_a_contact_is_told_only_when_both_agreed_and_nothing_after_either_ends_it(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    before = fine(mina.get("/api/v1/home/telling"))["welfare"]
    assert (before["hours"], before["offered"]) == (24, True)
    assert before["alarms"]["false_per_home_year"] > 0  # shown before anybody agrees
    contact = agreed(town, mina, box)
    assert contact["state"] == "waiting"
    town.city.telling.tell([alert(town, "no_water")])
    assert sent(town) == 0
    assert town.city.telling.watched() == {}
    assert "Mina" in box.mails[0].get_content()
    fine(town.client().post("/api/v1/telling:confirm", json={"code": link(box.mails[0], "confirm")}))
    assert town.city.telling.watched() == {OWN: 0}
    town.city.telling.tell([alert(town, "no_water"), alert(town)])
    assert sent(town) == 1
    assert box.mails[1]["subject"] == "Mina: no water for 26 hours"
    assert "liter" not in box.mails[1].get_content()
    (read,) = mina.get("/api/v1/me/reads").json()["reads"]
    assert (read["who"], read["role"], read["purpose"]) == ("Jun", "integrator", "no_water")
    (consent,) = mina.get("/api/v1/me/consents").json()["tokens"]
    assert (consent["party"], consent["purpose"], consent["commodities"]) == ("Jun", "no_water", ["water"])
    mina.delete(f"/api/v1/me/consents/{contact['consent']}")
    town.hand.now += timedelta(days=8)
    town.city.telling.tell([alert(town, "no_water")])
    assert sent(town) == 0
    assert fine(mina.get("/api/v1/home/telling"))["welfare"]["contacts"] == []
    assert town.city.telling.watched() == {}


def test_what_waits_for_a_contact_is_not_sent_once_the_consent_is_taken_back(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    contact = agreed(town, mina, box)
    fine(town.client().post("/api/v1/telling:confirm", json={"code": link(box.mails[0], "confirm")}))
    town.city.telling.tell([alert(town, "no_water")])
    mina.delete(f"/api/v1/me/consents/{contact['consent']}")
    assert sent(town) == 0
    assert len(box.mails) == 1


def test_a_contact_can_end_it_himself_and_an_absence_holds_it_back(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    agreed(town, mina, box)
    fine(town.client().post("/api/v1/telling:confirm", json={"code": link(box.mails[0], "confirm")}))
    fine(mina.put("/api/v1/home/telling/away", json={"until": "2026-03-20"}))
    town.city.telling.tell([alert(town, "no_water")])
    assert sent(town) == 0
    fine(mina.put("/api/v1/home/telling/away", json={"until": None}))
    town.city.telling.tell([alert(town, "no_water")])
    assert sent(town) == 1
    fine(town.client().post("/api/v1/telling:stop", json={"code": link(box.mails[1], "stop")}))
    (consent,) = mina.get("/api/v1/me/consents").json()["tokens"]
    assert consent["revoked"] is not None


def test_a_name_cannot_carry_an_address_into_a_strangers_mail(town: Peopled, box: Mailbox) -> None:
    person = town.city.people.add("spam", "Win at https://evil.example/now", actor="test")
    town.city.people.grant(person, next(iter(town.person("x", "resident", OWN).rights.values())), actor="test")
    agreed(town, town.signed_in(person), box)
    assert "evil.example" not in box.mails[0].get_content()


def test_an_alert_of_the_city_is_told_once_noted_with_it_and_not_when_called_no_problem(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    confirmed(town, mina, box)
    one = replace(alert(town), id="")
    for number, kind in enumerate(("tier", "budget")):
        seen = Seen(OWN, town.hand(), 0, [replace(one, kind=kind)], [], [])
        (raised,) = town.city.alerts.take([seen]).raised
        if number:
            town.city.telling.catch_up()
            town.city.alerts.dismiss(raised.id, by="mina")
        else:
            town.city.telling.tell([raised])
            town.city.telling.catch_up()
        sent(town)
    assert len(box.mails) == 2  # the code, and the first alert
    told = {known.kind: [(one.by, one.outcome) for one in known.told] for known in town.city.alerts.of(OWN)}
    assert told == {"tier": [("mail", "sent")], "budget": []}


def test_an_address_hears_at_once_of_what_stands_when_it_is_confirmed(
    town: Peopled, mina: httpx.Client, box: Mailbox
) -> None:
    seen = Seen(OWN, town.hand(), 0, [replace(alert(town), id="")], [], [])
    (raised,) = town.city.alerts.take([seen]).raised
    telling = town.city.telling
    telling.begin()
    try:
        fine(mina.post("/api/v1/home/telling/mail", json={"address": "mina@naju.example"}))
        wait_for(lambda: len(box.mails) == 1)
        fine(town.client().post("/api/v1/telling:confirm", json={"code": link(box.mails[0], "confirm")}))
        wait_for(lambda: bool(town.city.alerts.alert(raised.id).told))  # not an hour later
    finally:
        telling.end()
    assert len(box.mails) == 2
    assert telling.catch_up() == 0


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_page_of_codes_is_there_in_both_languages_and_holds_none(town: Peopled) -> None:
    client = town.client()
    for language, word in (("en", "Confirm this address"), ("ko", "주소 확인")):
        answer = client.get("/telling", params={"lang": language})
        assert (answer.status_code, answer.headers["content-language"]) == (200, language)
        assert word in answer.text
    assert client.get("/static/telling/telling.js").status_code == 200


def test_without_a_mail_server_it_is_said_so(tmp_path: Path) -> None:
    with running(tmp_path, "") as town:
        client = town.signed_in(town.person("mina", "resident", OWN))
        assert fine(client.get("/api/v1/home/telling"))["can"] == {"mail": False, "push": True, "webhook": True}
        answer = client.post("/api/v1/home/telling/mail", json={"address": "a@naju.example"})
        assert code_of(answer) == (503, "not_set_up")


MAIL = {"host": "smtp.naju.example", "sender": "q@naju.example"}


@pytest.mark.parametrize(
    "table",
    [
        {"strange": 1}, {"contact": "nobody"}, {"allow": ["10.0.0.1/8"]}, {"mail": {"host": "x"}},
        {"mail": MAIL | {"tls": "none"}}, {"mail": MAIL | {"tls": "perhaps"}}, {"mail": MAIL | {"port": 70000}},
        {"mail": MAIL | {"username": "x"}}, {"mail": MAIL | {"username": "x", "password_file": "not-there"}},
        {"mail": MAIL | {"sender": "a b@naju.example"}},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(tmp_path: Path, table: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        telling_settings(table, tmp_path, {})


def test_a_password_comes_from_a_file_or_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("word-of-file\n")
    table = {"mail": MAIL | {"username": "quintet", "password_file": "secret"}}
    for environment, word in (({}, "word-of-file"), ({"QUINTET_MAIL_PASSWORD": "word-of-env"}, "word-of-env")):
        found = telling_settings(table, tmp_path, environment).mail
        assert found is not None
        assert (found.password, found.port) == (word, 587)
        assert word not in repr(found)


def test_the_operator_sees_what_was_sent_and_failed_but_not_to_whom_and_may_try_the_server(
    town: Peopled, mina: httpx.Client, box: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUINTET_CONFIG", str(tmp_path / "quintet.toml"))
    confirmed(town, mina, box)
    town.city.telling.tell([alert(town)])
    answer = town.ask(AlertsTelling())
    found = answer.read()
    assert (answer.exit_code, found["counts"]) == (0, {"sent": 1, "waiting": 1})
    assert {(row["kind"], row["state"]) for row in found["messages"]} == {("code", "sent"), ("tier", "waiting")}
    assert f"127.0.0.1:{box.port} (none) takes quintet@naju.example" in found["checks"]["mail"]
    text = answer.document.decode() + repr(answer.rows)
    assert not any(word in text for word in ("mina", "Mina", OWN))
    before = len(box.mails)
    assert town.ask(AlertsTelling(test="ops@naju.example")).read()["checks"]["test"] == "sent"
    assert [str(one["subject"]) for one in box.mails[before:]] == ["This is a test"]
    with pytest.raises(BadInput):
        town.ask(AlertsTelling(test="nobody"))


def test_a_mail_server_that_is_not_there_fails_the_check_and_none_at_all_refuses_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = '[telling.mail]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\nsender = "quintet@naju.example"\n'
    for text, code in ((mail, 1), ("", 0)):
        folder = tmp_path / str(code)
        folder.mkdir()
        with running(folder, text) as town:
            monkeypatch.setenv("QUINTET_CONFIG", str(folder / "quintet.toml"))
            answer = town.ask(AlertsTelling())
            assert (answer.exit_code, answer.read()["checks"]["mail"].startswith("not taken")) == (code, bool(code))
            if not code:
                with pytest.raises(UsageError):
                    town.ask(AlertsTelling(test="ops@naju.example"))
