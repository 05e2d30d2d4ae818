"""The MQTT door at a real mosquitto and a real city: nothing lost, nothing doubled, nothing in the way."""

import json
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import msgspec
from tests.broker import Broker, Publisher, make_certificates
from tests.conftest import Need
from tests.mqtt_stand import METERS, QUICK, Stand, door_at, meters, settings_for, wait_for, with_tls

from quintet.ingest.mqtt_parcels import Decoded
from quintet.ingest.mqtt_payloads import payloads


def reading(number: int, site: int = 0) -> tuple[str, bytes]:
    """Give reading `number` of a site as a message: each its own meter and quarter-hour."""
    slot, meter = divmod(number, METERS)
    day, quarter = divmod(slot, 96)
    moment = f"2026-01-{1 + day:02}T{quarter // 4:02}:{quarter % 4 * 15:02}:00Z"
    return f"quintet/v1/s{site}/m{meter}", f'{{"value": {number % 97}.25, "ts_utc": "{moment}"}}'.encode()


def test_a_reading_is_acknowledged_when_it_is_stored(broker: Broker, stand: Stand) -> None:
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([reading(3)])
        wait_for(lambda: stand.state().acknowledged == 1, "an acknowledged message")
        assert stand.stored() == 1
        state = stand.state()
        assert (state.messages, state.readings, state.poison, state.in_flight) == (1, 1, 0, 0)
    wait_for(lambda: stand.has_door(connected=False), "a door that is gone")


def test_poison_is_set_aside_and_acknowledged_and_holds_nobody_up(broker: Broker, stand: Stand) -> None:
    poison = [
        ("quintet/v1/s0/m1", b"\xff\x00 no reading"),
        ("quintet/v1/s0/m2", b"{"),
        ("quintet/v1/s0/nobody", b"1.5"),
    ]
    messages = [reading(number) for number in range(50)]
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([*messages[:25], *poison, *messages[25:]])
        wait_for(lambda: stand.state().acknowledged == 53, "all acknowledged, poison too")
    assert stand.stored() == 50
    assert len(stand.rows("select 1 from quarantine where source like 'mqtt:%'")) == 3


def test_a_message_that_breaks_the_decoder_is_found_and_set_aside(broker: Broker, stand: Stand) -> None:
    plain = payloads().decode

    def fragile(source: str, messages: list[tuple[str, bytes, int]]) -> Decoded | None:
        if any(payload == b"bomb" for _, payload, _ in messages):
            raise ZeroDivisionError
        return plain(source, messages)

    messages = [reading(number) for number in range(40)]
    messages[17] = ("quintet/v1/s0/m17", b"bomb")
    with door_at(stand.folder, settings_for(broker), decode=fragile):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish(messages)
        wait_for(lambda: stand.state().acknowledged == 40, "all acknowledged")
    assert stand.stored() == 39
    assert stand.rows("select code, row, source from quarantine") == [("untakeable", 1, "mqtt:s0")]


def test_what_was_sent_while_the_door_was_away_comes_when_it_is_back(broker: Broker, stand: Stand) -> None:
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
    publisher = Publisher(broker.port, "p")
    publisher.publish(reading(number) for number in range(500))
    assert stand.stored() == 0
    broker.end(signal.SIGTERM)
    broker.start()
    with door_at(stand.folder, settings_for(broker)):
        wait_for(lambda: stand.stored() == 500, "all of it")
    assert stand.doubled() == 0


def test_a_retained_message_is_taken_once(broker: Broker, stand: Stand) -> None:
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([reading(1)], retain=True)
        wait_for(lambda: stand.stored() == 1, "the reading")
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([reading(2)])
        wait_for(lambda: stand.stored() == 2, "the next reading")
        assert stand.state().messages == 1


def test_two_doors_share_what_comes(broker: Broker, stand: Stand) -> None:
    settings = replace(settings_for(broker), doors=2)
    with door_at(stand.folder, settings, 0), door_at(stand.folder, settings, 1):
        wait_for(lambda: sum(state.connected for state in stand.intake.doors()) == 2, "two connected doors")
        Publisher(broker.port, "p").publish(reading(number) for number in range(1000))
        wait_for(lambda: sum(state.acknowledged for state in stand.intake.doors()) >= 1000, "all acknowledged")
        assert all(state.acknowledged > 100 for state in stand.intake.doors())
    assert (stand.stored(), stand.doubled()) == (1000, 0)


def test_a_door_that_holds_too_many_bytes_reads_no_further_and_loses_nothing(broker: Broker, stand: Stand) -> None:
    small = msgspec.structs.replace(QUICK.frame, most_held_bytes=10_000, most_messages=20, most_under_way=2)
    with door_at(stand.folder, settings_for(broker), limits=msgspec.structs.replace(QUICK, frame=small)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish((reading(number) for number in range(1500)), most_waiting=1500)
        wait_for(lambda: stand.state().acknowledged == 1500, "all acknowledged")
    assert (stand.stored(), stand.doubled()) == (1500, 0)


def test_an_owner_that_ends_and_comes_back_gets_everything(broker: Broker, stand: Stand) -> None:
    publisher = Publisher(broker.port, "p")
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        thread = threading.Thread(target=publisher.publish, args=([reading(number) for number in range(20_000)],))
        thread.start()
        for _ in range(5):
            before = stand.stored()
            wait_for(lambda before=before: stand.stored() > before or stand.stored() == 20_000, "readings")
            stand.intake.stop()
            stand.intake.start()
        thread.join()
        wait_for(lambda: stand.stored() == 20_000, "all of it")
    assert stand.doubled() == 0


def test_a_message_of_a_known_device_is_taken(broker: Broker, stand: Stand) -> None:
    table = meters(1, 1).set_column(0, "site", [["tasmota"]]).set_column(2, "meter", [["plug1"]])
    table = table.set_column(5, "value_kind", [["register_cumulative"]])
    stand.city.pipeline.register(table, source="meters", actor="test")
    said = {"Time": "2026-01-05T10:00:00", "ENERGY": {"Total": 12.345, "Power": 20}}
    settings = replace(settings_for(broker), topics=("tele/+/SENSOR",))
    with door_at(stand.folder, settings):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([("tele/plug1/SENSOR", json.dumps(said).encode())])
        wait_for(lambda: stand.state().acknowledged == 1, "an acknowledged message")
    assert stand.stored() == 1, stand.rows("select * from quarantine")


def test_tls_and_passwords_are_checked_and_said_in_words(tmp_path: Path, need: Need, stand: Stand) -> None:
    need("/usr/sbin/mosquitto", "the door is tested at a real broker")
    broker = Broker(tmp_path / "broker", tls=True).start()
    try:
        settings = with_tls(settings_for(broker), broker)
        said: list[str] = []
        with door_at(stand.folder, replace(settings, password="wrong"), said=said):
            wait_for(lambda: any("refuses user 'quintet'" in line for line in said), f"words about a password: {said}")
            wait_for(lambda: any("refuses" in one.trouble for one in stand.intake.doors()), "the owner knows too")
        other = tmp_path / "other"
        other.mkdir()
        make_certificates(other)
        with door_at(stand.folder, replace(settings, tls_ca=other / "ca.crt"), said=said):
            wait_for(lambda: any("certificate" in line for line in said), f"words about a certificate: {said}")
        with door_at(stand.folder, settings, said=said):
            wait_for(stand.has_door, "a connected door")
            Publisher(broker.port, "p").publish([reading(1)])
            wait_for(lambda: stand.stored() == 1, "the reading")
    finally:
        broker.end()


def clocked(minutes: int) -> tuple[str, bytes]:
    """Give a message whose device says that it was sent some minutes ago."""
    sent = datetime.now(UTC) - timedelta(minutes=minutes)
    said = {"value": minutes, "ts_utc": (sent - timedelta(days=1)).isoformat(), "sent_at": sent.isoformat()}
    return f"quintet/v1/s0/m{minutes}", json.dumps(said).encode()


def test_a_device_clock_is_compared_only_for_what_did_not_wait(broker: Broker, stand: Stand) -> None:
    """What was drained after an outage of ours says nothing of the device's clock."""
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
    Publisher(broker.port, "p").publish([clocked(60)])
    with door_at(stand.folder, settings_for(broker)):
        wait_for(lambda: stand.stored() == 1, "what waited")
        assert stand.rows("select code from quarantine") == []
        minutes = count(61)

        def is_seen() -> bool:
            Publisher(broker.port, "q").publish([clocked(next(minutes))])
            return stand.rows("select distinct code from quarantine") == [("clock_off",)]

        wait_for(is_seen, "a clock that is off, once the door's probe came back")


def test_senders_are_named_by_their_site(broker: Broker, stand: Stand) -> None:
    settings = replace(settings_for(broker), topics=("quintet/v1/#", "tele/#"))
    with door_at(stand.folder, settings):
        wait_for(stand.has_door, "a connected door")
        messages = [("quintet/v1/s1/nobody", b"1.5"), ("quintet/v1/s0/nobody", b"1.5"), ("tele/x/y/z", b"{}")]
        Publisher(broker.port, "p").publish([*messages, reading(1, 0), reading(1, 1)])
        wait_for(lambda: stand.state().acknowledged == 5, "all acknowledged")
    assert stand.rows("select source from quarantine order by 1") == [("mqtt:s0",), ("mqtt:s1",), ("mqtt:tele",)]
    assert stand.stored() == 2
