"""Disks that are full, folders that cannot be written: clear words, and nothing that was stored is touched."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv = ["quintet", *sys.argv[2:]]
from quintet.app.cli import main
sys.exit(main())
"""
"""Runs the program where no file may grow beyond a size, as on a full disk."""


def run_limited(size: int, *words: str | Path, source: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *map(str, words)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin"},
        timeout=120,
        check=False,
    )


@pytest.fixture
def source(root: Path) -> Path:
    return root / "src"


BIG_DAYS = 28
ROOM = 2**20
"""Less than the write-ahead log of BIG_DAYS takes."""


def big_dataset(folder: Path) -> Path:
    folder.mkdir()
    head = "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role\n"
    (folder / "meters.csv").write_text(head + "c1,1,m,electricity,kWh,interval_sum,1,Asia/Seoul,consumption\n")
    rows = (f"c1,m,2025-{1 + d // 28:02d}-{1 + d % 28:02d}T{h:02d}:{m:02d}:00+09:00,{(d * h * m) % 97 / 100}"
            for d in range(BIG_DAYS) for h in range(24) for m in range(60))  # fmt: skip
    (folder / "readings.csv").write_text("site,meter,ts_utc,value\n" + "\n".join(rows) + "\n")
    return folder


def test_a_full_disk_is_said_and_nothing_stored_is_touched(
    filled: Path, quintet: Run, source: Path, tmp_path: Path
) -> None:
    before = json.loads(quintet("doctor", "--city", filled, "--format", "json").stdout)
    data = big_dataset(tmp_path / "big")
    full = run_limited(ROOM, "ingest", data, "--city", filled, source=source)
    assert full.returncode == 1
    assert full.stdout == ""
    assert full.stderr.startswith("quintet: ")
    assert full.stderr.count("\n") == 1
    assert "Traceback" not in full.stderr
    assert "quintet-error" not in full.stderr
    after = json.loads(quintet("doctor", "--city", filled, "--format", "json").stdout)
    assert after["content_hash"] == before["content_hash"]
    taken = quintet("ingest", data, "--city", filled, "--format", "json")
    assert json.loads(taken.stdout)["accepted"] == BIG_DAYS * 1440
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY


def test_a_folder_that_cannot_be_made_is_said(quintet: Run) -> None:
    done = quintet("init", "/proc/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("quintet: /proc/nowhere")
    assert done.stderr.count("\n") == 1


def test_a_damaged_database_is_said(filled: Path, quintet: Run) -> None:
    database = next(filled.rglob("*.duckdb"))
    content = bytearray(database.read_bytes())
    content[: 3 * 4096] = b"\x00" * (3 * 4096)
    database.write_bytes(bytes(content))
    done = quintet("meters", "list", "--city", filled)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "quintet-error" not in done.stderr


def test_a_broken_city_toml_is_said(filled: Path, quintet: Run) -> None:
    (filled / "city.toml").write_text("[city\n")
    done = quintet("meters", "list", "--city", filled)
    assert done.returncode == 1
    assert "city.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_city_of_a_newer_quintet_is_left_alone(filled: Path, quintet: Run) -> None:
    database = next(filled.rglob("*.duckdb"))
    with duckdb.connect(str(database)) as connection:
        connection.execute("update meta set value = '999' where key = 'schema_version'")
    before = database.read_bytes()
    done = quintet("meters", "list", "--city", filled)
    assert (done.returncode, done.stdout) == (1, "")
    assert "newer" in done.stderr
    assert "Traceback" not in done.stderr
    assert database.read_bytes() == before


def test_progress_is_drawn_where_stderr_is_a_terminal(filled: Path, source: Path, tmp_path: Path) -> None:
    data = big_dataset(tmp_path / "big")
    parent, child = os.openpty()
    words = ["-m", "quintet.app", "ingest", data, "--city", filled, "--format", "json"]
    environment = {"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, stderr=child, env=environment, text=True
    ) as process:
        os.close(child)
        drawn = b""
        with suppress(OSError):  # the terminal ends with its last writer
            while part := os.read(parent, 65536):
                drawn += part
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["accepted"] == BIG_DAYS * 1440
    os.close(parent)
    assert b"readings of big" in drawn
