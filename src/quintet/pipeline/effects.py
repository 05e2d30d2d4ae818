"""What a batch's new raw readings change: intervals, rollups and findings written, then remembered once durable."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.store.engine import Engine, Writing
from quintet.store.recent import Recent
from quintet.vee import Rules

from .difference import WITHDRAWN, Change, rollups
from .evidence import Neighbourhood
from .extend import Extension, extend
from .meaning import Meaning
from .recall import Recall
from .rows import SHARD_ROWS, WORKERS, IntervalRows, Mask, RawRows, constant, cuts
from .settle import Outcome, Settlement
from .tails import Tails


@dataclass(frozen=True)
class Settled:
    """What a batch settled: for the caches, once it is durable."""

    changes: list[tuple[IntervalRows, pa.Table]] = field(default_factory=list[tuple[IntervalRows, pa.Table]])
    extended: list[Extension] = field(default_factory=list[Extension])
    ends: list[Outcome] = field(default_factory=list[Outcome])
    found: list[Neighbourhood] = field(default_factory=list[Neighbourhood])

    def took(self, size: int) -> Mask:
        """Mark, of channels numbered below `size`, those that took the short way."""
        out = np.zeros(size, np.bool_)
        for extension in self.extended:
            out[extension.channels] = True
        return out

    def keep(self, outcome: Outcome) -> None:
        """Keep what the evidence of some channels gave."""
        self.ends.append(outcome)
        self.changes.append((outcome.shown, outcome.by_day))


class Lot:
    """Rows of several shards on their way to the tables: each append costs a statement, however few its rows."""

    def __init__(self, writing: Writing) -> None:
        """Write as part of a batch."""
        self._writing = writing
        self._tables: dict[str, list[pa.Table]] = {}
        self._rows = 0

    def add(
        self, change: Change, by_hour: pa.Table, by_day: pa.Table, findings: pa.Table, chained: pa.Table | None = None
    ) -> None:
        """Take one shard's rows; writes when there are as many as a shard may have."""
        interval = change.rows.to_arrow(self._writing.batch.id)
        named = {"interval": interval, "rollup_hour": by_hour, "rollup_day": by_day, "finding": findings}
        for name, table in (named if chained is None else {**named, "chained": chained}).items():
            if table.num_rows:
                self._tables.setdefault(name, []).append(table)
        self._rows += len(change.rows)
        if self._rows >= SHARD_ROWS:
            self.write()

    def write(self) -> None:
        """Append what was taken."""
        for name, tables in self._tables.items():
            self._writing.append(name, pa.concat_tables(tables))
        self._tables, self._rows = {}, 0


class Effects:
    """Works out what new readings change, the short way or the long one, and keeps the caches in step."""

    def __init__(self, engine: Engine, rules: Rules, tails: Tails, recent: Recent) -> None:
        """Work on an engine by rules; `tails` and `recent` are kept in step with what was committed."""
        self._engine = engine
        self._rules = rules
        self.tails = tails
        self.recent = recent
        self._recall = Recall(recent, engine.tz)

    def set_clock(self, tz: ZoneInfo) -> None:
        """Take days by another clock, while nothing was committed."""
        self.recent.set_clock(tz)
        self._recall.set_clock(tz)

    def settle(self, writing: Writing, new: RawRows, meaning: Meaning, names: list[str]) -> Settled:
        """Write what new raw rows change: the short way for those that continue their channels, else the long one."""
        done = Settled()
        lot = Lot(writing)
        for extension, by_hour, by_day in self._extensions(new, meaning, names, writing.batch.id):
            lot.add(extension.change, by_hour, by_day, with_batch(extension.findings, writing.batch.id))
            done.changes.append((extension.change.rows, by_day))
            done.extended.append(extension)
        rest = new.take(~done.took(len(self.tails.at_us))[new.channel])
        if len(rest):
            settlement = Settlement(
                self._engine, meaning, self._rules, names, writing.batch.id, self._recall, self.tails.edited_us
            )
            for outcome in settlement.outcomes(writing, rest, self.tails):
                lot.add(outcome.change, outcome.by_hour, outcome.by_day, outcome.findings, outcome.chained)
                done.keep(outcome)
            done.found.extend(settlement.found)
        lot.write()
        return done

    def _extensions(
        self, new: RawRows, meaning: Meaning, names: list[str], batch: int
    ) -> Generator[tuple[Extension, pa.Table, pa.Table]]:
        """Go the short way with each shard, in order; one shard needs no other thread."""
        tz = self._engine.tz

        def short(bounds: tuple[int, int]) -> tuple[Extension, pa.Table, pa.Table]:
            part = new if bounds == (0, len(new)) else new.take(np.arange(*bounds))
            extension = extend(part, self.tails, self.recent, meaning, names, self._rules, tz)
            return extension, *rollups(extension.change, tz, batch)

        shards = list(cuts(new.channel))
        if len(shards) < 2:
            yield from map(short, shards)
            return
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            yield from pool.map(short, shards)

    def advance(self, new: RawRows, done: Settled, meaning: Meaning) -> None:
        """Take a committed batch's readings into the tails; all of it is durable by now."""
        for extension in done.extended:
            self.tails.begin(extension.begun, extension.since_us, meaning.cadence_us[extension.begun])
            self.tails.settle(extension.rows, extension.channels)
        self.tails.advance(new)
        self.tails.calm[new.channel[~done.took(len(self.tails.at_us))[new.channel]]] = False
        for outcome in done.ends:
            self.tails.since_us[outcome.calm] = outcome.since_us
            self.tails.settle(outcome.ends, outcome.calm)
        self._recall.advance(new, done.found, self.tails.calm)

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
    lot = Lot(writing)
    lot.add(outcome.change, outcome.by_hour, outcome.by_day, outcome.findings, outcome.chained)
    lot.write()
    done.keep(outcome)


def with_batch(table: pa.Table, batch: int) -> pa.Table:
    """Add the batch's number to rows."""
    return table.append_column("batch", constant(batch, table.num_rows))
