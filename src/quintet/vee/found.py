"""What a period rule gives: the spans it objects to, the rows it could judge, and the figures of its formula."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .block import Ids, Mask

Spans = tuple[Ids, Ids, Ids]
"""Row of the slab, first column, last column (both included), in that order."""


class Figure(NamedTuple):
    """One figure of a formula for each of k rows: whole numbers or fractions, None where there is none.

    `form` says what they are: "amount" (sub-units of the channel), "ratio" (a plain number), "count", "duration"
    (microseconds), "kelvin" (thousandths), "volume" (mL), "reactive" (mvarh) or "text".
    """

    form: str
    values: npt.NDArray[Any]


Figures = Mapping[str, Figure]


def no_figures() -> Figures:
    """Give none."""
    return {}


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule found in k rows.

    `judged` marks the rows of which enough was known; `figures` works the formula's figures out when they are asked
    for (a city's run never does); `middle` marks, of a rule with a middle zone, the spans that lie in it (they flag,
    all others fail).
    """

    spans: Spans
    judged: Mask
    figures: Callable[[], Figures] = no_figures
    middle: Mask | None = None


def whole_rows(hit: Mask, columns: int) -> Spans:
    """Give a span over all columns for each row that is hit."""
    row = np.flatnonzero(hit).astype(np.int32)
    return row, np.zeros(len(row), np.int32), np.full(len(row), columns - 1, np.int32)


def joined(parts: list[Spans]) -> Spans:
    """Join lists of spans; none gives empty arrays."""
    empty = np.zeros(0, np.int32)
    row, first, last = (np.concatenate([empty, *(part[place] for part in parts)]) for place in range(3))
    return row, first, last


def some(mask: Mask) -> Mask:
    """Mark the rows that hold a True."""
    return np.asarray(mask.any(axis=1), np.bool_)


def all_of(mask: Mask) -> Mask:
    """Mark the rows that hold nothing but True."""
    return np.asarray(mask.all(axis=1), np.bool_)


def unjudged(rows: int) -> Found:
    """Say that nothing could be judged."""
    return Found(joined([]), np.zeros(rows, np.bool_))


def objects(size: int) -> npt.NDArray[Any]:
    """Give an array of None that holds whole numbers and fractions of any size."""
    return np.full(size, None, dtype=object)


def picked(mask: Mask, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give values as objects where a mask is True, None elsewhere."""
    out = objects(len(mask))
    out[mask] = values[mask].astype(object)
    return out
