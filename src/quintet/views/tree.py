"""The balance of every place of a tree in one answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from quintet.access import Access
from quintet.access.tree_flows import CarrierSums, TreeAnswer, tree_flows
from quintet.ledger.grid import Carrier, Mask
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
    last: str | None = None
    """The last place of a page after which more places follow; None: all are there."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a tree: the places after one ("": from the first on), whole, as many as fit into so many rows."""

    rows: int
    after: str = ""


def tree_balances(
    access: Access, span: Span, resolution: Resolution, *, place: str, level: str | None, known_at: datetime | None,
    page: Page | None = None,
) -> TreeBalances:  # fmt: skip
    """Balance a place and all below it, or those of them of one level; equal row by row to asking for each alone.

    Only a page of it where one is given: what is netted by the hour is then read of its places alone.
    Raises NotFound for a place that is none, UsageError for an answer that is too large.
    """
    check_size(span, resolution, MOST_BALANCES)
    registry = access.registry()
    _check_cells(access, place, span, resolution)
    found = tree_flows(access, place, span, resolution, known_at)
    wanted, last = _page(found, _at_level(found, level), page, registry.commodities)
    splits = splits_of(access, found, span, resolution, wanted, registry.commodities)
    table = table_of(found, level, registry.commodities, splits, wanted)
    return TreeBalances(table, found.known_at, found.rule_set, last)


def _page(found: TreeAnswer, where: Mask, page: Page | None, commodities: Commodities) -> tuple[Mask, str | None]:
    """Give the places of a page, at least one; and the last of them, where others follow."""
    if page is None:
        return where, None
    where = where.copy()
    if page.after:
        if page.after not in found.places:
            raise no_page()
        where[: found.places.index(page.after) + 1] = False
    rows = np.zeros(len(found.places), np.int64)
    for one in found.carriers:
        if commodities[one.commodity].balanced:
            rows += np.where(one.there, len(found.edges) - 1, 0)
    over = where & (np.cumsum(np.where(where, rows, 0)) > page.rows)
    if not over.any():
        return where, None
    first, cut = int(np.argmax(where)), int(np.argmax(over))
    cut = max(cut, first + 1)
    if not where[cut:].any():
        return where, None
    where[cut:] = False
    return where, found.places[int(np.flatnonzero(where)[-1])]


def no_page() -> UsageError:
    """Say that a cursor names no page of this tree."""
    return UsageError(
        "that cursor does not continue this question.", code="bad_cursor", place="cursor",
        remedy="Take `next_cursor` of the page before, with the same filters; leave it out for the first page.",
    )  # fmt: skip


def _at_level(found: TreeAnswer, level: str | None) -> Mask:
    """Mark the places of a level (None: all); raises UsageError where there is none."""
    where = np.array([level in (None, here) for here in found.levels], np.bool_)
    if not where.any():
        raise UsageError(
            f"there is no {level} there.", code="unknown_level", place="--level",
            remedy=f"There are {', '.join(sorted(set(found.levels)))}.",
            said={"text": level, "known": sorted(set(found.levels))},
        )  # fmt: skip
    return where


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
    wanted: Mask | None = None,
) -> pa.Table:
    """Balance the flows of a tree, of all levels or one, or of the `wanted` places alone.

    `splits` holds what is netted by the hour, by carrier.
    """
    where = _at_level(found, level) if wanted is None else wanted
    places = [place for place, wanted in zip(found.places, where.tolist(), strict=True) if wanted]
    split = splits or {}
    carriers = [_carrier(one, where, split.get((one.commodity, one.quantity))) for one in found.carriers]
    return tree_balance(carriers, places=places, edges=found.edges, commodities=commodities)


def _carrier(one: CarrierSums, where: Mask, split: Split | None) -> TreeCarrier:
    if where.all():
        return TreeCarrier(laid(one), one.import_metered, one.there, split)
    names = ("value", "renewable", "missing", "stands", "expected_min", "arrived_min", "estimated_min")
    carrier = Carrier(one.commodity, one.quantity, *(getattr(one, name)[:, where] for name in names))
    part = None if split is None else split.at(np.flatnonzero(where))
    return TreeCarrier(carrier, one.import_metered[where], one.there[where], part)
