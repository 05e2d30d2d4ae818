"""The plain answers on targets: the way to them, what weather explains, and a change taken apart."""

from datetime import datetime
from decimal import Decimal

import msgspec

from .answers import Answer
from .answers_ledger import FactorSetName


class CarrierSoFar(Answer, frozen=True):
    """What one carrier adds to an emission target so far; `known_share` is that of its meters' time (null: none)."""

    commodity: str
    kg_co2e: Decimal
    known_share: float | None


class TargetProgress(Answer, frozen=True):
    """One target and the way to it. Amounts are in `unit`: kg_co2e, or 1 (1 means 100 %).

    `left` is target - so_far; `pace` is a day's by covered time (of a share: the share itself), `pace_needed` what is
    needed linearly over the days left. Null: cannot be told, and `reason` says why.
    """

    metric: str
    of: str
    unit: str
    target: Decimal
    since: datetime | None
    by: str
    why: str
    so_far: Decimal | None
    left: Decimal | None
    left_share: Decimal | None
    pace: Decimal | None
    pace_needed: Decimal | None
    verdict: str
    words_en: str
    words_ko: str
    coverage: float | None
    estimated_share: float | None
    rows_missing: int
    rows_not_estimated: int
    reason: str | None
    carriers: list[CarrierSoFar]


class Trajectory(Answer, frozen=True):
    """A year's targets of one place and how far it has come, over the whole local days until `until`. No forecast."""

    known_at: datetime
    rule_set: str
    factor_set: FactorSetName
    place: str
    year: int
    start: datetime = msgspec.field(name="from")
    until: datetime
    days: int
    days_gone: int
    days_left: int
    pace_rule_en: str
    pace_rule_ko: str
    targets: list[TargetProgress]


class DegreePeriod(Answer, frozen=True):
    """A period's degree days: those of its days with a mean temperature, scaled to all of its days."""

    heating_degree_days: float
    cooling_degree_days: float
    known_days: int
    days: int


class WeatherModel(Answer, frozen=True):
    """Use a day = base + heating * HDD + cooling * CDD, in the carrier's unit, with standard errors.

    An error is null where no day had such degrees. `r2_unseen`: of days each foretold by a fit without it.
    """

    base_a_day: float
    per_heating_degree_day: float
    per_cooling_degree_day: float
    base_error: float
    heating_error: float | None
    cooling_error: float | None
    r2: float
    r2_unseen: float
    days: int


class CarrierWeather(Answer, frozen=True):
    """One carrier's use against weather. Use holds what was not heard, filled in; `open_days` says how much that is.

    `normalised_change` is against the base by the day, so that a leap year is no more use. Without a model `reason`
    says why it was refused.
    """

    commodity: str
    unit: str
    base_use: Decimal
    use: Decimal
    weather: Decimal | None
    normalised_use: Decimal | None
    normalised_change: Decimal | None
    model: WeatherModel | None
    open_days: int
    never_heard: int
    reason: str | None


class WeatherChange(Answer, frozen=True):
    """The use of two periods with the weather of the first; the model is fitted on the first period's days."""

    known_at: datetime
    rule_set: str
    place: str
    base_start: datetime = msgspec.field(name="base_from")
    base_end: datetime = msgspec.field(name="base_to")
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    heating_base_c: float
    cooling_base_c: float
    source: str
    certainty: str
    base_degrees: DegreePeriod | None
    degrees: DegreePeriod | None
    reason: str | None
    carriers: list[CarrierWeather]


class ChangePart(Answer, frozen=True):
    """One part of a change, in the answer's unit; `evidence` says what it rests on, or why it is nothing."""

    part: str
    amount: Decimal
    exact: str
    words_en: str
    words_ko: str
    evidence: list[str]


class FigureKnown(Answer, frozen=True):
    """How far a figure can be trusted: what is missing of it is in it as nothing.

    `rows_missing` have no amount (of a share: intervals that are not matched), `rows_not_estimated` no factor.
    """

    coverage: float | None
    estimated_share: float | None
    rows_missing: int
    rows_not_estimated: int


class ChangeApart(Answer, frozen=True):
    """A change between two periods in parts that add up to it exactly (`exact` holds fractions).

    `before` is the earlier period's figure as it was known at `then` (null: as known at known_at); `before_known` and
    `after_known` say how far either figure can be trusted, as known at known_at.
    """

    known_at: datetime
    then: datetime | None
    rule_set: str
    factor_set: FactorSetName
    method: str
    place: str
    metric: str
    of: str
    unit: str
    activity: str
    base_start: datetime = msgspec.field(name="base_from")
    base_end: datetime = msgspec.field(name="base_to")
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    before: Decimal
    after: Decimal
    change: Decimal
    exact: dict[str, str]
    before_known: FigureKnown
    after_known: FigureKnown
    parts: list[ChangePart]
