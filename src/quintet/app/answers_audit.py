"""Operations on the audit chain: its records, and the proof that none was touched."""

import json

from quintet.store.audit import canonical, entries
from quintet.store.audit_check import check
from quintet.store.audit_seal import SEALED
from quintet.terms.period import from_us

from .answer import Answer, Progress, document_of
from .asked_known import known_batch_of
from .cells import local, plain, rows_of
from .city import City
from .requests import AuditList, AuditVerify

COLUMNS = ["seq", "at", "actor", "action", "subject", "detail", "digest"]
CHECKED = ["ok", "records", "edits", "events", "sealed", "rows", "head", "broken"]

BEYOND = (
    "Not looked at: raw readings, intervals that no person edited, findings made as readings were committed, sums of "
    "hours and days, quarantined rows. `quintet doctor` holds sums against intervals, and files against their digests."
)
"""What the chain does not prove, and who looks at it (docs/editing.md)."""


def audit_list(city: City, asked: AuditList, _progress: Progress) -> Answer:
    """Give the audit records, newest first."""
    tz = city.registry().tz
    with city.engine.snapshot() as snapshot:
        known = known_batch_of(city, snapshot, asked.known_at)
        found = entries(snapshot, limit=asked.limit + 1, before=asked.before, known_batch=known).to_pylist()
    rows = [{**row, "at": local(from_us(row.pop("at_us")), tz)} for row in found[: asked.limit]]
    more = rows[-1]["seq"] if len(found) > asked.limit else None
    document = {"records": [{**row, "detail": json.loads(row["detail"])} for row in rows], "next": more}
    notes = [] if more is None else [f"There are more: --before {more}."]
    shown = [{**row, "detail": _short(row["detail"])} for row in rows]
    return Answer(COLUMNS, rows_of(COLUMNS, shown), document_of(plain(document)), notes=notes)


def _short(detail: str) -> str:
    """Give a record's particulars without its seal, which is for the machine."""
    return canonical({name: value for name, value in json.loads(detail).items() if name != SEALED})


def audit_verify(city: City, asked: AuditVerify, _progress: Progress) -> Answer:
    """Compute the chain anew and hold it against the store; exit 1 with the first broken place."""
    with city.engine.snapshot() as snapshot:
        found = check(city.engine, snapshot, asked.noted)
    facts = {
        "ok": found.broken is None, "records": found.records, "edits": found.edits, "events": found.events,
        "sealed": found.sealed, "rows": found.rows, "head": found.head, "broken": found.broken,
    }  # fmt: skip
    notes = [found.broken or "Note the head outside: `quintet audit verify --head` proves it later."]
    if found.sealed < found.records:
        notes.append(
            f"{found.records - found.sealed} of {found.records} records are of a version that sealed no rows: what "
            "they tell of is held against them, what their batches say is not."
        )
    notes.append(BEYOND)
    return Answer(
        CHECKED,
        rows_of(CHECKED, [facts]),
        document_of(facts),
        numbers=["records", "edits", "events", "sealed", "rows"],
        notes=notes,
        exit_code=int(found.broken is not None),
    )
