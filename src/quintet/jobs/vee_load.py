"""Whole channels of a city over some days, as blocks: a shard at a time, so that memory does not grow with the city."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from quintet.pipeline.difference import BENEATH
from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I32, I64, U8, Mask
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.runs import cells_between
from quintet.terms.length import DAY_US
from quintet.vee import Block
from quintet.vee.block import of_kind

from .vee_units import BLOCK_DAYS

SHARD_CELLS = 2_000_000
"""Intervals held at once: 10 bytes each, and ten times that while the store reads them and rules copy them."""


LARGEST = 2**44
"""17.6 GWh or 17.6 million m3 in one interval."""


@dataclass(frozen=True)
class Sheet(Block):
    """A block with what was measured marked, worked out once for all that look at it (both m x n).

    `here` marks measured values; `amount` holds them, 0 elsewhere, within bounds in which any sum over it fits 64 bits:
    what lies beyond is no amount of any meter, and a poisoned meter may not upset what is said of others.
    """

    here: Mask
    amount: I64

    @classmethod
    def over(cls, block: Block) -> "Sheet":
        """Look at a block."""
        here = block.present & held(block.quality, of_kind("measured"))
        amount = block.value * here
        np.clip(amount, -LARGEST, LARGEST, out=amount)
        return cls(**{field.name: getattr(block, field.name) for field in fields(block)}, here=here, amount=amount)

    def rows(self, rows: I64) -> "Sheet":
        """Give some rows, copied."""
        block = Block(
            self.start_us, self.cadence_us, self.channels[rows], self.value[rows], self.quality[rows],
            self.present[rows], self.day_of, self.whole_day, self.slot_of, self.first_day,
        )  # fmt: skip
        own = {field.name: getattr(block, field.name) for field in fields(block)}
        return Sheet(**own, here=self.here[rows], amount=self.amount[rows])


def held(quality: U8, wanted: Mask) -> Mask:
    """Mark the qualities that `wanted` (256 entries) holds; compares by ranges, faster than looking each one up."""
    edges = np.flatnonzero(np.diff(wanted.astype(np.int8), prepend=0, append=0))
    out = np.zeros(quality.shape, np.bool_)
    for low, high in edges.reshape(-1, 2).tolist():
        out |= quality == low if high == low + 1 else (quality >= low) & (quality < high)
    return out


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
) -> Iterator[Sheet]:
    """Read channels' effective intervals in [low, high): one block for each grid among them, in order of grid.

    Every channel has a row in one of them, whether it has any value or not. Marks are looked beneath: what a run doubts
    must not depend on what runs before it doubted.
    """
    table = cells_between(engine, snapshot, low_us, high_us, channels)
    channel, start, value, quality = (table[name].to_numpy() for name in ("channel", "start_us", "value", "quality"))
    del table
    grids = np.stack([meaning.cadence_us[channels], meaning.phase_us[channels]])
    row_of = np.full(int(channels.max(initial=0)) + 1, -1, np.int64)
    for cadence, phase in np.unique(grids, axis=1).T.tolist():
        own = channels[(grids[0] == cadence) & (grids[1] == phase)]
        first = low_us + (-(low_us + phase)) % cadence
        columns = max(-((first - high_us) // cadence), 0)
        row_of[:] = -1
        row_of[own] = np.arange(len(own))
        row = row_of[channel]
        at, odd = np.divmod(start - first, cadence)
        fits = (row >= 0) & (odd == 0)  # else of another grid: the registry said otherwise before
        some = slice(None) if fits.all() else fits
        place = row[some] * columns + at[some]
        values, qualities = np.zeros(len(own) * columns, np.int64), np.zeros(len(own) * columns, np.uint8)
        values[place], qualities[place] = value[some], BENEATH[quality[some]]
        shape = (len(own), columns)
        arrays = (values.reshape(shape), qualities.reshape(shape), qualities.reshape(shape) > 0)
        yield Sheet.over(Block.of(first, cadence, own, arrays, engine.tz))


def part(engine: Engine, sheet: Sheet, low_us: int, high_us: int) -> Sheet:
    """Give the columns of a sheet that start in [low, high): views of its arrays."""
    first, end = (max(-((sheet.start_us - moment) // sheet.cadence_us), 0) for moment in (low_us, high_us))
    arrays = (sheet.value[:, first:end], sheet.quality[:, first:end], sheet.present[:, first:end])
    start_us = sheet.start_us + first * sheet.cadence_us
    block = Block.of(start_us, sheet.cadence_us, sheet.channels, arrays, engine.tz)
    own = {field.name: getattr(block, field.name) for field in fields(block)}
    return Sheet(**own, here=sheet.here[:, first:end], amount=sheet.amount[:, first:end])
