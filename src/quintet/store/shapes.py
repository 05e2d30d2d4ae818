"""The fields that sources send, as first seen, and each change of them."""

from dataclasses import dataclass

import pyarrow as pa

from .engine import Snapshot, Writing

SHAPE = pa.schema([(name, pa.string()) for name in ("source", "field", "kind")] + [("batch", pa.int32())])


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is new, retyped, renamed or vanished; `was`: its former kind or name."""

    source: str
    change: str
    field: str
    kind: str
    was: str = ""


def read_shapes(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """Read the (source, field, kind) ever seen."""
    return [(s, f, k) for s, f, k in snapshot.rows("select distinct source, field, kind from shape")]


def read_vanished(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Read the (source, field) whose last change is that they vanished, or go by another name."""
    rows = snapshot.rows(
        """select source, field, arg_max(change, batch) as last from (
                select source, field, change, batch from drift union all
                select source, was, 'vanished', batch from drift where change = 'renamed')
            group by all having last = 'vanished'"""
    )
    return [(source, field) for source, field, _ in rows]


def append_shapes(writing: Writing, seen: list[tuple[str, str, str]]) -> None:
    """Keep fields seen for the first time as part of a batch."""
    rows = [{"source": s, "field": f, "kind": k, "batch": writing.batch.id} for s, f, k in seen]
    writing.append("shape", pa.Table.from_pylist(rows, SHAPE))


def append_changes(writing: Writing, changes: list[Change]) -> None:
    """Keep changes as part of a batch."""
    if changes:
        names = Change.__slots__
        rows = {name: pa.array([getattr(one, name) for one in changes], pa.string()) for name in names}
        batch = pa.array([writing.batch.id] * len(changes), pa.int32())
        writing.append("drift", pa.table({**rows, "batch": batch}))


def changes(snapshot: Snapshot, *, limit: int, source: str = "", known_batch: int = 2**31 - 1) -> pa.Table:
    """List changes, newest first, as known at a batch: received_us, batch, source, change, field, kind, was."""
    return snapshot.arrow(
        """select b.received_us, d.* from drift d join batch b on d.batch = b.id
            where ? in ('', d.source) and d.batch <= ? order by d.batch desc, d.source, d.field limit ?""",
        [source, known_batch, limit],
    )


def change_counts(snapshot: Snapshot) -> dict[str, int]:
    """Count changes by kind of change."""
    return {change: int(count) for change, count in snapshot.rows("select change, count(*) from drift group by change")}
