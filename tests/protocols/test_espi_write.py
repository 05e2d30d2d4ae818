"""Green Button feeds out: valid by the published schema, exact, saying nothing of the sender; in again the same."""

import io
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocols.espi_codes import codes
from quintet.protocols.espi_read import green_button_feed, green_button_parts
from quintet.protocols.espi_write import LARGEST, Sender, Series, Value, green_button
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.terms.reading import Role
from quintet.terms.unit import units

from .espi_schema import faults_by_schema

SEOUL = ZoneInfo("Asia/Seoul")
START = int(datetime(2025, 1, 31, 14, 45, tzinfo=UTC).timestamp())
"""A quarter of an hour before February begins in Seoul."""
SECRET = uuid.UUID("6f0a2b8e-7d64-4e5e-9d40-26dbb6f1a5c3")
UTILITIES = [
    ("electricity", "energy", Role.CONSUMPTION), ("electricity", "energy", Role.GENERATION),
    ("gas", "volume", Role.CONSUMPTION), ("gas", "energy", Role.CONSUMPTION), ("water", "volume", Role.CONSUMPTION),
    ("heat", "energy", Role.CONSUMPTION), ("hot_water", "volume", Role.CONSUMPTION),
    ("hot_water", "energy", Role.CONSUMPTION), ("electricity", "energy", Role.SUBMETER),
]  # fmt: skip
SHOWN = [one.code for one in qualities().values() if one.kind != "rejected"]


def sender(name: str = "c001/101/0101", tz: ZoneInfo = SEOUL, namespace: uuid.UUID = SECRET) -> Sender:
    return Sender(namespace, name, tz, datetime(2026, 1, 1, tzinfo=UTC))


def values(amounts: list[int], quality: str = "valid") -> list[Value]:
    return [Value(START + 900 * at, 900, amount, quality) for at, amount in enumerate(amounts)]


def written(*series: Series, by: Sender | None = None) -> bytes:
    return b"".join(green_button(by or sender(), series))


def home(amounts: list[int]) -> list[Series]:
    return [
        Series(f"meter-{number}", commodity, quantity, role, 900, values(amounts))
        for number, (commodity, quantity, role) in enumerate(UTILITIES)
    ]


def read(content: bytes) -> tuple[dict[str, str], list[tuple[str, int, float, bool]]]:
    """Give each meter's role, and (meter, start, value, estimated) of all readings."""
    file = io.BytesIO(content)
    feed = green_button_feed(file, "feed.xml")
    found = []
    for part in green_button_parts(file, "feed.xml", feed):
        assert not part.aside.num_rows
        for estimated, table in ((False, part.measured), (True, part.estimated)):
            found += [(row["meter"], int(row["at"].timestamp()), row["value"], estimated) for row in table.to_pylist()]
    return {one.meter: one.meaning.role.value for one in feed.meters.values() if one.meaning}, found


def test_all_utilities_and_qualities_are_valid_by_the_schema(shared: Path) -> None:
    marked = [Value(START + 900 * at, 900, -at, code) for at, code in enumerate(qualities())]
    series = [*home([0, 1, LARGEST]), Series("q", "water", "volume", Role.CONSUMPTION, 900, marked)]
    assert faults_by_schema(shared, written(*series)) == []
    assert faults_by_schema(shared, written(*series, by=sender(tz=ZoneInfo("Europe/Berlin")))) == []


def test_the_schema_would_notice(shared: Path) -> None:
    feed = written(*home([1])).replace(b"<e:kind>0</e:kind>", b"<e:kind>zero</e:kind>")
    assert len(faults_by_schema(shared, feed)) == 3


def test_a_month_is_a_block_and_what_is_missing_is_left_out() -> None:
    some = [one for one in values([1, 2, 3, 4, 5, 6]) if one.sub_units not in (3, 4)]
    feed = written(Series("m", "electricity", "energy", Role.CONSUMPTION, 900, some)).decode()
    blocks = re.findall(r"<e:IntervalBlock><e:interval><e:duration>(\d+)</e:duration><e:start>(\d+)</e:start>", feed)
    assert blocks == [("900", str(START)), ("4500", str(START + 900))]
    assert feed.count("<e:IntervalReading>") == 4


def test_five_utilities_come_in_as_they_went_out() -> None:
    roles, found = read(written(*home([0, 123_456_789, 5])))
    assert len(roles) == len(UTILITIES)
    kinds = sorted((name.rpartition("-")[0], role) for name, role in roles.items())
    assert kinds == sorted((commodity, role.value) for commodity, _, role in UTILITIES)
    assert len(found) == 3 * len(UTILITIES)


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-999_999_999_999_999 // 1000, 999_999_999_999), st.sampled_from(SHOWN)),
        min_size=1,
    ),
    st.sampled_from(UTILITIES),
    st.sampled_from([60, 900, 1800, 3600, 86_400]),
)
def test_every_known_interval_comes_in_again_exactly(
    said: list[tuple[bool, int, str]], kind: tuple[str, str, Role], length: int
) -> None:
    """Numbers, gaps and whether measured or estimated; UTC days, so that all lengths are on their grid."""
    commodity, quantity, role = kind
    begin = START - START % 86_400
    wanted = [
        Value(begin + length * at, length, amount, code) for at, (known, amount, code) in enumerate(said) if known
    ] or [Value(begin, length, 7, "valid")]
    series = Series("m", commodity, quantity, role, length, wanted)
    roles, found = read(written(series, by=sender(tz=ZoneInfo("UTC"))))
    unit = units()[{"energy": "Wh", "volume": "m3"}[quantity]]
    back = {(start, round(float(value) * unit.ratio), estimated) for _, start, value, estimated in found}
    exact = {(one.start_s, one.sub_units, qualities()[one.quality].kind == "estimated") for one in wanted}
    assert len(found) == len(wanted)
    assert back == exact
    assert list(roles.values()) == [role.value]


def test_names_are_always_the_same_and_say_nothing() -> None:
    feed = written(*home([1]))
    assert feed == written(*home([1]))
    for word in (b"c001", b"0101", b"meter-1"):
        assert word not in feed
    names = set(re.findall(rb"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", feed))
    others = written(*home([1]), by=sender(namespace=uuid.UUID(int=SECRET.int + 1)))
    later = written(*home([1]), by=sender("c001/101/0101\x1f2025-06-01"))
    assert len(names) > 3 * len(UTILITIES)
    for one in names:
        assert one not in others
        assert one not in later


def test_what_the_standard_has_no_code_for_is_refused() -> None:
    with pytest.raises(BadInput, match="no ESPI code"):
        written(Series("m", "pm25", "particles", Role.SUBMETER, 900, []))
    assert "pm25" not in codes().services
    with pytest.raises(BadInput, match="48 bits"):
        written(Series("m", "water", "volume", Role.CONSUMPTION, 900, values([LARGEST + 1])))


def test_every_carrier_of_a_dwelling_has_a_code() -> None:
    for name, one in commodities().rows.items():
        if one.balanced:
            assert name in codes().services
            assert set(one.espi) <= set(codes().written)


def test_a_year_of_readings_is_written_as_it_is_asked_for() -> None:
    """The feed is never held whole: what is written so far is no more than what was taken."""
    taken = 0

    def endless() -> Iterator[Value]:
        nonlocal taken
        at = datetime(2025, 1, 1, tzinfo=SEOUL)
        while True:
            taken += 1
            yield Value(int(at.timestamp()), 900, 1, "valid")
            at += timedelta(minutes=15)

    pieces = green_button(sender(), [Series("m", "electricity", "energy", Role.CONSUMPTION, 900, endless())])
    while b"IntervalBlock>" not in next(pieces):
        pass
    assert taken <= 31 * 96 + 1
