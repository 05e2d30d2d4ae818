"""What a person asked to try: the words as typed, and what they mean for one rule and one channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any
from zoneinfo import ZoneInfo

from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import parse_moment, to_us
from quintet.terms.reading import Role, clock
from quintet.terms.unit import Unit, units
from quintet.vee import Beside, Kind, Rule, Verdict, fact, judge_sample
from quintet.vee.verdict import Sample, looks_back

from .try_input import Numbers, amounts, cadence_of, fineness, fitting, numbers_of, positive_of, same_length

DEFAULTS = ("electricity", "consumption")
PREFERRED = ("volume", "energy", "reactive_energy")
"""Of a commodity that is metered in several quantities the first of these is meant, unless --unit says else."""
DEFAULT_START = "2025-01-01"
OWN_UNIT = ("values", "history", "register", "plate_max", "check", "before", "year_before", "recorded")
"""Options that hold amounts in the channel's unit."""
COMPANIONS = {"volume": "m3", "reactive": "kvarh"}
"""Options that hold amounts in a unit of their own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person gave: texts as typed, None where nothing was."""

    rule: str
    values: str | None = None
    interval: str = "60min"
    start: str | None = None
    tz: str = "UTC"
    commodity: str | None = None
    role: str | None = None
    unit: str | None = None
    meter_class: str = ""
    history: str | None = None
    register: str | None = None
    multiplier: str = "1"
    interval_multiplier: str = "1"
    dials: int | None = None
    plate_max: str | None = None
    before: str | None = None
    year_before: str | None = None
    offset: str | None = None
    flags: str | None = None
    check: str | None = None
    accuracy: str | None = None
    reactive: str | None = None
    volume: str | None = None
    delta_t: str | None = None
    pressure: str | None = None
    temperature: str | None = None
    compressibility: str | None = None
    recorded: str | None = None
    days: str | None = None


def needed(value: str | None, rule: str, option: str) -> str:
    """Give what a rule cannot do without; raises UsageError that names the option."""
    if value is None:
        raise UsageError(
            f"{rule} needs {option}.", code="missing_option", remedy="See `quintet vee try --help` for what rules read."
        )
    return value


def zone_of(name: str) -> ZoneInfo:
    """Find a clock; raises UsageError for one that nobody keeps."""
    try:
        return clock(name)
    except BadInput as error:
        raise UsageError(error.message, code=error.code, place="--tz", remedy=error.remedy) from error


def start_of(text: str | None, tz: ZoneInfo) -> datetime:
    """Read --start; raises UsageError that names it."""
    try:
        return parse_moment(text or DEFAULT_START, tz)
    except UsageError as error:
        raise UsageError(error.message, code=error.code, place="--start", remedy=error.remedy) from error


class Trial:
    """One asked-for try, its words read: the rule, what the channel is, its values in sub-units.

    Amounts finer than a sub-unit (mWh, mL) are reckoned in `fine` parts of one, so nothing is rounded: `ratio` of them
    are in one of the channel's unit.
    """

    def __init__(self, asked: Asked, code: str, rule: Rule) -> None:
        """Read the words that every rule has in common; `code` is the rule as asked for, `rule` what it means here."""
        self.asked, self.code, self.rule = asked, code, rule
        self.cadence_us = cadence_of(asked.interval)
        self.kind, self.unit = kind_of(rule if rule.id == code else None, asked)
        self.tz = zone_of(asked.tz)
        self.start_us = to_us(start_of(asked.start, self.tz))
        self.multiplier = positive_of(asked.multiplier, "--multiplier")
        self.interval_multiplier = positive_of(asked.interval_multiplier, "--interval-multiplier")
        self.fine = finest(asked, self.unit, self.multiplier, self.interval_multiplier)
        self.ratio = self.unit.ratio * self.fine
        self.plate = self._plate()
        self.past: list[int | None] = [] if asked.history is None else self.list_of(asked.history, "--history")
        if self.past and not looks_back(rule):
            raise UsageError(
                f"{code} does not look back.", code="bad_history", place="--history", remedy="Leave --history out."
            )

    def _plate(self) -> int | None:
        """Give the plate's maximum in sub-units an hour (their `fine` parts); None where none was given."""
        if self.asked.plate_max is None:
            return None
        return int(positive_of(self.asked.plate_max, "--plate-max") * self.ratio)

    def values(self) -> list[int | None]:
        """Give the values in sub-units."""
        return self.list_of(needed(self.asked.values, self.code, "--values"), "--values")

    def list_of(self, text: str, option: str) -> list[int | None]:
        """Give a list of amounts in the channel's unit."""
        return amounts(numbers_of(text, option), self.ratio, self.unit.code, option)

    def beside_values(self, text: str | None, option: str, count: int, unit: Unit | None = None) -> Any:
        """Give companions of the values, m x n; in a unit of their own where one is given."""
        numbers = numbers_of(needed(text, self.rule.id, option), option)
        own = unit or self.unit
        given = amounts(numbers, own.ratio * self.fine, own.code, option)
        return fact(same_length(given, count, option)).reshape(1, -1)

    def sample(self, values: list[int | None], plate: int | None = None) -> Sample:
        """Give the channel with some values; with a past they end where the past ends and what is judged begins."""
        begin = self.start_us - len(self.past) * self.cadence_us
        return Sample(self.kind, [*self.past, *values], self.cadence_us, begin, self.tz, plate, self.fine)

    def judge(self, values: list[int | None], beside: Beside | None = None, plate: int | None = None) -> Verdict:
        """Judge values with what stands beside them."""
        return judge_sample(self.rule, self.sample(values, plate), beside or Beside(), len(self.past))

    def optional_values(self) -> list[int | None]:
        """Give the values, or one missing place where a rule needs none."""
        return [None] if self.asked.values is None else self.values()


def finest(asked: Asked, unit: Unit, multiplier: Fraction, interval_multiplier: Fraction) -> int:
    """Give in how many parts a sub-unit is cut so that every amount given is a whole number of them."""
    needed, largest = 1, Fraction(0)
    for numbers, ratio in _amounts_given(asked, unit, multiplier, interval_multiplier):
        needed = lcm(needed, fineness(numbers, ratio))
        largest = max([largest, *(abs(Fraction(number) * ratio) for number in numbers if number is not None)])
    return fitting(needed, largest)


def _amounts_given(
    asked: Asked, unit: Unit, multiplier: Fraction, interval_multiplier: Fraction
) -> Iterator[tuple[Numbers, Fraction]]:
    """Give the amounts of each option that holds some, and the sub-units in one of its unit."""
    for name in OWN_UNIT + tuple(COMPANIONS):
        text = getattr(asked, name)
        if text is None:
            continue
        own = units()[COMPANIONS[name]] if name in COMPANIONS else unit
        numbers = numbers_of(text, f"--{name.replace('_', '-')}")
        yield numbers, own.ratio
        if name == "register" and multiplier != 1:
            yield numbers, own.ratio * multiplier
        if name == "values" and interval_multiplier != 1:
            yield numbers, own.ratio * interval_multiplier
    yield [Decimal(1)], unit.ratio * multiplier


def kind_of(rule: Rule | None, asked: Asked) -> tuple[Kind, Unit]:
    """Say what channel is meant: the words given, else what is usual, else the first that a rule applies to.

    A word that was given is never changed: where a rule does not apply to it, that is its verdict (skip).
    """
    allowed = {name: rule.scope.named(name) if rule else None for name in ("commodities", "roles", "quantities")}
    unit = _unit_of(asked.unit)
    table = commodities().rows
    held = [name for name, one in table.items() if unit is None or unit.quantity in one.measures]
    commodity = asked.commodity or _first_in(DEFAULTS[0], held, allowed["commodities"])
    if commodity not in table:
        raise UsageError(
            f"there is no commodity {commodity!r}.",
            code="unknown_commodity",
            place="--commodity",
            remedy=f"Known: {', '.join(table)}.",
        )
    role = asked.role or _first_in(DEFAULTS[1], list(Role), allowed["roles"])
    if role not in list(Role):
        raise UsageError(
            f"there is no role {role!r}.", code="unknown_role", place="--role", remedy=f"Known: {', '.join(Role)}."
        )
    measures = table[commodity].measures
    if unit is not None and unit.quantity not in measures:
        raise UsageError(
            f"{commodity} is not metered in {unit.code}.",
            code="unknown_unit",
            place="--unit",
            remedy=f"Use {' or '.join(measures.values())}, or say another --commodity.",
        )
    fits = [name for name in PREFERRED if name in measures]
    quantities = allowed["quantities"]
    quantity = unit.quantity if unit else next((name for name in fits if not quantities or name in quantities), fits[0])
    return Kind(commodity, role, quantity, "interval_sum", asked.meter_class), unit or units()[measures[quantity]]


def _unit_of(code: str | None) -> Unit | None:
    """Find the unit of --unit; one of a rate, or that nobody knows, is refused."""
    if code is None:
        return None
    unit = units().get(code)
    if unit is None or unit.rate:
        known = ", ".join(name for name in units() if not units()[name].rate)
        raise UsageError(
            f"{code!r} is no unit of an amount.", code="unknown_unit", place="--unit", remedy=f"Known: {known}."
        )
    return unit


def _first_in(usual: str, known: list[Any], allowed: frozenset[str] | None) -> str:
    """Give the usual word where it is known and allowed, else the first that is, in order of their table."""
    fits = [str(name) for name in known if allowed is None or name in allowed] or [str(name) for name in known]
    return usual if usual in fits else fits[0] if fits else usual
