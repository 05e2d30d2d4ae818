"""The resident's page for who reads large text, sets the colours himself, goes by keys, or listens to it."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect
from tests.browsing import PHONE

from .home_city import ONE
from .test_home_page import VIEWS, Open, home_address, homes, open_home, page_built

__all__ = ["home_address", "homes", "open_home", "page_built"]
LARGE = "document.documentElement.style.fontSize = '200%'"
SIZE = "parseFloat(getComputedStyle(document.querySelector('main h1')).fontSize)"
WIDE = """[...document.querySelectorAll("main *, header *, nav *")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && !one.closest("svg, .plot, .sr, .skip") && box.right > innerWidth + 1;
}).map((one) => one.outerHTML.slice(0, 80))"""
CUT = """[
  ...document.querySelectorAll(".tabs span:not(.count, .count *), .choices .button:not(.utility), .choices span")
  ].filter((one) => {
    const word = document.createRange();
    return one.checkVisibility() && [...one.childNodes].some((text) => (text.nodeType === 3 ? text.data : "").split(" ")
      .some((part, at, all) => {
        if (!part) return false;
        const from = all.slice(0, at).join(" ").length + (at ? 1 : 0);
        word.setStart(text, from);
        word.setEnd(text, from + part.length);
        return new Set([...word.getClientRects()].map((box) => Math.round(box.top))).size > 1;
      }));
  }).map((one) => one.textContent)"""
"""Words of choices and tabs that stand on two lines."""
FOCUS = "document.activeElement.closest('article')?.className ?? document.activeElement.tagName"


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("view", VIEWS)
def test_text_follows_the_readers_own_size_and_nothing_leaves_the_page(open_home: Open, view: str, lang: str) -> None:
    page = open_home(view, ONE, PHONE, lang)
    before = page.evaluate(SIZE)
    page.evaluate(LARGE)
    assert page.evaluate(SIZE) == pytest.approx(2 * before)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.evaluate(WIDE) == []
    assert page.evaluate(CUT) == []


def test_what_is_chosen_is_told_where_the_reader_sets_the_colours(open_home: Open) -> None:
    page = open_home("/history")
    line = "(one) => getComputedStyle(one).outlineStyle"
    chosen = page.locator(".choices .utility[aria-current]")
    assert chosen.evaluate(line) == "none"
    page.emulate_media(forced_colors="active")
    assert chosen.evaluate(line) == "solid"
    assert page.locator(".choices .utility:not([aria-current])").first.evaluate(line) == "none"
    assert page.locator(".tabs a[aria-current]").evaluate(line) == "solid"


def test_who_goes_by_keys_keeps_his_place_where_a_button_goes_away(open_home: Open) -> None:
    page = open_home("/bill")
    card = page.locator(".budget")
    card.get_by_label("Amount a month").fill("90,000")
    card.get_by_role("button", name="Set").press("Enter")
    expect(card.get_by_role("button", name="Change")).to_be_visible()
    assert "budget" in page.evaluate(FOCUS)
    card.get_by_role("button", name="Change").press("Enter")
    expect(card.get_by_label("Amount a month")).to_be_focused()
    card.get_by_role("button", name="Set").press("Enter")
    card.get_by_role("button", name="Remove").press("Enter")
    expect(card.get_by_label("Amount a month")).to_be_visible()
    expect(card.locator("h2")).to_be_focused()


def test_who_listens_hears_no_empty_line_and_a_table_with_its_heads(open_home: Open) -> None:
    page = open_home()
    expect(page.locator("a.wrong").first).to_be_visible()
    heard = page.locator("main").aria_snapshot()
    assert not re.search(r"^\s*- paragraph$", heard, re.M), heard
    levels = page.locator("h1, h2, h3").evaluate_all("(all) => all.map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    page = open_home("/history")
    page.get_by_role("button", name="Show table").click()
    assert page.locator("thead th").count() == page.get_by_role("columnheader").count() >= 4
    assert page.locator("thead th[scope=col]").count() == page.locator("thead th").count()
