"""What people send about their accounts: the bodies of its addresses."""

from typing import Any, Literal

import msgspec


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name and its password."""

    name: str
    password: str


class OneCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of a link."""

    code: str


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invitation's code and the account that is to be made with it."""

    code: str
    name: str
    password: str
    display: str = ""
    language: str = ""


class TokenAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """A token for the person's own programs; `until` (default: a year) is text as everywhere."""

    name: str
    may: list[str]
    place: str | None = None
    until: str | None = None


class ConsentAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """What a third party may see: who, for what, of which utilities (none: all), from when (else now) until when."""

    party: str
    purpose: str
    until: str
    place: str | None = None
    commodities: tuple[str, ...] = ()
    may: tuple[str, ...] = ("read",)
    since: str | None = None


class PasskeyMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new passkey as WebAuthn's JSON, and what it is to be called."""

    credential: dict[str, Any]
    label: str = ""


class PasskeyShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey that signs in, as WebAuthn's JSON."""

    credential: dict[str, Any]


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password, and the one before where there is one."""

    password: str
    old: str = ""


class Spoken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The language in which a person's pages and mails are."""

    language: Literal["ko", "en"]


class Leave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password, said again, by which a person has himself erased; empty where he has none."""

    password: str = ""
