"""The inventory: what is bought, lost and made here is counted once; contracts, hours and supplies as stated."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.ledger.emissions import Emission
from quintet.ledger.factor_sets import FactorSet, overlaid, set_of, shipped_content, shipped_set
from quintet.ledger.inventory import Asked, Inventory, Piece, inventory, pieces_of
from quintet.ledger.scopes import by_scope
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import Span

SEOUL = ZoneInfo("Asia/Seoul")
MWH = 1_000_000_000
START = datetime(2022, 3, 27, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATED = {"published_on": "2022-01-01", "source": "a test"}
HEAT = {
    "commodity": "heat", "unit": "MWh", "co2e_kg": "100", "activity": "any", "scope": 2, "purposes": ["inventory"],
    "gwp": "AR5", "certainty": "S", "supplier": "a plant", **DATED,
}  # fmt: skip
WIND = {**HEAT, "commodity": "electricity", "co2e_kg": "11", "purposes": ["contract"], "supplier": "wind"}


def chosen(**own: Any) -> FactorSet:
    return set_of("test", overlaid(shipped_content(), own))


def counted(
    flows_of: Any, book: dict[str, dict[str, list[Any]]], by: FactorSet | None = None, hours: int = 1, **how: Any
) -> Inventory:
    """Count a book of hours, as one period or (`hourly`) as they stand."""
    edges = [START + i * HOUR for i in range(hours + 1)]
    span = Span(edges[0], edges[-1])
    scaled = {
        name: {flow: [None if v is None else v * MWH for v in row] for flow, row in flows.items()}
        for name, flows in book.items()
    }

    def fetch(piece: Span, hourly: bool) -> Piece:
        inside = [i for i in range(hours) if piece.start <= edges[i] < piece.end]
        mine = [edges[i] for i in inside] + [piece.end]
        rows = {n: {f: [row[i] for i in inside] for f, row in flows.items()} for n, flows in scaled.items()}
        if not hourly:
            mine = [piece.start, piece.end]
            rows = {n: {f: [sum(row)] for f, row in flows.items()} for n, flows in rows.items()}
        parts = [flows_of(mine, flows, name, expected_min=60) for name, flows in rows.items()]
        metered = {(name, "energy") for name, flows in book.items() if "import" in flows}
        return Piece(pa.concat_tables(parts), mine, metered)

    return inventory(span, by or shipped_set(), Asked("city", SEOUL, commodities(), **how), fetch)


def row(found: Inventory, source: str) -> Emission:
    (one,) = [one for one in found.rows if one.source_id == source]
    return one


def test_losses_are_told_apart_and_never_counted_beside_what_is_bought(flows_of: Any) -> None:
    power = {"import": [10], "local_generation*": [30], "consumption": [36], "known_loss": [4]}
    found = counted(flows_of, {"electricity": power})
    bought, lost = row(found, "electricity_bought"), row(found, "electricity_bought_lost")
    assert (lost.scope, lost.kg_co2e) == (3, Fraction("431.2"))
    assert bought.kg_co2e == 9 * Fraction("431.2"), "a quarter of what was lost was bought"
    assert (found.kg(2) + found.kg(3), found.kg(1)) == (10 * Fraction("431.2"), 0)


def test_losses_that_are_not_known_stay_in_what_was_bought(flows_of: Any) -> None:
    edges = [START, START + HOUR]
    flows = flows_of(edges, {"import": [10 * MWH], "consumption": [9 * MWH], "known_loss": [None]})
    piece = Piece(flows, edges, {("electricity", "energy")})
    asked = Asked("city", SEOUL, commodities())
    one = inventory(Span(*edges), shipped_set(), asked, lambda _span, _hourly: piece)
    assert [(each.source_id, each.kg_co2e, each.notation) for each in one.rows] == [
        ("electricity_bought", 4312, None),
        ("electricity_bought_lost", None, "IE"),
    ]
    assert (one.scopes[1].kg_co2e, one.scopes[1].missing, one.scopes[1].not_estimated) == (0, 0, 0)


PLANT = {
    "gas": {"conversion_in": [8], "import": [8]},
    "heat": {"conversion_out": [6], "import": [4], "consumption": [10]},
    "electricity": {"conversion_out": [2], "import": [3], "local_generation*": [1], "consumption": [6]},
}
SUPPLIED = {"commodity": "heat", "factor": "own", "valid_from": "2020-01-01", **DATED}


def test_energy_made_here_counts_at_the_plant_or_at_its_users_never_at_both(flows_of: Any) -> None:
    by = chosen(factor={"own": HEAT}, supply={"heat": SUPPLIED})
    plant, users = (counted(flows_of, PLANT, by, count_at=where) for where in ("plant", "users"))
    fuel = row(plant, "gas_burnt_in_plants")
    assert fuel.kg_co2e
    assert (row(plant, "heat_bought").kg_co2e, row(users, "heat_bought").kg_co2e) == (400, 1000)
    assert row(plant, "electricity_bought").kg_co2e == 3 * Fraction("431.2")
    assert row(users, "electricity_bought").kg_co2e == 5 * Fraction("431.2"), "what the roof made emits nothing"
    there = row(users, "gas_burnt_in_plants")
    assert (there.kg_co2e, there.notation) == (None, "IE")
    assert (plant.kg(1), users.kg(1)) == (fuel.kg_co2e, 0)
    with pytest.raises(BadInput, match="counted twice in 1 periods"):
        by_scope([*plant.rows, *users.rows])
    with pytest.raises(UsageError, match="not counted at 'both'"):
        counted(flows_of, PLANT, by, count_at="both")


@given(st.lists(st.integers(0, 9), min_size=5, max_size=5))
@settings(max_examples=40, deadline=None)
def test_each_unit_of_heat_is_counted_once_however_much_is_made_here(flows_of: Any, parts: list[int]) -> None:
    made, bought, sun, fuel, lost = parts
    by = chosen(factor={"own": HEAT}, supply={"heat": SUPPLIED})
    heat = {"conversion_out": [made], "import": [bought], "local_generation*": [sun]}
    use = made + bought + sun
    book = {"heat": {**heat, "known_loss": [min(lost, use)], "consumption": [use - min(lost, use)]}}
    book["gas"] = {"conversion_in": [fuel], "import": [fuel]}
    for where, counted_heat in (("plant", bought), ("users", bought + made)):
        found = counted(flows_of, book, by, count_at=where)
        assert found.kg(2) + found.kg(3) == 100 * counted_heat
        assert (found.kg(1) > 0) == (where == "plant" and fuel > 0)


def test_what_burns_unseen_is_named_and_not_estimated(flows_of: Any) -> None:
    found = counted(flows_of, {"electricity": {"local_generation": [2], "import": [1], "consumption": [3]}})
    unseen = row(found, "electricity_bought_unfuelled")
    assert (unseen.scope, unseen.notation, unseen.kg_co2e) == (1, "NE", None)
    assert unseen.reason == "made here by plants whose fuel no meter shows: what they burn is not counted"
    sun = counted(flows_of, {"electricity": {"local_generation*": [2], "import": [1], "consumption": [3]}})
    assert [one.source_id for one in sun.rows] == ["electricity_bought"]


def test_a_plants_mix_jumps_on_its_day_and_the_period_is_cut_there(flows_of: Any) -> None:
    supply = {
        "a": {**SUPPLIED, "factor": "own", "valid_from": "2015-12-01"},
        "b": {**SUPPLIED, "factor": "burnt", "valid_from": "2022-03-29"},
    }
    by = chosen(factor={"own": HEAT, "burnt": {**HEAT, "co2e_kg": "300"}}, supply=supply)
    assert len(pieces_of(Span(START, START + 48 * HOUR), by, SEOUL)) == 2
    found = counted(flows_of, {"heat": {"import": [1] * 48, "consumption": [1] * 48}}, by, hours=48)
    assert [(one.kg_co2e, one.factor) for one in found.rows] == [(2400, "own"), (7200, "burnt")]
    assert found.rows[1].basis == "supplied since 2022-03-29, activity any year"


def contract(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "wind", "commodity": "electricity", "kind": "ppa", "amount": "24 MWh", "from": "2022-03-28",
        "to": "2022-03-29", "factor": "wind", **DATED,
    }  # fmt: skip
    return {**row, **changes}


@pytest.mark.parametrize(
    ("own", "kg", "rule"),
    [
        ({}, 10 * Fraction("431.2"), "location factor: no residual mix is loaded"),
        ({"wind": contract()}, 11 + 9 * Fraction("431.2"), "location factor: no residual mix is loaded"),
        ({"wind": contract(amount="2400 MWh")}, Fraction(110), "contracts only"),
        ({"wind": contract(to="2022-03-30")}, Fraction(55, 10) + Fraction(95, 10) * Fraction("431.2"), "location"),
        ({"wind": contract(**{"from": "2023-01-01", "to": "2024-01-01"})}, 10 * Fraction("431.2"), "location"),
    ],
)
def test_market_based_takes_contracts_first_and_says_the_rule_of_the_rest(
    flows_of: Any, own: dict[str, Any], kg: Fraction, rule: str
) -> None:
    by = chosen(factor={"wind": WIND}, contract=own)
    found = counted(flows_of, {"electricity": {"import": [10], "consumption": [10]}}, by)
    (one,) = found.market
    assert one.kg_co2e == kg
    assert rule in one.rest_by
    assert found.kg(2) == 10 * Fraction("431.2"), "the location-based figure stays as it is"


def test_the_residual_mix_comes_before_the_location(flows_of: Any) -> None:
    rest = {**WIND, "co2e_kg": "500", "purposes": ["residual_mix"]}
    del rest["supplier"]
    by = chosen(factor={"wind": WIND, "rest": rest}, contract={"wind": contract()})
    (one,) = counted(flows_of, {"electricity": {"import": [10], "consumption": [10]}}, by).market
    assert (one.kg_co2e, one.rest_by, one.factor) == (11 + 9 * 500, "residual mix", "rest")


def series(kg: list[str], **changes: Any) -> dict[str, Any]:
    row = {
        "id": "grid", "commodity": "electricity", "unit": "MWh", "start": START.isoformat(), "co2e_kg": kg,
        "certainty": "S", **DATED,
    }  # fmt: skip
    return {**row, **changes}


def test_hours_are_counted_by_their_own_factor_and_the_rest_by_the_years(flows_of: Any) -> None:
    book = {"electricity": {"import": [1, 2, 4], "consumption": [1, 2, 4]}}
    whole = counted(flows_of, book, chosen(hourly={"g": series(["100", "200", "300"])}), hours=3)
    assert whole.kg(2) == 100 + 400 + 1200
    assert row(whole, "electricity_bought").basis == "hour by hour, 3 of 3 hours by grid"
    part = row(counted(flows_of, book, chosen(hourly={"g": series(["100", "200"])}), hours=3), "electricity_bought")
    assert part.kg_co2e == 500 + 4 * Fraction("431.2")
    assert part.basis is not None
    assert part.basis.startswith("hour by hour, 2 of 3 hours by grid, 1 by kr_electricity_2022")
    later = series(["0", "0", "0"], id="later", published_on="2023-01-01")
    both = chosen(hourly={"g": series(["100", "200", "300"]), "l": later})
    assert counted(flows_of, book, both, hours=3).kg(2) == 0, "the later publication counts"
    away = series(["1"], start="2021-01-01T00:00:00+09:00")
    assert counted(flows_of, book, chosen(hourly={"g": away}), hours=3).kg(2) == 7 * Fraction("431.2")


@pytest.mark.parametrize(
    ("part", "row_of"),
    [
        ("supply", {**SUPPLIED, "source": " "}),
        ("supply", {key: value for key, value in SUPPLIED.items() if key != "published_on"}),
        ("supply", {**SUPPLIED, "factor": "kr_electricity_2022"}),
        ("supply", {**SUPPLIED, "valid_from": "March"}),
        ("contract", contract(source="")),
        ("contract", contract(amount="24")),
        ("contract", contract(kind="promise")),
        ("contract", contract(to="2022-03-28")),
        ("contract", contract(factor="nonesuch")),
        ("hourly", series(["1"], published_on="soon")),
        ("hourly", series(["1"], start="2022-01-01T00:00:00")),
        ("hourly", series(["-1"])),
        ("choice", "both"),
        ("mystery", {}),
    ],
)
def test_a_row_without_date_or_source_or_sense_does_not_load(part: str, row_of: Any) -> None:
    own = {"choice": {"count_at": row_of}} if part == "choice" else {part: {"x": row_of}}
    with pytest.raises(BadInput):
        chosen(factor={"own": HEAT, "wind": WIND}, **own)


def test_a_period_is_cut_only_where_something_changes() -> None:
    assert shipped_set().cuts() == [], "before its first value gas is counted by that one too"
    value = shipped_content()["calorific"]["kr_city_gas_2022"]
    by = chosen(calorific={"later": {**value, "valid_from": "2024-02-01"}})
    span = Span(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    assert [one.start for one in pieces_of(span, by, SEOUL)] == [span.start, datetime(2024, 1, 31, 15, tzinfo=UTC)]


def test_a_set_is_known_by_what_it_holds() -> None:
    again = set_of("other", shipped_content())
    assert (again.digest, again.name) == (shipped_set().digest, "other")
    assert chosen(factor={"own": HEAT}).digest != again.digest
    backwards = {part: dict(reversed(rows.items())) for part, rows in shipped_content().items()}
    assert set_of("same", backwards).digest == again.digest
