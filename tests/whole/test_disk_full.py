"""A full disk: nothing is acknowledged that is not stored, reading goes on, and so does writing once there is room.

The city lies on a small disk of its own (tmpfs in a private mount namespace, so nothing is left mounted).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.program import environment

from .conftest import COMMAND, Run
from .full_program import BEGIN

PROGRAM = Path(__file__).with_name("full_program.py")
SIZE = "64m"
METER = """\
site,building,meter,commodity,unit,value_kind,cadence_min,tz,role
c1,1,m,electricity,kWh,interval_sum,1,UTC,consumption
"""
SCRIPT = """
mount -t tmpfs -o size={size} none "$1" || exit 77
cp -a "$2" "$1/city" && shift 2 && exec "$@"
"""
READING = (("meters", "list"), ("registry", "list"), ("quarantine", "list"), ("doctor",))


def on_a_small_disk(disk: Path, city: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where `disk` is a small disk that holds a copy of a city; skips where none can be mounted."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not here: it gives the test a disk of its own")
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    probe = subprocess.run([*own, "mount", "-t", "tmpfs", "none", disk], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no disk can be mounted here: {probe.stderr.decode().strip()}")
    words = [*own, "sh", "-c", SCRIPT.format(size=SIZE), "sh", str(disk), str(city), *command]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def metered(city: Path, quintet: Run, tmp_path: Path) -> Path:
    """Give a city with one meter that is read every minute."""
    data = tmp_path / "meter"
    data.mkdir()
    (data / "meters.csv").write_text(METER)
    (data / "readings.csv").write_text("site,meter,ts_utc,value\n")
    taken = quintet("ingest", data, "--city", city)
    assert taken.returncode == 0, taken.stderr
    return city


AFTER = """
"$@" > "{said}" || exit 1
{reading}
rm "{disk}/ballast"; cp -a "{disk}/city" "{kept}"
"""


def test_a_disk_that_is_full_under_load(metered: Path, quintet: Run, tmp_path: Path) -> None:
    disk, said_file, kept = tmp_path / "disk", tmp_path / "said.json", tmp_path / "kept"
    disk.mkdir()
    program = " ".join(COMMAND)
    reading = "\n".join(
        f'{program} {" ".join(words)} --city "{disk}/city" > "{tmp_path}/answer-{n}" || exit 2'
        for n, words in enumerate(READING)
    )
    after = AFTER.format(said=said_file, reading=reading, disk=disk, kept=kept)
    words = [sys.executable, str(PROGRAM), str(disk / "city"), str(disk / "ballast"), str(tmp_path / "backup")]
    on_a_small_disk(disk, metered, "sh", "-c", after, "sh", *words)
    said = json.loads(said_file.read_text())
    # under load: refused with a reason, read all the while, and on again by itself
    assert said["refusals"]["disk_full"] >= 5
    assert set(said["refusals"]) == {"disk_full"}
    assert said["stored_while_full"] == 0
    assert (said["closing"], said["backup"], said["backup_elsewhere"]) == ("disk_full", "disk_full", "done")
    assert said["recovery_s"] < 60
    assert said["wrong"] == []
    # the database met the full disk itself
    assert said["within_a_commit"] == "disk_full"
    assert said["while_folding"] == "stored"
    assert said["failed_at_the_end"] <= 2
    assert said["recovery_after_end_s"] < 60
    # commands that only read worked on the full disk
    assert all((tmp_path / f"answer-{n}").read_text() for n in (0, 1, 3))
    restored = quintet("backup", "restore", tmp_path / "backup", tmp_path / "restored")
    assert restored.returncode == 0, restored.stderr
    assert quintet("doctor", "--city", tmp_path / "restored").returncode == 0
    # all that was acknowledged is there, once, and nothing else
    found = quintet("doctor", "--city", kept, "--format", "json")
    assert found.returncode == 0, found.stdout
    listed = quintet("intervals", "c1/m", "--from", BEGIN.isoformat(), "--to", "2026-01-01T00:00:00+00:00",
                     "--city", kept, "--format", "csv")  # fmt: skip
    values = [line.split(",")[1] for line in listed.stdout.splitlines()[1:]]
    minutes = said["acknowledged"]
    assert json.loads(found.stdout)["raw_rows"] == len(minutes)
    assert len(minutes) == len(set(minutes))
    assert sum(round(float(value) * 100) for value in values if value) == sum(minute % 97 for minute in minutes)


def test_a_city_is_opened_and_read_on_a_disk_that_was_full_when_its_owner_was_killed(
    metered: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    program = " ".join(COMMAND)
    after = f"""
        {sys.executable} -c '
import os, sys
from pathlib import Path
sys.path.insert(0, "{PROGRAM.parent}")
from full_program import City, Load, fill
city = City.open(Path("{disk}/city"))
assert Load(city).commit(3000)
fill(Path("{disk}/ballast"))
os._exit(0)' || exit 1
        test -s "{disk}/city/store/quintet.duckdb.wal" || exit 3
        {program} meters list --city "{disk}/city" || exit 2
        {program} doctor --format json --city "{disk}/city"
    """
    done = on_a_small_disk(disk, metered, "sh", "-c", after)
    assert "c1/m" in done.stdout
    assert '"raw_rows": 3000' in done.stdout
