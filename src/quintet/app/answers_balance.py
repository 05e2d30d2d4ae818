"""Operations that answer with the books: supply against use."""

from typing import Any

import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.ledger.balance import balance, rows_for_people
from quintet.terms.period import Resolution
from quintet.terms.tables import FLOW_NAMES

from .answer import Answer, Progress, document_of
from .asked_time import asked_moment, asked_span
from .cells import local, plain, rows_of
from .city import City
from .requests import Balance, Emissions

BALANCE_COLUMNS = [
    "start", "place", "commodity", "unit", *FLOW_NAMES, "closure_error", "derived", "coverage", "estimated_share",
]  # fmt: skip


def balanced(city: City, asked: Balance | Emissions) -> tuple[pa.Table, dict[str, Any]]:
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
    table, basis = balanced(city, asked)
    rows = rows_for_people(table, city.registry().tz)
    document = {**basis, "rows": [plain({name: row[name] for name in BALANCE_COLUMNS}) for row in rows]}
    return Answer(
        BALANCE_COLUMNS,
        rows_of(BALANCE_COLUMNS, rows),
        document_of(document),
        numbers=[*FLOW_NAMES, "closure_error", "coverage", "estimated_share"],
        title=f"{asked.place} by {asked.resolution}, known at {basis['known_at']}, rules {basis['rule_set']}",
    )
