"""What people do with their accounts: come in, look who they are, agree and take it back, see who read, leave."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from quintet.access.identities import Identities, Identity, Pass, Person
from quintet.access.read_log import VaultLog
from quintet.access.scope import Grant
from quintet.terms.errors import BadInput, Forbidden, Unknown
from quintet.terms.period import from_us, to_us

from .accounts_asked import (
    Accept,
    ConsentAsked,
    Leave,
    NewPassword,
    OneCode,
    PasskeyMade,
    PasskeyShown,
    SignIn,
    Spoken,
    TokenAsked,
)
from .answers_accounts import HeldRole, Me, OwnHome, OwnPasskey, OwnPasskeys, OwnToken, OwnTokens, ReadNote, Reads
from .asked import FIRST_YEAR, LAST_YEAR, moment_of
from .catalogue import Shelf
from .identity import Reader, moment

MOST_READS = 500


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody for whom an identity provider vouches: its own name of him, and the claim by which he is known here."""

    issuer: str
    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class LetIn:
    """Who came in, the secret for his browser, and for how many seconds it counts."""

    me: Me
    secret: str
    seconds: int


class Accounts:
    """Answers what people ask of their accounts. Every method raises as the registry's entrance and passes do."""

    def __init__(self, identities: Identities, log: VaultLog) -> None:
        """Ask these."""
        self._identities = identities
        self._log = log
        self._shelf = Shelf()

    def sign_in(self, asked: SignIn, address: str) -> LetIn:
        """Let in by name and password."""
        return self._in(*self._identities.entrance.sign_in(asked.name, asked.password, address))

    def by_link(self, asked: OneCode, address: str) -> LetIn:
        """Let in by a link that opens once."""
        return self._in(*self._identities.entrance.by_link(asked.code, address))

    def passkey_options(self, site: str) -> bytes:
        """Give what a browser needs to sign in with a passkey."""
        return self._identities.passkeys.ask(site).encode()

    def by_passkey(self, asked: PasskeyShown, site: str, origin: str, address: str) -> LetIn:
        """Let in by a passkey."""
        person = self._identities.passkeys.sign_in(asked.credential, site, origin, address)
        return self._in(person, self._identities.entrance.begin(person))

    def new_passkey_options(self, reader: Reader, site: str) -> bytes:
        """Give what a browser needs to make a passkey."""
        return self._identities.passkeys.begin(self._person(reader), site).encode()

    def keep_passkey(self, reader: Reader, asked: PasskeyMade, site: str, origin: str) -> Me:
        """Keep a passkey that a browser made."""
        person = self._person(reader)
        self._identities.passkeys.keep(person, asked.credential, asked.label, site, origin)
        return self.me(reader.identity)

    def passkeys(self, reader: Reader) -> OwnPasskeys:
        """List the person's passkeys."""
        tz = self._identities.registry.tz
        held = self._identities.passkeys.listed(self._person(reader))
        return OwnPasskeys([OwnPasskey(name, one.label, local(one.created_us, tz)) for name, one in held])

    def end_passkey(self, reader: Reader, name: str) -> None:
        """Forget a passkey of the person's, as of a device that was lost."""
        self._identities.passkeys.end(self._person(reader), name)

    def sign_out_others(self, reader: Reader, secret: str) -> None:
        """End all sessions and links of the person but this one."""
        self._identities.entrance.sign_out_others(self._person(reader), secret)

    def vouched(self, who: Vouched) -> LetIn:
        """Let in staff for whom the city's identity provider vouches. Raises Unknown for who is no staff here.

        At the first time the name must be that of a user, sign by sign; from then on the provider's own name of him
        counts, whatever he is called there.
        """
        people = self._identities.people
        mine = [
            one for one in people.listed() if (one.profile.issuer, one.profile.subject) == (who.issuer, who.subject)
        ]
        person = mine[0] if mine else people.find(who.name)
        if person is not None and not mine and (person.profile.name != who.name or person.profile.issuer == who.issuer):
            person = None  # another of almost that name, or one who has taken over a name
        if person is None or person.profile.disabled_us or not person.staff:
            raise Unknown(
                "the city's account is none here.",
                code="no_staff",
                remedy="Ask the city's operator to make you a user with a role.",
            )
        if not mine:
            people.keep_profile(person, issuer=who.issuer, subject=who.subject)
        return self._in(person, self._identities.entrance.begin(person))

    def accept(self, asked: Accept, address: str) -> LetIn:
        """Make an account by an invitation."""
        made = self._identities.entrance.accept(
            asked.code, asked.name, asked.password, address, display=asked.display, language=asked.language
        )
        return self._in(*made)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        self._identities.entrance.sign_out(secret)

    def me(self, who: Identity) -> Me:
        """Say who asks."""
        registry = self._identities.registry
        tz = registry.tz
        rows = {row["place"]: row for row in registry.places().to_pylist()} if who.homes else {}
        person = who.person
        return Me(
            who.id,
            who.kind,
            who.name,
            who.language,
            [
                HeldRole(grant.role.name, grant.role.name_en, grant.role.name_ko, grant.place, *bounds(grant, tz))
                for grant in who.scope.grants
                if grant.place
            ],
            [
                OwnHome(home.place, rows[home.place]["name_en"], rows[home.place]["name_ko"], *bounds(home, tz))
                for home in who.homes
            ],
            0 if person is None else len(person.passkeys),
            person is not None and person.password is not None,
        )

    def reads(self, reader: Reader, limit: int) -> Reads:
        """Say who read of the reader's dwellings in his time there."""
        tz = self._identities.registry.tz
        out: list[ReadNote] = []
        for home in reader.identity.homes:
            above = self._identities.registry.tree.path(home.place)
            for noted in self._log.of(above, home.from_us, home.until_us, min(limit, MOST_READS)):
                read = noted.read
                # why was read of another household's time too may be about that one
                whole = home.from_us <= read.from_us and read.until_us <= home.until_us
                why = (read.reason, read.purpose) if whole else ("", "")
                first, last = max(read.from_us, home.from_us, FIRST_US), min(read.until_us, home.until_us, LAST_US)
                out.append(
                    ReadNote(
                        local(noted.at_us, tz), self._identities.called(read.reader), read.role, read.place, read.what,
                        local(first, tz), local(last, tz), read.step_min, *why,
                    )
                )  # fmt: skip
        out.sort(key=lambda one: one.at, reverse=True)
        return Reads(out[:limit])

    def tokens(self, reader: Reader, *, consents: bool) -> OwnTokens:
        """List the person's tokens, or what he has agreed to."""
        person = self._person(reader)
        held = [(name, said) for name, said in person.passes.items() if said.is_consent == consents]
        held.sort(key=lambda one: -one[1].created_us)
        return OwnTokens([self._token(name, said) for name, said in held])

    def make_token(self, reader: Reader, asked: TokenAsked) -> OwnToken:
        """Make a token for the person's own programs."""
        return self._make(
            reader, asked.place, asked.until, name=asked.name, may=tuple(asked.may), from_us=self._begin(None)
        )

    def agree(self, reader: Reader, asked: ConsentAsked) -> OwnToken:
        """Let a third party see something, for a purpose, for a time; what it is shown with is in the answer, once."""
        if not asked.party.strip() or not asked.purpose.strip():
            raise BadInput(
                "names nobody, or no purpose.", code="bad_consent", place="purpose", remedy="Say who, and for what."
            )
        known = self._identities.registry.commodities
        for code in asked.commodities:
            _ = known[code]
        return self._make(
            reader, asked.place, asked.until, name=asked.party, may=asked.may, commodities=asked.commodities,
            party=asked.party.strip(), purpose=asked.purpose.strip(), from_us=self._begin(asked.since or "now"),
        )  # fmt: skip

    def end_token(self, reader: Reader, name: str) -> OwnToken:
        """End a token, or take a consent back."""
        return self._token(name, self._identities.passes.end(self._person(reader), name))

    def set_password(self, reader: Reader, asked: NewPassword, address: str) -> LetIn:
        """Set the password of who asks, end all his sessions and links, and let him in anew.

        Raises Forbidden where the old one is not his.
        """
        person = self._person(reader)
        if person.password is not None and not self._identities.entrance.proves(person, asked.old, address):
            raise Forbidden("is not your password.", code="wrong_password", place="old", remedy="Say it again.")
        self._identities.entrance.set_password(person, asked.password)
        self._identities.people.tell("password", person.id, {}, f"person:{person.id}")
        self._identities.entrance.sign_out_all(person)  # who else was in is out
        return self._in(person, self._identities.entrance.begin(person))

    def speak(self, reader: Reader, asked: Spoken) -> Me:
        """Keep the language of who asks: of his pages where an address names none, and of his mails."""
        person = self._person(reader)
        self._identities.people.keep_profile(person, language=asked.language)
        return self.me(self._identities.of_person(person))

    def leave(self, reader: Reader, asked: Leave, address: str, secret: str) -> None:
        """Erase the person who asks, by his session's secret.

        Raises Forbidden where the password is not his, and, for who has none, where he signed in a while ago.
        """
        person, entrance = self._person(reader), self._identities.entrance
        if person.password is not None and not entrance.proves(person, asked.password, address):
            raise Forbidden("is not your password.", code="wrong_password", place="password", remedy="Say it again.")
        if person.password is None and not entrance.fresh(secret):
            raise Forbidden(
                "needs a sign-in of just now.",
                code="sign_in_again",
                place="session",
                remedy="Sign in anew with your passkey or a fresh link, and erase your account then.",
            )
        self._identities.people.erase(person, actor=f"person:{person.id}")

    def _begin(self, since: str | None) -> int:
        if since is None:
            return ALWAYS_US
        if since == "now":
            return self._identities.people.now_us()
        return to_us(moment_of(since, self._identities.registry.tz, "from"))

    def _make(
        self, reader: Reader, place: str | None, until: str | None, *, name: str, may: tuple[str, ...], from_us: int,
        commodities: tuple[str, ...] = (), party: str = "", purpose: str = "",
    ) -> OwnToken:  # fmt: skip
        person = self._person(reader)
        homes = [home.place for home in reader.identity.homes]
        chosen = place or (homes[0] if len(homes) == 1 else "")
        if chosen not in homes:
            raise reader.identity.scope.not_yours(chosen)
        end = None if until is None else to_us(moment_of(until, self._identities.registry.tz, "until"))
        made, said, token = self._identities.passes.make(
            person, name=name.strip() or "token", place=chosen, may=may, until_us=end, from_us=from_us,
            commodities=commodities, party=party, purpose=purpose,
        )  # fmt: skip
        return msgspec.structs.replace(self._token(made, said), token=token)

    def _person(self, reader: Reader) -> Person:
        """Give the person who asks himself: a token is for reading only."""
        person = reader.identity.person
        if person is None:
            raise Forbidden(
                "is for people only.", code="not_a_person", place="Authorization", remedy="Sign in instead."
            )
        return person

    def _token(self, name: str, said: Pass) -> OwnToken:
        tz = self._identities.registry.tz
        since = moment(said.from_us)
        return OwnToken(
            name, said.name, said.party, said.purpose, said.place, list(said.commodities), list(said.may),
            None if since is None else since.astimezone(tz), local(said.until_us, tz), local(said.created_us, tz),
            local(said.revoked_us, tz) if said.revoked_us else None,
        )  # fmt: skip

    def _in(self, person: Person, secret: str) -> LetIn:
        return LetIn(self.me(self._identities.of_person(person)), secret, self._identities.entrance.lasts_s(person))


ALWAYS_US = -(2**62)
FIRST_US, LAST_US = (to_us(datetime(year, 1, 1, tzinfo=UTC)) for year in (FIRST_YEAR, LAST_YEAR))


def bounds(grant: Grant, tz: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Give a grant's bounds on the city's clock; None for no bound."""
    first, last = moment(grant.from_us), moment(grant.until_us)
    return None if first is None else first.astimezone(tz), None if last is None else last.astimezone(tz)


def local(at_us: int, tz: ZoneInfo) -> datetime:
    """Give a moment on the city's clock."""
    return from_us(at_us).astimezone(tz)
