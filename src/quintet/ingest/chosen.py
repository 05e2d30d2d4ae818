"""With a map a dataset is only in part the city's: what the meters say that the map leaves out is not looked at."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.protocols import Part

from .door import Progress


class Chosen:
    """The meters of a map; parts of a source are cut down to them, and what is left out is counted in `skipped`."""

    def __init__(self, mapping: pa.Table) -> None:
        """Choose the meters that a map lists by (site, meter)."""
        site, meter = (_words(mapping[name]) for name in ("site", "meter"))
        self._sites, self._meters = pc.unique(site), pc.unique(meter)
        self._keys = np.unique(self._key(site, meter))
        self.skipped = 0

    def parts(self, parts: Iterable[Part], progress: Progress | None = None) -> Iterator[Part]:
        """Give the parts without other meters' rows; `progress` is told of the rows left out.

        A row that could not be taken and does not say whose it is stays: it may be one of the map's meters.
        """
        for good, bad in parts:
            kept, named = self._listed(good), self._listed(bad) | self._nameless(bad)
            left_out = len(kept) + len(named) - int(kept.sum()) - int(named.sum())
            if left_out:
                self.skipped += left_out
                if progress is not None:
                    progress(left_out)
            yield (good.filter(pa.array(kept)), bad.filter(pa.array(named))) if left_out else (good, bad)

    def _listed(self, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Say of each row whether the map lists its meter; a site or meter is looked up once, not once a row."""
        return np.isin(self._key(rows["site"], rows["meter"]), self._keys)

    def _key(self, site: pa.ChunkedArray, meter: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """Give each (site, meter) pair a number; negative where either is not in the map at all."""
        first, second = _positions(site, self._sites), _positions(meter, self._meters)
        return np.where((first < 0) | (second < 0), -1, first * len(self._meters) + second)

    @staticmethod
    def _nameless(rows: pa.Table) -> npt.NDArray[np.bool_]:
        return pc.or_(pc.is_null(rows["site"]), pc.is_null(rows["meter"])).to_numpy().astype(np.bool_)


def _words(column: pa.ChunkedArray) -> pa.Array:
    """Give a map's column as the doors write words: text without blanks around it."""
    return pc.utf8_trim_whitespace(column.cast(pa.string())).combine_chunks()


def _positions(words: pa.ChunkedArray | pa.Array, among: pa.Array) -> npt.NDArray[np.int64]:
    """Find words among others: their places, -1 for null and for what is not there."""
    coded = words if pa.types.is_dictionary(words.type) else words.dictionary_encode()
    chunks = coded.chunks if isinstance(coded, pa.ChunkedArray) else [coded]
    found = [np.empty(0, np.int64)]
    for chunk in chunks:
        places = pc.fill_null(pc.index_in(chunk.dictionary, value_set=among), -1).to_numpy().astype(np.int64)
        codes = pc.fill_null(chunk.indices, len(places)).to_numpy()
        found.append(np.append(places, -1)[codes])
    return np.concatenate(found)
