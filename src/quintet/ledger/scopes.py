"""Sums of an inventory by scope, each with how far it can be trusted; nothing that has no number is taken as 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from quintet.terms.errors import BadInput

from .emissions import AT_PLANT, ELSEWHERE, NOT_ESTIMATED, Emission, lacks
from .heard import Heard, Trust, trust_of


@dataclass(frozen=True, slots=True)
class ScopeTotal:
    """One scope's sum over the rows that have a number, and how far it can be trusted.

    Of its sources, `missing` have an amount that is not known, or not in full, and `not_estimated` no factor: neither
    depends on how long the rows are. `coverage` is that of the source that was heard least, `estimated_share` that of
    the one that was estimated most. `without_number` counts the rows that have none, for whatever reason.
    """

    scope: int
    kg_co2e: Fraction
    rows: int
    missing: int
    not_estimated: int
    coverage: float | None = None
    estimated_share: float | None = None
    without_number: int = 0
    told: bool = True
    """False where what is known is nothing, and some rows have no number: the sum is then not 0 but not known."""


def by_scope(rows: Sequence[Emission]) -> list[ScopeTotal]:
    """Sum emissions by scope, direct and indirect apart; what has no number is counted, never taken as 0.

    Raises BadInput for rows that count energy made here both at the plant and at its users.
    """
    refuse_twice(rows)
    return [_total(scope, [row for row in rows if row.scope == scope]) for scope in sorted({row.scope for row in rows})]


def _total(scope: int, rows: Sequence[Emission]) -> ScopeTotal:
    """Sum one scope."""
    sources = by_source(rows)
    trust = trust_in(rows)
    return ScopeTotal(
        scope,
        sum((row.kg_co2e for row in rows if row.kg_co2e is not None), Fraction(0)),
        len(rows),
        sum(any(lacks(row) for row in each) or _in_part(each, minutes) for each, minutes in sources),
        sum(any(row.notation == NOT_ESTIMATED and not lacks(row) for row in each) for each, _ in sources),
        trust.coverage,
        trust.estimated_share,
        (without := sum(row.kg_co2e is None and row.notation != ELSEWHERE for row in rows)),
        not without or any(row.kg_co2e for row in rows),
    )


def _in_part(rows: Sequence[Emission], minutes: Heard) -> bool:
    """Tell whether a source has a factor, and an amount that is not known in full."""
    return not minutes.whole and any(row.factor is not None for row in rows)


def by_source(rows: Sequence[Emission]) -> list[tuple[list[Emission], Heard]]:
    """Give the rows of each source that counts here, with the minutes behind them."""
    out: dict[tuple[str, str], list[Emission]] = {}
    for row in rows:
        if row.notation != ELSEWHERE:
            out.setdefault((row.source_id, row.quantity), []).append(row)
    return [(each, sum((row.heard for row in each), Heard())) for each in out.values()]


def trust_in(rows: Sequence[Emission]) -> Trust:
    """Give the trust in a sum of rows."""
    return trust_of(minutes for _, minutes in by_source(rows))


def refuse_twice(rows: Sequence[Emission]) -> None:
    """Refuse rows in which fuel of plants counts in a period, and what they made of it counts again at its users."""
    weighed = [row for row in rows if row.kg_co2e]
    fuel = {row.start for row in weighed if row.part == AT_PLANT}
    twice = sorted({row.start for row in weighed if row.made_here} & fuel)
    if twice:
        raise BadInput(
            f"energy made here is counted twice in {len(twice)} periods, from {twice[0].isoformat()} on.",
            code="counted_twice",
            remedy="Count it at the plant or at its users, not at both.",
        )
