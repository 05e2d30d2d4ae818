"""What each utility of each dwelling counted over the days of a bill, in one grouped read; and the bills issued.

Ask inside `Access.asking`, which looks at the rights: with `each=True` where a place holds several dwellings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.timeline import segments
from quintet.registry.tree import LEVELS
from quintet.store.bills import Issued, issued_bills, run_content
from quintet.terms.length import DAY_US
from quintet.terms.period import MINUTE_US, Span, day_start, from_us, grid_phase, local_day, to_us
from quintet.terms.premise_use import PremiseUse
from quintet.terms.reading import clock

from .flows import BOUNDARY, clipped, event_channels, placed
from .sets import SET_COLUMNS, Asked, set_sums

DWELLING = LEVELS[-1]
USED = "consumption"
"""A dwelling's bill is for what crossed its boundary where that is metered, else for what it used."""
BOUGHT = tuple(name for name, flow in BOUNDARY.items() if flow == "import")
DWELLINGS, COMMON, HEAD = "dwellings", "common", "head"
"""What to read of a place: each dwelling; what all else at and below it used, together; what it bought at its head."""
Cuts = Callable[[str, str], Sequence[int]]
"""Gives the moments at which the bill of a place and commodity is to be cut."""


class _Key(NamedTuple):
    place: str
    commodity: str
    quantity: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """A registry's placements by place: made once."""

    rows: pa.Table
    keys: Sequence[tuple[str, str, str, str]]
    at: Mapping[str, Sequence[int]]


@lru_cache(maxsize=2)
def _placed(registry: Registry) -> _Placed:
    """Lay out a registry's placements."""
    rows = clipped(placed(registry), 0)
    columns = [rows[name].to_pylist() for name in ("place", "commodity", "quantity", "flow")]
    keys = list(zip(*columns, strict=True))
    at: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        at.setdefault(key[0], []).append(number)
    return _Placed(rows, keys, at)


@lru_cache(maxsize=2)
def _names(registry: Registry) -> Mapping[int, str]:
    """Give the channels' names by number."""
    return {number: name for name, number in registry.channel_ids.items()}


@lru_cache(maxsize=2)
def _zones(registry: Registry) -> Mapping[int, ZoneInfo]:
    """Give the zone of each channel's clock."""
    listed = registry.channels()
    pairs = zip(listed["channel"].to_pylist(), listed["tz"].to_pylist(), strict=True)
    return {channel: clock(zone) for channel, zone in pairs}


def _next_slot(moment_us: int, zone: ZoneInfo, step_us: int) -> int:
    """Give the first start of an interval of a clock that is not before a moment; days start at midnight."""
    if step_us % DAY_US:
        return moment_us + -(moment_us + grid_phase(zone, step_us)) % step_us
    day = local_day(from_us(moment_us), zone)
    start_us = to_us(day_start(day, zone))
    return start_us if start_us == moment_us else to_us(day_start(day + timedelta(days=1), zone))


@lru_cache(maxsize=2)
def _billed_of_many(registry: Registry, place: str, what: str) -> tuple[list[_Key], pa.Table]:
    """Give the same of a place that holds many dwellings: it takes a second for a city."""
    return _billed(registry, place, what)


def _billed(registry: Registry, place: str, what: str) -> tuple[list[_Key], pa.Table]:
    """Give the keys of what is billed at and below a place, and the placements that count, by their key's number."""
    every = _placed(registry)
    balanced = {code for code, row in registry.commodities.rows.items() if row.balanced}
    chosen: list[tuple[int, _Key, bool]] = []
    for here in registry.descendants(place):
        home = registry.tree.bodies[here]["level"] == DWELLING
        for number in every.at.get(here, ()):
            _, commodity, quantity, flow = every.keys[number]
            bound = flow in BOUGHT
            wanted = {DWELLINGS: home and (bound or flow == USED), COMMON: not home and flow == USED,
                      HEAD: here == place and bound}  # fmt: skip
            if commodity in balanced and wanted[what]:
                chosen.append((number, _Key(here if what == DWELLINGS else place, commodity, quantity), bound))
    bought = {(key.place, key.commodity) for _, key, bound in chosen if bound}
    kept = [(number, key) for number, key, bound in chosen if bound or (key.place, key.commodity) not in bought]
    keys = sorted({key for _, key in kept})
    at = {key: number for number, key in enumerate(keys)}
    table = every.rows.take(pa.array([number for number, _ in kept], pa.int64()))
    return keys, table.append_column("key", pa.array([at[key] for _, key in kept], pa.int64())).select(SET_COLUMNS)


class Stretch(NamedTuple):
    """A part of a month's bill: readings of [start_us, stop_us), billed for the local days [first, end).

    `since_us`: since when its household lives there; None: nobody is registered.
    """

    start_us: int
    stop_us: int
    first: date
    end: date
    since_us: int | None


def stretches(registry: Registry, place: str, low_us: int, high_us: int) -> list[Stretch]:
    """Cut whole local days [low, high) at the moves of a place.

    What was used is parted at the moment of a move, so that nobody pays for another's hours. The day of a move belongs
    to who moves in, unless who moved out has no other day here: then it is his. An hour in which nobody lived there
    between two moves of one day is of the stretch before.
    """
    tz = registry.tz
    out: list[Stretch] = []
    for start, stop, since in _parts(registry, place, low_us, high_us):
        first, end = (local_day(from_us(moment), tz) for moment in (start, stop))
        first = max(first, out[-1].end) if out else first
        if end <= first and since is not None:
            end = first + timedelta(days=1)
        if first < end and to_us(day_start(first, tz)) < high_us:
            out.append(Stretch(start if out else low_us, stop, first, end, since))
        elif out:
            out[-1] = out[-1]._replace(stop_us=stop)
    return out


def _parts(registry: Registry, place: str, low_us: int, high_us: int) -> list[tuple[int, int, int | None]]:
    """Cut a time at moves to the moment: who lived there then, since when; None: nobody."""
    out: list[tuple[int, int, int | None]] = []
    at = low_us
    for part in segments(registry.timelines("occupancy").get(place, ())):
        start, stop = max(part.start_us, low_us), min(part.end_us, high_us)
        if stop <= start:
            continue
        if start > at:
            out.append((at, start, None))
        out.append((start, stop, part.start_us))
        at = stop
    if at < high_us:
        out.append((at, high_us, None))
    return out


def tenancies(registry: Registry, place: str, low_us: int, high_us: int) -> list[tuple[int, int, int | None]]:
    """Cut whole local days [low, high) at the moves of a place, by days; with since when the household lives there."""
    tz = registry.tz
    return [
        (to_us(day_start(one.first, tz)), to_us(day_start(one.end, tz)), one.since_us)
        for one in stretches(registry, place, low_us, high_us)
    ]


def _stretches(
    registry: Registry, key: _Key, whole: Stretch, within: tuple[int, int], cuts: Cuts | None
) -> list[Stretch]:
    """Cut a month at moves and at other moments; only what lies within a reader's time."""
    moments = () if cuts is None else cuts(key.place, key.commodity)
    parts = [whole]
    if key.place in registry.timelines("occupancy"):
        parts = stretches(registry, key.place, whole.start_us, whole.stop_us)
    elif not moments and within == whole[:2]:
        return parts
    for moment in moments:
        parts = [piece for one in parts for piece in _cut(registry, one, moment)]
    return _within(registry, parts, *within)


def _within(registry: Registry, parts: Sequence[Stretch], low_us: int, high_us: int) -> list[Stretch]:
    """Give what of stretches lies within a reader's time: a day on which that begins is its first, if it holds more."""
    out: list[Stretch] = []
    for one in parts:
        start, stop = max(one.start_us, low_us), min(one.stop_us, high_us)
        if start < stop:
            first = max(one.first, min(_days(registry, start, stop)[0], one.end - timedelta(days=1)))
            out.append(one._replace(start_us=start, stop_us=stop, first=first))
    return out


def own_days(registry: Registry, place: str, first: date, end: date, own: tuple[int, int]) -> tuple[date, date] | None:
    """Give the days of [first, end) by which who may read `own` of a place is billed, end exclusive; None: none."""
    low, high = (to_us(day_start(day, registry.tz)) for day in (first, end))
    found = _within(registry, stretches(registry, place, low, high), max(low, own[0]), min(high, own[1]))
    return (found[0].first, found[-1].end) if found else None


def moved_within(registry: Registry, place: str, first: date, end: date, until_us: int) -> Stretch | None:
    """Give the last stretch of the days [first, end) that has begun by a moment; None: no move cuts these days."""
    low, high = (to_us(day_start(day, registry.tz)) for day in (first, end))
    begun = [one for one in stretches(registry, place, low, high) if one.start_us <= until_us]
    return begun[-1] if begun and (begun[-1].start_us, begun[-1].stop_us) != (low, high) else None


def _days(registry: Registry, start_us: int, stop_us: int) -> tuple[date, date]:
    """Give the local days that hold two moments."""
    return local_day(from_us(start_us), registry.tz), local_day(from_us(stop_us), registry.tz)


def _cut(registry: Registry, one: Stretch, moment_us: int) -> list[Stretch]:
    """Cut a stretch at a moment, a local midnight, if it lies within its days."""
    day = _days(registry, moment_us, moment_us)[0]
    if not one.start_us < moment_us < one.stop_us or not one.first < day < one.end:
        return [one]
    return [one._replace(stop_us=moment_us, end=day), one._replace(start_us=moment_us, first=day)]


def premise_use(
    asked: Asked,
    place: str,
    first: date,
    end: date,
    cuts: Cuts | None = None,
    what: str = DWELLINGS,
    within: Span | None = None,
) -> list[PremiseUse]:
    """Read what each utility of each dwelling at and below a place counted on the local days [first, end).

    `what` asks for the common parts of a place or its head instead: a row a utility then, named after the place.
    `within`: only what lies in a reader's time; the days are cut as for anybody.
    """
    registry, tz = asked.registry, asked.engine.tz
    low, high = (to_us(day_start(day, tz)) for day in (first, end))
    many = registry.tree.bodies.get(place, {}).get("level") != DWELLING
    keys, rows = (_billed_of_many if many else _billed)(registry, place, what)
    bounds = (low, high) if within is None else (max(low, within.start_us), min(high, within.end_us))
    whole = Stretch(low, high, *_days(registry, low, high), None)
    every: list[tuple[_Key, Stretch]] = []
    number: list[int] = []
    split: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        parts = _stretches(registry, key, whole, bounds, cuts)
        number.append(len(every))
        if len(parts) != 1 or parts[0][:2] != (low, high):
            split[at] = list(range(len(every), len(every) + len(parts)))
        every += [(key, part) for part in parts]
    counted = _keyed(registry, rows, np.array(number, np.int64), split, [part[:2] for _, part in every])
    edges = np.array([low, high], np.int64)
    events = event_channels(registry)
    found = set_sums(asked, counted, len(every), edges, events)
    names = _names(registry)
    channels: list[list[str]] = [[] for _ in every]
    for at, channel in zip(counted["key"].to_pylist(), counted["channel"].to_pylist(), strict=True):
        channels[at].append(names[channel])
    columns = (found.value, found.expected_min, found.arrived_min, found.estimated_min)
    amounts = zip(*(column[:, 0].tolist() for column in columns), strict=True)
    return [
        PremiseUse(
            key.place, key.commodity, key.quantity, part.first, part.end, part.since_us, int(amount[0]),
            int(amount[1]), int(amount[2]), int(amount[3]), tuple(sorted(set(own))), part.start_us,
        )
        for (key, part), amount, own in zip(every, amounts, channels, strict=True)
        if own
    ]  # fmt: skip


def _keyed(
    registry: Registry,
    rows: pa.Table,
    number: np.ndarray,
    split: dict[int, list[int]],
    spans: Sequence[tuple[int, int]],
) -> pa.Table:
    """Give the placements by the number of what they are summed for; what is cut stands there once for each stretch.

    An interval belongs to the stretch that its start belongs to, so each channel is cut on its own grid.
    """
    key = rows["key"].to_numpy()
    whole = ~np.isin(key, np.array(sorted(split), np.int64))
    out = [rows.filter(pa.array(whole)).drop_columns(["key"]).append_column("key", pa.array(number[key[whole]]))]
    start, end, channel, cadence = (rows[name].to_numpy() for name in ("start_us", "end_us", "channel", "cadence_min"))
    zones = _zones(registry) if split else {}
    pieces: list[tuple[int, int, int, int]] = []
    for row in np.flatnonzero(~whole).tolist():
        for at in split[int(key[row])]:
            zone, step = zones[int(channel[row])], int(cadence[row]) * MINUTE_US
            begins, stops = (_next_slot(moment, zone, step) for moment in spans[at])
            first, last = max(int(start[row]), begins), min(int(end[row]), stops)
            if first < last:
                pieces.append((row, at, first, last))
    if pieces:
        taken = rows.take(pa.array([piece[0] for piece in pieces], pa.int64()))
        for name, column in (("key", 1), ("start_us", 2), ("end_us", 3)):
            values = pa.array([piece[column] for piece in pieces], pa.int64())
            taken = taken.set_column(taken.column_names.index(name), name, values)
        out.append(taken)
    schema = rows.select(SET_COLUMNS).schema
    return pa.concat_tables(table.select(SET_COLUMNS).cast(schema) for table in out)


def issued(asked: Asked, place: str, months: tuple[int, int], within: Span | None = None) -> list[Issued]:
    """Give the bills issued of a place and what is below it, of months (as 202510) from the first to the last.

    As known at the moment asked for; of one reader's time only (`within`), where it is bounded: of its days, and of
    no household that lived there at another time of them.
    """
    homes = sorted(here for here in asked.registry.descendants(place))
    found = issued_bills(asked.snapshot, homes, months, asked.batch)
    if within is None:
        return found
    tz = asked.engine.tz
    first, last = local_day(within.start, tz), local_day(from_us(within.end_us - 1), tz) + timedelta(days=1)
    found = [one for one in found if one.first >= first and one.end <= last]
    stays = asked.registry.occupancies(place)
    others = {stay.start_us for stay in stays if stay.start_us >= within.end_us or stay.end_us <= within.start_us}
    return [one for one in found if one.body["tenancy_us"] not in others]


def run_said(asked: Asked, batch: int) -> dict[str, Any]:
    """Give what the bills of a run share: the moment of knowledge, the rules, the cards word for word."""
    return run_content(asked.snapshot, batch)


def areas_m2(registry: Registry, place: str) -> dict[str, float]:
    """Give the floor areas that are known at and below a place."""
    bodies = registry.tree.bodies
    known = ((here, bodies[here].get("floor_area_m2")) for here in registry.descendants(place))
    return {here: float(area) for here, area in known if area is not None}
