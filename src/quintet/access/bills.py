"""What each utility of each dwelling counted over the days of a bill, in one grouped read; and the bills issued.

Ask inside `Access.asking`, which looks at the rights: with `each=True` where a place holds several dwellings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from quintet.registry import Registry
from quintet.registry.timeline import segments
from quintet.registry.tree import LEVELS
from quintet.store.bills import Issued, issued_bills, run_content
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.period import Span, day_start, from_us, local_day, to_us
from quintet.terms.premise_use import PremiseUse

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


def tenancies(registry: Registry, place: str, low_us: int, high_us: int) -> list[tuple[int, int, int | None]]:
    """Cut a time [start, end) at the moves of a place, each stretch with since when its household lives there.

    None: nobody is registered. A stretch begins with the local day on which somebody moved in.
    """
    out: list[tuple[int, int, int | None]] = []
    at = low_us
    for part in segments(registry.timelines("occupancy").get(place, ())):
        start, end = (_midnight(registry, moment) for moment in (part.start_us, part.end_us))
        start, stop = max(start, low_us), min(end, high_us)
        if stop <= start:
            continue
        if start > at:
            out.append((at, start, None))
        out.append((start, stop, part.start_us))
        at = stop
    if at < high_us:
        out.append((at, high_us, None))
    return out


def _midnight(registry: Registry, moment_us: int) -> int:
    """Give the start of the local day that holds a moment."""
    if moment_us in (ALWAYS, FOREVER):
        return moment_us
    return to_us(day_start(local_day(from_us(moment_us), registry.tz), registry.tz))


def _stretches(
    registry: Registry, key: _Key, low_us: int, high_us: int, cuts: Cuts | None
) -> list[tuple[int, int, int | None]]:
    """Cut a time at moves and at other moments."""
    if key.place in registry.timelines("occupancy"):
        parts = tenancies(registry, key.place, low_us, high_us)
    else:
        parts: list[tuple[int, int, int | None]] = [(low_us, high_us, None)]
    moments = () if cuts is None else cuts(key.place, key.commodity)
    for moment in moments:
        parts = [
            piece
            for start, end, since in parts
            for piece in (
                [(start, moment, since), (moment, end, since)] if start < moment < end else [(start, end, since)]
            )
        ]
    return parts


def premise_use(
    asked: Asked, place: str, first: date, end: date, cuts: Cuts | None = None, what: str = DWELLINGS
) -> list[PremiseUse]:
    """Read what each utility of each dwelling at and below a place counted on the local days [first, end).

    `what` asks for the common parts of a place or its head instead: a row a utility then, named after the place.
    """
    registry, tz = asked.registry, asked.engine.tz
    low, high = (to_us(day_start(day, tz)) for day in (first, end))
    many = registry.tree.bodies.get(place, {}).get("level") != DWELLING
    keys, rows = (_billed_of_many if many else _billed)(registry, place, what)
    every: list[tuple[_Key, int, int, int | None]] = []
    number: list[int] = []
    split: dict[int, list[int]] = {}
    for at, key in enumerate(keys):
        parts = _stretches(registry, key, low, high, cuts)
        number.append(len(every))
        if len(parts) > 1 or parts[0][:2] != (low, high):
            split[at] = list(range(len(every), len(every) + len(parts)))
        every += [(key, *part) for part in parts]
    counted = _keyed(rows, np.array(number, np.int64), split, [(one[1], one[2]) for one in every])
    edges = np.array([low, high], np.int64)
    events = event_channels(registry)
    found = set_sums(asked, counted, len(every), edges, events)
    names = _names(registry)
    channels: list[list[str]] = [[] for _ in every]
    for at, channel in zip(counted["key"].to_pylist(), counted["channel"].to_pylist(), strict=True):
        channels[at].append(names[channel])
    columns = (found.value, found.expected_min, found.arrived_min, found.estimated_min)
    amounts = zip(*(column[:, 0].tolist() for column in columns), strict=True)
    moments = {one[1] for one in every} | {one[2] for one in every}
    days = {moment: local_day(from_us(moment), tz) for moment in moments}
    return [
        PremiseUse(
            key.place, key.commodity, key.quantity, days[start], days[stop], since, int(amount[0]), int(amount[1]),
            int(amount[2]), int(amount[3]), tuple(sorted(set(own))),
        )
        for (key, start, stop, since), amount, own in zip(every, amounts, channels, strict=True)
        if own
    ]  # fmt: skip


def _keyed(
    rows: pa.Table, number: np.ndarray, split: dict[int, list[int]], spans: Sequence[tuple[int, int]]
) -> pa.Table:
    """Give the placements by the number of what they are summed for; what is cut stands there once for each stretch."""
    key = rows["key"].to_numpy()
    whole = ~np.isin(key, np.array(sorted(split), np.int64))
    out = [rows.filter(pa.array(whole)).drop_columns(["key"]).append_column("key", pa.array(number[key[whole]]))]
    start, end = rows["start_us"].to_numpy(), rows["end_us"].to_numpy()
    pieces: list[tuple[int, int, int, int]] = []
    for row in np.flatnonzero(~whole).tolist():
        for at in split[int(key[row])]:
            first, last = max(int(start[row]), spans[at][0]), min(int(end[row]), spans[at][1])
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

    As known at the moment asked for; of one reader's time only (`within`), where it is bounded.
    """
    homes = sorted(here for here in asked.registry.descendants(place))
    found = issued_bills(asked.snapshot, homes, months, asked.batch)
    if within is None:
        return found
    tz = asked.engine.tz
    first, last = local_day(within.start, tz), local_day(within.end, tz)
    return [one for one in found if one.first >= first and one.end <= last]


def run_said(asked: Asked, batch: int) -> dict[str, Any]:
    """Give what the bills of a run share: the moment of knowledge, the rules, the cards word for word."""
    return run_content(asked.snapshot, batch)


def areas_m2(registry: Registry, place: str) -> dict[str, float]:
    """Give the floor areas that are known at and below a place."""
    bodies = registry.tree.bodies
    known = ((here, bodies[here].get("floor_area_m2")) for here in registry.descendants(place))
    return {here: float(area) for here, area in known if area is not None}
