"""What a person is told of how he is told: to himself only. Moments are on the city's clock."""

from datetime import datetime

from .answers import Answer


class TellingCan(Answer, frozen=True):
    """By what the city can tell people, as its operator has set it up."""

    mail: bool
    push: bool
    webhook: bool


class MailTarget(Answer, frozen=True):
    """A mail address; `state` is waiting (for its code) or confirmed, `trouble` why the last message did not arrive."""

    id: str
    address: str
    state: str
    created: datetime
    trouble: str | None


class PushTarget(Answer, frozen=True):
    """A browser that subscribed, and the host of its push service."""

    id: str
    label: str
    host: str
    created: datetime
    trouble: str | None


class WebhookTarget(Answer, frozen=True):
    """An address that is called; `secret` is shown once, when it is made."""

    id: str
    url: str
    created: datetime
    trouble: str | None
    secret: str | None


class QuietHours(Answer, frozen=True, rename={"start": "from"}):
    """Hours on the city's clock, 22:00 to 07:00, in which only what is urgent is told."""

    start: str
    until: str


class ToldKind(Answer, frozen=True):
    """A kind of alert: whether it is told, and whether it is urgent: told in quiet hours too."""

    kind: str
    name_en: str
    name_ko: str
    on: bool
    urgent: bool


class ToldNotice(Answer, frozen=True):
    """One message: `state` is waiting, sent, given_up or dropped, `reason` a word for why."""

    at: datetime
    channel: str
    title: str
    state: str
    reason: str | None


class FalseAlarms(Answer, frozen=True):
    """How often the welfare alert fires for a home that is merely empty, counted on simulated households."""

    false_per_home_year: float
    households: int
    days: int
    measured: str


class WelfareContact(Answer, frozen=True, rename={"since": "from"}):
    """Somebody who is told that a home uses no water, under a consent; `state` is waiting until he has agreed too.

    `secret` is that of a webhook, shown once.
    """

    id: str
    consent: str
    place: str
    contact: str
    channel: str
    address: str
    state: str
    since: datetime
    until: datetime
    trouble: str | None
    secret: str | None


class Welfare(Answer, frozen=True):
    """The welfare alert: after how many hours without water, whether it can be had here, and who is told."""

    hours: int
    offered: bool
    alarms: FalseAlarms | None
    contacts: list[WelfareContact]


class Telling(Answer, frozen=True):
    """How a person is told of alerts, and what he was told, the newest first."""

    can: TellingCan
    push_key: str
    mail: list[MailTarget]
    push: list[PushTarget]
    webhook: list[WebhookTarget]
    quiet: QuietHours | None
    timezone: str
    kinds: list[ToldKind]
    away_until: str | None
    recent: list[ToldNotice]
    waiting: int
    welfare: Welfare


class CodeTaken(Answer, frozen=True):
    """What a code confirmed or ended: mail (an address of one's own), webhook or welfare."""

    what: str
    name: str
