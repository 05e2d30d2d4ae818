"""Operations that fill and keep a city: ingest, closing days, backup, doctor, quarantine."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from quintet.ingest import Dataset, commit_readings, find, load_map, register_meters
from quintet.ingest.green_button import ingest_feed, looks_like_feed
from quintet.pipeline.commit import Receipt
from quintet.pipeline.told import take_told
from quintet.store.records import Record
from quintet.terms.catalogue import read_toml_file
from quintet.terms.errors import QuintetError, UsageError
from quintet.terms.period import day_of_number

from .answer import Answer, Progress, Step, document_of
from .answers_changes import refresh
from .cells import plain, rows_of
from .city import City
from .requests import BackupCreate, CloseDays, Doctor, Ingest

RECEIPT_COLUMNS = [
    "files", "accepted", "duplicate", "rejected", "quarantined", "skipped", "meters_registered", "meters_quarantined",
]  # fmt: skip
FINDING_COLUMNS = ["severity", "code", "place", "message", "remedy"]


def doctor(city: City, _asked: Doctor, progress: Progress) -> Answer:
    """Give the findings, worst first, and the facts that support needs; exit code 1 when one is an error."""
    progress(Step("examining the city"))
    found = city.doctor()
    rows = [{name: getattr(one, name) for name in FINDING_COLUMNS} for one in found.findings]
    rows.sort(key=lambda row: (row["severity"] != "error", row["severity"] != "warning"))
    broken = any(row["severity"] == "error" for row in rows)
    notes = [f"{key}: {value}" for key, value in plain(found.facts).items()]
    if not rows:
        notes.append("Nothing is wrong.")
    document = {"fine": not broken, "findings": plain(rows), **plain(found.facts)}
    return Answer(
        FINDING_COLUMNS, rows_of(FINDING_COLUMNS, rows), document_of(document), notes=notes, exit_code=int(broken)
    )


def ingest(city: City, asked: Ingest, progress: Progress) -> Answer:
    """Take in datasets, one after the other; what one cannot give does not keep back the next.

    Raises the first failure when nothing could be taken; else failures are notes and the exit code is 1.
    """
    datasets = find([Path(path) for path in asked.paths], map_file=Path(asked.map_file) if asked.map_file else None)
    mapping = load_map(Path(asked.map_file)) if asked.map_file else None
    total = Receipt()
    before = city.registry()
    counts: dict[str, int] = dict.fromkeys(("files", "meters_registered", "meters_quarantined"), 0)
    failures: list[QuintetError] = []
    said: list[str] = []
    for dataset in datasets:
        try:
            if looks_like_feed(dataset.readings[0]):
                total += _feed(city, dataset, asked.actor, mapping, counts, progress)
                continue
            own, of_ledger = None, list[Record]()
            if dataset.settings is not None:
                settings = read_toml_file(dataset.settings)
                if (adopted := city.adopt_clock(settings, dataset.settings)) is not None:
                    said.append(f"The city now goes by the clock of {adopted.key}, as {dataset.settings} says.")
                own, of_ledger = city.settings_of(settings, dataset.settings)
            registered = register_meters(city.pipeline, dataset, actor=asked.actor, mapping=mapping, settings=own)
            named = str(dataset.folder)
            city.pipeline.apply_records(of_ledger, kind="registry", source=named, actor=asked.actor)
            if registered is not None:
                counts["meters_registered"] += registered.registered
                counts["meters_quarantined"] += registered.quarantined
            told = _counting(dataset, progress)
            total += commit_readings(city.pipeline, dataset, actor=asked.actor, mapping=mapping, progress=told)
            counts["files"] += dataset.files
        except QuintetError as error:
            failures.append(error)
    if city.registry() is not before:
        refresh(city, progress)
    if len(failures) == len(datasets):
        raise failures[0]
    facts = {**counts, **asdict(total)}
    facts = {name: facts[name] for name in RECEIPT_COLUMNS}
    notes = said + [str(error) for error in failures]
    if facts["quarantined"] or facts["meters_quarantined"]:
        notes.append("What could not be taken is kept with its reason: see `quintet quarantine list`.")
    return Answer(
        RECEIPT_COLUMNS,
        rows_of(RECEIPT_COLUMNS, [facts]),
        document_of({**facts, "failures": [str(error) for error in failures]}),
        numbers=RECEIPT_COLUMNS,
        notes=notes,
        exit_code=int(bool(failures)),
    )


def _feed(
    city: City, dataset: Dataset, actor: str, mapping: pa.Table | None, counts: dict[str, int], progress: Progress
) -> Receipt:
    """Take in a Green Button feed; its meters go by the city's clock."""

    def take(estimates: pa.Table, source: str, by: str) -> Receipt:
        return take_told(city.pipeline, city.engine, estimates, source=source, actor=by)

    registered, receipt = ingest_feed(
        city.pipeline, dataset.readings[0], take, tz=city.engine.tz.key, actor=actor, mapping=mapping,
        progress=_counting(dataset, progress),
    )  # fmt: skip
    counts["meters_registered"] += registered.registered
    counts["meters_quarantined"] += registered.quarantined
    counts["files"] += dataset.files
    return receipt


def _counting(dataset: Dataset, progress: Progress) -> Callable[[int], None]:
    """Give what is told the rows of each stretch, and tells the sum."""
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(Step(f"readings of {dataset.folder.name}", done))

    return told


def backup_create(city: City, asked: BackupCreate, progress: Progress) -> Answer:
    """Copy a consistent moment of the city to a new folder."""
    target = Path(asked.target)
    if target.exists():
        raise UsageError(
            "exists already.", code="target_exists", place=asked.target, remedy="Name a folder that does not exist yet."
        )
    progress(Step("copying"))
    manifest = city.backup(target)
    facts = {"backup": asked.target, "files": len(manifest["files"])}
    return _told(facts, f"A copy stands in {asked.target}.")


def close_days(city: City, asked: CloseDays, progress: Progress) -> Answer:
    """Move the days that are over to the lake, or those before a day; days that are not over stay.

    Raises UsageError for what is no day, or one that comes after today.
    """
    until = None if asked.until is None else _day(asked.until)
    today = day_of_number(city.engine.day_of(city.now()))
    if until is not None and until > today:
        raise UsageError(
            f"{until} is to come: a day is closed when it is over.",
            code="day_not_over",
            remedy=f"Name {today} or a day before.",
        )
    closed = city.close_days(until, lambda day: progress(Step(f"closing {day}")))
    ends = [day_of_number(day).isoformat() for day in (closed[:1] + closed[-1:])] or [None, None]
    return _told(
        {"closed_days": len(closed), "first": ends[0], "last": ends[1]},
        "" if closed else "No day is over that is not closed.",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day.", code="bad_day", remedy="Write it like 2025-01-31.") from error


def _told(facts: dict[str, Any], note: str) -> Answer:
    columns = list(facts)
    return Answer(columns, rows_of(columns, [facts]), document_of(facts), notes=[note] if note else [])
