"""Feeds of several meters, with parts left out: no reading becomes another meter's; clocks and encodings."""

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from quintet.protocols import espi_feed
from quintet.protocols.espi_codes import codes
from quintet.protocols.espi_feed import whole
from quintet.protocols.espi_read import green_button_feed, green_button_parts
from quintet.terms.errors import BadInput

HEAD = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi"><id>urn:uuid:1</id>'
MIDNIGHT = 1_735_657_200
"""2025-01-01 in Seoul."""


def entry(own: str, up: str, related: Sequence[str], content: str) -> str:
    links = "".join(
        f'<link rel="{rel}" href="{href}"/>'
        for rel, href in (("self", own), ("up", up), *(("related", one) for one in related))
        if href
    )
    return f"<entry>{links}<content>{content}</content></entry>"


def kind(number: int, commodity: int = 1, length_s: int = 3600) -> str:
    uom, flow = (72, "<e:flowDirection>1</e:flowDirection>") if commodity == 1 else (42, "")
    return entry(
        f"ReadingType/{number}", "ReadingType", [],
        f"<e:ReadingType><e:commodity>{commodity}</e:commodity>{flow}<e:intervalLength>{length_s}</e:intervalLength>"
        f"<e:uom>{uom}</e:uom></e:ReadingType>",
    )  # fmt: skip


def point(number: int, flags: str = "") -> str:
    said = f"<e:UsagePoint>{flags and f'<e:roleFlags>{flags}</e:roleFlags>'}</e:UsagePoint>"
    return entry(f"C/1/UsagePoint/{number}", "C/1/UsagePoint", [f"C/1/UsagePoint/{number}/MeterReading"], said)


def meter(number: int, *related: str) -> str:
    own = f"C/1/UsagePoint/{number}/MeterReading/{number}"
    return entry(own, own.rpartition("/")[0], [f"{own}/IntervalBlock", *related], "<e:MeterReading/>")


def block(number: int, *values: int, start: int = MIDNIGHT, length: int = 3600, up: str | None = None) -> str:
    above = f"C/1/UsagePoint/{number}/MeterReading/{number}/IntervalBlock" if up is None else up
    said = "".join(
        f"<e:IntervalReading><e:timePeriod><e:duration>{length}</e:duration><e:start>{start + at * length}</e:start>"
        f"</e:timePeriod><e:value>{value}</e:value></e:IntervalReading>"
        for at, value in enumerate(values)
    )
    return entry(f"{above}/{number}" if above else "", above, [], f"<e:IntervalBlock>{said}</e:IntervalBlock>")


def taken(*parts: str, tz: str = "Asia/Seoul") -> tuple[dict[str, list[float]], list[str]]:
    """Give the values of each meter by its commodity, and the codes of what was set aside."""
    file = io.BytesIO(f"{HEAD}{''.join(parts)}</feed>".encode())
    feed = green_button_feed(file, "feed.xml")
    good: dict[str, list[float]] = {}
    aside: list[str] = []
    for part in green_button_parts(file, "feed.xml", feed, tz):
        for row in part.measured.to_pylist():
            good.setdefault(row["meter"], []).append(row["value"])
        aside += part.aside["code"].to_pylist()
    return {name.partition("-")[0]: values for name, values in good.items()}, aside


ONE = kind(1) + point(1) + meter(1, "ReadingType/1")
ELECTRICITY = {"electricity": [100.0, 200.0]}


@pytest.mark.parametrize("other", [meter(2), meter(2, "ReadingType/2"), ""])
def test_a_meter_without_its_type_does_not_take_the_other_ones(other: str) -> None:
    good, aside = taken(ONE, point(2), other, block(1, 100, 200), block(2, 7, 8))
    assert (good, aside) == (ELECTRICITY, ["no_reading_type"] * 2)


def test_the_only_meter_takes_the_only_type_unless_it_names_another() -> None:
    assert taken(kind(1), point(1), meter(1), block(1, 100, 200)) == (ELECTRICITY, [])
    for related in (["ReadingType/2"], ["ReadingType/1", "ReadingType/2"]):
        types = kind(1) + (kind(2, 7) if len(related) == 2 else "")
        assert taken(types, point(1), meter(1, *related), block(1, 100, 200)) == ({}, ["no_reading_type"] * 2)


@pytest.mark.parametrize("again", [kind(1), kind(1, 7)])
def test_a_type_said_twice_is_one_where_both_say_the_same(again: str) -> None:
    good, aside = taken(ONE, again, block(1, 100, 200))
    assert (good, aside) == ((ELECTRICITY, []) if again == kind(1) else ({}, ["no_reading_type"] * 2))


@pytest.mark.parametrize(
    ("up", "its"),
    [
        ("", True), ("IntervalBlock", True), ("/espi/1_1/resource/IntervalBlock", True),
        ("https://a.example/espi/1_1/resource/IntervalBlock", True), ("/m/2/IntervalBlock", False),
        ("C/1/UsagePoint/2/MeterReading/2/IntervalBlock", False), ("C/1/UsagePoint/1", False),
    ],
)  # fmt: skip
def test_a_block_goes_to_the_only_meter_unless_it_names_another(up: str, its: bool) -> None:
    good, aside = taken(ONE, block(9, 100, 200, up=up))
    assert (good, aside) == ((ELECTRICITY, []) if its else ({}, ["no_reading_type"] * 2))


def test_what_two_meters_link_to_says_nothing_of_whose_a_block_is() -> None:
    two = kind(2, 7) + point(1) + meter(1, "ReadingType/1", "C/1") + meter(2, "ReadingType/2", "C/1")
    shared = block(9, 9, up="C/1/IntervalBlock")
    assert taken(kind(1), two, shared, block(1, 5)) == ({"electricity": [5.0]}, ["no_reading_type"])


def test_two_meter_readings_of_one_name_that_differ_are_neither() -> None:
    same = kind(1) + kind(2, 7) + point(1) + meter(1, "ReadingType/1")
    assert taken(same, meter(1, "ReadingType/1"), block(1, 5)) == ({"electricity": [5.0]}, [])
    assert taken(same, meter(1, "ReadingType/2"), block(1, 5)) == ({}, ["no_reading_type"])


def test_another_points_flags_say_nothing() -> None:
    back = kind(1).replace("<e:flowDirection>1<", "<e:flowDirection>19<")
    for number, role in ((2, "export"), (1, "generation")):
        content = HEAD + back + point(1, "0008") + meter(number, "ReadingType/1") + block(number, 1) + "</feed>"
        feed = green_button_feed(io.BytesIO(content.encode()), "feed.xml")
        assert [one.meaning.role.value for one in feed.meters.values() if one.meaning] == [role]


@pytest.mark.parametrize("hours", [1, 2, 4, 6, 8, 12])
@pytest.mark.parametrize("tz", ["Asia/Seoul", "Asia/Kolkata"])
def test_intervals_count_from_the_citys_midnight(tz: str, hours: int) -> None:
    midnight = MIDNIGHT if tz == "Asia/Seoul" else 1_735_669_800
    length = hours * 3600
    parts = kind(1, length_s=length) + point(1) + meter(1, "ReadingType/1")
    assert taken(parts, block(1, 100, 200, start=midnight, length=length), tz=tz) == (ELECTRICITY, [])
    for off in (60, 1800):
        astray = block(1, 100, 200, start=midnight + off, length=length)
        assert taken(parts, astray, tz=tz) == ({}, ["off_grid"] * 2)


@pytest.mark.parametrize("start", [360_000_000_000, 3_600 * 10**15, -3_600_000_000, 10**39])
def test_a_start_that_no_calendar_has_is_set_aside(start: int) -> None:
    assert taken(ONE, block(1, 1, start=start), block(1, 100, 200)) == (ELECTRICITY, ["bad_start"])


@pytest.mark.parametrize("encoding", ["Shift_JIS", "no-such-encoding", "utf-7", "hex", "undefined", "idna"])
def test_an_encoding_that_is_not_read_is_refused(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?>{HEAD}{ONE}{block(1, 1)}</feed>'.encode()
    with pytest.raises(BadInput) as refused:
        green_button_feed(io.BytesIO(content), "feed.xml")
    assert (refused.value.code, refused.value.place) == ("unknown_encoding", "feed.xml line 1")


@pytest.mark.parametrize("encoding", ["EUC-KR", "euc-kr", "cp949", "ks_c_5601-1987"])
def test_korean_encodings_are_read(encoding: str) -> None:
    """Longer than a piece, so that signs of two bytes are cut; code page 949 has signs that EUC-KR has not."""
    title = "<entry><title>우리집 똠방각하 햏</title></entry>" * 3_000
    content = f'<?xml version="1.0" encoding="{encoding}"?>{HEAD}{title}{ONE}{block(1, 1)}</feed>'
    content = content.replace("C/1", "고객/1")
    feed = green_button_feed(io.BytesIO(content.encode("cp949")), "feed.xml")
    same = green_button_feed(io.BytesIO(content.replace(encoding, "utf-8").encode()), "feed.xml")
    assert (feed.readings, feed.meters) == (1, same.meters)
    broken = content.encode("cp949").replace("똠".encode("cp949"), b"\xff\xff")
    with pytest.raises(BadInput) as refused:
        green_button_feed(io.BytesIO(broken), "feed.xml")
    assert refused.value.code == "broken_xml"


LONG = "a" * 3_000_000
"""More than a tag may have; an entry may have 16 MB."""


@pytest.mark.parametrize(
    "more",
    [
        f'<entry><link rel="self" href="{LONG}"/></entry>', f"<!--{LONG}-->", f"<?x {LONG}?>",
        "".join(f"<n{number}/>" for number in range(20_000)),
        "".join(f'<x n{number}=""/>' for number in range(20_000)),
        f"<entry><content><e:UsagePoint>{'<e:y>' + 'b' * 60_000 + '</e:y>'}</e:UsagePoint></content>"
        + "".join(f'<link rel="{number}" href="{"c" * 60_000}"/>' for number in range(300))
        + "</entry>",
    ],
    ids=["attribute", "comment", "instruction", "elements", "attributes", "entry"],
)  # fmt: skip
def test_no_part_of_a_feed_is_without_bounds(more: str) -> None:
    with pytest.raises(BadInput) as refused:
        green_button_feed(io.BytesIO(f"{HEAD}{ONE}{block(1, 1)}{more}</feed>".encode()), "feed.xml")
    assert refused.value.code == "too_much"


def test_what_is_remembered_of_a_whole_feed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    said = codes()
    small = replace(said, limits=replace(said.limits, kept_bytes=20_000))
    content = f"{HEAD}{ONE}{point(2) * 100}{block(1, 1)}</feed>".encode()
    assert green_button_feed(io.BytesIO(content), "feed.xml").readings == 1
    monkeypatch.setattr(espi_feed, "codes", lambda: small)
    with pytest.raises(BadInput) as refused:
        green_button_feed(io.BytesIO(content), "feed.xml")
    assert refused.value.code == "too_much"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_other_encodings_are_read(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?>{HEAD}{ONE}{block(1, 1)}</feed>'.encode(encoding)
    assert green_button_feed(io.BytesIO(content), "feed.xml").readings == 1


def sites(parts: str, feed_id: str, file: str) -> list[str]:
    content = f"{HEAD}{parts}{block(1, 1)}</feed>".replace("<id>urn:uuid:1</id>", feed_id).encode()
    return [one.site for one in green_button_feed(io.BytesIO(content), file).meters.values()]


SERVER = ("C/1/", "https://a.example/espi/1_1/resource/RetailCustomer/1/")
SUBSCRIPTION = ("C/1/", "/espi/1_1/resource/Subscription/6f0a2b8e-7d64-4e5e-9d40-26dbb6f1a5c3/")
ROOTED = ("C/1/", "https://a.example/espi/1_1/resource/")


@pytest.mark.parametrize("address", [("", ""), SERVER, SUBSCRIPTION, ROOTED])
def test_a_site_is_the_same_in_whichever_file_or_feed_it_comes(address: tuple[str, str]) -> None:
    parts = ONE.replace(*address) if address[0] else ONE
    first = sites(parts, "<id>urn:uuid:1</id>", "jan.xml")
    assert first == sites(parts, "<id>urn:uuid:2</id>", "feb.xml") == sites(parts, "", "copy.xml")


def test_a_customers_meters_are_at_one_site_and_other_customers_at_others() -> None:
    two = kind(1) + point(1) + point(2) + meter(1, "ReadingType/1") + meter(2, "ReadingType/1")
    for address, together in ((SERVER, True), (SUBSCRIPTION, True), (ROOTED, False), (("C/1/", "C/1/"), False)):
        found = sites(two.replace(*address), "", "x.xml")
        assert (len(found), len(set(found))) == (2, 1 if together else 2)
        other = two.replace(address[0], address[1].replace("/1/", "/7/").replace("6f0a", "7f0a").replace("a.e", "b.e"))
        assert not set(found) & set(sites(other, "", "x.xml"))
    names = [ONE.replace("</entry>", f"<id>urn:uuid:{one}</id></entry>") for one in "12"]
    assert sites(names[0], "", "x.xml") != sites(names[1], "", "x.xml")  # addresses alike, of two senders


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("-7", -7), ("+5", 5), ("007", 7), ("1_000", None), ("١٢", None), ("", None), ("5.0", None),
     ("0x10", None), ("9" * 5000, None), ("12\n", None), (None, None)],
)  # fmt: skip
def test_a_whole_number_is_written_as_xml_writes_one(text: str | None, number: int | None) -> None:
    assert whole(text) == number
