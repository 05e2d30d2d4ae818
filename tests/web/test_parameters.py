"""Parameters are read from one table; what is not in it, or there twice, is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from quintet.terms.errors import UsageError
from quintet.web.api import etag_of, matches
from quintet.web.guard import LOOPBACK, host_of
from quintet.web.parameters import DAY, FROM, LIMIT, PLACE_OF_METERS, read

KNOWN = (FROM, LIMIT, PLACE_OF_METERS)


@given(st.lists(st.tuples(st.sampled_from(["from", "limit", "place", "other"]), st.text(max_size=20)), max_size=5))
def test_reading_gives_every_known_name_or_refuses(pairs: list[tuple[str, str]]) -> None:
    query = QueryParams(pairs)
    names = [name for name, _ in pairs]
    integer = all(re.fullmatch(r"-?[0-9]{1,9}", text) for name, text in pairs if name == "limit")
    clean = all(text and "\x00" not in text for _, text in pairs)
    fine = "from" in names and "other" not in names and len(names) == len(set(names)) and clean and integer
    if fine:
        assert read(query, KNOWN).keys() == {"from", "limit", "place"}
    else:
        with pytest.raises(UsageError) as error:
            read(query, KNOWN)
        assert error.value.remedy


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-03T00:00:00 09:00", "2026-11-03T00:00:00+09:00"),
        ("2026-11-03T00:00:00.5 09:00", "2026-11-03T00:00:00.5+09:00"),
        ("2026-11-03T00:00:00-09:00", "2026-11-03T00:00:00-09:00"),
        ("2026-11-03 09:00", "2026-11-03 09:00"),
        ("2026-11-03", "2026-11-03"),
    ],
)
def test_only_a_lost_plus_sign_is_put_back(text: str, meant: str) -> None:
    assert read(QueryParams([("from", text)]), KNOWN)["from"] == meant


def test_a_day_is_optional_and_a_start_is_not() -> None:
    assert read(QueryParams([]), (DAY,)) == {"day": None}
    with pytest.raises(UsageError, match="from is missing"):
        read(QueryParams([]), KNOWN)


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_tag_is_its_contents(first: bytes, second: bytes) -> None:
    assert (etag_of(first) == etag_of(second)) == (first == second)
    assert matches(f'"x", {etag_of(first)}', etag_of(first))
    assert matches("*", etag_of(first))
    assert not matches("", etag_of(first))


@given(st.text(max_size=30))
def test_a_host_is_loopback_only_by_its_own_names(header: str) -> None:
    bare = header.rsplit(":", 1)[0] if header.rpartition(":")[2].isdecimal() else header
    assert (host_of(header) in LOOPBACK) == (bare.lower() in LOOPBACK)
