"""Following docs/ingest.md: its commands as they stand bring readings in, and a page that is open shows them."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from tests.program import environment

from .test_serve import address_of

Need = Callable[[Path | str, str], Path]

PATIENCE_S = 60
WHY = "the docs are run as they stand"
BLOCK = re.compile(r"^```sh ([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKS = {
    "init": 1, "serve": 1, "meter": 2, "curl": 2, "broker": 1, "serve-mqtt": 1, "mqtt": 1, "tokens": 1, "ready": 1,
}  # fmt: skip
MQTT_MARKS = ("files", "broker", "serve", "publish")
PLACE = "c001/101/0101"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def blocks(page: Path) -> dict[str, list[str]]:
    """Give the commands of a page by their mark."""
    found: dict[str, list[str]] = {}
    for mark, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        found.setdefault(mark, []).append(text)
    return found


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


class Followed:
    """Somebody who types what a page says, in an empty folder; the ports are free ones instead of those it names."""

    def __init__(self, page: Path, folder: Path, shell: Path) -> None:
        """Read the page and put `quintet` where a shell finds it."""
        self.turn_to(page)
        self._folder, self._shell = folder, shell
        self.ports = {"8484": free_port(), "1883": free_port()}
        self.address = f"http://127.0.0.1:{self.ports['8484']}/"
        tools = folder / "bin"
        tools.mkdir()
        (tools / "quintet").write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m quintet.app "$@"\n')
        (tools / "quintet").chmod(0o755)
        (tools / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (tools / "python").chmod(0o755)
        self._environment = environment(PATH=f"{tools}:/usr/sbin:/usr/bin:/bin")

    def turn_to(self, page: Path) -> None:
        """Go on with another page."""
        self.marked = blocks(page)

    def _words(self, *marks: str) -> list[str]:
        text = "\n".join(text for mark in marks for text in self.marked[mark])
        for named, free in self.ports.items():
            text = re.sub(rf"\b{named}\b", free, text)
        return [str(self._shell), "-c", f"set -euo pipefail\n{text}"]

    def run(self, *marks: str) -> str:
        """Type the blocks of some marks into one shell; give what they print."""
        done = subprocess.run(
            self._words(*marks), cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def begin(self, mark: str) -> subprocess.Popen[str]:
        """Type a block that goes on running; its last command takes the shell's place, as Ctrl-C would find it."""
        *before, last = self._words(mark)[2].strip().split("\n")
        words = [str(self._shell), "-c", "\n".join([*before, f"exec {last}"])]
        return subprocess.Popen(
            words, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def followed(root: Path, tmp_path: Path, need: Need) -> Followed:
    shell, _ = need("bash", WHY), need("curl", WHY)
    return Followed(root / "docs/ingest.md", tmp_path, shell)


Begin = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def begin(followed: Followed, request: pytest.FixtureRequest) -> Begin:
    """Give a function that types a block which goes on running until the test ends."""

    def start(mark: str) -> subprocess.Popen[str]:
        process = followed.begin(mark)
        request.addfinalizer(lambda: (process.kill(), process.communicate()))
        return process

    return start


def test_the_commands_bring_one_reading_in(followed: Followed, begin: Begin) -> None:
    assert {mark: len(texts) for mark, texts in followed.marked.items()} == MARKS
    followed.run("init")
    assert address_of(begin("serve")) == followed.address
    said = followed.run("meter", "curl", "tokens", "ready")
    assert '"registered":1' in said
    assert '"accepted":1,"duplicate":0,"quarantined":0' in said
    assert '"value":0.25' in said
    assert '{"status":"ready"}' in said


def test_a_page_that_is_open_shows_what_curl_and_mosquitto_pub_send(
    followed: Followed, begin: Begin, need: Need
) -> None:
    browser_program = need("chromium", WHY)
    need("mosquitto_pub", WHY)
    need(Path(shutil.which("mosquitto") or "/usr/sbin/mosquitto"), WHY)
    followed.run("init")
    server = begin("serve")
    assert address_of(server) == followed.address
    followed.run("meter")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_program, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{followed.address}?lang=en")
        live = page.locator("#live")
        expect(live).to_have_attribute("data-state", "live", timeout=PATIENCE_S * 1000)
        page.evaluate("window.stayed = true")
        followed.run("meter", "curl")
        shown = page.locator("#utilities article[data-commodity=electricity] .big data")
        expect(shown).to_have_attribute("value", "0.25", timeout=PATIENCE_S * 1000)
        server.terminate()
        server.communicate(timeout=PATIENCE_S)
        expect(live).not_to_have_attribute("data-state", "live", timeout=PATIENCE_S * 1000)
        begin("broker")
        assert address_of(begin("serve-mqtt")) == followed.address
        followed.run("mqtt")
        values = stored(followed.address, 2)
        assert sorted(values) == [0.25, 0.5]
        if len(of_day(followed.address)) == len(values):  # not in the half hour after the city's midnight
            expect(shown).to_have_attribute("value", "0.75", timeout=PATIENCE_S * 1000)
        expect(live).to_have_attribute("data-state", "live", timeout=PATIENCE_S * 1000)
        assert page.evaluate("window.stayed")
        browser.close()


def test_a_broker_with_passwords_is_set_up_as_the_docs_say(
    followed: Followed, begin: Begin, need: Need, root: Path, tmp_path: Path
) -> None:
    need("mosquitto_pub", WHY)
    need(Path(shutil.which("mosquitto") or "/usr/sbin/mosquitto"), WHY)
    followed.run("init")
    server = begin("serve")
    assert address_of(server) == followed.address
    followed.run("meter")
    server.terminate()
    server.communicate(timeout=PATIENCE_S)
    followed.turn_to(root / "docs/mqtt.md")
    assert {mark: len(texts) for mark, texts in followed.marked.items()} == dict.fromkeys(MQTT_MARKS, 1)
    followed.run("files")
    configuration = tmp_path / "broker/mosquitto.conf"
    written = configuration.read_text()
    assert "allow_anonymous false" in written
    if os.geteuid() == 0:  # else it would become another user, who may not enter this folder
        configuration.write_text(f"user root\n{written}")
    begin("broker")
    assert address_of(begin("serve")) == followed.address
    followed.run("publish")
    assert stored(followed.address, 1) == [0.75]


def of_day(address: str, **day: str) -> list[float]:
    """Give the values of one of the dwelling's days; the newest where none is named."""
    answer = httpx.get(f"{address}api/v1/dwelling-days", params={"place": PLACE, **day}, timeout=PATIENCE_S).json()
    return [row["value"] for utility in answer["utilities"] for row in utility["rows"] if row["value"] is not None]


def stored(address: str, count: int) -> list[float]:
    """Wait until so many readings of today and yesterday are there; give their values."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        now = datetime.now(ZoneInfo("Asia/Seoul"))
        days = [f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in (0, 1)]
        values = [value for day in days for value in of_day(address, day=day)]
        if len(values) >= count:
            return values
        assert time.monotonic() < deadline, values
        time.sleep(0.1)
