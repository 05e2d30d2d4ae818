"""The routes of /api/v1: one table row each, answered by `views`, written exactly, with an ETag."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from quintet.terms.errors import NotFound
from quintet.views import Questions
from quintet.views.answers import (
    Answer,
    Balances,
    BalanceTree,
    Certainty,
    CityDay,
    DwellingDay,
    ExceptionDetail,
    Exceptions,
    Findings,
    Intervals,
    Meters,
    Places,
)
from quintet.views.answers_bills import Allocation, BillExplained, DwellingBills, Incentives
from quintet.views.answers_books import ConversionRows, FacilityRows, LossRows
from quintet.views.answers_decisions import BoundDefinitions, FactorSetList, PublishedFigures, StatedMeasures
from quintet.views.answers_home import HomeBill, HomeCompare, HomeHistory, HomeLess, HomeNow
from quintet.views.answers_ledger import Compared, Explanation, GpcTable, Inventory, SelfSufficiencies
from quintet.views.answers_targets import ChangeApart, Trajectory, WeatherChange
from quintet.views.identity import Reader

from . import parameters as asked
from .parameters import Parameter

JSON = "application/json"
HEADERS = {"Cache-Control": "private, no-cache"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Given = dict[str, Any]
AtHand = Callable[[Request], Awaitable[Response]]

EMISSIONS = (
    asked.FROM, asked.TO, asked.RESOLUTION, asked.BALANCED_PLACE, asked.FACTOR_SET, asked.GWP, asked.COUNT_AT,
    asked.KNOWN_AT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """One address: what it takes, what it gives, and the question behind it. `apart` is left out of the ETag."""

    path: str
    summary: str
    answer: type[Answer]
    parameters: tuple[Parameter, ...]
    ask: Callable[[Questions, Given], Answer]
    statuses: tuple[int, ...] = (400, 403, 404)
    apart: str | None = "known_at"


ROUTES = (
    Route(
        "/places",
        "Places, in order of id.",
        Places,
        (asked.LEVEL, asked.PARENT, asked.KNOWN_AT, asked.CURSOR, asked.LIMIT),
        lambda questions, given: questions.places(**_said(given)),
        apart=None,
    ),
    Route(
        "/meters",
        "Channels of meters, in order of name.",
        Meters,
        (asked.PLACE_OF_METERS, asked.COMMODITY, asked.KNOWN_AT, asked.CURSOR, asked.LIMIT),
        lambda questions, given: questions.meters(**_said(given)),
        statuses=(400, 403, 404, 422),
        apart=None,
    ),
    Route(
        "/intervals",
        "One channel's series.",
        Intervals,
        (asked.CHANNEL, asked.FROM, asked.TO, asked.RESOLUTION, asked.KNOWN_AT, asked.MAX_POINTS),
        lambda questions, given: questions.intervals(**_ranged(given)),
    ),
    Route(
        "/balances",
        "Supply against use of a place, a row a period and carrier.",
        Balances,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.BALANCED_PLACE, asked.UNCERTAINTY, asked.KNOWN_AT),
        lambda questions, given: questions.balances(**_ranged(given)),
    ),
    Route(
        "/balance-trees",
        "Supply against use of a place and every place below it, or of those of one level; whole, or page by page.",
        BalanceTree,
        (
            asked.FROM,
            asked.TO,
            asked.RESOLUTION,
            asked.PLACE_OF_BOOKS,
            asked.LEVEL,
            asked.KNOWN_AT,
            asked.CURSOR,
            asked.TREE_LIMIT,
        ),
        lambda questions, given: questions.books.tree(**_ranged(given)),
    ),
    Route(
        "/losses",
        "What networks lost: each head less the sum of what hangs below; for water, unaccounted-for water.",
        LossRows,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.PLACE_OF_NETWORKS, asked.NETWORK, asked.KNOWN_AT),
        lambda questions, given: questions.books.losses(**_ranged(given)),
    ),
    Route(
        "/conversions",
        "What plants took in and gave out, as double entries with efficiency and loss.",
        ConversionRows,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.PLACE_OF_BOOKS, asked.KNOWN_AT),
        lambda questions, given: questions.books.conversions(**_ranged(given)),
    ),
    Route(
        "/facilities",
        "Facilities with a service: hours, energy, and kWh per comfortable, clean hour.",
        FacilityRows,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.PLACE_OF_BOOKS, asked.KNOWN_AT),
        lambda questions, given: questions.books.facilities(**_ranged(given)),
    ),
    Route(
        "/self-sufficiency",
        "Self-sufficiency of a place by every definition; the one the city is bound to is named.",
        SelfSufficiencies,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.BALANCED_PLACE, asked.UNCERTAINTY, asked.KNOWN_AT),
        lambda questions, given: questions.ledger.self_sufficiency(**_ranged(given)),
    ),
    Route(
        "/self-sufficiency/explain",
        "Why the definitions differ: one changed assumption a step, in figures that add up.",
        Explanation,
        (asked.FROM, asked.TO, asked.RESOLUTION, asked.BALANCED_PLACE, asked.KNOWN_AT),
        lambda questions, given: questions.ledger.explain(**_ranged(given)),
    ),
    Route(
        "/emissions",
        "Greenhouse gases of a place by source and period, each with its factor; scope 2 both ways.",
        Inventory,
        (*EMISSIONS, asked.UNCERTAINTY),
        lambda questions, given: questions.ledger.emissions(**_ranged(given)),
    ),
    Route(
        "/emissions/gpc",
        "Greenhouse gases of a place as the table of the GPC.",
        GpcTable,
        EMISSIONS,
        lambda questions, given: questions.ledger.gpc(**_ranged(given)),
    ),
    Route(
        "/emissions/compare/{name}",
        "A published figure beside the same one now, with the difference by cause.",
        Compared,
        (asked.PUBLICATION, asked.FACTOR_SET),
        lambda questions, given: questions.ledger.compare(**_said(given)),
    ),
    Route(
        "/emissions/publications",
        "What was published, the earliest first.",
        PublishedFigures,
        (),
        lambda questions, _given: questions.ledger.publications(),
        statuses=(400, 403),
        apart=None,
    ),
    Route(
        "/factor-sets",
        "The factor sets, the one in force first.",
        FactorSetList,
        (),
        lambda questions, _given: questions.ledger.factor_sets(),
        statuses=(400, 403),
        apart=None,
    ),
    Route(
        "/self-sufficiency/bound",
        "The definitions to which the city is or was bound.",
        BoundDefinitions,
        (),
        lambda questions, _given: questions.ledger.bound(),
        statuses=(400, 403),
        apart=None,
    ),
    Route(
        "/measures",
        "The measures that are stated.",
        StatedMeasures,
        (),
        lambda questions, _given: questions.ledger.measures(),
        statuses=(400, 403),
        apart=None,
    ),
    Route(
        "/targets",
        "A year's targets of a place: so far, left, pace and pace needed; nothing is forecast.",
        Trajectory,
        (asked.YEAR, asked.BALANCED_PLACE, asked.KNOWN_AT),
        lambda questions, given: questions.ledger.targets(**_said(given)),
    ),
    Route(
        "/targets/weather",
        "Use in two periods, and its change with the weather of the earlier one, by degree days.",
        WeatherChange,
        (asked.FROM, asked.TO, asked.BASE_FROM, asked.BASE_TO, asked.BALANCED_PLACE, asked.KNOWN_AT),
        lambda questions, given: questions.ledger.targets_weather(**_ranged(given)),
    ),
    Route(
        "/targets/change",
        "A change between two periods in parts that add up: weather, activity, supply, measures, revisions, gaps.",
        ChangeApart,
        (
            asked.FROM,
            asked.TO,
            asked.BASE_FROM,
            asked.BASE_TO,
            asked.BALANCED_PLACE,
            asked.METRIC,
            asked.OF,
            asked.ACTIVITY,
            asked.THEN,
            asked.KNOWN_AT,
        ),
        lambda questions, given: questions.ledger.targets_change(**_ranged(given)),
    ),
    Route(
        "/uncertainty",
        "How certain a place's totals are: each metered flow over whole days with its interval.",
        Certainty,
        (asked.FROM, asked.TO, asked.BALANCED_PLACE, asked.CERTAINTY_LEVEL, asked.KNOWN_AT),
        lambda questions, given: questions.certainty(**_ranged(given)),
    ),
    Route(
        "/city-days",
        "A city's day by the hour: every carrier's supply against use, and self-sufficiency.",
        CityDay,
        (asked.DAY, asked.KNOWN_AT),
        lambda questions, given: questions.city_today(**_said(given)),
    ),
    Route(
        "/dwelling-days",
        "A dwelling's meters over a day, each by its own interval.",
        DwellingDay,
        (asked.DWELLING, asked.DAY, asked.KNOWN_AT),
        lambda questions, given: questions.dwelling(**_said(given)),
    ),
    Route(
        "/bills",
        "A dwelling's bills of a month: as issued, else reckoned, each with what it lacks.",
        DwellingBills,
        (asked.DWELLING, asked.BILL_MONTH, asked.KNOWN_AT),
        lambda questions, given: questions.bills.month(**_said(given)),
    ),
    Route(
        "/bills/incentives",
        "What using less pays a dwelling, with its baselines, and what one percent more would pay.",
        Incentives,
        (asked.DWELLING, asked.BILL_MONTH, asked.KNOWN_AT),
        lambda questions, given: questions.bills.incentives(**_said(given)),
    ),
    Route(
        "/bills/explained",
        "The bills issued of a dwelling's month: evidence, what is known now, adjustments.",
        BillExplained,
        (asked.DWELLING, asked.BILL_MONTH, asked.BILL_COMMODITY, asked.KNOWN_AT),
        lambda questions, given: questions.bills.explain(**_said(given)),
        apart=None,
    ),
    Route(
        "/bills/allocation",
        "A complex' bill of a month shared over its flats, with the method.",
        Allocation,
        (asked.COMPLEX, asked.BILL_MONTH, asked.COMPLEX_COMMODITY, asked.COMMON_WON, asked.KNOWN_AT),
        lambda questions, given: questions.bills.allocate(**_said(given)),
    ),
    Route(
        "/home/now",
        "A home now: today's use of each utility so far, beside the same hours of usual days.",
        HomeNow,
        (asked.DWELLING,),
        lambda questions, given: questions.home.now(**_said(given)),
    ),
    Route(
        "/home/bill",
        "A home's bill of a month: so far while it lasts, where it is heading, and the tier it stands in.",
        HomeBill,
        (asked.DWELLING, asked.MONTH),
        lambda questions, given: questions.home.bill(**_said(given)),
    ),
    Route(
        "/home/less",
        "What a home's bill of this month would be if less were used until its end.",
        HomeLess,
        (asked.DWELLING,),
        lambda questions, given: questions.home.less(**_said(given)),
    ),
    Route(
        "/home/history",
        "A utility of a home over a day, week, month or year, beside the year before and the weather.",
        HomeHistory,
        (asked.DWELLING, asked.UTILITY, asked.LENGTH, asked.AT),
        lambda questions, given: questions.home.history(**_said(given)),
        statuses=(400, 403, 404, 422),
    ),
    Route(
        "/home/compare",
        "A home's last whole month beside homes like it, where enough of them hide each other.",
        HomeCompare,
        (asked.DWELLING,),
        lambda questions, given: questions.home.compare(**_said(given)),
        apart=None,
    ),
    Route(
        "/findings",
        "Why values are doubtful: what rules and runs found of a channel or a place, with their figures.",
        Findings,
        (
            asked.CHANNEL_OF_FINDINGS,
            asked.PLACE_OF_FINDINGS,
            asked.FROM,
            asked.TO,
            asked.RULE,
            asked.KNOWN_AT,
            asked.CURSOR,
            asked.LIMIT,
        ),
        lambda questions, given: questions.findings(**_ranged(given)),
    ),
    Route(
        "/exceptions",
        "What broke, worst first: each item of one cause, with what is at stake and what to do.",
        Exceptions,
        (asked.STATE, asked.KIND, asked.PLACE_OF_EXCEPTIONS, asked.KNOWN_AT, asked.LIMIT),
        lambda questions, given: questions.exceptions(**_said(given)),
    ),
    Route(
        "/exceptions/{number}",
        "One exception with its channels, evidence and history.",
        ExceptionDetail,
        (asked.NUMBER, asked.KNOWN_AT),
        lambda questions, given: questions.exception(**_said(given)),
        apart=None,
    ),
)


def router(at_hand: Mapping[str, AtHand]) -> APIRouter:
    """Give the routes, each answered by the questions of who asks; some by what answers at once where it can."""
    out = APIRouter(prefix="/api/v1")
    for route in ROUTES:
        out.add_api_route(
            route.path,
            at_hand.get(route.path) or _endpoint(route),
            methods=["GET"],
            name=route.path.strip("/"),
            summary=route.summary,
            operation_id=operation_of(route.path),
            response_class=Response,
        )
    return out


def operation_of(path: str) -> str:
    """Name the operation of an address: get_places of /places, get_exceptions_number of /exceptions/{number}."""
    return "get_" + path.strip("/").translate(str.maketrans("-/", "__", "{}"))


def _endpoint(route: Route) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        given = asked.read(request.query_params, route.parameters)
        reader: Reader = request.state.reader
        try:
            found = route.ask(reader.questions, given | asked.in_path(request.path_params, route.parameters))
        except NotFound as error:
            raise reader.veiled(error) from error
        body = _ENCODER.encode(found)
        tag = etag_of(body if route.apart is None else _without(found, route.apart))
        headers = {**HEADERS, "ETag": tag}
        if matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=JSON, headers=headers)

    return answer


def etag_of(content: bytes) -> str:
    """Give a weak tag of an answer's content.

    Weak, for the moment of asking (`known_at`, where none was asked for) is left out: the same content at two moments
    is the same answer.
    """
    return f'W/"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def matches(header: str, tag: str) -> bool:
    """Tell whether If-None-Match names a tag (RFC 9110, weak comparison)."""
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in named or tag.removeprefix("W/") in named


def _without(answer: Answer, name: str) -> bytes:
    fields = (one for one in answer.__struct_fields__ if one != name)
    return _ENCODER.encode([getattr(answer, one) for one in fields])


def _said(given: Given) -> Given:
    """Keep what was given: what was not, the question knows best."""
    return {name: value for name, value in given.items() if value is not None}


def _ranged(given: Given) -> Given:
    """Name `from` and `to` as Python can."""
    return {{"from": "start", "to": "end"}.get(name, name): value for name, value in _said(given).items()}
