"""The audit chain: who did what and why, each record sealed with the digest of the one before it.

A record is appended in the transaction of what it tells of. Whoever changes, deletes or inserts one afterwards breaks
the chain, or leaves a record and the rows that it tells of at odds (see verify). The newest digest, noted outside,
shows even a chain that was made anew from end to end.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

import pyarrow as pa

from .engine import Snapshot, Writing

BEGINNING = ""
"""What the first record names as the digest before it."""
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


def audit(writing: Writing, *, action: str, subject: str, detail: Mapping[str, Any], actor: str = "") -> Entry:
    """Append a record as part of a batch; gives it. `detail` gets the batch's number; the actor is that of the batch.

    Call it once for each thing done, in the same transaction.
    """
    last = newest(writing)
    seq, previous = (last.seq + 1, last.digest) if last else (1, BEGINNING)
    said = canonical({**detail, "batch": writing.batch.id})
    who = actor or writing.batch.actor
    draft = Entry(seq, writing.batch.received_us, who, action, subject, said, previous, "")
    entry = replace(draft, digest=draft.sealed())
    writing.execute("insert into audit values (?, ?, ?, ?, ?, ?, ?, ?)", list(astuple(entry)))
    writing.execute("delete from meta where key = ?", [HEAD])
    writing.execute("insert into meta values (?, ?)", [HEAD, f"{entry.seq} {entry.digest}"])
    return entry


def newest(snapshot: Snapshot) -> Entry | None:
    """Give the newest record; None where there is none yet."""
    found = snapshot.rows(f"select {COLUMNS} from audit order by seq desc limit 1")
    return Entry(*found[0]) if found else None


def entries(snapshot: Snapshot, *, limit: int | None = None, before: int | None = None) -> pa.Table:
    """Read records, newest first: the columns of `audit`; with `before` only those of lower numbers."""
    where = "" if before is None else f" where seq < {int(before)}"
    most = "" if limit is None else f" limit {int(limit)}"
    return snapshot.arrow(f"select {COLUMNS} from audit{where} order by seq desc{most}")
