"""Spans of rejected values and how far back they must be seen: what stands in for one depends on all of it.

An estimate depends on where its span begins and how long it is, so a derivation that trusts what stands before some
moment must not begin inside of a span.
"""

import dataclasses
from typing import Any

import numpy as np

from quintet.vee import Rules

from .days import REJECTED, judged_alone
from .difference import ESTIMATED
from .meaning import Meaning
from .rows import I64, MOST_AMOUNT, IntervalRows, Mask
from .shapes import Derived, Findings, Gaps


def refused(rows: IntervalRows, meaning: Meaning, rules: Rules) -> Mask:
    """Mark derived intervals that will be rejected: too large for any meter, or by a rule.

    Rules that reject look at each interval by itself.
    """
    bad = np.abs(rows.value) > MOST_AMOUNT
    return bad | (judged_alone(rows, meaning, rules) == REJECTED)


def crossing(trust_us: I64, cadence_us: I64, derived: Derived, bad: Mask, stored: IntervalRows, longest_us: int) -> I64:
    """Find channels (by number in `derived`) of which a span of rejected values begins unseen before `trust_us`.

    Before it only what stands is known: an estimate may stand in for a rejected value or for a missing one; a rejected
    value that stands as such is one. More than `longest_us` of those is never estimated, wherever it begins. `stored`
    numbers channels as `derived` does.
    """
    trust, cadence = trust_us[derived.channel], cadence_us[derived.channel]
    first = (derived.start_us >= trust) & (derived.start_us < trust + cadence)
    edge = np.flatnonzero(first & (bad | shared(derived, first, stored, trust_us, cadence_us)))
    out: list[int] = []
    for own, start, step in zip(
        derived.channel[edge].tolist(), derived.start_us[edge].tolist(), cadence[edge].tolist(), strict=True
    ):
        low, high = np.searchsorted(stored.channel, [own, own + 1])
        high = low + np.searchsorted(stored.start_us[low:high], start)
        low = max(low, high - longest_us // step - 1)
        at_us, quality = stored.start_us[low:high][::-1], stored.quality[low:high][::-1]
        joined = at_us == start - step * np.arange(1, len(at_us) + 1)
        other = np.flatnonzero(~joined | (quality != REJECTED))
        if len(other) and joined[other[0]] and ESTIMATED[quality[other[0]]]:
            out.append(own)
    return np.array(out, np.int64)


def shared(derived: Derived, first: Mask, stored: IntervalRows, trust_us: I64, cadence_us: I64) -> Mask:
    """Mark measured intervals right at `trust_us` in whose place an estimate stands: the hole before them shared it.

    That is the jump with which a meter came back (judge.returns); it can only be told with its hole in view.
    """
    out = np.zeros(len(first), np.bool_)
    trust, cadence = trust_us[stored.channel], cadence_us[stored.channel]
    there = (ESTIMATED[stored.quality] > 0) & (stored.start_us >= trust) & (stored.start_us < trust + cadence)
    if there.any():
        own = np.zeros(len(trust_us), np.bool_)
        own[stored.channel[there]] = True
        out[first] = own[derived.channel[first]]
    return out


def chosen(derived: Derived, keep: Mask) -> Derived:
    """Give what was derived of the channels that `keep` marks, numbered anew."""
    number = (np.cumsum(keep) - 1).astype(np.int32)

    def own(part: Derived | Gaps | Findings, names: list[str]) -> dict[str, Any]:
        rows = keep[part.channel]
        columns = {name: getattr(part, name)[rows] for name in names}
        return {**columns, "channel": number[columns["channel"]]}

    gaps = Gaps(**own(derived.gaps, [f.name for f in dataclasses.fields(Gaps)]))
    findings = Findings(**own(derived.findings, [f.name for f in dataclasses.fields(Findings)]))
    return dataclasses.replace(
        derived, **own(derived, ["channel", "start_us", "value", "quality"]), gaps=gaps, findings=findings
    )
