"""What period rules need beside a block's values: registers, companions, conditions and history of the same rows.

A caller gives what it has; what it does not have stays None, and a single unknown number is NOTHING. A rule skips the
rows of which it knows too little.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.errors import BadInput

from .block import Ints, Mask

NOTHING = int(np.iinfo(np.int64).min)
"""A number that nobody knows."""
Bits = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Use:
    """What m rows used in another period: the amount, the time that it covers, and the highest single interval.

    `total` and `peak` in sub-units, `covered_us` in microseconds; the intervals were as long as those of the block.
    """

    total: Ints
    covered_us: Ints
    peak: Ints


@dataclass(frozen=True)
class Beside:
    """Arrays of a block's m rows: m entries, or m x n where a fact belongs to each interval.

    m: `register_total` (the register's difference over the block, sub-units, multiplier applied), `register_before`
    (the same over as long a time right before), `register_step` (one unit of the register times the multiplier,
    sub-units), `use_before`, `use_year_before`, `clock_offset_us` (the device's clock less the reference, the largest
    seen), `class_ppm` (accuracy class: 1 % is 10,000).

    m x n: `flags` (bits of device_flags.toml), `inactive`, `check` (the check meter's amounts), `reactive` (mvarh),
    `volume` (mL; of a heat meter's carrier, or of gas as it flowed), `delta_t_mk`, `pressure_pa` (absolute),
    `temperature_mk` (absolute), `compressibility_ppm` (Z: 1 is 1,000,000); these four and
    `class_ppm` may also be arrays of objects that hold exact fractions. `estimated` is taken from the block.
    """

    register_total: Ints | None = None
    register_before: Ints | None = None
    register_step: Ints | None = None
    use_before: Use | None = None
    use_year_before: Use | None = None
    clock_offset_us: Ints | None = None
    class_ppm: Ints | None = None
    flags: Bits | None = None
    inactive: Mask | None = None
    check: Ints | None = None
    reactive: Ints | None = None
    volume: Ints | None = None
    delta_t_mk: Ints | None = None
    pressure_pa: Ints | None = None
    temperature_mk: Ints | None = None
    compressibility_ppm: Ints | None = None
    estimated: Mask | None = None

    def refuse_misfit(self, rows: int, columns: int) -> None:
        """Raise BadInput for an array of another shape than m or m x n; it is named."""
        for name, part in self._arrays():
            shape = (rows,) if part.ndim == 1 else (rows, columns)
            if part.shape != shape:
                raise BadInput(
                    f"{name} does not fit {rows} channels x {columns} intervals: it is {part.shape}.",
                    code="bad_block",
                    place="facts beside a block",
                )

    def take(self, rows: Ints) -> "Beside":
        """Give some rows."""
        taken: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            part = getattr(self, field.name)
            if isinstance(part, Use):
                taken[field.name] = Use(part.total[rows], part.covered_us[rows], part.peak[rows])
            elif part is not None:
                taken[field.name] = part[rows]
        return Beside(**taken)

    def _arrays(self) -> list[tuple[str, npt.NDArray[Any]]]:
        """List what is known, by name."""
        out: list[tuple[str, npt.NDArray[Any]]] = []
        for field in dataclasses.fields(self):
            part = getattr(self, field.name)
            if isinstance(part, Use):
                out += [(f"{field.name}.{name}", held) for name, held in vars(part).items()]
            elif part is not None:
                out.append((field.name, part))
        return out


NONE_BESIDE = Beside()


def known(*parts: Ints | None) -> Mask | None:
    """Mark where all of some arrays hold a number; None where one of them is not there at all."""
    out: Mask | None = None
    for part in parts:
        if part is None:
            return None
        here = part != NOTHING
        out = here if out is None else out & here
    return out


def exact_fact(values: Sequence[Fraction | None]) -> npt.NDArray[Any]:
    """Give exact numbers as an array of objects, NOTHING where one is None."""
    return np.array([Fraction(NOTHING) if value is None else value for value in values], dtype=object)


def fact(values: Sequence[int | None]) -> Ints:
    """Give numbers as an array, NOTHING where one is None."""
    return np.array([NOTHING if value is None else value for value in values], np.int64)
