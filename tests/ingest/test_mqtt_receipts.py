"""Receipts: a sender that asks for one learns what became of its message, when that is durable; nobody else is told."""

import json
import struct

import msgspec
import pytest
from tests.broker import Broker, Publisher, text
from tests.mqtt_stand import Stand, door_at, settings_for, wait_for
from tests.receipted import Receipt, Receipted

from quintet.ingest.frames import PartDone
from quintet.ingest.mqtt_limits import mqtt_limits
from quintet.ingest.mqtt_packets import Reply, read_publish, write_publish
from quintet.ingest.mqtt_receipts import Outbox, Outgoing, allowed, receipt, sender_of

MOMENT = "2026-01-05T10:00:00Z"


def one(meter: str = "m1", value: float = 1.5) -> tuple[str, bytes]:
    return f"quintet/v1/s0/{meter}", json.dumps({"value": value, "ts_utc": MOMENT}).encode()


def test_each_message_gets_a_receipt_of_its_own(broker: Broker, stand: Stand) -> None:
    rows = {"meter": ["m3", "nobody", "m4"], "ts_utc": [MOMENT] * 3, "value": [1, 2, 3]}
    messages = [one(), one(), one("nobody"), ("quintet/v1/s0/m2", b"{"), one("m5")]
    messages.append(("quintet/v1/s0", json.dumps({"columns": rows}).encode()))
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        sender = Receipted(broker.port, "p", "s0")
        sender.publish(messages)
        assert stand.stored() == 4
        wait_for(lambda: stand.state().receipts >= 6, "receipts that are counted")
    found = [sender.receipts[number] for number in range(6)]
    assert sorted([found[0].accepted + found[0].duplicate, found[1].accepted + found[1].duplicate]) == [1, 1]
    assert found[0].accepted + found[1].accepted == 1
    assert (found[2].quarantined, found[2].problems[0]["code"]) == (1, "unregistered_meter")
    assert (found[3].quarantined, found[3].problems[0]["code"]) == (1, "undecodable")
    assert found[4] == Receipt(accepted=1)
    assert (found[5].accepted, found[5].quarantined) == (2, 1)
    assert (found[5].problems[0]["row"], found[5].problems[0]["code"]) == (2, "unregistered_meter")
    assert stand.rows("select distinct source from quarantine") == [("mqtt:s0",)]


def test_a_device_reads_its_own_receipts_and_nobody_elses(broker: Broker, stand: Stand) -> None:
    """With the rights that ship: user c1 sends under quintet/v1/c1 and reads quintet/receipts/c1."""
    message = ("quintet/v1/c1/m1", b'{"value": 1}')
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        own = Receipted(broker.port, "own", "c1", user="c1")
        own.publish([message])
        assert own.receipts[0].quarantined == 1
        other = Receipted(broker.port, "other", "s1", user="c1")
        other.publish([message], patience_s=1)
        assert other.receipts == {}
        wait_for(lambda: stand.state().receipts_dropped == 1, "a receipt that is not sent")


@pytest.mark.parametrize("to", ["elsewhere/p", "quintet/v1/s1/m1", "quintet/receipts/s1/p", "quintet/receipts"])
def test_a_door_writes_nowhere_else(broker: Broker, stand: Stand, to: str) -> None:
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        sender = Receipted(broker.port, "p", "s0", to=to)
        sender.publish([one()], patience_s=0.5)
        wait_for(lambda: stand.stored() == 1, "the reading itself")
        wait_for(lambda: stand.state().receipts_dropped == 1, "a receipt that is not sent")
    assert sender.receipts == {}


def test_who_asks_for_none_gets_none(broker: Broker, stand: Stand) -> None:
    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        Publisher(broker.port, "p").publish([one()])
        wait_for(lambda: stand.state().acknowledged == 1, "an acknowledged message")
        assert (stand.state().receipts, stand.state().receipts_dropped) == (0, 0)


def test_response_topic_and_correlation_data_are_found_among_all_properties() -> None:
    """Format, expiry, content type, user property and subscription identifiers stand around them (MQTT 5, 3.3.2.3)."""
    before = b"\x01\x01\x02\x00\x00\x00\x09\x03" + text("x") + b"\x26" + text("key") + text("value" * 40)
    asked = b"\x08" + text("quintet/receipts/c1/p") + b"\x0b\x80\x01" + b"\x09\x00\x03\x08\x09\x00"
    properties = before + asked + b"\x23\x00\x07"
    head = (
        text("quintet/v1/c1/m") + b"\x01\x02" + struct.pack("BB", len(properties) & 0x7F | 0x80, len(properties) >> 7)
    )
    found = read_publish(0x32, head + properties + b"1.5")
    assert found == ("quintet/v1/c1/m", b"1.5", 0x102, Reply("quintet/receipts/c1/p", b"\x08\x09\x00"))
    assert read_publish(0x30, text("t") + b"\x00" + b"7") == ("t", b"7", 0, None)
    assert read_publish(0x32, text("t") + b"\x00\x01\x02\x7f\x08" + b"7").reply is None


def test_a_packet_that_is_written_can_be_read() -> None:
    packet = write_publish("quintet/receipts/c1/p", b"{}" * 100, 5, correlation=b"abc", expiry_s=60)
    assert packet[0] == 0x32
    said = read_publish(packet[0], packet[3:])
    assert said == ("quintet/receipts/c1/p", b"{}" * 100, 5, None)


def test_only_the_senders_own_place_is_allowed() -> None:
    assert sender_of("quintet/v1/c1/m/2") == "c1"
    assert sender_of("quintet/v1/c1") == "c1"
    assert sender_of("tele/plug/SENSOR") == "tele"
    assert allowed(Reply("quintet/receipts/c1/x", b"1"), "quintet/v1/c1/m", 100)
    assert allowed(Reply("quintet/receipts/tele/x", b"1"), "tele/plug/SENSOR", 100)
    bad = ("quintet/receipts/c2/x", "quintet/receipts/c1", "quintet/receipts/c1/#", "quintet/receipts/c1/+", "a/c1/x")
    assert not any(allowed(Reply(topic, b""), "quintet/v1/c1/m", 100) for topic in bad)
    assert not allowed(Reply("quintet/receipts/c1/x", b"1" * 101), "quintet/v1/c1/m", 100)


def test_a_receipt_names_what_was_refused() -> None:
    said = receipt(Reply("t", b"k"), PartDone(0, 1, 2, 1, [(3, "no_time", "The row has no time.")]))
    assert (said.topic, said.correlation) == ("t", b"k")
    problems = [{"row": 3, "code": "no_time", "reason": "The row has no time."}]
    assert json.loads(said.payload) == {"accepted": 1, "duplicate": 2, "quarantined": 1, "problems": problems}


class Line:
    """A connection that keeps what is written."""

    def __init__(self, most: int, *, stands: bool = True) -> None:
        self.most_under_way, self.stands = most, stands
        self.written: list[bytes] = []

    def write(self, packets: bytes) -> bool:
        if self.stands:
            self.written.append(packets)
        return self.stands


def test_an_outbox_keeps_to_the_brokers_window_and_loses_nothing_with_a_connection() -> None:
    box = Outbox(msgspec.structs.replace(mqtt_limits().receipts, most_waiting=5))
    box.put(Outgoing(f"t{number}", b"") for number in range(5))
    line = Line(2)
    box.flush(line)
    assert b"t0" in line.written[0]
    assert b"t2" not in line.written[0]
    box.acknowledged(1000, 0)
    box.acknowledged(1000, 0)
    box.flush(line)
    assert b"t2" in line.written[1]
    box.lost()
    assert len(box) == 4
    box.flush(Line(2, stands=False))
    again = Line(9)
    box.flush(again)
    assert [again.written[0].find(f"t{number}".encode()) > 0 for number in range(5)] == [False, True, True, True, True]
    box.put(Outgoing("late", b"") for _ in range(7))
    assert (box.published, box.dropped) == (1, 2)
