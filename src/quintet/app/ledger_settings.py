"""The ledger's tables of city.toml: own factors, supplies, contracts, sectors, the statutory definition; as records."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quintet.ledger.city_rows import OF_SETTINGS, Statement, checked, statements_of
from quintet.ledger.targets import TABLES, statements
from quintet.registry import Registry
from quintet.store.records import ALWAYS, Record
from quintet.terms.errors import BadInput, QuintetError
from quintet.terms.period import day_start, to_us

HOURLY = "hourly"
FILE = "file"
COLUMN = "co2e_kg"
"""The column of an hourly file that holds kg CO2e for one unit, one row an hour."""


def split_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the tables of a parsed city.toml: those of the registry, and those of the ledger."""
    own = {name: table for name, table in settings.items() if name in (*OF_SETTINGS, *TABLES)}
    return {name: table for name, table in settings.items() if name not in own}, own


def ledger_records(own: Mapping[str, Any], registry: Registry, tz: ZoneInfo, path: Path) -> list[Record]:
    """Give the records that say something new; raises BadInput, naming the file and the row, for what does not load."""
    try:
        said = statements_of(with_files(own, path.parent))
        checked(said, registry.timelines)
        said += statements(own, registry.commodities)
    except QuintetError as error:
        error.place = f"{path}, {error.place}" if error.place else str(path)
        raise
    return new_records(said, registry, tz)


def new_records(said: Sequence[Statement], registry: Registry, tz: ZoneInfo) -> list[Record]:
    """Give the records of statements that the registry does not hold already."""
    out: list[Record] = []
    for one in said:
        since = ALWAYS if one.day is None else to_us(day_start(one.day, tz))
        if dict(registry.timelines(one.kind).get(one.key, ())).get(since, ...) != one.body:
            out.append(Record(one.kind, one.key, since, one.body))
    return out


def with_files(own: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Read the files that hourly factors name, beside the settings."""
    out = dict(own)
    if HOURLY in own:
        out[HOURLY] = [_read(row, folder) if FILE in row else row for row in own[HOURLY]]
    return out


def _read(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Put a file's column in the place of its name."""
    path = folder / str(row[FILE])
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            column = [line.get(COLUMN) for line in csv.DictReader(lines)]
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", code="no_file", place=str(path)) from error
    if not column or None in column:
        raise BadInput(f"has no column {COLUMN}, or a row without it.", code="bad_row", place=str(path))
    return {**{key: value for key, value in row.items() if key != FILE}, COLUMN: column}
