"""The operation that answers with the balance: of one place, or of every place of a tree."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.access import EVERYTHING
from quintet.terms.period import Resolution
from quintet.terms.tables import FLOW_NAMES
from quintet.views.asked import within
from quintet.views.exact import decimal_texts
from quintet.views.tree_pages import TreeAsked, too_many_rows, tree_page

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
    step = Resolution(asked.resolution)
    question = TreeAsked(asked.start, asked.end, step, asked.place, asked.level, asked.known_at)
    span, moment = asked_span(asked.start, asked.end, tz), asked_moment(asked.known_at, tz)
    limit = None if asked.limit is None else within(asked.limit, 1, MOST_ROWS, "limit")
    found, following = tree_page(city.access(EVERYTHING), question, span, moment, asked.cursor, limit)
    if found.table.num_rows > MOST_ROWS and limit is None:
        raise too_many_rows(found.table.num_rows, MOST_ROWS, "--limit")
    texts = texts_of(found.table, tz)
    rows = list(map(list, zip(*(texts[name].to_pylist() for name in BALANCE_COLUMNS), strict=True)))
    basis = {"known_at": local(found.known_at, tz), "rule_set": found.rule_set}
    after = {} if limit is None else {"next_cursor": following}
    more = [] if following is None else [f"More places follow: ask again with --cursor {following}"]
    return Answer(
        BALANCE_COLUMNS,
        rows,
        document_of({**basis, "rows": msgspec.Raw(json_of(texts, found.table["derived"])), **after}),
        numbers=[*AMOUNTS, *SHARES],
        title=f"{asked.place} and below by {asked.resolution}, known at {basis['known_at']}, rules {basis['rule_set']}",
        notes=more,
    )


def texts_of(table: pa.Table, tz: ZoneInfo) -> dict[str, pa.Array]:
    """Write a BALANCE table's columns as the text of cells, without a step in Python for each."""
    out = {"start": said_once(table["start"], lambda start: local(start, tz))}
    out |= {name: table[name].combine_chunks() for name in ("place", "commodity", "unit", "reason")}
    out |= {name: decimal_texts(table[name], table["unit"]) for name in AMOUNTS}
    out["derived"] = pc.binary_join(table["derived"].combine_chunks(), " ")
    return out | {name: said_once(table[name], share) for name in SHARES}


def said_once(column: pa.ChunkedArray, say: Callable[[Any], str | None]) -> pa.Array:
    """Write a column as text, each different value once."""
    coded = column.combine_chunks().dictionary_encode()
    return pa.array([say(value) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def json_of(texts: Mapping[str, pa.Array], derived: pa.ChunkedArray) -> bytes:
    """Give rows as JSON holds them, their numbers as they are written in the cells; `derived` as lists."""
    lists = derived.combine_chunks()
    named = pc.binary_join_element_wise('["', pc.binary_join(lists, '","'), '"]', "")
    cells = {"derived": pc.if_else(pc.equal(pc.list_value_length(lists), 0), "[]", named)}
    parts: list[pa.Array | str] = []
    for at, name in enumerate(BALANCE_COLUMNS):
        quoted = name not in (*AMOUNTS, *SHARES, "derived")
        cell = cells.get(name, said_once(pa.chunked_array([texts[name]]), _quoted) if quoted else texts[name])
        parts += [f'{"," if at else "{"}"{name}":', pc.fill_null(cell, "null")]
    # the bytes of a column of text lie one value after the other
    rows = pc.binary_join_element_wise(*parts, "},", "")
    _, offsets, content = rows.buffers()
    end = int(np.frombuffer(offsets, np.int32)[len(rows)]) if len(rows) else 1
    return b"[" + (b"" if content is None else content.slice(0, end - 1).to_pybytes()) + b"]"


def _quoted(text: str | None) -> str | None:
    """Write a text as JSON does."""
    return None if text is None else msgspec.json.encode(text).decode()
