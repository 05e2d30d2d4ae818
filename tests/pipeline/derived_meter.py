"""Meters written as a test thinks of them, and what is derived from their readings, in minutes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np

from quintet.pipeline.derive import Channels, Derived, Evidence, derive
from quintet.terms.quality import qualities
from quintet.terms.reading import ValueKind
from quintet.terms.unit import units

VALID, QUESTIONABLE, DERIVED, PARTIAL = (
    qualities()[code].id for code in ("valid", "questionable", "derived", "partial")
)
KINDS = list(ValueKind)
MINUTE = 60_000_000
T0 = 1_700_006_400_000_000 // (24 * 60 * MINUTE) * (24 * 60 * MINUTE)


@dataclass
class Meter:
    """One channel of a test: readings as (seconds after a UTC midnight, decimal as received)."""

    kind: ValueKind
    readings: Sequence[tuple[float, object]]
    unit: str = "kWh"
    cadence: int = 15
    tz: str = "UTC"
    phase: int = 0
    dials: int = -1
    multiplier: Fraction = Fraction(1)
    plate: int = -1
    doubtful: Sequence[float] = field(default_factory=tuple)


def run(*meters: Meter, carry: dict[int, Fraction] | None = None) -> Derived:
    """Derive the intervals of some meters; channel n is the n-th."""
    rows = [
        (n, T0 + round(s * 1e6), Decimal(str(v)).as_tuple(), s in m.doubtful)
        for n, m in enumerate(meters)
        for s, v in m.readings
    ]
    names = sorted({meter.unit for meter in meters})
    signed = [int("".join(map(str, number.digits))) * (-1 if number.sign else 1) for _, _, number, _ in rows]
    evidence = Evidence(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int64),
        np.array(signed, np.int64),
        np.array([number.exponent for _, _, number, _ in rows], np.int8),
        np.array([names.index(meters[row[0]].unit) for row in rows], np.int16),
        np.array([row[3] for row in rows], np.bool_),
    )
    channels = Channels(
        np.array([KINDS.index(meter.kind) for meter in meters], np.uint8),
        np.array([meter.cadence * MINUTE for meter in meters], np.int64),
        np.array([meter.phase * MINUTE for meter in meters], np.int64),
        [meter.tz for meter in meters],
        np.array([meter.dials for meter in meters], np.int32),
        [meter.multiplier for meter in meters],
        np.array([meter.plate for meter in meters], np.int64),
        [units()[name].ratio for name in names],
        [units()[name].rate for name in names],
        carry or {},
    )
    return derive(evidence, channels)


def rows_of(derived: Derived, channel: int = 0) -> list[tuple[float, int, int]]:
    """Give (minutes after midnight, value, quality) of one channel."""
    mine = derived.channel == channel
    minutes = ((derived.start_us[mine] - T0) / MINUTE).tolist()
    return list(zip(minutes, derived.value[mine].tolist(), derived.quality[mine].tolist(), strict=True))


def gaps_of(derived: Derived) -> list[tuple[float, int, int | None]]:
    """Give (minutes after midnight, slots, total or None) of every gap."""
    gaps = derived.gaps
    minutes = ((gaps.start_us - T0) / MINUTE).tolist()
    totals = [one if has else None for one, has in zip(gaps.total.tolist(), gaps.has_total.tolist(), strict=True)]
    return list(zip(minutes, gaps.slots.tolist(), totals, strict=True))


def rules_of(derived: Derived) -> list[tuple[float, str]]:
    """Give (minutes after midnight, rule) of every finding but the gaps'."""
    minutes = ((derived.findings.at_us - T0) / MINUTE).tolist()
    named = zip(minutes, derived.findings.rule.tolist(), strict=True)
    return [(minute, rule) for minute, rule in named if rule != "V03_gap"]
