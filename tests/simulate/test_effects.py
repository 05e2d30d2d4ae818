"""Each fault's ground truth against the same city without faults: what it names changed so, and nothing else did."""

from typing import Any

import numpy as np
import pytest

from quintet.simulate import SimulatedCity
from quintet.simulate.plan import STEP_US
from quintet.terms.unit import units

from .conftest import Key, Series, city_of, flowed, shown

RATES = {
    "gap": 0.03, "outage": 0.03, "spike": 0.03, "stuck": 0.05, "dead": 0.05, "leak": 0.05, "drift": 0.03, "late": 0.05,
    "rollover": 0.03, "exchange": 0.02,
}  # fmt: skip
PLAIN = city_of(days=5)
CLEAN, REAL = shown(PLAIN), flowed(PLAIN)


def faults_of(city: SimulatedCity) -> list[dict[str, Any]]:
    rows = city.faults.to_pylist()
    starts, ends = (city.faults[name].cast("int64").to_pylist() for name in ("start", "end"))
    return [{**row, "start": start, "end": end} for row, start, end in zip(rows, starts, ends, strict=True)]


def kind_of(city: SimulatedCity, key: Key) -> dict[str, Any]:
    return next(m for m in city.meters.to_pylist() if (m["site"], m["meter"]) == key)


def alone(kind: str) -> tuple[SimulatedCity, list[dict[str, Any]], Series]:
    """Give a city with one kind of fault, its faults and its readings; all meters without a fault are as ever."""
    city = city_of({kind: RATES[kind]}, days=5)
    faults, seen = faults_of(city), shown(city)
    assert len(faults) >= 3
    hit = {(fault["site"], fault["meter"]) for fault in faults}
    derived = {("city", name) for (site, name) in seen if site == "city"} | {k for k in seen if "exchanger" in k[1]}
    for key, values in CLEAN.items():
        assert key in hit or (kind == "leak" and key in derived) or seen[key] == values, key
    return city, faults, seen


def windows(faults: list[dict[str, Any]]) -> dict[Key, list[dict[str, Any]]]:
    out: dict[Key, list[dict[str, Any]]] = {}
    for fault in faults:
        out.setdefault((fault["site"], fault["meter"]), []).append(fault)
    return out


def inside(fault: dict[str, Any], stamps: Any) -> list[int]:
    return [at for at in stamps if fault["start"] <= at < fault["end"]]


@pytest.mark.parametrize("kind", ["gap", "outage"])
def test_missing_readings(kind: str) -> None:
    city, faults, seen = alone(kind)
    lumps = 0
    for key, found in windows(faults).items():
        wanted = dict(CLEAN[key])
        unit_sums = kind_of(city, key)["value_kind"] == "interval_sum"
        for fault in found:
            gone = inside(fault, CLEAN[key])
            if kind == "outage":
                assert len(gone) == fault["magnitude"]
                if unit_sums:
                    wanted[fault["end"]] += sum(CLEAN[key][at] for at in gone)
                    lumps += 1
            for at in gone:
                del wanted[at]
        assert seen[key] == pytest.approx(wanted)
    assert lumps or kind == "gap"


def test_a_spike_adds_its_size_to_one_reading() -> None:
    _, faults, seen = alone("spike")
    for key, found in windows(faults).items():
        wanted = dict(CLEAN[key])
        for fault in found:
            (at,) = inside(fault, wanted)
            wanted[at] += fault["magnitude"]
        assert seen[key] == pytest.approx(wanted)


@pytest.mark.parametrize("kind", ["stuck", "dead"])
def test_a_held_meter_repeats_the_reading_before(kind: str) -> None:
    city, faults, seen = alone(kind)
    for key, found in windows(faults).items():
        wanted = dict(CLEAN[key])
        for fault in found:
            before = CLEAN[key][fault["start"] - STEP_US]
            for at in inside(fault, wanted):
                wanted[at] = before
            if kind == "dead":
                assert fault["end"] > max(wanted)
                assert kind_of(city, key)["commodity"] == "heat"
        assert seen[key] == wanted
        assert seen[key] != CLEAN[key] or not any(np.diff(list(CLEAN[key].values())))


def test_a_drifting_clock_stamps_later_and_later() -> None:
    _, faults, seen = alone("drift")
    for key, found in windows(faults).items():
        assert list(seen[key].values()) == list(CLEAN[key].values())
        for stamp, late in zip(CLEAN[key], seen[key], strict=True):
            wanted = sum(
                fault["magnitude"] * (stamp - fault["start"]) / (fault["end"] - fault["start"])
                for fault in found
                if inside(fault, [stamp])
            )
            assert abs((late - stamp) / 1e6 - wanted) <= 0.5
        assert list(seen[key]) == sorted(seen[key])


def test_late_readings_come_on_their_day_and_no_other() -> None:
    city, faults, seen = alone("late")
    assert seen == CLEAN
    days = [city.plan.day(i) for i in range(5)]
    in_time = {(r["site"], r["meter"], r["ts_utc"]) for day in days for r in city.readings(day).to_pylist()}
    for number, day in enumerate(days):
        came = city.late(day)
        wanted = 0
        for fault in faults:
            from_day = int((fault["start"] - PLAIN.plan.edges(days[0])[0]) // (96 * STEP_US))
            if from_day + fault["magnitude"] == number:
                wanted += len(inside(fault, CLEAN[fault["site"], fault["meter"]]))
        assert came.num_rows == wanted
        assert not in_time & {(r["site"], r["meter"], r["ts_utc"]) for r in came.to_pylist()}


def test_a_leak_really_flows() -> None:
    city, faults, _ = alone("leak")
    real = flowed(city)
    for key, found in windows(faults).items():
        wanted = dict(REAL[key])
        for fault in found:
            for at in inside(fault, wanted):
                wanted[at] += int(fault["magnitude"])
        assert real[key] == wanted
    day = city.plan.day(4)
    both = [sum(c.truth(day).filter(c_import(c, day))["value"].to_pylist()) for c in (city, PLAIN)]
    assert both[0] >= both[1]


def c_import(city: SimulatedCity, day: Any) -> list[bool]:
    commodity, flow = (city.truth(day)[name].to_pylist() for name in ("commodity", "flow"))
    return [pair == ("water", "import") for pair in zip(commodity, flow, strict=True)]


def test_a_rollover_takes_its_dials_off_at_the_stated_reading() -> None:
    city, faults, seen = alone("rollover")
    for key, found in windows(faults).items():
        (fault,) = found
        meter = kind_of(city, key)
        assert fault["magnitude"] == 10 ** meter["dials"]
        stamps, values = list(seen[key]), list(seen[key].values())
        falls = [at for at, low, high in zip(stamps[1:], values[1:], values, strict=False) if low < high]
        assert falls == [fault["start"]]
        assert max(values) < fault["magnitude"]
        unrolled = [v + fault["magnitude"] * (at >= fault["start"]) for at, v in seen[key].items()]
        real = np.cumsum(list(REAL[key].values()))
        unit = float(units()[meter["unit"]].ratio)
        step = unit / (100 if meter["commodity"] == "gas" else 1000)
        assert np.all(np.abs((np.array(unrolled[1:]) - unrolled[0]) * unit - real) < step + 1e-3)


def test_an_exchange_parts_one_use_between_two_meters() -> None:
    city, faults, seen = alone("exchange")
    real = flowed(city)
    meters = {(m["site"], m["meter"]): m for m in city.meters.to_pylist()}
    for key, found in windows(faults).items():
        (fault,) = found
        new = (key[0], next(name for (site, name), m in meters.items() if site == key[0] and m["replaces"] == key[1]))
        moment = meters[new]["installed"]
        assert meters[key]["removed"] == moment
        assert moment.timestamp() * 1e6 == fault["start"]
        assert {**real[key], **real[new]} == REAL[key]
        assert not real[key].keys() & real[new].keys()
        assert min(real[new]) == fault["start"]
        if meters[key]["value_kind"] == "interval_sum":
            assert max(seen[key]) == fault["start"] - STEP_US
            assert min(seen[new]) == fault["start"]
        else:
            assert max(seen[key]) == min(seen[new]) == fault["start"]
            assert seen[key] == {at: v for at, v in CLEAN[key].items() if at <= fault["start"]}
            first = seen[new][fault["start"]]
            since = np.array([v - first for v in seen[new].values()])
            old = np.array([CLEAN[key][at] - CLEAN[key][fault["start"]] for at in seen[new]])
            # Two registers of one use differ by less than a display step: 1 kWh at most.
            assert np.all(np.abs(since - old) < (1.01 if meters[key]["commodity"] == "heat" else 0.011))
            # A new meter starts with what its test bench left on it, and its first day's use before it came.
            midnight = max(
                int(city.plan.edges(city.plan.day(i))[0]) for i in range(5) if starts_by(city, i, fault["start"])
            )
            used = sum(v for at, v in REAL[key].items() if midnight <= at < fault["start"])
            used /= float(units()[meters[key]["unit"]].ratio)
            assert used - 0.011 <= first <= used + 0.05 or meters[key]["commodity"] == "heat"
            assert used - 1.01 <= first <= used + 1.01


def starts_by(city: SimulatedCity, number: int, moment: int) -> bool:
    return int(city.plan.edges(city.plan.day(number))[0]) <= moment


def test_all_kinds_together_leave_the_truth_but_for_leaks() -> None:
    city = city_of(RATES, days=5)
    real, leaks = flowed(city), {(f["site"], f["meter"]) for f in faults_of(city) if f["kind"] == "leak"}
    for key, values in REAL.items():
        if key[0] != "city" and key not in leaks and key in real:
            second = real.get((key[0], f"{key[1]}-2"), {})
            assert {**real[key], **second} == values, key
