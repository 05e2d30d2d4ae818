"""Tokens that people make themselves: for their own programs, and for third parties that they agree to.

A consent names who, for what, of which utilities, and until when; taken back, it opens nothing with the next question,
and its streams end.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable

import msgspec

from quintet.store.records import ALWAYS
from quintet.terms.errors import BadInput, NotFound
from quintet.terms.length import DAY_US

from .account_limits import account_limits
from .people import People
from .person import Pass, Person

FORM = re.compile(r"qnh_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
MAY = ("read", "live", "mqtt")
"""What such a token may be for: asking, following live, and coming in at the broker (docs/home-assistant.md)."""
TOLD = "told"
"""What a consent is for by which somebody is told of something, and may ask for nothing himself."""
NOBODY = hashlib.sha256(b"").hexdigest()
MOST = 50
"""Tokens and consents of one person that count at once."""


class Passes:
    """The tokens and consents of people."""

    def __init__(self, people: People) -> None:
        """Keep them with their persons."""
        self._people = people
        self.made: list[Callable[[str, Pass, str], None]] = []
        """Told of each that was made: its id, what was said, and the token, which nobody else is told."""

    def make(
        self,
        person: Person,
        *,
        name: str,
        place: str,
        may: tuple[str, ...],
        until_us: int | None = None,
        from_us: int = ALWAYS,
        commodities: tuple[str, ...] = (),
        party: str = "",
        purpose: str = "",
    ) -> tuple[str, Pass, str]:
        """Make one; give its id, what was said, and this once the token. Raises BadInput for what cannot be."""
        now = self._people.now_us()
        longest = now + account_limits().token_days * DAY_US
        if not may or any(one not in ((*MAY, TOLD) if party else MAY) for one in may):
            raise BadInput(
                "allows nothing that there is.",
                code="bad_right",
                place="may",
                remedy=f"{', '.join(MAY)}.",
                said={"known": MAY},
            )
        if until_us is not None and not now < until_us <= longest:
            raise BadInput(
                "is not within a year from now.", code="bad_until", place="until", remedy="Give a moment to come."
            )
        limits = account_limits()
        said_of = (("party", party or name, limits.party_most), ("purpose", purpose, limits.purpose_most))
        for field, text, most in said_of:
            if len(text) > most:
                raise BadInput(
                    f"is longer than {most} signs.",
                    code="too_long",
                    place=field,
                    remedy="Say it shorter.",
                    said={"most": most},
                )
        if (until_us or longest) <= from_us:
            raise BadInput("begins after its end.", code="empty_range", place="from", remedy="Give an earlier moment.")
        if len([said for said in person.passes.values() if counts(said, now)]) >= MOST:
            raise BadInput(
                f"there are {MOST} already.",
                code="too_many",
                place="name",
                remedy="End one first.",
                said={"most": MOST},
            )
        secret, key = secrets.token_urlsafe(32), secrets.token_hex(6)
        said = Pass(
            name, hashlib.sha256(secret.encode()).hexdigest(), may, place, now, until_us or longest, from_us,
            commodities, party, purpose,
        )  # fmt: skip
        action = "consent" if said.is_consent else "household_token"
        self._people.keep_pass(person, key, said, actor=f"person:{person.id}", action=action)
        token = f"qnh_{key}_{secret}"
        for tell in self.made:
            tell(key, said, token)
        return key, said, token

    def end(self, person: Person, name: str) -> Pass:
        """End one; raises NotFound for one that is not this person's."""
        said = person.passes.get(name)
        if said is None:
            raise NotFound(f"there is no token {name!r}.", code="unknown_token", remedy="Look at the list of yours.")
        if not said.revoked_us:
            said = msgspec.structs.replace(said, revoked_us=self._people.now_us())
            action = "consent_revoked" if said.is_consent else "household_token_revoked"
            self._people.keep_pass(person, name, said, actor=f"person:{person.id}", action=action)
        return said

    def held(self, header: str) -> tuple[Person, str, Pass] | None:
        """Give whose token a header shows, its id and what it says; None for none that counts."""
        scheme, _, text = header.partition(" ")
        form = FORM.fullmatch(text.strip())
        if form is None or scheme.lower() != "bearer" or not self._people.vault.exists:
            return None
        given = hashlib.sha256(form.group(2).encode()).hexdigest()
        person = self._people.holder(form.group(1))
        said = None if person is None else person.passes.get(form.group(1))
        fits = hmac.compare_digest(given, NOBODY if said is None else said.sha256)
        if not fits or person is None or said is None or person.profile.disabled_us:
            return None
        return (person, form.group(1), said) if counts(said, self._people.now_us()) else None


def counts(said: Pass, now_us: int) -> bool:
    """Tell whether a token counts at a moment."""
    return not said.revoked_us and now_us < said.until_us
