"""Rules that need more than one channel are fed by a run: what stands beside a meter comes in by the same door."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet.ingest import find, ingest_dataset
from quintet.store.events import Event, append_event
from quintet.terms.period import to_us

from .conftest import City
from .homes import at, found, judge

NewCity = Callable[..., City]
DAYS = 10
WEIGHT = 1.163
"""kWh that a cubic metre of water carries for each kelvin."""
Meters = dict[str, tuple[str, str, str, Callable[[int], float]]]


def taken(city: City, folder: Path, meters: Meters, weather: Callable[[int], float] | None = None) -> None:
    """Take a dataset folder in: meter, its commodity, unit, kind, and its value for each hour from the start."""
    folder.mkdir(exist_ok=True)
    listed: list[dict[str, Any]] = [
        {
            "site": "s", "building": "b", "premise": "h", "meter": name.split(":")[0], "commodity": commodity,
            "unit": unit, "value_kind": kind, "cadence_min": 60, "tz": "UTC", "role": "consumption",
        }
        for name, (commodity, unit, kind, _) in meters.items()
    ]  # fmt: skip
    said = [
        {
            "site": "s", "meter": name.split(":")[0], "commodity": commodity,
            "ts_utc": at(0, hour).isoformat(), "value": f"{value(hour):.6f}",
        }
        for name, (commodity, _, _, value) in meters.items()
        for hour in range(24 * DAYS)
    ]  # fmt: skip
    tables = {"meters": listed, "readings": said}
    if weather is not None:
        hours = range(24 * DAYS)
        tables["weather"] = [{"site": "s", "ts_utc": at(0, h).isoformat(), "temp_c": weather(h)} for h in hours]
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    (dataset,) = find([folder])
    assert ingest_dataset(city.pipeline, dataset, actor="test").quarantined == 0


@pytest.mark.parametrize(("factor", "fails"), [(1.0, False), (1.04, False), (1.3, True)])
def test_heat_that_does_not_follow_from_flow_and_temperatures_fails(
    new_city: NewCity, tmp_path: Path, *, factor: float, fails: bool
) -> None:
    city = new_city()
    wrong = [1.0] * (24 * 5) + [factor] * (24 * (DAYS - 5))

    def flow(hour: int) -> float:
        return 0.1 + hour % 5 / 100

    def warmth(hour: int) -> float:
        return 20.0 + hour % 7

    taken(city, tmp_path / "heat", {
        "m:heat": ("heat", "kWh", "interval_sum", lambda hour: WEIGHT * flow(hour) * warmth(hour) * wrong[hour]),
        "m:volume": ("heat_volume", "m3", "interval_sum", flow),
        "m:warmth": ("heat_delta_t", "K", "avg_power", warmth),
    })  # fmt: skip
    judge(city)
    assert {row[1] for row in found(city, "H01")} == ({"s/m:heat"} if fails else set())


@pytest.mark.parametrize(("factor", "fails"), [(1.0, False), (1.2, True)])
def test_gas_that_is_not_corrected_by_its_pressure_and_temperature_fails(
    new_city: NewCity, tmp_path: Path, *, factor: float, fails: bool
) -> None:
    city = new_city()

    def flow(hour: int) -> float:
        return 0.5 + hour % 3 / 10

    def kelvin(hour: int) -> float:
        return 285.15 + hour % 9

    def normal(hour: int) -> float:
        return flow(hour) * (110.0 / 101.325) * (273.15 / kelvin(hour)) * factor

    taken(city, tmp_path / "gas", {
        "g:gas": ("gas", "m3", "interval_sum", normal),
        "g:flow": ("gas_uncorrected", "m3", "interval_sum", flow),
        "g:t": ("gas_temperature", "K", "avg_power", kelvin),
        "g:p": ("gas_pressure", "kPa", "avg_power", lambda _hour: 110.0),
    })  # fmt: skip
    judge(city)
    assert {row[1] for row in found(city, "G01")} == ({"s/g:gas"} if fails else set())


@pytest.mark.parametrize(("kvarh", "fails"), [(0.3, False), (0.0, True)])
def test_a_large_load_without_reactive_energy_fails(
    new_city: NewCity, tmp_path: Path, *, kvarh: float, fails: bool
) -> None:
    city = new_city()
    taken(city, tmp_path / "power", {
        "e:power": ("electricity", "kWh", "interval_sum", lambda hour: 40.0 + hour % 5),
        "e:reactive": ("electricity_reactive", "kvarh", "interval_sum", lambda hour: kvarh * (40.0 + hour % 5)),
    })  # fmt: skip
    judge(city)
    assert {row[1] for row in found(city, "V13")} == ({"s/e:electricity"} if fails else set())


@pytest.mark.parametrize(("offset", "verdict"), [("3min", None), ("-4min", "flag"), ("1h", "fail")])
def test_a_clock_that_somebody_found_off_is_judged(
    new_city: NewCity, tmp_path: Path, *, offset: str, verdict: str | None
) -> None:
    city = new_city()
    taken(city, tmp_path / "clock", {"e": ("electricity", "kWh", "interval_sum", lambda hour: 1.0 + hour % 5)})
    number = city.pipeline.registry().channel_ids["s/e"]
    event = Event("clock_offset", to_us(at(2)), to_us(at(3)), "kim", "read on site", channel=number, detail=offset)
    with city.engine.writing("event", "test", "kim", city.tick()) as writing:
        append_event(writing, event)
    judge(city)
    assert {row[3] for row in found(city, "V01")} == (set() if verdict is None else {verdict})


def test_weather_says_that_it_is_cold_where_no_neighbour_does(new_city: NewCity, tmp_path: Path) -> None:
    said: dict[str, set[tuple[str, str]]] = {}
    for name, degrees in (("cold", -2.0), ("warm", 21.0), ("unknown", None)):
        city = new_city()
        weather = None if degrees is None else lambda hour, mean=degrees: mean + hour % 24 / 10
        taken(city, tmp_path / name, {
            "heat": ("heat", "kWh", "interval_sum", lambda hour: 1.5 + hour % 3 if hour < 48 else 0.0),
            "water": ("water", "m3", "interval_sum", lambda _hour: 0.0),
        }, weather)  # fmt: skip
        judge(city)
        said[name] = {(row[1], row[3]) for row in found(city, "zero_meter") if row[1] == "s/heat"}
    assert said == {"cold": {("s/heat", "away")}, "warm": set(), "unknown": set()}
