"""A dwelling at a Home Assistant, over a real broker: found, told, never falling, and gone with its right."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.broker import DOOR_PASSWORD, DOOR_USER, PROGRAM, Broker
from tests.conftest import Need
from tests.mqtt_stand import wait_for

from quintet.access import EVERYTHING
from quintet.app.home_assistant import classes
from quintet.app.home_assistant_run import HomeAssistant
from quintet.app.mqtt_settings import MqttSettings
from quintet.registry.changes import exchange, move_out, rewire
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views.live import Live

from .home_player import Player, is_config, pid_file
from .peopled import HOMES, HOURS, KINDS, MOVE, NOW, START, Hand, Peopled, amount, made, send

OWN = HOMES[4]
QUICK = replace(classes().limits, pause_ms=20, look_s=1, retry_s=1, settle_ms=200)


@pytest.fixture
def broker(tmp_path: Path, need: Need) -> Iterator[Broker]:
    need(Path(PROGRAM), "it is the broker of these tests")
    one = Broker(tmp_path / "broker").start()
    yield one
    one.end()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


@pytest.fixture
def players() -> Iterator[list[Player]]:
    found: list[Player] = []
    yield found
    for one in found:
        one.close()


@contextmanager
def telling(town: Peopled, broker: Broker) -> Iterator[HomeAssistant]:
    settings = MqttSettings(
        "127.0.0.1", broker.port, DOOR_USER, DOOR_PASSWORD, None, None, None, (), 1, "", True,
        broker.folder / "passwords", pid_file(broker),
    )  # fmt: skip
    one = HomeAssistant(town.city, town.keeper, Live(town.keeper._feed, EVERYTHING), settings, QUICK)
    one.begin()
    yield one
    one.end()


def turned_on(town: Peopled, name: str = "owner", place: str = OWN) -> tuple[Any, dict[str, Any]]:
    """Have a resident turn it on; gives his browser and the token."""
    client = town.signed_in(town.person(name, "resident", place, MOVE if place == HOMES[1] else START))
    got = client.post("/api/v1/me/tokens", json={"name": "Home Assistant", "may": ["mqtt"], "place": place})
    assert got.status_code == 201, got.text
    return client, got.json()


def user_of(token: dict[str, Any]) -> str:
    return f"home-{token['id']}"


def used(kind: int, hours: range, home: str = OWN) -> Decimal:
    """Give what was used in some hours, exactly."""
    return sum((Decimal(str(amount(HOMES.index(home), kind, hour))) for hour in hours), Decimal(0))


def send_one(town: Peopled, site: str, meter: str, hour: int, value: float) -> None:
    """Commit one reading."""
    row = {"site": site, "meter": meter, "at": START + timedelta(hours=hour), "value": value, "commodity": None,
           "unit": None, "row": 1}  # fmt: skip
    table = pa.Table.from_pylist([row], READINGS)
    town.city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")


TODAY = range(48, HOURS)
"""The hours of the day on which it is turned on."""


def test_a_dwelling_is_found_told_and_told_anew_when_a_home_assistant_comes_up(
    town: Peopled, broker: Broker, players: list[Player]
) -> None:
    with telling(town, broker):
        client, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "a device that is available")
        device = one.device()
        assert device is not None
        assert device["origin"]["name"] == "quintet"
        (name,) = device["device"]["identifiers"]
        assert f"quintet/home/{one.user}/homeassistant/device/{name}/config" in one.kept
        assert all(row["unique_id"].startswith(name) for row in device["components"].values())
        said = {
            key: tuple(row.get(word) for word in ("platform", "device_class", "state_class", "unit_of_measurement"))
            for key, row in device["components"].items()
        }
        assert said["electricity_energy"] == ("sensor", "energy", "total_increasing", "kWh")
        assert said["water_volume"] == ("sensor", "water", "total_increasing", "m³")
        assert said.get("cost_today", ("sensor", "monetary", "total", "KRW")) == ("sensor", "monetary", "total", "KRW")
        assert len({row["unique_id"] for row in device["components"].values()}) == len(said)
        for number, (kind, _) in enumerate(KINDS):
            key = "electricity_energy" if kind == "electricity" else "water_volume"
            assert Decimal(str(one.value(key))) == used(number, TODAY)
            assert one.state()[key]["attributes"]["held"] is False
        assert OWN not in str(one.kept)

        send(town.city, range(HOURS, HOURS + 1))
        town.hand.now += timedelta(hours=1)
        wanted = used(0, range(48, HOURS + 1))
        wait_for(lambda: Decimal(str(one.value("electricity_energy"))) == wanted, "the new hour")

        before = len(one.seen)
        assert one.up() == 0
        wait_for(lambda: any("config" in topic for topic, _ in one.seen[before:]), "discovery once more")

        assert client.delete(f"/api/v1/me/tokens/{token['id']}").status_code == 204
        wait_for(lambda: one.device() is None and not one.state(), "what was revoked to be cleared")
        wait_for(one.ended, "the broker to send away whose token has ended")
        late = Player(broker, one.user, token["token"])
        players.append(late)
        wait_for(late.ended, "the broker to let nobody in with it")


def test_a_total_never_falls_and_says_that_it_waits(town: Peopled, broker: Broker, players: list[Player]) -> None:
    with telling(town, broker):
        _, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
        high = Decimal(str(one.value("electricity_energy")))
        send(town.city, range(HOURS - 2, HOURS - 1), (OWN,), -0.5)
        wait_for(lambda: one.state()["electricity_energy"]["attributes"]["held"], "the lower total to be held")
        assert Decimal(str(one.value("electricity_energy"))) == high
    wait_for(lambda: one.kept["quintet/home/status"] == "offline", "good-bye")
    with telling(town, broker):
        wait_for(one.available, "the device again")
        assert Decimal(str(one.value("electricity_energy"))) == high, "what stands at the broker is remembered there"
        send(town.city, range(HOURS, HOURS + 1), (OWN,))
        town.hand.now += timedelta(hours=1)
        wait_for(lambda: not one.state()["electricity_energy"]["attributes"]["held"], "the true total to pass it")
        assert Decimal(str(one.value("electricity_energy"))) > high
        before = one.value("electricity_energy")
        town.hand.now += timedelta(days=1)
        send(town.city, range(HOURS - 2, HOURS - 1), (OWN,), 2.0)
        wait_for(lambda: abs(one.value("electricity_energy") - before - 2.5) < 1e-5, "a day that is over, corrected")


def test_each_dwelling_reads_its_own_and_nobody_says_anything_for_another(
    town: Peopled, broker: Broker, players: list[Player]
) -> None:
    with telling(town, broker):
        _, mine = turned_on(town)
        _, theirs = turned_on(town, "neighbour", HOMES[0])
        own = Player(broker, user_of(mine), mine["token"])
        spy = Player(broker, user_of(mine), mine["token"], f"quintet/home/{user_of(theirs)}/#")
        everything = Player(broker, user_of(mine), mine["token"], "#")
        players += [own, spy, everything]
        wait_for(own.available, "its own device")
        other = Player(broker, user_of(theirs), theirs["token"])
        players.append(other)
        wait_for(other.available, "the neighbour's device")
        own.say(f"quintet/home/{other.user}/homeassistant/status", "online")
        own.say(f"quintet/home/{other.user}/state", "{}")
        send(town.city, range(HOURS, HOURS + 1))
        town.hand.now += timedelta(hours=1)
        wanted = used(0, range(48, HOURS + 1), HOMES[0])
        wait_for(lambda: Decimal(str(other.value("electricity_energy"))) == wanted, "the neighbour's new hour")
        assert not [topic for topic, _ in spy.seen if other.user in topic]
        assert not [topic for topic, _ in everything.seen if other.user in topic]


@pytest.mark.parametrize("how", ["moved out", "erased", "disabled"])
def test_who_is_gone_is_cleared_at_once(town: Peopled, broker: Broker, players: list[Player], how: str) -> None:
    with telling(town, broker):
        _, token = turned_on(town, place=HOMES[1])
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
        _gone(town, how)
        wait_for(lambda: one.device() is None and not one.state(), f"all to be cleared of who is {how}")


def test_what_ended_while_nobody_served_is_cleared_by_the_next_one(
    town: Peopled, broker: Broker, players: list[Player]
) -> None:
    with telling(town, broker):
        _, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
    _gone(town, "erased")
    other = Player(broker, "loader", "device-secret", "quintet/home/#")
    players.append(other)
    with telling(town, broker):
        wait_for(lambda: other.kept.get(f"quintet/home/{one.user}/state") == "", "what was left to be cleared")
    kept = Player(broker, "loader", "device-secret", "quintet/home/#")
    players.append(kept)
    wait_for(lambda: bool(kept.seen), "what the broker keeps")
    assert not [topic for topic, payload in kept.seen if one.user in topic and payload]


def test_the_broker_may_come_and_go(town: Peopled, broker: Broker, players: list[Player]) -> None:
    with telling(town, broker):
        _, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
        broker.end()
        broker.start()
        send(town.city, range(HOURS, HOURS + 1))
        town.hand.now += timedelta(hours=1)
        wanted = used(0, range(48, HOURS + 1))
        again = Player(broker, user_of(token), token["token"])
        players.append(again)
        wait_for(lambda: again.available() and Decimal(str(again.value("electricity_energy"))) == wanted, "it again")


def test_a_renewed_token_keeps_the_device_and_its_sensors(town: Peopled, broker: Broker, players: list[Player]) -> None:
    with telling(town, broker):
        client, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
        before = one.device()
        assert client.delete(f"/api/v1/me/tokens/{token['id']}").status_code == 204
        wait_for(lambda: one.device() is None, "what was revoked to be cleared")
        renewed = client.post("/api/v1/me/tokens", json={"name": "renewed", "may": ["mqtt"], "place": OWN}).json()
        again = Player(broker, user_of(renewed), renewed["token"])
        players.append(again)
        wait_for(again.available, "the device again")
        after = again.device()
        assert before is not None
        assert after is not None
        assert (after["device"]["identifiers"], _ids(after)) == (before["device"]["identifiers"], _ids(before))


def test_an_exchanged_meter_goes_on_and_one_that_came_or_left_changes_nothing_else(
    town: Peopled, broker: Broker, players: list[Player]
) -> None:
    old, water = "c2/c2-201-1-electricity", "c2/c2-201-1-water"
    with telling(town, broker):
        _, token = turned_on(town)
        one = Player(broker, user_of(token), token["token"])
        players.append(one)
        wait_for(one.available, "the device")
        assert Decimal(str(one.value("electricity_energy"))) == used(0, TODAY)
        at = START + timedelta(hours=HOURS)
        made_of = exchange(town.city.registry(), old=old, new={"meter": "fresh"}, at=at)
        town.city.pipeline.apply_records(made_of.records, kind="registry", source="test", actor="test")
        send_one(town, "c2", "fresh", HOURS, 7.5)
        town.hand.now += timedelta(hours=1)
        wanted = used(0, TODAY) + Decimal("7.5")
        wait_for(lambda: Decimal(str(one.value("electricity_energy"))) == wanted, "the old meter's total and the new")
        assert one.state()["electricity_energy"]["attributes"]["held"] is False
        count = len(one.seen)
        left = rewire(town.city.registry(), water, valid_from=START, place=HOMES[5])
        town.city.pipeline.apply_records(left, kind="registry", source="test", actor="test")
        wait_for(lambda: "water_volume" not in (one.device() or {"components": {}})["components"], "no water any more")
        told = [json.loads(payload)["components"] for topic, payload in one.seen[count:] if is_config(topic)]
        assert told[0]["water_volume"] == {"platform": "sensor"}  # Home Assistant takes a sensor away by this alone
        assert set(told[0]) - set(told[-1]) == {"water_volume"}
        came = rewire(town.city.registry(), "c1/c1-102-1-water", valid_from=at, place=OWN)
        town.city.pipeline.apply_records(came, kind="registry", source="test", actor="test")
        wait_for(lambda: "water_volume" in (one.device() or {"components": {}})["components"], "another's water meter")
        assert Decimal(str(one.value("electricity_energy"))) == wanted
        assert all(payload for topic, payload in one.seen[count:] if is_config(topic))


def _ids(device: dict[str, Any]) -> dict[str, str]:
    return {key: row["unique_id"] for key, row in device["components"].items()}


def test_such_a_token_opens_nothing_over_http(town: Peopled) -> None:
    _, token = turned_on(town)
    asked = town.client(Authorization=f"Bearer {token['token']}")
    for path in (f"/api/v1/dwellings/{OWN}", "/api/v1/meters", "/api/v1/me/export", f"/api/v1/live?place={OWN}"):
        assert asked.get(path).status_code in (401, 403, 404), path


def _gone(town: Peopled, how: str) -> None:
    person = town.city.people.need("owner")
    gone: dict[str, Callable[[], object]] = {
        "erased": lambda: town.city.people.erase(person, actor="test"),
        "disabled": lambda: town.city.people.disable(person, actor="test"),
        "moved out": lambda: town.city.pipeline.apply_records(
            move_out(town.city.registry(), premise=HOMES[1], at=NOW), kind="registry", source="test", actor="test"
        ),
    }
    gone[how]()
