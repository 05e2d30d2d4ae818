"""What each meter of a flow came to in each cell of time, and the common course and levels that such cells show."""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from quintet.terms.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

ROUNDS = 3
"""Rounds of the fit of levels and course: each is the exact answer to the other, and three leave no visible change."""


@dataclass(frozen=True, slots=True)
class MeterCells:
    """Sums by meter and cell of time of one group of like meters (one flow of one carrier at one level of places).

    `value` int64 [meters, cells], sub-units, signed as they count; `due`: something is owed in the cell; `whole`: all
    of it was measured; `estimated`: the share of a cell that is known but not measured, NaN where a part is not known
    at all; `inside` [cells]: the cell belongs to the period, the others only tell levels; `days` [cells]: their length;
    `size` [meters]: what is stated of how large the user is (floor area), NaN where nothing is.
    """

    value: Ints
    due: Mask
    whole: Mask
    estimated: Floats
    inside: Mask
    days: Floats
    size: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit."""
        shapes = {one.shape for one in (self.value, self.due, self.whole, self.estimated)}
        wide = {one.shape for one in (self.inside, self.days)}
        if shapes != {(len(self.size), len(self.inside))} or len(wide) > 1:
            raise UsageError("sums, cells due and cells measured differ in shape.", code="bad_shape")

    @property
    def heard(self) -> Mask:
        """Cells that are owed and wholly measured."""
        return self.due & self.whole

    @property
    def unknown(self) -> Mask:
        """Cells of the period that are owed and not wholly measured."""
        return self.due & ~self.whole & self.inside

    def part(self, rows: Mask | Rows) -> "MeterCells":
        """Give some of the meters."""
        return MeterCells(
            self.value[rows], self.due[rows], self.whole[rows], self.estimated[rows], self.inside, self.days,
            self.size[rows],
        )  # fmt: skip

    def within(self, inside: Mask) -> "MeterCells":
        """Give the same cells, others of them being the period."""
        return replace(self, inside=inside)

    def cut(self, cells: slice) -> "MeterCells":
        """Give fewer cells."""
        wide = {name: getattr(self, name)[:, cells] for name in ("value", "due", "whole", "estimated")}
        return MeterCells(**wide, inside=self.inside[cells], days=self.days[cells], size=self.size)


def pooled(groups: list[MeterCells]) -> MeterCells:
    """Take the meters of all groups together; raises UsageError where there is none."""
    if not groups:
        raise UsageError("a total is of one group of meters at least.", code="bad_shape")
    if len(groups) == 1:
        return groups[0]
    names = [one.name for one in fields(MeterCells) if one.name not in ("inside", "days")]
    columns = {name: np.concatenate([getattr(one, name) for one in groups]) for name in names}
    return MeterCells(**columns, inside=groups[0].inside, days=groups[0].days)


@dataclass(frozen=True, slots=True)
class Course:
    """The common course of meters [m] over cells: of each its share of the sum behind it.

    `mean` [cells] is what a meter of level 1 comes to, NaN where nobody was measured; `part` [m, cells] is what each
    meter adds to the sums `above` [cells], `weight` [m] its part of `below` [cells]; `level` [m].
    """

    mean: Floats
    above: Floats
    below: Floats
    part: Floats
    weight: Floats
    level: Floats

    @classmethod
    def of(cls, meters: MeterCells) -> "Course":
        """Fit value = level x course over the cells measured, weighing meters by the root of their level.

        Between the mean of meters, which the smallest ones shake, and the ratio of sums, which is the largest one's.
        """
        heard = meters.heard
        value = np.where(heard, meters.value, 0.0)
        counts, total, timed = heard.astype(np.float64), value.sum(axis=1), (heard * meters.days).sum(axis=1) > 0
        mean = meters.days.copy()
        level = weight = np.zeros(len(value))
        above = below = np.zeros(len(mean))
        part = value
        for _ in range(ROUNDS):
            base = counts @ np.nan_to_num(mean)
            level = np.where(base > 0, total / np.where(base > 0, base, 1), 0.0)
            weight = np.where((level > 0) & timed, np.sqrt(np.maximum(level, 0)), 0.0)
            part = value * np.divide(weight, level, out=np.zeros(len(level)), where=weight > 0)[:, None]
            above, below = part.sum(axis=0), weight @ counts
            mean = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
        return cls(mean, above, below, part, weight, level)

    def without(self, rows: Rows, heard: Mask) -> Floats:
        """Give for each of some meters the course [rows, cells] of all others; NaN where nobody else was measured."""
        above = self.above - self.part[rows]
        below = self.below - self.weight[rows, None] * heard[rows]
        sure = below > self.below * 1e-9
        return np.divide(above, below, out=np.full(above.shape, np.nan), where=sure & (below > 0))
