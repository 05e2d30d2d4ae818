"""What of a tree's derived import and export is netted by the hour: the hours of the places that need it."""

import numpy as np

from quintet.access import Access
from quintet.access.flows import SUMMED
from quintet.access.tree_flows import CarrierSums, TreeAnswer
from quintet.ledger.balance import SOURCES, by_hour
from quintet.ledger.grid import Carrier, Mask, carriers, moments_of
from quintet.ledger.netting import Split, first_hours, many
from quintet.terms.commodity import Commodities
from quintet.terms.period import Resolution, Span
from quintet.terms.tables import FLOW_INDEX

from .netted import fine

HOUR_S = 3600
MOST_HOURS = 300_000
"""Hours of all places together that one answer reads, at once: some 34 places for a year, 400 for a month. Of the
places beyond, the lowest ones, what is netted by the hour is not told, and says so."""
Key = tuple[str, str]


def splits_of(
    access: Access, found: TreeAnswer, span: Span, resolution: Resolution, wanted: Mask, commodities: Commodities
) -> dict[Key, Split]:
    """Give what is netted by the hour of the `wanted` places of a tree, by commodity and quantity."""
    if fine(resolution) == resolution:
        return {}
    needs = {(one.commodity, one.quantity): _needs(one, commodities) & wanted for one in found.carriers}
    places = [at for at in range(len(found.places)) if any(mask[at] for mask in needs.values())]
    places.sort(key=lambda at: (SUMMED.index(found.levels[at]) if found.levels[at] in SUMMED else len(SUMMED), at))
    most = int(MOST_HOURS * HOUR_S / max((span.end - span.start).total_seconds(), HOUR_S))
    read: dict[Key, dict[int, Split]] = {key: {} for key in needs}
    names, carried = (
        [found.places[at] for at in places[:most]],
        {code for (code, _), mask in needs.items() if mask.any()},
    )
    every = access.hours_of(names, span, carried, found.known_at, told=resolution)
    first = first_hours(found.edges, every[0].edges) if every else []
    starts = moments_of(every[0].edges) if every else None
    for at, hours in zip(places, every, strict=False):
        for one in carriers(hours.flows, hours.edges, starts):
            key = (one.commodity, one.quantity)
            if key in needs and needs[key][at]:
                read[key][at] = by_hour(one, first)
    left = set(places[most:])
    return {
        (one.commodity, one.quantity): many(read[key], [at for at in left if needs[key][at]], laid(one))
        for one in found.carriers
        if needs[key := (one.commodity, one.quantity)].any()
    }


def _needs(one: CarrierSums, commodities: Commodities) -> Mask:
    """Tell of which places a carrier's import follows from the rest, with sources of their own."""
    sources = one.stands[[FLOW_INDEX[name] for name in SOURCES]].any(axis=0)
    crosses = commodities[one.commodity].balanced and commodities[one.commodity].crosses
    return np.asarray(sources & one.there & ~one.import_metered & crosses, np.bool_)


def laid(one: CarrierSums) -> Carrier:
    """Give a carrier's sums as the ledger's arrays."""
    return Carrier(
        one.commodity, one.quantity, one.value, one.renewable, one.missing, one.stands, one.expected_min,
        one.arrived_min, one.estimated_min,
    )  # fmt: skip
