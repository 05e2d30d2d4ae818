"""How certain a total is: an interval that accounts for meters that are silent or estimated, by what like meters did.

A total is a sum over a finite number of meters. What was measured is known; what was not is drawn from the meters that
were, as a finite population's Bayesian bootstrap does: weights over the donors from a flat Dirichlet, then one donor
for each unknown by those weights (A. Y. Lo, A Bayesian bootstrap for a finite population, Annals of Statistics 16,
1988).
The draw of weights carries the uncertainty of the donors' mean, the draw of donors that of each meter. It assumes that
which meters are silent has nothing to do with what they use, and nothing else: no normal distribution, no independence
of a meter's days.

A meter with measured days of its own is taken at its level: what it should have used is that level times the mean
course of its group, and what is drawn is how far a donor of like level was from its own such number on the same days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

NAMES = ("draws", "least_donors", "neighbours", "least_own_days", "margin_days")
CELLS_AT_ONCE = 4_000_000
"""Draws held in memory at one time, 32 MB."""
FAR = 10.0
"""An order of magnitude: what a donor far calmer than the others is off by says nothing in proportion."""


def parse_numbers(table: Mapping[str, Any]) -> dict[str, int]:
    """Read the numbers of the method from parsed TOML; refuses unknown names, and one without a reason."""
    check_keys(dict(table), required=set(NAMES), optional=set(), place="uncertainty.toml")
    out: dict[str, int] = {}
    for name in NAMES:
        check_keys(table[name], required={"value", "reason"}, optional=set(), place=f"uncertainty.toml {name}")
        value = table[name]["value"]
        if not isinstance(value, int) or value < 1 or not table[name]["reason"]:
            raise BadInput("wants a whole number above 0 and a reason.", code="bad_row", place=name)
        out[name] = value
    return out


@cache
def numbers() -> Mapping[str, int]:
    """Give the shipped numbers of the method."""
    return parse_numbers(read_toml("quintet.ledger", "uncertainty.toml"))


@dataclass(frozen=True, slots=True)
class DaySums:
    """Sums by channel and local day of one group of like channels (one flow of one carrier at one level of places).

    `value` int64 [channels, days], sub-units, signed as they count; `due`: the day is owed; `whole`: all of it was
    measured; `estimated`: the share of a day that is known but not measured, NaN where a part is not known at all;
    `inside` [days]: the day belongs to the period, the others only tell levels.
    """

    value: Ints
    due: Mask
    whole: Mask
    estimated: Floats
    inside: Mask

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit."""
        shapes = {one.shape for one in (self.value, self.due, self.whole, self.estimated)}
        if len(shapes) > 1 or self.value.shape[1:] != self.inside.shape:
            raise UsageError("sums, days due and days measured differ in shape.", code="bad_shape")

    @property
    def unknown(self) -> Mask:
        """Channel-days of the period that are owed and not wholly measured."""
        return self.due & ~self.whole & self.inside

    @property
    def donors(self) -> Mask:
        """The channels [n] measured on every day on which any of them owes something."""
        days = self.inside & self.due.any(axis=0)
        return np.asarray((self.due & self.whole)[:, days].all(axis=1), np.bool_)

    def part(self, rows: Mask) -> "DaySums":
        """Give some of the channels."""
        return DaySums(self.value[rows], self.due[rows], self.whole[rows], self.estimated[rows], self.inside)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One group's total: what was measured (exact), draws [n] of the rest (None: cannot be drawn, and `reason`)."""

    measured: int
    rest: Floats | None
    unknown_channels: int
    donors: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A total with its bounds, whole sub-units: `best` is the median of the draws; all None where `reason` says why.

    `measured` is the part that whole measured days give, `unknown_channels` how many meters add something drawn.
    """

    level: float
    low: int | None
    best: int | None
    high: int | None
    measured: int
    unknown_channels: int
    donors: int
    reason: str | None


def total_interval(groups: list[DaySums], level: float = 0.9, seed: int = 0) -> Interval:
    """Give the interval of a total over groups of like channels, at a nominal level above 0 and below 1.

    The same input and seed give the same bounds. Where nothing is unknown all bounds are the exact total.
    """
    if not 0 < level < 1:
        raise UsageError(f"{level} is no level.", code="bad_level", place="level", remedy="Give one such as 0.9.")
    every = pooled(groups)
    drawn = [draw(group, every, np.random.default_rng([seed, at])) for at, group in enumerate(groups)]
    measured = sum(one.measured for one in drawn)
    unknown, donors = sum(one.unknown_channels for one in drawn), sum(one.donors for one in drawn)
    reason = next((one.reason for one in drawn if one.reason), None)
    if reason is not None:
        return Interval(level, None, None, None, measured, unknown, donors, reason)
    rest = sum((one.rest for one in drawn if one.rest is not None), np.zeros(numbers()["draws"]))
    low, best, high = np.quantile(rest, [(1 - level) / 2, 0.5, (1 + level) / 2])
    bounds = (measured + int(np.floor(low)), measured + round(float(best)), measured + int(np.ceil(high)))
    return Interval(level, *bounds, measured, unknown, donors, None)


def pooled(groups: list[DaySums]) -> DaySums | None:
    """Take the channels of all groups together."""
    if not groups:
        return None
    value, due, whole, estimated = (
        np.concatenate([getattr(one, name) for one in groups]) for name in ("value", "due", "whole", "estimated")
    )
    return DaySums(value, due, whole, estimated, groups[0].inside)


def draw(group: DaySums, every: DaySums | None, rng: np.random.Generator) -> Drawn:
    """Draw what the unknown channel-days of one group came to, as many times as the method's number says.

    Where too few of the group were measured, the errors of all channels (`every`) are lent, in proportion to the level;
    but of a channel whose level nobody knows nothing is said then.
    """
    unknown = group.unknown
    whole = group.whole & group.due
    measured = int(group.value[whole & group.inside].sum(dtype=np.int64))
    open_rows = np.flatnonzero(unknown.any(axis=1))
    if not len(open_rows):
        return Drawn(measured, None, 0, 0, None)
    own = int(group.donors.sum())
    lent = own < numbers()["least_donors"] and every is not None
    source = every if lent and every is not None else group
    like = Donors.of(source.part(source.donors))
    if len(like.value) < numbers()["least_donors"]:
        return Drawn(measured, None, len(open_rows), own, few(len(open_rows), own))
    weights = rng.dirichlet(np.ones(len(like.value)), numbers()["draws"])
    rest = np.zeros(numbers()["draws"])
    patterns, which = np.unique(np.hstack([unknown, whole])[open_rows], axis=0, return_inverse=True)
    width = unknown.shape[1]
    for at, pattern in enumerate(patterns):
        rows = open_rows[np.flatnonzero(which.ravel() == at)]
        gone, heard = pattern[:width], pattern[width:]
        found = _rest_of(gone, heard, group, rows, like, weights, rng, alike=not lent)
        if found is None:
            return Drawn(measured, None, len(open_rows), own, few(len(open_rows), own))
        rest += found
    return Drawn(measured, rest, len(open_rows), len(like.value), None)


def few(unknown: int, donors: int) -> str:
    """Say that nothing can be said."""
    return f"{unknown} meters are not wholly measured, and only {donors} like them are"


@dataclass(frozen=True, slots=True)
class Donors:
    """Channels measured on every day of the period: sums and days measured [k, days], and their mean course [days]."""

    value: Floats
    whole: Mask
    course: Floats

    @classmethod
    def of(cls, group: DaySums) -> "Donors":
        """Give the donors with the mean of what was measured on each day."""
        value, whole = group.value.astype(np.float64), group.whole & group.due
        return cls(value, whole, (value * whole).sum(axis=0) / np.maximum(whole.sum(axis=0), 1))

    def levels(self, value: Floats, whole: Mask) -> Floats:
        """Give the level of channels against the course, by the days measured; NaN where those are too few."""
        base = (whole * self.course).sum(axis=1)
        known = (whole.sum(axis=1) >= numbers()["least_own_days"]) & (base != 0)
        return np.where(known, (value * whole).sum(axis=1) / np.where(known, base, 1), np.nan)

    def noise(self, value: Floats, whole: Mask, level: Floats) -> Floats:
        """Give by how much channels were off from their level times the course on a day measured (root mean square)."""
        off = (value - level[:, None] * self.course) * whole
        return np.sqrt((off**2).sum(axis=1) / np.maximum(whole.sum(axis=1), 1))


def _rest_of(
    gone: Mask,
    own: Mask,
    group: DaySums,
    rows: Rows,
    like: Donors,
    weights: Floats,
    rng: np.random.Generator,
    *,
    alike: bool,
) -> Floats | None:
    """Draw the sum over channels `rows` that lack the days `gone` and were measured on the days `own`.

    A day that is estimated is taken at its estimate, any other at the channel's level. None where the level of a
    channel is not known and the donors are not `alike`.
    """
    mine = group.value[rows].astype(np.float64)
    estimated = group.estimated[rows][:, gone]
    stands = ~np.isnan(estimated)
    truth = like.value[:, gone].sum(axis=1)
    measured = np.broadcast_to(own, mine.shape)
    level = like.levels(mine, measured)
    levels = like.levels(like.value, like.whole & own)
    can = np.flatnonzero(~np.isnan(levels))
    if np.isnan(level).any() or len(can) < numbers()["least_donors"]:
        return _counted(truth, len(mine), weights, rng) if alike else None
    centre = np.where(stands, mine[:, gone], level[:, None] * like.course[gone])
    expected = centre.sum(axis=1)
    doubt = (np.abs(centre) * np.where(stands, estimated, 1.0)).sum(axis=1) / np.maximum(np.abs(centre).sum(axis=1), 1)
    share = like.course[gone].sum()
    least = 0.0 if (like.value >= 0).all() and (mine >= 0).all() else -np.inf
    donors = Errors(
        levels[can] * share,
        truth[can] - levels[can] * share,
        like.noise(like.value, like.whole & own, levels)[can],
        weights[:, can],
    )
    off = mine - level[:, None] * like.course
    noise = np.stack([like.noise(mine, measured, level), stretches(off[:, own], int(gone.sum()))], axis=1)
    return _by_level(expected, doubt[:, None] * noise, donors, least, rng)


def _counted(truth: Floats, count: int, weights: Floats, rng: np.random.Generator) -> Floats:
    """Draw the sum over `count` channels of which nothing is known: each is one of the donors, or a little like it."""
    draws = len(weights)
    spread = np.log(np.abs(truth[truth != 0])).std() if (truth != 0).any() else 0.0
    width = bandwidth(float(spread), len(truth))
    if count * draws <= CELLS_AT_ONCE:
        running = np.cumsum(weights, axis=1)
        point = rng.random((draws, count))
        chosen = np.stack([np.searchsorted(one, at) for one, at in zip(running, point, strict=True)])
        like = truth[np.minimum(chosen, len(truth) - 1)]
        out = (like * np.exp(rng.normal(-(width**2) / 2, width, like.shape))).sum(axis=1)
    else:
        counts = rng.multinomial(count, weights)
        deviation = np.sqrt(counts @ (truth**2) * np.expm1(width**2))
        out = counts @ truth + deviation * rng.normal(size=draws)
    return out


def bandwidth(deviation: float, donors: int) -> float:
    """Give the width of a normal kernel: 1.06 s n^(-1/5) (B. W. Silverman, Density Estimation, 1986, section 3.4.2).

    A bootstrap alone never draws beyond the largest donor; a smoothed one does, the less the more donors there are.
    """
    return 1.06 * deviation * donors ** (-0.2)


@dataclass(frozen=True, slots=True)
class Errors:
    """What donors [k] should have used by their level, by how much they were off, their daily noise; weights [., k]."""

    expected: Floats
    error: Floats
    noise: Floats
    weights: Floats


def stretches(off: Floats, days: int) -> Floats:
    """Give by how much channels were off over stretches of so many measured days (root mean square), off [m, measured].

    Where there are not enough such stretches, of shorter ones, in proportion: as if a channel once off stayed so.
    """
    measured = off.shape[1]
    long = max(min(days, measured - numbers()["least_own_days"]), 1)
    running = np.cumsum(np.pad(off, ((0, 0), (1, 0))), axis=1)
    sums = running[:, long:] - running[:, :-long]
    return np.sqrt((sums**2).mean(axis=1)) * (days / long)


def _by_level(expected: Floats, noise: Floats, donors: Errors, least: float, rng: np.random.Generator) -> Floats:
    """Draw the sum over channels at their expected amounts [m] plus the error of a donor of like level each.

    An error is carried over in proportion to the daily noise of the two (a donor whose noise is less than a tenth of
    the highest near it counts as that tenth). `noise` [m, 2] is a channel's noise on a day, and over a stretch as long
    as what is unknown: errors are never smaller, on the whole, than the channel's own over such a stretch.
    """
    order = np.argsort(donors.expected, kind="stable")
    near = min(numbers()["neighbours"], len(order))
    middle = np.searchsorted(donors.expected[order], expected)
    first = np.clip(middle - near // 2, 0, len(order) - near)
    draws = len(donors.weights)
    out = np.zeros(draws)
    step = max(CELLS_AT_ONCE // (draws * near), 1)
    sorted_weights = donors.weights[:, order]
    for low in range(0, len(expected), step):
        window = first[low : low + step, None] + np.arange(near)
        of_donors = donors.noise[order][window]
        base = np.maximum(of_donors, of_donors.max(axis=1, keepdims=True) / FAR)
        apart = np.divide(noise[low : low + step, :1], base, out=np.ones(window.shape), where=base > 0)
        scaled = donors.error[order][window] * apart
        size = np.sqrt((scaled**2).mean(axis=1))
        least_size = noise[low : low + step, 1]
        scaled *= np.maximum(np.divide(least_size, size, out=np.ones(len(size)), where=size > 0), 1)[:, None]
        running = np.cumsum(sorted_weights[:, window], axis=2)
        point = rng.random((draws, len(window), 1)) * running[:, :, -1:]
        chosen = np.minimum((running < point).sum(axis=2), near - 1)
        drawn = np.take_along_axis(np.broadcast_to(scaled, running.shape), chosen[:, :, None], axis=2)[:, :, 0]
        drawn += rng.normal(size=drawn.shape) * bandwidth(1.0, near) * scaled.std(axis=1)
        out += np.maximum(expected[low : low + step] + drawn, least).sum(axis=1)
    return out
