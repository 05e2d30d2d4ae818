"""Which places' totals an analyst gets: of enough customers, so chosen that no difference of two tells of fewer."""

from functools import lru_cache

import numpy as np

from quintet.registry import Registry

from .floor import floor, settle
from .roles import MONTH_MIN

DWELLING = "premise"


def is_told(registry: Registry, place: str, step_min: int) -> bool:
    """Tell whether a place's totals in steps of so many minutes pass the floor, alone and less those below it."""
    return place in _told(registry, step_min < MONTH_MIN)


@lru_cache(maxsize=8)
def _told(registry: Registry, fine: bool) -> frozenset[str]:
    """Choose places by their customers: each dwelling, and each place above one that has meters of its own.

    What is told finer than a month is chosen among what is told by months, so that neither helps against the other.
    """
    places = list(registry.tree.walk("city"))
    number = {name: at for at, name in enumerate(places)}
    bodies = registry.tree.bodies
    parent = np.array([number.get(bodies[name].get("parent", ""), -1) for name in places], np.int64)
    homes = {registry.place_of(channel) for channel in registry.channel_ids.values()}
    home = np.array(sorted(number[name] for name in homes if name in number), np.int64)
    limits = floor()
    among = {at for at, name in enumerate(places) if bodies[name]["level"] != DWELLING}
    by_month = settle(parent, home, lambda _place, rows: len(rows) >= limits.customers, among).told
    if fine:
        by_month = settle(parent, home, lambda _place, rows: len(rows) >= limits.customers_fine, by_month).told
    return frozenset(places[at] for at in by_month)
