"""From nothing to the first figures on a slow phone: an empty cache, the processor and the line slowed."""

import os
import statistics
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page
from tests.browsing import PATIENCE_MS, PHONE

from quintet.web import home

from .home_city import ONE
from .test_home_page import home_address, homes, page_built

__all__ = ["home_address", "homes", "page_built"]
LOADS = int(os.environ.get("QUINTET_LOADS", "1"))
"""How often each language is loaded: several give the figure of docs/household.md."""
BITS = 1_600_000
LATENCY_MS = 150
SLOWER = 4
SEEN = """const seen = (name, wanted) => new MutationObserver((_, me) => {
  if (!document.querySelector(wanted)) return;
  me.disconnect();
  requestAnimationFrame(() => setTimeout(() => performance.mark(name), 0));
}).observe(document, { childList: true, subtree: true, attributes: true });
seen("figures", ".big data");
seen("ready", "#home[data-ready]");"""
"""Marks when the first figures have been painted, and when the page answers to touch; nothing is painted before its
style sheet is there."""
MARKS = """["figures", "ready"].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? null)"""
ROWS = """performance.getEntriesByType("resource")
  .map((one) => [new URL(one.name).pathname, one.startTime, one.responseEnd])"""


class Load(NamedTuple):
    """One load: when the figures stood and when the page answered, in ms, and what was fetched from when to when."""

    figures: float
    ready: float
    fetched: list[tuple[str, float, float]]


def loaded(browser: Browser, address: str, lang: str) -> Load:
    """Load the page once, with nothing kept."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    slow(page)
    page.add_init_script(SEEN)
    page.goto(f"{address}/home?place={ONE}&lang={lang}", wait_until="commit")
    page.locator("#home[data-ready] .big data").wait_for()
    figures = ready = None
    while figures is None or ready is None:
        page.wait_for_timeout(50)
        figures, ready = page.evaluate(MARKS)
    out = Load(figures, ready, page.evaluate(ROWS))
    context.close()
    return out


def slow(page: Page) -> None:
    """Make a browser as slow as a phone of some years on a line of the street."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    line = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": BITS / 8, "uploadThroughput": BITS / 16}
    session.send("Network.emulateNetworkConditions", line)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page wait for its figures: on a busy machine it would go without them."""
    monkeypatch.setattr(home, "FIGURES_S", 60)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_first_figures_stand_before_the_script_on_a_slow_phone(
    browser: Browser, home_address: str, page_built: None, lang: str
) -> None:
    loaded(browser, home_address, lang)  # what the server makes once is made
    loads = [loaded(browser, home_address, lang) for _ in range(LOADS)]
    for path, start, end in loads[-1].fetched:
        print(f"{start:6.0f} {end:6.0f}  {path}")
    for name, times in (("figures", [one.figures for one in loads]), ("ready", [one.ready for one in loads])):
        said = f"median {statistics.median(times):.0f} ms of {sorted(map(round, times))}"
        print(f"{lang}: {name}: {said}, load average {os.getloadavg()[0]:.1f}")
    # neither the script nor a question of its own stands between a resident and the figures
    assert min(one.figures for one in loads) < min(one.ready for one in loads)
