"""Operations that answer with energy: a channel's intervals, the balance, self-sufficiency, greenhouse gases."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.ledger.balance import balance, rows_for_people
from quintet.ledger.emissions import by_scope, emissions, said
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.terms.period import Resolution, Span, from_us, parse_moment
from quintet.terms.quality import qualities_by_id
from quintet.terms.tables import FLOW_NAMES

from .answer import Answer, Progress, document_of
from .cells import local, plain, rows_of, text_of
from .city import City
from .requests import Balance, Emissions, Intervals, SelfSufficiency

INTERVAL_COLUMNS = ["start", "value", "unit", "quality", "coverage", "estimated_share"]
BALANCE_COLUMNS = [
    "start", "place", "commodity", "unit", *FLOW_NAMES, "closure_error", "derived", "coverage", "estimated_share",
]  # fmt: skip
DEFINITION_COLUMNS = [
    "id", "value", "numerator", "denominator", "unit", "matched", "intervals", "coverage", "estimated_share", "derived",
    "reason",
]  # fmt: skip
EMISSION_COLUMNS = [
    "start", "place", "scope", "commodity", "amount", "unit", "kg_co2e", "factor", "published_on", "basis", "gwp",
    "notation", "reason", "derived", "coverage", "estimated_share", "source",
]  # fmt: skip
KG_PLACES = 6


def asked_span(start: str, end: str, tz: ZoneInfo) -> Span:
    """Read --from and --to on the city's clock."""
    return Span(parse_moment(start, tz), parse_moment(end, tz))


def asked_moment(text: str | None, tz: ZoneInfo) -> datetime | None:
    """Read --known-at; None where it was not given."""
    return None if text is None else parse_moment(text, tz)


def intervals(city: City, asked: Intervals, _progress: Progress) -> Answer:
    """Give one channel's series: exact decimals in the display unit, empty where nothing is known."""
    registry = city.registry()
    span = asked_span(asked.start, asked.end, registry.tz)
    channel = registry.channel_by_name(asked.channel)
    unit = registry.commodities[channel.reading.commodity].display_unit(channel.quantity)
    known_at = asked_moment(asked.known_at, registry.tz)
    moment = known_at or from_us(city.now())
    series = city.access(EVERYTHING).series(asked.channel, span, Resolution(asked.resolution), known_at)
    words = {code: quality.code for code, quality in qualities_by_id().items()}
    columns = (series[name].to_pylist() for name in ("start", "value", "quality", "coverage", "estimated_share"))
    rows: list[dict[str, Any]] = [
        {
            "start": local(start, registry.tz),
            "value": None if value is None else unit.to_decimal(int(value)),
            "unit": unit.code,
            "quality": None if quality is None else words[quality],
            "coverage": coverage,
            "estimated_share": estimated,
        }
        for start, value, quality, coverage, estimated in zip(*columns, strict=True)
    ]
    document = {
        "channel": asked.channel,
        "unit": unit.code,
        "known_at": local(moment, registry.tz),
        "rule_set": city.rule_set,
        "rows": plain(rows),
    }
    return Answer(
        INTERVAL_COLUMNS,
        rows_of(INTERVAL_COLUMNS, rows),
        document_of(document),
        numbers=["value", "coverage", "estimated_share"],
        title=f"{asked.channel} by {asked.resolution}",
    )


def _balanced(city: City, asked: Balance | Emissions) -> tuple[pa.Table, dict[str, Any]]:
    """Give the BALANCE table that was asked for, and what it rests on."""
    registry = city.registry()
    flows = city.access(EVERYTHING).flows(
        asked.place,
        asked_span(asked.start, asked.end, registry.tz),
        Resolution(asked.resolution),
        asked_moment(asked.known_at, registry.tz),
    )
    table = balance(
        flows.flows,
        place=asked.place,
        edges=flows.edges,
        commodities=registry.commodities,
        boundaries_metered=flows.boundaries_metered,
    )
    return table, {"known_at": local(flows.known_at, registry.tz), "rule_set": flows.rule_set}


def balance_rows(city: City, asked: Balance, _progress: Progress) -> Answer:
    """Give supply against use per carrier and period; what is derived says so."""
    table, basis = _balanced(city, asked)
    rows = rows_for_people(table, city.registry().tz)
    document = {**basis, "rows": [plain({name: row[name] for name in BALANCE_COLUMNS}) for row in rows]}
    return Answer(
        BALANCE_COLUMNS,
        rows_of(BALANCE_COLUMNS, rows),
        document_of(document),
        numbers=[*FLOW_NAMES, "closure_error", "coverage", "estimated_share"],
        title=f"{asked.place} by {asked.resolution}, known at {basis['known_at']}, rules {basis['rule_set']}",
    )


def self_sufficiency(city: City, asked: SelfSufficiency, _progress: Progress) -> Answer:
    """Give every definition's answer, matched at the asked resolution."""
    registry = city.registry()
    span = asked_span(asked.start, asked.end, registry.tz)
    flows = city.access(EVERYTHING).flows(
        asked.place, span, Resolution(asked.resolution), asked_moment(asked.known_at, registry.tz)
    )
    found = selfsufficiency(
        flows.flows,
        edges=flows.edges,
        commodities=registry.commodities,
        boundaries_metered=flows.boundaries_metered,
        interval=asked.resolution,
    )
    rows = [
        {
            **{name: getattr(one, name) for name in DEFINITION_COLUMNS},
            "value": None if one.value is None else said(one.value, KG_PLACES),
            "name_en": one.name_en,
            "name_ko": one.name_ko,
            "explanation_en": one.explanation_en,
            "explanation_ko": one.explanation_ko,
        }
        for one in found
    ]
    document = {
        "known_at": local(flows.known_at, registry.tz),
        "rule_set": flows.rule_set,
        "place": asked.place,
        "from": local(span.start, registry.tz),
        "to": local(span.end, registry.tz),
        "interval": asked.resolution,
        "definitions": plain(rows),
    }
    return Answer(
        DEFINITION_COLUMNS,
        rows_of(DEFINITION_COLUMNS, rows),
        document_of(document),
        numbers=["value", "numerator", "denominator", "matched", "intervals", "coverage", "estimated_share"],
        title=f"{asked.place}, matched by {asked.resolution}; value 1 means 100 %",
    )


def greenhouse_gases(city: City, asked: Emissions, _progress: Progress) -> Answer:
    """Give emissions by source and period, each with factor, date and source, or why there is no number."""
    tz = city.registry().tz
    table, basis = _balanced(city, asked)
    found = emissions(table, tz=tz, gwp=asked.gwp)
    rows = [
        {
            "start": local(one.start, tz),
            "place": one.place,
            "scope": one.scope,
            "commodity": one.commodity,
            "amount": one.amount,
            "unit": one.unit,
            "kg_co2e": None if one.kg_co2e is None else said(one.kg_co2e, KG_PLACES),
            "gases_kg": {gas: said(kg, KG_PLACES) for gas, kg in one.gases_kg.items()},
            "factor": one.factor,
            "source": one.source,
            "published_on": one.published_on,
            "certainty": one.certainty,
            "basis": one.basis,
            "gwp": one.gwp,
            "notation": one.notation,
            "reason": one.reason,
            "derived": one.derived,
            "coverage": one.coverage,
            "estimated_share": one.estimated_share,
        }
        for one in found
    ]
    scopes = [
        {
            "scope": total.scope,
            "kg_co2e": said(total.kg_co2e, KG_PLACES),
            "rows": total.rows,
            "missing": total.missing,
            "not_estimated": total.not_estimated,
        }
        for total in by_scope(found)
    ]
    notes = [
        f"scope {one['scope']}: {text_of(one['kg_co2e'])} kg CO2e"
        f" ({one['missing']} rows without an amount, {one['not_estimated']} not estimated)"
        for one in scopes
    ]
    return Answer(
        EMISSION_COLUMNS,
        rows_of(EMISSION_COLUMNS, rows),
        document_of({**basis, "gwp": asked.gwp, "scopes": scopes, "rows": plain(rows)}),
        numbers=["amount", "kg_co2e", "coverage", "estimated_share"],
        title=f"{asked.place} by {asked.resolution}, gases weighed by {asked.gwp}",
        notes=notes,
    )
