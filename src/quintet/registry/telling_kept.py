"""What is kept of how a person is told: one struct a kind of sealed row, so that erasing him destroys it.

Moments are microseconds since 1970 UTC; 0: not (yet).
"""

import msgspec

MAIL, PUSH, WEBHOOK = "mail", "push", "webhook"
WAITING, SENT, GIVEN_UP, DROPPED = "waiting", "sent", "given_up", "dropped"
"""The states of a notice."""
CODE, TEST = "code", "test"
"""Notices that are no alert: a code that confirms an address, and a message to try one."""


class Chosen(msgspec.Struct, frozen=True):
    """When a person is left in peace (minutes of the local day; both 0: never), what he wants to hear nothing of.

    `away_until` is the local day on which somebody is back, 2026-12-03, or empty.
    """

    quiet_from_min: int = 0
    quiet_until_min: int = 0
    off: tuple[str, ...] = ()
    away_until: str = ""

    @property
    def quiet(self) -> bool:
        """Whether there are quiet hours."""
        return self.quiet_from_min != self.quiet_until_min


class Target(msgspec.Struct, frozen=True):
    """Where messages go: a mail address, a browser's subscription (RFC 8291), an address that is called.

    With a `contact` it is a third person's, told of one place under a consent. Nothing but a code goes to a mail
    address, or to any contact, before `confirmed_us`. `made_for` is the city's key that a browser subscribed with.
    """

    channel: str
    address: str
    created_us: int
    confirmed_us: int = 0
    code_sha256: str = ""
    code_until_us: int = 0
    label: str = ""
    secret: str = ""
    p256dh: str = ""
    auth: str = ""
    made_for: str = ""
    place: str = ""
    contact: str = ""
    consent: str = ""
    trouble: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether it may be told more than its code."""
        return self.confirmed_us > 0


class Notice(msgspec.Struct, frozen=True):
    """One message to one target, waiting or over. It is sent again under the same `parcel` where that is not known.

    `worth` is the figure by which the alert gets worse, as it was when it was told, `round` how often it was told again
    since; of a code `address` is where it went. What was said is emptied when it is over, but for the title.
    """

    target: str
    alert: str
    place: str
    kind: str
    utility: str
    title: str
    text: str
    action: str
    url: str
    since_us: int
    at_us: int
    due_us: int
    state: str = WAITING
    reason: str = ""
    urgent: bool = False
    worth: float = 0.0
    raised_us: int = 0
    round: int = 0
    tries: int = 0
    parcel: str = ""
    over_us: int = 0
    language: str = ""
    channel: str = ""
    address: str = ""
