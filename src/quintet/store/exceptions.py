"""The queue of exceptions: items, each of one cause, and what became of them, step by step. Nothing is overwritten."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .audit import canonical
from .engine import Snapshot, Writing

OPEN, CLOSED = "open", "closed"
STATES = (OPEN, CLOSED)


@dataclass(frozen=True, slots=True)
class Item:
    """One exception as it stands: the number never changes, nor its kind and cause.

    `since_us` is when the present occurrence began, `opened_us` when the item was first stated. `recurrences` counts
    how often it came back. `actor` and `reason` belong to the last step ("" and a sentence for the run's own).
    `content` holds what is affected, the evidence and what is at stake.
    """

    id: int
    kind: str
    cause: str
    state: str
    reason: str
    actor: str
    since_us: int
    recurrences: int
    content: Mapping[str, Any]
    batch: int
    opened_us: int


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of an item."""

    state: str
    reason: str
    actor: str
    since_us: int
    recurrences: int
    content: Mapping[str, Any]


def items(snapshot: Snapshot, *, number: int | None = None, known_batch: int | None = None) -> list[Item]:
    """Read the items as they stand, or stood at a batch, in order of number; with `number` that one alone."""
    known = 2**31 - 1 if known_batch is None else known_batch
    which = "" if number is None else f" and e.id = {int(number)}"
    found = snapshot.rows(
        f"""select e.id, e.kind, e.cause, s.state, s.reason, s.actor, s.since_us, s.recurrences, s.content, s.batch,
                coalesce(b.received_us, 0)
            from exception e join (select id, unnest(arg_max({{'state': state, 'reason': reason, 'actor': actor,
                'since_us': since_us, 'recurrences': recurrences, 'content': content, 'batch': batch}}, batch))
                from exception_step where batch <= $1 group by id) s on e.id = s.id
            left join batch b on e.batch = b.id where e.batch <= $1{which} order by e.id""",
        [known],
    )
    return [_item(row) for row in found]


def _item(row: Sequence[Any]) -> Item:
    columns = list(row)
    columns[8] = json.loads(columns[8])
    return Item(*columns)


def add_item(writing: Writing, kind: str, cause: str, step: Step) -> int:
    """State a new item as part of a batch; gives its number."""
    number = int(writing.rows("select coalesce(max(id), 0) + 1 from exception")[0][0])
    writing.execute("insert into exception values (?, ?, ?, ?)", [number, kind, cause, writing.batch.id])
    append_steps(writing, [(number, step)])
    return number


def append_steps(writing: Writing, steps: list[tuple[int, Step]]) -> None:
    """Record what became of items as part of a batch; at most one step an item and batch."""
    if not steps:
        return
    said = [step for _, step in steps]
    rows = {
        "id": pa.array([number for number, _ in steps], pa.int32()),
        "batch": pa.array([writing.batch.id] * len(steps), pa.int32()),
        "state": pa.array([step.state for step in said], pa.string()),
        "reason": pa.array([step.reason for step in said], pa.string()),
        "actor": pa.array([step.actor for step in said], pa.string()),
        "since_us": pa.array([step.since_us for step in said], pa.int64()),
        "recurrences": pa.array([step.recurrences for step in said], pa.int32()),
        "content": pa.array([canonical(dict(step.content)) for step in said], pa.string()),
    }
    writing.append("exception_step", pa.table(rows))


def steps_of(snapshot: Snapshot, number: int, known_batch: int | None = None) -> list[dict[str, Any]]:
    """List what became of an item, oldest first: batch, at_us, state, reason, actor, since_us, recurrences."""
    known = 2**31 - 1 if known_batch is None else known_batch
    return snapshot.arrow(
        """select s.batch, b.received_us as at_us, s.state, s.reason, s.actor, s.since_us, s.recurrences
            from exception_step s join batch b on s.batch = b.id where s.id = ? and s.batch <= ? order by s.batch""",
        [number, known],
    ).to_pylist()
