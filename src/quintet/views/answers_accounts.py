"""What is said of a person's account: to himself only. Moments are on the city's clock."""

from datetime import datetime

from .answers import Answer


class HeldRole(Answer, frozen=True, rename={"since": "from"}):
    """A role at a place; `from` and `until` bound the readings that it opens, null for no bound."""

    role: str
    name_en: str
    name_ko: str
    place: str
    since: datetime | None
    until: datetime | None


class OwnHome(Answer, frozen=True, rename={"since": "from"}):
    """A dwelling that is the reader's own, and his time in it."""

    place: str
    name_en: str
    name_ko: str
    since: datetime | None
    until: datetime | None


class Me(Answer, frozen=True):
    """Who asks: `kind` is local, person, token or consent; `id` says nothing."""

    id: str
    kind: str
    name: str
    language: str
    roles: list[HeldRole]
    homes: list[OwnHome]
    passkeys: int
    password: bool


class OwnPasskey(Answer, frozen=True):
    """A passkey of the person's: `id` names it in this list only, `label` is what the device called itself."""

    id: str
    label: str
    created: datetime


class OwnPasskeys(Answer, frozen=True):
    """The person's passkeys, the newest first."""

    passkeys: list[OwnPasskey]


class ReadNote(Answer, frozen=True, rename={"since": "from"}):
    """One reading of the dwelling by somebody else: who, in which role, what, of which time, how fine, and why.

    `step_min` is the step in minutes, 0 for each reading. Of what was read of another household's time as well there is
    no reason: it may be about that one.
    """

    at: datetime
    who: str
    role: str
    place: str
    what: str
    since: datetime
    until: datetime
    step_min: int
    reason: str
    purpose: str


class Reads(Answer, frozen=True):
    """Who read of the reader's dwellings, the newest first."""

    reads: list[ReadNote]


class OwnToken(Answer, frozen=True, rename={"since": "from"}):
    """A token of the person's, or what a third party may see with his consent; `token` is shown once."""

    id: str
    name: str
    party: str
    purpose: str
    place: str
    commodities: list[str]
    may: list[str]
    since: datetime | None
    until: datetime
    created: datetime
    revoked: datetime | None
    token: str | None = None


class OwnTokens(Answer, frozen=True):
    """The person's tokens, or consents, the newest first."""

    tokens: list[OwnToken]
