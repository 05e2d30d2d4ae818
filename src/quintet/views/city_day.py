"""A city's day: five carriers, supply against use by the hour, and how much of its power it made itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import Access, FlowsAnswer
from quintet.ledger.netting import Hours
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.terms.commodity import Commodities
from quintet.terms.period import Resolution, Span
from quintet.terms.tables import FLOWS

from .answers import BalanceRow, CarrierDay, CityDay, SelfSufficiency
from .balances import balance_rows, rounded, supply_of, use_of
from .catalogue import Catalogue
from .days import Heard
from .netted import Netted
from .series import share

ROOT = "city"
HOUR = timedelta(hours=1)


def city_day(access: Access, catalogue: Catalogue, heard: Heard | None, now: datetime, tz: ZoneInfo) -> CityDay:
    """Give a city's day as far as it was heard; without any readings an answer that says so."""
    registry = catalogue.registry
    city = registry.city
    frame = (ROOT, city.name_en, city.name_ko, city.tz, city.simulated)
    if heard is None:
        # One hour is asked for only to learn which rules are in force.
        asked = access.flows(ROOT, Span(now - HOUR, now), Resolution.HOUR)
        basis = (asked.rule_set, asked.known_at.astimezone(tz))
        return CityDay(*frame, *basis, None, False, None, None, None, None, False, None, [], [])
    hours = hours_until(access, heard)
    whole = as_one(hours)
    known = registry.commodities
    netted = Netted(whole, Hours(hours.flows, hours.edges))
    carriers = _carriers(balance_rows(netted, known, tz), balance_rows(Netted(hours, None), known, tz), known)
    return CityDay(
        *frame,
        hours.rule_set,
        hours.known_at.astimezone(tz),
        heard.day,
        heard.is_today,
        heard.span.start.astimezone(tz),
        heard.span.end.astimezone(tz),
        heard.until.astimezone(tz),
        None if heard.as_of is None else heard.as_of.astimezone(tz),
        heard.stale,
        coverage_of(whole),
        _definitions(hours, known),
        carriers,
    )


def hours_until(access: Access, heard: Heard) -> FlowsAnswer:
    """Give the city's flows by the hour as far as the day is shown; the last hour may be a piece of one."""
    end = heard.span.start + (heard.until - heard.span.start) // HOUR * HOUR
    whole = heard.hours.flows.filter(pc.field("start") < pa.scalar(end, FLOWS.field("start").type))
    edges = [edge for edge in heard.hours.edges if edge <= end]
    if end == heard.until:
        return replace(heard.hours, flows=whole, edges=edges)
    piece = access.flows(ROOT, Span(end, heard.until), Resolution.HOUR)
    return replace(piece, flows=pa.concat_tables([whole, piece.flows]), edges=[*edges[:-1], *piece.edges])


def as_one(answer: FlowsAnswer) -> FlowsAnswer:
    """Add up an answer's periods: one period from the first edge to the last."""
    names = ["commodity", "quantity", "flow", "renewable"]
    numbers = ["value", "expected_min", "arrived_min", "estimated_min"]
    sums = answer.flows.group_by(names).aggregate([(name, "sum") for name in numbers])
    start = pa.array([answer.edges[0]] * sums.num_rows, FLOWS.field("start").type)
    columns = {
        "start": start,
        **{name: sums[name] for name in names},
        **{name: sums[f"{name}_sum"] for name in numbers},
    }
    flows = pa.table({name: columns[name].cast(FLOWS.field(name).type) for name in FLOWS.names}, schema=FLOWS)
    return replace(answer, flows=flows, edges=[answer.edges[0], answer.edges[-1]])


def coverage_of(flows: FlowsAnswer) -> float | None:
    """Give the share of all expected channel-minutes that arrived; None where none was expected."""
    expected = sum(flows.flows["expected_min"].to_pylist())
    arrived = sum(flows.flows["arrived_min"].to_pylist())
    return share(min(arrived / expected, 1.0)) if expected else None


def _carriers(whole: list[BalanceRow], hours: list[BalanceRow], commodities: Commodities) -> list[CarrierDay]:
    """Put each carrier's hours beside its day, in the order of the table of commodities."""
    order = {code: at for at, code in enumerate(commodities.rows)}
    return [
        CarrierDay(
            row.commodity,
            commodities[row.commodity].name_en,
            commodities[row.commodity].name_ko,
            row.unit,
            supply_of(row),
            use_of(row),
            row,
            [one for one in hours if (one.commodity, one.unit) == (row.commodity, row.unit)],
        )
        for row in sorted(whole, key=lambda row: (order[row.commodity], row.unit))
    ]


def _definitions(hours: FlowsAnswer, commodities: Commodities) -> list[SelfSufficiency]:
    """Answer every definition, matched hour by hour."""
    found = selfsufficiency(
        hours.flows,
        edges=hours.edges,
        commodities=commodities,
        boundaries_metered=hours.boundaries_metered,
        interval=Resolution.HOUR.value,
    )
    rows = (one.for_people() for one in found)
    return [SelfSufficiency(**rounded(row)) for row in rows]
