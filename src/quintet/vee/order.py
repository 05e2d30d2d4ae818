"""The order in which estimators are asked, by subject and class of gap: shipped as data, overlaid by a decision.

A subject is a commodity, or a commodity and a role ("electricity:generation") where data sets that role apart.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.period import HOUR_US
from quintet.terms.quality import qualities
from quintet.terms.reading import Role

from .alike import like_days
from .blends import blend, like_day_level, median_blend
from .block import Block, Gaps, Ints, cells
from .guess import Asked, Estimator, Guess, Known, Others, guessed
from .lines import linear, straight
from .others import (
    check_meter,
    class_profile,
    last_three_months,
    outage_zero,
    parent_minus_siblings,
    same_block_homes,
    same_month_last_year,
)
from .past import Past
from .shapes import flat, last_week, like_day, like_day_median, register_spread
from .tested import self_tested

FUNCTIONS: dict[str, Callable[[Asked], Guess]] = {
    "outage_zero": outage_zero,
    "check_meter": check_meter,
    "parent_minus_siblings": parent_minus_siblings,
    "class_profile": class_profile,
    "same_month_last_year": same_month_last_year,
    "last_three_months": last_three_months,
    "same_block_homes": same_block_homes,
    "linear": linear,
    "straight": straight,
    "like_day": like_day,
    "like_day_median": like_day_median,
    "like_day_level": like_day_level,
    "blend": blend,
    "median_blend": median_blend,
    "self_tested": self_tested,
    "last_week": last_week,
    "flat": flat,
    "register_spread": register_spread,
}
"""Every estimator's function, by its name in data."""
REACHES = ("own", "others", "peer")
EVERY = ""
"""Stands for every subject."""
OF = ":"
"""Stands between the commodity and the role of a subject."""
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Row:
    """An estimator as data names it: its labels without and with a register's difference, and what it needs."""

    name: str
    quality: str
    scaled: str
    reach: str
    text_en: str
    text_ko: str

    @property
    def estimator(self) -> Estimator:
        """Give the function, by its name."""
        return Estimator(self.name, FUNCTIONS[self.name])


@dataclass(frozen=True, slots=True)
class GapClass:
    """Gaps of some lengths: up to and with `up_to_us`, None for all longer ones; a back-test hides `tested_hours`."""

    code: str
    up_to_us: int | None
    tested_hours: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Estimators in order, for gaps without and with a register's difference, and where that is from.

    Those of reach "own" are asked as readings are committed, those of reach "others" by the run over a city's days.
    """

    estimators: tuple[Row, ...]
    scaled: tuple[Row, ...]
    origin: str = SHIPPED
    reason: str = ""


@dataclass(frozen=True)
class Order:
    """The order in force: choices by (subject, class), EVERY for all that have none of their own.

    Roles in `apart` are subjects of their own; what flows in those of `both_ways` may be below zero.
    """

    rows: Mapping[str, Row]
    classes: tuple[GapClass, ...]
    choices: Mapping[tuple[str, str], Choice] = field(default_factory=dict[tuple[str, str], Choice])
    source: str = ""
    stated: date | None = None
    apart: frozenset[str] = frozenset()
    both_ways: frozenset[str] = frozenset()

    @cached_property
    def _bounds(self) -> Ints:
        return np.array([one.up_to_us for one in self.classes if one.up_to_us is not None], np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """Name what is asked in which order: a digest."""
        said = [
            (*key, [row.name for row in one.estimators], [row.name for row in one.scaled])
            for key, one in self.choices.items()
        ]
        classes = [(one.code, one.up_to_us) for one in self.classes]
        return hashlib.sha256(json.dumps([sorted(said), classes]).encode()).hexdigest()[:16]

    def class_of(self, span_us: Ints) -> Ints:
        """Give the number of the class of gaps of some lengths."""
        return np.searchsorted(self._bounds, span_us, "left")

    def subject(self, commodity: str, role: str) -> str:
        """Name what a choice may be for: a commodity, with its role where that is set apart."""
        return f"{commodity}{OF}{role}" if role in self.apart else commodity

    def may_be_negative(self, subject: str) -> bool:
        """Tell whether amounts of a subject may be below zero."""
        return subject.partition(OF)[2] in self.both_ways

    def choice(self, subject: str, code: str) -> Choice:
        """Give the choice for a subject and a class of gaps: its own, its commodity's, or that for every one."""
        named = (subject, subject.partition(OF)[0], EVERY)
        return next(self.choices[name, code] for name in named if (name, code) in self.choices)

    def differs(self, other: "Order", subject: str) -> bool:
        """Tell whether another order asks other estimators for a subject."""
        if self.classes != other.classes:
            return True
        mine, theirs = self.choices_of(subject), other.choices_of(subject)
        return any((a.estimators, a.scaled) != (b.estimators, b.scaled) for a, b in zip(mine, theirs, strict=True))

    def choices_of(self, subject: str) -> list[Choice]:
        """Give the choices for a subject, class by class."""
        return [self.choice(subject, one.code) for one in self.classes]

    def plan(self, gaps: Gaps, cadence_us: int, subjects: Sequence[str] | None) -> Iterator[tuple[Choice, Ints]]:
        """Give each choice with the places of the gaps it is for; `subjects` are those of the rows of the block.

        Gaps with a total below zero, where nothing flows back, are for none: no estimate could be right.
        """
        number = self.class_of(gaps.length.astype(np.int64) * cadence_us)
        rows: list[int] = np.unique(gaps.row).tolist()
        said: list[str] = [] if subjects is None else list(subjects)
        names = sorted({said[row] for row in rows}) if said else [EVERY]
        own = np.array([names.index(one) if one in names else -1 for one in said], np.int64)
        for place, name in enumerate(names):
            mine = own[gaps.row] == place if said else np.ones(len(gaps), np.bool_)
            if not self.may_be_negative(name):
                mine = mine & ~(gaps.has_total & (gaps.total < 0))
            for at, one in enumerate(self.classes):
                places = np.flatnonzero(mine & (number == at))
                if len(places):
                    yield self.choice(name, one.code), places

    def with_choice(
        self, subject: str, code: str, listed: Sequence[str], scaled: Sequence[str], origin: str, reason: str = ""
    ) -> "Order":
        """Give this order with another choice; an estimator, class or role that cannot stand there is refused."""
        place = f"estimation order, {subject or 'all'} {code}"
        _, apart, role = subject.partition(OF)
        if apart and role not in self.apart:
            known = ", ".join(sorted(self.apart))
            raise BadInput(f"{role} is no role apart.", code="bad_order", place=place, remedy=f"Known: {known}.")
        if code not in {one.code for one in self.classes}:
            raise BadInput("is no class of gaps.", code="bad_order", place=place)
        for name in (*listed, *scaled):
            row = self.rows.get(name)
            if row is None or row.reach == "peer":
                known = ", ".join(one for one, own in self.rows.items() if own.reach != "peer")
                raise BadInput(f"{name} is no estimator.", code="bad_order", place=place, remedy=f"Known: {known}.")
        rows, scaled_rows = (tuple(self.rows[name] for name in names) for names in (listed, scaled))
        choice = Choice(rows, scaled_rows, origin, reason)
        return replace(self, choices={**self.choices, (subject, code): choice})

    def only(self, name: str) -> "Order":
        """Give an order of one estimator, whatever its reach: for a back-test, or to try it."""
        return self.alone([name])

    def alone(self, names: Sequence[str]) -> "Order":
        """Give an order of some estimators, whatever their reach, for every gap. Raises BadInput for an unknown one."""
        for name in names:
            if name not in self.rows:
                known = ", ".join(self.rows)
                raise BadInput(
                    f"{name} is no estimator.", code="unknown_estimator", place=name, remedy=f"Known: {known}."
                )
        choice = Choice(tuple(self.rows[n] for n in names), tuple(self.rows[n] for n in names))
        return replace(self, choices={(EVERY, one.code): choice for one in self.classes})


def order_from(table: Mapping[str, Any]) -> Order:
    """Load a table and hold it against the functions: each side must know the other."""
    needed = {"source", "date", "apart", "both_ways", "class", "estimator", "order"}
    check_keys(dict(table), required=needed, optional=set(), place="estimation")
    if not str(table["source"]).strip() or not isinstance(table["date"], date):
        raise BadInput("has no source or no date.", code="no_source", place="estimation")
    rows = {name: _row(name, row) for name, row in table["estimator"].items()}
    strange = sorted(rows.keys() ^ FUNCTIONS.keys())
    if strange:
        raise BadInput(
            f"{', '.join(strange)}: a row without a function, or a function without a row.",
            code="bad_estimator",
            place="estimation",
        )
    roles = (frozenset(table[key]) for key in ("apart", "both_ways"))
    out = Order(rows, _classes(table["class"]), {}, table["source"], table["date"], *roles)
    if not out.both_ways <= out.apart <= {role.value for role in Role}:
        raise BadInput(
            "both_ways must lie within apart, and that within the roles.", code="bad_order", place="estimation"
        )
    for number, row in enumerate(table["order"], 1):
        place = f"estimation, order {number}"
        check_keys(dict(row), required={"class", "estimators", "scaled"}, optional={"subjects"}, place=place)
        for subject in row.get("subjects", [EVERY]):
            out = out.with_choice(subject, row["class"], row["estimators"], row["scaled"], SHIPPED)
    lacking = [one.code for one in out.classes if (EVERY, one.code) not in out.choices]
    if lacking:
        raise BadInput(f"has no order for {', '.join(lacking)}.", code="bad_order", place="estimation")
    return out


def _row(name: str, row: Mapping[str, Any]) -> Row:
    """Read one estimator."""
    place = f"estimator {name}"
    keys = ("quality", "scaled", "reach", "text_en", "text_ko")
    check_keys(dict(row), required=set(keys), optional=set(), place=place)
    labels = [code for code in (row["quality"], row["scaled"]) if code not in qualities()]
    if labels or any(qualities()[row[key]].kind != "estimated" for key in ("quality", "scaled")):
        raise BadInput(f"{row['quality']}, {row['scaled']}: no qualities of estimates.", code="bad_order", place=place)
    if row["reach"] not in REACHES:
        raise BadInput(f"{row['reach']!r} is not its reach.", code="bad_order", place=place, remedy=f"Use {REACHES}.")
    return Row(name, *(row[key] for key in keys))


def _classes(rows: Sequence[Mapping[str, Any]]) -> tuple[GapClass, ...]:
    """Read the classes of gaps: shorter before longer, the last without a bound."""
    out: list[GapClass] = []
    for row in rows:
        check_keys(dict(row), required={"code", "tested_hours"}, optional={"up_to_hours"}, place="estimation, class")
        bound = row.get("up_to_hours")
        out.append(GapClass(row["code"], None if bound is None else int(bound) * HOUR_US, int(row["tested_hours"])))
    bounds = [one.up_to_us for one in out]
    known = [bound for bound in bounds if bound is not None]
    if not bounds or bounds[-1] is not None or None in bounds[:-1] or known != sorted(set(known)):
        raise BadInput("classes must go from short to long, the last without a bound.", code="bad_order")
    return tuple(out)


def probe(order: Order) -> None:
    """Ask every estimator once for two gaps of four weeks; raises BadInput naming one that does not answer for them."""
    weeks, step = 28 * 4, 6 * HOUR_US
    present = np.ones((2, weeks), np.bool_)
    value = np.tile(np.arange(weeks, dtype=np.int64), (2, 1))
    quality = np.full(value.shape, qualities()["valid"].id, np.uint8)
    lent = Known(value, np.ones_like(present))
    others = Others(np.ones_like(present), lent, lent, lent, lent, lent)
    row, first, length = (np.array(two, np.int32) for two in ((0, 1), (weeks - 9, weeks - 4), (1, 3)))
    gaps = Gaps(row, first, length, np.zeros(2, np.int64), np.zeros(2, np.bool_))
    present[cells(gaps.row, gaps.first, gaps.length)] = False
    block = Block.of(0, step, np.arange(2, dtype=np.int32), (value, quality, present), ZoneInfo("UTC"))
    past = Past(block, like_days(), block.channels)
    for row in order.rows.values():
        guessed(row.estimator, Asked([past], gaps, others))


@cache
def shipped_order() -> Order:
    """Give the order that ships with the package, every estimator probed."""
    order = order_from(read_toml("quintet.vee", "estimation.toml"))
    probe(order)
    return order
