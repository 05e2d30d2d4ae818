"""What a load plays: every parcel once or twice, in any order, shared among processes; bodies that the doors decode."""

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from quintet.app.load_bodies import FORMS, Form, bodies, mqtt_messages
from quintet.app.load_plan import LoadConfig, Message, Mischief, Supply, disordered, simulated
from quintet.protocols.payloads.body import decode_body
from quintet.simulate import SimulatedCity
from quintet.simulate.stream import Parcel, Traffic

CONFIG = LoadConfig(
    to="http://127.0.0.1:1", acks=Path("none"), households=20, rate=4_000, seconds=10, start=date(2026, 1, 12)
)


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    return simulated(CONFIG)


def supplied(city: SimulatedCity, config: LoadConfig) -> list[Message]:
    traffic = Traffic(city)
    supply = Supply(config, city, traffic, lambda parcel: ("", bytes(len(parcel))))
    supply.begin()
    out = list[Message]()
    while not supply.over:
        message = supply.take()
        if message is not None:
            out.append(message)
    supply.end()
    return out


def readings(messages: list[Message]) -> Counter[tuple[int, int]]:
    return Counter(
        pair for one in messages for pair in zip(one.parcel.name.tolist(), one.parcel.at_us.tolist(), strict=True)
    )


def test_the_shares_of_processes_make_the_whole(city: SimulatedCity) -> None:
    whole = readings(supplied(city, replace(CONFIG, rate=0)))
    shares = [supplied(city, replace(CONFIG, rate=0, share=(number, 3))) for number in range(3)]
    assert sum(map(readings, shares), Counter[tuple[int, int]]()) == whole
    assert max(whole.values()) == 1
    assert len({one.key for share in shares for one in share}) == sum(map(len, shares))


def test_a_rate_and_a_time_make_no_more_than_they_need(city: SimulatedCity) -> None:
    made = sum(len(one.parcel) for one in supplied(city, replace(CONFIG, seconds=1.0)))
    assert 4_000 <= made <= 4_800 + 2 * CONFIG.readings_a_message


def test_rate_time_and_first_day_change_no_meter_and_the_same_days_no_reading(city: SimulatedCity) -> None:
    for other in ({"rate": 0.0}, {"seconds": 20.0}, {"start": None}):
        assert simulated(replace(CONFIG, **other)).meters.equals(city.meters)
    longer = simulated(replace(CONFIG, seconds=100.0))
    assert longer.plan.days > city.plan.days
    assert longer.readings(date(2026, 1, 13)).equals(city.readings(date(2026, 1, 13)))
    assert not simulated(replace(CONFIG, seed=2)).meters.equals(city.meters)


def test_twice_is_each_message_again_half_of_them_under_the_same_key(city: SimulatedCity) -> None:
    messages = supplied(city, replace(CONFIG, rate=0, mischief=Mischief(twice=True)))
    assert set(readings(messages).values()) == {2}
    keys = Counter(one.key for one in messages)
    assert set(keys.values()) == {1, 2}


@pytest.mark.parametrize("mischief", [Mischief(shuffle=True), Mischief(late=True), Mischief(shuffle=True, late=True)])
def test_disorder_loses_nothing_and_is_the_same_each_time(mischief: Mischief) -> None:
    one = np.zeros(1)
    parcels = [Parcel(np.array([number], np.int32), np.array([number]), one) for number in range(1_500)]
    config = replace(CONFIG, mischief=mischief)
    found = [[int(parcel.name[0]) for parcel in disordered(iter(parcels), config)] for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] != list(range(1_500))
    assert sorted(found[0]) == list(range(1_500))


@pytest.mark.parametrize("form", FORMS)
def test_the_door_decodes_what_a_body_says(city: SimulatedCity, form: Form) -> None:
    traffic = Traffic(city)
    written = bodies(form, traffic.names)
    for parcel in list(traffic.parcels(date(2026, 1, 12), 300))[:3]:
        decoded = decode_body(written.write(parcel), written.media_type)
        assert (decoded.rows, decoded.refused.num_rows) == (len(parcel), 0)
        assert said(decoded.readings) == meant(traffic, parcel)


def test_a_concentrators_message_names_its_site_in_the_topic(city: SimulatedCity) -> None:
    traffic = Traffic(city)
    write = mqtt_messages(traffic.names)
    parcel = next(traffic.parcels(date(2026, 1, 12), 50, by_site=True))
    topic, payload = write(parcel)
    site = traffic.names[int(parcel.name[0])][0]
    assert topic == f"quintet/v1/{site}"
    assert said(decode_body(payload, "application/json", site=site).readings) == meant(traffic, parcel)
    single = Parcel(parcel.name[:1], parcel.at_us[:1], parcel.value[:1])
    assert write(single)[0] == "/".join(("quintet/v1", *traffic.names[int(parcel.name[0])]))


def said(table: object) -> list[tuple[str, str, int, float]]:
    columns = table.select(["site", "meter", "at", "value"]).to_pydict()  # pyright: ignore[reportAttributeAccessIssue]
    stamps = [round(at.timestamp() * 1e6) for at in columns["at"]]
    return list(zip(columns["site"], columns["meter"], stamps, columns["value"], strict=True))


def meant(traffic: Traffic, parcel: Parcel) -> list[tuple[str, str, int, float]]:
    rows = zip(parcel.name.tolist(), parcel.at_us.tolist(), parcel.value.tolist(), strict=True)
    return [(*traffic.names[name], at, value) for name, at, value in rows]
