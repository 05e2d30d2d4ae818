"""A publisher for `quintet bench mqtt`: sends MQTT packets that were made before, and counts the PUBACKs.

Run as a module with a port and a file; prints the seconds until the broker had acknowledged all. The file holds packets
in pieces of MESSAGES, so that not more than WINDOW of them are unacknowledged.
"""

import os
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from quintet.ingest.mqtt_packets import write_publish

MESSAGES = 500
WINDOW = 10_000
LENGTH = struct.Struct("<II")
CONNECT = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03"
"""CONNECT of MQTT 5 with a clean start; the client's name of three letters follows."""
CONNACK, PUBACK = 0x20, 0x40
ANSWER_S = 120.0


@dataclass
class Packets:
    """Writes messages as packets to a file."""

    file: Path
    messages: int = 0
    readings: int = 0
    _open: BinaryIO = field(init=False)
    _piece: list[bytes] = field(default_factory=list[bytes])

    def __post_init__(self) -> None:
        """Open the file."""
        self._open = self.file.open("wb")

    def add(self, topic: str, payload: bytes, readings: int) -> None:
        """Add one message that holds so many readings."""
        self._piece.append(write_publish(topic, payload, self.messages % 65_535 + 1))
        self.messages += 1
        self.readings += readings
        if len(self._piece) >= MESSAGES:
            self._flush()

    def close(self) -> None:
        """Write the rest."""
        self._flush()
        self._open.close()

    def _flush(self) -> None:
        data = b"".join(self._piece)
        self._open.write(LENGTH.pack(len(self._piece), len(data)) + data)
        self._piece.clear()


def publish(port: int, file: Path) -> tuple[float, float]:
    """Send a file's packets; give when the first one went (seconds since 1970) and when all were acknowledged."""
    data = memoryview(file.read_bytes())
    line = socket.create_connection(("127.0.0.1", port), ANSWER_S)
    line.settimeout(ANSWER_S)
    line.sendall(CONNECT + f"{os.getpid() % 1000:03}".encode())
    if line.recv(4096)[:1] != bytes([CONNACK]):
        raise ConnectionRefusedError
    began = time.time()
    waiting, left = 0, b""
    while data or waiting:
        while data and waiting < WINDOW:
            count, size = LENGTH.unpack(data[: LENGTH.size])
            line.sendall(data[LENGTH.size : LENGTH.size + size])
            data = data[LENGTH.size + size :]
            waiting += count
        if waiting:
            left += line.recv(1 << 18)
            answered, left = pubacks_in(left)
            waiting -= answered
    line.close()
    return began, time.time()


def pubacks_in(data: bytes) -> tuple[int, bytes]:
    """Count whole PUBACKs; give what follows them. Raises ConnectionError where the broker hung up or refused."""
    if not data:
        raise ConnectionResetError
    if data[:2] == b"\x40\x02" and data[: len(data) // 4 * 4 : 4] == b"\x40" * (len(data) // 4):
        return len(data) // 4, data[len(data) // 4 * 4 :]
    count = at = 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        if data[at] != PUBACK or (data[at + 1] > 2 and data[at + 4] != 0):
            raise ConnectionRefusedError(data[at : at + 8].hex())
        count += 1
        at += 2 + data[at + 1]
    return count, data[at:]


def cpu_s(pid: int) -> float:
    """Give the processor time that a process has taken, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(*publish(int(sys.argv[1]), Path(sys.argv[2])))
