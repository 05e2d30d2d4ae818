"""The table of rate cards and levies, and the choice of the one in force on each day of a bill."""

from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, NotFound, UsageError

from .card_rows import OPEN, Card, Levy, card_of, levy_of

STATED_HINT = " Or state your supplier's --unit-price and --base-won, won before tax."

_Dated = TypeVar("_Dated", Card, Levy)


class Cards:
    """The table of rate cards and levies."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Build from parsed TOML `[card.X]`, `[levy.Y]`; one without date or source, or two at once, do not load."""
        check_keys(dict(table), required=set(), optional={"card", "levy"}, place="rate cards")
        self.levies = {code: levy_of(code, row) for code, row in table.get("levy", {}).items()}
        self.rows = {code: card_of(code, row) for code, row in table.get("card", {}).items()}
        self._check_references()
        self._carried: dict[int, Cards] = {}

    def with_rows(self, table: Mapping[str, Any]) -> "Cards":
        """Give this table with own rows added or replaced."""
        more = Cards({"levy": table.get("levy", {})})
        out = Cards({})
        out.levies = {**self.levies, **more.levies}
        out.rows = {**self.rows, **{code: card_of(code, row) for code, row in table.get("card", {}).items()}}
        out._check_references()
        return out

    def carried(self, days: int) -> "Cards":
        """Give this table with the last card of each contract, and the last rate of each levy, in force longer.

        Each so many days beyond what is known of it; for bills that say so.
        """
        if days not in self._carried:
            newest = {key: max(rows) for key, rows in self._spans().items()}
            last = {row[2] for row in newest.values()}
            more = timedelta(days=days)

            out = Cards({})
            out.levies = {code: _longer(row, last, more) for code, row in self.levies.items()}
            out.rows = {code: _longer(row, last, more) for code, row in self.rows.items()}
            self._carried[days] = out
        return self._carried[days]

    def series(
        self, commodity: str, contract: str | None, city: str | None, branch: str | None, *, stated: bool
    ) -> list[Card]:
        """Give the cards of one contract, the earliest first; says what to name where nothing or too much fits."""
        every = [card for card in self.rows.values() if card.commodity == commodity]
        if not every and commodity not in commodities().rows:
            raise UsageError(
                f"unknown commodity {commodity!r}.",
                code="unknown_commodity",
                place="--commodity",
                remedy=f"Known: {', '.join(code for code, row in commodities().rows.items() if row.balanced)}.",
                said={"text": commodity, "known": [code for code, row in commodities().rows.items() if row.balanced]},
            )
        rows = [card for card in every if card.stated is stated]
        if not rows:
            how = "" if stated or not every else STATED_HINT
            raise NotFound(
                f"no rate card for {commodity} is known{' that takes a stated price' if stated else ''}.",
                code="no_card",
                place="--commodity",
                remedy=f"`quintet bill cards` lists those that are; --cards FILE adds your supplier's.{how}",
            )
        hint = "" if stated or all(not card.stated for card in every) else STATED_HINT
        for name, wanted in (("city", city), ("branch", branch)):
            rows = _placed(rows, name, wanted, hint)
        return sorted(_named(rows, contract, hint), key=lambda card: card.start)

    def on(self, series: list[Card], day: date) -> Card:
        """Find the card of a series in force on a day; NotFound says which days are known, never a nearest one."""
        for card in series:
            if card.start <= day <= card.until:
                return card
        spans = "; ".join(f"{card.start} to {'today' if card.until == OPEN else card.until}" for card in series)
        later = day > max(card.until for card in series)
        why = ": it has not been published yet, or nobody has entered it" if later else ""
        raise NotFound(
            f"no rate card is known for {day}{why}.",
            code="no_card",
            place=f"{series[0].commodity}, {'/'.join(series[0].contracts)}",
            remedy=f"Cards are known for {spans}; --cards FILE adds others"
            + ("; --provisional takes the last one as still in force, and says so." if later else "."),
            said={"day": day, "spans": [f"{card.start}~{'' if card.until == OPEN else card.until}" for card in series],
                  "later": later},
        )  # fmt: skip

    def levy_on(self, group: str, day: date) -> Levy:
        """Find the levy of a group in force on a day."""
        rows = [levy for levy in self.levies.values() if levy.group == group]
        for levy in rows:
            if levy.start <= day <= levy.until:
                return levy
        spans = "; ".join(f"{levy.start} to {levy.until}" for levy in sorted(rows, key=lambda levy: levy.start))
        raise NotFound(
            f"no rate of {group} is known for {day}.", code="no_card", place=group, remedy=f"Known: {spans}.",
            said={"day": day, "spans": spans},
        )  # fmt: skip

    def _check_references(self) -> None:
        """Refuse a levy that is not there, and two rows that say different things of one day."""
        groups = {levy.group for levy in self.levies.values()}
        for card in self.rows.values():
            unknown = sorted(set(card.levies) - groups)
            if unknown:
                raise BadInput(f"names unknown levies {', '.join(unknown)}.", code="bad_row", place=f"card {card.id}")
        for rows in self._spans().values():
            for (_, until, one), (start, _, other) in pairwise(rows):
                if start <= until:
                    raise BadInput(f"is in force together with {one}.", code="bad_row", place=other)

    def _spans(self) -> dict[tuple[object, ...], list[tuple[date, date, str]]]:
        """Give first and last day and name of the rows that may not hold together, each list in order."""
        spans: dict[tuple[object, ...], list[tuple[date, date, str]]] = {}
        for levy in self.levies.values():
            spans.setdefault(("levy", levy.group), []).append((levy.start, levy.until, levy.id))
        for card in self.rows.values():
            for contract in card.contracts:
                key = (card.commodity, contract, card.city, card.branch, card.stated)
                spans.setdefault(key, []).append((card.start, card.until, card.id))
        for rows in spans.values():
            rows.sort()
        return spans


def _longer(row: _Dated, last: Set[str], more: timedelta) -> _Dated:
    """Let a row hold longer if it is the last of its kind, and an end of it is known."""
    if row.id not in last or row.until == OPEN:
        return row
    return replace(row, until=row.until + more, known_until=row.until)


def as_published(row: Card | Levy) -> Card | Levy:
    """Give a row as its source says it, also where it was taken as still in force after that."""
    return row if row.known_until is None else replace(row, until=row.known_until, known_until=None)


def _named(rows: list[Card], contract: str | None, hint: str) -> list[Card]:
    """Keep the cards of a contract; without one the only or the usual contract."""
    known = sorted({name for card in rows for name in card.contracts})
    if contract is not None:
        found = [card for card in rows if contract in card.contracts]
        if found:
            return found
    elif len(known) == 1:
        return rows
    elif usual := [card for card in rows if card.usual]:
        return usual
    what = "is needed." if contract is None else f"{contract!r} is not known."
    said = {"text": contract or "", "known": known, "missing": contract is None}
    remedy = f"Known: {', '.join(known)}.{hint}"
    raise UsageError(what, code="unknown_contract", place="--contract", remedy=remedy, said=said)


def _placed(rows: list[Card], name: str, wanted: str | None, hint: str) -> list[Card]:
    """Keep the cards of a city or branch; a card of one city is never taken for another."""
    found = [card for card in rows if getattr(card, name) == (wanted or "")]
    if found:
        return found
    known = sorted({getattr(card, name) for card in rows} - {""})
    if not known:
        raise UsageError(
            f"{wanted!r} is not known.", code=f"unknown_{name}", place=f"--{name}", remedy=f"Leave --{name} out."
        )
    what = "is needed." if wanted is None else f"{wanted!r} is not known."
    remedy = f"Known: {', '.join(known)}; --cards FILE adds others.{hint}"
    said = {"text": wanted or "", "known": known, "missing": wanted is None}
    raise UsageError(what, code=f"unknown_{name}", place=f"--{name}", remedy=remedy, said=said)


FILES = ("levies.toml", "electricity.toml", "gas.toml", "water.toml", "heat.toml")


@cache
def cards() -> Cards:
    """Give the shipped rate cards."""
    table: dict[str, dict[str, Any]] = {}
    for name in FILES:
        for kind, rows in read_toml("quintet.tariffs", name).items():
            table.setdefault(kind, {}).update(rows)
    return Cards(table)
