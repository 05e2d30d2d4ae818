"""Holes in channels' readings and what stands beside each: whether the supply was away, or only the connection."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I64, Mask
from quintet.registry import Registry
from quintet.terms.quality import qualities
from quintet.terms.reading import Role, ValueKind
from quintet.vee import Block
from quintet.vee.block import ids_of, of_kind, spans
from quintet.vee.outages import COMMS, SUPPLY, Around, Outage, tell_apart

from .vee_load import Sheet, held

FEEDER = "feeder"
"""The level of a network whose members lose their supply together; a whole city's network says nothing of that."""
STATED = {"supply_outage": SUPPLY, "comms_outage": COMMS}
POWER_FAIL = "power_failure"
"""The device flag (an event's detail) of a meter that lost its supply."""
LEAST_SLOTS = 2
"""Shorter holes are one late or lost reading: a straight line is right whatever it was."""
HALF = 2
FED = frozenset({Role.CONSUMPTION, Role.IMPORT, Role.SITE_IMPORT})
"""Roles of channels that count what supply brings; a battery or a solar panel may run without it."""
QUESTIONABLE = ids_of(["questionable"])
Event = dict[str, Any]
REGISTER = list(ValueKind).index(ValueKind.REGISTER_CUMULATIVE)
EDITED = np.zeros(256, np.bool_)
"""Marks what a person said: it is no hole."""
EDITED[[one.id for one in qualities().values() if one.rank == max(q.rank for q in qualities().values())]] = True
TOTALLED = ids_of(["like_day_scaled", "register_spread"])
"""Marks estimates that sum to what was counted over their hole."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A span without measured values of one channel, [from_us, until_us), and what it was."""

    channel: int
    from_us: int
    until_us: int
    outage: Outage


@dataclass(frozen=True, slots=True)
class Against:
    """What a channel was measured to use (sub-units) while an event said its supply was away: first to last of it."""

    channel: int
    from_us: int
    until_us: int
    event: int
    used: I64


@dataclass(frozen=True)
class Spans:
    """The holes of a block: row, first and last column, and what the row's own register moved over it (-1: unknown)."""

    row: I64
    first: I64
    last: I64
    moved: I64


class Holes:
    """Finds the holes of blocks and tells what they were, by events and by neighbours on the same feeder."""

    def __init__(self, registry: Registry, meaning: Meaning, events: pa.Table) -> None:
        """Hold the events that stand (store.events) by place and channel."""
        self._meaning = meaning
        self._tree = registry.tree
        numbers = registry.channels()["channel"].to_pylist()
        self._place = {number: registry.place_of(number) for number in numbers}
        feeders: dict[str, set[str]] = {}
        for feeder in (one for one in registry.feeders() if one.level == FEEDER):
            feeders.setdefault(feeder.commodity, set()).add(feeder.place)
        carried = {code for code, one in registry.commodities.rows.items() if one.balanced}
        self._fed = {n for n in numbers if meaning.commodity[n] in carried and meaning.role[n] in FED}
        self._feeder = {number: self._feeder_of(number, feeders) for number in numbers}
        self._stated = [row for row in events.to_pylist() if row["kind"] in STATED]
        self._flags = [
            row for row in events.to_pylist() if row["kind"] == "device_flag" and row["detail"] == POWER_FAIL
        ]

    def _feeder_of(self, channel: int, feeders: dict[str, set[str]]) -> tuple[str, str]:
        """Name a channel's feeder: the nearest place above that one of its commodity leads into, else its building."""
        commodity, place = self._meaning.commodity[channel], self._place[channel]
        fed = next((here for here in self._tree.path(place) if here in feeders.get(commodity, ())), None)
        return commodity, fed or self._tree.nearest(place, "building")

    def found(self, block: Sheet, unit_us: tuple[int, int], since_us: I64) -> Iterator[Hole]:
        """Tell what each hole of a block was that reaches into a unit [low, high); of channels from `since_us` on each.

        A hole that still goes on at the block's end is none yet: the channel is silent.
        """
        here = block.here | (block.present & held(block.quality, EDITED))
        holes = self._spans(block, here, unit_us, since_us)
        if not len(holes.row):
            return
        feeders = [self._feeder[number] for number in block.channels.tolist()]
        members: dict[tuple[str, str], list[int]] = {}
        for row, feeder in enumerate(feeders):
            members.setdefault(feeder, []).append(row)
        own = {(int(r), int(f)): int(m) for r, f, m in zip(holes.row, holes.first, holes.moved, strict=True)}
        known: dict[tuple[tuple[str, str], int, int], tuple[I64, I64]] = {}
        for row, first, last, moved in zip(holes.row, holes.first, holes.last, holes.moved, strict=True):
            span = (int(first), int(last) + 1)
            key = (feeders[int(row)], *span)
            if key not in known:
                known[key] = self._neighbours(block, here, np.array(members[key[0]], np.int64), span, own)
            around = self._around(block, int(row), span, int(moved), known[key])
            low, high = (block.start_us + column * block.cadence_us for column in span)
            yield Hole(int(block.channels[row]), low, high, tell_apart(around))

    def contradicted(self, block: Sheet, unit_us: tuple[int, int]) -> Iterator[Against]:
        """Give the use of a unit [low, high) that was measured, and is not doubted, while supply is said to be away.

        Only intervals that lie in the event count; where another event says something else of a channel, none does.
        """
        for event in self._stated:
            low = max(int(event["from_us"]), unit_us[0])
            high = unit_us[1] if event["until_us"] is None else min(int(event["until_us"]), unit_us[1])
            first = max(-((block.start_us - low) // block.cadence_us), 0)
            end = min((high - block.start_us) // block.cadence_us, block.value.shape[1])
            if STATED[event["kind"]] != SUPPLY or end <= first:
                continue
            for row, number in enumerate(block.channels.tolist()):
                if number not in self._fed or not self._of(event, number):
                    continue
                amount = block.amount[row, first:end] * ~QUESTIONABLE[block.quality[row, first:end]]
                at = np.flatnonzero(amount)
                if len(at) and self._said(self._stated, number, low, high) == SUPPLY:
                    since, until = (block.start_us + (first + int(c)) * block.cadence_us for c in (at[0], at[-1] + 1))
                    yield Against(number, since, until, int(event["id"]), amount[at])

    def _spans(self, block: Block, here: Mask, unit_us: tuple[int, int], since_us: I64) -> Spans:
        """Find the holes: long enough, ended, begun after the channel was first heard, and reaching into the unit."""
        row, first, last = spans(~here, LEAST_SLOTS)
        low = block.start_us + first.astype(np.int64) * block.cadence_us
        high = block.start_us + (last.astype(np.int64) + 1) * block.cadence_us
        keep = (high > unit_us[0]) & (low < unit_us[1]) & (low > since_us[row]) & (last < here.shape[1] - 1)
        row, first, last = (one[keep].astype(np.int64) for one in (row, first, last))
        estimated = block.present & of_kind("estimated")[block.quality]
        counted = estimated & ((self._meaning.kind[block.channels] == REGISTER)[:, None] | TOTALLED[block.quality])
        moved = np.full(len(row), -1, np.int64)
        for place in range(len(row)):
            span = slice(int(first[place]), int(last[place]) + 1)
            if counted[row[place], span].all():
                moved[place] = abs(int(block.value[row[place], span].sum()))
        return Spans(row, first, last, moved)

    def _neighbours(
        self, block: Block, here: Mask, rows: I64, span: tuple[int, int], moved: dict[tuple[int, int], int]
    ) -> tuple[I64, I64]:
        """Give the rows on a feeder, and what each did in a span.

        1: used; 0: at zero, though it usually uses then; 2: silent, its register moved; 3: silent, its register stood
        still; 4: silent; -1: heard too little, or usually at zero then.
        """
        low, high = span
        heard = here[rows, low:high]
        state = np.full(len(rows), -1, np.int64)
        enough = heard.sum(axis=1) * HALF >= high - low
        used = (block.value[rows, low:high] * heard).any(axis=1)
        state[enough & used] = 1
        idle = enough & ~used
        if idle.any():
            usual = self._usual(block, here, rows[idle], span)
            state[np.flatnonzero(idle)[usual]] = 0
        for place in np.flatnonzero(~heard.any(axis=1)).tolist():
            total = moved.get((int(rows[place]), low), -1)
            state[place] = 4 if total < 0 else 2 if total else 3
        return rows, state

    def _usual(self, block: Block, here: Mask, rows: I64, span: tuple[int, int]) -> Mask:
        """Mark the rows that at this time of day used something on most other days of the block."""
        low, high = span
        slots = np.unique(block.slot_of[low:high])
        same = np.isin(block.slot_of, slots)
        same[low:high] = False
        columns = np.flatnonzero(same)
        if not len(columns):
            return np.zeros(len(rows), np.bool_)
        heads = np.flatnonzero(np.diff(block.day_of[columns], prepend=-1))
        some = np.add.reduceat((block.value[np.ix_(rows, columns)] * here[np.ix_(rows, columns)]) != 0, heads, axis=1)
        days = np.logical_or.reduceat(here[np.ix_(rows, columns)], heads, axis=1)
        return (some > 0).sum(axis=1) * HALF > days.sum(axis=1)

    def _around(self, block: Block, row: int, span: tuple[int, int], moved: int, near: tuple[I64, I64]) -> Around:
        """Put together what stands beside one hole."""
        low, high = (block.start_us + column * block.cadence_us for column in span)
        channel = int(block.channels[row])
        rows, state = near
        others = state[rows != row]
        count = {number: int((others == number).sum()) for number in range(5)}
        return Around(
            stated=self._said(self._stated, channel, low, high),
            flagged=bool(self._said(self._flags, channel, low, high)),
            own_total=None if moved < 0 else moved,
            at_zero=count[0],
            using=count[1],
            silent=count[2] + count[3] + count[4],
            silent_moved=count[2],
            silent_still=count[3],
        )

    def _said(self, events: Sequence[Event], channel: int, low: int, high: int) -> str:
        """Give what events that touch a span say of a channel, itself or by its place; the last one counts."""
        said = ""
        for row in events:
            until = row["until_us"]
            if self._of(row, channel) and int(row["from_us"]) < high and (until is None or int(until) > low):
                said = STATED.get(row["kind"], POWER_FAIL)
        return said

    def _of(self, event: Event, channel: int) -> bool:
        """Tell whether an event was stated of a channel, itself or by its place."""
        if event["channel"] is not None:
            return event["channel"] == channel
        return event["place"] in self._tree.path(self._place[channel])
