"""Channels whose amounts chain: a reading that is no whole sub-unit leaves a remainder for the next interval.

Such a channel is always derived from its beginning, so that no sum of it is ever off by more than one sub-unit.
"""

import numpy as np

from .derive import Channels, Evidence
from .exact import Factors
from .meaning import KINDS
from .rows import I32

SUMMED = np.isin([kind.value for kind in KINDS], ["interval_sum", "avg_power"])
"""Kinds whose amounts are rounded interval by interval; registers telescope, events and flows are rounded alone."""


def chained(evidence: Evidence, channels: Channels) -> I32:
    """Find the channels (by row of `channels`) that have a reading which is no whole sub-unit."""
    summed = evidence.take(SUMMED[channels.kind[evidence.channel]])
    if not len(summed):
        return summed.channel
    scaled = Factors(channels).scale(summed)
    return np.unique(summed.channel[scaled.mantissa % scaled.den != 0])
