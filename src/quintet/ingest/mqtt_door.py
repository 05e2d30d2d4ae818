"""The MQTT door: takes messages from a broker, has them committed by the owner, and only then acknowledges them.

    broker  --PUBLISH-->  gathered  --decoded-->  parcel  --run/ingest.sock-->  owner: one durable commit
    broker  <--PUBACK---  settled   <-------------------------------- Done

It runs in a process of its own. What it has taken and not acknowledged is bounded in messages by MQTT's receive maximum
and in bytes by reading no further. When the owner is gone the parcels wait for the next one; when the broker
is gone they are committed all the same, and what the broker sends again then is known to the store.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa

from quintet.terms.tables import READINGS

from .frames import (
    LENGTHS,
    VERSION,
    Done,
    DoorState,
    GoAway,
    Hello,
    Parcel,
    Refused,
    Report,
    framed,
    from_owner,
    packed,
)
from .mqtt_client import BrokerAddress, BrokerRefused, Connection, Message, Subscriptions
from .mqtt_limits import MqttLimits
from .redelivered import OVERHEAD, Redelivered

ACTOR = "mqtt"
UNTAKEABLE = "untakeable"
END_S = 5.0
"""A door that ends waits so long for what the owner has in hand."""


class Decoded(Protocol):
    """What messages say: READINGS or CODED_READINGS, QUARANTINE, and the (field, kind) pairs that were seen."""

    @property
    def readings(self) -> pa.Table: ...  # noqa: D102
    @property
    def refused(self) -> pa.Table: ...  # noqa: D102
    @property
    def shapes(self) -> frozenset[tuple[str, str]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Untakeable:
    """A message that nothing can be done with, as a Decoded of one QUARANTINE row."""

    readings: pa.Table
    refused: pa.Table
    shapes: frozenset[tuple[str, str]] = frozenset()


Decode = Callable[[str, list[tuple[str, bytes, int]]], Decoded | None]
"""Decodes (topic, payload, moment of receipt in us) of one source; None when it fails on them as a whole."""
SetAside = Callable[[str, tuple[str, bytes, int], str, str], pa.Table]
"""Gives the QUARANTINE row of one message: source, (topic, payload, moment of receipt), code, reason."""


@dataclass(slots=True)
class Held:
    """Messages on their way to the owner: decoded, sent, not yet settled."""

    id: int
    source: str
    messages: list[Message]
    readings: bytes
    refused: bytes
    rows: int
    poison: int
    shapes: list[tuple[str, str]]
    tries: int = 0


class Door:
    """One door: one connection to the broker, one line to the owner."""

    def __init__(
        self,
        number: int,
        address: BrokerAddress,
        topics: Subscriptions,
        *,
        decode: Decode,
        set_aside: SetAside,
        owner: Callable[[], Path],
        limits: MqttLimits,
        tell: Callable[[str], None],
    ) -> None:
        """Prepare; `owner` gives the path of the owner's socket, `tell` gets a sentence when something changes."""
        self._address, self._topics, self._limits = address, topics, limits
        self._decode, self._set_aside, self._owner, self._tell = decode, set_aside, owner, tell
        self._counts = DoorState(f"{ACTOR}-{number}", number, f"{address.host}:{address.port}")
        self._connection: Connection | None = None
        self._line: asyncio.StreamWriter | None = None
        self._gathered: deque[Message] = deque()
        self._held: dict[int, Held] = {}
        self._again = Redelivered(limits.again.remembered_s, limits.again.remembered_bytes)
        self._wake = asyncio.Event()
        self._next_id = 0
        self._held_bytes = 0
        self._broker_trouble = self._owner_trouble = ""
        self._ending = False

    async def run(self, end: asyncio.Event) -> None:
        """Work until `end` is set; then finish what the owner has in hand and leave the session to the broker."""
        works = [
            asyncio.create_task(work()) for work in (self._keep_broker, self._keep_owner, self._deliver, self._report)
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
            trouble=self._broker_trouble or self._owner_trouble,
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
                keepalive_s=limits.keepalive_s,
                session_expiry_s=limits.session_expiry_s,
                receive_maximum=limits.receive_maximum,
            )
            try:
                await connection.open(self._topics, limits.connect_s)
                wait_s = limits.first_retry_s
                self._count(connections=1)
                self._broker_is("", connected=True)
                await connection.lost.wait()
                self._broker_is(connection.why or "the connection broke")
            except BrokerRefused as error:
                self._broker_is(str(error))
                wait_s = limits.refused_retry_s
            except (OSError, TimeoutError) as error:
                self._broker_is(str(error) or "no answer")
            await _hang_up(connection)
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
        if again:
            first_us = self._again.first_us(message.topic, message.payload)
            if first_us is not None:
                message = message._replace(received_us=first_us)
            self._count(repeated=1)
        self._gathered.append(message)
        self._held_bytes += len(message.payload) + OVERHEAD
        if self._held_bytes > self._limits.frame.most_held_bytes:
            message.connection.pause(True)
        self._wake.set()

    # decoding and sending

    async def _deliver(self) -> None:
        """Send what gathered while the owner was busy; at once when it is idle."""
        limits = self._limits.frame
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._gathered and self._line is not None and len(self._held) < limits.most_under_way:
                if self._held and len(self._gathered) < limits.most_messages:
                    await asyncio.sleep(limits.linger_s)
                for source, messages in self._stretch().items():
                    self._hand_over(source, messages)
                await asyncio.sleep(0)

    def _stretch(self) -> dict[str, list[Message]]:
        """Take the next messages off the queue, parted by source: the first level of their topic."""
        limits = self._limits.frame
        parts: dict[str, list[Message]] = {}
        size = 0
        for _ in range(min(len(self._gathered), limits.most_messages)):
            message = self._gathered.popleft()
            parts.setdefault(message.topic.partition("/")[0], []).append(message)
            size += len(message.payload)
            if size >= limits.most_bytes:
                break
        self._count(messages=sum(map(len, parts.values())), bytes=size)
        return {f"{ACTOR}:{level}": messages for level, messages in parts.items()}

    def _hand_over(self, source: str, messages: list[Message]) -> None:
        """Decode and send; messages on which the decoder fails are halved until the one is found that it fails on."""
        decoded = self._decode(source, [message[:3] for message in messages])
        if decoded is None:
            self._halve(source, messages, "the decoder failed on it")
        else:
            self._hold(source, messages, decoded)

    def _halve(self, source: str, messages: list[Message], reason: str) -> None:
        if len(messages) > 1:
            middle = len(messages) // 2
            self._hand_over(source, messages[:middle])
            self._hand_over(source, messages[middle:])
            return
        row = self._set_aside(source, messages[0][:3], UNTAKEABLE, reason)
        self._hold(source, messages, Untakeable(READINGS.empty_table(), row))

    def _hold(self, source: str, messages: list[Message], decoded: Decoded) -> None:
        self._next_id += 1
        held = self._held[self._next_id] = Held(
            self._next_id,
            source,
            messages,
            packed(decoded.readings),
            packed(decoded.refused),
            decoded.readings.num_rows,
            decoded.refused.num_rows,
            sorted(decoded.shapes),
        )
        self._send(held)

    def _send(self, held: Held) -> None:
        if held.id in self._held:
            head = Parcel(held.id, held.source, ACTOR, len(held.readings), held.shapes, self.state())
            self._write(framed(head, held.readings + held.refused))

    def _write(self, frame: bytes) -> None:
        """Write to the owner; nothing where it is gone: what is held is sent again to the next one."""
        if self._line is not None and not self._line.is_closing():
            self._line.write(frame)

    # the owner's side

    async def _keep_owner(self) -> None:
        limits = self._limits.connection
        wait_s = limits.first_retry_s
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._owner()))
            except OSError:
                self._owner_is("no owner answers: start `quintet serve`")
            else:
                wait_s = limits.first_retry_s
                await self._speak(reader, writer)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, limits.most_retry_s)

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send again what no owner has answered, then settle what this one answers, until it is gone."""
        self._line = writer
        writer.write(framed(Hello(VERSION, self.state())))
        for held in list(self._held.values()):
            self._send(held)
        self._wake.set()
        try:
            while True:
                head_bytes, body_bytes = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
                answer = from_owner.decode(await reader.readexactly(head_bytes + body_bytes))
                self._owner_is("")
                if isinstance(answer, GoAway):
                    self._owner_is(answer.message)
                    return
                self._answered(answer)
        except (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError):
            self._owner_is("the owner is gone")
        finally:
            self._line = None
            writer.close()

    def _owner_is(self, trouble: str) -> None:
        if trouble and trouble != self._owner_trouble:
            self._tell(f"{trouble}.")
        self._owner_trouble = trouble

    def _answered(self, answer: Done | Refused) -> None:
        held = self._held.get(answer.id)
        if held is None:
            return
        if isinstance(answer, Done):
            self._settle(held)
        elif answer.again or held.poison == len(held.messages) == 1:
            self._owner_is(answer.message)
            limits = self._limits.again
            held.tries += 1
            wait_s = min(limits.first_retry_s * 2 ** min(held.tries - 1, 16), limits.most_retry_s)
            asyncio.get_running_loop().call_later(wait_s, self._send, held)
        else:
            del self._held[held.id]
            self._halve(held.source, held.messages, answer.message)
        self._wake.set()

    def _settle(self, held: Held) -> None:
        """Acknowledge what is durable, each message on the connection that brought it."""
        del self._held[held.id]
        mids: dict[Connection, list[int]] = {}
        for message in held.messages:
            self._held_bytes -= len(message.payload) + OVERHEAD
            if message.mid:
                mids.setdefault(message.connection, []).append(message.mid)
        for connection, numbers in mids.items():
            connection.acknowledge(numbers)
        self._count(acknowledged=len(held.messages), readings=held.rows, poison=held.poison)
        self._again.acknowledged(held.messages, time.monotonic())
        if self._connection is not None and self._held_bytes < self._limits.frame.most_held_bytes // 2:
            self._connection.pause(self._ending)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._limits.report.every_s)
            self._say_how()

    def _say_how(self) -> None:
        self._write(framed(Report(self.state())))

    async def _finish(self) -> None:
        """Take nothing more and wait a while for what the owner has in hand."""
        self._ending = True
        if self._connection is not None:
            self._connection.pause(True)
        deadline = time.monotonic() + END_S
        while (self._held or self._gathered) and self._line is not None and time.monotonic() < deadline:
            await asyncio.sleep(0.01)


async def _hang_up(connection: Connection) -> None:
    """Close a connection whatever state it is in; a broker that does not answer is not waited for."""
    try:
        async with asyncio.timeout(1):
            await connection.close()
    except (OSError, TimeoutError):
        return
