"""What each meter of a place came to on each local day, and how much of it was measured: how sure a total is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US, day_start, from_us, to_us

from .channel_days import channel_days
from .flows import counted_at, event_channels
from .sets import SET_COLUMNS, Amounts, Asked, SetSums

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ROWS_AT_ONCE = 2_000
NAMES = ["place", "flow", "commodity", "quantity", "renewable"]


@dataclass(frozen=True, slots=True)
class PlaceDays:
    """A place's placements [n] and what each came to on each of [d] local days, the first being `first`.

    `rows` has place, its level, flow, commodity, quantity, renewable. `value` is in sub-units as it counts (signed),
    measured and estimated; `due`: intervals are owed that day; `whole`: every one of them was measured; `estimated`:
    the share of the day's time that is estimated, NaN where some of it is not known at all. A meter that owes nothing
    (events) is whole on every day. Minutes take 32 bits: a year of 17,000 households is 36 million of each.
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
    found = channel_days(asked, keyed, edges_us, events, lean=True)
    shape = found.value.shape
    event = np.isin(rows["channel"].to_numpy(), np.array(sorted(events), np.int32))
    minutes: npt.NDArray[Any] = np.empty(shape, np.int32)
    out = _Judged(np.empty(shape, np.bool_), np.empty(shape, np.bool_), np.empty(shape, np.float64), minutes)
    with ThreadPoolExecutor() as pool:  # some rows at a time stay in the processor's memory
        parts = [slice(low, low + ROWS_AT_ONCE) for low in range(0, shape[0], ROWS_AT_ONCE)]
        list(pool.map(lambda part: _judge(found, event, part, out), parts))
    levels = [registry.tree.bodies[name]["level"] for name in rows["place"].to_pylist()]
    said = rows.select(NAMES).append_column("level", pa.array(levels, pa.string()))
    return PlaceDays(
        said, first, found.value, out.due, out.whole, out.estimated, out.expected_min, found.arrived_min,
        found.estimated_min, from_us(asked.known_us), asked.rule_set,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """Columns of PlaceDays that are worked out, being filled."""

    due: Mask
    whole: Mask
    estimated: Floats
    expected_min: Ints


def _judge(found: SetSums, event: Mask, part: slice, out: _Judged) -> None:
    """Work out some rows: what was owed, whether all of it was measured, and how much was estimated."""
    arrived, estimated = found.arrived_min[part], found.estimated_min[part]
    expected = found.expected_us[part] // MINUTE_US
    out.expected_min[part] = expected
    known = arrived + estimated
    due = (expected > 0) | (known > 0)
    out.due[part] = due
    out.whole[part] = due & (estimated == 0) & (event[part, None] | (arrived >= expected))
    out.estimated[part] = np.where(known >= expected, estimated / np.maximum(known, 1), np.nan)
