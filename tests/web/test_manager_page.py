"""The building manager's pages in a real browser: both languages, phone and desk, by keys, without a script."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browsing import DESK, PATIENCE_MS, PHONE
from tests.managed_city import FIRST, Hand, made

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.app.manager_behind import CityNotebook
from quintet.app.turns import Turns
from quintet.views import Questions
from quintet.web.manager import BuildingPart
from quintet.web.manager_html import TABS, manager_strings
from quintet.web.site import build

from .test_home_page import AXE

WEB = Path("src/quintet/web")
Need = Callable[[Path | str, str], Path]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, Hand]]:
    hand = Hand(FIRST)
    city = made(tmp_path_factory.mktemp("managed") / "city", hand)
    yield city, hand
    city.close()


@pytest.fixture(scope="module")
def building_address(managed: tuple[City, Hand], serve: Callable[[FastAPI], str]) -> str:
    city, hand = managed
    part = BuildingPart(CityNotebook(city, Turns(), 60), city.identities.called)
    return serve(build(Questions(city.access(EVERYTHING), now=hand), health=dict, parts=[part]))


@pytest.fixture
def open_building(browser: Browser, building_address: str) -> Iterator[Open]:
    """Give a function that opens a view; at the end nothing may have gone wrong or left the machine."""
    wrong: list[str] = []
    contexts: list[BrowserContext] = []

    def start(view: str = "visits", size: tuple[int, int] = PHONE, lang: str = "en", **more: Any) -> Page:
        dark = "dark" if more.pop("dark", False) else "light"
        free = bool(more.pop("free", False))  # what looks at a page sets styles of its own
        shown = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=shown, color_scheme=dark, bypass_csp=free)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: None if asked.url.startswith("http://127.0.0.1:") else wrong.append(asked.url))
        said = {"place": "c1", "month": "2025-10", "lang": lang, **more}
        page.goto(f"{building_address}/building/{view}?{'&'.join(f'{key}={value}' for key, value in said.items())}")
        expect(page.locator("h1")).to_be_visible()
        return page

    yield start
    for context in contexts:
        context.close()
    assert [one for one in wrong if "status of 40" not in one] == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_view_stands_fits_and_is_open_to_all(
    open_building: Open, root: Path, need: Need, size: tuple[int, int], lang: str
) -> None:
    axe = need(root / "frontend/node_modules/axe-core/axe.min.js", "npm's packages are not here (make frontend)")
    page = open_building("visits", size, lang, dark=(lang == "ko") == (size == PHONE), free=True)
    for view in TABS:
        page.locator(f".tabs a[href*='/building/{view}']").click()
        expect(page.locator(".tabs a[aria-current]")).to_have_attribute("href", re.compile(f"/building/{view}"))
        expect(page.locator("html")).to_have_attribute("lang", lang)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.locator("script, style, [style], [onclick]").count() == 0
        page.evaluate(axe.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = page.evaluate(AXE)
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_numbers_and_days_have_the_form_of_the_language(open_building: Open) -> None:
    korean = open_building("allocation", lang="ko")
    expect(korean.locator("h1")).to_have_text(re.compile(r"8세대 \d{3},\d{3}원$"))
    english = open_building("allocation")
    expect(english.locator("h1")).to_have_text(re.compile(r"₩\d{3},\d{3} over 8 flats$"))
    expect(english.locator("tbody tr")).to_have_count(8)
    expect(english.locator("tr[data-flat='c1/101/0102']")).to_contain_text("nobody registered")
    expect(open_building("visits", lang="ko").locator(".card").first).to_contain_text("10월 20일부터")
    expect(open_building("visits").locator(".card").first).to_contain_text("since 20 Oct")


def test_a_visit_is_ticked_off_with_keys_alone_and_the_month_is_closed(open_building: Open) -> None:
    page = open_building("visits")
    expect(page.locator("h1")).to_have_text("Riverside: 2 meters to visit")
    card = page.locator(".card[data-channel='c1/101-0202-heat']")
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("m")  # meter exchanged
    page.keyboard.press("Tab")
    page.keyboard.type("spare meter 7")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Riverside: 1 meter to visit")
    expect(page.locator("section").last).to_contain_text("operator: meter exchanged · spare meter 7")
    close = open_building("close")
    expect(close.locator("[data-point=rates]")).to_have_attribute("data-state", "blocked")
    close.locator("input[name=reason]").fill("heat rates come <later>")
    close.locator("main button.main").click()
    expect(close.locator(".closed")).to_contain_text("by operator: heat rates come <later>")
    expect(close.locator(".closed")).to_contain_text("Rates published")


@pytest.mark.parametrize(
    ("view", "said", "english", "korean"),
    [
        ("visits", {"place": "c9"}, "no building of that name", "관리 건물이 없습니다"),
        ("visits", {"place": "c1/101/0101"}, "is no building", "건물이 아닙니다"),
        ("visits", {"place": "c3"}, "No flat is registered", "등록된 세대가 없습니다"),
        ("close", {"month": "2025-13"}, "no month", "월이 아닙니다"),
        ("close", {"month": "2026-01"}, "has not begun", "시작하지 않았거나"),
        ("close", {"month": "2025-11"}, "month is not over", "끝나지 않은 달"),
        ("allocation", {"month": "2025-11"}, "the month is not over", "끝나지 않은 달"),
        ("allocation", {"place": "c2"}, "No contract of the whole complex", "단지 전체 계약이 없어"),
    ],
)
def test_what_cannot_be_shown_says_why_in_both_languages(
    open_building: Open, view: str, said: dict[str, str], english: str, korean: str
) -> None:
    page = open_building(view, **said)
    expect(page.locator("main")).to_contain_text(english)
    page.locator(".languages a[lang=ko]").click()
    expect(page.locator("main")).to_contain_text(korean)


def test_what_was_asked_stays_when_the_language_is_changed(open_building: Open) -> None:
    page = open_building("allocation", common_won=100_000, commodity="electricity")
    expect(page.locator("h1")).to_contain_text("₩710,450")
    page.locator(".languages a[lang=ko]").click()
    expect(page.locator("h1")).to_contain_text("710,450원")
    expect(page.locator("input[name=common_won]")).to_have_value("100000")
    page.locator("input[name=common_won]").fill("200000")
    page.locator(".chooser button").click()
    expect(page.locator("h1")).to_contain_text("810,450원")
    assert "commodity=electricity" in page.url
    expect(page.locator(".tabs a[href*='common_won']")).to_have_count(1)


def test_a_walk_prints_without_its_forms(open_building: Open) -> None:
    page = open_building("visits", DESK)
    page.emulate_media(media="print")
    expect(page.locator(".card").first).to_be_visible()
    for hidden in (".bar", ".tabs", ".chooser", ".tick"):
        expect(page.locator(hidden).first).to_be_hidden()


def test_no_string_is_missing_and_none_unused(root: Path) -> None:
    english, korean = manager_strings("en"), manager_strings("ko")
    assert english.keys() == korean.keys()
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((root / WEB).glob("manager*.py")))
    families = ("visit.usual", "problem.", "close.state.", "reading.", "flat.", "allocation.", "tab.")
    unused = [key for key in english if f'"{key}"' not in source and f"'{key}'" not in source]
    assert [key for key in unused if not key.startswith(families)] == []
    called = set(re.findall(r"""\.t(?:ext)?\(["']([a-z.-]+)["']""", source))
    assert called <= english.keys()
    gaps: Callable[[str], list[str]] = lambda text: sorted(re.findall(r"\{(\w+)\}", text))  # noqa: E731
    assert [key for key in english if gaps(english[key]) != gaps(korean[key])] == []
