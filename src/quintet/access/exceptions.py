"""The queue of exceptions for one reader: items of the places that are his, and what became of them."""

from collections.abc import Sequence
from typing import Any

from quintet.registry import Registry
from quintet.store.engine import Engine
from quintet.store.exceptions import Item, items, steps_of
from quintet.terms.errors import Forbidden, NotFound

from .scope import Scope


def readable_items(
    engine: Engine, registry: Registry, scope: Scope, known_batch: int | None = None
) -> tuple[int, Sequence[Item]]:
    """Give the moment of asking (us), and the items of places that a reader may see, as they stand or stood."""
    with engine.asked() as (snapshot, now):
        found = items(snapshot, known_batch=known_batch)
    return now, [item for item in found if _may_read(item, registry, scope)]


def readable_item(
    engine: Engine, registry: Registry, scope: Scope, number: int, known_batch: int | None = None
) -> tuple[Item, list[dict[str, Any]]]:
    """Give one item and its steps, oldest first, as they stand or stood at a batch.

    Raises NotFound for one that is none, or not the reader's.
    """
    with engine.snapshot() as snapshot:
        found = items(snapshot, number=number, known_batch=known_batch)
        steps = steps_of(snapshot, number, known_batch) if found else []
    if not found or not _may_read(found[0], registry, scope):
        raise NotFound(
            f"there is no exception {number}.", code="no_such_exception", remedy="See `quintet exceptions list`."
        )
    return found[0], steps


def _may_read(item: Item, registry: Registry, scope: Scope) -> bool:
    place = str(item.content["place"])
    if place not in registry.tree:
        return False  # a place that was known to the item and is none now is nobody's
    try:
        scope.check(place, frozenset(registry.tree.path(place)))
    except Forbidden:
        return False
    return True
