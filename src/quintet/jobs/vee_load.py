"""Whole channels of a city over some days, as blocks: a shard at a time, so that memory does not grow with the city."""

from collections.abc import Iterator

import numpy as np

from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I32
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.runs import cells_between
from quintet.vee import Block

from .vee_units import BLOCK_DAYS

DAY_US = 86_400_000_000
SHARD_CELLS = 4_000_000
"""Intervals held at once: 10 bytes each, and ten times that while the store reads them and rules copy them."""


def shards(registry: Registry, meaning: Meaning) -> Iterator[I32]:
    """Cut a city's channels into shards that hold at most SHARD_CELLS intervals of what one week's verdicts need.

    Channels of one building stay together, in order of place; one building may be more than that.
    """
    numbers = registry.channels()["channel"].to_pylist()
    places = {number: registry.place_of(number) for number in numbers}
    buildings = {place: registry.tree.nearest(place, "building") for place in set(places.values())}
    ordered = sorted(places, key=lambda number: (places[number], number))
    out: list[int] = []
    cells = 0
    for number in ordered:
        own = 2 * BLOCK_DAYS * DAY_US // int(meaning.cadence_us[number])
        if out and cells + own > SHARD_CELLS and buildings[places[number]] != buildings[places[out[-1]]]:
            yield np.sort(np.array(out, np.int32))
            out, cells = [], 0
        out.append(number)
        cells += own
    if out:
        yield np.sort(np.array(out, np.int32))


def blocks(
    engine: Engine, snapshot: Snapshot, meaning: Meaning, channels: I32, low_us: int, high_us: int
) -> Iterator[Block]:
    """Read channels' effective intervals in [low, high): one block for each grid among them, in order of grid.

    Every channel has a row in one of them, whether it has any value or not.
    """
    table = cells_between(engine, snapshot, low_us, high_us, channels)
    channel, start, value, quality = (table[name].to_numpy() for name in ("channel", "start_us", "value", "quality"))
    grids = np.stack([meaning.cadence_us[channels], meaning.phase_us[channels]])
    for cadence, phase in np.unique(grids, axis=1).T.tolist():
        own = channels[(grids[0] == cadence) & (grids[1] == phase)]
        first = low_us + (-(low_us + phase)) % cadence
        columns = max(-((first - high_us) // cadence), 0)
        values, qualities = np.zeros((len(own), columns), np.int64), np.zeros((len(own), columns), np.uint8)
        mine = slice(None) if len(own) == len(channels) else np.isin(channel, own)
        at, odd = np.divmod(start[mine] - first, cadence)
        fits = odd == 0  # else of another grid: the registry said otherwise before
        row = np.searchsorted(own, channel[mine])[fits]
        values[row, at[fits]], qualities[row, at[fits]] = value[mine][fits], quality[mine][fits]
        yield Block.of(first, cadence, own, (values, qualities, qualities > 0), engine.tz)


def part(engine: Engine, block: Block, low_us: int, high_us: int) -> Block:
    """Give the columns of a block that start in [low, high)."""
    first, end = (max(-((block.start_us - moment) // block.cadence_us), 0) for moment in (low_us, high_us))
    arrays = (block.value[:, first:end], block.quality[:, first:end], block.present[:, first:end])
    start_us = block.start_us + first * block.cadence_us
    return Block.of(start_us, block.cadence_us, block.channels, arrays, engine.tz)
