"""Readings as a source named and numbered them become raw rows of known channels; the rest is quarantined by name."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quintet.registry import Registry
from quintet.terms.amount import decimals_of
from quintet.terms.tables import QUARANTINE
from quintet.vee import Rules

from .bounds import limits
from .meaning import Meaning
from .names import Codes, Meant, Names
from .rows import I64, Mask, RawRows
from .rule_limits import clock_outside

EARLIEST_US = 631_152_000_000_000
"""1990-01-01: no meter that sends readings is older; 1970 is a clock that was never set."""
STAMPED = "stamped"
UNTIMED = "The row has no time of its own: an amount that is sent again would count twice. Send the time with it."
CLOCK_OFF = "The device's own clock is off by an interval or more: set it, its stamps cannot be trusted."


@dataclass(frozen=True, slots=True)
class Normalised:
    """Raw rows in the order received, and what could not be taken.

    `aside` are the places of the readings that were set aside; `quarantine` ends with them, in that order.
    """

    rows: RawRows
    quarantine: pa.Table
    aside: I64

    @classmethod
    def joined(cls, parts: "list[Normalised]") -> "Normalised":
        """Put tables of which nothing was set aside before behind one another."""
        begun = np.cumsum([0, *(len(part.rows) + len(part.aside) for part in parts)])
        aside = [part.aside + at for part, at in zip(parts, begun[:-1], strict=True)]
        rows = RawRows.concat([part.rows for part in parts])
        return cls(rows, pa.concat_tables([part.quarantine for part in parts]), np.concatenate(aside))


class Normaliser:
    """Resolves names against one registry snapshot; remembers what it has resolved."""

    def __init__(self, registry: Registry, meaning: Meaning, unit_number: Callable[[str], int], rules: Rules) -> None:
        """Use the registry as it stands, `meaning` as arrays; `unit_number` numbers a unit as received.

        How far a device's clock may be off is what the rules say (V01).
        """
        self._meaning, self._rules = meaning, rules
        self._names = Names(registry, meaning, unit_number)

    def normalise(self, readings: pa.Table, refused: pa.Table, received_us: int | I64, source: str) -> Normalised:
        """Turn a table of READINGS into raw rows; bad rows go to quarantine with reason and original text.

        `refused` is what the door had set aside before (QUARANTINE). `received_us` is the moment of receipt, of all or
        of each row. Where the table has `sent_at`, the device's own clock at sending, that is compared with it.
        """
        known, which = self._names.resolve(readings)
        meant = known.meant
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
            (self._clock_off(readings, received_us, meant, which), "clock_off", CLOCK_OFF),
            (register & (mantissa < 0), "negative_register", "A register cannot stand below zero."),
        ]
        fault = np.zeros(len(channel), np.int8)
        for number, (bad, _, _) in enumerate(checks, start=1):
            fault[(fault == 0) & bad] = number
        rows = RawRows(channel, at, mantissa, exponent, meant.unit[which])
        if not fault.any():
            return Normalised(rows, refused, np.zeros(0, np.int64))
        bad_rows = np.flatnonzero(fault)
        words = [known.why[int(which[row])] if fault[row] == 1 else checks[fault[row] - 1][1:] for row in bad_rows]
        aside = self._quarantined(readings.take(pa.array(bad_rows)), words, source)
        return Normalised(rows.take(fault == 0), pa.concat_tables([refused.cast(QUARANTINE), aside]), bad_rows)

    def _clock_off(self, readings: pa.Table, received_us: int | I64, meant: Meant, which: Codes) -> Mask:
        """Mark rows whose device's own clock (`sent_at`) is off by an interval of its channel or more."""
        if "sent_at" not in readings.column_names:
            return np.zeros(readings.num_rows, np.bool_)
        stated = readings["sent_at"].is_valid().to_numpy(zero_copy_only=False)
        sent = pc.fill_null(readings["sent_at"].cast(pa.int64()), 0).to_numpy().astype(np.int64)
        channel, cadence_us = meant.channel[which], meant.cadence_us[which]
        return stated & clock_outside(sent - received_us, self._rules, self._meaning, channel, cadence_us)

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


def stamped(readings: pa.Table) -> Mask:
    """Mark rows that have no time but that of receipt."""
    if STAMPED not in readings.column_names:
        return np.zeros(readings.num_rows, np.bool_)
    return pc.fill_null(readings[STAMPED], False).to_numpy(zero_copy_only=False)


def original_text(rows: pa.Table) -> pa.Array:
    """Give each row as a JSON object, as it was received."""
    listed = rows.drop_columns(["row"]).to_pylist()
    return pa.array([msgspec.json.encode({k: v for k, v in row.items() if v is not None}).decode() for row in listed])
