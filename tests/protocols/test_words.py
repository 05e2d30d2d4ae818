"""Columns of text as moments and numbers."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols.faults import CODES
from quintet.protocols.words import moments, numbers

NEW_YEAR = datetime(2018, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1900, 2200))


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01T00:00:00Z",
        "2018-01-01t00:00:00z",
        "2018-01-01 09:00:00+09:00",
        "2018-01-01T09:00+0900",
        "2017-12-31T19:00:00.000000-05",
        " 2018-01-01T00:00:00.0000009Z ",
    ],
)
@pytest.mark.parametrize("beside", ["2018-01-01T00:00:00Z", "yesterday"])
def test_a_stamp_with_an_offset_is_one_moment_whatever_stands_beside_it(text: str, beside: str) -> None:
    at, marks = moments(pa.array([text, beside]))
    assert at[0].as_py() == NEW_YEAR
    assert CODES[marks[0]] == ""
    assert CODES[marks[1]] == ("bad_time" if beside == "yesterday" else "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2018-01-01T00:00:00", "naive_time"),
        ("2018-01-01 00:00", "naive_time"),
        ("2018-01-01", "naive_time"),
        ("01.02.2018 10:00", "bad_time"),
        ("1514764800", "bad_time"),
        ("2018-02-30T00:00:00Z", "bad_time"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_stamp_that_is_no_moment_is_null_and_says_why(text: str, code: str) -> None:
    at, marks = moments(pa.array([text]))
    assert at[0].as_py() is None
    assert CODES[marks[0]] == code


@given(
    st.lists(
        st.datetimes(
            EARLIEST,
            LATEST,
            timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
        ),
        min_size=1,
    )
)
def test_every_moment_written_with_its_offset_comes_back(stamps: list[datetime]) -> None:
    at, marks = moments(pa.array([stamp.isoformat() for stamp in stamps]))
    assert at.to_pylist() == [stamp.astimezone(UTC) for stamp in stamps]
    assert not marks.any()


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("1.5", False, 1.5),
        ("+.5", False, 0.5),
        ("1e3", False, 1000.0),
        (" 7 ", False, 7.0),
        ("1,5", True, 1.5),
        ("-0,25", True, -0.25),
        ("1.5", True, 1.5),
        ("1e308", False, 1e308),
        ("", False, None),
    ],
)
@pytest.mark.parametrize("beside", ["1", "many"])
def test_numbers_are_read_alike_beside_good_and_bad_ones(text: str, comma: bool, value: float, beside: str) -> None:
    values, marks = numbers(pa.array([text, beside]), decimal_comma=comma)
    assert values[0].as_py() == value
    assert CODES[marks[0]] == ""
    assert CODES[marks[1]] == ("bad_value" if beside == "many" else "")


@pytest.mark.parametrize(
    ("text", "comma"),
    [
        ("1,5", False),
        ("1.234,5", True),
        ("1,234,567", True),
        ("0x10", False),
        ("1_000", False),
        ("n/a", False),
        ("١", False),
    ],
)
def test_what_could_be_two_numbers_is_none(text: str, comma: bool) -> None:
    values, marks = numbers(pa.array([text]), decimal_comma=comma)
    assert values[0].as_py() is None
    assert CODES[marks[0]] == "bad_value"


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "1e400"])
@pytest.mark.parametrize("beside", ["1", "many"])
def test_words_for_no_number_stay_no_number(text: str, beside: str) -> None:
    values, marks = numbers(pa.array([text, beside]), decimal_comma=False)
    assert not np.isfinite(values[0].as_py())
    assert CODES[marks[0]] == ""


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.booleans())
def test_every_double_written_shortest_comes_back(values: list[float], comma: bool) -> None:
    texts = [repr(value).replace(".", "," if comma else ".") for value in values]
    back, marks = numbers(pa.array(texts), decimal_comma=comma)
    assert back.to_pylist() == values
    assert not marks.any()
