"""Ten times the normal rate: back-pressure is told and honoured, nothing is lost, memory stays bounded.

The machine says first what it commits; the city is so large that ten times its normal rate is more than that. Half of
it comes by HTTP, half through the broker. Ten minutes where QUINTET_KILLS is set, seconds otherwise.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.broker import PROGRAM, Broker
from tests.conftest import Need

from quintet.app.load import Load
from quintet.simulate import CityPlan, SimulatedCity, simulate_city

from .live import LiveCity, Part, examined, playing, resident_mb, wait_for

LONG = "QUINTET_KILLS" in os.environ
SECONDS = 600.0 if LONG else 4.0
CALIBRATED_S = 10.0 if LONG else 2.0
HOUSEHOLDS, DAYS = (200, 30) if LONG else (60, 4)
"""What is simulated: as many readings as may be needed. The city that sends so many is larger."""
AHEAD = 0.75 if LONG else 2.0
"""Ten times the normal rate of one door, as a share of what the machine commits; both doors take part."""
TIMES = 10
BACKLOG_S = 600.0
BEGINS_S = 300.0
"""A load makes its first messages ahead."""
CLIENTS = 400
READINGS_A_MESSAGE = 5
"""A dwelling's five meters."""
QUEUE_ROWS = 500
"""The commit queue: a quarter of what the clients may have under way. The shipped one holds 2,000 times as much."""
OWNER_MB, DOOR_MB = 2_048, 640
"""The bounds: what the limits of the owner's parts are made for; what a door may hold (161 MB) twice, and itself."""


@dataclass
class Seen:
    """What was seen of the processes while it ran."""

    owner_mb: float = 0.0
    door_mb: float = 0.0
    held: int = 0
    arrived: list[int] = field(default_factory=list)


@contextmanager
def watching(live: LiveCity, through_broker: Load) -> Iterator[Seen]:
    """Look at the processes' memory, and at what the broker and the door hold, until the block ends."""
    seen, end = Seen(), threading.Event()

    def look() -> None:
        while not end.wait(0.25):
            assert live.process is not None
            assert live.door is not None
            seen.owner_mb = max(seen.owner_mb, resident_mb(live.process))
            seen.door_mb = max(seen.door_mb, resident_mb(live.door))
            acked = through_broker.tally.acked_readings
            seen.held = max(seen.held, acked - live.counted("accepted", "mqtt"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join()


def committed_a_second(live: LiveCity, acks: Path, city: Any) -> float:
    """Play as fast as it goes for a while; give the readings a second that were committed and answered."""
    load = live.load(acks, city, readings_a_message=READINGS_A_MESSAGE, clients=50, seconds=CALIBRATED_S)
    tally = load.run()
    assert tally.given_up == 0
    return tally.acked_readings / tally.seconds


def normal_rate(city: SimulatedCity) -> float:
    """Give the readings a second of one household: its own meters' and its share of the city's."""
    return city.readings(city.plan.start).num_rows / HOUSEHOLDS / 86_400


@pytest.mark.soak
def test_ten_times_the_normal_rate_is_held_back_and_lost_nowhere(tmp_path: Path, need: Need) -> None:
    need(Path(PROGRAM), "half of it comes through a real broker")
    plan = CityPlan(start=date(2026, 1, 12), days=DAYS, households=HOUSEHOLDS, faults=False)
    city = simulate_city(plan)
    broker = Broker(tmp_path / "broker").start()
    live = LiveCity(tmp_path / "live", city.meters, broker, queue_rows=QUEUE_ROWS)
    try:
        live.begin()
        live.wait_ready()
        live.begin_door()
        rate = AHEAD * committed_a_second(live, tmp_path / "acks.first", Part(city, 0, 3))
        households = 2 * rate / TIMES / normal_rate(city)
        loads = [
            live.load(tmp_path / "acks.http", Part(city, 1, 3), rate=rate, clients=CLIENTS, **SENT),
            live.load(tmp_path / "acks.mqtt", Part(city, 2, 3), rate=rate, mqtt=True, clients=4, **SENT),
        ]
        with watching(live, loads[1]) as seen:
            late_s = overloaded(live, loads, rate * SECONDS)
        for load in loads:
            prove(live, load)
    finally:
        live.end()
        broker.end()
    told = loads[0].tally.refused["429"]
    print(
        f"a city of {households:,.0f} households, {rate / 5:,.0f} readings a second in normal times: "
        f"{2 * rate:,.0f}/s for {SECONDS:.0f} s; {told:,} answers 429, the broker held {seen.held:,} readings; "
        f"all there {late_s:.0f} s later; owner {seen.owner_mb:.0f} MB, door {seen.door_mb:.0f} MB at most"
    )
    assert told > 0, "no back-pressure was seen"
    assert late_s < BACKLOG_S
    assert seen.owner_mb < OWNER_MB
    assert seen.door_mb < DOOR_MB
    examined(live.folder)


SENT: dict[str, Any] = {"readings_a_message": READINGS_A_MESSAGE, "patience_s": 2 * BACKLOG_S}


def overloaded(live: LiveCity, loads: list[Load], due: float) -> float:
    """Play until all that is due was sent and committed; give how many seconds after the time that took."""
    begun = time.monotonic()
    through_broker = loads[1].tally
    with playing(*loads):
        for load in loads:
            wait_for(lambda load=load: load.tally.sent > 0, "it does not begin", BEGINS_S)
        begun = time.monotonic()
        stopped: set[int] = set()
        while len(stopped) < len(loads):
            assert time.monotonic() - begun < SECONDS + BACKLOG_S, "the backlog grows"
            for number, load in enumerate(loads):
                if load.tally.sent_readings >= due:
                    load.stop()
                    stopped.add(number)
            time.sleep(0.02)
    left_s = SECONDS + BACKLOG_S - (time.monotonic() - begun)
    wait_for(lambda: live.counted("accepted", "mqtt") >= through_broker.acked_readings, "the broker's share", left_s)
    return max(0.0, time.monotonic() - begun - SECONDS)


def prove(live: LiveCity, load: Load) -> None:
    """Prove that all that one load was told is there once."""
    tally = load.tally
    assert (tally.given_up, tally.turned_down, tally.rejected) == (0, 0, 0)
    said = live.verify(load.acks)
    assert (said["missing"], said["doubled"], said["differing"]) == (0, 0, 0), said
    assert said["once"] == said["distinct"] == tally.acked_readings == tally.sent_readings
