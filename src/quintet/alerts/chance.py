"""How likely an ordinary time of a dwelling looks like this: chances from its own past, none from a normal curve of it.

A past of n alike times of which k looked so gives the chance of one more (k + 1/2) / (n + 1): the mean of Jeffreys'
posterior for a share. Times are taken as independent where that is said.
"""

from math import erfc, sqrt

import numpy as np

from quintet.access.home_hours import Floats

MILLION = 1_000_000


def of_share(count: int, of: int) -> float:
    """Give the chance that one more time looks as `count` of `of` did."""
    return (count + 0.5) / (of + 1)


def in_a_row(count: int, of: int, times: int) -> float:
    """Give the chance that so many independent times in a row look so."""
    return of_share(count, of) ** times


def rises(recent: Floats, past: Floats) -> float:
    """Give the one-sided chance of the Mann-Whitney test that `recent` is no larger than `past` (ties halved).

    By the normal approximation with the correction for ties; 1 where all values are equal.
    """
    n, m = len(recent), len(past)
    every = np.concatenate([recent, past])
    _, inverse, counts = np.unique(every, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    statistic = float(ranks[:n].sum()) - n * (n + 1) / 2
    total = n + m
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return 0.5 * erfc((statistic - n * m / 2 - 0.5) / sqrt(2 * variance))


def above(mean: float, spread: float, limit: float) -> float:
    """Give the chance that an amount of such a mean and standard deviation is above a limit (normal curve)."""
    if spread <= 0:
        return float(mean > limit)
    return 0.5 * erfc((limit - mean) / (spread * sqrt(2)))
