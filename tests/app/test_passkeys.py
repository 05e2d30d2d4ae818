"""Passkeys by a device in software: made, used, removed; and everything that can be wrong with what a browser sends."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from webauthn.helpers import bytes_to_base64url as text

from quintet.registry.person import Person

from .authenticator import PRESENT, Device
from .peopled import HOMES, Hand, Peopled, made

Said = dict[str, Any]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path_factory.mktemp("passkeys") / "city", hand), hand)
    yield out
    out.close()


@pytest.fixture
def mina(town: Peopled, request: pytest.FixtureRequest) -> Person:
    return town.person(f"mina{abs(hash(request.node.name)) % 10**9}", "resident", HOMES[2])


def at_name(town: Peopled, person: Person | None = None) -> httpx.Client:
    """Give a browser that has opened the site by its name, to which passkeys are bound."""
    origin = town.origin.replace("127.0.0.1", "localhost")
    client = town.client(Origin=origin) if person is None else town.signed_in(person)
    client.base_url = origin
    client.headers["Origin"] = origin
    return client


def device(client: httpx.Client) -> Device:
    """Give a device that holds a new passkey of who has signed in."""
    out = Device(str(client.base_url).rstrip("/"), "localhost")
    answer = made_by(client, out)
    assert answer.status_code == 201, answer.text
    return out


def made_by(client: httpx.Client, out: Device, change: Callable[[Said], Any] = lambda one: one) -> httpx.Response:
    options = client.post("/api/v1/me/passkeys:options", json={}).json()
    return client.post("/api/v1/me/passkeys", json={"credential": change(out.made(options)), "label": "a phone"})


def signs_in(client: httpx.Client, by: Device, change: Callable[[Said], Any] = lambda one: one) -> httpx.Response:
    options = client.post("/api/v1/session:passkey-options", json={}).json()
    by.count += 1
    return client.post("/api/v1/session:passkey", json={"credential": change(by.signed(options))})


def test_a_passkey_of_a_lost_device_is_removed_and_what_is_open_elsewhere_ends(town: Peopled, mina: Person) -> None:
    here, lost, other = at_name(town, mina), at_name(town), at_name(town, town.person("jun", "resident", HOMES[3]))
    phone, laptop = device(here), device(here)
    assert signs_in(lost, phone).status_code == 200
    assert lost.get("/api/v1/me").json()["passkeys"] == 2
    listed = here.get("/api/v1/me/passkeys").json()["passkeys"]
    assert [one["label"] for one in listed] == ["a phone", "a phone"]
    name = town.city.identities.passkeys.listed(mina)
    phones = next(short for short, one in name if one.id == text(phone.id))
    assert other.delete(f"/api/v1/me/passkeys/{phones}").json()["code"] == "unknown_passkey"
    assert here.delete(f"/api/v1/me/passkeys/{phones}").status_code == 204
    assert here.delete(f"/api/v1/me/passkeys/{phones}").status_code == 404
    assert signs_in(at_name(town), phone).json()["code"] == "passkey_not_valid"
    assert signs_in(at_name(town), laptop).status_code == 200
    link = town.city.entrance.link(mina)
    assert lost.get("/api/v1/me").status_code == 200
    assert here.delete("/api/v1/me/sessions").status_code == 204
    assert (here.get("/api/v1/me").status_code, lost.get("/api/v1/me").status_code) == (200, 401)
    assert other.get("/api/v1/me").status_code == 200
    assert lost.post("/api/v1/session:link", json={"code": link}).json()["code"] == "link_not_valid"


def test_a_removed_passkey_is_gone_after_a_restart(town: Peopled, mina: Person) -> None:
    here = at_name(town, mina)
    device(here)
    ((name, _),) = town.city.identities.passkeys.listed(mina)
    assert here.delete(f"/api/v1/me/passkeys/{name}").status_code == 204
    assert not town.city.people.vault.opened("passkey", mina.id)


WRONG: dict[str, Callable[[Device], None]] = {
    "another site's page": lambda one: setattr(one, "origin", "http://localhost.evil.example"),
    "another site's key": lambda one: setattr(one, "site", "evil.example"),
    "nobody verified": lambda one: setattr(one, "flags", PRESENT),
    "nobody there": lambda one: setattr(one, "flags", 0),
    "another key": lambda one: setattr(one, "key", Device("", "").key),
    "a copy that lags behind": lambda one: setattr(one, "count", one.count - 3),
    "another user": lambda one: setattr(one, "user", text(b"0" * 16)),
    "another id": lambda one: setattr(one, "id", b"1" * 32),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_lets_nobody_in(town: Peopled, mina: Person, wrong: str) -> None:
    phone = device(at_name(town, mina))
    phone.count = 5
    assert signs_in(at_name(town), phone).status_code == 200
    WRONG[wrong](phone)
    client = at_name(town)
    answer = signs_in(client, phone)
    assert (answer.status_code, answer.json()["code"]) == (401, "passkey_not_valid")
    assert client.get("/api/v1/me").status_code == 401


def test_a_challenge_is_answered_once_and_by_whom_it_was_put_to(town: Peopled, mina: Person) -> None:
    here, client = at_name(town, mina), at_name(town)
    phone = device(here)
    options = client.post("/api/v1/session:passkey-options", json={}).json()
    said = {"credential": phone.signed(options)}
    assert [client.post("/api/v1/session:passkey", json=said).status_code for _ in range(2)] == [200, 401]
    options = here.post("/api/v1/me/passkeys:options", json={}).json()
    jun = at_name(town, town.person("jun2", "resident", HOMES[4]))
    stolen = {"credential": Device(str(jun.base_url).rstrip("/"), "localhost").made(options)}
    assert jun.post("/api/v1/me/passkeys", json=stolen).json()["code"] == "passkey_refused"
    assert jun.get("/api/v1/me").json()["passkeys"] == 0


def test_strangers_who_ask_push_nobody_out_and_a_challenge_ends_after_minutes(town: Peopled, mina: Person) -> None:
    here, client = at_name(town, mina), at_name(town)
    phone = device(here)
    options = client.post("/api/v1/session:passkey-options", json={}).json()
    for _ in range(10_050):
        town.city.identities.passkeys.ask("localhost")
    said = {"credential": phone.signed(options)}
    assert client.post("/api/v1/session:passkey", json=said).status_code == 200
    options = client.post("/api/v1/session:passkey-options", json={}).json()
    town.hand.now += timedelta(minutes=6)
    said = {"credential": phone.signed(options)}
    assert client.post("/api/v1/session:passkey", json=said).json()["code"] == "passkey_not_valid"


def client_data(more: str) -> Callable[[Said], Said]:
    """Put something else where a browser says what it was asked, with the challenge that it was asked."""

    def change(said: Said) -> Said:
        said["response"]["clientDataJSON"] = text(more.encode())
        return said

    return change


def answered(name: str, value: Any) -> Callable[[Said], Said]:
    def change(said: Said) -> Said:
        said["response"][name] = value
        return said

    return change


ODD: list[Callable[[Said], Any]] = [
    client_data("[" * 3000),
    client_data("{}"),
    client_data("[1]"),
    client_data('{"challenge": 7}'),
    *(
        answered(name, value)
        for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")
        for value in (None, 7, [], {}, "", "é", "A", "AAAA", text(b"\x9f" * 900), text(b"\xa1\x63fmt"), text(bytes(40)))
    ),
    *(
        lambda said, name=name, value=value: {**said, name: value}
        for name in ("id", "rawId", "type", "response", "clientExtensionResults", "authenticatorAttachment")
        for value in (None, 7, [], {}, "é", "x", True)
    ),
    lambda _said: {},
]


def test_whatever_a_browser_sends_is_refused_in_words(town: Peopled, mina: Person, monkeypatch: Any) -> None:
    """Never an error of the server; the bound of tries is left out, or it alone would answer."""
    monkeypatch.setattr(town.city.identities.passkeys, "_tries", _NoBound())
    here, client = at_name(town, mina), at_name(town)
    phone = device(here)
    for change in ODD:
        answer = signs_in(client, phone, change)
        assert answer.status_code in (200, 401, 422), (json.dumps(change({"response": {}}))[:200], answer.text)
        answer = made_by(here, Device(phone.origin, phone.site), change)
        assert answer.status_code in (201, 422), (json.dumps(change({"response": {}}))[:200], answer.text)
        for short, _ in town.city.identities.passkeys.listed(mina)[:-1]:
            here.delete(f"/api/v1/me/passkeys/{short}")


class _NoBound:
    def check(self, name: str, address: str) -> None:
        del name, address

    failed = check
