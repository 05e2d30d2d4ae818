"""Bills, tiers and rate cards as answers: a line a row for people and CSV, the whole evidence as JSON."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from quintet.tariffs import Asked, Bill, Card, Cards, Line, Tier
from quintet.tariffs.card_rows import OPEN, UNDATED, Levy
from quintet.tariffs.charges import Block
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.fees import Fee
from quintet.tariffs.reliefs import Relief, combination
from quintet.tariffs.solve import Saving
from quintet.terms.catalogue import CERTAINTIES
from quintet.terms.errors import NotFound

from .answer import Answer, document_of
from .bill_words import Language, of, said
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


def bill_answer(bill: Bill, language: Language = "en") -> Answer:
    """Answer with a bill: its lines, its total, and the cards, levies and dates behind them."""
    lines = [_line(line) for line in bill.lines]
    asked, last, notes = bill.asked, bill.cards[-1], _notes(bill, language)
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
        "relief": _dated(bill.reliefs[0]) if bill.reliefs else None,
        "reliefs": [_dated(one) for one in bill.reliefs],
        "fee": None if bill.fee is None else _dated(bill.fee),
        "card": last.id,
        "source": last.source,
        "source_ko": last.source_ko,
        "cards": [_card(card) for card in bill.cards],
        "levies": [_levy(levy) for levy in bill.levies],
        "notes": notes,
    }
    total = dict.fromkeys(LINE_COLUMNS) | {"item": "total", "name_en": "total", "name_ko": "합계"}
    rows = [*lines, {**total, "amount_won": document["total_won"]}]
    title = said(
        language, "title", card=of(last, "name", language), use=f"{decimal_of(bill.use):f}", unit=bill.unit,
        start=asked.start, end=asked.end, id=last.id, source=of(last, "source", language),
    )  # fmt: skip
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


def _notes(bill: Bill, language: Language) -> list[str]:
    """Say in words what a reader of the total should know."""
    lacking = [line for line in bill.lines if line.lacks]
    out = [said(language, "lacks", name=of(line, "name", language), option=line.lacks) for line in lacking]
    for card in bill.cards:
        if card.start == UNDATED:
            out.append(said(language, "undated", card=card.id))
        if card.certainty == FROM_MEMORY:
            out.append(said(language, "memory", card=card.id, note=of(card, "note", language)))
    out += [said(language, "provisional", card=name, until=known) for name, known in bill.beyond]
    out += [said(language, "relief", source=of(one, "source", language)) for one in bill.reliefs]
    if len(bill.reliefs) > 1:
        rule = combination()
        note, source = of(rule, "note", language), of(rule, "source", language)
        out.append(said(language, "combined", note=note, source=source))
    if bill.fee is not None:
        out.append(_fee_note(bill.fee, language))
    if len(bill.parts) > 1:
        parts = [said(language, "part", days=part.days, start=part.start) for part in bill.parts]
        out.append(said(language, "prorated", days=", ".join(parts)))
    if bill.months != 1:
        out.append(said(language, "months", months=decimal_of(Fraction(round(bill.months, 3)))))
    if bill.asked.options.keys() & {"calorific", "correction"} == {"calorific"}:
        out.append(said(language, "uncorrected"))
    return out


def _fee_note(fee: Fee, language: Language) -> str:
    return said(
        language, "fee", name=of(fee, "name", language), won=decimal_of(fee.won), least=decimal_of(fee.least_use),
        unit=fee.unit, source=of(fee, "source", language),
    )  # fmt: skip


def _dated(row: Card | Levy | Relief | Fee) -> dict[str, Any]:
    """Write what dated rows have in common; `taken_until`: in a provisional bill taken as still in force so long."""
    known = row.known_until if isinstance(row, Card | Levy) else None
    return {
        "id": row.id,
        "name_en": row.name_en,
        "name_ko": row.name_ko,
        "in_force_from": _day(row.start),
        "in_force_until": _day(known or row.until),
        "taken_until": None if known is None else _day(row.until),
        "published_on": row.published_on,
        "source": row.source,
        "source_ko": row.source_ko,
        "certainty": row.certainty,
        "note": row.note,
        "note_ko": row.note_ko,
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


def tiers_answer(
    asked: Asked, tiers: list[Tier], next_won: Fraction, saving: Saving | None, language: Language = "en"
) -> Answer:
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
    notes = [said(language, "next_unit", unit=asked.unit, won=f"{decimal_of(next_won):,f}")]
    if saving is not None:
        now, then, won = (_number(one) for one in (saving.now.total, saving.then.total, saving.won))
        document["less"] = {"total_won": now, "then_won": then, "saved_won": won}
        notes.append(said(language, "less", then=then, now=now, won=won))
    return Answer(TIER_COLUMNS, rows_of(TIER_COLUMNS, rows), document_of(document), TIER_NUMBERS, notes=notes)


def cards_answer(table: Cards, day: date | None, commodity: str | None, language: Language = "en") -> Answer:
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
    empty: dict[str, Any] = dict.fromkeys(CARD_COLUMNS)
    rows += [{**empty, **_levy(levy), "commodity": f"levy: {levy.item}"} for levy in levies]
    columns = [f"{name}_ko" if language == "ko" and name in ("source", "note") else name for name in CARD_COLUMNS]
    return Answer(columns, rows_of(columns, rows), document_of(document))
