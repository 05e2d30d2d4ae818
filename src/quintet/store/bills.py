"""Issued bills: frozen with their evidence, appended and never changed; each carries a digest of what it says.

The tables are made with the first bill that is issued: a store without any has none, and earlier versions pass them by.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from quintet.terms.period import day_number, day_of_number

from .audit import canonical
from .engine import Snapshot, Writing

NEWEST = 2**31 - 1
MADE = (
    """create table if not exists bill_run (
        batch integer not null, month integer not null, place varchar not null, digest varchar not null,
        content varchar not null)""",
    """create table if not exists issued_bill (
        batch integer not null, place varchar not null, commodity varchar not null, month integer not null,
        first_day integer not null, end_day integer not null, due_won bigint not null, digest varchar not null,
        body varchar not null)""",
)
"""A run's content holds what its bills share: the cards word for word, the moment of knowledge, the rules."""


@dataclass(frozen=True, slots=True)
class Issued:
    """One issued bill: `month` as 202510, its days, what is due in won, and its body (see tariffs.issuing)."""

    batch: int
    issued_us: int
    place: str
    commodity: str
    month: int
    first: date
    end: date
    due_won: int
    digest: str
    body: dict[str, Any]

    @property
    def sound(self) -> bool:
        """Whether the body is what was issued."""
        return digest_of(self.body) == self.digest


@dataclass(frozen=True, slots=True)
class Draft:
    """One bill to be issued."""

    place: str
    commodity: str
    month: int
    first: date
    end: date
    due_won: int
    body: dict[str, Any]


def digest_of(body: Any) -> str:
    """Give the digest of plain values."""
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def any_issued(snapshot: Snapshot) -> bool:
    """Tell whether a bill was ever issued in this store."""
    return bool(snapshot.rows("select 1 from duckdb_tables() where table_name = 'issued_bill'"))


def append_bills(writing: Writing, month: int, place: str, content: dict[str, Any], drafts: Sequence[Draft]) -> str:
    """Append a run's bills; give the digest of them all."""
    for statement in MADE:
        writing.execute(statement)
    bodies = [canonical(draft.body) for draft in drafts]
    digests = [hashlib.sha256(body.encode()).hexdigest() for body in bodies]
    whole = hashlib.sha256("".join(digests).encode()).hexdigest()
    batch = writing.batch.id
    writing.append(
        "bill_run",
        pa.table({
            "batch": pa.array([batch], pa.int32()), "month": pa.array([month], pa.int32()), "place": [place],
            "digest": [whole], "content": [canonical(content)],
        }),
    )  # fmt: skip
    writing.append(
        "issued_bill",
        pa.table({
            "batch": pa.array([batch] * len(drafts), pa.int32()),
            "place": pa.array([draft.place for draft in drafts], pa.string()),
            "commodity": pa.array([draft.commodity for draft in drafts], pa.string()),
            "month": pa.array([draft.month for draft in drafts], pa.int32()),
            "first_day": pa.array([day_number(draft.first) for draft in drafts], pa.int32()),
            "end_day": pa.array([day_number(draft.end) for draft in drafts], pa.int32()),
            "due_won": pa.array([draft.due_won for draft in drafts], pa.int64()),
            "digest": pa.array(digests, pa.string()),
            "body": pa.array(bodies, pa.string()),
        }),
    )  # fmt: skip
    return whole


def issued_bills(
    snapshot: Snapshot, places: Sequence[str], months: tuple[int, int], known_batch: int | None = None
) -> list[Issued]:
    """Read bills of places and months (both included), as known at a batch, in order of place, utility and days."""
    if not any_issued(snapshot):
        return []
    known = NEWEST if known_batch is None else known_batch
    found = snapshot.rows(
        """select i.batch, coalesce(b.received_us, 0), i.place, i.commodity, i.month, i.first_day, i.end_day, i.due_won,
                i.digest, i.body
            from issued_bill i left join batch b on b.id = i.batch
            where i.batch <= $1 and i.month between $2 and $3 and i.place in (select place from homes)
            order by i.place, i.commodity, i.first_day, i.batch""",
        [known, *months],
        {"homes": pa.table({"place": pa.array(list(places), pa.string())})},
    )
    return [
        Issued(
            row[0], row[1], row[2], row[3], row[4], day_of_number(row[5]), day_of_number(row[6]), int(row[7]), row[8],
            json.loads(row[9]),
        )
        for row in found
    ]  # fmt: skip


def run_content(snapshot: Snapshot, batch: int) -> dict[str, Any]:
    """Give what the bills of a run share; empty where there was no such run."""
    if not any_issued(snapshot):
        return {}
    found = snapshot.rows("select content from bill_run where batch = ?", [batch])
    return json.loads(found[0][0]) if found else {}
