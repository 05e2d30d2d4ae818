"""Faults put into sound readings, to see what is found. Nothing here knows a rule; each tells what it touched.

A stretch is what one meter sent while all was well. An injector gives what would have been sent with the fault, and
marks the intervals about which the readings now say something untrue, or nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.length import DAY_US
from quintet.terms.period import HOUR_US

from .injectors_held import HELD_OUT
from .stretch import Faulted, Injector, Stretch, counted, intervals_in, said, touched_between, window_of


def missing(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Leave readings out."""
    window = window_of(stretch, hours)
    at, value = np.delete(stretch.at_us, window), np.delete(stretch.value, window)
    return replace(said(stretch, stretch.value, window, after=stretch.register), at_us=at, value=value)


def zeros(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Send 0 in the place of what is missing."""
    window, value = window_of(stretch, hours), stretch.value.copy()
    value[window] = 0
    return said(stretch, value, window, after=stretch.register)


def spike(stretch: Stretch, times: float, _rng: np.random.Generator) -> Faulted:
    """Add so many mean intervals to one reading."""
    window, value = slice(stretch.begin + 1, stretch.begin + 2), stretch.value.copy()
    value[window] = np.round(value[window] + times * stretch.mean, 6)
    return said(stretch, value, window, after=stretch.register)


def stuck(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Repeat the last reading; a register then shows the true count again."""
    window, value = window_of(stretch, hours), stretch.value.copy()
    value[window] = value[window.start - 1]
    if not stretch.register and not value[window.start]:
        value[window] = round(stretch.mean, 6)
    return said(stretch, value, window, after=stretch.register)


def scale(stretch: Stretch, times: float, _rng: np.random.Generator) -> Faulted:
    """Count so many times what was used, for three days."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 72)
    amounts[stretch.begin : end] *= times
    return counted(stretch, amounts, stretch.begin, end)


def sign(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Turn the sign of what is sent."""
    window, value = window_of(stretch, hours), stretch.value.copy()
    value[window] *= -1
    return said(stretch, value, window, after=stretch.register)


def offset(stretch: Stretch, times: float, _rng: np.random.Generator) -> Faulted:
    """Count so many mean intervals too much in every interval of a day."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 24)
    amounts[stretch.begin : end] += times * stretch.mean
    return counted(stretch, amounts, stretch.begin, end)


def shift(stretch: Stretch, minutes: float, _rng: np.random.Generator) -> Faulted:
    """Stamp three days too late: a hole where it begins, two values of one moment where it ends."""
    window, at = window_of(stretch, 72), stretch.at_us.copy()
    late = max(round(minutes * HOUR_US / 60 / stretch.cadence_us), 1)
    at[window] += late * stretch.cadence_us
    return replace(said(stretch, stretch.value, slice(window.start, window.stop + late)), at_us=at)


def duplicates(stretch: Stretch, times: float, rng: np.random.Generator) -> Faulted:
    """Send ten readings of a day a second time, with other values."""
    window = window_of(stretch, 24)
    which = np.sort(rng.choice(np.arange(window.start, window.stop), min(10, window.stop - window.start), False))
    again = stretch.value[which] + (times - 1) * stretch.amounts[which - int(stretch.register)]
    touched = np.zeros(len(stretch.amounts), np.bool_)
    touched[which - int(stretch.register)] = True
    at, value = np.append(stretch.at_us, stretch.at_us[which]), np.append(stretch.value, np.round(again, 6))
    return Faulted(at, value, touched)


def rollback(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Set a register back; it counts on from there."""
    value = stretch.value.copy()
    value[stretch.begin + 1 :] -= days * stretch.mean * DAY_US / stretch.cadence_us
    value = np.round(value - min(float(value.min()), 0.0), 6)
    return Faulted(stretch.at_us, value, touched_between(stretch, stretch.begin, stretch.begin + 1))


def rollover(stretch: Stretch, _times: float, _rng: np.random.Generator) -> Faulted:
    """Let a register pass its last digit."""
    if not stretch.wrap:
        return Faulted(stretch.at_us, stretch.value, np.zeros(len(stretch.amounts), np.bool_))
    used = stretch.value - stretch.value[stretch.begin] - stretch.amounts[stretch.begin] / 2
    return Faulted(
        stretch.at_us, np.round(used % stretch.wrap, 6), touched_between(stretch, stretch.begin, stretch.begin + 1)
    )


def momentary_zero(stretch: Stretch, readings: float, _rng: np.random.Generator) -> Faulted:
    """Show 0 for some readings."""
    first = stretch.begin + 1
    window, value = slice(first, first + round(readings)), stretch.value.copy()
    value[window] = 0
    return said(stretch, value, window, after=stretch.register)


def daily_reset(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Begin at 0 again, so many days one after another."""
    value, each = stretch.value.copy(), intervals_in(stretch, 24)
    for day in range(round(days)):
        first = stretch.begin + 1 + day * each
        value[first:] -= value[first]
    last = stretch.begin + (round(days) - 1) * each
    touched = touched_between(stretch, stretch.begin, last + 1)
    touched[stretch.begin : last + 1] = (np.arange(last + 1 - stretch.begin) % each) == 0
    return Faulted(stretch.at_us, np.round(value, 6), touched)


def dead(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Count nothing for some days."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 24 * days)
    amounts[stretch.begin : end] = 0
    return counted(stretch, amounts, stretch.begin, end)


def swapped(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Send another meter's readings under this meter's name."""
    if stretch.other is None:
        return Faulted(stretch.at_us, stretch.value, np.zeros(len(stretch.amounts), np.bool_))
    window, value = window_of(stretch, 24 * days), stretch.value.copy()
    value[window] = stretch.other[window]
    return said(stretch, value, window, after=stretch.register)


def noise(stretch: Stretch, deviation: float, rng: np.random.Generator) -> Faulted:
    """Multiply each interval of three days by chance; what is used stays above zero."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 72)
    amounts[stretch.begin : end] *= np.abs(1 + deviation * rng.standard_normal(end - stretch.begin))
    return counted(stretch, amounts, stretch.begin, end)


def drift(stretch: Stretch, share: float, _rng: np.random.Generator) -> Faulted:
    """Count less and less over a week."""
    amounts, end = stretch.amounts.copy(), min(stretch.begin + intervals_in(stretch, 168), len(stretch.amounts))
    amounts[stretch.begin : end] *= 1 - share * np.linspace(0, 1, end - stretch.begin)
    return counted(stretch, amounts, stretch.begin, end)


def clock_drift(stretch: Stretch, seconds: float, _rng: np.random.Generator) -> Faulted:
    """Stamp later and later, then set the clock right."""
    window, at = window_of(stretch, 72), stretch.at_us.copy()
    at[window] += (np.linspace(0, seconds, window.stop - window.start) * 1e6).astype(np.int64)
    return replace(said(stretch, stretch.value, window, after=True), at_us=at)


def outage(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Keep readings back; a meter of sums then sends all of it as one lump."""
    window, value = window_of(stretch, hours), stretch.value.copy()
    if not stretch.register and window.stop < len(value):
        value[window.stop] = np.round(value[window.start : window.stop + 1].sum(), 6)
    at, left = np.delete(stretch.at_us, window), np.delete(value, window)
    return replace(said(stretch, value, window, after=True), at_us=at, value=left)


def poison(stretch: Stretch, readings: float, rng: np.random.Generator) -> Faulted:
    """Send what is no number, or a number that no meter shows."""
    window, value = window_of(stretch, 24), stretch.value.copy()
    which = rng.choice(np.arange(window.start, window.stop), round(readings), replace=False)
    value[which] = np.array([np.nan, np.inf, -np.inf, 1e308, -1e308])[rng.integers(0, 5, len(which))]
    touched = np.zeros(len(stretch.amounts), np.bool_)
    touched[which - int(stretch.register)] = True
    return Faulted(stretch.at_us, value, touched)


FUNCTIONS: dict[str, Callable[[Stretch, float, np.random.Generator], Faulted]] = {
    one.__name__: one
    for one in (
        missing, zeros, spike, stuck, scale, sign, offset, shift, duplicates, rollback, rollover, momentary_zero,
        daily_reset, dead, swapped, noise, drift, clock_drift, outage, poison,
    )
} | HELD_OUT  # fmt: skip


@cache
def injectors() -> dict[str, Injector]:
    """Give the shipped injectors; a row without function, or a function without row, does not load."""
    return injectors_from(read_toml("quintet.simulate", "injectors.toml"))


def injectors_from(table: dict[str, Any]) -> dict[str, Injector]:
    """Read the table of injectors."""
    check_keys(table, required={"source", "date", "injector"}, optional=set(), place="injectors")
    strange = sorted(table["injector"].keys() ^ FUNCTIONS.keys())
    if strange:
        raise BadInput(f"{', '.join(strange)}: a row or a function is missing.", code="bad_injector", place="injectors")
    out: dict[str, Injector] = {}
    for code, row in table["injector"].items():
        check_keys(row, required={"unit", "magnitudes", "kinds"}, optional={"held"}, place=f"injector {code}")
        magnitudes = tuple(float(one) for one in row["magnitudes"])
        out[code] = Injector(
            code, FUNCTIONS[code], row["unit"], magnitudes, frozenset(row["kinds"]), row.get("held", False)
        )
    return out
