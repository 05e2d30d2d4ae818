"""By which contract each dwelling is billed: dated statements of places, the nearest to the dwelling counting.

A city states them in city.toml as [[billing]], or one by one; its own rate cards as [rate_card.NAME] and
[rate_levy.NAME], written as those that ship. Records come in as plain timelines: nothing is fetched.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any

from quintet.terms.catalogue import check_keys, exact_number
from quintet.terms.errors import BadInput, UsageError

from .cards import Cards, cards
from .exact import first_day
from .facts import NUMBERS, WORDS, refuse_unfit, refuse_unknown
from .reliefs import reliefs_named

Said = Sequence[tuple[int, Mapping[str, Any] | None]]
Timelines = Callable[[str], Mapping[str, Said]]
"""Gives the statements of a kind by key, in order of time: (valid_from in microseconds, body; None: it ended)."""

PREFIX = "ledger.bill_"
"""Kinds that begin with `ledger.` say nothing of what a meter counts for: sums that stand are not made anew."""
TERMS, OWN_CARD, OWN_LEVY, CHOICE = (f"{PREFIX}{name}" for name in ("terms", "card", "levy", "choice"))
OF_SETTINGS = ("billing", "rate_card", "rate_levy", "bills")
"""Tables of city.toml that state what bills need."""
LISTED, SINGLE = ("billing",), ("bills",)
"""Those written once for each row, and those that are one table; the others hold named rows."""
SHARES = ("area", "equal")
PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Stated:
    """One record to be: `day` is the local day from which it holds (None: always)."""

    kind: str
    key: str
    day: date | None
    body: dict[str, Any]


@dataclass(frozen=True)
class Agreement:
    """What holds for one utility of a dwelling: the contract, whose card, a reduction, the facts, and how it shares.

    `share` is how a complex' common part is shared over its flats (area or equal).
    """

    contract: str | None
    city: str | None
    branch: str | None
    relief: str | None
    share: str
    options: Mapping[str, Fraction]
    key: str = field(compare=False)
    """The statement as one text: equal texts are equal agreements."""


def terms_key(place: str, commodity: str) -> str:
    """Name the statements of a place and commodity."""
    return f"{commodity} {place}"


@contextmanager
def _placed(place: str) -> Generator[None]:
    """Say of what is refused in which row it stands."""
    try:
        yield
    except UsageError as error:
        raise BadInput(error.message, code=error.code, place=f"{place}, relief", remedy=error.remedy) from error


def terms_of(row: Mapping[str, Any], name: str = "billing") -> Stated:
    """Read one row of [[billing]]; raises BadInput naming the row."""
    place = f"{name} {row.get('place', '?')}, {row.get('commodity', '?')}"
    needed = {"place", "commodity", "source"}
    check_keys(dict(row), required=needed, optional={"valid_from", "note", *NUMBERS, *WORDS}, place=place)
    body: dict[str, Any] = {key: value for key, value in row.items() if key not in ("place", "commodity", "valid_from")}
    for key in NUMBERS:
        if key in body:
            exact_number(body[key], f"{place}, {key}", "42.7")
    if "relief" in body:
        with _placed(place):
            reliefs_named(body["relief"], row["commodity"])
    if body.get("share", SHARES[0]) not in SHARES:
        raise BadInput(f"shares by {', '.join(SHARES)}.", code="bad_row", place=place)
    if not str(row["source"]).strip():
        raise BadInput("needs a source.", code="bad_row", place=place, remedy="Say which paper says so.")
    since = row.get("valid_from")
    day = since if isinstance(since, date) or since is None else first_day(since, place)
    return Stated(TERMS, terms_key(row["place"], row["commodity"]), day, body)


def statements_of(settings: Mapping[str, Any]) -> list[Stated]:
    """Give the records that the tables of a parsed city.toml state; raises BadInput naming the row."""
    out = [terms_of(row) for row in settings.get("billing", [])]
    for table, kind in (("rate_card", OWN_CARD), ("rate_levy", OWN_LEVY)):
        out += [Stated(kind, code, None, dict(row)) for code, row in settings.get(table, {}).items()]
    choices = settings.get("bills", {})
    check_keys(choices, required=set(), optional={PROVISIONAL}, place="[bills]")
    out += [Stated(CHOICE, key, None, {"value": bool(value)}) for key, value in choices.items()]
    return out


def checked(stated: Sequence[Stated], timelines: Timelines, *, facts: bool = False) -> None:
    """Raise BadInput where own rate cards that statements lead to do not load, or a contract is of no card.

    With `facts` also where a fact fits no card: what one states by hand is refused at once, while a row of city.toml
    that a new release would refuse must not keep a city from starting: its bills say what does not fit.
    """
    rows = _own_rows(timelines)
    for one in stated:
        if one.kind in (OWN_CARD, OWN_LEVY):
            rows[one.kind][one.key] = one.body
    table = _with_own(json.dumps(rows, sort_keys=True))
    for one in stated:
        if one.kind == TERMS:
            refuse_unknown(one.key, one.body, table)
            if facts:
                refuse_unfit(one.key, one.body, table)


def _own_rows(timelines: Timelines) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for kind in (OWN_CARD, OWN_LEVY):
        last = {code: said[-1][1] for code, said in timelines(kind).items()}
        out[kind] = {code: dict(body) for code, body in last.items() if body is not None}
    return out


@lru_cache(maxsize=8)
def _with_own(rows: str) -> Cards:
    """Give the shipped cards with own ones, written as JSON."""
    own = json.loads(rows)
    if not own[OWN_CARD] and not own[OWN_LEVY]:
        return cards()
    return cards().with_rows({"card": own[OWN_CARD], "levy": own[OWN_LEVY]})


def cards_of(timelines: Timelines) -> Cards:
    """Give a city's rate cards: those that ship, with its own on top."""
    return _with_own(json.dumps(_own_rows(timelines), sort_keys=True))


def provisional(timelines: Timelines) -> bool:
    """Tell whether the city lets bills be shown by the last card known, each saying so."""
    said = timelines(CHOICE).get(PROVISIONAL)
    return bool(said and said[-1][1] and said[-1][1]["value"])


class Agreements:
    """The statements of a city, asked by dwelling, utility and moment."""

    def __init__(self, timelines: Timelines, path: Callable[[str], Sequence[str]]) -> None:
        """Ask `path` for a place and those above it, the nearest first."""
        self._said = timelines(TERMS)
        self._path = path
        self._stated = {key.partition(" ")[2] for key in self._said}
        self._changes = sorted({since for said in self._said.values() for since, _ in said})
        self._built: dict[tuple[object, ...], Agreement | None] = {}
        self._above: dict[str, tuple[str, ...]] = {}

    def places(self, place: str) -> tuple[str, ...]:
        """Give the places that state anything for a dwelling, the nearest first."""
        found = self._above.get(place)
        if found is None:
            found = self._above[place] = tuple(here for here in self._path(place) if here in self._stated)
        return found

    def at(self, place: str, commodity: str, moment_us: int) -> Agreement | None:
        """Give what holds at a moment, key by key the nearest statement; None where nothing is stated."""
        bodies: list[tuple[int, Mapping[str, Any]]] = []
        for number, here in enumerate(self.places(place)):
            held: Mapping[str, Any] | None = None
            for since, body in self._said.get(terms_key(here, commodity), ()):
                if since > moment_us:
                    break
                held = body
            if held is not None:
                bodies.append((number, held))
        if not bodies:
            return None
        mark = (commodity, *(id(body) for _, body in bodies))
        if mark not in self._built:
            merged: dict[str, Any] = {}
            for _, body in reversed(bodies):
                merged |= body
            self._built[mark] = _agreement(merged)
        return self._built[mark]

    def cuts(self, place: str, commodity: str, low_us: int, high_us: int) -> list[int]:
        """Give the moments strictly between two at which what a dwelling is billed by changes.

        What is stated again, or of a place above where a nearer one says else, changes nothing and cuts no bill.
        """
        if bisect_right(self._changes, low_us) == bisect_left(self._changes, high_us):
            return []
        stated = {
            since
            for here in self.places(place)
            for since, _ in self._said.get(terms_key(here, commodity), ())
            if low_us < since < high_us
        }
        before, out = _billed_by(self.at(place, commodity, low_us)), list[int]()
        for moment in sorted(stated):
            after = _billed_by(self.at(place, commodity, moment))
            if after != before:
                out.append(moment)
            before = after
        return out


def _billed_by(agreement: Agreement | None) -> Agreement | None:
    """Leave out how a common part is shared: a flat's own bill does not depend on it."""
    return None if agreement is None else replace(agreement, share=SHARES[0])


def _agreement(body: Mapping[str, Any]) -> Agreement:
    options = {key: Fraction(body[key]) for key in NUMBERS if key in body}
    said = {key: body[key] for key in (*WORDS, *NUMBERS) if key in body}
    return Agreement(
        body.get("contract"), body.get("card_city"), body.get("branch"), body.get("relief"),
        body.get("share", SHARES[0]), options, json.dumps(said, sort_keys=True, ensure_ascii=False),
    )  # fmt: skip
