"""What the derivation takes and gives: flat arrays over many channels at once.

Channels are row numbers 0..m-1 of one `Channels`; times are microseconds since 1970 UTC; amounts are whole sub-units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from quintet.terms.quality import qualities

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
I8 = npt.NDArray[np.int8]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Text = npt.NDArray[np.str_]

VALID = qualities()["valid"].id
QUESTIONABLE = qualities()["questionable"].id
DERIVED = qualities()["derived"].id
PARTIAL = qualities()["partial"].id


@dataclass(frozen=True)
class Evidence:
    """Readings as received: n rows sorted by (channel, at_us), unique per (channel, at_us).

    A value is mantissa * 10**exponent in the unit (index into `Channels.unit_ratios`). `doubtful` marks a reading that
    a conflict was resolved for: what it touches becomes questionable.
    """

    channel: I32
    at_us: I64
    mantissa: I64
    exponent: I8
    unit: I16
    doubtful: Mask

    def __len__(self) -> int:
        """Give the number of readings."""
        return len(self.channel)

    def take(self, rows: I64 | slice | Mask) -> "Evidence":
        """Give the readings of some rows, in their order."""
        return Evidence(
            self.channel[rows],
            self.at_us[rows],
            self.mantissa[rows],
            self.exponent[rows],
            self.unit[rows],
            self.doubtful[rows],
        )


@dataclass(frozen=True)
class Channels:
    """The m channels that the evidence names, and the units it is in.

    `kind` indexes list(ValueKind); the grid is (start + phase_us) % cadence_us == 0; `tz` is the meter's own clock;
    `dials` -1 none; `multiplier` None means 1 for all; `plate_max_per_hour` sub-units, -1 unknown; `unit_ratios` are
    sub-units in one unit (a rate: in one unit over one hour); `carry` is the remainder at the start, in [0, 1).
    """

    kind: U8
    cadence_us: I64
    phase_us: I64
    tz: list[str]
    dials: I32
    multiplier: list[Fraction] | None
    plate_max_per_hour: I64
    unit_ratios: list[Fraction]
    unit_rates: list[bool]
    carry: Mapping[int, Fraction] = field(default_factory=dict[int, Fraction])

    def slot(self, channel: I32, at_us: I64) -> I64:
        """Give the start of the slot that holds each moment."""
        cadence, phase = self.cadence_us[channel], self.phase_us[channel]
        return (at_us + phase) // cadence * cadence - phase


@dataclass(frozen=True)
class Gaps:
    """Whole slots between evidence that no reading covers (V03): `slots` of them from start_us on.

    A register knows their sum (`total`, where `has_total`); what estimates them must meet it.
    """

    channel: I32
    start_us: I64
    slots: I64
    total: I64
    has_total: Mask


@dataclass(frozen=True)
class Findings:
    """What was noticed, one row a channel, moment and rule: nothing is lost or doubted without one."""

    channel: I32
    at_us: I64
    rule: Text


@dataclass(frozen=True)
class Derived:
    """Intervals, sorted and unique by (channel, start_us), with what is missing, what was noticed, what remains."""

    channel: I32
    start_us: I64
    value: I64
    quality: U8
    gaps: Gaps
    findings: Findings
    carry: dict[int, Fraction]


@dataclass(frozen=True)
class Block:
    """What one lot of channels of one kind gives: interval rows sorted by (channel, start), gaps, findings."""

    channel: I32
    start_us: I64
    value: I64
    quality: U8
    gaps: Gaps
    findings: Findings


@dataclass(frozen=True)
class Spans:
    """Amounts over stretches of time [start, end), sorted by channel and start; unknown ones have known False."""

    channel: I32
    start_us: I64
    end_us: I64
    amount: I64
    known: Mask
    doubtful: Mask

    @staticmethod
    def join(parts: list["Spans"]) -> "Spans":
        """Put several lots together, sorted by channel and start."""
        joined = Spans(
            np.concatenate([part.channel for part in parts]),
            np.concatenate([part.start_us for part in parts]),
            np.concatenate([part.end_us for part in parts]),
            np.concatenate([part.amount for part in parts]),
            np.concatenate([part.known for part in parts]),
            np.concatenate([part.doubtful for part in parts]),
        )
        return joined.take(np.lexsort((joined.start_us, joined.channel)))

    def take(self, rows: Mask | I64) -> "Spans":
        """Give some of the spans, in their order."""
        return Spans(
            self.channel[rows],
            self.start_us[rows],
            self.end_us[rows],
            self.amount[rows],
            self.known[rows],
            self.doubtful[rows],
        )


def no_gaps() -> Gaps:
    """Give an empty list of gaps."""
    none = np.zeros(0, np.int64)
    return Gaps(none.astype(np.int32), none, none, none, none.astype(np.bool_))


def found(channel: I32, at_us: I64, rule: str) -> Findings:
    """Give one finding a row, all of one rule."""
    return Findings(channel, at_us, np.full(len(channel), rule))


def join_gaps(parts: list[Gaps]) -> Gaps:
    """Put gaps together, sorted by channel and start."""
    parts = [no_gaps(), *parts]
    channel = np.concatenate([part.channel for part in parts])
    start_us = np.concatenate([part.start_us for part in parts])
    order = np.lexsort((start_us, channel))
    slots = np.concatenate([part.slots for part in parts])[order]
    total = np.concatenate([part.total for part in parts])[order]
    has_total = np.concatenate([part.has_total for part in parts])[order]
    return Gaps(channel[order], start_us[order], slots, total, has_total)


def join_findings(parts: list[Findings]) -> Findings:
    """Put findings together, sorted by channel, moment and rule."""
    parts = [part for part in parts if len(part.channel)]
    if not parts:
        none = np.zeros(0, np.int64)
        return Findings(none.astype(np.int32), none, np.zeros(0, "U1"))
    channel = np.concatenate([part.channel for part in parts])
    at_us = np.concatenate([part.at_us for part in parts])
    rule = np.concatenate([part.rule for part in parts])
    order = np.lexsort((rule, at_us, channel))
    return Findings(channel[order], at_us[order], rule[order])
