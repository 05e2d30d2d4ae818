"""Numbers and names of a report as people read them: exact, thousands separated, nothing rounded but shares."""

from decimal import Decimal
from typing import Any

from quintet.terms.commodity import commodities

HUNDRED = 100
SHARE_PLACES = 2
"""Decimal places of percentages: shares are ratios; figures.json has all of their digits."""
NOTHING = "–"
MINUS = "−"


def amount_text(value: Any) -> str:
    """Write an amount with every digit."""
    if value is None:
        return NOTHING
    text = f"{Decimal(value):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def share_text(value: Any) -> str:
    """Write a share as a percentage."""
    if value is None:
        return NOTHING
    percent = round(Decimal(value) * HUNDRED, SHARE_PLACES)
    return f"{amount_text(percent)} %"


def carrier_text(code: str, lang: str) -> str:
    """Give a carrier's name; one that a city added keeps its code."""
    row = commodities().rows.get(code)
    return code if row is None else str(getattr(row, f"name_{lang}"))


def month_text(start: str) -> str:
    """Write the month in which a period starts, or its day where that is not the first."""
    return start[:7] if start[8:10] == "01" else start[:10]
