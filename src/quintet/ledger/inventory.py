"""A place's greenhouse gases over a span: every source, by one factor set, with scope 2 both ways and hourly factors.

A period in which what counts changes (a supply, a calorific value) is cut there and gives two rows.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.commodity import Commodities
from quintet.terms.period import Span, day_start

from .balance import balance
from .emissions import Emission, Question, Unfuelled, emitted
from .factor_sets import FactorSet
from .hourly import by_the_hour
from .market import Market, market_based
from .netting import Hours
from .scopes import ScopeTotal, by_scope
from .stated import HourFactors

MADE = "local_generation"
"""The flow of what plants without a metered input make."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A place's flows (FLOWS) over edges, in a stretch in which nothing changes of what counts."""

    flows: pa.Table
    edges: list[datetime]
    boundaries_metered: AbstractSet[tuple[str, str]]
    hours: Hours | None = None
    """The same flows by the hour, of the carriers that are netted by the hour."""
    starved: Unfuelled = field(default_factory=dict)
    """What plants made while not one of their inputs was heard."""


Fetch = Callable[[Span, bool], Piece]
"""Gives the flows of a span: in the periods asked for, or (True) by the hour."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How an inventory is asked: of which place, on which clock, for which purpose, by which warming potentials."""

    place: str
    tz: ZoneInfo
    commodities: Commodities
    purpose: str = "inventory"
    gwp: str | None = None
    count_at: str | None = None
    above: frozenset[str] = frozenset()
    """The places above it, whose contracts are not shared out to it."""
    inside: frozenset[str] | None = None
    """The place and all below it, whose contracts count (None: every contract)."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """The rows (scope 2 location-based), scope 2 market-based, and the sums by scope."""

    rows: list[Emission]
    market: list[Market]
    scopes: list[ScopeTotal]

    @property
    def market_kg(self) -> Fraction:
        """Give the market-based sum of what has a number."""
        return sum((one.kg_co2e for one in self.market if one.kg_co2e is not None), Fraction(0))

    def kg(self, *scopes: int) -> Fraction:
        """Give the sum of some scopes (all where none is named), location-based."""
        return sum((one.kg_co2e for one in self.scopes if not scopes or one.scope in scopes), Fraction(0))


def pieces_of(span: Span, chosen: FactorSet, tz: ZoneInfo) -> list[Span]:
    """Cut a span where what counts changes."""
    moments = [moment for day in chosen.cuts() if span.start < (moment := day_start(day, tz)) < span.end]
    edges = [span.start, *moments, span.end]
    return [Span(first, last) for first, last in pairwise(edges)]


def inventory(span: Span, chosen: FactorSet, asked: Asked, fetch: Fetch) -> Inventory:
    """Give the inventory of a span by one factor set."""
    question = Question(
        asked.tz, chosen.weights(asked.gwp), asked.purpose, {}, chosen.table, chosen.calorific,
        supplies=chosen.supplied(), count_at=asked.count_at or chosen.count_at,
    )  # fmt: skip
    rows: list[Emission] = []
    ends: dict[datetime, datetime] = {}
    for piece in pieces_of(span, chosen, asked.tz):
        found = fetch(piece, False)
        here = emitted(_books(found, asked), question, unfuelled(found.flows), found.starved)
        ends |= dict(zip(found.edges[:-1], found.edges[1:], strict=True))
        if any(_reaches(one, piece) for one in chosen.hourly):
            hours = _only(fetch(piece, True), {one.commodity for one in chosen.hourly})
            table, unfed = _books(hours, asked), unfuelled(hours.flows)
            here = by_the_hour(here, table, unfed, found.edges, question, chosen.hourly)
        rows += here
    held = asked.above | (asked.inside or {one.place for one in chosen.contracts})
    contracts = [one for one in chosen.contracts if one.place in held]
    return Inventory(rows, market_based(rows, ends, question, contracts, asked.above), by_scope(rows))


def _books(piece: Piece, asked: Asked) -> pa.Table:
    """Balance a piece."""
    return balance(
        piece.flows, place=asked.place, edges=piece.edges, commodities=asked.commodities,
        boundaries_metered=piece.boundaries_metered, hours=piece.hours, minutes=True,
    )  # fmt: skip


def _only(piece: Piece, commodities: AbstractSet[str]) -> Piece:
    """Keep the flows of some commodities."""
    mine = pc.is_in(piece.flows["commodity"], value_set=pa.array(sorted(commodities)))
    return replace(piece, flows=piece.flows.filter(mine))


def unfuelled(flows: pa.Table) -> Unfuelled:
    """Give what plants without any metered input made here that is not renewable: nobody sees what they burn."""
    own = pc.and_(pc.equal(flows["flow"], MADE), pc.invert(flows["renewable"]))
    rows = flows.filter(pc.and_(own, pc.is_valid(flows["value"])))
    out: dict[tuple[datetime, str, str], int] = {}
    for *key, value in zip(
        *(rows[name].to_pylist() for name in ("start", "commodity", "quantity", "value")), strict=True
    ):
        start, commodity, quantity = key
        out[start, commodity, quantity] = out.get((start, commodity, quantity), 0) + int(value)
    return out


def _reaches(one: HourFactors, span: Span) -> bool:
    """Tell whether hourly factors say anything of a span."""
    return one.start < span.end and (span.start - one.start).total_seconds() < 3600 * len(one.kg)
