"""Staff sign in with the city's identity provider: a real one over HTTP, and each way in which it can be wrong."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from quintet.app.oidc import CityOidc, OidcSettings, oidc_settings
from quintet.terms.errors import BadInput, CityError, Unknown
from quintet.views.accounts import Accounts

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


WRONG = [
    "issuer", "audience", "expired", "nonce", "key", "public key as a secret", "no signature", "another client's",
    "for several",
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
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
    provider.who, provider.sub = who, who or "unnamed"
    try:
        answer = signed_in(town, town.client())
    finally:
        provider.who, provider.sub = "seo", ""
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
    for issuer in ("http://id.example", "id.example", "ftp://127.0.0.1"):
        (tmp_path / "nothing").write_text("x")
        with pytest.raises(BadInput, match="no https address"):
            oidc_settings({**whole, "issuer": issuer}, tmp_path)
    with pytest.raises(BadInput, match="unknown colour"):
        oidc_settings({**whole, "colour": "red"}, tmp_path)


ODD = [
    ("token", "no json"), ("token", ["a list"]), ("token", {"id_token": 7}), ("token", {"id_token": "a.b.c"}),
    ("token", "[" * 5000), ("keys", "no json"), ("keys", [1]), ("keys", {"keys": 7}), ("keys", {"keys": [7]}),
    ("keys", {"keys": [{"kty": "RSA"}]}), ("keys", {"keys": [{"kty": "oct", "k": "A" * 43, "kid": "one"}]}),
    ("claims", {"sub": ""}), ("claims", {"sub": ["seo"]}), ("claims", {"aud": 7}), ("claims", {"exp": "soon"}),
]  # fmt: skip


@pytest.mark.parametrize(("where", "said"), ODD)
def test_an_odd_answer_lets_nobody_in_and_is_no_error_of_ours(
    town: Peopled, provider: Provider, where: str, said: object
) -> None:
    provider.odd = {where: said}
    try:
        answer = signed_in(town, town.client())
    finally:
        provider.odd = {}
    assert (answer.status_code, answer.json()["code"]) == (401, "not_vouched")
    assert signed_in(town, town.client()).status_code == 303


def test_another_key_of_the_provider_is_taken_at_once(town: Peopled, provider: Provider) -> None:
    provider.rotate()
    assert signed_in(town, town.client()).status_code == 303
    new = {"kty": "a kind of tomorrow", "kid": "three"}
    provider.odd = {"keys": {"keys": [new, {**provider.key.as_dict(private=False), "kid": "four", "use": "enc"},
                                      provider.key.as_dict(private=False)]}}  # fmt: skip
    try:
        assert signed_in(town, town.client()).status_code == 303
    finally:
        provider.odd = {}


@pytest.mark.parametrize(
    ("language", "words"), [("ko", "시 계정으로 등록된 직원이 없습니다"), ("en", "nobody who works here")]
)
def test_a_browser_is_led_to_a_page_that_says_what_went_wrong(
    town: Peopled, provider: Provider, language: str, words: str
) -> None:
    provider.who = "mina"
    try:
        answer = signed_in(town, town.client(Accept="text/html"))
    finally:
        provider.who = "seo"
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?failed=no_staff")
    assert words in town.client().get(answer.headers["location"], params={"lang": language}).text


def test_a_mail_address_counts_only_where_the_provider_has_proved_it(town: Peopled, provider: Provider) -> None:
    settings = OidcSettings(provider.issuer, "quintet", SECRET, "email")
    door = CityOidc(settings, Accounts(town.city.identities, town.city.read_log), town.hand)
    for proved, fits in ((False, False), ("true", False), (True, True)):
        provider.odd = {"claims": {"sub": "s-1", "email": "seo", "email_verified": proved}}
        url, cookie = door.begin(town.origin, "/")
        state = parse_qs(urlsplit(url).query)["state"][0]
        httpx.get(url)
        with pytest.raises(Unknown) as refused:
            door.finish(town.origin, state, "a-code", cookie)
        assert (refused.value.code == "no_staff") == fits, "known already under another name of the provider's"
    provider.odd = {}


def test_a_provider_that_stopped_is_said(town: Peopled, provider: Provider) -> None:
    client = town.client()
    back = httpx.get(client.get("/oidc/start").headers["location"]).headers["location"]
    other = Provider()
    door = CityOidc(OidcSettings(other.issuer, "quintet", SECRET, "preferred_username"), None, town.hand)  # type: ignore[arg-type]
    url, cookie = door.begin(town.origin, "/")
    other.close()
    with pytest.raises(CityError) as silent:
        door.finish(town.origin, parse_qs(urlsplit(url).query)["state"][0], "a-code", cookie)
    assert silent.value.code == "provider_silent"
    assert client.get(back).status_code == 303
