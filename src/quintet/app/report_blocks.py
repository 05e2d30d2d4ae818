"""The blocks of a report's pages: headings, sentences, tables and charts, as plain objects that the layout draws."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Block = dict[str, Any]
SMALL = 6.2
USUAL = 7.2
MANY = 9
"""From so many columns on a table is set smaller."""


def heading(text: str, level: int = 1) -> Block:
    """Give a heading."""
    return {"kind": "heading", "text": text, "level": level}


def sentence(text: str) -> Block:
    """Give a sentence of the report."""
    return {"kind": "text", "text": text}


def note(text: str) -> Block:
    """Give a quiet remark."""
    return {"kind": "note", "text": text}


def column(text: str, *, number: bool = False, wide: bool = False) -> Block:
    """Give a table's column: a number stands right, a wide one takes the room that is left."""
    return {"text": text, "number": number, "wide": wide}


def table(columns: list[Block], rows: Sequence[Sequence[str]], strong: Sequence[int] = ()) -> Block:
    """Give a table; `strong` rows stand out."""
    size = SMALL if len(columns) >= MANY else USUAL
    return {"kind": "table", "columns": columns, "rows": rows, "strong": list(strong), "size": size}


def chart(
    caption: str, alt: str, colour: str, groups: Sequence[tuple[str, Sequence[Decimal | None], str]],
    legend: Sequence[str] = (),
) -> Block:  # fmt: skip
    """Give a bar chart of groups: label, amounts (null is drawn as a hairline, never as zero), and what is written.

    A bar below zero is not drawn; its amount is written.
    """
    top = max((one for _, parts, _ in groups for one in parts if one is not None), default=Decimal(0))
    return {
        "kind": "chart", "caption": caption, "alt": alt, "colour": colour, "legend": list(legend),
        "groups": [
            {"label": label, "parts": [_part(one, top) for one in parts], "value": said}
            for label, parts, said in groups
        ],
    }  # fmt: skip


def _part(value: Decimal | None, top: Decimal) -> float | None:
    """Give how much of the chart's height an amount takes."""
    if value is None:
        return None
    return max(0.0, float(value / top)) if top > 0 else 0.0
