"""Whose numbers a place shows: the channels that stand in a dwelling, and what counts as what in a place above one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.tree import LEVELS
from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, grid_phase
from quintet.terms.reading import clock
from quintet.terms.unit import Unit

from .flows import KEY, Counted, Key

I32 = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
DWELLING = LEVELS[-1]
"""The level whose meters are told one by one; every place above it is told in totals."""


@dataclass(frozen=True)
class Group:
    """The placements of one grid that count at a place, in order of `key` (its number in `Counting.keys`)."""

    cadence_us: int
    phase_us: int
    channel: I32
    start_us: Ints
    end_us: Ints
    sign: Ints
    clip: Ints
    key: Ints
    minutes: Ints


@dataclass(frozen=True)
class Counting:
    """What counts at a place above a dwelling; `member` marks its channels by number."""

    counted: Counted
    keys: list[Key]
    groups: list[Group]
    member: Mask
    digest: bytes

    @classmethod
    def of(cls, counted: Counted, grids: Mapping[int, tuple[int, int]], size: int) -> "Counting":
        """Arrange a place's placements by grid; `grids` gives cadence and phase (us) by channel."""
        rows = pa.concat_tables([counted.plain, counted.signed])
        words = list(zip(*(rows[name].to_pylist() for name in KEY), strict=True))
        keys = sorted(set(words))
        number = {key: at for at, key in enumerate(keys)}
        key = np.array([number[word] for word in words], np.int64)
        channel = rows["channel"].to_numpy()
        columns = [rows[name].to_numpy().astype(np.int64) for name in ("start_us", "end_us", "sign", "clip")]
        columns += [key, rows["cadence_min"].to_numpy().astype(np.int64)]
        member = np.zeros(size, np.bool_)
        member[channel] = True
        grid = [grids[one] for one in channel.tolist()]
        groups: list[Group] = []
        for cadence_us, phase_us in sorted(set(grid)):
            own = np.array([at for at, one in enumerate(grid) if one == (cadence_us, phase_us)], np.int64)
            own = own[np.argsort(key[own], kind="stable")]
            groups.append(Group(cadence_us, phase_us, channel[own], *(column[own] for column in columns)))
        digest = blake2b(repr(keys).encode(), digest_size=16)
        for group in groups:
            for column in (group.channel, group.start_us, group.end_us, group.sign, group.clip, group.key):
                digest.update(column.tobytes())
        return cls(counted, keys, groups, member, digest.digest())


class Members:
    """One registry's channels by place: made once per registry, when somebody listens."""

    def __init__(self, registry: Registry) -> None:
        """Lay out the registry; what a place needs is made when it is first asked for."""
        self.registry = registry
        rows = registry.channels().select(["channel", "name", "commodity", "quantity", "cadence_min", "tz"]).to_pylist()
        self.size = max((row["channel"] for row in rows), default=-1) + 1
        self._rows = {row["channel"]: row for row in rows}
        self._counting: dict[str, Counting] = {}
        self._units: dict[int, Unit] = {}

    @cached_property
    def standing(self) -> Mapping[str, I32]:
        """The channels that stand at each place, in order of number."""
        found: dict[str, list[int]] = {}
        for channel in sorted(self._rows):
            found.setdefault(self.registry.place_of(channel), []).append(channel)
        return {place: np.array(channels, np.int32) for place, channels in found.items()}

    @cached_property
    def _homes(self) -> list[str]:
        return [self.registry.place_of(channel) if channel in self._rows else "" for channel in range(self.size)]

    def homes(self, channels: I32) -> set[str]:
        """Name the places at which any of some channels stand."""
        known = np.unique(channels[channels < self.size]).tolist()
        return {self._homes[channel] for channel in known}

    @cached_property
    def _grids(self) -> Mapping[int, tuple[int, int]]:
        phases: dict[tuple[str, int], int] = {}
        for row in self._rows.values():
            grid = (row["tz"], row["cadence_min"] * MINUTE_US)
            if grid not in phases:
                phases[grid] = grid_phase(clock(grid[0]), grid[1])
        return {
            channel: (row["cadence_min"] * MINUTE_US, phases[row["tz"], row["cadence_min"] * MINUTE_US])
            for channel, row in self._rows.items()
        }

    def is_dwelling(self, place: str) -> bool:
        """Tell whether a place's meters are told one by one."""
        return self.registry.tree.bodies[place]["level"] == DWELLING

    def channels(self, place: str) -> I32:
        """Give the channels that stand at a dwelling."""
        return self.standing.get(place, np.zeros(0, np.int32))

    def counting(self, place: str) -> Counting:
        """Give what counts at a place above a dwelling."""
        found = self._counting.get(place)
        if found is None:
            found = self._counting[place] = Counting.of(Counted.of(self.registry, place), self._grids, self.size)
        return found

    def name(self, channel: int) -> str:
        """Give a channel's name."""
        return str(self._rows[channel]["name"])

    def commodity(self, channel: int) -> str:
        """Give a channel's commodity."""
        return str(self._rows[channel]["commodity"])

    def unit(self, channel: int) -> Unit:
        """Give the unit in which a channel's intervals are shown."""
        unit = self._units.get(channel)
        if unit is None:
            row = self._rows[channel]
            unit = self._units[channel] = self.registry.commodities[row["commodity"]].display_unit(row["quantity"])
        return unit

    def digest(self, place: str) -> bytes:
        """Give a digest of what makes up a place's numbers: another one means that all of it must be read anew."""
        if not self.is_dwelling(place):
            return self.counting(place).digest
        said = [(channel, self.name(channel), self.unit(channel).code) for channel in self.channels(place).tolist()]
        return blake2b(repr(said).encode(), digest_size=16).digest()
