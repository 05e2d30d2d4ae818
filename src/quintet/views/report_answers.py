"""The plain answers of a report: its figures, and what they rest on."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from .answers import Answer, BalanceRow, CertainTotal
from .answers_ledger import Explanation, FactorSetName, GpcTable, Inventory, SelfSufficiencies


class FlowTotal(Answer, frozen=True):
    """One flow of one carrier over the whole span: `total` is null unless every month is known.

    `known_total` is the sum of the `months_known` months; `lowest_coverage` and `highest_estimated_share` are those of
    the carrier's worst month.
    """

    commodity: str
    unit: str
    flow: str
    total: Decimal | None
    known_total: Decimal | None
    months: int
    months_known: int
    lowest_coverage: float | None
    highest_estimated_share: float | None


class CertainMonth(Answer, frozen=True):
    """The totals of one month (or of the whole span), each with its interval."""

    start: datetime
    rows: list[CertainTotal]


class Missing(Answer, frozen=True):
    """What a report cannot say, or says of a part only: where it stands, of what, in how many periods, and why."""

    part: str
    subject: str
    periods: int
    coverage: float | None
    reason: str


class Facts(Answer, frozen=True):
    """What figures are divided by: null where nobody stated or measured it.

    `heating_degree_days` are in kelvin-days below `base_c`; of the span's `days`, `days_measured` have a mean
    temperature. Without degree days `no_degree_days` says why.
    """

    residents: int | None
    floor_area_m2: float | None
    base_c: float
    heating_degree_days: Decimal | None
    days: int
    days_measured: int
    no_degree_days: str | None


class ReportFigures(Answer, frozen=True):
    """All figures of a report, exact: the same question has the same answer to the last digit."""

    city_en: str
    city_ko: str
    simulated: bool
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    known_at: datetime
    timezone: str
    level: float
    balance: list[BalanceRow]
    totals: list[FlowTotal]
    certainty: list[CertainMonth]
    certainty_whole: CertainMonth
    losses: list[dict[str, Any]]
    conversions: list[dict[str, Any]]
    self_sufficiency: SelfSufficiencies
    explanation: Explanation
    emissions: Inventory
    gpc: GpcTable
    facts: Facts
    missing: list[Missing]


class ReportBasis(Answer, frozen=True):
    """What a report's figures rest on: rule and factor sets, the registry, and a digest of each day's data."""

    rule_set: str
    factor_set: FactorSetName
    factors: dict[str, Any]
    registry: str
    days: dict[str, str]
    data: str


class Report(Answer, frozen=True):
    """A report's figures with what they rest on."""

    figures: ReportFigures
    basis: ReportBasis
