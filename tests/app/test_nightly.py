"""Days that are over close by themselves: at start and after midnight, in turn with commands, never in the way."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.nightly import Nightly
from quintet.app.requests import CloseDays, MetersList, RegistryRewire
from quintet.app.run import Desk
from quintet.app.turns import Turns
from quintet.terms.period import to_us
from quintet.terms.tables import QUARANTINE, READINGS

FIRST = datetime(2025, 2, 1, tzinfo=UTC)
METER = {
    "site": "c1",
    "building": "b",
    "meter": "m",
    "commodity": "electricity",
    "unit": "kWh",
    "value_kind": "interval_sum",
    "cadence_min": "60",
    "tz": "UTC",
    "role": "consumption",
}


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = FIRST + timedelta(days=2, minutes=30)
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        return to_us(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Give a city of one meter with two whole days, and a clock that stands half an hour after the second."""
    folder = tmp_path / "city"
    City.create(folder, timezone="UTC").close()
    desk = Desk(folder, opened=lambda where: City.open(where, now=clock))
    pipeline = desk.city().pipeline
    pipeline.register(pa.Table.from_pylist([METER]), source="test", actor="test")
    hours = [{"site": "c1", "meter": "m", "at": FIRST + timedelta(hours=h), "value": 1.0, "row": h} for h in range(48)]
    pipeline.commit([(pa.Table.from_pylist(hours, READINGS), QUARANTINE.empty_table())], source="test", actor="test")
    yield desk
    desk.close()


@pytest.fixture
def nightly(desk: Desk) -> Iterator[Nightly]:
    thread = Nightly(desk, look_s=0.02, again_s=0.05)
    yield thread
    thread.end()


def closed(desk: Desk) -> int:
    with desk.city().engine.snapshot() as snapshot:
        return int(snapshot.rows("select count(*) from closed_day")[0][0])


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_a_day_closes_at_start_or_an_hour_after_it_ended(desk: Desk, nightly: Nightly, clock: Clock) -> None:
    nightly.begin()
    wait_until(lambda: closed(desk) == 1)
    looks = clock.looks
    wait_until(lambda: clock.looks > looks + 3)
    assert closed(desk) == 1, "the second day ended half an hour ago: late readings are still to come"
    clock.now += timedelta(minutes=31)
    wait_until(lambda: closed(desk) == 2)


def test_what_was_closed_is_judged(desk: Desk, nightly: Nightly) -> None:
    def judged() -> int:
        with desk.city().engine.snapshot() as snapshot:
            return int(snapshot.rows("select count(*) from run_unit")[0][0])

    assert judged() == 0
    nightly.begin()
    wait_until(lambda: judged() > 0)
    assert closed(desk) == 1


def test_it_gives_way_to_whoever_writes(desk: Desk, nightly: Nightly, clock: Clock) -> None:
    with desk.turns.mine():
        looks = clock.looks
        nightly.begin()
        wait_until(lambda: clock.looks > looks)  # it has seen what there is to close, and can only wait now
        time.sleep(0.2)
        assert closed(desk) == 0
        assert desk.perform(MetersList(), no_progress).rows, "who only asks waits for nobody"
    wait_until(lambda: closed(desk) == 1)


def test_its_end_waits_for_nobody_elses_turn(desk: Desk, nightly: Nightly, clock: Clock) -> None:
    with desk.turns.mine():
        looks = clock.looks
        nightly.begin()
        wait_until(lambda: clock.looks > looks)
        ending = threading.Thread(target=nightly.end)
        ending.start()
        ending.join(60)
        assert not ending.is_alive(), "the turn is not given back before it has ended"
    ending.join()
    assert closed(desk) == 0


def test_what_a_changed_registry_left_behind_is_summed_anew(desk: Desk, nightly: Nightly) -> None:
    city = desk.city()
    desk.perform(CloseDays("2025-02-03"), no_progress)
    body = {"place": [{"id": "c1/b2", "level": "building", "parent": "c1"}]}
    city.pipeline.describe(body, source="test", actor="test")
    desk.perform(RegistryRewire("c1/m", "2025-02-01", place="c1/b2"), no_progress)
    assert city.refresh_flows() == [], "the command has done it itself"
    city.pipeline.describe({"place": [{"id": "c1/b3", "level": "building", "parent": "c1"}]}, source="t", actor="t")
    nightly.begin()

    def current() -> bool:
        with city.engine.snapshot() as snapshot:
            return not snapshot.rows("select 1 from closed_day where registry_batch < (select max(batch) from record)")

    wait_until(current)


def test_a_failure_is_said_and_tried_again(
    desk: Desk, nightly: Nightly, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lake = tmp_path / "city" / "lake"
    assert not lake.exists()
    lake.write_text("in the way")
    nightly.begin()
    said = ""

    def told() -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return said.count("closing days") > 1

    wait_until(told)
    assert "Tried again" in said
    lake.unlink()
    wait_until(lambda: closed(desk) == 1)


def test_turns_are_taken_one_at_a_time_and_spare_ones_last() -> None:
    turns, order = Turns(), list[str]()
    ending = threading.Event()

    def spare() -> None:
        with turns.spare(ending) as mine:
            order.append(f"spare {mine}")

    def mine() -> None:
        with turns.mine():
            order.append("mine")
            time.sleep(0.02)

    with turns.mine():
        threads = [threading.Thread(target=work) for work in (spare, mine, mine)]
        for thread in threads:
            thread.start()
        wait_until(lambda: turns.waiting == 2)
    for thread in threads:
        thread.join()
    assert order == ["mine", "mine", "spare True"]
    ending.set()
    spare()
    assert order[-1] == "spare False"
    assert turns.waiting == 0
