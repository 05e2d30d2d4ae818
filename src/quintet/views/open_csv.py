"""Open data as CSV, with a description beside it in the form of CSVW (W3C, metadata vocabulary for tabular data)."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from .answers_open import OpenData
from .open_cells import SUPPRESSED
from .open_words import words
from .spreadsheet import as_text

CSVW = "http://www.w3.org/ns/csvw"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def csv_bytes(found: OpenData) -> bytes:
    """Write the cells: a header, then a row a cell; empty where there is none, never 0."""
    places = {one.place: one for one in found.places}
    columns = list(words().columns)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for cell in found.cells:
        place = places[cell.place]
        row = {
            **msgspec.structs.asdict(cell), "place_en": place.name_en, "place_ko": place.name_ko, "level": place.level,
        }  # fmt: skip
        writer.writerow([_text(row[name]) for name in columns])
    return out.getvalue().encode()


def _text(value: Any) -> str:
    """Write one field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return as_text(value)
    return value.isoformat() if isinstance(value, datetime) else f"{value:f}" if _exact(value) else str(value)


def _exact(value: Any) -> bool:
    """Tell whether a number would else be written with an exponent."""
    return not isinstance(value, int | float)


def description_bytes(found: OpenData, url: str) -> bytes:
    """Write the description of the CSV at `url`: columns in both languages, licence, basis, and what is hidden."""
    return msgspec.json.format(_ENCODER.encode(description(found, url)), indent=1) + b"\n"


def description(found: OpenData, url: str) -> dict[str, Any]:
    """Give the description as plain objects; keys with `quintet:` are our own."""
    said = words()
    hidden = [
        {
            "month": f"{cell.start:%Y-%m}", "place": cell.place, "measure": cell.measure, "commodity": cell.commodity,
            "unit": cell.unit, "reason": cell.reason,
        }
        for cell in found.cells
        if cell.status == SUPPRESSED
    ]  # fmt: skip
    return {
        "@context": CSVW,
        "url": url,
        "dc:title": _both(f"{found.city_en}: energy and water, aggregates", f"{found.city_ko}: 에너지·수도 집계"),
        "dc:publisher": found.city_en,
        "dc:license": found.licence,
        "dc:temporal": f"{found.start.isoformat()}/{found.end.isoformat()}",
        "dialect": {"encoding": "utf-8", "header": True, "lineTerminators": ["\r\n"]},
        "tableSchema": {
            "columns": [
                {
                    "name": name, "titles": {"en": row["title_en"], "ko": row["title_ko"]},
                    "datatype": row["datatype"], "required": name in REQUIRED,
                    "dc:description": _both(row["description_en"], row["description_ko"]),
                }
                for name, row in said.columns.items()
            ]
        },
        "quintet:notes": _notes(found),
        "quintet:timezone": found.timezone,
        "quintet:simulated": found.simulated,
        "quintet:resolution": found.resolution,
        "quintet:place": found.place,
        "quintet:preview": found.preview,
        "quintet:rule_set": found.rule_set,
        "quintet:privacy_floor": msgspec.to_builtins(found.floor),
        "quintet:releases": [msgspec.to_builtins(one) for one in found.releases],
        "quintet:measures": {
            name: {"en": row["title_en"], "ko": row["title_ko"]} for name, row in said.measures.items()
        },
        "quintet:reasons": {name: {"en": row["words_en"], "ko": row["words_ko"]} for name, row in said.reasons.items()},
        "quintet:units": sorted({cell.unit for cell in found.cells}),
        "quintet:suppressed": hidden,
    }  # fmt: skip


REQUIRED = frozenset(("start", "end", "place", "level", "measure", "unit", "status", "derived"))


def _both(english: str, korean: str) -> list[dict[str, str]]:
    return [{"@value": english, "@language": "en"}, {"@value": korean, "@language": "ko"}]


def _notes(found: OpenData) -> Sequence[dict[str, str]]:
    """Say what a reader must know before anything else."""
    out = _both(
        "Missing is not zero: a suppressed or unknown value is empty.", "없음은 0이 아니다. 비공개 값은 비어 있다."
    )
    if found.licence is None:
        out += _both(
            "The city has stated no licence: ask it before you use this.",
            "이용 허락 조건이 없다. 이용 전에 도시에 문의할 것.",
        )
    if found.preview:
        out += _both("A preview: not released, not for others.", "미리보기: 공개되지 않았으며 외부에 줄 수 없다.")
    if found.simulated:
        out += _both("A simulated city: nobody used any of this.", "가상의 도시이다.")
    return out
