"""The batch that a moment of knowledge means, for questions about what the store's own tables hold."""

from quintet.store.book import batch_known_at
from quintet.store.engine import Snapshot
from quintet.terms.errors import UsageError
from quintet.terms.period import parse_moment, to_us

from .city import City

NEWEST = 2**31 - 1
"""Above every batch: all that is known now."""


def known_batch_of(city: City, snapshot: Snapshot, known_at: str | None) -> int:
    """Give the newest batch that a moment knew; NEWEST for now. Raises UsageError for a moment to come."""
    if known_at is None:
        return NEWEST
    moment = parse_moment(known_at, city.registry().tz)
    if to_us(moment) > city.now():
        raise UsageError(
            f"{moment.isoformat()} is in the future.",
            code="future_known_at",
            place="--known-at",
            remedy="Ask as known at a moment that has passed.",
        )
    return batch_known_at(snapshot, to_us(moment))
