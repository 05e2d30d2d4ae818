"""A list of meters as JSON: its rows as the table of the dataset layout, whatever a row says judged by the registry."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from quintet.terms.errors import BadInput, TooLarge

from .http_answers import Rejected

JSON, LINES = "application/json", "application/x-ndjson"
FORMS = (JSON, LINES)
NUMBERS = ("floor_area_m2",)
"""Columns that are numbers in the table; all others are text, as in a CSV."""

_WHOLE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_NESTED = msgspec.json.Encoder(decimal_format="number")


class MetersList:
    """The rows that are rows, as a table; the others named. `index` gives a table row's place in the body (from 0)."""

    def __init__(self, rows: Sequence[Any], most: int) -> None:
        """Read decoded rows; raises TooLarge for more than `most`, BadInput when none is a row."""
        if len(rows) > most:
            raise TooLarge(
                f"lists {len(rows):,} meters.", code="too_large", place="the body", remedy=f"Send at most {most:,}."
            )
        self.index = [place for place, row in enumerate(rows) if isinstance(row, Mapping)]
        strange = sorted(set(range(len(rows))) - set(self.index))
        self.rejected = [Rejected(place, "no_row", "is no object with the columns of a meter.") for place in strange]
        if not self.index:
            raise BadInput(
                "lists no meters.",
                code="empty_table",
                place="the body",
                remedy='Send {"meters": [{"site": ..., "meter": ...}]} or a line of JSON for each meter.',
            )
        found: list[Mapping[str, Any]] = [rows[place] for place in self.index]
        names = dict.fromkeys(name for row in found for name in row)
        self.table = pa.table({name: _column(name, [row.get(name) for row in found]) for name in names})


def decode_meters(body: bytes, form: str, most: int) -> MetersList:
    """Decode a list of meters: a bare list or `{"meters": [...]}`, or JSON lines. Raises BadInput with the place."""
    if form == LINES:
        lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
        return MetersList([_decoded(line, f"line {number}") for number, line in lines], most)
    whole = _decoded(body, "the body")
    rows = whole.get("meters") if isinstance(whole, Mapping) else whole
    if not isinstance(rows, list):
        raise BadInput(
            "holds no list of meters.",
            code="no_meters",
            place="the body",
            remedy='Send {"meters": [...]} or a bare list of rows.',
        )
    return MetersList(rows, most)


def _decoded(text: bytes, place: str) -> Any:
    try:
        return _WHOLE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"is no JSON: {error}.", code="bad_json", place=place, remedy="Mend it; text is UTF-8."
        ) from error


def _column(name: str, values: list[Any]) -> pa.Array:
    if name in NUMBERS:
        return pa.array([_number(value) for value in values], pa.float64())
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    """Write a value as a CSV would hold it; what is nested stays JSON."""
    if value is None or isinstance(value, str):
        return None if value is None else value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return _NESTED.encode(value).decode()


def _number(value: Any) -> float | None:
    """Read an area; what is none says nothing, as an empty cell does."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
