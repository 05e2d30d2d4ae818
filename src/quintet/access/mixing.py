"""Which totals hold dwellings enough to be told finely, each alone and each against the others that are told.

Sets of a tree are nested or apart: what follows from told totals are sums of rests, a place less the told places below
it (floor.py says why). So every rest that holds dwellings must hold enough of them; a place for whose sake one would
not is not told finely, nor is a network on which few dwellings hang.
"""

from functools import lru_cache

import numpy as np

from quintet.registry import Registry
from quintet.terms.amount import Ints

from .floor import settle
from .flows import BOUNDARY
from .networks import HEAD, Network
from .roles import role_named
from .scope import Scope

DWELLING, OPERATOR = "premise", "operator"


def mix_of(scope: Scope) -> int:
    """Give how many dwellings a reader is told of together; at the machine as many as an operator."""
    return max((grant.role.mix for grant in scope.grants), default=role_named(OPERATOR).mix)


def apart(registry: Registry, scope: Scope, place: str) -> bool:
    """Tell whether a place's total, taken from another that the reader is told, would leave too few dwellings."""
    granted, mix = frozenset(grant.place for grant in scope.grants if grant.role.mix), mix_of(scope)
    return bool(granted) and len(homes_below(registry, place)) >= mix and place not in mixed(registry, granted, mix)


@lru_cache(maxsize=256)
def homes_below(registry: Registry, place: str) -> tuple[str, ...]:
    """Name the dwellings below a place."""
    return tuple(one for one in registry.tree.walk(place) if is_dwelling(registry, one))


def is_dwelling(registry: Registry, place: str) -> bool:
    """Tell whether a place is a dwelling."""
    return registry.tree.bodies.get(place, {}).get("level") == DWELLING


@lru_cache(maxsize=32)
def mixed(registry: Registry, granted: frozenset[str], least: int) -> frozenset[str]:
    """Name the places at and below some of which totals are told: each rest of them holds `least` dwellings, or none.

    The same registry gives the same choice: where two places cannot both be told, the larger one is.
    """
    tree = registry.tree
    tops = [one for one in granted if one in tree and granted.isdisjoint(tree.path(one)[1:])]
    out: set[str] = set()
    for top in (one for one in tops if not is_dwelling(registry, one)):
        places = [one for one in tree.walk(top) if not is_dwelling(registry, one)]
        number = {name: at for at, name in enumerate(places)}
        parents = [number.get(tree.bodies[name].get("parent", ""), -1) if name != top else -1 for name in places]
        homes = [
            next(number[here] for here in tree.path(home) if here in number) for home in homes_below(registry, top)
        ]

        def fits(_place: int, rows: Ints) -> bool:
            return len(rows) >= least

        told = settle(np.array(parents, np.int64), np.array(homes, np.int64), fits).told
        out |= {places[at] for at in told}
    return frozenset(out)


def homes_on(registry: Registry, network: Network) -> frozenset[str]:
    """Name the dwellings that hang on a network itself: its heads less those of its children tell their sum."""
    places = {row.place for row in network.below if row.flow != HEAD and row.place in registry.tree}
    crossed = {row.place for row in network.below if row.flow in BOUNDARY}
    return frozenset(
        home
        for place in places
        for home in ((place,) if is_dwelling(registry, place) else homes_below(registry, place))
        if is_dwelling(registry, place) or place in crossed
    )
