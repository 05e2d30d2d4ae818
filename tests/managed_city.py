"""Two complexes and what goes wrong in one of them in October 2025, judged; by a clock that the test sets.

Of complex c1, building 101 has flats 0101 to 1002 and building 102 has 0301 and 0302. The heat meter of 0202 is dead
since 20 October, the water meter of 1001 silent since 26 October, 0102 is empty since 10 October, somebody else moved
into 0201 on the 16th, the water meter of 0302 was exchanged on the 14th. Complex c3 has no flat at all.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import VeeRun
from quintet.registry.changes import exchange, move_in, move_out
from quintet.terms.period import day_start, to_us
from quintet.terms.reading import clock
from quintet.terms.tables import QUARANTINE, READINGS

TZ = "Asia/Seoul"
SEOUL = clock(TZ)
FIRST, LAST = date(2025, 9, 15), date(2025, 11, 5)
FLATS = ("101/0101", "101/0102", "101/0201", "101/0202", "101/1001", "101/1002", "102/0301", "102/0302")
UNITS = {"electricity": "kWh", "water": "m3", "hot_water": "m3", "heat": "kWh"}
DAILY = {"electricity": 8.0, "water": 0.5, "hot_water": 0.125, "heat": 12.0}
"""What the first flat uses a day; each next one an eighth more."""
DEAD, SILENT, EMPTY, EXCHANGED = date(2025, 10, 20), date(2025, 10, 26), date(2025, 10, 10), date(2025, 10, 14)
OUT, INTO = date(2025, 10, 10), date(2025, 10, 16)
LOST = 0.02
"""What of the complex' electricity is lost between its main meter and the flats."""
SETTINGS = """
[[place]]
id = "c3"
level = "complex"
name_en = "Empty Garden"
name_ko = "빈터"
[[place]]
id = "c1"
level = "complex"
name_en = "Riverside"
name_ko = "강변마을"
[[billing]]
place = "c1"
commodity = "electricity"
contract = "apartment_total"
source = "supply contract"
[[billing]]
place = "c1"
commodity = "electricity:common"
contract = "general"
unit_price = "139.7"
base_won = "61600"
source = "supply contract"
[[billing]]
place = "city"
commodity = "water"
contract = "household"
card_city = "ansan"
pipe_mm = "13"
source = "city ordinance"
[[billing]]
place = "c1"
commodity = "heat"
contract = "residential"
source = "supplier's notice"
"""


class Hand:
    """A clock that the test sets; each look at it is a second later."""

    def __init__(self, day: date) -> None:
        self.us = to_us(day_start(day, SEOUL))

    def __call__(self) -> int:
        self.us += 1_000_000
        return self.us

    def set(self, day: date) -> None:
        self.us = max(self.us, to_us(day_start(day, SEOUL)))


def made(folder: Path, hand: Hand, *, judged: bool = True) -> City:
    """Make the city, its readings taken in and, unless said otherwise, judged."""
    hand.set(FIRST)
    folder.mkdir(parents=True)
    named = f'[city]\nname_en = "Naju"\nname_ko = "나주"\ntimezone = "{TZ}"\n'
    (folder / "city.toml").write_text(named + SETTINGS, encoding="utf-8")
    city = City.open(folder, now=hand)
    meters = [meter(f"c1/{flat}", kind, at) for at, flat in enumerate(FLATS) for kind in UNITS]
    meters += [meter(f"c2/201/{flat}", "electricity", flat) for flat in (1, 2)]
    meters += [building_meter("common", "101", "consumption"), building_meter("main", None, "site_import")]
    city.pipeline.register(pa.Table.from_pylist(meters), source="meters", actor="test")
    occupy(city)
    hand.set(LAST + timedelta(days=1))
    swap(city)
    send(city, readings())
    if judged:
        answer_request(city, VeeRun(), no_progress)
    return city


def meter(flat: str, kind: str, number: int) -> dict[str, Any]:
    site, building, premise = flat.split("/")
    register = flat == "c1/102/0302" and kind == "water"
    return {
        "site": site, "building": building, "premise": premise, "meter": f"{building}-{premise}-{kind}",
        "commodity": kind, "unit": UNITS[kind], "value_kind": "register_cumulative" if register else "interval_sum",
        "cadence_min": 1440, "tz": TZ, "role": "consumption", "floor_area_m2": 59.5 + 10 * number,
        "dials": 5 if register else None,
    }  # fmt: skip


def building_meter(name: str, building: str | None, role: str) -> dict[str, Any]:
    return {
        "site": "c1", "building": building, "premise": None, "meter": name, "commodity": "electricity", "unit": "kWh",
        "value_kind": "interval_sum", "cadence_min": 1440, "tz": TZ, "role": role, "floor_area_m2": None, "dials": None,
    }  # fmt: skip


def occupy(city: City) -> None:
    """Let somebody live in each flat of c1 but one, and others move into one."""

    def said(records: Any) -> None:
        city.pipeline.apply_records(records, kind="registry", source="test", actor="test")

    for flat in FLATS:
        if flat != "101/0102":
            at = day_start(date(2025, 1, 1), SEOUL)
            said(move_in(city.registry(), premise=f"c1/{flat}", occupant=f"family {flat}", at=at))
    said(move_out(city.registry(), premise="c1/101/0201", at=day_start(OUT, SEOUL)))
    said(move_in(city.registry(), premise="c1/101/0201", occupant="new family", at=day_start(INTO, SEOUL)))


def swap(city: City) -> None:
    """Exchange the water meter of 0302: the old one's last register was not read."""
    done = exchange(
        city.registry(), old="c1/102-0302-water", new={"meter": "102-0302-water-new"}, at=day_start(EXCHANGED, SEOUL),
        new_first=0.0,
    )  # fmt: skip
    city.pipeline.apply_records(done.records, kind="registry", source="test", actor="test")
    city.pipeline.commit([(done.readings, QUARANTINE.empty_table())], source="test", actor="test")


def amount(flat: str, kind: str, day: date) -> float | None:
    """Give what a flat's meter says of a day; None: it is not heard."""
    if (flat, kind) == ("101/1001", "water") and day >= SILENT:
        return None
    if (flat, kind) == ("101/0202", "heat") and day >= DEAD:
        return 0.0
    if flat == "101/0102" and day >= EMPTY:
        return 0.0
    wave = 1 + (day.toordinal() * 7 % 11) / 100
    return round(DAILY[kind] * (1 + FLATS.index(flat) / 8) * wave, 4)


def readings(first: date = FIRST, last: date = LAST) -> list[tuple[str, datetime, float]]:
    """Give what every meter says of some days, both included."""
    out: list[tuple[str, datetime, float]] = []
    register = 0.0
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        at, whole = day_start(day, SEOUL), 20.0
        for flat in FLATS:
            for kind in UNITS:
                said = amount(flat, kind, day)
                whole += said or 0 if kind == "electricity" else 0
                name = f"{flat.replace('/', '-')}-{kind}"
                if name == "102-0302-water":
                    register = 0.0 if day == EXCHANGED else register
                    register += said or 0
                    if not timedelta(0) < EXCHANGED - day < timedelta(3):
                        out.append((name + ("-new" if day >= EXCHANGED else ""), at + timedelta(days=1), register))
                elif said is not None:
                    out.append((name, at, said))
        out.append(("common", at, 20.0))
        out.append(("main", at, round(whole / (1 - LOST), 4)))
    return out


def send(city: City, rows: list[tuple[str, datetime, float]], site: str = "c1") -> None:
    """Commit readings as one batch."""
    columns: Mapping[str, list[Any]] = {
        "site": [site] * len(rows), "meter": [row[0] for row in rows], "at": [row[1] for row in rows],
        "value": [row[2] for row in rows], "commodity": [None] * len(rows), "unit": [None] * len(rows),
        "row": list(range(1, len(rows) + 1)),
    }  # fmt: skip
    table = pa.table({name: pa.array(columns[name], READINGS.field(name).type) for name in READINGS.names})
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")
