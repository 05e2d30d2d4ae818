"""Small blocks, spelled out: a list of amounts a channel, None where nothing arrived."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quintet.terms.period import MINUTE_US, to_us
from quintet.terms.quality import qualities
from quintet.vee import Block, Gaps, Traits

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
