"""Thresholds of the rules in force where readings become intervals: one number a channel, by what the channel is."""

from fractions import Fraction

import numpy as np

from quintet.terms.period import HOUR_US
from quintet.vee import Rules
from quintet.vee.apportion import times_floor
from quintet.vee.checks import UNKNOWN, highest
from quintet.vee.checks_state import outside

from .meaning import Meaning
from .rows import I32, I64, MOST_AMOUNT, Mask

CLOCK, LONGEST, PLATE = "V01", "V20", "V16"


def threshold(rules: Rules, code: str, name: str, meaning: Meaning, channels: I32, otherwise: int) -> I64:
    """Give a whole threshold of a rule for some channels; `otherwise` where the rule does not apply."""
    kinds = meaning.kinds()
    found = [rules[code].settings(kind) for kind in kinds]
    numbers = np.array([otherwise if one is None else int(one[name]) for one in found], np.int64)
    return numbers[meaning.kind_numbers()[channels]]


def longest_estimate_days(rules: Rules, meaning: Meaning, channels: I32) -> I64:
    """Give after how many days without a measurement nothing is estimated from like days (V20), for some channels."""
    return threshold(rules, LONGEST, "days", meaning, channels, most_estimate_days(rules))


def most_estimate_days(rules: Rules) -> int:
    """Give the longest such stretch of any channel."""
    return max(int(one.value) for one in rules[LONGEST].parameters)


def highest_amounts(rules: Rules, meaning: Meaning, channels: I32, cadence_us: int) -> I64:
    """Give the most that an interval of each channel can hold: its plate's, else the usual of its kind (V16).

    Where neither is known it is the largest amount that is kept at all.
    """
    kinds, plate = meaning.kind_numbers()[channels], meaning.traits(channels).plate_max_per_hour
    most = np.full(len(channels), UNKNOWN, np.int64)
    for kind in np.unique(kinds).tolist():
        own = kinds == kind
        settings = rules[PLATE].settings(meaning.kinds()[kind])
        if settings is not None:
            most[own] = highest(plate[own], settings)
    known = times_floor(np.maximum(most, 0), Fraction(cadence_us, HOUR_US))
    return np.where(most == UNKNOWN, MOST_AMOUNT, np.minimum(known, MOST_AMOUNT))


def clock_outside(offset_us: I64, rules: Rules, meaning: Meaning, channels: I32, cadence_us: I64) -> Mask:
    """Mark readings of channels (-1: of none) whose device's clock is off by whole intervals (V01)."""
    if not len(meaning.cadence_us):
        return np.zeros(len(channels), np.bool_)
    intervals = threshold(rules, CLOCK, "intervals", meaning, np.maximum(channels, 0), 0)
    return (intervals > 0) & outside(offset_us, cadence_us, intervals)
