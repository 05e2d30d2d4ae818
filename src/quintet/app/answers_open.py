"""Operations on open data: telling months to everybody, and writing what was told."""

from typing import Any

import msgspec

from quintet.access import EVERYTHING
from quintet.access.told import RELEASE
from quintet.ledger.city_rows import find_set, set_statement
from quintet.store.records import Record
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, from_us
from quintet.views.answers_open import OpenData as Found
from quintet.views.open_cells import SUPPRESSED
from quintet.views.open_csv import csv_bytes, description_bytes
from quintet.views.open_data import OpenQuestions, open_resolution
from quintet.views.open_ngsi import ngsi_bytes
from quintet.views.open_releases import Month, months_of, refuse_unripe, release_body, releases

from .answer import Answer, Progress, Step, document_of
from .asked_time import asked_span
from .cells import rows_of
from .city import City
from .ledger_settings import new_records
from .requests import OpenData, OpenRelease, OpenReleases

COLUMNS = ["file", "bytes", "cells", "suppressed"]
RELEASED = ["month", "known_at", "released", "by", "why", "factor_set", "floor"]
CSV, NGSI = "csv", "ngsi-ld"
FORMS = (CSV, NGSI)
NAME = "open-data"
SOURCE = "open-data"


def open_data(city: City, asked: OpenData, progress: Progress) -> Answer:
    """Write open data: the document holds `files` by name as text. Months that were not told yet are told now."""
    if asked.form not in FORMS:
        raise UsageError(
            f"open data are not written as {asked.form!r}.", code="bad_form", place="--format",
            remedy=f"Known: {', '.join(FORMS)}.",
        )  # fmt: skip
    tz = city.registry().tz
    span = asked_span(asked.start, asked.end, tz)
    questions = OpenQuestions(city.access(EVERYTHING))
    city.registry().need_place(asked.place)
    step = open_resolution(asked.resolution)
    notes = []
    if not asked.preview:
        months = months_of(span, tz, cut=step is not Resolution.MONTH)
        told = release(city, months, asked.by, asked.reason, SOURCE)
        notes = [f"{month.name} is released as known now; it is never told again otherwise." for month in told]
    progress(Step("cells"))
    found = questions.open_data(asked.start, asked.end, step.value, asked.place, preview=asked.preview)
    files = written(found, asked.form, simple=asked.simple)
    suppressed = sum(cell.status == SUPPRESSED for cell in found.cells)
    rows = [
        {"file": name, "bytes": len(content), "cells": len(found.cells), "suppressed": suppressed}
        for name, content in files.items()
    ]
    if found.licence is None:
        notes.append("The city states no licence: say one as [city] licence in city.toml, else nobody may use this.")
    document: dict[str, Any] = {"files": {name: content.decode() for name, content in files.items()}}
    return Answer(
        COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=COLUMNS[1:], notes=notes
    )  # fmt: skip


def written(found: Found, form: str, *, simple: bool) -> dict[str, bytes]:
    """Give the files of an answer by name, the data first."""
    stem = f"{NAME}-{found.start:%Y-%m-%d}-{found.end:%Y-%m-%d}-{found.resolution}"
    if form == NGSI:
        return {f"{stem}.jsonld": ngsi_bytes(found, key_values=simple)}
    return {f"{stem}.csv": csv_bytes(found), f"{stem}.csv-metadata.json": description_bytes(found, f"{stem}.csv")}


def open_release(city: City, asked: OpenRelease, progress: Progress) -> Answer:
    """Tell whole months to everybody, each for the first time; those told before stay as they are."""
    tz = city.registry().tz
    months = months_of(asked_span(asked.start, asked.end, tz), tz, cut=False)
    release(city, months, asked.by, asked.reason, asked.via or SOURCE)
    return open_releases(city, OpenReleases(), progress)


def release(city: City, months: list[Month], by: str, why: str, source: str) -> list[Month]:
    """Keep that months are told, as known now; give those that were not before. A decision of the audit chain."""
    registry = city.registry()
    held = releases(city.access(EVERYTHING))
    new = [month for month in months if month.name not in held]
    if not new:
        return []
    with city.engine.asked() as (_, now):
        moment = now
    refuse_unripe(new, from_us(city.now()), registry.tz)
    chosen = find_set(registry.timelines)
    body = dict(release_body(from_us(moment), chosen.digest, by, why))
    content = new_records([set_statement(chosen)], registry, registry.tz)
    city.pipeline.apply_records(content, kind="registry", source=source, actor=by.strip())
    records = [Record(RELEASE, month.name, city.now(), body) for month in new]
    city.pipeline.apply_records(records, kind="decision", source=source, actor=by.strip())
    return new


def open_releases(city: City, _asked: OpenReleases, _progress: Progress) -> Answer:
    """List the months that were told."""
    found = OpenQuestions(city.access(EVERYTHING)).releases()
    rows = [msgspec.structs.asdict(one) for one in found.releases]
    return Answer(RELEASED, rows_of(RELEASED, rows), document_of(found))
