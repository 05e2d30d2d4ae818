"""The queue of exceptions for one reader: items of the places that are his, and what became of them."""

from collections.abc import Sequence
from typing import Any

from quintet.store.engine import Engine
from quintet.store.exceptions import Item, items, steps_of
from quintet.terms.errors import NotFound

from .rights import Rights


def readable_items(engine: Engine, rights: Rights, known_batch: int | None = None) -> tuple[int, Sequence[Item]]:
    """Give the moment of asking (us), and the items of places that a reader may see, as they stand or stood."""
    with engine.asked() as (snapshot, now):
        found = items(snapshot, known_batch=known_batch)
    return now, [item for item in found if _may_read(item, rights)]


def readable_item(
    engine: Engine, rights: Rights, number: int, known_batch: int | None = None
) -> tuple[Item, list[dict[str, Any]]]:
    """Give one item and its steps, oldest first, as they stand or stood at a batch.

    Raises NotFound for one that is none, or not the reader's.
    """
    with engine.snapshot() as snapshot:
        found = items(snapshot, number=number, known_batch=known_batch)
        steps = steps_of(snapshot, number, known_batch) if found else []
    if not found or not _may_read(found[0], rights):
        raise NotFound(
            f"there is no exception {number}.",
            code="no_such_exception",
            remedy="See `quintet exceptions list`.",
            said={"name": number},
        )
    return found[0], steps


def _may_read(item: Item, rights: Rights) -> bool:
    """Tell whether an item may be seen: its place (one that is none now is nobody's) and all of its time."""
    place = str(item.content["place"])
    if not rights.sees(place):
        return False
    windows = rights.windows(place)
    if windows is None:
        return True
    evidence = item.content["evidence"]
    first = min([item.since_us, *(int(row["from_us"]) for row in evidence)])
    last = max([item.opened_us, *(int(row["until_us"]) for row in evidence)])
    return any(start <= first and last <= end for start, end in windows)
