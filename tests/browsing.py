"""One real browser for the tests of pages: how it starts, how long it is waited for, and the two sizes of a page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

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
