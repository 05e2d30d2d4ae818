"""A publisher that believes receipts only: it keeps a message until Quintet said what became of it."""

import json
import socket
import struct
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .broker import DEVICE_PASSWORD, connect_packet, sized, text

SUBSCRIBE, PUBLISH, PUBACK = 0x82, 0x30, 0x40
AGAIN_S = 10.0


@dataclass
class Receipt:
    """What became of one message."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    problems: list[dict[str, object]] = field(default_factory=list[dict[str, object]])


class Receipted:
    """Publishes and waits for the receipt of each message; `receipts` has them by the message's number."""

    def __init__(
        self, port: int, name: str, site: str, *, user: str = "loader", to: str = "", again_s: float = AGAIN_S
    ) -> None:
        """Prepare; receipts are asked for below the site's name, or at `to`."""
        self._port, self._name, self._user = port, name, user
        self._again_s = again_s
        self._to = to or f"quintet/receipts/{site}/{name}"
        self._line: socket.socket | None = None
        self._read = b""
        self._mid = 0
        self._open: dict[int, tuple[str, bytes]] = {}
        self._due: deque[tuple[float, int]] = deque()
        self.acknowledged: set[int] = set()
        self._mids: dict[int, int] = {}
        self.receipts: dict[int, Receipt] = {}
        self.connections = self.again = 0

    def publish(self, messages: Iterable[tuple[str, bytes]], *, most: int = 500, patience_s: float = 60.0) -> None:
        """Send messages until each has its receipt; gives up `patience_s` after the last was sent."""
        left = enumerate(messages)
        done = False
        deadline = time.monotonic() + patience_s
        while not (done and not self._open) and time.monotonic() < deadline:
            try:
                line = self._line or self._connect()
                packets: list[bytes] = list(self._overdue())
                while len(self._open) < most and not done:
                    number, message = next(left, (-1, None))
                    if message is None:
                        done = True
                        break
                    deadline = time.monotonic() + patience_s
                    self._open[number] = message
                    packets.append(self._packet(number))
                line.sendall(b"".join(packets))
                self._hear(line)
            except OSError:
                self.close()
                time.sleep(0.02)
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
        self._line, self._read = None, b""

    def _connect(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self._port), 5)
        line.settimeout(10)
        line.sendall(connect_packet(self._name, self._user, DEVICE_PASSWORD))
        answer = line.recv(4096)
        if len(answer) < 4 or answer[3] != 0:
            line.close()
            raise ConnectionRefusedError(answer.hex())
        line.sendall(sized(SUBSCRIBE, b"\xff\xff\x00" + text(self._to) + b"\x01"))
        line.recv(4096)
        line.settimeout(0.05)
        self._line = line
        self.connections += 1
        self._mids.clear()
        self._due.clear()
        self._due.extend((0.0, number) for number in self._open)
        return line

    def _overdue(self) -> Iterator[bytes]:
        now = time.monotonic()
        while self._due and self._due[0][0] < now:
            _, number = self._due.popleft()
            if number in self._open:
                self.again += 1
                yield self._packet(number)

    def _packet(self, number: int) -> bytes:
        topic, payload = self._open[number]
        self._mid = self._mid % 60_000 + 1
        self._mids[self._mid] = number
        self._due.append((time.monotonic() + self._again_s, number))
        properties = b"\x08" + text(self._to) + b"\x09\x00\x04" + struct.pack(">I", number)
        head = text(topic) + struct.pack(">H", self._mid) + bytes([len(properties)]) + properties
        return sized(PUBLISH | 2, head + payload)

    def _hear(self, line: socket.socket) -> None:
        try:
            part = line.recv(1 << 16)
        except TimeoutError:
            return
        if not part:
            raise ConnectionResetError
        data, at, answers = self._read + part, 0, []
        while (packet := _packet_at(data, at)) is not None:
            kind, body, at = packet
            if kind & 0xF0 == PUBACK:
                self._heard_puback(body)
            elif kind & 0xF0 == PUBLISH:
                answers.append(sized(PUBACK, self._take(kind, body)))
        self._read = data[at:]
        if answers:
            line.sendall(b"".join(answers))

    def _heard_puback(self, body: bytes) -> None:
        number = self._mids.pop(int.from_bytes(body[:2], "big"), None)
        if number is not None and (len(body) == 2 or body[2] < 0x80):
            self.acknowledged.add(number)

    def _take(self, kind: int, body: bytes) -> bytes:
        assert kind & 0x06 == 2
        at = 2 + int.from_bytes(body[:2], "big")
        mid, size = body[at : at + 2], body[at + 2]
        properties, payload = body[at + 3 : at + 3 + size], body[at + 3 + size :]
        found = properties.index(b"\x09\x00\x04") + 3
        number = int.from_bytes(properties[found : found + 4], "big")
        self._open.pop(number, None)
        said = Receipt(**json.loads(payload))
        self.receipts.setdefault(number, said)
        return mid


def _packet_at(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    size, shift, place = 0, 0, at + 1
    while place < len(data):
        size |= (data[place] & 0x7F) << shift
        shift += 7
        place += 1
        if not data[place - 1] & 0x80:
            return (data[at], data[place : place + size], place + size) if place + size <= len(data) else None
    return None
