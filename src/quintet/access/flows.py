"""A place's metered flows per period: closed days from their hourly sums, open ones from the rollups, all as one."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.registry.tree import LEVELS, ROOT
from quintet.store.flows import ABOVE, CROSSES, ragged
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.amount import ROOM, Ints
from quintet.terms.period import HOUR_US, MINUTE_US, grid_phase
from quintet.terms.reading import ValueKind, clock
from quintet.terms.tables import FLOWS, PLACEMENTS, SUM

from .coding import coded

BOUNDARY = {"import": "import", "export": "export", "site_import": "import"}
"""Flows that cross a place's boundary: they count for the place they are metered at, and for no other."""
HALVES = {"storage": (("storage_discharge", 1), ("storage_charge", -1))}
"""Signed flows, and the two flows that their positive and negative halves are."""
Amounts = npt.NDArray[Any]
"""Whole sub-units: int64 while sums over all sets surely fit, Python integers (dtype object) beyond."""
KEY = ("flow", "commodity", "quantity", "renewable")
AMOUNTS = ("value", "arrived_min", "estimated_min")
Key = tuple[str, str, str, bool]
Due = tuple[Ints, Ints]
"""When channels begin and when they end to owe intervals, each sorted."""


@dataclass(frozen=True)
class FlowsAnswer:
    """A place's flows (FLOWS, every period and flow that exists there), and how far they can be trusted.

    `boundaries_metered` holds (commodity, quantity) for which an import meter stands at this place's boundary.
    """

    place: str
    flows: pa.Table
    edges: list[datetime]
    boundaries_metered: set[tuple[str, str]]
    known_at: datetime
    rule_set: str
    longest_min: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The longest interval, in minutes, of the meters of each commodity and quantity: no shorter step is known."""


@dataclass(frozen=True)
class Counted:
    """The placements that count for one place: plain ones, and signed ones in their two halves."""

    place: str
    inside: frozenset[str]
    plain: pa.Table
    signed: pa.Table
    due: Mapping[Key, Due]
    standing: Mapping[Key, Due]
    odd: frozenset[int]

    @classmethod
    def of(cls, registry: Registry, place: str) -> "Counted":
        """Choose a place's placements: boundary flows metered at it, all others metered at it or below."""
        inside = registry.descendants(place)
        balanced = [code for code, row in registry.commodities.rows.items() if row.balanced]
        rows = clipped(placed(registry), 0)
        boundary = pc.is_in(rows["flow"], pa.array(list(BOUNDARY)))
        below = pc.is_in(rows["place"], pa.array(sorted(inside)))
        here = pc.if_else(boundary, pc.equal(rows["place"], place), below)
        rows = rows.filter(pc.and_(here, pc.is_in(rows["commodity"], pa.array(balanced))))
        halved = pc.is_in(rows["flow"], pa.array(list(HALVES)))
        plain, signed = renamed(rows.filter(pc.invert(halved))), halves_of(rows.filter(halved))
        both = pa.concat_tables([plain, signed, expected_rows(registry, inside)])
        due, standing = due_times(both, event_channels(registry)), due_times(both, frozenset())
        return cls(place, frozenset(inside), plain, signed, due, standing, odd_channels(registry))

    @cached_property
    def parted(self) -> tuple[pa.Table, pa.Table]:
        """The plain placements of channels whose hours belong to one placement each, and those of all others."""
        odd = pc.is_in(self.plain["channel"], pa.array(sorted(self.odd), pa.int32()))
        return self.plain.filter(pc.invert(odd)), self.plain.filter(odd)

    def only(self, commodities: Set[str]) -> "Counted":
        """Give what of it is of some commodities."""
        plain, signed = (
            rows.filter(pc.is_in(rows["commodity"], pa.array(sorted(commodities), pa.string())))
            for rows in (self.plain, self.signed)
        )
        due, standing = (
            {key: one for key, one in times.items() if key[1] in commodities} for times in (self.due, self.standing)
        )
        return replace(self, plain=plain, signed=signed, due=due, standing=standing)

    @property
    def boundaries_metered(self) -> set[tuple[str, str]]:
        """Name (commodity, quantity) with an import meter at this place."""
        rows = self.plain.filter(pc.equal(self.plain["flow"], "import"))
        return set(zip(*(words(rows[name]) for name in ("commodity", "quantity")), strict=True))


@lru_cache(maxsize=8)
def placed(registry: Registry) -> pa.Table:
    """Give the placements on each channel's grid."""
    return on_grid(registry, registry.placements())


def on_grid(registry: Registry, rows: pa.Table) -> pa.Table:
    """Put stretches of channels on their grids: an interval belongs to the stretch that its start belongs to.

    But a meter set in the middle of an interval has a value for it, so the first stretch begins with that interval.
    """
    listed = registry.channels()
    zones = dict(zip(listed["channel"].to_pylist(), listed["tz"].to_pylist(), strict=True))
    channel = rows["channel"].to_numpy()
    start, end = rows["start_us"].to_numpy().copy(), rows["end_us"].to_numpy().copy()
    cadence = rows["cadence_min"].to_numpy().astype(np.int64) * MINUTE_US
    first = np.full(int(channel.max(initial=0)) + 1, FOREVER, np.int64)
    np.minimum.at(first, channel, start)
    begins = start == first[channel]
    for row in np.flatnonzero((start > ALWAYS) | (end < FOREVER)):
        phase = grid_phase(clock(zones[int(channel[row])]), int(cadence[row]))
        if start[row] > ALWAYS:
            past = (start[row] + phase) % cadence[row]
            start[row] += -past if begins[row] else (cadence[row] - past) % cadence[row]
        if end[row] < FOREVER:
            end[row] += -(end[row] + phase) % cadence[row]
    rows = rows.set_column(rows.column_names.index("start_us"), PLACEMENTS.field("start_us"), pa.array(start))
    return rows.set_column(rows.column_names.index("end_us"), PLACEMENTS.field("end_us"), pa.array(end))


def clipped(rows: pa.Table, clip: int) -> pa.Table:
    """Give placements with a clip: 0 counts the whole value, +1 and -1 its positive and negative half."""
    return rows.append_column("clip", pa.array(np.full(rows.num_rows, clip, np.int8)))


def called(rows: pa.Table, names: list[str]) -> pa.Table:
    """Give placements under other flow names."""
    return rows.set_column(rows.column_names.index("flow"), PLACEMENTS.field("flow"), pa.array(names, pa.string()))


def words(column: pa.ChunkedArray) -> list[str]:
    """Give a column of words that is never null."""
    return [str(word) for word in column.to_pylist()]


def renamed(rows: pa.Table) -> pa.Table:
    """Give boundary flows their name in a balance."""
    return called(rows, [BOUNDARY.get(name, name) for name in words(rows["flow"])])


def halves_of(rows: pa.Table) -> pa.Table:
    """Give each signed placement twice, as the two flows that its halves are."""
    parts = [rows.slice(0, 0)]
    for name, halves in HALVES.items():
        own = rows.filter(pa.array([flow == name for flow in rows["flow"].to_pylist()], pa.bool_()))
        for half, clip in halves:
            parts.append(clipped(called(own, [half] * own.num_rows).drop_columns(["clip"]), clip))
    return pa.concat_tables(parts)


SUMMED = LEVELS[:3]
"""Levels whose places keep hourly sums of their own: the few that hold many."""


def closing_placements(registry: Registry) -> pa.Table:
    """Give the placements whose hourly sums a closing day keeps; signed ones, whose halves are kept apart, have a clip.

    `above` names the upper places that each place lies in, `crosses` the flows that count at their own place alone.
    """
    rows = placed(registry)
    halved = pc.is_in(rows["flow"], pa.array(list(HALVES)))
    rows = pa.concat_tables([clipped(rows.filter(pc.invert(halved)), 0), clipped(rows.filter(halved), 1)])
    tree = registry.tree
    above: dict[str, list[str]] = {}
    for place in pc.unique(rows["place"]).to_pylist():
        above[place] = [here for here in tree.path(place) if tree.bodies.get(here, {}).get("level") in SUMMED]
    lists = pa.array([above[place] for place in rows["place"].to_pylist()], pa.list_(pa.string()))
    return rows.append_column(ABOVE, lists).append_column(CROSSES, pc.is_in(rows["flow"], pa.array(list(BOUNDARY))))


def minutes_of(times: Mapping[Key, Due], edges_us: Ints, until_us: int) -> dict[Key, Ints]:
    """Count for each flow the minutes of its channels in each period, until a moment."""
    until = np.minimum(edges_us, max(until_us, int(edges_us[0])))
    return {key: overlaps(starts, ends, until) // MINUTE_US for key, (starts, ends) in times.items()}


@lru_cache(maxsize=8)
def odd_channels(registry: Registry) -> frozenset[int]:
    """Name the channels whose placement changes within an hour: hours of theirs belong to two placements."""
    rows = placed(registry)
    odd = ragged(rows, grid_phase(registry.tz, HOUR_US))
    return frozenset(rows["channel"].filter(odd).to_pylist())


def due_times(rows: pa.Table, events: Set[int]) -> dict[Key, Due]:
    """Give from when until when the channels of each flow owe intervals; channels of events owe none."""
    starts, ends = rows["start_us"].to_numpy(), rows["end_us"].to_numpy()
    owing = ~np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    groups: dict[Key, list[int]] = {}
    for row, key in enumerate(zip(*(rows[name].to_pylist() for name in KEY), strict=True)):
        groups.setdefault(key, []).append(row)
    out: dict[Key, Due] = {}
    for key, members in groups.items():
        own = np.array(members, np.int64)[owing[members]]
        out[key] = (np.sort(starts[own]), np.sort(ends[own]))
    return out


@lru_cache(maxsize=64)
def counted_at(registry: Registry, place: str) -> Counted:
    """Give a place's placements under one registry snapshot; both never change."""
    return Counted.of(registry, place)


def overlaps(starts: Ints, ends: Ints, edges_us: Ints) -> Ints:
    """Sum over half-open ranges (sorted starts, sorted ends) the time each shares with each period, in microseconds."""
    first, last = (np.clip(moments, edges_us[0], edges_us[-1]) for moments in (starts, ends))
    return np.diff(running(first, edges_us) - running(last, edges_us))


def running(moments: Ints, at: Ints) -> Ints:
    """Give the time that has passed since each of the sorted moments, summed over those that have, at each of `at`."""
    passed = np.searchsorted(moments, at, side="left")
    before = np.concatenate(([0], np.cumsum(moments - moments[0]))) if len(moments) else np.zeros(1, np.int64)
    origin = moments[0] if len(moments) else 0
    return passed * (at - origin) - before[passed]


def flows_table(
    found: pa.Table, edges: list[datetime], edges_us: Ints, expected: dict[Key, Ints], standing: dict[Key, Ints]
) -> pa.Table:
    """Arrange sums by period: FLOWS with a row for each flow that exists at the place and each period.

    A value is null where a channel stands and nothing is known of it, and 0 where none stands.
    """
    keys, count = sorted(expected), len(edges) - 1
    number = {key: place for place, key in enumerate(keys)}
    period = np.searchsorted(edges_us, found["bucket_us"].to_numpy(), side="right") - 1
    code, said = coded(found, KEY)
    cell = np.array([number[key] for key in said], np.int64)[code] * count + period
    amounts = exact_integers(found["value"])
    summed = np.zeros(len(keys) * count, amounts.dtype)
    np.add.at(summed, cell, amounts)
    minutes = {name: np.zeros(len(keys) * count, np.int64) for name in AMOUNTS[1:]}
    for name, column in minutes.items():
        np.add.at(column, cell, found[name].to_numpy())
    unknown = sum(minutes.values()) == 0
    absent = np.concatenate([standing[key] for key in keys]) == 0 if keys else np.zeros(0, np.bool_)
    summed[unknown] = 0
    said_of = [int(one) for one in summed] if summed.dtype == object else summed
    value = pa.array(said_of, SUM if summed.dtype == object else pa.int64(), mask=unknown & ~absent).cast(SUM)
    columns = {
        "start": pa.array(np.tile(edges_us[:-1], len(keys))).cast(FLOWS.field("start").type),
        **{
            name: pa.array([key[place] for key in keys]).take(spread(len(keys), count))
            for place, name in enumerate(KEY)
        },
        "value": value,
        "expected_min": pa.array(np.concatenate([expected[key] for key in keys]) if keys else [], pa.int64()),
        **minutes,
    }
    return pa.table({name: columns[name] for name in FLOWS.names}).cast(FLOWS)


TERMS = 16
"""Sums over flows and levels count an amount at most this often."""


def exact_integers(column: pa.ChunkedArray) -> Amounts:
    """Give a decimal column as exact integers: int64 where any sum of them surely fits, whatever their signs."""
    try:
        narrow = np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)
    except pa.ArrowInvalid:
        return np.array([int(value) for value in column.to_pylist()], dtype=object)
    return narrow if float(np.abs(narrow.astype(np.float64)).sum()) * TERMS < ROOM else narrow.astype(object)


def spread(keys: int, count: int) -> pa.Array:
    """Give each of some numbers `count` times."""
    return pa.array(np.repeat(np.arange(keys), count))


NOBODY = -1
"""The channel of a meter that is expected and is not there."""


def expected_rows(registry: Registry, inside: Set[str]) -> pa.Table:
    """Give the use that the city's data expects in some places and nobody meters there, as clipped PLACEMENTS."""
    rows = [
        {
            "channel": NOBODY, "place": place, "usage_point": "", "flow": "consumption", "sign": 1,
            "commodity": commodity, "quantity": quantity, "renewable": False, "cadence_min": 1,
            "start_us": ALWAYS, "end_us": FOREVER,
        }
        for place, commodity, quantity in unmetered(registry)
        if place in inside
    ]  # fmt: skip
    return clipped(pa.Table.from_pylist(rows, schema=PLACEMENTS), 0)


@lru_cache(maxsize=8)
def unmetered(registry: Registry) -> list[tuple[str, str, str]]:
    """List (place, commodity, quantity) where a carrier is expected and no channel of it ever counted, there or below.

    `[city] carriers` are expected of every premise, and of the city itself; `carriers` of a place are expected there.
    """
    table = registry.placements().select(["place", "commodity", "quantity"]).group_by(
        ["place", "commodity", "quantity"]
    ).aggregate([])  # fmt: skip
    metered: dict[str, set[str]] = {}
    usual: dict[str, str] = {}
    for place, commodity, quantity in zip(*(column.to_pylist() for column in table.columns), strict=True):
        usual[commodity] = min(usual.get(commodity, quantity), quantity)
        for here in registry.tree.path(place):
            metered.setdefault(here, set()).add(commodity)
    everywhere = registry.carriers
    out: list[tuple[str, str, str]] = []
    for place in reversed(list(registry.tree.walk(ROOT))):
        body = registry.tree.bodies[place]
        wanted = {*body.get("carriers", ()), *(everywhere if body["level"] == LEVELS[-1] or place == ROOT else ())}
        for commodity in sorted(wanted - metered.get(place, set())):
            first = next(iter(registry.commodities[commodity].measures))
            out.append((place, commodity, usual.get(commodity, first)))
            for here in registry.tree.path(place):
                metered.setdefault(here, set()).add(commodity)
    return out


def event_channels(registry: Registry) -> frozenset[int]:
    """Name the channels that only speak when something happens: nobody can expect an interval of them."""
    rows = registry.channels()
    return frozenset(rows["channel"].filter(pc.equal(rows["value_kind"], ValueKind.EVENT_SUM.value)).to_pylist())
