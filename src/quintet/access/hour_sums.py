"""A place's flows by hour, now or as known at a batch: what closed days keep, corrected by what came after it.

Hourly sums of a closed day are those of its newest version. Of what has changed since a batch only the channels that
changed on that day are read again: the sums less what these came to, plus what was known of them.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.store.engine import Engine, Snapshot
from quintet.store.flows import (
    Above,
    hour_bucket,
    interval_flows,
    own_days,
    read_above,
    rolled_up,
    rollup_flows,
    stored_flows,
)
from quintet.store.pair_flows import Pairs, pair_flows, statements
from quintet.store.read import day_range
from quintet.store.set_flows import folded_until, newer_folds
from quintet.store.signed_flows import moved_days, signed_days, signed_hours
from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US, day_edges, day_of_number, day_start, to_us

from .flows import AMOUNTS, BOUNDARY, KEY, Counted

NEVER = -(2**31)
"""Before every day."""
MOSTLY = 0.5
"""Where more than this share of the channels changed on a day, the whole day is read, once, not its changes twice."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known: readings up to a batch (None: all) by the registry of a batch (None: that of the readings).

    `scratch`: every interval is read, whatever stored sums say. `counted_at` gives what counts for the same place by
    the registry of a batch (None: there was no such place); without it, days summed by another one are read afresh.
    `together` holds what was read beforehand, for several places at once.
    """

    batch: int | None = None
    registered: int | None = None
    scratch: bool = False
    counted_at: Callable[[int], Counted | None] | None = None
    together: "Together | None" = None

    @property
    def registry(self) -> int | None:
        """The batch whose registry counts; None: that of now."""
        return self.batch if self.registered is None else self.registered


@dataclass(frozen=True, slots=True)
class Together:
    """What is read once for several places: what closed days keep of them, and of which state these days are.

    `folded` and `made` are those of `folded_until` and `made_by`; `open`: there are sums that no closing has folded.
    """

    above: Above
    folded: Mapping[int, int]
    made: Mapping[int | None, list[int]]
    open: bool


NOW = Known()


def read_together(
    engine: Engine,
    snapshot: Snapshot,
    span: tuple[int, int],
    inside: Mapping[str, Set[str]],
    commodities: Set[str],
    known: Known,
) -> Together:
    """Read for some places what does not have to be read for each; `inside` as `read_above` takes it."""
    low, high = span
    return Together(
        read_above(engine, snapshot, low, high, inside, BOUNDARY, commodities),
        folded_until(snapshot, *day_range(engine, low, high)),
        made_by(engine, snapshot, low, high, known),
        rolled_up(snapshot, low, high),
    )


def sums(engine: Engine, snapshot: Snapshot, counted: Counted, edges_us: Ints, known: Known = NOW) -> pa.Table:
    """Sum a place's flows: bucket_us (an hour, or an interval's start where periods cut hours), KEY, value, minutes."""
    low, high, batch = int(edges_us[0]), int(edges_us[-1]), known.batch
    hourly = bool(np.all((edges_us + engine.hour_phase_us) % HOUR_US == 0))
    bucket = hour_bucket(engine.hour_phase_us) if hourly else "start_us"
    if known.scratch or not hourly:
        both = pa.concat_tables([counted.plain, counted.signed])
        parts = [interval_flows(engine, snapshot, low, high, both, bucket, known_batch=batch)]
    else:
        parts = signed_sums(engine, snapshot, counted, low, high, known)
        even, odd = counted.parted
        afresh, pairs = changed(engine, snapshot, low, high, counted, known)
        spans = [day_bounds(engine.tz, first, low, high, last + 1) for first, last in runs_of(afresh)]
        place, inside = counted.place, counted.inside
        read = known.together
        above = None if read is None else read.above
        parts.append(stored_flows(engine, snapshot, low, high, place, inside, BOUNDARY, afresh, above))
        if read is None or read.open:
            parts.append(rollup_flows(snapshot, low, high, even, spans, batch))
        parts.append(interval_flows(engine, snapshot, low, high, odd, bucket, known_batch=batch))
        parts += [interval_flows(engine, snapshot, *span, even, bucket, known_batch=batch) for span in spans]
        starts = _starts(engine.tz, low, high)
        for one in pairs:
            undone = engine.undone
            parts.append(pair_flows(snapshot, (low, high), even, bucket, one, starts, known_batch=batch, undone=undone))
    return pa.concat_tables(part.select(["bucket_us", *KEY, *AMOUNTS]) for part in parts)


def signed_sums(
    engine: Engine, snapshot: Snapshot, counted: Counted, low: int, high: int, known: Known
) -> list[pa.Table]:
    """Sum the halves of signed flows by hour: what closed days keep of them, and the intervals of all other days."""
    rows, bucket = counted.signed, hour_bucket(engine.hour_phase_us)
    if not rows.num_rows:
        return []
    odd = pc.is_in(rows["channel"], pa.array(sorted(counted.odd), pa.int32()))
    even = rows.filter(pc.invert(odd))
    kept, others = signed_split(engine, snapshot, low, high, even.select(["channel"]), known)
    spans = [day_bounds(engine.tz, first, low, high, last + 1) for first, last in runs_of(others)]
    return [
        interval_flows(engine, snapshot, low, high, rows.filter(odd), bucket, known_batch=known.batch),
        signed_hours(snapshot, low, high, even, kept),
        *(interval_flows(engine, snapshot, *span, even, bucket, known_batch=known.batch) for span in spans),
    ]


def signed_split(
    engine: Engine, snapshot: Snapshot, low: int, high: int, channels: pa.Table, known: Known
) -> tuple[list[int], list[int]]:
    """Part the days that hold anything of signed channels: whose kept halves hold, and which only intervals tell."""
    first, last = day_range(engine, low, high)
    folded, made = folded_until(snapshot, first, last), signed_days(snapshot, first, last)
    right = same_registry(snapshot, list(made.values()), known.registry)
    fresh = {day for day, good in zip(made, right, strict=True) if good}
    gone = set(moved_days(engine, snapshot, low, high, channels))
    if known.batch is not None:
        gone |= set(newer_folds(snapshot, folds(folded), channels, known.batch)["day"].to_pylist()) if folded else set()
    kept = fresh - gone
    return sorted(kept), sorted((gone | folded.keys()) - kept)


def folds(until: Mapping[int, int]) -> pa.Table:
    """Give days, and the batch up to which each is folded, as a table."""
    return pa.table({"day": pa.array(list(until), pa.int32()), "folded": pa.array(list(until.values()), pa.int64())})


def runs_of(days: Sequence[int]) -> list[tuple[int, int]]:
    """Give the first and last of each run of days that follow one another."""
    out: list[tuple[int, int]] = []
    for day in days:
        out[-1:] = [(out[-1][0], day)] if out and out[-1][1] == day - 1 else [*out[-1:], (day, day)]
    return out


def days_without_halves(snapshot: Snapshot, but: Sequence[int]) -> list[int]:
    """List the closed days, but some, that keep no halves of signed channels."""
    held = signed_days(snapshot, NEVER, -NEVER)
    closed = folded_until(snapshot, NEVER, -NEVER)
    return sorted(closed.keys() - held.keys() - set(but))


def same_registry(snapshot: Snapshot, made: Sequence[int], known: int | None) -> list[bool]:
    """Tell of the registries of some batches whether they say what that of a batch (None: now) says of each channel."""
    said = statements(snapshot)
    newest = len(said) if known is None else int(np.searchsorted(said, known, side="right"))
    return [int(of) == newest for of in np.searchsorted(said, np.array(made, np.int64), side="right")]


def _starts(tz: ZoneInfo, low: int, high: int) -> pa.Table:
    """Give the `day` and `start_us` of the local days that a range touches."""
    first, midnights = day_edges(low, high - 1, tz)
    number = pa.array(first + np.arange(len(midnights) - 1), pa.int32())
    return pa.table({"day": number, "start_us": pa.array(midnights[:-1], pa.int64())})


def changed(
    engine: Engine, snapshot: Snapshot, low: int, high: int, counted: Counted, known: Known
) -> tuple[list[int], list[Pairs]]:
    """Give the closed days to be read afresh, and of the others the channels whose share in the sums is to be mended.

    That is where readings or what a channel counts for are not those of which the sums were made. Days of which most
    channels changed are read afresh.
    """
    even, _ = counted.parted
    afresh: list[int] = []
    out: list[Pairs] = []
    place, read = counted.place, known.together
    folded = folded_until(snapshot, *day_range(engine, low, high)) if read is None else read.folded
    own = own_days(snapshot, place, *day_range(engine, low, high)) if read is None else read.above.days[place]
    by_batch = made_by(engine, snapshot, low, high, known) if read is None else read.made
    for made, every in by_batch.items():
        other = counted if made is None else None if known.counted_at is None else known.counted_at(made)
        # sums of a place below are added up here, by the places that lie in it now
        days = [day for day in every if other is not None and (day in own or other.inside == counted.inside)]
        afresh += sorted(set(every) - set(days))
        if other is None or not days:
            continue
        held, _ = other.parted
        rows = pa.concat_tables([
            cross(differing(even, held, low, high), days), _newer(snapshot, folded, days, even, held, known.batch)
        ]).group_by(["channel", "day"]).aggregate([])  # fmt: skip
        day, count = np.unique(rows["day"].to_numpy(), return_counts=True)
        most = day[count > MOSTLY * even.num_rows].tolist()
        afresh += most
        kept = rows.filter(pa.array(~np.isin(rows["day"].to_numpy(), most)))
        if kept.num_rows:
            out.append(Pairs(kept, held))
    return sorted(afresh), out


def _newer(
    snapshot: Snapshot,
    folded: Mapping[int, int],
    days: Sequence[int],
    even: pa.Table,
    held: pa.Table,
    batch: int | None,
) -> pa.Table:
    """List what was folded on some days with differences that are newer than a batch."""
    until = {day: folded[day] for day in days if folded[day] > (batch or 0)}
    if batch is None or not until:
        return cross(np.zeros(0, np.int32), [])
    return newer_folds(snapshot, folds(until), pa.concat_tables([even, held]).select(["channel"]), batch)


def cross(channels: npt.NDArray[np.int32], days: Sequence[int]) -> pa.Table:
    """Give each channel on each day."""
    return pa.table({
        "channel": pa.array(np.repeat(channels, len(days)), pa.int32()),
        "day": pa.array(np.tile(np.array(days, np.int32), len(channels)), pa.int32()),
    })  # fmt: skip


def differing(one: pa.Table, other: pa.Table, low: int, high: int) -> npt.NDArray[np.int32]:
    """List the channels that count otherwise by two tables of placements within a range."""
    if one is other:
        return np.zeros(0, np.int32)
    told: list[set[tuple[int, tuple[object, ...]]]] = []
    for rows in (one, other):
        start, end = (np.clip(rows[name].to_numpy(), low, high) for name in ("start_us", "end_us"))
        inside = start < end
        held = rows.filter(pa.array(inside))
        names = [name for name in rows.column_names if name not in ("channel", "start_us", "end_us", "usage_point")]
        bounds = (start[inside].tolist(), end[inside].tolist())
        said = zip(*bounds, *(held[name].to_pylist() for name in names), strict=True)
        told.append(set(zip(held["channel"].to_numpy().tolist(), said, strict=True)))
    return np.array(sorted({channel for channel, _ in told[0] ^ told[1]}), np.int32)


def made_by(engine: Engine, snapshot: Snapshot, low: int, high: int, known: Known) -> dict[int | None, list[int]]:
    """Give the closed days of a range by the batch of the registry that their sums were made by; None: the same one."""
    sql = "select day, registry_batch from closed_day where day between ? and ? order by day"
    held = [(int(day), int(batch)) for day, batch in snapshot.rows(sql, day_range(engine, low, high))]
    right = same_registry(snapshot, [batch for _, batch in held], known.registry)
    out: dict[int | None, list[int]] = {}
    for (day, batch), good in zip(held, right, strict=True):
        out.setdefault(None if good else batch, []).append(day)
    return out


def stale_days(engine: Engine, snapshot: Snapshot, low: int, high: int) -> list[int]:
    """List closed days in a range whose hourly sums were made by an older registry than that of now.

    What changes no placement makes none stale.
    """
    made = made_by(engine, snapshot, low, high, NOW)
    return sorted(day for batch, days in made.items() if batch is not None for day in days)


def day_bounds(tz: ZoneInfo, day: int, low: int, high: int, end_day: int | None = None) -> tuple[int, int]:
    """Give the bounds of a local day (or of those before `end_day` from it on), cut to [low, high)."""
    edges = (day, day + 1 if end_day is None else end_day)
    start, end = (to_us(day_start(day_of_number(number), tz)) for number in edges)
    return max(start, low), min(end, high)
