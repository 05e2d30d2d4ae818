"""Staff sign in with the city's identity provider: a real one over HTTP, and each way in which it can be wrong."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from quintet.app.oidc import oidc_settings
from quintet.terms.errors import BadInput

from .peopled import HOMES, Hand, Peopled, made
from .provider import SECRET, Provider


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    out = Provider()
    yield out
    out.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Peopled]:
    folder, hand = tmp_path_factory.mktemp("oidc"), Hand()
    (folder / "secret").write_text(f"{SECRET}\n")
    text = f'[oidc]\nissuer = "{provider.issuer}"\nclient_id = "quintet"\nsecret_file = "secret"\n'
    (folder / "quintet.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUINTET_CONFIG", str(folder / "quintet.toml"))
        out = Peopled(made(folder / "city", hand), hand)
    out.person("seo", "operator", "city")
    out.person("mina", "resident", HOMES[2])
    yield out
    out.close()


def signed_in(town: Peopled, client: httpx.Client) -> httpx.Response:
    """Follow the browser's way: to the provider, and back with its answer."""
    begun = client.get("/oidc/start", params={"next": "/docs"})
    assert begun.status_code == 303
    back = httpx.get(begun.headers["location"])
    assert back.headers["location"].startswith(f"{town.origin}/oidc/callback?")
    return client.get(back.headers["location"])


def test_staff_come_in_and_go_where_they_wanted(town: Peopled, provider: Provider) -> None:
    client = town.client()
    assert '/oidc/start"' in client.get("/sign-in").text
    answer = signed_in(town, client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert client.get("/api/v1/me").json()["roles"][0]["role"] == "operator"


@pytest.mark.parametrize("wrong", ["issuer", "audience", "expired", "nonce", "key"])
def test_an_answer_that_does_not_fit_lets_nobody_in(town: Peopled, provider: Provider, wrong: str) -> None:
    provider.wrong = wrong
    try:
        client = town.client()
        answer = signed_in(town, client)
    finally:
        provider.wrong = ""
    assert (answer.status_code, answer.json()["code"]) == (401, "not_vouched")
    assert client.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("who", ["mina", "nobody", ""])
def test_a_resident_and_a_stranger_get_nothing_by_the_provider(town: Peopled, provider: Provider, who: str) -> None:
    provider.who = who
    try:
        answer = signed_in(town, town.client())
    finally:
        provider.who = "seo"
    assert (answer.status_code, answer.json()["code"]) == (401, "no_staff")


def test_an_answer_counts_once_and_in_the_browser_that_asked_only(town: Peopled, provider: Provider) -> None:
    client, other = town.client(), town.client()
    back = httpx.get(client.get("/oidc/start").headers["location"]).headers["location"]
    assert other.get(back).json()["code"] == "not_vouched"
    assert client.get(back).json()["code"] == "not_vouched", "what another browser has shown is used up"
    evil = client.get("/oidc/start", params={"next": "//evil.example"}).headers["location"]
    assert client.get(httpx.get(evil).headers["location"]).headers["location"] == "/"


def test_a_cookie_of_any_text_does_not_fit(town: Peopled, provider: Provider) -> None:
    client = town.client()
    back = httpx.get(client.get("/oidc/start").headers["location"]).headers["location"]
    for cookie in ("é", "x", "A" * 80, ""):
        with httpx.Client(base_url=town.origin) as other:
            answer = other.get(back, headers=[(b"Cookie", f"quintet-oidc={cookie}".encode())])
            assert (answer.status_code, answer.json()["code"]) == (401, "not_vouched")
        answer = town.client().get("/oidc/callback", params={"state": "é.x", "code": "c"})
        assert answer.json()["code"] == "not_vouched"


def test_strangers_who_begin_push_nobody_out_who_is_at_the_provider(town: Peopled, provider: Provider) -> None:
    client, stranger = town.client(), town.client()
    back = httpx.get(client.get("/oidc/start").headers["location"]).headers["location"]
    for _ in range(1_100):
        assert stranger.get("/oidc/start").status_code == 303
    assert client.get(back).status_code == 303


@pytest.mark.parametrize("who", ["ｓｅｏ", "SEO", "seo "])
def test_a_name_that_is_almost_a_users_is_not_his(town: Peopled, provider: Provider, who: str) -> None:
    provider.who, provider.sub = who, "other"
    try:
        answer = signed_in(town, town.client())
    finally:
        provider.who, provider.sub = "seo", ""
    assert (answer.status_code, answer.json()["code"]) == (401, "no_staff")


def test_whoever_takes_over_a_name_at_the_provider_is_not_let_in(town: Peopled, provider: Provider) -> None:
    assert signed_in(town, town.client()).status_code == 303
    provider.sub = "other"
    try:
        answer = signed_in(town, town.client())
        assert (answer.status_code, answer.json()["code"]) == (401, "no_staff")
    finally:
        provider.sub = ""
    provider.who, provider.sub = "renamed", "seo"
    try:
        client = town.client()
        assert signed_in(town, client).status_code == 303
        assert client.get("/api/v1/me").json()["name"] == "Seo"
    finally:
        provider.who, provider.sub = "seo", ""


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    assert oidc_settings({}, tmp_path) is None
    whole = {"issuer": "https://id.example", "client_id": "q", "secret_file": "nothing"}
    with pytest.raises(BadInput, match="cannot be read"):
        oidc_settings(whole, tmp_path)
    with pytest.raises(BadInput, match="unknown colour"):
        oidc_settings({**whole, "colour": "red"}, tmp_path)
