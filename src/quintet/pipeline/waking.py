"""What a city remembers when it is opened: the newest days, and which channels a reading may simply continue.

Without it each channel's first reading would take the long way, and the first quarter-hour of a city half a minute.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Snapshot
from quintet.store.read import OUTRANKING, UNDONE, quoted, standing_sql
from quintet.store.recent import KEPT_DAYS, KEPT_SUMS, Recent
from quintet.terms.errors import Damaged
from quintet.terms.period import day_of_number, day_start, to_us
from quintet.vee import Rules

from .difference import BENEATH, WITHDRAWN
from .extend import EVEN_KINDS, even_span, quiet_span
from .meaning import Meaning
from .rows import I32, I64, U8, WORKERS, IntervalRows, Mask
from .settle import EVEN
from .tails import NEVER, Tails

CHANNELS_AT_ONCE = 10_000
"""Channels looked at together: three days of 15 minutes are 26 MB."""


def remember_stored(engine: Engine, snapshot: Snapshot, recent: Recent, meaning: Meaning) -> None:
    """Fill the memory of the newest days from the store, as it is when a city is opened."""
    newest = snapshot.rows("select max(day) from rollup_day")[0][0]
    if newest is None:
        return
    days = range(newest, newest - KEPT_DAYS, -1)
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        try:
            # One thread asks the store, the others lay out what it gave.
            taken = [pool.submit(remember_day, recent, meaning, d, stored_day(engine, snapshot, d)) for d in days]
        except Damaged:
            # The city opens, so that `doctor` can name the file; memory holds only the days that come.
            recent.since, taken = newest + 1, []
    for one in taken:
        one.result()
    sums = snapshot.arrow(
        """select channel, day, sum(value)::bigint as value, sum(arrived)::bigint as arrived,
            sum(estimated)::bigint as estimated from rollup_day where day > ? group by channel, day""",
        [newest - KEPT_SUMS],
    )
    recent.take_sums(*(sums[name].to_numpy() for name in ("channel", "day", "value", "arrived", "estimated")))


def stored_day(engine: Engine, snapshot: Snapshot, day: int) -> list[pa.Table]:
    """Read a day's intervals as they were committed, one batch after another; edits, which outrank, last.

    Edits that were undone since their day was closed come right after what was closed, and take it back. That spares
    finding the effective version of each in a query: 15 s for three days of 17,000 households.
    """
    low, high = (to_us(day_start(day_of_number(number), engine.tz)) for number in (day, day + 1))
    columns = "select channel, start_us, value, quality, batch from"
    hot = "select * from interval where start_us >= $1 and start_us < $2"
    words = [
        f"{columns} interval where start_us >= $1 and start_us < $2 and quality = {UNDONE}",
        f"{columns} interval where start_us >= $1 and start_us < $2 and quality not in ({OUTRANKING})",
        f"{columns} ({standing_sql(hot)})",
    ]
    parts: list[pa.Table] = []
    if paths := snapshot.lake_paths("intervals", day, day):
        closed = "select channel, epoch_us(start) as start_us, value, quality::utinyint as quality, batch"
        parts.append(snapshot.arrow(f"{closed} from read_parquet({quoted(paths)})"))
    return [*parts, *(snapshot.arrow(sql, [low, high]) for sql in words)]


def remember_day(recent: Recent, meaning: Meaning, day: int, parts: list[pa.Table]) -> None:
    """Take a day's intervals into memory."""
    for part in map(in_order, parts):
        if part.num_rows:
            channel, start, value, quality = (part[n].to_numpy() for n in ("channel", "start_us", "value", "quality"))
            quality = np.where(quality == WITHDRAWN, 0, quality).astype(np.uint8)
            recent.take_day(day, channel, start, value, quality, (meaning.cadence_us, meaning.phase_us))


def in_order(table: pa.Table) -> pa.Table:
    """Give rows in the order of their batches: as the store gives them, or sorted."""
    return table.sort_by("batch") if (np.diff(table["batch"].to_numpy()) < 0).any() else table


def wake(snapshot: Snapshot, recent: Recent, meaning: Meaning, tails: Tails, rules: Rules) -> None:
    """Find the channels that end so evenly that a reading may simply continue them, as `settle` finds them."""
    if not len(tails.at_us) or recent.newest < recent.first_day:
        return
    clear = last_readings(snapshot, recent, tails)
    clear[snapshot.arrow("select distinct channel from chained")["channel"].to_numpy()] = False
    judged = ", ".join(f"'{rule.id}'" for rule in rules.rules if not rule.upstream)
    noticed = snapshot.arrow(
        f"select channel, max(at_us) as at_us from finding where rule not in ({judged}) group by 1"
    )
    found_us = np.full(len(tails.at_us), NEVER, np.int64)
    found_us[noticed["channel"].to_numpy()] = noticed["at_us"].to_numpy()
    channels = np.flatnonzero(clear & EVEN_KINDS[meaning.kind[: len(clear)]]).astype(np.int32)
    cadence, phase = meaning.cadence_us[channels], meaning.phase_us[channels]
    for step, shift in np.unique(np.stack([cadence, phase]), axis=1).T.tolist():
        grid = channels[(cadence == step) & (phase == shift)]
        parts = [grid[low : low + CHANNELS_AT_ONCE] for low in range(0, len(grid), CHANNELS_AT_ONCE)]
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            done = [pool.submit(wake_some, recent, own, (step, shift), tails, found_us, rules) for own in parts]
        for one in done:
            one.result()


def last_readings(snapshot: Snapshot, recent: Recent, tails: Tails) -> Mask:
    """Take each channel's newest reading into its tail; gives the channels of which just one stands there."""
    newest = pa.table({"channel": np.arange(len(tails.at_us), dtype=np.int32), "newest": tails.at_us})
    sql = """select r.channel, mantissa, exponent, unit from raw r
        join newest n on r.channel = n.channel and at_us = newest"""
    try:
        paths = snapshot.lake_paths("raw", recent.first_day, recent.newest + 1)
    except Damaged:
        paths = []
    if paths:
        sql += f""" union all select r.channel, mantissa, exponent::tinyint, unit::smallint
            from read_parquet({quoted(paths)}) r join newest n on r.channel = n.channel and epoch_us(r."at") = newest"""
    table = snapshot.arrow(sql, tables={"newest": newest})
    channel = table["channel"].to_numpy()
    for name in ("mantissa", "exponent", "unit"):
        getattr(tails, name)[channel] = table[name].to_numpy()
    return np.bincount(channel, minlength=len(tails.at_us)) == 1


def wake_some(recent: Recent, channels: I32, grid: tuple[int, int], tails: Tails, found_us: I64, rules: Rules) -> None:
    """Look at some channels of one grid; `found_us` says when their derivation last noticed something."""
    cadence = grid[0]
    held = newest_columns(recent, channels, grid)
    if held is None:
        return
    start, value, quality = held
    need = -(-int(even_span(np.array([cadence]), rules)[0]) // cadence)
    if quality.shape[1] < need:
        return
    present = quality > 0
    last = quality.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
    last_us = start + last * cadence
    even = np.cumsum(np.isin(quality, EVEN), axis=1, dtype=np.int32)
    row = np.arange(len(channels))
    before = np.where(last >= need, even[row, np.maximum(last - need, 0)], 0)
    newest = tails.at_us[channels]
    calm = present.any(axis=1) & (last >= need - 1) & (even[row, last] - before == need)
    calm &= (newest == last_us) | (newest == last_us + cadence)
    calm &= found_us[channels] <= last_us - quiet_span(np.array([cadence]))[0]
    at = last[calm][:, None] + np.arange(1 - need, 1)
    own, rows = channels[calm], row[calm][:, None]
    ends = IntervalRows(
        np.repeat(own, need), (start + at * cadence).ravel(), value[rows, at].ravel(), quality[rows, at].ravel()
    )
    tails.settle(ends, own)


def newest_columns(recent: Recent, channels: I32, grid: tuple[int, int]) -> tuple[int, I64, U8] | None:
    """Give the remembered days of channels up to the newest one, side by side: start, values, qualities (unmarked)."""
    parts: list[tuple[int, I64, U8]] = []
    for day in range(recent.first_day, recent.newest + 1):
        held = recent.days(channels, grid[0], grid[1], day)
        if held is not None:
            follows = bool(parts) and parts[-1][0] + parts[-1][1].shape[1] * grid[0] == held[0]
            parts = [*parts, held] if follows else [held]
    if not parts:
        return None
    return parts[0][0], np.hstack([part[1] for part in parts]), BENEATH[np.hstack([part[2] for part in parts])]
