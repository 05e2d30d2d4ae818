"""Signing in, in a real browser: a link that opens once, an invitation, a password, a passkey; Korean and English."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browsing import PATIENCE_MS, PHONE

from quintet.app.requests_people import InviteCreate, UserLink

from .peopled import HOMES, PASSWORD, Hand, Peopled, made

MAKE_PASSKEY = """async () => {
  const post = async (path, body) => (await fetch(`/api/v1/me/${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await post("passkeys:options", {}));
  const credential = await navigator.credentials.create({ publicKey });
  return (await post("passkeys", { credential: credential.toJSON(), label: "phone" })).passkeys;
}"""
CHANGE = """async () => {
  const answer = await fetch("/api/v1/me/password", { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ password: "another long sentence" }) });
  return [answer.status, (await answer.json()).code];
}"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path_factory.mktemp("town") / "city", hand), hand)
    out.person("mina", "resident", HOMES[2])
    yield out
    out.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="ko-KR")
    context.set_default_timeout(PATIENCE_MS)
    out = context.new_page()
    yield out
    context.close()


def me(page: Page) -> dict[str, object]:
    return page.evaluate("async () => (await fetch('/api/v1/me')).json()")


def test_a_link_opens_once_on_a_phone_and_the_code_is_in_no_address_that_is_sent(town: Peopled, page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    link = town.ask(UserLink("mina")).read()
    page.goto(f"{town.origin}/enter#{link['code']}")
    expect(page.locator("h1")).to_have_text("들어가기")
    page.get_by_role("button", name="내 페이지 열기").click()
    page.wait_for_url("**/home", timeout=PATIENCE_MS)
    assert me(page)["name"] == "Mina"
    assert sent
    assert not any(link["code"] in url for url in sent)
    assert all(url.startswith(town.origin) for url in sent), "no request leaves the machine"
    page.goto(f"{town.origin}/enter?lang=en#{link['code']}")
    page.get_by_role("button", name="Open my page").click()
    expect(page.get_by_role("alert")).to_contain_text("Ask for a new one")


def test_an_invitation_makes_an_account_and_each_wrong_code_is_said_in_korean(town: Peopled, page: Page) -> None:
    code = town.ask(InviteCreate(HOMES[3])).read()["code"]
    page.goto(f"{town.origin}/home")
    page.wait_for_url("**/sign-in?next=/home", timeout=PATIENCE_MS)
    page.get_by_role("link", name="초대 코드가 있습니다").click()
    for label, text in (("코드", "AAAA"), ("아이디", "hana"), ("비밀번호", PASSWORD)):
        page.get_by_label(label).first.fill(text)
    page.get_by_role("button", name="계정 만들기").click()
    expect(page.get_by_role("alert")).to_contain_text("그런 초대가 없습니다")
    page.get_by_label("코드").fill(code)
    page.get_by_role("button", name="계정 만들기").click()
    page.wait_for_url("**/home", timeout=PATIENCE_MS)
    assert [home["place"] for home in me(page)["homes"]] == [HOMES[3]]


def test_staff_come_by_a_link_and_set_what_they_sign_in_by(town: Peopled, page: Page) -> None:
    town.person("seo", "operator", "city")
    page.goto(f"{town.origin}/enter#{town.ask(UserLink('seo')).read()['code']}")
    page.get_by_role("button", name="내 페이지 열기").click()
    page.wait_for_url("**/account", timeout=PATIENCE_MS)
    page.locator("#password [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="비밀번호 정하기").click()
    expect(page.locator("#password").get_by_role("status")).to_contain_text("되었습니다.")
    again = town.client().post("/api/v1/session", json={"name": "seo", "password": PASSWORD})
    assert again.status_code == 200
    assert page.evaluate(CHANGE) == [403, "wrong_password"], "who has one must say it before he sets another"


def test_a_passkey_signs_in_and_another_site_of_the_same_name_cannot_send_people_away(
    town: Peopled, page: Page
) -> None:
    site = town.origin.replace("127.0.0.1", "localhost")  # a passkey is bound to a name, never to a number
    tool = page.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    tool.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                     "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    page.goto(f"{site}/enter#{town.ask(UserLink('mina')).read()['code']}")
    page.get_by_role("button", name="내 페이지 열기").click()
    page.wait_for_url("**/home", timeout=PATIENCE_MS)
    assert page.evaluate(MAKE_PASSKEY) == 1
    assert page.evaluate("async () => (await fetch('/api/v1/session', { method: 'DELETE' })).status") == 204
    page.goto(f"{site}/sign-in?next=//evil.example/")
    page.get_by_role("button", name="패스키로 로그인").click()
    page.wait_for_url("**/home", timeout=PATIENCE_MS)
    assert page.url.startswith(site)
    assert me(page)["name"] == "Mina"


def test_the_other_language_takes_the_code_and_the_way_along(town: Peopled, page: Page) -> None:
    link = town.ask(UserLink("mina")).read()
    page.goto(f"{town.origin}/enter#{link['code']}")
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Come in")
    page.get_by_role("button", name="Open my page").click()
    page.wait_for_url("**/home", timeout=PATIENCE_MS)
    page.context.clear_cookies()
    page.goto(f"{town.origin}/sign-in?next=/home/bill")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/sign-in?next=%2Fhome%2Fbill&lang=en", timeout=PATIENCE_MS)
