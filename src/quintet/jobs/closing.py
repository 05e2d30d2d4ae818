"""Closing the days that are over, and merging what came late for those that are closed."""

from collections.abc import Callable
from datetime import date

from quintet.access.flows import closing_placements
from quintet.registry import Registry
from quintet.store.closing import close_day, open_days
from quintet.store.engine import Engine
from quintet.terms.period import day_number, day_of_number


def close_days(
    engine: Engine,
    registry: Registry,
    until: date | None,
    now_us: int,
    progress: Callable[[str], None] | None = None,
) -> list[int]:
    """Close every local day before `until` (None: before today) that has open rows; give the days' numbers."""
    last = engine.day_of(now_us) if until is None else day_number(until)
    with engine.snapshot() as snapshot:
        due = [day for day in open_days(engine, snapshot) if day < last]
    placements = closing_placements(registry)
    for day in due:
        if progress is not None:
            progress(day_of_number(day).isoformat())
        close_day(engine, day, placements, actor="closing", received_us=now_us)
    return due
