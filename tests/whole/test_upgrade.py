"""Upgrading while meters send, and the way back: docs/upgrade.md as it stands, and migrations that fail half-way.

The next version is next_program.py: this one with one more version of the store.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.app.served import Served, wait_for
from tests.broker import DOOR_USER, Broker, free_port
from tests.program import environment

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings, register_meters
from quintet.store.engine import DATABASE
from quintet.store.migration import migrate_store
from quintet.store.schema import VERSIONS
from quintet.terms.errors import CityError

from .upgrading import (
    COMMAND,
    HOUSEHOLDS,
    NEXT,
    Senders,
    Shell,
    all_at_once,
    arrived,
    doctored,
    stored_version,
    upgraded,
)

NEWEST = len(VERSIONS)
STATEMENTS = 6
BEFORE_LIVE = "353c846"
"""The last commit whose store has version 1."""
TORN_AT, TORN_BYTES = 4096, 512
TOO_SMALL_KB, LOG_ONLY_KB = 4, 200
SAME = ("content_hash", "raw_rows", "quarantined", "closed_days")
KILLS = int(os.environ.get("QUINTET_KILLS", "16"))
Need = Callable[[Path | str, str], Path]


@pytest.fixture
def broker(tmp_path: Path, need: Need) -> Iterator[Broker]:
    need(Path("/usr/sbin/mosquitto"), "a broker holds the messages meanwhile")
    broker = Broker(tmp_path / "broker").start()
    yield broker
    broker.end()


@pytest.fixture
def shell(tmp_path: Path, root: Path, broker: Broker, need: Need) -> Iterator[Shell]:
    need("flock", "the docs are run as they stand")
    lines = f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "{DOOR_USER}"\n'
    (tmp_path / "quintet.toml").write_text(lines)
    shell = Shell(tmp_path, root / "docs/upgrade.md", need("bash", "the docs are run as they stand"), free_port())
    yield shell
    shell.end()


def test_the_documented_way_up_and_back_loses_nothing_while_meters_send(shell: Shell, broker: Broker) -> None:
    city = shell.folder / "naju"
    served = Served(city, households=HOUSEHOLDS)
    senders = Senders(shell.folder, shell.port, served.token, broker)
    try:
        shell.serve()
        senders.begin()
        senders.go_on()
        (before,) = shell.run("look")
        shell.stop()
        assert before["schema_version"] == NEWEST
        senders.go_on(senders.mqtt)
        shell.run("backup")
        shell.install(NEXT)
        migrated, after = shell.run("migrate")
        assert (migrated["before"], migrated["after"], after["schema_version"]) == (NEWEST, NEWEST + 1, NEWEST + 1)
        assert after["fine"]
        shell.serve()
        senders.go_on()
        shell.stop()
        senders.go_on(senders.mqtt)
        (back,) = shell.run("back")
        assert (back["before"], back["after"]) == (NEWEST + 1, NEWEST)
        shell.install("-m", "quintet.app")
        shell.serve()
        senders.go_on()
    finally:
        senders.end()
    assert [load.tally.given_up for load in senders.both] == [0, 0]
    assert senders.http.tally.broken > 0, "nobody was refused a connection"
    assert arrived(city, senders.http), "what was answered is there"
    wait_for(lambda: arrived(city, senders.mqtt), "not all that the broker acknowledged came")
    shell.stop()
    held = doctored(city)
    assert held == all_at_once(shell.folder / "clean", senders)
    shell.run("restore")
    assert 0 < doctored(shell.folder / "naju-restored")["raw_rows"] < held["raw_rows"]
    assert (shell.folder / "naju-restored/mqtt-id").read_text() == (city / "mqtt-id").read_text()
    assert shell.ran == set(shell.marked), "a command of the page was not run"


def test_the_page_names_the_versions_that_there_are(root: Path) -> None:
    text = (root / "docs/upgrade.md").read_text(encoding="utf-8")
    assert f"quintet migrate --to {NEWEST} " in text
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [str(number) for number in range(1, NEWEST + 1)]


def brought_to_this(folder: Path) -> None:
    """Bring a store to this version, with the next one if it needs that."""
    if stored_version(folder) > NEWEST:
        done = upgraded("migrate", "--to", str(NEWEST), "--city", folder, step="good")
        assert done.returncode == 0, done.stderr


def killed_in_the_middle(*words: str | Path) -> None:
    """Begin a migration whose last statement never ends, and kill it there."""
    process = subprocess.Popen(
        [sys.executable, NEXT, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(NEXT_STEP="endless"),
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(STATEMENTS)]
        process.kill()
    assert told[-1] == f"statement {STATEMENTS} of {STATEMENTS}\n"


def test_a_migration_that_fails_or_is_killed_leaves_the_version_before_it_or_stands(filled: Path) -> None:
    held = doctored(filled)
    up = ("migrate", "--city", filled)
    down = (*up, "--to", str(NEWEST))
    for words, version, wanted in ((up, NEWEST, NEWEST + 1), (down, NEWEST + 1, NEWEST)):
        done = upgraded(*words, step="failing")
        assert done.returncode == 1
        assert f"could not become store version {wanted} " in done.stderr
        assert f"it stays at version {version}, whole" in done.stderr
        assert stored_version(filled) == version
        killed_in_the_middle(*words)
        assert stored_version(filled) == version
        if version == NEWEST:
            assert doctored(filled) == held
        assert upgraded(*words, step="ended").returncode == -9
        assert (filled / "store" / f"{DATABASE}.wal").stat().st_size > 0, "it stands in the log alone"
        assert stored_version(Path(shutil.copytree(filled, filled.with_name(f"at-{wanted}")))) == wanted
    assert doctored(filled) == held


def test_a_migration_on_a_full_disk_is_not_made_or_stands_in_the_log(filled: Path, need: Need) -> None:
    shell, held = need("bash", "it says how large a file may grow"), doctored(filled)

    def migrate(blocks: int, *words: str) -> subprocess.CompletedProcess[str]:
        """Migrate where no file may grow beyond so many kilobytes, as on a full disk."""
        limited = [shell, "-c", f'ulimit -f {blocks}; exec "$@"', "-", sys.executable, NEXT, "migrate"]
        return subprocess.run(
            [*limited, "--city", filled, *words],
            capture_output=True, text=True, env=environment(), timeout=120, check=False,
        )  # fmt: skip

    done = migrate(TOO_SMALL_KB)
    assert (done.returncode, stored_version(filled)) == (1, NEWEST)
    assert "the file would become larger than is allowed" in done.stderr
    for words, reached in (([], NEWEST + 1), (["--to", str(NEWEST)], NEWEST)):
        done = migrate(LOG_ONLY_KB, *words)
        assert done.returncode == 0, done.stderr
        assert (filled / "store" / f"{DATABASE}.wal").stat().st_size > 0, "there was room for the log alone"
        assert stored_version(Path(shutil.copytree(filled, filled.with_name(f"at-{reached}")))) == reached
    assert doctored(filled) == held


def test_a_migration_whose_log_was_torn_by_a_power_loss_was_never_made(filled: Path) -> None:
    held = doctored(filled)
    assert upgraded("migrate", "--city", filled, step="ended").returncode == -9
    with (filled / "store" / f"{DATABASE}.wal").open("r+b") as log:
        log.seek(TORN_AT)
        log.write(bytes(TORN_BYTES))
    assert migrate_store(filled) == (NEWEST, NEWEST)
    assert doctored(filled) == held


def test_the_next_version_migrates_when_it_serves_and_this_one_refuses_it_then(filled: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", NEXT, "serve", "--city", filled, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(),
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://")
        process.terminate()
    assert process.returncode == 0
    with pytest.raises(CityError, match=f"store version {NEWEST + 1}, this one knows {NEWEST}"):
        City.open(filled)


@pytest.mark.parametrize("version", range(1, NEWEST))
def test_a_city_of_each_version_before_is_opened_with_all_that_it_holds(
    filled: Path, dataset: Path, version: int
) -> None:
    city = City.open(filled)
    assert city.close_days(date(2025, 2, 2))
    city.close()
    held = doctored(filled)
    assert held["quarantined"] > 0
    assert migrate_store(filled, version) == (NEWEST, version)
    assert doctored(filled) == held
    assert migrate_store(filled, version) == (NEWEST, version)
    assert upgraded("migrate", "--city", filled, step="none").returncode == -9, "killed before the log is folded in"
    assert doctored(filled) == held
    assert upgraded("migrate", "--to", str(version), "--city", filled, step="none").returncode == -9
    assert stored_version(filled) == version
    city = City.open(filled)
    again = commit_readings(city.pipeline, Dataset(dataset, (dataset / "readings.csv",)), actor="test")
    city.close()
    assert (again.accepted, again.duplicate) == (0, held["raw_rows"])


def migrated_and_killed(folder: Path, after_s: float | None) -> float:
    """Bring a store one version up, or down again, and kill it some time after its first statement (None: not at all).

    Gives how long it worked from there on.
    """
    words = ["migrate", "--city", folder, *(["--to", str(NEWEST)] if stored_version(folder) > NEWEST else [])]
    process = subprocess.Popen(
        [sys.executable, NEXT, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(NEXT_STEP="good"),
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("statement 1 ")
        begun = time.monotonic()
        if after_s is not None:
            time.sleep(after_s)
            process.kill()
        process.communicate()
        return time.monotonic() - begun


@pytest.mark.soak
def test_kill_9_at_any_moment_of_a_migration_leaves_a_whole_version(filled: Path) -> None:
    held, chance, reached = doctored(filled), random.Random(7), 0
    # the time that it works, here and now: it follows the machine's load, so that kills meet both sides of the step
    span_s = migrated_and_killed(filled, None)
    for number in range(KILLS):
        version = stored_version(filled)
        migrated_and_killed(filled, span_s * chance.random())
        after = stored_version(Path(shutil.copytree(filled, filled.with_name(f"kill{number}"))))
        shutil.rmtree(filled.with_name(f"kill{number}"))
        reached += after != version
        span_s *= 0.8 if after != version else 1.25
        if after == NEWEST:
            assert doctored(filled) == held, f"kill {number}"
    assert 0 < reached < KILLS, "no kill met a migration"
    print(f"{KILLS} kills, {reached} of them after the step was durable")
    brought_to_this(filled)
    assert doctored(filled) == held


@pytest.fixture(scope="session")
def older(root: Path, need: Need, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the environment of the real program from before live ingest, as the repository keeps it."""
    git = need("git", "an older version comes from the repository")
    folder = tmp_path_factory.mktemp("older")
    tar = folder / "older.tar"
    done = subprocess.run([git, "archive", "-o", tar, BEFORE_LIVE, "src"], cwd=root, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"{BEFORE_LIVE} is not here: the repository's history is cut short")
    # not tarfile: its safe filter is younger than the Python of Debian 12, and without it newer ones warn
    subprocess.run(["tar", "-xf", tar, "-C", folder], check=True)
    return environment(PYTHONPATH=str(folder / "src"))


@pytest.mark.soak
def test_a_city_goes_between_the_real_versions_and_keeps_everything(
    older: dict[str, str], dataset: Path, tmp_path: Path
) -> None:
    city, lines = tmp_path / "naju", (dataset / "readings.csv").read_text().splitlines()

    def quintet(*words: str | Path, old: bool = False, expect: int = 0) -> dict[str, Any]:
        done = subprocess.run(
            [*COMMAND, *words, "--city", city, "--format", "json"],
            capture_output=True, text=True, env=older if old else environment(), timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == expect, (words, done.stderr)
        return json.loads(done.stdout or "{}")

    def part(number: int) -> Path:
        """Give a quarter of the readings as a dataset."""
        folder = tmp_path / f"part{number}"
        shutil.copytree(dataset, folder)
        (folder / "readings.csv").write_text("\n".join([lines[0], *lines[1 + number :: 4]]) + "\n")
        return folder

    subprocess.run([*COMMAND, "init", city, "--timezone", "Asia/Seoul"], env=older, check=True, capture_output=True)
    quintet("ingest", part(0), old=True)
    quintet("close", "--until", "2025-02-02", old=True)
    before = quintet("doctor", old=True)
    quintet("backup", "create", tmp_path / "backup", old=True)
    assert before["schema_version"] == 1
    after = quintet("doctor")
    assert (after["content_hash"], after["raw_rows"], after["schema_version"]) == (
        before["content_hash"], before["raw_rows"], NEWEST,
    )  # fmt: skip
    quintet("token", "create", "--source", "shed")
    quintet("ingest", part(1))
    between = quintet("doctor")
    quintet("doctor", old=True, expect=1)
    quintet("migrate", "--to", "1")
    back = quintet("doctor", old=True)
    assert [back[name] for name in SAME] == [between[name] for name in SAME]
    quintet("ingest", part(2), old=True)
    quintet("close", "--until", "2025-02-03", old=True)
    quintet("ingest", part(3))
    quintet("migrate", "--to", "1")
    assert quintet("doctor", old=True)["fine"]
    assert len(quintet("token", "list")["tokens"]) == 1
    clean = City.create(tmp_path / "clean", timezone="Asia/Seoul")
    whole = Dataset(dataset, (dataset / "readings.csv",), dataset / "meters.csv")
    register_meters(clean.pipeline, whole, actor="test")
    commit_readings(clean.pipeline, whole, actor="test")
    clean.close()
    assert doctored(city)["content_hash"] == doctored(tmp_path / "clean")["content_hash"]
