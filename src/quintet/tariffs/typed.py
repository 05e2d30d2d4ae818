"""What a person types for a bill, in the forms that people use: amounts, months, days, and names in two languages.

Everything is read exactly or refused with the place and the remedy; nothing is guessed between two meanings.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.unit import Unit, units

from .request import bill_day, bill_month

NUMBER = r"[-+]?[\d.,]+(?: \d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?"
AMOUNT = re.compile(rf"({NUMBER})\s*([^\s\d.,+-].*)")
GROUPS = re.compile(r"[-+]?\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?:\.\d+)?")
MONTH = re.compile(r"(\d{4})(?:\s*[-/.]\s*(\d{1,2})|(\d{2})|\s*년\s*(\d{1,2})\s*월)")
DAY = re.compile(
    r"(\d{4})(?:\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|(\d{2})(\d{2})|\s*년\s*(\d{1,2})\s*월\s*(\d{1,2})\s*일)"
)
FILE = "spellings.toml"
TABLES = {"commodity", "contract", "city", "branch", "unit", "fact"}


def plain(text: str) -> str:
    """Give a word without what does not tell two words apart: case, spaces, hyphens, brackets, Unicode's forms."""
    return re.sub(r"[\s_\-()]", "", unicodedata.normalize("NFKC", text)).casefold()


@cache
def _spellings() -> Mapping[str, Any]:
    table = read_toml("quintet.tariffs", FILE)
    check_keys(table, required=TABLES, optional=set(), place=FILE)
    return table


@cache
def _by_spelling(*path: str) -> Mapping[str, str]:
    """Give the name that each spelling of one table stands for; one that stands for two does not load."""
    rows: Any = _spellings()
    for step in path:
        rows = rows.get(step, {})
    out: dict[str, str] = {}
    for name, words in rows.items():
        for word in (name, *words):
            if out.setdefault(plain(word), name) != name:
                raise BadInput(f"{word} is there twice.", code="bad_row", place=f"{FILE}, {'.'.join(path)}")
    return out


def named(typed: str, known: Iterable[str], *path: str) -> str:
    """Give the name that a typed word means: one of `known` as it stands, else by its spelling; else the word itself.

    `path` names the table of spellings, as "contract", "electricity". An unknown word is refused where it is looked up.
    """
    held = list(known)
    if typed in held:
        return typed
    alike = {plain(name): name for name in held}
    return alike.get(plain(typed)) or _by_spelling(*path).get(plain(typed), typed)


def typed_number(text: str, place: str) -> Fraction:
    """Read a number that a person typed, thousands parted by commas or spaces or not; exact, never a float."""
    said = unicodedata.normalize("NFKC", text).strip()
    bare = re.sub("[, ]", "", said) if GROUPS.fullmatch(said) else said
    try:
        found = Decimal(bare) if re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", bare) else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found.adjusted()) > 18:
        raise UsageError(
            f"{text!r} is no number.", code="bad_number", place=place, remedy="Write 223 or 223.5.",
            said={"text": text},
        )  # fmt: skip
    return Fraction(found)


def typed_use(text: str, place: str = "--use") -> tuple[Fraction, str]:
    """Read an amount with its unit, as "223 kWh"; refuses an unknown unit, a rate, and a number without a unit."""
    said = unicodedata.normalize("NFKC", text).strip()
    match = AMOUNT.fullmatch(said)
    if match is None:
        raise UsageError(
            f"{text!r} is no amount with a unit.", code="bad_use", place=place,
            remedy='Write "223 kWh", "15 m3", "900 Mcal".', said={"text": text},
        )  # fmt: skip
    unit = _unit(match[2].strip(), place)
    return typed_number(match[1], place), unit.code


def typed_use_in(text: str, wanted: str, place: str) -> Fraction:
    """Read an amount with its unit, in the unit of the use: what measures something else is refused."""
    amount, unit = typed_use(text, place)
    have, want = units()[unit], units()[wanted]
    if have.quantity != want.quantity:
        raise UsageError(
            f"is in {unit}, the use in {wanted}.", code="wrong_unit", place=place, remedy="Say both in one unit."
        )
    return amount * have.ratio / want.ratio


def _unit(word: str, place: str) -> Unit:
    """Find a unit of use as it is written, else by its spelling, else in any case where that means one unit only."""
    measured = {quantity for row in commodities().rows.values() if row.balanced for quantity in row.measures}
    known = {name: units()[name] for name in units()}
    known = {name: unit for name, unit in known.items() if unit.quantity in measured and not unit.rate}
    if word in known:
        return known[word]
    alike = {unit.code: unit for name, unit in known.items() if plain(name) == plain(word)}
    if len(alike) > 1:
        raise UsageError(
            f"{word!r} may be {' or '.join(alike)}.", code="unknown_unit", place=place, remedy="Write it in its case.",
            said={"text": word},
        )  # fmt: skip
    spelled = next(iter(alike), None) or _by_spelling("unit").get(plain(word))
    if spelled is not None:
        return known[spelled]
    raise UsageError(
        f"{word!r} is no unit of use.", code="unknown_unit", place=place, remedy=f"Known: {', '.join(known)}.",
        said={"text": word},
    )  # fmt: skip


def typed_fact(name: str, text: str, place: str) -> Fraction:
    """Read a fact of a contract, 0 or more, with its own unit or without, as 13 or 13 mm."""
    said = unicodedata.normalize("NFKC", text).strip()
    match = AMOUNT.fullmatch(said)
    own = _spellings()["fact"].get(name, ())
    if match is not None and plain(match[2]) not in {plain(unit) for unit in own}:
        remedy = f"Write the number alone, or in {' or '.join(own)}." if own else "Write the number alone."
        raise UsageError(f"{text!r} is in no unit of it.", code="wrong_unit", place=place, remedy=remedy)
    found = typed_number(said if match is None else match[1], place)
    if found < 0:
        raise UsageError("is below zero.", code="negative", place=place, remedy="Say 0 or more.")
    return found


def typed_month(text: str) -> tuple[date, date]:
    """Read a month as 2025-10, 2025-2, 2025/10, 2025.10, 202510 or 2025년 10월: its first day, and the next month's."""
    match = MONTH.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return bill_month(text)
    month = next(part for part in match.groups()[1:] if part)
    return bill_month(f"{match[1]}-{int(month):02}")


def typed_day(text: str, place: str) -> date:
    """Read a day as 2025-10-05, 2025-10-5, 2025/10/05, 2025.10.5, 20251005 or 2025년 10월 5일."""
    match = DAY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return bill_day(text, place)
    month, day = next((match[one], match[two]) for one, two in ((3, 4), (5, 6), (7, 8)) if match[one] and match[two])
    return bill_day(f"{match[1]}-{int(month):02}-{int(day):02}", place)
