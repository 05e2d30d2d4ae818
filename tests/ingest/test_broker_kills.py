"""A broker that is killed and started again under load: what each level of acknowledgement is worth."""

import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.broker import PATIENCE_S, Broker, Publisher
from tests.conftest import Need
from tests.mqtt_stand import METERS, Stand, door_at, settings_for, wait_for
from tests.receipted import Receipted

from quintet.ingest.mqtt_client import Message
from quintet.ingest.mqtt_door import Door

KILLS = int(os.environ.get("QUINTET_BROKER_KILLS", "10"))
SOAK_KILLS = 100
SITES = 2
SEEN = re.compile(rb'"value": (\d+)\.5')


def reading(number: int, site: int) -> tuple[str, bytes]:
    """Give reading `number` of a site: its value says which it is, so that it is found in the store again."""
    slot, meter = divmod(number, METERS)
    day, quarter = divmod(slot, 96)
    moment = f"2026-{1 + day // 28:02}-{1 + day % 28:02}T{quarter // 4:02}:{quarter % 4 * 15:02}:00Z"
    payload = f'{{"value": {number * SITES + site}.5, "ts_utc": "{moment}"}}'
    return f"quintet/v1/s{site}/m{meter}", payload.encode()


def named(number: int) -> tuple[int, int]:
    """Give site and number of a reading by the whole part of its value."""
    return number % SITES, number // SITES


def stored(stand: Stand) -> set[tuple[int, int]]:
    """Give site and number of each reading in the store."""
    return {named(int(str(mantissa)) // 10) for (mantissa,) in stand.rows("select mantissa from raw")}


def said(payloads: Iterable[bytes]) -> set[tuple[int, int]]:
    """Give site and number of readings by their payloads, or by what a file holds of them."""
    return {named(int(found)) for payload in payloads for found in SEEN.findall(payload)}


@dataclass
class Kills:
    """Kills the broker at random moments while `senders` send without end; each gets the numbers from 0 on."""

    broker: Broker
    stand: Stand
    kills: int
    saved: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    enough: threading.Event = field(default_factory=threading.Event)
    gaps_s: tuple[float, float] = (0.05, 0.6)

    def messages(self, site: int, pause_s: float = 0.0) -> Iterator[tuple[str, bytes]]:
        number = 0
        while not self.enough.is_set():
            yield reading(number, site)
            number += 1
            if pause_s:
                time.sleep(pause_s)

    def run(self, senders: list[Callable[[], object]], before_kill: Callable[[int], None]) -> None:
        chance = random.Random(20260131)
        threads = [threading.Thread(target=sender) for sender in senders]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, self.kills + 1):
                before_kill(number)
                time.sleep(chance.uniform(*self.gaps_s))
                self.broker.end(signal.SIGKILL)
                held = self.broker.folder / "mosquitto.db"
                if held.is_file():
                    self.saved |= said([held.read_bytes()])
                self.broker.start()
        finally:
            self.enough.set()
            for thread in threads:
                thread.join()


def settled(stand: Stand) -> None:
    """Wait until the doors are back and hold nothing, and nothing more comes."""
    wait_for(lambda: all(state.connected for state in stand.intake.doors()), "doors that are back")
    before = -1
    while before != (before := stand.stored()):
        time.sleep(1.5)
        wait_for(lambda: all(state.in_flight == 0 for state in stand.intake.doors()), "doors that hold nothing")


def check_receipts(broker: Broker, stand: Stand, kills: int, doors: int) -> None:
    """Nothing that has a receipt is missing, and in the end everything has one."""
    settings = replace(settings_for(broker), doors=doors)
    run = Kills(broker, stand, kills)
    senders = [Receipted(broker.port, f"p{site}", f"s{site}") for site in range(SITES)]
    sent = [0] * SITES

    def publish(site: int) -> None:
        def counted() -> Iterator[tuple[str, bytes]]:
            for message in run.messages(site):
                sent[site] += 1
                yield message

        senders[site].publish(counted(), most=1000, patience_s=PATIENCE_S)

    def more_receipts(_: int) -> None:
        before = sum(len(sender.receipts) for sender in senders)
        wait_for(lambda: sum(len(sender.receipts) for sender in senders) > before, "receipts after a restart")

    with ExitStack() as stack:
        for number in range(doors):
            stack.enter_context(door_at(stand.folder, settings, number))
        wait_for(lambda: sum(state.connected for state in stand.intake.doors()) == doors, "connected doors")
        run.run([lambda site=site: publish(site) for site in range(SITES)], more_receipts)
        there = stored(stand)
    assert [len(sender.receipts) for sender in senders] == sent
    receipted = {(site, number) for site, sender in enumerate(senders) for number in sender.receipts}
    assert all(one.accepted + one.duplicate == 1 for sender in senders for one in sender.receipts.values())
    assert receipted - there == set()
    assert stand.doubled() == 0
    acknowledged = {(site, number) for site, sender in enumerate(senders) for number in sender.acknowledged}
    again = sum(sender.again for sender in senders)
    print(f"\n{kills} kills, {doors} doors: {len(receipted)} receipts, {len(acknowledged)} PUBACKs, {again} sent again")


@pytest.mark.parametrize("doors", [1, 2])
def test_what_has_a_receipt_is_stored_however_often_the_broker_is_killed(
    broker: Broker, stand: Stand, doors: int
) -> None:
    check_receipts(broker, stand, KILLS if doors == 1 else max(1, KILLS // 3), doors)


@pytest.mark.soak
@pytest.mark.parametrize("doors", [1, 2])
def test_what_has_a_receipt_is_stored_after_a_hundred_kills(broker: Broker, stand: Stand, doors: int) -> None:
    check_receipts(broker, stand, SOAK_KILLS if "QUINTET_KILLS" in os.environ else 1, doors)


def check_own_part(broker: Broker, stand: Stand, kills: int, pause_s: float, monkeypatch: pytest.MonkeyPatch) -> int:
    """All that a door had taken or the broker had saved is stored; gives how much else the broker acknowledged."""
    taken: set[bytes] = set()
    take = Door._take

    def noted(door: Door, message: Message, again: bool) -> None:
        taken.add(message.payload)
        take(door, message, again)

    monkeypatch.setattr(Door, "_take", noted)
    run = Kills(broker, stand, kills)
    publishers = [Publisher(broker.port, f"p{site}") for site in range(SITES)]

    def back(number: int) -> None:
        wait_for(lambda: stand.has_door() and stand.state().connections >= number, "a door that is back")
        before = stand.stored()
        wait_for(lambda: stand.stored() > before, "readings after a restart")

    def publish(site: int) -> None:
        publishers[site].publish(run.messages(site, pause_s), most_waiting=500)

    with door_at(stand.folder, settings_for(broker)):
        wait_for(stand.has_door, "a connected door")
        wait_for(lambda: broker.has_saved("door-0"), "a session on the broker's disk")
        run.run([lambda site=site: publish(site) for site in range(SITES)], back)
        settled(stand)
        there = stored(stand)
    ours = said(taken) | run.saved
    acknowledged = said(payload for publisher in publishers for payload in publisher.acknowledged)
    print(
        f"\n{kills} kills: {len(acknowledged)} acknowledged by the broker, {len(acknowledged - there)} lost; "
        f"{len(ours)} taken or saved, {len(ours - there)} lost; {len(run.saved)} seen on its disk"
    )
    assert ours - there == set()
    assert stand.doubled() == 0
    return len(acknowledged - there)


def test_what_the_door_has_taken_or_the_broker_has_saved_is_stored(
    broker: Broker, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At full speed: what stood in the memory of a killed broker only is the broker's to lose (docs/mqtt.md)."""
    check_own_part(broker, stand, max(1, KILLS // 5), 0.0, monkeypatch)


def test_what_a_full_queue_drops_is_sent_again_for_want_of_a_receipt(tmp_path: Path, need: Need, stand: Stand) -> None:
    """With a byte bound mosquitto acknowledges and drops; a sender that waits for receipts does not notice."""
    need("/usr/sbin/mosquitto", "the door is tested at a real broker")
    broker = Broker(tmp_path / "bounded")
    file = broker.folder / "mosquitto.conf"
    lines = file.read_text().replace("max_queued_bytes 0", "max_queued_bytes 5000")
    file.write_text(lines.replace("max_inflight_messages 0", "max_inflight_messages 20"))
    broker.start()
    try:
        with door_at(stand.folder, settings_for(broker)):
            wait_for(stand.has_door, "a connected door")
        sender = Receipted(broker.port, "p", "s0", again_s=1.0)
        thread = threading.Thread(target=sender.publish, args=([reading(number, 0) for number in range(1000)],))
        thread.start()
        wait_for(lambda: len(sender.acknowledged) > 300, "messages that the broker took")
        with door_at(stand.folder, settings_for(broker)):
            thread.join()
        assert len(sender.receipts) == stand.stored() == 1000
        assert "being dropped" in (broker.folder / "log").read_text()
    finally:
        broker.end()


@pytest.mark.soak
@pytest.mark.parametrize("pause_s", [0.0, 0.0005])
def test_of_a_hundred_kills_ours_loses_nothing(
    broker: Broker, stand: Stand, pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_own_part(broker, stand, SOAK_KILLS if "QUINTET_KILLS" in os.environ else 1, pause_s, monkeypatch)
