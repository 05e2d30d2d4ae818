"""Frames: what meters show of a given use, column by column, and each effect by itself."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from quintet.simulate.demand import Day, Demand
from quintet.simulate.faults import RUNNING, Fault, fault_kinds
from quintet.simulate.frame import EFFECTS, FOREVER_US, HOLDING, Channels, Frame, inject, make_frame
from quintet.simulate.layout import Site, build
from quintet.simulate.plan import CityPlan

PLAN = CityPlan(start=date(2026, 1, 12), days=3, households=2, faults=False)
SITE: Site = build(PLAN)[0]
DAY: Day = Demand(PLAN, {}).day(1)
ROWS = len(SITE.rows)


def row_of(commodity: str) -> int:
    return next(i for i, row in enumerate(SITE.rows) if row.meter.commodity == commodity and row.premise)


def channels(**changes: Any) -> Channels:
    rows = np.arange(ROWS)
    plain: dict[str, Any] = {
        "row": rows,
        "name": rows.astype(np.int32),
        "since_us": np.full(ROWS, -FOREVER_US),
        "until_us": np.full(ROWS, FOREVER_US),
        "offset": np.zeros(ROWS),
        "first": rows,
    }
    return Channels(**{**plain, **changes})


def steady(per_interval: float) -> np.ndarray[Any, Any]:
    return np.tile(np.arange(97) * per_interval, (ROWS, 1))


def frame_of(use: np.ndarray[Any, Any], meters: Channels, *, first_day: bool = False) -> Frame:
    return make_frame(SITE, meters, DAY, np.zeros(ROWS), use, first_day=first_day)


def test_a_register_counts_and_an_interval_meter_gives_its_differences() -> None:
    frame = frame_of(steady(25_000), channels())  # 25 mL... of water: 25 L; of electricity: 25 Wh a quarter hour
    water, power = row_of("water"), row_of("electricity")
    assert frame.steps[water, :4].tolist() == [0, 25, 50, 75]
    assert frame.steps[power, :4].tolist() == [2, 3, 2, 3]  # of 10 Wh: the remainder is carried on
    assert not frame.keep[water, 0]
    assert frame.keep[water, 1:].all()
    assert frame.keep[power, :-1].all()
    assert not frame.keep[power, -1]


def test_the_first_day_opens_with_a_reading() -> None:
    frame = frame_of(steady(0), channels(), first_day=True)
    assert frame.keep[row_of("water")].all()
    assert frame.keep[row_of("electricity")].sum() == 96


def test_columns_are_in_display_units() -> None:
    names, stamps, values = frame_of(steady(25_000), channels()).columns(np.eye(ROWS, 97, 1, dtype=np.bool_))
    assert names.tolist() == list(range(ROWS))
    assert stamps.tolist() == DAY.edges[1 : ROWS + 1].tolist()
    assert values[row_of("water")] == pytest.approx(0.025 * (row_of("water") + 1))


def test_a_register_rolls_over_at_its_dials() -> None:
    water = row_of("water")
    offset = np.zeros(ROWS)
    offset[water] = SITE.wrap[water] * SITE.step[water] - 60_000
    steps = frame_of(steady(25_000), channels(offset=offset)).steps[water]
    assert steps[:5].tolist() == [99_999_940, 99_999_965, 99_999_990, 15, 40]


def test_an_exchanged_row_has_two_meters_that_share_its_day() -> None:
    rows, when = np.arange(ROWS), int(DAY.edges[40])
    water = row_of("water")
    row = np.insert(rows, water + 1, water)
    since, until = np.full(ROWS + 1, -FOREVER_US), np.full(ROWS + 1, FOREVER_US)
    until[water], since[water + 1] = when, when
    first = np.searchsorted(row, rows)
    meters = channels(
        row=row,
        name=np.arange(ROWS + 1, dtype=np.int32),
        since_us=since,
        until_us=until,
        offset=np.zeros(ROWS + 1),
        first=first,
    )
    frame = frame_of(steady(1000), meters)
    assert np.flatnonzero(frame.keep[water]).tolist() == list(range(1, 41))
    assert np.flatnonzero(frame.keep[water + 1]).tolist() == list(range(40, 97))
    assert not meters.plain
    tomorrow = Demand(PLAN, {}).day(2)
    later = make_frame(SITE, meters, tomorrow, np.zeros(ROWS), steady(1000), first_day=False)
    assert water not in later.channel
    assert water + 1 in later.channel


def fault(kind: str, low: int, high: int, magnitude: float, commodity: str = "electricity") -> Fault:
    edges = DAY.edges
    end = int(edges[high]) if high < len(edges) else int(edges[-1]) + 10**12
    return Fault(0, row_of(commodity), kind, int(edges[low]), end, magnitude, 1, 0)


def hit(one: Fault, *, first_day: bool = False) -> Frame:
    frame = frame_of(steady(20_000), channels(), first_day=first_day)
    inject(frame, channels(), DAY, [one], lambda _fault: 7777.0)
    return frame


def test_every_kind_but_the_physical_ones_has_an_effect() -> None:
    physical = {*RUNNING, "rollover", "exchange"}
    assert fault_kinds().keys() - EFFECTS.keys() == physical
    assert EFFECTS.keys() <= fault_kinds().keys()
    assert {"stuck", "dead"} == HOLDING


def test_an_outage_lumps_an_interval_meter_only() -> None:
    power, heat = row_of("electricity"), row_of("heat")
    frame = hit(fault("outage", 10, 15, 5))
    assert np.flatnonzero(~frame.keep[power]).tolist() == [10, 11, 12, 13, 14, 96]
    assert frame.steps[power, 14:17].tolist() == [2, 12, 2]
    frame = hit(fault("outage", 10, 15, 5, "heat"))
    assert np.flatnonzero(~frame.keep[heat]).tolist() == [0, 10, 11, 12, 13, 14]
    assert frame.steps[heat, 14:17].tolist() == [28, 30, 32]


def test_a_hold_from_an_earlier_day_asks_what_was_held() -> None:
    heat = row_of("heat")
    today = hit(fault("stuck", 10, 15, 5, "heat"))
    assert today.steps[heat, 8:17].tolist() == [16, 18, 18, 18, 18, 18, 18, 30, 32]
    edges = DAY.edges
    before = Fault(0, heat, "dead", int(edges[0]) - 10**9, int(edges[-1]) + 10**9, 5, 0, 0)
    assert set(hit(before).steps[heat].tolist()) == {7777.0}


def test_a_spike_and_a_drift() -> None:
    power = row_of("electricity")
    assert hit(fault("spike", 20, 21, 1.5)).steps[power, 19:22].tolist() == [2, 152, 2]
    late = (hit(fault("drift", 20, 30, 100.0)).stamps[power] - DAY.edges) // 1_000_000
    assert late[18:32].tolist() == [0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0]


def test_late_readings_are_kept_for_their_day() -> None:
    power = row_of("electricity")
    frame = hit(fault("late", 20, 30, 1.0))
    assert np.flatnonzero(frame.late_on(2)[power]).tolist() == list(range(20, 30))
    assert not frame.late_on(3).any()
    assert not frame.keep[power, 20:30].any()
    assert frame.late_on(2).sum() == 10
