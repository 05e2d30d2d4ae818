"""Events beside the readings: an outage of the supply or of communication, a device's flag; stated, and withdrawn.

Nothing is overwritten: a withdrawal is a row that names the event it ends. As known at a batch, only what was stated up
to it counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from quintet.terms.catalogue import check_keys, read_toml

from .audit import audit
from .engine import Snapshot, Writing

WITHDRAWAL = "withdrawn"
"""The kind of a row that withdraws another."""
COLUMNS = "id, batch, place, channel, kind, from_us, until_us, detail, actor, reason"
SCHEMA = pa.schema(
    [
        ("id", pa.int32()), ("batch", pa.int32()), ("place", pa.string()), ("channel", pa.int32()),
        ("kind", pa.string()), ("from_us", pa.int64()), ("until_us", pa.int64()), ("detail", pa.string()),
        ("actor", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: whether it is stated of a place, a channel or either, its names; `noted`: no rule reads it."""

    code: str
    of: str
    en: str
    ko: str
    noted: bool


@cache
def kinds() -> dict[str, Kind]:
    """Give the shipped kinds (`data/events.toml`), by code."""
    rows = read_toml("quintet.store", "events.toml")["kind"]
    for code, row in rows.items():
        check_keys(row, required={"of", "en", "ko", "why"}, optional={"noted"}, place=f"event {code}")
    return {code: Kind(code, row["of"], row["en"], row["ko"], bool(row.get("noted"))) for code, row in rows.items()}


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody or some device states: of a place or of a channel (by number), from a moment until another.

    Moments are microseconds since 1970 UTC, the end not included; None: it goes on. `detail` is free text.
    """

    kind: str
    from_us: int
    until_us: int | None
    actor: str
    reason: str
    place: str | None = None
    channel: int | None = None
    detail: str = ""


def append_event(writing: Writing, event: Event, withdraws: int | None = None) -> int:
    """State an event as part of a batch, with its audit record; gives its number."""
    number = int(writing.rows("select coalesce(max(id), 0) + 1 from event")[0][0])
    said = said_of(number, event, withdraws)
    action = "event" if withdraws is None else "event_withdrawn"
    writing.execute(
        "insert into event values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')",
        [
            number, writing.batch.id, event.place, event.channel, event.kind, event.from_us, event.until_us,
            event.detail, event.actor, event.reason, withdraws,
        ],
    )  # fmt: skip
    subject, names = f"event:{number}", ("event", number)
    audit(writing, action=action, subject=subject, detail=said, actor=event.actor, names=names)
    return number


def withdraw_event(writing: Writing, number: int, *, actor: str, reason: str) -> int:
    """Withdraw an event that stands (see `standing`); gives the number of the withdrawal."""
    (row,) = events(writing, numbers=[number]).to_pylist()
    gone = Event(
        WITHDRAWAL, row["from_us"], row["until_us"], actor, reason, row["place"], row["channel"], f"event {number}"
    )
    return append_event(writing, gone, withdraws=number)


def said_of(number: int, event: Event, withdraws: int | None) -> dict[str, object]:
    """Give what the audit record of an event holds, without the batch."""
    return {
        "id": number, "kind": event.kind, "place": event.place, "channel": event.channel, "from_us": event.from_us,
        "until_us": event.until_us, "detail": event.detail, "reason": event.reason, "withdraws": withdraws,
    }  # fmt: skip


def events(
    snapshot: Snapshot,
    only: Sequence[str] | None = None,
    from_us: int | None = None,
    until_us: int | None = None,
    known_batch: int | None = None,
    *,
    numbers: Sequence[int] | None = None,
) -> pa.Table:
    """Read the events that stand (SCHEMA, sorted by beginning) and touch [from_us, until_us), as known at a batch.

    `only` names kinds; None for it, the moments or the batch means all. An event without an end touches all that
    follows it.
    """
    known = 2**31 - 1 if known_batch is None else known_batch
    where = ["e.batch <= $1", f"e.kind <> '{WITHDRAWAL}'"]
    where.append("not exists (select 1 from event w where w.withdraws = e.id and w.batch <= $1)")
    values: list[object] = [known]
    for condition, value in (
        ("list_contains(${}, e.kind)", None if only is None else list(only)),
        ("list_contains(${}, e.id)", None if numbers is None else list(numbers)),
        ("coalesce(e.until_us, 9223372036854775807) > ${}", from_us),
        ("e.from_us < ${}", until_us),
    ):
        if value is not None:
            values.append(value)
            where.append(condition.format(len(values)))
    sql = f"select {COLUMNS} from event e where {' and '.join(where)} order by from_us, id"
    return snapshot.arrow(sql, values).cast(SCHEMA)


def history(snapshot: Snapshot, number: int) -> pa.Table:
    """Read an event and its withdrawal, if any, whether it stands or not (SCHEMA)."""
    sql = f"select {COLUMNS} from event where id = ? or withdraws = ? order by id"
    return snapshot.arrow(sql, [number, number]).cast(SCHEMA)
