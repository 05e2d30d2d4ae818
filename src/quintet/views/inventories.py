"""Greenhouse gases of a place: the inventory by a factor set, what was published beside it, and why the two differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.ledger.city_rows import CURRENT, PUBLICATION, SHIPPED, find_set
from quintet.ledger.dated import said
from quintet.ledger.emissions import ELSEWHERE, Emission
from quintet.ledger.factor_sets import FactorSet
from quintet.ledger.heard import Trust
from quintet.ledger.inventory import Asked, Piece, inventory
from quintet.ledger.inventory import Inventory as Counted
from quintet.ledger.market import SCOPE, Market
from quintet.ledger.revision import CAUSES, READINGS, figures_of, read_stored, revise
from quintet.ledger.scopes import ScopeTotal, by_scope, trust_in
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import Resolution, Span, from_us

from .answers_ledger import (
    Cause,
    Compared,
    EmissionRow,
    FactorSetName,
    Inventory,
    MarketRow,
    PinnedFigure,
    ScopeSum,
    SumTrust,
)
from .netted import piece_of
from .series import share

INVENTORY = "inventory"
TRUST = ("coverage", "estimated_share")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which place and span, by which set. None: the set's own weights and counting."""

    place: str
    span: Span
    resolution: Resolution
    factor_set: str = CURRENT
    gwp: str | None = None
    count_at: str | None = None
    known_at: datetime | None = None
    purpose: str = INVENTORY


@dataclass(frozen=True)
class Answered:
    """An inventory and what it rests on."""

    found: Counted
    chosen: FactorSet
    known_at: datetime
    rule_set: str
    finer: bool = False
    """It weighs parts of the span, or hours of it, and so tells more than the sums over the span do."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A published figure: what was asked, the set that it pins, what was known, and the figures, exactly."""

    name: str
    asked: Question
    digest: str
    set_name: str
    known_at: datetime
    published: datetime
    figures: Mapping[str, Fraction]
    by: str
    why: str
    trust: Mapping[int, Mapping[str, Any]]
    """How far each scope's sum could be trusted then; a publication of an older version told nothing of it."""


class Reading:
    """Reads a place's flows for an inventory, and keeps what they rest on."""

    def __init__(self, access: Access, asked: Question) -> None:
        """Read through an access, as it knows and as it is registered."""
        self._access = access
        self._asked = asked
        self.basis: tuple[datetime, str] | None = None
        """The moment that is known, and the rules in force, once something was read."""
        self.finer = False
        """Whether anything was read in shorter steps than what is asked for."""

    def __call__(self, span: Span, hourly: bool) -> Piece:
        """Give the flows of a span."""
        step = Resolution.HOUR if hourly else self._asked.resolution
        piece, flows = piece_of(self._access, self._asked.place, span, step, self._asked.resolution)
        self.basis = self.basis or (flows.known_at, flows.rule_set)
        self.finer = self.finer or hourly or piece.hours is not None or span != self._asked.span
        return piece


def asking_of(access: Access, asked: Question, tz: ZoneInfo) -> Asked:
    """Give how an inventory is asked of an access: of which place, and whose contracts count there."""
    registry = access.registry()
    tree = registry.tree
    known = asked.place in tree.bodies
    above = frozenset(tree.path(asked.place)) - {asked.place} if known else frozenset[str]()
    inside = frozenset(tree.descendants(asked.place)) if known else None
    return Asked(
        asked.place, tz, registry.commodities, asked.purpose, asked.gwp, asked.count_at, above, inside
    )  # fmt: skip


def counted(access: Access, asked: Question, chosen: FactorSet, tz: ZoneInfo) -> Answered:
    """Give the inventory that is asked for by a set, of what an access knows."""
    how = asking_of(access, asked, tz)
    reading = Reading(access, asked)
    found = inventory(asked.span, chosen, how, reading)
    if reading.basis is None:
        raise UsageError("the range is empty.", code="empty_range", place="to")
    return Answered(found, chosen, *reading.basis, reading.finer)


def answered(access: Access, asked: Question, tz: ZoneInfo) -> Answered:
    """Answer a question; raises NotFound for a place or set that is none."""
    access.may_read(asked.place)
    known = access.as_known(asked.known_at)
    # what somebody named may be newer than what was known
    book = known if asked.factor_set in (CURRENT, SHIPPED) else access
    return counted(known, asked, find_set(book.registry().timelines, asked.factor_set), tz)


def place_inventory(access: Access, asked: Question, tz: ZoneInfo, answer: Answered | None = None) -> Inventory:
    """Give a place's greenhouse gases, and beside them what was published of the same place and span.

    `answer` is the question's, where somebody has it already.
    """
    answer = answer or answered(access, asked, tz)
    found, chosen = answer.found, answer.chosen
    direct, indirect = ([one for one in found.rows if (one.scope == 1) is here] for here in (True, False))
    return Inventory(
        answer.known_at.astimezone(tz),
        answer.rule_set,
        FactorSetName(chosen.name, chosen.digest),
        chosen.weights(asked.gwp).id,
        asked.purpose,
        asked.count_at or chosen.count_at,
        said_if_told(found.kg(1), direct),
        said_if_told(found.kg(2, 3), indirect),
        trust_of(direct),
        trust_of(indirect),
        scope_sums(found),
        [row_of(one, tz) for one in found.rows],
        [market_row(one, tz) for one in found.market],
        _beside(access, asked, tz),
    )


def said_if_told(kg: Fraction, rows: Sequence[Emission]) -> Decimal | None:
    """Say the sum of some rows; None where what is known is nothing, and some of them have no number."""
    without = any(row.kg_co2e is None and row.notation != ELSEWHERE for row in rows)
    return None if without and not any(row.kg_co2e for row in rows) else said(kg)


def scope_sums(found: Counted) -> list[ScopeSum]:
    """Give the sums by scope."""
    return [
        ScopeSum(
            one.scope, said(one.kg_co2e) if one.told else None, _market_sum(found) if one.scope == SCOPE else None,
            one.rows, one.missing, one.not_estimated, *told_shares(one), one.without_number,
        )
        for one in found.scopes
    ]  # fmt: skip


def _market_sum(found: Counted) -> Decimal | None:
    """Give what was bought by the market; None where something was, and nothing of it has a number."""
    told = any(one.kg_co2e for one in found.market) or all(one.kg_co2e is not None for one in found.market)
    return said(found.market_kg) if told else None


def told_shares(one: ScopeTotal | Trust) -> tuple[float | None, float | None]:
    """Give coverage and estimated share of a sum as they are told."""
    return (
        None if one.coverage is None else share(one.coverage),
        None if one.estimated_share is None else share(one.estimated_share),
    )


def trust_of(rows: Sequence[Emission]) -> SumTrust:
    """Say how far the sum of some rows can be trusted."""
    scopes = by_scope(rows)
    missing, not_estimated = sum(one.missing for one in scopes), sum(one.not_estimated for one in scopes)
    return SumTrust(*told_shares(trust_in(rows)), missing, not_estimated)


def row_of(one: Emission, tz: ZoneInfo) -> EmissionRow:
    """Write one row as a person reads it."""
    row: dict[str, Any] = one.for_people()
    row |= {name: share(row[name]) for name in ("coverage", "estimated_share")}
    row["start"] = one.start.astimezone(tz)
    return EmissionRow(**row)


def market_row(one: Market, tz: ZoneInfo) -> MarketRow:
    """Write one market-based row as a person reads it."""
    kg = None if one.kg_co2e is None else said(one.kg_co2e)
    return MarketRow(
        one.start.astimezone(tz), one.place, one.commodity, one.amount, one.unit, one.covered, list(one.contracts),
        one.rest_by, one.factor, kg, one.reason,
    )  # fmt: skip


def publications(access: Access) -> list[Publication]:
    """Give what was published, the earliest first."""
    said_of = access.registry().timelines(PUBLICATION)
    bodies = [(name, since, body) for name, said in said_of.items() for since, body in said if body is not None]
    return sorted((_publication(*one) for one in bodies), key=lambda one: one.published)


def _publication(name: str, since_us: int, body: Mapping[str, Any]) -> Publication:
    """Read one publication's record."""
    moment = datetime.fromisoformat
    asked = Question(
        body["place"], Span(moment(body["from"]), moment(body["to"])), Resolution(body["resolution"]), body["set"],
        body["gwp"], body["count_at"], None, body["purpose"],
    )  # fmt: skip
    return Publication(
        name, asked, body["set"], body["set_name"], moment(body["known_at"]), from_us(since_us),
        read_stored(body["figures"]), body["by"], body["why"], {one["scope"]: one for one in body.get("trust", ())},
    )  # fmt: skip


def published(access: Access, name: str) -> Publication:
    """Find what was published under a name; raises NotFound, and Forbidden where its place is not the reader's."""
    every = [one for one in publications(access) if one.name == name]
    if not every:
        known = ", ".join(sorted({one.name for one in publications(access)})) or "none"
        raise NotFound(
            f"nothing was published as {name!r}.",
            code="unknown_publication",
            remedy=f"Published: {known}.",
            said={"name": name, "known": known},
        )
    access.may_read(every[-1].asked.place)
    return every[-1]


def _scope_then(one: Publication, scope: int) -> ScopeSum:
    """Give a scope's sum as it was published, with how far it could be trusted then."""
    told = one.trust.get(scope, {})
    market = said(one.figures["scope_2_market"]) if scope == SCOPE else None
    rows, missing, bare, without = (
        told.get(name, 0) for name in ("rows", "missing", "not_estimated", "without_number")
    )  # fmt: skip
    known = told.get("told", True)
    return ScopeSum(
        scope, said(one.figures[f"scope_{scope}"]) if known else None, market if known else None, rows, missing, bare,
        told.get("coverage"), told.get("estimated_share"), without,
    )  # fmt: skip


def _beside(access: Access, asked: Question, tz: ZoneInfo) -> PinnedFigure | None:
    """Give what was published last of the same place and span; None where nothing was."""
    same = [
        one
        for one in publications(access)
        if (one.asked.place, one.asked.span.start, one.asked.span.end)
        == (asked.place, asked.span.start, asked.span.end)
    ]
    if not same:
        return None
    one = same[-1]
    sums = [_scope_then(one, scope) for scope in (1, 2, 3)]
    name = FactorSetName(one.set_name, one.digest)
    return PinnedFigure(one.name, one.published.astimezone(tz), name, sums)


def body_of(asked: Question, answer: Answered, by: str, why: str) -> dict[str, Any]:
    """Give the record's body of a figure that is published; raises UsageError without a name and a reason."""
    if not by.strip() or not why.strip():
        raise UsageError(
            "a publication needs a name and a reason.", code="no_reason", remedy="Give --actor NAME and --reason TEXT."
        )
    return {
        "place": asked.place, "from": asked.span.start.isoformat(), "to": asked.span.end.isoformat(),
        "resolution": asked.resolution.value, "set": answer.chosen.digest, "set_name": answer.chosen.name,
        "gwp": asked.gwp, "count_at": asked.count_at,
        "purpose": asked.purpose, "known_at": answer.known_at.isoformat(), "rule_set": answer.rule_set,
        "figures": {name: str(kg) for name, kg in figures_of(answer.found).items()},
        "trust": [
            {"scope": one.scope, "told": one.told, **dict(zip(TRUST, told_shares(one), strict=True)), "rows": one.rows,
             "missing": one.missing, "not_estimated": one.not_estimated, "without_number": one.without_number}
            for one in answer.found.scopes
        ],
        "by": by.strip(), "why": why.strip(),
    }  # fmt: skip


def compare(access: Access, name: str, tz: ZoneInfo, factor_set: str = CURRENT) -> Compared:
    """Set a published figure beside the same one now, and explain the difference by cause."""
    one = published(access, name)
    timelines = access.registry().timelines
    old, new = find_set(timelines, one.digest), find_set(timelines, factor_set)
    of = {"then": access.as_known(one.known_at), READINGS: access.as_registered(one.known_at), "now": access}
    last: dict[str, Answered] = {}

    def compute(chosen: FactorSet, state: str) -> Counted:
        last[state] = counted(of[state], one.asked, chosen, tz)
        return last[state].found

    asked, causes = one.asked, revise(one.figures, old, new, compute)
    figures = {name: kg + sum((part.kg[name] for part in causes), Fraction(0)) for name, kg in one.figures.items()}
    difference = {name: figures[name] - kg for name, kg in one.figures.items()}
    told = {"published": one.figures, "revised": figures, "difference": difference}
    exact = {**told, **{part.cause: part.kg for part in causes}}
    return Compared(
        last["now"].known_at.astimezone(tz), one.name, asked.place, asked.span.start.astimezone(tz),
        asked.span.end.astimezone(tz), asked.resolution.value, one.published.astimezone(tz),
        one.known_at.astimezone(tz), one.by, one.why, FactorSetName(one.set_name, one.digest),
        FactorSetName(new.name, new.digest), _decimals(one.figures), _decimals(figures), _decimals(difference),
        [Cause(part.cause, *CAUSES[part.cause], list(part.rows), _decimals(part.kg)) for part in causes],
        {name: {key: str(kg) for key, kg in figures.items()} for name, figures in exact.items()},
    )  # fmt: skip


def _decimals(figures: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """Say figures to the milligram."""
    return {name: said(kg) for name, kg in figures.items()}
