"""The GPC's table: every part of an inventory in one cell, keys where there is no number, quality by the rule."""

from dataclasses import replace
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quintet.ledger.balance import balance
from quintet.ledger.emissions import Emission, emissions
from quintet.ledger.gpc import Cell, gpc_cells, grade_of, parse_protocol, protocol, reported
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput

MWH = 1_000_000_000


@pytest.fixture
def rows(flows_of: Any, hours: Any) -> list[Emission]:
    """Give the rows of an hour in which power is bought and gas burnt in homes and a plant."""
    import_, edges = {"import": [10 * MWH], "consumption": [9 * MWH], "known_loss": [MWH]}, hours(1)
    out: list[Emission] = []
    for name, flows in (("electricity", import_), ("gas", {"consumption": [4 * MWH], "conversion_in": [2 * MWH]})):
        metered = {("electricity", "energy")}
        table = balance(
            flows_of(edges, flows, name),
            place="city",
            edges=edges,
            commodities=commodities(),
            boundaries_metered=metered,
        )
        out += emissions(table, tz=ZoneInfo("Asia/Seoul"))
    return out


def by_cell(cells: list[Cell]) -> dict[tuple[str, int], Cell]:
    return {(one.sub_sector, one.scope): one for one in cells}


def total(rows: list[Emission]) -> Fraction:
    return sum((row.kg_co2e or Fraction(0) for row in rows), Fraction(0))


def test_everything_is_told_once_and_in_the_right_report(rows: list[Emission]) -> None:
    shares = {("I.1", "electricity", "energy"): Fraction(2, 3), ("I.2", "electricity", "energy"): Fraction(1, 6)}
    cells = gpc_cells(rows, shares, set())
    found = by_cell(cells)
    assert sum((one.kg_co2e or 0 for one in cells), Fraction(0)) == total(rows)
    power = 9 * Fraction("417.3")
    assert [found[code, 2].kg_co2e for code in ("I.1", "I.2", "I.6")] == [power * 2 / 3, power / 6, power / 6]
    assert (found["I.4", 1].kg_co2e or 0) > 0
    assert found["I.1", 3].kg_co2e == Fraction("417.3") * 2 / 3
    sums = reported(cells)
    assert (sums["BASIC+"] - sums["BASIC"], sums["BASIC+"]) == (Fraction("417.3"), total(rows))
    assert {(one.sub_sector, one.notation) for one in cells if one.sub_sector in ("I.3", "II", "I.7")} == {
        ("I.3", "IE"), ("II", "NE"), ("I.7", "NE"),
    }  # fmt: skip
    assert all((one.kg_co2e is None) == (one.notation is not None) for one in cells)
    assert all(one.reason for one in cells if one.notation)


def test_nothing_beside_what_nobody_estimated_is_no_amount(rows: list[Emission]) -> None:
    """A gas plant that stood still is no proof that plants without a fuel meter burnt nothing."""
    still = [replace(row, kg_co2e=Fraction(0)) for row in rows if row.part == "plant"]
    unseen = replace(still[0], kg_co2e=None, notation="NE", part="unfuelled", reason="no meter shows the fuel")
    cell = by_cell(gpc_cells(still, {}, set()))["I.4", 1]
    assert (cell.kg_co2e, cell.notation) == (0, None)
    cell = by_cell(gpc_cells([*still, unseen], {}, set()))["I.4", 1]
    assert (cell.kg_co2e, cell.notation, cell.quality) == (None, "NE", None)
    assert "no meter shows the fuel" in (cell.reason or "")


def test_what_few_use_is_confidential_and_cannot_be_subtracted(rows: list[Emission]) -> None:
    shares = {("I.1", "electricity", "energy"): Fraction(2, 3), ("I.3", "electricity", "energy"): Fraction(1, 3)}
    cells = gpc_cells(rows, shares, {"I.3"})
    found = by_cell(cells)
    assert (found["I.3", 2].notation, found["I.3", 2].kg_co2e) == ("C", None)
    assert found["I.6", 2].kg_co2e == 9 * Fraction("417.3") / 3
    assert sum((one.kg_co2e or 0 for one in cells), Fraction(0)) == total(rows)


def test_quality_follows_the_rule_of_the_data(rows: list[Emission]) -> None:
    power = next(row for row in rows if row.commodity == "electricity")
    table = protocol()

    def grade(**changes: Any) -> str:
        return table.grades[grade_of(replace(power, **changes), table)].grade

    assert grade() == "H"
    assert grade(certainty="M") == "M"
    assert grade(coverage=0.94) == grade(estimated_share=0.06) == "M"
    assert grade(coverage=0.5) == grade(estimated_share=0.5) == "L"
    assert grade(coverage=None, estimated_share=None) == "H"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("I.7", {"key": "??"}),
        ("I.7", {"ledger": True}),
        ("I.1", {"scopes": {"4": "BASIC"}}),
        ("I.1", {"scopes": {"1": "X"}}),
    ],
)
def test_a_bad_row_does_not_load(code: str, change: dict[str, Any]) -> None:
    table = read_toml("quintet.ledger", "gpc.toml")
    table["row"][code] |= change
    with pytest.raises(BadInput, match=code):
        parse_protocol(table)


def test_the_parts_of_an_inventory_have_a_home() -> None:
    table = read_toml("quintet.ledger", "gpc.toml")
    table["home"]["leak"] = "nowhere"
    with pytest.raises(BadInput, match="sub-sector that is none"):
        parse_protocol(table)
