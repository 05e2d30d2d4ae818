"""What each plant took in and gave out, entry by entry: the same channels, for the same time, as the balance counts."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Plant, Registry
from quintet.terms.amount import Ints
from quintet.terms.period import Resolution, Span, from_us, to_us
from quintet.terms.tables import PLACEMENTS

from .flows import clipped, event_channels, on_grid, placed
from .reader import Access
from .series import cut
from .sets import SET_COLUMNS, SetSums, set_sums

SIDES = {"conversion_in": "in", "conversion_out": "out"}


class Entry(NamedTuple):
    """One side of a plant's books in one carrier."""

    plant: str
    side: str
    commodity: str
    quantity: str


@dataclass(frozen=True)
class PlantEntries:
    """The entries of all converters of a registry, and the channels that count in each (PLACEMENTS with `key`).

    `places` are where a plant counts: at its own place, or, where there is no such place, at those of its meters, as in
    the balance.
    """

    entries: list[Entry]
    plants: Mapping[str, Plant]
    places: Mapping[str, Set[str]]
    rows: pa.Table


@dataclass(frozen=True, slots=True)
class PlantsAnswer:
    """Sums of plants' entries [entries, parts]; a part is a period, or a piece of one where an edge was asked within.

    `period` is the number of each part's period, `starts` the parts' beginnings, `edges` the periods'.
    """

    entries: Sequence[Entry]
    plants: Mapping[str, Plant]
    sums: SetSums
    starts: list[datetime]
    period: Ints
    edges: list[datetime]
    known_at: datetime
    rule_set: str


def plant_flows(
    access: Access,
    place: str,
    span: Span,
    resolution: Resolution,
    *,
    within: Sequence[datetime] = (),
    known_at: datetime | None = None,
) -> PlantsAnswer:
    """Sum what the converters at a place and below it took in and gave out, now or as known at a moment.

    `within` are moments at which a period is parted, as where a calorific value changes.
    """
    with access.asking(place, known_at, span) as moment:
        found = plant_entries(moment.registry)
        inside = moment.registry.tree.descendants(place)
        periods, edges_us = cut(span, resolution, moment.engine.tz)
        more = [to_us(one) for one in within if edges_us[0] < to_us(one) < edges_us[-1]]
        parts_us = np.unique(np.concatenate([edges_us, np.array(more, np.int64)]))
        chosen = [at for at, entry in enumerate(found.entries) if found.places[entry.plant] <= inside]
        rows = found.rows.filter(pc.is_in(found.rows["key"], pa.array(chosen, pa.int64())))
        key = np.searchsorted(np.array(chosen, np.int64), rows["key"].to_numpy())
        rows = rows.set_column(rows.column_names.index("key"), "key", pa.array(key, pa.int64()))
        sums = set_sums(moment, rows.select(SET_COLUMNS), len(chosen), parts_us, event_channels(moment.registry))
    period = np.searchsorted(edges_us, parts_us[:-1], side="right") - 1
    starts = [from_us(int(at)) for at in parts_us[:-1]]
    entries = [found.entries[at] for at in chosen]
    return PlantsAnswer(
        entries, found.plants, sums, starts, period, periods, from_us(moment.known_us), moment.rule_set
    )  # fmt: skip


@lru_cache(maxsize=8)
def plant_entries(registry: Registry) -> PlantEntries:
    """Share the placements of conversions out to the plants that name their channels.

    A channel that several plants name counts for the first of them, as it does in the balance.
    """
    names = {number: name for name, number in registry.channel_ids.items()}
    naming: dict[tuple[str, str], list[Plant]] = {}
    converters = [plant for plant in registry.plants() if plant.inputs]
    for plant in converters:
        for flow, channels in (("conversion_in", plant.inputs), ("conversion_out", plant.outputs)):
            for name in channels:
                naming.setdefault((name, flow), []).append(plant)
    table = placed(registry)
    table = table.filter(pc.is_in(table["flow"], pa.array(list(SIDES))))
    number: dict[Entry, int] = {}
    out: list[dict[str, object]] = []
    for row in table.to_pylist():
        said = naming.get((names[row["channel"]], row["flow"]), ())
        for plant, start, end in _shared_out(said, row["start_us"], row["end_us"]):
            entry = Entry(plant.id, SIDES[row["flow"]], row["commodity"], row["quantity"])
            out.append({**row, "start_us": start, "end_us": end, "key": number.setdefault(entry, len(number))})
    keys = pa.array([row.pop("key") for row in out], pa.int64())
    rows = clipped(on_grid(registry, pa.Table.from_pylist(out, schema=PLACEMENTS)), 0).append_column("key", keys)
    plants, entries = {plant.id: plant for plant in converters}, list(number)
    places: dict[str, set[str]] = {}
    for row, key in zip(out, keys.to_pylist(), strict=True):
        plant = plants[entries[key].plant]
        places.setdefault(plant.id, set()).add(plant.place if plant.place in registry.tree else str(row["place"]))
    return PlantEntries(entries, plants, places, rows)


def _shared_out(plants: Sequence[Plant], start: int, end: int) -> Iterator[tuple[Plant, int, int]]:
    """Part a stretch among the plants that name its channel: at each moment the first that stands has it."""
    here = [plant for plant in plants if plant.start_us < end and plant.end_us > start]
    if len({plant.id for plant in here}) == 1:
        yield here[0], start, end
        return
    cuts = {moment for plant in here for moment in (plant.start_us, plant.end_us) if start < moment < end}
    bounds = [start, *sorted(cuts), end]
    for low, high in pairwise(bounds):
        holder = next((plant for plant in here if plant.start_us <= low < plant.end_us), None)
        if holder is not None:
            yield holder, low, high
