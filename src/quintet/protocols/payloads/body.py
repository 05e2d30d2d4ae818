"""HTTP bodies: a media type and an encoding choose the reader; the same shapes come in a concentrator's message."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from quintet.protocols.faults import NUMBER
from quintet.terms.errors import BadInput

from .arrow_stream import arrow_rows
from .cells import KINDS, UNREADABLE, Shape, clean, json_cells, object_cell
from .columnar import (
    JSON_COLUMNS,
    MSGPACK_COLUMNS,
    cell_originals,
    is_array,
    json_columns,
    json_written,
    msgpack_written,
    refuse,
    too_many,
)
from .json_rows import block_rows, quick_rows, raw_rows, read_rows
from .msgpack_rows import is_map, length_of, raw_msgpack_rows, read_msgpack_rows
from .payload import LOOKS, Limits, Payload, shipped_limits
from .quick_json import quick_columns, quick_meters
from .rows import SHARED, Originals, Rows, settle
from .unpack import unpack

JSON, LINES = "application/json", "application/x-ndjson"
MSGPACK, ARROW = "application/msgpack", "application/vnd.apache.arrow.stream"
MEDIA_TYPES = (JSON, LINES, MSGPACK, ARROW)
BYTE = re.compile(r"\(byte (\d+)\)")
LINE = re.compile(rb"\S[^\n]*")
MARK = b"\xef\xbb\xbf"
NOTHING = msgspec.Raw()
WAYS = ("readings", "columns", "meters")
"""The ways to write readings in an outer object: rows, columns, or a list of values a meter beside what is SHARED."""
BESIDE = "body."
"""Begins the names of fields of the outer object that nobody reads, among the shapes."""
MANY = "(many)"


def _body(name: str, *, strict: bool) -> type[msgspec.Struct]:
    fields = [(one, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for one in (*WAYS, *SHARED)]
    return msgspec.defstruct(name, fields, forbid_unknown_fields=strict, gc=False)


Strict, Loose = _body("Strict", strict=True), _body("Loose", strict=False)
_JSON = (msgspec.json.Decoder(Strict), msgspec.json.Decoder(Loose), msgspec.json.Decoder(dict[str, msgspec.Raw]))
_MSGPACK = (
    msgspec.msgpack.Decoder(Strict),
    msgspec.msgpack.Decoder(Loose),
    msgspec.msgpack.Decoder(dict[str, msgspec.Raw]),
)
Found = tuple[set[Shape], Originals]
"""What a reader gives beside the rows: the shapes, and the way to the original texts."""
Reader = Callable[[bytes, Rows, Limits, str | None], Found]


def decode_body(
    body: bytes,
    media_type: str,
    encoding: str = "identity",
    limits: Limits | None = None,
    *,
    source: str = "http",
    site: str | None = None,
) -> Payload:
    """Decode an HTTP body to readings; `source` stands in the quarantined rows, `site` is the only one it may name.

    Raises BadInput where the body as a whole cannot be taken: `unknown_media_type`, `unknown_encoding`, `too_large`,
    `damaged_body`, `bad_body` and what else stands in docs/payloads.md, with the byte or line where known.
    """
    bounds = limits or shipped_limits()
    kind = media_type.partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise BadInput(
            f"is {kind[:80]!r}, which is not read.",
            code="unknown_media_type",
            place="body",
            remedy=f"Use one of {', '.join(MEDIA_TYPES)}.",
        )
    plain = unpack(body, encoding, bounds.unpacked_bytes)
    if kind == ARROW:
        return arrow_rows(plain, bounds, source)
    rows = Rows()
    shapes, originals = READERS[kind](plain, rows, bounds, site)
    return settle(rows, frozenset(shapes), source, originals)


def read_json(body: bytes, rows: Rows, limits: Limits, site: str | None = None) -> Found:
    """Read JSON: a list of rows, {"readings": [...]}, {"columns": {...}} or {"meters": {...}} with its times."""
    text = body.removeprefix(MARK)
    if text.lstrip()[:1] == b"[":
        return _json_rows(text, rows, limits, site)
    try:
        way, outer, beside = opened(text, _JSON, lambda raw: KINDS.get(bytes(memoryview(raw)[:1]), "number"))
        raw = outer.get(way, NOTHING)
        if way == "readings":
            return with_shapes(_json_rows(bytes(raw), rows, limits, site), beside)
        if way == "columns":
            return with_shapes(_json_columns(bytes(raw), rows, limits, site), beside)
        if way == "meters":
            return with_shapes(_json_meters(text, raw, shared_of(outer), rows, limits, site), beside)
    except UNREADABLE as error:
        raise bad_body(error, "JSON", len(text)) from error
    return refuse('is an object without "readings", "columns" or "meters".', "bad_body")


def read_msgpack(body: bytes, rows: Rows, limits: Limits, site: str | None = None) -> Found:
    """Read MessagePack of the same shapes as JSON."""
    if is_array(body):
        return _msgpack_rows(body, rows, limits, site)
    if not is_map(body) or length_of(body) > limits.row_bytes:
        refuse("is no MessagePack array or map.", "bad_body")
    try:
        way, outer, beside = opened(body, _MSGPACK, kind_of)
        raw = outer.get(way, NOTHING)
        if way == "readings":
            return with_shapes(_msgpack_rows(bytes(raw), rows, limits, site), beside)
        if way == "columns":
            columns = _msgpack_fields(raw, limits)
            shapes = MSGPACK_COLUMNS.read(columns, rows, limits, site)
            return shapes | beside, lambda wanted: cell_originals(columns, wanted, msgpack_written)
        if way == "meters":
            meters, shared = _msgpack_fields(raw, limits), shared_of(outer)
            _bounded(shared, limits)
            shapes = MSGPACK_COLUMNS.read_meters(shared, meters, rows, limits, site)
            return shapes | beside, lambda wanted: _meter_originals(shared, meters, wanted, msgpack_written)
    except UNREADABLE as error:
        raise bad_body(error, "MessagePack", len(body)) from error
    return refuse('is a map without "readings", "columns" or "meters".', "bad_body")


Outer = dict[str, msgspec.Raw]


def opened(body: bytes, decoders: Any, kind: Callable[[Any], str]) -> tuple[str, Outer, set[Shape]]:
    """Open an outer object: the way in which it says readings ("": none), its known fields, and those nobody reads.

    `decoders` are a format's for a Strict, a Loose and any object, `kind` names what a raw field holds.
    """
    strict, loose, every = decoders
    beside: set[Shape] = set()
    try:
        found, known = strict.decode(body), True
    except msgspec.ValidationError:
        found, known = loose.decode(body), False
    outer: Outer = {name: raw for name in (*WAYS, *SHARED) if (raw := getattr(found, name)) is not msgspec.UNSET}
    way = next((one for one in WAYS if one in outer), "")
    read = {way, *SHARED} if way == "meters" else {way}
    beside |= {(BESIDE + name, kind(raw)) for name, raw in outer.items() if name not in read}
    if not known and len(body) - sum(memoryview(raw).nbytes for raw in outer.values()) > LOOKS.beside_bytes:
        beside.add((BESIDE + MANY, "bytes"))
    elif not known:
        more = ((name, raw) for name, raw in every.decode(body).items() if name not in outer)
        beside |= {(BESIDE + clean(name), kind(raw)) for name, raw in islice(more, LOOKS.fields - len(beside))}
    return way, outer, beside


def kind_of(raw: Any) -> str:
    """Name what a raw field of MessagePack holds."""
    head = bytes(memoryview(raw)[:1])
    return "array" if is_array(head) else "object" if is_map(head) else object_cell(msgspec.msgpack.decode(raw))[0]


def with_shapes(found: Found, more: set[Shape]) -> Found:
    """Add shapes to what a reader gave."""
    return found[0] | more, found[1]


def shared_of(outer: Outer) -> Outer:
    """Give what holds for all meters of a body."""
    return {name: outer[name] for name in SHARED if name in outer}


def read_lines(body: bytes, rows: Rows, limits: Limits, site: str | None = None) -> Found:
    """Read JSON lines: one row a line; blank lines are none. A line that is no row is marked, its neighbours stay."""
    text = body.removeprefix(MARK)
    if text.count(b"\n") >= limits.rows and any(islice(LINE.finditer(text), limits.rows, None)):
        too_many(limits)
    lines = LINE.findall(text)
    shapes = quick_rows(text, rows, site, lines=True, most=len(lines))
    if shapes is None:
        shapes = block_rows(lines, rows, limits, site)
        if lines and NUMBER["not_a_row"] in rows.mark and not any(json_cells(line) is not None for line in lines):
            refuse("has no line that is a JSON object.", "bad_body")
    return shapes, lambda wanted: [lines[row].strip().decode("utf-8", "replace") for row in wanted]


def bad_body(error: BaseException, what: str, size: int) -> BadInput:
    """Say where a body stops being what it should."""
    said = str(error).partition("\n")[0][:200]
    found = BYTE.search(said)
    where = found[1] if found else str(size) if "truncated" in said else ""
    return BadInput(
        f"is no {what} of the shapes that are read: {said}",
        code="bad_body",
        place=f"body byte {where}" if where else "body",
        remedy="Mend it and send it again; nothing of it was taken. docs/payloads.md shows the shapes.",
    )


READERS: dict[str, Reader] = {JSON: read_json, LINES: read_lines, MSGPACK: read_msgpack}


def _json_rows(raw: bytes, rows: Rows, limits: Limits, site: str | None) -> Found:
    fresh = len(rows)
    shapes = read_rows(raw, rows, limits, site)
    if shapes is None:
        try:
            msgspec.json.decode(raw, type=msgspec.Raw)
        except UNREADABLE as error:
            raise bad_body(error, "JSON", len(raw)) from error
        if raw.lstrip()[:1] != b"[":
            refuse("readings is no list of rows.", "bad_body")
        too_many(limits)
    if len(rows) - fresh > limits.rows:
        too_many(limits)
    return shapes, lambda wanted: raw_rows(raw, wanted)


def _json_columns(raw: bytes, rows: Rows, limits: Limits, site: str | None) -> Found:
    shapes = quick_columns(raw, rows, limits, site)
    if shapes is None:
        shapes = JSON_COLUMNS.read(_json_fields(raw, limits), rows, limits, site)
    return shapes, lambda wanted: cell_originals(json_columns(raw, limits), wanted, json_written)


def _json_meters(
    text: bytes, meters: Any, shared: dict[str, msgspec.Raw], rows: Rows, limits: Limits, site: str | None
) -> Found:
    shapes = quick_meters(text, rows, limits, site)
    raw = bytes(meters)
    if shapes is None:
        shapes = JSON_COLUMNS.read_meters(shared, _json_fields(raw, limits), rows, limits, site)
    return shapes, lambda wanted: _meter_originals(shared, json_columns(raw, limits), wanted, json_written)


def _msgpack_rows(raw: bytes, rows: Rows, limits: Limits, site: str | None) -> Found:
    shapes = read_msgpack_rows(raw, rows, limits, site) if is_array(raw) else None
    if shapes is None:
        refuse("readings is no whole MessagePack array of rows.", "bad_body")
    return shapes, lambda wanted: raw_msgpack_rows(raw, wanted)


def _json_fields(raw: bytes, limits: Limits) -> dict[str, msgspec.Raw]:
    if raw.count(b'":') > limits.rows:
        too_many(limits)
    return json_columns(raw, limits)


def _msgpack_fields(raw: Any, limits: Limits) -> dict[str, msgspec.Raw]:
    if length_of(raw) > limits.rows:
        too_many(limits)
    fields = msgspec.msgpack.decode(raw, type=dict[str, msgspec.Raw])
    _bounded(fields, limits)
    return fields


def _bounded(fields: dict[str, msgspec.Raw], limits: Limits) -> None:
    if any(length_of(field) > limits.rows for field in fields.values()):
        too_many(limits)


def _meter_originals(
    shared: dict[str, msgspec.Raw], meters: dict[str, msgspec.Raw], wanted: list[int], written: Callable[[Any], Any]
) -> list[str]:
    """Write some rows of a list of values a meter, each with its meter."""
    texts: list[str] = []
    starts: list[tuple[int, str]] = []
    first = 0
    for meter, raw in meters.items():
        starts.append((first, meter))
        first += len(written(raw)) if isinstance(written(raw), list) else 1
    for position in wanted:
        start, meter = next(found for found in reversed(starts) if found[0] <= position)
        name = msgspec.json.encode(clean(meter)).decode()
        row = cell_originals({**shared, "value": meters[meter]}, [position - start], written)[0]
        texts.append(f'{{"meter":{name},{row[1:]}')
    return texts
