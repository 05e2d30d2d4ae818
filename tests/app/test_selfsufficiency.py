"""Self-sufficiency of a city from its readings: by hand, with the definition it is bound to, and explained."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.terms.errors import BadInput, UsageError

from .ledger_city import made

SPAN: dict[str, Any] = {"start": "2022-03-28", "end": "2022-03-31", "resolution": "hour", "place": "city"}
BOUND = '[[self_sufficiency]]\ndefinition = "power_local"\nby = "council"\nwhy = "ordinance 12"\n'


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = made(tmp_path / "city", ledger=BOUND)
    yield city
    city.close()


def ask(city: City, request: Any) -> Any:
    return answer_request(city, request, no_progress).read()


def test_every_definition_from_the_readings_by_hand(city: City) -> None:
    found = ask(city, requests.SelfSufficiency(**SPAN))
    values = {one["id"]: one["value"] for one in found["definitions"]}
    gas = Fraction("42.7") / Fraction("3.6")
    final = 30 / (165 + 10 * gas + 70)
    primary = 30 * Fraction("2.75") / (125 * Fraction("2.75") + 30 * gas * Fraction("1.1") - 10 * Fraction("0.728"))
    expected = {
        "power_renewable": Fraction(30, 165), "power_local": Fraction(70, 165), "energy_offset": Fraction(30, 165),
        "interval_autarky": Fraction(65, 165), "cfe_hourly": Fraction(30, 165), "self_consumption": 1,
        "net_zero_ratio": 0, "final_energy": final, "zeb_primary": primary,
    }  # fmt: skip
    assert values.keys() == expected.keys()
    for code, value in expected.items():
        assert values[code] == pytest.approx(float(value), abs=1e-6), code
    bound = found["pinned"]
    assert (bound["definition"], bound["by"], bound["since"]) == ("power_local", "council", None)
    assert bound["value"] == values["power_local"]


PUMP = """
[[plant]]
id = "pump"
kind = "heat_pump"
place = "d1"
renewable = true
inputs = ["d1/cinema"]
outputs = ["d1/plant-heat"]
"""


def test_a_renewable_heat_pump_wins_what_it_gives_less_what_it_takes(tmp_path: Path) -> None:
    """15 kWh of power an hour make 80 kWh of heat: 65 are won, and the 15 are demand, once."""
    city = made(tmp_path / "city", plant=PUMP)
    try:
        answers = {one["id"]: one for one in ask(city, requests.SelfSufficiency(**SPAN))["definitions"]}
        power, fuel, heat = (
            Fraction("2.75"),
            Fraction("1.1") * 30 * Fraction("42.7") / Fraction("3.6"),
            Fraction("0.728"),
        )
        won = 30 * power + (80 - 15) * heat
        used = (150 + 15) * power + fuel + (70 - 15) * heat
        assert answers["zeb_primary"]["value"] == pytest.approx(float(won / used), abs=1e-6)
        assert answers["zeb_primary"]["assumed"][-1].endswith(": pump")
        assert answers["final_energy"]["assumed"][-1].endswith(": pump")
        steps = ask(city, requests.SelfSufficiencyExplain(**SPAN))["steps"]
        assert steps[-1]["value_after"] == pytest.approx(float(won / used), abs=1e-9)
    finally:
        city.close()


def test_the_explanation_adds_up_and_speaks_both_languages(city: City) -> None:
    told = ask(city, requests.SelfSufficiencyExplain(**SPAN))
    assert told["pinned"]["definition"] == "power_local"
    for one in told["steps"]:
        exact = {name: Fraction(text) for name, text in one["exact"].items()}
        assert exact["value_before"] + exact["by_assumption"] + exact["by_intervals"] == exact["value_after"]
        assert one["words_en"] != one["words_ko"]
    korean = answer_request(city, requests.SelfSufficiencyExplain(**SPAN, lang="ko"), no_progress)
    assert korean.rows[0][korean.columns.index("words")] == told["steps"][0]["words_ko"]


def test_a_city_is_bound_from_a_day_on_by_a_person_with_a_reason(city: City) -> None:
    with pytest.raises(BadInput, match="needs a name and a reason"):
        ask(city, requests.DefinitionPin("final_energy", None, "kim", " "))
    with pytest.raises(BadInput, match="no definition 'best'"):
        ask(city, requests.DefinitionPin("best", None, "kim", "x"))
    with pytest.raises(UsageError, match="is no day"):
        ask(city, requests.DefinitionPin("final_energy", "soon", "kim", "x"))
    ask(city, requests.DefinitionPin("final_energy", "2022-03-30", "kim", "a new ordinance"))
    listed = ask(city, requests.DefinitionPin())["bound"]
    assert [one["definition"] for one in listed] == ["power_local", "final_energy"]
    before = ask(city, requests.SelfSufficiency(**{**SPAN, "end": "2022-03-30"}))
    after = ask(city, requests.SelfSufficiency(**SPAN))
    assert before["pinned"]["definition"] == "power_local"
    assert (after["pinned"]["definition"], after["pinned"]["since"]) == ("final_energy", "2022-03-30T00:00:00+09:00")


def test_a_silent_meter_lowers_the_coverage_and_never_raises_a_share_unsaid(city: City, tmp_path: Path) -> None:
    silent = made(tmp_path / "silent", left_out=["cinema", "plant-gas"])
    try:
        whole, less = (ask(each, requests.SelfSufficiency(**SPAN))["definitions"] for each in (city, silent))
    finally:
        silent.close()
    for before, after in zip(whole, less, strict=True):
        if after["value"] is None:
            assert after["reason"]
        elif after["value"] > before["value"]:
            assert after["coverage"] < before["coverage"], after["id"]
    values = {one["id"]: one for one in less}
    assert (values["zeb_primary"]["value"], values["zeb_primary"]["matched"]) == (None, 0)
