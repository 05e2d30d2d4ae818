"""`demo` makes a city through the real doors, serves it, and leaves nothing behind."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

Run = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., subprocess.Popen[str]]
Need = Callable[[Path | str, str], Path]
PATIENCE_MS = 120_000
SMALL = ("--households", "20", "--days", "1")


def test_a_demo_city_can_be_kept_and_asked(quintet: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    made = quintet("demo", *SMALL, "--dir", folder, "--no-serve")
    assert (made.returncode, made.stdout) == (0, ""), made.stderr
    assert "simulated: yes" in made.stderr
    facts = json.loads(quintet("doctor", "--city", folder, "--format", "json").stdout)
    assert facts["fine"]
    assert facts["closed_days"] == 1
    listed = json.loads(quintet("meters", "list", "--city", folder, "--format", "json").stdout)["meters"]
    assert {row["commodity"] for row in listed} == {"electricity", "gas", "water", "heat", "hot_water"}
    again = quintet("demo", *SMALL, "--dir", folder, "--no-serve")
    assert again.returncode == 1
    assert "is a city already" in again.stderr


def test_a_demo_serves_and_ends_cleanly(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = begin("demo", *SMALL)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(f"{address}health", timeout=10) as answer:
        assert answer.status == 200
    docs, link = (process.stdout.readline().strip() for _ in range(2))
    assert docs == f"{address}docs"
    start, _, code = link.partition("#")
    assert start == f"{address}enter"
    asked = urllib.request.Request(
        f"{address}api/v1/session:link", json.dumps({"code": code}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        me = json.loads(answer.read())
    assert len(me["homes"]) == 1, "the last address lets a resident in"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "SIMULATED" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_demos_page_moves_by_itself(begin: Begin, need: Need) -> None:
    program = need("chromium", "the page is tested in a real browser (on Debian: apt-get install chromium)")
    process = begin("demo", "--households", "200", "--days", "1")
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_page()
        page.goto(f"{address}?lang=en")
        expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
        page.evaluate("window.stayed = true")
        figures = "[...document.querySelectorAll('#carriers data')].map((one) => one.value).join(' ')"
        before = page.evaluate(figures)
        assert len(before.split()) > 10
        # every concentrator's turn comes once in a quarter of an hour: with 200 homes one every few seconds
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while page.evaluate(figures) == before:
            assert time.monotonic() < deadline
            page.wait_for_timeout(100)
        assert page.evaluate("window.stayed")
        browser.close()


def test_a_demo_that_is_ended_early_leaves_nothing(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = begin("demo", "--households", "200", "--days", "20")
    while not list(tmp_path.glob("quintet-*/readings.parquet")):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
