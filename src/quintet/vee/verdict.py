"""The verdict of one rule on one channel, with the figures it used: pass, fail, flag or skip."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.errors import BadInput
from quintet.terms.quality import qualities

from .beside import NONE_BESIDE, Beside
from .block import Block, Kind, Traits
from .checks import CHECKS, UNKNOWN
from .figures import FIGURES
from .found import Figure
from .period import period_slab
from .period_checks import PERIOD
from .rulebook import Rule, Rules
from .validation import slab_of

PASS, FAIL, FLAG, SKIP = "pass", "fail", "flag", "skip"
NOTHING_THERE = "Nothing was measured that could be judged."
MOST = 2**60
"""Amounts stay under this magnitude (block.py)."""


@dataclass(frozen=True)
class Sample:
    """One channel's amounts to be tried: sub-units, None where missing, `cadence_us` apart from `start_us` on.

    `plate_max_per_hour` in sub-units an hour, None where unknown.
    """

    kind: Kind
    values: Sequence[int | None]
    cadence_us: int
    start_us: int
    tz: ZoneInfo
    plate_max_per_hour: int | None = None

    def block(self) -> Block:
        """Give a block of one row in which every local day counts as whole, however few values stand for it."""
        for place, value in enumerate(self.values):
            if value is not None and abs(value) >= MOST:
                raise BadInput("is beyond what any meter shows.", code="too_large", place=f"value {place + 1}")
        present = np.array([[value is not None for value in self.values]], np.bool_).reshape(1, -1)
        value = np.array([[value or 0 for value in self.values]], np.int64).reshape(1, -1)
        quality = np.full(value.shape, qualities()["valid"].id, np.uint8)
        numbers = np.zeros(1, np.int32)
        block = Block.of(self.start_us, self.cadence_us, numbers, (value, quality, present), self.tz)
        return dataclasses.replace(block, whole_day=np.ones_like(block.whole_day))

    def traits(self) -> Traits:
        """Describe the row."""
        plate = UNKNOWN if self.plate_max_per_hour is None else self.plate_max_per_hour
        return Traits([self.kind], np.zeros(1, np.int32), np.array([plate], np.int64))


@dataclass(frozen=True)
class Verdict:
    """What a rule says of one channel: `figures` by name (form and number), `at` the places it objects to.

    `why` says in words why nothing was judged, else it is empty.
    """

    rule: str
    verdict: str
    figures: dict[str, tuple[str, Any]]
    at: list[int]
    why: str = ""


def judge_sample(rule: Rule, sample: Sample, beside: Beside = NONE_BESIDE) -> Verdict:
    """Judge one channel by one rule of CHECKS or PERIOD: the function that judges a city's channels.

    Gives `fail` where the rule hits, `flag` where all hits lie in its middle zone, `skip` where there was nothing to
    judge. Raises BadInput for a rule that is found upstream, or facts that do not fit the values.
    """
    settings = rule.settings(sample.kind)
    if settings is None:
        return Verdict(rule.id, SKIP, {}, [], f"{rule.id} does not apply to {describe(sample.kind)}.")
    block, traits, own = sample.block(), sample.traits(), np.zeros(1, np.int64)
    beside.refuse_misfit(*block.value.shape)
    if rule.id in PERIOD:
        slab = period_slab(block, traits, own, block.whole_days())
        found = PERIOD[rule.id].function(slab, settings, beside)
        spans, judged, figures = found.spans, bool(found.judged[0]), found.figures()
        middle = found.middle is not None and len(found.middle) > 0 and bool(found.middle.all())
    elif rule.id in CHECKS:
        slab = slab_of(block, traits, own, block.whole_days())
        spans, middle = CHECKS[rule.id].function(slab, settings), False
        fine, figures = FIGURES[rule.id](slab, settings)
        judged = bool(fine[0])
    else:
        raise BadInput("is found while readings become intervals.", code="upstream_rule", place=f"rule {rule.id}")
    at = sorted({place for first, last in zip(spans[1], spans[2], strict=True) for place in range(first, last + 1)})
    word = (FLAG if middle else FAIL) if len(spans[0]) else PASS if judged else SKIP
    why = "" if word != SKIP else rule.skip_en or NOTHING_THERE
    return Verdict(rule.id, word, first_row(figures), at, why)


def first_row(figures: Any) -> dict[str, tuple[str, Any]]:
    """Give the figures of the first row as plain numbers."""
    out: dict[str, tuple[str, Any]] = {}
    for name, figure in figures.items():
        assert isinstance(figure, Figure)
        value = figure.values[0]
        out[name] = (figure.form, int(value) if isinstance(value, np.integer) else value)
    return out


def describe(kind: Kind) -> str:
    """Say what a channel is."""
    return f"{kind.commodity} {kind.role} ({kind.quantity})"


def candidates(rules: Rules, code: str) -> list[Rule]:
    """List the rules that a code means: itself, or all of its parts (V12: V12_negative, V12_reverse, ..)."""
    if code in rules.index:
        return [rules[code]]
    return [rule for rule in rules.rules if rule.id.startswith(f"{code}_")]


def as_number(form: str, value: Any, ratio: Fraction, cadence_us: int) -> Any:
    """Give a figure in the units that people read: amounts in the unit of `ratio`; minutes, K, m3, kvarh."""
    if value is None or form == "text":
        return value
    scale = {
        "amount": 1 / ratio,
        "rate": Fraction(3_600_000_000, cadence_us) / ratio,
        "duration": Fraction(1, 60_000_000),
        "kelvin": Fraction(1, 1000),
        "volume": Fraction(1, 1_000_000),
        "reactive": Fraction(1, 1_000_000),
    }.get(form, Fraction(1))
    return Fraction(value) * scale
