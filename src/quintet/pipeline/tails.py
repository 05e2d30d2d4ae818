"""The newest stored moment of each channel, kept in memory: most readings come after it and need no look-up."""

from typing import Self

import numpy as np

from quintet.store.engine import Snapshot
from quintet.store.read import EARLIEST_US

from .rows import I64, RawRows


class Tails:
    """`at_us` by channel number: the newest raw reading's moment, EARLIEST_US where there is none."""

    def __init__(self, at_us: I64) -> None:
        """Hold the array."""
        self.at_us = at_us

    @classmethod
    def load(cls, snapshot: Snapshot) -> Self:
        """Read the newest moments from hot raw readings and from what was closed."""
        table = snapshot.arrow(
            """select channel, max(at_us) as at_us from (select channel, at_us from tail
                union all select channel, at_us from raw) group by channel"""
        )
        out = cls(np.zeros(0, np.int64))
        if table.num_rows:
            channel = table["channel"].to_numpy()
            out.grow(int(channel.max()))
            out.at_us[channel] = table["at_us"].to_numpy()
        return out

    def grow(self, channel: int) -> None:
        """Make room for a channel number."""
        lack = channel + 1 - len(self.at_us)
        if lack > 0:
            self.at_us = np.concatenate([self.at_us, np.full(lack, EARLIEST_US, np.int64)])

    def advance(self, rows: RawRows) -> None:
        """Take committed rows into account."""
        np.maximum.at(self.at_us, rows.channel, rows.at_us)
