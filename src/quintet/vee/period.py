"""Judging a period: the rules that need history, companions or facts beside the values; they change nothing."""

import dataclasses

import numpy as np

from quintet.terms.errors import BadInput

from .beside import NONE_BESIDE, Beside
from .block import Block, Findings, Ids, Ints, Mask, Traits, of_kind
from .checks import Slab
from .found import Found
from .period_checks import PERIOD
from .rulebook import Rules
from .validation import chunks, kinds_of


def judge_period(block: Block, traits: Traits, rules: Rules, beside: Beside = NONE_BESIDE) -> Findings:
    """Judge whole channels over a period (m x n) by every rule of reach "period" that applies to them.

    `beside` holds what is known of the same rows; a rule skips the rows of which it knows too little. Measured values
    count, edited ones among them; estimates and rejected values do not. Gives findings sorted by row, first column and
    rule, with `middle` where a rule has a middle zone. Raises BadInput when the parts do not fit together.
    """
    rows, columns = block.value.shape
    if any(len(column) != rows for column in (traits.kind_of, traits.plate_max_per_hour)):
        raise BadInput(f"traits do not fit {rows} channels.", code="bad_block")
    beside.refuse_misfit(rows, columns)
    days = block.whole_days()
    parts: list[tuple[Ints, Found, int]] = []
    for kind, own in kinds_of(traits):
        plan = rules.period_plan(kind)
        for chunk in chunks(own, columns) if plan else ():
            slab = period_slab(block, traits, chunk, days)
            facts = with_estimates(block, beside, chunk)
            for index, rule, settings in plan:
                found = PERIOD[rule.id].function(slab, settings, facts)
                if len(found.spans[0]):
                    parts.append((chunk, found, index))
    return _findings(parts)


def period_slab(block: Block, traits: Traits, chunk: Ints, days: list[tuple[int, int]]) -> Slab:
    """Copy some rows out of a block, with 0 where nothing was measured (an edited value counts as measured)."""
    judged = block.present[chunk] & of_kind("measured")[block.quality[chunk]]
    return Slab(block.value[chunk] * judged, judged, traits.plate_max_per_hour[chunk], block.cadence_us, days)


def with_estimates(block: Block, beside: Beside, chunk: Ints) -> Beside:
    """Give what stands beside some rows, and which of their intervals are estimated."""
    estimated = block.present[chunk] & of_kind("estimated")[block.quality[chunk]]
    return dataclasses.replace(beside.take(chunk), estimated=estimated)


def _findings(parts: list[tuple[Ints, Found, int]]) -> Findings:
    """Join what was found, by block row, in order of row, first column, rule."""
    none = np.zeros(0, np.int32)
    row: Ids = np.concatenate([none, *(chunk[found.spans[0]].astype(np.int32) for chunk, found, _ in parts)])
    first, last = (np.concatenate([none, *(found.spans[end] for _, found, _ in parts)]) for end in (1, 2))
    middle: Mask = np.concatenate([np.zeros(0, np.bool_), *(_middle(found) for _, found, _ in parts)])
    index: Ids = np.repeat(np.array([i for _, _, i in parts], np.int32), [len(f.spans[0]) for _, f, _ in parts])
    order = np.lexsort((index, first, row))
    return Findings(row[order], first[order], last[order], index[order], middle[order])


def _middle(found: Found) -> Mask:
    """Mark the spans that lie in a middle zone."""
    return np.zeros(len(found.spans[0]), np.bool_) if found.middle is None else found.middle
