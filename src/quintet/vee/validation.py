"""Validation of a block: every rule of the table, slab by slab; values are never changed."""

from collections.abc import Iterator

import numpy as np

from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities

from .block import Block, Bytes, Findings, Ids, Ints, Kind, Mask, Traits, cells, measured_ids
from .checks import CHECKS, Slab
from .found import Spans
from .rulebook import Planned, Rules

SLAB_INTERVALS = 1_000_000
"""Intervals judged at once: 8 MB of amounts. Of 200,000 one thread judges a tenth fewer a second, two threads a third:
the smaller the steps, the more of the time goes into waiting for the interpreter's lock."""


def validate(block: Block, traits: Traits, rules: Rules, *, alone: bool = False) -> tuple[Bytes, Findings]:
    """Judge every measured interval of a block (m x n) by every rule that applies to its channel.

    Gives the new qualities (uint8, m x n) and the findings. `reject` rules judge first, each on what came in; all
    others judge what is left, so an absurd value cannot hide a doubtful one, and the order of the table never matters.
    A rejected value becomes `rejected`; a flagged one `questionable` only where it was `valid`. Estimated and edited
    values are never judged. With `alone` only the rules that look at each interval by itself judge. Raises BadInput
    when traits and block do not fit.
    """
    if any(len(column) != len(block.channels) for column in (traits.kind_of, traits.plate_max_per_hour)):
        raise BadInput(f"traits do not fit {len(block.channels)} channels.", code="bad_block")
    quality = block.quality.copy()
    days = block.whole_days()
    parts: list[tuple[Spans, int]] = []
    for kind, rows in kinds_of(traits):
        plan = [one for one in rules.plan(kind) if not alone or CHECKS[one[1].id].reach == "interval"]
        for chunk in chunks(rows, len(block.day_of)):
            slab = slab_of(block, traits, chunk, days)
            own = quality[chunk]
            parts += _judge(slab, own, chunk, plan)
            quality[chunk] = own
    return quality, _findings(parts)


def _judge(slab: Slab, quality: Bytes, chunk: Ints, plan: list[Planned]) -> list[tuple[Spans, int]]:
    """Judge one slab, rejecting rules first; changes `quality` (the slab's copy) and gives findings by block row."""
    rejected, questionable = qualities()["rejected"].id, qualities()["questionable"].id
    out: list[tuple[Spans, int]] = []
    first = [CHECKS[rule.id].function(slab, s) for _, rule, s in plan if rule.severity == "reject"]
    hits = dict(zip([index for index, rule, _ in plan if rule.severity == "reject"], first, strict=True))
    for spans in first:
        at = _cells(spans, slab.judged)
        quality[at], slab.judged[at], slab.value[at] = rejected, False, 0
    for index, rule, settings in plan:
        if rule.severity == "reject":
            continue
        hits[index] = CHECKS[rule.id].function(slab, settings)
        if rule.severity == "flag":
            row, column = _cells(hits[index], slab.judged)
            doubtful = quality[row, column] == qualities()["valid"].id
            quality[row[doubtful], column[doubtful]] = questionable
    for index, (row, start, end) in hits.items():
        if len(row):
            out.append(((chunk[row].astype(np.int32), start, end), index))
    return out


def _cells(spans: Spans, judged: Mask) -> tuple[Ints, Ints]:
    """Give the judged cells of some spans."""
    row, column = cells(spans[0], spans[1], spans[2] - spans[1] + 1)
    own = judged[row, column]
    return row[own], column[own]


def kinds_of(traits: Traits) -> Iterator[tuple[Kind, Ints]]:
    """Give the rows of a block by what they are."""
    counts = np.bincount(traits.kind_of, minlength=1)
    order = np.argsort(traits.kind_of, kind="stable")
    ends = np.cumsum(counts)
    for place in np.flatnonzero(counts).tolist():
        yield traits.kinds[place], order[ends[place] - counts[place] : ends[place]]


def chunks(rows: Ints, columns: int) -> Iterator[Ints]:
    """Cut rows into slabs that fit the cache."""
    size = max(SLAB_INTERVALS // max(columns, 1), 1)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def slab_of(block: Block, traits: Traits, chunk: Ints, days: list[tuple[int, int]]) -> Slab:
    """Copy some rows out of a block, with 0 where nothing may be judged."""
    judged = block.present[chunk] & measured_ids()[block.quality[chunk]]
    value = block.value[chunk]
    if not judged.all():
        value *= judged
    return Slab(value, judged, traits.plate_max_per_hour[chunk], block.cadence_us, days)


def _findings(parts: list[tuple[Spans, int]]) -> Findings:
    """Join the findings of all slabs, in order of row, first column, rule."""
    none = np.zeros(0, np.int32)
    row, first, last = (np.concatenate([none, *(spans[place] for spans, _ in parts)]) for place in range(3))
    index: Ids = np.repeat(np.array([i for _, i in parts], np.int32), [len(spans[0]) for spans, _ in parts])
    order = np.lexsort((index, first, row))
    return Findings(row[order], first[order], last[order], index[order])
