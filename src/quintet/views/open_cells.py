"""The cells of one month of open data: balance terms by place, and the books of places that are told whole."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import Access
from quintet.access.floor_month import LOCAL, USE, Carrier, MonthFloor, Told
from quintet.ledger.balance import rows_for_people
from quintet.terms.period import Resolution, Span, edges

from .answers import BalanceRow
from .answers_open import OpenCell
from .balances import balance_row, place_balances
from .inventories import Question, answered, place_inventory
from .self_sufficiencies import place_selfsufficiency
from .tree import tree_balances

IMPORT, EXPORT, UNACCOUNTED = "import", "export", "unaccounted"
CLOSING = (IMPORT, EXPORT, UNACCOUNTED)
"""What closes a row: told where all the rest of it is. `unaccounted` is supply less metered use."""
EMISSIONS, SELF_SUFFICIENCY = "emissions", "self_sufficiency"
SUPPRESSED, UNKNOWN, PARTIAL, TOLD = "suppressed", "unknown", "partial", "told"
BELOW, OTHERS, SILENT = "below_floor", "protects_others", "silent_meters"
MISSING = "missing_amounts"
KG, ONE = "kg CO2e", "1"
ROOT = "city"


@dataclass(frozen=True)
class MonthBooks:
    """A month as it is told: through which access, as known when (None: now), by which factors, and the floor's say.

    `inside` are the places that were asked for; the floor's say is that of the whole city.
    """

    access: Access
    span: Span
    known_at: datetime | None
    factor_set: str
    floor: MonthFloor
    inside: Set[str]
    tz: ZoneInfo

    @property
    def places(self) -> list[str]:
        """Name the places that are told of: those asked for, above dwellings."""
        return [place for place in self.floor.places if place in self.inside]

    @property
    def start(self) -> datetime:
        """Give its first moment on the city's clock."""
        return self.span.start.astimezone(self.tz)

    @property
    def end(self) -> datetime:
        """Give the first moment that no longer counts, on the city's clock."""
        return self.span.end.astimezone(self.tz)

    def unit_of(self, carrier: Carrier) -> str:
        """Name the unit in which a carrier is shown."""
        return self.access.registry().commodities[carrier[0]].display_unit(carrier[1]).code

    def hidden(self, place: str, measure: str, carrier: str | None, unit: str, reason: str) -> OpenCell:
        """Give the cell that says that nothing of a measure is told of a place in this month."""
        return OpenCell(
            self.start, self.end, place, measure, carrier, unit, None, SUPPRESSED, reason, False, None, None, None
        )  # fmt: skip


def balance_cells(books: MonthBooks, resolution: Resolution) -> Iterator[OpenCell]:
    """Give the terms of the balance of every place above dwellings, and what is suppressed once for the month."""
    by_month = resolution is Resolution.MONTH
    told = books.floor.month if by_month else books.floor.fine
    ends = dict(zip(cuts := edges(books.span, resolution, books.tz), cuts[1:], strict=False))
    units = {(carrier[0], books.unit_of(carrier)): carrier for carrier in books.floor.carriers}
    for row in _rows(books, resolution, told):
        carrier = units.get((row.commodity, row.unit))
        if carrier is not None:
            yield from _told_cells(books.floor, told[carrier], carrier, row, ends[row.start].astimezone(books.tz))
    for carrier in books.floor.carriers:
        yield from _hidden_cells(books, told[carrier], carrier, fine=not by_month)


def _rows(books: MonthBooks, resolution: Resolution, told: Mapping[Carrier, Told]) -> Iterator[BalanceRow]:
    """Give balance rows of the places of which anything is told."""
    wanted = {
        place
        for one in told.values()
        for places in (*one.customers.values(), one.whole)
        for place in places
        if place in books.inside
    }
    if resolution is Resolution.MONTH:
        found = tree_balances(
            books.access, books.span, resolution, place=ROOT, level=None, known_at=books.known_at
        ).table
        found = found.filter(pc.is_in(found["place"], pa.array(sorted(wanted), pa.string())))
        yield from (balance_row(row) for row in rows_for_people(found, books.tz))
        return
    for place in books.places:
        if place in wanted:
            yield from place_balances(books.access, place, books.span, resolution, books.known_at, books.tz).rows


def _told_cells(floor: MonthFloor, told: Told, carrier: Carrier, row: BalanceRow, end: datetime) -> Iterator[OpenCell]:
    """Give what is told of one row."""
    place, whole = row.place, row.place in told.whole
    for measure in (*LOCAL, *CLOSING):
        if measure in CLOSING:
            if not whole:
                continue
            customers = told.customers.get(USE, {}).get(place, 0)
        else:
            if place not in told.customers.get(measure, {}) or place not in floor.stands[carrier, measure]:
                continue
            customers = told.customers[measure][place]
        value = _value(row, measure)
        yield OpenCell(
            row.start, end, place, measure, row.commodity, row.unit, value, UNKNOWN if value is None else TOLD, None,
            measure in row.derived, customers, row.coverage, row.estimated_share,
        )  # fmt: skip


def _value(row: BalanceRow, measure: str) -> Decimal | None:
    """Give a term; what is unaccounted for is the closure error with the losses that networks locate in it."""
    if measure != UNACCOUNTED:
        return row.import_ if measure == IMPORT else getattr(row, measure)
    if row.closure_error is None:
        return row.known_loss if row.derived else None
    return None if row.known_loss is None else row.known_loss + row.closure_error


def _hidden_cells(books: MonthBooks, told: Told, carrier: Carrier, *, fine: bool) -> Iterator[OpenCell]:
    """Say what of a carrier is suppressed for the month."""
    floor, unit = books.floor, books.unit_of(carrier)
    for place in books.places:
        if place not in floor.stands[carrier, ""]:
            continue
        here = [name for name in LOCAL if place in floor.stands.get((carrier, name), ())]
        gone = [name for name in here if place not in told.customers[name]]
        for name in gone:
            asked = (floor.month[carrier], told) if fine else (told,)
            withdrawn = any(place in one.withdrawn[name] for one in asked)
            yield books.hidden(place, name, carrier[0], unit, OTHERS if withdrawn else BELOW)
        if place not in told.whole:
            why = OTHERS if gone else SILENT if USE in here else BELOW
            yield from (books.hidden(place, name, carrier[0], unit, why) for name in CLOSING)


def book_cells(books: MonthBooks, levels: frozenset[str]) -> Iterator[OpenCell]:
    """Give emissions and self-sufficiency of the places of some levels, where every term behind them is told."""
    by_month, by_hour = books.floor.whole_books
    level_of = books.access.registry().tree.bodies
    for place in books.places:
        if level_of[place]["level"] not in levels:
            continue
        if place in by_month:
            yield from _emissions(books, place, by_hour=place in by_hour)
        else:
            yield books.hidden(place, EMISSIONS, None, KG, OTHERS)
        if place in by_hour:
            yield from _self_sufficiency(books, place)
        else:
            yield books.hidden(place, SELF_SUFFICIENCY, None, ONE, OTHERS if place in by_month else BELOW)


def _emissions(books: MonthBooks, place: str, *, by_hour: bool) -> Iterator[OpenCell]:
    """Give the sums by scope, location-based, and scope 2 by the market; what weighs hours as hours are told."""
    asked = Question(place, books.span, Resolution.MONTH, books.factor_set, known_at=books.known_at)
    answer = answered(books.access, asked, books.tz)
    if answer.finer and not by_hour:
        yield books.hidden(place, EMISSIONS, None, KG, BELOW)
        return
    for one in place_inventory(books.access, asked, books.tz, answer).scopes:
        partial = bool(one.without_number)
        sums = [(f"{EMISSIONS}.scope_{one.scope}", one.kg_co2e)]
        if one.market_kg_co2e is not None:
            sums.append((f"{EMISSIONS}.scope_{one.scope}_market", one.market_kg_co2e))
        for measure, kg in sums:
            status = UNKNOWN if kg is None else PARTIAL if partial else TOLD
            yield OpenCell(
                books.start, books.end, place, measure, None, KG, kg, status,
                None if status == TOLD else MISSING, False, None, None, None,
            )  # fmt: skip


def _self_sufficiency(books: MonthBooks, place: str) -> Iterator[OpenCell]:
    """Give every definition, supply and use matched by the hour."""
    found = place_selfsufficiency(books.access, place, books.span, Resolution.HOUR, books.known_at, books.tz)
    for one in found.definitions:
        yield OpenCell(
            books.start, books.end, place, f"{SELF_SUFFICIENCY}.{one.id}", None, ONE, one.value,
            UNKNOWN if one.value is None else TOLD, None, bool(one.derived), None, one.coverage, one.estimated_share,
        )  # fmt: skip
