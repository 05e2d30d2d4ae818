"""The building manager's lists as rows of CSV: the walk, and the shared bill with every item."""

import csv
import io
from typing import Any

from quintet.views.answers_manager import BuildingAllocation, BuildingVisits
from quintet.views.spreadsheet import as_text


def visit_rows(found: BuildingVisits) -> list[dict[str, Any]]:
    """Give a row for each meter of a walk, as it is printed and downloaded."""
    names = (
        "number", "state", "building", "floor", "flat", "channel", "commodity", "kind", "since", "days",
        "probably_empty", "usual_a_day", "unit", "uncertain_share", "won_a_day", "exception",
    )  # fmt: skip
    return [
        {
            **{name: getattr(one, name) for name in names},
            "evidence_en": one.evidence.en, "evidence_ko": one.evidence.ko, "sure": one.evidence.sure,
            "lived_in_en": one.lived_in.en, "lived_in_ko": one.lived_in.ko,
            "checks_en": " ".join(check.en for check in one.checks),
            "checks_ko": " ".join(check.ko for check in one.checks),
            "visited": None if one.visited is None else one.visited.at.isoformat(),
            "found": None if one.visited is None else one.visited.found.code,
        }
        for one in found.visits
    ]  # fmt: skip


def flat_rows(found: BuildingAllocation) -> list[dict[str, Any]]:
    """Give a row for each flat of a shared bill with its items, and one for all."""
    items = list(dict.fromkeys(item.item for flat in found.flats for item in flat.items))
    names = (
        "place", "reading", "estimated_share", "use", "unit", "area_m2", "own_won", "weight", "exact_won", "rest_won",
        "common_won", "total_won", "occupied",
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for flat in found.flats:
        own = {item.item: item.won for item in flat.items}
        stays = "; ".join(f"{one.first}/{one.last} {one.won}" for one in flat.stretches)
        row = {name: getattr(flat, name) for name in names}
        rows.append({**row, **{f"item_{item}": own.get(item) for item in items}, "stretches": stays})
    whole = dict.fromkeys(rows[0] if rows else ())
    sums = {"own_won": found.own_won, "rest_won": found.rest_won, "common_won": found.common_won}
    return [*rows, {**whole, "place": "all", "unit": found.unit, **sums, "total_won": found.sum_won}]


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as CSV that spreadsheets read as UTF-8; what a spreadsheet would take for a formula stays text."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    return as_text(value) if isinstance(value, str) else value
