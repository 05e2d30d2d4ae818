"""The one write path: decoded readings become committed raw readings, intervals, rollups and findings."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from quintet.registry import Registration, Registry, apply_settings, from_dataset
from quintet.store.book import add_unit_codes, append_records, read_records, unit_codes
from quintet.store.engine import Batch, Engine, Snapshot
from quintet.store.recent import Recent
from quintet.store.records import Record, believed
from quintet.terms.tables import QUARANTINE
from quintet.vee import Rules

from .effects import Effects, Settled, with_batch, write_outcome
from .evidence import without_known, without_repeats
from .meaning import Meaning
from .normalise import Normalised, Normaliser
from .rows import WORKERS, IntervalRows, RawRows
from .settle import Settlement
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


@dataclass(frozen=True, slots=True)
class Committed:
    """A durable batch, and the intervals it changed (quality WITHDRAWN: there is none any more), None for none."""

    batch: Batch
    rows: IntervalRows | None


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
            remember_stored(engine, snapshot, self.recent, self.meaning())
        self._effects = Effects(engine, rules, self.tails, self.recent)
        self.listeners: list[Callable[[Committed], None]] = []

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
        self._tell(writing.batch, done)

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
            done = self._effects.settle(writing, arrived.rows, self.meaning(), names)
            batch = writing.batch
            batch.accepted, batch.duplicate, batch.quarantined = len(arrived.rows), arrived.duplicate, refused.num_rows
        self._effects.advance(arrived.rows, done)
        self._tell(batch, done)
        return Receipt(len(arrived.rows), arrived.duplicate, 0, refused.num_rows)

    def _tell(self, batch: Batch, done: Settled) -> None:
        """Take what a durable batch changed into memory, then tell who listens."""
        self._effects.remember(done, self.meaning())
        if self.listeners:
            changed = IntervalRows.concat([rows for rows, _ in done.changes]) if done.changes else None
            for listener in self.listeners:
                listener(Committed(batch, changed))

    def _unit_number(self, name: str) -> int:
        """Give a number to a unit as received; new numbers are stored with the batch that brings them."""
        return self._units.setdefault(name, len(self._units))


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
