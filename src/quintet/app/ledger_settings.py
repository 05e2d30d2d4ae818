"""The ledger's tables of city.toml: own factors, supplies, contracts, sectors, the statutory definition; as records."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quintet.ledger.city_rows import OF_SETTINGS, Statement, checked, statements_of
from quintet.ledger.fitting import refuse_twice, refuse_unfit
from quintet.ledger.targets import TABLES, statements
from quintet.registry import Registry
from quintet.store.records import ALWAYS, Record
from quintet.tariffs import agreements
from quintet.terms.catalogue import named_in
from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US, day_start, from_us, parse_moment, to_us

HOURLY = "hourly"
LISTED = frozenset({"supply", "contract", HOURLY, "sector", *TABLES, *agreements.LISTED})
"""Tables written once for each row; the others are one table, or a table of named rows."""
EITHER, ONE = frozenset({"self_sufficiency"}), frozenset({"emissions", *agreements.SINGLE})
KEYS: Mapping[str, Sequence[str]] = {"supply": ("commodity", "valid_from"), "contract": ("id",), HOURLY: ("id",)}
"""What tells the rows of a list apart."""
FILE, START = "file", "start"
COLUMN = "co2e_kg"
"""The column of an hourly file that holds kg CO2e for one unit, one row an hour."""


TABLES_HERE = (*OF_SETTINGS, *TABLES, *agreements.OF_SETTINGS)
"""Tables of city.toml that are the ledger's, the targets' and the bills'."""


def split_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the tables of a parsed city.toml: those of the registry, and those of the ledger and of bills."""
    own = {name: table for name, table in settings.items() if name in TABLES_HERE}
    return {name: table for name, table in settings.items() if name not in own}, own


def ledger_records(own: Mapping[str, Any], registry: Registry, tz: ZoneInfo, path: Path) -> list[Record]:
    """Give the records that say something new; raises BadInput, naming the file and the row, for what does not load."""
    with named_in(path):
        _refuse_misshapen(own)
        said = statements_of(with_files(own, path.parent))
        for part, keys in KEYS.items():
            refuse_twice(own.get(part, []), keys, part)
        refuse_unfit(checked(said, registry.timelines), registry.commodities)
        said += statements(own, registry.commodities)
        billed = agreements.statements_of(own)
        agreements.checked(billed, registry.timelines)
        said += [Statement(one.kind, one.key, one.day, one.body) for one in billed]
    return new_records(said, registry, tz)


def _refuse_misshapen(own: Mapping[str, Any]) -> None:
    """Refuse a table that is written as a list of tables, a list as a table, and either as a plain value."""
    for name, table in own.items():
        rows: list[Any] = table if isinstance(table, list) else [table]
        if name in LISTED:
            fine, form = isinstance(table, list), f"[[{name}]], once for each row"
        elif name in EITHER:
            fine, form = True, f"[{name}] or [[{name}]]"
        elif name in ONE:
            fine, form = isinstance(table, dict), f"[{name}]"
        else:
            fine, form = isinstance(table, dict), f"[{name}.NAME], once for each row"
            rows = list(table.values()) if isinstance(table, dict) else []
        if not fine or not all(isinstance(row, dict) for row in rows):
            raise BadInput("has another form.", code="bad_row", place=name, remedy=f"Write it as {form}.")


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


def factor_rows(table: Mapping[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    """Give the rows of a factor file by part and name, from the tables that city.toml has; raises BadInput.

    `path` is the file: it is named in errors, and hourly files lie beside it. A table of named rows is taken as well.
    """
    out: dict[str, dict[str, Any]] = {}
    with named_in(path):
        for part, rows in with_files(table, path.parent).items():
            named: Any = rows
            if isinstance(rows, list):
                refuse_twice(rows, KEYS.get(part, ("id",)), part)
                named = {"/".join(str(row.get(key)) for key in KEYS.get(part, ("id",))): row for row in rows}
            if not isinstance(named, dict) or not all(isinstance(row, dict) for row in named.values()):
                raise BadInput("has another form.", code="bad_row", place=part, remedy=f"Write [{part}.NAME].")
            out[part] = {
                name: {key: one.isoformat() if isinstance(one, date) else one for key, one in row.items()}
                for name, row in named.items()
            }
    return out


def _read(row: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Put a file's column in the place of its name."""
    path = folder / str(row[FILE])
    try:
        with path.open(encoding="utf-8", newline="") as text:
            lines = csv.DictReader(text)
            known, rows = lines.fieldnames or (), list(lines)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}.", code="no_file", place=str(path)) from error
    column = [line.get(COLUMN) for line in rows]
    if not column or None in column:
        raise BadInput(f"has no column {COLUMN}, or a row without it.", code="bad_row", place=str(path))
    other = [name for name in known if name not in (COLUMN, START)]
    if other:
        raise BadInput(
            f"has a column {other[0]} that nobody reads.", code="bad_row", place=str(path),
            remedy=f"Keep {COLUMN}; a column of moments is called {START}, and each row is checked against it.",
        )  # fmt: skip
    if START in known:
        _refuse_gaps(rows, row, path)
    return {**{key: value for key, value in row.items() if key != FILE}, COLUMN: column}


def _refuse_gaps(rows: Sequence[Mapping[str, str]], series: Mapping[str, Any], path: Path) -> None:
    """Refuse an hourly file whose rows are not one hour after the other from the series' start on."""
    for number, line in enumerate(rows):
        due = from_us(to_us(parse_moment(str(series.get(START)), ZoneInfo("UTC"))) + number * HOUR_US)
        if parse_moment(line[START], ZoneInfo("UTC")) != due:
            raise BadInput(
                f"says {line[START]} where {due.isoformat()} is due: a row an hour, none left out, none twice.",
                code="bad_row", place=f"{path}, line {number + 2}",
                remedy="A day of the clock's change has 23 or 25 rows; write each moment with its offset.",
            )  # fmt: skip
