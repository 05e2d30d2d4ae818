"""Shards of channels judged in processes, over arrays in files that all of them map: nothing large is sent.

Threads do not pay where the steps are small: each NumPy call gives up the interpreter's lock and waits to get it back.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from quintet.vee import Block, Findings, Traits
from quintet.vee.block import Bytes, Ints

Judge = Callable[[Block, Traits], tuple[Ints, Bytes, Findings]]
GIVEN = ("value", "quality", "present")
MADE = {"made_value": np.int64, "made_quality": np.uint8}


class Crowd:
    """Processes that stand ready to judge one block, as those of a service would: `judge` is a module's function."""

    def __init__(self, folder: Path, block: Block, traits: Traits, judge: Judge, workers: int) -> None:
        """Write the block's arrays where all can map them, start the processes and let each judge once."""
        for name in GIVEN:
            np.save(folder / f"{name}.npy", getattr(block, name))
        for name, kind in MADE.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, block.value.shape).flush()
        none = np.zeros((0, block.value.shape[1]))
        bare = replace(
            block, channels=block.channels[:0], value=none.astype(np.int64), quality=none.astype(np.uint8),
            present=none.astype(np.bool_),
        )  # fmt: skip
        self.shards = [
            (int(rows[0]), int(rows[-1]) + 1)
            for rows in np.array_split(np.arange(len(block.channels)), workers)
            if len(rows)
        ]
        spawn = get_context("spawn")  # a fork would copy locks that threads hold
        said = (str(folder), bare, block.channels, traits, judge)
        self.pool = ProcessPoolExecutor(workers, spawn, _ready, said)
        self.run()

    def run(self) -> int:
        """Judge and fill the whole block; values and qualities stand in the files then. Gives the findings counted."""
        return sum(len(found) for found in self.pool.map(_judge, self.shards))

    def made(self, folder: Path) -> tuple[Ints, Bytes]:
        """Map what was made: values and qualities."""
        return tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in MADE)

    def close(self) -> None:
        """End the processes."""
        self.pool.shutdown()


_held: dict[str, Any] = {}
"""What a process holds from its start on."""


def _ready(folder: str, bare: Block, channels: Any, traits: Traits, judge: Judge) -> None:
    """Map the arrays in a process that begins."""
    arrays = {name: np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in GIVEN}
    made = [np.load(Path(folder) / f"{name}.npy", mmap_mode="r+") for name in MADE]
    _held.update(bare=bare, channels=channels, arrays=arrays, made=made, traits=traits, judge=judge)


def _judge(shard: tuple[int, int]) -> Findings:
    """Judge and fill one shard; gives what rules found, by row of the shard."""
    own = slice(*shard)
    arrays = {name: np.asarray(array[own]) for name, array in _held["arrays"].items()}
    traits = _held["traits"]
    part = replace(_held["bare"], channels=_held["channels"][own], **arrays)
    mine = replace(traits, kind_of=traits.kind_of[own], plate_max_per_hour=traits.plate_max_per_hour[own])
    value, quality, findings = _held["judge"](part, mine)
    for array, found in zip(_held["made"], (value, quality), strict=True):
        array[own] = found
    return findings
