"""The page in a real browser: both languages, phone and desk, nothing from elsewhere, the API's own figures."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from tests.browsing import DESK, PHONE

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.period import to_us
from quintet.views import Questions
from quintet.web.site import build

from .conftest import live_part

Open = Callable[..., Page]
HOME = "c001/101/0101"


@pytest.fixture
def open_page(browser: Browser, live_address: str) -> Iterator[Open]:
    """Give a function that opens an address of the site; at the end nothing may have gone wrong or left the machine."""
    wrong: list[str] = []
    contexts = []

    def start(
        path: str = "/", size: tuple[int, int] = DESK, *, scheme: str = "light", locale: str = "en-GB", at: str = ""
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith("http://127.0.0.1:") else wrong.append(asked.url))
        page.goto((at or live_address) + path)
        page.wait_for_selector("#carriers[aria-busy=false]", state="attached")
        return page

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


def shown(page: Page, selector: str) -> float:
    """Give the number that an element shows to people."""
    text = page.locator(selector).first.inner_text()
    found = re.search(r"-?[\d,]+(\.\d+)?", text)
    assert found, text
    return float(found.group().replace(",", ""))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_stands_in_every_form(open_page: Open, size: tuple[int, int], scheme: str, language: str) -> None:
    page = open_page(f"/?lang={language}", size, scheme=scheme)
    expect(page.locator("#carriers article")).to_have_count(5)
    expect(page.locator("#utilities article")).to_have_count(5)
    expect(page.locator("#simulated")).to_be_visible()
    expect(page.locator("#simulated")).to_have_text({"ko": "가상 도시", "en": "Simulated city"}[language])
    expect(page.locator("html")).to_have_attribute("lang", language)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 26)"}[scheme]


def test_the_language_follows_the_browser_and_can_be_changed(open_page: Open) -> None:
    page = open_page("/", locale="ko-KR")
    expect(page.locator("h2").first).to_have_text("공급과 사용")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h2").first).to_have_text("Supply against use")


def test_what_is_shown_is_what_the_api_says(open_page: Open, client: httpx.Client) -> None:
    city = client.get("/api/v1/city-days").json()
    page = open_page("/")
    expect(page.locator("#carriers article")).to_have_count(5)
    for carrier in city["carriers"]:
        card = f"#carriers article[data-commodity={carrier['commodity']}]"
        places = 2 if carrier["unit"] == "m3" else 1 if carrier["use"] < 100 else 0
        assert shown(page, f"{card} .big data") == pytest.approx(carrier["use"], abs=0.5000001 * 10**-places)
        query = {"from": city["from"], "to": city["until"], "resolution": "day"}
        rows = client.get("/api/v1/balances", params=query).json()["rows"]
        row = next(row for row in rows if row["commodity"] == carrier["commodity"])
        for part in page.locator(f"{card} data[data-flow]").all():
            assert float(part.get_attribute("value") or "nan") == row[part.get_attribute("data-flow")]
    share = next(one for one in city["self_sufficiency"] if one["id"] == "power_renewable")["value"]
    assert page.locator("h1 data").get_attribute("value") == str(share)
    assert shown(page, "h1 data") == pytest.approx(share * 100, abs=0.0500001)
    expect(page.locator("#chips")).to_contain_text("as of 14:30")


def test_quality_is_drawn_and_said(open_page: Open) -> None:
    page = open_page(f"/?lang=en&dwelling={HOME}")
    power = page.locator("#utilities article[data-commodity=electricity]")
    expect(power.locator("rect.bar-estimated")).to_have_count(32)
    water = page.locator("#utilities article[data-commodity=water]")
    expect(water.locator("line.missing")).to_have_count(10)
    chart = power.locator(".chart")
    chart.focus()
    expect(power.locator(".readout")).to_have_text("Touch a bar, or use the arrow keys.")
    for _ in range(10):
        chart.press("ArrowRight")
    expect(power.locator(".readout")).to_contain_text("02:15")
    expect(power.locator(".readout")).to_contain_text("estimated")
    water.locator(".chart").focus()
    water.locator(".chart").press("End")
    expect(water.locator(".readout")).to_contain_text("no reading")


def test_the_table_holds_what_the_chart_draws(open_page: Open, client: httpx.Client) -> None:
    page = open_page(f"/?lang=en&dwelling={HOME}")
    gas = page.locator("#utilities article[data-commodity=gas]")
    gas.get_by_role("button", name="Show table").click()
    home = client.get("/api/v1/dwelling-days", params={"place": HOME}).json()
    rows = next(one for one in home["utilities"] if one["commodity"] == "gas")["rows"]
    cells = gas.locator("tbody td:nth-child(2)").all_inner_texts()
    assert [float(text) for text in cells] == [row["value"] for row in rows if row["value"] is not None]
    gas.get_by_role("button", name="Hide table").click()
    expect(gas.locator("table")).not_to_be_visible()


def test_the_address_says_what_is_shown_and_back_works(open_page: Open) -> None:
    page = open_page("/?lang=en")
    expect(page.locator("#day")).to_have_value("2026-11-04")
    page.get_by_role("button", name="Day before").click()
    expect(page.locator("h1")).to_contain_text("on 3 Nov")
    assert "day=2026-11-03" in page.url
    expect(page.locator("#utilities .readout").first).to_be_attached()
    expect(page.locator("#utilities article").first).to_contain_text("this day")
    page.get_by_role("button", name="Next dwelling").click()
    expect(page.locator("#utilities article").first).to_have_attribute("data-channel", "c001/101-0102-electricity")
    page.go_back()
    expect(page.locator("#utilities article").first).to_have_attribute("data-channel", "c001/101-0101-electricity")
    page.go_back()
    expect(page.locator("h1")).to_contain_text("today")


def test_focus_is_visible_and_targets_are_large(open_page: Open) -> None:
    page = open_page("/?lang=ko", PHONE)
    expect(page.locator("#utilities article")).to_have_count(5)
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


def test_a_city_without_readings_says_what_will_come(
    open_page: Open, serve: Callable[[FastAPI], str], tmp_path: Path
) -> None:
    now = datetime(2026, 11, 4, 5, 31, tzinfo=UTC)
    City.create(tmp_path / "empty", name_en="Naju", name_ko="나주", timezone="Asia/Seoul").close()
    city = City.open(tmp_path / "empty", now=lambda: to_us(now))
    site = build(Questions(city.access(EVERYTHING), now=city.now), health=dict, parts=[live_part(city)])
    page = open_page("/?lang=en", at=serve(site))
    expect(page.locator("h1")).to_have_text("No readings yet.")
    expect(page.locator("#autarky")).to_contain_text("quintet ingest")
    expect(page.locator("#simulated")).not_to_be_visible()
    expect(page.locator("#dwelling-note")).to_contain_text("no dwellings yet")
    # it asks once more when it begins to hear of what is new; only then may the city go
    asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('city-days')).length"
    for _ in range(600):
        if page.evaluate(asked) > 1:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(asked) > 1
    page.close()
    city.close()
