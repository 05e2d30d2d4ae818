"""Simulated cities in which what alerts are to find really happens, each looked at day after day as a `serve` would."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quintet.alerts.conditions import look
from quintet.alerts.found import Fine, Found, Outcome, Unsaid
from quintet.alerts.reading import homes_seen
from quintet.alerts.seen import HomeSeen
from quintet.ingest.files import load_weather
from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.dataset import readings_of
from quintet.terms.alert import alert_kinds
from quintet.terms.period import HOUR_US, day_start, to_us
from quintet.terms.tables import QUARANTINE

from .alert_forecast import PageForecast
from .alert_looks import homes_of, machine
from .city import SETTINGS, City

START = date(2025, 9, 15)
"""The heating season begins in the weeks that only serve as the past."""
WARM_DAYS = 60
"""Days that pass before the first look: the past of eight weeks, and a few more."""
LOOK_HOUR = 7
RATE = 0.003
"""Faults a meter and day of each kind that is to be found, far more than there are: some ten in the days looked at."""
HOMES_A_CITY = 60
SLACK_US = 36 * HOUR_US
"""So long after its end a fault may still be what an alert is about: a look a day, and hours that come late."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that really happened at a dwelling, of one utility, from a moment until another."""

    place: str
    commodity: str
    kind: str
    start_us: int
    end_us: int
    size: float


@dataclass
class Spell:
    """One alert as a household would get it: from the first look that found it to the last one."""

    place: str
    found: Found
    first_us: int
    last_us: int


@dataclass
class Trial:
    """What one city gave: what happened, what was found, over how many days and dwellings."""

    homes: int
    days: int
    first_us: int
    last_us: int
    faults: list[Fault] = field(default_factory=list[Fault])
    spells: list[Spell] = field(default_factory=list[Spell])
    months: list["MonthEnd"] = field(default_factory=list["MonthEnd"])
    metered: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """A utility's month that was looked at to its last day: whether a tier came, and whether it was said before."""

    place: str
    commodity: str
    came: bool
    said: bool


def simulated_trial(seed: int, days: int) -> Trial:
    """Make one city with faults, and look at it each morning of `days` days."""
    plan = CityPlan(households=HOMES_A_CITY, start=START, days=WARM_DAYS + days, seed=seed, faults=truth_rates())
    made = simulate_city(plan)
    end_us = to_us(day_start(plan.last + timedelta(days=1), plan.zone))
    with tempfile.TemporaryDirectory(prefix="quintet-alerts-") as work:
        folder = Path(work) / "city"
        City.create(folder, timezone=plan.tz, simulated=True).close()
        contracts = files("quintet.app").joinpath("data", "demo_contracts.toml").read_text(encoding="utf-8")
        settings = folder / SETTINGS
        settings.write_text(settings.read_text(encoding="utf-8") + contracts, encoding="utf-8")
        with closing(City.open(folder, now=lambda: end_us)) as city:
            city.pipeline.register(made.meters, settings=made.settings, source="report", actor="report")
            every = [plan.day(number) for number in range(plan.days)]
            take_weather(city, pa.concat_tables(made.weather(day) for day in every), Path(work), plan.tz)
            for day in every:
                part = (readings_of(made.readings(day)), QUARANTINE.empty_table())
                city.pipeline.commit([part], source="report", actor="report")
            trial = looked_daily(city, every[WARM_DAYS:])
            trial.faults = faults_of(city, made.faults)
    return trial


def truth_rates() -> dict[str, float]:
    """Give a rate for every fault that some kind of alert is to find."""
    return dict.fromkeys((name for row in alert_kinds().values() for name in row.truth), RATE)


def take_weather(city: City, weather: pa.Table, work: Path, tz: str) -> None:
    """Take in the weather of a simulated city through its file."""
    path = work / "weather.parquet"
    pq.write_table(weather, path)
    stations, parts = load_weather(path, dict.fromkeys(set(weather["site"].to_pylist()), tz))
    if stations is not None:
        city.pipeline.register(stations, source="report", actor="report")
    city.pipeline.commit(parts, source="report", actor="report")


def faults_of(city: City, table: pa.Table) -> list[Fault]:
    """Give the faults that happened at dwellings, as the registry knows their meters."""
    registry = city.registry()
    homes = set(homes_of(city))
    out: list[Fault] = []
    for row in table.to_pylist():
        name = f"{row['site']}/{row['meter']}"
        if name not in registry.channel_ids:
            continue
        channel = registry.channel_by_name(name)
        place = registry.place_of(channel.id)
        if place in homes:
            bounds = to_us(row["start"]), to_us(row["end"])
            out.append(Fault(place, channel.reading.commodity, row["kind"], *bounds, float(row["magnitude"])))
    return out


def looked_daily(city: City, days: list[date]) -> Trial:
    """Look at every dwelling each morning; a spell is one unbroken run of looks that found the same."""
    tz, homes = city.engine.tz, homes_of(city)
    moments = [to_us(day_start(day, tz)) + LOOK_HOUR * HOUR_US for day in days]
    trial = Trial(len(homes), len(days), moments[0], moments[-1])
    open_spells: dict[tuple[str, str, str], Spell] = {}
    tiers = _Tiers()
    access = machine(city)
    ahead = PageForecast(access)
    for now_us in moments:
        for home in homes_seen(access, homes, now_us, {}, dict.fromkeys(homes, 0), alike=True, forecast=ahead):
            outcomes = look(home)
            for one in outcomes:
                _spell(open_spells, trial, home.place, now_us, one)
            tiers.take(home, outcomes, trial)
            if now_us == moments[-1]:
                for commodity in home.services:
                    trial.metered[commodity] = trial.metered.get(commodity, 0) + 1
    return trial


def _spell(held: dict[tuple[str, str, str], Spell], trial: Trial, place: str, now_us: int, one: Outcome) -> None:
    """Begin, go on with, or end a spell; what cannot be judged changes nothing."""
    key = (place, one.kind, one.commodity)
    if isinstance(one, Found):
        if key in held:
            held[key].last_us = now_us
        else:
            held[key] = Spell(place, one, now_us, now_us)
            trial.spells.append(held[key])
    elif (isinstance(one, Fine) and not one.near) or (isinstance(one, Unsaid) and one.ends):
        held.pop(key, None)


class _Tiers:
    """Follows each month: the tiers passed when a pace was first told, those passed on its last day, what was said."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str, str], int] = {}
        self._said: set[tuple[str, str, str]] = set()

    def take(self, home: HomeSeen, outcomes: list[Outcome], trial: Trial) -> None:
        """Take in one look."""
        judged = [one for one in outcomes if one.kind == "tier" and isinstance(one, Found | Fine)]
        for one in judged:
            use = home.month[one.commodity]
            key = (home.place, one.commodity, f"{use.start:%Y-%m}")
            passed = passed_tiers(home, one.commodity)
            if passed is None:
                continue
            self._first.setdefault(key, passed)
            if isinstance(one, Found):
                self._said.add(key)
            if (use.end - use.start).days - use.over == 1 and use.start.day == 1:
                came = passed > self._first[key]
                trial.months.append(MonthEnd(home.place, one.commodity, came, key in self._said))


def passed_tiers(home: HomeSeen, commodity: str) -> int | None:
    """Count the limits of tiers that a month's use is above so far; None where it has no price or no tiers."""
    use = home.month[commodity]
    priced = home.rates.price(home.rates.asked(home.place, commodity, use.unit, use.start, use.end), use.used)
    if priced.bill is None or len(priced.bill.parts) != 1:
        return None
    charges = [charge for charge in priced.bill.parts[0].charges if charge.method == "blocks"]
    scale = priced.bill.months * priced.bill.asked.households
    return sum(priced.bill.use > limit * scale for charge in charges for limit in charge.limits)


def trials(seeds: range, days: int) -> Iterator[Trial]:
    """Make and look at a city for each seed."""
    for seed in seeds:
        yield simulated_trial(seed, days)


def described(found: Found) -> dict[str, Any]:
    """Give what a report may show of an alert: never whose it is."""
    return {"kind": found.kind, "commodity": found.commodity, **found.figures}
