"""Readings to whole sub-units, exactly: a table of fractions per (channel group, unit, power of ten), applied at once.

Value in sub-units = mantissa * 10**exponent * ratio * multiplier (* cadence in hours where the unit is a rate).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from quintet.terms.period import HOUR_US

from .shapes import I64, Channels, Evidence, Mask

LARGEST = 2**60
"""No amount may be larger: the sum or difference of two then still fits 64 bits."""
SAFE = 2**62


@dataclass(frozen=True)
class Scaled:
    """Readings with their factors num/den.

    `fine` rows give an amount within +-LARGEST (None: all), `wide` ones need long integers on the way (None: none).
    """

    mantissa: I64
    num: I64 | np.int64
    den: I64 | np.int64
    fine: Mask | None
    wide: Mask | None


class Factors:
    """The exact factors of some channels; channels of equal cadence and multiplier share a group."""

    def __init__(self, channels: Channels) -> None:
        """Group the channels; costs one sort of the cadences where they differ, and of the multipliers."""
        self.ratios, self.rates = channels.unit_ratios, channels.unit_rates
        if len(channels.cadence_us) and bool((channels.cadence_us == channels.cadence_us[0]).all()):
            cadences, group = channels.cadence_us[:1], np.zeros(len(channels.cadence_us), np.int64)
        else:
            cadences, group = np.unique(channels.cadence_us, return_inverse=True)
        multipliers = [Fraction(1)]
        if channels.multiplier is not None and len(cadences):
            multipliers, of_channel = _distinct(channels.multiplier)
            group = group * len(multipliers) + of_channel
        self.group = group.astype(np.int64)
        self.groups = [(int(cadence), one) for cadence in cadences for one in multipliers]
        self._known: dict[tuple[int, int, int], Fraction] = {}

    def factor(self, group: int, unit: int, exponent: int) -> Fraction:
        """Give sub-units per 1 of mantissa, for the channels of a group."""
        key = (group, unit, exponent)
        if key not in self._known:
            cadence, multiplier = self.groups[group]
            hours = Fraction(cadence, HOUR_US) if self.rates[unit] else Fraction(1)
            self._known[key] = self.ratios[unit] * multiplier * hours * Fraction(10) ** exponent
        return self._known[key]

    def scale(self, evidence: Evidence) -> Scaled:
        """Look up every reading's factor; one pass when all share it."""
        low = int(evidence.exponent.min())
        tens = int(evidence.exponent.max()) - low + 1
        key = evidence.exponent.astype(np.int64) - low
        if len(self.ratios) > 1:
            key += evidence.unit.astype(np.int64) * tens
        if len(self.groups) > 1:
            key += self.group[evidence.channel] * (tens * len(self.ratios))
        present = np.flatnonzero(np.bincount(key))
        factors = [
            self.factor(one // (tens * len(self.ratios)), one // tens % len(self.ratios), one % tens + low)
            for one in present.tolist()
        ]
        return _scaled(evidence.mantissa, key, present, factors)


def _distinct(multipliers: list[Fraction]) -> tuple[list[Fraction], I64]:
    """Give the distinct multipliers and each channel's number among them; the same object is hashed only once."""
    numbers: dict[Fraction, int] = {}
    seen: dict[int, int] = {}
    for one in multipliers:
        if id(one) not in seen:
            seen[id(one)] = numbers.setdefault(one, len(numbers))
    return list(numbers), np.array([seen[id(one)] for one in multipliers], np.int64)


def _scaled(mantissa: I64, key: I64, present: I64, factors: list[Fraction]) -> Scaled:
    """Attach factors; mark rows that are too large, and rows whose product leaves 64 bits on the way."""
    largest = max(abs(int(mantissa.min())), abs(int(mantissa.max())))
    top = max(abs(one.numerator) for one in factors)
    safe = largest * top < SAFE and all(one.denominator < SAFE for one in factors)
    safe = safe and all(abs(largest * one) <= LARGEST for one in factors)

    def table(of: list[int]) -> I64:
        column = np.ones(int(present[-1]) + 1, np.int64)
        column[present] = of
        return column

    nums = [one.numerator if abs(one.numerator) < SAFE else 1 for one in factors]
    dens = [one.denominator if one.denominator < SAFE else 1 for one in factors]
    if len(present) == 1:
        num, den = np.int64(nums[0]), np.int64(dens[0])
    else:
        num = table(nums)[key]
        den = np.int64(1) if set(dens) == {1} else table(dens)[key]
    if safe:
        return Scaled(mantissa, num, den, None, None)
    ceiling = [min(SAFE, int(LARGEST / abs(one))) if one else SAFE for one in factors]
    exact = [
        (SAFE // abs(one.numerator) if one and one.denominator < SAFE and abs(one.numerator) < SAFE else -1)
        for one in factors
    ]
    size = np.abs(mantissa)
    fine = size <= table(ceiling)[key]
    wide = fine & (size > table(exact)[key])
    return Scaled(mantissa, num, den, fine, wide if bool(wide.any()) else None)


def _long_fractions(evidence: Evidence, factors: Factors, rows: I64) -> list[Fraction]:
    """Give some readings as fractions of Python's own integers: the slow way for numbers beyond 64 bits on the way."""
    group = factors.group[evidence.channel[rows]].tolist()
    triples = zip(group, evidence.unit[rows].tolist(), evidence.exponent[rows].tolist(), strict=True)
    mantissas: list[int] = evidence.mantissa[rows].tolist()
    return [factors.factor(*triple) * number for triple, number in zip(triples, mantissas, strict=True)]


def floors(evidence: Evidence, factors: Factors) -> tuple[I64, Mask | None]:
    """Give each reading as floor(value) sub-units, and a mask of those that are not too large (None: all are fine).

    Differences of floors telescope: the sum of any run equals the floor of its last less the floor of its first.
    """
    scaled = factors.scale(evidence)
    product = scaled.mantissa * scaled.num
    value: I64 = product if _is_one(scaled.den) else product // scaled.den
    if scaled.fine is not None:
        value = np.where(scaled.fine, value, 0)
    if scaled.wide is not None:
        rows = np.flatnonzero(scaled.wide)
        value[rows] = [one.__floor__() for one in _long_fractions(evidence, factors, rows)]
    return value, scaled.fine


def _is_one(den: I64 | np.int64) -> bool:
    """Tell whether a factor's denominator is 1 throughout."""
    return den.ndim == 0 and int(den) == 1


def chained(
    evidence: Evidence, factors: Factors, carry: Mapping[int, Fraction], runs: I64 | None = None
) -> tuple[I64, Mask | None, dict[int, Fraction]]:
    """Give each amount in whole sub-units with the remainder carried to the channel's next one.

    amount_i = floor(S_i) - floor(S_i-1), S being the exact running sum from `carry` (in [0, 1), by channel) on: no sum
    of any run is off by more than one sub-unit. With `runs` (first row of each) every run starts from 0 instead, and
    its amounts sum to the floor of its exact sum. Also gives the mask of rows that are not too large (None: all fine;
    the others count as 0) and the remainders of the channels whose amounts are no whole sub-units.
    """
    scaled = factors.scale(evidence)
    product = scaled.mantissa * scaled.num
    if scaled.fine is not None:
        product = np.where(scaled.fine, product, 0)
    if _is_one(scaled.den) and scaled.wide is None:
        return product, scaled.fine, {}
    first = np.flatnonzero(np.diff(evidence.channel, prepend=-1)) if runs is None else runs
    names = evidence.channel[first].tolist()
    start = [carry.get(name, Fraction(0)) if runs is None else Fraction(0) for name in names]
    whole, rest = np.divmod(product, scaled.den)
    dens = sorted({int(one) for one in np.unique(scaled.den)} | {one.denominator for one in start})
    common = lcm(*dens)
    if scaled.wide is None and common * (len(evidence) + 1) < SAFE:
        rest *= common // scaled.den
        left = _carry_over(whole, rest, first, [int(one * common) for one in start], common)
        ends = {name: Fraction(int(over), common) for name, over in zip(names, left.tolist(), strict=True)}
        return whole, scaled.fine, ends
    return _channel_by_channel(evidence, factors, scaled, first, start)


def _carry_over(whole: I64, rest: I64, first: I64, start: list[int], common: int) -> I64:
    """Add to `whole` (in place) what the remainders `rest` / common come to; gives each channel's last remainder.

    Remainders are summed over all channels at once; sums that leave 64 bits wrap, and their differences are right.
    """
    rest[first] += np.array(start, np.int64)
    running = np.cumsum(rest)
    counts = np.diff(np.append(first, len(rest)))
    base = running[first] - rest[first]
    running -= np.repeat(base, counts)
    full = running // common
    step = np.diff(full, prepend=0)
    step[first] = full[first]
    whole += step
    last = first + counts - 1
    return running[last] - full[last] * common


def _channel_by_channel(
    evidence: Evidence, factors: Factors, scaled: Scaled, first: I64, start: list[Fraction]
) -> tuple[I64, Mask | None, dict[int, Fraction]]:
    """Chain with one denominator a channel, in Python's own integers where 64 bits do not hold it: rare units only."""
    out = np.zeros(len(evidence), np.int64)
    ends: dict[int, Fraction] = {}
    den, num = np.broadcast_to(scaled.den, out.shape), np.broadcast_to(scaled.num, out.shape)
    fine = np.ones(out.shape, np.bool_) if scaled.fine is None else scaled.fine
    for begin, end, carry in zip(first.tolist(), [*first[1:].tolist(), len(evidence)], start, strict=True):
        rows = slice(begin, end)
        common = lcm(carry.denominator, *{int(one) for one in np.unique(den[rows])})
        if common * (end - begin + 1) < SAFE and (scaled.wide is None or not scaled.wide[rows].any()):
            whole, rest = np.divmod(np.where(fine[rows], scaled.mantissa[rows] * num[rows], 0), den[rows])
            rest *= common // den[rows]
            left = _carry_over(whole, rest, np.zeros(1, np.int64), [int(carry * common)], common)
            out[rows], over = whole, Fraction(int(left[0]), common)
        else:
            amounts = _long_fractions(evidence, factors, np.arange(begin, end))
            out[rows], over = _long_chain(
                [one if good else 0 for one, good in zip(amounts, fine[rows], strict=True)], carry
            )
        ends[int(evidence.channel[begin])] = over
    return out, scaled.fine, ends


def _long_chain(amounts: list[Fraction | int], carry: Fraction) -> tuple[list[int], Fraction]:
    """Chain amounts in Python's integers."""
    out: list[int] = []
    for amount in amounts:
        carry += amount
        out.append(carry.__floor__())
        carry -= out[-1]
    return out, carry
