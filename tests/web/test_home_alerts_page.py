"""What was found, in a real browser: on the first screen in one line, called no problem and taken back; a budget."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browsing import PATIENCE_MS, PHONE, Asked

from quintet.access import EVERYTHING
from quintet.app.alert_looks import look
from quintet.app.alerting import Alerting
from quintet.app.city import City
from quintet.views import Questions
from quintet.web.home_alerts import AlertsPart
from quintet.web.site import build

from .conftest import live_part
from .home_city import NEW, ONE, make_city
from .test_home_page import page_built

__all__ = ["page_built"]
Open = Callable[..., Page]


class Desk(Alerting):
    """The desk of alerts, whose homes are looked at when a test says so."""

    def __init__(self, city: City) -> None:
        super().__init__(city)
        self.seen: dict[str, int] = {}

    def looked_us(self, place: str) -> int | None:
        return self.seen.get(place)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = make_city(tmp_path_factory.mktemp("watched") / "city")
    yield city
    city.close()


@pytest.fixture(scope="module")
def alerting(watched: City) -> Desk:
    return Desk(watched)


@pytest.fixture(scope="module")
def watched_address(watched: City, alerting: Desk, serve: Callable[[FastAPI], str]) -> str:
    questions = Questions(watched.access(EVERYTHING), now=watched.now)
    return serve(build(questions, health=dict, parts=[live_part(watched), AlertsPart(alerting)]))


@pytest.fixture
def open_watched(browser: Browser, watched_address: str, page_built: None) -> Iterator[Open]:
    contexts: list[BrowserContext] = []
    asked: list[Asked] = []

    def start(view: str = "", place: str = ONE, lang: str = "en") -> Page:
        context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        asked.append(Asked(page))
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{watched_address}/home{view}?place={place}&lang={lang}")
        expect(page.locator("#home[data-ready] main h1").first).to_be_visible()
        return page

    yield start
    for one in asked:
        one.wait()
    for context in contexts:
        context.close()


def looked(city: City, alerting: Desk, *places: str) -> None:
    """Look at homes as the machine does."""
    look(city, places, alike=False)
    for place in places:
        alerting.seen[place] = city.now()


def test_an_alert_appears_while_one_watches_and_is_called_no_problem(
    open_watched: Open, watched: City, alerting: Desk
) -> None:
    page = open_watched()
    line = page.locator(".wrong")
    expect(line).to_contain_text("silent or stopped: heating")  # before the first look as well
    expect(page.locator(".chip.live")).to_have_attribute("data-state", "live")
    page.evaluate("window.stayed = true")
    page.clock.install()  # no minute goes by: nothing but the live event makes the page ask
    alerting.set_budget(ONE, 1_000, 0, "test")
    looked(watched, alerting, ONE)
    expect(line).to_have_attribute("data-standing", "1")
    expect(line).to_contain_text("budget")
    expect(page.locator(".tabs .count")).to_contain_text("1")
    assert page.evaluate("window.stayed")
    line.click()
    card = page.locator(".finding[data-alert=budget]")
    expect(card).to_contain_text("1,000")
    card.get_by_text("Evidence").click()
    expect(card.locator("table")).to_contain_text("How sure")
    expect(card.locator(".action")).to_be_visible()
    card.get_by_role("button", name="Not a problem").click()
    expect(card).to_have_attribute("data-state", "dismissed", timeout=PATIENCE_MS)
    expect(page.locator(".answer")).to_contain_text("silent or stopped: heating")
    expect(page.locator(".tabs .count")).to_have_count(0)
    card.get_by_role("button", name="It is a problem after all").click()
    expect(card).to_have_attribute("data-state", "standing", timeout=PATIENCE_MS)
    alerting.set_budget(ONE, None, 0, "test")


def test_what_ends_and_what_is_judged_elsewhere_changes_the_open_views(
    open_watched: Open, watched: City, alerting: Desk
) -> None:
    alerting.set_budget(ONE, 1_000, 0, "test")
    looked(watched, alerting, ONE)
    here, there = open_watched("/alerts"), open_watched("")
    for page in (here, there):
        expect(page.locator(".chip.live")).to_have_attribute("data-state", "live")
        page.clock.install()
    card = here.locator(".finding[data-alert=budget]")
    expect(card).to_have_attribute("data-state", "standing")
    card.get_by_role("button", name="Not a problem").click()
    expect(there.locator(".wrong")).to_have_attribute("data-standing", "0")
    expect(there.locator(".tabs .count")).to_have_count(0)
    card.get_by_role("button", name="It is a problem after all").click()
    expect(there.locator(".wrong")).to_have_attribute("data-standing", "1")
    alerting.set_budget(ONE, None, 0, "test")
    looked(watched, alerting, ONE)
    expect(here.locator(".finding")).to_have_count(0)
    expect(here.locator(".tabs .count")).to_have_count(0)
    expect(there.locator(".wrong")).to_have_attribute("data-standing", "0")


def test_nothing_found_says_what_was_looked_at_and_what_cannot_be(
    open_watched: Open, watched: City, alerting: Desk
) -> None:
    looked(watched, alerting, NEW)
    page = open_watched(place=NEW, lang="ko")
    expect(page.locator(".wrong")).to_contain_text("까닭 보기", timeout=PATIENCE_MS)
    page.locator(".wrong").click()
    expect(page.locator(".rows li").first).to_be_visible()


def test_a_budget_is_set_followed_and_taken_away(open_watched: Open) -> None:
    page = open_watched("/bill")
    card = page.locator(".budget")
    card.get_by_label("Amount a month").fill("5")
    card.get_by_role("button", name="Set").click()
    expect(card.locator("[role=alert]")).to_contain_text("from ₩1,000 to ₩10,000,000", timeout=PATIENCE_MS)
    card.get_by_label("Amount a month").fill("20,000")
    card.get_by_role("button", name="Set").click()
    expect(card.locator(".figure")).to_have_text("₩20,000", timeout=PATIENCE_MS)
    expect(card.locator(".words")).to_contain_text("Passed by")
    page.reload()
    expect(card.locator(".figure")).to_have_text("₩20,000", timeout=PATIENCE_MS)
    card.get_by_role("button", name="Remove").click()
    expect(card.get_by_label("Amount a month")).to_be_visible(timeout=PATIENCE_MS)
