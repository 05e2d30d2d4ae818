"""The one write path: decoded readings become committed raw readings, intervals, rollups and findings."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.registry import Registration, Registry, apply_settings, from_dataset
from quintet.store.book import add_unit_codes, append_records, read_records, unit_codes
from quintet.store.engine import Engine, Writing
from quintet.store.records import Record, believed
from quintet.terms.tables import QUARANTINE
from quintet.vee import Rules

from .difference import Change, all_new, rollups
from .evidence import Arrived, without_known, without_repeats
from .extend import extend
from .meaning import Meaning
from .normalise import Normaliser
from .rows import I32, IntervalRows, RawRows, constant
from .settle import Outcome, Settlement
from .tails import Tails

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


class Pipeline:
    """Commits readings and registry statements of one city. All evidence of a channel gives its intervals, always."""

    def __init__(self, engine: Engine, rules: Rules, *, now: Callable[[], int] = now_us) -> None:
        """Write through an engine, judging by rules; `now` gives the moment of receipt in microseconds."""
        self._engine = engine
        self._rules = rules
        self._now = now
        self._registry: Registry | None = None
        self._meaning: Meaning | None = None
        with engine.snapshot() as snapshot:
            self._units = unit_codes(snapshot)
            self.tails = Tails.load(snapshot)

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
        found: Registration = from_dataset(registry, meters, settings=settings, mapping=mapping)
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
        faulty = QUARANTINE.empty_table() if problems is None else problems
        if not records and not faulty.num_rows:
            return
        with self._engine.writing(kind, source, actor, self._now()) as writing:
            append_records(writing, records)
            writing.append("quarantine", with_batch(new_problems(writing, faulty), writing.batch.id))
            writing.batch.accepted, writing.batch.quarantined = len(records), faulty.num_rows
        self._registry = self._meaning = None

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
        pending: list[RawRows] = []
        quarantine: list[pa.Table] = []
        seen = 0
        with self._engine.exclusive():
            normaliser = Normaliser(self.registry(), self._unit_number, self._now(), source)
            for readings, refused in parts:
                found = normaliser.normalise(readings)
                pending.append(found.rows)
                quarantine += [refused, found.quarantine]
                seen += readings.num_rows + refused.num_rows
                if progress is not None:
                    progress(readings.num_rows + refused.num_rows)
                if seen >= MOST_ROWS:
                    total += self._commit_rows(pending, quarantine, source, actor)
                    pending, quarantine, seen = [], [], 0
            if seen:
                total += self._commit_rows(pending, quarantine, source, actor)
        return total

    def _commit_rows(self, pending: list[RawRows], quarantine: list[pa.Table], source: str, actor: str) -> Receipt:
        """Commit one batch of normalised rows."""
        arrived = without_repeats(RawRows.concat(pending)) if pending else Arrived(empty_rows(), 0)
        pending.clear()
        refused = pa.concat_tables(table.cast(QUARANTINE) for table in quarantine)
        self.tails.grow(int(arrived.rows.channel[-1]) if len(arrived.rows) else 0)
        with self._engine.snapshot() as snapshot:
            arrived = without_known(self._engine, snapshot, arrived, self.tails.at_us)
        names = list(self._units)
        new = arrived.rows
        with self._engine.writing("readings", source, actor, self._now()) as writing:
            add_unit_codes(writing, unit_codes(writing), names)
            refused = new_problems(writing, refused)
            writing.append("quarantine", with_batch(refused, writing.batch.id))
            writing.append("raw", new.to_arrow(writing.batch.id))
            extension = extend(new, self.tails, self.meaning(), names, self._rules, self._engine.tz)
            write_change(writing, all_new(extension.rows), self._engine.tz)
            rest = new.take(~np.isin(new.channel, extension.channels)) if len(extension.channels) else new
            settlement = Settlement(self._engine, self.meaning(), self._rules, names, writing.batch.id)
            evenly: list[tuple[IntervalRows, I32]] = []
            for outcome in settlement.outcomes(writing, rest, self.tails):
                write_outcome(writing, outcome, self._engine.tz)
                evenly.append((outcome.ends, outcome.calm))
            batch = writing.batch
            batch.accepted, batch.duplicate, batch.quarantined = len(new), arrived.duplicate, refused.num_rows
        self.tails.settle(extension.rows, extension.channels)
        self.tails.advance(new)
        self.tails.calm[rest.channel] = False
        for ends, calm in evenly:
            self.tails.settle(ends, calm)
        return Receipt(len(arrived.rows), arrived.duplicate, 0, refused.num_rows)

    def _unit_number(self, name: str) -> int:
        """Give a number to a unit as received; new numbers are stored with the batch that brings them."""
        return self._units.setdefault(name, len(self._units))


def write_outcome(writing: Writing, outcome: Outcome, tz: ZoneInfo) -> None:
    """Append what the evidence of some channels gives."""
    write_change(writing, outcome.change, tz)
    writing.append("finding", outcome.findings)
    writing.append("chained", outcome.chained)


def write_change(writing: Writing, change: Change, tz: ZoneInfo) -> None:
    """Append new versions of intervals and the differences they make to the rollups."""
    by_hour, by_day = rollups(change, tz, writing.batch.id)
    writing.append("interval", change.rows.to_arrow(writing.batch.id))
    writing.append("rollup_hour", by_hour)
    writing.append("rollup_day", by_day)


def new_problems(writing: Writing, problems: pa.Table) -> pa.Table:
    """Drop rows that stand in quarantine already, word for word: the same source sent twice changes nothing."""
    if not problems.num_rows:
        return problems
    return writing.arrow(
        """select p.* from (select distinct * from problems) p anti join quarantine q
            on p.source = q.source and p.row is not distinct from q.row and p.code = q.code and p.original = q.original
            order by row""",
        tables={"problems": problems},
    )


def with_batch(table: pa.Table, batch: int) -> pa.Table:
    """Add the batch's number to rows."""
    return table.append_column("batch", constant(batch, table.num_rows))


def empty_rows() -> RawRows:
    """Give no raw rows."""
    none = np.zeros(0, np.int64)
    return RawRows(none.astype(np.int32), none, none, none.astype(np.int8), none.astype(np.int16))
