"""What a meter at zero means: dead, thrift, away or unknown, told from the meters beside it, with the figures used.

A meter that reads zero while its dwelling draws hot water, it is cold and the neighbours heat is dead; with no water
drawn either nobody is at home. Pure functions over days: rows are meters, columns local days; amounts are int64
sub-units a day. Nothing but measured values may be marked as known: an estimate says nothing of a meter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

from .block import Ids, Ints, Mask, spans
from .sourced import check_source, thresholds_of

Floats = npt.NDArray[np.float64]
DEAD, THRIFT, AWAY, UNKNOWN = "dead", "thrift", "away", "unknown"
THRESHOLDS = (
    "zero_days", "most", "neighbours", "neighbours_share", "cold_below", "before_days", "thrift_share", "rest_share",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A commodity whose zeros are judged: what shows presence, and whether zero means something only in the cold."""

    presence: tuple[str, ...]
    cold: bool


@dataclass(frozen=True)
class Inference:
    """The settings: subjects by commodity, least daily amount that shows presence by commodity, and thresholds."""

    subjects: Mapping[str, Subject]
    least: Mapping[str, int]
    numbers: Mapping[str, Fraction]


@dataclass(frozen=True)
class Signals:
    """k meters of one commodity over n days, and what stands beside each; an array is k x n unless said otherwise.

    `present`: a signal of presence was used; `source`: what this is made of or carried by (a boiler's gas, the flow
    through a heat meter) was used; `rest`: what the parent shows beyond its other children is use. Each has a mask
    of where that is known. `temperature_c` is a day's mean (n), NaN where nobody knows.
    """

    own: Ints
    own_known: Mask
    present: Mask
    present_known: Mask
    source: Mask
    source_known: Mask
    rest: Mask
    rest_known: Mask
    neighbours: "Neighbours"
    temperature_c: Floats


@dataclass(frozen=True)
class Neighbours:
    """Of each meter's neighbours (itself left out), by day: how many are known, how many used, the mean of those."""

    known: Ints
    using: Ints
    mean: Ints

    def take(self, rows: Ints) -> "Neighbours":
        """Give those of some meters."""
        return Neighbours(self.known[rows], self.using[rows], self.mean[rows])


@dataclass(frozen=True, slots=True)
class Inferred:
    """One span of zero days (columns, both included) of one meter, what it means, why, and the evidence.

    `reason` is a stable code; `figures` are counts of days, meters and amounts (sub-units); `missing` names evidence
    that was not there.
    """

    row: int
    first: int
    last: int
    verdict: str
    reason: str
    figures: Mapping[str, int]
    missing: tuple[str, ...]


def neighbours_of(own: Ints, known: Mask, group: Ids) -> Neighbours:
    """Sum up the other meters of each meter's group (a building, a complex): group numbers by row, from 0."""
    size = int(group.max(initial=-1)) + 1
    using = known & (own > 0)
    count, users, amount = (np.zeros((size, own.shape[1]), np.int64) for _ in range(3))
    np.add.at(count, group, known.astype(np.int64))
    np.add.at(users, group, using.astype(np.int64))
    np.add.at(amount, group, own * using)
    others = users[group] - using
    total = amount[group] - own * using
    return Neighbours(count[group] - known, others, total // np.maximum(others, 1))


def rest_shows_use(parent: Ints, others: Ints, settings: Inference) -> Mask:
    """Tell whether a parent's amounts less its other children's are use of the one child left, beyond losses."""
    share = settings.numbers["rest_share"]
    return (parent - others) * share.denominator > np.abs(parent) * share.numerator


def infer(signals: Signals, subject: Subject, settings: Inference | None = None) -> list[Inferred]:
    """Judge every span of at least `zero_days` known days at zero, in order of row and day."""
    rules = settings or inference()
    zero = signals.own_known & (signals.own == 0)
    row, first, last = spans(zero, int(rules.numbers["zero_days"]))
    places = zip(row.tolist(), first.tolist(), last.tolist(), strict=True)
    return [_judged(signals, subject, rules, *place) for place in places]


def _judged(signals: Signals, subject: Subject, rules: Inference, row: int, first: int, last: int) -> Inferred:
    """Judge one span."""
    span = slice(first, last + 1)
    figures = {"zero_days": last + 1 - first, **_figures(signals, rules, row, span), **_before(signals, row, first)}
    verdict, reason = _verdict(figures, subject, rules)
    absent = {
        "presence": figures["presence_known_days"],
        "neighbours": figures["neighbours_known_days"],
        "source": figures["source_known_days"],
        "parent": figures["parent_known_days"],
        "temperature": figures["temperature_known_days"],
    }
    missing = tuple(name for name, days in absent.items() if not days)
    return Inferred(row, first, last, verdict, reason, figures, missing)


def _figures(signals: Signals, rules: Inference, row: int, span: slice) -> dict[str, int]:
    """Count the days of a span that say this or that."""
    numbers, near = rules.numbers, signals.neighbours
    known = near.known[row, span] >= int(numbers["neighbours"])
    share = numbers["neighbours_share"]
    using = near.using[row, span] * share.denominator >= near.known[row, span] * share.numerator
    temperature = signals.temperature_c[span]
    measured = ~np.isnan(temperature)
    below = measured & (np.where(measured, temperature, 0.0) < float(numbers["cold_below"]))
    days = {
        "presence_days": signals.present[row, span] & signals.present_known[row, span],
        "presence_known_days": signals.present_known[row, span],
        "source_days": signals.source[row, span] & signals.source_known[row, span],
        "source_known_days": signals.source_known[row, span],
        "parent_days": signals.rest[row, span] & signals.rest_known[row, span],
        "parent_known_days": signals.rest_known[row, span],
        "neighbours_days": known & using,
        "neighbours_known_days": known,
        "cold_days": below | (~measured & known & using),
        "cold_known_days": measured | known,
        "temperature_known_days": measured,
    }
    return {
        **{name: int(np.count_nonzero(mask)) for name, mask in days.items()},
        "neighbours": int(near.known[row, span].max()),
        "neighbours_mean": int(near.mean[row, span].sum()) // max(span.stop - span.start, 1),
    }


def _before(signals: Signals, row: int, first: int) -> dict[str, int]:
    """Sum up what the meter and its neighbours used on the known days before a span."""
    known = signals.own_known[row, :first]
    return {
        "before_days": int(np.count_nonzero(known)),
        "before_use": int(signals.own[row, :first][known].sum()),
        "before_neighbours_use": int(signals.neighbours.mean[row, :first][known].sum()),
    }


def _verdict(of: Mapping[str, int], subject: Subject, rules: Inference) -> tuple[str, str]:
    """Decide by the figures: direct evidence first, then season, neighbours, presence, habit."""

    def mostly(days: str, among: str = "zero_days") -> bool:
        return of[days] > rules.numbers["most"] * of[among]

    if of["source_known_days"] and mostly("source_days"):
        return DEAD, "source_runs"
    if of["parent_known_days"] and mostly("parent_days"):
        return DEAD, "parent_shows_use"
    if subject.cold and not mostly("cold_known_days"):
        return UNKNOWN, "season_unknown"
    if subject.cold and not mostly("cold_days"):
        return UNKNOWN, "not_cold"
    if not mostly("presence_known_days"):
        return UNKNOWN, "presence_unknown"
    if not of["presence_days"]:
        return AWAY, "nothing_used"
    if not mostly("presence_days"):
        return UNKNOWN, "seldom_present"
    if not mostly("neighbours_known_days"):
        return UNKNOWN, "no_neighbours"
    if not mostly("neighbours_days"):
        return THRIFT, "neighbours_do_without"
    if _was_thrifty(of, rules):
        return THRIFT, "little_before"
    return DEAD, "neighbours_use_it"


def _was_thrifty(of: Mapping[str, int], rules: Inference) -> bool:
    """Tell whether the meter showed little use, but some, on enough days before: a habit, and a meter that counts."""
    enough = of["before_days"] >= rules.numbers["before_days"]
    little = of["before_use"] < rules.numbers["thrift_share"] * of["before_neighbours_use"]
    return enough and of["before_use"] > 0 and little


def inference_from(table: Mapping[str, Any]) -> Inference:
    """Load settings; an unknown key, a row without source or a presence that has no least amount is refused."""
    check_keys(dict(table), required={"subject", "presence", "threshold"}, optional=set(), place="inference")
    least = {name: _least(name, row) for name, row in table["presence"].items()}
    subjects: dict[str, Subject] = {}
    for name, row in table["subject"].items():
        place = f"inference, subject {name}"
        check_keys(row, required={"presence", "cold", "source", "date"}, optional=set(), place=place)
        check_source(row, place)
        strange = sorted(set(row["presence"]) - least.keys())
        if strange or name in row["presence"]:
            raise BadInput(f"{', '.join(strange) or name} cannot show presence.", code="bad_inference", place=place)
        subjects[name] = Subject(tuple(row["presence"]), row["cold"])
    return Inference(subjects, least, thresholds_of(table["threshold"], THRESHOLDS, "inference"))


def _least(name: str, row: Mapping[str, Any]) -> int:
    """Read the least daily amount of a commodity that shows presence, in sub-units."""
    place = f"inference, presence {name}"
    check_keys(dict(row), required={"least", "unit", "source", "date"}, optional=set(), place=place)
    check_source(row, place)
    amount = Fraction(row["least"]) * units()[row["unit"]].ratio
    if amount <= 0 or units()[row["unit"]].rate:
        raise BadInput("needs a positive amount.", code="bad_inference", place=place)
    return int(amount)


@cache
def inference() -> Inference:
    """Give the settings that ship with the package."""
    return inference_from(read_toml("quintet.vee", "inference.toml"))
