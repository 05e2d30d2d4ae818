"""The addresses for what a city decides of its books: targets, definitions, publications, factor sets, open months.

A decision comes in as JSON and is answered when it is durable. What it means, and who may make one, is asked of what
stands behind the door.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .http_answers import PROBLEM, REF, operation
from .http_body import Room
from .http_door import beside, form_of
from .http_edits import answered, decoded, let_in
from .http_limits import HttpLimits, http_limits
from .http_meters import JSON

WORKERS = 1
"""Decisions are few, and take turns anyway."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every decision says: by whom, and why."""

    by: str
    reason: str


class PinOrder(Order, frozen=True):
    """The city is bound to a definition of self-sufficiency, from a local day on (null: always)."""

    definition: str
    since: str | None = None


class PublishOrder(Order, frozen=True):
    """A figure of greenhouse gases is published under a name: it pins its factor set and what is known now."""

    name: str
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    resolution: str = "month"
    place: str = "city"
    factor_set: str = "current"
    gwp: str | None = None
    count_at: Literal["plant", "users"] | None = None


class FactorSetOrder(Order, frozen=True):
    """A named factor set: one that is there (`base`) with further rows, part by part as in `quintet emissions set`."""

    name: str
    base: str = "current"
    rows: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict[str, dict[str, Any]])


class TargetOrder(Order, frozen=True):
    """A target for a year and place, such as 120000 tCO2e, or 35 %."""

    year: int
    metric: Literal["emissions", "self_sufficiency"]
    of: str
    value: str
    place: str = "city"


class TargetWithdrawOrder(Order, frozen=True):
    """A target is withdrawn from now on; it stays known that it was there."""

    year: int
    metric: Literal["emissions", "self_sufficiency"]
    of: str
    place: str = "city"


class MeasureOrder(Order, frozen=True):
    """A measure that saves from a local day on: `saves` in a year, such as 120 MWh."""

    name: str
    commodity: str
    since: str
    saves: str
    what: str
    place: str = "city"


class ReleaseOrder(Order, frozen=True):
    """Whole months are told to everybody as open data: as known now, and never again otherwise."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class Decided(msgspec.Struct, frozen=True):
    """A decision that is durable: the batch that holds it, and the newest record of the audit chain, by its number.

    `changed` is false where the same was decided already.
    """

    action: str
    by: str
    reason: str
    changed: bool
    batch: int
    audit: int


@dataclass(frozen=True, slots=True)
class Address:
    """One address: the operation's name and summary, and the order that it takes."""

    path: str
    operation: str
    summary: str
    order: type[Order]


ADDRESSES = (
    Address("/api/v1/self-sufficiency:pin", "post_self_sufficiency_pin", "Bind the city to one definition.", PinOrder),
    Address("/api/v1/emissions:publish", "post_emissions_publish", "Publish a figure of emissions.", PublishOrder),
    Address("/api/v1/factor-sets:make", "post_factor_sets_make", "Make a named factor set.", FactorSetOrder),
    Address("/api/v1/targets:set", "post_targets_set", "State a target.", TargetOrder),
    Address("/api/v1/targets:withdraw", "post_targets_withdraw", "Withdraw a target.", TargetWithdrawOrder),
    Address("/api/v1/measures:state", "post_measures_state", "State a measure.", MeasureOrder),
    Address("/api/v1/open-data:release", "post_open_data_release", "Tell months to everybody.", ReleaseOrder),
)


@dataclass(frozen=True, slots=True)
class BehindBooks:
    """What stands behind: `admit` gives the source that an Authorization header proves for a right, or raises.

    `decide` keeps an order and gives what became of it; the text is the token's source.
    """

    admit: Callable[[str, str], str]
    decide: Callable[[Order, str], Decided]


class BooksDoor:
    """A part of the site: what the city decides of its books is stated here."""

    def __init__(self, behind: BehindBooks, limits: HttpLimits | None = None) -> None:
        """Stand before what keeps decisions."""
        self._behind = behind
        self._room = Room(limits or http_limits())
        self._working: ThreadPoolExecutor | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return [Route(one.path, partial(self._decide, one.order), methods=["POST"]) for one in ADDRESSES]

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        return {one.path: {"post": _described(one)} for one in ADDRESSES}

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        types = [*(one.order for one in ADDRESSES), Decided]
        return msgspec.json.schema_components(types, ref_template=REF)[1]

    def running(self) -> AbstractAsyncContextManager[None]:
        """Work while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self._working = ThreadPoolExecutor(WORKERS, "books")
        try:
            yield
        finally:
            pool, self._working = self._working, None
            pool.shutdown(wait=False, cancel_futures=True)

    async def _decide(self, order: type[Order], request: Request) -> Response:
        source = let_in(self._behind.admit, request)
        form_of(request, (JSON,), ("identity",))
        with self._room.place(source) as place:
            said = decoded(await place.read(request), order)
            done = await beside(self._working, partial(self._behind.decide, said, source))
            return answered(msgspec.json.encode(done))


def _described(one: Address) -> dict[str, Any]:
    body = {JSON: {"schema": {"$ref": REF.format(name=one.order.__name__)}}}
    summary = f"{one.summary} Answered when it is durable."
    said = operation(one.operation, summary, answer=Decided, bodies=body)
    said["responses"]["404"] = {"description": "Not Found", **PROBLEM}
    return said
