"""How a bill's days fall into parts: a part ends where a season, a rate card or a levy changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise

from quintet.terms.catalogue import numbers_of, read_toml

from .card_rows import Card, Charge, Levy
from .cards import Cards
from .request import Asked, next_month

DAY = timedelta(days=1)
LIMITS = ("days_aside", "carried_days", "correct_months", "late_min", "pace_percent")


@dataclass(frozen=True, slots=True)
class Part:
    """Some days of a bill with one card, one season's charges and one rate of each levy."""

    start: date
    end: date
    card: Card
    charges: tuple[Charge, ...]
    levies: tuple[Levy, ...]

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.end - self.start).days


@cache
def limits() -> Mapping[str, int]:
    """Give the limits of billing.toml."""
    return numbers_of(read_toml("quintet.tariffs", "billing.toml"), LIMITS, "billing.toml")


def parts_of(table: Cards, asked: Asked) -> tuple[Part, ...]:
    """Cut a bill into parts, in order; NotFound where a day has no card or levy."""
    stated = "unit_price" in asked.options
    return _parts(
        table.carried(limits()["carried_days"]) if asked.provisional else table,
        asked.commodity,
        asked.contract,
        asked.city,
        asked.branch,
        stated=stated,
        start=asked.start,
        end=asked.end,
    )


@lru_cache(maxsize=4096)
def _parts(
    table: Cards,
    commodity: str,
    contract: str | None,
    city: str | None,
    branch: str | None,
    *,
    stated: bool,
    start: date,
    end: date,
) -> tuple[Part, ...]:
    series = table.series(commodity, contract, city, branch, stated=stated)
    named = {item for card in series for item in card.levies}
    dated = [*series, *(levy for levy in table.levies.values() if levy.group in named)]
    cuts = {start, end} | {day for row in dated for day in (row.start, row.until + DAY) if start < day < end}
    at = next_month(start)
    while at < end:
        cuts.add(at)
        at = next_month(at)
    out: list[Part] = []
    days = sorted(cuts)
    for first, last in pairwise(days):
        card = table.on(series, first)
        charges = tuple(charge for charge in card.charges if first.month in charge.months)
        levies = tuple(table.levy_on(item, first) for item in card.levies)
        if out and (out[-1].card, out[-1].charges, out[-1].levies) == (card, charges, levies):
            out[-1] = Part(out[-1].start, last, card, charges, levies)
        else:
            out.append(Part(first, last, card, charges, levies))
    return tuple(out)
