"""Hourly factors: what was bought hour by hour, each hour by its own factor, told by the period that was asked for."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from typing import Any

import pyarrow as pa

from quintet.terms.catalogue import CERTAINTIES
from quintet.terms.period import local_day

from .counting import counted
from .dated import latest_day
from .emissions import Emission, Question, Unfuelled, in_unit
from .factors import Source
from .stated import HourFactors

Key = tuple[datetime, str, str]
"""Period, source and quantity."""


@dataclass(slots=True)
class _Sum:
    """One row's hours, added up."""

    amount: Fraction = Fraction(0)
    kg: Fraction = Fraction(0)
    hours: int = 0
    by_series: int = 0
    unknown: int = 0
    series: dict[str, HourFactors] = field(default_factory=dict)

    def add(self, amount: Fraction | None, factor: tuple[HourFactors, Fraction] | None, year: Fraction | None) -> None:
        """Add an hour: by the series' factor, else by the year's; without either it is not known."""
        self.hours += 1
        rate = factor[1] if factor else year
        if amount is None or rate is None:
            self.unknown += 1
            return
        self.amount += amount
        self.kg += amount * rate
        if factor:
            self.by_series += 1
            self.series[factor[0].id] = factor[0]

    def told(self, row: Emission) -> Emission:
        """Put the sums in the place of a row's own."""
        if not self.by_series:
            return row
        names = sorted(self.series)
        words = f"hour by hour, {self.by_series} of {self.hours} hours by {', '.join(names)}"
        rest = self.hours - self.by_series - self.unknown
        if rest:
            words += f", {rest} by {row.factor} ({row.basis})"
        if self.unknown:
            words += f", {self.unknown} not known and left out"
        used = [self.series[name] for name in names]
        origins = [(one.source, one.published_on, one.certainty) for one in used]
        if rest and row.source and row.published_on and row.certainty:
            names, origins = [*names, row.factor or ""], [*origins, (row.source, row.published_on, row.certainty)]
        sources, days, marks = zip(*origins, strict=True)
        return replace(
            row, kg_co2e=self.kg, gases_kg={}, sub_units=self.amount, amount=in_unit(self.amount, row.unit),
            basis=words, notation=None, reason=None, gwp="as published", factor=" ".join(names),
            source="; ".join(dict.fromkeys(sources)), published_on=max(days, key=latest_day),
            certainty=max(marks, key=list(CERTAINTIES).index),
        )  # fmt: skip


def by_the_hour(
    rows: Sequence[Emission],
    hours: pa.Table,
    unfuelled: Unfuelled,
    edges: Sequence[datetime],
    question: Question,
    series: Sequence[HourFactors],
) -> list[Emission]:
    """Count the rows of what is bought again, hour by hour, where hourly factors are of its commodity.

    `hours` is the BALANCE table by the hour, `edges` are those of the rows' periods. An hour that no series has is
    counted by the year's factor, and `basis` says how many were.
    """
    carriers = {(one.commodity, one.quantity) for one in series}
    sources = [one for one in question.table.sources.values() if one.lost_scope is not None]
    years: dict[Key, Emission] = {(row.start, row.source_id, row.quantity): row for row in rows}
    sums: dict[Key, _Sum] = {}
    starts = list(edges[:-1])

    @cache
    def rate(source: Source, quantity: str, day: date) -> Fraction | None:
        return question.rate(source, quantity, day).kg_co2e

    for row in hours.to_pylist():
        if (row["commodity"], row["quantity"]) not in carriers:
            continue
        period = starts[bisect_right(starts, row["start"]) - 1]
        factor = _at(series, row)
        for source in (one for one in sources if one.commodity == row["commodity"]):
            unfed = unfuelled.get((row["start"], row["commodity"], row["quantity"]), 0)
            found = counted(row, source, question.count_at, unfed)
            for name, amount in ((source.id, found.used), (f"{source.id}_lost", found.lost)):
                key = (period, name, row["quantity"])
                year = years.get(key)
                if year is not None and (amount is not None or name == source.id):
                    of_year = None if factor else rate(source, row["quantity"], local_day(period, question.tz))
                    sums.setdefault(key, _Sum()).add(amount, factor, of_year)
    return [sums[key].told(row) if (key := (row.start, row.source_id, row.quantity)) in sums else row for row in rows]


def _at(series: Sequence[HourFactors], row: dict[str, Any]) -> tuple[HourFactors, Fraction] | None:
    """Give the factor of an hour by the series published last that has it."""
    for one in reversed(series):
        if (one.commodity, one.quantity) == (row["commodity"], row["quantity"]):
            kg = one.at(row["start"])
            if kg is not None:
                return one, kg
    return None
