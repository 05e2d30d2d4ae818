"""The way to a year's targets: what is known so far, what is left, and at what pace; nothing is forecast."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pyarrow as pa

from quintet.access import Access
from quintet.ledger.city_rows import find_set
from quintet.ledger.dated import said
from quintet.ledger.emissions import NOT_ESTIMATED, Emission, lacks
from quintet.ledger.factor_sets import FactorSet
from quintet.ledger.inventory import Asked, Inventory, Piece, inventory
from quintet.ledger.targets import EMISSIONS, KG, ONE, VERDICTS, Path, Target, emission_path, share_path, targets
from quintet.terms.period import Resolution, Span, day_start, from_us, local_day

from .answers import SelfSufficiency
from .answers_ledger import FactorSetName
from .answers_targets import CarrierSoFar, TargetProgress, Trajectory
from .netted import piece_of
from .self_sufficiencies import ALWAYS_US, books_of, definitions_of
from .series import share

RULE_EN = (
    "Paces are linear. The pace is by covered time: the time of a carrier's meters that is not known is taken to be"
    " like the time that is. What is missing is not saved: while something is missing nothing is called on the way."
)
RULE_KO = (
    "속도는 선형입니다. 수신된 시간 기준이며, 에너지원별로 미수신 시간은 수신된 시간과 같다고 봅니다."
    " 없는 값은 절감이 아니므로, 누락이 있으면 목표대로 가고 있다고 판정하지 않습니다."
)
MARKET = "scope_2_market"
SURE = 1e-6
"""Shares are told to the millionth: what lacks less is whole."""


@dataclass
class Minutes:
    """The minutes behind carriers' flows: expected, arrived, estimated."""

    of: dict[str, list[int]] = field(default_factory=dict)

    def add(self, flows: pa.Table) -> None:
        """Add a table of flows."""
        names = ("commodity", "expected_min", "arrived_min", "estimated_min")
        for commodity, *minutes in zip(*(flows[name].to_pylist() for name in names), strict=True):
            sums = self.of.setdefault(commodity, [0, 0, 0])
            for at, minute in enumerate(minutes):
                sums[at] += minute

    def known(self, commodity: str) -> Fraction | None:
        """Give the known share of a carrier's time, at most 1; None where nothing is owed and nothing came."""
        expected, arrived, estimated = self.of.get(commodity, [0, 0, 0])
        if not expected:
            return Fraction(1) if arrived + estimated else None
        return min(Fraction(arrived + estimated, expected), Fraction(1))

    def shares(self, commodities: Iterable[str]) -> tuple[float | None, float | None]:
        """Give coverage and estimated share over some carriers."""
        sums = [self.of[one] for one in commodities if one in self.of]
        expected, arrived, estimated = (sum(one[at] for one in sums) for at in range(3))
        known = arrived + estimated
        return share(min(arrived / expected, 1.0)) if expected else None, share(estimated / known) if known else None


@dataclass
class Counting:
    """An inventory with the minutes behind it."""

    found: Inventory
    minutes: Minutes
    chosen: FactorSet

    def rows(self, of: str) -> list[tuple[str, Fraction | None, bool]]:
        """Give each row of a sum: its commodity, its kg, and whether it counts somewhere else (IE) or is nothing."""
        if of == MARKET:
            return [(one.commodity, one.kg_co2e, False) for one in self.found.market]
        scopes = {1, 2, 3} if of == "total" else {int(of.removeprefix("scope_"))}
        return [(one.commodity, one.kg_co2e, _elsewhere(one)) for one in self.found.rows if one.scope in scopes]

    def kg(self, of: str) -> dict[str, Fraction]:
        """Give the kg of a sum by carrier."""
        out: dict[str, Fraction] = {}
        for commodity, kg, elsewhere in self.rows(of):
            if not elsewhere:
                out[commodity] = out.get(commodity, Fraction(0)) + (kg or 0)
        return out

    def burnt(self, commodity: str, part: str) -> Fraction:
        """Give what one part of a carrier's scope 1 emits: what users burn, or plants."""
        rows = (one for one in self.found.rows if (one.scope, one.commodity, one.part) == (1, commodity, part))
        return sum((one.kg_co2e or Fraction(0) for one in rows), Fraction(0))

    def missing(self, of: str) -> tuple[int, int]:
        """Count the rows of a sum without an amount, and those without a factor."""
        if of == MARKET:
            return sum(one.kg_co2e is None for one in self.found.market), 0
        scopes = {1, 2, 3} if of == "total" else {int(of.removeprefix("scope_"))}
        rows = [one for one in self.found.rows if one.scope in scopes and one.kg_co2e is None]
        return sum(lacks(one) for one in rows), sum(one.notation == NOT_ESTIMATED for one in rows if not lacks(one))


def _elsewhere(one: Emission) -> bool:
    return one.kg_co2e is None and one.notation is not None and not lacks(one)


def counting(known: Access, place: str, span: Span, tz: ZoneInfo, chosen: FactorSet) -> Counting:
    """Count a place's greenhouse gases over a span by the month, with the minutes behind them."""
    minutes = Minutes()

    def fetch(part: Span, hourly: bool) -> Piece:
        step = Resolution.HOUR if hourly else Resolution.MONTH
        piece, flows = piece_of(known, place, part, step, Resolution.MONTH)
        if not hourly:
            minutes.add(flows.flows)
        return piece

    how = Asked(place, tz, known.registry().commodities)
    return Counting(inventory(span, chosen, how, fetch), minutes, chosen)


def trajectory(access: Access, place: str, year: int | None, known_at: datetime | None, tz: ZoneInfo) -> Trajectory:
    """Give a year's targets of a place (None: this year) and the way to each, now or as known at a moment.

    Raises NotFound for a place that is none.
    """
    known = access.as_known(known_at)
    with known.asking(place) as asked:
        moment, known_us, rule_set = asked.until_us, asked.known_us, asked.rule_set
    year = year or local_day(from_us(moment), tz).year
    start, end = day_start(date(year, 1, 1), tz), day_start(date(year + 1, 1, 1), tz)
    until = max(min(day_start(local_day(from_us(moment), tz), tz), end), start)
    gone, days = ((local_day(last, tz) - date(year, 1, 1)).days for last in (until, end))
    chosen = find_set(known.registry().timelines)
    held = [one for one in targets(known.registry().timelines, known_us) if (one.place, one.year) == (place, year)]
    so_far = Span(start, until) if gone else None
    by_kg = None
    if so_far and any(one.metric == EMISSIONS for one in held):
        by_kg = counting(known, place, so_far, tz, chosen)
    shares: dict[str, SelfSufficiency] = {}
    if so_far and any(one.metric != EMISSIONS for one in held):
        found = definitions_of(books_of(known, place, so_far, Resolution.HOUR, None), Resolution.HOUR)
        shares = {one.id: one for one in found}
    told = [
        _emissions(one, by_kg, gone, days, tz)
        if one.metric == EMISSIONS
        else _share(one, shares.get(one.of), gone, days, tz)
        for one in held
    ]
    return Trajectory(
        from_us(known_us).astimezone(tz), rule_set, FactorSetName(chosen.name, chosen.digest), place, year,
        start.astimezone(tz), until.astimezone(tz), days, gone, days - gone, RULE_EN, RULE_KO, told,
    )  # fmt: skip


def _whole(coverage: float | None, estimated: float | None) -> bool:
    """Tell whether all that was expected is known: measured or estimated."""
    return coverage is not None and coverage + SURE >= 1 - (estimated or 0)


def _share(one: Target, answer: SelfSufficiency | None, gone: int, days: int, tz: ZoneInfo) -> TargetProgress:
    """Tell the way to a share."""
    if answer is None:
        return _told(one, share_path(one.amount, None, False, gone, days), tz, (None, None), (0, 0), None, [])
    value = None if answer.value is None else Fraction(answer.value)
    whole = answer.matched == answer.intervals and _whole(answer.coverage, answer.estimated_share)
    path = share_path(one.amount, value, whole, gone, days)
    missing = answer.intervals - answer.matched
    return _told(one, path, tz, (answer.coverage, answer.estimated_share), (missing, 0), answer.reason, [])


def _emissions(one: Target, found: Counting | None, gone: int, days: int, tz: ZoneInfo) -> TargetProgress:
    """Tell the way to an emission target."""
    if found is None:
        return _told(one, emission_path(one.amount, [], True, gone, days), tz, (None, None), (0, 0), None, [])
    kg = found.kg(one.of)
    missing, unfactored = found.missing(one.of)
    # a carrier of which no row has an amount is known by nothing, whatever its meters
    known_of = {name for name, amount, _ in found.rows(one.of) if amount is not None}
    parts = [(amount, found.minutes.known(name) if name in known_of else Fraction(0)) for name, amount in kg.items()]
    path = emission_path(one.amount, parts, not missing and not unfactored and bool(kg), gone, days)
    reason = f"{missing} rows have no amount, {unfactored} no factor" if missing or unfactored else None
    carriers = [
        CarrierSoFar(name, said(amount), None if known is None else share(float(known)))
        for (name, amount), (_, known) in zip(kg.items(), parts, strict=True)
    ]
    return _told(one, path, tz, found.minutes.shares(kg), (missing, unfactored), reason, carriers)


def _told(
    one: Target, path: Path, tz: ZoneInfo, shares: tuple[float | None, float | None], rows: tuple[int, int],
    reason: str | None, carriers: list[CarrierSoFar],
) -> TargetProgress:  # fmt: skip
    """Write one target."""
    since = None if one.since_us < ALWAYS_US else from_us(one.since_us).astimezone(tz)
    english, korean = VERDICTS[path.verdict]
    return TargetProgress(
        metric=one.metric,
        of=one.of,
        unit=KG if one.metric == EMISSIONS else ONE,
        target=said(one.amount),
        since=since,
        by=one.by,
        why=one.why,
        so_far=_said(path.so_far),
        left=_said(path.left),
        left_share=_said(path.left_share),
        pace=_said(path.pace),
        pace_needed=_said(path.pace_needed),
        verdict=path.verdict,
        words_en=english,
        words_ko=korean,
        coverage=shares[0],
        estimated_share=shares[1],
        rows_missing=rows[0],
        rows_not_estimated=rows[1],
        reason=reason,
        carriers=carriers,
    )


def _said(amount: Fraction | None) -> Decimal | None:
    """Say an amount; None stays None."""
    return None if amount is None else said(amount)
