"""The third question of the first screen: where the month's bill is heading, and how far from the month before."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from .home_city import NEW, ONE, TWO
from .test_home_page import Open, home_address, homes, open_home, page_built

__all__ = ["home_address", "homes", "open_home", "page_built"]
WORDS = {
    "en": ("November's bill: about ₩{won} (likely ₩{low} to ₩{high})", "than October (₩{was})", "as October (₩{was})"),
    "ko": ("11월 요금 예상 {won}원 ({low}원\u2060~\u2060{high}원)", "10월({was}원)보다", "10월({was}원)과 비슷"),
}


def bill(address: str, month: str) -> dict[str, Any]:
    with httpx.Client(base_url=address, timeout=60) as client:
        return client.get("/api/v1/home/bill", params={"place": ONE, "month": month}).raise_for_status().json()


def answers(body: dict[str, Any]) -> Callable[[Route], None]:
    return lambda route: route.fulfill(json=body)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_first_screen_says_whether_the_bill_will_jump(open_home: Open, home_address: str, lang: str) -> None:
    line = open_home("", ONE, lang=lang).locator("a.coming")
    expect(line).to_be_visible()
    ahead, before = bill(home_address, "2026-11"), bill(home_address, "2026-10")
    heading, than, alike = WORDS[lang]
    said = heading.format(won=f"{ahead['won_ahead']:,}", low=f"{ahead['won_low']:,}", high=f"{ahead['won_high']:,}")
    expect(line).to_contain_text(said)
    change = ahead["won_ahead"] / before["won"] - 1
    expect(line).to_contain_text((alike if abs(change) < 0.05 else than).format(was=f"{before['won']:,}"))
    box = line.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 844 - 64, "above the bar of the first screen"
    jumps = ahead["won_low"] > before["won"]
    assert ("watch" in (line.get_attribute("class") or "").split()) == jumps
    line.click()
    expect(line.page.locator(".tabs a[data-view=bill]")).to_have_attribute("aria-current", "page")


def test_a_month_that_jumps_is_marked_and_one_known_in_part_is_not_compared(open_home: Open, home_address: str) -> None:
    before = bill(home_address, "2026-10")
    part = {**before, "lines": [{**one, "known": 0.7} for one in before["lines"]]}
    for body, marked in (({**before, "won": 1_000}, True), ({**part, "won": 1_000}, False)):
        page = open_home("/data")
        page.add_init_script("localStorage.clear()")
        page.route(re.compile("month=2026-10"), answers(body))
        page.goto(page.url.replace("/home/data", "/home"))
        line = page.locator("a.coming")
        expect(line).to_contain_text("November's bill")
        if marked:
            expect(line).to_contain_text("more than October (₩1,000)")
            expect(line).to_have_class(re.compile(r"\bwatch\b"))
        else:
            expect(line).not_to_contain_text("October")


@pytest.mark.parametrize("place", [TWO, NEW])
def test_a_home_without_a_price_is_told_of_no_bill(open_home: Open, place: str) -> None:
    page = open_home("", place)
    expect(page.locator("a.wrong")).to_have_count(1)
    expect(page.locator(".coming")).to_have_count(0)
