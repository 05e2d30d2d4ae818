"""Rules that hold a channel against a companion: its register, its reactive twin, its check meter.

Functions of a slab, thresholds and what stands beside it; row sums are exact whatever their size.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .apportion import roomy
from .beside import NOTHING, Beside, known
from .block import Ints, Mask, spans
from .checks import Settings, Slab, at_least
from .found import Figure, Figures, Found, all_of, picked, some, unjudged, whole_rows

PPM = 1_000_000


def row_sums(value: Ints) -> npt.NDArray[Any]:
    """Add up each row exactly: unbounded integers, one a row."""
    if not value.size:
        return np.zeros(len(value), np.int64).astype(object)
    return roomy(value, value.shape[1]).sum(axis=1).astype(object)


def above(top: npt.NDArray[Any], bottom: npt.NDArray[Any], ratio: Fraction) -> Mask:
    """Mark where top > ratio x bottom, exactly; both hold unbounded integers."""
    return np.asarray(top * ratio.denominator > bottom * ratio.numerator, np.bool_)


def constant(rows: int, number: Fraction) -> npt.NDArray[Any]:
    """Give one number for each row."""
    return np.array([number] * rows, dtype=object)


def sum_check(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V06: abs(sum(I) - (R2 - R1) M) > tolerance x M; equal passes. Rows with a missing interval are skipped."""
    sure = known(beside.register_total, beside.register_step)
    if sure is None or beside.register_total is None or beside.register_step is None:
        return unjudged(len(slab.value))
    sure = sure & all_of(slab.judged)
    total, register = row_sums(slab.value), beside.register_total.astype(object)
    delta, step = abs(total - register), beside.register_step.astype(object)
    hit = sure & above(delta, step, settings["tolerance"])
    return Found(
        whole_rows(hit, slab.value.shape[1]),
        sure,
        lambda: {
            "interval_total": Figure("amount", picked(sure, total)),
            "register_total": Figure("amount", picked(sure, register)),
            "delta": Figure("amount", picked(sure, delta)),
            "tolerance": Figure("amount", picked(sure, step * constant(len(sure), settings["tolerance"]))),
        },
    )


def no_reactive(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V13: kvarh = 0 while kWh > floor; or kWh / sqrt(kWh^2 + kvarh^2) under the least power factor, kWh > floor.

    Written without root: |kvarh|^2 f^2 > kWh^2 (1 - f^2). Equal passes.
    """
    other = beside.reactive
    sure = known(other)
    if sure is None or other is None:
        return unjudged(len(slab.value))
    sure = sure & slab.judged
    loaded = sure & (slab.value > int(settings["floor"]))
    bad = loaded & (other == 0)
    least = settings["power_factor"]
    at = np.nonzero(loaded & ~bad) if least else (np.zeros(0, np.int64),) * 2
    if len(at[0]):
        active, reactive = slab.value[at].astype(object) ** 2, other[at].astype(object) ** 2
        top, bottom = least.numerator**2, least.denominator**2
        bad[at] = (reactive * top > active * (bottom - top)).astype(np.bool_)
    judged = some(sure)

    def figures() -> Figures:
        return {
            "active_total": Figure("amount", picked(judged, row_sums(np.where(sure, slab.value, 0)))),
            "reactive_total": Figure("reactive", picked(judged, row_sums(np.where(sure, other, 0)))),
            "floor": Figure("amount", constant(len(judged), settings["floor"])),
            "power_factor": Figure("ratio", constant(len(judged), least)),
            "hits": Figure("count", picked(judged, bad.sum(axis=1))),
        }

    return Found(spans(bad), judged, figures)


def register_change(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V15: abs(dR - dR0) / dR0 > ratio, dR0 the register's difference over as long a time before; equal passes.

    Skipped where dR0 is not above zero, or both are under the floor (an hour).
    """
    sure = known(beside.register_total, beside.register_before)
    if sure is None or beside.register_total is None or beside.register_before is None:
        return unjudged(len(slab.value))
    now, before = beside.register_total.astype(object), beside.register_before.astype(object)
    least = at_least(settings["floor"], slab.cadence_us * slab.value.shape[1])
    sure = sure & (beside.register_before > 0)
    sure &= np.maximum(beside.register_total, beside.register_before) >= least
    change = abs(now - before)
    hit = sure & above(change, before, settings["ratio"])
    return Found(
        whole_rows(hit, slab.value.shape[1]),
        sure,
        lambda: {
            "register_change": Figure("amount", picked(sure, now)),
            "change_before": Figure("amount", picked(sure, before)),
            "ratio": Figure("ratio", quotients(sure, change, before)),
            "threshold": Figure("ratio", constant(len(sure), settings["ratio"])),
        },
    )


def check_meter(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """V17: abs(main - check) > factor x class x check, over the intervals that both have; equal passes.

    The class is the meter's own where it is known, else that of the table.
    """
    both = known(beside.check)
    if both is None or beside.check is None:
        return unjudged(len(slab.value))
    both = both & slab.judged
    main, check = row_sums(np.where(both, slab.value, 0)), row_sums(np.where(both, beside.check, 0))
    own = np.full(len(main), NOTHING, np.int64) if beside.class_ppm is None else beside.class_ppm
    judged = some(both) & ((main != 0) | (check != 0)).astype(np.bool_)
    difference, stated = abs(main - check), own != NOTHING
    hit = judged & np.where(
        stated,
        above(difference * PPM, abs(check) * np.where(stated, own, 0).astype(object), settings["factor"]),
        above(difference, abs(check), settings["class"] * settings["factor"]),
    )

    def figures() -> Figures:
        classes = constant(len(own), settings["class"])
        for row in np.flatnonzero(stated).tolist():
            classes[row] = Fraction(own[row]) / PPM
        return {
            "main": Figure("amount", picked(judged, main)),
            "check": Figure("amount", picked(judged, check)),
            "difference": Figure("amount", picked(judged, difference)),
            "ratio": Figure("ratio", quotients(judged, difference, abs(check))),
            "class": Figure("ratio", classes),
            "factor": Figure("ratio", constant(len(own), settings["factor"])),
            "threshold": Figure("ratio", classes * constant(len(own), settings["factor"])),
        }

    return Found(whole_rows(hit, slab.value.shape[1]), judged, figures)


def quotients(mask: Mask, top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Divide exactly where a mask is True and the divisor is not zero; None elsewhere."""
    fine = mask & (bottom != 0).astype(np.bool_)
    out: list[Fraction | None] = [None] * len(mask)
    for row in np.flatnonzero(fine).tolist():
        out[row] = Fraction(top[row]) / Fraction(bottom[row])
    held = np.empty(len(out), dtype=object)
    held[:] = out
    return held
