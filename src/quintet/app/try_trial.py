"""What a person asked to try: the words as typed, and what they mean for one rule and one channel."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import parse_moment, to_us
from quintet.terms.reading import clock
from quintet.terms.unit import Unit, units
from quintet.vee import Beside, Kind, Rule, Verdict, fact, judge_sample
from quintet.vee.verdict import Sample

from .try_input import amounts_in, cadence_of, number_of, numbers_of, same_length

DEFAULTS = ("electricity", "consumption")
PREFERRED = ("volume", "energy", "reactive_energy")
"""Of a commodity that is metered in several quantities the first of these is meant, unless --unit says else."""
DEFAULT_START = "2025-01-01"


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


class Trial:
    """One asked-for try, its words read: the rule, what the channel is, its values in sub-units."""

    def __init__(self, asked: Asked, code: str, rule: Rule) -> None:
        """Read the words that every rule has in common; `code` is the rule as asked for, `rule` what it means here."""
        self.asked, self.code, self.rule = asked, code, rule
        self.cadence_us = cadence_of(asked.interval)
        self.kind, self.unit = kind_of(rule, asked)
        self.tz = zone_of(asked.tz)
        self.start_us = to_us(parse_moment(asked.start or DEFAULT_START, self.tz))

    def values(self) -> list[int | None]:
        """Give the values in sub-units."""
        return self.list_of(needed(self.asked.values, self.rule.id, "--values"), "--values")

    def list_of(self, text: str, option: str) -> list[int | None]:
        """Give a list of amounts in the channel's unit."""
        return amounts_in(numbers_of(text, option), self.unit, option)

    def beside_values(self, text: str | None, option: str, count: int, unit: Unit) -> Any:
        """Give companions of the values, m x n."""
        given = amounts_in(numbers_of(needed(text, self.rule.id, option), option), unit, option)
        return fact(same_length(given, count, option)).reshape(1, -1)

    def sample(self, values: list[int | None], plate: int | None = None) -> Sample:
        """Give the channel with some values."""
        return Sample(self.kind, values, self.cadence_us, self.start_us, self.tz, plate)

    def judge(self, values: list[int | None], beside: Beside | None = None, plate: int | None = None) -> Verdict:
        """Judge values with what stands beside them."""
        return judge_sample(self.rule, self.sample(values, plate), beside or Beside())

    def optional_values(self) -> list[int | None]:
        """Give the values, or one missing place where a rule needs none."""
        return [None] if self.asked.values is None else self.values()


def kind_of(rule: Rule | None, asked: Asked) -> tuple[Kind, Unit]:
    """Say what channel is meant: the words given, else what is usual, else the first that a rule applies to."""
    allowed = {name: rule.scope.named(name) if rule else None for name in ("commodities", "roles", "quantities")}
    table = commodities()
    commodity = asked.commodity or _first_in(DEFAULTS[0], allowed["commodities"])
    found = table.get(commodity)
    if found is None:
        raise UsageError(f"there is no commodity {commodity!r}.", code="unknown_commodity", place="--commodity")
    role = asked.role or _first_in(DEFAULTS[1], allowed["roles"])
    if asked.unit is not None:
        unit = units().get(asked.unit)
        if unit is None or unit.rate:
            raise UsageError(
                f"{asked.unit!r} is no unit of an amount.", code="unknown_unit", place="--unit", remedy="Use kWh or m3."
            )
        return Kind(commodity, role, unit.quantity, "interval_sum", asked.meter_class), unit
    held = [name for name in PREFERRED if name in found.measures]
    fits = [name for name in held if allowed["quantities"] is None or name in allowed["quantities"]]
    quantity = (fits or held)[0]
    return Kind(commodity, role, quantity, "interval_sum", asked.meter_class), units()[found.measures[quantity]]


def _first_in(usual: str, allowed: frozenset[str] | None) -> str:
    """Give the usual word where it is allowed, else the first that is, in order of the alphabet."""
    return usual if allowed is None or usual in allowed else min(allowed)


def number_of_plate(trial: Trial) -> int | None:
    """Give the plate's maximum in sub-units an hour; None where none was given."""
    if trial.asked.plate_max is None:
        return None
    return int(Fraction(number_of(trial.asked.plate_max, "--plate-max")) * trial.unit.ratio)


def register_of(trial: Trial, text: str, least: int = 2) -> list[Decimal]:
    """Read a register's readings, in order of time."""
    readings = [one for one in numbers_of(text, "--register") if one is not None]
    if len(readings) < least:
        raise UsageError(
            f"holds {len(readings)} readings.",
            code="bad_values",
            place="--register",
            remedy=f"{trial.rule.id} needs at least {least}, with a comma between.",
        )
    return readings
