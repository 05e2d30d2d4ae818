"""The figures that the server writes into the page: those that its script shows, and none where none may stand."""

import json
import re
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from tests.browsing import PHONE

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.views import Questions
from quintet.web import home
from quintet.web.home_first import amount, plain
from quintet.web.site import build

from .home_city import NEW, ONE, TWO
from .test_home_page import home_address, homes, page_built

__all__ = ["home_address", "homes", "page_built"]
READ = """() => {
  const text = (wanted) => [...document.querySelectorAll(wanted)].map((one) => one.textContent.trim());
  const links = [...document.querySelectorAll("main h2 a, .tabs a")].map((one) => one.getAttribute("href"));
  const won = text(".tile .won");
  return { place: text(".place"), title: text("h1"), big: text(".big"), chip: text(".hero .chip:not(a)"), won, links,
    tabs: text(".tabs a span:not(.count, .count *)"), tiles: text(".tile h2"),
    figures: text(".tile:not([data-state=stopped]) .figure").map((one) => one.replace(/\\s+/g, " ")) };
}"""
FIGURES = re.compile(r'<script type="application/json" id="now">(.*?)</script>', re.S)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page wait for its figures: on a busy machine it would go without them."""
    monkeypatch.setattr(home, "FIGURES_S", 60)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("place", [ONE, TWO, NEW])
def test_the_page_without_its_script_says_what_it_says_with_it(
    browser: Browser, home_address: str, page_built: None, place: str, lang: str
) -> None:
    said = []
    for script in (False, True):
        context = browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]}, java_script_enabled=script, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(f"{home_address}/home?place={place}&lang={lang}")
        expect(page.locator("#home[data-ready] .tile" if script else ".tile").first).to_be_visible()
        said.append(page.evaluate(READ))
        context.close()
    assert said[0] == said[1]
    assert len(said[0]["tiles"]) >= 4


def test_numbers_are_written_as_the_script_writes_them() -> None:
    assert [plain(12340.4, 0), plain(-1200, 0), plain(-0.04, 1), plain(0.5, 0)] == ["12,340", "−1,200", "0.0", "1"]
    assert [amount(one, "kWh") for one in (99.94, 99.96, 1234.5, 1234567.89)] == ["99.9", "100", "1,235", "1,234,568"]
    assert [amount(one, "m3") for one in (3.1, 0.005, 0)] == ["3.10", "0.01", "0.00"]


def test_the_figures_in_the_page_are_those_of_its_question(home_address: str, page_built: None) -> None:
    with httpx.Client(base_url=home_address, timeout=60) as client:
        asked = client.get("/api/v1/home/now", params={"place": ONE}).json()
        answered = client.get("/home", params={"place": ONE})
        assert answered.headers["content-encoding"] == "gzip"
        found = FIGURES.search(answered.text)
        assert found is not None
        assert json.loads(found[1]) == asked
        for path, place in (("/home", "c1/nowhere"), ("/home/bill", ONE)):
            other = client.get(path, params={"place": place})
            assert other.status_code == 200
            assert FIGURES.search(other.text) is None


class _Slow:
    """The questions of a home whose figures take their time."""

    def __init__(self) -> None:
        self.made, self.go = threading.Event(), threading.Event()

    def now_at_hand(self, _place: str) -> None:
        return None

    def now_told(self, _place: str) -> tuple[bytes, str]:
        self.go.wait(60)
        self.made.set()
        return b"{}", ""


def test_figures_that_take_long_do_not_hold_the_page_up_and_are_made_all_the_same(
    homes: City, page_built: None, serve: Callable[[FastAPI], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "FIGURES_S", 0.05)
    site = build(Questions(homes.access(EVERYTHING), now=homes.now), health=dict)
    slow = _Slow()

    @site.middleware("http")
    async def slowed(request: Any, go_on: Any) -> Any:
        request.state.reader = SimpleNamespace(
            id="kim", kind="local", name="", language="", homes=(), roles=(), questions=SimpleNamespace(home=slow)
        )
        return await home._page(request) if request.url.path == "/home" else await go_on(request)

    with httpx.Client(base_url=serve(site), timeout=60) as client:
        page = client.get("/home", params={"place": ONE, "lang": "ko"})
        assert page.status_code == 200
        assert not slow.made.is_set()
        slow.go.set()
        assert FIGURES.search(page.text) is None
        assert "/api/v1/home/now" in page.text, "it asks by itself"
        assert slow.made.wait(60)


def test_who_must_give_a_reason_gets_no_figure_before_it(homes: City, page_built: None) -> None:
    frame = {"language": "ko", "place": ONE, "homes": [], "reader": {"kind": "person", "roles": ["operator"]}}
    assert not home._open(frame)
    assert home._open({**frame, "homes": [ONE]})
    assert home._open({**frame, "reader": {"kind": "local"}})
    assert 'rel="preload"' not in home.page_html(frame)
