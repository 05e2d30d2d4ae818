"""A connection that is lost while the page is open, a server that fails for a while, and a day that has gone by."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browsing import PATIENCE_MS, PHONE

from .home_city import ONE
from .test_home_page import Open, figure, home_address, homes, open_home, page_built

__all__ = ["home_address", "homes", "open_home", "page_built"]
DATED = re.compile(r"last known state, of \d+ \w+, \d\d:\d\d")
KEPT = "caches.match('/home').then((found) => found !== undefined)"


def kept_by_the_worker(page: Page) -> None:
    """Wait until the worker keeps the page."""
    for _ in range(600):
        if page.evaluate(KEPT):
            return
        page.wait_for_timeout(100)
    pytest.fail("the worker keeps no page")


@pytest.mark.parametrize("view", ["", "/bill", "/history", "/alerts"])
def test_a_page_that_loses_its_connection_dates_what_it_shows_and_mends_itself(open_home: Open, view: str) -> None:
    page = open_home(view)
    expect(page.locator(".chip.live")).to_have_attribute("data-state", "live")
    kept_by_the_worker(page)
    before = page.locator("main h1").first.inner_text()
    page.context.set_offline(True)
    expect(page.locator(".kept")).to_contain_text(DATED)
    expect(page.locator(".chip.live")).not_to_have_attribute("data-state", "live")
    assert page.locator("main h1").first.inner_text() == before
    page.evaluate("window.stayed = true")
    page.context.set_offline(False)
    expect(page.locator(".kept")).to_have_count(0)
    assert page.evaluate("window.stayed")


FAILING = """(status) => {
  const real = window.fetch;
  window.fetch = (asked, ...more) => status.now && String(asked).includes("/home/now")
    ? Promise.resolve(new Response("{}", { status: status.now })) : real(asked, ...more);
  window.failing = status;
}"""
"""Answers today's question with a status while it is not 0; a real one would stand in the browser's console."""


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_fails_takes_nothing_from_the_page(open_home: Open, status: int) -> None:
    page = open_home()
    expect(page.locator(".chip.live")).to_have_attribute("data-state", "live")
    before = figure(page, "electricity")
    page.evaluate(FAILING, {"now": status})
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".kept")).to_contain_text(DATED)
    assert figure(page, "electricity") == before
    page.evaluate("() => { window.failing.now = 0; dispatchEvent(new Event('online')); }")
    expect(page.locator(".kept")).to_have_count(0)


def test_figures_of_a_day_that_is_over_are_not_called_todays(open_home: Open) -> None:
    page = open_home()
    kept_by_the_worker(page)
    expect(page.locator("main h1")).to_have_text("Today so far")
    page.context.set_offline(True)
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=400))
    page.reload()
    expect(page.locator(".kept")).to_contain_text(DATED)
    expect(page.locator("main h1")).to_have_text("24 Nov, last known")
    expect(page.locator(".hero .chip").first).to_contain_text("24 Nov, 14:30")


def test_what_could_not_be_loaded_is_asked_again(open_home: Open) -> None:
    page = open_home("/compare")
    kept_by_the_worker(page)
    page.context.set_offline(True)
    expect(page.locator(".kept")).to_be_visible()
    page.locator(".tabs a[data-view=history]").click()
    expect(page.locator(".kept")).to_contain_text("nothing is kept")
    page.context.set_offline(False)
    expect(page.locator(".big")).to_be_visible()
    expect(page.locator(".kept")).to_have_count(0)


def test_a_view_whose_script_did_not_come_is_asked_for_again(
    browser: Browser, home_address: str, page_built: None
) -> None:
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, service_workers="block")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{home_address}/home?place={ONE}&lang=en")
    expect(page.locator("#home[data-ready] a.coming")).to_be_visible()
    again = page.get_by_role("button", name="Try again")
    context.set_offline(True)
    page.locator(".tabs a[data-view=history]").click()
    expect(again).to_be_visible()
    context.set_offline(False)
    expect(page.locator(".big")).to_be_visible()
    scripts = re.compile("/home/assets/Data")
    page.route(scripts, lambda route: route.abort())
    page.locator(".tabs a[data-view=data]").click()
    expect(again).to_be_visible()
    page.unroute(scripts)
    again.click()
    expect(page.locator("main h1").first).to_be_visible()
    expect(again).to_have_count(0)
    context.close()
