"""What each meter of a place came to on each local day, and how much of it was measured: how sure a total is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.amount import Ints
from quintet.terms.period import day_start, from_us, to_us

from .flows import counted_at, event_channels
from .sets import SET_COLUMNS, Amounts, Asked, set_sums

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
NAMES = ["place", "flow", "commodity", "quantity", "renewable"]


@dataclass(frozen=True, slots=True)
class PlaceDays:
    """A place's placements [n] and what each came to on each of [d] local days, the first being `first`.

    `rows` has place, its level, flow, commodity, quantity, renewable. `value` is in sub-units as it counts (signed),
    measured and estimated; `due`: intervals are owed that day; `whole`: every one of them was measured; `estimated`:
    the share of the day's time that is estimated, NaN where some of it is not known at all. A meter that owes nothing
    (events) is whole on every day.
    """

    rows: pa.Table
    first: date
    value: Amounts
    due: Mask
    whole: Mask
    estimated: Floats
    expected_min: Ints
    arrived_min: Ints
    estimated_min: Ints
    known_at: datetime
    rule_set: str


def place_days(asked: Asked, place: str, first: date, last: date) -> PlaceDays:
    """Read a place's meters by day, both days included, by one grouped read."""
    registry, tz = asked.registry, asked.engine.tz
    days = [first + timedelta(days=at) for at in range((last - first).days + 2)]
    edges_us = np.array([to_us(day_start(day, tz)) for day in days], np.int64)
    counted = counted_at(registry, place)
    rows = pa.concat_tables([counted.plain, counted.signed])
    keyed = rows.append_column("key", pa.array(np.arange(rows.num_rows))).select(SET_COLUMNS)
    events = event_channels(registry)
    found = set_sums(asked, keyed, rows.num_rows, edges_us, events)
    expected = found.expected_min
    event = np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    heard = found.arrived_min + found.estimated_min > 0
    due = (expected > 0) | heard
    whole = due & (found.estimated_min == 0) & (event[:, None] | (found.arrived_min >= expected))
    known = found.arrived_min + found.estimated_min
    share = np.where(known >= expected, found.estimated_min / np.maximum(known, 1), np.nan)
    levels = [registry.tree.bodies[name]["level"] for name in rows["place"].to_pylist()]
    said = rows.select(NAMES).append_column("level", pa.array(levels, pa.string()))
    return PlaceDays(
        said, first, found.value, due, whole, share, expected, found.arrived_min, found.estimated_min,
        from_us(asked.known_us), asked.rule_set,
    )  # fmt: skip
