"""Small blocks, spelled out: a list of amounts a channel, None where nothing arrived."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.terms.period import MINUTE_US, to_us
from quintet.terms.quality import qualities
from quintet.vee import Beside, Block, Findings, Gaps, Traits, judge_period, rules

Rows = list[list[int | None]]


def block_of(
    rows: Rows,
    *,
    cadence_min: int = 60,
    start: str = "2025-03-05T00:00:00+09:00",
    tz: str = "Asia/Seoul",
    channels: list[int] | None = None,
    quality: dict[tuple[int, int], str] | None = None,
) -> Block:
    """Build a block; `quality` names what is not valid, by (row, column). 2025-03-05 is a Wednesday."""
    value = np.array([[0 if v is None else v for v in row] for row in rows], np.int64)
    present = np.array([[v is not None for v in row] for row in rows], np.bool_)
    codes = np.full(value.shape, qualities()["valid"].id, np.uint8)
    for cell, code in (quality or {}).items():
        codes[cell] = qualities()[code].id
    numbers = np.array(channels or range(len(rows)), np.int32)
    start_us = to_us(datetime.fromisoformat(start))
    return Block.of(start_us, cadence_min * MINUTE_US, numbers, (value, codes, present), ZoneInfo(tz))


def traits_of(count: int, plate: int = -1, **words: str) -> Traits:
    """Describe rows that are all of one kind: by default a dwelling's electricity."""
    own = {
        "commodity": "electricity",
        "role": "consumption",
        "quantity": "energy",
        "value_kind": "interval_sum",
        **words,
    }
    lists: dict[str, Any] = {name: [word] * count for name, word in own.items()}
    return Traits.of(plate_max_per_hour=np.full(count, plate, np.int64), **lists)


def gaps_of(*gaps: tuple[int, int, int, int | None]) -> Gaps:
    """List gaps as (row, first column, length, total or None)."""
    ints = [np.array([gap[place] for gap in gaps], np.int32) for place in range(3)]
    total = np.array([gap[3] or 0 for gap in gaps], np.int64)
    return Gaps(*ints, total, np.array([gap[3] is not None for gap in gaps], np.bool_))


def names_of(quality: Any) -> list[str]:
    """Spell qualities: codes, "-" for missing."""
    codes = {one.id: one.code for one in qualities().values()}
    return [codes.get(int(one), "-") for one in quality]


@pytest.fixture(scope="session")
def make_block() -> Callable[..., Block]:
    return block_of


@pytest.fixture(scope="session")
def make_traits() -> Callable[..., Traits]:
    return traits_of


@pytest.fixture(scope="session")
def make_gaps() -> Callable[..., Gaps]:
    return gaps_of


@pytest.fixture(scope="session")
def names() -> Callable[[Any], list[str]]:
    return names_of


def judged_by(
    code: str,
    block: Block,
    beside: Beside | None = None,
    change: dict[str, Any] | None = None,
    traits: dict[str, str] | None = None,
) -> Findings:
    """Judge a period and keep what one rule found."""
    table = rules(change)
    found = judge_period(block, traits_of(len(block.channels), **(traits or {})), table, beside or Beside())
    own = found.rule == table.index[code]
    parts = (found.row, found.column_first, found.column_last, found.rule, found.middle)
    return Findings(*(part[own] for part in parts if part is not None))


def hits_of(*args: Any, **words: Any) -> list[tuple[int, int, int]]:
    """List what one rule found over a period as (row, first column, last column)."""
    found = judged_by(*args, **words)
    return list(zip(found.row.tolist(), found.column_first.tolist(), found.column_last.tolist(), strict=True))


def more_of(name: str, value: str, unit: str, **scope: Any) -> dict[str, Any]:
    """Give a threshold that a city states."""
    return {"name": name, "value": value, "unit": unit, "source": "a city", "date": date(2026, 1, 1), **scope}


@pytest.fixture(scope="session")
def judged() -> Callable[..., Findings]:
    return judged_by


@pytest.fixture(scope="session")
def hits() -> Callable[..., list[tuple[int, int, int]]]:
    return hits_of


@pytest.fixture(scope="session")
def more() -> Callable[..., dict[str, Any]]:
    return more_of
