"""Proving the audit chain: every record sealed, none missing, and what it tells of still as it tells.

Found are a changed, deleted, added or moved record, a cut end, an edit or event whose row, spans or interval rows are
not those that were recorded, edits that nobody recorded, and rows that are not as sealed (see audit_seal): of batches,
of what the registry and people stated, of the exceptions and what became of them, of quarantined rows and issued bills.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.terms.period import day_of_number

from .audit import BEGINNING, CLOSE, COLUMNS, HEAD, Entry
from .audit_seal import BATCH, SEALED, held, rows_held
from .bills import any_issued
from .edits import StoredEdit, content_of, edits, rows_of_batches, said_of
from .engine import Engine, Snapshot
from .events import Event
from .events import said_of as said_of_event
from .read import OUTRANKING


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how much it looked at, the newest digest, and the first thing that is wrong, if any.

    `sealed` of the records hold seals (those that older versions wrote have none), and these hold `rows` rows.
    """

    records: int
    edits: int
    events: int
    sealed: int
    rows: int
    head: str
    broken: str | None


def check(engine: Engine, snapshot: Snapshot, noted: str | None = None) -> Checked:
    """Compute the whole chain anew and hold it against what the store holds.

    `noted` is a digest that somebody noted outside: it must be one of the chain's.
    """
    chain = [Entry(*row) for row in snapshot.rows(f"select {COLUMNS} from audit order by seq, digest")]
    stored = edits(snapshot)
    (events,) = snapshot.rows("select count(*) from event")[0]
    head = chain[-1].digest if chain else BEGINNING
    problems = found(engine, snapshot, chain, stored, noted)
    sealed = sum(SEALED in told(entry) for entry in chain)
    return Checked(len(chain), len(stored), int(events), sealed, rows_held(seals_of(chain)), head, next(problems, None))


def found(
    engine: Engine, snapshot: Snapshot, chain: list[Entry], stored: list[StoredEdit], noted: str | None
) -> Iterator[str]:
    """Give what is wrong, the chain's own faults first."""
    yield from broken_chain(chain)
    yield from cut_end(snapshot, chain)
    if noted is not None and noted not in {entry.digest for entry in chain}:
        yield f"no record has the digest {noted}: the chain was made anew, or cut, since it was noted."
    yield from lost_batches(snapshot, chain)
    by_subject = {entry.subject: entry for entry in reversed(chain)}
    yield from wrong_edits(snapshot, by_subject, stored)
    yield from wrong_rows(engine, snapshot, stored)
    yield from wrong_events(snapshot, by_subject)
    yield from wrong_seals(snapshot, chain)
    yield from wrong_bills(snapshot)
    yield from wrong_days(snapshot, chain)


def wrong_days(snapshot: Snapshot, chain: list[Entry]) -> Iterator[str]:
    """Hold the files that count for closed days against what was recorded when each was closed last.

    Whether the files themselves have these digests is told by reading them (see scrub).
    """
    recorded = {int(entry.subject.partition(":")[2]): told(entry) for entry in chain if entry.action == CLOSE}
    counted: dict[int, list[list[Any]]] = {day: [] for day in recorded}
    for day, *file in snapshot.rows("select day, lake, path, rows, digest from lake_file where live"):
        if int(day) in counted:
            counted[int(day)].append(file)
    for day, said in sorted(recorded.items()):
        if sorted(counted[day]) != sorted(said["files"]):
            yield f"the files of the closed day {day_of_number(day)} are not those that were recorded."


def wrong_bills(snapshot: Snapshot) -> Iterator[str]:
    """Hold what issued bills say against the digest that each bears, which is sealed with its run."""
    if any_issued(snapshot):
        changed = "select batch, place, commodity from issued_bill where sha256(body) <> digest order by all"
        for batch, place, commodity in snapshot.rows(changed):
            yield f"the bill of {commodity} at {place} that batch {batch} issued does not say what it said."


def seals_of(chain: list[Entry]) -> dict[int, dict[str, Any]]:
    """Give the seals of a chain by batch."""
    said = [told(entry) for entry in chain]
    return {int(one["batch"]): one[SEALED] for one in said if SEALED in one}


def told(entry: Entry) -> dict[str, Any]:
    """Read a record's particulars; nothing where they were made unreadable, which its digest tells."""
    try:
        return json.loads(entry.detail)
    except ValueError:
        return {}


def wrong_seals(snapshot: Snapshot, chain: list[Entry]) -> Iterator[str]:
    """Hold what is stored against the seals, and the records against their own."""
    sealed, at = False, BATCH.index("received_us")
    for entry in chain:
        said = told(entry).get(SEALED)
        if said is None and sealed:
            yield f"record {entry.seq} has no seal, and one before it has."
        sealed |= said is not None
        if said is not None and said["batch"][at] != entry.at_us:
            yield f"record {entry.seq} is not of the moment of its batch."
    yield from held(snapshot, seals_of(chain))


def broken_chain(chain: list[Entry]) -> Iterator[str]:
    """Compute the chain anew."""
    previous = BEGINNING
    for number, entry in enumerate(chain, start=1):
        if entry.seq != number:
            yield f"record {number} is missing, or stands twice."
        if entry.previous != previous:
            yield f"record {number} does not follow the one before it."
        if entry.digest != entry.sealed():
            yield f"record {number} was changed."
        previous = entry.digest


def cut_end(snapshot: Snapshot, chain: list[Entry]) -> Iterator[str]:
    """Hold the newest record against the head that is kept apart."""
    kept = [value for (value,) in snapshot.rows("select value from meta where key = ?", [HEAD])]
    said = [f"{chain[-1].seq} {chain[-1].digest}"] if chain else []
    if kept != said:
        yield f"the end of the chain is not the one that was kept: it should be {' '.join(kept) or 'empty'}."


def lost_batches(snapshot: Snapshot, chain: list[Entry]) -> Iterator[str]:
    """Find records of batches that are not there."""
    known = {int(batch) for (batch,) in snapshot.rows("select id from batch")}
    for entry in chain:
        if told(entry).get("batch") not in known:
            yield f"record {entry.seq} tells of a batch that is not there."


def wrong_edits(snapshot: Snapshot, by_subject: dict[str, Entry], stored: list[StoredEdit]) -> Iterator[str]:
    """Hold each edit against its record, and each record of an edit against its row; both name one batch."""
    seals = {number: (seq, digest) for number, seq, digest in snapshot.rows("select id, audit, digest from edit")}
    actors = dict(snapshot.rows("select id, actor from batch where kind = 'edit'"))
    numbers = [one.id for one in stored]
    if len(set(numbers)) < len(numbers):
        yield "an edit stands twice."
    for one in stored:
        said = {**said_of(one.id, one, one.rows, one.content), "batch": one.batch}
        yield from unlike(
            f"edit {one.id}", by_subject.get(f"edit:{one.id}"), seals[one.id], one.actor, one.action, said
        )
        if actors.get(one.batch) != one.actor:
            yield f"edit {one.id} is not that of its batch."
    yield from without_row("edit", by_subject, set(numbers))
    if lacking := set(actors) - {one.batch for one in stored}:
        yield f"batch {min(lacking)} holds an edit that is not there."


def unlike(
    what: str, entry: Entry | None, seal: tuple[int, str], actor: str, action: str, detail: dict[str, object]
) -> Iterator[str]:
    """Compare what a row says with its record."""
    if entry is None:
        yield f"{what} has no record."
    elif (entry.seq, entry.digest) != seal:
        yield f"{what} names another record than its own, {entry.seq}."
    elif (entry.actor, entry.action, {**told(entry), SEALED: None}) != (
        actor, action, {**detail, SEALED: None},
    ):  # fmt: skip
        yield f"{what} is not as record {entry.seq} tells."


def without_row(what: str, by_subject: dict[str, Entry], known: set[int]) -> Iterator[str]:
    """Find records of edits or events that are not there."""
    for subject, entry in by_subject.items():
        kind, _, number = subject.partition(":")
        if kind == what and int(number) not in known:
            yield f"record {entry.seq} tells of {what} {number}, which is not there."


def wrong_rows(engine: Engine, snapshot: Snapshot, stored: list[StoredEdit]) -> Iterator[str]:
    """Hold the interval rows and spans of each edit against the digest that was recorded of them."""
    spans = snapshot.arrow("select edit, channel, from_us, until_us from edit_span")
    rows = rows_of_batches(engine, snapshot, [one.batch for one in stored], spans, people_only=False)
    of_edit, of_batch = spans["edit"].to_numpy(), rows["batch"].to_numpy()
    for one in stored:
        mine = pa.array(np.flatnonzero(of_batch == one.batch))
        if content_of(rows.take(mine), spans.take(pa.array(np.flatnonzero(of_edit == one.id)))) != one.content:
            yield f"the values of edit {one.id} are not those that were recorded."
    if set(of_edit.tolist()) - {one.id for one in stored}:
        yield "there are spans of an edit that is not there."
    batch = snapshot.rows(
        f"select min(batch) from interval where quality in ({OUTRANKING}) and batch not in (select batch from edit)"
    )[0][0]
    if batch is not None:
        yield f"batch {batch} holds edited values, and no edit."


def wrong_events(snapshot: Snapshot, by_subject: dict[str, Entry]) -> Iterator[str]:
    """Hold each event and withdrawal against its record."""
    columns = "id, batch, kind, from_us, until_us, actor, reason, place, channel, detail, withdraws, audit, digest"
    known: set[int] = set()
    for number, batch, *said, withdraws, seq, digest in snapshot.rows(f"select {columns} from event order by id"):
        event = Event(*said)
        if number in known:
            yield f"event {number} stands twice."
        known.add(number)
        action = "event" if withdraws is None else "event_withdrawn"
        detail = {**said_of_event(number, event, withdraws), "batch": batch}
        entry = by_subject.get(f"event:{number}")
        yield from unlike(f"event {number}", entry, (seq, digest), event.actor, action, detail)
    yield from without_row("event", by_subject, known)
