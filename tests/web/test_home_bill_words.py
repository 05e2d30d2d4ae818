"""What the bill's page says of a contract that changed within the month, and of a household's move."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from .home_city import ONE
from .test_home_page import Open, home_address, homes, open_home, page_built

__all__ = ["home_address", "homes", "open_home", "page_built"]
WORDS = {
    "en": ("A household moved in or out on 10 Nov: shown is the time since then only.", "The contract changed within"),
    "ko": ("11월 10일에 입주나 퇴거가 있어, 그때부터의 요금만 보입니다.", "이 달에 계약이 바뀌어"),
}


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_move_and_a_changed_contract_are_said(open_home: Open, home_address: str, lang: str) -> None:
    with httpx.Client(base_url=home_address, timeout=60) as client:
        body: dict[str, Any] = client.get("/api/v1/home/bill", params={"place": ONE}).raise_for_status().json()
    assert (body["moved"], {why for line in body["lines"] for why in line["why"]} & {"contract_changed"}) == (
        None,
        set(),
    )
    page = open_home("", ONE, lang=lang)
    page.locator(".tabs a[data-view=bill]").click()
    moved, changed = WORDS[lang]
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(moved)
    lines = [{**line, "why": [*line["why"], "contract_changed"]} for line in body["lines"][:1]]
    told = {**body, "moved": "2026-11-10", "lines": [*lines, *body["lines"][1:]]}
    page.route(re.compile("/api/v1/home/bill"), lambda route: route.fulfill(json=told))
    page.reload()
    expect(page.locator(".hero")).to_contain_text(moved)
    expect(page.locator(".card[data-commodity=electricity]")).to_contain_text(changed)
