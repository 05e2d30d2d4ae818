"""Generic dated records: what the registry, rate cards and factors in force are kept as.

A record says: from `valid_from` on, the thing `key` of `kind` is `body` (None: it ended), until the next record of the
same key. Nothing is overwritten: a later batch that states the same kind, key and valid_from again corrects it, and
reading as known at an earlier batch gives what was believed then.
"""

from dataclasses import dataclass
from typing import Any

ALWAYS = -(2**62)
"""`valid_from_us` of what holds from the beginning of time."""
FOREVER = 2**62
"""End of what has no end."""


@dataclass(frozen=True, slots=True)
class Record:
    """One dated statement. `valid_from_us` is microseconds since 1970 UTC; `batch` is 0 until it is committed."""

    kind: str
    key: str
    valid_from_us: int
    body: dict[str, Any] | None
    batch: int = 0


def believed(records: list[Record]) -> list[Record]:
    """Keep for each (kind, key, valid_from) the record of the latest batch, in order of kind, key, valid_from."""
    latest: dict[tuple[str, str, int], Record] = {}
    for record in records:
        place = (record.kind, record.key, record.valid_from_us)
        known = latest.get(place)
        if known is None or record.batch >= known.batch:
            latest[place] = record
    return [latest[place] for place in sorted(latest)]
