"""Targets of a city from its readings: stated, withdrawn, told; changes are taken apart exactly, without flattery."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.terms.errors import BadInput, NotFound, UsageError

from .ledger_city import SETTINGS, Clock, made, send

TARGET = """
[[target]]
place = "city"
year = 2022
metric = "emissions"
of = "total"
value = "500 tCO2e"
by = "council"
why = "plan 3"
"""
DAYS: dict[str, Any] = {
    "base_from": "2022-03-28", "base_to": "2022-03-29", "start": "2022-03-29", "end": "2022-03-30",
    "metric": "emissions", "of": "total", "activity": "premises", "then": None, "place": "city",
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = made(tmp_path / "city", ledger=TARGET, left_out=["homes-gas"])
    send(city, {"homes-gas": 10.0}, range(36))
    yield city
    city.close()


def ask(city: City, request: Any) -> Any:
    return answer_request(city, request, no_progress).read()


def moment(city: City) -> str:
    """Give the moment that is known now."""
    return ask(city, requests.TargetsYear("city"))["known_at"]


def exact(told: dict[str, Any]) -> dict[str, Fraction]:
    parts = {one["part"]: Fraction(one["exact"]) for one in told["parts"]}
    first, after, change = (Fraction(told["exact"][name]) for name in ("before", "after", "change"))
    assert sum(parts.values()) == after - first == change
    assert all(one["evidence"] for one in told["parts"])
    return parts


def test_a_target_is_told_with_what_is_missing(city: City) -> None:
    told = ask(city, requests.TargetsYear("city"))
    assert (told["year"], told["days"], told["days_gone"] + told["days_left"]) == (2022, 365, 365)
    (one,) = told["targets"]
    assert (one["target"], one["unit"], one["by"], one["since"]) == (500_000, "kg_co2e", "council", None)
    assert one["verdict"] == "open", "three days of the year are known: that says nothing good"
    assert 0 < one["coverage"] < 0.05
    assert one["rows_missing"] > 0
    assert (one["left"], one["left_share"], one["pace_needed"]) == (None, None, None), "what is missing was emitted too"
    assert one["pace"] > 10 * one["so_far"] / told["days_gone"], "by covered time"
    assert told["factor_set"]["digest"]
    assert told["rule_set"]
    assert {part["commodity"] for part in one["carriers"]} >= {"gas", "electricity", "water"}


def test_targets_are_dated_decisions_that_are_replaced_and_withdrawn(city: City) -> None:
    def held(known_at: str | None = None) -> dict[str, float]:
        told = ask(city, requests.TargetsYear("city", 2022, known_at))
        return {f"{one['metric']} {one['of']}": one["target"] for one in told["targets"]}

    ask(city, requests.TargetSet("city", 2022, "self_sufficiency", "power_local", "50 %", "kim", "plan 4"))
    early = moment(city)
    ask(city, requests.TargetSet("city", 2022, "emissions", "total", "400 tCO2e", "kim", "plan 5"))
    assert held() == {"emissions total": 400_000, "self_sufficiency power_local": 0.5}
    later = moment(city)
    ask(city, requests.TargetWithdraw("city", 2022, "emissions", "total", "kim", "no more"))
    assert held() == {"self_sufficiency power_local": 0.5}
    assert held(early) == {"emissions total": 500_000, "self_sufficiency power_local": 0.5}
    assert held(later) == {"emissions total": 400_000, "self_sufficiency power_local": 0.5}
    audit = ask(city, requests.AuditList())
    assert "kim" in str(audit)
    with pytest.raises(NotFound):
        ask(city, requests.TargetWithdraw("city", 2022, "emissions", "total", "kim", "again"))
    with pytest.raises(NotFound):
        ask(city, requests.TargetSet("nowhere", 2022, "emissions", "total", "4 tCO2e", "kim", "x"))
    with pytest.raises(BadInput, match="needs a name and a reason"):
        ask(city, requests.TargetSet("city", 2022, "emissions", "total", "4 tCO2e", "kim", " "))


def test_a_meter_that_falls_silent_is_a_gap_and_no_saving(city: City) -> None:
    told = ask(city, requests.TargetsChange(**DAYS))
    parts = exact(told)
    assert told["change"] < 0, "less was counted"
    assert parts["data_gaps"] == Fraction(told["exact"]["change"])
    assert {parts[name] for name in parts.keys() - {"data_gaps"}} == {0}
    assert (told["before_known"]["coverage"], told["before_known"]["rows_missing"]) == (1, 0)
    assert told["after_known"]["coverage"] < 1, "said beside the figure, not in the evidence alone"
    quiet = ask(city, requests.TargetsChange(**{**DAYS, "start": "2022-03-30", "end": "2022-03-31"}))
    parts = exact(quiet)
    assert parts["data_gaps"] <= 0
    assert parts["unexplained"] == parts["measures"] == 0, "silent all day long: no progress either"


def test_a_share_says_how_far_both_of_its_ends_are_known(city: City) -> None:
    how = {**DAYS, "metric": "self_sufficiency", "of": "power_local", "start": "2022-03-30", "end": "2022-04-02"}
    told = ask(city, requests.TargetsChange(**how))
    assert (told["before_known"]["coverage"], told["before_known"]["rows_missing"]) == (1, 0)
    assert (told["after_known"]["coverage"], told["after_known"]["rows_missing"]) == (0.333333, 48)


@pytest.mark.parametrize("table", ["target", "measure", "sector"])
def test_what_is_stated_of_a_place_that_is_none_is_refused_by_name(tmp_path: Path, table: str) -> None:
    """A slip in `place` would be told to nobody. Before the first meters a place may still come with them."""
    of = {
        "target": TARGET.replace('place = "city"', 'place = "d9"'),
        "measure": """
[[measure]]
id = "lamps"
place = "d9"
commodity = "electricity"
from = 2022-03-01
saves = "12 MWh"
what_en = "street lamps"
by = "energy office"
why = "report 7"
""",
        "sector": """
[[sector]]
place = "d9"
sub_sector = "I.1"
published_on = "2022"
source = "land use plan"
""",
    }[table]
    folder = tmp_path / "city"
    with pytest.raises(BadInput, match="is for place d9, which does not exist") as told:
        made(folder, ledger=of)
    assert told.value.code == "unknown_place"
    assert told.value.place.startswith(f"{folder / 'city.toml'}, {table} ")
    made(tmp_path / "placed", ledger=of + '\n[[place]]\nid = "d9"\nlevel = "district"\n').close()
    City.create(tmp_path / "empty", timezone="Asia/Seoul").close()
    (tmp_path / "empty" / "city.toml").write_text(SETTINGS + of, encoding="utf-8")
    City.open(tmp_path / "empty").close()


def test_a_measure_is_told_as_stated_and_the_rest_stays_open(city: City) -> None:
    ask(city, requests.MeasureState("lamps", "d1", "electricity", "2022-03-29", "36.5 MWh", "lamps", "kim", "r 4"))
    told = ask(city, requests.TargetsChange(**DAYS))
    parts = exact(told)
    assert parts["measures"] < 0
    assert parts["measures"] + parts["unexplained"] == 0, "no meter saw it"
    evidence = {one["part"]: one["evidence"] for one in told["parts"]}
    assert "lamps at d1 from 2022-03-29" in evidence["measures"][0]
    assert "refused, no outdoor temperature" in evidence["weather"][0]
    assert "model was refused" in evidence["unexplained"][0], "what weather did is not hidden"


def test_what_came_later_is_a_revision_and_known_at_reproduces(city: City) -> None:
    before = moment(city)
    at = {**DAYS, "base_from": "2022-03-29", "base_to": "2022-03-30", "start": "2022-03-28", "end": "2022-03-29"}
    was = ask(city, requests.TargetsChange(**at, known_at=before))
    send(city, {"homes-gas": 10.0}, range(36, 72))
    again = ask(city, requests.TargetsChange(**at, known_at=before))
    assert again == was
    now = ask(city, requests.TargetsChange(**{**at, "then": before}))
    parts = exact(now)
    assert parts["data_revisions"] == Fraction(now["exact"]["before_as_known_now"]) - Fraction(was["exact"]["before"])
    assert parts["data_revisions"] > 0
    assert {parts[name] for name in parts.keys() - {"data_revisions"}} == {0}


def test_self_sufficiency_is_taken_apart_by_the_same_causes(city: City) -> None:
    share = {**DAYS, "metric": "self_sufficiency", "of": "power_local"}
    parts = exact(ask(city, requests.TargetsChange(**share)))
    assert set(parts.values()) == {0}
    longer = exact(ask(city, requests.TargetsChange(**{**share, "end": "2022-03-31"})))
    assert set(longer.values()) == {0}, "two days are no more activity than one"
    final = ask(city, requests.TargetsChange(**{**share, "of": "final_energy"}))
    parts = exact(final)
    assert {parts[name] for name in parts.keys() - {"data_gaps"}} == {0}
    (gaps,) = (one for one in final["parts"] if one["part"] == "data_gaps")
    assert "missing is no progress" in gaps["evidence"][-1], "half a day of gas is not there"


def test_a_silent_meter_is_the_gaps_part_of_a_share_and_the_rest_is_still_told(tmp_path: Path) -> None:
    """The homes fall silent for the second day's half: the share rises by their silence, and by nothing else."""
    city = made(tmp_path / "city", left_out=["homes", "roof"])
    send(city, {"homes": 150.0}, range(36))
    send(city, {"roof": 30.0}, range(24))
    send(city, {"roof": 33.0}, range(24, 72))
    try:
        told = ask(city, requests.TargetsChange(**{**DAYS, "metric": "self_sufficiency", "of": "power_local"}))
        parts = exact(told)
        used = 24 * Fraction(150 + 15)
        assert parts["supply_mix"] == Fraction(24 * 3) / used, "the roof gave a tenth more"
        assert parts["data_gaps"] == Fraction(24 * 73) / (24 * 15 + 12 * 150) - Fraction(24 * 73) / used > 0
        assert {parts[name] for name in parts.keys() - {"data_gaps", "supply_mix"}} == {0}
        (gaps,) = (one for one in told["parts"] if one["part"] == "data_gaps")
        assert "used after: 1 meter-days not heard, filled from the other period" in gaps["evidence"][1]
        hourly = ask(city, requests.TargetsChange(**{**DAYS, "metric": "self_sufficiency", "of": "cfe_hourly"}))
        parts = exact(hourly)
        assert {parts[name] for name in parts.keys() - {"data_gaps"}} == {0}, "matched hour by hour: not to be filled"
    finally:
        city.close()


def test_what_cannot_be_asked_is_refused(city: City) -> None:
    cases = (
        ({"end": "2022-03-29T12:00:00+09:00"}, "cuts a day"),
        ({"end": "2022-12-29"}, "not over"),
        ({"base_from": "2020-03-29"}, "more than 400 days"),
        ({"metric": "self_sufficiency", "of": "best"}, "no definition 'best'"),
        ({"of": "scope_9"}, "no sum 'scope_9'"),
        ({"activity": "joy"}, "no activity 'joy'"),
    )
    for change, words in cases:
        with pytest.raises(UsageError, match=words):
            ask(city, requests.TargetsChange(**{**DAYS, **change}))


START = date(2025, 1, 1)
LONG = 70


def weathered(folder: Path) -> City:
    """Make a city whose gas follows the weather: the second winter is 2 degrees colder, and 5 % of the base saved."""
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "meters.csv").write_text(
        "site,building,meter,commodity,unit,value_kind,cadence_min,tz,role\n"
        "d1,b1,gas,gas,m3,interval_sum,60,Asia/Seoul,consumption\n"
    )
    readings, weather = ["site,meter,ts_utc,value"], ["site,ts_utc,temp_c"]
    for year, colder, base in ((2025, 0.0, 240.0), (2026, 2.0, 228.0)):
        for day in range(LONG):
            mean = 4 + 6 * math.sin(day) - colder
            for hour in range(24):
                at = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hour - 9)
                value = (base + 24 * (18 - mean)) / 24 * (1 + (0.0625 if hour % 2 else -0.0625))
                readings.append(f"d1,gas,{at.isoformat()},{value:.6f}")
                weather.append(f"d1,{at.isoformat()},{mean:.6f}")
    (data / "readings.csv").write_text("\n".join(readings) + "\n")
    (data / "weather.csv").write_text("\n".join(weather) + "\n")
    City.create(folder / "city", timezone="Asia/Seoul").close()
    clock = Clock()
    clock.now = datetime(2026, 5, 1, tzinfo=UTC)
    (folder / "city" / "city.toml").write_text(SETTINGS)
    city = City.open(folder / "city", now=clock)
    answer_request(city, requests.Ingest([str(data)], actor="test"), no_progress)
    return city


def test_weather_is_told_apart_from_what_was_saved(tmp_path: Path) -> None:
    city = weathered(tmp_path)
    try:
        first, last = (START + timedelta(days=days) for days in (0, LONG))
        spans = {"base_from": str(first), "base_to": str(last)}
        spans |= {"start": str(first.replace(year=2026)), "end": str(last.replace(year=2026))}
        told = ask(city, requests.TargetsWeather(**spans, place="city"))
        (gas,) = told["carriers"]
        model = gas["model"]
        assert (model["base_a_day"], model["per_heating_degree_day"]) == (pytest.approx(240), pytest.approx(24))
        assert (model["cooling_error"], model["days"]) == (None, LONG)
        assert model["r2"] == pytest.approx(1)
        assert told["degrees"]["heating_degree_days"] - told["base_degrees"]["heating_degree_days"] == pytest.approx(
            140
        )
        assert gas["weather"] == pytest.approx(24 * 140)
        assert gas["normalised_change"] == pytest.approx(-12 * LONG)
        change = ask(city, requests.TargetsChange(**{**DAYS, **spans}))
        parts = exact(change)
        rate = Fraction(change["exact"]["before"]) / Fraction(str(gas["base_use"]))
        assert float(parts["weather"]) == pytest.approx(float(24 * 140 * rate), rel=1e-6)
        assert float(parts["unexplained"]) == pytest.approx(float(-12 * LONG * rate), rel=1e-6)
        assert parts["activity"] == parts["data_gaps"] == 0
    finally:
        city.close()


def test_the_commands_ask_the_same(tmp_path: Path, run: Any) -> None:
    made(tmp_path / "city", ledger=TARGET).close()
    at = ("--city", str(tmp_path / "city"))
    spans = ("--base-from", "2022-03-28", "--base-to", "2022-03-29", "--from", "2022-03-29", "--to", "2022-03-30", *at)
    code, out, err = run("targets", "--year", "2022", "--format", "csv", *at)
    assert (code, out.splitlines()[1].split(",")[:3]) == (0, ["emissions", "total", "500000"]), err
    code, out, _ = run(
        "targets", "set", "emissions", "scope_1", "1 tCO2e", "--year", "2022", "--reason", "x", "--format", "json", *at
    )
    assert (code, "scope_1" in out, "missed" in out) == (0, True, True)
    assert run("targets", "withdraw", "emissions", "scope_1", "--year", "2022", "--reason", "x", *at)[0] == 0
    measure = ("--commodity", "gas", "--since", "2022-03-29", "--saves", "3 m3", "--what", "lids", "--reason", "x")
    assert run("targets", "measure", "lids", *measure, *at)[0] == 0
    assert run("targets", "weather", *spans)[0] == 0
    code, out, _ = run("targets", "change", "--lang", "ko", *spans)
    assert (code, "날씨" in out) == (0, True)
    code, out, err = run("targets", "change", *spans)
    assert (code, "before: 100.0% arrived; after: 100.0% arrived" in err) == (0, True), err
    assert run("targets", "set", "emissions", "scope_1", "1", "--year", "2022", "--reason", "x", *at)[0] == 1
