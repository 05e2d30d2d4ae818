"""Closing the days that are over, and merging what came late for those that are closed."""

from collections.abc import Callable
from datetime import date

from quintet.access.flows import closing_placements
from quintet.access.hour_sums import days_without_halves, stale_days
from quintet.registry import Registry
from quintet.store.closing import close_day, keep_halves, open_days, refresh_flows
from quintet.store.engine import Engine
from quintet.store.read import EARLIEST_US
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
        close_day(engine, day, placements, actor="closing", received_us=now_us, registry_batch=registry.batch)
    return due


def refresh_closed(
    engine: Engine, registry: Registry, now_us: int, progress: Callable[[str], None] | None = None
) -> list[int]:
    """Sum the hours of closed days anew where the registry changed since; give the days' numbers.

    Answers are right without it: a day whose sums are older than the registry is summed from its intervals each time.
    """
    with engine.snapshot() as snapshot:
        stale = stale_days(engine, snapshot, EARLIEST_US, -EARLIEST_US * 8)
        lacking = days_without_halves(snapshot, stale)
    placements = closing_placements(registry)
    if lacking:
        keep_halves(engine, lacking, placements, actor="closing", received_us=now_us, registry_batch=registry.batch)
    for day in stale:
        if progress is not None:
            progress(day_of_number(day).isoformat())
        refresh_flows(engine, day, placements, actor="closing", received_us=now_us, registry_batch=registry.batch)
    return stale
