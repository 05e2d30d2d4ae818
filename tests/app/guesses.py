"""The best linear guess from sums: what each home used in a month, and who was away on a day.

Who guesses knows which homes are where, what homes use on average on each day and how much that varies, between homes
and from day to day, and when which readings came late. All sums, plain and weighed, are taken together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import asin, pi, sqrt

import numpy as np
import numpy.typing as npt

from .guessing import PLACES, Cell
from .guessing_city import DAYS, FACTORS, JULY, SIZES, Truth

Matrix = npt.NDArray[np.float64]
MONTHS = ((0, JULY), (JULY, DAYS))
ENOUGH = 15
"""Buildings of fewer homes are too few to tell a gain from chance."""


def reckoned(homes: int) -> float:
    """Give what the sum of so many alike homes gains over guessing of one of them (floor.toml says why)."""
    return asin(1 / sqrt(homes)) / pi


@dataclass(frozen=True)
class Gain:
    """How much more often than half a guess was right, over how many, and by building."""

    all: float
    count: int
    by: dict[str, float]

    @property
    def worst(self) -> str:
        """Name the building where most was gained, of those that are large enough to tell."""
        return max((place for place in SIZES if SIZES[place] >= ENOUGH), key=lambda place: self.by[place])

    @property
    def surely(self) -> float:
        """Give what is gained at least in that building, three errors of so many draws taken off."""
        drawn = self.count * SIZES[self.worst] / sum(SIZES.values())
        return self.by[self.worst] - 3 * 0.5 / sqrt(drawn)

    def __str__(self) -> str:
        return f"{self.all:.1%} of {self.count}, worst {self.by[self.worst]:.1%} in {SIZES[self.worst]} homes"


class Guesser:
    """Makes guesses of one city's homes from what was told; `cells` say which sums, each redrawn city what they are."""

    def __init__(self, what: Truth, cells: Sequence[Cell]) -> None:
        self._truth = what
        self._sums = [
            (what.within(place), ~what.late | whole, basis)
            for place in PLACES
            for whole in (False, True)
            if len(basis := _basis([one for one in cells if (one.place, one.whole) == (place, whole)]))
        ]

    @cached_property
    def rows(self) -> Matrix:
        """Give what each sum is made of [sums, homes, days]."""
        homes = len(self._truth.homes)
        parts = [basis[:, None, :] * (inside[:, None] & heard) for inside, heard, basis in self._sums]
        return np.concatenate(parts) if parts else np.zeros((0, homes, DAYS))

    def exposed(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """Give by span the size of the smallest group whose sum follows from what is known; 0: none does.

        Of all that adds up from known sums, what is of the span alone and weighs each of its days alike are sums over
        groups of homes; the smallest are those that no other of them cuts.
        """
        late, building = self._truth.late, np.unique(self._truth.building, return_inverse=True)[1].reshape(-1, 1)
        _, heads, kind = np.unique(np.hstack([building, late]), axis=0, return_index=True, return_inverse=True)
        count = np.bincount(kind.reshape(-1))
        flat = self.rows[:, heads].reshape(len(self.rows), -1)
        _, sizes, known = np.linalg.svd(flat, full_matrices=False) if len(flat) else (None, np.zeros(0), flat)
        known = known[sizes > 1e-9 * sizes.max(initial=0)].reshape(-1, len(heads), DAYS)
        out: list[int] = []
        for first, last in spans:
            over = known[:, :, first:last].sum(axis=2) / sqrt(last - first)
            lost, groups = np.linalg.eigh(np.eye(len(heads)) - over.T @ over)
            groups = groups[:, lost < 1e-9]
            told = groups @ groups.T
            _, which = np.unique(told.round(6), axis=0, return_inverse=True)
            parts = np.eye(int(which.max()) + 1)[which.reshape(-1)].T
            sums = np.abs(parts - parts @ told).max(axis=1) < 1e-5
            out.append(int(min((parts @ count)[sums], default=0)))
        return out

    def gains(self, drawn: Sequence[Truth]) -> tuple[Gain, Gain]:
        """Guess of each home of some cities the months above the median, and on which days it was away."""
        use = np.stack([one.use for one in drawn])  # cities, homes, days
        usual = use.mean(axis=1, keepdims=True)
        spread = [use[:, :, slice(*span)].mean(axis=2).std() for span in MONTHS]
        daily = float(np.std([use[..., slice(*span)].std(axis=2).mean() for span in MONTHS], ddof=0)) + float(
            use[..., :JULY].std(axis=2).mean()
        )
        between = max(float(np.mean(spread)) ** 2 - daily**2 / JULY, 0.0)
        rows, flat = self.rows, self.rows.reshape(len(self.rows), -1)
        ends = rows.sum(axis=2)
        cover = between * ends @ ends.T + daily**2 * flat @ flat.T
        told = flat @ (use - usual).reshape(len(drawn), -1).T
        weight = np.linalg.lstsq(cover, told, rcond=1e-10)[0]  # sums, cities
        level = between * np.einsum("kh,kc->ch", ends, weight, optimize=True)
        day = daily**2 * (weight.T @ flat).reshape(use.shape)
        months = np.stack([level * (last - first) + day[:, :, first:last].sum(axis=2) for first, last in MONTHS], 2)
        real = np.stack([use[:, :, first:last].sum(axis=2) for first, last in MONTHS], 2)
        more = real > np.median(real, axis=1, keepdims=True)
        return self._gain(_right(months, more)), self._gain(_balanced(-day, np.stack([one.away for one in drawn])))

    def _gain(self, right: Matrix) -> Gain:
        by = {place: float(np.nanmean(right[:, self._truth.within(place)])) - 0.5 for place in SIZES}
        return Gain(float(np.nanmean(right)) - 0.5, int((~np.isnan(right)).sum()), by)


def _basis(cells: Sequence[Cell]) -> Matrix:
    """Give all that sums of one place tell of its days [n, days], each once."""
    rows = np.zeros((len(cells), DAYS))
    for row, one in zip(rows, cells, strict=True):
        row[one.first : one.last] = FACTORS[one.first : one.last] if one.weighed else 1
    if not len(rows):
        return rows
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(basis[sizes > 1e-9 * sizes.max()], np.float64)


def _right(guess: Matrix, real: npt.NDArray[np.bool_]) -> Matrix:
    """Score guesses: 1, 0, and a half where nothing is known."""
    return np.where(np.isclose(guess, 0, atol=1e-9), 0.5, ((guess > 0) == real).astype(float))


def _balanced(guess: Matrix, away: npt.NDArray[np.bool_]) -> Matrix:
    """Score guesses of who was away, of as many days on which a home was as of such on which it was not, by city."""
    right = _right(guess, away)
    chance = np.random.default_rng(1).random(away.shape)
    few = away.sum(axis=1, keepdims=True)
    order = np.argsort(np.argsort(np.where(away, 2.0, chance), axis=1), axis=1)
    return np.where(away | (order < few), right, np.nan)
