"""Rate cards: dated, sourced, complete for every month, never two at once; and the choice among them."""

import copy
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from quintet.tariffs import Asked, bill_month, compute
from quintet.tariffs.cards import FILES, Cards, as_published, cards
from quintet.tariffs.issuing import row_digest
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, NotFound, UsageError

LEVIES = read_toml("quintet.tariffs", "levies.toml")["levy"]
GOOD = read_toml("quintet.tariffs", "electricity.toml")["card"]["kepco_residential_lv_2023_05"]
WATER = read_toml("quintet.tariffs", "water.toml")["card"]["ansan_water"]


def one(card: Any, **changes: Any) -> Cards:
    return Cards({"levy": LEVIES, "card": {"x": {**card, **changes}}})


def with_charge(at: int, **changes: Any) -> Cards:
    card = copy.deepcopy(GOOD)
    card["charge"][at] = {name: value for name, value in {**card["charge"][at], **changes}.items() if value is not None}
    return one(card)


def test_all_files_ship_and_name_known_commodities_and_sources() -> None:
    table = cards()
    assert len(FILES) == 5
    assert {card.commodity for card in table.rows.values()} == {"electricity", "gas", "water", "heat", "hot_water"}
    for row in (*table.rows.values(), *table.levies.values()):
        assert row.source
        assert row.published_on
        assert row.name_en != row.name_ko
    assert all(card.commodity in commodities().rows for card in table.rows.values())


@pytest.mark.parametrize("key", ["source", "published_on", "in_force_from", "in_force_until", "certainty", "unit"])
def test_a_card_or_levy_without_date_or_source_does_not_load(key: str) -> None:
    with pytest.raises(BadInput, match=key):
        one({name: value for name, value in GOOD.items() if name != key})
    if key != "unit":
        with pytest.raises(BadInput, match=key):
            Cards({"levy": {"x": {name: value for name, value in LEVIES["vat"].items() if name != key}}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surcharge": "1"}, "unknown surcharge"),
        ({"source": " "}, "needs a source"),
        ({"published_on": "soon"}, "no date"),
        ({"published_on": "2025-02-30"}, "no date"),
        ({"in_force_from": "2023-02-30"}, "no date"),
        ({"in_force_until": "2020-01-01"}, "ends before it starts"),
        ({"certainty": "sure"}, "certainty"),
        ({"contracts": []}, "no contract"),
        ({"unit": "furlong"}, "no known unit"),
        ({"levies": ["climate", "salt"]}, "unknown levies salt"),
        ({"round_total": "up"}, "unknown rounding"),
        ({"total_to": 0}, "no whole won"),
        ({"charge": []}, "no charge"),
        ({"name_ko": ""}, "lacks a name"),
    ],
)
def test_a_bad_card_is_refused_by_name(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says) as error:
        one(GOOD, **changes)
    assert error.value.place.startswith("card x")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"discount": "1"}, "unknown discount"),
        ({"method": "magic"}, "unknown method"),
        ({"amounts": [910, 1600, 7300]}, "no exact number"),
        ({"amounts": ["910", "1600", "-1"]}, "no exact number"),
        ({"amounts": ["910", "1600"]}, "a rate for each limit"),
        ({"amounts": ["910", "7300", "1600"]}, "rates fall"),
        ({"limits": ["400", "200"]}, "do not rise"),
        ({"limits": ["0", "200"]}, "do not rise"),
        ({"months": [3, 4, 5]}, "once for each month: base"),
        ({"months": [3, 4, 5, 6, 9, 10, 11, 12]}, "once for each month: base"),
        ({"months": [13]}, "months that are none"),
        ({"rate": "1"}, "unknown rate"),
        ({"limits": None}, "lacks limits"),
    ],
)
def test_a_bad_charge_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        with_charge(0, **changes)


def test_two_cards_or_levies_of_one_day_are_refused() -> None:
    with pytest.raises(BadInput, match="together with"):
        Cards({"levy": LEVIES, "card": {"x": GOOD, "y": {**GOOD, "in_force_from": "2026-03-31"}}})
    with pytest.raises(BadInput, match="together with"):
        Cards({"levy": {"x": LEVIES["fund_32"], "y": {**LEVIES["fund_27"], "in_force_from": "2025-06-30"}}})
    with pytest.raises(BadInput, match="holds unknown cards"):
        Cards({"cards": {}})


def test_a_card_is_chosen_by_contract_place_and_day() -> None:
    table = cards()
    series = table.series("electricity", "low_voltage", None, None, stated=False)
    assert [card.start.year for card in series] == [2013, 2022, 2022, 2023, 2023]
    for day, name in ((date(2023, 5, 15), "2023_01"), (date(2023, 5, 16), "2023_05"), (date(2026, 9, 30), "2023_05")):
        assert table.on(series, day).id.endswith(name)
    for day, says in ((date(2026, 10, 1), "not been published yet"), (date(2020, 1, 1), "known for 2020-01-01")):
        with pytest.raises(NotFound, match=says):
            table.on(series, day)
    heat = table.series("heat", None, None, None, stated=False)
    assert [card.start.isoformat()[:7] for card in heat] == [
        "2020-07",
        "2022-04",
        "2022-07",
        "2022-10",
        "2023-07",
        "2024-07",
    ]
    with pytest.raises(NotFound):
        table.levy_on("fuel_adj", date(2026, 10, 1))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            ("electricity", None, None, None),
            "Known: apartment_single, apartment_total, general_high_a1, general_high_a2, general_low, h",
        ),
        (("electricity", "low", None, None), "'low' is not known"),
        (("electricity", "low_voltage", "seoul", None), "Leave --city out"),
        (("water", None, None, None), "--city: is needed. Known: ansan, gimhae"),
        (("water", "household", "gimhae", None), "Known: general"),
        (("heat", None, None, "north"), "--branch: 'north' is not known. Known: ansan"),
        (("cheese", None, None, None), "unknown commodity 'cheese'"),
    ],
)
def test_what_fits_nothing_is_refused_with_what_is_known(asked: tuple[Any, ...], says: str) -> None:
    with pytest.raises(UsageError) as error:
        cards().series(*asked, stated=False)
    assert says in str(error.value)
    with pytest.raises(NotFound, match="no rate card for hot_water"):
        cards().series("hot_water", None, None, None, stated=False)


def test_the_last_card_is_carried_on_where_asked_and_says_so() -> None:
    asked = Asked("electricity", Fraction(300), "kWh", *bill_month("2026-11"), "low_voltage")
    with pytest.raises(NotFound, match="--provisional takes the last one"):
        compute(asked)
    bill = compute(replace(asked, provisional=True))
    assert bill.total == compute(replace(asked, start=date(2026, 9, 1), end=date(2026, 10, 1))).total
    assert dict(bill.beyond) == {
        name: date(2026, 9, 30) for name in ("kepco_residential_lv_2023_05", "climate_2023", "fuel_2022_07")
    }
    assert compute(replace(asked, start=date(2026, 9, 1), end=date(2026, 10, 1), provisional=True)).beyond == ()
    taken, published = bill.cards[0], cards().rows["kepco_residential_lv_2023_05"]
    assert (taken.until > published.until, as_published(taken).until) == (True, published.until)
    assert row_digest(taken) == row_digest(published)
    with pytest.raises(NotFound):  # a year and no longer
        compute(replace(asked, start=date(2027, 10, 1), end=date(2027, 11, 1), provisional=True))
    with pytest.raises(NotFound):  # what ended long ago was followed by others
        compute(replace(asked, start=date(2017, 4, 1), end=date(2017, 5, 1), provisional=True))


def test_own_rows_add_and_replace() -> None:
    table = cards().with_rows({"card": {"mine": {**WATER, "city": "naju"}, "ansan_water": {**WATER, "certainty": "M"}}})
    assert table.series("water", None, "naju", None, stated=False)[0].id == "mine"
    assert table.rows["ansan_water"].certainty == "M"
    assert cards().rows["ansan_water"].certainty == "S"
    with pytest.raises(BadInput, match="together with"):
        cards().with_rows({"card": {"twice": WATER}})
