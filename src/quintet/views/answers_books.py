"""The plain answers of the ledger's books: losses of networks, conversions of plants, facilities with a service."""

from datetime import datetime
from decimal import Decimal

import msgspec

from .answers import Answer


class LossRow(Answer, frozen=True):
    """One network in one period: its head less what hangs below; null with the reason where not all of it is known."""

    start: datetime
    network: str
    level: str
    parent: str
    place: str
    commodity: str
    unit: str
    head: Decimal | None
    below: Decimal | None
    loss: Decimal | None
    loss_share: float | None
    head_coverage: float | None
    below_coverage: float | None
    head_estimated_share: float | None
    below_estimated_share: float | None
    reason: str | None


class LossRows(Answer, frozen=True):
    """Losses of networks, the moment they are known at and the rules behind them."""

    known_at: datetime
    rule_set: str
    rows: list[LossRow]


class ConversionEntry(Answer, frozen=True):
    """One entry of a plant's books: the metered amount, its energy, and by what the one became the other."""

    side: str
    commodity: str
    unit: str
    amount: Decimal | None
    energy_kwh: Decimal | None
    basis: str
    coverage: float | None
    estimated_share: float | None


class ConversionRow(Answer, frozen=True):
    """One plant in one period; efficiency and loss are null, with the reason, where not all of it is known."""

    start: datetime
    plant: str
    kind: str
    place: str
    inputs: list[ConversionEntry]
    outputs: list[ConversionEntry]
    energy_in_kwh: Decimal | None
    energy_out_kwh: Decimal | None
    efficiency: Decimal | None
    lost_kwh: Decimal | None
    reason: str | None


class ConversionRows(Answer, frozen=True):
    """Conversions of plants, the moment they are known at and the rules behind them."""

    known_at: datetime
    rule_set: str
    rows: list[ConversionRow]


class FacilityRow(Answer, frozen=True):
    """One facility in one period: hours of service, energy, and what a comfortable, clean hour took.

    `coverage` is the share of its hours that could be judged, `estimated_share` that of these in which something of
    what they are judged by was estimated.
    """

    start: datetime
    facility: str
    name: str
    class_: str = msgspec.field(name="class")
    place: str
    hours: Decimal | None
    judged_hours: Decimal | None
    comfortable_hours: Decimal | None
    clean_hours: Decimal | None
    comfortable_clean_hours: Decimal | None
    person_hours: Decimal | None
    energy_kwh: Decimal | None
    kwh_per_comfortable_clean_hour: Decimal | None
    coverage: float | None
    estimated_share: float | None
    reason: str | None


class FacilityRows(Answer, frozen=True):
    """Facilities with a service, the moment they are known at and the rules behind them."""

    known_at: datetime
    rule_set: str
    rows: list[FacilityRow]
