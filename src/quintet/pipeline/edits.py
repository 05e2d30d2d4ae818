"""Edits by people, through the one write path: evidence like any other, that outranks what arrives and can be undone.

What evidence gives beneath an edit goes on being derived and kept, so that an undo only has to let it show again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from quintet.store.edits import (
    UNDO,
    Edit,
    StoredEdit,
    append_edit,
    edits,
    rows_of_batches,
    spans_of,
    standing_batches,
)
from quintet.store.engine import Batch, Engine, Snapshot, Writing
from quintet.store.read import layers
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.quality import qualities
from quintet.vee import Rules

from .difference import Change, rollups
from .edit_spans import City, Order, Plan, planned
from .laying import laid_over
from .meaning import Meaning
from .rows import IntervalRows, starts_of_runs
from .standing import replaced

UNDONE = qualities()["edit_withdrawn"].id


@dataclass(frozen=True, slots=True)
class Person:
    """Who orders an edit, and why; both must be said."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        """Refuse an edit by nobody or for no reason."""
        for said, what, code in ((self.by, "the name of who edits", "no_name"), (self.reason, "a reason", "no_reason")):
            if not said.strip():
                raise UsageError(f"{what} is missing.", code=code, remedy=f"Give it with --{what_flag(code)}.")


def what_flag(code: str) -> str:
    """Give the flag that says what is missing."""
    return {"no_name": "by", "no_reason": "reason"}[code]


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did, or (with no number) would do: each interval's row before and after, and the days' change."""

    id: int | None
    batch: int | None
    plan: Plan
    days: pa.Table


class EditPath(Protocol):
    """What an edit needs of the one write path."""

    def meaning(self) -> Meaning:
        """Give what the registry says of channels."""
        ...

    def write_edit(
        self,
        actor: str,
        appended: IntervalRows,
        change: Change,
        more: Callable[[Writing], None],
    ) -> Batch:
        """Commit an edit's rows, the change that they make, and what `more` appends, as one batch."""
        ...


class Edits:
    """Makes edits and undoes them."""

    def __init__(self, path: EditPath, engine: Engine, rules: Rules) -> None:
        """Write through the one write path; `rules` bound what is estimated."""
        self._path = path
        self._rules = rules
        self._engine = engine

    def make(self, order: Order, person: Person, asked: str = "{}", *, dry_run: bool = False) -> Edited:
        """Do what is ordered; `asked` is the order as the person gave it, as JSON. Raises what `planned` does."""
        with self._engine.exclusive():
            with self._engine.snapshot() as snapshot:
                plan = planned(City(self._engine, snapshot, self._path.meaning(), self._rules), order)
            change = replaced(plan.before, plan.after)
            edit = Edit(order.action, person.by.strip(), person.reason.strip(), asked)
            if dry_run:
                return Edited(None, None, plan, rollups(change, self._engine.tz, 0)[1])
            return self._written(edit, plan, plan.after, change)

    def undo(self, number: int, person: Person, asked: str = "{}", *, dry_run: bool = False) -> Edited:
        """Withdraw an edit: what stood before it stands again, with what has arrived since.

        Raises NotFound where there is no such edit, BadInput where it is an undo or undone already.
        """
        with self._engine.exclusive():
            with self._engine.snapshot() as snapshot:
                gone = self._to_undo(snapshot, number)
                plan, appended = self._uncovered(snapshot, gone)
            change = replaced(plan.before, plan.after)
            edit = Edit(UNDO, person.by.strip(), person.reason.strip(), asked, number)
            if dry_run:
                return Edited(None, None, plan, rollups(change, self._engine.tz, 0)[1])
            return self._written(edit, plan, appended, change)

    def _to_undo(self, snapshot: Snapshot, number: int) -> StoredEdit:
        found = edits(snapshot, number=number)
        if not found:
            raise NotFound(f"there is no edit {number}.", code="no_such_edit", remedy="See `quintet edit list`.")
        if found[0].undone is not None:
            raise BadInput(
                f"was undone already, by edit {found[0].undone}.",
                code="already_undone",
                place=f"edit {number}",
                remedy="Nothing was changed.",
            )
        if found[0].undoes is not None:
            raise BadInput(
                "is itself an undo.",
                code="undo_of_undo",
                place=f"edit {number}",
                remedy=f"Make the edit again: `quintet edit list` shows what edit {found[0].undoes} was.",
            )
        return found[0]

    def _uncovered(self, snapshot: Snapshot, gone: StoredEdit) -> tuple[Plan, IntervalRows]:
        """Find what shows when an edit goes: gives the change, and the rows to append.

        Where a later edit stands nothing changes. Where an earlier one does, it is said anew; else that the edit is
        withdrawn, together with what evidence gives there by now.
        """
        spans = spans_of(snapshot, gone.id)
        own = IntervalRows.from_arrow(rows_of_batches(self._engine, snapshot, [gone.batch], spans))
        standing = standing_batches(snapshot)
        later, earlier = (
            newest(IntervalRows.from_arrow(rows_of_batches(self._engine, snapshot, some, spans)))
            for some in ([b for b in standing if b > gone.batch], [b for b in standing if b < gone.batch])
        )
        own = own.take(laid_over(blank(own), later).quality == 0)
        earlier = laid_over(blank(own), earlier)
        low, high = (int(own.start_us.min()), int(own.start_us.max()) + 1) if len(own) else (0, 0)
        channels = own.channel[starts_of_runs(own.channel)]
        below = IntervalRows.from_arrow(layers(self._engine, snapshot, low, high, channels)[0])
        evidence = laid_over(blank(own), below)
        covered = earlier.quality > 0
        quality = np.where(covered, earlier.quality, evidence.quality)
        value = np.where(covered, earlier.value, evidence.value)
        plan = Plan(own, IntervalRows(own.channel, own.start_us, value, quality))
        return plan, IntervalRows.concat([undone_marks(own.take(~covered)), plan.after.take(plan.after.quality > 0)])

    def _written(self, edit: Edit, plan: Plan, appended: IntervalRows, change: Change) -> Edited:
        """Commit an edit with its record; memory follows once it is in the store."""
        spans = spans_table(plan.after, self._path.meaning())
        table = appended.to_arrow(0).drop_columns(["batch"])
        number = 0

        def more(writing: Writing) -> None:
            nonlocal number
            number = append_edit(writing, edit, len(plan.after), table, spans)
            self._engine.undone |= edit.undoes is not None  # before it is there: until then it only costs time

        batch = self._path.write_edit(edit.actor, appended, change, more)
        return Edited(number, batch.id, plan, rollups(change, self._engine.tz, batch.id)[1])


def blank(rows: IntervalRows) -> IntervalRows:
    """Give the same intervals with nothing in them."""
    count = len(rows)
    return IntervalRows(rows.channel, rows.start_us, np.zeros(count, np.int64), np.zeros(count, np.uint8))


def undone_marks(rows: IntervalRows) -> IntervalRows:
    """Give the rows that say of intervals that no edit stands there any more."""
    bare = blank(rows)
    return IntervalRows(bare.channel, bare.start_us, bare.value, np.full(len(rows), UNDONE, np.uint8))


def newest(rows: IntervalRows) -> IntervalRows:
    """Keep the last of the rows of each interval; they stand in the order of their batches."""
    order = np.lexsort((np.arange(len(rows)), rows.start_us, rows.channel))
    heads = starts_of_runs(rows.channel[order], rows.start_us[order])
    return rows.take(order[np.append(heads[1:], len(order)) - 1] if len(order) else order)


def spans_table(rows: IntervalRows, meaning: Meaning) -> pa.Table:
    """Give the ranges that rows (sorted) cover without a hole: channel, from_us, until_us."""
    cadence = meaning.cadence_us[rows.channel]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = (np.diff(rows.channel) != 0) | (rows.start_us[1:] != rows.start_us[:-1] + cadence[:-1])
    heads = np.flatnonzero(begins)
    last = np.append(heads[1:], len(rows)) - 1 if len(rows) else heads
    return pa.table(
        {
            "channel": pa.array(rows.channel[heads], pa.int32()),
            "from_us": pa.array(rows.start_us[heads]),
            "until_us": pa.array(rows.start_us[last] + cadence[last]),
        }
    )
