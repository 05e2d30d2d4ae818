"""Green Button feeds in: published samples decode to their published values; what is hostile or unclear is refused."""

import io
import json
import re
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.protocols.espi_codes import codes
from quintet.protocols.espi_feed import Feed
from quintet.protocols.espi_read import EspiPart, feed_meters, green_button_feed, green_button_parts, is_green_button
from quintet.terms.errors import BadInput, QuintetError
from quintet.terms.unit import units

EMPTY = {
    "FluxTailor_retailcustomer", "Retail_Customer_Statement_Example", "ApplicationInformation-Entry-Anonymized",
    "Authorization-Entry-Anonymized", "Customer-Subscription-Feed-Anonymized", "Multiple-Authorization-Feed-Anonymized",
    "Usage-Subscription-Feed-Anonymized", "ServiceCategory",
}  # fmt: skip
"""Feeds of accounts, authorisations and customers: there is nothing measured in them."""
EXPECTED = re.compile(r"(\S+ \S+), (?:(\d+) days?, )?(\d+):00:00: (\d+) (Wh|therm)")
TYPE = {
    "accumulationBehaviour": "4", "commodity": "1", "currency": "840", "dataQualifier": "12", "flowDirection": "1",
    "intervalLength": "3600", "kind": "12", "powerOfTenMultiplier": "0", "uom": "72",
}  # fmt: skip


def feeds(shared: Path) -> list[Path]:
    found = sorted((shared / "vectors" / "espi").rglob("*.xml"))
    assert len(found) == 29
    return found


def decoded(content: bytes) -> tuple[Feed, list[EspiPart]]:
    file = io.BytesIO(content)
    feed = green_button_feed(file, "feed.xml")
    return feed, list(green_button_parts(file, "feed.xml", feed))


def rows(parts: list[EspiPart], which: str) -> list[dict[str, Any]]:
    return pa.concat_tables(getattr(part, which) for part in parts).to_pylist()


def test_every_published_feed_is_read_or_refused_with_a_reason(shared: Path) -> None:
    for path in feeds(shared):
        content = path.read_bytes()
        assert is_green_button(io.BytesIO(content))
        if path.stem in EMPTY:
            with pytest.raises(BadInput) as refused:
                decoded(content)
            assert refused.value.code == "no_readings"
            continue
        feed, parts = decoded(content)
        assert (
            sum(part.rows for part in parts)
            == feed.readings
            == len(re.findall(rb"<(?:\w+:)?IntervalReading\b", content))
        )
        aside = rows(parts, "aside")
        if "gas" in path.stem:
            assert {row["code"] for row in aside} == {"no_commodity"}
            assert len(aside) == feed.readings
        else:
            assert not aside


def test_every_expected_value_is_what_the_feed_gives(shared: Path) -> None:
    seen = 0
    for path in feeds(shared):
        listed = path.with_suffix(".expected.txt")
        if not listed.exists():
            continue
        wanted = [(*_expected(one), one[5]) for one in _lines(listed)]
        _, parts = decoded(path.read_bytes())
        if wanted[0][3] == "Wh":
            found = [
                (int(row["at"].timestamp()), 3600, Fraction(row["value"]), row["unit"])
                for row in rows(parts, "measured")
            ]
        else:  # the feed says neither unit nor carrier nor power of ten: its reader knew the sender. We take nothing.
            said = [json.loads(row["original"]) for row in rows(parts, "aside")]
            found = [
                (int(float(one["start"])), int(one["duration"]), Fraction(one["raw_value"]) / 1000, "therm")
                for one in said
            ]
        assert sorted(found) == sorted(wanted)
        seen += len(wanted)
    assert seen == 35_303


def _lines(path: Path) -> list[tuple[str, ...]]:
    return [(one[0], *one.groups()) for one in EXPECTED.finditer(path.read_text(encoding="utf-8"))]


def _expected(said: tuple[str, ...]) -> tuple[int, int, Fraction]:
    at = datetime.fromisoformat(said[1])
    return int(at.timestamp()), int(said[2] or 0) * 86_400 + int(said[3]) * 3600, Fraction(said[4])


def made(readings: str, kind: dict[str, str] | None = None, *, flags: str = "", links: bool = True) -> bytes:
    """Write a feed of one meter reading."""
    said = TYPE if kind is None else kind
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    related = '<link rel="related" href="/t/1"/>' if links else ""
    role = f"<roleFlags>{flags}</roleFlags>" if flags else ""
    return f"""<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1</id>
<entry><id>p</id><link rel="self" href="/u/1"/><link rel="related" href="/u/1/MeterReading"/>
<content><UsagePoint xmlns="http://naesb.org/espi">{role}</UsagePoint></content></entry>
<entry><id>m</id><link rel="self" href="/u/1/MeterReading/1"/><link rel="up" href="/u/1/MeterReading"/>{related}
<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>
<entry><id>b</id><link rel="up" href="/u/1/MeterReading/1/IntervalBlock"/><content>
<IntervalBlock xmlns="http://naesb.org/espi">{readings}</IntervalBlock></content></entry>
{
        f'<entry><id>t</id><link rel="self" href="/t/1"/><content><ReadingType xmlns="http://naesb.org/espi">{fields}'
        "</ReadingType></content></entry>"
        if links
        else ""
    }</feed>""".encode()


def reading(start: object = 1_735_689_600, value: object = 450, duration: object = 3600, quality: str = "") -> str:
    said = "".join(f"<ReadingQuality><quality>{one}</quality></ReadingQuality>" for one in quality.split())
    return (
        f"<IntervalReading><cost>7</cost>{said}<timePeriod><duration>{duration}</duration><start>{start}</start>"
        f"</timePeriod><value>{value}</value></IntervalReading>"
    )


def test_a_reading_is_what_its_type_says(tmp_path: Path) -> None:
    feed, parts = decoded(
        made(reading(value=1234567), {**TYPE, "powerOfTenMultiplier": "-3", "flowDirection": "19"}, flags="0008")
    )
    (row,) = rows(parts, "measured")
    assert (row["value"], row["unit"], row["commodity"], row["row"]) == (1234.567, "Wh", "electricity", 1)
    assert row["at"] == datetime(2025, 1, 1, tzinfo=UTC)
    (meter,) = feed_meters(feed, "Asia/Seoul").to_pylist()
    assert (meter["role"], meter["cadence_min"], meter["tz"], meter["unit"]) == ("generation", 60, "Asia/Seoul", "Wh")
    assert (row["site"], row["meter"]) == (meter["site"], meter["meter"])


def test_electricity_measured_before_the_transformers_is_electricity() -> None:
    _, parts = decoded(made(reading(value=7), {**TYPE, "commodity": "2"}))
    (row,) = rows(parts, "measured")
    assert (row["commodity"], row["value"], row["unit"]) == ("electricity", 7, "Wh")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"commodity": None}, "no_commodity"),
        ({"commodity": "10"}, "unknown_commodity"),
        ({"commodity": "9"}, "unknown_uom"),
        ({"uom": None}, "no_unit"),
        ({"uom": "38"}, "unknown_uom"),
        ({"powerOfTenMultiplier": "99"}, "bad_multiplier"),
        ({"accumulationBehaviour": "3"}, "not_an_amount"),
        ({"kind": "37"}, "not_an_amount"),
        ({"dataQualifier": "8"}, "not_an_amount"),
        ({"flowDirection": None}, "no_direction"),
        ({"flowDirection": "20"}, "no_direction"),
        ({"intervalLength": "2592000"}, "bad_length"),
        ({"intervalLength": "90"}, "bad_length"),
        ({"intervalLength": "900"}, "other_length"),
    ],
)
def test_what_a_type_does_not_say_is_not_guessed(change: dict[str, str | None], code: str) -> None:
    kind = {name: value for name, value in {**TYPE, **change}.items() if value is not None}
    feed, parts = decoded(made(reading() + reading(1_735_693_200), kind))
    aside = rows(parts, "aside")
    assert [(row["code"], row["row"]) for row in aside] == [(code, 1), (code, 2)]
    assert all(row["reason"] == codes().faults[code] for row in aside)
    assert not rows(parts, "measured")
    assert len(feed_meters(feed, "UTC")) == (code == "other_length")


def test_without_a_type_nothing_is_known() -> None:
    _, parts = decoded(made(reading(), links=False))
    assert [row["code"] for row in rows(parts, "aside")] == ["no_reading_type"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"start": ""}, "no_start"),
        ({"start": "1735689600.5"}, "bad_start"),
        ({"start": 1_735_689_601}, "off_grid"),
        ({"duration": 900}, "other_length"),
        ({"duration": "long"}, "other_length"),
        ({"value": ""}, "no_value"),
        ({"value": "4.5"}, "bad_value"),
        ({"value": 2**47}, "bad_value"),
        ({"quality": "12"}, "refused_quality"),
        ({"quality": "0 15"}, "refused_quality"),
        ({"quality": "99"}, "unknown_quality"),
        ({"quality": "good"}, "unknown_quality"),
    ],
)
def test_a_bad_reading_goes_aside_alone_with_its_place(said: dict[str, Any], code: str) -> None:
    _, parts = decoded(made(reading() + "\n" + reading(**said) + reading(1_735_696_800, value=0)))
    assert [row["value"] for row in rows(parts, "measured")] == [450.0, 0.0]
    (bad,) = rows(parts, "aside")
    assert (bad["code"], bad["row"]) == (code, 2)
    original = json.loads(bad["original"])
    assert original["green_button_line"] == 8
    assert not {"ts_utc", "value", "meter"} & original.keys()  # no other door takes it for a reading


@pytest.mark.parametrize(
    ("quality", "estimated"), [("", False), ("0", False), ("7", False), ("14", False), ("8", True), ("9", True),
                               ("0 8", True), ("13", True), ("19 17", False)],
)  # fmt: skip
def test_a_quality_says_measured_or_estimated(quality: str, estimated: bool) -> None:
    _, parts = decoded(made(reading(quality=quality)))
    assert len(rows(parts, "estimated")) == estimated
    assert len(rows(parts, "measured")) == (not estimated)
    _, parts = decoded(made(reading(quality=quality), {**TYPE, "defaultQuality": "8"}))
    assert len(rows(parts, "estimated")) == (estimated or not quality)


@pytest.mark.parametrize(("commodity", "uom", "carrier", "unit"), [
    ("7", "169", "gas", "therm"), ("7", "42", "gas", "m3"), ("9", "134", "water", "L"), ("12", "72", "heat", "Wh"),
    ("12", "31", "heat", "J"), ("9", "119", "water", "ft3"),
])  # fmt: skip
def test_other_utilities_need_no_direction(commodity: str, uom: str, carrier: str, unit: str) -> None:
    kind = {"commodity": commodity, "uom": uom, "intervalLength": "3600"}
    _, parts = decoded(made(reading(), kind))
    (row,) = rows(parts, "measured")
    assert (row["commodity"], row["unit"]) == (carrier, unit)
    assert units()[unit].espi or unit == "ft3"


def test_a_local_day_may_have_23_or_25_hours() -> None:
    days = reading(duration=82_800) + reading(1_735_772_400, duration=90_000)
    _, parts = decoded(made(days, {**TYPE, "intervalLength": "86400"}))
    assert len(rows(parts, "measured")) == 2


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><feed>&lol2;</feed>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>"""
QUIET = b"""<?xml version="1.0"?><!DOCTYPE feed SYSTEM "http://127.0.0.1:9/feed.dtd"><feed/>"""


@pytest.mark.parametrize("content", [LAUGHS, OUTSIDE, QUIET])
def test_no_document_type_is_taken(content: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        decoded(content)
    assert refused.value.code == "doctype"
    assert "line" in refused.value.place


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<a>" * 100_000, "too_much"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>' + b"x" * 100_000, "too_much"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>' + b'<link rel="a" href="b"/>' * 100_001, "too_much"),
        (b"<feed>", "broken_xml"),
        (b"<feed></fed>", "broken_xml"),
        (b"<feed>&undefined;</feed>", "broken_xml"),
        (b"<feed>\xff\xfe</feed>", "broken_xml"),
        (b"", "broken_xml"),
    ],
)
def test_what_is_too_much_or_broken_is_refused_whole(content: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        decoded(content)
    assert refused.value.code == code
    assert refused.value.remedy


@settings(max_examples=300)
@given(st.data())
def test_damage_anywhere_gives_readings_or_a_clear_refusal(data: st.DataObject) -> None:
    content = bytearray(made(reading() + reading(1_735_693_200, quality="8")))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        _, parts = decoded(bytes(content))
    except QuintetError as error:
        parts, refused = [], (error.code, error.remedy)
    else:
        refused = ("", "")
    assert all(refused) != bool(parts)
    assert sum(part.rows for part in parts) <= 2


def test_memory_holds_an_entry_not_a_file() -> None:
    """Entries come one by one: the first is there long before the last was read."""
    blocks = "".join(
        '<entry xmlns="http://www.w3.org/2005/Atom"><link rel="up" href="/u/1/MeterReading/1/IntervalBlock"/><content>'
        f'<IntervalBlock xmlns="http://naesb.org/espi">{reading(1_735_689_600 + day * 86_400)}</IntervalBlock>'
        "</content></entry>"
        for day in range(2_000)
    )
    content = made("").replace(b"</feed>", blocks.encode() + b"</feed>")

    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.taken += len(found)
            return found

    file = Counted(content)
    feed = green_button_feed(file, "feed.xml")
    file.taken = 0
    parts = green_button_parts(file, "feed.xml", feed)
    next(parts)
    assert file.taken < len(content) / 4
    assert sum(part.rows for part in parts) == 1_999
