"""What stands beside a block of channels: companions, history, events and occupancy, gathered for the period rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.pipeline.meaning import Meaning, exact
from quintet.pipeline.rows import I32, I64, Mask
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals
from quintet.terms.period import HOUR_US
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units
from quintet.vee import Block
from quintet.vee.apportion import divide_half_even
from quintet.vee.beside import NOTHING, Beside, Use
from quintet.vee.block import of_kind
from quintet.vee.checks_state import device_flags

from .vee_clock import Clocks
from .vee_load import Sheet

CHECK_OF = "check_of"
"""The column of a meters table that names the meter which this one checks: a note of the registry."""
REACTIVE, VOLUME, WARMTH, PRESSURE = "reactive_energy", "volume", "temperature", "pressure"
"""Quantities of companions: of the same meter, or the only one at the same place."""
IDEAL_PPM = 1_000_000
"""Z of a gas of which nobody measures it: 1, as where `quintet vee try` is not told."""


@dataclass(frozen=True)
class Companions:
    """Which channel stands beside which (numbers): its register, its check meter, its reactive twin, its volume, ….

    `warmth` is a heat meter's difference of temperatures, or the gas's temperature; `pressure` is the gas's.
    """

    register: Mapping[int, int]
    check: Mapping[int, int]
    reactive: Mapping[int, int]
    volume: Mapping[int, int]
    warmth: Mapping[int, int] = field(default_factory=dict[int, int])
    pressure: Mapping[int, int] = field(default_factory=dict[int, int])

    @classmethod
    def of(cls, registry: Registry) -> "Companions":
        """Find them in a registry."""
        rows = registry.channels().to_pylist()
        places: dict[str, list[dict[str, object]]] = {}
        for row in rows:
            places.setdefault(registry.place_of(row["channel"]), []).append(row)
        register: dict[int, int] = {}
        beside: dict[str, dict[int, int]] = {name: {} for name in (REACTIVE, VOLUME, WARMTH, PRESSURE)}
        for here in places.values():
            register |= _registers(here)
            for quantity in beside:
                beside[quantity] |= _beside(here, quantity)
        return cls(register, _checks(registry), *beside.values())


def _registers(here: list[dict[str, object]]) -> dict[int, int]:
    """Find the channels of one place that send intervals and have exactly one register of the same kind beside them."""
    kinds: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in here:
        kinds.setdefault((row["commodity"], row["quantity"], row["role"]), []).append(row)
    out: dict[int, int] = {}
    for rows in kinds.values():
        registers = [row for row in rows if row["value_kind"] == ValueKind.REGISTER_CUMULATIVE.value]
        rest = [row for row in rows if row["value_kind"] != ValueKind.REGISTER_CUMULATIVE.value]
        if len(registers) == len(rest) == 1:
            out[_number(rest[0])] = _number(registers[0])
    return out


def _beside(here: list[dict[str, object]], quantity: str) -> dict[int, int]:
    """Find for the balanced channels of a place the one that measures another quantity of what they measure.

    It is of a commodity that is never balanced and named after theirs, and of the same meter, or alone at the place.
    """
    others = [row for row in here if row["quantity"] == quantity and not row["balanced"]]
    out: dict[int, int] = {}
    for row in here:
        named = [one for one in others if row["balanced"] and str(one["commodity"]).startswith(f"{row['commodity']}_")]
        own = [one for one in named if one["meter"] == row["meter"]] or named
        if len(own) == 1:
            out[_number(row)] = _number(own[0])
    return out


def _number(row: Mapping[str, object]) -> int:
    return int(str(row["channel"]))


def _checks(registry: Registry) -> dict[int, int]:
    """Find the meters that a table names as checking another of the same site, channel by channel of one commodity."""
    listed = {row["name"]: row for row in registry.channels().to_pylist()}
    by_meter: dict[tuple[str, str, str], int] = {
        (row["site"], row["meter"], row["commodity"]): row["channel"] for row in listed.values()
    }
    out: dict[int, int] = {}
    for meter in registry.meters():
        for name, notes in meter.notes.items():
            checked = notes.get(CHECK_OF)
            row = listed.get(name)
            if checked and row is not None:
                main = by_meter.get((meter.site, str(checked), row["commodity"]))
                if main is not None:
                    out[main] = row["channel"]
    return out


class Evidence:
    """Gathers what stands beside blocks of one city, as its registry and events stand."""

    def __init__(
        self, engine: Engine, snapshot: Snapshot, registry: Registry, meaning: Meaning, events: pa.Table
    ) -> None:
        """Read through a snapshot; `events` are those that stand (store.events)."""
        self._engine, self._snapshot = engine, snapshot
        self._registry, self._meaning = registry, meaning
        self.companions = Companions.of(registry)
        self._flags = _flags_of(events)
        self._clocks = Clocks(events)
        self._empty = {
            place: spans for place in registry.timelines("occupancy") if (spans := _unoccupied(registry, place))
        }

    def beside(self, block: Sheet, before: Sheet, year_before: Sheet | None) -> Beside:
        """Give what is known beside a block; `before` and `year_before` hold the same rows in those periods."""
        channels = block.channels
        warmth = self._mean(block, self.companions.warmth)
        register = np.array([self.companions.register.get(number, -1) for number in channels.tolist()], np.int64)
        return Beside(
            register_total=self._register_totals(block, register),
            register_before=_complete(before, _is_register(self._meaning, channels)),
            register_step=self._register_steps(channels, register),
            use_before=_use(before),
            use_year_before=None if year_before is None else _use(year_before),
            flags=self._flag_bits(block),
            inactive=self._inactive(block),
            check=self._aligned(block, self.companions.check),
            reactive=self._aligned(block, self.companions.reactive),
            volume=self._aligned(block, self.companions.volume),
            delta_t_mk=warmth,
            temperature_mk=warmth,
            pressure_pa=self._mean(block, self.companions.pressure),
            compressibility_ppm=None if warmth is None else np.full(block.value.shape, IDEAL_PPM, np.int64),
            clock_offset_us=self._clocks.of(block),
        )

    def _mean(self, block: Block, companion: Mapping[int, int]) -> I64 | None:
        """Give the means of conditions over the intervals of a block; NOTHING, or None, where nobody knows."""
        held = self._aligned(block, companion)
        if held is None:
            return None
        # stored are thousandths of what rules ask for, times hours
        thousandths = divide_half_even(np.where(held == NOTHING, 0, held) * HOUR_US, block.cadence_us)
        return np.where(held == NOTHING, NOTHING, divide_half_even(thousandths, 1000))

    def _register_totals(self, block: Sheet, register: I64) -> I64:
        """Give the register's difference over a block: of the twin, or of the channel itself where it is a register."""
        own = _complete(block, _is_register(self._meaning, block.channels))
        rows = np.flatnonzero(register >= 0)
        if len(rows):
            twins = {int(block.channels[row]): int(register[row]) for row in rows}
            values = self._aligned(block, twins)
            if values is not None:
                whole = (values[rows] != NOTHING).all(axis=1)
                own[rows] = np.where(whole, np.where(values[rows] != NOTHING, values[rows], 0).sum(axis=1), NOTHING)
        return own

    def _register_steps(self, channels: I32, register: I64) -> I64:
        """Give one unit of the register times its multiplier, in sub-units; NOTHING without a register beside."""
        out = np.full(len(channels), NOTHING, np.int64)
        for row in np.flatnonzero(register >= 0).tolist():
            unit = units()[self._meaning.unit[int(register[row])]]
            out[row] = int(unit.ratio * exact(str(self._meaning.multiplier[int(register[row])])))
        return out

    def _aligned(self, block: Block, companion: Mapping[int, int]) -> I64 | None:
        """Give measured amounts of companions on a block's grid, NOTHING elsewhere; None where no row has one."""
        pairs = {row: companion[n] for row, n in enumerate(block.channels.tolist()) if n in companion}
        pairs = {
            row: other
            for row, other in pairs.items()
            if int(self._meaning.cadence_us[other]) == block.cadence_us
            and (block.start_us + int(self._meaning.phase_us[other])) % block.cadence_us == 0
        }
        if not pairs:
            return None
        out = np.full(block.value.shape, NOTHING, np.int64)
        others = np.unique(np.array(list(pairs.values()), np.int32))
        table = intervals(self._engine, self._snapshot, block.start_us, block.end_us, channels=others)
        channel, start, value, quality = (
            table[name].to_numpy() for name in ("channel", "start_us", "value", "quality")
        )
        measured = of_kind("measured")[quality]
        for row, other in pairs.items():
            mine = measured & (channel == other)
            out[row, (start[mine] - block.start_us) // block.cadence_us] = value[mine]
        return out

    def _flag_bits(self, block: Block) -> npt.NDArray[np.uint32] | None:
        """Give the flags that devices reported, by interval; None where none did."""
        own = [(row, self._flags[n]) for row, n in enumerate(block.channels.tolist()) if n in self._flags]
        if not own:
            return None
        out = np.zeros(block.value.shape, np.uint32)
        for row, spans in own:
            for low, high, bit in spans:
                out[row, columns_of(block, low, high)] |= np.uint32(1 << bit)
        return out

    def _inactive(self, block: Block) -> Mask | None:
        """Mark the intervals in which nobody had a dwelling; None where every row is somebody's or nobody said."""
        places = [self._registry.place_of(number) for number in block.channels.tolist()]
        own = [(row, self._empty[place]) for row, place in enumerate(places) if place in self._empty]
        if not own:
            return None
        out = np.zeros(block.value.shape, np.bool_)
        for row, spans in own:
            for low, high in spans:
                out[row, columns_of(block, low, high)] = True
        return out


def columns_of(block: Block, low_us: int, high_us: int) -> slice:
    """Give the columns of a block that start in [low, high)."""
    first, end = (max(-((block.start_us - moment) // block.cadence_us), 0) for moment in (low_us, high_us))
    return slice(first, max(end, first))


def _sums(block: Sheet) -> I64:
    return block.amount.sum(axis=1)


def _use(block: Sheet) -> Use:
    """Sum up what was measured in a period; NOTHING where nothing was."""
    count, value = block.here.sum(axis=1), block.amount
    peak = value.max(axis=1, initial=0)
    return Use(
        np.where(count > 0, value.sum(axis=1), NOTHING),
        count * block.cadence_us,
        np.where(count > 0, peak, NOTHING),
    )


def _is_register(meaning: Meaning, channels: I32) -> Mask:
    kinds = list(ValueKind)
    return meaning.kind[channels] == kinds.index(ValueKind.REGISTER_CUMULATIVE)


def _complete(block: Sheet, wanted: Mask) -> I64:
    """Sum up the wanted rows of which every interval was measured; NOTHING for others."""
    whole = wanted & block.here.all(axis=1)
    return np.where(whole, _sums(block), NOTHING)


def _flags_of(events: pa.Table) -> dict[int, list[tuple[int, int, int]]]:
    """Give the device flags that V05 knows, by channel: from, until and the flag's bit."""
    out: dict[int, list[tuple[int, int, int]]] = {}
    for row in events.to_pylist():
        flag = device_flags().get(row["detail"])
        if row["kind"] == "device_flag" and row["channel"] is not None and flag is not None:
            until = row["until_us"] if row["until_us"] is not None else 2**62
            out.setdefault(row["channel"], []).append((row["from_us"], max(until, row["from_us"] + 1), flag.bit))
    return out


def _unoccupied(registry: Registry, place: str) -> list[tuple[int, int]]:
    """List when nobody had a dwelling, between the first move-in that anyone stated and the end of time."""
    held = registry.occupancies(place)
    out: list[tuple[int, int]] = []
    for one, following in zip(held, [*held[1:], None], strict=True):
        until = 2**62 if following is None else following.start_us
        if one.end_us < until:
            out.append((one.end_us, until))
    return out
