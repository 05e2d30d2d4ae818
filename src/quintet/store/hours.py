"""Whole hours of many channels: what came to, how much of it was measured and not doubted, how much is known.

A closed day's file holds one row an interval, sorted by channel: it is added up as it lies, and only where the hot
tables hold something of the same hour is the precedence asked for. Asking for it everywhere takes twenty times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from quintet.terms.amount import Ints
from quintet.terms.period import HOUR_US

from .engine import Engine, Snapshot
from .read import effective_sql, lake_interval_paths, quoted_numbers, versions_sql, wanted
from .trouble import from_os_error

I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
COLUMNS = ["channel", "start", "value", "quality"]


@dataclass(frozen=True, slots=True)
class ChannelHours:
    """Hours of channels [channel, hour]: sub-units, and how many intervals of each are trusted and known.

    `channels` are sorted; hours are counted from `start_us` on. `value` is what the known intervals come to.
    """

    channels: I32
    start_us: int
    value: Ints
    trusted: I16
    known: I16


def hours_of_channels(
    engine: Engine,
    snapshot: Snapshot,
    start_us: int,
    end_us: int,
    channels: I32,
    trusted: Sequence[int],
    known: Sequence[int],
) -> ChannelHours:
    """Sum effective intervals of channels over the hours [start_us, end_us), which begins with an hour of the clock.

    `trusted` and `known` are ids of qualities. An unreadable file raises CityError.
    """
    read = _Hours(engine, np.unique(channels).astype(np.int32), start_us, end_us, trusted, known)
    hot = snapshot.arrow(
        f"""select distinct channel, {read.hour} as hour_us from interval where start_us >= $1 and start_us < $2
            and channel in (select channel from wanted)""",
        [start_us, end_us],
        {"wanted": wanted(read.channels)},
    )
    read.leave(hot)
    paths = lake_interval_paths(engine, snapshot, start_us, end_us, None)
    mixed = [path for path in paths if read.add_file(path)]
    if hot.num_rows:
        read.add_rest(snapshot, mixed)
    return read.out


class _Hours:
    """Hours being filled."""

    def __init__(
        self, engine: Engine, channels: I32, start_us: int, end_us: int, trusted: Sequence[int], known: Sequence[int]
    ) -> None:
        self.channels = channels
        phase = engine.hour_phase_us
        self.hour = f"start_us - (((start_us + {phase}) % {HOUR_US}) + {HOUR_US}) % {HOUR_US}"
        self._undone = engine.undone
        self._phase_us, self._span = phase, (start_us, end_us)
        self._ids = trusted, known
        self._trusted, self._known = (_table(one) for one in (trusted, known))
        shape = (len(channels), max(end_us - start_us, 0) // HOUR_US)
        counts = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
        self.out = ChannelHours(channels, start_us, np.zeros(shape, np.int64), *counts)
        self._left = np.zeros(shape, np.bool_)

    def _cells(self, channel: I32, start_us: Ints) -> tuple[Ints, Ints]:
        """Give the rows and columns of some intervals."""
        hour_us = start_us - (start_us + self._phase_us) % HOUR_US
        return np.searchsorted(self.channels, channel).astype(np.int64), (hour_us - self._span[0]) // HOUR_US

    def leave(self, hot: pa.Table) -> None:
        """Leave the hours of which the hot tables hold something to `add_rest`."""
        self._left[self._cells(hot["channel"].to_numpy(), hot["hour_us"].to_numpy())] = True

    def add_file(self, path: str) -> bool:
        """Add a closed day's file; tell whether hours were left that it holds something of."""
        try:
            with pq.ParquetFile(path) as file:
                groups = [at for at in range(file.metadata.num_row_groups) if self._in_group(file, at)]
                rows = file.read_row_groups(groups, columns=COLUMNS, use_threads=False)
        except OSError as error:
            raise from_os_error(error) from error
        start = rows["start"].cast(pa.int64()).to_numpy()
        channel, value, quality = (rows[name].to_numpy() for name in ("channel", "value", "quality"))
        own = (start >= self._span[0]) & (start < self._span[1])
        at = np.minimum(np.searchsorted(self.channels, channel), len(self.channels) - 1)
        own = np.flatnonzero(own & (self.channels[at] == channel))
        row, hour = self._cells(channel[own], start[own])
        left = self._left[row, hour]
        kept = own[~left]
        self._add(row[~left], hour[~left], value[kept], quality[kept])
        return bool(left.any())

    def _in_group(self, file: pq.ParquetFile, number: int) -> bool:
        """Tell whether a group of rows may hold any of the channels."""
        said = file.metadata.row_group(number).column(0).statistics
        if said is None or not said.has_min_max:
            return True
        low, high = np.searchsorted(self.channels, [said.min, said.max + 1]).tolist()
        return low < high

    def _add(self, row: Ints, hour: Ints, value: Ints, quality: npt.NDArray[np.int16]) -> None:
        """Add intervals, sorted by channel and start: those of an hour lie next to each other, each hour once."""
        if not len(row):
            return
        trusted, known = self._trusted[quality], self._known[quality]
        first = np.flatnonzero(np.concatenate([[True], (row[1:] != row[:-1]) | (hour[1:] != hour[:-1])]))
        cells = row[first], hour[first]
        self.out.value[cells] += np.add.reduceat(np.where(known, value, 0), first)
        self.out.trusted[cells] += np.add.reduceat(trusted.astype(np.int16), first)
        self.out.known[cells] += np.add.reduceat(known.astype(np.int16), first)

    def add_rest(self, snapshot: Snapshot, paths: list[str]) -> None:
        """Add the hours that were left, by the precedence of all versions."""
        trusted, known = (quoted_numbers(ids) for ids in self._ids)
        versions = versions_sql(paths, some_channels=True, known_batch=None)
        sql = f"""select channel, {self.hour} as hour_us,
                sum(case when quality in ({known}) then value else 0 end)::bigint as value,
                count(*) filter (quality in ({trusted}))::smallint as trusted,
                count(*) filter (quality in ({known}))::smallint as known
            from ({effective_sql(versions, undone=self._undone)}) group by channel, hour_us"""
        some = self.channels[self._left.any(axis=1)]
        found = snapshot.arrow(sql, list(self._span), {"wanted": wanted(some)})
        cells = self._cells(found["channel"].to_numpy(), found["hour_us"].to_numpy())
        own = self._left[cells]
        row, hour = (one[own] for one in cells)
        for into, name in ((self.out.value, "value"), (self.out.trusted, "trusted"), (self.out.known, "known")):
            into[row, hour] = found[name].to_numpy()[own]


def _table(ids: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Say of each quality id whether it is one of these."""
    out = np.zeros(256, np.bool_)
    out[list(ids)] = True
    return out
