"""The one write path: decoded readings become committed raw readings, intervals, rollups and findings."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from quintet.registry import Registration, Registry, apply_settings, from_dataset
from quintet.store.book import add_unit_codes, append_records, read_records, unit_codes
from quintet.store.engine import Engine, Snapshot, Writing
from quintet.store.recent import Recent
from quintet.store.records import Record, believed
from quintet.terms.tables import QUARANTINE
from quintet.vee import Rules

from .difference import WITHDRAWN, Change, rollups
from .evidence import without_known, without_repeats
from .extend import Extension, extend
from .meaning import Meaning
from .normalise import Normalised, Normaliser
from .rows import I32, WORKERS, IntervalRows, RawRows, constant, cuts
from .settle import Outcome, Settlement
from .tails import Tails, remember_stored

MOST_ROWS = 24_000_000
"""Readings taken into one batch: 24 million at 23 bytes are 0.55 GB of the owner's 2 GB."""

Progress = Callable[[int], None]


def now_us() -> int:
    """Give the present moment in microseconds since 1970."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of readings: taken, said before, refused, set aside with a reason, and not asked for."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    quarantined: int = 0
    skipped: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        """Add up two receipts."""
        return Receipt(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
            self.quarantined + other.quarantined,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True)
class RegisterReceipt:
    """What became of a list of meters: dated statements committed, meters that could not be registered."""

    registered: int
    changed: int
    quarantined: int


@dataclass(frozen=True)
class Settled:
    """What a batch settled: for the caches, once it is durable."""

    changes: list[tuple[IntervalRows, pa.Table]] = field(default_factory=list[tuple[IntervalRows, pa.Table]])
    extended: list[tuple[IntervalRows, I32]] = field(default_factory=list[tuple[IntervalRows, I32]])
    ends: list[tuple[IntervalRows, I32]] = field(default_factory=list[tuple[IntervalRows, I32]])


class Pipeline:
    """Commits readings and registry statements of one city. All evidence of a channel gives its intervals, always."""

    def __init__(self, engine: Engine, rules: Rules, *, now: Callable[[], int] = now_us) -> None:
        """Write through an engine, judging by rules; `now` gives the moment of receipt in microseconds."""
        self._engine = engine
        self._rules = rules
        self._now = engine.now = now
        self._registry: Registry | None = None
        self._meaning: Meaning | None = None
        self._normaliser: Normaliser | None = None
        self.recent = Recent(engine.tz)
        with engine.snapshot() as snapshot:
            self._units = unit_codes(snapshot)
            self.tails = Tails.load(snapshot)
            meaning = self.meaning()
            remember_stored(engine, snapshot, self.recent, meaning)

    def registry(self) -> Registry:
        """Give the registry as it stands now."""
        if self._registry is None:
            with self._engine.snapshot() as snapshot:
                self._registry = Registry.from_records(believed(read_records(snapshot)))
        return self._registry

    def meaning(self) -> Meaning:
        """Give what the registry says of channels, as arrays."""
        if self._meaning is None:
            self._meaning = Meaning.of(self.registry())
        return self._meaning

    def normaliser(self) -> Normaliser:
        """Give what resolves names by the registry as it stands."""
        if self._normaliser is None:
            self._normaliser = Normaliser(self.registry(), self._unit_number)
        return self._normaliser

    def register(
        self,
        meters: pa.Table,
        *,
        settings: dict[str, object] | None = None,
        mapping: pa.Table | None = None,
        source: str,
        actor: str,
    ) -> RegisterReceipt:
        """Take a list of meters (and a city's settings) into the registry; what cannot be registered is quarantined."""
        registry = self.registry()
        before = set(registry.channel_ids)
        found: Registration = from_dataset(registry, meters, settings=settings, mapping=mapping, source=source)
        self.apply_records(found.records, kind="registry", source=source, actor=actor, problems=found.problems)
        added = len(set(self.registry().channel_ids) - before)
        return RegisterReceipt(added, len(found.records), found.problems.num_rows)

    def describe(self, settings: dict[str, object], *, source: str, actor: str) -> int:
        """Take a city's settings (city.toml) into the registry; give the number of new statements."""
        records = apply_settings(self.registry(), settings)
        self.apply_records(records, kind="registry", source=source, actor=actor)
        return len(records)

    def apply_records(
        self,
        records: list[Record],
        *,
        kind: str,
        source: str,
        actor: str,
        problems: pa.Table | None = None,
    ) -> None:
        """Commit dated statements; nothing to say writes nothing."""
        with self._engine.snapshot() as snapshot:
            faulty = QUARANTINE.empty_table() if problems is None else new_problems(snapshot, problems)
        if not records and not faulty.num_rows:
            return
        after = Meaning.of(self.registry().with_records(records))
        changed = after.changed_from(self.meaning())
        changed = changed[self.tails.heard(changed)]
        done = Settled()
        with self._engine.writing(kind, source, actor, self._now()) as writing:
            append_records(writing, records)
            if len(changed):
                settlement = Settlement(self._engine, after, self._rules, list(self._units), writing.batch.id)
                for outcome in settlement.again(writing, changed):
                    write_outcome(writing, outcome, done)
            writing.append("quarantine", with_batch(faulty, writing.batch.id))
            writing.batch.accepted, writing.batch.quarantined = len(records), faulty.num_rows
        self._registry = self._meaning = self._normaliser = None
        self.tails.calm[changed] = False
        self._remember(done)

    def commit(
        self,
        parts: Iterable[tuple[pa.Table, pa.Table]],
        *,
        source: str,
        actor: str,
        progress: Progress | None = None,
    ) -> Receipt:
        """Commit readings (READINGS) and what a door had to set aside (QUARANTINE) as one batch.

        Within the batch order never matters. A source of more than MOST_ROWS readings becomes several batches. When
        this returns, all that the receipt counts is durable.
        """
        total = Receipt()
        pending: list[Normalised] = []
        seen = 0
        with self._engine.exclusive(), ThreadPoolExecutor(max_workers=WORKERS) as pool:
            received_us = self._now()
            waiting: deque[Future[Normalised]] = deque()
            for readings, refused in parts:
                waiting.append(pool.submit(self.normaliser().normalise, readings, refused, received_us, source))
                seen += readings.num_rows + refused.num_rows
                if progress is not None:
                    progress(readings.num_rows + refused.num_rows)
                while waiting and (len(waiting) > WORKERS or seen >= MOST_ROWS):
                    pending.append(waiting.popleft().result())
                if seen >= MOST_ROWS:
                    total += self._commit_rows(pending, source, actor)
                    pending, seen = [], 0
            pending += [found.result() for found in waiting]
            if seen:
                total += self._commit_rows(pending, source, actor)
        return total

    def _commit_rows(self, pending: list[Normalised], source: str, actor: str) -> Receipt:
        """Commit one batch of normalised rows."""
        refused = pa.concat_tables(found.quarantine.cast(QUARANTINE) for found in pending)
        arrived = without_repeats(RawRows.concat([found.rows for found in pending]))
        pending.clear()
        self.tails.grow(int(arrived.rows.channel[-1]) if len(arrived.rows) else 0)
        with self._engine.snapshot() as snapshot:
            arrived = without_known(self._engine, snapshot, arrived, self.tails.at_us)
        with self._engine.writing("readings", source, actor, self._now()) as writing:
            names = list(self._units)
            add_unit_codes(writing, unit_codes(writing), names)
            refused = new_problems(writing, refused)
            writing.append("quarantine", with_batch(refused, writing.batch.id))
            writing.append("raw", arrived.rows.to_arrow(writing.batch.id))
            done = self._settle(writing, arrived.rows, names)
            batch = writing.batch
            batch.accepted, batch.duplicate, batch.quarantined = len(arrived.rows), arrived.duplicate, refused.num_rows
        self._advance(arrived.rows, done)
        self._remember(done)
        return Receipt(len(arrived.rows), arrived.duplicate, 0, refused.num_rows)

    def _settle(self, writing: Writing, new: RawRows, names: list[str]) -> Settled:
        """Write what new raw rows change: the short way for those that continue their channels, else the long one."""
        meaning, tz = self.meaning(), self._engine.tz
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

    def _advance(self, new: RawRows, done: Settled) -> None:
        """Take a committed batch's readings into the tails; all of it is durable by now."""
        for rows, channels in done.extended:
            self.tails.settle(rows, channels)
        taken = np.concatenate([channels for _, channels in done.extended] or [new.channel[:0]])
        self.tails.advance(new)
        self.tails.calm[new.channel[~np.isin(new.channel, taken)]] = False
        for ends, calm in done.ends:
            self.tails.settle(ends, calm)

    def _remember(self, done: Settled) -> None:
        """Take what a committed batch changed into the memory of the newest days."""
        meaning = self.meaning()
        for rows, by_day in done.changes:
            quality = np.where(rows.quality == WITHDRAWN, 0, rows.quality).astype(np.uint8)
            self.recent.take_intervals(
                rows.channel, rows.start_us, rows.value, quality, meaning.cadence_us, meaning.phase_us
            )
            columns = (by_day[name].to_numpy() for name in ("channel", "day", "value", "arrived", "estimated"))
            self.recent.take_sums(*columns)

    def _unit_number(self, name: str) -> int:
        """Give a number to a unit as received; new numbers are stored with the batch that brings them."""
        return self._units.setdefault(name, len(self._units))


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


def new_problems(snapshot: Snapshot, problems: pa.Table) -> pa.Table:
    """Drop rows that stand in quarantine already, word for word: the same source sent twice changes nothing."""
    if not problems.num_rows:
        return problems
    return snapshot.arrow(
        """select p.* from (select distinct * from problems) p anti join quarantine q
            on p.source = q.source and p.row is not distinct from q.row and p.code = q.code and p.original = q.original
            order by row""",
        tables={"problems": problems},
    )


def with_batch(table: pa.Table, batch: int) -> pa.Table:
    """Add the batch's number to rows."""
    return table.append_column("batch", constant(batch, table.num_rows))
