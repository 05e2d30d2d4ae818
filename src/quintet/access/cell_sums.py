"""What each meter of a place came to in each cell of a stretch (days, or shorter), and how much of it was measured.

The day that is still running is cut into hours, so that what is over of it can be told from what is not.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.registry import Registry
from quintet.terms.amount import Ints
from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US, Resolution, Span, day_start, from_us, local_day, to_us

from .channel_days import channel_days
from .day_sums import PlaceDays
from .flows import counted_at, event_channels, expected_rows
from .reader import Access
from .roles import minutes_of as minutes_of_step
from .sets import SET_COLUMNS, Amounts, Asked, set_sums

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
NAMES = ["place", "flow", "commodity", "quantity", "renewable"]
MOST_CELLS = 40_000_000
"""Meters times cells that are read for one answer: about 1.5 GB."""


@dataclass(frozen=True, slots=True)
class PlaceCells:
    """A place's placements [n] and what each came to in each of [c] cells between `edges_us`.

    `rows` has place, its level and floor area, flow, commodity, quantity, renewable. `value` is in sub-units as it
    counts (signed), measured and estimated; `due`: intervals are owed in that cell; `whole`: every one of them was
    measured; `estimated`: the share of the cell that is estimated, NaN where some of it is not known at all. A meter
    that owes nothing (events) is whole in every cell; use that is expected and that nobody meters is never heard.
    """

    rows: pa.Table
    edges_us: Ints
    value: Amounts
    due: Mask
    owes: Mask
    whole: Mask
    estimated: Floats
    expected_min: Ints
    arrived_min: Ints
    estimated_min: Ints
    until_us: int
    known_at: datetime
    rule_set: str


def place_cells(
    access: Access,
    place: str,
    span: Span,
    margin_days: int,
    known_at: datetime | None = None,
    *,
    hours: bool = False,
    most: int = MOST_CELLS,
) -> PlaceCells:
    """Read a place's meters over a span and some days before and after it, now or as known at a moment.

    Cells are local days, cut where the span begins and ends; `hours` of the clock within the span where that is asked.
    `most` meters times cells are read.
    Raises NotFound for a place that is none, UsageError for more cells than can be held.
    """
    reach = Span(span.start - timedelta(days=margin_days), span.end + timedelta(days=margin_days))
    step_min = minutes_of_step(Resolution.HOUR if hours else Resolution.DAY)
    with access.asking(place, known_at, reach, step_min) as asked:
        rows = _rows(asked.registry, place)
        edges, midnights = _edges(asked, span, margin_days, hours=hours)
        if rows.num_rows * len(edges) > most:
            raise UsageError(
                f"{rows.num_rows:,} meters in {len(edges):,} periods are too many for intervals.",
                code="range_too_long", place="resolution", remedy="Ask for a shorter range or a coarser resolution.",
                said={"periods": len(edges)},
            )  # fmt: skip
        return _read(asked, rows, edges, midnights)


def _rows(registry: Registry, place: str) -> pa.Table:
    """Give the placements that count for a place, with those that are expected there and do not stand."""
    counted = counted_at(registry, place)
    expected = expected_rows(registry, registry.descendants(place))
    return pa.concat_tables([counted.plain, counted.signed, expected.select(counted.plain.column_names)])


def _edges(asked: Asked, span: Span, margin_days: int, *, hours: bool) -> tuple[list[int], set[int]]:
    """Give the edges of the cells, and those of them that are midnights."""
    tz = asked.engine.tz
    first = local_day(span.start, tz) - timedelta(days=margin_days)
    days = (local_day(span.end, tz) - first).days + margin_days + 1
    midnights = [to_us(day_start(first + timedelta(days=at), tz)) for at in range(days + 1)]
    low, high = span.start_us, span.end_us
    cuts = {*midnights, low, high}
    running = max((one for one in midnights if one <= asked.until_us), default=low)
    if asked.until_us < high:
        cuts |= set(range(running, min(asked.until_us, running + 25 * HOUR_US) + 1, HOUR_US))
        cuts.add(asked.until_us)
    if hours:
        cuts |= set(range(low, high, HOUR_US))
    return sorted(cuts), set(midnights)


def _runs(edges: Sequence[int], midnights: AbstractSet[int]) -> list[list[int]]:
    """Part edges into runs that are whole days, which the store has summed, and runs that are not."""
    day = [first in midnights and last in midnights for first, last in pairwise(edges)]
    starts = [0, *(at for at in range(1, len(day)) if day[at] != day[at - 1]), len(day)]
    return [list(edges[first : last + 1]) for first, last in pairwise(starts)]


def _read(asked: Asked, rows: pa.Table, edges: Sequence[int], midnights: AbstractSet[int]) -> PlaceCells:
    """Read the cells, run by run."""
    keyed = rows.append_column("key", pa.array(np.arange(rows.num_rows))).select(SET_COLUMNS)
    events = event_channels(asked.registry)
    parts = [
        channel_days(asked, keyed, np.array(run, np.int64), events)
        if set(run) <= midnights
        else set_sums(asked, keyed, rows.num_rows, np.array(run, np.int64), events)
        for run in _runs(edges, midnights)
    ]
    value, arrived, estimated, expected = (
        np.concatenate([getattr(one, name) for one in parts], axis=1)
        for name in ("value", "arrived_min", "estimated_min", "expected_min")
    )
    event = np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    known = arrived + estimated
    due = (expected > 0) | (known > 0)
    whole = due & (estimated == 0) & (event[:, None] | (arrived >= expected))
    share = np.where(known >= expected, estimated / np.maximum(known, 1), np.nan)
    bodies = asked.registry.tree.bodies
    said = rows.select(NAMES)
    for name, kind in (("level", pa.string()), ("floor_area_m2", pa.float64())):
        said = said.append_column(
            name, pa.array([bodies.get(at, {}).get(name) for at in rows["place"].to_pylist()], kind)
        )
    return PlaceCells(
        said, np.array(edges, np.int64), value, due, expected > 0, whole, share, expected, arrived, estimated,
        asked.until_us, from_us(asked.known_us), asked.rule_set,
    )  # fmt: skip


def cells_of_days(registry: Registry, days: PlaceDays) -> PlaceCells:
    """Give days that were read already as cells."""
    count = days.value.shape[1]
    edges = [to_us(day_start(days.first + timedelta(days=at), registry.tz)) for at in range(count + 1)]
    bodies, places = registry.tree.bodies, days.rows["place"].to_pylist()
    area = pa.array([bodies.get(one, {}).get("floor_area_m2") for one in places], pa.float64())
    return PlaceCells(
        days.rows.append_column("floor_area_m2", area), np.array(edges, np.int64), days.value, days.due,
        days.expected_min > 0, days.whole, days.estimated, days.expected_min, days.arrived_min, days.estimated_min,
        to_us(days.known_at), days.known_at, days.rule_set,
    )  # fmt: skip
