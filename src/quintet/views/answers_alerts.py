"""The answers of alerts: what a household is told of by itself, what is looked for, and its budget."""

from datetime import datetime

import msgspec

from .answers import Answer


class AlertFigure(Answer, frozen=True):
    """One figure of evidence; a day is written as 2026-11-21, and `unit` is then empty."""

    name: str
    value: float | str
    unit: str


class AlertTold(Answer, frozen=True):
    """When an alert was told, by which channel, and what came of it."""

    at: datetime
    by: str
    outcome: str


class HomeAlert(Answer, frozen=True):
    """One alert of a home.

    `severity`: `act` or `watch`. `state`: `standing`, `dismissed` (the household said: no problem) or `ended`
    (`end_reason`: `over`, or `moved`: another household lives there). `title`, `text`, `won_text` and `action` are
    whole sentences in the language asked for. `won` is a `day`, a `month` or `once`; where it is null `won_reason` says
    why. `confidence` is 1 less the chance that an ordinary time of this home looks like this.
    """

    id: str
    kind: str
    commodity: str
    severity: str
    state: str
    since: datetime
    raised_at: datetime
    ended_at: datetime | None
    end_reason: str
    title: str
    text: str
    won_text: str
    action: str
    won: int | None
    won_per: str
    won_reason: str
    confidence: float
    figures: list[AlertFigure]
    may_dismiss: bool
    dismissed_at: datetime | None
    told: list[AlertTold]


class AlertCheck(Answer, frozen=True):
    """What is looked for: `watched`, `alert` (one stands) or `cannot`; `why` and `text` say what stands in the way."""

    kind: str
    commodity: str
    state: str
    why: str
    text: str


class HomeAlertList(Answer, frozen=True):
    """A home's alerts, those to act on first, and what else is looked for; `looked_at` is null where nobody has yet."""

    place: str
    timezone: str
    language: str
    known_at: datetime
    looked_at: datetime | None
    standing: int
    alerts: list[HomeAlert]
    checks: list[AlertCheck]


class HomeBudget(Answer, frozen=True):
    """What a household wants to spend a month on all utilities together; null: it has said nothing."""

    place: str
    won: int | None
    set_at: datetime | None
    set_by_you: bool
    least: int
    most: int
    alert: str | None


class BudgetAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A budget to be set: whole won a month; null takes it away."""

    place: str
    won: int | None
