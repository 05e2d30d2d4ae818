"""How often the welfare alert fires for simulated homes that are merely empty: the figure that residents are shown."""

import os
from datetime import date
from math import sqrt

import numpy as np
import pyarrow.compute as pc
import pytest

from quintet.alerts.found import Found
from quintet.alerts.no_water import no_water
from quintet.simulate import CityPlan, simulate_city
from quintet.terms.catalogue import read_toml

from .watched_home import home, hours_seen

START = date(2026, 1, 5)
PAST_H = 57 * 24
HOURS = 24


def homes_water(households: int, days: int, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Give each simulated dwelling's water and hot water by the hour, as it was."""
    city = simulate_city(CityPlan(households=households, start=START, days=days, seed=seed))
    rows = city.meters.to_pylist()
    names = {
        (row["site"], row["meter"]): (f"{row['site']}/{row['building']}/{row['premise']}", row["commodity"])
        for row in rows
        if row["premise"] and row["commodity"] in ("water", "hot_water")
    }
    out: dict[str, dict[str, np.ndarray]] = {}
    for at in range(days):
        truth = city.channel_truth(city.plan.day(at))
        hour = pc.divide(pc.cast(truth["start"], "int64"), 3_600_000_000)
        found = truth.append_column("hour", hour).group_by(["site", "meter", "hour"]).aggregate([("value", "sum")])
        columns = (found[name].to_pylist() for name in ("site", "meter", "hour", "value_sum"))
        first = int(pc.min(hour).as_py())
        for site, meter, here, value in zip(*columns, strict=True):
            if (site, meter) in names:
                place, commodity = names[site, meter]
                held = out.setdefault(place, {}).setdefault(commodity, np.zeros(days * 24, np.int64))
                held[at * 24 + here - first] += value
    return out


def alarms(water: np.ndarray, hot: np.ndarray | None) -> int:
    """Count the alerts of a dwelling that is looked at each hour, from its third week on."""
    used = np.flatnonzero(np.concatenate([water != 0, [True]]))
    ends = used[np.diff(used, prepend=-1) > HOURS]  # the hour in which water ran again
    count = 0
    for end in ends.tolist():
        last = int(used[np.searchsorted(used, end) - 1]) if end != used[0] else -1
        at = last + 1 + HOURS  # the first hour of the run that makes a day
        if at < 15 * 24:
            continue
        low = max(at - PAST_H, 0) // 24 * 24
        others = () if hot is None else (hours_seen("hot_water", hot[low:at]),)
        (outcome,) = no_water(home(hours_seen("water", water[low:at]), *others))
        count += isinstance(outcome, Found)
    return count


def measured(households: int, days: int, seed: int) -> tuple[int, int, int]:
    """Give false alarms, dwellings and the days on which they were looked at."""
    found = homes_water(households, days, seed)
    total = sum(alarms(own["water"], own.get("hot_water")) for own in found.values() if "water" in own)
    return total, len(found), days - 15


def published() -> dict[str, int]:
    return read_toml("quintet.alerts", "no_water_rate.toml")["measured"]


@pytest.mark.soak
def test_what_residents_are_shown_is_what_a_simulated_city_gives() -> None:
    many = int(os.environ.get("QUINTET_KILLS", "0"))
    count, homes, days = measured(many, 380, seed=1) if many else measured(40, 75, seed=7)
    print(f"false_alarms = {count}, households = {homes}, days = {days}")
    row = published()
    expected = row["false_alarms"] / (row["households"] * row["days"]) * homes * days
    assert count > 0
    assert abs(count - expected) <= 5 * sqrt(expected) + 0.1 * expected
