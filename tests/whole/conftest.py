"""The real program in processes of its own, and a small city whose every number is known."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.program import environment

from .once import made_once

Run = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., subprocess.Popen[str]]

START = datetime(2025, 1, 31, 15, tzinfo=UTC)
"""2025-02-01 00:00 in Seoul."""
SLOTS = 2 * 96
METERS = """\
site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,101,home-electricity,electricity,kWh,interval_sum,15,Asia/Seoul,consumption
c1,101,home-gas,gas,m3,register_cumulative,15,Asia/Seoul,consumption
c1,101,roof,solar,kWh,interval_sum,15,Asia/Seoul,generation
city,,grid,electricity,kWh,interval_sum,15,Asia/Seoul,import
c1,101,odd,plasma,kWh,interval_sum,15,Asia/Seoul,consumption
"""


COMMAND = [sys.executable, "-W", "error", "-m", "quintet.app"]


@pytest.fixture(scope="session")
def quintet() -> Run:
    """Give a function that runs `quintet WORDS...` to its end."""

    def run(*words: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment(**more),
            timeout=180,
            check=False,
        )

    return run


@pytest.fixture
def begin(request: pytest.FixtureRequest) -> Begin:
    """Give a function that starts `quintet WORDS...` and leaves it running until the test ends."""

    def start(*words: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )

        def end() -> None:
            process.kill()
            process.communicate()

        request.addfinalizer(end)
        return process

    return start


def stamp(slot: int) -> str:
    """Give the start of a slot of the small city, RFC 3339."""
    return (START + timedelta(minutes=15 * slot)).isoformat()


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a dataset of two days; the mean slot has 0.25 kWh and 0.03 m3 used, 0.01 kWh made, 0.3 kWh imported."""
    return made_once(tmp_path_factory, "dataset", write_dataset) / "small"


def write_dataset(place: Path) -> None:
    """Write the dataset of the small city."""
    folder = place / "small"
    folder.mkdir()
    (folder / "meters.csv").write_text(METERS)
    lines = ["site,meter,ts_utc,value"]
    for slot in range(SLOTS):
        odd = slot % 2
        lines.append(f"c1,home-electricity,{stamp(slot)},{0.3 if odd else 0.2}")
        lines.append(f"c1,roof,{stamp(slot)},{0.012 if odd else 0.008}")
        lines.append(f"city,grid,{stamp(slot)},{0.35 if odd else 0.25}")
    lines += [f"c1,home-gas,{stamp(slot)},{100 + slot * 3 // 2 * 2 / 100:.2f}" for slot in range(SLOTS + 1)]
    lines.append("c1,home-electricity,2025-02-03T00:00:00,1.0")
    (folder / "readings.csv").write_text("\n".join(lines) + "\n")


READINGS = 3 * SLOTS + SLOTS + 1


def made(folder: Path, quintet: Run) -> Path:
    """Make a city without meters."""
    done = quintet("init", folder, "--name-en", "Naju", "--name-ko", "나주", "--timezone", "Asia/Seoul")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return folder


@pytest.fixture(scope="session")
def cities(tmp_path_factory: pytest.TempPathFactory, dataset: Path, quintet: Run) -> Path:
    """Give a folder with the new city and the small one with its dataset taken in; they are only ever copied."""

    def make(folder: Path) -> None:
        made(folder / "new", quintet)
        shutil.copytree(folder / "new", folder / "naju")
        taken = quintet("ingest", dataset, "--city", folder / "naju")
        assert taken.returncode == 0, taken.stderr

    return made_once(tmp_path_factory, "cities", make)


@pytest.fixture
def city(cities: Path, tmp_path: Path) -> Path:
    """Give a new city without meters."""
    return Path(shutil.copytree(cities / "new", tmp_path / "new"))


@pytest.fixture(scope="session")
def read_only(cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the small city with its dataset taken in, for tests that only ask."""
    return Path(shutil.copytree(cities / "naju", tmp_path_factory.mktemp("asked") / "naju"))


@pytest.fixture
def filled(cities: Path, tmp_path: Path) -> Path:
    """Give a copy of the small city that the test may change."""
    return Path(shutil.copytree(cities / "naju", tmp_path / "naju"))
