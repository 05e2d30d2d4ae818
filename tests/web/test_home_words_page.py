"""What the resident's page says where it has no figure, or one of a part only: the reason that is true."""

import re

import pytest
from playwright.sync_api import Page, expect

from quintet.app.alert_looks import look
from quintet.app.city import City

from .home_city import HEARD, NEW, ONE, STEP, TWO, commit
from .test_home_page import Open, home_address, homes, open_home, page_built

COLOUR = "(wanted) => getComputedStyle(document.querySelector(wanted)).color"
DEAD = {(ONE, "ko"): "난방", (ONE, "en"): "heating", (TWO, "ko"): "전기", (TWO, "en"): "electricity"}
__all__ = ["home_address", "homes", "open_home", "page_built"]


def hero(page: Page) -> str:
    return page.locator(".hero .note").first.inner_text()


def test_why_there_is_no_won_is_what_the_tiles_say(open_home: Open) -> None:
    page = open_home(place=TWO, lang="ko")
    expect(page.locator(".hero .note").first).to_contain_text("계약이 정해져 있지 않아")
    gas = page.locator(".tile[data-commodity=gas]")
    expect(gas.locator(".figure")).to_be_visible()
    expect(gas).not_to_contain_text("계약이")  # it stands above, once
    assert "No reading of today" in hero(open_home(place=NEW))
    one = open_home(place=ONE)
    expect(one.locator(".hero .chip", has_text="Not in the sum: water, heat")).to_be_visible()
    expect(one.locator(".tile[data-commodity=water]")).to_contain_text("No contract is stated")
    expect(one.locator(".tile[data-commodity=electricity]")).not_to_contain_text("contract")
    expect(one.locator(".tile[data-commodity=heat]")).not_to_contain_text("contract")  # it stands still, which is said


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_utility_that_the_home_has_not_leads_to_those_it_has(open_home: Open, lang: str) -> None:
    page = open_home("/history", ONE, lang=lang, more="&utility=gas&length=week")
    told = page.locator("[role=alert]")
    expect(told).to_contain_text(
        {"ko": "이 집에는 이 계량기가 없습니다", "en": "There is no such meter in this home"}[lang]
    )
    expect(told.locator(".button")).to_have_count(3)
    told.locator(".button").first.click()
    expect(page.locator(".big")).to_be_visible()
    assert re.search(r"utility=electricity.*length=week|length=week.*utility=electricity", page.url)


def test_what_is_of_a_part_of_the_month_only_is_grey_utility_by_utility(open_home: Open) -> None:
    page = open_home("/bill", more="&month=2026-09")
    card = page.locator(".card[data-commodity=electricity]")
    expect(card.locator("h2 .figure")).to_have_class(re.compile(r"\bfew\b"))
    expect(page.locator(".big")).to_have_class(re.compile(r"\bfew\b"))
    grey, black = (page.evaluate(COLOUR, one) for one in (".big", ".card h2 .figure:not(.few)"))
    assert page.evaluate(COLOUR, ".card[data-commodity=electricity] .figure") == grey != black
    expect(card).to_contain_text("11 of 30 days known")
    expect(card.locator(".gauge")).to_have_count(0)
    expect(card).to_contain_text("to say in which tier")
    page.get_by_role("link", name="October 2026").click()
    expect(page.locator("main h1")).to_have_text("October 2026")
    expect(card.locator("h2 .figure")).not_to_have_class(re.compile(r"\bfew\b"))
    expect(card.locator(".tier")).to_contain_text("Ended in tier")


def test_no_link_leads_beyond_the_running_month(open_home: Open) -> None:
    page = open_home("/bill")
    links = page.locator(".hero .turn a")
    expect(links).to_have_text([re.compile("October 2026")])
    links.first.click()
    expect(page.locator("main h1")).to_have_text("October 2026")
    expect(links).to_have_text([re.compile("September 2026"), re.compile("November 2026")])


def test_the_day_of_the_next_tier_is_said_as_forecast(open_home: Open) -> None:
    page = open_home("/bill", lang="ko")
    expect(page.locator(".card[data-commodity=electricity] .tier")).to_contain_text("예상대로면")


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_alerts_say_what_now_says_of_the_checks(open_home: Open, homes: City, lang: str) -> None:
    look(homes, [NEW], alike=False)
    page = open_home("/alerts", NEW, lang=lang)
    answer = page.locator(".answer")
    expect(answer).to_contain_text(
        {"ko": "아직 점검할 수 있는 것이 없습니다", "en": "Nothing could be checked yet"}[lang]
    )
    expect(page.locator(".answer.good")).to_have_count(0)
    expect(page.locator(".rows li").first).to_be_visible()


@pytest.mark.parametrize("place", [ONE, TWO])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_who_has_a_dead_meter_is_not_told_that_all_is_well(open_home: Open, homes: City, place: str, lang: str) -> None:
    look(homes, [ONE, TWO], alike=False)
    page = open_home("", place, lang=lang)
    line = page.locator(".wrong.watch")
    expect(line).to_contain_text({"ko": "멈춘 계량기", "en": "silent or stopped"}[lang])
    expect(line).to_contain_text(DEAD[place, lang])
    said = line.locator("span").first.inner_text()
    line.click()
    expect(page.locator(".answer")).to_have_text(said)
    expect(page.locator(".answer.good")).to_have_count(0)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_where_checks_were_made_both_views_say_how_many(open_home: Open, homes: City, lang: str) -> None:
    commit(homes, *(("power2", HEARD - number * STEP, 0.1) for number in range(1, 50)))
    look(homes, [TWO], alike=False)
    page = open_home("", TWO, lang=lang)
    line = page.locator(".wrong")
    expect(line).to_contain_text({"ko": "가지 가운데", "en": "checks made"}[lang])
    said = line.locator("span").first.inner_text()
    line.click()
    expect(page.locator(".answer.good")).to_have_text(said)
