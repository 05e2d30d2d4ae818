"""The one write path: decoded readings become committed raw readings, intervals, rollups and findings."""

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from quintet.registry import Registration, Registry, apply_settings, from_dataset
from quintet.store.audit import audit
from quintet.store.book import add_unit_codes, append_records, read_records, unit_codes
from quintet.store.edits import edited_until
from quintet.store.engine import Batch, Engine, Writing
from quintet.store.quarantine import (
    DISMISSED,
    Step,
    Wanted,
    append_problems,
    append_steps,
    faulty_sources,
    new_problems,
    quarantined,
)
from quintet.store.recent import Recent
from quintet.store.records import Record, believed
from quintet.terms.errors import QuintetError
from quintet.terms.tables import QUARANTINE
from quintet.vee import Rules

from .bounds import limits
from .clocks import refuse_other_clock
from .delivery import Delivery, Outcome, Receipt
from .difference import WITHDRAWN, Change, rollups
from .edits import UNDONE, Edits
from .effects import Effects, Settled, write_outcome
from .estimators import KIND as DECIDED
from .estimators import estimated_anew
from .evidence import Amounts, without_known, without_repeats
from .faulty import Faulty
from .groups import Groups
from .meaning import Meaning
from .normalise import Normalised, Normaliser
from .replay import Decode, Replay, Replayed
from .rows import I32, WORKERS, IntervalRows, RawRows
from .settle import Settlement
from .tails import NEVER, Tails
from .telling import Committed, Listener, Telling
from .waking import remember_stored, wake

MOST_ROWS = 24_000_000
"""Readings taken into one batch: 24 million at 23 bytes are 0.55 GB of the owner's 2 GB."""

DECISION = "decision"
"""The kind of batches that hold what a person decided: each record of theirs is in the audit chain."""

Progress = Callable[[int], None]


def now_us() -> int:
    """Give the present moment in microseconds since 1970."""
    return time.time_ns() // 1000


@contextmanager
def resting_collector() -> Generator[None]:
    """Make a million objects, none of them garbage, without the collector looking through them again and again.

    That halves the time that a registry of 17,000 households takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class RegisterReceipt:
    """What became of a list of meters: dated statements committed, meters that could not be registered."""

    registered: int
    changed: int
    quarantined: int


class Said:
    """What one state of the registry says, worked out when it is asked for."""

    def __init__(self, registry: Registry, unit_number: Callable[[str], int], rules: Rules) -> None:
        """Hold a registry; `unit_number` numbers units as received."""
        self.registry = registry
        self._unit_number, self._rules = unit_number, rules

    @cached_property
    def meaning(self) -> Meaning:
        """Give what the registry says of channels, as arrays."""
        return Meaning.of(self.registry)

    @cached_property
    def normaliser(self) -> Normaliser:
        """Give what resolves names."""
        return Normaliser(self.registry, self.meaning, self._unit_number, self._rules)


class Pipeline:
    """Commits readings and registry statements of one city. All evidence of a channel gives its intervals, always."""

    def __init__(self, engine: Engine, rules: Rules, *, now: Callable[[], int] = now_us) -> None:
        """Write through an engine, judging by rules; `now` gives the moment of receipt in microseconds."""
        self._engine = engine
        self._rules = rules
        self._now = engine.now = now
        self._edge = threading.Lock()
        self._said: Said | None = None
        self._changes = 0
        self.recent = Recent(engine.tz)
        with engine.snapshot() as snapshot:
            self._units = unit_codes(snapshot)
            self._stored_units = len(self._units)
            self._faulty = Faulty(faulty_sources(snapshot))
            self.tails = Tails.load(snapshot)
            remember_stored(engine, snapshot, self.recent, self.meaning())
            wake(snapshot, self.recent, self.meaning(), self.tails, rules)
        self._effects = Effects(engine, rules, self.tails, self.recent)
        self.listeners: list[Listener] = []
        self._telling = Telling()
        self._groups = Groups(self, engine, now)
        self.edits = Edits(self, engine, rules)

    @property
    def registry_at_hand(self) -> bool:
        """Whether the registry as it stands is laid out: after a change the first who asks waits for that."""
        return self._said is not None

    def registry(self) -> Registry:
        """Give the registry as it stands now."""
        return self._said_now().registry

    def meaning(self) -> Meaning:
        """Give what the registry says of channels, as arrays."""
        return self._said_now().meaning

    def normaliser(self) -> Normaliser:
        """Give what resolves names by the registry as it stands."""
        return self._said_now().normaliser

    def warm(self) -> None:
        """Work out what the first commit will need of the registry: half a second for 17,000 households."""
        self.normaliser()
        self.meaning().warm()

    def prepared(self, delivery: Delivery) -> Delivery:
        """Resolve the names of a large delivery in the thread that brings it: commits then find that done."""
        if delivery.readings.num_rows < limits().ahead_rows:
            return delivery
        normaliser = self.normaliser()
        rows = normaliser.normalise(delivery.readings, QUARANTINE.empty_table(), delivery.received_us, "")
        return replace(delivery, named=(normaliser, rows))

    def amounts(self) -> Amounts:
        """Give what compares readings in different units, by the registry as it stands."""
        return Amounts(list(self._units), self.meaning().unit)

    def _said_now(self) -> "Said":
        """Give what the registry says now; what is read while a change is committed is not kept."""
        said, changes = self._said, self._changes
        if said is None:
            with self._engine.snapshot() as snapshot, resting_collector():
                registry = Registry.from_records(believed(read_records(snapshot)))
            said = Said(registry, self._unit_number, self._rules)
            with self._edge:
                if changes == self._changes:
                    self._said = said
        return said

    def _forget_said(self) -> None:
        """Read the registry anew from now on."""
        with self._edge:
            self._said = None
            self._changes += 1
        self._faulty.forget()

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
        refuse_other_clock(settings or {}, self._engine.tz, source)
        registry = self.registry()
        before = set(registry.channel_ids)
        found: Registration = from_dataset(registry, meters, settings=settings, mapping=mapping, source=source)
        self.apply_records(found.records, kind="registry", source=source, actor=actor, problems=found.problems)
        added = len(set(self.registry().channel_ids) - before)
        return RegisterReceipt(added, len(found.records), found.problems.num_rows)

    def describe(self, settings: dict[str, object], *, source: str, actor: str) -> int:
        """Take a city's settings (city.toml) into the registry; give the number of new statements."""
        refuse_other_clock(settings, self._engine.tz, source)
        records = apply_settings(self.registry(), settings)
        self.apply_records(records, kind="registry", source=source, actor=actor)
        return len(records)

    @property
    def heard(self) -> bool:
        """Whether a reading was ever committed."""
        return bool((self.tails.at_us > NEVER).any())

    def adopt_clock(self, tz: ZoneInfo, source: str) -> bool:
        """Go by another clock, if no reading was committed yet; tells whether that is so."""
        with self._engine.exclusive():
            if self.heard:
                return False
            self._engine.move_clock(tz, source, self._now())
            self._effects.set_clock(tz)
            return True

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
        with self._engine.exclusive():
            with self._engine.snapshot() as snapshot:
                faulty = QUARANTINE.empty_table() if problems is None else new_problems(snapshot, problems)
            if not records and not faulty.num_rows:
                return
            after = Meaning.of(self.registry().with_records(records))
            changed = after.changed_from(self.meaning())
            with self._engine.snapshot() as snapshot:
                subjects = after.subjects(range(len(after.kind)))
                anew = estimated_anew(snapshot, subjects, after.order, self.meaning().order)
            changed = np.union1d(changed, anew)
            changed = changed[self.tails.heard(changed)]
            done = Settled()
            with self._engine.writing(kind, source, actor, self._now()) as writing:
                append_records(writing, records)
                for record in records:
                    if record.kind == DECIDED or kind == DECISION:
                        said = {"decided": record.body, "source": source}
                        audit(writing, action="decision", subject=f"{record.kind}:{record.key}", detail=said)
                if stated := sum(record.kind != DECIDED for record in records):
                    audit(writing, action="registry", subject=source, detail={"kind": kind, "statements": stated})
                if len(changed):
                    settlement = self.settlement(writing, after)
                    for outcome in settlement.again(writing, changed):
                        write_outcome(writing, outcome, done)
                append_problems(writing, faulty)
                writing.batch.accepted, writing.batch.quarantined = len(records), faulty.num_rows
                writing.then(partial(self._taken_records, changed, done, writing.batch))
            self._telling.tell(self.listeners)

    def settlement(self, writing: Writing, meaning: Meaning | None = None) -> Settlement:
        """Give what derives channels anew as part of a batch, by the registry as it stands or will."""
        names, edited_us = list(self._units), self.tails.edited_us
        said = meaning or self.meaning()
        return Settlement(self._engine, said, self._rules, names, writing.batch.id, edited_us=edited_us)

    def take_assigned(self, channels: I32, done: Settled, batch: Batch) -> None:
        """Take assigned estimates that are in the store into memory: nothing may simply continue their channels."""
        self.tails.calm[channels] = False
        self._remember(batch, done)

    def take_marks(self, done: Settled, batch: Batch) -> None:
        """Take marks that are in the store into memory: readings continue their channels as they did."""
        self._remember(batch, done)

    def tell(self) -> None:
        """Tell who listens what was committed."""
        self._telling.tell(self.listeners)

    def _taken_records(self, changed: I32, done: Settled, batch: Batch) -> None:
        """Take statements that are in the store into memory; `changed` are the channels they change."""
        self._forget_said()
        self.tails.calm[changed] = False
        self._remember(batch, done)

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
        this returns, all that the receipt counts is durable. Others commit while the parts are read: names are those of
        the registry when a row was read, as if it had been committed then.
        """
        total = Receipt()
        pending: list[Normalised] = []
        seen = 0
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
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
        if self._faulty.to_look_at(source):
            with self._engine.exclusive():
                replay = Replay(self, self._engine, None, actor)
                replay.run(Wanted(source=source), take=False)
                self._faulty.looked(source, *replay.waits)
        return total

    def replay(self, wanted: Wanted, *, actor: str, decode: Decode | None = None, take: bool = True) -> Replayed:
        """Try quarantined readings again; with `take` off, only settle those that another reading stands for by now.

        `decode` reads whole payloads again as their door does. A second call changes nothing.
        """
        return Replay(self, self._engine, decode, actor).run(wanted, take=take)

    def dismiss(self, ids: list[int], *, reason: str, actor: str) -> int:
        """Say of quarantined rows that nobody wants them; gives how many were open until now."""
        with self._engine.exclusive():
            with self._engine.snapshot() as snapshot:
                found = quarantined(snapshot, Wanted(ids=tuple(ids)), limit=len(ids)).to_pylist() if ids else []
            if found:
                with self._engine.writing("quarantine", "dismiss", actor, self._now()) as writing:
                    append_steps(writing, [Step(row["id"], DISMISSED, row["code"], reason) for row in found])
                    said = {"ids": sorted(row["id"] for row in found), "reason": reason}
                    audit(writing, action="dismiss", subject="quarantine", detail=said)
        return len(found)

    def _commit_rows(self, pending: list[Normalised], source: str, actor: str) -> Receipt:
        """Commit one batch of normalised rows."""
        refused = pa.concat_tables(found.quarantine.cast(QUARANTINE) for found in pending)
        arrived = without_repeats(RawRows.concat([found.rows for found in pending]))
        pending.clear()
        with self._engine.exclusive():
            self.tails.grow(int(arrived.rows.channel[-1]) if len(arrived.rows) else 0)
            with self._engine.snapshot() as snapshot:
                arrived = without_known(self._engine, snapshot, arrived, self.tails.at_us, self.amounts())
                refused = new_problems(snapshot, refused)

            def more(writing: Writing) -> None:
                append_problems(writing, refused)
                writing.batch.duplicate, writing.batch.quarantined = arrived.duplicate, refused.num_rows

            self.write(arrived.rows, more, source=source, actor=actor)
            if refused.num_rows:
                self._faulty.add(source)
        return Receipt(len(arrived.rows), arrived.duplicate, 0, refused.num_rows)

    def commit_group(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        """Commit deliveries in as few batches as their contradictions allow; gives what became of each, in order.

        When this returns, every Outcome is durable; a QuintetError says why nothing of that delivery was taken. Raises
        what a commit raises: then the deliveries before the failure may be durable, and can be sent again.
        """
        out: list[Outcome | QuintetError] = []
        while len(out) < len(deliveries):
            out += self.commit_some(deliveries[len(out) :])
        return out

    def commit_some(self, deliveries: list[Delivery]) -> list[Outcome | QuintetError]:
        """Commit the first deliveries, at least one, up to where one contradicts another, as one batch."""
        out = self._groups.commit(deliveries)
        if self._telling.waits:
            with self._engine.exclusive():
                self._telling.tell(self.listeners)
        for delivery, one in zip(deliveries, out, strict=False):
            if isinstance(one, Outcome) and one.receipt.quarantined:
                self._faulty.add(delivery.source)
        return out

    def write(self, rows: RawRows, more: Callable[[Writing], None], *, source: str, actor: str) -> Batch:
        """Commit new raw rows (sorted by channel and moment, none of them known) and what `more` appends, as one batch.

        Call it inside the engine's `exclusive`, in which the rows were compared with what is known.
        """
        with self._engine.writing("readings", source, actor, self._now()) as writing:
            names = list(self._units)
            if len(names) > self._stored_units:
                add_unit_codes(writing, unit_codes(writing), names)
            writing.append("raw", rows.to_arrow(writing.batch.id))
            done = self._effects.settle(writing, rows, self.meaning(), names)
            writing.batch.accepted = len(rows)
            writing.then(partial(self._taken_rows, rows, done, writing.batch, len(names)))
            more(writing)
        self._telling.tell(self.listeners)
        return writing.batch

    def write_edit(self, actor: str, appended: IntervalRows, change: Change, more: Callable[[Writing], None]) -> Batch:
        """Commit an edit's rows, the change that they make (quality 0: to nothing), and what `more` appends.

        Call it inside the engine's `exclusive`, in which the change was worked out.
        """
        with self._engine.writing("edit", "edit", actor, self._now()) as writing:
            by_hour, by_day = rollups(change, self._engine.tz, writing.batch.id)
            for name, table in (("rollup_hour", by_hour), ("rollup_day", by_day)):
                writing.append(name, table)
            writing.append("interval", appended.to_arrow(writing.batch.id))
            writing.batch.accepted = len(change.rows)
            writing.then(partial(self._taken_edit, appended, change.rows, by_day, writing.batch))
            more(writing)
        self._telling.tell(self.listeners)
        return writing.batch

    def _taken_edit(self, appended: IntervalRows, rows: IntervalRows, by_day: pa.Table, batch: Batch) -> None:
        """Take an edit that is in the store into memory: first what it takes back, then what stands now."""
        with self._engine.snapshot() as snapshot:
            self.tails.edited_us[:] = NEVER
            self.tails.edit(*edited_until(snapshot))
        marks = appended.take(appended.quality == UNDONE)
        if len(marks):
            self._effects.remember(Settled([(marks, by_day.slice(0, 0))]), self.meaning())
        quality = np.where(rows.quality == 0, WITHDRAWN, rows.quality).astype(np.uint8)
        self._remember(batch, Settled([(IntervalRows(rows.channel, rows.start_us, rows.value, quality), by_day)]))

    def _taken_rows(self, rows: RawRows, done: Settled, batch: Batch, units: int) -> None:
        """Take rows that are in the store into memory; `units` are the unit names stored by now."""
        self._stored_units = units
        self._effects.advance(rows, done, self.meaning())
        self._faulty.heard(rows)
        self._remember(batch, done)

    def _remember(self, batch: Batch, done: Settled) -> None:
        """Take what a batch changed into memory, to be told to who listens."""
        self._effects.remember(done, self.meaning())
        if self.listeners:
            changed = IntervalRows.concat([rows for rows, _ in done.changes]) if done.changes else None
            self._telling.note(Committed(batch, changed))

    def _unit_number(self, name: str) -> int:
        """Give a number to a unit as received; new numbers are stored with the batch that brings them."""
        with self._edge:
            return self._units.setdefault(name, len(self._units))
