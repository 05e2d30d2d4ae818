"""Sources with rows in quarantine, and the readings that would settle one of those: looked for only when one came."""

from collections.abc import Iterable

import numpy as np

from .rows import I32, I64, RawRows

MILLISECOND_US = 1000
CHANNELS = 2**22
"""Channels and moments to the millisecond share 63 bits; what falls together is only looked at once too often."""


def keys_of(channel: I32, at_us: I64) -> I64:
    """Give one number for each channel and moment."""
    return at_us // MILLISECOND_US * CHANNELS + channel % CHANNELS


class Faulty:
    """The sources of rows ever set aside. Of some it is known which readings their open rows wait for."""

    def __init__(self, sources: Iterable[str]) -> None:
        """Know sources, but nothing of their rows."""
        self._sources = set(sources)
        self._waits: dict[str, I64] = {}

    def add(self, source: str) -> None:
        """Say that a source has one more row in quarantine."""
        self._sources.add(source)
        self._waits.pop(source, None)

    def forget(self) -> None:
        """Say that names may mean something else from now on."""
        self._waits.clear()

    def looked(self, source: str, channel: I32, at_us: I64) -> None:
        """Say that all of a source's rows were just looked at: these (channel, moment) are what they wait for."""
        self._waits[source] = np.unique(keys_of(channel, at_us))

    def heard(self, rows: RawRows) -> None:
        """Take in new readings of whatever source: who waits for one of them must be looked at."""
        if not self._waits or not len(rows):
            return
        keys = keys_of(rows.channel, rows.at_us)
        for source, waits in list(self._waits.items()):
            if len(waits) and np.isin(waits, keys).any():
                del self._waits[source]

    def to_look_at(self, source: str) -> bool:
        """Tell whether a row of a source may have been settled since it was last looked at."""
        return source in self._sources and source not in self._waits
