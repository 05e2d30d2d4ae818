"""kill -9 at any moment, also while a day closes: what was reported stored is there, nothing is half there.

44 random kills by default, and the 16 of test_live_kills.py; QUINTET_KILLS says how many. Every second one is aimed at
the closing of a day.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.program import environment

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings, register_meters
from quintet.simulate import CityPlan, simulate_city, write_city_toml

from .once import made_once

PROGRAM = Path(__file__).with_name("kill_program.py")
KILLS = int(os.environ.get("QUINTET_KILLS", "44"))
SEEDS = 6
DAYS = 5
HOUSEHOLDS = 6
STEPS = ("ready", "stored", "closing", "closed")


@dataclass(frozen=True)
class Prepared:
    """A city with its meters, the files to take in, and what an undisturbed twin holds after 0, 1, 2, ... of them.

    `lasting_s` is how long an undisturbed run takes from a line of each kind to the next.
    """

    city: Path
    files: Path
    contents: list[list[str]]
    lasting_s: dict[str, float]


def content_of(city: City) -> list[str]:
    """Give the content of a city that must be sound, its lake as others see it included."""
    found = city.doctor(scrub=True)
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    assert city.engine.recover() == [], "opening it left something of the crash"
    with city.engine.snapshot() as snapshot:
        for name, lake in city.engine.lakes.items():
            live = {row[0] for row in snapshot.rows("select path from lake_file where lake = ? and live", [name])}
            seen = set(pa.table(DeltaTable(lake.folder).get_add_actions())["path"].to_pylist()) if live else set()
            assert seen == live, f"the {name} table does not show what the city has closed"
    return [str(found.facts[name]) for name in ("content_hash", "raw_rows", "quarantined")]


def start(city: Path, files: Path, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), str(city), str(files), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())


def run_and_kill(city: Path, files: Path, first: int, aim: str, after_s: float) -> list[str]:
    """Run the program, kill it some time after it first says `aim`, and give what it said."""
    said: list[str] = []
    timer: threading.Timer | None = None
    with start(city, files, first) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # killed in the middle of a word: it was not said
            said.append(line.strip())
            if timer is None and line.startswith(aim):
                timer = threading.Timer(after_s, process.kill)
                timer.start()
        if timer is not None:
            timer.cancel()
        assert process.wait() in (0, -9)
    return said


def timed_run(city: Path, files: Path) -> dict[str, float]:
    """Let the program do all its work; give the mean time from a line of each kind to the next."""
    lasting: dict[str, list[float]] = {step: [] for step in STEPS}
    with start(city, files, 0) as process:
        assert process.stdout is not None
        kind, since = "", 0.0
        for line in process.stdout:
            now = time.monotonic()
            if kind:
                lasting[kind].append(now - since)
            kind, since = line.split()[0], now
        assert process.wait() == 0
    return {kind: sum(spans) / len(spans) for kind, spans in lasting.items() if spans}


def prepare(folder: Path) -> None:
    """Make the city and the files, and see what an undisturbed run gives."""
    simulated = simulate_city(CityPlan(start=date(2025, 1, 6), days=DAYS, households=HOUSEHOLDS, seed=5))
    files = folder / "files"
    files.mkdir()
    pq.write_table(simulated.meters, files / "meters.parquet")
    write_city_toml(simulated, files / "city.toml")
    for number in range(DAYS):
        day = simulated.plan.day(number)
        table = pa.concat_tables([simulated.readings(day), simulated.late(day)])
        pq.write_table(table, files / f"readings-{day.isoformat()}.parquet")
    fresh = folder / "fresh"
    city = City.create(fresh, timezone="Asia/Seoul")
    dataset = Dataset(files, (), files / "meters.parquet", None, files / "city.toml")
    register_meters(city.pipeline, dataset, actor="test")
    city.close()
    twin = City.open(Path(shutil.copytree(fresh, folder / "twin")))
    contents = [content_of(twin)]
    for name in sorted(files.glob("readings-*.parquet")):
        commit_readings(twin.pipeline, Dataset(files, (name,)), actor="test")
        contents.append(content_of(twin))
    twin.close()
    lasting = timed_run(Path(shutil.copytree(fresh, folder / "timed")), files)
    prepared = Prepared(fresh, files, contents, lasting)
    (folder / "prepared.json").write_text(json.dumps(asdict(prepared), default=str))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    said = json.loads((made_once(tmp_path_factory, "kills", prepare) / "prepared.json").read_text())
    return Prepared(Path(said["city"]), Path(said["files"]), said["contents"], said["lasting_s"])


def test_a_run_that_is_not_killed_does_all_its_work(prepared: Prepared) -> None:
    assert len({content[0] for content in prepared.contents}) == DAYS + 1, "each file changes the content"
    city = City.open(prepared.city.with_name("timed"))
    assert content_of(city) == prepared.contents[-1]
    assert city.doctor().facts["closed_days"] >= DAYS
    city.close()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS))
def test_after_kill_9_what_was_reported_is_there_and_nothing_is_half_there(
    seed: int, prepared: Prepared, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    kills = max(2, KILLS // SEEDS)
    folder = Path(shutil.copytree(prepared.city, tmp_path / "city0"))
    stored = in_closing = 0
    for number in range(kills):
        aim = "closing" if number % 2 else chance.choice(STEPS)
        after_s = chance.uniform(0, prepared.lasting_s[aim])
        said = run_and_kill(folder, prepared.files, stored, aim, after_s)
        in_closing += said[-1].startswith("closing")
        stored = max([stored, *(int(line.split()[1]) + 1 for line in said if line.startswith("stored"))])
        city = City.open(folder)
        content = content_of(city)
        city.close()
        assert content in prepared.contents[stored : stored + 2], f"kill {number} at {aim}: {said}"
        stored = prepared.contents.index(content)
        if stored == DAYS:
            shutil.rmtree(folder)
            folder = Path(shutil.copytree(prepared.city, tmp_path / f"city{number + 1}"))
            stored = 0
    assert in_closing, "no kill met a closing: the times of the undisturbed run are wrong"
