"""Cross-utility inference over a city's days: daily sums of all channels, the signals of each meter, the verdicts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from quintet.pipeline.rows import I32, I64, Mask
from quintet.registry import Registry
from quintet.registry.weather import station_of, stations
from quintet.terms.period import HOUR_US
from quintet.terms.reading import Role
from quintet.vee.inference import (
    Floats,
    Inference,
    Inferred,
    Neighbours,
    Signals,
    Subject,
    infer,
    inference,
    neighbours_of,
    rest_shows_use,
)

from .vee_evidence import Companions
from .vee_load import Sheet
from .vee_units import moment

PARENTS = frozenset({Role.SITE_IMPORT, Role.IMPORT})
"""Roles of meters that stand above all meters of their commodity in a place."""
OTHER_FLOWS = frozenset({Role.GENERATION, Role.STORAGE, Role.EXPORT, Role.NET})
"""With one of these below it, a parent shows more than the use of its children."""


class Daily:
    """Daily sums of measured intervals for all channels of a city (8 bytes a channel and day), filled shard by shard.

    `known` marks days of which every interval was measured; `some` those with any.
    """

    def __init__(self, size: int, first_day: int, days: int, tz: ZoneInfo) -> None:
        """Hold nothing yet: `size` channel numbers, days of a clock from `first_day` on."""
        self.first_day = first_day
        self._starts_us = np.array([moment(first_day + day, tz) for day in range(days + 1)], np.int64)
        self.value = np.zeros((size, days), np.int64)
        self.known = np.zeros((size, days), np.bool_)

    def take(self, block: Sheet) -> None:
        """Take a block's days in: those outside are left out."""
        edges = block.day_edges()
        if not len(block.day_of):
            return
        amount = np.add.reduceat(block.amount, edges[:-1], axis=1)
        whole = np.logical_and.reduceat(block.here, edges[:-1], axis=1) & block.whole_day
        place = block.first_day - self.first_day + np.arange(len(block.whole_day))
        inside = (place >= 0) & (place < self.value.shape[1])
        self.value[np.ix_(block.channels, place[inside])] = amount[:, inside]
        self.known[np.ix_(block.channels, place[inside])] = whole[:, inside]

    def mean_c(self, station: int, first: int, until: int) -> Floats:
        """Give the mean outdoor temperature (degC) of the days [first, until) at a station, NaN where it is not known.

        A weather station's amounts are millionths of degC times hours.
        """
        window = slice(first - self.first_day, until - self.first_day)
        if station < 0:
            return np.full(until - first, np.nan)
        hours = np.diff(self._starts_us)[window] / HOUR_US
        return np.where(self.known[station, window], self.value[station, window] / 1_000_000 / hours, np.nan)


@dataclass(frozen=True)
class Verdict:
    """What was inferred of one channel: the verdict, and its local days (since 1970-01-01, both included)."""

    channel: int
    first_day: int
    last_day: int
    inferred: Inferred


class Homes:
    """Who stands beside whom in a city, as far as inference asks: worked out once for a registry."""

    def __init__(self, registry: Registry, companions: Companions, settings: Inference | None = None) -> None:
        """Arrange the channels that are judged and those that say something of them."""
        self.settings = settings or inference()
        self._registry = registry
        self._fuels = _fuels(registry)
        listed = registry.channels().to_pylist()
        self._rows = [row for row in listed if row["role"] == Role.CONSUMPTION or row["channel"] in self._fuels]
        self._place = {row["channel"]: registry.place_of(row["channel"]) for row in self._rows}
        self._volume = companions.volume
        known = stations(registry)
        found = {number: station_of(registry, place, known) for number, place in self._place.items()} if known else {}
        self._station = {number: station for number, station in found.items() if station is not None}
        self._parents = _parents(registry)
        self._at: dict[tuple[str, str], list[int]] = {}
        for row in self._rows:
            self._at.setdefault((self._place[row["channel"]], row["commodity"]), []).append(row["channel"])

    def verdicts(self, daily: Daily, first: int, until: int) -> Iterable[Verdict]:
        """Judge every subject over the days [first, until); amounts as `daily` holds them."""
        window = slice(first - daily.first_day, until - daily.first_day)
        value, known = daily.value[:, window], daily.known[:, window]
        for commodity, subject in self.settings.subjects.items():
            channels = np.array([r["channel"] for r in self._rows if r["commodity"] == commodity], np.int32)
            if not len(channels):
                continue
            zero = known[channels] & (value[channels] == 0)
            if not zero.any():
                continue
            near = self._neighbours(channels, value, known)
            station = np.array([self._station.get(number, -1) for number in channels.tolist()], np.int64)
            for spot in np.unique(station).tolist():
                rows = np.flatnonzero(station == spot)
                outside = daily.mean_c(spot, first, until)
                signals = self._signals(commodity, subject, channels[rows], (value, known), near.take(rows), outside)
                for one in infer(signals, subject, self.settings):
                    yield Verdict(int(channels[rows[one.row]]), first + one.first, first + one.last, one)

    def _neighbours(self, channels: I32, value: I64, known: Mask) -> Neighbours:
        return neighbours_of(value[channels], known[channels], self._groups(channels))

    def parent_of(self, commodity: str, channel: int) -> tuple[int, list[int]] | None:
        """Give the meter above a channel and all channels below that (its own among them); None where there is none."""
        return self._parents.get((commodity, channel))

    def _signals(
        self,
        commodity: str,
        subject: Subject,
        channels: I32,
        days: tuple[I64, Mask],
        near: Neighbours,
        outside: Floats,
    ) -> Signals:
        """Gather what stands beside the meters of one commodity that share a weather station."""
        value, known = days
        shape = (len(channels), value.shape[1])
        masks = {name: np.zeros(shape, np.bool_) for name in ("present", "source", "rest")}
        sure = {name: np.zeros(shape, np.bool_) for name in masks}
        for row, channel in enumerate(channels.tolist()):
            place = self._place[channel]
            for signal in subject.presence:
                least = self.settings.least[signal]
                for other in self._at.get((place, signal), ()):
                    masks["present"][row] |= known[other] & (value[other] >= least)
                    sure["present"][row] |= known[other]
            for other in [*self._fuels.get(channel, ()), *([self._volume[channel]] if channel in self._volume else [])]:
                masks["source"][row] |= known[other] & (value[other] > 0)
                sure["source"][row] |= known[other]
            parent = self.parent_of(commodity, channel)
            if parent is not None:
                main, siblings = parent
                others = [one for one in siblings if one != channel]
                sure["rest"][row] = known[main] & known[others].all(axis=0)
                masks["rest"][row] = rest_shows_use(value[main], value[others].sum(axis=0), self.settings)
        own, here = value[channels], known[channels]
        return Signals(
            own, here, masks["present"], sure["present"], masks["source"], sure["source"], masks["rest"], sure["rest"],
            near, outside,
        )  # fmt: skip

    def _groups(self, channels: I32) -> I32:
        """Give meters a number by neighbourhood: building, or complex where that is too small; a plant has none."""
        tree = self._registry.tree
        building = [tree.nearest(self._place[number], "building") for number in channels.tolist()]
        size = Counter(building)
        least = int(self.settings.numbers["neighbours"])
        names = [
            str(number) if number in self._fuels else here if size[here] > least else self._complex(number)
            for here, number in zip(building, channels.tolist(), strict=True)
        ]
        number = {name: place for place, name in enumerate(dict.fromkeys(names))}
        return np.array([number[name] for name in names], np.int32)

    def _complex(self, channel: int) -> str:
        return self._registry.tree.nearest(self._place[channel], "complex")


def _fuels(registry: Registry) -> Mapping[int, list[int]]:
    """Give for each output of a plant its inputs: a boiler's gas runs while it makes heat."""
    ids = registry.channel_ids
    out: dict[int, list[int]] = {}
    for plant in registry.plants():
        inputs = [ids[name] for name in plant.inputs if name in ids]
        for name in plant.outputs:
            if name in ids and len(plant.outputs) == 1:
                out.setdefault(ids[name], []).extend(inputs)
    return out


def _parents(registry: Registry) -> Mapping[tuple[str, int], tuple[int, list[int]]]:
    """Give for each child (commodity, channel) its parent and all children of that: what use below a place adds up to.

    A parent is the only one of its commodity at a place below the city; with generation, storage or a way out below it,
    the difference is not use, and there is none.
    """
    rows = registry.channels().to_pylist()
    place = {row["channel"]: registry.place_of(row["channel"]) for row in rows}
    mains: dict[tuple[str, str], list[int]] = {}
    below: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row in rows:
        path = registry.tree.path(place[row["channel"]])
        if row["role"] in PARENTS and len(path) > 1:
            mains.setdefault((place[row["channel"]], row["commodity"]), []).append(row["channel"])
        elif row["balanced"]:
            for here in path[:-1]:
                below.setdefault((here, row["commodity"]), []).append((row["channel"], row["role"]))
    out: dict[tuple[str, int], tuple[int, list[int]]] = {}
    for (here, commodity), found in sorted(mains.items(), key=lambda item: len(registry.tree.path(item[0][0]))):
        beneath = below.get((here, commodity), [])
        if len(found) != 1 or any(role in OTHER_FLOWS for _, role in beneath):
            continue
        children = [channel for channel, role in beneath if role == Role.CONSUMPTION]
        out |= {(commodity, child): (found[0], children) for child in children}
    return out
