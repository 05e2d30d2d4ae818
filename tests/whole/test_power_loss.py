"""Power lost at any moment: what was not synced may be gone or half there, what was reported stored is there, once.

12 moments by default; QUINTET_KILLS says how many of the long form (a fifth of it: 200 for 1,000).
"""

import json
import os
import random
import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.program import environment

from quintet.app.city import City
from quintet.ingest import Dataset, commit_readings
from quintet.store.backup import restore_backup
from quintet.store.read import content_hash

from .once import made_once
from .power_program import BACKUP_AFTER
from .recorded import Call, Disk, calls, record
from .test_kills import DAYS, Prepared, content_of, prepare

PROGRAM = Path(__file__).with_name("power_program.py")
Need = Callable[[Path | str, str], Path]
SHORT = 3
LONG = int(os.environ.get("QUINTET_KILLS", "60")) // 20
EFFECTS = {"write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "openat", "mkdir", "link"}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Give what an undisturbed run holds after each file."""
    said = json.loads((made_once(tmp_path_factory, "kills", prepare) / "prepared.json").read_text())
    return Prepared(Path(said["city"]), Path(said["files"]), said["contents"], said["lasting_s"])


@pytest.fixture(scope="session")
def trace(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared, need: Need) -> Path:
    """Give the record of a process that made and filled a city below `work`, which was an empty folder."""
    need("strace", "it records what a process does to its files")

    def make(folder: Path) -> None:
        (folder / "work").mkdir()
        command = [sys.executable, str(PROGRAM), str(folder / "work"), str(prepared.files)]
        record(command, folder / "trace", environment(PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(folder)))

    return made_once(tmp_path_factory, "power", make) / "trace"


def disks_at(trace: Path, chosen: list[int]) -> Iterator[tuple[int, Disk]]:
    """Give the disk as it was after so many calls, for some sorted numbers of calls, and last as it was at the end."""
    disk, wanted = Disk(trace.parent / "work"), deque(chosen)
    for number, call in enumerate(calls(trace)):
        while wanted and wanted[0] == number:
            yield wanted.popleft(), disk
        disk.take(call)
    yield -1, disk


def moments(trace: Path, count: int, seed: int) -> list[int]:
    """Choose moments, all of them between the first and the last change."""
    found: list[tuple[int, Call]] = [(n, call) for n, call in enumerate(calls(trace)) if call.name in EFFECTS]
    root = str(trace.parent / "work").encode().hex()
    first = next(n for n, call in found if root in call.words.replace("\\x", ""))
    chance = random.Random(seed)
    return sorted(chance.choices([n + 1 for n, _ in found if n >= first], k=count))


def check_after_power_loss(disk: Disk, chance: random.Random, prepared: Prepared, folder: Path) -> str:
    """Lose power, open what is left, and prove that it holds what was said; gives what was found."""
    disk.lose_power(chance, folder)
    stored = sum(line.startswith("stored") for line in disk.said)
    if not (folder / "city" / "city.toml").is_file():
        assert "made" not in disk.said
        return "no city yet"
    city = City.open(folder / "city")
    try:
        if "registered" not in disk.said:
            content_of(city)
            return "empty city"
        content = content_of(city)
        assert content in prepared.contents[stored : stored + 2], disk.said
        stored = prepared.contents.index(content)
        if stored < DAYS:
            file = sorted(prepared.files.glob("readings-*.parquet"))[stored]
            commit_readings(city.pipeline, Dataset(prepared.files, (file,)), actor="test")
            assert hash_of(city) == prepared.contents[stored + 1][0]
    finally:
        city.close()
    if "backup" in disk.said:
        restore_backup(folder / "backup", folder / "restored")
        again = City.open(folder / "restored")
        assert hash_of(again) == prepared.contents[BACKUP_AFTER + 1][0]
        again.close()
    return f"stored {stored}"


def hash_of(city: City) -> str:
    """Give the content hash alone."""
    with city.engine.snapshot() as snapshot:
        return content_hash(snapshot)


def check_moments(trace: Path, prepared: Prepared, folder: Path, count: int, seed: int) -> Counter[str]:
    """Lose power at so many moments."""
    out = Counter[str]()
    for moment, disk in disks_at(trace, moments(trace, count, seed)):
        if moment >= 0:
            out[check_after_power_loss(disk, random.Random(f"{seed} {moment} {out.total()}"), prepared, folder)] += 1
            shutil.rmtree(folder)
    assert out.total() == count
    return out


def test_the_recorded_disk_ends_as_the_real_one(trace: Path) -> None:
    *_, (_, disk) = disks_at(trace, [])
    work = trace.parent / "work"
    real = {str(path): path.read_bytes() for path in work.rglob("*") if path.is_file()}
    assert {path for path, node in disk.now.items() if not disk.nodes[node].folder} == set(real)
    for path, content in real.items():
        assert bytes(disk.image(disk.now[path])) == content, path
    assert disk.said.count("backup") == 1
    assert len([line for line in disk.said if line.startswith("stored")]) == DAYS


WRITES = """
import os, sys
os.mkdir(sys.argv[1] + "/made")
folder = os.open(sys.argv[1] + "/made", os.O_RDONLY)
for name, file_synced, folder_synced in (("both", 1, 1), ("file", 1, 0), ("name", 0, 1)):
    file = os.open(sys.argv[1] + "/made/" + name, os.O_WRONLY | os.O_CREAT)
    os.write(file, b"x" * 1500)
    file_synced and os.fsync(file)
    folder_synced and os.fsync(folder)
top = os.open(sys.argv[1], os.O_RDONLY)
os.fsync(top)
"""


def test_the_recorded_disk_loses_what_was_not_synced(tmp_path: Path, need: Need) -> None:
    need("strace", "it records what a process does to its files")
    (tmp_path / "work").mkdir()
    record([sys.executable, "-I", "-c", WRITES, str(tmp_path / "work")], tmp_path / "trace", environment())
    *_, (_, disk) = disks_at(tmp_path / "trace", [])
    found: dict[str, set[bytes | None]] = {"both": set(), "file": set(), "name": set()}
    for seed in range(100):
        left = tmp_path / f"left{seed}"
        disk.lose_power(random.Random(seed), left)
        for name, contents in found.items():
            path = left / "made" / name
            contents.add(path.read_bytes() if path.exists() else None)
    assert found["both"] == {b"x" * 1500}
    assert found["file"] == {b"x" * 1500}, "its name came with the later sync of the folder"
    assert {b"", b"x" * 512, b"x" * 1024, b"x" * 1500} == found["name"]


@pytest.mark.parametrize("seed", range(SHORT))
def test_after_a_power_loss_what_was_said_is_there(seed: int, trace: Path, prepared: Prepared, tmp_path: Path) -> None:
    check_moments(trace, prepared, tmp_path / "left", 4, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 104))
def test_after_many_power_losses_what_was_said_is_there(
    seed: int, trace: Path, prepared: Prepared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = check_moments(trace, prepared, tmp_path / "left", LONG, seed)
    with capsys.disabled():
        print(f"\n{found.total()} power losses: {dict(found)}", end="")
