"""Unpacking stops at its bound, reads members one behind the other, and names what is damaged."""

import gzip
import tracemalloc

import pyarrow as pa
import pytest

from quintet.protocols.payloads.unpack import unpack
from quintet.terms.errors import BadInput

MOST = 1 << 20
TEXT = b'[{"site":"s"}]' * 100


def packed(data: bytes, encoding: str) -> bytes:
    return gzip.compress(data) if encoding == "gzip" else pa.compress(data, codec="zstd", asbytes=True)


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
