"""Text files as bytes: which encoding they are in, found by reading all of it once, never guessed from a sample."""

import codecs
from io import SEEK_SET, TextIOWrapper
from typing import BinaryIO

from quintet.terms.errors import BadInput

CHUNK = 1 << 20
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""Byte order marks, and the codec that swallows them."""
REMEDY = "Save it again as UTF-8 (UTF-16 and CP949 are understood too)."


def encoding_of(file: BinaryIO, name: str) -> str:
    """Find a text file's encoding: UTF-8 with or without a mark, UTF-16, else CP949 (which holds EUC-KR).

    Leaves the file at its start. Raises BadInput for a file that is empty, is no text, or is in none of these; the
    message names the first byte (counted from 0) that is not UTF-8.
    """
    file.seek(0, SEEK_SET)
    head = file.read(4096)
    if not head:
        raise BadInput("is empty.", code="empty_file", place=name, remedy="Export it again.")
    marked = next((codec for mark, codec in MARKS if head.startswith(mark)), None)
    candidates = [marked] if marked else _unmarked(head, name)
    broken = [_first_broken_byte(file, codec) for codec in candidates]
    file.seek(0, SEEK_SET)
    for codec, position in zip(candidates, broken, strict=True):
        if position is None:
            return codec
    raise BadInput(
        f"is not {' or '.join(codec.upper() for codec in candidates)}: byte {broken[0]} fits no character.",
        code="bad_encoding",
        place=name,
        remedy=REMEDY,
    )


def open_text(file: BinaryIO, name: str) -> TextIOWrapper:
    """Open a binary file as text in its own encoding, line ends as they are; `detach()` gives the file back."""
    return TextIOWrapper(file, encoding=encoding_of(file, name), newline="")


def _unmarked(head: bytes, name: str) -> list[str]:
    """List the encodings that a file without a mark may be in: every other byte of Latin text in UTF-16 is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 2 > len(head) * 0.5:
        return ["utf-16-le" if odd > even else "utf-16-be"]
    if b"\0" not in head.partition(b"\n")[0]:
        return ["utf-8", "cp949"]
    raise BadInput(
        f"is no text: byte {head.index(0)} is zero.",
        code="bad_encoding",
        place=name,
        remedy="Export it as CSV or Parquet; a spreadsheet's own format is not read.",
    )


def _first_broken_byte(file: BinaryIO, codec: str) -> int | None:
    """Give the position of the first byte that cannot be decoded; None where all can."""
    file.seek(0, SEEK_SET)
    decoder = codecs.getincrementaldecoder(codec)()
    done = 0
    while True:
        chunk = file.read(CHUNK)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return done - waiting + error.start
        if not chunk:
            return None
        done += len(chunk)
