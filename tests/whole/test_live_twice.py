"""Everything sent twice and shuffled, through each live door: the content is that of a clean run.

The readings are a simulated city's with its faults and late ones. By HTTP some moments have two amounts: between
deliveries the later one would win, by rule, so both travel in one delivery, where order must not matter. By MQTT the
order of messages and of the rows in them does matter, so there no moment is disputed.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.broker import PROGRAM, Broker, Publisher
from tests.conftest import Need

from quintet.simulate import CityPlan, simulate_city
from quintet.terms.tables import MOMENT

from .live import LiveCity, clean_run, examined, wait_for
from .once import made_once

DAYS, HOUSEHOLDS = 2, 8
DISPUTED = 40
"""Moments with two amounts."""
LARGEST = 400
"""Readings of one delivery at most, but for a disputed moment."""
SENDERS = 4
READINGS = "/api/v1/readings:batch"


@dataclass(frozen=True)
class Sent:
    """The readings, (site, meter, us, value) each, and what a city holds that took them from one file."""

    meters: pa.Table
    readings: list[tuple[str, str, int, float]]
    clean: dict[str, Any]


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return made(tmp_path_factory, "sent", DISPUTED)


@pytest.fixture(scope="session")
def undisputed(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return made(tmp_path_factory, "undisputed", 0)


def made(tmp_path_factory: pytest.TempPathFactory, name: str, disputed: int) -> Sent:
    simulated = simulate_city(CityPlan(start=date(2026, 3, 2), days=DAYS, households=HOUSEHOLDS, seed=3))
    days = [simulated.plan.day(number) for number in range(DAYS)]
    table = pa.concat_tables([rows for day in days for rows in (simulated.readings(day), simulated.late(day))])
    readings = rows_of(table)
    dice = random.Random(1)
    readings += [(site, meter, at, value + 1) for site, meter, at, value in dice.sample(readings, disputed)]
    readings = list(dict.fromkeys(readings))

    def make(folder: Path) -> None:
        facts = clean_run(folder / "clean", simulated.meters, table_of(readings))
        (folder / "facts.json").write_bytes(msgspec.json.encode(facts))

    folder = made_once(tmp_path_factory, name, make)
    return Sent(simulated.meters, readings, msgspec.json.decode((folder / "facts.json").read_bytes()))


def rows_of(table: pa.Table) -> list[tuple[str, str, int, float]]:
    columns = [table[name].cast(pa.string()).to_pylist() for name in ("site", "meter")]
    return list(zip(*columns, table["ts_utc"].cast(pa.int64()).to_pylist(), table["value"].to_pylist(), strict=True))


def table_of(readings: list[tuple[str, str, int, float]]) -> pa.Table:
    site, meter, at, value = zip(*readings, strict=True)
    stamps = pa.array(np.array(at, np.int64)).view(MOMENT)
    return pa.table({"site": site, "meter": meter, "ts_utc": stamps, "value": pa.array(value, pa.float64())})


def pieces(
    readings: list[tuple[str, str, int, float]], dice: random.Random, *, by_site: bool
) -> list[list[tuple[str, str, int, float]]]:
    """Shuffle readings and cut them into pieces of any size; what one meter says of one moment stays together."""
    moments: dict[tuple[str, str, int], list[tuple[str, str, int, float]]] = {}
    for reading in readings:
        moments.setdefault(reading[:3], []).append(reading)
    mixed = list(moments.values())
    dice.shuffle(mixed)
    if by_site:
        mixed.sort(key=lambda moment: moment[0][0])
    out: list[list[tuple[str, str, int, float]]] = []
    room = 0
    for moment in mixed:
        if room <= 0 or (by_site and out[-1][0][0] != moment[0][0]):
            out.append([])
            room = dice.choice((1, LARGEST // 2, LARGEST))
        dice.shuffle(moment)
        out[-1] += moment
        room -= len(moment)
    dice.shuffle(out)
    return out


def columns_of(piece: list[tuple[str, str, int, float]]) -> bytes:
    """Write a piece by columns; one site is one word."""
    site, meter, at, value = (list(column) for column in zip(*piece, strict=True))
    single = site[0] if len(set(site)) == 1 else site
    return msgspec.json.encode({"columns": {"site": single, "meter": meter, "ts_us": at, "value": value}})


def by_http(live: LiveCity, sent: Sent, dice: random.Random) -> None:
    """Send all in pieces, each twice, and all once more cut otherwise; several senders at once."""
    bodies = [columns_of(piece) for piece in pieces(sent.readings, dice, by_site=False)]
    keyed = [(body, f"k{number}-{turn if number % 2 else 0}") for turn in (1, 2) for number, body in enumerate(bodies)]
    keyed += [(columns_of(piece), "") for piece in pieces(sent.readings, dice, by_site=False)]
    dice.shuffle(keyed)
    token = {"Authorization": f"Bearer {live.token}", "Content-Type": "application/json"}
    with httpx.Client(base_url=live.address, headers=token, timeout=60, trust_env=False) as client:

        def send(body: bytes, key: str) -> tuple[int, int]:
            headers = {"Idempotency-Key": key} if key else {}
            answer = client.post(READINGS, content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert said["quarantined"] == 0
            return said["accepted"] * (not said["repeated"]), said["duplicate"]

        with ThreadPoolExecutor(SENDERS) as senders:
            told = list(senders.map(lambda one: send(*one), keyed))
    assert sum(accepted for accepted, _ in told) == len(sent.readings)
    assert sum(duplicate for _, duplicate in told) > len(sent.readings)


def by_mqtt(live: LiveCity, sent: Sent, dice: random.Random) -> None:
    """Publish all in pieces, each twice, and wait until the owner has all."""
    assert live.broker is not None
    live.begin_door()
    messages = [
        (f"quintet/v1/{piece[0][0]}", columns_of(piece)) for piece in pieces(sent.readings, dice, by_site=True)
    ] * 2
    dice.shuffle(messages)
    publisher = Publisher(live.broker.port, "twice")
    publisher.publish(messages)
    assert len(publisher.acknowledged) == len(messages)
    wait_for(lambda: live.counted("accepted") + live.counted("duplicate") >= 2 * len(sent.readings), "all of it")


@pytest.mark.parametrize("way", ["http", "mqtt"])
def test_everything_twice_and_shuffled_is_the_content_of_a_clean_run(
    way: str, request: pytest.FixtureRequest, tmp_path: Path, need: Need
) -> None:
    sent: Sent = request.getfixturevalue("sent" if way == "http" else "undisputed")
    need(Path(PROGRAM), "the MQTT door reads from a real broker")
    broker = Broker(tmp_path / "broker").start()
    live = LiveCity(tmp_path / "live", sent.meters, broker)
    try:
        live.begin()
        live.wait_ready()
        (by_http if way == "http" else by_mqtt)(live, sent, random.Random(7))
    finally:
        live.end()
        broker.end()
    facts = examined(live.folder)
    for name in ("content_hash", "raw_rows", "quarantined"):
        assert facts[name] == sent.clean[name], name
    assert facts["raw_rows"] == len(sent.readings)


def test_the_hash_tells_one_reading_that_is_missing(sent: Sent, tmp_path: Path) -> None:
    last = max(sent.readings, key=lambda reading: reading[2])
    lacking = [reading for reading in sent.readings if reading != last]
    assert clean_run(tmp_path / "less", sent.meters, table_of(lacking))["content_hash"] != sent.clean["content_hash"]
