"""An inventory as the table of the GPC: sub-sectors by scope, notation keys, BASIC and BASIC+, data quality by rule."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import CERTAINTIES, check_keys, read_toml
from quintet.terms.errors import BadInput

from .dated import number
from .emissions import (
    AT_PLANT,
    ELSEWHERE,
    LEAK,
    LOST,
    NOT_ESTIMATED,
    NOT_OCCURRING,
    UNFUELLED,
    UPSTREAM,
    USED,
    Emission,
)

CONFIDENTIAL = "C"
KEYS = (NOT_OCCURRING, NOT_ESTIMATED, ELSEWHERE, CONFIDENTIAL)
BASIC, BASIC_PLUS = "BASIC", "BASIC+"
REPORTS = (BASIC, BASIC_PLUS, "")
COUNTED_AT_USERS = "elsewhere"
HOMES = {USED, LOST, AT_PLANT, UNFUELLED, LEAK, UPSTREAM, COUNTED_AT_USERS}
TABLE_KEYS = {"source", "certainty", "least_points", "home", "quality", "row"}
ROW_KEYS = {"name_en", "name_ko", "scopes", "ledger"}
Shares = Mapping[tuple[str, str, str], Fraction]
"""By sub-sector, commodity and quantity: the share of the place's consumption that is its own."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade of data quality, and the least that it wants."""

    grade: str
    coverage: Fraction
    estimated: Fraction
    certainties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubSector:
    """One row of the table; `scopes` gives the report in which each of its scopes counts."""

    id: str
    name_en: str
    name_ko: str
    scopes: Mapping[int, str]
    ledger: bool
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """The table as data: its rows, the rules of quality, and where what is in no sub-sector belongs."""

    rows: Mapping[str, SubSector]
    grades: tuple[Grade, ...]
    least_points: int
    homes: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One sub-sector's scope: an amount, or a notation key and why; the report in which it counts, and its quality."""

    sub_sector: str
    name_en: str
    name_ko: str
    scope: int
    report: str
    kg_co2e: Fraction | None
    notation: str | None
    quality: str | None
    reason: str | None
    rows: tuple[Emission, ...] = ()
    """The rows of which a part falls on it."""


@dataclass(slots=True)
class _Held:
    """What falls on one cell."""

    kg: Fraction = Fraction(0)
    numbers: int = 0
    keys: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    grades: list[int] = field(default_factory=list)
    rows: list[Emission] = field(default_factory=list)


def parse_protocol(table: Mapping[str, Any]) -> Protocol:
    """Build from parsed TOML; raises BadInput for a row that names an unknown key, report or sub-sector."""
    check_keys(dict(table), required=TABLE_KEYS, optional=set(), place="gpc")
    rows: dict[str, SubSector] = {}
    for code, row in table["row"].items():
        place = f"gpc row {code}"
        check_keys(
            row, required=ROW_KEYS | (set() if row.get("ledger") else {"key", "why"}), optional=set(), place=place
        )
        scopes = {int(scope): report for scope, report in row["scopes"].items()}
        if not set(scopes) <= {1, 2, 3} or not set(scopes.values()) <= set(REPORTS):
            raise BadInput("has an unknown scope or report.", code="bad_row", place=place)
        if row.get("key", NOT_ESTIMATED) not in KEYS:
            raise BadInput("has an unknown notation key.", code="bad_row", place=place)
        words = (row.get("key", ""), row.get("why", ""))
        rows[code] = SubSector(code, row["name_en"], row["name_ko"], scopes, row["ledger"], *words)
    homes = table["home"]
    check_keys(homes, required=HOMES, optional=set(), place="gpc home")
    if not set(homes.values()) <= rows.keys() or table["certainty"] not in CERTAINTIES:
        raise BadInput("names a sub-sector that is none.", code="bad_row", place="gpc")
    grades = tuple(
        Grade(
            row["grade"], number(row["coverage"], "gpc quality"), number(row["estimated"], "gpc quality"),
            tuple(row["certainties"]),
        )
        for row in table["quality"]
    )  # fmt: skip
    return Protocol(rows, grades, table["least_points"], homes, table["source"])


@cache
def protocol() -> Protocol:
    """Give the shipped table."""
    return parse_protocol(read_toml("quintet.ledger", "gpc.toml"))


def grade_of(row: Emission, table: Protocol) -> int:
    """Give the place of a row's grade in the table: the first whose bounds hold, else the last."""
    coverage = Fraction(1) if row.coverage is None else Fraction(row.coverage)
    estimated = Fraction(row.estimated_share or 0)
    for place, one in enumerate(table.grades):
        fine = coverage >= one.coverage and estimated <= one.estimated
        if fine and (row.certainty is None or row.certainty in one.certainties):
            return place
    return len(table.grades) - 1


def gpc_cells(rows: Sequence[Emission], shares: Shares, hidden: AbstractSet[str]) -> list[Cell]:
    """Lay an inventory's rows out as the table.

    What is used is split over the sub-sectors by their share of the place's consumption; the rest of it is
    non-specified. `hidden` are the sub-sectors of too few users: "C", their amount is told in the rest.
    """
    table = protocol()
    held: dict[tuple[str, int], _Held] = {}
    for row in rows:
        for sub_sector, share in _split(row, shares, hidden, table):
            _hold(held.setdefault((sub_sector, row.scope), _Held()), row, share, grade_of(row, table))
    assigned = {sub_sector for sub_sector, _, _ in shares} - hidden
    return [
        _cell(one, scope, held.get((one.id, scope)), assigned, hidden, table)
        for one in table.rows.values()
        for scope in sorted(one.scopes)
    ]


def _split(row: Emission, shares: Shares, hidden: AbstractSet[str], table: Protocol) -> list[tuple[str, Fraction]]:
    """Give the sub-sectors on which a row falls, with their shares, which add up to 1."""
    if row.part == AT_PLANT and row.notation == ELSEWHERE:
        return [(table.homes[COUNTED_AT_USERS], Fraction(1))]
    own: list[tuple[str, Fraction]] = []
    if row.part in (USED, LOST):
        key = (row.commodity, row.quantity)
        own = [
            (code, share) for (code, *of), share in sorted(shares.items()) if tuple(of) == key and code not in hidden
        ]
    rest = 1 - sum((share for _, share in own), Fraction(0))
    return [*own, (table.homes[row.part], rest)] if rest else own


def _hold(held: _Held, row: Emission, share: Fraction, grade: int) -> None:
    """Add a row's share to a cell."""
    held.rows.append(row)
    if row.kg_co2e is not None:
        held.kg += row.kg_co2e * share
        held.numbers += row.notation != NOT_OCCURRING
    if row.notation is not None or row.kg_co2e is None:
        held.keys.add(row.notation or NOT_ESTIMATED)
        held.reasons.add(f"{row.commodity}: {row.reason}")
    if row.notation != NOT_OCCURRING:
        held.grades.append(grade)


def _cell(
    one: SubSector,
    scope: int,
    held: _Held | None,
    assigned: AbstractSet[str],
    hidden: AbstractSet[str],
    table: Protocol,
) -> Cell:
    """Write one cell: an amount, or the key that says why there is none; what an amount leaves out is a reason too.

    Nothing beside something that nobody estimated is no amount.
    """
    kg: Fraction | None = None
    quality: str | None = None
    if not one.ledger:
        notation, reason = one.key, one.why
    elif one.id in hidden:
        notation, reason = CONFIDENTIAL, f"fewer than {table.least_points} users; included in {table.homes[USED]}"
    elif held is not None and held.numbers and (held.kg or NOT_ESTIMATED not in held.keys):
        kg, notation = held.kg, None
        reason = "; ".join(sorted(held.reasons)) or None
        quality = table.grades[max(held.grades)].grade
    elif held is not None:
        notation = next(key for key in (NOT_ESTIMATED, ELSEWHERE, NOT_OCCURRING) if key in held.keys)
        reason = "; ".join(sorted(held.reasons))
    elif one.id == table.homes[LEAK] or (scope == 3 and (one.id in assigned or one.id == table.homes[LOST])):
        notation, reason = NOT_ESTIMATED, "what the networks lose is not metered here, or not known"
    elif one.id in assigned or one.id in table.homes.values():
        notation, reason = NOT_OCCURRING, "nothing of the kind is metered here"
    else:
        notation, reason = ELSEWHERE, f"included in {table.homes[USED]}: no place is assigned to it"
    report = one.scopes[scope]
    rows = tuple(held.rows) if held is not None and one.id not in hidden else ()
    return Cell(one.id, one.name_en, one.name_ko, scope, report, kg, notation, quality, reason, rows)


def reported(cells: Sequence[Cell]) -> dict[str, Fraction]:
    """Give the sums: BASIC, and BASIC+, which holds BASIC."""
    basic, plus = (
        sum((one.kg_co2e for one in cells if one.kg_co2e is not None and one.report in reports), Fraction(0))
        for reports in ((BASIC,), (BASIC, BASIC_PLUS))
    )
    return {BASIC: basic, BASIC_PLUS: plus}


def reported_rows(cells: Sequence[Cell]) -> dict[str, list[Emission]]:
    """Give the rows of which a part is in each sum."""
    out: dict[str, list[Emission]] = {BASIC: [], BASIC_PLUS: []}
    for name, reports in ((BASIC, (BASIC,)), (BASIC_PLUS, (BASIC, BASIC_PLUS))):
        every = (row for one in cells if one.report in reports for row in one.rows)
        out[name] = list({id(row): row for row in every}.values())
    return out
