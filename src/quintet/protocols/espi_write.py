"""Interval readings as a Green Button feed (NAESB ESPI 4.0 in Atom), written piece by piece; values stay whole numbers.

Of each channel a usage point, a meter reading, its reading type and a block for each month. What is missing is left
out. Names in the feed are UUIDs of version 5 under a namespace that only the sender knows, so they say nothing.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities
from quintet.terms.reading import Role

from .espi_clock import local_time
from .espi_codes import OURS, codes

LARGEST = 2**47 - 1
"""Values are of 48 bits (espi.xsd, Int48)."""
PLAIN = 0
"""The quality that a reading has without saying so (defaultQuality)."""
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi"'
    f' xmlns:q="{OURS}">'
)


@dataclass(frozen=True, slots=True)
class Value:
    """One known interval: start and length in seconds, an amount in sub-units, the code of its quality."""

    start_s: int
    length_s: int
    sub_units: int
    quality: str


@dataclass(frozen=True, slots=True)
class Series:
    """One channel: a name known to the sender alone, what it measures, and its known intervals in order of time."""

    name: str
    commodity: str
    quantity: str
    role: Role
    length_s: int
    values: Iterable[Value]


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose feed it is: a secret namespace and a name in it, the clock, and the moment at which it is written."""

    namespace: uuid.UUID
    name: str
    tz: ZoneInfo
    written_at: datetime
    title: str = "Green Button"

    def id(self, *parts: str) -> str:
        """Give the UUID of a thing of this feed, always the same."""
        return str(uuid.uuid5(self.namespace, "\x1f".join((self.name, *parts))))


def green_button(sender: Sender, series: Iterable[Series]) -> Iterator[bytes]:
    """Write a feed piece by piece; raises BadInput for a carrier or quantity that ESPI has no code for."""
    stamp = sender.written_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = f"/espi/1_1/resource/Subscription/{sender.id('subscription')}"
    clock = f"/espi/1_1/resource/LocalTimeParameters/{sender.id('clock')}"
    yield (
        f"{HEAD}<id>urn:uuid:{sender.id('feed')}</id><title>{escape(sender.title)}</title><updated>{stamp}</updated>"
        f'<link rel="self" href="{own}"/>\n'
    ).encode()
    yield _entry(sender.id("clock"), clock, clock.rpartition("/")[0], (), "clock", _clock(sender), stamp)
    for one in series:
        yield from _channel(sender, one, f"{own}/UsagePoint/{sender.id('point', one.name)}", clock, stamp)
    yield b"</feed>\n"


def _channel(sender: Sender, one: Series, point: str, clock: str, stamp: str) -> Iterator[bytes]:
    meter = f"{point}/MeterReading/{sender.id('meter', one.name)}"
    kind = f"/espi/1_1/resource/ReadingType/{sender.id('type', one.name)}"
    title = commodities()[one.commodity].name_en
    related = (f"{point}/MeterReading", clock)
    yield _entry(sender.id("point", one.name), point, point.rpartition("/")[0], related, title, _point(one), stamp)
    related = (f"{meter}/IntervalBlock", kind)
    body = "<e:MeterReading/>"
    yield _entry(sender.id("meter", one.name), meter, f"{point}/MeterReading", related, title, body, stamp)
    yield _entry(sender.id("type", one.name), kind, kind.rpartition("/")[0], (), title, _type(one), stamp)

    def month_of(value: Value) -> str:
        return datetime.fromtimestamp(value.start_s, sender.tz).strftime("%Y-%m")

    for month, values in groupby(one.values, month_of):
        block = sender.id("block", one.name, month)
        up = f"{meter}/IntervalBlock"
        yield _entry(block, f"{up}/{block}", up, (), month, _block(list(values)), stamp)


def _entry(name: str, own: str, up: str, related: Iterable[str], title: str, content: str, stamp: str) -> bytes:
    links = "".join(f'<link rel="related" href="{one}"/>' for one in related)
    return (
        f'<entry><id>urn:uuid:{name}</id><link rel="self" href="{own}"/><link rel="up" href="{up}"/>{links}'
        f"<title>{escape(title)}</title><content>{content}</content>"
        f"<published>{stamp}</published><updated>{stamp}</updated></entry>\n"
    ).encode()


def _clock(sender: Sender) -> str:
    said = local_time(sender.tz, sender.written_at)
    return (
        f"<e:LocalTimeParameters><e:dstEndRule>{said.dst_end}</e:dstEndRule><e:dstOffset>{said.dst_offset_s}"
        f"</e:dstOffset><e:dstStartRule>{said.dst_start}</e:dstStartRule><e:tzOffset>{said.tz_offset_s}</e:tzOffset>"
        "</e:LocalTimeParameters>"
    )


def _point(one: Series) -> str:
    kind = codes().services.get(one.commodity)
    if kind is None:
        raise _without_code(one)
    flags = codes().ways[one.role].flags
    said = f"<e:roleFlags>{flags:04X}</e:roleFlags>" if flags else ""
    return (
        f"<e:UsagePoint>{said}<e:ServiceCategory><e:kind>{kind}</e:kind></e:ServiceCategory>"
        "<e:status>1</e:status></e:UsagePoint>"
    )


def _type(one: Series) -> str:
    table = codes()
    code, written = commodities()[one.commodity].espi.get(one.quantity), table.written.get(one.quantity)
    if code is None or written is None:
        raise _without_code(one)
    way, more = table.ways[one.role], ""
    if table.carriers.get((code, one.quantity)) != one.commodity:
        more += f"<e:extension><q:carrier>{one.commodity}</q:carrier></e:extension>"
    if table.role(way.flow, way.flags, code) is not one.role:
        more += f"<e:extension><q:role>{one.role.value}</q:role></e:extension>"
    fields = (
        ("accumulationBehaviour", table.accumulation_written), ("commodity", code), ("currency", table.currency),
        ("dataQualifier", table.qualifier_written), ("defaultQuality", PLAIN), ("flowDirection", way.flow),
        ("intervalLength", one.length_s), ("kind", written.kind), ("powerOfTenMultiplier", written.power),
        ("timeAttribute", 0), ("uom", written.uom),
    )  # fmt: skip
    return f"<e:ReadingType>{more}{''.join(f'<e:{name}>{value}</e:{name}>' for name, value in fields)}</e:ReadingType>"


def _block(values: list[Value]) -> str:
    start, end = values[0].start_s, values[-1].start_s + values[-1].length_s
    return (
        f"<e:IntervalBlock><e:interval><e:duration>{end - start}</e:duration><e:start>{start}</e:start></e:interval>"
        f"{''.join(map(_reading, values))}</e:IntervalBlock>"
    )


def _reading(one: Value) -> str:
    if abs(one.sub_units) > LARGEST:
        raise BadInput(
            f"{one.sub_units} is more than 48 bits hold.", code="too_large", place=str(one.start_s),
            remedy="Take it along as CSV.",
        )  # fmt: skip
    quality = "" if (found := _QUALITY.get(one.quality)) is None else found
    return (
        f"<e:IntervalReading>{quality}<e:timePeriod><e:duration>{one.length_s}</e:duration><e:start>{one.start_s}"
        f"</e:start></e:timePeriod><e:value>{one.sub_units}</e:value></e:IntervalReading>"
    )


def _quality_texts() -> dict[str, str]:
    """Give what is said of each quality, beside the standard's code our own, which tells estimates apart."""
    return {
        code: f"<e:ReadingQuality><e:extension><q:quality>{code}</q:quality></e:extension><e:quality>{one.espi}"
        "</e:quality></e:ReadingQuality>"
        for code, one in qualities().items()
        if (one.espi, one.kind) != (PLAIN, "measured")
    }


_QUALITY = _quality_texts()


def _without_code(one: Series) -> BadInput:
    return BadInput(
        f"{one.commodity} by {one.quantity} has no ESPI code.", code="no_espi_code", place=one.commodity,
        remedy="Leave it out: its readings stand in the other forms.",
    )  # fmt: skip
