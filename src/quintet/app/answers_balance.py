"""Operations that answer with the books: supply against use."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.ledger.balance import rows_for_people
from quintet.terms.period import Resolution
from quintet.terms.tables import FLOW_NAMES
from quintet.views.netted import read
from quintet.views.uncertain_books import balance_bounds

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of, text_of
from .city import City
from .requests import Balance, Emissions

INTERVAL_COLUMNS = ["low", "high", "nominal", "interval_to", "interval_reason"]
BALANCE_COLUMNS = [
    "start", "place", "commodity", "unit", *FLOW_NAMES, "closure_error", "derived", "coverage", "estimated_share",
    "least_known", "reason",
]  # fmt: skip


def balanced(city: City, asked: Balance | Emissions) -> tuple[pa.Table, dict[str, Any]]:
    """Give the BALANCE table that was asked for, and what it rests on."""
    registry = city.registry()
    found = read(
        city.access(EVERYTHING),
        asked.place,
        asked_span(asked.start, asked.end, registry.tz),
        Resolution(asked.resolution),
        asked_moment(asked.known_at, registry.tz),
    )
    table, flows = found.balance(registry.commodities), found.flows
    return table, {"known_at": local(flows.known_at, registry.tz), "rule_set": flows.rule_set}


def _intervals(city: City, asked: Balance, nominal: float) -> dict[tuple[float, str, str], dict[str, Any]]:
    """Give the interval of each row by start, commodity and unit."""
    tz = city.registry().tz
    access, known_at = city.access(EVERYTHING), asked_moment(asked.known_at, tz)
    step = Resolution(asked.resolution)
    flows = access.flows(asked.place, asked_span(asked.start, asked.end, tz), step, known_at)
    return {
        (start.timestamp(), commodity, unit): {
            "low": one.low, "high": one.high, "nominal": nominal, "interval_reason": one.reason,
            "interval_to": one.until.astimezone(tz),
        }
        for (start, commodity, unit), one in balance_bounds(access, flows, step, nominal, known_at).items()
    }  # fmt: skip


def _listed(named: Mapping[str, Any]) -> list[str]:
    """Write what is said of flows in one cell: those that are not zero."""
    return [f"{name}={text_of(value)}" for name, value in named.items() if value != 0]


def balance_rows(city: City, asked: Balance, _progress: Progress) -> Answer:
    """Give supply against use per carrier and period; what is derived says so."""
    table, basis = balanced(city, asked)
    rows = rows_for_people(table, city.registry().tz)
    columns = BALANCE_COLUMNS
    if asked.nominal is not None:
        told = _intervals(city, asked, asked.nominal)
        rows = [row | told[row["start"].timestamp(), row["commodity"], row["unit"]] for row in rows]
        columns = [*BALANCE_COLUMNS, *INTERVAL_COLUMNS]
    document = {**basis, "rows": [plain({name: row[name] for name in columns}) for row in rows]}
    if asked.nominal is not None:
        rows = [row | {name: _listed(row[name]) for name in ("low", "high", "interval_reason")} for row in rows]
    return Answer(
        columns,
        rows_of(columns, rows),
        document_of(document),
        numbers=[*FLOW_NAMES, "closure_error", "coverage", "estimated_share", "least_known"],
        title=f"{asked.place} by {asked.resolution}, known at {basis['known_at']}, rules {basis['rule_set']}",
    )
