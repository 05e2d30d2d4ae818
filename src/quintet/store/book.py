"""The book of dated records and the list of batches."""

import json
from typing import Any

import msgspec
import pyarrow as pa

from .engine import Batch, Snapshot, Writing
from .records import Record

_BODY = msgspec.json.Decoder(dict[str, Any])
"""A city of 17,000 households has made 275,000 statements."""


def append_records(writing: Writing, records: list[Record]) -> None:
    """Add statements to the book as part of a batch."""
    rows = pa.table(
        {
            "kind": pa.array([record.kind for record in records], pa.string()),
            "key": pa.array([record.key for record in records], pa.string()),
            "valid_from_us": pa.array([record.valid_from_us for record in records], pa.int64()),
            "body": pa.array(
                [None if r.body is None else json.dumps(r.body, ensure_ascii=False, sort_keys=True) for r in records],
                pa.string(),
            ),
            "batch": pa.array([writing.batch.id] * len(records), pa.int32()),
        }
    )
    writing.append("record", rows)


def read_records(snapshot: Snapshot, known_batch: int | None = None) -> list[Record]:
    """Read all statements made up to a batch, in the order they were made."""
    limit = 2**31 - 1 if known_batch is None else known_batch
    found = snapshot.arrow(
        "select kind, key, valid_from_us, body, batch from record where batch <= ? order by batch, kind, key", [limit]
    )
    columns = (found[name].to_pylist() for name in ("kind", "key", "valid_from_us", "body", "batch"))
    return [
        Record(kind, key, at, None if body is None else _BODY.decode(body), batch)
        for kind, key, at, body, batch in zip(*columns, strict=True)
    ]


def batch_known_at(snapshot: Snapshot, moment_us: int) -> int:
    """Give the newest batch received at or before a moment (0: none)."""
    return int(snapshot.rows("select coalesce(max(id), 0) from batch where received_us <= ?", [moment_us])[0][0])


def batches(snapshot: Snapshot, limit: int = 100) -> list[Batch]:
    """List the newest batches, newest first."""
    found = snapshot.rows(
        """select id, kind, source, actor, received_us, accepted, duplicate, quarantined from batch
            order by id desc limit ?""",
        [limit],
    )
    return [Batch(*row) for row in found]


def unit_codes(snapshot: Snapshot) -> dict[str, int]:
    """Give the numbers that raw rows use for units as received."""
    return {code: int(number) for number, code in snapshot.rows("select id, code from unit_code order by id")}


def add_unit_codes(writing: Writing, known: dict[str, int], names: list[str]) -> dict[str, int]:
    """Give numbers for units as received, adding those not seen before."""
    out = dict(known)
    for name in names:
        if name not in out:
            out[name] = len(out)
            writing.execute("insert into unit_code values (?, ?)", [out[name], name])
    return out
