"""The MQTT door: takes messages from a broker, has them committed by the owner, and only then acknowledges them.

    broker  --PUBLISH-->  gathered  --decoded-->  parcel  --run/ingest.sock-->  owner: one durable commit
    broker  <--PUBACK---  settled   <-------------------------------- Done
    broker  <--PUBLISH--  receipts of the messages that asked for one

It runs in a process of its own. What it has taken and not acknowledged is bounded in messages by MQTT's receive maximum
and in bytes by reading no further. When the owner is gone the parcels wait for the next one; when the broker
is gone they are committed all the same, and what the broker sends again then is known to the store.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

import msgspec

from .frames import Done, DoorState, Parcel, Refused, Report, framed
from .mqtt_client import BrokerAddress, BrokerRefused, Connection, Message, Subscriptions
from .mqtt_limits import MqttLimits
from .mqtt_owner import OwnerLine
from .mqtt_parcels import ACTOR, Held, Packer, Payloads, without_clock
from .mqtt_receipts import RECEIPTS, Outbox, Outgoing, allowed, receipt
from .redelivered import Redelivered

PROBES = "quintet/probe/"


class Door:
    """One door: one connection to the broker, one line to the owner."""

    def __init__(
        self,
        number: int,
        address: BrokerAddress,
        topics: Subscriptions,
        *,
        payloads: Payloads,
        owner: Callable[[], Path],
        limits: MqttLimits,
        tell: Callable[[str], None],
    ) -> None:
        """Prepare; `owner` gives the path of the owner's socket, `tell` gets a sentence when something changes."""
        self._address, self._limits, self._tell = address, limits, tell
        self._probe = f"{PROBES}{address.client_id}"
        self._topics = Subscriptions([*topics.wanted, self._probe], topics.unwanted)
        self._packer = Packer(payloads, limits.frame.most_senders)
        self._counts = DoorState(f"{ACTOR}-{number}", number, f"{address.host}:{address.port}")
        self._connection: Connection | None = None
        self._owner = OwnerLine(owner, limits.connection, self.state, self._answered, self._greeted, tell)
        self._gathered: deque[Message] = deque()
        self._held: dict[int, Held] = {}
        self._again = Redelivered(limits.again, limits.frame.message_bytes)
        self._outbox = Outbox(limits.receipts)
        self._wake = asyncio.Event()
        self._held_bytes = 0
        self._probed_us = 0
        self._broker_trouble = ""
        self._ending = False

    async def run(self, end: asyncio.Event) -> None:
        """Work until `end` is set; then finish what the owner has in hand and leave the session to the broker."""
        works = [
            asyncio.create_task(work())
            for work in (self._keep_broker, self._owner.keep, self._deliver, self._report, self._probes)
        ]
        ending = asyncio.create_task(end.wait())
        try:
            done, _ = await asyncio.wait([*works, ending], return_when=asyncio.FIRST_COMPLETED)
            if ending in done:
                await self._finish()
            for work in done - {ending}:
                work.result()
        finally:
            for task in (*works, ending):
                task.cancel()
            await asyncio.wait((*works, ending))
            if self._connection is not None:
                await _hang_up(self._connection)

    def state(self) -> DoorState:
        """Give how the door is now."""
        now_us = time.time_ns() // 1000
        oldest = min((message.received_us for message in self._first_ones()), default=now_us)
        return msgspec.structs.replace(
            self._counts,
            in_flight=len(self._gathered) + sum(len(held.messages) for held in self._held.values()),
            oldest_unacknowledged_s=max(0.0, (now_us - oldest) / 1e6),
            receipts_dropped=self._counts.receipts_dropped + self._outbox.dropped,
            trouble=self._broker_trouble or self._owner.trouble,
            reported_us=now_us,
        )

    def _first_ones(self) -> Iterator[Message]:
        return chain((held.messages[0] for held in self._held.values()), islice(self._gathered, 1))

    def _count(self, **more: int) -> None:
        old = self._counts
        self._counts = msgspec.structs.replace(old, **{name: getattr(old, name) + by for name, by in more.items()})

    # the broker's side

    async def _keep_broker(self) -> None:
        limits = self._limits.connection
        wait_s = limits.first_retry_s
        while True:
            connection = self._connection = Connection(
                self._address,
                self._take,
                self._publish_answered,
                keepalive_s=limits.keepalive_s,
                session_expiry_s=limits.session_expiry_s,
                receive_maximum=limits.receive_maximum,
            )
            try:
                await connection.open(self._topics, limits.connect_s)
                wait_s = limits.first_retry_s
                self._count(connections=1)
                self._broker_is("", connected=True)
                self._send_probe()
                await connection.lost.wait()
                self._broker_is(connection.why or "the connection broke")
            except BrokerRefused as error:
                self._broker_is(str(error))
                wait_s = limits.refused_retry_s
            except (OSError, TimeoutError) as error:
                self._broker_is(str(error) or "no answer")
            await _hang_up(connection)
            self._probed_us = 0
            self._outbox.lost()
            self._again.lost(chain(chain.from_iterable(held.messages for held in self._held.values()), self._gathered))
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, limits.most_retry_s)

    def _broker_is(self, trouble: str, *, connected: bool = False) -> None:
        self._counts = msgspec.structs.replace(self._counts, connected=connected)
        said = f"broker {self._counts.broker}: {trouble}" if trouble else ""
        if said != self._broker_trouble or connected:
            self._tell(said or f"broker {self._counts.broker}: connected as {self._address.client_id}.")
        self._broker_trouble = said
        if said:
            self._say_how()

    def _take(self, message: Message, again: bool) -> None:
        if message.topic == self._probe or message.topic.startswith(RECEIPTS):
            self._take_own(message)
            return
        if again:
            first_us = self._again.first_us(message.topic, message.payload)
            if first_us is not None:
                message = message._replace(received_us=first_us)
            self._count(repeated=1)
        if message.reply is not None and not allowed(
            message.reply, message.topic, self._limits.receipts.most_topic_bytes
        ):
            message = message._replace(reply=None)
            self._count(receipts_dropped=1)
        self._gathered.append(message)
        self._held_bytes += len(message.payload) + self._limits.frame.message_bytes
        if self._held_bytes > self._limits.frame.most_held_bytes:
            message.connection.pause(True)
        self._wake.set()

    def _take_own(self, message: Message) -> None:
        """Take a probe that came back; what stands behind it in the broker's queue came after it was sent."""
        if message.topic == self._probe and message.payload.isdigit():
            self._probed_us = int(message.payload)
        if message.mid:
            message.connection.acknowledge([message.mid])

    async def _probes(self) -> None:
        while True:
            await asyncio.sleep(self._limits.fresh.probe_every_s)
            self._send_probe()

    def _send_probe(self) -> None:
        self._publish([Outgoing(self._probe, b"%d" % (time.time_ns() // 1000))])

    def _publish(self, messages: list[Outgoing]) -> None:
        self._outbox.put(messages)
        if self._connection is not None:
            self._outbox.flush(self._connection)

    def _publish_answered(self, mid: int, code: int) -> None:
        self._outbox.acknowledged(mid, code)
        self._publish([])

    # decoding and sending

    async def _deliver(self) -> None:
        """Send what gathered while the owner was busy; at once when it is idle."""
        limits = self._limits.frame
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._gathered and self._owner.stands and len(self._held) < limits.most_under_way:
                if self._held and len(self._gathered) < limits.most_messages:
                    await asyncio.sleep(limits.linger_s)
                self._hand_over(self._stretch())
                await asyncio.sleep(0)

    def _stretch(self) -> list[Message]:
        """Take the next messages off the queue."""
        limits = self._limits.frame
        messages: list[Message] = []
        size = 0
        for _ in range(min(len(self._gathered), limits.most_messages)):
            message = self._gathered.popleft()
            messages.append(message)
            size += len(message.payload)
            if size >= limits.most_bytes:
                break
        self._count(messages=len(messages), bytes=size)
        return messages

    def _hand_over(self, messages: list[Message]) -> None:
        """Decode and send; messages on which the decoder fails are halved until the one is found that it fails on."""
        fresh = time.time_ns() // 1000 - self._probed_us < self._limits.fresh.fresh_s * 1e6
        held = self._packer.pack(messages, time.monotonic(), fresh=fresh)
        if held is None:
            self._halve(messages, "the decoder failed on it")
        else:
            self._hold(held)

    def _halve(self, messages: list[Message], reason: str) -> None:
        if len(messages) > 1:
            middle = len(messages) // 2
            self._hand_over(messages[:middle])
            self._hand_over(messages[middle:])
        else:
            self._hold(self._packer.aside(messages[0], reason, time.monotonic()))

    def _hold(self, held: Held) -> None:
        self._held[held.id] = held
        self._send(held)

    def _send(self, held: Held) -> None:
        if held.id not in self._held:
            return
        if held.clock and time.monotonic() - held.since_s > self._limits.fresh.fresh_s:
            without_clock(held)
        head = Parcel(held.id, ACTOR, len(held.readings), held.parts, self.state())
        self._owner.write(framed(head, held.readings + held.refused))

    # the owner's side

    def _greeted(self) -> None:
        """Send a new owner what none has answered."""
        for held in list(self._held.values()):
            self._send(held)
        self._wake.set()

    def _answered(self, answer: Done | Refused) -> None:
        held = self._held.get(answer.id)
        if held is None:
            return
        if isinstance(answer, Done):
            self._settle(held, answer)
        elif answer.again or held.poison == len(held.messages) == 1:
            self._owner.is_in_trouble(answer.message)
            limits = self._limits.again
            held.tries += 1
            wait_s = min(limits.first_retry_s * 2 ** min(held.tries - 1, 16), limits.most_retry_s)
            asyncio.get_running_loop().call_later(wait_s, self._send, held)
        else:
            del self._held[held.id]
            self._halve(held.messages, answer.message)
        self._wake.set()

    def _settle(self, held: Held, done: Done) -> None:
        """Acknowledge what is durable, each message on the connection that brought it; send what receipts are due."""
        del self._held[held.id]
        mids: dict[Connection, list[int]] = {}
        for message in held.messages:
            self._held_bytes -= len(message.payload) + self._limits.frame.message_bytes
            if message.mid:
                mids.setdefault(message.connection, []).append(message.mid)
        for connection, numbers in mids.items():
            connection.acknowledge(numbers)
        if done.receipts:
            wanting = ((held.wanting[one.part].reply, one) for one in done.receipts)
            self._publish([receipt(reply, one) for reply, one in wanting if reply is not None])
            self._count(receipts=len(done.receipts))
        self._count(acknowledged=len(held.messages), readings=held.rows, poison=held.poison)
        self._again.acknowledged(held.messages, time.monotonic())
        if self._connection is not None and self._held_bytes < self._limits.frame.most_held_bytes // 2:
            self._connection.pause(self._ending)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._limits.report.every_s)
            self._say_how()

    def _say_how(self) -> None:
        self._owner.write(framed(Report(self.state())))

    async def _finish(self) -> None:
        """Take nothing more and wait a while for what the owner has in hand."""
        self._ending = True
        if self._connection is not None:
            self._connection.pause(True)
        deadline = time.monotonic() + self._limits.frame.end_s
        while (self._held or self._gathered) and self._owner.stands and time.monotonic() < deadline:
            await asyncio.sleep(0.01)


async def _hang_up(connection: Connection) -> None:
    """Close a connection whatever state it is in; a broker that does not answer is not waited for."""
    try:
        async with asyncio.timeout(1):
            await connection.close()
    except (OSError, TimeoutError):
        return
