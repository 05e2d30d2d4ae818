"""Typed rows for people who list the registry, and its Arrow tables CHANNELS and PLACES."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.commodity import Commodities
from quintet.terms.reading import ReadingType
from quintet.terms.tables import CHANNELS, PLACES

from .timeline import Body, Segment, Timelines, last_body, segments
from .tree import ROOT, Tree


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as last stated: its id, names and what its numbers mean; `shift_days` comes from a map."""

    id: int
    name: str
    site: str
    meter: str
    quantity: str
    usage_point: str
    reading: ReadingType
    shift_days: int


@dataclass(frozen=True, slots=True)
class Meter:
    """One meter with the names of its channels; `notes` are the listing's further columns by channel name."""

    site: str
    meter: str
    building: str | None
    premise: str | None
    channels: tuple[str, ...]
    notes: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, body: Body, channels: Mapping[tuple[str, str], Sequence[str]]) -> "Meter":
        """Build from a record's body and the channels by (site, meter)."""
        key = (body["site"], body["meter"])
        names = tuple(sorted(channels.get(key, ())))
        return cls(*key, body.get("building"), body.get("premise"), names, body.get("notes", {}))


@dataclass(frozen=True, slots=True)
class Plant:
    """A converter or generator from `start_us` until `end_us`; inputs and outputs are channel names."""

    id: str
    kind: str
    place: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    renewable: bool
    source: str
    start_us: int
    end_us: int

    @classmethod
    def of(cls, key: str, part: Segment) -> "Plant":
        """Build from a stretch of its timeline."""
        body = part.body
        return cls(
            key, body["kind"], body["place"], tuple(body["inputs"]), tuple(body["outputs"]), body["renewable"],
            body.get("source", ""), part.start_us, part.end_us,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage from `start_us` until `end_us`, metered by `channels`."""

    id: str
    place: str
    channels: tuple[str, ...]
    start_us: int
    end_us: int

    @classmethod
    def of(cls, key: str, part: Segment) -> "Storage":
        """Build from a stretch of its timeline."""
        return cls(key, part.body["place"], tuple(part.body["channels"]), part.start_us, part.end_us)


@dataclass(frozen=True, slots=True)
class Feeder:
    """A network, zone, feeder or branch of one commodity into a place, from `start_us` until `end_us`.

    Its head is metered by the `supply` channels less the `returns`; below it hang `places`, `usage_points` and child
    `feeders` (where none of the three is stated: its place). `level` says what it is, in the city's own word.
    """

    id: str
    commodity: str
    place: str
    supply: tuple[str, ...]
    start_us: int
    end_us: int
    level: str = "feeder"
    returns: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    usage_points: tuple[str, ...] = ()
    feeders: tuple[str, ...] = ()
    source: str = ""

    @classmethod
    def of(cls, key: str, part: Segment) -> "Feeder":
        """Build from a stretch of its timeline."""
        body = part.body
        lists = {name: tuple(body.get(name, ())) for name in ("returns", "places", "usage_points", "feeders")}
        if not (lists["places"] or lists["usage_points"] or lists["feeders"]):
            lists["places"] = (body["place"],)
        return cls(
            key, body["commodity"], body["place"], tuple(body["supply"]), part.start_us, part.end_us,
            body.get("level", "feeder"), **lists, source=body.get("source", ""),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facility:
    """A thing with a service, such as a climate-controlled bus shelter, from `start_us` until `end_us`.

    `meters` are the channels of what it uses; `readings` gives the channels of each thing that its class wants read
    (temperature, PM2.5, occupancy, ...).
    """

    id: str
    klass: str
    place: str
    name: str
    meters: tuple[str, ...]
    readings: Mapping[str, tuple[str, ...]]
    source: str
    start_us: int
    end_us: int

    @classmethod
    def of(cls, key: str, part: Segment) -> "Facility":
        """Build from a stretch of its timeline."""
        body = part.body
        readings = {name: tuple(channels) for name, channels in sorted(body["readings"].items())}
        return cls(
            key, body["class"], body["place"], body.get("name", key), tuple(body["meters"]), readings,
            body.get("source", ""), part.start_us, part.end_us,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Who lived in a premise from `start_us` until `end_us`; `details` is what else was said at the move."""

    premise: str
    occupant: str
    start_us: int
    end_us: int
    details: Mapping[str, Any]

    @classmethod
    def of(cls, premise: str, part: Segment) -> "Occupancy":
        """Build from a stretch of its timeline."""
        return cls(premise, part.body["occupant"], part.start_us, part.end_us, part.body.get("details", {}))


def channels_table(channels: Timelines, commodities: Commodities) -> pa.Table:
    """Give CHANNELS: one row a channel in order of id.

    `installed` and `removed` are the ends of all its stretches together, null where nobody stated them.
    """
    rows: list[tuple[int, str, Body, int | None, int | None]] = []
    for name, said in channels.items():
        body = last_body(said)
        if body is None:
            continue
        start, end = said[0][0], None
        if len(said) > 1:
            parts = segments(said)
            start, end = parts[0].start_us, parts[-1].end_us
        rows.append((body["id"], name, body, None if start == ALWAYS else start, None if end == FOREVER else end))
    rows.sort(key=lambda row: row[0])
    bodies = [row[2] for row in rows]
    balanced = {code: row.balanced for code, row in commodities.rows.items()}
    columns: dict[str, list[Any]] = {
        "channel": [row[0] for row in rows],
        "name": [row[1] for row in rows],
        "installed": [row[3] for row in rows],
        "removed": [row[4] for row in rows],
        "balanced": [balanced.get(body["commodity"], False) for body in bodies],
    }
    for key in ("dials", "plate_max"):
        columns[key] = [body.get(key) for body in bodies]
    arrays = [
        pa.array(columns[field.name] if field.name in columns else [body[field.name] for body in bodies], field.type)
        for field in CHANNELS
    ]
    return pa.Table.from_arrays(arrays, schema=CHANNELS)


def places_table(tree: Tree, name_en: str, name_ko: str) -> pa.Table:
    """Give PLACES, parents before children; the root carries the city's names."""
    bodies = {**tree.bodies, ROOT: {**tree.bodies[ROOT], "name_en": name_en, "name_ko": name_ko}}
    rows = [
        {
            "place": place,
            "parent": bodies[place].get("parent"),
            "level": bodies[place]["level"],
            "name_en": bodies[place]["name_en"],
            "name_ko": bodies[place]["name_ko"],
            "floor_area_m2": bodies[place].get("floor_area_m2"),
        }
        for place in tree.walk(ROOT)
    ]
    return pa.Table.from_pylist(rows, schema=PLACES)
