"""Columns as JSON or MessagePack: one list a field, or one word for all rows; and a list of values a meter."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any, NoReturn

import msgspec

from quintet.protocols.faults import NUMBER
from quintet.terms.errors import BadInput

from .cells import UNREADABLE, Cell, Shape, clean, fields_of, json_cell, object_cell
from .json_rows import CELL_TYPES, KIND_OF
from .payload import LOOKS, Limits
from .rows import KNOWN, Rows, holds_long_numeral

COLUMN_TYPES: dict[str, Any] = {name: list[kind | None] for name, kind in CELL_TYPES.items()}
"""A column as it should be; one that is otherwise is read cell by cell."""

ARRAY_16, ARRAY_32, MAP_16, MAP_32 = 0xDC, 0xDD, 0xDE, 0xDF
FIXED_MAP, FIXED_ARRAY, AFTER_FIXED = 0x80, 0x90, 0xA0

QuickColumn = Callable[[str, Any], list[Any] | None]
CellColumn = Callable[[Any], list[Cell] | Cell]


class Columns:
    """Reads columns of one format: a whole column by its type, or its cells one by one."""

    def __init__(self, quick: QuickColumn, cells: CellColumn) -> None:
        """Use a format's two ways to read a column; both may raise UNREADABLE."""
        self._quick = quick
        self._cells = cells

    def read(self, columns: Mapping[str, Any], rows: Rows, limits: Limits, site: str | None = None) -> set[Shape]:
        """Read columns into `rows` and give their shapes. Raises BadInput where they do not fit each other."""
        table = Table(limits)
        for name, raw in columns.items():
            self._put(table, name, raw)
        table.gather(rows, site)
        return table.shapes

    def read_meters(
        self, body: Mapping[str, Any], meters: Mapping[str, Any], rows: Rows, limits: Limits, site: str | None
    ) -> set[Shape]:
        """Read the values of some meters, all at the same moments: `body` holds the times and what holds for all."""
        table = Table(limits)
        for name, raw in body.items():
            self._put(table, name, raw)
        spread(table, meters, [self._values(raw, limits) for raw in meters.values()])
        table.gather(rows, site)
        return table.shapes

    def _put(self, table: "Table", name: str, raw: Any) -> None:
        """Put a column into the table: as it should be, as cells, or as one word for all rows."""
        quick = self._column(name, raw) if name in KNOWN else None
        if quick is not None:
            table.lists[name] = quick
            table.shapes |= {(name, KIND_OF[kind]) for kind in set(map(type, quick))}
            return
        cells = self._some_cells(name, raw, table.limits)
        if isinstance(cells, list):
            table.shapes |= {(clean(name), cell[0]) for cell in cells}
            table.slow[name] = cells
        else:
            table.shapes.add((clean(name), cells[0]))
            table.ones[name] = cells

    def _values(self, raw: Any, limits: Limits) -> list[Any] | Cell | None:
        """Read one meter's values: numbers, or cells where one of them is none; one value stands without a list."""
        quick = self._column("value", raw)
        return self._some_cells("value", raw, limits) if quick is None else quick

    def _column(self, name: str, raw: Any) -> list[Any] | None:
        try:
            return self._quick(name, raw)
        except UNREADABLE:
            return None

    def _some_cells(self, name: str, raw: Any, limits: Limits) -> list[Cell] | Cell:
        try:
            cells = self._cells(raw)
        except UNREADABLE as error:
            refuse(f"column {clean(name)} cannot be read: {error}.", "bad_column", error)
        if isinstance(cells, list) and len(cells) > limits.rows:
            too_many(limits)
        return cells


class Table:
    """Columns on their way to rows: as they should be, as cells to be looked at, and one word for all rows."""

    def __init__(self, limits: Limits) -> None:
        """Start without columns."""
        self.limits = limits
        self.lists: dict[str, list[Any]] = {}
        self.slow: dict[str, list[Cell]] = {}
        self.ones: dict[str, Cell] = {}
        self.shapes: set[Shape] = set()

    def length(self, otherwise: int) -> int:
        """Give the number of rows; columns of different lengths cannot be told which row is which."""
        lengths = {name: len(column) for name, column in {**self.lists, **self.slow}.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{clean(name)} {length}" for name, length in sorted(lengths.items()))
            refuse(f"columns have different lengths: {said[:400]}.", "column_lengths")
        count = max(lengths.values(), default=otherwise)
        if count > self.limits.rows:
            too_many(self.limits)
        return count

    def repeat(self, times: int) -> None:
        """Repeat all rows."""
        self.lists = {name: column * times for name, column in self.lists.items()}
        self.slow = {name: column * times for name, column in self.slow.items()}

    def gather(self, rows: Rows, site: str | None) -> None:
        """Add the rows: by whole columns, row by row where a known column must be looked at."""
        if not self.lists and not self.slow:
            refuse("has no column: each of its fields is one word.", "no_columns")
        count = self.length(0)
        plain, shared_mark = fields_of({name: cell for name, cell in self.ones.items() if name in KNOWN})
        odd = [name for name in self.slow if name in KNOWN]
        named: set[str | None] = {plain.get("site")} | set(self.lists.get("site", ()))
        if site is not None and not odd and all((word or site).strip() in ("", site) for word in named):
            plain["site"] = site
            self.lists.pop("site", None)
        elif odd or site is not None:
            self._one_by_one(rows, count, odd, plain, shared_mark, site)
            return
        constant = {name: [word] * count for name, word in plain.items()}
        rows.extend({**constant, **self.lists}, count, len(rows) + 1, shared_mark)

    def _one_by_one(
        self, rows: Rows, count: int, odd: list[str], plain: dict[str, Any], shared_mark: int, site: str | None
    ) -> None:
        """Add row by row: cells that are not as they should be mark their own row only."""
        first = len(rows) + 1
        for row in range(count):
            fields, mark = fields_of({name: self.slow[name][row] for name in odd}) if odd else ({}, 0)
            fields = {**plain, **fields, **{name: column[row] for name, column in self.lists.items()}}
            if site is not None:
                if (fields.get("site") or site).strip() not in ("", site):
                    mark = min(mark or NUMBER["other_site"], NUMBER["other_site"])
                fields["site"] = site
            rows.add(fields, first + row, min(filter(None, (mark, shared_mark)), default=0))


def spread(table: Table, meters: Collection[str], values: Sequence[Any]) -> None:
    """Add the values of meters, all at the table's moments; one without a list is that of a single moment.

    Raises BadInput where a meter has not one value for each moment.
    """
    moments = table.length(1)
    if len(values) * moments > table.limits.rows:
        too_many(table.limits)
    cells = _lone(values) if moments == 1 else None
    if cells is None:
        lists = [column if isinstance(column, list) else [column] for column in values]
        wrong = next((meter for meter, column in zip(meters, lists, strict=True) if len(column) != moments), None)
        if wrong is not None:
            refuse(f"meter {clean(wrong)} has not one value for each of the {moments} moments.", "column_lengths")
        cells = list(chain.from_iterable(lists))
    table.repeat(len(values))
    table.lists["meter"] = list(meters) if moments == 1 else [meter for meter in meters for _ in range(moments)]
    kinds = set(map(type, cells))
    if tuple in kinds:
        table.slow["value"] = [cell if isinstance(cell, tuple) else object_cell(cell) for cell in cells]
        table.shapes |= {("value", cell[0]) for cell in table.slow["value"]}
    else:
        table.lists["value"] = cells
        table.shapes |= {("value", KIND_OF[kind]) for kind in kinds}
    table.shapes.add(("meters", "object"))


def _lone(values: Sequence[Any]) -> list[Any] | None:
    """Take the values out of lists of one; None where there is anything else. Sixfold as fast as looking at each."""
    try:
        return [cell for (cell,) in values]
    except (TypeError, ValueError):
        return None


def append(rows: Rows, more: Rows, offset: int = 0) -> None:
    """Append gathered rows to others; row numbers move by `offset`."""
    for name in Rows.__slots__:
        column = getattr(more, name)
        getattr(rows, name).extend([number + offset for number in column] if name == "row" and offset else column)


def json_columns(raw: bytes, limits: Limits) -> dict[str, msgspec.Raw]:
    """Part a JSON object into its fields, each still raw. Raises UNREADABLE for anything else."""
    if raw.count(b",") > limits.values:
        too_many(limits)
    return _JSON_FIELDS.decode(raw)


def _json_quick(name: str, raw: msgspec.Raw) -> list[Any] | None:
    if name == "value" and holds_long_numeral(bytes(raw)):
        return None
    return _JSON_COLUMN[name].decode(raw)


def _json_cells(raw: msgspec.Raw) -> list[Cell] | Cell:
    if bytes(memoryview(raw)[:1]) != b"[":
        return json_cell(bytes(raw))
    return [json_cell(bytes(cell)) for cell in _JSON_RAWS.decode(raw)]


def _msgpack_quick(name: str, raw: msgspec.Raw) -> list[Any] | None:
    return _MSGPACK_COLUMN[name].decode(raw)


def _msgpack_cells(raw: msgspec.Raw) -> list[Cell] | Cell:
    if not is_array(bytes(memoryview(raw)[:1])):
        return object_cell(_msgpack_any(raw))
    return [object_cell(_msgpack_any(cell)) for cell in _MSGPACK_RAWS.decode(raw)]


def _msgpack_any(raw: msgspec.Raw) -> Any:
    """Decode one cell; one that is longer than any word is only told by its kind."""
    return [] if memoryview(raw).nbytes > LOOKS.cell_bytes else _MSGPACK_ANY.decode(raw)


_JSON_COLUMN = {name: msgspec.json.Decoder(kind) for name, kind in COLUMN_TYPES.items()}
_JSON_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_JSON_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_MSGPACK_COLUMN = {name: msgspec.msgpack.Decoder(kind) for name, kind in COLUMN_TYPES.items()}
_MSGPACK_RAWS = msgspec.msgpack.Decoder(list[msgspec.Raw])
_MSGPACK_ANY = msgspec.msgpack.Decoder()
JSON_COLUMNS = Columns(_json_quick, _json_cells)
MSGPACK_COLUMNS = Columns(_msgpack_quick, _msgpack_cells)


def cell_originals(columns: Mapping[str, Any], wanted: list[int], written: Callable[[Any], Any]) -> list[str]:
    """Write some rows of columns as JSON objects, each cell as it was; `written` gives a column's cells as JSON."""
    cells = {name: written(raw) for name, raw in columns.items()}
    out: list[str] = []
    for position in wanted:
        parts = [
            f"{msgspec.json.encode(clean(name)).decode()}:{column[position] if isinstance(column, list) else column}"
            for name, column in cells.items()
        ]
        out.append("{" + ",".join(parts) + "}")
    return out


def json_written(raw: msgspec.Raw) -> list[str] | str:
    """Give a JSON column's cells, or its one word, as they were written."""
    if bytes(memoryview(raw)[:1]) != b"[":
        return bytes(raw).decode("utf-8", "replace")
    return [bytes(cell).decode("utf-8", "replace") for cell in _JSON_RAWS.decode(raw)]


def msgpack_written(raw: msgspec.Raw) -> list[str] | str:
    """Give a MessagePack column's cells, or its one word, as JSON."""
    if is_array(bytes(memoryview(raw)[:1])):
        return [as_text(cell) for cell in _MSGPACK_RAWS.decode(raw)]
    return as_text(raw)


def is_array(head: bytes) -> bool:
    """Say whether MessagePack that begins so is an array."""
    return bool(head) and (FIXED_ARRAY <= head[0] < AFTER_FIXED or head[0] in (ARRAY_16, ARRAY_32))


def as_text(raw: msgspec.Raw) -> str:
    """Say one MessagePack value as JSON; bytes that are none are said as a text of their hex digits."""
    try:
        return msgspec.json.encode(_MSGPACK_ANY.decode(raw), enc_hook=str).decode()
    except (*UNREADABLE, TypeError, ValueError):
        return msgspec.json.encode(bytes(raw).hex()).decode()


def too_many(limits: Limits) -> NoReturn:
    """Refuse a payload that holds more than a door takes at once."""
    raise BadInput(
        f"holds more than {limits.rows:,} readings, or {limits.values:,} values.",
        code="too_large",
        place="body",
        remedy="Send it in several parts.",
    )


def refuse(message: str, code: str, cause: BaseException | None = None) -> NoReturn:
    """Refuse a body as a whole."""
    raise BadInput(message, code=code, place="body", remedy="See docs/payloads.md for the shapes.") from cause
