"""Trials of a detection report: each fault on a meter of its own, all taken in by a city that exists for a moment.

The way is the one that all readings take: register, commit, judge. Nothing here looks for faults itself.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.simulate.stretch import Faulted, Injector, Stretch
from quintet.store.read import intervals
from quintet.terms.quality import qualities
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.vee import Block
from quintet.vee.period import judge_period

from .city import City
from .vee_report_beds import Bed

Mask = npt.NDArray[np.bool_]
MOVED = 0.2
"""Share of a day's total from which on a fault counts as one that moves it."""
UNHURT = [qualities()["valid"].id, qualities()["derived"].id]
KNOWN_ALREADY = ("V19_duplicate",)
"""Findings that say that nothing is wrong."""


@dataclass(frozen=True)
class Trial:
    """One bed with one fault; without injector it is the bed as it was. `moved` is the largest share of a day."""

    bed: int
    injector: Injector | None
    magnitude: float
    faulted: Faulted
    moved: float


@dataclass(frozen=True)
class Verdict:
    """What was said about a trial's faulty time and not about the sound bed: as readings came, and by longer rules.

    `wrong` is the largest share by which a day's final total is off; `cells` counts of a sound bed the intervals and
    those flagged or worse (with those that longer rules mark: "marked"), the days, those with a finding of any rule
    ("found", "longer") and of each. `touched` counts the intervals that the fault touched, `named` those of them that
    anything was said of at their own place.
    """

    trial: Trial
    commit: frozenset[str]
    period: frozenset[str]
    wrong: float
    cells: Mapping[str, int] = field(default_factory=dict[str, int])
    touched: int = 0
    named: int = 0


def make_trial(beds: list[Bed], number: int, injector: Injector, magnitude: float, seed: int) -> Trial:
    """Put a fault into a bed; chance follows from the seed, the bed, the kind and the magnitude."""
    path = [seed, number, sum(injector.code.encode()), round(magnitude * 1000)]
    faulted = injector.inject(beds[number].stretch, magnitude, np.random.default_rng(path))
    return Trial(number, injector, magnitude, faulted, moved(beds[number], faulted))


def moved(bed: Bed, faulted: Faulted) -> float:
    """Give the largest share by which a day's total moves for whoever takes the readings at their word."""
    true = _by_day(bed.stretch.amounts, bed.edges)
    said = _taken_at_word(bed, faulted)
    own = np.add.reduceat(faulted.touched, bed.edges[:-1]) > 0
    own |= np.roll(own, 1)
    off = np.minimum(np.abs(said - true)[own], 1e30)
    low = np.maximum(np.abs(true[own]), 1e-9)
    return float(np.minimum((off / low), 1e6)[off > 1e-6].max(initial=0.0))


def _by_day(amounts: Any, edges: list[int]) -> Any:
    return np.add.reduceat(amounts, edges[:-1])


def _taken_at_word(bed: Bed, faulted: Faulted) -> Any:
    """Sum days as a plain reader does: the last value of a moment counts, what is no number is left out."""
    stretch = bed.stretch
    real = np.isfinite(faulted.value)
    at, value = faulted.at_us[real], faulted.value[real]
    order = np.argsort(at, kind="stable")
    at, value = at[order], value[order]
    last = np.append(at[1:] != at[:-1], True)
    at, value = at[last], value[last]
    starts = stretch.at_us[0] + stretch.cadence_us * np.array(bed.edges)
    if stretch.register:
        place = np.searchsorted(at, starts, "right") - 1
        return np.diff(value[np.maximum(place, 0)])
    sums = np.concatenate([[0.0], np.cumsum(np.clip(value, -1e15, 1e15))])
    return np.diff(sums[np.searchsorted(at, starts)])


def judge_trials(beds: list[Bed], trials: list[Trial], tz: ZoneInfo) -> list[Verdict]:
    """Take the readings of all trials into a new city, and compare what it says with what it says of the sound beds.

    The sound bed of every trial must be among the trials.
    """
    with tempfile.TemporaryDirectory(prefix="quintet-report-") as folder:
        city = City.create(Path(folder) / "city", timezone=tz.key)
        with closing(city):
            rows = [beds[trial.bed].row(f"t{number:06}") for number, trial in enumerate(trials)]
            city.pipeline.register(pa.Table.from_pylist(rows, _schema()), source="report", actor="report")
            parts = ((part, QUARANTINE.empty_table()) for part in _parts(trials))
            city.pipeline.commit(parts, source="report", actor="report")
            said = _Said(city, beds, trials)
    sound = {trial.bed: number for number, trial in enumerate(trials) if trial.injector is None}
    return [said.verdict(number, sound[trial.bed]) for number, trial in enumerate(trials)]


def _schema() -> pa.Schema:
    names = ("site", "building", "meter", "commodity", "unit", "value_kind", "tz", "role", "plate_max")
    numbers = [("cadence_min", pa.int32()), ("dials", pa.int32())]
    return pa.schema([*((name, pa.string()) for name in names), *numbers])


def _parts(trials: list[Trial]) -> Iterator[pa.Table]:
    """Give the readings of all trials as READINGS, some trials at a time."""
    for low in range(0, len(trials), 100):
        some = [(f"t{low + i:06}", trial.faulted) for i, trial in enumerate(trials[low : low + 100])]
        meter = pa.array([name for name, _ in some]).take(
            pa.array(np.repeat(np.arange(len(some)), [len(one.at_us) for _, one in some]))
        )
        at = np.concatenate([one.at_us for _, one in some])
        columns = {
            "site": pa.array(["trial"] * len(at)),
            "meter": meter,
            "at": pa.array(at).cast(READINGS.field("at").type),
            "value": pa.array(np.concatenate([one.value for _, one in some])),
            "commodity": pa.nulls(len(at), pa.string()),
            "unit": pa.nulls(len(at), pa.string()),
            "row": pa.array(range(1, len(at) + 1), pa.int64()),
        }
        yield pa.table(columns, schema=READINGS)


class _Said:
    """What a city says of its trials: quality and value of each interval, findings by rule, what was set aside."""

    def __init__(self, city: City, beds: list[Bed], trials: list[Trial]) -> None:
        """Read everything once."""
        self.beds, self.trials = beds, trials
        numbers = {row["meter"]: row["channel"] for row in city.registry().channels().to_pylist()}
        self.channel = [numbers[f"t{number:06}"] for number in range(len(trials))]
        self.tz = city.engine.tz
        with city.engine.snapshot() as snapshot:
            table = intervals(city.engine, snapshot, -(10**15), 10**16)
            found = snapshot.rows("select channel, at_us, until_us, rule from finding")
            aside = snapshot.rows("select distinct meter, code from quarantine")
        self._rows = [table[name].to_numpy() for name in ("channel", "start_us", "value", "quality")]
        self._bounds = np.searchsorted(self._rows[0], np.arange(len(numbers) + 2))
        self.findings: dict[int, list[tuple[int, int, str]]] = {}
        for channel, at_us, until_us, rule in found:
            self.findings.setdefault(channel, []).append((at_us, until_us, rule))
        self.aside = {(meter, code) for meter, code in aside}
        self._period = self._judged_long(city)
        self._doubts = {rule.id: rule.doubts for rule in city.rules.rules}

    def laid(self, number: int) -> tuple[Any, Any]:
        """Give values and qualities of a trial on the grid of its bed (0: missing)."""
        stretch = self.beds[self.trials[number].bed].stretch
        own = slice(int(self._bounds[self.channel[number]]), int(self._bounds[self.channel[number] + 1]))
        place = (self._rows[1][own] - stretch.at_us[0]) // stretch.cadence_us
        fits = (place >= 0) & (place < len(stretch.amounts))
        value, quality = np.zeros(len(stretch.amounts), np.int64), np.zeros(len(stretch.amounts), np.uint8)
        value[place[fits]], quality[place[fits]] = self._rows[2][own][fits], self._rows[3][own][fits]
        return value, quality

    def _judged_long(self, city: City) -> dict[int, list[tuple[int, int, str]]]:
        """Judge each trial's whole time by the rules that need it: first and last interval, rule."""
        out: dict[int, list[tuple[int, int, str]]] = {}
        same: dict[tuple[int, int, int], list[int]] = {}
        for number, trial in enumerate(self.trials):
            stretch = self.beds[trial.bed].stretch
            key = (stretch.cadence_us, int(stretch.at_us[0]), len(stretch.amounts))
            same.setdefault(key, []).append(number)
        meaning = city.pipeline.meaning()
        for (cadence_us, start_us, _), numbers in same.items():
            laid = [self.laid(number) for number in numbers]
            value, quality = (np.stack([one[part] for one in laid]) for part in (0, 1))
            channels = np.array([self.channel[number] for number in numbers], np.int32)
            block = Block.of(start_us, cadence_us, channels, (value, quality, quality > 0), self.tz)
            found = judge_period(block, meaning.traits(channels), city.rules)
            spans = zip(found.row.tolist(), found.column_first.tolist(), found.column_last.tolist(), strict=True)
            for (row, first, last), rule in zip(spans, found.rule.tolist(), strict=True):
                out.setdefault(numbers[row], []).append((first, last, city.rules.rules[rule].id))
        return out

    def verdict(self, number: int, sound: int) -> Verdict:
        """Compare a trial with its sound bed."""
        trial = self.trials[number]
        bed = self.beds[trial.bed]
        if trial.injector is None:
            return Verdict(trial, frozenset(), frozenset(), 0.0, self._counted(number, bed))
        near = _near(trial.faulted.touched)
        value, quality = self.laid(number)
        true_value, true_quality = self.laid(sound)
        words = {row.id: code for code, row in qualities().items()} | {0: "missing"}
        odd = near & (quality != true_quality) & ~np.isin(quality, UNHURT)
        said = {f"={words[one]}" for one in np.unique(quality[odd]).tolist()}
        named = odd.copy()
        stretch = bed.stretch
        known = set(self.findings.get(self.channel[sound], []))
        for at_us, until_us, rule in self.findings.get(self.channel[number], []):
            first, last = ((t - stretch.at_us[0]) // stretch.cadence_us for t in (at_us, max(until_us - 1, at_us)))
            if (at_us, until_us, rule) not in known and rule not in KNOWN_ALREADY and _hits(near, first, last):
                said.add(rule)
                named[max(first, 0) : max(last + 1, 0)] = True
        said |= {f"={code}" for meter, code in self.aside if meter == f"t{number:06}"}
        before = set(self._period.get(sound, []))
        more: set[str] = set()
        for first, last, rule in self._period.get(number, []):
            if (first, last, rule) not in before and _hits(near, first, last):
                more.add(rule)
                named[first : last + 1] = True
        off = np.abs(_by_day(value - true_value, bed.edges)) / np.maximum(np.abs(_by_day(true_value, bed.edges)), 1)
        touched = trial.faulted.touched
        counts = int(touched.sum()), int((named & touched).sum())
        return Verdict(trial, frozenset(said), frozenset(more), float(off.max()), {}, *counts)

    def _counted(self, number: int, bed: Bed) -> dict[str, int]:
        """Count what is said of a sound bed without reason."""
        stretch = bed.stretch
        _, quality = self.laid(number)
        marked: dict[str, Mask] = {}
        spans = [
            (*((t - stretch.at_us[0]) // stretch.cadence_us for t in (at_us, max(until_us - 1, at_us))), rule, "found")
            for at_us, until_us, rule in self.findings.get(self.channel[number], [])
        ]
        spans += [(*span, "longer") for span in self._period.get(number, [])]
        for first, last, rule, kind in spans:
            low, high = np.searchsorted(bed.edges, [first, last], "right") - 1
            for name in (rule, kind):
                marked.setdefault(name, np.zeros(len(bed.edges) - 1, np.bool_))[max(low, 0) : high + 1] = True
        hurt = ~np.isin(quality, UNHURT)
        counted = {"intervals": len(quality), "flagged": int(hurt.sum()), "days": len(bed.edges) - 1}
        for first, last, rule in self._period.get(number, []):
            hurt[first : last + 1] |= self._doubts[rule]
        counted["marked"] = int(hurt.sum())
        return counted | {name: int(days.sum()) for name, days in marked.items()}


def _near(touched: Mask) -> Mask:
    """Mark what a fault touched, with one interval on each side."""
    out = touched.copy()
    out[1:] |= touched[:-1]
    out[:-1] |= touched[1:]
    return out


def _hits(near: Mask, first: int, last: int) -> bool:
    """Tell whether a span of intervals has a part in what a fault touched."""
    return bool(near[max(int(first), 0) : int(last) + 1].any())


def unfaulted(number: int, stretch: Stretch) -> Trial:
    """Give the trial of a sound bed."""
    untouched = np.zeros(len(stretch.amounts), np.bool_)
    return Trial(number, None, 0.0, Faulted(stretch.at_us, stretch.value, untouched), 0.0)
