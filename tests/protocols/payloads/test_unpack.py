"""Unpacking stops at its bound, reads members one behind the other, and names what is damaged."""

import gzip
import tracemalloc

import pytest
import zstandard

from quintet.protocols.payloads.unpack import ZSTD_BLOCK, ZSTD_WINDOW, unpack
from quintet.terms.errors import BadInput

MOST = 1 << 20
TEXT = b'[{"site":"s"}]' * 100


def packed(data: bytes, encoding: str) -> bytes:
    return gzip.compress(data) if encoding == "gzip" else zstandard.compress(data)


def test_what_is_not_packed_stays_as_it_is_within_the_bound() -> None:
    assert unpack(TEXT, "", MOST) == unpack(TEXT, "Identity", len(TEXT)) == TEXT
    with pytest.raises(BadInput, match="more than 10 bytes"):
        unpack(TEXT, "identity", 10)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_one_behind_the_other_are_one_text(encoding: str) -> None:
    body = packed(TEXT, encoding) + packed(b"", encoding) + packed(TEXT, encoding)
    assert unpack(body, encoding.upper(), 2 * len(TEXT)) == TEXT + TEXT
    with pytest.raises(BadInput) as caught:
        unpack(body, encoding, 2 * len(TEXT) - 1)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("layers", [1, 400])
def test_a_bomb_costs_no_more_than_the_bound(encoding: str, layers: int) -> None:
    bomb = packed(b" " * (1 << 18), encoding) * layers if layers > 1 else packed(b" " * (100 << 20), encoding)
    tracemalloc.start()
    with pytest.raises(BadInput) as caught:
        unpack(bomb, encoding, MOST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "too_large"
    assert peak < 4 * MOST


def repeated(blocks: int) -> bytes:
    """Write a zstd frame by hand, without its size: blocks of four bytes that each unpack to 128 KiB."""
    frame = bytearray(zstandard.MAGIC_NUMBER.to_bytes(4, "little") + b"\x00\x38")
    for number in range(blocks):
        frame += (ZSTD_BLOCK << 3 | 2 | (number == blocks - 1)).to_bytes(3, "little") + b" "
    return bytes(frame)


@pytest.mark.parametrize("most", [1 << 10, MOST, 16 * MOST])
def test_the_densest_frame_is_stopped_near_the_bound(most: int) -> None:
    assert unpack(repeated(8), "zstd", 8 * ZSTD_BLOCK) == b" " * 8 * ZSTD_BLOCK
    bomb = repeated(100_000)
    tracemalloc.start()
    with pytest.raises(BadInput) as caught:
        unpack(bomb, "zstd", most)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "too_large"
    assert peak < 3 * most + 4 * ZSTD_BLOCK


def test_a_frame_may_leave_out_its_size_and_be_skipped() -> None:
    packer = zstandard.ZstdCompressor().compressobj()
    unsized = packer.compress(TEXT) + packer.flush()
    skipped = bytes.fromhex("502a4d18 03000000") + b"abc"
    assert zstandard.get_frame_parameters(unsized).content_size == zstandard.CONTENTSIZE_UNKNOWN
    assert unpack(skipped + unsized + skipped, "zstd", len(TEXT)) == TEXT


def test_a_frame_that_asks_for_a_large_window_is_refused_before_it_is_unpacked() -> None:
    def frame(window_log: int) -> bytes:
        wide = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=False)
        packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
        return packer.compress(TEXT) + packer.flush()

    assert ZSTD_WINDOW == 1 << 23
    assert unpack(frame(23), "zstd", MOST) == TEXT
    with pytest.raises(BadInput, match="too much memory") as caught:
        unpack(frame(24), "zstd", MOST)
    assert caught.value.code == "damaged_body"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_torn_damaged_and_foreign_bytes_are_named(encoding: str) -> None:
    whole = packed(TEXT, encoding)
    for broken in (b"", whole[:-5], whole[:6], whole + b"rest", b"nothing of the kind", b"\0" + whole):
        with pytest.raises(BadInput) as caught:
            unpack(broken, encoding, MOST)
        assert caught.value.code == "damaged_body", broken


def test_an_encoding_that_nobody_reads_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"br.*gzip, zstd") as caught:
        unpack(TEXT, "br", MOST)
    assert caught.value.code == "unknown_encoding"
