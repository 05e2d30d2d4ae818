"""The back-test of a city: its own channels' sound stretches choose the order of estimators, subject by subject."""

from collections.abc import Callable, Iterator

import numpy as np

from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I32
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.terms.period import day_of_number, day_start, to_us
from quintet.vee import Block
from quintet.vee.choosing import Chosen, choose

from .vee_load import blocks

MOST_CHANNELS = 200
"""Channels of a subject that are looked at, drawn by seed: more would say the same."""
MOST_DAYS = 400
"""Days of each channel, its newest."""
MOST_CELLS = 6_000_000
"""Intervals held at once."""


def back_test(
    engine: Engine,
    registry: Registry,
    meaning: Meaning,
    *,
    seed: int,
    most: int,
    progress: Callable[[str], None] | None = None,
) -> list[Chosen]:
    """Back-test the estimators on every subject (Order.subject) of a city, `most` hidden stretches a class."""
    out: list[Chosen] = []
    with engine.snapshot() as snapshot:
        days = days_of_channels(snapshot)
        subject = dict(zip(days, meaning.subjects(list(days)), strict=True))
        names = sorted(set(subject.values()))
        for name in names:
            if progress is not None:
                progress(name)
            own = np.array(sorted(c for c in days if subject[c] == name), np.int32)
            held = list(sheets(engine, snapshot, meaning, sampled(own, seed), days))
            out += choose(held, name, registry.tz, meaning.order, seed=seed, most=most)
    return out


def days_of_channels(snapshot: Snapshot) -> dict[int, tuple[int, int]]:
    """Give each channel's first and last local day with a measured value, by number."""
    rows = snapshot.rows("select channel, min(day), max(day) from rollup_day where arrived > 0 group by channel")
    return {int(channel): (int(first), int(last)) for channel, first, last in rows}


def sampled(channels: I32, seed: int) -> I32:
    """Draw channels, at most MOST_CHANNELS."""
    if len(channels) <= MOST_CHANNELS:
        return channels
    return np.sort(np.random.default_rng([seed, len(channels)]).choice(channels, MOST_CHANNELS, replace=False))


def sheets(
    engine: Engine, snapshot: Snapshot, meaning: Meaning, channels: I32, days: dict[int, tuple[int, int]]
) -> Iterator[Block]:
    """Read channels' newest MOST_DAYS in blocks of channels of one grid that were heard at about the same time."""
    ordered = sorted(
        channels.tolist(), key=lambda c: (int(meaning.cadence_us[c]), int(meaning.phase_us[c]), days[c][1])
    )
    group: list[int] = []
    for channel in ordered:
        if group and not fits([*group, channel], meaning, days):
            yield from read(engine, snapshot, meaning, group, days)
            group = []
        group.append(channel)
    if group:
        yield from read(engine, snapshot, meaning, group, days)


def span_of(group: list[int], days: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Give the first and last day that channels need."""
    last = max(days[channel][1] for channel in group)
    return min(max(days[c][0], days[c][1] - MOST_DAYS) for c in group), last


def fits(group: list[int], meaning: Meaning, days: dict[int, tuple[int, int]]) -> bool:
    """Tell whether channels are of one grid and fit into one block."""
    first, last = span_of(group, days)
    cadence = meaning.cadence_us[group]
    same = len(set(zip(cadence.tolist(), meaning.phase_us[group].tolist(), strict=True))) == 1
    return same and len(group) * (last - first + 1) * 86_400_000_000 // int(cadence[0]) <= MOST_CELLS


def read(
    engine: Engine, snapshot: Snapshot, meaning: Meaning, group: list[int], days: dict[int, tuple[int, int]]
) -> Iterator[Block]:
    """Read one group of channels."""
    first, last = span_of(group, days)
    low, high = (to_us(day_start(day_of_number(day), engine.tz)) for day in (first, last + 1))
    yield from blocks(engine, snapshot, meaning, np.array(sorted(group), np.int32), low, high)
