"""Bills, tiers and rate cards as answers: a line a row for people and CSV, the whole evidence as JSON."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.tariffs import Asked, Bill, Card, Cards, Line, Tier
from quintet.tariffs.card_rows import OPEN, UNDATED, Levy
from quintet.tariffs.charges import Block
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.reliefs import Relief
from quintet.tariffs.solve import Saving
from quintet.terms.catalogue import CERTAINTIES
from quintet.terms.errors import NotFound

from .answer import Answer, document_of
from .cells import rows_of

LINE_COLUMNS = ["item", "name_en", "name_ko", "quantity", "unit", "unit_price", "rate", "amount_won"]
LINE_NUMBERS = ["quantity", "unit_price", "rate", "amount_won"]
TIER_COLUMNS = ["item", "name_en", "tier", "tiers", "limit", "left", "unit", "unit_price", "next_price"]
TIER_NUMBERS = ["limit", "left", "unit_price", "next_price"]
CARD_COLUMNS = [
    "id", "commodity", "contracts", "city", "branch", "in_force_from", "in_force_until", "published_on", "certainty",
    "source", "note",
]  # fmt: skip
FROM_MEMORY = "M"


def _number(exact: Fraction | None) -> Decimal | None:
    return None if exact is None else decimal_of(exact)


def _day(day: date) -> str:
    return {UNDATED: "undated", OPEN: "open"}.get(day, day.isoformat())


def bill_answer(bill: Bill) -> Answer:
    """Answer with a bill: its lines, its total, and the cards, levies and dates behind them."""
    lines = [_line(line) for line in bill.lines]
    asked, last, notes = bill.asked, bill.cards[-1], _notes(bill)
    document = {
        "commodity": asked.commodity,
        "contract": asked.contract or last.contracts[0],
        "use": _number(bill.use),
        "unit": bill.unit,
        "from": asked.start.isoformat(),
        "to": asked.end.isoformat(),
        "days": asked.days,
        "months": _number(bill.months),
        "households": asked.households,
        "lines": lines,
        "subtotal_won": _number(bill.subtotal),
        "total_won": _number(bill.total),
        "complete": not bill.lacks,
        "lacks": list(bill.lacks),
        "provisional": bool(bill.beyond),
        "relief": None if bill.relief is None else _dated(bill.relief),
        "card": last.id,
        "source": last.source,
        "cards": [_card(card) for card in bill.cards],
        "levies": [_levy(levy) for levy in bill.levies],
        "notes": notes,
    }
    total = dict.fromkeys(LINE_COLUMNS) | {"item": "total", "name_en": "total", "name_ko": "합계"}
    rows = [*lines, {**total, "amount_won": document["total_won"]}]
    days = f"{asked.start} to {asked.end}"
    title = f"{last.name_en}, {decimal_of(bill.use)} {bill.unit}, {days}; card {last.id}: {last.source}"
    return Answer(LINE_COLUMNS, rows_of(LINE_COLUMNS, rows), document_of(document), LINE_NUMBERS, title, notes)


def _line(line: Line) -> dict[str, Any]:
    """Write one line; each part of the days with its exact won before rounding."""
    return {
        "item": line.item,
        "name_en": line.name_en,
        "name_ko": line.name_ko,
        "amount_won": _number(line.won),
        "quantity": _number(line.quantity),
        "unit": line.unit or None,
        "unit_price": _number(line.unit_price),
        "rate": _number(line.rate),
        "parts": [
            {
                "from": piece.start.isoformat(),
                "to": piece.end.isoformat(),
                "days": piece.days,
                "exact_won": _number(piece.won),
                "unit_price": _number(piece.unit_price),
                "blocks": [_block(block) for block in piece.blocks],
            }
            for piece in line.pieces
        ],
        "lacks": line.lacks or None,
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "above": _number(block.above),
        "until": _number(block.until),
        "quantity": _number(block.quantity),
        "unit_price": _number(block.unit_price),
    }


def _notes(bill: Bill) -> list[str]:
    """Say in words what a reader of the total should know."""
    lacking = [line for line in bill.lines if line.lacks]
    out = [f"The total is not the whole bill: {line.name_en} is not in it; give {line.lacks}." for line in lacking]
    for card in bill.cards:
        if card.start == UNDATED:
            out.append(f"The source of card {card.id} is undated: whether it held on these days is not known.")
        if card.certainty == FROM_MEMORY:
            out.append(f"Card {card.id} is in part from memory, confirm before quoting: {card.note}.")
    out += [
        f"PROVISIONAL: {name} is known up to {known}; it is taken as still in force after that."
        for name, known in bill.beyond
    ]
    if bill.relief is not None:
        out.append(f"The reduction is applied for by the household; source: {bill.relief.source}.")
    if len(bill.parts) > 1:
        days = ", ".join(f"{part.days} from {part.start}" for part in bill.parts)
        out.append(f"A season or a rate changes within the bill; prorated by days: {days}.")
    if bill.months != 1:
        months = decimal_of(Fraction(round(bill.months, 3)))
        out.append(f"The bill counts as {months} months: base charge and blocks are counted by days.")
    by_volume = bill.asked.options.keys() & {"calorific", "correction"} == {"calorific"}
    if by_volume:
        out.append("The volume is taken as corrected (correction 1); give --correction where it is not.")
    return out


def _dated(row: Card | Levy | Relief) -> dict[str, Any]:
    """Write what dated rows have in common."""
    return {
        "id": row.id,
        "name_en": row.name_en,
        "name_ko": row.name_ko,
        "in_force_from": _day(row.start),
        "in_force_until": _day(row.until),
        "published_on": row.published_on,
        "source": row.source,
        "certainty": row.certainty,
        "note": row.note,
    }


def _card(card: Card) -> dict[str, Any]:
    return {
        **_dated(card),
        "commodity": card.commodity,
        "contracts": list(card.contracts),
        "city": card.city or None,
        "branch": card.branch or None,
        "stated_prices": card.stated,
    }


def _levy(levy: Levy) -> dict[str, Any]:
    return {**_dated(levy), "item": levy.item, "rate": _number(levy.rate)}


def tiers_answer(asked: Asked, tiers: list[Tier], next_won: Fraction, saving: Saving | None) -> Answer:
    """Answer with the tier of each item, the cost of the next unit, and the saving that was asked for."""
    if not tiers:
        raise NotFound(
            "its rate card has no tiers.", code="no_tiers", place=asked.commodity, remedy="Each unit costs the same."
        )
    rows = [
        {
            "item": tier.item,
            "name_en": tier.name_en,
            "name_ko": tier.name_ko,
            "tier": tier.number,
            "tiers": tier.count,
            "limit": _number(tier.limit),
            "left": _number(tier.left),
            "unit": tier.unit,
            "unit_price": _number(tier.unit_price),
            "next_price": _number(tier.next_price),
        }
        for tier in tiers
    ]
    document: dict[str, Any] = {"tiers": rows, "next_unit": asked.unit, "next_unit_won": _number(next_won)}
    notes = [f"One {asked.unit} more adds {decimal_of(next_won)} won to the bill."]
    if saving is not None:
        now, then, won = (_number(one) for one in (saving.now.total, saving.then.total, saving.won))
        document["less"] = {"total_won": now, "then_won": then, "saved_won": won}
        notes.append(f"With so much less: {then} instead of {now} won, {won} saved.")
    return Answer(TIER_COLUMNS, rows_of(TIER_COLUMNS, rows), document_of(document), TIER_NUMBERS, notes=notes)


def cards_answer(table: Cards, day: date | None, commodity: str | None) -> Answer:
    """Answer with the cards and levies known, or those in force on a day."""
    held = [
        card
        for card in sorted(table.rows.values(), key=lambda card: (card.commodity, card.contracts, card.start))
        if (day is None or card.start <= day <= card.until) and commodity in (None, card.commodity)
    ]
    levies = [levy for levy in table.levies.values() if day is None or levy.start <= day <= levy.until]
    document = {
        "cards": [_card(card) for card in held],
        "levies": [_levy(levy) for levy in levies],
        "marks": CERTAINTIES,
    }
    rows = [_card(card) for card in held]
    empty = dict.fromkeys(CARD_COLUMNS)
    rows += [{**empty, **_levy(levy), "commodity": f"levy: {levy.item}"} for levy in levies]
    return Answer(CARD_COLUMNS, rows_of(CARD_COLUMNS, rows), document_of(document))
