"""How a command speaks to the process that owns the city: length-prefixed msgpack over a unix socket.

    command                                owner
      payload of the request  ------------>
                              <------------  Accepted     from here on the owner will answer
                              <------------  Step ...     progress, now and then
                              <------------  Done | Refused

A command that has not read Accepted may ask again: its request was not begun. The socket and its folder belong to one
user; the owner also asks the kernel who is calling.
"""

import socket
import struct
from pathlib import Path

import msgspec

from quintet.terms.errors import CityError

from .answer import Progress, Step
from .door import Failed, Failure

LENGTH = struct.Struct(">I")
LARGEST_FRAME = 2**31
HELLO_S = 10.0
"""A caller that connects and then says nothing is hung up on after this many seconds."""


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The owner has begun."""


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Progress."""

    step: Step


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The answer, as the operation encoded it."""

    payload: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The operation failed, in words."""

    failure: Failure


Reply = Accepted | Told | Done | Refused

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class Gone(Exception):
    """The other side hung up."""


def send(line: socket.socket, payload: bytes) -> None:
    """Send one frame; raises Gone when nobody reads it, CityError when it is too large to send."""
    if len(payload) >= LARGEST_FRAME:
        raise CityError(
            "the answer is too large.", code="too_large", remedy="Ask for a shorter period or a coarser step."
        )
    try:
        line.sendall(LENGTH.pack(len(payload)) + payload)
    except (BrokenPipeError, ConnectionError, TimeoutError) as error:
        raise Gone from error


def receive(line: socket.socket) -> bytes:
    """Read one frame; raises Gone when the other side ends before it is whole."""
    (length,) = LENGTH.unpack(_exactly(line, LENGTH.size))
    if length >= LARGEST_FRAME:
        raise Gone
    return _exactly(line, length)


def _exactly(line: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = line.recv(min(count - len(parts), 1 << 20))
        except (ConnectionError, TimeoutError) as error:
            raise Gone from error
        if not part:
            raise Gone
        parts += part
    return bytes(parts)


def reply(line: socket.socket, message: Reply) -> None:
    """Send one reply of the owner."""
    send(line, _ENCODER.encode(message))


def call(address: Path, payload: bytes, progress: Progress) -> bytes | None:
    """Ask the owner that listens at `address`; None when nobody took the request (it may be asked again).

    Raises Failed with the owner's words when the operation failed, CityError when the owner ended half-way.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(HELLO_S)
        try:
            line.connect(str(address))
            send(line, payload)
            first = receive(line)
        except (FileNotFoundError, ConnectionError, BlockingIOError, TimeoutError, Gone):
            return None
        line.settimeout(None)
        return _listen(line, first, progress)


def _listen(line: socket.socket, first: bytes, progress: Progress) -> bytes:
    frame = first
    while True:
        message = _DECODER.decode(frame)
        match message:
            case Done(payload):
                return payload
            case Refused(failure):
                raise Failed(failure)
            case Told(step):
                progress(step)
            case Accepted():
                pass
        try:
            frame = receive(line)
        except Gone as error:
            raise CityError(
                "the process that owns the city ended before it answered.",
                code="owner_gone",
                remedy="What it had reported stored is stored; run the command again.",
            ) from error


def caller_uid(line: socket.socket) -> int | None:
    """Ask the kernel which user is calling; None where the system cannot say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _, uid, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    return int(uid)
