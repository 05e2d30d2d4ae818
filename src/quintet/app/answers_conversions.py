"""The operation that answers with the conversions of plants: double entries, efficiency, what is lost."""

from typing import Any

from quintet.access import EVERYTHING
from quintet.terms.period import Resolution
from quintet.views.conversions import conversions_of

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Conversions

COLUMNS = [
    "start", "plant", "kind", "side", "commodity", "amount", "unit", "energy_kwh", "efficiency", "coverage",
    "estimated_share", "basis",
]  # fmt: skip
LOST = "lost"


def plant_conversions(city: City, asked: Conversions, _progress: Progress) -> Answer:
    """Give what each plant took in and gave out, by period; the table has a row an entry and one for the loss."""
    tz = city.registry().tz
    span, known_at = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    found = conversions_of(
        city.access(EVERYTHING), span, Resolution(asked.resolution), place=asked.place, known_at=known_at
    )
    rows = [line for row in found.rows for line in _lines(row)]
    document = {"known_at": local(found.known_at, tz), "rule_set": found.rule_set, "rows": plain(found.rows)}
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, rows),
        document_of(document),
        numbers=["amount", "energy_kwh", "efficiency", "coverage", "estimated_share"],
        title=f"conversions at {asked.place} by {asked.resolution}; known at {local(found.known_at, tz)}",
        notes=[] if rows else ["No plant with inputs stands there: city.toml declares them as [[plant]]."],
    )


def _lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a plant's entries as lines, and what is lost as the last one."""
    whole = {name: row[name] for name in ("start", "plant", "kind")}
    lines = [{**whole, **one, "efficiency": None} for one in (*row["inputs"], *row["outputs"])]
    last = {
        **dict.fromkeys(COLUMNS), **whole, "side": LOST, "energy_kwh": row["lost_kwh"],
        "efficiency": row["efficiency"], "basis": row["reason"] or "energy in less energy out",
    }  # fmt: skip
    return [*lines, last]
