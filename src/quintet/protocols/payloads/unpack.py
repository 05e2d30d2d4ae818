"""Unpacking a body within a bound: it stops at the bound, whatever the packed bytes promise."""

import zlib

import zstandard

from quintet.terms.errors import BadInput

ENCODINGS = ("identity", "gzip", "zstd")
PIECE = 1 << 18
GZIP_WINDOW = 31
ZSTD_WINDOW = 8 << 20
"""What a frame may ask for while it is unpacked; RFC 9659 holds senders of HTTP bodies to the same."""
ZSTD_BLOCK, ZSTD_LEAST = 1 << 17, 4
"""What a block unpacks to at most, and the bytes of the shortest block (RFC 8878, 3.1.1.2)."""


def unpack(body: bytes, encoding: str, most: int) -> bytes:
    """Unpack a body of one of ENCODINGS; members that stand one behind the other are one text.

    Raises BadInput: `unknown_encoding`, `too_large` beyond `most` bytes unpacked, `damaged_body`.
    """
    name = encoding.strip().lower() or "identity"
    if name == "identity":
        if len(body) > most:
            raise too_large(most)
        return body
    try:
        if name == "gzip":
            return _gzip(body, most)
        if name == "zstd":
            return _zstd(body, most)
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BadInput(
            f"is no whole {name}: {str(error).partition(chr(10))[0]}",
            code="damaged_body",
            place="body",
            remedy="Send it again; nothing of it was taken.",
        ) from error
    raise BadInput(
        f"is packed as {name[:40]!r}, which is not read.",
        code="unknown_encoding",
        place="body",
        remedy=f"Use one of {', '.join(ENCODINGS)}.",
    )


def too_large(most: int) -> BadInput:
    """Say that a body is larger than allowed, unpacked."""
    return BadInput(
        f"holds more than {most:,} bytes unpacked.", code="too_large", place="body", remedy="Send it in several parts."
    )


def _gzip(body: bytes, most: int) -> bytes:
    """Unpack one gzip member after the other."""
    out: list[bytes] = []
    size = 0
    rest = body
    while rest:
        member = zlib.decompressobj(GZIP_WINDOW)
        while not member.eof:
            piece = member.decompress(rest, PIECE)
            rest = member.unconsumed_tail
            size += len(piece)
            if size > most:
                raise too_large(most)
            out.append(piece)
            if not piece and not rest and not member.eof:
                raise EOFError("it ends in the middle.")
        rest = member.unused_data
    if not out:
        raise EOFError("it is empty.")
    return b"".join(out)


def _zstd(body: bytes, most: int) -> bytes:
    """Unpack one zstd frame after the other, in pieces so short that none unpacks to more than about the bound."""
    out: list[bytes] = []
    size = at = 0
    step = max(ZSTD_LEAST, most // ZSTD_BLOCK * ZSTD_LEAST)
    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    while at < len(body):
        frame = unpacker.decompressobj()
        while not frame.eof:
            if at == len(body):
                raise EOFError("it ends in the middle.")
            piece = frame.decompress(body[at : at + step])
            at = min(at + step, len(body))
            size += len(piece)
            if size > most:
                raise too_large(most)
            out.append(piece)
        at -= len(frame.unused_data)
    if not out:
        raise EOFError("it is empty.")
    return b"".join(out)
