"""One bill: its lines, each with quantity, price and won, its subtotal and its total; exact until a rule rounds.

A bill of m months and n households that used U over D days costs, for each item, round(sum over parts of
d/D x m n x f(U / (m n))), f being the item's cost for one household and month by the part's card and season. So a base
charge and the limits of blocks are prorated by days, as Korea's terms of electricity supply say. A tax or fund of a
part is on the part's share of the subtotal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from quintet.terms.errors import UsageError
from quintet.terms.unit import units

from .card_rows import Card, Charge, Levy
from .cards import Cards, cards
from .charges import METHODS, OPTION_NAMES, Block, Cost
from .exact import ROUNDINGS, ZERO, added
from .fees import TV_FEE, Fee, fee_of
from .periods import DAY, Part, limits, parts_of
from .reliefs import Relief, reliefs_of, taken_off
from .request import Asked, in_card_unit, months_of

COMMON, COMMON_WON, ROUNDING = "common", "common_won", "rounding"
RELIEFS = ("relief", "relief_2")
NAMES = {
    COMMON: ("share of the common area", "공용 전기료 분담"),
    ROUNDING: ("cut to whole won", "원단위 절사"),
}


class Piece(NamedTuple):
    """What one part of the bill's days adds to a line, in exact won before rounding."""

    start: date
    end: date
    days: int
    won: Fraction
    unit_price: Fraction | None
    blocks: tuple[Block, ...]


class Line(NamedTuple):
    """One item: whole won where the card rounds items; None where a fact is missing, and `lacks` names it.

    `quantity` is in `unit`, or in won where `rate` is a share of the subtotal. `unit_price` is None where parts or
    blocks have several.
    """

    item: str
    name_en: str
    name_ko: str
    won: Fraction | None
    quantity: Fraction | None = None
    unit: str = ""
    unit_price: Fraction | None = None
    rate: Fraction | None = None
    pieces: tuple[Piece, ...] = ()
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Bill:
    """A computed bill; `total` sums the lines, and is not the whole bill where `lacks` names missing facts.

    `beyond` names the cards and levies that were taken as still in force, each with the last day known of it.
    """

    asked: Asked
    use: Fraction
    unit: str
    months: Fraction
    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    subtotal: Fraction
    total: Fraction
    reliefs: tuple[Relief, ...] = ()
    fee: Fee | None = None
    beyond: tuple[tuple[str, date], ...] = ()

    @property
    def lacks(self) -> tuple[str, ...]:
        """Name the options without which a line could not be computed."""
        return tuple(line.lacks for line in self.lines if line.lacks)

    @property
    def cards(self) -> tuple[Card, ...]:
        """List the cards used, in order of their days."""
        return tuple(dict.fromkeys(part.card for part in self.parts))

    @property
    def levies(self) -> tuple[Levy, ...]:
        """List the levies used."""
        return tuple(dict.fromkeys(levy for part in self.parts for levy in part.levies))


@dataclass(slots=True)
class _Sum:
    """An item of the bill while its parts are added up."""

    of: Charge | Levy
    pieces: list[Piece]
    of_use: bool = False
    lacks: str = ""


def compute(asked: Asked, table: Cards | None = None) -> Bill:
    """Compute a bill; raises UsageError for what is asked wrongly, NotFound where no card is known for a day."""
    table = cards() if table is None else table
    parts = parts_of(table, asked)
    last = parts[-1].card
    if any(part.card.unit != last.unit for part in parts):
        raise UsageError(
            "the rate cards of its days bill different units.",
            code="mixed_units",
            place="--from",
            remedy="Ask for each apart.",
        )
    _refuse_unread(asked, parts)
    use = in_card_unit(asked, last.unit, by_heat=last.volume_by_heat, others=_billing(asked, last, table))
    months = months_of(asked.start, asked.end, limits()["days_aside"])
    sums = _added_up(asked, parts, use, months)
    lines = [_line(one, use, last.unit) for one in sums.values()]
    reliefs = () if asked.relief is None else reliefs_of(asked.relief, asked.commodity, asked.start, asked.end)
    for at, (one, won) in enumerate(taken_off(reliefs, _total(lines), asked.start, asked.end, months)):
        lines.append(Line(RELIEFS[at], one.name_en, one.name_ko, -won))
    subtotal = _total(lines)
    lines += _shares(parts, sums, subtotal)
    exact = _total(lines)
    total = ROUNDINGS[last.total_rounding](exact, last.total_to)
    if total != exact:
        lines.append(Line(ROUNDING, *NAMES[ROUNDING], total - exact))
    if COMMON_WON in asked.options:  # a share of another bill, rounded there
        lines.append(Line(COMMON, *NAMES[COMMON], asked.options[COMMON_WON]))
        total += asked.options[COMMON_WON]
    fee = fee_asked(asked, last.unit)
    if fee is not None:
        lines.append(Line(fee.id, fee.name_en, fee.name_ko, fee.won_for(use, months)))
        total += fee.won_for(use, months)
    beyond = _beyond(table, parts) if asked.provisional else ()
    return Bill(asked, use, last.unit, months, parts, tuple(lines), subtotal, total, reliefs, fee, beyond)


def _billing(asked: Asked, card: Card, table: Cards) -> list[str]:
    """Name the contracts of a utility that bill in units such as the one asked, where a card's own does not."""
    measured = units()[asked.unit].quantity
    if units()[card.unit].quantity == measured:
        return []
    found = [row for row in table.rows.values() if (row.commodity, row.stated) == (asked.commodity, card.stated)]
    return sorted({name for row in found if units()[row.unit].quantity == measured for name in row.contracts})


def fee_asked(asked: Asked, unit: str) -> Fee | None:
    """Give the fee that comes with the bill, where it is asked for."""
    return fee_of(TV_FEE, asked.commodity, unit, asked.start, asked.end) if asked.options.get(TV_FEE) else None


def _beyond(table: Cards, parts: Sequence[Part]) -> tuple[tuple[str, date], ...]:
    """Name the rows that are not known to hold to the end of a part, each with the last day known of it."""
    known: dict[str, date] = {}
    for part in parts:
        held = [table.rows[part.card.id], *(table.levies[levy.id] for levy in part.levies)]
        known |= {row.id: row.until for row in held if row.until < part.end - DAY}
    return tuple(known.items())


def _refuse_unread(asked: Asked, parts: Sequence[Part]) -> None:
    """Refuse a fact that no charge of these cards reads: it would be taken for part of the answer."""
    read = {charge.option for part in parts for charge in part.charges} | {COMMON_WON, TV_FEE}
    if any(part.card.volume_by_heat for part in parts):
        read |= {"calorific", "correction"}
    unread = sorted(set(asked.options) - read)
    if unread:
        raise UsageError(
            "is read by no charge of this rate card.",
            code="unread_option",
            place=OPTION_NAMES.get(unread[0], "--" + unread[0].replace("_", "-")),
            remedy="Leave it out.",
        )


def _scaled(block: Block, share: Fraction) -> Block:
    """Scale a block to the share of a bill that one part of its days is."""
    until = None if block.until is None else block.until * share
    return Block(block.above * share, until, block.quantity * share, block.unit_price)


def _added_up(asked: Asked, parts: Sequence[Part], use: Fraction, months: Fraction) -> dict[str, _Sum]:
    """Add up each item over the parts: the charges first, then what is levied per unit."""
    sums: dict[str, _Sum] = {}
    customers = months * asked.households
    undivided = len(parts) == 1 and customers == 1
    each = use if customers == 1 else use / customers

    def add(of: Charge | Levy, part: Part, cost: Cost) -> None:
        one = sums.setdefault(of.item, _Sum(of, []))
        one.of, one.of_use = of, cost.of_use
        days = (part.start, part.end, part.days)
        if undivided:
            one.pieces.append(Piece(*days, cost.won, cost.unit_price, cost.blocks))
            return
        share = Fraction(part.days, asked.days) * customers
        blocks = tuple(_scaled(block, share) for block in cost.blocks)
        one.pieces.append(Piece(*days, share * cost.won, cost.unit_price, blocks))

    for part in parts:
        for charge in part.charges:
            if charge.may_lack and charge.option not in asked.options:
                sums.setdefault(charge.item, _Sum(charge, [])).lacks = OPTION_NAMES[charge.option]
                continue
            add(charge, part, METHODS[charge.method](charge, each, asked.options))
    for part in parts:
        for levy in part.levies:
            if levy.method == "per_unit":
                add(levy, part, Cost(each * levy.rate, unit_price=levy.rate, of_use=True))
    return sums


def _line(one: _Sum, use: Fraction, unit: str) -> Line:
    """Round one item."""
    of = one.of
    if one.lacks:
        return Line(of.item, of.name_en, of.name_ko, None, lacks=one.lacks)
    prices = {piece.unit_price for piece in one.pieces}
    won = ROUNDINGS[of.rounding](added(piece.won for piece in one.pieces), of.to)
    price = prices.pop() if len(prices) == 1 else None
    quantity, named = (use, unit) if one.of_use else (None, "")
    return Line(of.item, of.name_en, of.name_ko, won, quantity, named, price, None, tuple(one.pieces))


def _bases(parts: Sequence[Part], sums: dict[str, _Sum], subtotal: Fraction) -> dict[date, Fraction]:
    """Divide the subtotal over the parts as their exact sums stand to each other."""
    if len(parts) == 1:
        return {parts[0].start: subtotal}
    exact = {part.start: ZERO for part in parts}
    for one in sums.values():
        for piece in one.pieces:
            exact[piece.start] += piece.won
    whole = added(exact.values())
    return {start: subtotal * won / whole if whole else ZERO for start, won in exact.items()}


def _shares(parts: Sequence[Part], sums: dict[str, _Sum], subtotal: Fraction) -> list[Line]:
    """Levy the shares of the subtotal, each part's rate on the part's share of the exact sum."""
    based_on = _bases(parts, sums, subtotal)
    rates: dict[str, list[tuple[Levy, Part]]] = {}
    for part in parts:
        for levy in part.levies:
            if levy.method == "share":
                rates.setdefault(levy.item, []).append((levy, part))
    out: list[Line] = []
    for rows in rates.values():
        based = [(levy, part, based_on[part.start]) for levy, part in rows]
        pieces = tuple(
            Piece(part.start, part.end, part.days, basis * levy.rate, None, ()) for levy, part, basis in based
        )
        last, used = rows[-1][0], {levy.rate for levy, _ in rows}
        won = ROUNDINGS[last.rounding](added(piece.won for piece in pieces), last.to)
        rate = used.pop() if len(used) == 1 else None
        basis = added(basis for _, _, basis in based)
        out.append(Line(last.item, last.name_en, last.name_ko, won, basis, "won", None, rate, pieces))
    return out


def _total(lines: Sequence[Line]) -> Fraction:
    """Add up what is known."""
    return added(line.won for line in lines if line.won is not None)
