"""The HTTP door: readings and lists of meters are sent to it, and answered when they are durable.

A request is let in by its token, its body read in bounded pieces, decoded beside the event loop, handed to the
committer and answered once its commit is durable. What there is no room for is turned away with the time to come again.
"""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.pipeline.delivery import Delivery, Outcome
from quintet.protocols.payloads.payload import Limits
from quintet.terms.errors import CityError, QuintetError, UnknownForm, UsageError

from .http_answers import MetersTaken, ReadingsTaken, Rejected, operation, rejected, schemas
from .http_body import Room
from .http_clock import CLOCK_HEADER, sent_of, with_clock
from .http_limits import HttpLimits, http_limits
from .http_meters import FORMS, JSON, LINES, decode_meters
from .http_readings import ENCODINGS, MEDIA_TYPES, delivery_of, described_bodies, ignored_fields

READINGS, METERS = "/api/v1/readings:batch", "/api/v1/meters:batch"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body gives the same answer and stores nothing again; 1 to 255 visible "
    "ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
ENCODING_HEADER = {
    "name": "Content-Encoding",
    "in": "header",
    "required": False,
    "description": "How the body is packed.",
    "schema": {"type": "string", "enum": list(ENCODINGS)},
}
Result = TypeVar("Result")
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a list of meters: new channels, statements made, and rows that could not be taken (QUARANTINE)."""

    registered: int
    changed: int
    problems: pa.Table


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door.

    `admit` gives the source that an Authorization header proves for a right, or raises; `submit` takes a delivery and
    promises its outcome, or raises; `register` takes a list of meters (table, source) and returns when it is durable.
    """

    admit: Callable[[str, str], str]
    submit: Callable[[Delivery], "Future[Outcome]"]
    register: Callable[[pa.Table, str], Registered]


class HttpDoor:
    """A part of the site: the two addresses that are sent to."""

    def __init__(self, behind: Behind, limits: HttpLimits | None = None, bounds: Limits | None = None) -> None:
        """Stand before the committer and the registry; `bounds` are those of one body's decoding."""
        self._behind = behind
        self._bounds = bounds
        self.limits = limits or http_limits()
        self.room = Room(self.limits)
        self._lists = Room(replace(self.limits, bodies=self.limits.lists, source_bodies=self.limits.lists))
        self._decoding: ThreadPoolExecutor | None = None
        self._registering: ThreadPoolExecutor | None = None
        """Apart, as their room is: a list of meters waits for its turn with other commands, readings must not."""
        self.answered: Counter[tuple[str, str]] = Counter()
        """How many requests were answered, by address and "ok", the code of the refusal, "internal" or "gone"."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return (
            Route(READINGS, self._counted(READINGS, self._readings), methods=["POST"]),
            Route(METERS, self._counted(METERS, self._meters), methods=["POST"]),
        )

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        readings = operation(
            "post_readings_batch",
            "Take readings; answered when they are durable.",
            answer=ReadingsTaken,
            bodies=described_bodies(),
            headers=(KEY_HEADER, CLOCK_HEADER, ENCODING_HEADER),
        )
        listed = {"type": "array", "items": {"type": "object"}, "minItems": 1}
        meters = operation(
            "post_meters_batch",
            "Take a list of meters, in the columns of the dataset layout.",
            answer=MetersTaken,
            bodies={
                JSON: {"schema": {"anyOf": [listed, {"type": "object", "properties": {"meters": listed}}]}},
                LINES: {"schema": {"type": "string", "description": "One JSON object a line."}},
            },
        )
        return {READINGS: {"post": readings}, METERS: {"post": meters}}

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        return schemas()

    def running(self) -> AbstractAsyncContextManager[None]:
        """Decode while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        pools = (ThreadPoolExecutor(self.limits.decoders, "decode"), ThreadPoolExecutor(self.limits.lists, "register"))
        self._decoding, self._registering = pools
        try:
            yield
        finally:
            self._decoding = self._registering = None
            for pool in pools:
                pool.shutdown(wait=False, cancel_futures=True)

    async def _readings(self, request: Request) -> Response:
        source = self._let_in(request, "readings")
        key, sent_us = key_of(request), sent_of(request)
        media, encoding = form_of(request, MEDIA_TYPES, ENCODINGS)
        with self.room.place(source) as place:
            body = await place.read(request)
            deliver = partial(self._deliver, body, media, encoding, source, key, sent_us)
            future, ignored = await beside(self._decoding, deliver)
            del body
        outcome = await asyncio.wrap_future(future)
        return answered(
            ReadingsTaken(
                outcome.batch,
                outcome.receipt.accepted,
                outcome.receipt.duplicate,
                outcome.receipt.quarantined,
                rejected(outcome.problems, self.limits.listed),
                max(outcome.problems.num_rows, outcome.receipt.quarantined),  # a record keeps the first rows alone
                outcome.repeated,
                ignored,
            )
        )

    def _deliver(
        self, body: bytes, media: str, encoding: str, source: str, key: str, sent_us: int | None
    ) -> tuple["Future[Outcome]", list[str]]:
        digest = hashlib.sha256(body).hexdigest() if key else ""
        delivery = delivery_of(body, media, encoding, self._bounds, source=source, key=key, digest=digest)
        delivery = replace(delivery, readings=with_clock(delivery.readings, sent_us))
        return self._behind.submit(delivery), ignored_fields(delivery)

    async def _meters(self, request: Request) -> Response:
        source = self._let_in(request, "meters")
        media, _ = form_of(request, FORMS, ("identity",))
        with self._lists.place(source) as place:
            body = await place.read(request)
            return answered(await beside(self._registering, partial(self._register, body, media, source)))

    def _register(self, body: bytes, media: str, source: str) -> MetersTaken:
        listed = decode_meters(body, media, self.limits.meters)
        done = self._behind.register(listed.table, source)
        most = self.limits.listed
        named = [
            Rejected(None if one.index is None else listed.index[one.index], one.code, one.reason)
            for one in rejected(done.problems, most)
        ]
        every = sorted([*listed.rejected, *named], key=lambda one: -1 if one.index is None else one.index)
        return MetersTaken(done.registered, done.changed, every[:most], len(listed.rejected) + done.problems.num_rows)

    def _let_in(self, request: Request, right: str) -> str:
        source = self._behind.admit(request.headers.get("authorization", ""), right)
        if request.query_params:
            raise UsageError(
                f"there is no parameter {next(iter(request.query_params))} here.",
                code="unknown_parameter",
                remedy="It takes none; everything stands in the body.",
            )
        return source

    def _counted(self, address: str, answer: Endpoint) -> Endpoint:
        """Count answers; a sender that leaves in the middle is no error."""

        async def endpoint(request: Request) -> Response:
            what = "internal"
            try:
                given = await answer(request)
                what = "ok"
                return given
            except ClientDisconnect:
                what = "gone"
                return Response(status_code=400)  # nobody reads it
            except QuintetError as error:
                what = error.code
                raise
            finally:
                self.answered[address, what] += 1

        return endpoint


async def beside(pool: ThreadPoolExecutor | None, work: Callable[[], Result]) -> Result:
    """Do work beside the event loop; raises CityError when the door is closed."""
    if pool is None:
        raise CityError("the door is closed.", code="stopping", remedy="Send the same again when it is back.")
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def answered(content: msgspec.Struct) -> Response:
    """Write an answer."""
    return Response(msgspec.json.encode(content), media_type=JSON, headers={"Cache-Control": "no-store"})


def key_of(request: Request) -> str:
    """Give the Idempotency-Key, "" for none; raises UsageError for one that is no key."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return ""
    if len(keys) > 1 or not KEY.fullmatch(keys[0]):
        raise UsageError(
            "Idempotency-Key is no key.",
            code="bad_key",
            place="Idempotency-Key",
            remedy="Send it once, with 1 to 255 visible ASCII characters and no space.",
        )
    return keys[0]


def form_of(request: Request, media_types: Sequence[str], encodings: Sequence[str]) -> tuple[str, str]:
    """Give the media type and the packing of a body; raises UnknownForm with the known ones."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower() or "identity"
    for said, known, header in ((media, media_types, "Content-Type"), (encoding, encodings, "Content-Encoding")):
        if said not in known:
            raise UnknownForm(
                f"{said!r} is not read here.",
                code="unknown_form",
                place=header,
                remedy=f"Known: {', '.join(known)}.",
            )
    return media, encoding
