"""What an issued bill says, word for word, with its evidence; and what a later correction adds to the next one.

An issued bill never changes. Its month reckoned anew with what is known now, less what was issued and what adjustments
of it were issued already, is the adjustment on the next bill; it names its causes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml

from .card_rows import Card, Levy
from .cards import as_published
from .dwellings import Reckoned
from .exact import exact_text


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a bill issued for an earlier month adds to this one: `won` = `now_won` less `was_won`.

    `was_won` is what was issued for that month, adjustments included. `why` holds codes of `changes`.
    """

    month: int
    first: date
    end: date
    batch: int
    was_won: int
    now_won: int
    was_use: str
    now_use: str
    unit: str
    why: tuple[str, ...]

    @property
    def won(self) -> int:
        """Give what is added."""
        return self.now_won - self.was_won


@cache
def changes() -> Mapping[str, Mapping[str, str]]:
    """Give the words of the causes of adjustments."""
    rows = read_toml("quintet.tariffs", "reasons.toml")["change"]
    for code, row in rows.items():
        check_keys(row, required={"en", "ko"}, optional=set(), place=f"change {code}")
    return rows


def plain(value: Any) -> Any:
    """Give a row as plain values: amounts as exact text, days as text."""
    if isinstance(value, Fraction):
        return exact_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {plain(key) if isinstance(key, Fraction) else str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


@lru_cache(maxsize=256)
def row_digest(row: Card | Levy) -> str:
    """Give the digest of all that a card or levy says: its version."""
    said = json.dumps(plain(as_published(row)), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def rows_said(reckoned: Sequence[Reckoned]) -> dict[str, Any]:
    """Give the cards and levies behind some bills, word for word, by id and version."""
    patterns = {id(one.pattern): one for one in reckoned if one.pattern is not None}
    rows = {row.id: row for one in patterns.values() for row in one.rows}
    return {f"{code} {row_digest(row)}": plain(as_published(row)) for code, row in sorted(rows.items())}


def versions(one: Reckoned) -> list[str]:
    """Name the cards and levies of a bill with their versions."""
    return [f"{row.id} {row_digest(row)}" for row in one.rows]


def body_of(one: Reckoned, month: int, adjustments: Sequence[Adjustment]) -> dict[str, Any]:
    """Write a bill as it is issued. It names no person: a household is known by since when it lives there."""
    metered, agreement, pattern = one.metered, one.agreement, one.pattern
    assert agreement is not None
    assert pattern is not None
    return {
        "place": metered.place,
        "commodity": metered.commodity,
        "month": month,
        "from": metered.first.isoformat(),
        "to": metered.end.isoformat(),
        "tenancy_us": metered.tenancy_us,
        "agreement": agreement.key,
        "channels": list(metered.channels),
        "quantity": metered.quantity,
        "sub_units": metered.value,
        "expected_min": metered.expected_min,
        "arrived_min": metered.arrived_min,
        "estimated_min": metered.estimated_min,
        "use": _text(one.use),
        "unit": pattern.unit,
        "lines": [[line.item, line.name_en, line.name_ko, _text(line.won)] for line in one.lines],
        "subtotal_won": _text(one.subtotal),
        "total_won": one.total,
        "rows": versions(one),
        "adjustments": [plain(each) for each in adjustments],
        "due_won": due(one, adjustments),
    }


def due(one: Reckoned, adjustments: Sequence[Adjustment]) -> int:
    """Give what is to be paid: below zero it is paid back."""
    return (one.total or 0) + sum(each.won for each in adjustments)


def _text(exact: Fraction | None) -> str | None:
    return None if exact is None else exact_text(exact)


def carried(body: Mapping[str, Any], later: Sequence[Mapping[str, Any]]) -> int:
    """Give what was issued for a bill's days so far: its own total and what later bills adjusted it by."""
    mine = (body["month"], body["from"])
    of = [each for one in later for each in one["adjustments"] if (each["month"], each["first"]) == mine]
    return int(body["total_won"]) + sum(each["now_won"] - each["was_won"] for each in of)


def of_days(body: Mapping[str, Any], rows: Sequence[Reckoned]) -> list[Reckoned]:
    """Give what a bill's days come to now, of the rows of its dwelling and utility: one bill, or none.

    Several where the contract of its household was stated anew from a day within them on: they hold just its days.
    """
    first, end = (date.fromisoformat(body[name]) for name in ("from", "to"))
    mine = [one for one in rows if one.metered.tenancy_us == body["tenancy_us"]]
    mine = sorted(
        (one for one in mine if first <= one.metered.first and one.metered.end <= end),
        key=lambda one: one.metered.first,
    )
    edges = [first, *(one.metered.end for one in mine)]
    if mine and edges[-1] == end and all(one.metered.first == at for one, at in zip(mine, edges, strict=False)):
        return mine
    return [one for one in rows if one.metered.first == first]


def adjustment(batch: int, body: Mapping[str, Any], was_won: int, now: Sequence[Reckoned]) -> Adjustment | None:
    """Give what a bill issued earlier adds now, of its days' stretches; None where it comes to the same."""
    totals, uses = [one.total for one in now if one.total is not None], [one.use for one in now if one.use is not None]
    if not now or len(totals) < len(now) or sum(totals) == was_won:
        return None
    last, pattern = now[-1].metered, now[-1].pattern
    rows = list(dict.fromkeys(row for one in now for row in versions(one)))
    why = {
        "use": sum(one.metered.value for one in now) != body["sub_units"],
        "card": rows != body["rows"],
        "terms": any(one.agreement is None or one.agreement.key != body["agreement"] for one in now),
        "days": last.end.isoformat() != body["to"],
    }
    return Adjustment(
        int(body["month"]), now[0].metered.first, last.end, batch, was_won, sum(totals), str(body["use"]),
        _text(sum(uses, Fraction(0))) or "", pattern.unit if pattern is not None else "",
        tuple(code for code, is_so in why.items() if is_so),
    )  # fmt: skip
