"""One real browser for the tests of pages: how it starts, how long it is waited for, and the two sizes of a page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from .conftest import Need

PATIENCE_MS = 60_000
PHONE, DESK = (390, 844), (1280, 800)
expect.set_options(timeout=PATIENCE_MS)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


# Not for the session: the driver keeps an event loop in this thread, and a second one beside it is refused.
@pytest.fixture(scope="module")
def browser(need: Need) -> Iterator[Browser]:
    """Give Chromium, without a window."""
    program = need("chromium", "pages are tested in a real browser (on Debian: apt-get install chromium)")
    with sync_playwright() as play:
        out = play.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield out
        out.close()


class Asked:
    """What a page has asked and not been told yet, but for what goes on for ever: a city is closed when all is told."""

    def __init__(self, page: Page) -> None:
        """Listen to a page."""
        self._page, self._open = page, set[Request]()
        page.on("request", self._begins)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._ends)

    def _begins(self, request: Request) -> None:
        if request.resource_type != "eventsource":
            self._open.add(request)

    def _ends(self, request: Request) -> None:
        self._open.discard(request)

    def wait(self) -> None:
        """Wait until nothing is open, or so long that it never will."""
        for _ in range(PATIENCE_MS // 100):
            if not self._open or self._page.is_closed():
                return
            self._page.wait_for_timeout(100)
