"""Rules from physics: a leak never rests (W01), heat follows its flow (H01), gas is corrected (G01)."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quintet.terms.period import HOUR_US

from .apportion import roomy
from .beside import Beside, known
from .block import Ints, Mask, spans
from .checks import Settings, Slab
from .checks_pair import above, constant, quotients
from .found import Figure, Figures, Found, Spans, joined, objects, picked, some, unjudged

DAY_HOURS = 24
MILLION = 1_000_000
THOUSAND = 1000


def leak(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """W01: the smallest hourly flow over `flag_hours` in a row (flags) or `hours` in a row (fails) is above `flow`.

    Who nearly always draws water does not leak: a run is new where it is longer than `times` the longest one of the
    `history` days before it, or where fewer than `fewest` days before it are known; one that no rest came before ends
    to be new after `history` days. (A leak was new once, and was named then.)

    An hour counts where all its intervals were measured, or where those that were are above `flow` already. Hours are
    counted from the block's first column; skipped where intervals are longer than an hour or too few hours are known.
    """
    del beside
    per_hour = HOUR_US // slab.cadence_us
    hours = slab.value.shape[1] // per_hour if per_hour and HOUR_US % slab.cadence_us == 0 else 0
    if not hours:
        return unjudged(len(slab.value))
    shape = (len(slab.value), hours, per_hour)
    value = slab.value[:, : hours * per_hour].reshape(shape)
    judged: Mask = np.asarray(slab.judged[:, : hours * per_hour].reshape(shape).all(axis=2), np.bool_)
    flow = np.clip(value, -(2**62) // per_hour, 2**62 // per_hour).sum(axis=2)
    running = flow > int(settings["flow"])
    least, most = int(settings["flag_hours"]), int(settings["hours"])
    row, first, last = spans(running, least)
    new = _new(running, (row, first, last), judged, settings)
    row, first, last = row[new], first[new], last[new]
    sure = _enough(judged | running, least)
    found = (row, first * np.int32(per_hour), (last + 1) * np.int32(per_hour) - 1)

    def figures() -> Figures:
        length = np.zeros(len(value), np.int64)
        long_row, long_first, long_last = spans(running)
        np.maximum.at(length, long_row, (long_last - long_first + 1).astype(np.int64))
        smallest = np.where(judged | running, flow, np.iinfo(np.int64).max).min(axis=1)
        return {
            "smallest_hourly_flow": Figure("amount", picked(sure, smallest)),
            "hours_without_zero": Figure("count", picked(sure, length)),
            "flow": Figure("amount", constant(len(sure), settings["flow"])),
            "flag_hours": Figure("count", constant(len(sure), settings["flag_hours"])),
            "threshold_hours": Figure("count", constant(len(sure), settings["hours"])),
        }

    return Found(found, sure, figures, last - first + 1 < most)


def _new(running: Mask, found: Spans, judged: Mask, settings: Settings) -> Mask:
    """Mark the runs of hours that are longer than the channel's own habit (see `leak`)."""
    row, first, last = found
    history, fewest = int(settings["history"]) * DAY_HOURS, int(settings["fewest"]) * DAY_HOURS
    known = np.cumsum(np.pad(judged | running, ((0, 0), (1, 0))), axis=1)
    new = last - first + 1 <= history
    for at in np.flatnonzero(known[row, first] >= fewest).tolist():
        since = max(int(first[at]) - history, 0)
        before = spans(running[row[at] : row[at] + 1, since : first[at]])
        longest = int((before[2] - before[1] + 1).max(initial=0))
        new[at] = last[at] - first[at] + 1 > settings["times"] * longest
    return new


def _enough(mask: Mask, least: int) -> Mask:
    """Mark the rows that hold a run of at least so many."""
    out = np.zeros(len(mask), np.bool_)
    out[spans(mask, least)[0]] = True
    return out


def heat_balance(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """H01: abs(E - c V dT) > ratio x E over a local day, of its intervals with dT >= `least_dt`; equal passes.

    c = 1.163 kWh/(m3 K), from the table. E in mWh, V in mL, dT in mK: c V dT / 1,000 in mWh.
    """
    sure = known(beside.volume, beside.delta_t_mk)
    if sure is None or beside.volume is None or beside.delta_t_mk is None:
        return unjudged(len(slab.value))
    sure = sure & slab.judged & reaches(beside.delta_t_mk, settings["least_dt"])
    energy = np.where(sure, slab.value, 0)
    volume, warmth = np.where(sure, beside.volume, 0), np.where(sure, beside.delta_t_mk, 0)
    product = _roomy(volume, int(np.abs(warmth).max(initial=0)) * max(len(slab.judged[0]), 1)) * warmth
    heat, days = settings["kwh_m3_k"] / THOUSAND, list[_Day]()
    for first, end in slab.days:
        # both sides times the denominator of c: whole numbers
        spent = _sum(energy[:, first:end]) * heat.denominator
        meant = _sum(product[:, first:end]) * heat.numerator
        there = some(sure[:, first:end]) & np.asarray((spent != 0) | (meant != 0), np.bool_)
        days.append(_Day(first, end, there, spent, meant, abs(spent)))
    least = Figure("kelvin", constant(len(slab.value), settings["least_dt"]))
    return _by_day(days, settings["ratio"], ("energy", "computed"), heat.denominator, slab, {"least_dt_k": least})


def reaches(values: Ints, bound: Fraction) -> Mask:
    """Mark the values that are not under a bound; exact for whole numbers and for fractions (an array of objects)."""
    exact: npt.NDArray[Any] = values
    return np.asarray(exact >= (bound if exact.dtype == object else -(-bound // 1)), np.bool_)


def gas_correction(slab: Slab, settings: Settings, beside: Beside) -> Found:
    """G01: abs(Vn - V (P/p0)(t0/T)/Z) > ratio x computed over a local day; equal passes.

    V flowed (mL), Vn recorded (the slab), P in Pa and T in mK absolute; p0 = 101.325 kPa and t0 = 273.15 K from the
    table. Exact: fractions are added, never rounded.
    """
    sure = known(beside.volume, beside.pressure_pa, beside.temperature_mk, beside.compressibility_ppm)
    if sure is None:
        return unjudged(len(slab.value))
    assert beside.volume is not None
    assert beside.pressure_pa is not None
    assert beside.temperature_mk is not None
    assert beside.compressibility_ppm is not None
    sure = sure & slab.judged & (beside.temperature_mk > 0) & (beside.compressibility_ppm > 0)
    parts = (beside.volume, beside.pressure_pa, beside.temperature_mk, beside.compressibility_ppm)
    days: list[_Day] = []
    for first, end in slab.days:
        there = some(sure[:, first:end])
        recorded, computed = _zeros(len(there)), _zeros(len(there))
        for row in np.flatnonzero(there).tolist():
            own = np.flatnonzero(sure[row, first:end]) + first
            recorded[row] = sum(slab.value[row, own].tolist())
            conditions = zip(*(part[row, own].tolist() for part in parts), strict=True)
            computed[row] = normal_volume(conditions, settings)
        there &= np.asarray((recorded != 0) | (computed != 0), np.bool_)
        days.append(_Day(first, end, there, recorded, computed, abs(computed)))
    return _by_day(days, settings["ratio"], ("recorded", "vn"), 1, slab, {})


def normal_volume(conditions: Iterable[tuple[int, int, int, int]], settings: Settings) -> Fraction:
    """Give the volume at reference conditions: the sum of V (P/p0)(t0/T)/Z of (mL, Pa, mK, Z in millionths), exactly.

    The settings hold `p0` in Pa and `t0` in mK. What shares its conditions is added first.
    """
    volumes: dict[tuple[int, int, int], int] = {}
    for volume, *rest in conditions:
        key = (rest[0], rest[1], rest[2])
        volumes[key] = volumes.get(key, 0) + volume
    base = settings["t0"] * MILLION / settings["p0"]
    parts = [(volume * p, t * z) for (p, t, z), volume in volumes.items()] or [(0, 1)]
    # added pairwise without cutting down: one greatest common divisor at the end, not one a step
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        rest = parts[-1:] if len(parts) % 2 else []
        parts = [(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + rest
    return base * Fraction(*parts[0])


class _Day(NamedTuple):
    """One day's comparison of k rows: its columns, which rows were judged, what was said, what should be, by which."""

    first: int
    end: int
    there: Mask
    said: npt.NDArray[Any]
    meant: npt.NDArray[Any]
    by: npt.NDArray[Any]


def _by_day(
    days: list[_Day], ratio: Fraction, names: tuple[str, str], scale: int, slab: Slab, more: dict[str, Figure]
) -> Found:
    """Fail the days whose difference is above the ratio; the figures are those of each row's worst day.

    Amounts are `scale` times what they mean.
    """
    rows = len(slab.value)
    judged, parts = np.zeros(rows, np.bool_), list[Spans]()
    for day in days:
        judged |= day.there
        hit = np.flatnonzero(day.there & above(abs(day.said - day.meant), day.by, ratio)).astype(np.int32)
        parts.append((hit, np.full(len(hit), day.first, np.int32), np.full(len(hit), day.end - 1, np.int32)))

    def figures() -> Figures:
        worst, shown = objects(rows), [objects(rows), objects(rows), objects(rows)]
        for day in days:
            difference = abs(day.said - day.meant)
            quotient = quotients(day.there, difference, day.by)
            for row in np.flatnonzero(day.there).tolist():
                if shown[0][row] is None or quotient[row] is None or (worst[row] or 0) < quotient[row]:
                    worst[row] = quotient[row]
                    for held, own in zip(shown, (day.said, day.meant, difference), strict=True):
                        held[row] = Fraction(own[row]) / scale
        amounts = dict(zip((*names, "difference"), (Figure("amount", held) for held in shown), strict=True))
        ratios = {"ratio": Figure("ratio", worst), "threshold": Figure("ratio", constant(rows, ratio))}
        return {**amounts, **ratios, **more}

    return Found(joined(parts), judged, figures)


def _roomy(values: Ints, factor: int) -> Ints:
    """Give values in a type in which they may be multiplied by a factor."""
    return roomy(values, factor) if values.size else values


def _sum(values: Ints) -> npt.NDArray[Any]:
    """Add up rows in unbounded integers; what is an array of objects may hold fractions and stays exact."""
    wide = values if values.dtype == object else roomy(values, max(values.shape[1], 1))
    return wide.sum(axis=1).astype(object)


def _zeros(size: int) -> npt.NDArray[Any]:
    """Give fractions of nothing."""
    out = objects(size)
    out[:] = 0
    return out
