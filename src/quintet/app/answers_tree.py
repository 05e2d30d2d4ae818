"""The operation that answers with the balance: of one place, or of every place of a tree."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution
from quintet.terms.tables import FLOW_NAMES
from quintet.views.exact import decimal_texts
from quintet.views.tree import tree_balances

from .answer import Answer, Progress, document_of
from .answers_balance import BALANCE_COLUMNS, balance_rows
from .asked_time import asked_moment, asked_span
from .cells import local, share
from .city import City
from .requests import Balance

MOST_ROWS = 400_000
"""Rows of one answer in text: a place's rows are the same, asked for alone or together."""
AMOUNTS = (*FLOW_NAMES, "closure_error")
SHARES = ("coverage", "estimated_share", "least_known")


def balances(city: City, asked: Balance, progress: Progress) -> Answer:
    """Give supply against use of one place, or of a whole tree."""
    return tree_rows(city, asked) if asked.tree else balance_rows(city, asked, progress)


def tree_rows(city: City, asked: Balance) -> Answer:
    """Give supply against use of a place and every place below it, or of those of one level."""
    tz = city.registry().tz
    found = tree_balances(
        city.access(EVERYTHING),
        asked_span(asked.start, asked.end, tz),
        Resolution(asked.resolution),
        place=asked.place,
        level=asked.level,
        known_at=asked_moment(asked.known_at, tz),
    )
    if found.table.num_rows > MOST_ROWS:
        raise UsageError(
            f"that is {found.table.num_rows:,} rows; one answer has at most {MOST_ROWS:,}.",
            code="range_too_long",
            place="--tree",
            remedy="Ask for a shorter range, one --level, or a smaller --place.",
        )
    columns = texts_of(found.table, tz)
    rows = [list(row) for row in zip(*(columns[name] for name in BALANCE_COLUMNS), strict=True)]
    basis = {"known_at": local(found.known_at, tz), "rule_set": found.rule_set}
    return Answer(
        BALANCE_COLUMNS,
        rows,
        document_of({**basis, "rows": list(map(_plain, rows, found.table["derived"].to_pylist()))}),
        numbers=[*AMOUNTS, *SHARES],
        title=f"{asked.place} and below by {asked.resolution}, known at {basis['known_at']}, rules {basis['rule_set']}",
    )


def texts_of(table: pa.Table, tz: ZoneInfo) -> dict[str, list[str | None]]:
    """Write a BALANCE table's columns as cells."""
    starts = {start: local(start, tz) for start in set(table["start"].to_pylist())}
    out: dict[str, list[str | None]] = {"start": [starts[start] for start in table["start"].to_pylist()]}
    out |= {name: table[name].to_pylist() for name in ("place", "commodity", "unit")}
    out |= {name: decimal_texts(table[name], table["unit"]).to_pylist() for name in AMOUNTS}
    out["derived"] = [" ".join(names) for names in table["derived"].to_pylist()]
    out["reason"] = table["reason"].to_pylist()
    return out | {name: [share(value) for value in table[name].to_pylist()] for name in SHARES}


def _plain(cells: list[str | None], derived: list[str]) -> dict[str, Any]:
    """Give a row as JSON holds it, its numbers as they are written in the cells."""
    row: dict[str, Any] = dict(zip(BALANCE_COLUMNS, cells, strict=True))
    for name in (*AMOUNTS, *SHARES):
        if row[name] is not None:
            row[name] = msgspec.Raw(row[name].encode())
    return {**row, "derived": derived}
