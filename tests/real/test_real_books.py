"""The fictional city's books: they add up over places, over time and by causes to the last integer, absurd or not."""

from fractions import Fraction
from typing import Any

import pytest

from quintet.access import EVERYTHING, Access
from quintet.access.tree_flows import tree_flows
from quintet.app.city import City
from quintet.ledger.balance import balance
from quintet.ledger.city_rows import find_set
from quintet.terms.period import Resolution, Span
from quintet.views.gpc import place_gpc
from quintet.views.inventories import Question, counted
from quintet.views.self_sufficiencies import books_of, definitions_of, explain
from quintet.views.tree import table_of

from .test_virtual_city import HOURS, WINDOW

ADD_UP = ("consumption", "local_generation")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def access(virtual: City) -> Access:
    """Give the operator's read path."""
    return virtual.access(EVERYTHING)


def of_city(access: Access, span: Span, resolution: Resolution) -> Rows:
    """Give the city's balance, amounts in sub-units."""
    found = access.flows("city", span, resolution)
    return balance(
        found.flows, place="city", edges=found.edges, commodities=access.registry().commodities,
        boundaries_metered=found.boundaries_metered,
    ).to_pylist()  # fmt: skip


def sums(rows: Rows, *by: str) -> dict[tuple[Any, ...], int]:
    """Add amounts up by some columns, flow by flow; what is bought follows from the rest, where that is known."""
    out: dict[tuple[Any, ...], int] = {}
    for row in rows:
        for name in ADD_UP:
            key = (*(row[one] for one in by), row["commodity"], row["quantity"], name)
            out[key] = out.get(key, 0) + int(row[name] or 0)
    return out


def test_places_add_up_to_the_city_to_the_last_integer(access: Access) -> None:
    """Month by month and carrier by carrier, whatever is missing in it."""
    found = tree_flows(access, "city", WINDOW, Resolution.MONTH)
    commodities = access.registry().commodities
    whole = sums(table_of(found, "city", commodities).to_pylist(), "start")
    assert sum(amount != 0 for amount in whole.values()) > 40
    rows = table_of(found, None, commodities).to_pylist()
    assert sums([row for row in rows if row["place"] in access.registry().tree.children("city")], "start") == whole


def test_hours_days_and_months_add_up_to_the_last_integer(access: Access) -> None:
    spans = {step: sums(of_city(access, WINDOW, step)) for step in (Resolution.HOUR, Resolution.DAY, Resolution.MONTH)}
    assert spans[Resolution.HOUR] == spans[Resolution.DAY] == spans[Resolution.MONTH]


def test_a_carrier_of_few_events_does_not_leave_the_city_without_an_answer(access: Access) -> None:
    """Showers are told as events: the hours without one are not missing, and what was taken for granted is said."""
    found = {
        one.id: one for one in definitions_of(books_of(access, "city", WINDOW, Resolution.HOUR, None), Resolution.HOUR)
    }
    for code in ("final_energy", "zeb_primary"):
        one = found[code]
        assert (one.matched, one.intervals, one.reason) == (HOURS, HOURS, None)
        assert any(words.startswith("hot_water: reported by events alone") for words in one.assumed)
        assert any(words.startswith("hot_water: energy by hot_water_45k") for words in one.assumed)
    assert all(one.value is not None or one.reason for one in found.values())


def test_the_steps_between_definitions_add_up_exactly(access: Access) -> None:
    told = explain(access, "city", WINDOW, Resolution.HOUR, None, access.registry().tz).steps
    assert len(told) > 8
    for one in told:
        assert one.reason is None
        exact = {name: Fraction(text) for name, text in (one.exact or {}).items()}
        assert exact["value_before"] + exact["by_assumption"] + exact["by_intervals"] == exact["value_after"]


def test_what_no_meter_shows_is_not_told_as_nothing(access: Access) -> None:
    """The campus makes most of its power, and no meter shows of what: that is no zero in the inventory."""
    tz = access.registry().tz
    cells = {
        (one.sub_sector, one.scope): one
        for one in place_gpc(access, Question("city", WINDOW, Resolution.MONTH), tz).cells
    }
    industry = cells["I.4", 1]
    assert (industry.kg_co2e, industry.notation) == (None, "NE")
    assert "no meter shows" in (industry.reason or "")


def test_months_of_emissions_add_up_to_the_window(access: Access) -> None:
    tz, chosen = access.registry().tz, find_set(access.registry().timelines)
    by_month, by_day = (
        counted(access, Question("city", WINDOW, step), chosen, tz).found for step in (Resolution.MONTH, Resolution.DAY)
    )
    for scope in (1, 3):  # what is bought is not metered here: it is told only where enough of the rest is known
        assert by_month.kg(scope) == by_day.kg(scope)
        assert by_month.kg(scope) > 0
