"""Assigned estimates: for holes that a channel's own readings leave open, or say less of, what other meters know.

Gathers for a week of a block what vee/others.py asks for, and gives the intervals that are to stand as assigned. Only
measured values are lent; what was assigned before is not looked at, so the answer is a function of the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quintet.pipeline.difference import ASSIGNED, BENEATH, OF_RUNS, TOLD
from quintet.pipeline.meaning import Meaning
from quintet.pipeline.rows import I32, I64, IntervalRows, Mask
from quintet.registry import Registry
from quintet.store.engine import Engine, Snapshot
from quintet.store.read import intervals
from quintet.store.runs import beneath_assigned
from quintet.vee import Block, Gaps, spans
from quintet.vee.alike import like_days_in
from quintet.vee.block import of_kind
from quintet.vee.estimation import estimate_with
from quintet.vee.guess import Known, Others
from quintet.vee.outages import SUPPLY

from .vee_evidence import Companions, columns_of
from .vee_gaps import EDITED, REGISTER, TOTALLED, Hole
from .vee_homes import Homes
from .vee_load import LARGEST, Sheet, blocks, held

LEAST_PEERS = 5
"""Fewer meters are no class, and fewer homes no block: their mean would tell of one of them."""
SAME_SIZE_PERCENT = 10
"""Homes are of the same size when their floor areas differ by no more than this share."""
MONTHS_DAYS = 400
"""The legal estimates look back over the same month of the year before: 13 months."""


@dataclass(frozen=True)
class Wanted:
    """What is to stand as assigned in a week of some channels, and what stands there as such now."""

    rows: IntervalRows
    standing: IntervalRows


class Assigner:
    """Works out assigned estimates, week by week and block by block."""

    def __init__(
        self,
        engine: Engine,
        snapshot: Snapshot,
        registry: Registry,
        meaning: Meaning,
        companions: Companions,
        homes: Homes,
    ) -> None:
        """Read through a snapshot, with the registry's relations as they stand."""
        self._engine, self._snapshot, self._meaning = engine, snapshot, meaning
        self._companions, self._homes = companions, homes
        tree = registry.tree
        numbers = registry.channels()["channel"].to_pylist()
        place = {number: registry.place_of(number) for number in numbers}
        self._complex = {number: tree.nearest(place[number], "complex") for number in numbers}
        self._area = {number: tree.bodies.get(place[number], {}).get("floor_area_m2") for number in numbers}

    def wanted(self, block: Sheet, holes: Sequence[Hole], unit_us: tuple[int, int], older_us: int) -> Wanted:
        """Give what is to stand in a week [low, high) of a block; `older_us`: the city has nothing before that."""
        own = columns_of(block, *unit_us)
        inside = np.zeros(block.value.shape, np.bool_)
        inside[:, own] = True
        standing = cells_of(block, inside & block.present & held(block.quality, OF_RUNS))
        open_ = ~block.here & ~(block.present & (held(block.quality, EDITED) | (block.quality == TOLD)))
        rows = np.flatnonzero((open_ & inside).any(axis=1) & block.here.any(axis=1))
        if not len(rows):
            return Wanted(standing.take(np.zeros(0, np.int64)), standing)
        part: Block = block.rows(rows)
        part = self._as_derived(part)
        gaps = self._gaps(part, open_[rows])
        others = self._others(block, rows, part, gaps, holes)
        history = self._history(part, gaps, older_us)
        subjects = self._meaning.subjects(part.channels.tolist())
        stands = part.quality * part.present
        value, quality = estimate_with(
            part,
            gaps,
            others,
            history=history,
            alike=like_days_in(self._engine.tz.key),
            order=self._meaning.order,
            subjects=subjects,
            stands=stands,
        )
        found = ASSIGNED[quality] & open_[rows] & inside[rows]
        return Wanted(cells_of(replace(part, value=value, quality=quality, present=quality > 0), found), standing)

    def beneath(self, rows: IntervalRows) -> IntervalRows:
        """Give what the evidence has for intervals that are to be taken back, as far as it has anything."""
        if not len(rows):
            return rows
        low, high = int(rows.start_us.min()), int(rows.start_us.max()) + 1
        table = beneath_assigned(self._engine, self._snapshot, low, high, np.unique(rows.channel))
        columns = (table[name].to_numpy() for name in ("channel", "start_us", "value", "quality"))
        found = IntervalRows(*columns)
        mine, theirs = (one.channel * np.int64(high - low) + (one.start_us - low) for one in (rows, found))
        found = found.take(np.isin(theirs, mine))
        return IntervalRows(found.channel, found.start_us, found.value, BENEATH[found.quality])

    def _as_derived(self, block: Block) -> Block:
        """Give a block as the evidence alone has it: what is assigned gives way to what stands beneath."""
        assigned = block.present & OF_RUNS[block.quality]
        rows = np.flatnonzero(assigned.any(axis=1))
        if not len(rows):
            return block
        value, quality = np.where(assigned, 0, block.value), np.where(assigned, 0, block.quality).astype(np.uint8)
        channels = block.channels[rows]
        table = beneath_assigned(self._engine, self._snapshot, block.start_us, block.end_us, channels)
        row = np.searchsorted(block.channels, table["channel"].to_numpy())
        column = (table["start_us"].to_numpy() - block.start_us) // block.cadence_us
        put = assigned[row, column]
        value[row[put], column[put]] = table["value"].to_numpy()[put]
        quality[row[put], column[put]] = table["quality"].to_numpy()[put]
        return replace(block, value=value, quality=quality, present=quality > 0)

    def _gaps(self, block: Block, open_: Mask) -> Gaps:
        """Give the gaps of a block, with what was counted over them where that is known."""
        row, first, last = spans(open_)
        length = (last - first + 1).astype(np.int32)
        total, has_total = np.zeros(len(row), np.int64), np.zeros(len(row), np.bool_)
        register = (self._meaning.kind[block.channels] == REGISTER)[:, None]
        counted = block.present & of_kind("estimated")[block.quality] & (register | TOTALLED[block.quality])
        for place in range(len(row)):
            span = slice(int(first[place]), int(last[place]) + 1)
            if counted[row[place], span].all():
                has_total[place], total[place] = True, int(block.value[row[place], span].sum())
        return Gaps(row, first, length, total, has_total)

    def _others(self, whole: Sheet, rows: I64, part: Block, gaps: Gaps, holes: Sequence[Hole]) -> Others:
        """Gather what other meters know of the gaps' rows."""
        outage = np.zeros(part.value.shape, np.bool_)
        place = {int(number): row for row, number in enumerate(part.channels.tolist())}
        for hole in holes:
            if hole.outage.verdict == SUPPLY and hole.channel in place:
                outage[place[hole.channel], columns_of(part, hole.from_us, hole.until_us)] = True
        parents = {
            row: found
            for row, number in enumerate(part.channels.tolist())
            if (found := self._homes.parent_of(self._meaning.commodity[number], number)) is not None
        }
        checks = {
            row: [self._companions.check[number]]
            for row, number in enumerate(part.channels.tolist())
            if number in self._companions.check
        }
        siblings = {row: [one for one in all_ if one != part.channels[row]] for row, (_, all_) in parents.items()}
        open_rows = np.unique(gaps.row[~gaps.has_total])
        return Others(
            outage=outage if outage.any() else None,
            check=self._of_meters(part, checks),
            parent=self._of_meters(part, {row: [main] for row, (main, _) in parents.items()}),
            siblings=self._of_meters(part, siblings),
            profile=self._peers(whole, rows, part, open_rows, same_size=False),
            homes=self._peers(whole, rows, part, open_rows, same_size=True),
        )

    def _of_meters(self, block: Block, meters: Mapping[int, Sequence[int]]) -> Known | None:
        """Sum up other meters of the same grid for some rows; known where all of them were measured."""
        fits = {
            row: [int(one) for one in ones]
            for row, ones in meters.items()
            if all(int(self._meaning.cadence_us[one]) == block.cadence_us for one in ones)
        }
        if not fits:
            return None
        value, count = np.zeros(block.value.shape, np.int64), np.zeros(block.value.shape, np.int32)
        needed = np.unique(np.array([one for ones in fits.values() for one in ones], np.int32))
        if len(needed):
            table = intervals(self._engine, self._snapshot, block.start_us, block.end_us, channels=needed)
            sure = of_kind("measured")[table["quality"].to_numpy()]
            sure &= np.abs(table["value"].to_numpy()) <= LARGEST
            channel, start, amount = (table[name].to_numpy()[sure] for name in ("channel", "start_us", "value"))
            on_grid = (start - block.start_us) % block.cadence_us == 0
            channel, amount = channel[on_grid], amount[on_grid]
            column = (start[on_grid] - block.start_us) // block.cadence_us
            for row, ones in fits.items():
                for one in ones:
                    mine = channel == one
                    value[row, column[mine]] += amount[mine]
                    count[row, column[mine]] += 1
        wanted = np.full(len(block.channels), -1, np.int32)
        for row, ones in fits.items():
            wanted[row] = len(ones)
        return Known(value, count == wanted[:, None])

    def _peers(self, whole: Sheet, rows: I64, part: Block, open_rows: I32, *, same_size: bool) -> Known | None:
        """Give the mean of measured meters of the same kind and complex, and of the same size where that is asked."""
        traits = self._meaning.traits(whole.channels)
        here, amount = whole.here, whole.amount
        value, known = np.zeros(part.value.shape, np.int64), np.zeros(part.value.shape, np.bool_)
        complexes = np.array([self._complex[number] for number in whole.channels.tolist()], dtype=object)
        areas = np.array([self._area[number] or 0.0 for number in whole.channels.tolist()])
        for row in open_rows.tolist():
            at = int(rows[row])
            peers = (traits.kind_of == traits.kind_of[at]) & (complexes == complexes[at])
            peers[at] = False
            if same_size:
                if not areas[at]:
                    continue
                peers &= np.abs(areas - areas[at]) * 100 <= areas[at] * SAME_SIZE_PERCENT
            own = np.flatnonzero(peers)
            if len(own) < LEAST_PEERS:
                continue
            count = here[own].sum(axis=0)
            known[row] = count >= LEAST_PEERS
            value[row] = np.where(known[row], amount[own].sum(axis=0) // np.maximum(count, 1), 0)
        return Known(value, known) if known.any() else None

    def _history(self, block: Block, gaps: Gaps, older_us: int) -> Block | None:
        """Read thirteen months before a block, of rows with gaps in which nothing stands; None where nothing is."""
        if older_us >= block.start_us or not len(gaps):
            return None
        empty = [
            int(block.channels[row])
            for row, first, length in zip(gaps.row.tolist(), gaps.first.tolist(), gaps.length.tolist(), strict=True)
            if not block.present[row, first : first + length].all()
        ]
        if not empty:
            return None
        low = max(block.start_us - MONTHS_DAYS * 86_400_000_000, older_us)
        channels = np.unique(np.array(empty, np.int32))
        found = list(blocks(self._engine, self._snapshot, self._meaning, channels, low, block.start_us))
        return found[0] if len(found) == 1 else None


def laid_over(block: Block, rows: IntervalRows) -> None:
    """Write intervals into a block's own arrays, where a row and a column of it hold them."""
    row = np.searchsorted(block.channels, rows.channel)
    column = (rows.start_us - block.start_us) // block.cadence_us
    block.value[row, column], block.quality[row, column] = rows.value, rows.quality
    block.present[row, column] = rows.quality > 0


def cells_of(block: Block, mask: Mask) -> IntervalRows:
    """Give some cells of a block as intervals."""
    row, column = np.nonzero(mask)
    start = block.start_us + column.astype(np.int64) * block.cadence_us
    return IntervalRows(block.channels[row], start, block.value[row, column], block.quality[row, column])


def without(rows: IntervalRows, others: IntervalRows) -> IntervalRows:
    """Give the rows whose channel and start none of the others has."""
    mine = {key: at for at, key in enumerate(zip(rows.channel.tolist(), rows.start_us.tolist(), strict=True))}
    for key in zip(others.channel.tolist(), others.start_us.tolist(), strict=True):
        mine.pop(key, None)
    return rows.take(np.array(sorted(mine.values()), np.int64))
