"""Starts the real program."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import program
from tests.broker import Broker
from tests.browsing import browser
from tests.conftest import Need
from tests.mqtt_stand import running_broker

from quintet.app.city import City
from quintet.app.cli import build
from quintet.app.door import Failure, guarded

from .seen_city import Clock, made

__all__ = ["browser"]
RunHere = Callable[..., tuple[int, str, str]]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def quintet() -> Run:
    """Give a function that runs `quintet WORDS...` to its end; warnings are errors there too."""

    def run(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "quintet.app", *words],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=program.environment(**environment),
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunHere:
    """Run the command line here, without a city; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QUINTET_CITY", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        outcome = guarded(lambda: build()(list(words), exit_on_error=False, print_error=False))
        out = capsys.readouterr()
        if isinstance(outcome, Failure):
            return outcome.exit_code, out.out, f"{outcome.line()}\n"
        return outcome, out.out, out.err

    return run


@pytest.fixture
def broker(tmp_path: Path, need: Need) -> Iterator[Broker]:
    """Give a broker that runs."""
    with running_broker(tmp_path / "broker", need) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """Give a clock that the test sets."""
    return Clock()


@pytest.fixture
def city(tmp_path: Path, clock: Clock) -> Iterator[City]:
    """Give a small open city that is looked at."""
    opened = made(tmp_path / "city", clock)
    yield opened
    opened.close()
