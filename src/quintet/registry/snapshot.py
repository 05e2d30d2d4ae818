"""The registry as one immutable snapshot: what the dated records say, as known at one batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.store.records import Record
from quintet.terms.commodity import Commodities, commodities
from quintet.terms.errors import NotFound
from quintet.terms.reading import ReadingType, Role, ValueKind, clock

from .bulk import uncollected
from .placement import placements_table
from .rows import Channel, Facility, Feeder, Meter, Occupancy, Plant, Storage, channels_table, places_table
from .timeline import Body, Timelines, collect, last_body, merged, segments
from .tree import ROOT, Tree


@dataclass(frozen=True, slots=True)
class CitySettings:
    """The city's names, its clock (IANA name) and whether it is a simulated one."""

    name_en: str
    name_ko: str
    tz: str
    simulated: bool


UNNAMED = CitySettings("City", "도시", "UTC", False)
"""A city that nobody has described yet."""


class Registry:
    """What is known of the city's places, usage points, meters and channels, plants, storages, feeders and people.

    Made from the records believed at one batch; nothing in it changes. What costs time is computed once.
    """

    def __init__(self, things: Mapping[str, Timelines], batch: int = 0) -> None:
        """Hold timelines by kind and key, as of the newest batch that stated any; use `from_records`."""
        self._things = things
        self.batch = batch

    @classmethod
    def from_records(cls, records: Iterable[Record]) -> "Registry":
        """Build from `believed(records)`: one record for each (kind, key, valid_from), in that order."""
        with uncollected():
            stated = list(records)
        return cls(collect(stated), max((record.batch for record in stated), default=0))

    def with_records(self, records: Iterable[Record]) -> "Registry":
        """Give the registry as it will be once these records are committed."""
        things = dict(self._things)
        touched: dict[str, dict[str, tuple[tuple[int, Body | None], ...]]] = {}
        for record in records:
            if record.kind not in touched:
                things[record.kind] = touched[record.kind] = dict(self.timelines(record.kind))
            of_kind = touched[record.kind]
            statement = (record.valid_from_us, record.body)
            said = of_kind.get(record.key)
            of_kind[record.key] = (statement,) if said is None else merged(said, statement)
        return Registry(things, self.batch)

    def timelines(self, kind: str) -> Timelines:
        """Give every statement of a kind, by key."""
        return self._things.get(kind, {})

    @cached_property
    def city(self) -> CitySettings:
        """The city's settings; those of an unnamed city in UTC when nobody stated any."""
        said = last_body(self.timelines("city").get(ROOT, ()))
        if said is None:
            return UNNAMED
        return CitySettings(said["name_en"], said["name_ko"], said["timezone"], said.get("simulated", False))

    @property
    def carriers(self) -> tuple[str, ...]:
        """The commodities that the city's data expects of every premise."""
        said = last_body(self.timelines("city").get(ROOT, ())) or {}
        return tuple(said.get("carriers", ()))

    @cached_property
    def tz(self) -> ZoneInfo:
        """The city's clock."""
        return clock(self.city.tz)

    @cached_property
    def commodities(self) -> Commodities:
        """The shipped table of commodities with the city's own rows."""
        own = {code: last_body(said) for code, said in self.timelines("commodity").items()}
        rows = {code: row for code, row in own.items() if row is not None}
        return commodities().with_rows({"commodity": rows}) if rows else commodities()

    @cached_property
    def tree(self) -> Tree:
        """The places, as a tree."""
        return Tree(self.timelines("place"))

    @cached_property
    def channel_ids(self) -> Mapping[str, int]:
        """Every channel's id by its name, ended ones too."""
        last = ((name, last_body(said)) for name, said in self.timelines("channel").items())
        return {name: body["id"] for name, body in last if body is not None}

    @cached_property
    def lookup(self) -> Mapping[tuple[str, str], list[int]]:
        """The channel ids behind what a reading names, by (site, meter); several where a meter has several types."""
        out: dict[tuple[str, str], list[int]] = {}
        for said in self.timelines("channel").values():
            body = last_body(said)
            if body is not None:
                out.setdefault((body["site"], body["meter"]), []).append(body["id"])
        for ids in out.values():
            ids.sort()
        return out

    @cached_property
    def _shifts(self) -> Mapping[int, int]:
        last = map(last_body, self.timelines("channel").values())
        return {body["id"]: body["shift_days"] for body in last if body is not None and "shift_days" in body}

    def shift_days(self, channel: int) -> int:
        """Give the days that a map adds to the times of a channel's readings; 0 without a map."""
        return self._shifts.get(channel, 0)

    @cached_property
    def _standing(self) -> Mapping[int, str]:
        points = {point: last_body(said) for point, said in self.timelines("usage_point").items()}
        last = [body for said in self.timelines("channel").values() if (body := last_body(said)) is not None]
        held = ((body["id"], points.get(body["usage_point"]), body["listed_place"]) for body in last)
        return {channel: listed if point is None else point["place"] for channel, point, listed in held}

    def place_of(self, channel: int) -> str:
        """Give the place at which a channel's usage point was last said to stand, whatever the channel counts as there.

        Where it stood and counted at other times is in `placements`. An unknown id raises NotFound.
        """
        place = self._standing.get(channel)
        if place is None:
            raise NotFound(f"there is no channel of id {channel}.", code="unknown_channel", said={"name": channel})
        return place

    @cached_property
    def _channels(self) -> pa.Table:
        return channels_table(self.timelines("channel"), self.commodities)

    def channels(self) -> pa.Table:
        """Give every channel, one row each in order of id (CHANNELS); what changes with time is its last state."""
        return self._channels

    @cached_property
    def _placements(self) -> pa.Table:
        with uncollected():
            return placements_table(self._things, self.commodities, self.tree)

    def placements(self) -> pa.Table:
        """Give which channel counts where, as what, from when until when (PLACEMENTS)."""
        return self._placements

    @cached_property
    def _places(self) -> pa.Table:
        return places_table(self.tree, self.city.name_en, self.city.name_ko)

    def places(self) -> pa.Table:
        """Give the places tree, parents before children (PLACES)."""
        return self._places

    def descendants(self, place: str) -> set[str]:
        """Give a place and all places below it; an unknown one raises NotFound with names like it."""
        self.need_place(place)
        return self.tree.descendants(place)

    def need_place(self, place: str) -> None:
        """Raise NotFound with names like it unless the place exists."""
        if place not in self.tree:
            raise _not_found("place", place, self.tree.bodies)

    def channel_by_name(self, name: str) -> Channel:
        """Find a channel by its name SITE/METER or SITE/METER:COMMODITY; an unknown one raises NotFound."""
        body = last_body(self.timelines("channel").get(name, ()))
        if body is None:
            raise _not_found("channel", name, self.channel_ids)
        reading = ReadingType(
            body["commodity"],
            body["unit"],
            ValueKind(body["value_kind"]),
            Role(body["role"]),
            body["cadence_min"],
            body["tz"],
            body.get("dials"),
            body["multiplier"],
            body.get("plate_max"),
        )
        return Channel(
            body["id"], name, body["site"], body["meter"], body["quantity"], body["usage_point"], reading,
            body.get("shift_days", 0),
        )  # fmt: skip

    def meters(self) -> list[Meter]:
        """List the meters in order of site and meter, each with its channels and notes."""
        channels: dict[tuple[str, str], list[str]] = {}
        for name, said in self.timelines("channel").items():
            body = last_body(said)
            if body is not None:
                channels.setdefault((body["site"], body["meter"]), []).append(name)
        bodies = map(last_body, self.timelines("meter").values())
        out = [Meter.of(body, channels) for body in bodies if body is not None]
        return sorted(out, key=lambda meter: (meter.site, meter.meter))

    def noted(self, column: str) -> dict[str, str]:
        """Give a further column of the meters table by channel name, where it says something."""
        out: dict[str, str] = {}
        for said in self.timelines("meter").values():
            body = last_body(said)
            for name, notes in ({} if body is None else body.get("notes", {})).items():
                if notes.get(column) not in (None, ""):
                    out[name] = str(notes[column])
        return out

    def plants(self) -> list[Plant]:
        """List the plants, a row for each stretch in which one was as it is."""
        said = sorted(self.timelines("plant").items())
        return [Plant.of(key, part) for key, timeline in said for part in segments(timeline)]

    def storages(self) -> list[Storage]:
        """List the storages, a row for each stretch in which one was as it is."""
        said = sorted(self.timelines("storage").items())
        return [Storage.of(key, part) for key, timeline in said for part in segments(timeline)]

    def feeders(self) -> list[Feeder]:
        """List the feeders, a row for each stretch in which one was as it is."""
        said = sorted(self.timelines("feeder").items())
        return [Feeder.of(key, part) for key, timeline in said for part in segments(timeline)]

    def facilities(self) -> list[Facility]:
        """List the facilities with a service, a row for each stretch in which one was as it is."""
        said = sorted(self.timelines("facility").items())
        return [Facility.of(key, part) for key, timeline in said for part in segments(timeline)]

    def statements(self, kind: str) -> list[Record]:
        """Give every statement of a kind as a record, in order of key and time."""
        said = sorted(self.timelines(kind).items())
        return [Record(kind, key, at, body) for key, timeline in said for at, body in timeline]

    def occupancies(self, premise: str) -> list[Occupancy]:
        """List who lived in a premise from when until when, in order of time."""
        self.need_place(premise)
        return [Occupancy.of(premise, part) for part in segments(self.timelines("occupancy").get(premise, ()))]

    def dangling(self) -> list[str]:
        """Say which plants, storages, feeders and facilities name a place or a channel that this city does not have.

        The meters of a plant or storage whose place is not there count where they stand themselves.
        """
        named = [(f"plant {row.id}", row.place, row.inputs + row.outputs) for row in self.plants()]
        named += [(f"storage {row.id}", row.place, row.channels) for row in self.storages()]
        named += [(f"feeder {row.id}", row.place, row.supply + row.returns) for row in self.feeders()]
        for row in self.facilities():
            named.append(
                (f"facility {row.id}", row.place, row.meters + tuple(c for own in row.readings.values() for c in own))
            )
        out = self._dangling_feeders()
        for who, place, channels in named:
            if place not in self.tree:
                out.append(f"{who} stands on place {place}, which does not exist.")
            missing = [channel for channel in channels if channel not in self.channel_ids]
            out += [f"{who} names channel {channel}, which does not exist." for channel in missing]
        return out

    def _dangling_feeders(self) -> list[str]:
        """Say which feeders name a place, usage point or child that this city does not have, or another commodity."""
        out: list[str] = []
        held = {
            "place": self.tree.bodies,
            "usage point": self.timelines("usage_point"),
            "feeder": self.timelines("feeder"),
        }
        said = self.timelines("channel")
        for row in self.feeders():
            for name in row.supply + row.returns:
                metered = {part.body["commodity"] for part in segments(said.get(name, ()))}
                if metered and row.commodity not in metered:
                    other = ", ".join(sorted(metered))
                    out.append(f"feeder {row.id} of {row.commodity} names channel {name}, which meters {other}.")
            named = {"place": row.places, "usage point": row.usage_points, "feeder": row.feeders}
            for what, names in named.items():
                missing = [name for name in names if name not in held[what] and (what, name) != ("place", row.place)]
                out += [f"feeder {row.id} names {what} {name}, which does not exist." for name in missing]
        return out


def _not_found(what: str, name: str, known: Iterable[str]) -> NotFound:
    """Say that there is no such name, with the nearest ones: those that hold it, else those spelt like it."""
    names = sorted(known)
    near = [other for other in names if name.casefold() in other.casefold()][:5]
    if not near:
        # Spelling is compared within the same site where there is one: over a whole city it takes most of a second.
        site = f"{name.split('/')[0]}/"
        near = get_close_matches(name, [other for other in names if other.startswith(site)] or names, n=5)
    remedy = f"Did you mean {', '.join(near)}?" if near else f"This city has {len(names)} of them."
    return NotFound(
        f"there is no {what} {name!r}.", code=f"unknown_{what}", remedy=remedy,
        said={"name": name, "near": near} if near else {"name": name},
    )  # fmt: skip
