"""How people get in: by invitation, by name and password, by a link that opens once; and the sessions they then have.

What proves (codes, links, cookies) is kept as a keyed digest only. An answer to who could not get in says nothing of
who is known here, except to who holds a code that was one.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from quintet.store.records import ALWAYS, FOREVER
from quintet.store.vault import KEYS, PEOPLE
from quintet.terms.errors import BadInput, NotFound, Unknown
from quintet.terms.length import DAY_US, MINUTE_US

from .account_limits import account_limits
from .households import own_time
from .passwords import Passwords, Tries, check_password
from .people import People
from .person import RESIDENT, Password, Person, Right
from .snapshot import Registry

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Signs of a code that nobody takes for another: 32 of them, 5 bits each."""
CODE_SIGNS = 16
"""80 bits: with the bound of tries nobody guesses one."""
SESSION, LINK = "session", "link"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to a dwelling: whose readings of [from_us, until_us) it opens, and until when it may be used."""

    id: str
    place: str
    from_us: int
    until_us: int
    expires_us: int
    created_us: int
    used_us: int


@dataclass(slots=True)
class _Session:
    person: str
    expires_us: int
    seen_us: int


class Entrance:
    """Lets people in and knows their sessions."""

    def __init__(self, people: People, registry: Callable[[], Registry]) -> None:
        """Stand before the people of a city; `registry` says as it stands who lives where."""
        self._people = people
        self._registry = registry
        self._passwords = Passwords()
        self._tries = Tries()
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}

    def sign_in(self, name: str, password: str, address: str) -> tuple[Person, str]:
        """Give the person and the secret of a new session.

        Raises Unknown where name and password do not fit, TooManyTries where too many did not.
        """
        who = self._people.digest(name) or hashlib.sha256(name.encode()).hexdigest()
        with self._tries.trying(who, address):
            person = self._people.find(name)
            usable = person is not None and not person.profile.disabled_us and person.password is not None
            known = person.password.hash if usable and person is not None and person.password is not None else None
            if not self._passwords.fits(password, known) or person is None:
                self._tries.failed(who, address)
                raise Unknown(
                    "name and password do not fit.",
                    code="not_let_in",
                    remedy="Try again, or ask for a new link where you got your invitation.",
                )
        return person, self.begin(person)

    def set_password(self, person: Person, password: str) -> None:
        """Set a person's password.

        Raises BadInput for one that is too short, too long or soon guessed.
        """
        about = (person.profile.name, person.profile.display, person.profile.mail)
        check_password(password, about)
        self._people.keep_password(person, Password(self._passwords.hashed(password)))

    def proves(self, person: Person, password: str, address: str) -> bool:
        """Tell whether a person who is signed in says his own password; tries count as those of signing in."""
        with self._tries.trying(person.id, address):
            fits = self._passwords.fits(password, None if person.password is None else person.password.hash)
            if not fits:
                self._tries.failed(person.id, address)
        return fits

    def begin(self, person: Person) -> str:
        """Begin a session; give its secret, which only the person's browser keeps."""
        return self._keep(person.id, SESSION, self._people.now_us() + self.lasts_s(person) * 1_000_000)

    def lasts_s(self, person: Person) -> int:
        """Give how many seconds a session of a person lasts at most."""
        limits = account_limits()
        return 60 * (limits.session_hours * 60 if person.staff else limits.resident_session_days * 1440)

    def link(self, person: Person) -> str:
        """Make a link that lets a person in once; give its code."""
        return self._keep(person.id, LINK, self._people.now_us() + account_limits().link_minutes * MINUTE_US)

    def by_link(self, code: str, address: str) -> tuple[Person, str]:
        """Let in by a link, which then is used up. Raises Unknown for one that is not valid, whatever the reason."""
        self._tries.check("", address)
        digest = self._digest(code)
        found = self._people.vault.rows(
            KEYS, "select person, expires_us from session where digest = ? and kind = ?", [digest, LINK]
        )
        taken = (
            self._people.vault.write(KEYS, "delete from session where digest = ? and kind = ?", [digest, LINK])
            if found
            else 0
        )
        person = self._people.person(found[0][0]) if taken else None
        if person is None or found[0][1] <= self._people.now_us() or person.profile.disabled_us:
            self._tries.failed("", address)
            raise Unknown(
                "this link is not valid: it was used, has expired, or never was.",
                code="link_not_valid",
                remedy="Ask for a new one where you got it; each opens once.",
            )
        return person, self.begin(person)

    def signed(self, secret: str) -> Person | None:
        """Give the person of a session; None where it has ended."""
        digest, now = self._digest(secret), self._people.now_us()
        with self._lock:
            held = self._sessions.get(digest)
            if held is None:
                found = self._people.vault.rows(
                    KEYS,
                    "select person, expires_us, seen_us from session where digest = ? and kind = ?",
                    [digest, SESSION],
                )
                if not found:
                    return None
                held = self._sessions[digest] = _Session(*found[0])
        person = self._people.person(held.person)
        idle_us = now - held.seen_us
        left = person is not None and person.staff and idle_us > account_limits().idle_minutes * MINUTE_US
        if person is None or person.profile.disabled_us or held.expires_us <= now or left:
            self.sign_out(secret)
            return None
        if idle_us > _noted_after_us(person):
            held.seen_us = now
            self._people.vault.write(KEYS, "update session set seen_us = ? where digest = ?", [now, digest])
        return person

    def ends_us(self, secret: str) -> int:
        """Give when a session of `signed` ends by its time; 0 where it may end sooner, unused."""
        held = self._sessions.get(self._digest(secret))
        person = None if held is None else self._people.person(held.person)
        return 0 if held is None or person is None or person.staff else held.expires_us

    def at_hand(self, secret: str) -> Person | None:
        """Give what `signed` gives, where that takes no reading and no writing; None: ask that."""
        held, now = self._sessions.get(self._digest(secret)), self._people.now_us()
        person = None if held is None else self._people.person(held.person)
        if held is None or person is None or person.profile.disabled_us or held.expires_us <= now:
            return None
        return person if now - held.seen_us <= _noted_after_us(person) else None

    def sign_out(self, secret: str) -> None:
        """End a session."""
        digest = self._digest(secret)
        found = self._people.vault.rows(KEYS, "select person from session where digest = ?", [digest])
        self._people.vault.write(KEYS, "delete from session where digest = ?", [digest])
        with self._lock:  # after the file: a request in between would remember it anew
            self._sessions.pop(digest, None)
        for (person,) in found:
            self._people.changed(person)

    def sign_out_all(self, person: Person) -> None:
        """End all sessions and links of a person."""
        self._people.vault.write(KEYS, "delete from session where person = ?", [person.id])
        with self._lock:
            self._sessions = {digest: one for digest, one in self._sessions.items() if one.person != person.id}
        self._people.changed(person.id)

    def sign_out_others(self, person: Person, secret: str) -> None:
        """End all sessions and links of a person but one session."""
        kept = self._digest(secret)
        self._people.vault.write(KEYS, "delete from session where person = ? and digest <> ?", [person.id, kept])
        with self._lock:
            self._sessions = {
                digest: one for digest, one in self._sessions.items() if one.person != person.id or digest == kept
            }
        self._people.changed(person.id)

    def shorten(self, person: Person) -> None:
        """Let the sessions of who has become staff last no longer than one that begins now."""
        latest = self._people.now_us() + self.lasts_s(person) * 1_000_000
        self._people.vault.write(
            KEYS,
            "update session set expires_us = min(expires_us, ?) where person = ? and kind = ?",
            [latest, person.id, SESSION],
        )
        with self._lock:
            self._sessions = {digest: one for digest, one in self._sessions.items() if one.person != person.id}

    def fresh(self, secret: str) -> bool:
        """Tell whether a session has just begun: who it is has just been proved."""
        found = self._people.vault.rows(
            KEYS,
            "select person, expires_us from session where digest = ? and kind = ?",
            [self._digest(secret), SESSION],
        )
        person = self._people.person(found[0][0]) if found else None
        if person is None:
            return False
        age_us = self._people.now_us() - (found[0][1] - self.lasts_s(person) * 1_000_000)
        return 0 <= age_us <= account_limits().fresh_minutes * MINUTE_US

    def invite(
        self, place: str, from_us: int, until_us: int, *, days: int | None = None, actor: str
    ) -> tuple[Invitation, str]:
        """Make an invitation to a dwelling; give it and, this once, its code."""
        now, name = self._people.now_us(), secrets.token_hex(6)
        expires = now + (days if days is not None else account_limits().invitation_days) * DAY_US
        plain = "".join(secrets.choice(ALPHABET) for _ in range(CODE_SIGNS))
        self._people.vault.index_key()  # made, where this is the first that is kept of anybody
        made = Invitation(name, place, from_us, until_us, expires, now, 0)
        self._people.vault.write(
            PEOPLE,
            "insert into invitation values (?, ?, ?, ?, ?, ?, ?, 0)",
            [name, self._digest(plain), place, max(from_us, ALWAYS), min(until_us, FOREVER), expires, now],
        )
        self._people.tell("invited", "", {"invitation": name}, actor)
        return made, "-".join(plain[at : at + 4] for at in range(0, CODE_SIGNS, 4))

    def invitations(self) -> list[Invitation]:
        """List invitations in order of making, used and expired ones too."""
        columns = "id, place, from_us, until_us, expires_us, created_us, used_us"
        found = self._people.vault.rows(PEOPLE, f"select {columns} from invitation order by created_us, id")
        return [Invitation(*row) for row in found]

    def uninvite(self, name: str, *, actor: str) -> None:
        """Take an invitation back; raises NotFound for one that there is not."""
        if not self._people.vault.write(PEOPLE, "delete from invitation where id = ?", [name]):
            raise NotFound(
                f"there is no invitation {name!r}.", code="unknown_invitation", remedy="See `quintet invite list`."
            )
        self._people.tell("uninvited", "", {"invitation": name}, actor)

    def accept(
        self, code: str, name: str, password: str, address: str, *, display: str = "", language: str = ""
    ) -> tuple[Person, str]:
        """Make an account by an invitation and let its person in.

        Raises Unknown for a code that is none, used or old, BadInput for a name or password that cannot be one.
        """
        self._tries.check("", address)
        invitation = self._invitation(code, address)
        check_password(password, (name, display))
        now = self._people.now_us()
        with self._lock:
            try:
                person = self._people.add(name, display, language=language, actor="invitation")
            except BadInput:
                self._tries.failed("", address)  # a code is no way to learn who is known here
                raise
            taken = self._people.vault.write(
                PEOPLE, "update invitation set used_us = ? where id = ? and used_us = 0", [now, invitation.id]
            )
            if not taken:  # somebody else was quicker
                self._people.erase(person, actor="invitation")
                raise _used()
        self.set_password(person, password)
        right = Right(
            RESIDENT, invitation.place, now, invitation.from_us, invitation.until_us, by=f"invitation:{invitation.id}"
        )
        self._people.grant(person, right, actor="invitation")
        return person, self.begin(person)

    def _invitation(self, code: str, address: str) -> Invitation:
        columns = "id, place, from_us, until_us, expires_us, created_us, used_us"
        plain = "".join(sign for sign in code.upper() if sign in ALPHABET)
        found = self._people.vault.rows(
            PEOPLE, f"select {columns} from invitation where digest = ?", [self._digest(plain)]
        )
        if not found:
            self._tries.failed("", address)
            raise Unknown(
                "there is no such invitation.",
                code="invitation_unknown",
                place="code",
                remedy="Compare it with the letter: 16 signs; there is no 0, 1, I or O.",
            )
        invitation = Invitation(*found[0])
        if invitation.used_us:
            raise _used()
        now = self._people.now_us()
        time = own_time(self._registry(), invitation.place, invitation.from_us, invitation.until_us)
        # a letter that was left in the flat opens nothing of who moved out
        if invitation.expires_us <= now or time is None or time[1] <= now:
            raise Unknown(
                "this invitation has expired, or was for a household that has moved out.",
                code="invitation_expired",
                place="code",
                remedy="Ask the management office for a new one.",
            )
        return invitation

    def _keep(self, person: str, kind: str, expires_us: int) -> str:
        secret = secrets.token_urlsafe(32)
        now = self._people.now_us()
        self._people.vault.write(KEYS, "delete from session where expires_us <= ?", [now])
        self._people.vault.write(
            KEYS, "insert into session values (?, ?, ?, ?, ?)", [self._digest(secret), person, kind, expires_us, now]
        )
        return secret

    def _digest(self, secret: str) -> str:
        if not self._people.vault.exists:
            return ""
        return hmac.new(self._people.vault.index_key(), secret.encode(), hashlib.sha256).hexdigest()


def _noted_after_us(person: Person) -> int:
    """Give after how long it is noted that a session is still used: only those of staff end when they are not."""
    return MINUTE_US if person.staff else DAY_US


def _used() -> Unknown:
    return Unknown(
        "this invitation was used already.",
        code="invitation_used",
        place="code",
        remedy="Sign in with the account that was made with it, or ask for a new invitation.",
    )
