"""The mark: a few bytes beside the database that say which batch was committed last.

A write-ahead log whose entry lengths are damaged is cut short by the database without a word, and acknowledged batches
would be gone unnoticed. The mark is written after each durable commit and synced when the log begins anew: after
a power loss it is older than the log, never newer; so a database that holds less than its mark has been damaged.
"""

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

MARK = "committed"
_SAID = struct.Struct("<8sQ")
_SUM = struct.Struct("<I")
_MAGIC = b"QUINTET1"
_SLOT = 64


class Mark:
    """Two slots, written in turn, each with a checksum: while one is being written the other one counts."""

    def __init__(self, path: Path) -> None:
        """Name the file; it is made with the first batch."""
        self.path = path
        self._file = -1

    def read(self) -> int | None:
        """Give the newest batch that the mark knows was committed; None where there is none or it cannot be read."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        known = [_batch_of(content[at : at + _SLOT]) for at in (0, _SLOT)]
        return max((batch for batch in known if batch is not None), default=None)

    def write(self, batch: int) -> None:
        """Note a durable batch. A mark that cannot be written is left: it protects less, and loses nothing."""
        said = _SAID.pack(_MAGIC, batch)
        slot = said + _SUM.pack(zlib.crc32(said))
        with suppress(OSError):
            if self._file < 0:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, slot.ljust(_SLOT, b"\0"), batch % 2 * _SLOT)

    def sync(self) -> None:
        """Make the mark durable: it then knows all batches that are folded into the database."""
        with suppress(OSError):
            if self._file >= 0:
                os.fsync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _batch_of(slot: bytes) -> int | None:
    """Give the batch that a slot names, None for one that is empty or damaged."""
    if len(slot) < _SAID.size + _SUM.size:
        return None
    magic, batch = _SAID.unpack_from(slot)
    whole = zlib.crc32(slot[: _SAID.size]) == _SUM.unpack_from(slot, _SAID.size)[0]
    return int(batch) if whole and magic == _MAGIC else None
