"""Self-sufficiency of a place by every definition, and why they differ."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access, FlowsAnswer
from quintet.access.plants import plant_flows
from quintet.ledger.balance import balanced_carriers
from quintet.ledger.calorific import Calorific
from quintet.ledger.carriers import EnergyBook, cuts_of, energy_books
from quintet.ledger.city_rows import bound_at, find_set
from quintet.ledger.conversions import Booked
from quintet.ledger.dated import said
from quintet.ledger.renewable_plants import Intake, intakes_of
from quintet.ledger.selfsufficiency import selfsufficiency
from quintet.ledger.waterfall import Waterstep, names_of, waterfall
from quintet.ledger.whole import whole_answers
from quintet.terms.period import Resolution, Span, from_us, local_day, to_us

from .answers import SelfSufficiency
from .answers_ledger import BoundTo, ExplainedStep, Explanation, SelfSufficiencies
from .balances import rounded
from .netted import fine
from .series import share

ALWAYS_US = -(2**61)
"""Before this a statement has no beginning that anybody knows."""
PLACES = 12


@dataclass(frozen=True)
class Books:
    """A place's flows over a span, the energy books made of them, and what renewable plants took in."""

    flows: FlowsAnswer
    access: Access
    energy: list[EnergyBook]
    intakes: list[Intake]


def books_of(access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None) -> Books:
    """Read a place's books by the hour, or by what is asked where that is shorter; raises NotFound for no place."""
    known, step = access.as_known(known_at), fine(resolution)
    registry = known.registry()
    flows = known.flows(place, span, step, told=resolution)
    balanced = balanced_carriers(flows.flows, flows.edges, registry.commodities, flows.boundaries_metered)
    calorific, day = find_set(registry.timelines).calorific, local_day(span.start, registry.tz)
    energy = energy_books(balanced, day, calorific, cuts_of(flows.edges, registry.tz, calorific))
    return Books(flows, known, energy, _intakes(known, place, span, step, day, calorific))


def _intakes(
    known: Access, place: str, span: Span, resolution: Resolution, day: date, calorific: list[Calorific]
) -> list[Intake]:
    """Give what renewable plants at a place and below it took in; nothing is read where there are none."""
    renewable = {plant.id for plant in known.registry().plants() if plant.renewable and plant.inputs}
    if not renewable:
        return []
    found = plant_flows(known, place, span, resolution)
    kept = [at for at, entry in enumerate(found.entries) if entry.plant in renewable]
    entries = [Booked(*found.entries[at]) for at in kept]
    return intakes_of(entries, found.sums.value[kept], found.sums.unknown[kept], day, calorific)


def place_selfsufficiency(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None, tz: ZoneInfo
) -> SelfSufficiencies:
    """Answer every definition for a place."""
    return sufficiency_of(books_of(access, place, span, resolution, known_at), span, resolution, tz)


def sufficiency_of(books: Books, span: Span, resolution: Resolution, tz: ZoneInfo) -> SelfSufficiencies:
    """Answer every definition from a place's books over a span."""
    found, flows = definitions_of(books, resolution), books.flows
    place = flows.place
    return SelfSufficiencies(
        flows.known_at.astimezone(tz), flows.rule_set, place, span.start.astimezone(tz), span.end.astimezone(tz),
        fine(resolution).value, bound_to(books, span, tz, found), found,
    )  # fmt: skip


def definitions_of(books: Books, resolution: Resolution) -> list[SelfSufficiency]:
    """Answer every definition from books: those of one carrier, then those over all."""
    flows = books.flows
    found = selfsufficiency(
        flows.flows,
        edges=flows.edges,
        commodities=books.access.registry().commodities,
        boundaries_metered=flows.boundaries_metered,
        interval=fine(resolution).value,
    )
    found += whole_answers(books.energy, fine(resolution).value, len(flows.edges) - 1, books.intakes)
    return [SelfSufficiency(**rounded(one.for_people())) for one in found]


def bound_to(books: Books, span: Span, tz: ZoneInfo, found: list[SelfSufficiency]) -> BoundTo | None:
    """Give the definition the city was bound to at the end of a span."""
    bound = bound_at(books.access.registry().timelines, to_us(span.end) - 1)
    if bound is None:
        return None
    since = None if bound.since_us < ALWAYS_US else from_us(bound.since_us).astimezone(tz)
    one = next((one for one in found if one.id == bound.definition), None)
    if one is None:
        return BoundTo(bound.definition, since, bound.by, bound.why, None)
    return BoundTo(
        bound.definition, since, bound.by, bound.why, one.value, one.coverage, one.estimated_share, one.matched,
        one.intervals, one.reason,
    )  # fmt: skip


def explain(
    access: Access, place: str, span: Span, resolution: Resolution, known_at: datetime | None, tz: ZoneInfo
) -> Explanation:
    """Say why the definitions differ for a place, step by step."""
    books = books_of(access, place, span, resolution, known_at)
    return explanation_of(books, span, resolution, bound_to(books, span, tz, definitions_of(books, resolution)), tz)


def explanation_of(
    books: Books, span: Span, resolution: Resolution, pinned: BoundTo | None, tz: ZoneInfo
) -> Explanation:
    """Say why the definitions differ, from a place's books over a span; `pinned` is the one the city is bound to."""
    flows = books.flows
    place = flows.place
    return Explanation(
        flows.known_at.astimezone(tz), flows.rule_set, place, span.start.astimezone(tz), span.end.astimezone(tz),
        fine(resolution).value, pinned, [_step(one) for one in waterfall(books.energy, None, books.intakes)],
    )  # fmt: skip


def _step(one: Waterstep) -> ExplainedStep:
    """Write one step."""
    before, after = names_of(one.step.before), names_of(one.step.after)
    difference = None if one.before is None or one.after is None else one.after - one.before
    exact = {
        "value_before": one.before, "value_after": one.after, "by_assumption": one.by_assumption,
        "by_intervals": one.by_intervals, "difference": difference,
    }  # fmt: skip
    numbers = {name: None if value is None else said(value, PLACES) for name, value in exact.items()}
    known: dict[str, Fraction] = {name: value for name, value in exact.items() if value is not None}
    return ExplainedStep(
        one.step.id, one.step.before, one.step.after, one.step.assumption, one.step.words_en, one.step.words_ko,
        *before, *after, **numbers, exact={name: str(value) for name, value in known.items()} or None,
        reason=one.reason, **_ends(one),
    )  # fmt: skip


def _ends(one: Waterstep) -> dict[str, Any]:
    """Say of both ends of a step how much was heard and matched."""
    out: dict[str, Any] = {}
    for name, end in (("before", one.heard_before), ("after", one.heard_after)):
        shares = (None, None) if end is None else (end.coverage, end.estimated_share)
        rounded_shares = [None if part is None else share(part) for part in shares]
        out |= dict(zip((f"coverage_{name}", f"estimated_share_{name}"), rounded_shares, strict=True))
        out |= {f"matched_{name}": end and end.matched, f"intervals_{name}": end and end.intervals}
    return out
