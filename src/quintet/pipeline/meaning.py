"""What the registry says of channels, as arrays indexed by channel number, ready for whole columns of readings."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from quintet.registry import Registry
from quintet.terms.period import MINUTE_US, grid_phase
from quintet.terms.reading import ValueKind, clock
from quintet.terms.unit import units
from quintet.vee import Kind, Order, Traits

from .derive import Channels
from .estimators import order_of
from .rows import I16, I32, I64, MOST_AMOUNT, U8, Mask, RawRows
from .thresholds import limits

AS_REGISTERED = ""
"""The unit of a reading whose source did not say one: whatever the registry says of its channel."""
METER_CLASS = "meter_class"
"""The column of the meters table that rules may be narrowed by."""
NAMELESS = "Wh"
"""Stands in for AS_REGISTERED where a table of units needs one; no row refers to it."""
WORDS = ("tz", "commodity", "role", "quantity", "unit")
KINDS = list(ValueKind)
NUMBERS = {kind.value: number for number, kind in enumerate(KINDS)}


@cache
def exact(text: str) -> Fraction:
    """Read a decimal as a fraction; a city's meters share few of them."""
    return Fraction(text)


@cache
def rate(text: str, unit: str) -> int:
    """Give a physical maximum in sub-units an hour."""
    return int(Fraction(text) * units()[unit].ratio)


@dataclass(frozen=True)
class Meaning:
    """Traits of all channels; arrays are indexed by channel number (gaps in the numbering hold zeros).

    `order` is the order of estimators in force; `meter_class` the city's own word for a kind of meter, empty for all
    where there is none.
    """

    kind: U8
    cadence_us: I64
    phase_us: I64
    dials: I32
    plate_max_per_hour: I64
    tz: list[str]
    multiplier: list[Fraction]
    commodity: list[str]
    role: list[str]
    quantity: list[str]
    unit: list[str]
    order: Order
    meter_class: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, registry: Registry) -> "Meaning":
        """Read every channel of a registry snapshot."""
        rows = registry.channels().to_pylist()
        size = max((row["channel"] for row in rows), default=-1) + 1
        kind, cadence = np.zeros(size, np.uint8), np.full(size, MINUTE_US, np.int64)
        phase, plate = np.zeros(size, np.int64), np.full(size, -1, np.int64)
        dials = np.full(size, -1, np.int32)
        words: dict[str, list[str]] = {name: [""] * size for name in WORDS}
        multiplier = [Fraction(1)] * size
        phases: dict[tuple[str, int], int] = {}
        classes, meter_class = registry.noted(METER_CLASS), [""] * size
        for row in rows:
            at = row["channel"]
            meter_class[at] = classes.get(row["name"], "")
            kind[at] = NUMBERS[row["value_kind"]]
            cadence[at] = row["cadence_min"] * MINUTE_US
            grid = (row["tz"], int(cadence[at]))
            if grid not in phases:
                phases[grid] = grid_phase(clock(row["tz"]), grid[1])
            phase[at] = phases[grid]
            dials[at] = -1 if row["dials"] is None else row["dials"]
            if row["plate_max"] is not None:
                plate[at] = rate(row["plate_max"], row["unit"])
            for name, column in words.items():
                column[at] = row[name]
            multiplier[at] = exact(row["multiplier"])
        return cls(
            kind,
            cadence,
            phase,
            dials,
            plate,
            order=order_of(registry),
            meter_class=meter_class,
            multiplier=multiplier,
            **words,
        )

    def channels(self, numbers: I32, unit_names: list[str]) -> Channels:
        """Give some channels as the derivation wants them; `unit_names` are the units as received, by number."""
        known = [units()[name or NAMELESS] for name in unit_names]
        return Channels(
            kind=self.kind[numbers],
            cadence_us=self.cadence_us[numbers],
            phase_us=self.phase_us[numbers],
            tz=self._zones[numbers].tolist(),
            dials=self.dials[numbers],
            multiplier=None if self._plain[numbers].all() else [self.multiplier[n] for n in numbers.tolist()],
            plate_max_per_hour=self.plate_max_per_hour[numbers],
            unit_ratios=[unit.ratio for unit in known],
            unit_rates=[unit.rate for unit in known],
            carry={},
        )

    def subjects(self, numbers: Sequence[int]) -> list[str]:
        """Give what the order of estimators knows some channels as."""
        return [self.order.subject(self.commodity[number], self.role[number]) for number in numbers]

    def traits(self, numbers: I32) -> Traits:
        """Give some channels as the rules want them."""
        kinds, kind_of = self._kinds
        return Traits(kinds, kind_of[numbers], self._plates[numbers])

    def kinds(self) -> list[Kind]:
        """Give the kinds that rules tell apart."""
        return self._kinds[0]

    def kind_numbers(self) -> I32:
        """Give each channel's number among the kinds."""
        return self._kinds[1]

    def warm(self) -> None:
        """Work out what is kept of the traits of all channels."""
        _ = self._kinds, self._plates, self._zones, self._plain, self._units

    @cached_property
    def _kinds(self) -> tuple[list[Kind], I32]:
        """Give the kinds that rules tell apart, and each channel's number among them."""
        words = [KINDS[kind].value for kind in self.kind.tolist()]
        all_rows = Traits.of(
            self.commodity, self.role, self.quantity, self.plate_max_per_hour, words, self.meter_class or None
        )
        return list(all_rows.kinds), all_rows.kind_of

    @cached_property
    def _plates(self) -> I64:
        """Give each channel's maximum in sub-units an hour (-1 unknown): its plate, else what a register's dials hold.

        Nothing is built that turns over within `fewest_turn_hours`.
        """
        plates = self.plate_max_per_hour.copy()
        counts = self.kind == NUMBERS[ValueKind.REGISTER_CUMULATIVE.value]
        for at in np.flatnonzero((plates < 0) & counts & (self.dials > 0)).tolist():
            turn = 10 ** int(self.dials[at]) * self.multiplier[at] * units()[self.unit[at]].ratio
            plates[at] = min(int(turn / limits().fewest_turn_hours), MOST_AMOUNT)
        return plates

    @cached_property
    def _zones(self) -> npt.NDArray[np.object_]:
        """Give each channel's own clock as an array."""
        return np.array(self.tz, dtype=object)

    @cached_property
    def _plain(self) -> Mask:
        """Mark the channels whose multiplier is 1."""
        return np.array([one == 1 for one in self.multiplier], np.bool_)

    @cached_property
    def _units(self) -> tuple[list[str], I16]:
        """Give the units that channels are registered in, and each channel's number among them."""
        names = sorted(set(self.unit))
        number = {name: place for place, name in enumerate(names)}
        return names, np.array([number[name] for name in self.unit], np.int16)

    def stated(self, rows: RawRows, unit_names: list[str]) -> tuple[RawRows, list[str]]:
        """Give rows with a unit each: those without one of their own get that of their channel's registration.

        Gives the rows and the names that their unit numbers now refer to (those given, and more behind them).
        """
        if AS_REGISTERED not in unit_names:
            return rows, unit_names
        own, unit_of = self._units
        names = [*unit_names, *(name for name in own if name not in unit_names)]
        number = {name: place for place, name in enumerate(names)}
        silent = rows.unit == number[AS_REGISTERED]
        registered = np.array([number[name] for name in own], np.int16)[unit_of[rows.channel]]
        return dataclasses.replace(rows, unit=np.where(silent, registered, rows.unit)), names

    def changed_from(self, before: "Meaning") -> I32:
        """Find channels of which something is said otherwise than before: their intervals must be derived anew."""
        size = min(len(self.kind), len(before.kind))
        differs = np.zeros(size, np.bool_)
        for one in dataclasses.fields(self):
            if one.name == "order":
                continue
            new, old = getattr(self, one.name)[:size], getattr(before, one.name)[:size]
            differs |= np.fromiter((a != b for a, b in zip(new, old, strict=True)), np.bool_, size)
        return np.flatnonzero(differs).astype(np.int32)
