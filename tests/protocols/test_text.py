"""Encodings are found by reading, and what is none is named by its byte."""

import codecs
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols.text import CHUNK, encoding_of, open_text
from quintet.terms.errors import BadInput

KOREAN = "site,meter\n나주,1동-전기\n"


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (KOREAN.encode(), "utf-8"),
        (KOREAN.encode("utf-8-sig"), "utf-8-sig"),
        (KOREAN.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + KOREAN.encode("utf-16-be"), "utf-16"),
        (KOREAN.encode("utf-16-le"), "utf-16-le"),
        (KOREAN.encode("utf-16-be"), "utf-16-be"),
        (KOREAN.encode("cp949"), "cp949"),
        (b"site,meter\na,b\n", "utf-8"),
    ],
)
def test_each_encoding_is_recognised_and_read(data: bytes, codec: str) -> None:
    file = BytesIO(data)
    assert encoding_of(file, "x.csv") == codec
    assert file.tell() == 0
    text = open_text(file, "x.csv").read()
    assert text.splitlines()[0].startswith("site,meter")
    assert ("나주" in text) is (data != b"site,meter\na,b\n")


def test_a_byte_that_fits_nothing_is_named_even_behind_the_first_chunk() -> None:
    good = b"site,meter\n" + b"a,b\n" * (CHUNK // 4)
    for padding in (0, 1, 2):  # a character over the border of two chunks must not shift the count
        data = good + "나".encode()[:padding] * 0 + b"a" * padding + "나".encode() + b"\xff,1\n"
        with pytest.raises(BadInput, match=f"byte {data.index(0xFF)} fits no character") as caught:
            encoding_of(BytesIO(data), "readings.csv")
        assert (caught.value.code, caught.value.place) == ("bad_encoding", "readings.csv")
        assert "UTF-8" in caught.value.remedy


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(3) + b"abcdefgh" * 100, b"\xff\xfea"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        encoding_of(BytesIO(data), "sheet.csv")
    assert caught.value.code == "bad_encoding"


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(BadInput, match=r"sheet.csv: is empty"):
        encoding_of(BytesIO(b""), "sheet.csv")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), st.sampled_from(["utf-8", "utf-16"]))
def test_whatever_is_written_in_unicode_is_read_back(text: str, codec: str) -> None:
    data = text.encode(codec)
    assert open_text(BytesIO(data), "x.csv").read() == text.removeprefix("\ufeff" if codec == "utf-8" else "")
