"""What the tests of an upgrade share: the commands of its page, meters that send all the while, what a city holds."""

import json
import re
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from tests.app.served import wait_for
from tests.broker import DEVICE_PASSWORD, DOOR_PASSWORD, Broker
from tests.program import environment

from quintet.app.city import City
from quintet.app.load import Load, LoadConfig
from quintet.app.load_acks import read_acks
from quintet.ingest import Dataset, commit_readings
from quintet.simulate import simulate_city
from quintet.store.engine import DATABASE
from quintet.store.schema import version_of

COMMAND = [sys.executable, "-W", "error", "-m", "quintet.app"]
NEXT = Path(__file__).with_name("next_program.py")
HOUSEHOLDS = 20
START = date(2026, 1, 12)
WORD = re.compile(r"^```sh (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def doctored(folder: Path) -> dict[str, Any]:
    """Give what a city holds that must be sound, opened by this version."""
    city = City.open(folder)
    try:
        found = city.doctor(scrub=True)
    finally:
        city.close()
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    return {name: found.facts[name] for name in ("content_hash", "raw_rows", "quarantined")}


def stored_version(folder: Path) -> int:
    """Give the version of a city's store as it is on the disk, whichever Quintet made it."""
    with duckdb.connect(str(folder / "store" / DATABASE)) as connection:
        return version_of(connection)


def upgraded(*words: str | Path, step: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the next version, or of this one where `step` is `none`, to its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", NEXT, *words],
        capture_output=True, text=True, env=environment(NEXT_STEP=step), timeout=120, check=False,
    )  # fmt: skip


class Shell:
    """Runs the commands of docs/upgrade.md, with the version of `quintet` that is installed for it."""

    def __init__(self, folder: Path, page: Path, shell: Path, port: int) -> None:
        self.folder, self.port, self._shell = folder, port, shell
        self.marked: dict[str, str] = dict(WORD.findall(page.read_text(encoding="utf-8")))
        self.ran: set[str] = set()
        self._tools = folder / "bin"
        self._tools.mkdir()
        self._serving: subprocess.Popen[str] | None = None
        self.install("-m", "quintet.app")

    def install(self, *program: str | Path) -> None:
        """Put another version in the place of the one before."""
        words = " ".join(str(word) for word in program)
        (self._tools / "quintet").write_text(f'#!/bin/sh\nexec {sys.executable} -W error {words} "$@"\n')
        (self._tools / "quintet").chmod(0o755)

    def _begin(self, mark: str) -> "subprocess.Popen[str]":
        self.ran.add(mark)
        text = "set -euo pipefail\n" + self.marked[mark].replace("8484", str(self.port))
        with (self.folder / "said").open("a") as said:
            return subprocess.Popen(
                [self._shell, "-c", text], cwd=self.folder, stdout=subprocess.PIPE, stderr=said, text=True,
                env=environment(
                    PATH=f"{self._tools}:/usr/sbin:/usr/bin:/bin", QUINTET_FORMAT="json",
                    QUINTET_MQTT_PASSWORD=DOOR_PASSWORD,
                ),
            )  # fmt: skip

    def run(self, mark: str) -> list[dict[str, Any]]:
        """Run the commands under a mark to their end; give what they answered."""
        with self._begin(mark) as process:
            out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, (mark, out, (self.folder / "said").read_text())
        return [json.loads(line) for line in out.splitlines()]

    def serve(self) -> None:
        """Start `serve` as the page says; it runs until `stop`."""
        self._serving = self._begin("serve")
        assert self._serving.stdout is not None
        assert self._serving.stdout.readline().startswith("http://"), (self.folder / "said").read_text()

    def stop(self) -> None:
        """Stop it as the page says."""
        self.run("stop")
        assert self._serving is not None
        self._serving.communicate(timeout=60)
        assert self._serving.returncode == 0, (self.folder / "said").read_text()
        self._serving = None

    def end(self) -> None:
        """End what still runs."""
        if self._serving is not None:
            self._serving.terminate()
            self._serving.communicate(timeout=60)


class Senders:
    """Two loads that send the same simulated city the whole time: one over HTTP, one through a broker."""

    def __init__(self, folder: Path, port: int, token: str, broker: Broker) -> None:
        # patience: as long as a slow machine takes from one `serve` to the next
        plan: dict[str, Any] = {
            "households": HOUSEHOLDS,
            "start": START,
            "rate": 100.0,
            "seconds": 400.0,
            "clients": 2,
            "patience_s": 180.0,
        }
        self.http = Load(
            LoadConfig(
                to=f"http://127.0.0.1:{port}/", acks=folder / "acks.http", token=token, readings_a_message=20, **plan
            )
        )
        self.mqtt = Load(
            LoadConfig(
                to=f"mqtt://127.0.0.1:{broker.port}", acks=folder / "acks.mqtt", user="loader",
                password=DEVICE_PASSWORD, readings_a_message=10, **plan,
            )
        )  # fmt: skip
        self.both = (self.http, self.mqtt)
        self._threads = [threading.Thread(target=load.run) for load in self.both]

    def begin(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def go_on(self, *loads: Load) -> None:
        """Wait until more was acknowledged to each of some loads (default: both)."""
        for load in loads or self.both:
            before = load.tally.acked
            wait_for(lambda load=load, before=before: load.tally.acked > before + 5, "nothing more was acknowledged")
        assert all(thread.is_alive() for thread in self._threads), "the load ended before the test did"

    def end(self) -> None:
        """Send nothing new, and wait for the answers to what was sent."""
        for load in self.both:
            load.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()


def all_at_once(folder: Path, senders: Senders) -> dict[str, Any]:
    """Give what a city holds that gets every acknowledged reading in one file; `raw_rows` counts them."""
    city = City.create(folder, timezone="Asia/Seoul")
    city.pipeline.register(simulate_city(senders.http.config.plan).meters, source="test", actor="test")
    acked = pa.concat_tables(table for load in senders.both for table in read_acks(load.acks))
    names = {name: acked[name].cast(pa.string()) for name in ("site", "meter")}
    plain = pa.table({**names, "ts_utc": acked["at"], "value": acked["value"]})
    file = folder.with_suffix(".parquet")
    pq.write_table(plain.group_by(plain.column_names).aggregate([]), file)
    commit_readings(city.pipeline, Dataset(folder, (file,)), actor="test")
    city.close()
    return doctored(folder)


def arrived(folder: Path, load: Load) -> bool:
    """Say whether all that was acknowledged to a load is there, once; what a broker holds comes a while later."""
    words = ["load", "verify", load.acks, "--city", folder, "--format", "json"]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert (said["doubled"], said["differing"]) == (0, 0)
    return said["missing"] == 0
