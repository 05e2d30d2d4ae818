"""A real mosquitto with the configuration that Quintet ships, and a publisher that counts what is acknowledged."""

import os
import signal
import socket
import struct
import subprocess
import time
from collections import deque
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

PROGRAM = "/usr/sbin/mosquitto"
DOOR_USER, DOOR_PASSWORD = "quintet", "door-secret"
DEVICE_USER, DEVICE_PASSWORD = "c1", "device-secret"
PATIENCE_S = 60.0


def free_port() -> int:
    """Give a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shipped(name: str) -> str:
    """Read a file that ships with the door."""
    return files("quintet.ingest").joinpath("data", name).read_text(encoding="utf-8")


class Broker:
    """A mosquitto of its own in a folder; `port` is its plain listener, `tls_port` the encrypted one (0: none)."""

    def __init__(self, folder: Path, *, tls: bool = False, more: str = "") -> None:
        """Write its configuration; `more` are lines put before the listeners."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.tls_port = free_port() if tls else 0
        self._process: subprocess.Popen[bytes] | None = None
        self._write_rights()
        lines = shipped("mosquitto.conf")
        if tls:
            make_certificates(folder)
        else:
            head, _, rest = lines.partition("listener @TLS_PORT@")
            lines = head + rest[rest.index("listener @PORT@") :]
        words = {
            "STATE": folder,
            "PASSWORDS": folder / "passwords",
            "RIGHTS": folder / "rights",
            "PORT": self.port,
            "TLS_PORT": self.tls_port,
            "CA": folder / "ca.crt",
            "CERTIFICATE": folder / "broker.crt",
            "KEY": folder / "broker.key",
        }
        for word, value in words.items():
            lines = lines.replace(f"@{word}@", str(value))
        user = "user root\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(f"{user}{more}\n{lines}")

    def _write_rights(self) -> None:
        passwords = self.folder / "passwords"
        passwords.touch(0o600)
        for user, word in ((DOOR_USER, DOOR_PASSWORD), (DEVICE_USER, DEVICE_PASSWORD), ("loader", DEVICE_PASSWORD)):
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, word], check=True, capture_output=True)
        (self.folder / "rights").write_text(shipped("mosquitto.acl") + "\nuser loader\ntopic readwrite #\n")

    @property
    def pid(self) -> int:
        """Give its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> "Broker":
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "-c", self.folder / "mosquitto.conf"], stderr=log, stdout=log)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                ended = self._process.poll()
                if ended is not None or time.monotonic() > deadline:
                    raise AssertionError(f"mosquitto did not start: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.01)
            else:
                return self

    def has_saved(self, word: str) -> bool:
        """Say whether a word, such as a client id, stands in what it has written to disk."""
        saved = self.folder / "mosquitto.db"
        return saved.is_file() and word.encode() in saved.read_bytes()

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it with a signal; SIGKILL is what a crash looks like."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None


def make_certificates(folder: Path) -> None:
    """Make an authority and a certificate for 127.0.0.1."""
    subject = ["-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    run = ["openssl", "req", "-x509", *subject]
    ca = [*run, "-keyout", folder / "ca.key", "-out", folder / "ca.crt", "-subj", "/CN=test authority"]
    subprocess.run(ca, check=True, capture_output=True)
    signed = ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"]
    leaf = ["-keyout", folder / "broker.key", "-out", folder / "broker.crt", "-subj", "/CN=broker"]
    more = ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*run, *signed, *more, *leaf], check=True, capture_output=True)


class Publisher:
    """Publishes with QoS 1 over a plain socket; what was not acknowledged when a connection broke is sent again."""

    def __init__(self, port: int, name: str, *, user: str = "loader", password: str = DEVICE_PASSWORD) -> None:
        """Prepare; nothing is connected yet."""
        self._port, self._name, self._user, self._password = port, name, user, password
        self._line: socket.socket | None = None
        self._waiting: dict[int, tuple[str, bytes]] = {}
        self._again: deque[tuple[str, bytes]] = deque()
        self._read = b""
        self._mid = 0
        self.acknowledged: list[bytes] = []

    def publish(self, messages: Iterable[tuple[str, bytes]], *, most_waiting: int = 200, retain: bool = False) -> None:
        """Send messages and wait until each was acknowledged, however often the broker dies meanwhile."""
        left = iter(messages)
        exhausted = False
        while not (exhausted and not self._waiting and not self._again):
            try:
                line = self._line or self._connect()
                packets: list[bytes] = []
                while len(self._waiting) < most_waiting:
                    message = self._again.popleft() if self._again else next(left, None)
                    if message is None:
                        exhausted = True
                        break
                    self._mid = self._mid % 65535 + 1
                    self._waiting[self._mid] = message
                    packets.append(publish_packet(*message, self._mid, retain=retain))
                line.sendall(b"".join(packets))
                self._hear(line)
            except OSError:
                self._lose()
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _lose(self) -> None:
        self.close()
        self._again.extend(self._waiting.values())
        self._waiting.clear()
        self._read = b""
        time.sleep(0.02)

    def _connect(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self._port), 5)
        line.settimeout(10)
        line.sendall(connect_packet(self._name, self._user, self._password))
        answer = line.recv(4096)
        if len(answer) < 4 or answer[3] != 0:
            line.close()
            raise ConnectionRefusedError(answer.hex())
        self._line = line
        return line

    def _hear(self, line: socket.socket) -> None:
        part = line.recv(1 << 16)
        if not part:
            raise ConnectionResetError
        data = self._read + part
        at = 0
        while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
            if data[at] == 0x40:
                self._acknowledge(data[at + 2 : at + 2 + data[at + 1]])
            at += 2 + data[at + 1]
        self._read = data[at:]

    def _acknowledge(self, body: bytes) -> None:
        message = self._waiting.pop(int.from_bytes(body[:2], "big"), None)
        refused = len(body) > 2 and body[2] >= 0x80
        if message is not None and not refused:
            self.acknowledged.append(message[1])


def text(word: str) -> bytes:
    """Write a text with its length before it."""
    data = word.encode()
    return struct.pack(">H", len(data)) + data


def sized(kind: int, body: bytes) -> bytes:
    """Write a packet: its kind, the length of the rest, the rest."""
    size, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        size.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(size) + body


def connect_packet(name: str, user: str, password: str) -> bytes:
    """Write a CONNECT packet of MQTT 5 with a clean start."""
    return sized(0x10, text("MQTT") + b"\x05\xc2\x00\x3c\x00" + text(name) + text(user) + text(password))


def publish_packet(topic: str, payload: bytes, mid: int, *, retain: bool = False) -> bytes:
    """Write a PUBLISH packet of MQTT 5 with QoS 1."""
    return sized(0x32 | retain, text(topic) + struct.pack(">H", mid) + b"\x00" + payload)
