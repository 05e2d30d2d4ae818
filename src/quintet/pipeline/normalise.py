"""Readings as a source named and numbered them become raw rows of known channels; the rest is quarantined by name."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.terms.amount import decimals_of
from quintet.terms.period import MINUTE_US
from quintet.terms.reading import ValueKind
from quintet.terms.tables import QUARANTINE
from quintet.terms.unit import units

from .bounds import limits
from .meaning import AS_REGISTERED
from .rows import I16, I32, I64, Mask, RawRows

EARLIEST_US = 631_152_000_000_000
"""1990-01-01: no meter that sends readings is older; 1970 is a clock that was never set."""
MOST_REFUSED = 50_000
"""Names without a channel that are remembered; a device that makes up names costs no more memory than these."""
STAMPED = "stamped"
UNTIMED = "The row has no time of its own: an amount that is sent again would count twice. Send the time with it."
CLOCK_OFF = "The device's own clock is off by an interval or more: set it, its stamps cannot be trusted."
REGISTERS = (ValueKind.REGISTER_CUMULATIVE, ValueKind.REGISTER_DAILY_RESET)
SUMS = (ValueKind.INTERVAL_SUM, ValueKind.EVENT_SUM)
"""Kinds whose readings add up: one that is stamped twice counts twice."""
RATES = (ValueKind.AVG_POWER, ValueKind.INST_FLOW)

Codes = npt.NDArray[np.int64]
Names = tuple[str | None, str | None, str | None, str | None]
"""Site, meter, commodity and unit as a row says them."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What one combination of site, meter, commodity and unit means: a channel, or why it means none."""

    channel: int
    unit: int
    shift_us: int
    register: bool
    adds_up: bool
    cadence_us: int
    code: str
    reason: str

    @property
    def words(self) -> tuple[str, str]:
        """Code and reason of names that mean no channel."""
        return self.code, self.reason


@dataclass(frozen=True, slots=True)
class Meant:
    """Namings as arrays, by their number."""

    channel: I32
    unit: I16
    shift_us: I64
    register: Mask
    adds_up: Mask
    cadence_us: I64

    @classmethod
    def of(cls, namings: list[Naming]) -> "Meant":
        """Lay namings out as columns."""
        return cls(
            np.array([one.channel for one in namings], np.int32),
            np.array([one.unit for one in namings], np.int16),
            np.array([one.shift_us for one in namings], np.int64),
            np.array([one.register for one in namings], np.bool_),
            np.array([one.adds_up for one in namings], np.bool_),
            np.array([one.cadence_us for one in namings], np.int64),
        )

    def followed_by(self, more: "Meant") -> "Meant":
        """Give these and then more."""
        return Meant(*(np.concatenate([getattr(self, f.name), getattr(more, f.name)]) for f in fields(Meant)))


class Resolved:
    """Names that were resolved, by number; they are only ever added."""

    def __init__(self, known: dict[Names, Naming] | None = None) -> None:
        """Start with what is known of names."""
        known = known or {}
        self.numbers: dict[Names, int] = {names: number for number, names in enumerate(known)}
        self.namings: list[Naming] = list(known.values())
        self.refused = 0
        self._meant = Meant.of(self.namings)

    def add(self, names: Names, naming: Naming) -> None:
        """Give names a number and what they mean; call it with the edge held."""
        self.numbers[names] = len(self.namings)
        self.namings.append(naming)
        self.refused += naming.channel < 0

    def meant(self) -> Meant:
        """Give what all of them mean as arrays; call it with the edge held."""
        held = len(self._meant.channel)
        if held < len(self.namings):
            self._meant = self._meant.followed_by(Meant.of(self.namings[held:]))
        return self._meant

    def good(self) -> "Resolved":
        """Give those that mean a channel."""
        return Resolved({one: self.namings[at] for one, at in self.numbers.items() if self.namings[at].channel >= 0})


@dataclass(frozen=True, slots=True)
class Normalised:
    """Raw rows in the order received, and what could not be taken.

    `aside` are the places of the readings that were set aside; `quarantine` ends with them, in that order.
    """

    rows: RawRows
    quarantine: pa.Table
    aside: I64


class Normaliser:
    """Resolves names against one registry snapshot; remembers what it has resolved."""

    def __init__(self, registry: Registry, unit_number: Callable[[str], int]) -> None:
        """Use the registry as it stands; `unit_number` numbers a unit as received."""
        self._registry = registry
        self._unit_number = unit_number
        self._channels = {row["channel"]: row for row in registry.channels().to_pylist()}
        self._edge = threading.Lock()
        self._resolved = Resolved()

    def normalise(self, readings: pa.Table, refused: pa.Table, received_us: int | I64, source: str) -> Normalised:
        """Turn a table of READINGS into raw rows; bad rows go to quarantine with reason and original text.

        `refused` is what the door had set aside before (QUARANTINE). `received_us` is the moment of receipt, of all or
        of each row. Where the table has `sent_at`, the device's own clock at sending, that is compared with it.
        """
        resolved = self._resolved
        meant, which = self._named(readings, resolved)
        value = readings["value"].to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        timed = readings["at"].is_valid().to_numpy(zero_copy_only=False)
        at = pc.fill_null(readings["at"].cast(pa.int64()), 0).to_numpy().astype(np.int64)
        mantissa, exponent, fine = decimals_of(value)
        at = at + meant.shift_us[which]
        register, channel = meant.register[which], meant.channel[which]
        ahead_us = limits().future_allowance_s * 1_000_000
        checks = [
            (channel < 0, "", ""),
            (~timed, "no_time", "The row has no time."),
            (stamped(readings) & meant.adds_up[which], "no_time", UNTIMED),
            (np.isnan(value), "no_value", "The row has no value."),
            (~fine, "out_of_range", "The value is infinite or beyond 10^15 units: no meter shows it."),
            (at < EARLIEST_US, "implausible_time", "The time is before 1990: the meter's clock was never set."),
            (at > received_us + ahead_us, "future_time", "The time is in the future: the meter's clock is wrong."),
            (clock_off(readings, received_us, meant, which), "clock_off", CLOCK_OFF),
            (register & (mantissa < 0), "negative_register", "A register cannot stand below zero."),
        ]
        fault = np.zeros(len(channel), np.int8)
        for number, (bad, _, _) in enumerate(checks, start=1):
            fault[(fault == 0) & bad] = number
        rows = RawRows(channel, at, mantissa, exponent, meant.unit[which])
        if not fault.any():
            return Normalised(rows, refused, np.zeros(0, np.int64))
        bad_rows = np.flatnonzero(fault)
        words = [
            resolved.namings[which[row]].words if fault[row] == 1 else checks[fault[row] - 1][1:] for row in bad_rows
        ]
        aside = self._quarantined(readings.take(pa.array(bad_rows)), words, source)
        return Normalised(rows.take(fault == 0), pa.concat_tables([refused.cast(QUARANTINE), aside]), bad_rows)

    def _named(self, readings: pa.Table, resolved: Resolved) -> tuple["Meant", Codes]:
        """Resolve each distinct combination of names once; give what all of them mean and each row's number there."""
        columns = [encoded(readings[name]) for name in ("site", "meter", "commodity", "unit")]
        key = np.zeros(readings.num_rows, np.int64)
        for codes, words in columns:
            key = key * (len(words) + 1) + codes
        rest, which = distinct_keys(key)
        named: list[list[str | None]] = []
        for _, words in reversed(columns):
            rest, code = np.divmod(rest, len(words) + 1)
            listed = [None, *words]
            named.append([listed[place] for place in code.tolist()])
        unit, commodity, meter, site = named
        every = list(zip(site, meter, commodity, unit, strict=True))
        numbers = [resolved.numbers.get(names, -1) for names in every]
        lacking = [place for place, number in enumerate(numbers) if number < 0]
        for place in lacking:
            numbers[place] = self._resolve(every[place], resolved)
        with self._edge:
            # Whoever works with the old ones keeps them; made-up names are not kept for ever.
            if resolved.refused > MOST_REFUSED and self._resolved is resolved:
                self._resolved = resolved.good()
            return resolved.meant(), np.array(numbers, np.int64)[which]

    def _resolve(self, names: Names, resolved: Resolved) -> int:
        """Give the number of what names mean, working it out where nobody has; several threads may ask."""
        with self._edge:
            if names not in resolved.numbers:
                site, meter, commodity, unit = names
                resolved.add(names, self._name(site or "", meter or "", commodity, unit))
            return resolved.numbers[names]

    def _name(self, site: str, meter: str, commodity: str | None, unit: str | None) -> Naming:
        """Find the channel that a row's names mean, or say why there is none."""
        label = f"{site}/{meter}"
        if unit is not None and units().get(unit) is None:
            return refused("unknown_unit", f"Meter {label} reports in {unit}, which is no known unit.")
        table = self._registry.commodities
        alias = table.aliases.get(commodity or "")
        meant = alias.commodity if alias is not None else commodity
        if meant is not None and table.get(meant) is None:
            return refused("unknown_commodity", f"Meter {label} measures {meant}, which is no known commodity.")
        here = self._registry.lookup.get((site, meter), [])
        found = [channel for channel in here if meant in (None, self._channels[channel]["commodity"])]
        if not here:
            return refused("unregistered_meter", f"Meter {label} is not in the registry; register it and ingest again.")
        if len(found) != 1:
            has = ", ".join(self._channels[channel]["name"] for channel in here)
            return refused("ambiguous_channel", f"Meter {label} has {has}; the row says {commodity or 'none of them'}.")
        channel = self._channels[found[0]]
        name = unit or channel["unit"]
        known = units()[name]
        if known.quantity != channel["quantity"] or known.rate != (channel["value_kind"] in RATES):
            return refused("wrong_unit", f"Meter {label} is registered in {channel['unit']}; the row says {name}.")
        shift = self._registry.shift_days(found[0]) * 86_400_000_000
        number, kind = self._unit_number(unit or AS_REGISTERED), channel["value_kind"]
        cadence_us = channel["cadence_min"] * MINUTE_US
        return Naming(found[0], number, shift, kind in REGISTERS, kind in SUMS, cadence_us, "", "")

    def _quarantined(self, rows: pa.Table, words: list[tuple[str, str]], source: str) -> pa.Table:
        """Give rows in the quarantine's shape, each with its code, reason and original text."""
        return pa.table(
            {
                "source": pa.array([source] * rows.num_rows, pa.string()),
                "row": rows["row"],
                "site": rows["site"].cast(pa.string()),
                "meter": rows["meter"].cast(pa.string()),
                "code": pa.array([code for code, _ in words], pa.string()),
                "reason": pa.array([reason for _, reason in words], pa.string()),
                "original": original_text(rows),
            },
            schema=QUARANTINE,
        )


def refused(code: str, reason: str) -> Naming:
    """Say why names mean no channel."""
    return Naming(-1, 0, 0, False, False, 0, code, reason)


def stamped(readings: pa.Table) -> Mask:
    """Mark rows that have no time but that of receipt."""
    if STAMPED not in readings.column_names:
        return np.zeros(readings.num_rows, np.bool_)
    return pc.fill_null(readings[STAMPED], False).to_numpy(zero_copy_only=False)


def clock_off(readings: pa.Table, received_us: int | I64, meant: Meant, which: Codes) -> Mask:
    """Mark rows whose device's own clock (`sent_at`) is off by an interval of its channel or more."""
    if "sent_at" not in readings.column_names:
        return np.zeros(readings.num_rows, np.bool_)
    stated = readings["sent_at"].is_valid().to_numpy(zero_copy_only=False)
    sent = pc.fill_null(readings["sent_at"].cast(pa.int64()), 0).to_numpy().astype(np.int64)
    return stated & (np.abs(received_us - sent) >= meant.cadence_us[which])


def encoded(column: pa.ChunkedArray) -> tuple[I64, list[str]]:
    """Give each row's code (0 for null, else 1 + index) and the words."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    if not isinstance(whole, pa.DictionaryArray):
        whole = pc.dictionary_encode(whole)
    codes = pc.fill_null(whole.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return codes + 1, [str(word) for word in whole.dictionary.to_pylist()]


def distinct_keys(key: I64) -> tuple[I64, Codes]:
    """Give the distinct keys and each row's number among them; sorted sources have long runs, so runs come first."""
    if not len(key):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    distinct, of_run = np.unique(key[first], return_inverse=True)
    return distinct, np.repeat(of_run, np.diff(np.append(first, len(key))))


def original_text(rows: pa.Table) -> pa.Array:
    """Give each row as a JSON object, as it was received."""
    listed = rows.drop_columns(["row"]).to_pylist()
    return pa.array([msgspec.json.encode({k: v for k, v in row.items() if v is not None}).decode() for row in listed])
