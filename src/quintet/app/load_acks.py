"""What a load generator was told is stored: a file of its own, which outlives the generator, the owner and the city.

Frames of length, checksum and msgpack: first the meters' names, then for each acknowledgement the readings that it
covers. A frame is written as its answer comes and the file is synced each second; a torn tail is left out.
"""

import os
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import pyarrow as pa

from quintet.simulate.stream import Parcel
from quintet.terms.errors import BadInput
from quintet.terms.tables import MOMENT

from .load_limits import LIMITS

HEAD = struct.Struct("<II")


class Named(msgspec.Struct, frozen=True, tag="named"):
    """The meters that later frames number."""

    names: list[tuple[str, str]]


class Acknowledged(msgspec.Struct, frozen=True, tag="acknowledged"):
    """Readings that the door answered for: 4-byte numbers of names, 8-byte microseconds, 8-byte doubles."""

    name: bytes
    at_us: bytes
    value: bytes
    batch: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Named | Acknowledged] = msgspec.msgpack.Decoder(Named | Acknowledged)


class Acks:
    """Writes the file; `add` is called when an answer came, from one thread."""

    def __init__(self, path: Path, names: list[tuple[str, str]], *, bundle: int = 1) -> None:
        """Begin a stretch of acknowledgements at the file's end; frames are written once `bundle` of them wait."""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BadInput(
                f"cannot be written ({error.strerror}).",
                code="acks_unwritable",
                place=str(path),
                remedy="Choose another.",
            ) from error
        self._bundle = bundle
        self._waiting: list[bytes] = [_frame(Named(names))]
        self._synced = time.monotonic()
        self.flush()

    def add(self, parcel: Parcel, batch: int) -> None:
        """Note one acknowledged parcel."""
        said = Acknowledged(parcel.name.tobytes(), parcel.at_us.tobytes(), parcel.value.tobytes(), batch)
        self._waiting.append(_frame(said))
        if len(self._waiting) >= self._bundle:
            self.flush()

    def flush(self) -> None:
        """Write what waits; sync the file when the last time is a while ago."""
        data = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        while data:
            data = data[os.write(self._file, data) :]
        if time.monotonic() - self._synced >= LIMITS.sync_s:
            self.sync()

    def sync(self) -> None:
        """Make what was written outlive the machine."""
        os.fsync(self._file)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Write and sync the rest."""
        self.flush()
        self.sync()
        os.close(self._file)

    def __enter__(self) -> Self:
        """Write from here on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _frame(said: Named | Acknowledged) -> bytes:
    body = _ENCODER.encode(said)
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def read_acks(path: Path, most: int = LIMITS.readings_at_once) -> Iterator[pa.Table]:
    """Give the acknowledged readings in tables of about `most` rows: site, meter, at, value, batch.

    A torn tail is left out; a file that holds no acknowledgements at all raises BadInput.
    """
    names: list[tuple[str, str]] | None = None
    parts: list[Acknowledged] = []
    rows = 0
    for said in _frames(path):
        if isinstance(said, Named):
            if parts and names is not None and said.names != names:
                yield _table(names, parts)
                parts, rows = [], 0
            names = said.names
            continue
        parts.append(said)
        rows += len(said.name) // 4
        if rows >= most and names is not None:
            yield _table(names, parts)
            parts, rows = [], 0
    if names is None:
        raise BadInput(
            "holds no acknowledgements.",
            code="no_acks",
            place=str(path),
            remedy="Name what `quintet load --acks` wrote.",
        )
    if parts:
        yield _table(names, parts)


def _frames(path: Path) -> Iterator[Named | Acknowledged]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(
            f"cannot be read ({error.strerror}).", code="no_acks", place=str(path), remedy="Check the path."
        ) from error
    with file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            body = file.read(length)
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            try:
                yield _DECODER.decode(body)
            except msgspec.MsgspecError:
                return


def _table(names: list[tuple[str, str]], parts: list[Acknowledged]) -> pa.Table:
    """Give the readings of some acknowledgements."""
    name = pa.array(np.frombuffer(b"".join(part.name for part in parts), np.int32))
    at_us = np.frombuffer(b"".join(part.at_us for part in parts), np.int64)
    value = np.frombuffer(b"".join(part.value for part in parts), np.float64)
    batch = np.repeat([part.batch for part in parts], [len(part.name) // 4 for part in parts])
    words = [pa.array([pair[place] for pair in names], pa.string()).dictionary_encode() for place in (0, 1)]
    columns = [words[0].take(name), words[1].take(name), pa.array(at_us).view(MOMENT), pa.array(value), pa.array(batch)]
    return pa.Table.from_arrays(columns, ["site", "meter", "at", "value", "batch"])
