"""A bill under way and what using less pays, as answers."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from quintet.tariffs import Asked, Bill, Cards, compute
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.incentives import Standing
from quintet.tariffs.pace import Pace

from .answer import Answer, document_of
from .bill_answer import bill_answer
from .bill_words import Language, of, said
from .cells import rows_of

PACE_COLUMNS = ["item", "name_en", "name_ko", "tier", "limit", "unit", "unit_price", "passed", "day"]
PACE_NUMBERS = ["tier", "limit", "unit_price"]
INCENTIVE_COLUMNS = [
    "program", "period", "name_en", "name_ko", "baseline", "use", "saved", "unit", "saved_share", "step", "paid", "won",
    "one_more_percent_won", "next_step", "next_left",
]  # fmt: skip
INCENTIVE_NUMBERS = [
    name for name in INCENTIVE_COLUMNS if name not in ("program", "period", "name_en", "name_ko", "unit")
]


def _number(exact: Fraction | None) -> Any:
    return None if exact is None else decimal_of(exact)


def pace_answer(pace: Pace, language: Language = "en") -> Answer:
    """Answer with each tier's day at the pace so far, what the use comes to, and what that costs."""
    bill, unit = pace.now, pace.now.unit
    rows = [
        {
            "item": one.item, "name_en": one.name_en, "name_ko": one.name_ko, "tier": one.number,
            "limit": _number(one.limit), "unit": unit, "unit_price": _number(one.unit_price), "passed": one.passed,
            "day": None if one.day is None else one.day.isoformat(),
        }
        for one in pace.crossings
    ]  # fmt: skip
    tiers = [
        {
            "item": one.item, "tier": one.number, "tiers": one.count, "limit": _number(one.limit),
            "left": _number(one.left), "unit": one.unit, "unit_price": _number(one.unit_price),
            "next_price": _number(one.next_price),
        }
        for one in pace.tiers
    ]  # fmt: skip
    document = {
        "days": pace.days, "of_days": bill.asked.days, "use": _number(bill.use), "unit": unit,
        "per_day": _number(pace.per_day), "projected_use": _number(pace.projected), "tiers": tiers, "crossings": rows,
        "so_far_won": _number(bill.total), "projected_won": _number(pace.then.total),
        "note": said(language, "no_forecast"),
        "provisional": bool(bill.beyond), "complete": not bill.lacks,
    }  # fmt: skip
    notes = [said(language, "no_forecast"), *bill_answer(bill, language).notes]
    for one in pace.tiers:
        if one.left is None:
            continue
        later = next((each for each in pace.crossings if each.item == one.item and each.number == one.number + 1), None)
        day = None if later is None else later.day
        notes.insert(0, said(
            language, "left_not" if day is None else "left_on", name=of(one, "name", language), left=_said(one.left),
            unit=unit, tier=one.number + 1, day=day,
        ))  # fmt: skip
    title = said(
        language, "pace", use=_said(bill.use), unit=unit, days=pace.days, of=bill.asked.days,
        projected=_said(pace.projected), then=f"{int(pace.then.total):,}", now=f"{int(bill.total):,}",
    )  # fmt: skip
    return Answer(PACE_COLUMNS, rows_of(PACE_COLUMNS, rows), document_of(document), PACE_NUMBERS, title, notes)


def _said(exact: Fraction) -> str:
    """Say an amount to the thousandth."""
    return f"{decimal_of(Fraction(round(exact * 1000), 1000)):f}"


def budget_answer(most: Bill, asked: Asked, budget: Fraction, table: Cards, language: Language = "en") -> Answer:
    """Answer with the most whole units for a budget, and what is left of them."""
    now = compute(asked, table)
    facts = {
        "budget_won": _number(budget), "most_use": _number(most.use), "unit": most.unit,
        "most_use_won": _number(most.total), "use": _number(now.use), "use_won": _number(now.total),
        "left": _number(most.use - now.use),
    }  # fmt: skip
    columns = list(facts)
    numbers = [name for name in columns if name != "unit"]
    return Answer(
        columns, rows_of(columns, [facts]), document_of(facts), numbers, notes=bill_answer(most, language).notes
    )


PERIODS = {"cashback": "month", "points": "half-year", "response": "day"}
"""Over what an incentive of a kind compares use; its won is paid for that."""


def incentives_answer(found: Sequence[Standing], unit: str, language: Language = "en") -> Answer:
    """Answer with where a use stands in each incentive."""
    rows = [standing_row(one, unit) for one in found]
    notes: list[str] = []
    for one in found:
        name, note = of(one.program, "name", language), of(one.program, "note", language)
        notes += [said(language, "program", name=name, note=note)] if note else []
        if one.program.kind == "points":
            notes.append(said(language, "point", name=name, won=one.program.won_per_point))
            notes.append(said(language, "half_year", name=name))
    return Answer(
        INCENTIVE_COLUMNS, rows_of(INCENTIVE_COLUMNS, rows), document_of({"incentives": rows}), INCENTIVE_NUMBERS,
        notes=notes,
    )  # fmt: skip


def standing_row(one: Standing, unit: str) -> dict[str, Any]:
    """Write where a use stands in one incentive, with its source."""
    return {
        "program": one.program.kind,
        "period": PERIODS[one.program.kind],
        "id": one.program.id,
        "name_en": one.program.name_en,
        "name_ko": one.program.name_ko,
        "commodity": one.commodity,
        "baseline": _number(one.baseline),
        "use": _number(one.use),
        "saved": _number(one.saved),
        "unit": unit,
        "saved_share": _number(one.share),
        "step": _number(one.step),
        "paid": _number(one.paid),
        "won": _number(one.won),
        "one_more_percent_won": _number(one.one_more_won),
        "next_step": _number(one.next_step),
        "next_left": _number(one.next_left),
        "source": one.program.source,
        "published_on": one.program.published_on,
        "source_ko": one.program.source_ko,
        "certainty": one.program.certainty,
        "note": one.program.note,
        "note_ko": one.program.note_ko,
    }
