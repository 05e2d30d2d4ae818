"""Channels of which nothing was heard until the end of a week, however long ago they last were."""

import math
from collections.abc import Iterator

import numpy as np

from quintet.access.series import in_place
from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I32, I64, Mask
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.records import ALWAYS
from quintet.store.runs import last_heard
from quintet.terms.length import DAY_US

from .vee_findings import FAIL, HOURS, SILENT, Found
from .vee_load import LARGEST, Sheet, blocks
from .vee_units import BLOCK_DAYS, Unit, moment

SILENT_DAYS = 1
"""A channel is silent when nothing was heard of it for a whole local day at least."""
LATEST = 2**62


class Silence:
    """Tells who is silent; `first` is the local day of which each channel (by number) had its first value."""

    def __init__(self, engine: Engine, snapshot: Snapshot, meaning: Meaning, registry: Registry, first: I64) -> None:
        """Read through a snapshot."""
        self._engine, self._snapshot, self._meaning, self._first = engine, snapshot, meaning, first
        self._installed, self._removed = np.full(len(first), ALWAYS, np.int64), np.full(len(first), LATEST, np.int64)
        for number, (low, high) in in_place(registry).items():
            self._installed[number], self._removed[number] = low, min(high, LATEST)
        self._since: dict[int, tuple[int, int]] = {}

    def of(self, unit: Unit, seen: Sheet, usual: I64) -> Iterator[Found]:
        """Give the silent channels of a block; `seen` reaches back before it, `usual` is what each used a day in it."""
        columns = seen.here.shape[1]
        heard: Mask = np.asarray(seen.here.any(axis=1), np.bool_)
        last = columns - seen.here[:, ::-1].argmax(axis=1) if columns else np.zeros(len(seen.channels), np.int64)
        for number in seen.channels[heard].tolist():
            self._since.pop(number, None)
        until_us = moment(unit.until, self._engine.tz)
        ends = seen.start_us + last * seen.cadence_us
        yield from self._found(unit, seen.channels[heard], ends[heard], usual[heard], until_us)
        yield from self.unheard(unit, seen.channels[~heard])

    def unheard(self, unit: Unit, channels: I32) -> Iterator[Found]:
        """Give the silent ones of channels of which nothing was measured in all that is looked at for a week."""
        until_us = moment(unit.until, self._engine.tz)
        once = channels[self._first[channels] < unit.before[0]]
        self._remember(once, unit.before[0])
        since, usual = (np.array([self._since[n][at] for n in once.tolist()], np.int64) for at in (0, 1))
        yield from self._found(unit, once, since, usual, until_us)
        # installed, it is said, and not heard once: silent from then on
        never = channels[(self._first[channels] >= unit.until) & (self._installed[channels] > ALWAYS)]
        nothing = np.zeros(len(never), np.int64)
        yield from self._found(unit, never, self._installed[never], nothing, until_us)

    def _found(self, unit: Unit, channels: I32, since_us: I64, usual: I64, until_us: int) -> Iterator[Found]:
        here: Mask = (self._installed[channels] < until_us) & (until_us <= self._removed[channels])
        for row in np.flatnonzero(here & (until_us - since_us >= SILENT_DAYS * DAY_US)).tolist():
            days = math.ceil((until_us - int(since_us[row])) / DAY_US)
            detail = {"amount": int(usual[row]) * days, "days": days, "usual_a_day": int(usual[row])}
            yield Found(unit.first, int(channels[row]), int(since_us[row]), until_us, SILENT, FAIL, detail)

    def _remember(self, channels: I32, before_day: int) -> None:
        """Find when channels that were heard before a day, and not for long before it, last were, and what they used.

        Where what was heard then has been taken back since, it is the beginning of the day of which there was a value.
        """
        asked = np.array([number for number in channels.tolist() if number not in self._since], np.int32)
        if not len(asked):
            return
        days: dict[int, list[int]] = {}
        for number, day, usual in last_heard(self._snapshot, asked, before_day, BLOCK_DAYS):
            days.setdefault(day, []).append(number)
            plate = int(self._meaning.plate_max_per_hour[number])
            most = LARGEST if plate < 0 else min(plate * HOURS, LARGEST)
            self._since[number] = (moment(day, self._engine.tz), min(usual, most))
        for number in asked.tolist():
            self._since.setdefault(number, (moment(int(self._first[number]), self._engine.tz), 0))
        for day, numbers in days.items():
            span = moment(day, self._engine.tz), moment(day + 1, self._engine.tz)
            own = np.array(sorted(numbers), np.int32)
            for sheet in blocks(self._engine, self._snapshot, self._meaning, own, *span):
                for row in np.flatnonzero(sheet.here.any(axis=1)).tolist():
                    ends = sheet.start_us + (int(np.flatnonzero(sheet.here[row])[-1]) + 1) * sheet.cadence_us
                    number = int(sheet.channels[row])
                    self._since[number] = (ends, self._since[number][1])
