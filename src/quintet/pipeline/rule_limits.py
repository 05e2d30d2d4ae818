"""Thresholds of the rules in force where readings become intervals: one number a channel, by what the channel is."""

import numpy as np

from quintet.vee import Rules
from quintet.vee.checks_state import outside

from .meaning import Meaning
from .rows import I32, I64, Mask

CLOCK, LONGEST = "V01", "V20"


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


def clock_outside(offset_us: I64, rules: Rules, meaning: Meaning, channels: I32, cadence_us: I64) -> Mask:
    """Mark readings of channels (-1: of none) whose device's clock is off by whole intervals (V01)."""
    if not len(meaning.cadence_us):
        return np.zeros(len(channels), np.bool_)
    intervals = threshold(rules, CLOCK, "intervals", meaning, np.maximum(channels, 0), 0)
    return (intervals > 0) & outside(offset_us, cadence_us, intervals)
