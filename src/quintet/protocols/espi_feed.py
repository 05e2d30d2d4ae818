"""What a Green Button feed holds: which block of readings belongs to which meter reading, and what its numbers mean."""

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO

from quintet.terms.reading import Role
from quintet.terms.unit import units

from .espi_codes import codes
from .espi_scan import Entry, Scanned, entries, too_much

NAMES = uuid.UUID("2f6c4d5e-1f0c-5d0b-9a53-6a8f2d1b7c10")
"""The namespace in which a feed's own names become names of sites and meters, always the same for the same feed."""
DAY_S = 86_400
MOST_POWER = 12
"""UnitMultiplierKind goes from pico to tera."""
WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
"""xs:integer; 40 digits are more than any field may have."""
BLOCKS = "IntervalBlock"
POINT = "/UsagePoint/"
UNIQUE = re.compile(r"://|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""What makes an address one that no other sender gives: its server, or a UUID."""
ROOT = "resource"
"""The last word above addresses that name no customer or meter (espi/1_1/resource/IntervalBlock/17)."""
SUMMER_S = (DAY_S - 3600, DAY_S, DAY_S + 3600)
"""A local day may be an hour shorter or longer."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the numbers of one meter reading are: value times 10^power in `unit`, over `length_s` each."""

    commodity: str
    unit: str
    power: int
    role: Role
    length_s: int
    default_quality: int | None

    def amount(self, value: int) -> Decimal:
        """Give a value in its unit, exactly."""
        return Decimal(value).scaleb(self.power)


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One meter reading of a feed: its names here, and what it means, or the code of why that is not known."""

    site: str
    meter: str
    title: str
    meaning: Meaning | None
    fault: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's structure: `meters` are its meter readings by key, `blocks` say whose a block is.

    `site` is where readings of nobody are set aside.
    """

    site: str
    meters: dict[str, MeterReading]
    blocks: dict[str, str] = field(repr=False)
    """Which meter reading a block's own address or the address above it belongs to."""
    entries: int
    readings: int
    tz_offset_s: int | None

    def meter_of(self, block: Entry) -> MeterReading | None:
        """Find whose readings an entry holds; None where nothing says it, or it says one that is not in the feed."""
        key = _whose((*block.links.get("up", ()), block.own()), self.blocks, list(self.meters))
        return None if key is None else self.meters[key]


@dataclass(slots=True)
class _Parts:
    """What pass one gathers: entries by kind, without their readings, and how long the readings of each block are."""

    points: list[Entry] = field(default_factory=list)
    meters: list[Entry] = field(default_factory=list)
    types: list[Entry] = field(default_factory=list)
    clocks: list[Entry] = field(default_factory=list)
    blocks: list[tuple[tuple[str, ...], dict[str, int]]] = field(default_factory=list)


def read_feed(file: BinaryIO, name: str) -> Feed:
    """Read a feed's structure; the file can be sought. Raises BadInput as `espi_scan.entries` does."""
    said, parts = Scanned(), _Parts()
    by_kind = {
        "UsagePoint": parts.points, "MeterReading": parts.meters, "ReadingType": parts.types,
        "LocalTimeParameters": parts.clocks,
    }  # fmt: skip
    size = 0
    for entry in entries(file, name, said, keep=False):
        size += entry.size
        if size > codes().limits.kept_bytes:
            raise too_much(f"has structure of more than {codes().limits.kept_bytes:,} bytes", name)
        for kind in entry.kinds:
            if kind in by_kind:
                by_kind[kind].append(entry)
        if "IntervalBlock" in entry.kinds:
            parts.blocks.append(((*entry.links.get("up", ()), entry.own()), entry.durations))
    whose = _blocks(parts)
    lengths = _lengths(parts, whose)
    found = {entry.own(): _meter(entry, parts, lengths.get(entry.own(), Counter())) for entry in parts.meters}
    site = f"gb-{uuid.uuid5(NAMES, said.id or name).hex[:12]}"
    offset = next((entry.fields.get("LocalTimeParameters/tzOffset") for entry in parts.clocks), None)
    return Feed(site, found, whose, said.entries, said.readings, whole(offset))


def whole(text: str | None) -> int | None:
    """Read a whole number as XML writes one; None for what is none, as 1_000 or digits of another script."""
    return int(text) if text is not None and WHOLE.fullmatch(text) else None


def _path(address: str) -> str:
    """Give an address without its server, question and mark: senders link now with them, now without."""
    bare = address.partition("#")[0].partition("?")[0]
    _, scheme, rest = bare.partition("://")
    return (rest.partition("/")[2] if scheme else bare).strip("/") or address


def _found(addresses: Iterable[str], among: dict[str, str]) -> str | None:
    """Find the first of some addresses, or an address above it, among others."""
    for one in addresses:
        path = _path(one)
        while path:
            if path in among:
                return among[path]
            path = path.rpartition("/")[0]
    return None


def _blocks(parts: _Parts) -> dict[str, str]:
    """Say whose the blocks below an address are: below a meter reading's own, or one that it alone links to."""
    own = {_path(entry.own()): entry.own() for entry in parts.meters}
    known = {_path(entry.own()) for entry in (*parts.points, *parts.types, *parts.clocks)} | own.keys()
    linked: dict[str, set[str]] = {}
    for entry in parts.meters:
        for path in map(_path, entry.links.get("related", ())):
            if path not in known and not _path(entry.own()).startswith(f"{path}/"):
                linked.setdefault(path, set()).add(entry.own())
    return own | {path: names.pop() for path, names in linked.items() if len(names) == 1}


def _whose(addresses: Iterable[str], blocks: dict[str, str], meters: Sequence[str]) -> str | None:
    """Find whose a block is; the only meter reading there is has those that say nothing else."""
    said = list(addresses)
    key = _found(said, blocks)
    return meters[0] if key is None and len(meters) == 1 and not any(map(_placed, said)) else key


def _placed(address: str) -> bool:
    """Tell whether an address places a block below something."""
    path = _path(address).split("/")
    if BLOCKS not in path:
        return "MeterReading" in path or "UsagePoint" in path
    above = path[: path.index(BLOCKS)]
    return bool(above) and above[-1] != ROOT


def _lengths(parts: _Parts, whose: dict[str, str]) -> dict[str, Counter[str]]:
    """Count how long the readings of each meter reading are."""
    found: dict[str, Counter[str]] = {}
    meters = list({entry.own(): None for entry in parts.meters})
    for addresses, durations in parts.blocks:
        key = _whose(addresses, whose, meters)
        if key is not None:
            found.setdefault(key, Counter()).update(durations)
    return found


def _type(entry: Entry, parts: _Parts) -> Entry | None:
    """Find the one reading type to which a meter reading is linked.

    Where each is the only one, and no link leads out of the feed, the type needs none. None where two are meant.
    """
    own, related = _path(entry.own()), {_path(one) for one in entry.links.get("related", ())}
    found = [one for one in parts.types if _path(one.own()) in related]
    if not found and len(parts.types) == len(parts.meters) == 1:
        known = {_path(one.own()) for one in (*parts.points, *parts.clocks)}
        found = [] if any(one not in known and not one.startswith(f"{own}/") for one in related) else parts.types
    return found[0] if found and all(one.fields == found[0].fields for one in found) else None


def _point(entry: Entry, among: Sequence[Entry]) -> Entry | None:
    """Find the usage point of a meter reading: the one that links to it, or whose address is above it."""
    above = {_path(one) for one in (*entry.links.get("up", ()), entry.own())}
    for one in among:
        if above & {_path(link) for link in one.links.get("related", ())}:
            return one
        if any(path.startswith(f"{_path(one.own())}/") for path in above):
            return one
    elsewhere = any("UsagePoint" in path.split("/") for path in above)
    return among[0] if len(among) == 1 and not elsewhere else None


def _meter(entry: Entry, parts: _Parts, lengths: Counter[str]) -> MeterReading:
    twice = any(one.own() == entry.own() and one.links != entry.links for one in parts.meters)
    kind, point = None if twice else _type(entry, parts), _point(entry, parts.points)
    flags = point.fields.get("UsagePoint/roleFlags", "0") if point is not None else "0"
    found = _meaning(kind, flags, lengths)
    site, tail = _site(point or entry), uuid.uuid5(NAMES, entry.own()).hex[:8]
    if isinstance(found, str):
        return MeterReading(site, f"unknown-{tail}", entry.title, None, found)
    return MeterReading(site, f"{found.commodity}-{tail}", entry.title, found, "")


def _site(entry: Entry) -> str:
    """Name the site of a usage point, the same whichever feed it comes in: by its customer's address, else its own.

    A customer's address counts where no other sender can have the same; else the point's with its id. A feed's own id
    does not count: some senders make a new one for every download.
    """
    customer, found, _ = entry.own().partition(POINT)
    own = bool(found) and customer.rpartition("/")[2] != ROOT and bool(UNIQUE.search(customer))
    name = customer if own else f"{entry.own()}\x1f{entry.id}"
    return f"gb-{uuid.uuid5(NAMES, name).hex[:12]}"


def _meaning(entry: Entry | None, flags: str, lengths: Counter[str]) -> Meaning | str:
    """Give what a reading type means, or the code of what it does not say."""
    if entry is None:
        return "no_reading_type"
    said = {name.removeprefix("ReadingType/"): text for name, text in entry.fields.items()}
    table = codes()
    commodity, uom = whole(said.get("commodity")), whole(said.get("uom"))
    if commodity is None:
        return "no_commodity"
    if uom is None:
        return "no_unit"
    unit = table.units.get(uom)
    if unit is None:
        return "unknown_uom"
    carrier = _carrier(commodity, units()[unit].quantity, said.get("extension/carrier"))
    if carrier is None:
        known = {code for code, _ in table.carriers}
        return "unknown_uom" if commodity in known else "unknown_commodity"
    power = whole(said.get("powerOfTenMultiplier", "0"))
    if power is None or abs(power) > MOST_POWER:
        return "bad_multiplier"
    if not _is_amount(said):
        return "not_an_amount"
    role = _role(said, flags, commodity)
    if role is None:
        return "no_direction"
    length = whole(said.get("intervalLength")) or _commonest(lengths)
    if length is None or length % 60 or length <= 0 or DAY_S % length:
        return "bad_length"
    return Meaning(carrier, unit, power, role, length, whole(said.get("defaultQuality")))


def _carrier(commodity: int, quantity: str, extension: str | None) -> str | None:
    """Give the carrier that a code means by quantity; our own extension may say which of those without a code."""
    if extension in codes().extended:
        return extension
    return codes().carriers.get((commodity, quantity))


def _is_amount(said: dict[str, str]) -> bool:
    table = codes()
    accumulation, qualifier = (whole(said.get(name, "0")) for name in ("accumulationBehaviour", "dataQualifier"))
    kinds = {one.kind for one in table.written.values()}
    kind = whole(said.get("kind", "0"))
    return accumulation in table.accumulation and qualifier in table.qualifier and (not kind or kind in kinds)


def _role(said: dict[str, str], flags: str, commodity: int) -> Role | None:
    own = said.get("extension/role")
    if own in {role.value for role in Role}:
        return Role(own)
    try:
        bits = int(flags, 16)
    except ValueError:
        bits = 0
    return codes().role(whole(said.get("flowDirection")), bits, commodity)


def _commonest(lengths: Counter[str]) -> int | None:
    return next((whole(text) for text, _ in lengths.most_common(1)), None)
