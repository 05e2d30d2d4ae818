"""The resident's page in a real browser: live, in both languages, for everybody, alone on this machine, and light."""

import gzip
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browsing import DESK, PATIENCE_MS, PHONE, Asked

from quintet.access import EVERYTHING
from quintet.app.alert_looks import look
from quintet.app.alerting import Alerting
from quintet.app.city import City
from quintet.views import Questions
from quintet.web.home import BUILT, built, needed
from quintet.web.home_alerts import AlertsPart
from quintet.web.site import build

from .conftest import live_part
from .home_city import HEARD, NEW, ONE, STEP, TWO, commit, make_city

VIEWS = ("", "/bill", "/history", "/compare", "/alerts", "/data")
SCRIPT_BYTES = 60_000
"""All script of the first view, packed."""
AXE = "axe.run({runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']}).then((told) => told.violations)"
MEANT = ("status of 404", "ERR_INTERNET_DISCONNECTED")
"""What a browser says of a place that is none, and of a connection that a test cut."""
Need = Callable[[Path | str, str], Path]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def page_built(root: Path, need: Need) -> None:
    need(root / "src/quintet/web/static/home/files.json", "the resident's page is not built (make home)")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = make_city(tmp_path_factory.mktemp("homes") / "city")
    yield city
    city.close()


@pytest.fixture(scope="module")
def home_address(homes: City, serve_here: Callable[[FastAPI], str]) -> str:
    questions = Questions(homes.access(EVERYTHING), now=homes.now)
    look(homes, [ONE], alike=False)
    return serve_here(build(questions, health=dict, parts=[live_part(homes), AlertsPart(Alerting(homes))]))


@pytest.fixture
def open_home(browser: Browser, home_address: str, page_built: None) -> Iterator[Open]:
    """Give a function that opens a view; at the end nothing may have gone wrong or left the machine."""
    wrong: list[str] = []
    contexts: list[BrowserContext] = []
    asked: list[Asked] = []

    def start(
        view: str = "",
        place: str = ONE,
        size: tuple[int, int] = PHONE,
        lang: str = "en",
        dark: bool = False,
        more: str = "",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        asked.append(Asked(page))
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda sent: None if sent.url.startswith("http://127.0.0.1:") else wrong.append(sent.url))
        page.goto(f"{home_address}/home{view}?place={place}&lang={lang}{more}")
        expect(page.locator("#home[data-ready] main h1").first).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".ghost")).to_have_count(0, timeout=PATIENCE_MS)
        return page

    yield start
    for one in asked:
        one.wait()
    for context in contexts:
        context.close()
    assert [one for one in wrong if not any(meant in one for meant in MEANT)] == []


def figure(page: Page, commodity: str) -> str:
    return page.locator(f".tile[data-commodity={commodity}] .figure data").get_attribute("value") or ""


def test_a_reading_changes_the_open_page_without_reload(open_home: Open, homes: City) -> None:
    page = open_home()
    expect(page.locator(".chip.live")).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
    page.evaluate("window.stayed = true")
    before, won = figure(page, "electricity"), page.locator(".big data").get_attribute("value") or ""
    commit(homes, ("power", HEARD - 2 * STEP, 1.6))
    shown = page.locator(".tile[data-commodity=electricity] .figure data")
    expect(shown).not_to_have_attribute("value", before, timeout=PATIENCE_MS)
    expect(page.locator(".big data")).not_to_have_attribute("value", won, timeout=PATIENCE_MS)
    assert float(figure(page, "electricity")) > float(before)
    assert page.evaluate("window.stayed")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_view_stands_and_fits_in_every_form(open_home: Open, size: tuple[int, int], lang: str) -> None:
    page = open_home("", ONE, size, lang, dark=lang == "ko")
    expect(page.locator("html")).to_have_attribute("lang", lang)
    # on a phone neighbours stand behind bill and history
    tabs = page.locator(".tabs a:visible")
    assert tabs.count() == (5 if size == PHONE else len(VIEWS))
    for number in range(tabs.count()):
        tabs.nth(number).click()
        expect(tabs.nth(number)).to_have_attribute("aria-current", "page")
        expect(page.locator(".ghost")).to_have_count(0, timeout=PATIENCE_MS)
        expect(page.locator("main h1").first).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.go_back()
    expect(page.locator(".tabs a[data-view=alerts]")).to_have_attribute("aria-current", "page")


def test_numbers_won_and_dates_have_the_form_of_the_language(open_home: Open) -> None:
    korean = open_home("/bill", lang="ko")
    expect(korean.locator(".big")).to_have_text(re.compile(r"^\d{2},\d{3}원$"))
    expect(korean.locator(".hero .chips")).to_contain_text("11월 1일~11월 30일")
    english = open_home("/bill")
    expect(english.locator(".big")).to_have_text(re.compile(r"^₩\d{2},\d{3}$"))
    expect(english.locator(".hero .chips")).to_contain_text("1 Nov – 30 Nov")


def test_what_has_no_figure_has_a_helpful_word(open_home: Open) -> None:
    page = open_home(place=TWO)
    power = page.locator(".tile[data-commodity=electricity]")
    expect(power).to_contain_text("No reading since 24 Oct, 00:00. That is not a zero")
    expect(power.locator(".figure")).to_have_count(0)
    expect(page.locator(".tile[data-commodity=water]")).to_contain_text("no such meter")
    one = open_home(lang="ko")
    expect(one.locator(".tile[data-commodity=heat]")).to_contain_text("0원은 절약이 아닙니다")
    expect(one.locator(".tile[data-commodity=gas]")).to_contain_text("이 계량기가 없습니다")
    expect(open_home(place=NEW).locator(".tile[data-commodity=electricity]")).to_contain_text("No reading has come yet")
    bill = open_home("/bill")
    expect(bill.locator(".card[data-commodity=water]")).to_contain_text("No contract is stated")
    expect(open_home("/compare").locator(".hero")).to_contain_text("Not compared")
    nobody = open_home(place="c1/nowhere")
    expect(nobody.locator("[role=alert]")).to_contain_text("no such home")


def test_the_history_is_read_by_keys_and_as_a_table(open_home: Open) -> None:
    page = open_home("/history", more="&length=week&utility=water&at=2026-11-12")
    plot = page.locator(".plot")
    plot.focus()
    plot.press("Home")
    expect(page.locator("#readout")).to_contain_text("9 Nov: 0.03 m³, measured")
    plot.press("ArrowRight")
    expect(page.locator("#readout")).to_contain_text("10 Nov")
    page.get_by_role("button", name="Show table").click()
    expect(page.locator(".scroll tbody tr")).to_have_count(7)
    page.get_by_role("link", name="Month", exact=True).click()
    expect(page.locator("main h1")).to_have_text("November 2026")
    assert "length=month" in page.url
    page.go_back()
    expect(page.locator("main h1")).to_have_text("9 Nov – 15 Nov")


def test_what_is_read_of_a_history_stays_when_fresh_rows_come(open_home: Open, homes: City) -> None:
    page = open_home("/history", more="&length=day&utility=electricity")
    expect(page.locator(".chip.live")).to_have_attribute("data-state", "live")
    page.locator(".plot").press("Home")
    expect(page.locator("#readout")).to_contain_text("00:00: ")
    page.locator(".plot").evaluate("(one) => { one.stayed = true; }")
    before = page.locator(".big data").get_attribute("value") or ""
    commit(homes, ("power", HEARD - 5 * STEP, 1.7))
    expect(page.locator(".big data")).not_to_have_attribute("value", before)
    expect(page.locator("#readout")).to_contain_text("00:00: ")
    page.locator(".plot").press("ArrowRight")
    expect(page.locator("#readout")).to_contain_text("01:00: ")
    assert page.locator(".plot").evaluate("(one) => one.stayed === true"), "nobody loses what he is at"


@pytest.mark.parametrize("view", VIEWS, ids=["now", "bill", "history", "compare", "alerts", "data"])
def test_axe_finds_nothing_serious(open_home: Open, root: Path, need: Need, view: str) -> None:
    axe = need(root / "frontend/node_modules/axe-core/axe.min.js", "npm's packages are not here (make frontend)")
    for dark in (False, True):
        page = open_home(view, dark=dark)
        page.evaluate(axe.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = page.evaluate(AXE)
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []


def test_without_a_connection_the_last_known_state_is_there_and_dated(open_home: Open) -> None:
    page = open_home()
    kept = "caches.match('/home').then((found) => found !== undefined)"
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(kept):
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    before = page.locator(".big").inner_text()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".kept")).to_contain_text(re.compile(r"last known state, of \d+ \w+, \d\d:\d\d"))
    assert page.locator(".big").inner_text() == before
    page.context.set_offline(False)
    expect(page.locator(".kept")).to_have_count(0, timeout=PATIENCE_MS)


LINKS = "[...document.querySelectorAll('a[href]')].filter((one) => one.checkVisibility()).map((one) => one.href)"


def leads(page: Page) -> set[str]:
    """Give what one tap leads to from here, without place and language."""
    out: set[str] = set()
    for href in page.evaluate(LINKS):
        asked = urlsplit(href)
        kept = [pair for pair in parse_qsl(asked.query) if pair[0] not in ("place", "lang")]
        out.add(f"{asked.path}?{urlencode(sorted(kept))}".rstrip("?"))
    return out


def test_three_taps_lead_to_anything(open_home: Open) -> None:
    page = open_home()
    expect(page.locator("a.wrong")).to_be_visible()
    first = leads(page)
    taps = dict.fromkeys(first, 1)
    for href in sorted(one for one in first if one.startswith("/home")):
        path, _, query = href.partition("?")
        beyond = open_home(path.removeprefix("/home"), more=f"&{query}" if query else "")
        if path == "/home/alerts":
            expect(beyond.locator("a[href*='part=telling']").first).to_be_visible()  # it comes with the answer
        for found in leads(beyond):
            taps.setdefault(found, 2)
    lengths = ("day", "week", "month", "year")
    wanted = {f"/home{view}" for view in VIEWS}
    wanted |= {f"/home/history?length={length}&utility={one}" for length in lengths for one in ("electricity", "water")}
    wanted |= {"/home/bill?month=2026-10", "/home/data?part=telling", "/docs"}
    assert {one: taps.get(one, 9) for one in wanted if taps.get(one, 9) > 3} == {}
    for link in page.locator(".tabs a:visible, .wrong").all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_first_view_loads_little_script(page_built: None, language: str) -> None:
    scripts, styles = needed(language)
    packed = {name: len(gzip.compress((BUILT / name).read_bytes(), 9, mtime=0)) for name in scripts}
    print(f"{language}: {sum(packed.values()):,} bytes of script packed, {packed}")
    assert sum(packed.values()) < SCRIPT_BYTES
    assert styles
    later = [row["file"] for row in built().values() if row["file"].endswith(".js")]
    assert set(scripts) < set(later)
