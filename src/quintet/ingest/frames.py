"""What a door's process and the owner say to each other over `run/ingest.sock`.

    door                                      owner
      Hello                      ---------->
      Parcel + tables            ---------->
      Parcel + tables            ---------->   committed with what other doors sent
      Report                     ---------->
                                 <----------   Done | Refused, one for each parcel, in any order

A frame is two lengths (header, body; 32 bits each), the header as msgpack, and for a parcel two Arrow IPC streams: the
readings and what could not be decoded (nothing where all could). Both are cut into parts, one behind the other: a
sender's messages, or one message that wants a receipt. Done means durable. A parcel that was not answered may be sent
again, on another connection and to another owner: what is known already is dropped by the store.
"""

import struct

import msgspec
import pyarrow as pa

LENGTHS = struct.Struct(">II")
LARGEST_BODY = 2**30
VERSION = 2


class DoorState(msgspec.Struct, frozen=True):
    """How a door is: counts since its process began, what it holds now, in whose words it is in trouble."""

    door: str
    number: int
    broker: str
    connected: bool = False
    messages: int = 0
    bytes: int = 0
    readings: int = 0
    poison: int = 0
    repeated: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    oldest_unacknowledged_s: float = 0.0
    connections: int = 0
    receipts: int = 0
    receipts_dropped: int = 0
    trouble: str = ""
    reported_us: int = 0


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A door comes in."""

    version: int
    state: DoorState


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One delivery of a parcel: so many rows of its readings and of what was refused."""

    source: str
    readings: int
    refused: int
    shapes: list[tuple[str, str]]
    receipt: bool = False


class Parcel(msgspec.Struct, frozen=True, tag="parcel"):
    """Decoded messages: `readings_bytes` of the body are the readings, the rest what was refused."""

    id: int
    actor: str
    readings_bytes: int
    parts: list[Part]
    state: DoorState


class Report(msgspec.Struct, frozen=True, tag="report"):
    """How a door is, when it has nothing to deliver."""

    state: DoorState


class PartDone(msgspec.Struct, frozen=True, array_like=True):
    """What became of a part that wants a receipt; `problems` are (row, code, reason) of its first refused rows."""

    part: int
    accepted: int
    duplicate: int
    quarantined: int
    problems: list[tuple[int, str, str]]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The parcel is durable."""

    id: int
    accepted: int
    duplicate: int
    quarantined: int
    receipts: list[PartDone] = []


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The parcel is not stored. `again`: the city cannot take anything now, so it may come again as it is."""

    id: int
    code: str
    message: str
    again: bool


class GoAway(msgspec.Struct, frozen=True, tag="go_away"):
    """The owner does not speak with this door."""

    message: str


FromDoor = Hello | Parcel | Report
FromOwner = Done | Refused | GoAway
_ENCODER = msgspec.msgpack.Encoder()
from_door: msgspec.msgpack.Decoder[FromDoor] = msgspec.msgpack.Decoder(FromDoor)
from_owner: msgspec.msgpack.Decoder[FromOwner] = msgspec.msgpack.Decoder(FromOwner)


def framed(header: FromDoor | FromOwner, body: bytes = b"") -> bytes:
    """Write one frame."""
    head = _ENCODER.encode(header)
    return b"".join((LENGTHS.pack(len(head), len(body)), head, body))


def packed(table: pa.Table) -> bytes:
    """Write a table as one Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.unify_dictionaries())
    return sink.getvalue().to_pybytes()


def unpacked(body: bytes | bytearray | memoryview) -> pa.Table:
    """Read a table back; raises pyarrow.ArrowInvalid for what is none."""
    with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
        return reader.read_all()
