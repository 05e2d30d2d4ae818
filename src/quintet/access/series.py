"""One channel over time, in the periods asked for."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.registry.rows import Channel
from quintet.store.engine import Engine
from quintet.store.recent import Recent
from quintet.store.records import ALWAYS, FOREVER
from quintet.terms.amount import Ints
from quintet.terms.errors import UsageError
from quintet.terms.period import FIXED_MINUTES, MINUTE_US, Resolution, Span, edges, from_us, grid_phase, to_us
from quintet.terms.quality import qualities_by_id
from quintet.terms.reading import ValueKind, clock
from quintet.terms.tables import SERIES, SUM

from .rights import Here
from .whole_steps import told_until

Rows = tuple[Ints, Ints, npt.NDArray[np.uint8]]
"""Effective intervals of one channel: starts (us), values (sub-units), quality ids."""
Counts = npt.NDArray[np.float64] | npt.NDArray[np.int64]
MEASURED = np.zeros(256, np.bool_)
ESTIMATED = np.zeros(256, np.bool_)
DOUBT = np.zeros(256, np.int64)
BY_DOUBT = np.zeros(257, np.uint8)
"""The quality of each degree of doubt; 0 is none."""
for _quality in qualities_by_id().values():
    MEASURED[_quality.id] = _quality.kind == "measured"
    ESTIMATED[_quality.id] = _quality.kind == "estimated"
    DOUBT[_quality.id] = _quality.doubt + 1
    BY_DOUBT[_quality.doubt + 1] = _quality.id


def expected_slots(edges_us: Ints, cadence_us: int, phase_us: int, installed: int, removed: int) -> Ints:
    """Count the slots of a channel's grid that start in each period while the channel is in place."""
    clipped = np.clip(edges_us, installed, max(removed, installed))
    ordinal = -((-(clipped + phase_us)) // cadence_us)
    return np.diff(ordinal)


def series_table(
    start: Ints,
    value: Ints,
    quality: npt.NDArray[np.uint8],
    edges: list[datetime],
    edges_us: Ints,
    expected: Ints | None,
) -> pa.Table:
    """Sum effective intervals (sorted by start) into n periods given by n + 1 edges (the same in us).

    Gives SERIES. `expected` counts the intervals of each period, None where nobody can know (events). A period where
    nothing is known has a null value, never 0.
    """
    count = len(edges_us) - 1
    period = np.searchsorted(edges_us, start, side="right") - 1
    inside = (period >= 0) & (period < count)
    period, value, quality = period[inside], value[inside], quality[inside]
    counted = MEASURED[quality] | ESTIMATED[quality]
    totals = np.zeros(count, np.int64)
    heads = np.flatnonzero(np.diff(period[counted], prepend=-1))
    sums = np.add.reduceat(value[counted], heads) if len(heads) else np.zeros(0, np.int64)
    totals[period[counted][heads]] = sums
    arrived = np.bincount(period, MEASURED[quality], count).astype(np.int64)
    estimated = np.bincount(period, ESTIMATED[quality], count).astype(np.int64)
    known = arrived + estimated > 0
    doubt = np.zeros(count, np.int64)
    np.maximum.at(doubt, period, DOUBT[quality])
    return pa.table(
        {
            "start": pa.array(edges[:-1], SERIES.field("start").type),
            "value": pa.array(totals, mask=~known).cast(SUM),
            "quality": pa.array(BY_DOUBT[doubt], mask=doubt == 0),
            "coverage": shares(arrived, expected),
            "estimated_share": shares(estimated, arrived + estimated),
        },
        schema=SERIES,
    )


def shares(part: Counts, whole: Counts | None) -> pa.Array:
    """Divide counts; null where the whole is nothing or unknown."""
    if whole is None:
        return pa.nulls(len(part), pa.float64())
    known = whole > 0
    return pa.array(part / np.where(known, whole, 1), mask=~known)


def cadence_text(cadence_us: int) -> str:
    """Say a cadence in minutes."""
    return f"{cadence_us // MINUTE_US} min"


def refuse_too_fine(channel: Channel, resolution: Resolution) -> None:
    """Raise UsageError where a channel has no values as fine as that."""
    cadence_us = channel.reading.cadence_min * MINUTE_US
    if FIXED_MINUTES.get(resolution, 1440) * MINUTE_US < cadence_us:
        raise UsageError(
            f"has one value every {cadence_text(cadence_us)}.",
            code="too_fine",
            place=channel.name,
            remedy="Ask for a resolution that is no finer.",
            said={"minutes": cadence_us // MINUTE_US},
        )


@lru_cache(maxsize=256)
def cut(span: Span, resolution: Resolution, tz: ZoneInfo) -> tuple[list[datetime], Ints]:
    """Cut a span into periods: their edges, and the same in microseconds; a page asks for the same ones many times."""
    periods = edges(span, resolution, tz)
    return periods, np.array([to_us(edge) for edge in periods], np.int64)


@lru_cache(maxsize=8)
def in_place(registry: Registry) -> dict[int, tuple[int, int]]:
    """Give from when until when each channel of a registry is in place (always, where nobody stated it)."""
    rows = registry.channels()
    ends = [
        pc.fill_null(rows[name].cast(pa.int64()), default).to_pylist()
        for name, default in (("installed", ALWAYS), ("removed", FOREVER))
    ]
    return dict(zip(rows["channel"].to_pylist(), zip(*ends, strict=True), strict=True))


def series_of(
    rows: Rows, channel: Channel, stood: tuple[int, int], here: Here, span: Span, resolution: Resolution, moment: int,
    tz: ZoneInfo,
) -> pa.Table:  # fmt: skip
    """Give a channel's series (SERIES) from its effective intervals, as known at a moment.

    `stood` is when it was in place, `here` what of that is the reader's and how fine.
    """
    cadence_us = channel.reading.cadence_min * MINUTE_US
    periods, edges_us = cut(span, resolution, tz)
    phase = grid_phase(clock(channel.reading.tz), cadence_us)
    over = told_until(here.finest_min, from_us(moment), tz)
    moment = moment if over is None else to_us(over)
    start, end = stood
    if start > ALWAYS:
        start -= (start + phase) % cadence_us  # the interval in which the meter came is its first
    parts = [(start, end)]
    if here.parts is not None:
        parts = [(max(start, one.start_us), min(end, one.end_us)) for one in here.parts]
    inside = np.zeros(len(rows[0]), np.bool_)
    for low, high in parts:
        inside |= (rows[0] >= low) & (rows[0] < high)
    if over is not None:
        inside &= rows[0] < moment
    rows = (rows[0][inside], rows[1][inside], rows[2][inside])
    expected = None
    if channel.reading.value_kind is not ValueKind.EVENT_SUM:
        until = np.minimum(edges_us, max(moment, int(edges_us[0])))
        expected = np.zeros(len(edges_us) - 1, np.int64)
        for low, high in parts:
            expected += expected_slots(until, cadence_us, phase, low, high)
    return series_table(*rows, periods, edges_us, expected)


def remembered(engine: Engine, recent: Recent, channel: Channel, span: Span) -> Rows | None:
    """Give a channel's effective intervals in a span from memory; None where some are too old for that."""
    cadence_us = channel.reading.cadence_min * MINUTE_US
    phase_us = grid_phase(clock(channel.reading.tz), cadence_us)
    first, newest = engine.day_of(span.start_us), recent.newest
    if first > newest:  # nothing is that new
        none = np.zeros(0, np.int64)
        return none, none, none.astype(np.uint8)
    days = range(first, min(engine.day_of(span.end_us - 1), newest) + 1)
    parts = [recent.day(channel.id, cadence_us, phase_us, day) for day in days]
    held = [part for part in parts if part is not None]
    if not parts or len(held) < len(parts):
        return None
    start, value, quality = (np.concatenate(columns) for columns in zip(*held, strict=True))
    inside = (start >= span.start_us) & (start < span.end_us)
    return start[inside], value[inside], quality[inside]
