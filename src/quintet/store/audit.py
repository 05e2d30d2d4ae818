"""The audit chain: who did what and why, each record sealed with the digest of the one before it.

A record is appended in the transaction of what it tells of. Whoever changes, deletes or inserts one afterwards breaks
the chain, or leaves a record and the rows that it tells of at odds (see verify). The newest digest, noted outside,
shows even a chain that was made anew from end to end.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa

from .audit_seal import SEALED, seal, seal_of_past
from .engine import Snapshot, Writing

BEGINNING = ""
"""What the first record names as the digest before it."""
CLOSE = "close"
"""The action of a record of a closed day: it tells which files hold the day, with their digests."""
HEAD = "audit_head"
"""The key in `meta` of the newest record's number and digest, so that a cut end is noticed."""
COLUMNS = "seq, at_us, actor, action, subject, detail, previous, digest"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: its number from 1 on, the moment (us since 1970), who, what, of what, and the particulars as JSON."""

    seq: int
    at_us: int
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    digest: str

    def sealed(self) -> str:
        """Give the digest that this record must have."""
        return hashlib.sha256(canonical(astuple(self)[:-1]).encode()).hexdigest()


def canonical(value: Any) -> str:
    """Write plain values as JSON in one form only: sorted keys, no spaces, text as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def audit(
    writing: Writing,
    *,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    actor: str = "",
    names: tuple[str, int] | None = None,
) -> None:
    """Append a record as the last of a batch; the actor is that of the batch.

    `detail` gets the batch's number and its seal (see audit_seal). Call it once for each thing done, in the transaction
    that does it. `names` is the table and number (its `id`) of a row that is to name the record, by `audit` and
    `digest`.
    """
    past: Mapping[str, Any] | None = None
    if not writing.ending:  # the first record of the batch seals what came before it; the others say the same
        last = newest(writing)
        past = seal_of_past(writing, last.detail if last else None, writing.batch.id)
    writing.at_end(partial(_append, writing, action, subject, detail, actor, names, past))


def _append(
    writing: Writing,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    actor: str,
    names: tuple[str, int] | None,
    past: Mapping[str, Any] | None,
) -> None:
    """Append a record to the chain, once its batch's moment is known."""
    batch, last = writing.batch, newest(writing)
    seq, previous = (last.seq + 1, last.digest) if last else (1, BEGINNING)
    sealed = seal(writing, past, batch) if past is not None else json.loads(last.detail if last else "{}")[SEALED]
    said = canonical({**detail, "batch": batch.id, SEALED: sealed})
    draft = Entry(seq, batch.received_us, actor or batch.actor, action, subject, said, previous, "")
    entry = replace(draft, digest=draft.sealed())
    writing.execute("insert into audit values (?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(entry)))
    writing.execute("delete from meta where key = ?", [HEAD])
    writing.execute("insert into meta values (?, ?)", [HEAD, f"{entry.seq} {entry.digest}"])
    if names is not None:
        table, number = names
        writing.execute(f"update {table} set audit = ?, digest = ? where id = ?", [entry.seq, entry.digest, number])


def newest(snapshot: Snapshot) -> Entry | None:
    """Give the newest record; None where there is none yet."""
    found = snapshot.rows(f"select {COLUMNS} from audit order by seq desc limit 1")
    return Entry(*found[0]) if found else None


def entries(
    snapshot: Snapshot, *, limit: int | None = None, before: int | None = None, known_batch: int | None = None
) -> pa.Table:
    """Read records, newest first: the columns of `audit`; with `before` only those of lower numbers.

    As known at a batch, only records of batches up to it.
    """
    known = 2**31 - 1 if known_batch is None else int(known_batch)
    where = f" where (detail->>'batch')::integer <= {known}"
    where += "" if before is None else f" and seq < {int(before)}"
    most = "" if limit is None else f" limit {int(limit)}"
    return snapshot.arrow(f"select {COLUMNS} from audit{where} order by seq desc{most}")
