"""Whether the interval of a total holds what it promises: known meters are hidden, and the truth sought in it."""

from dataclasses import dataclass, replace

import numpy as np

from .meter_cells import Mask, MeterCells
from .uncertainty import total_interval

WAYS = ("new", "silent", "days")
"""Hidden is a meter with all its past, a meter for the whole period, or a stretch of its days in the period."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The trials of one total: how many held the truth, and how wide the interval was as a share of the truth.

    `share` of the `meters` that were wholly measured was hidden in each. `refused` trials gave no interval.
    """

    way: str
    share: float
    level: float
    meters: int
    trials: int
    inside: int
    refused: int
    mean_width: float | None

    @property
    def inside_share(self) -> float | None:
        """The share of the answered trials whose interval held the truth."""
        answered = self.trials - self.refused
        return self.inside / answered if answered else None


def calibrate(groups: list[MeterCells], *, way: str, share: float, level: float, trials: int, seed: int) -> Calibration:
    """Hide a share of the wholly measured meters of a total at random, again and again, and ask for the interval.

    At least one meter is hidden. What was not wholly measured is left out: its truth is not known.
    """
    sound = [_sound(group) for group in groups]
    counts = [len(group.value) for group in sound]
    places = np.repeat(np.arange(len(sound)), counts)
    rows = np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0, np.int64)
    truth = sum(int(group.value[group.due & group.inside].sum(dtype=np.int64)) for group in sound)
    inside, refused, widths = 0, 0, list[float]()
    for trial in range(trials if len(places) else 0):
        rng = np.random.default_rng([seed, trial])
        chosen = rng.choice(len(places), max(round(share * len(places)), 1), replace=False)
        hidden = {at: rows[chosen[places[chosen] == at]] for at in range(len(sound))}
        asked = [hide(group, hidden[at], way, rng) for at, group in enumerate(sound)]
        found = total_interval(asked, level, seed=trial)
        if found.low is None or found.high is None:
            refused += 1
            continue
        inside += found.low <= truth <= found.high
        widths.append((found.high - found.low) / abs(truth) if truth else 0.0)
    return Calibration(
        way, share, level, len(places), trials if len(places) else 0, inside, refused,
        float(np.mean(widths)) if widths else None,
    )  # fmt: skip


def _sound(group: MeterCells) -> MeterCells:
    """Keep the channels that owe something in the period and were measured on all of it."""
    owed = group.due & group.inside
    keep = np.asarray(owed.any(axis=1) & ~(owed & ~group.whole).any(axis=1), np.bool_)
    return group.part(keep)


def hide(group: MeterCells, rows: np.ndarray, way: str, rng: np.random.Generator) -> MeterCells:
    """Give a group in which some channels were not heard, in one of WAYS."""
    value, whole, estimated = group.value.copy(), group.whole.copy(), group.estimated.copy()
    days = np.flatnonzero(group.inside)
    for row in rows.tolist():
        gone: Mask = np.ones(len(group.inside), np.bool_)
        if way == "silent":
            gone = group.inside
        if way == "days":
            first = int(rng.integers(0, len(days)))
            length = int(rng.integers(1, len(days) - first + 1))
            gone = np.zeros(len(group.inside), np.bool_)
            gone[days[first : first + length]] = True
        whole[row, gone] = False
        value[row, gone] = 0
        estimated[row, gone] = np.nan
    return replace(group, value=value, whole=whole, estimated=estimated)
