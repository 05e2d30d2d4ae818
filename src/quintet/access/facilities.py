"""The meters and readings of facilities, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from quintet.registry import Facility, Registry
from quintet.terms.amount import Ints
from quintet.terms.errors import UsageError
from quintet.terms.period import FIXED_MINUTES, Resolution, Span, from_us
from quintet.terms.tables import PLACEMENTS

from .flows import clipped, event_channels, on_grid, overlaps
from .networks import Row, networks_of
from .reader import Access
from .series import cut
from .sets import SET_COLUMNS, Mask, SetSums, set_sums

METERS = ""
"""The name under which a facility's own meters stand, beside its readings."""
MOST_STEPS = 40_000
"""Steps of one answer: a year of quarter hours."""


@dataclass(frozen=True, slots=True)
class FacilitySums:
    """One facility (as it was said last) by step: each channel apart, under the reading it is of (METERS: energy)."""

    facility: Facility
    channels: Sequence[tuple[str, Row]]
    sums: SetSums
    stands: Mask
    step: Resolution
    starts: list[datetime]
    edges_us: Ints
    period: Ints


@dataclass(frozen=True, slots=True)
class FacilitiesAnswer:
    """Facilities by step and the periods they lie in."""

    facilities: list[FacilitySums]
    edges: list[datetime]
    known_at: datetime
    rule_set: str


def facility_flows(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None = None
) -> FacilitiesAnswer:
    """Read the facilities at a place and below it, each by its own step, now or as known at a moment."""
    with access.asking(place, known_at, span) as moment:
        registry = moment.registry
        inside = registry.tree.descendants(place)
        periods, periods_us = cut(span, resolution, moment.engine.tz)
        stretches: dict[str, list[Facility]] = {}
        for one in registry.facilities():
            if one.place in inside:
                stretches.setdefault(one.id, []).append(one)
        events = event_channels(registry)
        out: list[FacilitySums] = []
        for said in stretches.values():
            channels = _channels(registry, said)
            step = _step([row for _, row in channels])
            starts, edges_us = cut(span, step, moment.engine.tz)
            if len(edges_us) > MOST_STEPS:
                raise UsageError(
                    f"that range holds {len(edges_us):,} steps of {step.value}; one answer has at most {MOST_STEPS:,}.",
                    code="range_too_long",
                    place="--to",
                    remedy="Ask for a shorter range.",
                    said={"periods": len(edges_us), "most": MOST_STEPS},
                )
            sums = set_sums(moment, _rows(registry, channels), len(channels), edges_us, events)
            begins, ends = ([getattr(one, name) for one in said] for name in ("start_us", "end_us"))
            stands = overlaps(np.array(sorted(begins), np.int64), np.array(sorted(ends), np.int64), edges_us) > 0
            period = np.searchsorted(periods_us, edges_us[:-1], side="right") - 1
            out.append(FacilitySums(said[-1], channels, sums, stands, step, starts[:-1], edges_us, period))
    return FacilitiesAnswer(out, periods, from_us(moment.known_us), moment.rule_set)


def _channels(registry: Registry, said: Sequence[Facility]) -> list[tuple[str, Row]]:
    """Give each channel of a facility under what it is of, for as long as both stand."""
    networks = networks_of(registry)
    out: list[tuple[str, Row]] = []
    for one in said:
        for name, channels in ((METERS, one.meters), *one.readings.items()):
            for row in networks.chain(channels):
                start, end = max(row.start_us, one.start_us), min(row.end_us, one.end_us)
                if start < end:
                    out.append((name, row._replace(start_us=start, end_us=end)))
    return out


def _step(rows: Sequence[Row]) -> Resolution:
    """Give the shortest step that no channel's interval is longer than."""
    longest = max((row.cadence_min for row in rows), default=1)
    fitting = [step for step, minutes in FIXED_MINUTES.items() if minutes >= longest]
    return min(fitting, key=FIXED_MINUTES.__getitem__, default=Resolution.DAY)


def _rows(registry: Registry, channels: Sequence[tuple[str, Row]]) -> pa.Table:
    """Give each channel as a set of its own."""
    said = [{**row._asdict(), "renewable": False} for _, row in channels]
    table = clipped(on_grid(registry, pa.Table.from_pylist(said, schema=PLACEMENTS)), 0)
    return table.append_column("key", pa.array(np.arange(len(channels)))).select(SET_COLUMNS)
