"""A process for the full disk tests: fills the disk on which its city lives, under load, makes room, and reports.

    python full_program.py CITY BALLAST BACKUP

CITY holds a city with the meter `m` of site `c1`, read every minute; BALLAST is the file that fills its disk, BACKUP a
folder to be made on another one. Prints one JSON object. While it runs one thread commits readings without end and
another one asks for what was acknowledged.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from quintet.app.city import City
from quintet.store.engine import Engine
from quintet.terms.errors import QuintetError
from quintet.terms.tables import QUARANTINE, READINGS

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
PATIENCE_S = 60.0


class Load:
    """Commits readings one after the other, each minute once, and keeps what was acknowledged."""

    def __init__(self, city: City) -> None:
        """Begin with minute 0."""
        self.city = city
        self.minute = 0
        self.acknowledged: list[int] = []
        self.refusals: Counter[str] = Counter()
        self.stop = threading.Event()

    def commit(self, count: int = 1) -> bool:
        """Commit the next readings; a refused one is not sent again."""
        minutes = list(range(self.minute, self.minute + count))
        self.minute += count
        rows = [
            {"site": "c1", "meter": "m", "at": BEGIN + timedelta(minutes=minute), "value": minute % 97 / 100,
             "commodity": "electricity", "unit": "kWh", "row": 1 + number}
            for number, minute in enumerate(minutes)
        ]  # fmt: skip
        try:
            table = pa.Table.from_pylist(rows, READINGS)
            self.city.pipeline.commit([(table, QUARANTINE.empty_table())], source="load", actor="test")
        except QuintetError as error:
            self.refusals[error.code] += 1
            return False
        self.acknowledged += minutes
        return True

    def run(self) -> None:
        """Commit until told to stop."""
        while not self.stop.is_set():
            if not self.commit(20):
                time.sleep(0.01)


class Asking:
    """Reads without end; what it may not miss is what was acknowledged before it asked."""

    def __init__(self, city: City, load: Load) -> None:
        """Read beside a load."""
        self.city = city
        self.load = load
        self.answers = 0
        self.wrong: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Ask until told to stop."""
        while not self.stop.is_set():
            known = len(self.load.acknowledged)
            try:
                held = count(self.city.engine)
            except QuintetError as error:
                self.wrong.append(str(error))
                continue
            self.answers += 1
            if held < known:
                self.wrong.append(f"{held} readings of {known} acknowledged")


def count(engine: Engine) -> int:
    """Count the raw readings of open days."""
    with engine.snapshot() as snapshot:
        return int(snapshot.rows("select count(*) from raw")[0][0])


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for size in (1 << 20, 1 << 12, 1):
        try:
            while True:
                os.write(file, b"x" * size)
        except OSError:
            continue
    os.close(file)


def wait_for(what: str, condition: Callable[[], bool]) -> float:
    """Wait until something holds; gives the seconds it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < PATIENCE_S, what
        time.sleep(0.005)
    return time.monotonic() - begin


def full_within_a_commit(city: City, ballast: Path) -> str:
    """Let the disk become full while a transaction is open: there was room when it began."""
    before = city.engine.last_batch
    try:
        with city.engine.writing("test", "test", "test", 0) as writing:
            writing.execute("create temp table big as select random() as value from range(2000000)")
            writing.execute("create table filler as select * from big")
            fill(ballast)
    except QuintetError as error:
        assert city.engine.last_batch == before
        return error.code
    return "stored"


def full_while_folding(city: City, ballast: Path) -> str:
    """Let the database meet the full disk where it folds its log in right after a commit, and ends."""
    city.engine._database.connection.execute("set checkpoint_threshold = '1KB'")
    before = city.engine.last_batch
    try:
        with city.engine.writing("test", "test", "test", 0) as writing:
            writing.execute("create table small (value integer)")
            fill(ballast)
    except QuintetError as error:
        assert city.engine.last_batch == before
        return error.code
    assert city.engine.last_batch == before + 1
    return "stored"


def under_load(city: City, ballast: Path, load: Load, asking: Asking) -> dict[str, object]:
    """Fill the disk under a load, try all that writes, and make room again."""
    said: dict[str, object] = {}
    wait_for("a load", lambda: len(load.acknowledged) > 3200)
    fill(ballast)
    wait_for("a refusal", lambda: load.refusals["disk_full"] >= 5)
    answered, stored = asking.answers, len(load.acknowledged)
    wait_for("answers on a full disk", lambda: asking.answers >= answered + 20)
    said["stored_while_full"] = len(load.acknowledged) - stored
    said["closing"] = outcome(city.close_days)
    said["backup"] = outcome(lambda: city.backup(ballast.with_name("backup")))
    said["backup_elsewhere"] = outcome(lambda: city.backup(Path(sys.argv[3])))
    ballast.unlink()
    stored = len(load.acknowledged)
    said["recovery_s"] = wait_for("a commit after room was made", lambda: len(load.acknowledged) > stored)
    return said


def outcome(work: Callable[[], object]) -> str:
    """Do something; gives `done`, or the code of what it raised."""
    try:
        work()
    except QuintetError as error:
        return error.code
    return "done"


def in_the_middle(city: City, ballast: Path, load: Load, asking: Asking) -> dict[str, object]:
    """Let the disk become full while the database writes, where no reserve helps."""
    said: dict[str, object] = {"wrong": asking.wrong[:5]}
    said["within_a_commit"] = full_within_a_commit(city, ballast)
    ballast.unlink()
    assert load.commit(20)
    said["while_folding"] = full_while_folding(city, ballast)
    answered = asking.answers
    wait_for("answers after the database ended", lambda: asking.answers >= answered + 20)
    ballast.unlink()
    said["recovery_after_end_s"] = wait_for("a commit", lambda: load.commit(20))
    return said


def main() -> int:
    """Go through all of it."""
    city, ballast = City.open(Path(sys.argv[1])), Path(sys.argv[2])
    load = Load(city)
    assert load.commit(3000)
    asking = Asking(city, load)
    threads = [threading.Thread(target=load.run), threading.Thread(target=asking.run)]
    for thread in threads:
        thread.start()
    try:
        try:
            said = under_load(city, ballast, load, asking)
        finally:
            load.stop.set()
            threads[0].join()
        said |= in_the_middle(city, ballast, load, asking)
    finally:
        asking.stop.set()
        threads[1].join()
    # a question that is being answered when the database ends may fail, and only that one
    said |= {"failed_at_the_end": len(asking.wrong), "answers": asking.answers, "refusals": dict(load.refusals)}
    fill(ballast)
    city.close()
    print(json.dumps(said | {"acknowledged": load.acknowledged}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
