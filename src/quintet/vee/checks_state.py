"""Rules that look at facts stated beside the values: the device's clock (V01), its flags (V05), its state (V11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput

from .beside import Beside, Bits, known
from .block import Ints, Mask, spans
from .checks import Settings, Slab
from .checks_pair import constant, row_sums
from .found import Figure, Figures, Found, picked, some, unjudged, whole_rows

PASS, FLAG, FAIL = 0, 1, 2
MOST_FLAGS = 32


def clock_zone(offset_us: Ints, cadence_us: Ints | int, settings: Settings) -> npt.NDArray[np.int8]:
    """Tell where device clocks stand: PASS up to `pass`, FLAG up to `flag`, FAIL beyond it or from `intervals` on.

    `offset_us` is the device's clock less the reference; the bounds themselves still belong to the milder zone, an
    offset of whole `intervals` is a failure: the reading lies in another interval.
    """
    off = np.abs(offset_us)
    out = np.where(off <= int(settings["pass"]), PASS, FLAG).astype(np.int8)
    out[(off > int(settings["flag"])) | outside(offset_us, cadence_us, int(settings["intervals"]))] = FAIL
    return out


def outside(offset_us: Ints, cadence_us: Ints | int, intervals: Ints | int) -> Mask:
    """Mark clocks that are off by so many whole intervals: their readings would be put into others."""
    return np.abs(offset_us) >= np.asarray(intervals * cadence_us)


def clock_check(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V01: abs(t_meter - t_ref)."""
    offset = beside.clock_offset_us
    sure = known(offset)
    if sure is None or offset is None:
        return unjudged(len(slab.value))
    zone = np.where(sure, clock_zone(np.where(sure, offset, 0), slab.cadence_us, settings), PASS)
    found = whole_rows(zone > PASS, slab.value.shape[1])
    return Found(
        found,
        sure,
        lambda: {
            "offset_min": Figure("duration", picked(sure, offset)),
            "pass_min": Figure("duration", constant(len(sure), settings["pass"])),
            "flag_min": Figure("duration", constant(len(sure), settings["flag"])),
            "interval_min": Figure("duration", constant(len(sure), settings["intervals"] * slab.cadence_us)),
        },
        zone[found[0]] == FLAG,
    )


@dataclass(frozen=True, slots=True)
class DeviceFlag:
    """A state that a device reports of itself: its bit in `Beside.flags`, names, and whether V05 objects to it."""

    code: str
    bit: int
    name_en: str
    name_ko: str
    counts: bool
    source: str


@cache
def device_flags() -> Mapping[str, DeviceFlag]:
    """Give the shipped table, by code; a bit that stands twice is refused."""
    out: dict[str, DeviceFlag] = {}
    for code, row in read_toml("quintet.vee", "device_flags.toml")["flag"].items():
        keys = {"bit", "name_en", "name_ko", "counts", "source"}
        check_keys(row, required=keys, optional=set(), place=f"device flag {code}")
        out[code] = DeviceFlag(code, row["bit"], row["name_en"], row["name_ko"], row["counts"], row["source"])
    bits = [flag.bit for flag in out.values()]
    if len(set(bits)) != len(bits) or not all(0 <= bit < MOST_FLAGS for bit in bits):
        raise BadInput("two flags share a bit, or one is no bit.", code="bad_flags", place="device_flags.toml")
    return out


def flag_bits(codes: list[str]) -> int:
    """Give the bits of some flags together; raises BadInput for one that nobody knows."""
    strange = [code for code in codes if code not in device_flags()]
    if strange:
        raise BadInput(
            f"{', '.join(strange)} is no device flag.",
            code="unknown_flag",
            remedy=f"Known: {', '.join(device_flags())}.",
        )
    out = 0
    for code in codes:
        out |= 1 << device_flags()[code].bit
    return out


def flagged(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V05: intervals whose device reported at least one flag that counts."""
    del settings
    if beside.flags is None:
        return unjudged(len(slab.value))
    counted = np.uint32(flag_bits([code for code, flag in device_flags().items() if flag.counts]))
    bad: Bits = beside.flags & counted
    every = np.ones(len(bad), np.bool_)

    def figures() -> Figures:
        raised = [int(bits) for bits in np.bitwise_or.reduce(bad, axis=1)]
        names = [" ".join(c for c, flag in device_flags().items() if row >> flag.bit & 1) for row in raised]
        return {
            "flags": Figure("text", np.array(names, dtype=object)),
            "hits": Figure("count", picked(every, (bad != 0).sum(axis=1))),
        }

    return Found(spans(bad != 0), every, figures)


def use_while_inactive(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V11: intervals above `use` (zero) while the usage point is inactive; equal passes."""
    if beside.inactive is None:
        return unjudged(len(slab.value))
    idle = beside.inactive & slab.judged
    judged = some(idle)
    return Found(
        spans(idle & (slab.value > int(settings["use"]))),
        judged,
        lambda: {
            "use": Figure("amount", picked(judged, row_sums(np.where(idle, slab.value, 0)))),
            "threshold": Figure("amount", constant(len(judged), settings["use"])),
        },
    )
