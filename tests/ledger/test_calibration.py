"""Whether an interval holds what it promises: simulated homes and buildings whose truth is known are hidden."""

from datetime import date
from functools import cache
from math import sqrt

import numpy as np
import pytest

from quintet.ledger.calibration import WAYS, calibrate
from quintet.ledger.meter_cells import MeterCells
from quintet.simulate.city import SimulatedCity
from quintet.simulate.plan import CityPlan

BEFORE, INSIDE = 28, 14
TIMES = 12
"""Trials of each way and share: 72 a carrier."""


@cache
def daily() -> tuple[list[dict[str, object]], np.ndarray]:
    """Give the meters of a simulated city of 150 homes and what each truly came to on each of six weeks' days."""
    plan = CityPlan(start=date(2025, 3, 3), days=BEFORE + INSIDE, households=150, seed=77, faults=False)
    city = SimulatedCity(plan)
    meters = city.meters.to_pylist()
    place = {(row["site"], row["meter"]): at for at, row in enumerate(meters)}
    value = np.zeros((len(meters), plan.days), np.int64)
    for number in range(plan.days):
        truth = city.channel_truth(plan.day(number)).group_by(["site", "meter"]).aggregate([("value", "sum")])
        columns = (truth[name].to_pylist() for name in ("site", "meter", "value_sum"))
        for site, meter, amount in zip(*columns, strict=True):
            value[place[site, meter], number] = amount
    return meters, value


def groups(commodity: str) -> list[MeterCells]:
    """Give a carrier's homes and its other users, apart."""
    meters, value = daily()
    out: list[MeterCells] = []
    for home in (True, False):
        rows = [
            at for at, row in enumerate(meters)
            if row["commodity"] == commodity and row["role"] == "consumption" and row["primary_use"] != "plant room"
            and (row["premise"] is not None) == home and row["site"] != "city"
        ]  # fmt: skip
        size = np.array([row["floor_area_m2"] or np.nan for row in (meters[at] for at in rows)], np.float64)
        whole = np.ones((len(rows), BEFORE + INSIDE), np.bool_)
        inside = np.arange(BEFORE + INSIDE) >= BEFORE
        days = np.ones(BEFORE + INSIDE)
        out.append(MeterCells(value[rows], whole, whole, np.zeros(whole.shape), inside, days, size))
    return [one for one in out if len(one.value)]


@pytest.mark.parametrize("commodity", ["electricity", "gas", "water", "heat", "hot_water"])
def test_of_ten_intervals_nine_hold_the_truth_by_carrier(commodity: str) -> None:
    """85 to 95 % is the goal; a share of n trials that truly is p lies 3.3 standard errors off once in a thousand.

    The true share may differ from way to way; the bound is for all ways together.
    """
    found = [
        calibrate(groups(commodity), way=way, share=share, level=0.9, trials=TIMES, seed=19)
        for way in WAYS
        for share in (0.05, 0.2)
    ]
    answered = sum(one.trials - one.refused for one in found)
    inside = sum(one.inside for one in found)
    assert answered > TIMES * 3, "an interval that is refused holds nothing"
    low, high = (p + side * 3.3 * sqrt(p * (1 - p) / answered) for p, side in ((0.85, -1), (0.95, 1)))
    assert low <= inside / answered <= high
