"""Operations on the audit chain: its records, and the proof that none was touched."""

import json

from quintet.store.audit import entries
from quintet.store.audit_check import check
from quintet.terms.period import from_us

from .answer import Answer, Progress, document_of
from .cells import local, plain, rows_of
from .city import City
from .requests import AuditList, AuditVerify

COLUMNS = ["seq", "at", "actor", "action", "subject", "detail", "digest"]
CHECKED = ["ok", "records", "edits", "events", "head", "broken"]


def audit_list(city: City, asked: AuditList, _progress: Progress) -> Answer:
    """Give the audit records, newest first."""
    tz = city.registry().tz
    with city.engine.snapshot() as snapshot:
        found = entries(snapshot, limit=asked.limit + 1, before=asked.before).to_pylist()
    rows = [{**row, "at": local(from_us(row.pop("at_us")), tz)} for row in found[: asked.limit]]
    more = rows[-1]["seq"] if len(found) > asked.limit else None
    document = {"records": [{**row, "detail": json.loads(row["detail"])} for row in rows], "next": more}
    notes = [] if more is None else [f"There are more: --before {more}."]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(plain(document)), notes=notes)


def audit_verify(city: City, asked: AuditVerify, _progress: Progress) -> Answer:
    """Compute the chain anew and hold it against the store; exit 1 with the first broken place."""
    with city.engine.snapshot() as snapshot:
        found = check(city.engine, snapshot, asked.noted)
    facts = {
        "ok": found.broken is None, "records": found.records, "edits": found.edits, "events": found.events,
        "head": found.head, "broken": found.broken,
    }  # fmt: skip
    notes = (
        [found.broken] if found.broken else ["Note the head outside: `quintet audit verify --head` proves it later."]
    )
    return Answer(
        CHECKED,
        rows_of(CHECKED, [facts]),
        document_of(facts),
        numbers=["records", "edits", "events"],
        notes=notes,
        exit_code=int(found.broken is not None),
    )
