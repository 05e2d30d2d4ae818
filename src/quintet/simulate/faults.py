"""Draws what breaks, where and when: the ground truth. It knows rates, lengths and sizes, no rule that finds faults.

At any time a row has at most one fault, with a day's peace between two of them; one that lasts (dead, exchange,
rollover) has its row to itself. Every fault starts within a day, never on its first or last boundary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import exp, log
from typing import Any

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US

from .layout import Row, Site
from .plan import STEP_US, Chance, CityPlan, chance

PEACE_US = 24 * HOUR_US
LASTING = frozenset({"dead", "exchange", "rollover"})


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault, as the shipped table says. `length` is in intervals, `size` as `magnitude` explains."""

    code: str
    number: int
    rate: float
    length: tuple[int, int]
    size: tuple[float, float]
    commodities: frozenset[str]
    value_kinds: frozenset[str]
    within_day: bool
    magnitude: str

    def may_hit(self, row: Row) -> bool:
        """Say whether such a fault can happen to a row's meter."""
        fits = not self.commodities or row.meter.commodity in self.commodities
        return row.klass is not None and fits and (not self.value_kinds or row.meter.value_kind in self.value_kinds)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: which row of which site (by number), the stamps [start_us, end_us) concerned, how much."""

    site: int
    row: int
    kind: str
    start_us: int
    end_us: int
    magnitude: float
    day: int
    number: int = -1


@cache
def fault_kinds() -> dict[str, FaultKind]:
    """Give the shipped kinds of fault."""
    table = read_toml("quintet.simulate", "faults.toml")
    check_keys(table, required={"source", "date", "fault"}, optional=set(), place="faults")
    out: dict[str, FaultKind] = {}
    for number, (code, row) in enumerate(table["fault"].items()):
        optional = {"size", "commodities", "value_kinds", "within_day"}
        check_keys(row, required={"rate", "length", "magnitude"}, optional=optional, place=f"fault {code}")
        low, high = row.get("size", (1.0, 1.0))
        out[code] = FaultKind(
            code, number, row["rate"], (row["length"][0], row["length"][1]), (low, high),
            frozenset(row.get("commodities", ())), frozenset(row.get("value_kinds", ())),
            row.get("within_day", False), row["magnitude"],
        )  # fmt: skip
    return out


def rates_of(plan: CityPlan) -> dict[str, float]:
    """Give the plan's rates per meter and day by kind; an unknown kind is refused."""
    kinds = fault_kinds()
    if isinstance(plan.faults, Mapping):
        unknown = sorted(plan.faults.keys() - kinds.keys())
        if unknown:
            raise BadInput(
                f"unknown fault {', '.join(unknown)}.", code="bad_plan", remedy=f"Known: {', '.join(kinds)}."
            )
        return dict(plan.faults)
    return {code: kind.rate for code, kind in kinds.items()} if plan.faults else {}


def draw(plan: CityPlan, sites: list[Site]) -> list[Fault]:
    """Draw all faults of a city, numbered in the order of site, row and start."""
    rates = rates_of(plan)
    kinds = sorted(((fault_kinds()[code], rate) for code, rate in rates.items()), key=lambda pair: pair[0].number)
    ends_us = int(plan.edges(plan.last)[-1])
    found: list[Fault] = []
    for site in sites:
        taken: dict[int, list[tuple[int, int]]] = {}
        by_type: dict[tuple[str, bool], list[int]] = {}
        for i, row in enumerate(site.rows):
            by_type.setdefault((row.meter.code, row.klass is None), []).append(i)
        for kind, rate in kinds:
            fit = [i for rows in by_type.values() if kind.may_hit(site.rows[rows[0]]) for i in rows]
            rng = chance(plan.seed, Chance.FAULTS, site.number, kind.number)
            for _ in range(int(rng.poisson(rate * len(fit) * plan.days)) if fit else 0):
                fault = _one(plan, site, kind, fit[int(rng.integers(len(fit)))], rng, ends_us)
                if fault is not None and _is_free(taken, fault, ends_us):
                    found.append(fault)
    found.sort(key=lambda f: (f.site, f.row, f.start_us))
    return [replace(fault, number=i) for i, fault in enumerate(found)]


def _between(span: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw log-uniformly."""
    return exp(rng.uniform(log(span[0]), log(span[1])))


def _one(plan: CityPlan, site: Site, kind: FaultKind, row: int, rng: np.random.Generator, ends_us: int) -> Fault | None:
    """Draw one fault's time and size; None where the plan's end leaves no room for it."""
    number = int(rng.integers(0, plan.days))
    edges = plan.edges(plan.day(number))
    at = int(rng.integers(1, len(edges) - 3))
    length = max(1, round(_between(kind.length, rng)))
    size = _between(kind.size, rng)
    start = int(edges[at])
    last = int(edges[-2]) if kind.within_day else ends_us + STEP_US
    end = min(start + length * STEP_US, last)
    if kind.code == "dead":
        end = ends_us + STEP_US
    if kind.code == "late" and number + round(size) >= plan.days:
        return None
    fault = Fault(site.number, row, kind.code, start, end, 1.0, number)
    return replace(fault, magnitude=MAGNITUDES.get(kind.code, _intervals)(site, fault, size))


def _intervals(_site: Site, fault: Fault, _size: float) -> float:
    """Count the intervals concerned."""
    return float((fault.end_us - fault.start_us) // STEP_US)


def _spike(site: Site, fault: Fault, size: float) -> float:
    """Turn days of mean use into display units, at least one step."""
    steps = max(1.0, np.rint(size * site.base[fault.row] / site.step[fault.row]))
    return float(steps / site.per_unit[fault.row])


def _leak(site: Site, fault: Fault, size: float) -> float:
    """Turn litres an hour into whole sub-units an interval."""
    unit = site.step[fault.row] * site.per_unit[fault.row]
    return float(np.rint(size * unit / 1000 * STEP_US / HOUR_US))


def _draws(site: Site, fault: Fault, size: float) -> float:
    """Turn watts into whole sub-units an interval."""
    unit = site.step[fault.row] * site.per_unit[fault.row]
    return float(np.rint(size * unit / 1000 * STEP_US / HOUR_US))


RUNNING = frozenset({"leak", "gas_unresting", "base_load"})
"""Kinds in which something really flows, evenly, as long as they last."""
MAGNITUDES: Mapping[str, Any] = {
    "spike": _spike,
    "leak": _leak,
    "gas_unresting": _leak,
    "base_load": _draws,
    "drift": lambda _site, _fault, size: float(round(size)),
    "late": lambda _site, _fault, size: float(round(size)),
    "rollover": lambda site, fault, _size: float(site.wrap[fault.row] / site.per_unit[fault.row]),
    "exchange": lambda _site, _fault, _size: 1.0,
}


def _is_free(taken: dict[int, list[tuple[int, int]]], fault: Fault, ends_us: int) -> bool:
    """Say whether the row is in peace then, and if so book the time."""
    lasting = fault.kind in LASTING
    low, high = (0, ends_us + PEACE_US) if lasting else (fault.start_us - PEACE_US, fault.end_us + PEACE_US)
    booked = taken.setdefault(fault.row, [])
    if any(low < until and since < high for since, until in booked):
        return False
    booked.append((low, high))
    return True
