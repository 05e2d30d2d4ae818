"""From what arrived to the evidence that counts: duplicates out, conflicts settled, the neighbourhood fetched.

The reading that counts at a moment is that of the latest batch; within one batch, where order must not matter, the one
of lower magnitude (then the lower one), and its interval is marked questionable. All of them are kept as raw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Snapshot
from quintet.store.read import EARLIEST_US, raw_readings
from quintet.terms.length import DAY_US
from quintet.terms.period import day_edges
from quintet.terms.unit import units

from .rows import I32, I64, Mask, RawRows, key_order, starts_of_runs

NEAR_DAYS = 10
"""How far back the neighbourhood of a late or appended reading is looked for before the whole channel is read."""
NEIGHBOURS = 24
"""Readings on each side that may change how one reading is understood (see derive's locality)."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is new in a batch: rows to keep as raw (sorted by channel and moment), and how many said nothing new."""

    rows: RawRows
    duplicate: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """What readings amount to, whatever their unit: `names` are units as received by number, `registered` by channel.

    Within one unit equal amounts have equal numerals (terms/amount.py): only between units is anything worked out.
    """

    names: Sequence[str]
    registered: Sequence[str]

    def of(self, rows: RawRows) -> list[Fraction]:
        """Give the amount of each row in sub-units, or in sub-units an hour."""
        columns = (rows.channel, rows.mantissa, rows.exponent, rows.unit)
        return [
            self._ratio(channel, unit) * mantissa * Fraction(10) ** exponent
            for channel, mantissa, exponent, unit in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _ratio(self, channel: int, unit: int) -> Fraction:
        return units()[self.names[unit] or self.registered[channel]].ratio


def without_repeats(rows: RawRows) -> Arrived:
    """Sort by channel and moment and drop rows that repeat another row of the batch exactly."""
    order = key_order(rows.channel, rows.at_us)
    rows = rows if order is None else rows.take(order)
    same = repeats_key(rows)
    if not same.any():
        return Arrived(rows, 0)
    group = np.cumsum(~same) - 1
    crowded = np.bincount(group)[group] > 1
    here = np.flatnonzero(crowded)
    inside = np.lexsort((rows.unit[here], rows.exponent[here], rows.mantissa[here], group[here]))
    here = here[inside]
    keys = (group[here], rows.mantissa[here], rows.exponent[here], rows.unit[here])
    first = np.zeros(len(here), np.bool_)
    first[starts_of_runs(*keys)] = True
    keep = np.ones(len(rows), np.bool_)
    keep[here[~first]] = False
    return Arrived(rows.take(keep), int((~first).sum()))


def repeats_key(rows: RawRows) -> Mask:
    """Say for each sorted row whether the row before has the same channel and moment."""
    same = np.zeros(len(rows), np.bool_)
    same[1:] = (rows.channel[1:] == rows.channel[:-1]) & (rows.at_us[1:] == rows.at_us[:-1])
    return same


def without_known(engine: Engine, snapshot: Snapshot, arrived: Arrived, tail_us: I64, amounts: Amounts) -> Arrived:
    """Drop rows that the store holds already, amount for amount; `tail_us` is each channel's newest stored moment."""
    found = known_places(engine, snapshot, arrived.rows, tail_us, amounts)
    if not len(found):
        return arrived
    keep = np.ones(len(arrived.rows), np.bool_)
    keep[found] = False
    return Arrived(arrived.rows.take(keep), arrived.duplicate + len(found))


def known_places(engine: Engine, snapshot: Snapshot, rows: RawRows, tail_us: I64, amounts: Amounts) -> I64:
    """Give the places of rows (sorted, no two the same) that the store holds already: the same amount at the moment."""
    return stored_places(engine, snapshot, rows, tail_us, amounts)[0]


def stored_places(engine: Engine, snapshot: Snapshot, rows: RawRows, tail_us: I64, amounts: Amounts) -> tuple[I64, I64]:
    """Give the places of rows (sorted, no two the same) whose moment is stored: with their amount, and with any."""
    old = np.flatnonzero(rows.at_us <= tail_us[rows.channel])
    if not len(old):
        return old, old
    suspects = rows.take(old)
    heads = starts_of_runs(suspects.channel)
    windows = pa.table({"channel": suspects.channel[heads], "from_us": suspects.at_us[heads]})
    known = raw_readings(engine, snapshot, windows)
    incoming = suspects.to_arrow(0).append_column("place", pa.array(old))
    both = snapshot.arrow(
        "select i.place, k.* from incoming i join known k on i.channel = k.channel and i.at_us = k.at_us",
        tables={"incoming": incoming, "known": known},
    )
    place, stored = both["place"].to_numpy(), RawRows.from_arrow(both)
    same = (rows.mantissa[place] == stored.mantissa) & (rows.exponent[place] == stored.exponent)
    same &= rows.unit[place] == stored.unit
    other = np.flatnonzero(rows.unit[place] != stored.unit)
    if len(other):
        pairs = zip(amounts.of(rows.take(place[other])), amounts.of(stored.take(other)), strict=True)
        same[other] = [mine == theirs for mine, theirs in pairs]
    return np.unique(place[same]), np.unique(place)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All readings that count for some channels, sorted and unique by channel and moment.

    `doubtful` marks a moment at which one batch said two things; `corrected` one that a later batch said anew.
    """

    rows: RawRows
    doubtful: Mask
    corrected: Mask


def settle(rows: RawRows, batch: I32, ratios: Sequence[Fraction]) -> Evidence:
    """Choose the reading that counts at each moment from all versions (sorted by channel and moment).

    `ratios` are sub-units in one unit, by number: amounts are compared, not numerals. Equal amounts are no conflict.
    """
    same = repeats_key(rows)
    if not same.any():
        none = np.zeros(len(rows), np.bool_)
        return Evidence(rows, none, none.copy())
    group = np.cumsum(~same) - 1
    place = ranked_amounts(rows, within_one_batch(group, batch), ratios)
    order = np.lexsort((rows.unit, place, -batch, group))
    ordered = group[order]
    heads = starts_of_runs(ordered)
    winner = order[heads]
    sizes = np.diff(np.append(heads, len(order)))
    second = order[np.minimum(heads + 1, len(order) - 1)]
    last = np.maximum.reduceat(np.where(batch[order] == np.repeat(batch[winner], sizes), place[order], -1), heads)
    twice = (sizes > 1) & (batch[second] == batch[winner]) & (last > place[winner])
    earlier = (sizes > 1) & (batch[order[heads + sizes - 1]] != batch[winner])
    return Evidence(rows.take(winner), twice, earlier)


def within_one_batch(group: I64, batch: I32) -> Mask:
    """Mark the rows whose batch says more than one thing of their moment: amounts decide only between those."""
    here = np.flatnonzero(np.bincount(group)[group] > 1)
    here = here[np.lexsort((batch[here], group[here]))]
    heads = starts_of_runs(group[here], batch[here])
    sizes = np.diff(np.append(heads, len(here)))
    out = np.zeros(len(group), np.bool_)
    out[here[np.repeat(sizes > 1, sizes)]] = True
    return out


def ranked_amounts(rows: RawRows, crowded: Mask, ratios: Sequence[Fraction]) -> I64:
    """Rank the amounts of rows that share their moment with others: by magnitude, then by value; equals rank equal."""
    here = np.flatnonzero(crowded)
    amounts = [
        ratios[unit] * mantissa * Fraction(10) ** exponent
        for mantissa, exponent, unit in zip(
            rows.mantissa[here].tolist(), rows.exponent[here].tolist(), rows.unit[here].tolist(), strict=True
        )
    ]
    keys = sorted({(abs(amount), amount) for amount in amounts})
    number = {amount: rank for rank, (_, amount) in enumerate(keys)}
    out = np.zeros(len(rows), np.int64)
    out[here] = [number[amount] for amount in amounts]
    return out


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Stored readings of channels (sorted by channel and moment) and their batches.

    By channel (sorted): `from_us`, from which on all its readings are here, and `trust_us`, from which on derived
    intervals are to be trusted and compared.
    """

    rows: RawRows
    batch: I32
    channels: I32
    from_us: I64
    trust_us: I64


def near_of(first_new_us: I64, whole: Mask, tz: ZoneInfo) -> I64:
    """Give how far back to look for the neighbourhood of first new readings; `whole`: to the channel's beginning."""
    return np.where(whole, EARLIEST_US, day_floors(first_new_us, tz) - NEAR_DAYS * DAY_US)


def neighbourhood(engine: Engine, snapshot: Snapshot, channels: I32, first_new_us: I64, whole: Mask) -> Neighbourhood:
    """Fetch stored readings around the new ones of each channel.

    `whole` marks channels that must be read from their beginning (their remainders chain).
    """
    near = near_of(first_new_us, whole, engine.tz)
    table = raw_readings(engine, snapshot, pa.table({"channel": channels, "from_us": near}))
    trust = trusted_from(RawRows.from_arrow(table), channels, near, first_new_us, engine.tz)
    lacking = np.flatnonzero((trust == EARLIEST_US) & (near != EARLIEST_US))
    if len(lacking) and not older(snapshot, int(near[lacking].max()), engine):
        near[lacking], lacking = EARLIEST_US, lacking[:0]
    if len(lacking):
        keep = ~np.isin(table["channel"].to_numpy(), channels[lacking])
        far = pa.table({"channel": channels[lacking], "from_us": np.full(len(lacking), EARLIEST_US)})
        table = pa.concat_tables([table.filter(pa.array(keep)), raw_readings(engine, snapshot, far)])
        table = table.sort_by([("channel", "ascending"), ("at_us", "ascending")])
        near[lacking] = EARLIEST_US
    batch = table["batch"].to_numpy().astype(np.int32, copy=False)
    return Neighbourhood(RawRows.from_arrow(table), batch, channels, near, trust)


def older(snapshot: Snapshot, moment_us: int, engine: Engine) -> bool:
    """Tell whether the store may hold readings from before a moment."""
    day = engine.day_of(moment_us)
    return bool(
        snapshot.rows(
            """select 1 from lake_file where lake = 'raw' and live and day <= ?
                union all select 1 from raw where at_us < ? limit 1""",
            [day, moment_us],
        )
    )


def trusted_from(rows: RawRows, channels: I32, near: I64, first_new_us: I64, tz: ZoneInfo) -> I64:
    """Find for each channel the start of the local day before the neighbourhood of its first new reading.

    Evidence is complete for a day and NEIGHBOURS readings before that. `rows` are all readings from `near` on (sorted);
    where too few of them stand before the first new one, the answer is the beginning of the channel.
    """
    out = np.full(len(channels), EARLIEST_US, np.int64)
    if not len(rows):
        return out
    local = np.minimum(np.searchsorted(channels, rows.channel), len(channels) - 1)
    size = len(channels)
    heads = np.searchsorted(rows.channel, channels, side="left")
    before = np.bincount(local[rows.at_us < first_new_us[local]], minlength=size)
    likely = (near != EARLIEST_US) & (before >= 2 * NEIGHBOURS)
    neighbour = rows.at_us[np.where(likely, heads + before - NEIGHBOURS, 0)]
    start = day_floors(neighbour, tz) - 2 * DAY_US
    enough = np.bincount(local[rows.at_us < start[local]], minlength=size) >= NEIGHBOURS
    found = likely & enough & (start - 2 * DAY_US >= near)
    out[found] = start[found] + DAY_US
    return out


def day_floors(moments_us: I64, tz: ZoneInfo) -> I64:
    """Give the start of the local day that holds each moment."""
    if not len(moments_us):
        return moments_us
    _, edges = day_edges(int(moments_us.min()), int(moments_us.max()), tz)
    return edges[np.searchsorted(edges, moments_us, side="right") - 1]
