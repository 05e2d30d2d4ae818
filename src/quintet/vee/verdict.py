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
from .period_checks import PERIOD, PeriodCheck
from .rulebook import Rule, Rules
from .validation import slab_of

PASS, FAIL, FLAG, SKIP = "pass", "fail", "flag", "skip"
NOTHING_THERE = "Nothing was measured that could be judged."
NO_WHOLE_DAY = "The values cover no whole local day (from --start on, by --interval)."
AMOUNTS = ("amount", "rate")
"""Forms of thresholds that are counted in sub-units."""
LOOKS_BACK, COUNTS_DAYS, COUNTS_HOURS = "history", "days", "flag_hours"
"""The thresholds by which a rule looks back over days, counts them, or counts hours in a row wherever they begin."""
MOST = 2**60
"""Amounts stay under this magnitude (block.py)."""


@dataclass(frozen=True)
class Sample:
    """One channel's amounts to be tried: sub-units, None where missing, `cadence_us` apart from `start_us` on.

    `plate_max_per_hour` in sub-units an hour, None where unknown. Amounts may be given in parts of a sub-unit, `fine`
    of them in one; so must all that stands beside them.
    """

    kind: Kind
    values: Sequence[int | None]
    cadence_us: int
    start_us: int
    tz: ZoneInfo
    plate_max_per_hour: int | None = None
    fine: int = 1

    def block(self, *, part_of_days: bool = True) -> Block:
        """Give a block of one row; with `part_of_days` a local day counts as whole, however few values stand for it."""
        for place, value in enumerate(self.values):
            if value is not None and abs(value) >= MOST:
                raise BadInput("is beyond what any meter shows.", code="too_large", place=f"value {place + 1}")
        present = np.array([[value is not None for value in self.values]], np.bool_).reshape(1, -1)
        value = np.array([[value or 0 for value in self.values]], np.int64).reshape(1, -1)
        quality = np.full(value.shape, qualities()["valid"].id, np.uint8)
        numbers = np.zeros(1, np.int32)
        block = Block.of(self.start_us, self.cadence_us, numbers, (value, quality, present), self.tz)
        return dataclasses.replace(block, whole_day=np.ones_like(block.whole_day)) if part_of_days else block

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


def judge_sample(rule: Rule, sample: Sample, beside: Beside = NONE_BESIDE, past: int = 0) -> Verdict:
    """Judge one channel by one rule of CHECKS or PERIOD: the function that judges a city's channels.

    Gives `fail` where the rule hits, `flag` where all hits lie in its middle zone, `skip` where there was nothing to
    judge. The first `past` values are only looked back at; places are counted from the first after them. Raises
    BadInput for a rule that is found upstream, or facts that do not fit the values.
    """
    settings = rule.settings(sample.kind)
    if settings is None:
        return Verdict(rule.id, SKIP, {}, [], f"{rule.id} does not apply to {describe(sample.kind)}.")
    check = CHECKS.get(rule.id) or PERIOD.get(rule.id)
    if check is None:
        raise BadInput("is found while readings become intervals.", code="upstream_rule", place=f"rule {rule.id}")
    settings = {name: own * (sample.fine if check.needs[name] in AMOUNTS else 1) for name, own in settings.items()}
    block, traits, row = sample.block(part_of_days=not needs_whole_days(rule)), sample.traits(), np.zeros(1, np.int64)
    beside.refuse_misfit(*block.value.shape)
    days = block.whole_days()
    if needs_whole_days(rule) and not any(first >= past for first, _ in days):
        return Verdict(rule.id, SKIP, {}, [], NO_WHOLE_DAY)
    if isinstance(check, PeriodCheck):
        found = check.function(period_slab(block, traits, row, days), settings, beside)
        spans, judged, figures = found.spans, bool(found.judged[0]), found.figures()
        middle = np.zeros(len(spans[0]), np.bool_) if found.middle is None else found.middle
    else:
        slab = slab_of(block, traits, row, days)
        spans, (fine, figures) = check.function(slab, settings), FIGURES[rule.id](slab, settings)
        judged, middle = bool(fine[0]), np.zeros(len(spans[0]), np.bool_)
    late = spans[2] >= past
    ends = zip(spans[1][late].tolist(), spans[2][late].tolist(), strict=True)
    at = sorted({place - past for first, last in ends for place in range(max(first, past), last + 1)})
    word = (FLAG if middle[late].all() else FAIL) if late.any() else PASS if judged else SKIP
    return Verdict(rule.id, word, first_row(figures), at, "" if word != SKIP else rule.skip_en or NOTHING_THERE)


def looks_back(rule: Rule) -> bool:
    """Tell whether a rule holds a channel against its own days before: it reads how many."""
    return rule.id in PERIOD and LOOKS_BACK in PERIOD[rule.id].needs


def needs_whole_days(rule: Rule) -> bool:
    """Tell whether a part of a day says nothing to a rule: one that counts days, or looks back over them."""
    if rule.id in CHECKS:
        return COUNTS_DAYS in CHECKS[rule.id].needs
    return looks_back(rule) and COUNTS_HOURS not in PERIOD[rule.id].needs


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


def as_number(form: str, value: Any, ratio: Fraction, cadence_us: int, fine: int = 1) -> Any:
    """Give a figure in the units that people read: amounts in the unit of `ratio`; minutes, K, m3, kvarh.

    Volumes and reactive energy are given in sub-units, or in so many (`fine`) parts of one.
    """
    if value is None or form == "text":
        return value
    scale = {
        "amount": 1 / ratio,
        "rate": Fraction(3_600_000_000, cadence_us) / ratio,
        "duration": Fraction(1, 60_000_000),
        "kelvin": Fraction(1, 1000),
        "volume": Fraction(1, 1_000_000 * fine),
        "reactive": Fraction(1, 1_000_000 * fine),
    }.get(form, Fraction(1))
    return Fraction(value) * scale
