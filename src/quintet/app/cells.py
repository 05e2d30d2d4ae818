"""Writes values as the exact text that rows carry: decimals with every digit, times with the city's offset."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

SHARE_PLACES = 6
"""Decimal places of shares (coverage, estimated share): they are ratios of minutes, not amounts."""


def text_of(value: Any) -> str | None:
    """Give a cell's text; None stays None, a list is joined by spaces."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return share(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sequence | set | frozenset):
        return " ".join(str(part) for part in value)
    return str(value)


def share(value: float | None) -> str | None:
    """Give a share as text, at most SHARE_PLACES places and no trailing zeros."""
    if value is None:
        return None
    text = f"{value:.{SHARE_PLACES}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def with_bounds(columns: Sequence[str], after: str) -> list[str]:
    """Give columns with those of an interval behind the number that they bound."""
    at = list(columns).index(after) + 1
    return [*columns[:at], "low", "high", *columns[at:], "interval_to", "interval_reason"]


def rows_of(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[list[str | None]]:
    """Give the cells of some columns of plain rows."""
    return [[text_of(row[name]) for name in columns] for row in rows]


def plain(value: Any) -> Any:
    """Give a value as JSON holds it: times as RFC 3339 text, tuples as lists, shares rounded; decimals stay exact."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, SHARE_PLACES)
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return value


def local(moment: datetime, tz: ZoneInfo) -> str:
    """Write a moment on the city's clock, RFC 3339 with its offset."""
    return moment.astimezone(tz).isoformat()
