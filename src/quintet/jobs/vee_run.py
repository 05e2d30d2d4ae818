"""The run over a city's days: period rules, inference, outages and exceptions, for the weeks that anything changed in.

What is found in a week is a pure function of the evidence, the registry, the events and the rules; a week is judged
again when any of them changed, so a run on what came late gives what a run from scratch gives.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quintet.pipeline.assigned import assign, lift
from quintet.pipeline.commit import Pipeline
from quintet.pipeline.difference import OF_RUNS
from quintet.pipeline.extend import rows_of_none
from quintet.pipeline.rows import I32, I64, IntervalRows
from quintet.store.engine import Engine, Snapshot
from quintet.store.events import events
from quintet.store.exceptions import OPEN, items
from quintet.store.marks import RUN
from quintet.store.read import intervals, wanted
from quintet.store.runs import (
    append_findings,
    assigned_channels,
    changed_channels,
    changed_days,
    changed_since,
    note_units,
    noted_since,
    standing_findings,
    units_seen,
)
from quintet.terms.period import day_of_number
from quintet.vee import Block, Rules
from quintet.vee.period import judge_period

from . import vee_findings as findings
from .exceptions import reconcile
from .vee_assign import Assigner, Wanted, laid_over, without
from .vee_basis import Bases, judged_until
from .vee_evidence import Evidence
from .vee_findings import NOTE
from .vee_gaps import Holes
from .vee_homes import Daily, Homes
from .vee_load import Sheet, blocks, part, shards
from .vee_marks import mark_units
from .vee_silence import Silence
from .vee_units import UNIT_DAYS, Unit, due, holds, moment, units_between
from .vee_unusable import unusable, with_noted

AT_ONCE = 4
"""Weeks that are read together: their blocks overlap."""
QUIET_AT_ONCE = 52
"""Weeks without any reading that are judged together."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: weeks judged, intervals looked at, findings and exceptions that changed, and what stands."""

    units: int
    intervals: int
    findings_changed: int
    exceptions_changed: int
    assigned_changed: int
    marks_changed: int
    findings: int
    exceptions_open: int
    batch: int


def run(
    engine: Engine,
    pipeline: Pipeline,
    rules: Rules,
    *,
    actor: str,
    days: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge the weeks that need it, as far as they are over; `days` (first, last-plus-one) asks for those in it only.

    Some weeks at a time are durable together; nothing is written where nothing is new.
    """
    done: list[Done] = []
    judged: set[int] = set()
    while groups := _due(engine, pipeline, rules, days, judged):
        # what is assigned in a week is looked at in those after it: they follow in another round
        judged |= {unit.first for group in groups for unit in group}
        for group in groups:
            lift_stale(engine, pipeline, group, actor)
            with engine.snapshot() as snapshot:
                seen = newest_batch(snapshot)
                work = Run(engine, snapshot, pipeline, rules)
                found = work.judged(group, progress)
            last = group is groups[-1]
            done.append(_commit(engine, pipeline, group, found, (seen, work.bases), rules, actor, queue=last))
    return Report(
        units=len(judged),
        intervals=sum(one.intervals for one in done),
        findings_changed=sum(one.findings_changed for one in done),
        exceptions_changed=sum(one.exceptions_changed for one in done),
        assigned_changed=sum(one.assigned_changed for one in done),
        marks_changed=sum(one.marks_changed for one in done),
        findings=stands(engine)[0],
        exceptions_open=stands(engine)[1],
        batch=done[-1].batch if done else 0,
    )


def _due(
    engine: Engine, pipeline: Pipeline, rules: Rules, days: tuple[int, int] | None, but: set[int]
) -> list[list[Unit]]:
    """List the weeks to judge, in lots, but those named."""
    with engine.snapshot() as snapshot:
        units = Run(engine, snapshot, pipeline, rules).due(engine.day_of(engine.clock_us()), days)
        quiet = {unit.first for unit in units if not holds(changed_days(snapshot), unit.before[0], unit.until)}
    return list(grouped([unit for unit in units if unit.first not in but], quiet))


@dataclass(frozen=True, slots=True)
class Done:
    """What was committed of some weeks: intervals looked at, and what changed."""

    intervals: int
    findings_changed: int
    exceptions_changed: int
    assigned_changed: int
    marks_changed: int
    batch: int


def _commit(
    engine: Engine,
    pipeline: Pipeline,
    group: list[Unit],
    judged: "Judged",
    basis: tuple[int, Bases],
    rules: Rules,
    actor: str,
    *,
    queue: bool,
) -> Done:
    """Commit what some weeks gave: first assigned estimates, then findings, marks and how far was seen.

    `basis` is the newest batch that was judged, and with what beside the readings; `queue`: bring exceptions up too.
    The queue is brought up once, with the last weeks of a run: a run that was cut short has weeks left to judge.
    """
    source, (seen, said) = "vee run", basis
    with engine.exclusive():
        with engine.snapshot() as snapshot:
            alone = not changed_since(snapshot, group[-1].until, seen) and not noted_since(snapshot, seen)
        batches = [
            assign(pipeline, engine, judged.wanted, source=source, actor=actor),
            lift(pipeline, engine, without(judged.standing, judged.wanted), source=source, actor=actor),
        ]
        with engine.writing(RUN, "run", actor, engine.clock_us()) as writing:
            changed = append_findings(writing, judged.findings, [unit.first for unit in group])
            marked = mark_units(engine, pipeline, rules, writing, group, seen)
            for unit in group:
                note_units(writing, [unit.first], writing.batch.id if alone else seen, said.of(unit))
            exceptions = reconcile(writing, pipeline.registry()) if queue else 0
        pipeline.tell()
    assigned = sum(batch.accepted for batch in batches if batch is not None)
    return Done(judged.intervals, changed, exceptions, assigned, marked, writing.batch.id)


def lift_stale(engine: Engine, pipeline: Pipeline, group: list[Unit], actor: str) -> None:
    """Take back what was assigned in some weeks to channels of which more has come since.

    What their own readings give now is derived then; what others say is assigned anew by that.
    """
    low, high = moment(group[0].first, engine.tz), moment(group[-1].until, engine.tz)
    with engine.snapshot() as snapshot:
        known = units_seen(snapshot)
        seen = min(known.get(unit.first, (-1, ""))[0] for unit in group)
        channels = changed_channels(snapshot, group[0].block[0], group[-1].until, seen)
        channels = assigned_channels(engine, snapshot, low, high, channels) if len(channels) else channels
        if not len(channels):
            return
        table = intervals(engine, snapshot, low, high, channels=channels)
    columns = (table[name].to_numpy() for name in ("channel", "start_us", "value", "quality"))
    rows = IntervalRows(*columns)
    lift(pipeline, engine, rows.take(OF_RUNS[rows.quality]), source="vee run", actor=actor)


@dataclass(frozen=True)
class Judged:
    """What some weeks gave: findings (FINDINGS), assigned estimates that are to stand and that do, intervals seen."""

    findings: pa.Table
    wanted: IntervalRows
    standing: IntervalRows
    intervals: int


def stands(engine: Engine) -> tuple[int, int]:
    """Count the findings that stand, and the exceptions that are open."""
    with engine.snapshot() as snapshot:
        return standing_findings(snapshot).num_rows, sum(item.state == OPEN for item in items(snapshot))


class Run:
    """One run at one moment of a city."""

    def __init__(self, engine: Engine, snapshot: Snapshot, pipeline: Pipeline, rules: Rules) -> None:
        """Work on what a snapshot holds."""
        self._engine, self._snapshot, self._rules = engine, snapshot, rules
        registry = self._registry = pipeline.registry()
        meaning = self._meaning = pipeline.meaning()
        self._events = events(snapshot)
        self._evidence = Evidence(engine, snapshot, registry, meaning, self._events)
        self._homes = Homes(registry, self._evidence.companions)
        self._holes = Holes(registry, meaning, self._events)
        self._assigner = Assigner(engine, snapshot, registry, meaning, self._evidence.companions, self._homes)
        self._first = first_days(snapshot, len(meaning.kind))
        self._changed = changed_days(snapshot)
        self._setting_aside = frozenset(rule.id for rule in rules.rules if rule.severity != NOTE)
        self._silence = Silence(engine, snapshot, meaning, registry, self._first)
        self.bases = Bases(snapshot, rules.fingerprint, engine.tz)

    def due(self, today: int, days: tuple[int, int] | None) -> list[Unit]:
        """List the weeks from the first reading until today, or the end of `days`, that must be judged.

        A week that was judged further already is not judged less far.
        """
        first, changed = (
            self._changed[0],
            with_noted(self._changed, self._snapshot, self._setting_aside, self._engine.tz),
        )
        low, high = days if days is not None else (-(2**31), today)
        seen = units_seen(self._snapshot)
        units: list[Unit] = []
        for unit in units_between(int(first[0]), min(today, high)) if len(first) else ():
            before = judged_until(seen[unit.first][1]) if unit.first in seen else 0
            if unit.until > low:
                units.append(Unit(unit.first, max(unit.until, min(before, today))))
        return list(due(units, changed, seen, self.bases.all(units)))

    def judged(self, group: list[Unit], progress: Progress | None) -> Judged:
        """Judge consecutive weeks, shard by shard."""
        low, high = group[0].before[0], group[-1].until
        if not holds(self._changed, low, high):
            return self._quiet(group)
        daily = Daily(len(self._meaning.kind), low, high - low, self._engine.tz)
        found: list[findings.Found] = []
        assigned: list[Wanted] = []
        cells = 0
        for number, channels in enumerate(shards(self._registry, self._meaning)):
            if progress is not None:
                progress(f"weeks from {day_of_number(group[0].first)}, part {number + 1}")
            for block in self._blocks(channels, (low, high)):
                daily.take(block)
                for unit in group:
                    found += self._of_block(unit, block, assigned)
                    cells += int(part(self._engine, block, *self._span(unit.block)).present.sum())
        for unit in group:
            verdicts = self._homes.verdicts(daily, unit.before[0], unit.until)
            found += findings.zeros(unit, verdicts, self._engine.tz)
        wanted, standing = (
            IntervalRows.concat([rows_of_none(), *(getattr(one, name) for one in assigned)])
            for name in ("rows", "standing")
        )
        return Judged(findings.table_of(found), wanted, standing, cells)

    def _quiet(self, group: list[Unit]) -> Judged:
        """Judge weeks with no reading in all that is looked at: whoever was heard before is silent."""
        every = np.sort(self._registry.channels()["channel"].to_numpy()).astype(np.int32)
        found = [one for unit in group for one in self._silence.unheard(unit, every)]
        return Judged(findings.table_of(found), rows_of_none(), rows_of_none(), 0)

    def _span(self, days: tuple[int, int]) -> tuple[int, int]:
        return moment(days[0], self._engine.tz), moment(days[1], self._engine.tz)

    def _blocks(self, channels: I32, days: tuple[int, int]) -> Iterator[Sheet]:
        return blocks(self._engine, self._snapshot, self._meaning, channels, *self._span(days))

    def _of_block(self, unit: Unit, whole: Sheet, assigned: list[Wanted]) -> Iterator[findings.Found]:
        """Give what is found in one week of some channels; `whole` holds it and all that is looked at before it.

        What is to be assigned in the week is noted, and laid into `whole`: rules see it as it will stand.
        """
        unit_us = self._span((unit.first, unit.until))
        seen = part(self._engine, whole, self._span(unit.before)[0], unit_us[1])
        since_us, usual = (
            findings.begun(seen),
            findings.usual_a_day(seen, self._meaning.plate_max_per_hour[seen.channels]),
        )
        block = part(self._engine, whole, *self._span(unit.block))
        holes = list(self._holes.found(block, unit_us, since_us))
        yield from findings.holes(unit, holes)
        oldest_us = moment(int(self._changed[0][0]), self._engine.tz)
        assigned.append(self._assigner.wanted(block, holes, unit_us, oldest_us))
        empty = without(assigned[-1].standing, assigned[-1].rows)
        laid_over(whole, IntervalRows(empty.channel, empty.start_us, empty.value * 0, empty.quality * np.uint8(0)))
        laid_over(whole, self._assigner.beneath(empty))
        laid_over(whole, assigned[-1].rows)
        block = part(self._engine, whole, *self._span(unit.block))
        before = part(self._engine, whole, *self._span(unit.before))
        channels = block.channels
        beside = self._evidence.beside(block, before, self._year_before(unit, channels, block))
        ruled = judge_period(block, self._meaning.traits(channels), self._rules, beside)
        yield from findings.of_rules(unit, block, ruled, self._rules, unit_us)
        looked = moment(unit.until - UNIT_DAYS, self._engine.tz), unit_us[1]
        noted = self._noted(block, looked)
        yield from findings.doubts(unit, block, noted, unit_us)
        yield from unusable(unit, block, noted, usual, self._setting_aside, looked)
        yield from findings.contradictions(unit, self._holes.contradicted(block, unit_us))
        yield from findings.missing(unit, block, since_us, usual, unit_us)
        yield from self._silence.of(unit, seen, usual)

    def _year_before(self, unit: Unit, channels: I32, like: Block) -> Sheet | None:
        """Read the same channels a year before; None where the city has nothing that old."""
        low, high = unit.year_before
        if not holds(self._changed, low, high):
            return None
        found = [one for one in self._blocks(channels, (low, high)) if one.cadence_us == like.cadence_us]
        return found[0] if len(found) == 1 and len(found[0].channels) == len(channels) else None

    def _noted(self, block: Block, unit_us: tuple[int, int]) -> dict[int, list[tuple[str, int, int]]]:
        """Read what the write path noted of channels in a week: rule, from and until, by channel."""
        rows = self._snapshot.rows(
            """select distinct channel, rule, at_us, until_us from finding
                where at_us < ? and greatest(until_us, at_us + 1) > ? and channel in (select channel from wanted)""",
            [unit_us[1], unit_us[0] - block.cadence_us],
            {"wanted": wanted(block.channels)},
        )
        out: dict[int, list[tuple[str, int, int]]] = {}
        for channel, rule, at_us, until_us in rows:
            out.setdefault(int(channel), []).append((str(rule), int(at_us), int(until_us)))
        return out


def grouped(units: list[Unit], quiet: Set[int]) -> Iterator[list[Unit]]:
    """Give weeks in runs of consecutive ones, at most AT_ONCE; of quiet ones, of which nothing is read, more."""
    run: list[Unit] = []
    for unit in units:
        alike = run and (unit.first in quiet) == (run[-1].first in quiet) and unit.first == run[-1].first + UNIT_DAYS
        if run and (not alike or len(run) == (QUIET_AT_ONCE if unit.first in quiet else AT_ONCE)):
            yield run
            run = []
        run.append(unit)
    if run:
        yield run


def first_days(snapshot: Snapshot, size: int) -> I64:
    """Give the first local day of which each channel number had a value; the largest number where it has none."""
    out = np.full(size, 2**31 - 1, np.int64)
    found = snapshot.arrow("select channel, min(day) as day from rollup_day where arrived > 0 group by channel")
    out[found["channel"].to_numpy()] = found["day"].to_numpy()
    return out


def newest_batch(snapshot: Snapshot) -> int:
    """Give the newest batch that a snapshot holds."""
    return int(snapshot.rows("select coalesce(max(id), 0) from batch")[0][0])
