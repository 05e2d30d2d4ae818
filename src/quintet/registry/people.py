"""The people of a city: who they are, what they may, and how they are taken out again.

Kept in the vault (store/vault.py), never in the append-only store: there, and in the audit chain, a person is a random
name that says nothing once his key is gone. Every method may be called from any thread.
"""

import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from quintet.store.audit import audit
from quintet.store.engine import Engine
from quintet.store.vault import KEYS, Vault
from quintet.terms.errors import BadInput, NotFound

from .person import KINDS, Pass, Passkey, Password, Person, Profile, Right

NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")
ERASED = "an erased person"
"""What stands where an erased person's name stood."""
Struct = TypeVar("Struct", bound=msgspec.Struct)


class People:
    """The persons of one city, kept in memory as they stand."""

    def __init__(self, vault: Vault, engine: Engine) -> None:
        """Read the vault at the first question; what is done is audited in the engine's store."""
        self.vault = vault
        self._engine = engine
        self._lock = threading.RLock()
        self._known: dict[str, Person] | None = None
        self._holders: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self.parting: list[Callable[[Person], None]] = []
        """Told of each person who is about to be erased: what is kept elsewhere because of him goes first."""
        self.leaving: list[Callable[[str], None]] = []
        """Told of each person who was erased: what else is kept of him in memory goes too."""

    @property
    def present(self) -> bool:
        """Whether there are accounts, or ever were: from the first invitation on nobody reads without one."""
        return self.vault.exists

    def now_us(self) -> int:
        """Give the city's present moment."""
        return self._engine.clock_us()

    def add(self, name: str, display: str, *, language: str = "", mail: str = "", actor: str) -> Person:
        """Make a person. Raises BadInput for a name that cannot be one, or that somebody has."""
        wanted = normal(name)
        if not NAME.fullmatch(wanted):
            raise BadInput(
                "is no name to sign in by.", code="bad_name", place="name", remedy="1 to 128 signs without spaces."
            )
        with self._lock:
            if self.find(wanted) is not None:
                raise BadInput("is taken.", code="name_taken", place="name", remedy="Choose another name.")
            person = Person(
                self.vault.new_person(), Profile(wanted, display.strip() or wanted, self.now_us(), language, mail)
            )
            self._put(person.id, "profile", "", person.profile)
            self.vault.write(KEYS, "insert into name values (?, ?)", [self.digest(wanted), person.id])
            self._all()[person.id] = person
        self.tell("user_added", person.id, {}, actor)
        return person

    def find(self, name: str) -> Person | None:
        """Find a person by the name by which he signs in."""
        found = self.vault.rows(KEYS, "select person from name where digest = ?", [self.digest(normal(name))])
        return self._all().get(found[0][0]) if found else None

    def digest(self, name: str) -> str:
        """Give what a name is indexed by: without the index key nobody can tell whose it is."""
        if not self.vault.exists:
            return ""
        return hmac.new(self.vault.index_key(), normal(name).encode(), hashlib.sha256).hexdigest()

    def need(self, name: str) -> Person:
        """Find a person by name or id; raises NotFound."""
        found = self._all().get(name) or self.find(name)
        if found is None:
            raise NotFound(
                f"there is no user {name!r}.",
                code="unknown_user",
                remedy="`quintet user list` lists them, `quintet user add` makes one.",
            )
        return found

    def holder(self, name: str) -> Person | None:
        """Give whose token or consent an id names."""
        self._all()
        return self._all().get(self._holders.get(name, ""))

    def person(self, person: str) -> Person | None:
        """Give a person by id; None for one who was erased or never was."""
        return self._all().get(person)

    def listed(self) -> list[Person]:
        """List all persons in order of making."""
        return sorted(self._all().values(), key=lambda one: (one.profile.created_us, one.id))

    def called(self, person: str) -> str:
        """Give how a person is called; an erased one by that alone."""
        known = self.person(person)
        return known.profile.display if known is not None else ERASED

    def grant(self, person: Person, right: Right, *, actor: str) -> str:
        """Give a right; its id is returned. The caller has checked role and place."""
        name = secrets.token_hex(6)
        self._put(person.id, "right", name, right)
        with self._lock:
            person.rights[name] = right
        self.tell("right_granted", person.id, {"right": name, "role": right.role}, actor)
        return name

    def revoke(self, person: Person, name: str, *, actor: str) -> Right:
        """End a right; raises NotFound for one that there is not."""
        right = person.rights.get(name)
        if right is None:
            raise NotFound(
                f"there is no right {name!r}.", code="unknown_right", remedy="`quintet user list` shows them."
            )
        ended = msgspec.structs.replace(right, revoked_us=right.revoked_us or self.now_us())
        self._put(person.id, "right", name, ended)
        with self._lock:
            person.rights[name] = ended
        self.tell("right_revoked", person.id, {"right": name, "role": right.role}, actor)
        return ended

    def disable(self, person: Person, *, actor: str, back: bool = False) -> None:
        """Let a person in no more, or again; his sessions end."""
        self.keep_profile(person, disabled_us=0 if back else self.now_us())
        if not back:
            self.vault.write(KEYS, "delete from session where person = ?", [person.id])
        self.tell("user_enabled" if back else "user_disabled", person.id, {}, actor)

    def keep_profile(self, person: Person, **changed: Any) -> None:
        """Change what is kept in a person's profile."""
        profile = msgspec.structs.replace(person.profile, **changed)
        self._put(person.id, "profile", "", profile)
        person.profile = profile

    def keep_password(self, person: Person, password: Password) -> None:
        """Keep a password's hash, in the place of the one before."""
        self._put(person.id, "password", "", password)
        person.password = password

    def keep_passkey(self, person: Person, passkey: Passkey) -> None:
        """Keep a passkey."""
        self._put(person.id, "passkey", passkey.id, passkey)
        person.passkeys[passkey.id] = passkey

    def drop_passkey(self, person: Person, name: str, *, actor: str) -> None:
        """Forget a passkey: it signs in no more."""
        self.vault.drop(person.id, "passkey", name)
        with self._lock:
            person.passkeys.pop(name, None)
        self.tell("passkey_removed", person.id, {}, actor)

    def keep_pass(self, person: Person, name: str, said: Pass, *, actor: str, action: str) -> None:
        """Keep a token or a consent, new or changed."""
        self._put(person.id, "pass", name, said)
        with self._lock:
            person.passes[name] = said
            self._holders[name] = person.id
        self.tell(action, person.id, {"pass": name}, actor)

    def erase(self, person: Person, *, actor: str) -> None:
        """Destroy a person's key and all that was kept of him.

        The city's numbers and the audit chain stay: what they call him by says nothing any more.
        """
        for part in self.parting:
            part(person)
        self.vault.destroy(person.id, self.now_us())
        with self._lock:
            self._all().pop(person.id, None)
        for forget in self.leaving:
            forget(person.id)
        self.tell("user_erased", person.id, {}, actor)

    def tell(self, action: str, person: str, detail: dict[str, Any], actor: str) -> None:
        """Write what was done into the audit chain, by random names only; the person's version grows."""
        with self._engine.writing("people", person, actor, self.now_us()) as writing:
            audit(writing, action=action, subject=f"person:{person}", detail=detail)
        self.changed(person)

    def changed(self, person: str) -> None:
        """Note that what a person may has changed, or that a session of his has ended."""
        with self._lock:
            self._versions[person] = self.version(person) + 1

    @property
    def changes(self) -> int:
        """A number that grows with every change of what anybody may."""
        with self._lock:
            return sum(self._versions.values())

    def version(self, person: str) -> int:
        """Give a number that grows with every change of what a person may."""
        return self._versions.get(person, 0)

    def _put(self, person: str, kind: str, name: str, body: msgspec.Struct) -> None:
        self.vault.put(person, kind, name, msgspec.json.encode(body))

    def _all(self) -> dict[str, Person]:
        with self._lock:
            if self._known is None:
                self._known = self._read()
            return self._known

    def _read(self) -> dict[str, Person]:
        out = {row.person: Person(row.person, self._open(row.body, Profile)) for row in self.vault.opened("profile")}
        for kind in KINDS:
            for row in self.vault.opened(kind):
                person = out.get(row.person)
                if person is None:
                    continue
                match self._open(row.body, KINDS[kind]):
                    case Right() as right:
                        person.rights[row.id] = right
                    case Password() as password:
                        person.password = password
                    case Passkey() as passkey:
                        person.passkeys[row.id] = passkey
                    case Pass() as said:
                        person.passes[row.id] = said
                        self._holders[row.id] = person.id
                    case _:
                        pass
        return out

    def _open(self, body: bytes, kind: type[Struct]) -> Struct:
        return msgspec.json.decode(body, type=kind)


def normal(name: str) -> str:
    """Give the one form of a name: composed, without case, without blanks around it."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def stands(right: Right, now_us: int) -> bool:
    """Tell whether a right is valid at a moment."""
    return not right.revoked_us and right.valid_from_us <= now_us < right.valid_until_us
