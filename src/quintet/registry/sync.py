"""Keeping in step with the customer system's list: what it adds, changes and ends, and the records that do it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from quintet.store.records import FOREVER, Record
from quintet.terms.period import from_us, to_us

from .bulk import uncollected
from .layout import meter_rows, problem_table
from .listing import Listing, understand
from .register import OWN, listing_records
from .snapshot import Registry
from .timeline import Segment, Timeline, Timelines, ended, last_body, restate, segments, statements

COLUMN = {"listed_place": "place", "installed_us": "installed", "removed_us": "removed", "word": "listed_commodity"}
"""What a key of a channel's body is called for people."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the list says differently of a channel than it did before (None: nothing)."""

    channel: str
    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class SyncDifference:
    """What a list would do: channels it adds (or brings back), changes and ends, by name; a dry run shows just this.

    `records` make it so; `problems` are rows (QUARANTINE) that cannot be taken: their meters stay as they are.
    """

    added: tuple[str, ...]
    changed: tuple[Change, ...]
    ended: tuple[str, ...]
    records: list[Record]
    problems: pa.Table


@uncollected()
def sync(registry: Registry, listing: pa.Table, *, as_of: datetime, source: str = "listing") -> SyncDifference:
    """Compare the registry with a whole list of meters (the meters columns) as of a moment; nothing is committed.

    A meter that the list no longer holds ends at `as_of`; one that comes back counts again from then. Where a meter
    stands and as what it counts changes from `as_of` on; what its numbers mean is corrected for all time. The same list
    twice gives nothing. Raises BadInput for a table without rows or without a required column.
    """
    at_us = to_us(as_of)
    listed = understand(registry, meter_rows(listing), None)
    records = listing_records(registry, listed, at_us)
    known = registry.timelines("channel")
    later = registry.with_records(records).timelines("channel")
    back = _coming_back(listed, known, later, at_us)
    gone = _ending(listed, known, later, at_us)
    settled = {**back, **gone}
    records = [record for record in records if record.kind != "channel" or record.key not in settled]
    for name, wanted in settled.items():
        records += restate("channel", name, known[name], wanted)
    new = [name for name in listed.bodies if name not in known]
    return SyncDifference(
        (*new, *sorted(back)),
        tuple(_changes(known, listed)),
        tuple(sorted(gone)),
        records,
        problem_table(listed.problems, source),
    )


def _coming_back(listed: Listing, known: Timelines, later: Timelines, at_us: int) -> dict[str, Timeline]:
    """Give the timelines of listed channels that had ended and count again; not of what was exchanged or removed."""
    bodies = map(last_body, later.values())
    replaced = {body["replaces"] for body in bodies if body is not None and "replaces" in body}
    out: dict[str, Timeline] = {}
    for name, body in listed.bodies.items():
        if name not in known or name in replaced or "removed_us" in body:
            continue
        parts = segments(later[name])
        last = last_body(later[name])
        if last is not None and (not parts or parts[-1].end_us <= at_us):
            own = {key: last[key] for key in OWN}
            out[name] = statements([*parts, Segment(at_us, FOREVER, {**own, **body})])
    return out


def _ending(listed: Listing, known: Timelines, later: Timelines, at_us: int) -> dict[str, Timeline]:
    """Give the timelines of channels that the list no longer holds; a row with a fault still holds its meter."""
    out: dict[str, Timeline] = {}
    faulty = {f"{row.site}/{row.meter}" for row, _ in listed.problems}
    for name, said in known.items():
        last = last_body(said)
        if last is not None and name not in listed.bodies and f"{last['site']}/{last['meter']}" not in faulty:
            parts = segments(later[name])
            left = ended(parts, at_us)
            if left != parts:
                out[name] = statements(left)
    return out


def _changes(known: Timelines, listed: Listing) -> list[Change]:
    """Say what the list says differently of channels that exist."""
    out: list[Change] = []
    for name, body in listed.bodies.items():
        before = last_body(known[name]) if name in known else None
        if before is None or (body.items() <= before.items() and len(before) == len(body) + len(OWN)):
            continue
        for key in sorted((before.keys() | body.keys()) - OWN):
            was, becomes = before.get(key), body.get(key)
            if was != becomes:
                out.append(Change(name, COLUMN.get(key, key), _shown(key, was), _shown(key, becomes)))
    return out


def _shown(key: str, value: Any) -> Any:
    return from_us(value).isoformat() if key.endswith("_us") and value is not None else value
