"""The parts of a change as they are found: what is compared, by what activity, and what is left in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.decompose import ACTIVITY, CARRIERS, GAPS, MEASURES, SUPPLY, UNEXPLAINED, WEATHER
from quintet.ledger.targets import EMISSIONS, Measure, measures, stated_saving
from quintet.terms.length import DAY_US
from quintet.terms.period import Span, local_day

from .panel import Carrier, Panel
from .targets_weather import Two

PREMISES, FLOOR, OCCUPIED = "premises", "floor_area", "occupied"
ACTIVITIES: Mapping[str, str] = {
    PREMISES: "place-days with a meter of use",
    FLOOR: "m2-days",
    OCCUPIED: "dwelling-days",
}
"""By what activity may be counted, and its unit."""
ZERO = Fraction(0)
YEAR = 365


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared: a metric of a place over two periods; `then`: the earlier figure as known at a moment."""

    place: str
    base: Span
    other: Span
    metric: str = EMISSIONS
    of: str = "total"
    activity: str = PREMISES
    then: datetime | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """How far one period's figure can be trusted: coverage and estimated share of what it rests on, and what lacks.

    `missing` are rows without an amount (of a share: intervals that are not matched), `unfactored` those without a
    factor. What is missing is in the figure as nothing.
    """

    coverage: float | None
    estimated_share: float | None
    missing: int
    unfactored: int = 0


@dataclass
class Apart:
    """The parts of a change as they are found, with their evidence, and how far both periods are known."""

    amount: dict[str, Fraction]
    evidence: dict[str, list[str]]
    known: list[Known] = field(default_factory=list[Known])

    def add(self, part: str, amount: Fraction, *evidence: str) -> None:
        """Add to a part."""
        self.amount[part] += amount
        self.evidence[part] += evidence


def activity(known: Access, asked: Comparison, two: Two, found: Apart) -> tuple[Fraction, Fraction]:
    """Count activity in both periods; where it is nothing in one of them, it is taken to be one for each day."""
    counted = [_counted(known, asked, one, span) for one, span in ((two.base, asked.base), (two.other, asked.other))]
    told = f"{ACTIVITIES[asked.activity]}: {counted[0]} before, {counted[1]} after, by the registry"
    if all(one > 0 for one in counted):
        found.evidence[ACTIVITY].append(told)
        return counted[0], counted[1]
    found.evidence[ACTIVITY].append(f"{told}; not known for both periods, so only their days count")
    return Fraction(two.base.days), Fraction(two.other.days)


def _counted(known: Access, asked: Comparison, of: Panel, span: Span) -> Fraction:
    """Count one period's activity; 0 where the registry does not say it for every place with a meter."""
    registry = known.registry()
    if asked.activity == PREMISES:
        return Fraction(sum(of.places.values()))
    if asked.activity == FLOOR:
        areas = {name: registry.tree.bodies[name].get("floor_area_m2") for name in of.places if name in registry.tree}
        if not all(areas.get(name) for name in of.places):
            return ZERO
        return sum((Fraction(str(areas[name])) * days for name, days in of.places.items()), ZERO)
    lived = 0
    for premise, timeline in registry.timelines("occupancy").items():
        if premise not in registry.tree or asked.place not in registry.tree.path(premise):
            continue
        ends = [since for since, _ in timeline[1:]] + [span.end_us]
        for (since, body), until in zip(timeline, ends, strict=True):
            if body is not None:
                lived += max(min(until, span.end_us) - max(since, span.start_us), 0)
    return Fraction(lived, DAY_US)


def weather_told(found: Apart, two: Two, carrier: Carrier) -> None:
    """Say what a carrier's weather rests on."""
    of = two.weather[carrier]
    if of.model is None or of.part is None:
        found.evidence[WEATHER].append(f"{carrier[0]}: refused, {of.reason}; what weather did is in {UNEXPLAINED}")
        found.evidence[UNEXPLAINED].append(f"{carrier[0]}: whatever the weather did, for its model was refused")
        return
    found.evidence[WEATHER].append(
        f"{carrier[0]}: degree days on {of.model.days} days, R2 {of.model.r2:.3f}, unseen {of.model.r2_unseen:.3f}"
    )


def keep(found: Apart, parts: Mapping[str, Fraction]) -> None:
    """Take over the parts that are told as they are."""
    for part in (WEATHER, ACTIVITY, CARRIERS, SUPPLY, GAPS):
        found.add(part, parts.get(part, ZERO))


def split(
    found: Apart, known: Access, asked: Comparison, intensity: Fraction, rate: Mapping[str, Fraction], tz: ZoneInfo
) -> None:
    """Part what is left into what measures are stated to save and what nothing explains."""
    tree = known.registry().tree
    stated = ZERO
    for one in measures(known.registry().timelines):
        if one.place not in tree or asked.place not in tree.path(one.place) or one.commodity not in rate:
            continue
        saved = _saved(one, asked, tz) * rate[one.commodity]
        if saved:
            stated -= saved
            found.evidence[MEASURES].append(
                f"{one.id} at {one.place} from {one.start}: {one.what_en} (stated by {one.by}, not proved)"
            )
    if not found.evidence[MEASURES]:
        found.evidence[MEASURES].append("no measure is stated that took effect between the periods")
    found.add(MEASURES, stated)
    found.add(UNEXPLAINED, intensity - stated, "change of use a unit of activity, weather apart, less stated measures")


def _saved(one: Measure, asked: Comparison, tz: ZoneInfo) -> Fraction:
    """Give what a measure saves in the second period more than in the first, sub-units."""
    late, early = (
        stated_saving([one], local_day(span.start, tz), local_day(span.end, tz), YEAR)
        for span in (asked.other, asked.base)
    )
    return late - early
