"""`quintet alerts report`: how often alerts are false, and how much of what happens they miss, by kind.

On simulated cities, whose truth is known; on a city of one's own only how often each kind would have been raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from quintet.alerts.limits import limits
from quintet.store.read import day_range
from quintet.terms.alert import alert_kinds
from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US, day_of_number, from_us, local_day

from .alert_trials import SLACK_US, WARM_DAYS, Fault, Spell, Trial, looked_daily, simulated_trial
from .answer import Answer, Progress, Step, document_of
from .cells import plain, rows_of
from .city import City
from .requests_alerts import AlertsReport

COLUMNS = [
    "kind", "commodity", "home_months", "happened", "found", "missed_share", "hours_to_alert", "alerts", "false",
    "false_per_home_year",
]  # fmt: skip
RAISED = ["kind", "commodity", "home_months", "alerts", "alerts_per_home_month", "homes"]
RATE = "alerts_per_home_month"
NO_RATE = "No rate is given over fewer days than a kind needs; of a tier these are the days of a month from the 8th on."
MONTH_DAYS, YEAR_MONTHS = 30.44, 12


@dataclass(frozen=True, slots=True)
class Told:
    """The alerts of one kind and utility against what happened."""

    faults: Sequence[tuple[Trial, Fault]]
    spells: Sequence[tuple[Trial, Spell]]


def report_simulated(asked: AlertsReport, progress: Progress) -> Answer:
    """Report over `cities` simulated cities with the seeds from `seed` on."""
    _refuse_none(asked.days, "--days")
    _refuse_none(asked.cities, "--cities")
    made: list[Trial] = []
    for number in range(asked.cities):
        progress(Step("looking at cities", number, asked.cities))
        made.append(simulated_trial(asked.seed + number, asked.days))
    rows = rates(made)
    homes, days = sum(one.homes for one in made), asked.days
    document = {"seed": asked.seed, "cities": asked.cities, "homes": homes, "days": days, "kinds": rows}
    title = f"{homes} dwellings of {asked.cities} simulated cities, {days} days, seeds from {asked.seed} on"
    notes = [f"{one['kind']} {one['commodity']}, by size: {one['by_size']}" for one in rows if one["by_size"]]
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(plain(document)), COLUMNS[2:], title, notes)


def rates(made: Sequence[Trial]) -> list[dict[str, Any]]:
    """Give a row for each kind and utility that happened or was found."""
    out: list[dict[str, Any]] = []
    for kind, row in alert_kinds().items():
        commodities = sorted(
            {spell.found.commodity for one in made for spell in one.spells if spell.found.kind == kind}
            | {fault.commodity for one in made for fault in one.faults if fault.kind in row.truth}
        )
        for commodity in commodities:
            months = sum(one.metered.get(commodity, 0) * one.days for one in made) / MONTH_DAYS
            if kind == "tier":
                out.append(_tier_row(made, commodity, months))
            else:
                out.append(_row(made, kind, commodity, months))
    return out


def _row(made: Sequence[Trial], kind: str, commodity: str, months: float) -> dict[str, Any]:
    truth = alert_kinds()[kind].truth
    faults = [
        (one, fault) for one in made for fault in one.faults
        if fault.kind in truth and fault.commodity == commodity and _could(one, kind, fault)
    ]  # fmt: skip
    spells = [
        (one, spell) for one in made for spell in one.spells
        if (spell.found.kind, spell.found.commodity) == (kind, commodity)
    ]  # fmt: skip
    caught = {id(fault): _first(trial, spells, fault) for trial, fault in faults}
    delays = [at - fault.start_us for _, fault in faults for at in [caught[id(fault)]] if at is not None]
    false = [spell for trial, spell in spells if not _explained(trial, spell, truth)]
    found = sum(at is not None for at in caught.values())
    return {
        "kind": kind, "commodity": commodity, "home_months": round(months, 1), "happened": len(faults), "found": found,
        "missed_share": round(1 - found / len(faults), 4) if faults else None,
        "hours_to_alert": round(median(delays) / HOUR_US) if delays else None,
        "alerts": len(spells), "false": len(false),
        "false_per_home_year": round(len(false) / months * YEAR_MONTHS, 4) if months else None,
        "by_size": _by_size(faults, caught),
    }  # fmt: skip


def _could(trial: Trial, kind: str, fault: Fault) -> bool:
    """Tell whether a fault could be found: it began while the city was looked at, and lasted long enough."""
    least_us = _least_hours(kind) * HOUR_US
    end_us = min(fault.end_us, trial.last_us)
    return trial.first_us <= fault.start_us and end_us - fault.start_us >= least_us


def _least_hours(kind: str) -> int:
    """Give for how many hours a thing must last before this kind, by its own rule, has to find it."""
    hours = {
        "dead_meter": 24 * (limits("dead_meter")["least_days"] + 1),
        "base_load": 24 * limits("base_load")["recent_days"],
    }
    return hours.get(kind, limits("unresting")["rule_hours"] + 24)


def _first(trial: Trial, spells: Sequence[tuple[Trial, Spell]], fault: Fault) -> int | None:
    """Give when a fault was first told; None: never while it lasted."""
    times = [
        spell.first_us for other, spell in spells
        if other is trial and spell.place == fault.place and spell.last_us >= fault.start_us
        and spell.first_us <= fault.end_us + SLACK_US
    ]  # fmt: skip
    return max(min(times), fault.start_us) if times else None


def _explained(trial: Trial, spell: Spell, truth: Sequence[str]) -> bool:
    """Tell whether something that happened is what an alert is about."""
    return any(
        fault.kind in truth and (fault.place, fault.commodity) == (spell.place, spell.found.commodity)
        and fault.start_us <= spell.last_us and spell.first_us <= fault.end_us + SLACK_US
        for fault in trial.faults
    )  # fmt: skip


def _by_size(faults: Sequence[tuple[Trial, Fault]], caught: dict[int, int | None]) -> str:
    """Say how many of the smaller and of the larger half were found."""
    sizes = sorted(fault.size for _, fault in faults)
    if len(sizes) < 4:
        return ""
    middle = median(sizes)
    halves = ([one for _, one in faults if one.size < middle], [one for _, one in faults if one.size >= middle])
    said = [f"{sum(caught[id(one)] is not None for one in half)} of {len(half)}" for half in halves]
    return f"smaller half {said[0]}, larger half {said[1]}"


def _tier_row(made: Sequence[Trial], commodity: str, months: float) -> dict[str, Any]:
    """Count months whose end was seen: a tier that came and was not said, and one that was said and never came."""
    own = [month for one in made for month in one.months if month.commodity == commodity]
    came, said = [one for one in own if one.came], [one for one in own if one.said]
    false = sum(not one.came for one in said)
    found = sum(one.said for one in came)
    return {
        "kind": "tier", "commodity": commodity, "home_months": len(own) or round(months, 1), "happened": len(came),
        "found": found, "missed_share": round(1 - found / len(came), 4) if came else None, "hours_to_alert": None,
        "alerts": len(said), "false": false,
        "false_per_home_year": round(false / len(own) * YEAR_MONTHS, 4) if own else None, "by_size": "",
    }  # fmt: skip


def report_here(city: City, asked: AlertsReport, progress: Progress) -> Answer:
    """Report how often alerts would have been raised over the last days of a city's own readings; nothing is kept."""
    _refuse_none(asked.days, "--days")
    until = None if asked.until is None else _day(asked.until)
    progress(Step("looking at the city"))
    with city.engine.snapshot() as snapshot:
        found = snapshot.rows("select min(start_us), max(start_us) from interval")
        lake = snapshot.rows("select min(day), max(day) from lake_file where live")
    bounds = [day for row in found if row[0] is not None for day in day_range(city.engine, row[0], row[1] + 1)]
    bounds += [day for row in lake if row[0] is not None for day in row]
    first, last = day_of_number(min(bounds, default=0)), day_of_number(max(bounds, default=0))
    if until is not None:
        last = min(last, until)
    heard = (last - first).days if bounds else 0
    if heard < 1:
        raise UsageError(
            "no whole day of readings is there to be looked at.", code="too_few_days", place="--until",
            remedy="Ask again when there are more, or for a later day.",
        )  # fmt: skip
    count = min(asked.days, max(heard - WARM_DAYS, 1))
    short = f"Only {count} of {asked.days} days are looked at: {heard} are known, {WARM_DAYS} of them are the past."
    days = [last - timedelta(days=number) for number in range(count - 1, -1, -1)]
    trial = looked_daily(city, days)
    rows = raised_rows(trial, days, city.engine.tz)
    document = {"from": days[0], "to": last, "homes": trial.homes, "days": count, "kinds": rows}
    title = f"{trial.homes} dwellings, {count} days to {last}: what would have been raised (no truth is known)"
    return Answer(
        RAISED,
        rows_of(RAISED, rows),
        document_of(plain(document)),
        RAISED[2:],
        title,
        ([short] if count < asked.days else []) + ([NO_RATE] if any(one[RATE] is None for one in rows) else []),
    )


def _refuse_none(number: int, option: str) -> None:
    """Refuse a report over nothing."""
    if number < 1:
        raise UsageError(f"{number} is none.", code="out_of_range", place=option, remedy="Give 1 or more.")


def _day(text: str) -> date:
    """Read the day until which is looked."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text} is no day.", code="bad_day", place="--until", remedy="As 2026-11-22.") from None


def raised_rows(trial: Trial, days: Sequence[date], tz: ZoneInfo) -> list[dict[str, Any]]:
    """Count the alerts of each kind and utility by the months of the dwellings that are metered for it.

    No rate is given where fewer days were looked at than a kind needs. What is told once a month is counted by the
    months that were looked at from the first day on which it can be told to the last: by dwelling once in each at most.
    """
    out: list[dict[str, Any]] = []
    for kind, commodity in sorted({(one.found.kind, one.found.commodity) for one in trial.spells}):
        own = [one for one in trial.spells if (one.found.kind, one.found.commodity) == (kind, commodity)]
        homes = trial.metered.get(commodity, 0)
        if all("month" in one.found.figures for one in own):
            whole = _whole_months(days)
            firsts = {(one.place, local_day(from_us(one.first_us), tz).replace(day=1)) for one in own}
            months, counted, fits = homes * len(whole), sum(first in whole for _, first in firsts), True
        else:
            months, counted = homes * trial.days / MONTH_DAYS, len(own)
            fits = 24 * trial.days >= _least_hours(kind)
        out.append({
            "kind": kind, "commodity": commodity, "home_months": round(months, 1), "alerts": len(own),
            "alerts_per_home_month": round(counted / months, 4) if months and fits else None,
            "homes": len({one.place for one in own}),
        })  # fmt: skip
    return out


def _whole_months(days: Sequence[date]) -> set[date]:
    """Give the first days of the months of which each day was looked at on which a month's alert can be told."""
    known, out = set(days), set[date]()
    for first in {one.replace(day=1) for one in days}:
        told = first + timedelta(days=limits("pace")["least_days"])
        last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        if all(told + timedelta(days=number) in known for number in range((last - told).days + 1)):
            out.add(first)
    return out
