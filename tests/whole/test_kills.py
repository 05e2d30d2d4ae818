"""kill -9 at any moment, also while a day closes: what was reported stored is there, nothing is half there.

60 random kills by default; QUINTET_KILLS says how many.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import quintet
from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings, register_meters
from quintet.simulate import CityPlan, simulate_city, write_city_toml

PROGRAM = Path(__file__).with_name("kill_program.py")
KILLS = int(os.environ.get("QUINTET_KILLS", "60"))
SEEDS = 6
DAYS = 5
SPREAD_S = 0.9
"""An undisturbed run takes about this long: most kills meet it at work."""


@dataclass(frozen=True)
class Prepared:
    """A city with its meters, the files to take in, and its content after 0, 1, 2, ... of them."""

    city: Path
    files: Path
    contents: list[str]


def content_of(city: City) -> str:
    """Give the content of a city that must be sound."""
    found = city.doctor()
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    return str(found.facts["content_hash"])


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Make the city, the files, and the contents that an undisturbed run gives."""
    folder = tmp_path_factory.mktemp("kills")
    made = simulate_city(CityPlan(start=date(2025, 1, 6), days=DAYS, households=12, seed=5))
    files = folder / "files"
    files.mkdir()
    pq.write_table(made.meters, files / "meters.parquet")
    write_city_toml(made, files / "city.toml")
    for number in range(DAYS):
        day = made.plan.day(number)
        table = pa.concat_tables([made.readings(day), made.late(day)])
        pq.write_table(table, files / f"readings-{day.isoformat()}.parquet")
    names = sorted(files.glob("readings-*.parquet"))
    settings = made.settings["city"]
    fresh = folder / "fresh"
    city = City.create(fresh, name_en=settings["name_en"], name_ko=settings["name_ko"], timezone="Asia/Seoul")
    register_meters(
        city.pipeline, Dataset(files, (), files / "meters.parquet", None, files / "city.toml"), actor="test"
    )
    city.close()
    whole = City.open(Path(shutil.copytree(fresh, folder / "whole")))
    contents = [content_of(whole)]
    for name in names:
        commit_readings(whole.pipeline, Dataset(files, (name,)), actor="test")
        contents.append(content_of(whole))
    whole.close()
    assert len(set(contents)) == DAYS + 1
    return Prepared(fresh, files, contents)


def run_and_kill(city: Path, files: Path, after_s: float) -> list[str]:
    """Run the program, kill it some time after it is ready, and give what it said."""
    command = [sys.executable, str(PROGRAM), str(city), str(files)]
    environment = {**os.environ, "PYTHONPATH": str(Path(quintet.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip()]
        assert said == ["ready"]
        timer = threading.Timer(after_s, process.kill)
        timer.start()
        said += [line.strip() for line in process.stdout if line.endswith("\n")]
        timer.cancel()
        assert process.wait() in (0, -9)
    return said


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_kill_9_what_was_reported_is_there_and_nothing_is_half_there(
    seed: int, prepared: Prepared, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "city0"
    shutil.copytree(prepared.city, folder)
    stored = 0
    for number in range(max(1, KILLS // SEEDS)):
        said = run_and_kill(folder, prepared.files, chance.uniform(0, SPREAD_S))
        stored = max([stored, *(int(line.split()[1]) + 1 for line in said if line.startswith("stored"))])
        city = City.open(folder)
        content = content_of(city)
        city.close()
        assert content in prepared.contents[stored : stored + 2], f"kill {number}: {said}"
        stored = prepared.contents.index(content)
        if said[-1] == f"closed {DAYS - 1}":
            folder = Path(shutil.copytree(prepared.city, tmp_path / f"city{number + 1}"))
            stored = 0


def test_the_program_that_is_killed_does_its_work_when_it_is_not(prepared: Prepared, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(prepared.city, tmp_path / "city"))
    said = run_and_kill(folder, prepared.files, 60)
    assert said[-1] == f"closed {DAYS - 1}"
    city = City.open(folder)
    found = city.doctor()
    assert found.facts["content_hash"] == prepared.contents[-1]
    assert found.facts["closed_days"] >= DAYS - 2
    city.close()
