"""A place's greenhouse gases as the table of the GPC, split over the sub-sectors to which its places are assigned."""

from fractions import Fraction
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from quintet.access import Access
from quintet.ledger.city_rows import sectors
from quintet.ledger.dated import said
from quintet.ledger.gpc import BASIC, BASIC_PLUS, Cell, gpc_cells, protocol, reported, reported_rows
from quintet.ledger.scopes import trust_in
from quintet.terms.period import Span

from .answers_ledger import FactorSetName, GpcCell, GpcTable
from .inventories import Answered, Question, answered, said_if_told, told_shares, trust_of

USE = "consumption"
Carrier = tuple[str, str]


def place_gpc(access: Access, asked: Question, tz: ZoneInfo, answer: Answered | None = None) -> GpcTable:
    """Give a place's inventory as the GPC's table, by the question's `answer` if it is there; raises as `answered`."""
    answer = answer or answered(access, asked, tz)
    known = access.as_known(asked.known_at)
    shares, hidden = shares_of(known, asked)
    cells = gpc_cells(answer.found.rows, shares, hidden)
    sums, rows = reported(cells), reported_rows(cells)
    return GpcTable(
        answer.known_at.astimezone(tz), answer.rule_set, FactorSetName(answer.chosen.name, answer.chosen.digest),
        asked.place, asked.span.start.astimezone(tz), asked.span.end.astimezone(tz), protocol().source,
        said_if_told(sums[BASIC], rows[BASIC]), said_if_told(sums[BASIC_PLUS], rows[BASIC_PLUS]),
        trust_of(rows[BASIC]), trust_of(rows[BASIC_PLUS]),
        [_cell(one) for one in cells],
    )  # fmt: skip


def shares_of(access: Access, asked: Question) -> tuple[dict[tuple[str, str, str], Fraction], set[str]]:
    """Give each assigned sub-sector's share of the consumption, and the sub-sectors of too few users to be shown."""
    assigned = _assigned(access, asked.place)
    whole = _used(access, asked.place, asked)
    out: dict[tuple[str, str, str], Fraction] = {}
    users: dict[str, int] = {}
    for place, sub_sector in assigned.items():
        users[sub_sector] = users.get(sub_sector, 0) + _users(access, place)
        for carrier, used in _used(access, place, asked).items():
            if whole.get(carrier):
                key = (sub_sector, *carrier)
                out[key] = out.get(key, Fraction(0)) + Fraction(used, whole[carrier])
    return out, {one for one, count in users.items() if count < protocol().least_points}


def _assigned(access: Access, place: str) -> dict[str, str]:
    """Give the assigned places below a place; of one below another assigned one the upper's word holds."""
    tree = access.registry().tree
    said_of = sectors(access.registry().timelines)
    inside = tree.descendants(place)
    return {
        one: code
        for one, code in said_of.items()
        if one in inside and one != place and not any(upper in said_of for upper in tree.path(one)[1:])
    }


def _used(access: Access, place: str, asked: Question) -> dict[Carrier, int]:
    """Give what was used at a place over the span, by commodity and quantity."""
    span = Span(asked.span.start, asked.span.end)
    flows = access.flows(place, span, asked.resolution).flows
    rows = flows.filter(pc.equal(flows["flow"], USE))
    sums = rows.group_by(["commodity", "quantity"]).aggregate([("value", "sum")]).to_pylist()
    return {(row["commodity"], row["quantity"]): int(row["value_sum"]) for row in sums if row["value_sum"] is not None}


def _users(access: Access, place: str) -> int:
    """Count the usage points at which something is used at a place."""
    registry = access.registry()
    rows = registry.placements()
    inside = registry.descendants(place)
    points = {
        point
        for point, where, flow in zip(
            *(rows[name].to_pylist() for name in ("usage_point", "place", "flow")), strict=True
        )
        if flow == USE and where in inside
    }
    return len(points)


def _cell(one: Cell) -> GpcCell:
    """Write one cell as a person reads it."""
    kg = None if one.kg_co2e is None else said(one.kg_co2e)
    return GpcCell(
        one.sub_sector, one.name_en, one.name_ko, one.scope, one.report, kg, one.notation, one.quality, one.reason,
        *told_shares(trust_in(one.rows)),
    )  # fmt: skip
