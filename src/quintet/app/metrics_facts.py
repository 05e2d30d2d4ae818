"""How an owner runs, as plain facts: what `/metrics` shows to a collector and `quintet top` to a person.

What needs no query is taken from memory each time; what does is remembered for some seconds. Nothing here names a
meter, a place or a person.
"""

import shutil
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quintet.pipeline.commit import Pipeline
from quintet.pipeline.grouping import Stats
from quintet.registry import Registry
from quintet.store.closing import open_days
from quintet.store.engine import Engine
from quintet.store.originals import not_kept, not_kept_by_code
from quintet.store.quarantine import counts
from quintet.store.shapes import change_counts
from quintet.terms.period import MINUTE_US
from quintet.terms.reading import ValueKind

from .metrics_watch import Door, Seen, Watch, watching

NEVER_US = -(10**14)
"""Before 1967: no reading is that old, so a channel's newest one stands there only where there is none."""

COUNTED = ("failures", "busy_refusals", "refused")
STAMPED_BY_START = [ValueKind.INTERVAL_SUM.value, ValueKind.AVG_POWER.value]
"""Kinds whose stamp is the start of the stretch that they tell of."""


@dataclass(frozen=True, slots=True)
class Staleness:
    """Of the channels of one commodity and meter class: how many there are, are silent, and are late by each step."""

    commodity: str
    meter_class: str
    channels: int
    never: int
    late: dict[int, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """How the owner runs at one moment. Ages are seconds, None where nothing was ever heard.

    `committer` goes on counting; `counted` is what some of its counters said then.
    """

    now_us: int
    last_batch: int
    newest_reading_age_s: float | None
    last_commit_age_s: float | None
    batches: dict[str, int]
    rows: dict[str, int]
    rates: dict[int, tuple[float, float]]
    committer: Stats | None
    counted: dict[str, int]
    doors: list[Door]
    listeners: int | None
    staleness: list[Staleness]
    quarantine: dict[str, int]
    not_kept: dict[str, int]
    drift: dict[str, int]
    open_days: int
    disk_free_bytes: int
    disk_bytes: int
    commits: list[Seen] = field(default_factory=list[Seen])


@dataclass(frozen=True, slots=True)
class _Classes:
    """Channels as arrays: their group among (commodity, class), their cadence, and their life; in order of `channel`.

    `span_us` is how long after its stamp a reading is known: one stamped by the start of its interval, a cadence.
    """

    registry: Registry
    groups: list[tuple[str, str]]
    channel: npt.NDArray[np.int32]
    group: npt.NDArray[np.int64]
    cadence_us: npt.NDArray[np.int64]
    span_us: npt.NDArray[np.int64]
    since_us: npt.NDArray[np.int64]
    until_us: npt.NDArray[np.int64]


class Observer:
    """Gives the facts of one city; remembers what is slow to find out."""

    def __init__(self, engine: Engine, pipeline: Pipeline, watch: Watch) -> None:
        """Look at a city's store and pipeline, and at what was announced to its watch."""
        self._engine, self._pipeline, self.watch = engine, pipeline, watch
        pipeline.listeners.append(watch.take)
        self._lock = threading.Lock()
        self._classes: _Classes | None = None
        self._found: _Queried | None = None

    def facts(self, *, anew: bool = False) -> Facts:
        """Find out how the owner runs now; `anew` also what needs a query."""
        watch = self.watch
        now_us = self._engine.clock_us()
        found = self._queried(anew=anew)
        disk = shutil.disk_usage(self._engine.folder)
        newest = watch.newest()
        heard = self._pipeline.tails.at_us
        last = int(heard.max()) if len(heard) else NEVER_US
        return Facts(
            now_us=now_us,
            last_batch=self._engine.last_batch,
            newest_reading_age_s=(now_us - last) / 1e6 if last > NEVER_US else None,
            last_commit_age_s=(now_us - newest[0].at_us) / 1e6 if newest else None,
            batches=dict(watch.batches),
            rows=dict(watch.rows),
            rates={window: watch.rates(window) for window in watching().windows_s},
            committer=watch.stats,
            counted={name: getattr(watch.stats, name) for name in COUNTED} if watch.stats else {},
            doors=watch.said_of_doors(),
            listeners=watch.listeners() if watch.listeners else None,
            staleness=self.staleness(now_us),
            quarantine=found.quarantine,
            not_kept=found.not_kept,
            drift=found.drift,
            open_days=found.open_days,
            disk_free_bytes=disk.free,
            disk_bytes=disk.total,
            commits=newest,
        )

    def staleness(self, now_us: int) -> list[Staleness]:
        """Count the channels whose newest reading is older than so many of their cadences, by commodity and class.

        Channels that are not installed yet, or no more, are left out.
        """
        known = self._of_registry()
        heard = self._pipeline.tails.at_us
        at_us = np.full(len(known.channel), NEVER_US, np.int64)
        within = known.channel < len(heard)
        at_us[within] = heard[known.channel[within]]
        at_us = np.where(at_us > NEVER_US, at_us + known.span_us, at_us)
        here = (known.since_us <= now_us) & (known.until_us > now_us)
        never = here & (at_us <= NEVER_US)
        cadences = (now_us - at_us) // known.cadence_us
        count = len(known.groups)

        def counted(mask: npt.NDArray[np.bool_]) -> list[int]:
            return np.bincount(known.group[mask], minlength=count).tolist()

        channels, silent = counted(here), counted(never)
        late = {step: counted(here & ~never & (cadences >= step)) for step in watching().stale_cadences}
        return [
            Staleness(commodity, name, channels[i], silent[i], {step: found[i] for step, found in late.items()})
            for i, (commodity, name) in enumerate(known.groups)
            if channels[i]
        ]

    def _of_registry(self) -> _Classes:
        registry = self._pipeline.registry()
        known = self._classes
        if known is None or known.registry is not registry:
            known = self._classes = _classes_of(registry)
        return known

    def _queried(self, *, anew: bool) -> "_Queried":
        """Give what queries find, some seconds old; who comes while one is under way gets what was found before."""
        if not self._lock.acquire(blocking=anew or self._found is None):
            return self._found or _Queried()
        try:
            self._found = self._ask(self._found, anew=anew)
            return self._found
        finally:
            self._lock.release()

    def _ask(self, known: "_Queried | None", *, anew: bool) -> "_Queried":
        """Ask the store for what is too old to be said again; where nothing was committed nothing changed."""
        now_s, batch = time.monotonic(), self._engine.last_batch
        out = known or _Queried()
        counted = anew or (batch != out.batch and now_s - out.asked_s > watching().refresh_s)
        dayed = anew or (batch != out.days_batch and now_s - out.days_asked_s > watching().days_refresh_s)
        if not counted and not dayed:
            return out
        with self._engine.snapshot() as snapshot:
            if counted:
                waiting, codes = counts(snapshot), Counter[str]()
                for code, rows in zip(waiting["code"].to_pylist(), waiting["rows"].to_pylist(), strict=True):
                    codes[code] += rows
                beyond = not_kept_by_code(not_kept(snapshot).items())
                drift = change_counts(snapshot)
                out = replace(out, quarantine=codes, not_kept=beyond, drift=drift, batch=batch, asked_s=now_s)
            if dayed:
                days = len(open_days(self._engine, snapshot))
                out = replace(out, open_days=days, days_batch=batch, days_asked_s=now_s)
        return out


@dataclass(frozen=True, slots=True)
class _Queried:
    """What queries found, each with the batch before which and the second at which it was asked."""

    quarantine: dict[str, int] = field(default_factory=dict[str, int])
    not_kept: dict[str, int] = field(default_factory=dict[str, int])
    drift: dict[str, int] = field(default_factory=dict[str, int])
    open_days: int = 0
    batch: int = -1
    asked_s: float = -inf
    days_batch: int = -1
    days_asked_s: float = -inf


def _classes_of(registry: Registry) -> _Classes:
    """Turn the registry's channels into arrays."""
    table = registry.channels()
    pairs = list(zip(table["commodity"].to_pylist(), table["value_kind"].to_pylist(), strict=True))
    groups = sorted(set(pairs))
    number = {pair: i for i, pair in enumerate(groups)}

    def moments(name: str, missing: int) -> npt.NDArray[np.int64]:
        return np.asarray(table[name].cast(pa.int64()).fill_null(missing).to_numpy(), np.int64)

    cadence_us = np.maximum(table["cadence_min"].to_numpy().astype(np.int64), 1) * MINUTE_US
    by_start = np.isin(table["value_kind"].to_pylist(), STAMPED_BY_START)
    return _Classes(
        registry,
        groups,
        table["channel"].to_numpy(),
        np.array([number[pair] for pair in pairs], np.int64),
        cadence_us,
        np.where(by_start, cadence_us, 0),
        moments("installed", -(2**62)),
        moments("removed", 2**62),
    )
