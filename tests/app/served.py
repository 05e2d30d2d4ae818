"""A real `serve` in a process of its own, with a simulated city's meters and a token to send for it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.program import environment

from quintet.app.city import City
from quintet.simulate import CityPlan, simulate_city

PATIENCE_S = 60.0


def run(*words: str | Path, expect: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "quintet.app", *map(str, words)],
        capture_output=True, text=True, env=environment(**more), timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == expect, (words, done.stdout, done.stderr)
    return done


def document(*words: str | Path, expect: int = 0) -> dict[str, object]:
    """Give what a command answers as JSON."""
    return json.loads(run(*words, "--format", "json", expect=expect).stdout)


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Served:
    """A city folder that can be served, ended and killed."""

    def __init__(self, folder: Path, households: int = 0) -> None:
        """Make a city, with the meters of a simulated one of so many households, and a token."""
        self.folder = folder
        City.create(folder, timezone="Asia/Seoul").close()
        city = City.open(folder)
        if households:
            plan = CityPlan(start=date(2026, 1, 12), days=1, households=households, faults=False)
            city.pipeline.register(simulate_city(plan).meters, source="test", actor="test")
        _, self.token = city.tokens.create("load", ("readings", "meters"), actor="test")
        city.close()
        self.token_file = folder.with_suffix(".token")
        self.token_file.write_text(self.token)
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self, *words: str | Path, port: int = 0, **more: str) -> "Served":
        """Serve; what it says goes to `log`."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "quintet.app", "serve", "--city", self.folder,
                 "--port", str(port), *words],
                stdout=subprocess.PIPE, stderr=log, text=True, env=environment(**more),
            )  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address, self.log.read_text()
        return self

    def end(self, *, kill: bool = False) -> None:
        """End it in order, or not."""
        if self.process is None:
            return
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.communicate(timeout=PATIENCE_S)
        self.process = None
