"""Seals: what a record of the audit chain says of its batch, of all batches since the record before, and of rows.

The seal stands in the record's particulars under `sealed`, so the chain's digests cover it. Records made before there
were seals have none; the first that has one seals all rows that were there.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .engine import Batch, Snapshot

SEALED = "sealed"
BATCH = ("kind", "source", "actor", "received_us", "accepted", "duplicate", "quarantined")
"""What a seal says of the record's own batch, in this order."""
TABLES: Mapping[str, str] = {
    "record": "kind, key, valid_from_us, body, batch",
    "quarantine_step": "id, batch, state, code, reason, actor",
    "exception": "id, kind, cause, batch",
    "exception_step": "id, batch, state, reason, actor, since_us, recurrences, content",
    "run_unit": "unit, seen, basis, batch",
    "run_finding": "unit, channel, at_us, until_us, rule, verdict, detail, standing, batch",
    "bill_run": "batch, month, place, digest, content",
    "issued_bill": "batch, place, commodity, month, first_day, end_day, due_won, digest",
}
"""Tables of which no row is ever changed or removed, and that only acts with a record write: columns that are sealed.

Edits and events are not among them: their rows name their record, and are held against it one by one. The tables of
bills are made with the first bill; what a bill says is held against its digest (see audit_check).
"""
LATER: Mapping[str, str] = {"bill_run": "bill", "issued_bill": "bill"}
"""Tables that no seal held at first, and the kind of the batches that bring their rows: what those brought before
the first seal that names the table was never sealed, and is not held."""
LOWEST = -(2**31)
"""Below every batch."""
Digest = list[Any]
"""How many rows, and the digest of them whatever their order."""


def summed(table: str, columns: str, where: str, by: str = "0") -> str:
    """Give SQL for count and digest of rows by group: SHA-256 over the sorted SHA-256 of each row as JSON."""
    lines = f"select {by} as part, sha256(to_json(x)::varchar) as line from (select {columns} from {table}) x"
    return f"""select part, count(*), sha256(string_agg(line, '' order by line)) from ({lines} where {where})
        group by part"""


def digest_of(snapshot: Snapshot, table: str, columns: str, where: str) -> Digest:
    """Give count and digest of a table's rows."""
    found = snapshot.rows(summed(table, columns, where))
    return [int(found[0][1]), str(found[0][2])] if found else [0, ""]


def standing(snapshot: Snapshot) -> dict[str, str]:
    """Give those of TABLES that are there."""
    there = {name for (name,) in snapshot.rows("select table_name from duckdb_tables()")}
    return {name: columns for name, columns in TABLES.items() if name in there}


def digests(snapshot: Snapshot, where: str) -> dict[str, Digest]:
    """Give count and digest of the rows of each of TABLES, by name; tables without any are left out."""
    found = {name: digest_of(snapshot, name, columns, where) for name, columns in standing(snapshot).items()}
    return {name: digest for name, digest in found.items() if digest[0]}


def seal_of_past(snapshot: Snapshot, newest_detail: str | None, batch: int) -> dict[str, Any]:
    """Seal what came before a batch: the batches since the newest record, and at the first seal all rows there are.

    `newest_detail` is the particulars of the newest record, as JSON.
    """
    said = json.loads(newest_detail) if newest_detail else {}
    first = SEALED not in said
    since = LOWEST if first else int(said["batch"])
    past = {"since": since, "batches": batches_between(snapshot, since, batch)}
    return {**past, "before": digests(snapshot, f"batch < {batch}")} if first else past


def batches_between(snapshot: Snapshot, low: int, high: int) -> Digest:
    """Give count and digest of the batches with numbers in (low, high)."""
    return digest_of(snapshot, "batch", f"id, {', '.join(BATCH)}", f"id > {low} and id < {high}")


def seal(snapshot: Snapshot, past: Mapping[str, Any], batch: Batch) -> dict[str, Any]:
    """Seal a batch that is complete but for its own row: what that will say, and the rows that the batch brought."""
    own = [getattr(batch, name) for name in BATCH]
    return {**past, "batch": own, "rows": digests(snapshot, f"batch = {batch.id}")}


def held(snapshot: Snapshot, seals: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Hold batches and tables against seals, by the batch of each; says what is not as sealed."""
    if not seals:
        return
    yield from wrong_batches(snapshot, seals)
    first = min(seals)
    before = seals[first]["before"]
    there = standing(snapshot)
    named = {name for said in seals.values() for part in (said["rows"], said.get("before", {})) for name in part}
    for table in sorted(named - there.keys()):
        yield f"the table {table} is gone."
    for table, columns in there.items():
        if digest_of(snapshot, table, columns, f"batch < {first}") != before.get(table, [0, ""]):
            yield f"the table {table} was changed: what it held before batch {first} is not what was sealed."
        found = {
            int(b): [int(n), str(d)] for b, n, d in snapshot.rows(summed(table, columns, f"batch >= {first}", "batch"))
        }
        if table in LATER:
            found = without_unsealed(found, seals, table)
        for batch in sorted(found.keys() | seals.keys()):
            rows = found.get(batch, [0, ""])
            if batch not in seals:
                yield f"the table {table} holds {rows[0]} rows of batch {batch}, which has no record."
            elif rows != seals[batch]["rows"].get(table, [0, ""]):
                sealed = seals[batch]["rows"].get(table, [0, ""])
                yield (
                    f"the table {table} was changed: batch {batch} brought {sealed[0]} rows, "
                    + (f"{rows[0]} are there." if rows[0] != sealed[0] else "and they do not say what they said.")
                )


def without_unsealed(
    found: Mapping[int, Digest], seals: Mapping[int, Mapping[str, Any]], table: str
) -> dict[int, Digest]:
    """Leave out what batches brought that may bring it, before the first seal that names a table of LATER."""
    naming = min((number for number, said in seals.items() if table in said["rows"]), default=max(seals) + 1)
    kind = BATCH.index("kind")
    return {
        number: rows
        for number, rows in found.items()
        if number >= naming or number not in seals or seals[number]["batch"][kind] != LATER[table]
    }


def wrong_batches(snapshot: Snapshot, seals: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Hold what batches say against the seals: each record's own field by field, all others by their digest."""
    own = snapshot.rows(f"select id, {', '.join(BATCH)} from batch where list_contains(?, id)", [sorted(seals)])
    if len(own) != len({number for number, *_ in own}):
        yield "a batch stands twice."
    for number, *fields in own:
        for name, said, sealed in zip(BATCH, fields, seals[int(number)]["batch"], strict=True):
            if said != sealed:
                yield f"batch {number} was changed: its {name} is {said!r}, and {sealed!r} was recorded."
    for number, said in sorted(seals.items()):
        if batches_between(snapshot, said["since"], number) != said["batches"]:
            low = max(said["since"], 0)
            yield f"a batch between {low} and {number} was changed, removed or added."


def rows_held(seals: Mapping[int, Mapping[str, Any]]) -> int:
    """Count the rows that seals hold: of batches and of TABLES."""
    return sum(
        1 + said["batches"][0] + sum(count for part in ("rows", "before") for count, _ in said.get(part, {}).values())
        for said in seals.values()
    )
