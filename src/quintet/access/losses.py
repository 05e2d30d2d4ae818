"""The losses of networks: what one reader may ask of them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from quintet.registry import Registry
from quintet.registry.tree import ROOT
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import Resolution, Span, from_us

from .mixing import homes_on
from .network_sums import NetworkSums, network_sums
from .networks import Network, networks_of
from .reader import Access
from .roles import minutes_of
from .series import cut


@dataclass(frozen=True, slots=True)
class NetworksAnswer:
    """Sums of networks in periods, and how far they can be trusted; no sums where there is no network."""

    sums: NetworkSums | None
    edges: list[datetime]
    known_at: datetime
    rule_set: str


def network_losses(
    access: Access,
    span: Span,
    resolution: Resolution,
    *,
    place: str = "",
    network: str = "",
    known_at: datetime | None = None,
) -> NetworksAnswer:
    """Sum the networks of a place (else of the city) and below it, or one network, now or as known at a moment.

    Raises NotFound for a place or network that is none, UsageError where both are named.
    """
    if place and network:
        raise UsageError("a network has its place.", code="bad_question", remedy="Name a place or a network, not both.")
    asked = place or (_found(networks_of(access.registry()).rows, network).place if network else ROOT)

    def chosen_of(registry: Registry) -> list[Network]:
        rows = networks_of(registry).rows
        if network:
            return [_found(rows, network)]
        inside = registry.tree.descendants(asked)
        return [one for _, one in sorted(rows.items()) if one.place in inside]

    def groups(registry: Registry) -> Mapping[str, Set[str]]:
        return {one.id: homes_on(registry, one) for one in chosen_of(registry)}

    with access.asking(asked, known_at, span, minutes_of(resolution), groups=groups) as moment:
        chosen = chosen_of(moment.registry)
        periods, edges_us = cut(span, resolution, moment.engine.tz)
        sums = network_sums(moment, chosen, edges_us) if chosen else None
    return NetworksAnswer(sums, periods, from_us(moment.known_us), moment.rule_set)


def _found(rows: dict[str, Network], name: str) -> Network:
    if name not in rows:
        remedy = f"There are {', '.join(sorted(rows))}." if rows else "city.toml declares them as [[feeder]]."
        raise NotFound(
            f"there is no network {name!r}.", code="unknown_network", remedy=remedy,
            said={"name": name, "known": sorted(rows)} if rows else {"name": name},
        )  # fmt: skip
    return rows[name]
