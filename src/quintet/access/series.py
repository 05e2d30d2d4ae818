"""One channel over time, in the periods asked for."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US
from quintet.terms.quality import qualities_by_id
from quintet.terms.tables import SERIES, SUM

Rows = tuple[Ints, Ints, npt.NDArray[np.uint8]]
"""Effective intervals of one channel: starts (us), values (sub-units), quality ids."""
Counts = npt.NDArray[np.float64] | npt.NDArray[np.int64]
MEASURED = np.zeros(256, np.bool_)
ESTIMATED = np.zeros(256, np.bool_)
DOUBT = np.zeros(256, np.int64)
for _quality in qualities_by_id().values():
    MEASURED[_quality.id] = _quality.kind == "measured"
    ESTIMATED[_quality.id] = _quality.kind == "estimated"
    DOUBT[_quality.id] = _quality.doubt + 1


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
    totals = [0] * count
    heads = np.flatnonzero(np.diff(period[counted], prepend=-1))
    sums = np.add.reduceat(value[counted], heads) if len(heads) else np.zeros(0, np.int64)
    for at, total in zip(period[counted][heads], sums, strict=True):
        totals[at] = int(total)
    arrived = np.bincount(period, MEASURED[quality], count).astype(np.int64)
    estimated = np.bincount(period, ESTIMATED[quality], count).astype(np.int64)
    known = arrived + estimated > 0
    doubt = np.zeros(count, np.int64)
    np.maximum.at(doubt, period, DOUBT[quality])
    by_doubt = {entry.doubt + 1: entry.id for entry in qualities_by_id().values()}
    return pa.table(
        {
            "start": pa.array(edges[:-1], SERIES.field("start").type),
            "value": pa.array([total if has else None for total, has in zip(totals, known, strict=True)], SUM),
            "quality": pa.array([by_doubt.get(int(d)) for d in doubt], pa.uint8()),
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
