"""The address for edits: what a person orders comes in as JSON, and is answered when it is durable.

What an order means, and who may give one, is asked of what stands behind the door.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import BadInput, NotFound, UsageError

from .http_answers import PROBLEM, REF, operation
from .http_body import Room
from .http_door import beside, form_of
from .http_limits import HttpLimits, http_limits
from .http_meters import JSON

EDITS, UNDO = "/api/v1/edits", "/api/v1/edits/{id}/undo"
RIGHT = "edits"
"""What a token must allow."""
WORKERS = 2
"""Orders worked out at once; their commits follow one another anyway."""
MOST_LISTED = 1_000
Body = TypeVar("Body")


class GivenValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value of the interval that begins at `start`."""

    start: str
    value: Decimal


class EditOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person orders: an action on the intervals of some channels between two moments.

    `channel` is a name or a pattern (`tower-3/*`), `place` means all channels there and below; `quality` and `rule`
    choose among their intervals. A replacement takes one `value` or a list of `values`, in the unit that is shown.
    With `dry_run` nothing is changed.
    """

    action: Literal["accept", "reject", "replace", "estimate"]
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    by: str
    reason: str
    channel: str | None = None
    place: str | None = None
    quality: str | None = None
    rule: str | None = None
    value: Decimal | None = None
    values: list[GivenValue] | None = None
    keep_total: bool = False
    dry_run: bool = False


class UndoOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes an edit back, and why."""

    by: str
    reason: str
    dry_run: bool = False


class DayChanged(msgspec.Struct, frozen=True):
    """How the sum of a channel's local day changes: amount, measured and estimated intervals."""

    channel: str
    day: str
    change: Decimal
    arrived: int
    estimated: int
    unit: str


class IntervalChanged(msgspec.Struct, frozen=True):
    """One interval before and after an edit; null where nothing stands."""

    channel: str
    start: str
    before: Decimal | None
    before_quality: str | None
    after: Decimal | None
    after_quality: str | None
    unit: str


class EditDone(msgspec.Struct, frozen=True):
    """What an edit did, or with `dry_run` would do; `rows` holds the first intervals, `intervals` counts all."""

    id: int | None
    batch: int | None
    action: str
    dry_run: bool
    intervals: int
    days: list[DayChanged]
    rows: list[IntervalChanged]


class ListedEdit(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One edit: who ordered what, when and why, and which edit undid it."""

    id: int
    batch: int
    at: str
    action: str
    by: str
    reason: str
    channels: list[str]
    start: str | None
    end: str | None
    intervals: int
    undoes: int | None
    undone_by: int | None
    asked: dict[str, Any]


class EditsListed(msgspec.Struct, frozen=True):
    """Edits, newest first; `next` is what `before` takes for the following page."""

    edits: list[ListedEdit]
    next: int | None


@dataclass(frozen=True, slots=True)
class BehindEdits:
    """What stands behind: `admit` gives the source that an Authorization header proves for a right, or raises.

    `make`, `undo` (the edit's number first) and `listed` (limit, before, channel, known_at) give JSON documents of
    EditDone and EditsListed; the last text of the first two is the token's source.
    """

    admit: Callable[[str, str], str]
    make: Callable[[EditOrder, str], bytes]
    undo: Callable[[int, UndoOrder, str], bytes]
    listed: Callable[[int, int | None, str | None, str | None], bytes]


class EditsDoor:
    """A part of the site: edits are made, undone and listed here."""

    def __init__(self, behind: BehindEdits, limits: HttpLimits | None = None) -> None:
        """Stand before what makes edits."""
        self._behind = behind
        self._room = Room(limits or http_limits())
        self._working: ThreadPoolExecutor | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return (
            Route(EDITS, self._make, methods=["POST"]),
            Route(EDITS, self._list, methods=["GET"]),
            Route(UNDO, self._undo, methods=["POST"]),
        )

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        make, undo = (
            operation(name, text, answer=EditDone, bodies={JSON: {"schema": {"$ref": REF.format(name=body.__name__)}}})
            for name, text, body in (
                ("post_edits", "Edit values; answered when the edit is durable.", EditOrder),
                ("post_edit_undo", "Take an edit back; answered when that is durable.", UndoOrder),
            )
        )
        listed = operation("get_edits", "List the edits, newest first.", answer=EditsListed, bodies={})
        del listed["requestBody"]
        listed["parameters"] = [published(*one) for one in QUERY]
        number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
        undo["parameters"] = [
            {"name": "id", "in": "path", "required": True, "description": "The edit.", "schema": number}
        ]
        for one in (make, undo, listed):
            one["responses"]["404"] = {"description": "Not Found", **PROBLEM}
        return {EDITS: {"post": make, "get": listed}, UNDO: {"post": undo}}

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        types = [EditOrder, UndoOrder, EditDone, EditsListed]
        _, found = msgspec.json.schema_components(types, ref_template=REF)
        return {name: numbers(schema) for name, schema in found.items()}

    def running(self) -> AbstractAsyncContextManager[None]:
        """Work while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self._working = ThreadPoolExecutor(WORKERS, "edit")
        try:
            yield
        finally:
            pool, self._working = self._working, None
            pool.shutdown(wait=False, cancel_futures=True)

    async def _make(self, request: Request) -> Response:
        source = let_in(self._behind.admit, request)
        form_of(request, (JSON,), ("identity",))
        with self._room.place(source) as place:
            order = decoded(await place.read(request), EditOrder)
            return answered(await beside(self._working, partial(self._behind.make, order, source)))

    async def _undo(self, request: Request) -> Response:
        source = let_in(self._behind.admit, request)
        form_of(request, (JSON,), ("identity",))
        text = request.path_params["id"]
        if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) < 2**31):
            raise NotFound(f"there is no edit {text}.", code="no_such_edit", remedy=f"See GET {EDITS}.")
        with self._room.place(source) as place:
            order = decoded(await place.read(request), UndoOrder)
            return answered(await beside(self._working, partial(self._behind.undo, int(text), order, source)))

    async def _list(self, request: Request) -> Response:
        let_in(self._behind.admit, request, frozenset(name for name, *_ in QUERY))
        asked = request.query_params
        limit = _whole(asked.get("limit", "100"), "limit", MOST_LISTED)
        before = None if "before" not in asked else _whole(asked["before"], "before", 2**31 - 1)
        work = partial(self._behind.listed, limit, before, asked.get("channel"), asked.get("known_at"))
        return answered(await beside(self._working, work))


QUERY = (
    ("limit", "At most so many.", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": 100}),
    ("before", "Only edits of a lower number.", {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}),
    ("channel", "Only edits of this channel.", {"type": "string"}),
    ("known_at", "As was known at this moment.", {"type": "string"}),
)
"""The parameters of the list: name, description, schema."""


def let_in(admit: Callable[[str, str], str], request: Request, known: frozenset[str] = frozenset()) -> str:
    """Give the source that a request's token proves; raises for one that may not, and for unknown or repeated words."""
    source = admit(request.headers.get("authorization", ""), RIGHT)
    strange = sorted(set(request.query_params) - known)
    if strange:
        raise UsageError(
            f"there is no parameter {strange[0]} here.",
            code="unknown_parameter",
            remedy=f"Known: {', '.join(sorted(known)) or 'none; everything stands in the body'}.",
        )
    twice = sorted(name for name in set(request.query_params) if len(request.query_params.getlist(name)) > 1)
    if twice:
        raise UsageError(f"{twice[0]} is given twice.", code="bad_parameter", place=twice[0], remedy="Give it once.")
    return source


def published(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter of a query."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _whole(text: str, name: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= most):
        raise UsageError(
            f"{text!r} is out of range.", code=f"bad_{name}", place=name, remedy=f"Give a number from 1 to {most}."
        )
    return int(text)


def decoded(body: bytes, kind: type[Body]) -> Body:
    """Read a body; raises BadInput that says where it is not what it should be."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        code = "bad_order" if isinstance(error, msgspec.ValidationError) else "bad_json"
        raise BadInput(f"cannot be read: {error}.", code=code, place="the body", remedy="Mend it.") from error


def answered(document: bytes) -> Response:
    """Give a document as the answer."""
    return Response(document, media_type=JSON, headers={"Cache-Control": "no-store"})


def numbers(schema: Any) -> Any:
    """Say decimals as what they are written as: numbers with every digit."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**{key: value for key, value in schema.items() if key != "format"}, "type": "number"}
        return {key: numbers(value) for key, value in schema.items()}
    return [numbers(value) for value in schema] if isinstance(schema, list) else schema
