"""Books of which a part is not known, or asked for in other steps: nothing is told that the rest does not carry."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.terms.errors import BadInput

from .ledger_city import HOURS, PLANT, made, send

Make = Callable[..., City]
SPAN: dict[str, Any] = {"start": "2022-03-28", "end": "2022-03-31", "resolution": "month", "place": "city"}
STEPS = ("hour", "day", "month")
WIND = """
[factor.own_wind]
commodity = "electricity"
unit = "{unit}"
co2e_kg = "11"
activity = "any"
published_on = "2022-03-01"
scope = 2
purposes = ["contract"]
gwp = "AR5"
source = "test"
certainty = "S"
supplier = "wind"
"""
CONTRACT = """
[[contract]]
id = "wind-1"
commodity = "electricity"
kind = "ppa"
amount = "3600 kWh"
from = 2022-03-28
to = 2022-03-31
factor = "own_wind"
published_on = "2021-12-01"
source = "test"
"""
SERIES = """
[[hourly]]
id = "grid-hours"
commodity = "electricity"
unit = "MWh"
start = "2022-03-28T00:00:00+09:00"
co2e_kg = [{hours}]
published_on = "2022-04"
source = "the grid's operator"
certainty = "M"
"""


@pytest.fixture
def make(tmp_path: Path) -> Any:
    cities: list[City] = []

    def build(**how: Any) -> City:
        cities.append(made(tmp_path / f"c{len(cities)}", **how))
        return cities[-1]

    yield build
    for city in cities:
        city.close()


def ask(city: City, request: Any) -> Any:
    return answer_request(city, request, no_progress).read()


def emitted(city: City, **how: Any) -> Any:
    return ask(city, requests.Emissions(**{**SPAN, **how}))


def scope(found: Any, number: int) -> Any:
    return next(one for one in found["scopes"] if one["scope"] == number)


def power(city: City, **how: Any) -> Any:
    rows = ask(city, requests.Balance(**{**SPAN, **how}))["rows"]
    return [row for row in rows if row["commodity"] == "electricity"]


def sufficiency(city: City, step: str = "hour", place: str = "city") -> Any:
    return ask(city, requests.SelfSufficiency(SPAN["start"], SPAN["end"], step, place))


def values(found: Any) -> dict[str, Any]:
    return {one["id"]: one["value"] for one in found["definitions"]}


def sunny(make: Make, **how: Any) -> City:
    """Make the city whose roof makes 400 kWh in every second hour, and nothing in the others."""
    city = make(left_out=["roof"], **how)
    send(city, {"roof": 400.0}, hours=range(0, HOURS, 2))
    send(city, {"roof": 0.0}, hours=range(1, HOURS, 2))
    return city


def test_what_follows_from_the_rest_does_not_depend_on_the_steps(make: Make) -> None:
    city = sunny(make)
    bought = [scope(emitted(city, place="d1", resolution=step), 2) for step in STEPS]
    assert bought[0]["kg_co2e"] > 2000, "what is bought at night is not paid by the surplus of noon"
    assert [one["kg_co2e"] for one in bought] == [bought[0]["kg_co2e"]] * 3
    for flow in ("import", "export"):
        sums = [sum(row[flow] for row in power(city, place="d1", resolution=step)) for step in STEPS]
        assert sums == [sums[0]] * 3
        assert sums[0] > 0
    asked: dict[str, Any] = {**SPAN, "place": "d1", "tree": True}
    tree = ask(city, requests.Balance(**asked))["rows"]
    (row,) = [row for row in tree if (row["place"], row["commodity"]) == ("d1", "electricity")]
    assert row["import"] == sum(one["import"] for one in power(city, place="d1", resolution="hour"))
    found = [sufficiency(city, step, "d1") for step in STEPS]
    assert [values(one) for one in found] == [values(found[0])] * 3
    assert {one["interval"] for one in found} == {"hour"}
    assert 0 < values(found[0])["cfe_hourly"] < 1


def test_a_silent_import_meter_stands_beside_every_sum(make: Make) -> None:
    city = make(left_out=["grid"])
    send(city, {"grid": 100.0}, hours=range(HOURS // 2))
    for step in STEPS:
        found = emitted(city, resolution=step)
        two = scope(found, 2)
        assert (two["coverage"], two["missing"]) == (0.5, 1), step
        assert (found["indirect"]["coverage"], found["indirect"]["missing"]) == (0.5, 1)
    (row,) = [row for row in emitted(city)["rows"] if row["source_id"] == "electricity_bought"]
    assert row["coverage"] == 0.5, "three meters of homes do not drown the one of the city"
    ask(city, requests.EmissionsPublish(name="2022", by="kim", reason="report", **SPAN))
    assert scope(emitted(city)["beside"], 2)["coverage"] == 0.5
    table = ask(city, requests.EmissionsGpc(**SPAN))
    assert table["basic"]["coverage"] == 0.5
    (cell,) = [one for one in table["cells"] if (one["sub_sector"], one["scope"]) == ("I.6", 2)]
    assert (cell["coverage"], cell["quality"]) == (0.5, "L")


def test_one_of_two_meters_of_a_flow_takes_no_residual_with_it(make: Make) -> None:
    city = make(left_out=["homes"])
    (row,) = power(city, place="d1")
    assert (row["import"], row["export"], row["derived"]) == (None, None, ["import", "export"])
    assert row["least_known"] == 0.5
    assert "less than 95% of a term" in row["reason"]
    found = emitted(city, place="d1")
    (bought,) = [one for one in found["rows"] if one["source_id"] == "electricity_bought"]
    assert (bought["kg_co2e"], bought["notation"]) == (None, "NE")
    assert scope(found, 2)["missing"] >= 1
    (row,) = power(city)
    assert (row["closure_error"], row["least_known"]) == (None, 0.5)
    assert "less than 99% of a term" in row["reason"]


def test_a_share_is_never_told_without_what_was_heard(make: Make) -> None:
    whole, city = make(), make(left_out=["homes"])
    ask(city, requests.DefinitionPin("power_local", None, "council", "plan"))
    found = sufficiency(city)
    assert values(found)["power_local"] > values(sufficiency(whole))["power_local"]
    pinned = found["pinned"]
    assert (pinned["coverage"], pinned["matched"], pinned["intervals"]) == (0.75, HOURS, HOURS)
    assert values(found)["interval_autarky"] is None, "an import against a use of which half is not known"
    steps = ask(city, requests.SelfSufficiencyExplain(SPAN["start"], SPAN["end"], "hour", "city"))["steps"]
    told = [one for one in steps if "power_local" in (one["before"], one["after"])]
    assert told
    for one in told:
        end = "before" if one["before"] == "power_local" else "after"
        assert (one[f"coverage_{end}"], one[f"matched_{end}"]) == (0.75, HOURS)


@pytest.mark.parametrize("inputs", ['["d1/plant-gaz"]', '["d1/plant-gas"]'])
def test_a_plant_of_which_no_input_is_heard_is_not_without_emissions(make: Make, inputs: str) -> None:
    city = make(plant=PLANT.replace('["d1/plant-gas"]', inputs), left_out=["plant-gas"])
    found = emitted(city)
    rows = {one["source_id"]: one for one in found["rows"]}
    for name in ("electricity_bought_unfuelled", "heat_bought_unfuelled"):
        assert (rows[name]["kg_co2e"], rows[name]["notation"]) == (None, "NE")
        assert "no meter shows" in rows[name]["reason"]
    assert scope(found, 1)["not_estimated"] >= 2


def test_steps_finer_than_a_meters_interval_are_not_known(make: Make) -> None:
    rows = power(make(), resolution="15min")
    assert all(row["consumption"] is None and row["coverage"] == 0 for row in rows)
    assert "steps of 60 minutes" in rows[0]["reason"]


def test_an_import_below_zero_is_no_saving(make: Make) -> None:
    city = make(left_out=["grid"])
    send(city, {"grid": -50.0})
    found = emitted(city)
    (row,) = [one for one in found["rows"] if one["source_id"] == "electricity_bought"]
    assert (row["kg_co2e"], scope(found, 2)["kg_co2e"]) == (None, None), "not known, and not below nothing"
    assert "less than nothing" in row["reason"]
    assert values(sufficiency(city))["interval_autarky"] is None


def test_what_left_is_not_known_without_an_export_meter(make: Make) -> None:
    city = sunny(make)
    for one in sufficiency(city)["definitions"]:
        if one["id"] in ("self_consumption", "net_zero_ratio"):
            assert one["value"] is None
            assert "no export meter stands" in one["reason"]
    (one,) = [one for one in sufficiency(make())["definitions"] if one["id"] == "self_consumption"]
    assert (one["value"], one["assumed"]) == (1, ["no export meter stands: nothing is taken to leave"])


def test_a_contract_counts_at_its_place_and_above_and_is_matched_by_the_year(make: Make) -> None:
    ledger = WIND.format(unit="MWh") + CONTRACT
    city = make(ledger=ledger)
    by_step = [scope(emitted(city, resolution=step), 2)["market_kg_co2e"] for step in STEPS]
    assert by_step == pytest.approx([float(Fraction(36, 10) * 11 + Fraction(36, 10) * Fraction("431.2"))] * 3)
    below = emitted(city, place="d1/b2")
    (row,) = [one for one in below["market"] if one["commodity"] == "electricity"]
    assert (row["covered"], row["kg_co2e"]) == (0, scope(below, 2)["kg_co2e"])
    assert "not shared out to this place: wind-1" in row["rest_by"]
    own = make(ledger=ledger + 'place = "d1/b2"\n')
    for place in ("city", "d1/b2"):
        (row,) = [one for one in emitted(own, place=place)["market"] if one["commodity"] == "electricity"]
        assert row["contracts"] == ["wind-1"], place
    (row,) = [one for one in emitted(own, place="d1/b1")["market"] if one["commodity"] == "electricity"]
    assert row["contracts"] == []


def test_a_contract_that_nobody_can_count_is_refused(make: Make) -> None:
    with pytest.raises(BadInput, match=r"contract wind-1.*per m3|per m3"):
        emitted(make(ledger=WIND.format(unit="m3") + CONTRACT))


def test_an_hourly_row_names_the_series_own_source(make: Make) -> None:
    city = make(ledger=SERIES.format(hours=",".join(['"500"'] * HOURS)))
    (row,) = [one for one in emitted(city)["rows"] if one["source_id"] == "electricity_bought"]
    assert (row["factor"], row["source"]) == ("grid-hours", "the grid's operator")
    assert (row["published_on"], row["certainty"]) == ("2022-04", "M")


MINE = """
[calorific.early]
commodity = "gas"
energy_unit = "MJ"
volume_unit = "m3"
gross = "42.7"
net = "38.5"
metered_energy = "gross"
valid_from = "2015-01-01"
published_on = "2015-01-01"
source = "test"
certainty = "S"

[calorific.late]
commodity = "gas"
energy_unit = "MJ"
volume_unit = "m3"
gross = "21.35"
net = "19.25"
metered_energy = "gross"
valid_from = "2022-03-29"
published_on = "2022-03-01"
source = "test"
certainty = "S"
"""


def test_one_energy_everywhere_and_a_value_that_changes_cuts_the_span(make: Make) -> None:
    city = make(ledger=MINE)

    def burnt(start: str, end: str) -> Fraction:
        found = ask(city, requests.SelfSufficiency(start, end, "hour", "city"))
        (one,) = [one for one in found["definitions"] if one["id"] == "final_energy"]
        return Fraction(str(one["denominator"]))

    parts = burnt("2022-03-28", "2022-03-29") + burnt("2022-03-29", "2022-03-31")
    assert burnt("2022-03-28", "2022-03-31") == pytest.approx(parts, abs=1e-11)
    (row,) = ask(city, requests.Conversions("2022-03-28", "2022-03-29", "day", "city"))["rows"]
    assert row["energy_in_kwh"] == pytest.approx(float(Fraction(24 * 20) * Fraction("42.7") / Fraction("3.6")))
    assert "early" in row["inputs"][0]["basis"]


def test_of_a_month_to_come_no_sum_is_made_up(make: Make) -> None:
    """Nothing has a number, so no sum is 0: not by scope, not of direct and indirect, not in the table of the GPC."""
    city = make()
    later: dict[str, Any] = {"start": "2022-12", "end": "2023-01", "resolution": "month"}
    found = emitted(city, **later)
    assert {one["kg_co2e"] for one in found["scopes"]} == {None}
    assert (found["direct_kg_co2e"], found["indirect_kg_co2e"], found["direct"]["missing"]) == (None, None, 2)
    table = ask(city, requests.EmissionsGpc(**{**SPAN, **later}))
    assert (table["basic_kg_co2e"], table["basic_plus_kg_co2e"]) == (None, None)
    answer = answer_request(city, requests.Emissions(**{**SPAN, **later}), no_progress)
    assert any(note.startswith("scope 1: not known") for note in answer.notes)
    assert emitted(city)["direct_kg_co2e"] > 0
