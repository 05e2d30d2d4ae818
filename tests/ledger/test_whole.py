"""Self-sufficiency over all carriers and the steps between definitions: by hand, with what is missing, and exactly."""

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quintet.ledger.balance import balanced_carriers
from quintet.ledger.carriers import carriers_data, energy_books, parse_carriers
from quintet.ledger.conversions import Booked
from quintet.ledger.definitions import definitions, parse_steps, steps, totals, variants
from quintet.ledger.renewable_plants import intakes_of
from quintet.ledger.selfsufficiency import SelfSufficiency, selfsufficiency
from quintet.ledger.waterfall import names_of, waterfall
from quintet.ledger.whole import whole_answers
from quintet.terms.catalogue import read_toml
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput

MWH = 1_000_000_000
Book = dict[str, dict[str, list[Any]]]
TWO: Book = {
    "electricity": {"consumption": [4, 4], "local_generation*": [1, 3], "conversion_out": [2, 2], "import": [2, 1]},
    "gas": {"conversion_in": [6, 6], "consumption": [1, 1], "import": [7, 7]},
    "heat": {"conversion_out": [3, 3], "consumption": [3, 3]},
}
METERED = {("electricity", "energy"), ("gas", "energy")}


def laid(flows_of: Any, edges: Any, book: Book) -> pa.Table:
    parts = [
        flows_of(
            edges, {flow: [v if v in (None, "absent") else v * MWH for v in row] for flow, row in flows.items()}, name
        )
        for name, flows in book.items()
    ]
    return pa.concat_tables(parts)


def asked(flows_of: Any, hours: Any, book: Book) -> tuple[dict[str, SelfSufficiency], Any]:
    edges = hours(2)
    flows = laid(flows_of, edges, book)
    books = energy_books(balanced_carriers(flows, edges, commodities(), METERED), edges[0].date())
    found = selfsufficiency(flows, edges=edges, commodities=commodities(), boundaries_metered=METERED, interval="hour")
    return {one.id: one for one in [*found, *whole_answers(books, "hour", 2)]}, books


def test_every_definition_by_hand(flows_of: Any, hours: Any) -> None:
    found, _ = asked(flows_of, hours, TWO)
    # final: 4 renewable of 8 power + 2 gas + 6 heat, in toe; primary: the fuel of the plant in the place of its output
    assert found["final_energy"].value == Fraction(4, 16)
    assert found["final_energy"].unit == "toe"
    made = 4 * Fraction("2.75")
    used = (
        8 * Fraction("2.75")
        + 14 * Fraction("1.1")
        + 6 * Fraction("0.728")
        - 4 * Fraction("2.75")
        - 6 * Fraction("0.728")
    )
    assert found["zeb_primary"].value == made / used
    assert found["zeb_primary"].grade == 4
    assert {code: one.value for code, one in found.items() if code in definitions()} == {
        "power_renewable": Fraction(1, 2), "power_local": 1, "interval_autarky": Fraction(5, 8),
        "cfe_hourly": Fraction(1, 2), "self_consumption": None, "energy_offset": Fraction(1, 2), "net_zero_ratio": None,
    }  # fmt: skip
    assert "no export meter stands, and in 1 intervals more" in str(found["self_consumption"].reason)


def test_a_volume_becomes_energy_by_a_dated_value_and_says_so(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    gas = flows_of(edges, {"consumption": [1_000_000]}, "gas", "volume")
    warm = flows_of(edges, {"consumption": [1_000_000]}, "hot_water", "volume")
    books = energy_books(balanced_carriers(pa.concat_tables([gas, warm]), edges, commodities(), set()), edges[0].date())
    (zeb, final) = whole_answers(books, "hour", 1)
    assert final.denominator is not None
    kwh = Fraction("42.7") / Fraction("3.6") + Fraction("52.335")
    assert abs(Fraction(final.denominator) - kwh / 11630) < Fraction(1, 10**12)
    assert final.assumed == ("gas: gross energy by kr_city_gas_2022", "hot_water: energy by hot_water_45k")
    assert (zeb.value, zeb.grade) == (0, None)


def test_what_is_reported_by_events_alone_leaves_no_interval_out_and_says_so(flows_of: Any, hours: Any) -> None:
    """Nobody owes an event: an hour without one is nothing used, told; a meter that owes values is missing there."""
    edges = hours(4)
    power = flows_of(edges, {"consumption": [MWH] * 4, "local_generation*": [MWH] * 4})
    for owed, matched in ((0, 4), (60, 2)):
        showers = flows_of(edges, {"consumption": [None, MWH, None, MWH]}, "hot_water", expected_min=owed)
        laid_out = balanced_carriers(pa.concat_tables([power, showers]), edges, commodities(), set())
        _, final = whole_answers(energy_books(laid_out, edges[0].date()), "hour", 4)
        assert final.matched == matched
        assert final.value == (Fraction(4, 6) if owed == 0 else Fraction(2, 4))
        told = [one for one in final.assumed if one.startswith("hot_water: reported by events alone")]
        assert [one.rpartition("(")[2] for one in told] == (["2 of 4)"] if owed == 0 else [])


def test_a_carrier_without_a_factor_or_a_way_to_energy_gives_no_number(flows_of: Any, hours: Any) -> None:
    edges = hours(1)
    own = commodities().with_rows(
        {"commodity": {"steam": {"name_en": "s", "name_ko": "s", "measures": {"energy": "kWh"}}}}
    )
    flows = flows_of(edges, {"consumption": [MWH]}, "steam")
    books = energy_books(balanced_carriers(flows, edges, own, set()), edges[0].date())
    zeb, final = whole_answers(books, "hour", 1)
    assert (zeb.value, zeb.reason) == (None, "there is no primary factor of steam")
    assert final.value == 0
    flows = flows_of(edges, {"consumption": [1_000_000]}, "gas", "volume")
    books = energy_books(balanced_carriers(flows, edges, commodities(), set()), edges[0].date(), [])
    _, final = whole_answers(books, "hour", 1)
    assert final.reason == "gas is metered as volume, and no way leads from it to energy"
    assert [one.reason for one in whole_answers([], "hour", 1)] == ["no use of energy is metered here"] * 2


PUMP: Book = {
    "electricity": {"consumption": [4, 4], "local_generation*": [2, 2], "conversion_in": [1, 1], "import": [3, 3]},
    "heat": {"conversion_out*": [3, 3], "consumption": [3, 3]},
}
PUMPED = [Booked("pump", "in", "electricity", "energy"), Booked("pump", "out", "heat", "energy")]


def pump_answers(flows_of: Any, hours: Any, entries: list[Booked], value: Any, unknown: Any = None) -> Any:
    edges = hours(2)
    flows = laid(flows_of, edges, PUMP)
    books = energy_books(balanced_carriers(flows, edges, commodities(), METERED), edges[0].date())
    amounts = np.array(value, np.int64) * MWH
    gone = np.zeros(amounts.shape, np.bool_) if unknown is None else np.array(unknown)
    intakes = intakes_of(entries, amounts, gone, edges[0].date())
    return {one.id: one for one in whole_answers(books, "hour", 2, intakes)}, waterfall(books, None, intakes)


def test_what_a_heat_pump_takes_in_is_demand_and_nothing_that_it_won(flows_of: Any, hours: Any) -> None:
    """Produced = (output - energy to make it) x factor of the output; consumed = demand + produced."""
    found, steps_of = pump_answers(flows_of, hours, PUMPED, [[1, 1], [3, 3]])
    power, heat = Fraction("2.75"), Fraction("0.728")
    produced = 2 * power + (3 - 1) * heat
    demand = (4 + 1 - 2) * power
    assert found["zeb_primary"].value == produced / (demand + produced)
    assert found["zeb_primary"].assumed[-1].endswith("by the factor of what they made: pump")
    assert found["final_energy"].assumed[-1].startswith("what renewable plants made counts whole")
    (last,) = (one for one in steps_of if one.step.after == "zeb_primary")
    assert (last.after, last.reason) == (found["zeb_primary"].value, None)
    found, _ = pump_answers(flows_of, hours, PUMPED, [[1, 1], [3, 3]], [[True, False], [False, False]])
    assert (found["zeb_primary"].matched, found["final_energy"].matched) == (1, 2)


def test_a_plant_of_several_carriers_has_the_factor_of_its_output_as_a_whole() -> None:
    entries = [*PUMPED, Booked("pump", "out", "electricity", "energy"), Booked("pump", "in", "water", "volume")]
    value = np.array([[1], [3], [1], [5]])
    (one,) = intakes_of(entries, value, np.zeros((4, 1), np.bool_), date(2023, 1, 1))
    assert one.weight == (3 * Fraction("0.728") + Fraction("2.75")) / 4
    (idle,) = intakes_of(entries, value * [[1], [0], [0], [0]], np.zeros((4, 1), np.bool_), date(2023, 1, 1))
    assert idle.weight == 0, "what made nothing has nothing to be taken off"


def test_an_intake_or_an_output_without_a_way_to_primary_energy_gives_no_number(flows_of: Any, hours: Any) -> None:
    for entries, said in (
        ([PUMPED[0], Booked("pump", "out", "steam", "energy")], "there is no primary factor of steam"),
        ([Booked("pump", "in", "heat", "volume"), PUMPED[1]], "heat is metered as volume"),
    ):
        found, steps_of = pump_answers(flows_of, hours, entries, [[1, 1], [3, 3]])
        assert found["zeb_primary"].value is None
        assert said in (found["zeb_primary"].reason or "")
        assert found["final_energy"].value is not None
        assert any(said in (one.reason or "") for one in steps_of)


def hidden(book: Book, carrier: str, flow: str, hour: int) -> Book:
    row = [None if place == hour else value for place, value in enumerate(book[carrier][flow])]
    return {**book, carrier: {**book[carrier], flow: row}}


NUMBER = st.integers(0, 9)
BOOK = st.builds(
    lambda use, sun, chp, grid, gas: {
        "electricity": {"consumption": use, "local_generation*": sun, "conversion_out": chp, "import": grid},
        "gas": {"conversion_in": gas, "consumption": gas},
    },
    *(st.lists(NUMBER, min_size=2, max_size=2) for _ in range(5)),
)
PLACES = st.sampled_from(
    [("electricity", name) for name in ("consumption", "local_generation*", "conversion_out", "import")]
    + [("gas", "conversion_in"), ("gas", "consumption")]
)


@given(BOOK, PLACES, st.integers(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_missing_meter_never_raises_a_share_silently(
    flows_of: Any, hours: Any, book: Book, place: tuple[str, str], hour: int
) -> None:
    """Hiding an hour may change a ratio only together with its coverage."""
    whole, _ = asked(flows_of, hours, book)
    less, _ = asked(flows_of, hours, hidden(book, *place, hour))
    for code, one in less.items():
        before = whole[code]
        if one.value is not None and before.value is not None and one.value > before.value:
            assert one.coverage is not None
            assert one.matched < before.matched or one.coverage < (before.coverage or 0), code


@given(BOOK, PLACES, st.integers(0, 1))
@settings(max_examples=60, deadline=None)
def test_the_steps_add_up_exactly_also_with_a_meter_missing(
    flows_of: Any, hours: Any, book: Book, place: tuple[str, str], hour: int
) -> None:
    for shown in (book, hidden(book, *place, hour)):
        found, books = asked(flows_of, hours, shown)
        for one in waterfall(books):
            if one.by_assumption is None or one.by_intervals is None or one.before is None:
                assert one.reason
                continue
            assert one.before + one.by_assumption + one.by_intervals == one.after
            for code, value in ((one.step.before, one.before), (one.step.after, one.after)):
                assert code not in found or found[code].value == value


def test_the_steps_reach_every_definition_and_change_one_thing_each() -> None:
    reached = {name for step in steps() for name in (step.before, step.after)}
    of_one, of_all = variants()
    assert reached == {*definitions(), *totals(), *of_one, *of_all}
    assert all(step.words_en and step.words_ko and step.assumption for step in steps())
    assert names_of("matched_local")[1] == "전체 지역 발전, 구간별 대조"
    row = {"from": "nothing", "to": "x", "assumption": "a", "words_en": "a", "words_ko": "a"}
    with pytest.raises(BadInput, match="nothing leads to nothing"):
        parse_steps({"step": {"one": {**row, "from": "a"}, "two": row}})


def test_carriers_want_a_known_factor_a_date_and_a_source() -> None:
    assert carriers_data().primary["heat"] == "district_heat"
    row = read_toml("quintet.ledger", "carriers.toml")["content"]["hot_water_45k"]
    for change in ({"source": " "}, {"published_on": "soon"}, {"energy_unit": "m3"}):
        with pytest.raises(BadInput):
            parse_carriers({"content": {"x": {**row, **change}}})
    with pytest.raises(BadInput, match="no primary factor peat"):
        parse_carriers({"carrier": {"x": {"primary": "peat"}}})
