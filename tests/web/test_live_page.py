"""The page in a real browser while readings come in: they appear without reloading, and what a person did stays."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect, sync_playwright
from tests.browsing import ARGUMENTS, PATIENCE_MS

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.views import Questions
from quintet.web.live import LivePart
from quintet.web.site import build

from .conftest import live_part
from .test_live import METERS, NOW, send, slot

SLOTS = 57
Serve = Callable[[FastAPI], str]


COUNTED = """() => {
  window.asked = [];
  const busy = {};
  const plain = window.fetch;
  window.fetch = async (...words) => {
    const name = new URL(words[0], location).pathname.split("/").at(-1);
    busy[name] = (busy[name] ?? 0) + 1;
    window.asked.push({ name, at: performance.now(), busy: busy[name] });
    try {
      return await plain(...words);
    } finally {
      busy[name] -= 1;
    }
  };
}"""
"""Notes each question of the page, and how many of its kind are under way."""
QUESTION = "window.asked.some((one) => one.name === 'city-days')"
PACED = """async () => {
  const { calmly } = await import("/static/live.js");
  window.ends = [];
  window.ask = calmly(() => new Promise((end) => window.ends.push(end)), { apart: 1000, spread: 100 });
}"""


class Seen:
    """A city of two dwellings with readings until noon, served, and a page of it that is open."""

    def __init__(self, city: City, part: LivePart, page: Page) -> None:
        self.city = city
        self.part = part
        self.page = page
        self.power = page.locator("#utilities article[data-channel='c1/power']")

    def commit(self, channel: str, number: int, value: float) -> None:
        send(self.city, (channel, slot(number), value))


@pytest.fixture
def see(tmp_path: Path, serve: Serve, need: Callable[[Path | str, str], Path]) -> Iterator[Callable[..., Seen]]:
    """Give a function that opens the page of a small city in a language."""
    program = need("chromium", "the page is tested in a real browser (on Debian: apt-get install chromium)")
    City.create(tmp_path / "city", name_en="Naju", name_ko="나주", timezone="Asia/Seoul").close()
    city = City.open(tmp_path / "city", now=lambda: to_us(NOW))
    rest = {"value_kind": "interval_sum", "cadence_min": 15, "tz": "Asia/Seoul", "role": "consumption"}
    register(city, [{**row, **rest} for row in METERS])
    send(city, *((row, slot(at), 0.2 + at % 7 / 100) for row in ("c1/power", "c1/other") for at in range(SLOTS)))
    part = live_part(city)
    address = serve(build(Questions(city.access(EVERYTHING), now=city.now), health=dict, parts=[part]))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=ARGUMENTS)

        def open_page(language: str = "en", query: str = "") -> Seen:
            page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{address}/?lang={language}&dwelling=c1/101/1{query}")
            expect(page.locator("#utilities article")).to_have_count(1, timeout=PATIENCE_MS)
            expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
            return Seen(city, part, page)

        yield open_page
        browser.close()
    part.stop()
    city.close()


def register(city: City, rows: list[dict[str, object]]) -> None:
    names = list(rows[0])
    table = pa.table({name: [row[name] for row in rows] for name in names})
    city.pipeline.register(table, source="meters", actor="test")


def total(seen: Seen) -> str:
    return seen.power.locator(".big data").get_attribute("value") or ""


def test_a_reading_appears_without_reloading(see: Callable[..., Seen]) -> None:
    seen = see()
    seen.page.evaluate("window.stayed = true")
    before = total(seen)
    seen.commit("c1/power", 10, 0.9)
    expect(seen.power.locator(".big data")).not_to_have_attribute("value", before, timeout=PATIENCE_MS)
    assert float(total(seen)) == pytest.approx(float(before) + 0.9 - (0.2 + 10 % 7 / 100))
    city = seen.page.locator("#carriers article[data-commodity=electricity] .big data")
    expect(city).to_have_attribute("value", re.compile(r"\d"))
    assert seen.page.evaluate("window.stayed")
    expect(seen.page.locator("#live-time")).to_have_text(re.compile(r"updated \d\d:\d\d:\d\d"))


def test_readings_that_come_fast_are_read_together_and_never_twice_at_once(see: Callable[..., Seen]) -> None:
    seen = see()
    seen.page.evaluate(COUNTED)
    for number in range(30):
        seen.commit("c1/power", number % SLOTS, 0.9 + number / 1000)
    wanted = sum(0.2 + at % 7 / 100 for at in range(30, SLOTS)) + sum(0.9 + at / 1000 for at in range(30))
    deadline = datetime.now(UTC) + timedelta(milliseconds=PATIENCE_MS)
    while float(total(seen)) != pytest.approx(wanted) or not seen.page.evaluate(QUESTION):
        assert datetime.now(UTC) < deadline
        seen.page.wait_for_timeout(50)
    asked = seen.page.evaluate("window.asked")
    for name, apart_ms in (("city-days", 1000), ("dwelling-days", 500)):
        begun = [one["at"] for one in asked if one["name"] == name]
        assert 0 < len(begun) < 30
        assert all(later - sooner > apart_ms - 2 for sooner, later in pairwise(begun))
        assert {one["busy"] for one in asked if one["name"] == name} == {1}


def test_what_is_asked_for_is_done_at_once_after_a_rest_and_else_at_its_pace(see: Callable[..., Seen]) -> None:
    page = see().page
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    page.evaluate(PACED)
    count = lambda: page.evaluate("window.ends.length")  # noqa: E731

    def after(ms: int, *, ask: int = 0, end: bool = False) -> int:
        """End the work, ask so often, let time pass: how often it was begun by then."""
        ended = "ends.at(-1)(); await 0; await 0;" if end else ""
        page.evaluate(f"async () => {{ {ended} for (let i = 0; i < {ask}; i += 1) ask(); }}")
        page.clock.run_for(ms)
        return count()

    assert after(5000) == 0
    assert after(100, ask=3) == 1  # at once, within its spread
    assert after(3000, ask=5) == 1  # never two at a time
    assert after(2900, end=True) == 1  # what took long is given as long a rest
    assert after(400) == 2
    assert after(5000, end=True) == 2  # nobody asked
    assert after(100, ask=1) == 3
    assert after(800, ask=1, end=True) == 3  # apart
    assert after(400) == 4


def test_what_a_person_opened_and_chose_stays(see: Callable[..., Seen]) -> None:
    seen = see()
    chart = seen.power.locator(".chart")
    seen.power.get_by_role("button", name="Show table").click()
    chart.focus()
    for _ in range(11):
        chart.press("ArrowRight")
    expect(seen.power.locator(".readout")).to_contain_text("02:30: 0.230")
    seen.commit("c1/power", 10, 0.9)
    expect(seen.power.locator(".readout")).to_contain_text("02:30: 0.900", timeout=PATIENCE_MS)
    expect(seen.power.locator("tbody tr").nth(10)).to_contain_text("0.9")
    assert seen.page.evaluate("document.activeElement.classList.contains('chart')")


def test_a_reading_of_another_day_or_dwelling_changes_nothing_here(see: Callable[..., Seen]) -> None:
    seen = see()
    seen.page.evaluate("document.querySelector('#utilities article').stayed = true")
    card = seen.page.locator("#carriers article[data-commodity=electricity] data[data-flow=consumption]")
    was = card.get_attribute("value") or ""
    seen.commit("c1/other", 10, 0.9)
    expect(card).not_to_have_attribute("value", was, timeout=PATIENCE_MS)
    assert seen.page.evaluate("document.querySelector('#utilities article').stayed")


def test_a_stream_that_ends_is_said_in_words_and_comes_back(see: Callable[..., Seen]) -> None:
    seen = see("ko")
    state = seen.page.locator("#live-state")
    expect(state).to_have_text("실시간")
    assert state.get_attribute("role") == "status"
    seen.part.stop()
    expect(state).to_have_text("다시 연결하는 중", timeout=PATIENCE_MS)


def test_a_page_that_nobody_sees_keeps_no_stream(see: Callable[..., Seen]) -> None:
    seen = see()
    assert seen.part.hub.listeners == 2
    seen.page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    deadline = datetime.now(UTC) + timedelta(milliseconds=PATIENCE_MS)
    while seen.part.hub.listeners:
        assert datetime.now(UTC) < deadline
        seen.page.wait_for_timeout(50)
    seen.commit("c1/power", 10, 0.9)
    seen.page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    before = total(seen)
    seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(seen.power.locator(".big data")).not_to_have_attribute("value", before, timeout=PATIENCE_MS)
