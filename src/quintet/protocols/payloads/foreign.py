"""Messages of formats that are tables: the readings they hold, their moments and the shapes seen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation, Overflow
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from quintet.protocols.faults import NUMBER
from quintet.protocols.words import moment_of
from quintet.terms.reading import clock

from .cells import LARGEST_COUNT, UNREADABLE, Cell, Shape, clean, json_cell, json_cells, shapes_of
from .mappings import Field, Format, Route, When, filled
from .payload import LOOKS
from .rows import number_of

Reading = tuple[dict[str, Any], int]
"""The fields of a row and its fault."""


def read_foreign(route: Route, payload: bytes, received_us: int) -> tuple[list[Reading], set[Shape]] | None:
    """Read a message of a format: its readings, none where it holds none; None where it cannot be read at all."""
    form = route.format
    if form is None:
        return [], set()
    names = dict(route.names)
    if form.payload == "number":
        return _bare(form, names, route.site, payload, received_us)
    cells = json_cells(payload)
    if cells is None:
        return None
    shapes = {(f"{form.name}.{field}", kind) for field, kind in shapes_of(cells)}
    opened: dict[str, dict[str, Cell]] = {}
    common: dict[str, Any] = {"site": route.site, "ts_us": received_us}
    mark = 0
    if form.time is not None:
        common["ts_us"], mark = _moment(form.time, _at(cells, form.time.field, opened), received_us, "bad_time")
    if form.clock is not None:
        common["sent_at_us"], bad = _moment(form.clock, _at(cells, form.clock.field, opened), None, "bad_clock")
        mark = mark or bad
    out: list[Reading] = []
    for field in form.fields:
        if field.taken:
            out += [
                ({**common, **reading}, mark or fault)
                for reading, fault in _readings(field, _at(cells, field.name, opened), names)
            ]
    for parent, inner in opened.items():
        shapes |= {(f"{form.name}.{parent}.{clean(name)}", kind) for name, kind in shapes_of(inner)}
    return out, shapes


def _bare(
    form: Format, names: dict[str, str], site: str, payload: bytes, received_us: int
) -> tuple[list[Reading], set[Shape]] | None:
    """Read a payload that is one number, bare or quoted."""
    try:
        text = payload.decode("utf-8").strip()
        if text.startswith('"'):
            text = msgspec.json.decode(text, type=str).strip()
    except UNREADABLE:
        return None
    if text in form.absent:
        return [], {(form.name, "null")}
    value, fault = number_of(text)
    kind = "text" if fault == NUMBER["bad_value"] else "number"
    out: list[Reading] = []
    for field in form.fields:
        reading = {
            "site": site,
            "meter": filled(field.meter, names),
            "ts_us": received_us,
            "unit": field.unit,
            "commodity": field.commodity,
        }
        out.append(({**reading, "value": _times(value, text, field.multiplier) if not fault else value}, fault))
    return out, {(form.name, kind)}


def _readings(field: Field, cell: Cell | None, names: dict[str, str]) -> Iterator[Reading]:
    """Give a field's reading, or one for each element of a list."""
    if cell is None or cell[0] == "null":
        return
    kind, text = cell
    common = {"unit": field.unit, "commodity": field.commodity}
    if kind != "array":
        value, fault = number_of(text) if kind in ("number", "text") else (None, NUMBER["bad_value"])
        value = value if fault else _times(value, text, field.multiplier)
        yield {**common, "meter": filled(field.meter, names), "value": value}, fault
        return
    for number, raw in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])[: LOOKS.list_elements], start=1):
        meter = filled(field.meter_many, names).replace("{n}", str(number))
        inner, said = json_cell(bytes(raw))
        value, fault = number_of(said) if inner in ("number", "text") else (None, NUMBER["bad_value"])
        value = value if fault else _times(value, said, field.multiplier)
        yield {**common, "meter": meter, "value": value}, fault


def _times(value: float | None, text: str, multiplier: Decimal) -> float | None:
    """Multiply exactly, from the text as written."""
    if value is None or multiplier == 1:
        return value
    try:
        return float(Decimal(text.strip()) * multiplier)
    except (InvalidOperation, Overflow, OverflowError):
        return value


def _at(cells: dict[str, Cell], path: str, opened: dict[str, dict[str, Cell]]) -> Cell | None:
    """Find the cell at a path; objects on the way are opened once."""
    here, name = cells, path
    parent = ""
    while (found := here.get(name)) is None and "." in name:
        head, _, name = name.partition(".")
        parent = f"{parent}.{head}" if parent else head
        if parent not in opened:
            outer = here.get(head)
            opened[parent] = (json_cells(outer[1].encode()) or {}) if outer and outer[0] == "object" else {}
        here = opened[parent]
    return found


def _moment(when: When, cell: Cell | None, otherwise: int | None, code: str) -> tuple[int | None, int]:
    """Read a moment in microseconds; where the message has none, or only a clock of no zone, `otherwise` counts."""
    if cell is None or cell[0] == "null":
        return otherwise, 0
    kind, text = cell
    counted = when.kind in ("epoch_s", "epoch_ms") or (when.kind == "rfc3339_or_epoch_ms" and kind == "number")
    if counted:
        count = _count(text, 1_000_000 if when.kind == "epoch_s" else 1_000)
        return (None, NUMBER[code]) if count is None else (count, 0)
    if kind != "text":
        return None, NUMBER[code]
    moment, fault = moment_of(text.strip())
    if fault == "naive_time" and when.kind == "rfc3339_or_local":
        local = _local(text.strip(), clock(when.tz)) if when.tz else None
        return (otherwise if local is None else local), 0
    return moment, NUMBER[code if fault and code == "bad_clock" else fault]


def _local(text: str, tz: ZoneInfo) -> int | None:
    """Read a local stamp; None where the local clock shows it twice or never."""
    naive = datetime.fromisoformat(text)
    first, second = (naive.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        return None
    return int((first.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


def _count(text: str, scale: int) -> int | None:
    value, fault = number_of(text)
    if value is None or fault or not abs(value) < LARGEST_COUNT / scale:  # an integer of 10^999999 would take seconds
        return None
    return round(Decimal(text.strip()) * scale)
