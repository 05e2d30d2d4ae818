"""The balance of every place of a tree in one answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from quintet.access import Access
from quintet.access.tree_flows import CarrierSums, TreeAnswer, tree_flows
from quintet.ledger.grid import Carrier
from quintet.ledger.netting import Split
from quintet.ledger.tree import TreeCarrier, tree_balance
from quintet.terms.commodity import Commodities
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, Span

from .asked import MOST_BALANCES, check_size
from .tree_hours import laid, splits_of

MOST_CELLS = 6_000_000
"""Places times periods times carriers of one answer: 17,000 premises and their five carriers by month for years."""


@dataclass(frozen=True, slots=True)
class TreeBalances:
    """A BALANCE table of many places, and what it rests on."""

    table: pa.Table
    known_at: datetime
    rule_set: str


def tree_balances(
    access: Access, span: Span, resolution: Resolution, *, place: str, level: str | None, known_at: datetime | None
) -> TreeBalances:
    """Balance a place and all below it, or those of them of one level; equal row by row to asking for each alone.

    Raises NotFound for a place that is none, UsageError for an answer that is too large.
    """
    check_size(span, resolution, MOST_BALANCES)
    registry = access.registry()
    _check_cells(access, place, span, resolution)
    found = tree_flows(access, place, span, resolution, known_at)
    wanted = np.array([level in (None, here) for here in found.levels], np.bool_)
    splits = splits_of(access, found, span, resolution, wanted, registry.commodities)
    return TreeBalances(table_of(found, level, registry.commodities, splits), found.known_at, found.rule_set)


def _check_cells(access: Access, place: str, span: Span, resolution: Resolution) -> None:
    """Refuse what would not fit before anything is read."""
    places = len(access.registry().descendants(place))
    carriers = sum(row.balanced for row in access.registry().commodities.rows.values())
    check_size(span, resolution, max(MOST_CELLS // max(places * carriers, 1), 1))


def table_of(
    found: TreeAnswer,
    level: str | None,
    commodities: Commodities,
    splits: Mapping[tuple[str, str], Split] | None = None,
) -> pa.Table:
    """Balance the flows of a tree, of all levels or one; `splits` holds what is netted by the hour, by carrier."""
    where = np.array([level in (None, here) for here in found.levels], np.bool_)
    if level is not None and not where.any():
        raise UsageError(
            f"there is no {level} there.", code="unknown_level", place="--level",
            remedy=f"There are {', '.join(sorted(set(found.levels)))}.",
            said={"text": level, "known": sorted(set(found.levels))},
        )  # fmt: skip
    places = [place for place, wanted in zip(found.places, where.tolist(), strict=True) if wanted]
    split = splits or {}
    carriers = [_carrier(one, where, split.get((one.commodity, one.quantity))) for one in found.carriers]
    return tree_balance(carriers, places=places, edges=found.edges, commodities=commodities)


def _carrier(one: CarrierSums, where: np.ndarray[tuple[int], np.dtype[np.bool_]], split: Split | None) -> TreeCarrier:
    if where.all():
        return TreeCarrier(laid(one), one.import_metered, one.there, split)
    names = ("value", "renewable", "missing", "stands", "expected_min", "arrived_min", "estimated_min")
    carrier = Carrier(one.commodity, one.quantity, *(getattr(one, name)[:, where] for name in names))
    part = None if split is None else split.at(np.flatnonzero(where))
    return TreeCarrier(carrier, one.import_metered[where], one.there[where], part)
