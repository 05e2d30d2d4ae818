"""What each of many meters came to on each local day: rows of the daily rollup laid out as arrays, never grouped.

A year of 17,000 households is 31 million cells: with one set a meter it would be as many groups.
"""

from collections.abc import Set

import numpy as np
import pyarrow as pa

from quintet.store.read import day_rows
from quintet.store.set_flows import folded_until, set_pairs
from quintet.terms.amount import Ints
from quintet.terms.period import day_edges

from .flows import Amounts
from .sets import Asked, Mask, SetSums, day_starts, parted, set_sums

DAYS_AT_ONCE = 32
"""Days read together: 2.7 million rows of 17,000 households, some 100 MB."""


def channel_days(moment: Asked, rows: pa.Table, edges_us: Ints, events: Set[int], *, lean: bool = False) -> SetSums:
    """Sum each row (SET_COLUMNS, its `key` being its number) on each of the local days between edges.

    `lean` as `set_sums` has it.
    Channels that count once, and on whole days, are read from the daily rollup as it lies; all others as sets are.
    """
    first, midnights = day_edges(int(edges_us[0]), int(edges_us[-1]) - 1, moment.engine.tz)
    days = day_starts(first, midnights, np.arange(len(midnights) - 1))
    plain = _plain(rows, first, midnights)
    if moment.scratch or not plain.any():
        return set_sums(moment, rows, rows.num_rows, edges_us, events, lean=lean)
    out = set_sums(moment, rows, rows.num_rows, edges_us, events, read=~plain, lean=lean)
    whole, _ = parted(rows.filter(pa.array(plain)), first, midnights)
    newer = _laid(moment, whole, days, out)
    if moment.batch is not None and newer.num_rows:
        found = set_pairs(moment.engine, moment.snapshot, days, whole, newer, moment.batch)
        cell = (found["key"].to_numpy(), found["period"].to_numpy())
        np.add.at(out.value, cell, found["value"].cast(pa.int64()).to_numpy())
        np.add.at(out.arrived_min, cell, found["arrived_min"].to_numpy())
        np.add.at(out.estimated_min, cell, found["estimated_min"].to_numpy())
    return out


def _plain(rows: pa.Table, first: int, midnights: Ints) -> Mask:
    """Mark rows whose channel has no other row, and that count with their whole value on whole days."""
    channel = rows["channel"].to_numpy()
    often = np.bincount(np.maximum(channel, 0), minlength=1)
    once = (channel >= 0) & (often[np.maximum(channel, 0)] == 1) & (rows["clip"].to_numpy() == 0)
    _, cut = parted(rows, first, midnights)
    once[cut["key"].to_numpy()] = False
    return once


def _laid(moment: Asked, rows: pa.Table, days: pa.Table, out: SetSums) -> pa.Table:
    """Add what the daily rollup holds of rows; give `channel` and `day` where it holds more than was known."""
    number = days["day"].to_numpy()
    names = ("channel", "key", "sign", "cadence_min")
    channel, key, sign, minutes = (rows[name].to_numpy().astype(np.int64) for name in names)
    row_of = np.full(int(channel.max(initial=0)) + 1, -1, np.int64)
    row_of[channel] = np.arange(len(channel))
    since, until = (rows[name].to_numpy() for name in ("first_day", "end_day"))
    folded = folded_until(moment.snapshot, int(number[0]), int(number[-1]))
    fold = np.array([folded.get(day, -1) for day in number.tolist()], np.int64)
    newer: list[tuple[Ints, Ints]] = []
    for low in range(0, len(number) - 1, DAYS_AT_ONCE):
        last = min(low + DAYS_AT_ONCE, len(number) - 1) - 1
        found = day_rows(moment.snapshot, int(number[low]), int(number[last]))
        who, day, batch = (found[name].to_numpy() for name in ("channel", "day", "batch"))
        own = np.where(who < len(row_of), row_of[np.minimum(who, len(row_of) - 1)], -1)
        counts = (own >= 0) & (day >= since[own]) & (day < until[own])
        if moment.batch is not None:
            mixed = counts & (batch > moment.batch) & (batch <= fold[day - number[0]])
            newer.append((who[mixed], day[mixed]))
            counts &= batch <= moment.batch
        own, at = own[counts], day[counts].astype(np.int64) - number[0]
        cell = key[own] * (len(number) - 1) + at
        alone = batch[counts] <= fold[at]  # what is folded is one row a cell
        _add(out.value, cell, alone, sign[own] * found["value"].to_numpy()[counts])
        for name, total in (("arrived", out.arrived_min), ("estimated", out.estimated_min)):
            _add(total, cell, alone, found[name].to_numpy()[counts] * minutes[own])
    who, day = (np.concatenate(column) for column in zip(*newer, strict=True)) if newer else (number[:0], number[:0])
    return pa.table({"channel": pa.array(who, pa.int32()), "day": pa.array(day, pa.int32())})


def _add(total: Amounts, cell: Ints, alone: Mask, amounts: Ints) -> None:
    """Add amounts to cells (their place in the flat array); a cell occurs at most once among those marked `alone`."""
    flat, amounts = total.reshape(-1), amounts.astype(total.dtype, copy=False)  # of one kind: `at` is slow on two
    if alone.all():
        flat[cell] += amounts
        return
    flat[cell[alone]] += amounts[alone]
    np.add.at(flat, cell[~alone], amounts[~alone])
