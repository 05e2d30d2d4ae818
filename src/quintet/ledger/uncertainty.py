"""How certain a total is: an interval that accounts for meters that are silent or estimated, by what like meters did.

What was measured is known. What was not is drawn, and each draw is one way in which the truth may be:

- a meter that was heard for a week or more is taken at its own level on the common course of its like, and off from
  that by as much as one of its like was, on the very cells that are missing (likeness.py);
- a meter that was never heard is one of its like, by its floor area where that is stated (unheard.py);
- a meter that has no like is off as it was over stretches of its own past (likeness.py).

Weights over the donors are drawn first (the Bayesian bootstrap: D. B. Rubin, Annals of Statistics 9, 1981; of a finite
population A. Y. Lo, Annals of Statistics 16, 1988): they carry what all errors have in common, the draw of donors that
of each meter. It assumes that which meters are silent has nothing to do with what they use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, UsageError

from .likeness import Method, heard_rest, lone_rest
from .meter_cells import Floats, Mask, MeterCells, Rows, pooled
from .unheard import unheard_rest

VIEW = ("margin_days", "most_hour_cells", "book_draws")
"""Numbers that say how much is read and repeated, not how it is drawn."""


def parse_numbers(table: Mapping[str, Any]) -> dict[str, int]:
    """Read the numbers of the method from parsed TOML; refuses unknown names, and one without a reason."""
    names = {*(one.name for one in fields(Method)), *VIEW}
    check_keys(dict(table), required=names, optional=set(), place="uncertainty.toml")
    out: dict[str, int] = {}
    for name in sorted(names):
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


@cache
def method() -> Method:
    """Give the shipped method."""
    return Method(**{one.name: numbers()[one.name] for one in fields(Method)})


@dataclass(frozen=True, slots=True)
class Drawn:
    """One flow's total, sub-units: what was `measured` whole (exact), draws [n] of the rest (None: `reason` says why).

    `known` is all that is known, estimates and parts of cells too. `unknown` meters were not measured all the time.
    """

    measured: int
    known: int
    rest: Floats | None
    unknown: int
    meters: int
    reason: str | None

    @property
    def extra(self) -> Floats | None:
        """Draws of what the truth is above what is known."""
        return None if self.rest is None else self.rest + float(self.measured - self.known)


@dataclass(frozen=True, slots=True)
class Interval:
    """A total with its bounds, whole sub-units: `best` is the median of the draws; all None where `reason` says why.

    `measured` is the part that whole measured cells give, `unknown` how many meters add something drawn.
    """

    level: float
    low: int | None
    best: int | None
    high: int | None
    measured: int
    unknown: int
    reason: str | None


def check_level(level: float) -> float:
    """Give a nominal level, above 0 and below 1; raises UsageError for what is none."""
    if not 0 < level < 1:
        raise UsageError(f"{level} is no level.", code="bad_level", place="level", remedy="Give one such as 0.9.")
    return level


def total_interval(groups: Sequence[MeterCells], level: float = 0.9, seed: int = 0) -> Interval:
    """Give the interval of a total over groups of like meters, at a nominal level above 0 and below 1.

    The same input and seed give the same bounds. Where nothing is unknown all bounds are the exact total.
    """
    check_level(level)
    return interval_of(draw(groups, level, seed), level)


def interval_of(one: Drawn, level: float) -> Interval:
    """Give the interval that draws show."""
    if one.rest is None:
        return Interval(level, None, None, None, one.measured, one.unknown, one.reason)
    low, best, high = np.quantile(one.rest, [(1 - level) / 2, 0.5, (1 + level) / 2])
    bounds = (one.measured + int(np.floor(low)), one.measured + round(float(best)), one.measured + int(np.ceil(high)))
    return Interval(level, *bounds, one.measured, one.unknown, None)


def draw(groups: Sequence[MeterCells], level: float = 0.9, seed: int = 0) -> Drawn:
    """Draw what a total over groups of like meters truly came to, as many times as the method's number says."""
    every, how = pooled(list(groups)), method()
    group = np.repeat(np.arange(len(groups)), [len(one.value) for one in groups])
    unknown = every.unknown
    open_rows = np.flatnonzero(unknown.any(axis=1))
    inside = every.due & every.inside
    measured = _sum(every.value[inside & every.whole])
    known = _sum(every.value[:, every.inside])
    out = Drawn(measured, known, np.zeros(how.draws), len(open_rows), len(every.value), None)
    if not len(open_rows):
        return out
    heard = (every.heard * every.days).sum(axis=1) >= how.least_own_days
    rest, lost = np.zeros(how.draws), list[str]()
    for number in np.unique(group[open_rows]).tolist():
        mine = open_rows[group[open_rows] == number]
        part, gone = _group(every, group == number, mine[heard[mine]], mine[~heard[mine]], level, [seed, number])
        rest += part
        lost += gone
    return replace(out, rest=None, reason="; ".join(dict.fromkeys(lost))) if lost else replace(out, rest=rest)


def _group(
    every: MeterCells, own: Mask, heard: Rows, silent: Rows, level: float, seed: Sequence[int]
) -> tuple[Floats, list[str]]:
    """Draw what is unknown of the meters of one group; and say of how many nothing can be said, and why."""
    how, rng = method(), np.random.default_rng(list(seed))
    rest, lost = np.zeros(how.draws), list[str]()
    if len(heard):
        enough = int((every.heard[own] & every.inside).any(axis=1).sum()) - len(heard) >= how.least_donors
        source, kin = (every.part(own), np.zeros(int(own.sum()), np.bool_)) if enough else (every, own)
        part, alone = heard_rest(every, heard, source, kin, rng, how)
        rest += part
        if len(alone):
            part, without = lone_rest(every, alone, rng, how)
            rest += part
            if len(without):
                lost.append(f"{len(without)} meters are silent for too long, and too few like them were measured")
    if len(silent):
        part, without = unheard_rest(every, silent, own, (1 - level) / 2, rng, how)
        rest += part
        if len(without):
            lost.append(f"{len(without)} meters were hardly ever heard, and too few like them were")
    return rest, lost


def _sum(values: np.ndarray[Any, Any]) -> int:
    """Sum exactly: in 64 bits where that fits, else as Python integers."""
    widest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    if widest * values.size < 2**62 and values.dtype != object:
        return int(values.sum(dtype=np.int64))
    if values.dtype == object or float(np.abs(values.astype(np.float64)).sum()) >= 2.0**62:
        return sum(int(one) for one in values.ravel())
    return int(values.sum(dtype=np.int64))
