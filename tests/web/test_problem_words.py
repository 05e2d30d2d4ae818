"""A problem is said in the reader's language: by its code, with its figures; code and place are the same in both."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from quintet.terms.errors import BadInput, Forbidden, NotFound, QuintetError
from quintet.views import Questions
from quintet.web.problem_words import worded, words
from quintet.web.site import build

from .raised import Raised, raised

Serve = Callable[[FastAPI], str]
KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
DAY = "from=2026-11-03&to=2026-11-04"
HANGUL = re.compile("[가-힣]")
BLUNT = re.compile(r"[^니]다[.!?]")
"""A sentence that ends without a polite ending."""

MET = ("access", "views", "web", "registry")
"""What answers a reader's question raises its errors here."""
MODULES_NOT_MET = {
    "registry/changes.py": "moves and exchanges of meters are recorded on the command line",
    "registry/households.py": "invitations are written on the command line",
    "registry/layout.py": "the map of meters is read when a city is made",
    "registry/meaning.py": "the table of meters is read on the command line or sent by a sender, who keeps it",
    "registry/settings.py": "city.toml is read by who runs the city",
    "registry/vapid.py": "a damaged key file stops the start",
}
CODES_NOT_MET = {
    "bad_row": "a row of the shipped tables, which the start reads",
    "bad_source": "tokens of the city are made on the command line",
    "unknown_invitation": "invitations are taken back on the command line",
    "unknown_right": "rights are taken back on the command line",
    "unknown_user": "accounts are kept on the command line",
}


def met() -> list[Raised]:
    every = raised(*MET)
    assert len({one.code for one in every}) > 100
    return [one for one in every if one.module not in MODULES_NOT_MET and one.code not in CODES_NOT_MET]


def lacking(one: Raised, rows: dict[str, Any]) -> bool:
    """Tell whether what is raised has no Korean sentence that its own figures fill."""
    return not any(form.slots <= one.said | {"place"} for form in rows.get(one.code, []))


def test_every_error_that_a_reader_can_meet_has_its_korean_sentence() -> None:
    rows = words("ko").code
    assert [f"{one.code}: {one.module}:{one.line}" for one in met() if lacking(one, rows)] == []
    assert lacking(Raised("not_here", "m", 1, frozenset()), {**rows, "not_here": []})
    assert lacking(Raised("before_your_time", "m", 1, frozenset()), {"before_your_time": rows["before_your_time"][:1]})


def test_what_is_left_out_is_raised_and_nothing_else_would_lack() -> None:
    every = raised(*MET)
    assert MODULES_NOT_MET.keys() <= {one.module for one in every}
    assert CODES_NOT_MET.keys() <= {one.code for one in every}
    assert not CODES_NOT_MET.keys() & words("ko").code.keys()


def test_the_lister_finds_what_is_raised_through_another_function() -> None:
    found = {(one.code, one.said) for one in raised("access/scope.py", "web/parameters.py")}
    assert ("before_your_time", frozenset({"since"})) in found
    assert ("forbidden", frozenset[str]()) in found
    assert ("bad_*", frozenset({"text", "low", "high"})) in found


def test_sentences_are_korean_and_polite() -> None:
    said = words("ko")
    texts = [
        text
        for rows in [*([form] for form in said.status.values()), *said.code.values()]
        for form in rows
        for text in (form.detail, form.remedy)
    ]
    assert [text for text in texts if not HANGUL.search(text) or BLUNT.search(text)] == []
    assert BLUNT.search("그런 장소가 없다.")
    assert all(HTTPStatus(int(status)) for status in said.status)


@pytest.mark.parametrize(
    ("asked", "code", "detail", "remedy"),
    [
        ("/api/v1/balances?place=c999&resolution=day&" + DAY, "unknown_place", "그런 장소가 없습니다: c999.", ""),
        ("/api/v1/dwelling-days?place=101/0101", "unknown_place", "101/0101", "c001/101/0101"),
        ("/api/v1/balances?resolution=week&" + DAY, "bad_resolution", "그런 단위가 없습니다: week.", "month"),
        ("/api/v1/balances?" + DAY, "bad_parameter", "resolution 값이 빠졌습니다.", "한 번만"),
        ("/api/v1/balances?resolution=day&resolution=hour&" + DAY, "bad_parameter", "두 번 들어 있습니다", ""),
        ("/api/v1/places?limit=0", "bad_limit", "범위를 벗어난 값입니다: 0.", "1에서 1,000까지"),
        ("/api/v1/city-days?day=today", "bad_day", "날짜가 아닙니다: today.", "2025-01-31"),
        ("/api/v1/balances?resolution=day&plaec=c001&" + DAY, "unknown_parameter", "plaec", "resolution"),
        ("/api/v1/nothing", "no_such_address", "그런 주소가 없습니다.", "/docs"),
    ],
)
def test_the_reader_is_told_in_his_language(
    client: httpx.Client, asked: str, code: str, detail: str, remedy: str
) -> None:
    english, korean = client.get(asked), client.get(asked, headers=KOREAN)
    assert (english.headers["content-language"], korean.headers["content-language"]) == ("en", "ko")
    assert english.headers["vary"] == korean.headers["vary"] == "Accept-Language"
    assert english.status_code == korean.status_code
    here, there = english.json(), korean.json()
    assert here["code"] == code
    for same in ("type", "title", "status", "instance", "code", "place"):
        assert here[same] == there[same]
    assert not HANGUL.search(here["detail"] + here["remedy"])
    assert detail in there["detail"]
    assert HANGUL.search(there["detail"])
    assert remedy in there["remedy"]


def test_a_foreign_host_and_a_wrong_method_are_told_in_korean_too(client: httpx.Client) -> None:
    foreign = client.get("/health", headers={**KOREAN, "Host": "quintet.example"})
    assert (foreign.status_code, foreign.headers["content-language"]) == (400, "ko")
    assert "SSH" in foreign.json()["remedy"]
    wrong = client.post("/api/v1/places", headers=KOREAN)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json()["remedy"] == "GET 방식으로 요청하세요."


def test_what_nobody_foresaw_is_told_in_korean(serve: Serve, site_questions: Questions) -> None:
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError("secret detail")

    answer = httpx.get(f"{serve(build(site_questions, health=broken))}/health", headers=KOREAN)
    assert (answer.status_code, answer.headers["content-language"]) == (500, "ko")
    assert "저장된 것은 그대로입니다" in answer.json()["detail"]
    assert "secret" not in answer.text


def test_the_addresses_language_comes_before_the_browsers(client: httpx.Client) -> None:
    asked = "/api/v1/nothing?lang={}"
    assert client.get(asked.format("en"), headers=KOREAN).headers["content-language"] == "en"
    assert client.get(asked.format("ko")).headers["content-language"] == "ko"


def test_a_code_without_a_sentence_is_said_by_its_status_with_the_english_words() -> None:
    error = BadInput("holds 3 of 4.", code="never_heard_of", remedy="Send the fourth.")
    detail, remedy = worded(error, "ko")
    assert detail == "받아들일 수 없는 값입니다. (영어 설명: holds 3 of 4. Send the fourth.)"
    assert HANGUL.search(remedy)
    assert worded(error, "en") == ("holds 3 of 4.", "Send the fourth.")
    assert worded(error, "fr") == worded(error, "en")


def test_a_form_whose_figures_are_not_said_is_passed_over() -> None:
    told = Forbidden("x", code="before_your_time", said={"since": "2026-11-03T00:00:00+09:00"})
    assert worded(told, "ko")[1] == "2026-11-03T00:00:00+09:00부터 조회해 주세요."
    assert worded(Forbidden("x", code="before_your_time"), "ko")[1] == "거주하신 달을 조회해 주세요."
    assert worded(NotFound("x", code="unknown_other", remedy="y"), "ko")[0].endswith("(영어 설명: x y)")


def test_a_code_of_two_meanings_is_told_apart_by_its_status() -> None:
    bill, contact = NotFound("x", code="not_agreed"), BadInput("x", code="not_agreed")
    assert "계약" in worded(bill, "ko")[0]
    assert "동의" in worded(contact, "ko")[0]


def test_nothing_that_somebody_sends_is_read_as_a_slot() -> None:
    error = QuintetError("x", code="bad_day", said={"text": "{place} {text}"})
    assert worded(error, "ko")[0] == "날짜가 아닙니다: {place} {text}."


def test_a_list_and_a_figure_are_written_out() -> None:
    error = BadInput("x", code="bad_budget", said={"least": 1000, "most": 10_000_000})
    assert worded(error, "ko")[1].startswith("1,000원에서 10,000,000원까지")
    step = Forbidden("x", code="too_fine_for_role", said={"step": "month"})
    assert worded(step, "ko")[1] == "월 단위로 조회하세요."
