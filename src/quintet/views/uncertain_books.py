"""The books of a place with the interval in which each of their numbers truly lies: balances, ratios, emissions.

Metered flows are drawn; what follows from them is computed anew for each draw, by the functions of the ledger itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import TypeVar

import msgspec
import pyarrow as pa

from quintet.access import Access, FlowsAnswer
from quintet.ledger.balance import DERIVABLE, balanced_carriers, netted_by_hour
from quintet.ledger.city_rows import CURRENT, SHIPPED, find_set
from quintet.ledger.drawn_books import Above, Bounds, DrawnFlows, Key, Shared, bounds, quantiles
from quintet.ledger.emissions import Emission
from quintet.ledger.inventory import Piece, inventory
from quintet.ledger.uncertainty import numbers
from quintet.terms.period import Resolution, Span, edges, from_us
from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES
from quintet.terms.unit import Unit

from .answers import BalanceRow, Balances, SelfSufficiency
from .answers_ledger import EmissionRow, Inventory, ScopeSum, SelfSufficiencies
from .balances import place_balances
from .certainty import Spoken
from .inventories import Question, asking_of, place_inventory
from .netted import fine, piece_of
from .self_sufficiencies import Books, books_of, definitions_of, place_selfsufficiency
from .uncertain_flows import Uncertain, above, read_uncertain, speaks_to

CLOSURE = "closure_error"
NOT_DRAWN = "it rests on something that is not known and cannot be drawn"
NETTED = "it is netted by the hour: ask for hours"
PLACES = 6


@dataclass(frozen=True, slots=True)
class Told:
    """The bounds of one balance row, by flow, in its unit; why there are none; and until when they speak."""

    low: dict[str, Decimal]
    high: dict[str, Decimal]
    reason: dict[str, str]
    until: datetime


def balance_bounds(
    access: Access, flows: FlowsAnswer, resolution: Resolution, level: float, known_at: datetime | None
) -> dict[tuple[datetime, str, str], Told]:
    """Give the bounds of a place's balance rows, by start, commodity and unit."""
    commodities = access.registry().commodities
    span = Span(flows.edges[0], flows.edges[-1])
    uncertain = read_uncertain(access, flows.place, span, resolution, level, known_at)
    drawn = [uncertain.stretch(start, end) for start, end in pairwise(flows.edges)]
    told = [above(one) for one in drawn]
    out: dict[tuple[datetime, str, str], Told] = {}
    rough = fine(resolution) != resolution
    by_hour = netted_by_hour(flows.flows, commodities, flows.boundaries_metered) if rough else set[str]()
    for one in balanced_carriers(flows.flows, flows.edges, commodities, flows.boundaries_metered):
        kind = (one.carrier.commodity, one.carrier.quantity)
        unit = commodities[kind[0]].display_unit(kind[1])
        mine = {name: [row.get((*kind, name)) for row in told] for name in FLOW_NAMES}
        netted = kind[0] in by_hour
        found = bounds(
            one, mine, level, import_metered=kind in flows.boundaries_metered, crosses=commodities[kind[0]].crosses
        )
        for at, start in enumerate(flows.edges[:-1]):
            until = speaks_to(drawn[at], flows.edges[at + 1], kind[0])
            reasons = {name: row[at] for name, row in mine.items()}
            one_row = _told(found, at, unit, reasons, until)
            for name in DERIVABLE if netted else ():
                if one_row.low.pop(name, None) is not None and one_row.high.pop(name, None) is not None:
                    one_row.reason[name] = NETTED
            out[start, kind[0], unit.code] = one_row
    return out


def _told(found: Bounds, at: int, unit: Unit, reasons: Mapping[str, Above | None], until: datetime) -> Told:
    """Write the bounds of one row in its unit."""
    out = Told({}, {}, {}, until)
    why = {name: one.reason for name, one in reasons.items() if one is not None and one.reason}
    pairs = {name: found.flows[:, row, at] for name, row in FLOW_INDEX.items()} | {CLOSURE: found.closure[:, at]}
    for name, (low, high) in pairs.items():
        if math.isnan(low) or math.isnan(high):
            out.reason[name] = why.get(name) or next(iter(why.values()), NOT_DRAWN)
        else:
            out.low[name] = unit.to_decimal(math.floor(low))
            out.high[name] = unit.to_decimal(math.ceil(high))
    return out


def uncertain_balances(
    access: Access, place: str, span: Span, resolution: Resolution, *, level: float, known_at: datetime | None
) -> Balances:
    """Give a place's balance rows with their intervals; raises as `place_balances` and `read_uncertain` do."""
    tz = access.registry().tz
    found = place_balances(access, place, span, resolution, known_at, tz)
    flows = access.flows(place, span, resolution, known_at)
    told = balance_bounds(access, flows, resolution, level, known_at)
    by_start = {(start.timestamp(), commodity, unit): one for (start, commodity, unit), one in told.items()}
    rows = [with_interval(row, by_start[row.start.timestamp(), row.commodity, row.unit], level) for row in found.rows]
    return Balances(found.known_at, found.rule_set, rows)


def with_interval(row: BalanceRow, told: Told, level: float) -> BalanceRow:
    """Give a row with its interval, where the row has a number or could have one."""
    return msgspec.structs.replace(
        row, low=told.low, high=told.high, nominal=level, interval_reason=told.reason,
        interval_to=told.until.astimezone(row.start.tzinfo),
    )  # fmt: skip


def uncertain_sufficiencies(
    access: Access, place: str, span: Span, resolution: Resolution, *, level: float, known_at: datetime | None
) -> SelfSufficiencies:
    """Give every definition's answer with its interval: each is computed anew from every draw of the flows."""
    tz = access.registry().tz
    found = place_selfsufficiency(access, place, span, resolution, known_at, tz)
    books = books_of(access, place, span, resolution, known_at)
    uncertain = read_uncertain(access, place, span, Resolution.DAY, level, known_at)
    drawn = uncertain.stretch(span.start, span.end)
    until = speaks_to(drawn, span.end).astimezone(tz)
    values = _values(books, resolution, DrawnFlows(books.flows.flows, [(span.start, span.end)], [above(drawn)]))
    rows = [_answer(one, values[one.id], level, drawn, until) for one in found.definitions]
    return msgspec.structs.replace(found, definitions=rows)


def _values(books: Books, resolution: Resolution, drawn: DrawnFlows) -> dict[str, list[float | None]]:
    """Compute every definition for every draw."""
    shares = drawn.shares()
    out: dict[str, list[float | None]] = {}
    for number in range(1 if shares.exact else numbers()["book_draws"]):
        for one in definitions_of(redrawn(books, shares.table(number)), resolution):
            out.setdefault(one.id, []).append(None if one.value is None else float(one.value))
    return out


def redrawn(books: Books, flows: pa.Table) -> Books:
    """Give the same books over other flows."""
    answer = replace(books.flows, flows=flows)
    commodities = books.access.registry().commodities
    balanced = {
        (one.carrier.commodity, one.carrier.quantity): one
        for one in balanced_carriers(flows, answer.edges, commodities, answer.boundaries_metered)
    }
    energy = [
        replace(one, balanced=balanced[one.balanced.carrier.commodity, one.balanced.carrier.quantity])
        for one in books.energy
    ]
    return replace(books, flows=answer, energy=energy)


def _answer(
    one: SelfSufficiency,
    values: Sequence[float | None],
    level: float,
    drawn: Mapping[Key, Spoken | None],
    until: datetime,
) -> SelfSufficiency:
    """Give a definition's answer with its interval."""
    why = [each.drawn.reason for each in drawn.values() if each is not None and each.drawn.reason]
    return _with(one, values, level, one.reason or next(iter(why), NOT_DRAWN), until)


def _decimal(value: float, *, down: bool) -> Decimal:
    """Write a bound to the millionth, outwards."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-PLACES), ROUND_FLOOR if down else ROUND_CEILING)


class DrawnReading:
    """Reads a place's flows for an inventory, once, and gives them as each draw has them."""

    def __init__(self, access: Access, asked: Question, uncertain: Uncertain) -> None:
        """Read through an access, as it knows."""
        self._access, self._asked, self._uncertain = access, asked, uncertain
        self._kept: dict[tuple[datetime, datetime, bool], tuple[Piece, list[Shared]]] = {}
        self._stretches: dict[tuple[datetime, datetime], dict[Key, Spoken | None]] = {}
        self.draw = 0

    def __call__(self, span: Span, hourly: bool) -> Piece:
        """Give the flows of a span in the draw that is asked for."""
        key = (span.start, span.end, hourly)
        if key not in self._kept:
            told = self._asked.resolution
            piece, _ = piece_of(self._access, self._asked.place, span, Resolution.HOUR if hourly else told, told)
            stretches = list(pairwise(edges(span, told, self._access.registry().tz)))
            found = [above(self.stretch(*one)) for one in stretches]
            tables = [piece.flows, *([] if piece.hours is None else [piece.hours.flows])]
            self._kept[key] = (piece, [DrawnFlows(one, stretches, found).shares() for one in tables])
        piece, shares = self._kept[key]
        drawn = [one.table(self.draw) for one in shares]
        hours = None if piece.hours is None else replace(piece.hours, flows=drawn[1])
        return replace(piece, flows=drawn[0], hours=hours)

    def stretch(self, start: datetime, end: datetime) -> dict[Key, Spoken | None]:
        """Draw the flows of a stretch, once."""
        if (start, end) not in self._stretches:
            self._stretches[start, end] = self._uncertain.stretch(start, end)
        return self._stretches[start, end]

    @property
    def told(self) -> Sequence[Spoken]:
        """All that was drawn."""
        return [one for found in self._stretches.values() for one in found.values() if one is not None]

    @property
    def exact(self) -> bool:
        """Tell whether all is known: then every draw is the same."""
        every = [one for _, kept in self._kept.values() for one in kept]
        return all(one.exact for one in every)


def uncertain_inventory(access: Access, asked: Question, level: float) -> Inventory:
    """Give a place's greenhouse gases with the intervals that follow from what is known of the amounts.

    A factor is taken as exact: no factor of the table states an uncertainty of its own.
    """
    tz = access.registry().tz
    found = place_inventory(access, asked, tz)
    known = access.as_known(asked.known_at)
    uncertain = read_uncertain(known, asked.place, asked.span, asked.resolution, level, None)
    book = known if asked.factor_set in (CURRENT, SHIPPED) else access
    chosen = find_set(book.registry().timelines, asked.factor_set)
    how = asking_of(known, asked, tz)
    reading = DrawnReading(known, asked, uncertain)
    rows: dict[tuple[float, str, int], list[float | None]] = {}
    scopes: dict[int, list[float | None]] = {}
    for number in range(numbers()["book_draws"]):
        reading.draw = number
        drawn = inventory(asked.span, chosen, how, reading)
        for one in drawn.rows:
            rows.setdefault(_name(one), []).append(None if one.kg_co2e is None else float(one.kg_co2e))
        for scope in drawn.scopes:
            scopes.setdefault(scope.scope, []).append(float(scope.kg_co2e) if not scope.missing else None)
        if reading.exact:
            break
    why = next((one.drawn.reason for one in reading.told if one.drawn.reason), NOT_DRAWN)
    until = min([asked.span.end, *(from_us(one.end_us) for one in reading.told)]).astimezone(tz)
    told = [_with(one, rows.get(_name(one), []), level, why, until) for one in found.rows]
    sums = [_with(one, scopes.get(one.scope, []), level, why, until) for one in found.scopes]
    return msgspec.structs.replace(found, rows=told, scopes=sums)


def _name(row: Emission | EmissionRow) -> tuple[float, str, int]:
    """Name a row of an inventory."""
    return row.start.timestamp(), row.source_id, row.scope


Row = TypeVar("Row", EmissionRow, ScopeSum, SelfSufficiency)


def _with(row: Row, values: Sequence[float | None], level: float, why: str, until: datetime) -> Row:
    """Give a row with its interval, or why it has none."""
    found = quantiles(values, level)
    low, high = (None, None) if found is None else (_decimal(found[0], down=True), _decimal(found[1], down=False))
    reason = None if found is not None else why
    return msgspec.structs.replace(row, low=low, high=high, nominal=level, interval_reason=reason, interval_to=until)
