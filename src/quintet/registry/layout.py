"""The meters table and the map of the dataset layout: from Arrow columns to plain rows, every row kept with its number.

Columns: `meters` has site, building, meter, commodity, unit, value_kind, cadence_min, tz, role and may have premise,
dials, multiplier, plate_max, installed, removed, replaces, floor_area_m2; every other column is a note.
The map has site, meter, virtual_city, shift_days.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.errors import BadInput
from quintet.terms.tables import MOMENT, QUARANTINE

from .tree import ROOT

REQUIRED = ("site", "building", "meter", "commodity", "unit", "value_kind", "cadence_min", "tz", "role")
OPTIONAL = ("premise", "dials", "multiplier", "plate_max", "installed", "removed", "replaces", "floor_area_m2")
TEXTS = ("site", "building", "premise", "meter", "commodity", "unit", "value_kind", "tz", "role", "replaces")


class Stated(NamedTuple):
    """What a row says of its numbers, as given: the same few combinations serve many meters."""

    commodity: str | None
    unit: str | None
    value_kind: str | None
    cadence_min: Any
    tz: str | None
    role: str | None
    dials: Any
    multiplier: Any
    plate_max: Any


class MeterRow(NamedTuple):
    """One row of a meters table. `installed` and `removed` are microseconds since 1970, or text still to be read."""

    row: int
    site: str | None
    building: str | None
    premise: str | None
    meter: str | None
    stated: Stated
    installed: int | str | None
    removed: int | str | None
    replaces: str | None
    floor_area_m2: float | None
    dwelling: bool
    notes: dict[str, Any]


class Fault(NamedTuple):
    """Why a row cannot be taken: a stable code and a sentence with its remedy."""

    code: str
    reason: str


class Mapped(NamedTuple):
    """Where a map puts a meter: the fictional city it belongs to and the days added to its readings' time."""

    virtual_city: str
    shift_days: int


def meter_rows(table: pa.Table) -> list[MeterRow]:
    """Read a meters table; one that lacks a required column or has no rows is refused whole."""
    need_columns(table, REQUIRED, "meters")
    columns: dict[str, list[Any]] = {name: _texts(table, name) for name in TEXTS}
    for name in ("cadence_min", "dials", "multiplier", "plate_max", "floor_area_m2"):
        columns[name] = _plain(table, name)
    # Meters share a few dozen ways of counting: one object each, not one a row.
    shared: dict[Stated, Stated] = {}
    stated = [shared.setdefault(said, said) for said in map(Stated, *(columns[name] for name in Stated._fields))]
    # A dwelling with no premise column is itself the premise; where the column exists, it says so.
    uses = _texts(table, "primary_use") if "premise" not in table.column_names else [None] * table.num_rows
    whole = zip(
        range(1, table.num_rows + 1),
        *(columns[name] for name in ("site", "building", "premise", "meter")),
        stated,
        _moments(table, "installed"),
        _moments(table, "removed"),
        columns["replaces"],
        columns["floor_area_m2"],
        [use == "dwelling" for use in uses],
        _notes(table),
        strict=True,
    )
    return list(map(MeterRow._make, whole))


def mapped_meters(table: pa.Table) -> dict[tuple[str, str], Mapped]:
    """Read a map, by (site, meter); a meter that stands in two places of it is refused."""
    need_columns(table, ("site", "meter", "virtual_city", "shift_days"), "map")
    out: dict[tuple[str, str], Mapped] = {}
    districts: dict[str, str] = {}
    sites = {ROOT, *_texts(table, "site")}
    texts = (_texts(table, name) for name in ("site", "meter", "virtual_city"))
    for row, (site, meter, city, days) in enumerate(zip(*texts, _plain(table, "shift_days"), strict=True), 1):
        place = f"map row {row}"
        if not site or not meter or not city or not isinstance(days, int):
            raise BadInput(
                "lacks site, meter, virtual_city or a whole number of shift_days.",
                code="bad_map",
                place=place,
                remedy="Fill all four columns.",
            )
        if city in sites:
            raise BadInput(
                f"{city} is the name of a site too.",
                code="bad_map",
                place=place,
                remedy="Name the virtual city otherwise.",
            )
        entry = Mapped(city, days)
        if out.setdefault((site, meter), entry) != entry or districts.setdefault(site, city) != city:
            raise BadInput(
                f"{site}/{meter} is mapped a second time, differently.",
                code="bad_map",
                place=place,
                remedy="A meter has one shift and a site one virtual city.",
            )
    return out


def need_columns(table: pa.Table, names: Iterable[str], what: str) -> None:
    """Refuse a table that lacks a column or has no rows."""
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise BadInput(
            f"lacks {', '.join(missing)}.",
            code="missing_column",
            place=f"the {what} table",
            remedy=f"Its columns are {', '.join(table.column_names)}; {', '.join(names)} must be among them.",
        )
    if not table.num_rows:
        raise BadInput("has no rows.", code="empty_table", place=f"the {what} table", remedy="List at least one meter.")


def problem_table(problems: Iterable[tuple[MeterRow, Fault]], source: str) -> pa.Table:
    """Give rows that could not be taken as a QUARANTINE table."""
    rows = [
        {
            "source": source,
            "row": row.row,
            "site": row.site,
            "meter": row.meter,
            "code": fault.code,
            "reason": f"{row.site}/{row.meter}: {fault.reason}",
            "original": json.dumps(original(row), ensure_ascii=False, default=str, sort_keys=True),
        }
        for row, fault in problems
    ]
    return pa.Table.from_pylist(rows, schema=QUARANTINE)


def original(row: MeterRow) -> dict[str, Any]:
    """Give a row back as the columns it came in, without those that said nothing."""
    flat = {**row._asdict(), **row.stated._asdict(), **row.notes}
    for name in ("row", "stated", "dwelling", "notes"):
        del flat[name]
    return {name: value for name, value in flat.items() if value is not None}


def _texts(table: pa.Table, name: str) -> list[str | None]:
    """Give a column as text; empty text says nothing."""
    if name not in table.column_names:
        return [None] * table.num_rows
    return [value or None for value in table[name].cast(pa.string()).to_pylist()]


def _plain(table: pa.Table, name: str) -> list[Any]:
    """Give a column's numbers or texts as they are; NaN and empty text say nothing."""
    if name not in table.column_names:
        return [None] * table.num_rows
    column = table[name]
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    return [None if value == "" else value for value in column.to_pylist()]


def _moments(table: pa.Table, name: str) -> list[int | str | None]:
    """Give stamps with a zone as microseconds; dates, texts and naive stamps as text for `parse_moment` to judge."""
    if name in table.column_names:
        kind = table.schema.field(name).type
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return table[name].cast(MOMENT).cast(pa.int64()).to_pylist()
    return list(_texts(table, name))


def _notes(table: pa.Table) -> list[dict[str, Any]]:
    """Give what else a table says of each meter, as JSON can hold it."""
    names = [name for name in table.column_names if name not in REQUIRED and name not in OPTIONAL]
    if not names:
        return [{} for _ in range(table.num_rows)]
    columns: list[list[Any]] = []
    for name in names:
        kind = table.schema.field(name).type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            columns.append(_plain(table, name))
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind):
            columns.append([None if value is None else str(value) for value in table[name].to_pylist()])
        else:
            columns.append(_texts(table, name))
    return [
        {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for values in zip(*columns, strict=True)
    ]
