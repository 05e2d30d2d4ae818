"""Bills of dwellings: by groups as each alone, by the nearest agreement, each with what it lacks."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.tariffs import bill_month, cards
from quintet.tariffs.agreements import TERMS, Agreement, Agreements, cards_of, statements_of, terms_of
from quintet.tariffs.dwellings import Rates, Reckoned, reasons, reckon
from quintet.tariffs.issuing import Adjustment, adjustment, body_of, carried, changes, due, row_digest
from quintet.terms.errors import BadInput
from quintet.terms.premise_use import PremiseUse

MONTH = bill_month("2024-01")
WHOLE = 31 * 1440
AREAS = {"a": 59.5, "b": 84.0, "c": 101.3, "d": 33.33}
RATES = Rates(cards(), False, AREAS, {"energy": "mWh", "volume": "mL"})
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("electricity", "energy", {"contract": "apartment_total", "relief": "large_family"}),
    ("electricity", "energy", {"contract": "high_voltage"}),
    ("gas", "volume", {"unit_price": "22.3456", "base_won": "1000", "calorific": "42.716"}),
    ("water", "volume", {"card_city": "ansan", "pipe_mm": "13"}),
    ("water", "volume", {"card_city": "gimhae"}),
    ("heat", "energy", {"contract": "residential"}),
    ("heat", "energy", {"contract": "residential_seasonal", "branch": "ansan", "area_m2": "84"}),
]


def agreed(commodity: str, said: dict[str, Any], place: str = "city") -> Agreement:
    stated = terms_of({"place": place, "commodity": commodity, "source": "test", **said})
    found = Agreements(lambda _: {stated.key: [(0, stated.body)]}, lambda here: [here, place]).at("a", commodity, 1)
    assert found is not None
    return found


def metered(place: str, kind: tuple[str, str, Any], value: int, **more: Any) -> PremiseUse:
    first, end = MONTH
    row = PremiseUse(place, kind[0], kind[1], first, end, None, value, WHOLE, WHOLE, 0, ("m",))
    return row._replace(**more)


def told(one: Reckoned) -> tuple[Any, ...]:
    lines = [(line.item, line.won, line.lacks) for line in one.lines]
    said = [(item, won, lacks) for item, _, _, won, lacks in one.said]
    assert [
        (item, None if won is None else Fraction(won)) for item, won, _ in said if won is None or won == round(won)
    ] == [(item, won) for item, won, _ in lines if won is None or won.denominator == 1]
    return one.total, one.use, one.subtotal, one.why, lines, [row.id for row in one.rows]


@given(
    st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from("abcdx"), st.integers(0, 10**9)), min_size=4, max_size=9)
)
def test_a_group_is_reckoned_as_each_alone(kind: tuple[str, str, Any], homes: list[tuple[str, int]]) -> None:
    agreement = agreed(kind[0], kind[2])
    rows = [(metered(place, kind, value), agreement) for place, value in homes]
    together = reckon(rows, RATES)
    assert [told(one) for one in together] == [told(reckon([row], RATES)[0]) for row in rows]
    assert any(one.many is not None for one in together if one.total is not None) or all(
        one.total is None for one in together
    )


def test_what_a_bill_lacks_is_said() -> None:
    power, heat = KINDS[1], KINDS[5]
    by = agreed(power[0], power[2])
    rows: list[tuple[PremiseUse, Agreement | None]] = [
        (metered("a", power, 10**8), None),
        (metered("a", power, 0, arrived_min=0), by),
        (metered("a", power, 0, arrived_min=0, expected_min=0), by),
        (metered("a", power, 10**8, arrived_min=1000, estimated_min=500), by),
        (metered("a", power, -1), by),
        (metered("x", heat, 10**8), agreed(heat[0], heat[2])),
        (metered("a", KINDS[4], 101 * 10**6), agreed("water", KINDS[4][2])),
        (metered("a", power, 10**8), agreed("electricity", {"contract": "medium"})),
        (metered("a", power, 10**8, first=date(2026, 11, 1), end=date(2026, 12, 1)), by),
        (metered("a", power, 10**8), by),
    ]
    found = reckon(rows, RATES)
    assert [one.why for one in found] == [
        ("not_agreed",), ("silent",), ("not_due",), ("gaps",), ("negative",), ("lacks",), ("no_price",),
        ("not_possible",), ("no_card",), (),
    ]  # fmt: skip
    assert [one.total is None for one in found] == [any(reasons()[code].none for code in one.why) for one in found]
    assert [one.issuable for one in found] == [False] * 9 + [True]
    assert "Known:" in found[7].detail
    under_way = reckon([(metered("a", power, 10**8, arrived_min=WHOLE - 1000), by)], RATES, date(2024, 1, 20))
    assert under_way[0].why == ("so_far",)
    assert all(one.en != one.ko and one.remedy_ko for one in reasons().values())


def test_the_nearest_statement_counts_key_by_key() -> None:
    path = ["home", "complex", "city"]
    rows = [
        {"place": "city", "commodity": "gas", "source": "x", "contract": "residential", "calorific": "42"},
        {"place": "complex", "commodity": "gas", "source": "x", "calorific": "43"},
        {"place": "home", "commodity": "gas", "source": "x", "base_won": "7"},
    ]
    stated = {one.key: [(at, one.body)] for at, one in zip((0, 100, 200), map(terms_of, rows), strict=True)}
    table = Agreements(lambda kind: stated if kind == TERMS else {}, lambda here: path[path.index(here) :])
    for moment, calorific, base in ((50, 42, None), (100, 43, None), (200, 43, 7)):
        found = table.at("home", "gas", moment)
        assert found is not None
        assert (found.contract, found.options["calorific"], found.options.get("base_won")) == (
            "residential", calorific, base,
        )  # fmt: skip
    assert table.cuts("home", "gas", 0, 300) == [100, 200]
    assert table.cuts("complex", "gas", 0, 300) == [100]
    assert table.cuts("home", "gas", 100, 200) == []
    assert table.at("home", "water", 300) is None
    assert table.at("home", "gas", -1) is None
    first, again = table.at("home", "gas", 250), table.at("home", "gas", 260)
    assert first is again


def test_own_cards_of_a_city_are_checked() -> None:
    assert cards_of(lambda _: {}) is cards()
    (stated,) = statements_of({"rate_levy": {"vat": {"rate": "0.2"}}})
    with pytest.raises(BadInput, match="vat"):
        cards_of(lambda kind: {stated.key: [(0, stated.body)]} if kind == stated.kind else {})


def test_an_adjustment_is_what_is_left_of_the_difference() -> None:
    power = KINDS[1]
    by = agreed(power[0], power[2])
    (before,), (after,) = (reckon([(metered("a", power, value), by)], RATES) for value in (3 * 10**8, 4 * 10**8))
    body = body_of(before, 202401, [])
    found = adjustment(7, body, carried(body, []), [after])
    assert found is not None
    assert before.total is not None
    assert after.total is not None
    assert (found.won, found.why, found.was_use, found.now_use) == (after.total - before.total, ("use",), "300", "400")
    later = body_of(before, 202402, [found])
    assert due(before, [found]) == before.total + found.won == later["due_won"]
    assert carried(body, [later]) == after.total
    assert adjustment(7, body, carried(body, [later]), [after]) is None
    other = agreed(power[0], {"contract": "low_voltage"})
    moved = adjustment(7, body, before.total, reckon([(metered("a", power, 3 * 10**8), other)], RATES))
    assert isinstance(moved, Adjustment)
    assert moved.why == ("card", "terms")
    assert set(moved.why) < set(changes())
    assert row_digest(before.rows[0]) != row_digest(before.rows[1])
