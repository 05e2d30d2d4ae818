"""What a batch's new raw readings change: intervals, rollups and findings written, then remembered once durable."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Writing
from quintet.store.recent import Recent
from quintet.vee import Rules

from .difference import WITHDRAWN, Change, rollups
from .extend import Extension, extend
from .meaning import Meaning
from .rows import I32, WORKERS, IntervalRows, RawRows, constant, cuts
from .settle import Outcome, Settlement
from .tails import Tails


@dataclass(frozen=True)
class Settled:
    """What a batch settled: for the caches, once it is durable."""

    changes: list[tuple[IntervalRows, pa.Table]] = field(default_factory=list[tuple[IntervalRows, pa.Table]])
    extended: list[tuple[IntervalRows, I32]] = field(default_factory=list[tuple[IntervalRows, I32]])
    ends: list[tuple[IntervalRows, I32]] = field(default_factory=list[tuple[IntervalRows, I32]])


class Effects:
    """Works out what new readings change, the short way or the long one, and keeps the caches in step."""

    def __init__(self, engine: Engine, rules: Rules, tails: Tails, recent: Recent) -> None:
        """Work on an engine by rules; `tails` and `recent` are kept in step with what was committed."""
        self._engine = engine
        self._rules = rules
        self.tails = tails
        self.recent = recent

    def settle(self, writing: Writing, new: RawRows, meaning: Meaning, names: list[str]) -> Settled:
        """Write what new raw rows change: the short way for those that continue their channels, else the long one."""
        tz = self._engine.tz
        done = Settled()

        def short(bounds: tuple[int, int]) -> tuple[Extension, pa.Table, pa.Table]:
            part = new.take(np.arange(*bounds))
            extension = extend(part, self.tails, self.recent, meaning, names, self._rules, tz)
            return extension, *rollups(extension.change, tz, writing.batch.id)

        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            for extension, by_hour, by_day in pool.map(short, cuts(new.channel)):
                write_change(writing, extension.change, by_hour, by_day)
                writing.append("finding", with_batch(extension.findings, writing.batch.id))
                done.changes.append((extension.change.rows, by_day))
                done.extended.append((extension.rows, extension.channels))
        taken = np.concatenate([channels for _, channels in done.extended] or [new.channel[:0]])
        rest = new.take(~np.isin(new.channel, taken)) if len(taken) else new
        settlement = Settlement(self._engine, meaning, self._rules, names, writing.batch.id)
        for outcome in settlement.outcomes(writing, rest, self.tails):
            write_outcome(writing, outcome, done)
        return done

    def advance(self, new: RawRows, done: Settled) -> None:
        """Take a committed batch's readings into the tails; all of it is durable by now."""
        for rows, channels in done.extended:
            self.tails.settle(rows, channels)
        taken = np.concatenate([channels for _, channels in done.extended] or [new.channel[:0]])
        self.tails.advance(new)
        self.tails.calm[new.channel[~np.isin(new.channel, taken)]] = False
        for ends, calm in done.ends:
            self.tails.settle(ends, calm)

    def remember(self, done: Settled, meaning: Meaning) -> None:
        """Take what a committed batch changed into the memory of the newest days."""
        for rows, by_day in done.changes:
            quality = np.where(rows.quality == WITHDRAWN, 0, rows.quality).astype(np.uint8)
            self.recent.take_intervals(
                rows.channel, rows.start_us, rows.value, quality, meaning.cadence_us, meaning.phase_us
            )
            columns = (by_day[name].to_numpy() for name in ("channel", "day", "value", "arrived", "estimated"))
            self.recent.take_sums(*columns)


def write_outcome(writing: Writing, outcome: Outcome, done: Settled) -> None:
    """Append what the evidence of some channels gives, and keep it for the caches."""
    write_change(writing, outcome.change, outcome.by_hour, outcome.by_day)
    writing.append("finding", outcome.findings)
    writing.append("chained", outcome.chained)
    done.ends.append((outcome.ends, outcome.calm))
    done.changes.append((outcome.change.rows, outcome.by_day))


def write_change(writing: Writing, change: Change, by_hour: pa.Table, by_day: pa.Table) -> None:
    """Append new versions of intervals and the differences they make to the rollups."""
    writing.append("interval", change.rows.to_arrow(writing.batch.id))
    writing.append("rollup_hour", by_hour)
    writing.append("rollup_day", by_day)


def with_batch(table: pa.Table, batch: int) -> pa.Table:
    """Add the batch's number to rows."""
    return table.append_column("batch", constant(batch, table.num_rows))
