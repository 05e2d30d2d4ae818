"""What a reader is refused is said in his language: the account's own, else the one that his program accepts."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from quintet.app.requests import TokenCreate
from quintet.app.requests_people import InviteCreate

from .peopled import HOMES, NOW, PASSWORD, START, Hand, Peopled, channel, made

OWN, NEIGHBOUR = HOMES[1], HOMES[0]
KOREAN = {"Accept-Language": "ko"}
HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(Path(tmp_path_factory.mktemp("korean")) / "city", hand), hand)
    yield out
    out.close()


def invited(town: Peopled, name: str, language: str) -> httpx.Client:
    code = town.ask(InviteCreate(OWN)).read()["code"]
    client = town.client()
    body = {"code": code, "name": name, "password": PASSWORD, "language": language}
    assert client.post("/api/v1/invitations:accept", json=body).status_code == 200
    return client


def told(answer: httpx.Response) -> tuple[int, str, str, str]:
    said = answer.json()
    assert answer.headers["vary"] == "Accept-Language"
    assert bool(HANGUL.search(said["detail"] + said["remedy"])) == (answer.headers["content-language"] == "ko")
    return answer.status_code, said["code"], said["detail"], said["remedy"]


def test_who_chose_korean_is_told_in_korean_whatever_his_browser_says(town: Peopled) -> None:
    client = invited(town, "Hana", "ko")
    span = {"channel": channel(OWN, "water"), "from": START.isoformat(), "to": NOW.isoformat(), "resolution": "hour"}
    english = {"Accept-Language": "en"}
    status, code, detail, remedy = told(client.get("/api/v1/intervals", params=span, headers=english))
    assert (status, code, detail) == (403, "before_your_time", "거주하시기 전의 기간이 들어 있습니다.")
    assert remedy == "2026-03-03T09:00:00+09:00부터 조회해 주세요."
    assert told(client.get("/api/v1/dwelling-days", params={"place": NEIGHBOUR}))[1] == "not_here"
    wrong = client.post("/api/v1/me/password", json={"password": PASSWORD, "old": "not mine at all"})
    assert told(wrong)[:3] == (403, "wrong_password", "비밀번호가 맞지 않습니다.")
    short = client.post("/api/v1/me/password", json={"password": "short", "old": PASSWORD})
    assert "12자에서 256자까지" in told(short)[3]


def test_a_utility_that_a_home_lacks_is_said_with_those_it_has(town: Peopled) -> None:
    client = invited(town, "Duri", "")
    asked = {"place": OWN, "utility": "gas"}
    lacks = client.get("/api/v1/home/history", params=asked)
    assert told(lacks) == (404, "no_meter", "has no meter of gas.", "It has electricity, water.")
    assert lacks.json()["place"] == OWN
    korean = told(client.get("/api/v1/home/history", params=asked, headers=KOREAN))
    assert korean[2:] == (
        "이 집에는 가스 계량기가 없습니다.",
        "이 집의 계량기: 전기 (electricity), 수도 (water).",
    )
    gold = told(client.get("/api/v1/home/history", params={**asked, "utility": "gold"}))
    assert gold[:2] == (422, "unknown_commodity")
    assert {"electricity", "gas", "water"} <= set(re.findall("[a-z_]+", gold[3]))
    elsewhere = told(client.get("/api/v1/home/history", params={**asked, "place": NEIGHBOUR}))
    nowhere = told(client.get("/api/v1/home/history", params={**asked, "place": "c1/101/99"}))
    assert elsewhere == nowhere
    assert elsewhere[1] == "not_here"


def test_a_program_is_told_in_the_language_that_it_accepts(town: Peopled) -> None:
    invited(town, "Sera", "")
    until = (town.hand.now + timedelta(days=1)).isoformat()
    token = town.ask(TokenCreate("wall", ["read"], until=until, role="building_manager", place=HOMES[0])).read()[
        "token"
    ]
    client = town.client(Authorization=f"Bearer {token}", **KOREAN)
    span = {"place": "city", "from": START.isoformat(), "to": NOW.isoformat(), "resolution": "month"}
    status, code, detail, _ = told(client.get("/api/v1/balances", params=span))
    assert (status, code, detail) == (403, "forbidden", "볼 권한이 없는 곳입니다.")
    english = client.get("/api/v1/balances", params=span, headers={"Accept-Language": "en"})
    assert told(english)[2:] == ("is not yours to read.", "Ask the city's operator for the right to it.")
    town.hand.now += timedelta(days=2)
    ended = client.get("/api/v1/balances", params=span)
    assert told(ended)[:2] == (401, "unknown_token")
    assert "기간이 끝났습니다" in ended.json()["detail"]
    assert ended.headers["www-authenticate"]
    desk = town.client(**KOREAN).get("/api/v1/reports")
    assert told(desk)[:3] == (401, "sign_in", "누가 묻는지 알 수 없습니다.")
