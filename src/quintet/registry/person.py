"""What is kept of a person: one struct a kind of sealed row. Moments are microseconds since 1970 UTC; 0: not (yet)."""

from dataclasses import dataclass, field

import msgspec

from quintet.store.records import ALWAYS, FOREVER


class Profile(msgspec.Struct, frozen=True):
    """By which name a person signs in, how he is called on pages, where mail reaches him, his language (ko, en).

    `issuer` and `subject`: who vouched for him first, and as whom; only these two name somebody for good (OpenID
    Connect Core 1.0, section 5.7).
    """

    name: str
    display: str
    created_us: int
    language: str = ""
    mail: str = ""
    disabled_us: int = 0
    issuer: str = ""
    subject: str = ""


class Right(msgspec.Struct, frozen=True):
    """A role at a place. `from_us` and `until_us` bound what is seen, `valid_from_us` and `valid_until_us` when.

    Staff see all of a place's past while the right is valid; residents see their own time.
    """

    role: str
    place: str
    created_us: int
    from_us: int = ALWAYS
    until_us: int = FOREVER
    valid_from_us: int = ALWAYS
    valid_until_us: int = FOREVER
    by: str = ""
    why: str = ""
    revoked_us: int = 0


class Password(msgspec.Struct, frozen=True):
    """An argon2id hash in its own text form."""

    hash: str


class Passkey(msgspec.Struct, frozen=True):
    """A WebAuthn credential: its id and public key (base64url), how often it has signed, and what it is called."""

    id: str
    public_key: str
    sign_count: int
    label: str
    created_us: int


class Pass(msgspec.Struct, frozen=True):
    """A token that a person made: for his own programs, or for a third party that he agrees to (`party`, `purpose`).

    Only the digest of its secret is kept. `commodities` empty: all.
    """

    name: str
    sha256: str
    may: tuple[str, ...]
    place: str
    created_us: int
    until_us: int
    from_us: int = ALWAYS
    commodities: tuple[str, ...] = ()
    party: str = ""
    purpose: str = ""
    revoked_us: int = 0

    @property
    def is_consent(self) -> bool:
        """Whether it is for somebody else."""
        return bool(self.party)


@dataclass
class Person:
    """One person as he is known now; `id` is random and says nothing."""

    id: str
    profile: Profile
    rights: dict[str, Right] = field(default_factory=dict[str, Right])
    password: Password | None = None
    passkeys: dict[str, Passkey] = field(default_factory=dict[str, Passkey])
    passes: dict[str, Pass] = field(default_factory=dict[str, Pass])

    @property
    def staff(self) -> bool:
        """Whether any right of his that stands is more than that of a resident."""
        return any(right.role != RESIDENT and not right.revoked_us for right in self.rights.values())


RESIDENT = "resident"
INTEGRATOR = "integrator"
KINDS: dict[str, type[msgspec.Struct]] = {
    "profile": Profile,
    "right": Right,
    "password": Password,
    "passkey": Passkey,
    "pass": Pass,
}
"""The kinds of sealed rows."""
