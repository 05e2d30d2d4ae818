"""A simulated city's readings as they would travel: in parcels, and each at the moment when its concentrator sends it.

A concentrator gathers the meters that hang on it and sends once in each quarter hour, a fixed while after its start, so
that a city does not speak all at once. A register's reading is sent in the quarter hour that begins with it; an
interval's sum, stamped by its start, in the one after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.terms.length import DAY_US
from quintet.terms.reading import ValueKind

from .city import SimulatedCity
from .plan import STEP_US, Ints

MOST_CONCENTRATORS = 1_800
"""Two a second over a quarter hour: a page that follows them moves, and few commits a second carry them."""
FEWEST_METERS = 5
"""Meters on one concentrator at least: a dwelling's five."""
MIX = 2_654_435_761
"""Knuth's multiplier (2**32 over the golden ratio): spreads consecutive numbers evenly."""

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Readings that travel together: positions in the city's names, moments (us, UTC), values in the meters' units."""

    name: Codes
    at_us: Ints
    value: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.name)

    def without(self, rows: Sequence[int]) -> "Parcel":
        """Give the readings but those at some positions."""
        return Parcel(np.delete(self.name, rows), np.delete(self.at_us, rows), np.delete(self.value, rows))


@dataclass(frozen=True, slots=True)
class Sending:
    """A parcel and the moment (us) when its concentrator sends it."""

    due_us: int
    parcel: Parcel


class Traffic:
    """The readings of a city by day, with one number for each meter; `names` gives (site, meter) by number."""

    def __init__(self, city: SimulatedCity) -> None:
        """Give the city's meters numbers, and hang them on concentrators."""
        self._city = city
        meters = city.meters
        sites, named = meters["site"].to_pylist(), meters["meter"].to_pylist()
        self.names: list[tuple[str, str]] = list(zip(sites, named, strict=True))
        kinds = np.array(meters["value_kind"].to_pylist())
        self._summed = kinds == ValueKind.INTERVAL_SUM.value
        each = max(FEWEST_METERS, -(-len(self.names) // MOST_CONCENTRATORS))
        starts = np.array([i == 0 or sites[i] != sites[i - 1] for i in range(len(sites))], np.bool_)
        site = np.cumsum(starts) - 1
        place = np.arange(len(sites)) - np.flatnonzero(starts)[site]
        _, self._concentrator = np.unique(site * len(sites) + place // each, return_inverse=True)
        self._site = site.astype(np.int32)
        self._delay_us = (self._concentrator.astype(np.int64) * MIX % 2**32) * (STEP_US // 1000) // 2**32 * 1000
        self._number = {name: i for i, name in enumerate(self.names)}

    def day(self, day: date) -> Parcel:
        """Give the readings of a local day in order of time, then of meters; those that come late not among them."""
        parcel = self._parcel(self._city.readings(day))
        order = np.argsort(parcel.at_us, kind="stable")
        return _taken(parcel, order)

    def parcels(self, day: date, most: int, *, by_site: bool = False) -> Iterator[Parcel]:
        """Give a day in parcels of at most `most` readings in order of time; `by_site`: none of several sites."""
        whole = self.day(day)
        if not by_site:
            for low in range(0, len(whole), most):
                yield _cut(whole, low, low + most)
            return
        group = np.flatnonzero(np.diff(self._site[whole.name]) | (np.diff(whole.at_us) != 0)) + 1
        for low, high in zip([0, *group.tolist()], [*group.tolist(), len(whole)], strict=True):
            for start in range(low, high, most):
                yield _cut(whole, start, min(start + most, high))

    def due_us(self, parcel: Parcel) -> Ints:
        """Give when each reading is sent: its concentrator's turn in the quarter hour after it is known."""
        return parcel.at_us + np.where(self._summed[parcel.name], STEP_US, 0) + self._delay_us[parcel.name]

    def sendings(self, day: date) -> list[Sending]:
        """Give what the concentrators send for a local day, in order of their turns; late readings of earlier days too.

        Those are spread over the day on which they come.
        """
        whole, late = self.day(day), self._parcel(self._city.late(day))
        begin = int(self._city.plan.edges(day)[0])
        spread = begin + (np.arange(len(late), dtype=np.int64) * MIX % 2**32) * (DAY_US // 1000) // 2**32 * 1000
        joined = Parcel(
            np.concatenate([whole.name, late.name]),
            np.concatenate([whole.at_us, late.at_us]),
            np.concatenate([whole.value, late.value]),
        )
        due = np.concatenate([self.due_us(whole), spread])
        order = np.lexsort((self._concentrator[joined.name], due))
        joined, due = _taken(joined, order), due[order]
        group = np.flatnonzero((np.diff(due) != 0) | (np.diff(self._concentrator[joined.name]) != 0)) + 1
        edges = [0, *group.tolist(), len(due)]
        return [Sending(int(due[low]), _cut(joined, low, high)) for low, high in pairwise(edges) if high > low]

    def table_until(self, day: date, now_us: int) -> pa.Table:
        """Give what of a day's sendings was sent by a moment, in the dataset layout."""
        sent = [one.parcel for one in self.sendings(day) if one.due_us <= now_us]
        if not sent:
            return self._city.readings(day).slice(0, 0)
        name = np.concatenate([one.name for one in sent])
        sites = pa.array([site for site, _ in self.names]).dictionary_encode()
        meters = pa.array([meter for _, meter in self.names]).dictionary_encode()
        schema = self._city.readings(day).schema
        at = pa.array(np.concatenate([one.at_us for one in sent])).view(schema.field("ts_utc").type)
        columns = [sites.take(pa.array(name)), meters.take(pa.array(name)), at]
        return pa.Table.from_arrays([*columns, pa.array(np.concatenate([one.value for one in sent]))], schema=schema)

    def _parcel(self, table: pa.Table) -> Parcel:
        """Turn readings in the dataset layout into numbers, each combination of names looked up once."""
        table = table.combine_chunks().unify_dictionaries()
        if not table.num_rows:
            return Parcel(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.float64))
        site, meter = table["site"].chunk(0), table["meter"].chunk(0)
        width = len(meter.dictionary)
        key = site.indices.to_numpy().astype(np.int64) * width + meter.indices.to_numpy()
        number = np.full(len(site.dictionary) * width, -1, np.int32)
        sites, meters = site.dictionary.to_pylist(), meter.dictionary.to_pylist()
        for packed in pc.unique(pa.array(key)).to_pylist():
            number[packed] = self._number[sites[packed // width], meters[packed % width]]
        at = table["ts_utc"].cast(pa.int64()).to_numpy()
        return Parcel(number[key], at, table["value"].to_numpy())


def _taken(parcel: Parcel, order: npt.NDArray[np.intp]) -> Parcel:
    return Parcel(parcel.name[order], parcel.at_us[order], parcel.value[order])


def _cut(parcel: Parcel, low: int, high: int) -> Parcel:
    return Parcel(parcel.name[low:high], parcel.at_us[low:high], parcel.value[low:high])
