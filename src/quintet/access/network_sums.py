"""What the heads of networks showed and what was known below them, period by period; and the losses a place holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.terms.amount import Ints
from quintet.terms.period import MINUTE_US
from quintet.terms.residual import GAP, least
from quintet.terms.tables import FLOWS, SUM

from .flows import event_channels, overlaps
from .networks import BELOW, Network, networks_of
from .sets import SET_COLUMNS, Amounts, Asked, Mask, SetSums, set_sums

LOSS = "known_loss"


@dataclass(frozen=True, slots=True)
class NetworkSums:
    """Sums of networks [k networks, n periods], of their heads and of what is below.

    `standing_us` is how long each network stood in each period, `fits` [k, n] that no meter of it counts in steps
    longer than the period, `begun` [k, n] that the period had begun when it was asked: of what is to come nothing is
    owed, and nothing known.
    """

    networks: Sequence[Network]
    head: SetSums
    below: SetSums
    standing_us: Ints
    fits: Mask
    begun: Mask

    @property
    def loss(self) -> Amounts:
        """Head less all that is below; it means nothing where it is not `known`. Negative ones are kept as they are."""
        return self.head.value - self.below.value

    @property
    def headed(self) -> Mask:
        """A head meter stands for as long as the network does."""
        return self.head.standing_us >= self.standing_us

    @property
    def hung(self) -> Mask:
        """Something that can be summed with the head hangs below it."""
        unlike = np.array([one.unlike for one in self.networks], np.bool_)
        return (self.below.standing_us > 0) & ~unlike[:, None]

    @property
    def known(self) -> Mask:
        """Enough of head and all below is known, measured or estimated (terms/residual.py); true where none stands."""
        enough = [
            least(GAP).holds(side.expected_min, side.arrived_min + side.estimated_min)
            for side in (self.head, self.below)
        ]
        fine = enough[0] & enough[1] & self.headed & self.hung & self.fits & self.begun
        return fine | (self.standing_us == 0)


def network_sums(moment: Asked, chosen: Sequence[Network], edges_us: Ints) -> NetworkSums:
    """Sum the heads of networks and what is below them over the periods between edges: one read."""
    table = networks_of(moment.registry).table(chosen)
    number = {one.id: at for at, one in enumerate(chosen)}
    names, flows = (table[name].to_pylist() for name in ("place", "flow"))
    key = [number[name] + len(chosen) * (flow == BELOW) for name, flow in zip(names, flows, strict=True)]
    rows = table.append_column("key", pa.array(key, pa.int64())).select(SET_COLUMNS)
    found = set_sums(moment, rows, 2 * len(chosen), edges_us, event_channels(moment.registry))
    head, below = found.part(slice(0, len(chosen))), found.part(slice(len(chosen), None))
    standing = [_overlap(one.stands, edges_us) for one in chosen]
    cadence = np.array([one.cadence_min for one in chosen], np.int64) * MINUTE_US
    fits = np.diff(edges_us)[None, :] >= cadence[:, None]
    begun = np.broadcast_to(edges_us[:-1] < moment.until_us, fits.shape)
    return NetworkSums(chosen, head, below, np.array(standing, np.int64).reshape(len(chosen), -1), fits, begun)


def _overlap(stretches: Sequence[tuple[int, int]], edges_us: Ints) -> Ints:
    starts, ends = (np.sort(np.array(moments, np.int64)) for moments in zip(*stretches, strict=True))
    return overlaps(starts, ends, edges_us)


def located_losses(moment: Asked, place: str, edges: Sequence[datetime], edges_us: Ints) -> pa.Table:
    """Give the losses that metered networks inside a place locate, as rows of the flow known_loss (FLOWS).

    The minutes are those of the heads: what is below is counted by its own flows.
    """
    chosen = networks_of(moment.registry).counted_in(place)
    return loss_flows(network_sums(moment, chosen, edges_us), edges) if chosen else FLOWS.empty_table()


def loss_flows(found: NetworkSums, edges: Sequence[datetime]) -> pa.Table:
    """Sum networks by carrier: null where the loss of one that stands is not known."""
    parts: list[pa.Table] = []
    carriers = sorted({(one.commodity, one.quantity) for one in found.networks})
    for commodity, quantity in carriers:
        own = np.array([(one.commodity, one.quantity) == (commodity, quantity) for one in found.networks])
        value, minutes = loss_sums(found, own)
        count = len(edges) - 1
        columns = {
            "start": pa.array(list(edges[:-1]), FLOWS.field("start").type),
            "commodity": pa.repeat(commodity, count),
            "quantity": pa.repeat(quantity, count),
            "flow": pa.repeat(LOSS, count),
            "renewable": pa.repeat(False, count),
            "value": pa.array([None if one is None else Decimal(one) for one in value], SUM),
            **{name: pa.array(column, pa.int64()) for name, column in minutes.items()},
        }
        parts.append(pa.table({name: columns[name] for name in FLOWS.names}).cast(FLOWS))
    return pa.concat_tables(parts)


def loss_sums(found: NetworkSums, own: npt.NDArray[np.bool_]) -> tuple[list[int | None], dict[str, Ints]]:
    """Sum the losses of some networks by period, None where one is not known, and the minutes of their heads."""
    total = np.where(found.standing_us[own] > 0, found.loss[own], 0).sum(axis=0)
    known = np.all(found.known[own], axis=0)
    value = [int(one) if sure else None for one, sure in zip(total.tolist(), list(known), strict=True)]
    head = found.head
    minutes = {
        "expected_min": head.expected_min[own].sum(axis=0),
        "arrived_min": head.arrived_min[own].sum(axis=0),
        "estimated_min": head.estimated_min[own].sum(axis=0),
    }
    return value, minutes
