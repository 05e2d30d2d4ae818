"""Readings as a source named and numbered them become raw rows of known channels; the rest is quarantined by name."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.terms.amount import decimals_of
from quintet.terms.reading import ValueKind
from quintet.terms.tables import QUARANTINE
from quintet.terms.unit import units

from .meaning import AS_REGISTERED
from .rows import I64, RawRows

EARLIEST_US = 631_152_000_000_000
"""1990-01-01: no meter that sends readings is older; 1970 is a clock that was never set."""
CLOCK_ALLOWANCE_US = 86_400_000_000
"""A stamp up to a day ahead of the moment of receipt may be a mistaken zone; beyond that it is wrong."""
REGISTERS = (ValueKind.REGISTER_CUMULATIVE, ValueKind.REGISTER_DAILY_RESET)
RATES = (ValueKind.AVG_POWER, ValueKind.INST_FLOW)

Codes = npt.NDArray[np.int64]
Names = tuple[str, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Naming:
    """What one combination of site, meter, commodity and unit means: a channel, or why it means none."""

    channel: int
    unit: int
    shift_us: int
    register: bool
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Normalised:
    """Raw rows in the order received, and what could not be taken."""

    rows: RawRows
    quarantine: pa.Table


class Normaliser:
    """Resolves names against one registry snapshot; remembers what it has resolved."""

    def __init__(self, registry: Registry, unit_number: Callable[[str], int]) -> None:
        """Use the registry as it stands; `unit_number` numbers a unit as received."""
        self._registry = registry
        self._unit_number = unit_number
        self._channels = {row["channel"]: row for row in registry.channels().to_pylist()}
        self._known: dict[Names, Naming] = {}

    def normalise(self, readings: pa.Table, refused: pa.Table, received_us: int, source: str) -> Normalised:
        """Turn a table of READINGS into raw rows; bad rows go to quarantine with reason and original text.

        `refused` is what the door had set aside before (QUARANTINE).
        """
        namings, which = self._namings(readings)
        value = readings["value"].to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        timed = readings["at"].is_valid().to_numpy(zero_copy_only=False)
        at = pc.fill_null(readings["at"].cast(pa.int64()), 0).to_numpy().astype(np.int64)
        mantissa, exponent, fine = decimals_of(value)
        at = at + np.array([n.shift_us for n in namings], np.int64)[which]
        register = np.array([n.register for n in namings], np.bool_)[which]
        channel = np.array([n.channel for n in namings], np.int32)[which]
        checks = [
            (channel < 0, "", ""),
            (~timed, "no_time", "The row has no time."),
            (np.isnan(value), "no_value", "The row has no value."),
            (~fine, "out_of_range", "The value is infinite or beyond 10^15 units: no meter shows it."),
            (at < EARLIEST_US, "implausible_time", "The time is before 1990: the meter's clock was never set."),
            (at > received_us + CLOCK_ALLOWANCE_US, "future_time", "The time is in the future."),
            (register & (mantissa < 0), "negative_register", "A register cannot stand below zero."),
        ]
        fault = np.zeros(len(channel), np.int8)
        for number, (bad, _, _) in enumerate(checks, start=1):
            fault[(fault == 0) & bad] = number
        unit = np.array([n.unit for n in namings], np.int16)[which]
        rows = RawRows(channel, at, mantissa, exponent, unit)
        if not fault.any():
            return Normalised(rows, refused)
        bad_rows = np.flatnonzero(fault)
        words = [
            (namings[which[row]].code, namings[which[row]].reason) if fault[row] == 1 else checks[fault[row] - 1][1:]
            for row in bad_rows
        ]
        aside = self._quarantined(readings.take(pa.array(bad_rows)), words, source)
        return Normalised(rows.take(fault == 0), pa.concat_tables([refused.cast(QUARANTINE), aside]))

    def _namings(self, readings: pa.Table) -> tuple[list[Naming], Codes]:
        """Resolve each distinct combination of names once; give them and each row's number among them."""
        columns = [encoded(readings[name]) for name in ("site", "meter", "commodity", "unit")]
        key = np.zeros(readings.num_rows, np.int64)
        for codes, words in columns:
            key = key * (len(words) + 1) + codes
        distinct, which = distinct_keys(key)
        namings: list[Naming] = []
        for packed in distinct:
            rest = int(packed)
            names: list[str | None] = []
            for _, words in reversed(columns):
                rest, code = divmod(rest, len(words) + 1)
                names.append(words[code - 1] if code else None)
            unit, commodity, meter, site = names
            named = (site or "", meter or "", commodity, unit)
            if named not in self._known:
                self._known[named] = self._name(*named)
            namings.append(self._known[named])
        return namings, which

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
        return Naming(
            found[0], self._unit_number(unit or AS_REGISTERED), shift, channel["value_kind"] in REGISTERS, "", ""
        )

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
    return Naming(-1, 0, 0, False, code, reason)


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
