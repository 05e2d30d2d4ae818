"""The page of one's own account, in a real browser: password, tokens, consents, leaving; Korean and English."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from tests.browsing import DESK, PATIENCE_MS, PHONE

from quintet.app.requests_people import UserLink
from quintet.registry.person import Right
from quintet.store.records import FOREVER
from quintet.terms.period import to_us

from .peopled import HOMES, PASSWORD, START, Hand, Peopled, made

OTHER = "three lamps below a bridge"
SIZES: tuple[ViewportSize, ...] = tuple(ViewportSize(width=one[0], height=one[1]) for one in (PHONE, DESK))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path_factory.mktemp("town") / "city", hand), hand)
    for name, home in (("mina", HOMES[2]), ("hana", HOMES[3])):
        out.person(name, "resident", home)
    out.person("seo", "building_manager", "c1")
    yield out
    out.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZES[0], locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    out = context.new_page()
    yield out
    context.close()


def come_in(town: Peopled, page: Page, name: str, lang: str = "en") -> None:
    """Come in by a link and open the page of one's account."""
    answer = town.ask(UserLink(name)).read()
    page.goto(f"{town.origin}/sign-in?lang={lang}")
    code = answer["code"]
    assert page.evaluate(
        """async (code) => (await fetch("/api/v1/session:link", { method: "POST", body: JSON.stringify({ code }),
           headers: { "Content-Type": "application/json" } })).status""",
        code,
    ) == 200  # fmt: skip
    page.goto(f"{town.origin}/account?lang={lang}")
    expect(page.locator("#password")).to_be_visible(timeout=PATIENCE_MS)


def me(page: Page) -> int:
    return page.evaluate("async () => (await fetch('/api/v1/me')).status")


def test_a_password_is_changed_by_the_old_one_and_ends_what_was_open_elsewhere(town: Peopled, page: Page) -> None:
    elsewhere = town.signed_in(town.city.people.need("mina"))
    come_in(town, page, "mina")
    part = page.locator("#password")
    expect(part.get_by_label("Password until now")).to_be_hidden()
    part.get_by_label("New password").fill(PASSWORD)
    part.get_by_role("button").click()
    expect(part.get_by_role("status")).to_contain_text("signed out")
    assert elsewhere.get("/api/v1/me").status_code == 401
    part.get_by_label("Password until now").fill("no such password")
    part.locator("[name=password]").fill(OTHER)
    part.get_by_role("button").click()
    expect(part.get_by_role("status")).to_contain_text("not your password")
    part.get_by_label("Password until now").fill(PASSWORD)
    part.get_by_role("button").click()
    expect(part.get_by_role("status")).to_contain_text("signed out")
    signed = town.client().post("/api/v1/session", json={"name": "mina", "password": OTHER})
    assert signed.status_code == 200
    assert me(page) == 200


def test_a_token_and_a_consent_are_made_listed_and_ended(town: Peopled, page: Page) -> None:
    come_in(town, page, "mina")
    tokens, consents = page.locator("#tokens"), page.locator("#consents")
    expect(tokens.locator("li")).to_have_text("No token stands.")
    tokens.get_by_text("Make a token").click()
    tokens.get_by_label("Name of the program").fill("shelf display")
    tokens.get_by_role("button", name="Make it").click()
    token = tokens.locator("code").inner_text()
    held = town.client(Authorization=f"Bearer {token}")
    assert held.get("/api/v1/me").status_code == 200
    expect(tokens.locator("li")).to_contain_text("shelf display")
    consents.get_by_text("Agree to something").click()
    consents.get_by_label("Who").fill("Green Advice")
    consents.get_by_label("For what").fill("advice on heating")
    consents.get_by_label("water", exact=True).uncheck()
    consents.get_by_role("button", name="I agree").click()
    row = consents.locator("li")
    expect(row).to_contain_text("For: advice on heating")
    expect(row).to_contain_text("electricity, gas")
    expect(row).not_to_contain_text(", water")
    row.get_by_role("button", name="Take it back").click()
    expect(consents.locator("li")).to_have_text("Nobody. You have agreed to nothing.")
    tokens.get_by_role("button", name="End it").click()
    expect(tokens.locator("li")).to_have_text("No token stands.")
    assert held.get("/api/v1/me").status_code == 401


def test_who_has_two_homes_says_of_which_one_a_token_and_a_consent_are(town: Peopled, page: Page) -> None:
    duo, second = town.person("duo", "resident", HOMES[4]), HOMES[5]
    since = to_us(START)
    town.city.people.grant(duo, Right("resident", second, since, since, FOREVER), actor="test")
    come_in(town, page, "duo")
    tokens, consents = page.locator("#tokens"), page.locator("#consents")
    tokens.get_by_text("Make a token").click()
    tokens.get_by_label("Which home").select_option(second)
    tokens.get_by_label("Name of the program").fill("second home")
    tokens.get_by_role("button", name="Make it").click()
    token = tokens.locator("code").inner_text()
    held = town.client(Authorization=f"Bearer {token}").get("/api/v1/me").json()
    assert [one["place"] for one in held["homes"]] == [second]
    consents.get_by_text("Agree to something").click()
    consents.get_by_label("Which home").select_option(second)
    consents.get_by_label("Who", exact=True).fill("Green Advice")
    consents.get_by_label("For what").fill("advice")
    consents.get_by_role("button", name="I agree").click()
    expect(consents.locator("li")).to_contain_text(second)


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_nothing_is_wider_than_the_screen_and_staff_see_what_is_theirs(
    town: Peopled, page: Page, lang: str, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    come_in(town, page, "seo", lang)
    for name in ("password", "passkeys", "out", "leave"):
        expect(page.locator(f"#{name}")).to_be_visible()
    assert page.locator("#tokens, #consents").filter(visible=True).count() == 0
    come_in(town, page, "hana", lang)
    expect(page.locator("#consents li")).to_have_count(1)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    heights = page.evaluate(
        "[...document.querySelectorAll('main button, main summary')].map((e) => e.getBoundingClientRect().height)"
    )
    assert min(height for height in heights if height) >= 44


def test_who_leaves_is_told_what_it_means_and_says_the_password_again(town: Peopled, page: Page) -> None:
    come_in(town, page, "hana", "ko")
    password = page.locator("#password")
    password.locator("[name=password]").fill(PASSWORD)
    password.get_by_role("button").click()
    expect(password.get_by_role("status")).to_contain_text("되었습니다")
    leave = page.locator("#leave")
    expect(leave).to_contain_text("백업까지")
    leave.get_by_text("탈퇴하겠습니다").click()
    leave.get_by_label("비밀번호 다시 한 번").fill("wrong wrong wrong")
    leave.get_by_role("button", name="내 계정 없애기").click()
    expect(leave.get_by_role("status")).to_contain_text("비밀번호가 맞지 않습니다")
    assert me(page) == 200
    leave.get_by_label("비밀번호 다시 한 번").fill(PASSWORD)
    leave.get_by_role("button", name="내 계정 없애기").click()
    page.wait_for_url("**/sign-in", timeout=PATIENCE_MS)
    assert me(page) == 401
    assert town.city.people.find("hana") is None


def test_signing_out_forgets_what_the_browser_kept(town: Peopled, page: Page) -> None:
    come_in(town, page, "mina", "ko")
    page.evaluate("localStorage.setItem('quintet.home.x|y', '1')")
    elsewhere = town.signed_in(town.city.people.need("mina"))
    page.get_by_role("button", name="다른 기기에서 모두 로그아웃").click()
    expect(page.locator("#out .told")).to_have_text("되었습니다. 이제 이 기기에서만 로그인되어 있습니다.")
    assert (me(page), elsewhere.get("/api/v1/me").status_code) == (200, 401)
    page.locator("#out").get_by_role("button", name="로그아웃", exact=True).click()
    page.wait_for_url("**/sign-in", timeout=PATIENCE_MS)
    assert page.evaluate("localStorage.length") == 0
    assert me(page) == 401


def test_an_operator_says_why_he_opens_a_home_and_its_household_reads_it(town: Peopled, page: Page) -> None:
    town.person("ops", "operator", "city")
    come_in(town, page, "ops", "en")
    page.goto(f"{town.origin}/home?place={HOMES[2]}&lang=en")
    expect(page.locator("h1")).to_have_text("Why do you open this home?")
    page.get_by_label("Reason").fill("report of a leak, 누수")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator(".tile[data-commodity]").first).to_be_visible(timeout=PATIENCE_MS)
    household = town.signed_in(town.city.people.need("mina"))
    assert "report of a leak, 누수" in {one["reason"] for one in household.get("/api/v1/me/reads").json()["reads"]}
    assert not any("home" in key for key in page.evaluate("Object.keys(localStorage)")), "nothing of it is kept"
    other = page.context.new_page()
    other.goto(f"{town.origin}/home?place={HOMES[2]}&lang=ko")
    expect(other.locator("h1")).to_have_text("이 집을 왜 여시나요?")
    page.goto(f"{town.origin}/home?place={HOMES[4]}&lang=en")
    expect(page.locator("h1")).to_have_text("Why do you open this home?")
