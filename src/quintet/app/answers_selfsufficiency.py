"""Operations that answer with self-sufficiency: every definition, why they differ, which one the city is bound to."""

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.ledger.city_rows import CHOSEN, STATUTORY, Statement, bound_definitions, checked_definition
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, from_us
from quintet.views.answers_ledger import BoundTo
from quintet.views.self_sufficiencies import ALWAYS_US, explain, place_selfsufficiency
from quintet.views.uncertain_books import uncertain_sufficiencies

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, rows_of, with_bounds
from .city import City
from .ledger_settings import new_records
from .requests import DefinitionPin, SelfSufficiency, SelfSufficiencyExplain

DEFINITION_COLUMNS = [
    "id", "value", "numerator", "denominator", "unit", "matched", "intervals", "coverage", "estimated_share", "derived",
    "reason",
]  # fmt: skip
STEP_COLUMNS = [
    "before", "after", "assumption", "value_before", "by_assumption", "by_intervals", "value_after",
    "coverage_before", "coverage_after", "matched_before", "matched_after", "intervals_after", "words", "reason",
]  # fmt: skip
PIN_COLUMNS = ["definition", "since", "by", "why"]


def self_sufficiency(city: City, asked: SelfSufficiency, _progress: Progress) -> Answer:
    """Give every definition's answer, matched at the asked resolution; the one the city is bound to is named."""
    tz = city.registry().tz
    span, known_at = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    access, step = city.access(EVERYTHING), Resolution(asked.resolution)
    columns = DEFINITION_COLUMNS
    if asked.nominal is None:
        found = place_selfsufficiency(access, asked.place, span, step, known_at, tz)
    else:
        found = uncertain_sufficiencies(access, asked.place, span, step, level=asked.nominal, known_at=known_at)
        columns = with_bounds(DEFINITION_COLUMNS, "value")
    return Answer(
        columns,
        rows_of(columns, [msgspec.structs.asdict(one) for one in found.definitions]),
        document_of(found),
        numbers=[*columns[1 : columns.index("unit")], "matched", "intervals", "coverage", "estimated_share"],
        title=f"{asked.place}, matched by {found.interval}; value 1 means 100 %",
        notes=bound_note(found.pinned),
    )


def bound_note(pinned: BoundTo | None) -> list[str]:
    """Say which definition the city is bound to."""
    if pinned is None:
        return []
    value = "not known here" if pinned.value is None else f"{pinned.value:f}"
    heard = "" if pinned.coverage is None else f", coverage {pinned.coverage}"
    matched = "" if pinned.matched is None else f" ({pinned.matched} of {pinned.intervals} intervals matched{heard})"
    return [f"The city is bound to {pinned.definition}: {value}{matched}; by {pinned.by}: {pinned.why}"]


def selfsufficiency_explain(city: City, asked: SelfSufficiencyExplain, _progress: Progress) -> Answer:
    """Say why the definitions differ, one changed assumption a step."""
    tz = city.registry().tz
    span, known_at = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    found = explain(city.access(EVERYTHING), asked.place, span, Resolution(asked.resolution), known_at, tz)
    rows: list[dict[str, Any]] = [
        {**msgspec.structs.asdict(one), "words": getattr(one, f"words_{asked.lang}")} for one in found.steps
    ]
    return Answer(
        STEP_COLUMNS,
        rows_of(STEP_COLUMNS, rows),
        document_of(found),
        numbers=[name for name in STEP_COLUMNS if name.startswith(("value", "by", "coverage", "matched", "intervals"))],
        title=f"{asked.place}, matched by {found.interval}; before + by_assumption + by_intervals = after",
        notes=bound_note(found.pinned),
    )


def definition_pin(city: City, asked: DefinitionPin, _progress: Progress) -> Answer:
    """Bind the city to a definition from a day on; without one, list what it is and was bound to."""
    registry = city.registry()
    notes: list[str] = []
    if asked.definition is not None:
        statement = Statement(CHOSEN, STATUTORY, None, checked_definition(asked.definition, asked.by, asked.why))
        if asked.since is not None:
            statement = replace(statement, day=_day(asked.since))
        records = new_records([statement], registry, registry.tz)
        city.pipeline.apply_records(records, kind="decision", source="selfsufficiency pin", actor=asked.by.strip())
        notes = [] if records else ["That is what the city is bound to already; nothing was changed."]
        registry = city.registry()
    rows = [
        {
            "definition": one.definition,
            "since": None if one.since_us < ALWAYS_US else local(from_us(one.since_us), registry.tz),
            "by": one.by,
            "why": one.why,
        }
        for one in bound_definitions(registry.timelines)
    ]
    return Answer(PIN_COLUMNS, rows_of(PIN_COLUMNS, rows), document_of({"bound": rows}), notes=notes)


def _day(text: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no day.", code="bad_day", place="--since", remedy="Write it as 2025-01-31."
        ) from error
