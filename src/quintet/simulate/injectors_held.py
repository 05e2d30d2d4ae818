"""Faults that were kept out of sight while the rules that compare with the weeks before were made.

They differ from the others in kind: slow, lasting to the end, of single digits, of one phase. What is found of them
says how the rules fare with faults that nobody thought of.
"""

from collections.abc import Callable

import numpy as np

from quintet.terms.period import HOUR_US

from .plan import Floats
from .stretch import Faulted, Stretch, counted, intervals_in, said, touched_between, window_of


def creep(stretch: Stretch, share: float, _rng: np.random.Generator) -> Faulted:
    """Count more and more until the end: so much more after a week."""
    amounts, begin = stretch.amounts.copy(), stretch.begin
    weeks = np.arange(1, len(amounts) - begin + 1) / intervals_in(stretch, 168)
    amounts[begin:] *= 1 + share * weeks
    return counted(stretch, amounts, begin, len(amounts))


def exchanged(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Put another meter in the place of this one and tell nobody: it begins at so many days of use, or at 0."""
    if not stretch.register:
        return Faulted(stretch.at_us, stretch.value, np.zeros(len(stretch.amounts), np.bool_))
    value, first = stretch.value.copy(), stretch.begin + 1
    value[first:] += days * stretch.mean * intervals_in(stretch, 24) - value[first]
    return Faulted(stretch.at_us, np.round(value, 6), touched_between(stretch, stretch.begin, first))


def zone(stretch: Stretch, minutes: float, _rng: np.random.Generator) -> Faulted:
    """Stamp late from a moment on, as a logger with another time zone does: a hole, and no end."""
    first, at = stretch.begin + int(stretch.register), stretch.at_us.copy()
    at[first:] += round(minutes * HOUR_US / 60 / stretch.cadence_us) * stretch.cadence_us
    inside = at < stretch.at_us[-1] + stretch.cadence_us
    touched = touched_between(stretch, stretch.begin, len(stretch.amounts))
    return Faulted(at[inside], stretch.value[inside], touched)


def decimal(stretch: Stretch, readings: float, rng: np.random.Generator) -> Faulted:
    """Lose the decimal comma of single readings of a day: ten times what was."""
    window, value = window_of(stretch, 24), stretch.value.copy()
    places = np.arange(window.start, window.stop)
    which = np.sort(rng.choice(places, min(round(readings), len(places)), replace=False))
    value[which] *= 10
    touched = np.zeros(len(stretch.amounts), np.bool_)
    touched[which - int(stretch.register)] = True
    if stretch.register:
        touched[np.minimum(which, len(touched) - 1)] = True
    return Faulted(stretch.at_us, np.round(value, 6), touched)


def phase(stretch: Stretch, lost: float, _rng: np.random.Generator) -> Faulted:
    """Lose phases of three until the end: so many thirds are no longer counted."""
    amounts = stretch.amounts.copy()
    amounts[stretch.begin :] *= 1 - lost / 3
    return counted(stretch, amounts, stretch.begin, len(amounts))


def digits(stretch: Stretch, readings: float, rng: np.random.Generator) -> Faulted:
    """Exchange the two leading digits that differ, in single readings of a day."""
    window, value = window_of(stretch, 24), stretch.value.copy()
    touched = np.zeros(len(stretch.amounts), np.bool_)
    changed = 0
    for place in rng.permutation(np.arange(window.start, window.stop)).tolist():
        turned = _transposed(float(value[place]))
        if turned != value[place] and changed < readings:
            value[place], changed = turned, changed + 1
            touched[place - int(stretch.register)] = True
            if stretch.register:
                touched[min(place, len(touched) - 1)] = True
    return Faulted(stretch.at_us, value, touched)


def _transposed(value: float) -> float:
    """Exchange the first two neighbouring digits that differ; all equal, or below zero: the value itself."""
    text = f"{value:.6f}"
    whole = text.replace(".", "")
    for place in range(len(whole) - 1):
        if whole[0] != "-" and whole[place] != whole[place + 1]:
            turned = f"{whole[:place]}{whole[place + 1]}{whole[place]}{whole[place + 2 :]}"
            return float(f"{turned[: text.index('.')]}.{turned[text.index('.') :]}")
    return value


def constant(stretch: Stretch, times: float, _rng: np.random.Generator) -> Faulted:
    """Count so many mean intervals too much in every interval until the end."""
    amounts = stretch.amounts.copy()
    amounts[stretch.begin :] += times * stretch.mean
    return counted(stretch, amounts, stretch.begin, len(amounts))


def clipped(stretch: Stretch, share: float, _rng: np.random.Generator) -> Faulted:
    """Count no more than a share of what the meter counted at most, for a week."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 168)
    amounts[stretch.begin : end] = np.minimum(amounts[stretch.begin : end], share * amounts.max())
    return counted(stretch, amounts, stretch.begin, min(end, len(amounts)))


def quantised(stretch: Stretch, times: float, _rng: np.random.Generator) -> Faulted:
    """Drop what is no whole multiple of so many mean intervals, for three days."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 72)
    step = max(round(times * stretch.mean, 6), 1e-6)
    amounts[stretch.begin : end] = np.floor(amounts[stretch.begin : end] / step + 1e-9) * step
    return counted(stretch, amounts, stretch.begin, end)


def reversed_ct(stretch: Stretch, days: float, _rng: np.random.Generator) -> Faulted:
    """Count backwards for some days."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 24 * days)
    amounts[stretch.begin : end] *= -1
    return counted(stretch, amounts, stretch.begin, min(end, len(amounts)))


def repeated_tail(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Say again, for some hours, what was used in the same hours of the day before."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, hours)
    each = intervals_in(stretch, 24)
    source: Floats = amounts[stretch.begin - each : end - each].copy()
    amounts[stretch.begin : end] = source
    return counted(stretch, amounts, stretch.begin, end)


def pulses(stretch: Stretch, share: float, rng: np.random.Generator) -> Faulted:
    """Lose a share of the meter's own steps for three days: what is left are whole steps."""
    amounts, end = stretch.amounts.copy(), stretch.begin + intervals_in(stretch, 72)
    counts = np.round(np.abs(amounts) * 1e6).astype(np.int64)
    step = int(np.gcd.reduce(counts)) / 1e6 or 1.0
    kept = rng.binomial(np.round(np.abs(amounts[stretch.begin : end]) / step).astype(np.int64), 1 - share)
    amounts[stretch.begin : end] = kept * step * np.sign(amounts[stretch.begin : end])
    return counted(stretch, amounts, stretch.begin, end)


def delayed(stretch: Stretch, hours: float, _rng: np.random.Generator) -> Faulted:
    """Send the readings of some hours with the stamps of the hours after, in the place of those."""
    window, value = window_of(stretch, hours), stretch.value.copy()
    length = window.stop - window.start
    value[window] = stretch.value[window.start - length : window.stop - length]
    return said(stretch, value, window, after=stretch.register)


HELD_OUT: dict[str, Callable[[Stretch, float, np.random.Generator], Faulted]] = {
    one.__name__: one
    for one in (
        creep, exchanged, zone, decimal, phase, digits, constant, clipped, quantised, reversed_ct, repeated_tail,
        delayed, pulses,
    )
}  # fmt: skip
"""The functions, by name."""
