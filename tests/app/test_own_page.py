"""The way to one's own page: from the city's address, from an address that is none, and where one has no home."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests.browsing import PATIENCE_MS, PHONE

from quintet.registry.person import Right

from .peopled import HOMES, KINDS, START, Hand, Peopled, made
from .served import wait_for

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
STAFF = {
    "boss": ("operator", "city"),
    "zone": ("operator", "c1"),
    "seo": ("building_manager", "c1"),
    "lee": ("analyst", "city"),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path_factory.mktemp("town") / "city", hand), hand)
    out.person("mina", "resident", HOMES[2])
    out.person("hana", "resident", HOMES[3])
    out.person("old", "resident", HOMES[1], START)
    for name, (role, place) in STAFF.items():
        out.person(name, role, place)
    yield out
    out.close()


def of(town: Peopled, name: str) -> httpx.Client:
    return town.signed_in(town.city.people.need(name))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    out = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB", reduced_motion="reduce")
    out.set_default_timeout(PATIENCE_MS)
    yield out
    out.close()


def come_in(town: Peopled, context: BrowserContext, name: str) -> None:
    secret = town.city.entrance.begin(town.city.people.need(name))
    context.add_cookies([{"name": "quintet", "value": secret, "url": town.origin}])


@pytest.mark.parametrize(
    ("name", "where"), [("mina", "/home"), ("seo", "/building"), ("lee", "/home"), ("zone", "/home")]
)
def test_the_citys_address_leads_to_ones_own_page(town: Peopled, name: str, where: str) -> None:
    answered = of(town, name).get("/", headers=HTML)
    assert (answered.status_code, answered.headers["location"]) == (303, where)
    kept = of(town, name).get("/?lang=ko&x=/evil", headers=HTML)
    assert kept.headers["location"] == f"{where}?lang=ko"


def test_who_runs_the_city_sees_it_and_who_has_not_signed_in_signs_in(town: Peopled) -> None:
    assert of(town, "boss").get("/").status_code == 200
    assert town.client().get("/").headers["location"].startswith("/sign-in")


def test_a_manager_who_lives_here_comes_home(town: Peopled) -> None:
    person = town.person("both", "resident", HOMES[4])
    town.city.people.grant(person, Right("building_manager", "c2", town.hand()), actor="test")
    assert of(town, "both").get("/").headers["location"] == "/home"


@pytest.mark.parametrize(
    ("name", "said", "links"),
    [
        ("lee", "released months", ["/docs", "/account?lang=en"]),
        ("zone", "whole city", ["/docs", "/account?lang=en"]),
        ("boss", "yours is below", ["/?lang=en", "/account?lang=en"]),
        ("seo", "yours is below", ["/building", "/account?lang=en"]),
    ],
)
def test_who_lives_in_no_home_is_told_what_is_open_to_him(
    town: Peopled, context: BrowserContext, name: str, said: str, links: list[str]
) -> None:
    come_in(town, context, name)
    page = context.new_page()
    page.goto(f"{town.origin}/home?lang=en")
    expect(page.locator("main .hero")).to_contain_text(said)
    assert page.locator("main a.button").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))") == links
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize(
    ("lang", "said"), [("ko", "보여 드릴 것이 없습니다"), ("en", "nothing for you at this address")]
)
@pytest.mark.parametrize("name", ["mina", "boss", ""])
def test_an_address_that_is_none_shows_a_browser_a_page(
    town: Peopled, context: BrowserContext, name: str, lang: str, said: str
) -> None:
    if name:
        come_in(town, context, name)
    page = context.new_page()
    answered = page.goto(f"{town.origin}/nowhere?lang={lang}")
    assert answered is not None
    assert answered.status == {"mina": 404, "boss": 404, "": 401}[name]
    expect(page.locator("h1")).to_contain_text(said)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.locator(".ways a").first.click()
    expect(page.locator("h1").first).to_be_visible()
    assert page.url.split("?")[0].removeprefix(town.origin) == {"mina": "/home", "boss": "/", "": "/sign-in"}[name]


def test_programs_and_addresses_of_programs_get_a_problem(town: Peopled) -> None:
    mina = of(town, "mina")
    for path, headers in (("/nowhere", {"Accept": "*/*"}), ("/api/v1/nowhere", HTML), ("/api/v1/nothing/here", HTML)):
        answered = mina.get(path, headers=headers)
        assert answered.headers["content-type"] == "application/problem+json"
        assert (answered.status_code, answered.json()["code"]) == (404, "no_such_address")
    assert mina.post("/nowhere", headers=HTML).headers["content-type"] == "application/problem+json"


def test_what_is_not_there_and_what_is_not_ones_own_look_alike(town: Peopled) -> None:
    mina = of(town, "mina")
    nowhere, desk = (mina.get(path, headers=HTML) for path in ("/nowhere", "/ready/nothing"))
    assert (nowhere.status_code, nowhere.text) == (desk.status_code, desk.text)


@pytest.mark.parametrize("more", ["", "&month=2026-03"])
def test_the_bill_of_who_moved_out_leads_to_no_other_month(town: Peopled, context: BrowserContext, more: str) -> None:
    come_in(town, context, "old")
    page = context.new_page()
    page.goto(f"{town.origin}/home/bill?place={HOMES[1]}&lang=en{more}")
    expect(page.locator("main h1")).to_have_text("March 2026")
    expect(page.locator(".hero .chips")).to_contain_text("2 Mar – 2 Mar")
    expect(page.locator(".card")).to_have_count(len(KINDS))
    expect(page.locator(".hero .turn a")).to_have_count(0)


KEPT = """async () => {
  const names = await caches.keys();
  const held = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  const paths = held.flat().map((one) => new URL(one.url).pathname);
  const own = Object.keys(localStorage).filter((one) => one.startsWith("quintet.home."));
  return [paths.includes("/home"), paths.filter((one) => one.startsWith("/home/assets/")).length > 4, own.length > 0];
}"""
"""Whether the browser keeps the page with its figures, the page's files, and answers."""


@pytest.mark.parametrize("where", ["/home/data", "/account"])
def test_signing_out_leaves_no_figure_on_the_device_and_the_files_stay(
    town: Peopled, context: BrowserContext, where: str
) -> None:
    come_in(town, context, "mina")
    page = context.new_page()
    page.goto(f"{town.origin}/home?lang=en")
    for _ in range(600):
        if page.evaluate(KEPT) == [True, True, True]:
            break
        page.wait_for_timeout(100)
    assert page.evaluate(KEPT) == [True, True, True]
    page.goto(f"{town.origin}{where}?lang=en")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in*")
    assert page.evaluate(KEPT) == [False, True, False]


def test_who_cannot_be_signed_out_is_told(town: Peopled, context: BrowserContext) -> None:
    come_in(town, context, "mina")
    page = context.new_page()
    page.goto(f"{town.origin}/home/data?lang=en")
    expect(page.get_by_text("Nobody but you has opened")).to_be_visible()
    context.set_offline(True)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert").filter(has_text="still signed in")).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")


def test_the_language_that_one_chooses_is_there_the_next_time(town: Peopled, context: BrowserContext) -> None:
    hana = of(town, "hana")
    assert hana.get("/api/v1/me").json()["language"] == ""
    come_in(town, context, "hana")
    page = context.new_page()
    page.goto(f"{town.origin}/home/history?length=week&lang=en")
    page.locator("a.language").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    assert "length=week" in page.url
    wait_for(lambda: hana.get("/api/v1/me").json()["language"] == "ko", "the language is kept")
    page.goto(f"{town.origin}/home")
    expect(page.locator("main h1")).to_have_text("오늘 지금까지")
    wrong = hana.put("/api/v1/me/language", json={"language": "fr"})
    assert (wrong.status_code, hana.get("/api/v1/me").json()["language"]) == (422, "ko")
    assert town.client().put("/api/v1/me/language", json={"language": "ko"}).status_code == 401
