"""The metered flows of every place of a tree per period: one grouped read, then sums over the tree as arrays.

The same rules as for one place: boundary flows count at their own place, all others at theirs and every place above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.terms.amount import Ints
from quintet.terms.period import Resolution, Span, from_us
from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES

from .coding import coded
from .fineness import fits
from .flows import BOUNDARY, HALVES, KEY, clipped, event_channels, expected_rows, halves_of, placed, renamed
from .network_sums import LOSS, loss_sums, network_sums
from .networks import networks_of
from .reader import Access
from .roles import minutes_of
from .series import cut
from .sets import SET_COLUMNS, Amounts, Asked, Mask, SetSums, set_sums

AT_BOUNDARY = frozenset(BOUNDARY.values())


@dataclass(frozen=True, slots=True)
class CarrierSums:
    """One commodity and quantity over a tree: arrays [9 flows of FLOW_NAMES, places, periods], as the ledger lays out.

    `stands` is [9, places]; `import_metered` and `there` (the place has the carrier) are [places].
    """

    commodity: str
    quantity: str
    value: Amounts
    renewable: Amounts
    missing: Mask
    stands: Mask
    expected_min: Ints
    arrived_min: Ints
    estimated_min: Ints
    import_metered: Mask
    there: Mask


@dataclass(frozen=True, slots=True)
class TreeAnswer:
    """The flows of a tree's places, parents before children, and how far they can be trusted."""

    places: list[str]
    levels: list[str]
    carriers: list[CarrierSums]
    edges: list[datetime]
    known_at: datetime
    rule_set: str


@dataclass(frozen=True)
class Forest:
    """The places under one, parents before children, and what counts at each itself, by set."""

    places: list[str]
    levels: list[str]
    parent: npt.NDArray[np.int64]
    depth: npt.NDArray[np.int64]
    rows: pa.Table
    place_of: npt.NDArray[np.int64]
    keys: list[tuple[str, str, str, bool]]
    key_of: npt.NDArray[np.int64]


def tree_flows(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None = None
) -> TreeAnswer:
    """Give the flows of a place and every place below it, now or as known at a moment."""
    with access.asking(place, known_at, span, minutes_of(resolution), each=True) as moment:
        forest = forest_of(moment.registry, place)
        periods, edges_us = cut(span, resolution, moment.engine.tz)
        fine = np.asarray(fits(forest.rows, resolution).to_numpy(zero_copy_only=False), np.bool_)
        events = event_channels(moment.registry)
        found = set_sums(moment, forest.rows, len(forest.place_of), edges_us, events, None if fine.all() else fine)
        carriers = [_carrier(forest, found, key) for key in sorted({key[1:3] for key in forest.keys})]
        _add_losses(moment, forest, carriers, edges_us)
    known = from_us(moment.known_us)
    return TreeAnswer(forest.places, forest.levels, carriers, periods, known, moment.rule_set)


@lru_cache(maxsize=4)
def forest_of(registry: Registry, place: str) -> Forest:
    """Lay out a tree once for a registry: what counts where, numbered."""
    registry.need_place(place)
    places = list(registry.tree.walk(place))
    number = {name: at for at, name in enumerate(places)}
    bodies = registry.tree.bodies
    parent = np.array([number.get(bodies[name].get("parent", ""), -1) for name in places], np.int64)
    parent[0] = -1
    depth = np.zeros(len(places), np.int64)
    for at in range(1, len(places)):
        depth[at] = depth[parent[at]] + 1
    balanced = pa.array([code for code, row in registry.commodities.rows.items() if row.balanced])
    rows = clipped(placed(registry), 0)
    here = pc.and_(pc.is_in(rows["place"], pa.array(places)), pc.is_in(rows["commodity"], balanced))
    rows = rows.filter(here)
    halved = pc.is_in(rows["flow"], pa.array(list(HALVES)))
    parts = [renamed(rows.filter(pc.invert(halved))), halves_of(rows.filter(halved))]
    rows = pa.concat_tables([*parts, expected_rows(registry, number.keys())])
    codes, words = coded(rows, KEY)
    keys = [(str(flow), str(code), str(quantity), bool(green)) for flow, code, quantity, green in words]
    at_place = pc.index_in(rows["place"], pa.array(places, pa.string())).to_numpy().astype(np.int64)
    cell = at_place * max(len(keys), 1) + codes
    distinct, key = np.unique(cell, return_inverse=True)
    rows = rows.append_column("key", pa.array(key.reshape(-1))).select(SET_COLUMNS)
    levels = [bodies[name]["level"] for name in places]
    width = max(len(keys), 1)
    return Forest(places, levels, parent, depth, rows, distinct // width, keys, distinct % width)


def _carrier(forest: Forest, found: SetSums, carrier: tuple[str, str]) -> CarrierSums:
    """Sum one carrier's flows up the tree and lay them out."""
    size, count = len(forest.places), found.arrived_min.shape[1]
    shape = (len(FLOW_NAMES), size, count)
    value, renewable = np.zeros(shape, found.value.dtype), np.zeros(shape, found.value.dtype)
    missing, stands = np.zeros(shape, np.bool_), np.zeros(shape[:2], np.bool_)
    minutes = [np.zeros(shape, np.int64) for _ in range(3)]
    there, import_metered = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for at, key in enumerate(forest.keys):
        if key[1:3] != carrier:
            continue
        flow = FLOW_INDEX[key[0]]
        sets = np.flatnonzero(forest.key_of == at)
        own = _summed(forest, found, sets, up=key[0] not in AT_BOUNDARY)
        held = np.zeros(size, np.int64)
        held[forest.place_of[sets]] = 1
        held = _up(forest, held[:, None])[:, 0] if key[0] not in AT_BOUNDARY else held
        there |= held > 0
        import_metered |= (held > 0) & (key[0] == "import")
        value[flow] += own.value
        if key[3]:
            renewable[flow] += own.value
        missing[flow] |= own.unknown
        heard = own.arrived_min + own.estimated_min
        stands[flow] |= np.any(own.unknown | (own.expected_min > 0) | (heard > 0), axis=1)
        for total, part in zip(minutes, (own.expected_min, own.arrived_min, own.estimated_min), strict=True):
            total[flow] += part
    expected, arrived, estimated = minutes
    return CarrierSums(
        *carrier, value, renewable, missing, stands, expected, arrived, estimated, import_metered, there
    )  # fmt: skip


def _summed(forest: Forest, found: SetSums, sets: npt.NDArray[np.int64], *, up: bool) -> SetSums:
    """Give some sets of one flow by place, summed up the tree where the flow crosses no boundary."""
    where = forest.place_of[sets]
    columns: list[Amounts] = []
    for column in (found.value, found.arrived_min, found.estimated_min, found.expected_us, found.standing_us):
        own = np.zeros((len(forest.places), column.shape[1]), column.dtype)
        own[where] = column[sets]
        columns.append(_up(forest, own) if up else own)
    return SetSums(*columns)


def _up(forest: Forest, own: Amounts) -> Amounts:
    """Add each place to the one above it, the deepest first."""
    for depth in range(int(forest.depth.max(initial=0)), 0, -1):
        here = np.flatnonzero(forest.depth == depth)
        np.add.at(own, forest.parent[here], own[here])
    return own


def _add_losses(moment: Asked, forest: Forest, carriers: Sequence[CarrierSums], edges_us: Ints) -> None:
    """Add the losses that metered networks locate inside each place."""
    networks = networks_of(moment.registry)
    number = {name: at for at, name in enumerate(forest.places)} if networks.rows else {}
    above = {here for one in networks.rows.values() for here in moment.registry.tree.path(one.place)}
    counting = {place: networks.counted_in(place) for place in sorted(above & number.keys())}
    chosen = sorted({one.id: one for own in counting.values() for one in own}.values(), key=lambda one: one.id)
    if not chosen:
        return
    found = network_sums(moment, chosen, edges_us)
    flow = FLOW_INDEX[LOSS]
    for place, counted_here in counting.items():
        counted = {one.id for one in counted_here}
        at = number[place]
        for carrier in carriers:
            key = (carrier.commodity, carrier.quantity)
            own = np.array([one.id in counted and (one.commodity, one.quantity) == key for one in chosen], np.bool_)
            if not own.any():
                continue
            value, minutes = loss_sums(found, own)
            gone = np.array([one is None for one in value], np.bool_)
            carrier.value[flow, at] = [one or 0 for one in value]
            carrier.missing[flow, at] = gone
            carrier.expected_min[flow, at] = minutes["expected_min"]
            carrier.arrived_min[flow, at] = minutes["arrived_min"]
            carrier.estimated_min[flow, at] = minutes["estimated_min"]
            total = minutes["expected_min"] + minutes["arrived_min"] + minutes["estimated_min"]
            carrier.stands[flow, at] = bool((gone | (total > 0)).any())
