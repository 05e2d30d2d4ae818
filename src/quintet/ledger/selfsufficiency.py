"""Energy self-sufficiency by every shipped definition, matched interval by interval, with what is missing said."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.terms.commodity import Commodities
from quintet.terms.errors import UsageError
from quintet.terms.residual import FLOW, least
from quintet.terms.tables import FLOW_INDEX, FLOW_NAMES
from quintet.terms.unit import Unit

from .balance import EXPORT, IMPORT, SOURCES, USES, Balanced, balanced_carriers
from .dated import said
from .definitions import Definition, TotalDefinition, definitions
from .grid import Amounts, Mask
from .netting import FINE_MIN
from .shortfall import shortfall

INSIDE = tuple(name for name in USES if name != "export")
FINE_PLACES = 12
"""Decimal places of a sum that is no whole number of sub-units."""


@dataclass(frozen=True, slots=True)
class SelfSufficiency:
    """One definition's answer. `value` is exact (1 means 100 %), or None and `reason` says why.

    `numerator` and `denominator` are sums over the `matched` of `intervals` intervals in which every term is known, in
    `unit`. `coverage` is the share of the expected channel-minutes that arrived within the matched intervals, and never
    more than matched / intervals. `derived` names the flows that no meter gave, `assumed` what was taken for granted;
    `grade` is that of the zero-energy building certification where the definition has grades.
    """

    id: str
    name_en: str
    name_ko: str
    value: Fraction | None
    reason: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    unit: str
    interval: str
    matched: int
    intervals: int
    coverage: float | None
    estimated_share: float | None
    derived: tuple[str, ...]
    explanation_en: str
    explanation_ko: str
    assumed: tuple[str, ...] = ()
    grade: int | None = None

    def for_people(self) -> dict[str, Any]:
        """Give the answer as it is printed: the value as a decimal to the millionth, the rest as it stands."""
        row: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        lists = {"derived": list(self.derived), "assumed": list(self.assumed)}
        return {**row, "value": None if self.value is None else said(self.value), **lists}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a method may use, per interval, in sub-units; `grid_share` is the grid's carbon-free part (0: left out)."""

    own: Amounts
    use: Amounts
    imported: Amounts
    exported: Amounts
    grid_share: Amounts


@dataclass(frozen=True, slots=True)
class Method:
    """How one kind of definition is computed: numerator and denominator of each interval, and which terms they need."""

    numerator: Callable[[Terms], Amounts]
    denominator: Callable[[Terms], Amounts]
    needs: tuple[str, ...]
    residual: bool = False
    """It sets one meter's flow against the sum of others: what is not known of these would be in the difference."""


def _own(terms: Terms) -> Amounts:
    """Give what was produced here."""
    return terms.own


def _use(terms: Terms) -> Amounts:
    """Give what was used here."""
    return terms.use


def _not_imported(terms: Terms) -> Amounts:
    """Give the use that import does not account for: sum(use - import) / sum(use) = 1 - sum(import) / sum(use)."""
    return terms.use - terms.imported


def _matched(terms: Terms) -> Amounts:
    """Give the use that own production meets within the same interval, and the grid's carbon-free part of the rest.

    Production below zero meets nothing.
    """
    own = np.maximum(terms.own, 0)
    return np.minimum(terms.use, own) + np.maximum(terms.use - own, 0) * terms.grid_share


def _kept(terms: Terms) -> Amounts:
    """Give the own production that did not leave."""
    return terms.own - terms.exported


def _exported(terms: Terms) -> Amounts:
    """Give what left."""
    return terms.exported


def _imported(terms: Terms) -> Amounts:
    """Give what came in."""
    return terms.imported


MATCHED = "matched_of_used"
METHODS = {
    "produced_of_used": Method(_own, _use, ("own", "use")),
    "not_imported": Method(_not_imported, _use, ("imported", "use"), residual=True),
    MATCHED: Method(_matched, _use, ("own", "use")),
    "kept_of_produced": Method(_kept, _own, ("own", "exported")),
    "exported_of_imported": Method(_exported, _imported, ("exported", "imported")),
}


def selfsufficiency(
    flows: pa.Table,
    *,
    edges: Sequence[datetime],
    commodities: Commodities,
    boundaries_metered: AbstractSet[tuple[str, str]],
    interval: str,
    only: Iterable[str] | None = None,
    grid_share: Sequence[Fraction] | None = None,
) -> list[SelfSufficiency]:
    """Answer every definition (or those named) for one place's flows (FLOWS) at the matching interval.

    `interval` is the word for the resolution of `edges` ("hour"); it stands in each answer, which depends on it.
    `grid_share` is the carbon-free share of what the grid gives, for each interval; without it that share is left out.
    An interval with a missing term is left out of both sums and lowers the coverage: it never raises the ratio unsaid.
    Raises UsageError for a definition that does not exist.
    """
    balanced = balanced_carriers(flows, edges, commodities, boundaries_metered)
    long = max((end - start for start, end in pairwise(edges)), default=timedelta(0)) > timedelta(minutes=FINE_MIN)
    by_carrier = {(one.carrier.commodity, one.carrier.quantity): one for one in balanced}
    shares: Amounts = np.array([0] if grid_share is None else grid_share, np.int64 if grid_share is None else object)
    out: list[SelfSufficiency] = []
    for definition in _chosen(only):
        unit = commodities[definition.commodity].display_unit(definition.quantity)
        one = by_carrier.get((definition.commodity, definition.quantity))
        if one is None:
            reason = f"no {definition.commodity} is metered as {definition.quantity} here"
            out.append(refused(definition, reason, unit.code, interval, len(edges) - 1))
            continue
        if long and (reason := _too_long(definition, one)):
            out.append(refused(definition, reason, unit.code, interval, len(edges) - 1))
            continue
        out.append(_answer(definition, one, commodities, interval, shares))
    return out


def _too_long(definition: Definition, one: Balanced) -> str | None:
    """Say why a definition cannot be answered in intervals of more than an hour; None where it can."""
    needs = METHODS[definition.method].needs
    derived = bool(one.import_derived.any()) and not {"imported", "exported"}.isdisjoint(needs)
    if definition.method == MATCHED or (derived and one.carrier.has(*SOURCES)):
        return f"what is made and what is used meet within {FINE_MIN} minutes or less: these intervals are longer"
    return None


def _chosen(only: Iterable[str] | None) -> list[Definition]:
    """Give the definitions asked for, in the order of the table."""
    table = definitions()
    wanted = set(table) if only is None else set(only)
    unknown = sorted(wanted - table.keys())
    if unknown:
        raise UsageError(
            f"unknown definition {', '.join(unknown)}.", code="unknown_definition", remedy=f"Known: {', '.join(table)}."
        )
    return [row for code, row in table.items() if code in wanted]


@dataclass(frozen=True, slots=True)
class Measured:
    """A ratio before it is summed: weighted parts per interval above and below, where a term is missing (`gone`).

    `parts` names the carriers and rows of FLOW_NAMES that it rests on, for the coverage.
    """

    above: tuple[tuple[Fraction, Amounts], ...]
    below: tuple[tuple[Fraction, Amounts], ...]
    gone: Mask
    derived: tuple[str, ...]
    parts: tuple[tuple[Balanced, list[int]], ...]
    assumed: tuple[str, ...] = ()
    refusal: str | None = None
    """Why there is no ratio, whatever is known."""

    def sums(self, matched: Mask) -> tuple[Fraction, Fraction]:
        """Sum both sides exactly over some intervals."""
        above, below = (
            sum((weight * _sum(amounts[matched]) for weight, amounts in side), Fraction(0))
            for side in (self.above, self.below)
        )
        return above, below

    def value(self, matched: Mask) -> Fraction | None:
        """Give the ratio over some intervals; None where there is none, or nothing to divide by."""
        if self.refusal or not matched.any():
            return None
        above, below = self.sums(matched)
        return above / below if below > 0 else None


def measure(definition: Definition, one: Balanced, grid_share: Amounts) -> Measured | str:
    """Lay out one definition on its carrier's balance, or say why that cannot be."""
    method, carrier = METHODS[definition.method], one.carrier
    if "use" in method.needs and not carrier.has(*definition.use):
        return "no use is metered here"
    involved, derived, gone = _involved(definition, method, one)
    assumed: tuple[str, ...] | str = ()
    own_rows = [FLOW_INDEX[name] for name in definition.own]
    own = (carrier.renewable if definition.renewable_only else carrier.value)[own_rows].sum(axis=0)
    if "exported" in method.needs and "export" not in derived and not carrier.has("export"):
        # whether anything was left to leave rests on all that was made and used
        involved = sorted({*involved, *(FLOW_INDEX[name] for name in (*SOURCES, *INSIDE))})
        gone = gone | carrier.missing[involved].any(axis=0)
        assumed = _export_assumed(one, gone)
    short = shortfall(own, gone) if "own" in method.needs else None
    refusal = short.refusal if short and short.refusal else assumed if isinstance(assumed, str) else None
    terms = Terms(own, carrier.total(definition.use)[0], one.value[IMPORT], one.value[EXPORT], grid_share)
    above, below = method.numerator(terms), method.denominator(terms)
    return Measured(
        ((Fraction(1), above),),
        ((Fraction(1), below),),
        gone,
        derived,
        ((one, involved),),
        (*(() if isinstance(assumed, str) else assumed), *(short.assumed if short else ())),
        refusal,
    )


def _export_assumed(one: Balanced, gone: Mask) -> tuple[str, ...] | str:
    """Say what is taken for granted of an export that no meter shows; or why that cannot be, where something is left.

    Nothing has to have left where no interval made more than it used.
    """
    more = (one.carrier.total(SOURCES)[0] > one.carrier.total(INSIDE)[0]) & ~gone
    if more.any():
        count = int(more.sum())
        return f"no export meter stands, and in {count} intervals more was made here than used: what left is not known"
    return ("no export meter stands: nothing is taken to leave",)


def _answer(
    definition: Definition, one: Balanced, commodities: Commodities, interval: str, grid_share: Amounts
) -> SelfSufficiency:
    """Compute one definition on its carrier's balance."""
    unit = commodities[definition.commodity].display_unit(definition.quantity)
    found = measure(definition, one, grid_share)
    if isinstance(found, str):
        return refused(definition, found, unit.code, interval, one.value.shape[1])
    return answer_of(definition, found, unit, interval)


def answer_of(
    definition: Definition | TotalDefinition, found: Measured, unit: Unit, interval: str, assumed: tuple[str, ...] = ()
) -> SelfSufficiency:
    """Sum what was laid out over the intervals in which every term is known."""
    matched = ~found.gone
    above, below = found.sums(matched)
    coverage, estimated = shares_of(found.parts, matched)
    assumed = (*found.assumed, *assumed)
    reason = found.refusal
    if not matched.any():
        reason = "in no interval is everything known that it needs"
    elif reason is None and below <= 0:
        reason = "the sum to divide by is not above zero"
    return SelfSufficiency(
        id=definition.id,
        name_en=definition.name_en,
        name_ko=definition.name_ko,
        value=None if reason else above / below,
        reason=reason,
        numerator=_in_unit(above, unit) if matched.any() else None,
        denominator=_in_unit(below, unit) if matched.any() else None,
        unit=unit.code,
        interval=interval,
        matched=int(matched.sum()),
        intervals=len(matched),
        coverage=coverage,
        estimated_share=estimated,
        derived=found.derived,
        explanation_en=definition.explanation_en,
        explanation_ko=definition.explanation_ko,
        assumed=assumed,
    )


def _sum(amounts: Amounts) -> Fraction:
    """Sum exactly: whole sub-units, or fractions of them where a share was taken."""
    total = amounts.sum()
    return total if isinstance(total, Fraction) else Fraction(int(total))


def _in_unit(sub_units: Fraction, unit: Unit) -> Decimal:
    """Say a sum in a unit: exactly where that ends as a decimal, else (shares, toe) to the twelfth place."""
    whole = sub_units.denominator == 1 and (Fraction(10**FINE_PLACES) / unit.ratio).denominator == 1
    return unit.to_decimal(sub_units.numerator) if whole else said(sub_units / unit.ratio, FINE_PLACES)


def _involved(definition: Definition, method: Method, one: Balanced) -> tuple[list[int], tuple[str, ...], Mask]:
    """Give the flows that a definition rests on, those of them that are derived, and where one of them is not known.

    A derived flow rests on every flow of the balance.
    """
    names: set[str] = set()
    derived: list[str] = []
    gone = np.zeros(one.value.shape[1], dtype=np.bool_)
    import_derived = bool(one.import_derived.any())
    boundary = {
        "imported": ("import", import_derived),
        "exported": ("export", import_derived and not one.carrier.has("export")),
    }
    for need in method.needs:
        if need not in boundary:
            names |= set(definition.own if need == "own" else definition.use)
            continue
        name, is_derived = boundary[need]
        names |= set(FLOW_NAMES) if is_derived else {name}
        gone |= one.unknown[FLOW_INDEX[name]]
        derived += [name] if is_derived else []
    rows = [FLOW_INDEX[name] for name in FLOW_NAMES if name in names]
    if method.residual:
        gone |= ~np.all(least(FLOW).holds(one.carrier.expected_min[rows], one.known_min[rows]), axis=0)
    return rows, tuple(derived), gone | one.carrier.missing[rows].any(axis=0)


def shares_of(parts: Sequence[tuple[Balanced, list[int]]], matched: Mask) -> tuple[float | None, float | None]:
    """Give coverage (never above the share of intervals that matched) and the estimated share within those."""
    expected = sum(int(one.carrier.expected_min[rows].sum()) for one, rows in parts)
    arrived = sum(int(one.carrier.arrived_min[rows][:, matched].sum()) for one, rows in parts)
    estimated = sum(int(one.carrier.estimated_min[rows][:, matched].sum()) for one, rows in parts)
    coverage = min(Fraction(arrived, expected), Fraction(int(matched.sum()), len(matched))) if expected else None
    known = arrived + estimated
    return None if coverage is None else float(coverage), estimated / known if known else None


def refused(
    definition: Definition | TotalDefinition, reason: str, unit: str, interval: str, count: int
) -> SelfSufficiency:
    """Say that a definition cannot be computed, and why."""
    return SelfSufficiency(
        definition.id, definition.name_en, definition.name_ko, None, reason, None, None, unit, interval, 0, count,
        None, None, (), definition.explanation_en, definition.explanation_ko,
    )  # fmt: skip
