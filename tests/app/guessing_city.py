"""A city for guessing in: homes of very different use in buildings of all sizes, two months; some late, some moved.

Nobody's use tells anything of another's, and every second home uses more than the median: whoever knows nothing is
right half of the time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tests.open_city import START, Clock

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import OpenData
from quintet.registry import rewire
from quintet.terms.tables import QUARANTINE, READINGS

SIZES = {
    "c1/b1": 24, "c1/b2": 43, "c1/b3": 120, "c1/b4": 1, "c2/b5": 18, "c2/b6": 60, "c2/b7": 110, "c3/b8": 3, "c3/b9": 42,
}  # fmt: skip
DAYS, JULY = 62, 31
AWAY = 0.08
"""How much of the days somebody is away, and how little is used then."""
STEP_H = 24
FACTORS = np.random.default_rng(5).integers(100, 900, DAYS)
"""How much gas a kWh is worth on each day, as the city states it hour by hour."""
LATE = 7
"""Every so many homes are heard late of a day in July: after the month was told."""


@dataclass(frozen=True)
class Truth:
    """The homes with their places, what each used on each day [homes, days], and when each was away."""

    homes: list[str]
    building: list[str]
    use: npt.NDArray[np.float64]
    away: npt.NDArray[np.bool_]
    late: npt.NDArray[np.bool_]

    def within(self, place: str) -> npt.NDArray[np.bool_]:
        return np.array([place == "city" or f"{one}/".startswith(f"{place}/") for one in self.building])


def truth(seed: int) -> Truth:
    random = np.random.default_rng(seed)
    names = [(building, f"{building}/{number:03d}") for building, size in SIZES.items() for number in range(size)]
    level = random.lognormal(2.0, 0.5, (len(names), 1)) * random.lognormal(0, 0.15, (1, 2)).repeat(JULY, axis=1)
    away = random.random((len(names), DAYS)) < AWAY
    use = level * random.lognormal(0, 0.25, (len(names), DAYS)) * np.where(away, AWAY, 1.0)
    late = np.zeros((len(names), DAYS), np.bool_)
    late[np.arange(0, len(names), LATE), random.integers(0, JULY, len(range(0, len(names), LATE)))] = True
    return Truth([name for _, name in names], [building for building, _ in names], np.round(use, 3), away, late)


def made(folder: Path, what: Truth) -> tuple[City, Clock, datetime]:
    """Make the city; give also its clock, and a moment after July was told: late readings and moves come later."""
    City.create(folder, timezone="Asia/Seoul").close()
    with (folder / "city.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[[hourly]]\nid = "grid"\ncommodity = "electricity"\nunit = "MWh"\ncertainty = "S"\n'
            f'start = "{START.isoformat()}"\npublished_on = "2027"\nsource = "the grid"\n'
            f"co2e_kg = {[str(one) for one in FACTORS.repeat(24).tolist()]}\n"
        )
    clock = Clock()
    clock.now = START + timedelta(days=JULY + 8)
    city = City.open(folder, now=clock)
    meters = [
        {
            "site": home.split("/")[0], "building": home.split("/")[1], "premise": home.split("/")[2],
            "meter": home.replace("/", "-"), "commodity": "electricity", "unit": "kWh", "value_kind": "interval_sum",
            "cadence_min": STEP_H * 60, "tz": "Asia/Seoul", "role": "consumption", "floor_area_m2": 75.0,
        }
        for home in what.homes
    ]  # fmt: skip
    city.pipeline.register(pa.Table.from_pylist(meters), source="test", actor="test")
    first = np.arange(DAYS)[None, :] < JULY
    _send(city, what, first & ~what.late)
    told_at = _tell(city, clock, "2027-07", "2027-08")
    _send(city, what, first & what.late)
    movers = [f"{home.split('/')[0]}/{home.replace('/', '-')}" for home in what.homes[3::40]]
    for meter in movers:
        records = rewire(city.registry(), meter, valid_from=START, place="c3/b9")
        city.pipeline.apply_records(records, kind="registry", source="test", actor="test")
    for meter, home in zip(movers, what.homes[3::40], strict=True):
        records = rewire(city.registry(), meter, valid_from=START + timedelta(days=JULY), place=home)
        city.pipeline.apply_records(records, kind="registry", source="test", actor="test")
    clock.now = START + timedelta(days=DAYS + 9)
    _send(city, what, np.broadcast_to(~first, what.use.shape))
    _tell(city, clock, "2027-08", "2027-09")
    return city, clock, told_at


def _tell(city: City, clock: Clock, start: str, end: str) -> datetime:
    asked = OpenData(start, end, "month", "city", form="csv", by="kim", reason="the monthly release")
    answer_request(city, asked, no_progress)
    clock.now += timedelta(hours=1)
    return clock.now


def _send(city: City, what: Truth, which: npt.NDArray[np.bool_]) -> None:
    """Commit the days of some homes, each in parts of a day."""
    homes, days = np.nonzero(which)
    parts = 24 // STEP_H
    rows = [
        {
            "site": what.homes[home].split("/")[0], "meter": what.homes[home].replace("/", "-"),
            "at": START + timedelta(days=day, hours=part * STEP_H), "value": what.use[home, day] / parts,
        }
        for home, day in zip(homes.tolist(), days.tolist(), strict=True)
        for part in range(parts)
    ]  # fmt: skip
    table = pa.Table.from_pylist([{**row, "row": at} for at, row in enumerate(rows, 1)], READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
