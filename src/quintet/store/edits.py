"""Edits as the store keeps them: who ordered what and why, which intervals it changed, and what of it stands.

The values are interval rows of the edit's batch, of qualities that outrank (see read); nothing is overwritten. An undo
is an edit too: it names the one that it undoes.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .audit import audit
from .engine import Engine, Snapshot, Writing
from .read import OUTRANKING, lake_interval_paths, quoted_numbers, versions_sql, wanted

UNDO = "undo"
COLUMNS = "id, batch, action, actor, reason, asked, undoes, rows, content"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: the action (accept, reject, replace, estimate, undo), by whom and why, what was asked (as JSON)."""

    action: str
    actor: str
    reason: str
    asked: str
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class StoredEdit:
    """An edit as stored: `rows` intervals got a new value; `undone` names the edit that undid it."""

    id: int
    batch: int
    action: str
    actor: str
    reason: str
    asked: str
    undoes: int | None
    rows: int
    content: str
    received_us: int
    undone: int | None


def append_edit(writing: Writing, edit: Edit, count: int, rows: pa.Table, spans: pa.Table) -> int:
    """Keep an edit as part of a batch, with its audit record; gives its number.

    `count` intervals change; `rows` are all interval rows that it appends (channel, start_us, value, quality), `spans`
    the ranges that it changes (channel, from_us, until_us).
    """
    number = int(writing.rows("select coalesce(max(id), 0) + 1 from edit")[0][0])
    content = content_of(rows, spans)
    said = said_of(number, edit, count, content)
    row = [number, writing.batch.id, edit.action, edit.actor, edit.reason, edit.asked, edit.undoes, count, content]
    writing.execute("insert into edit values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')", row)
    subject, names = f"edit:{number}", ("edit", number)
    audit(writing, action=edit.action, subject=subject, detail=said, actor=edit.actor, names=names)
    column = pa.array(np.full(spans.num_rows, number, np.int32))
    writing.append("edit_span", spans.append_column("edit", column))
    return number


def said_of(number: int, edit: Edit | StoredEdit, rows: int, content: str) -> dict[str, object]:
    """Give what the audit record of an edit holds, without the batch."""
    return {
        "id": number, "action": edit.action, "reason": edit.reason, "asked": edit.asked, "undoes": edit.undoes,
        "rows": rows, "content": content,
    }  # fmt: skip


def content_of(rows: pa.Table, spans: pa.Table) -> str:
    """Give a digest of an edit's interval rows and spans, whatever their order."""
    digest = hashlib.sha256()
    for table, names in (
        (rows, ("channel", "start_us", "value", "quality")),
        (spans, ("channel", "from_us", "until_us")),
    ):
        columns = [table[name].to_numpy().astype(np.int64) for name in names]
        grid = np.stack(columns) if table.num_rows else np.zeros((len(names), 0), np.int64)
        grid = grid[:, np.lexsort(grid[::-1])]
        digest.update(np.ascontiguousarray(grid.T, dtype="<i8").tobytes())
        digest.update(b"/")
    return digest.hexdigest()


def edits(snapshot: Snapshot, *, number: int | None = None, known_batch: int | None = None) -> list[StoredEdit]:
    """Read edits in order; one of them by number, or all as known at a batch."""
    known = 2**31 - 1 if known_batch is None else known_batch
    which = "" if number is None else f" and e.id = {int(number)}"
    named = ", ".join(f"e.{name}" for name in COLUMNS.split(", "))
    sql = f"""select {named}, coalesce(b.received_us, 0), u.id from edit e left join batch b on b.id = e.batch
        left join edit u on u.undoes = e.id and u.batch <= $1 where e.batch <= $1{which} order by e.id"""
    return [StoredEdit(*row) for row in snapshot.rows(sql, [known])]


def spans_of(snapshot: Snapshot, number: int) -> pa.Table:
    """Read the ranges that an edit changed: channel, from_us, until_us; sorted."""
    return snapshot.arrow("select channel, from_us, until_us from edit_span where edit = ? order by all", [number])


def standing_spans(snapshot: Snapshot) -> pa.Table:
    """Read the ranges of all edits that were not undone: channel, from_us, until_us; sorted, they may overlap."""
    return snapshot.arrow(
        """select distinct s.channel, s.from_us, s.until_us from edit_span s join edit e on e.id = s.edit
            where e.undoes is null and not exists (select 1 from edit u where u.undoes = e.id) order by all"""
    )


def edited_until(snapshot: Snapshot) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Read the channels over which edits stand, and where the last of them ends."""
    table = snapshot.arrow(
        """select s.channel, max(s.until_us) as until_us from edit_span s join edit e on e.id = s.edit
            where e.undoes is null and not exists (select 1 from edit u where u.undoes = e.id)
            group by s.channel order by s.channel"""
    )
    return table["channel"].to_numpy(), table["until_us"].to_numpy()


def rows_of_batches(
    engine: Engine, snapshot: Snapshot, batches: list[int], spans: pa.Table, *, people_only: bool = True
) -> pa.Table:
    """Read the interval rows that batches of edits appended within the reach of some spans, wherever they are by now.

    Gives channel, start_us, value, quality, batch; sorted. With `people_only` those of outranking qualities.
    """
    reach = "select coalesce(min(from_us), 0) as low, coalesce(max(until_us), 0) as high from spans"
    low, high = snapshot.rows(reach, tables={"spans": spans})[0]
    paths = lake_interval_paths(engine, snapshot, low, high, 2**31 - 1) if high > low else []
    versions = versions_sql(paths, some_channels=True, known_batch=None)
    outranking = f" and quality in ({OUTRANKING})" if people_only else ""
    return snapshot.arrow(
        f"""select channel, start_us, value, quality, batch from ({versions})
            where batch in ({quoted_numbers(batches)}){outranking} order by batch, channel, start_us, quality""",
        [low, high],
        {"wanted": wanted(np.unique(spans["channel"].to_numpy()).astype(np.int32))},
    )


def standing_batches(snapshot: Snapshot) -> list[int]:
    """Give the batches of the edits that were not undone, in order."""
    found = snapshot.rows(
        """select batch from edit e where undoes is null and not exists (select 1 from edit u where u.undoes = e.id)
            order by batch"""
    )
    return [int(batch) for (batch,) in found]
