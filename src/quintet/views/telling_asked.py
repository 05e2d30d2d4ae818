"""What a person says of how he wants to be told: one struct a body."""

import msgspec


class QuietAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """Quiet hours, as 22:00 and 07:00."""

    start: str
    until: str


class ChosenAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Quiet hours (null: none) and the kinds of alerts that are not to be told."""

    quiet: QuietAsked | None
    off: list[str]


class MailAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail address."""

    address: str


class PushKeys(msgspec.Struct, frozen=True):
    """The keys of a subscription, base64url."""

    p256dh: str
    auth: str


class PushAsked(msgspec.Struct, frozen=True, rename={"expires": "expirationTime"}):
    """A subscription as browsers write it, and what the device is to be called."""

    endpoint: str
    keys: PushKeys
    label: str = ""
    expires: float | None = None


class PushLeft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The endpoint of a subscription that has ended."""

    endpoint: str


class WebhookAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address that is to be called."""

    url: str


class TestAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which address is to be tried."""

    id: str


class AwayAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The local day on which somebody is back, as 2026-12-03; null: nobody is away."""

    until: str | None


class WelfareAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be told that the home uses no water: a name, a mail address or a webhook, and until when (a year)."""

    contact: str
    agree: bool
    mail: str = ""
    webhook: str = ""
    until: str | None = None
    place: str | None = None


class CodeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code from a message."""

    code: str
