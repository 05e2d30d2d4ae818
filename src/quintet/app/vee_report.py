"""`quintet vee report`: what is found of faults put into sound readings, by kind and magnitude, and at what price.

The sound readings are a city's own, or those of a simulated one. Everything follows from the seed.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from quintet.jobs.backtesting import back_test
from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.dataset import readings_of
from quintet.simulate.injectors import injectors
from quintet.terms.tables import QUARANTINE

from .answer import Answer, Progress, Step, document_of
from .answers_backtest import compared, row_of
from .cells import plain, rows_of
from .city import City
from .requests import VeeReport
from .vee_report_beds import DAYS, Bed, beds_of
from .vee_report_trials import MOVED, Trial, Verdict, judge_trials, make_trial, unfaulted

AT_ONCE = 500
"""Trials in one city: some 2 million quarter-hours."""
START = date(2026, 1, 5)
COLUMNS = [
    "kind", "held_out", "magnitude", "unit", "trials", "found_at_commit", "found", "named_intervals", "moving",
    "moving_found_at_commit", "moving_found", "by",
]  # fmt: skip
NO_FAULT = ("rollover",)
"""Injected to see that it comes out right: nothing needs to be found."""


@dataclass(frozen=True)
class Detection:
    """What trials gave: the verdicts on faults, and what was counted on the sound beds."""

    beds: list[Bed]
    faults: list[Verdict]
    sound: Counter[str]


def detect(city: City, asked: VeeReport, progress: Progress) -> Detection:
    """Put every fault of every magnitude into `times` beds each, and judge them all."""
    beds = beds_of(city, asked.each, asked.seed)
    rng = np.random.default_rng(asked.seed)
    trials: list[Trial] = []
    for injector in injectors().values():
        fit = [n for n, bed in enumerate(beds) if ("register" if bed.stretch.register else "sum") in injector.kinds]
        for magnitude in injector.magnitudes if fit else ():
            drawn = rng.choice(fit, min(asked.times, len(fit)), replace=False)
            trials += [make_trial(beds, number, injector, magnitude, asked.seed) for number in drawn.tolist()]
    faults: list[Verdict] = []
    sound: dict[int, Mapping[str, int]] = {}
    for low in range(0, len(trials), AT_ONCE):
        progress(Step("judging trials", low, len(trials)))
        some = trials[low : low + AT_ONCE]
        used = range(len(beds)) if low == 0 else sorted({trial.bed for trial in some})
        whole = [*(unfaulted(number, beds[number].stretch) for number in used), *some]
        for verdict in judge_trials(beds, whole, city.engine.tz):
            if verdict.trial.injector is None:
                sound.setdefault(verdict.trial.bed, verdict.cells)
            else:
                faults.append(verdict)
    counted: Counter[str] = Counter()
    for cells in sound.values():
        counted.update(cells)
    return Detection(beds, faults, counted)


def curve(faults: list[Verdict]) -> list[dict[str, Any]]:
    """Give a row for each kind and magnitude; shares are None where there was no such trial."""
    groups: dict[tuple[str, float], list[Verdict]] = {}
    for one in faults:
        if one.trial.injector is not None:
            groups.setdefault((one.trial.injector.code, one.trial.magnitude), []).append(one)
    rows: list[dict[str, Any]] = []
    for (kind, magnitude), own in groups.items():
        moving = [one for one in own if one.trial.moved >= MOVED]
        by = Counter(rule for one in own for rule in one.commit | one.period)
        row = {"kind": kind, "held_out": injectors()[kind].held, "magnitude": magnitude, "unit": injectors()[kind].unit}
        row |= {"trials": len(own), "found_at_commit": share(own, longer=False), "found": share(own)}
        row |= {"named_intervals": share_named(own), "moving": len(moving)}
        row |= {"moving_found_at_commit": share(moving, longer=False)}
        rows.append(row | {"moving_found": share(moving), "by": dict(sorted(by.items(), key=lambda p: (-p[1], p[0])))})
    return rows


def share(verdicts: list[Verdict], *, longer: bool = True) -> float | None:
    """Give the share of trials in which something was found, with or without the rules that need a period."""
    if not verdicts:
        return None
    return sum(bool(one.commit or (longer and one.period)) for one in verdicts) / len(verdicts)


def share_named(verdicts: list[Verdict]) -> float | None:
    """Give the share of the intervals that faults touched of which something was said; None where none was."""
    touched = sum(one.touched for one in verdicts)
    return sum(one.named for one in verdicts) / touched if touched else None


def totals(found: Detection) -> dict[str, Any]:
    """Sum up: of all faults that move a day's total, and by how far they do; and what was said of sound readings."""
    real = [one for one in found.faults if one.trial.injector and one.trial.injector.code not in NO_FAULT]
    out: dict[str, Any] = {"beds": len(found.beds), "trials": len(found.faults)}
    for name, low, high in (
        ("20_to_50", 0.2, 0.5),
        ("50_to_100", 0.5, 1.0),
        ("100_up", 1.0, np.inf),
        ("all", 0.2, np.inf),
    ):
        own = [one for one in real if low <= one.trial.moved < high]
        out[f"moving_{name}"] = len(own)
        out[f"moving_{name}_found_at_commit"] = share(own, longer=False)
        out[f"moving_{name}_found"] = share(own)
        out[f"moving_{name}_named_intervals"] = share_named(own)
    for name, held in (("known", False), ("held_out", True)):
        own = [one for one in real if one.trial.injector and one.trial.injector.held is held]
        own = [one for one in own if one.trial.moved >= MOVED]
        out[f"moving_{name}"], out[f"moving_{name}_found"] = len(own), share(own)
    still = [one for one in found.faults if one.trial.injector and one.trial.injector.code in NO_FAULT]
    out["rollovers_right"] = sum(one.wrong < 1e-6 for one in still) / len(still) if still else None
    sound = found.sound
    out["sound_intervals"], out["sound_days"] = sound["intervals"], sound["days"]
    out["false_share_of_intervals"] = sound["flagged"] / max(sound["intervals"], 1)
    out["false_share_of_intervals_marked"] = sound["marked"] / max(sound["intervals"], 1)
    out["false_share_of_days_at_commit"] = sound["found"] / max(sound["days"], 1)
    out["false_share_of_days_by_longer_rules"] = sound["longer"] / max(sound["days"], 1)
    return out


def false_days(found: Detection) -> dict[str, float]:
    """Give the share of sound channel-days that each rule objects to."""
    known = {"intervals", "flagged", "marked", "days", "found", "longer"}
    rules = {rule: count for rule, count in found.sound.items() if rule not in known}
    return {rule: rules[rule] / found.sound["days"] for rule in sorted(rules)}


def vee_report(city: City, asked: VeeReport, progress: Progress) -> Answer:
    """Give the report of a city: the curve as the table, sums as notes, all of it as the document."""
    found = detect(city, asked, progress)
    rows = curve(found.faults)
    summed, false = totals(found), false_days(found)
    document: dict[str, Any] = {
        "seed": asked.seed,
        "rule_set": city.rule_set,
        "detection": rows,
        "totals": summed,
        "false_days": false,
    }
    document["backtest"] = backtest_rows(city, asked, progress)
    shown = [{**row, "by": " ".join(f"{rule}:{count}" for rule, count in row["by"].items())} for row in rows]
    notes = [f"{name}: {value}" for name, value in plain(summed).items()]
    notes += [f"sound days with {rule}: {value:.2%}" for rule, value in false.items()]
    notes += [backtest_line(row) for row in document["backtest"]]
    return Answer(
        COLUMNS,
        rows_of(COLUMNS, shown),
        document_of(plain(document)),
        numbers=COLUMNS[2:3] + COLUMNS[4:11],
        notes=notes,
    )


def backtest_rows(city: City, asked: VeeReport, progress: Progress) -> list[dict[str, Any]]:
    """Give the back-test of the estimators, on the half of the stretches that chose nothing; none where not asked."""
    if not asked.stretches:
        return []
    progress(Step("back-testing"))
    meaning = city.pipeline.meaning()
    found = back_test(city.engine, city.registry(), meaning, seed=asked.seed, most=asked.stretches)
    return [row_of(one, score, name) for one in found for name, score in compared(one)]


def backtest_line(row: dict[str, Any]) -> str:
    """Say one row of the back-test in a line."""
    register = "with a register's difference" if row["register"] else "without a total"
    said = f"back-test, {row['commodity']}, gap {row['gap']}, {register}, {row['place']}: {row['estimator']}"
    return f"{said} errs by {row['error']} of what was used ({row['stretches']} stretches)"


def simulated_report(asked: VeeReport, progress: Progress, households: int) -> Answer:
    """Give the report of a simulated city that exists for a moment."""
    with (
        tempfile.TemporaryDirectory(prefix="quintet-report-") as folder,
        closing(simulated(Path(folder) / "city", households, asked.seed)) as city,
    ):
        return vee_report(city, asked, progress)


def simulated(folder: Path, households: int, seed: int) -> City:
    """Make a faultless simulated city of some weeks."""
    plan = CityPlan(households=households, start=START, days=DAYS + 1, seed=seed, faults=False)
    made = simulate_city(plan)
    city = City.create(folder, timezone=plan.tz, simulated=True)
    city.pipeline.register(made.meters, settings=made.settings, source="report", actor="report")
    for number in range(plan.days):
        table = made.readings(START + timedelta(days=number))
        city.pipeline.commit([(readings_of(table), QUARANTINE.empty_table())], source="report", actor="report")
    return city
