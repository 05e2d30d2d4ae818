"""Beds of a detection report: sound stretches of a city's channels, as the readings that would have given them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from quintet.simulate.stretch import Stretch
from quintet.store.read import intervals
from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US, MINUTE_US, day_numbers, day_of_number, day_start, to_us
from quintet.terms.quality import qualities
from quintet.terms.unit import units

from .city import City

SOUND = [qualities()[code].id for code in ("valid", "derived", "questionable")]
NATURAL = ("V07", "V12_reverse")
"""Findings that sound readings have too: real dwellings have peaks, a panel's inverter draws at night."""
KINDS = ("interval_sum", "avg_power", "register_cumulative")
ROLES = ("consumption", "generation", "import", "export", "site_import", "submeter")
NAMED = ("commodity", "unit", "value_kind", "cadence_min", "tz", "role", "dials", "plate_max")
"""What a trial's meter has from the one whose readings it is made of."""
HISTORY_DAYS = 28
"""Days before the day of the fault: what like days and levels are taken from."""
AFTER_DAYS = 9
"""Days from the fault's own on: the longest fault lasts a week."""
DAYS = HISTORY_DAYS + AFTER_DAYS
MOST_READ = 400
"""Channels read at most while sound stretches are looked for."""


@dataclass(frozen=True)
class Bed:
    """One sound stretch of whole local days, with what the registry says of its meter.

    `edges` are the days' first intervals and, last, the number of intervals.
    """

    channel: str
    commodity: str
    unit: str
    value_kind: str
    cadence_min: int
    tz: str
    role: str
    dials: int | None
    plate_max: str | None
    stretch: Stretch
    edges: list[int]

    def row(self, meter: str) -> dict[str, Any]:
        """Give the row of a meter that is just like this one."""
        return {"site": "trial", "building": "trial", "meter": meter, **{name: getattr(self, name) for name in NAMED}}


def beds_of(city: City, each: int, seed: int) -> list[Bed]:
    """Find up to `each` beds for every kind of channel (commodity, role, form), drawn by the seed.

    Raises BadInput where no channel has a sound stretch.
    """
    rng = np.random.default_rng(seed)
    listed = [row for row in city.registry().channels().to_pylist() if row["value_kind"] in KINDS]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in listed:
        if row["role"] in ROLES and row["quantity"] in ("energy", "volume"):
            groups.setdefault((row["commodity"], row["role"], row["value_kind"]), []).append(row)
    out: list[Bed] = []
    most = max(MOST_READ // max(len(groups), 1), 2 * each)
    for key in sorted(groups):
        rows = groups[key]
        drawn = [rows[place] for place in rng.permutation(len(rows))[:most].tolist()]
        found = [bed for row in drawn for bed in [_bed(city, row, rng)] if bed is not None]
        out += _with_others(found[:each], found, rng)
    if not out:
        raise BadInput(
            f"no channel has {DAYS} sound days in a row.",
            code="no_sound_stretch",
            remedy="Take in more readings, or leave --city away: a simulated city is used then.",
        )
    return out


def _bed(city: City, row: dict[str, Any], rng: np.random.Generator) -> Bed | None:
    """Give a sound stretch of a channel, drawn by chance; None without one, or where nothing was used."""
    with city.engine.snapshot() as snapshot:
        table = intervals(city.engine, snapshot, -(10**15), 10**16, channels=[row["channel"]])
        found = snapshot.rows(f"select at_us, until_us, rule from finding where channel = {int(row['channel'])}")
    start, value, quality = (table[name].to_numpy() for name in ("start_us", "value", "quality"))
    cadence_us = row["cadence_min"] * MINUTE_US
    sound = np.isin(quality, SOUND)
    for at_us, until_us, rule in found:
        if rule not in NATURAL:
            sound[slice(*np.searchsorted(start, [at_us - cadence_us, until_us + 1]).tolist())] = False
    day = _sound_from(start, sound, cadence_us, city.engine.tz, rng) if len(start) else None
    if day is None:
        return None
    first_day = day_of_number(day)
    edges_us = [to_us(day_start(first_day + timedelta(days=i), city.engine.tz)) for i in range(DAYS + 1)]
    own = slice(*np.searchsorted(start, [edges_us[0], edges_us[-1]]).tolist())
    if not value[own].any():
        return None
    edges = np.searchsorted(start[own], edges_us).tolist()
    begin = edges[HISTORY_DAYS] + int(rng.integers(1, edges[HISTORY_DAYS + 1] - edges[HISTORY_DAYS]))
    stretch = _stretch(row, start[own], value[own], cadence_us, begin)
    like: dict[str, Any] = {name: row[name] for name in NAMED}
    return Bed(channel=row["name"], stretch=stretch, edges=edges, **like)


def _sound_from(start: Any, sound: Any, cadence_us: int, tz: ZoneInfo, rng: np.random.Generator) -> int | None:
    """Give the first day of one of the runs of DAYS local days in which every interval is there and sound."""
    day = day_numbers(start, tz)
    first, last = int(day[0]), int(day[-1])
    counts = np.bincount((day - first)[sound], minlength=last - first + 1)
    edges = [to_us(day_start(day_of_number(number), tz)) for number in range(first, last + 2)]
    whole = counts == np.diff(edges) // cadence_us
    run = np.convolve(whole, np.ones(DAYS, np.int64), "valid") if len(whole) >= DAYS else np.zeros(0, np.int64)
    found = np.flatnonzero(run == DAYS)
    return first + int(rng.choice(found)) if len(found) else None


def _stretch(row: dict[str, Any], start: Any, value: Any, cadence_us: int, begin: int) -> Stretch:
    """Give intervals as the meter would have sent them: sums, mean power, or a register that counts them."""
    unit = units()[row["unit"]]
    amounts = value / float(unit.ratio) * (HOUR_US / cadence_us if unit.rate else 1.0)
    register = row["value_kind"] == "register_cumulative"
    wrap = 10.0 ** row["dials"] if register and row["dials"] else 0.0
    if not register:
        return Stretch(start, np.round(amounts, 6), cadence_us, register, begin)
    base = min(1000.0, wrap / 10) if wrap else 1000.0
    counted = np.round(base + np.concatenate([[0.0], np.cumsum(amounts)]), 6)
    return Stretch(np.append(start, start[-1] + cadence_us), counted, cadence_us, register, begin, wrap)


def _with_others(chosen: list[Bed], every: list[Bed], rng: np.random.Generator) -> list[Bed]:
    """Give each bed another meter of its kind to be swapped with: the same number of readings, other values."""
    out: list[Bed] = []
    for bed in chosen:
        fit = [one for one in every if one is not bed and len(one.stretch.value) == len(bed.stretch.value)]
        other = fit[int(rng.integers(len(fit)))].stretch.value if fit else None
        if other is not None and bed.stretch.register and bed.stretch.wrap:
            other = other + bed.stretch.wrap * float(rng.random()) / 2
        out.append(replace(bed, stretch=replace(bed.stretch, other=other)))
    return out
