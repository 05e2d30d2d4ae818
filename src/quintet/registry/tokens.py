"""Tokens: by which the doors know who sends. Only the digest of a secret is kept, in dated records.

A token is written `qnt_ID_SECRET`: the ID names its record, the SECRET is 256 random bits. What the book says is kept
in memory too, so that a door asks no database; a token made or revoked counts for the next request.
"""

import hashlib
import hmac
import re
import secrets
import threading
from dataclasses import dataclass

import msgspec

from quintet.store.audit import audit
from quintet.store.book import append_records
from quintet.store.engine import Engine
from quintet.store.records import Record
from quintet.terms.errors import Forbidden, NotFound, Unknown, UsageError

KIND = "token"
RIGHTS = ("readings", "meters", "edits", "read", "live", "metrics")
"""What a token may allow: to send readings, to list meters, to edit values in people's names; to ask, to follow
live (of a place, in a role), to see how the owner runs."""
ASKING = ("read", "live")
"""Rights that need a place and a role."""
FORM = re.compile(r"qnt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
SOURCE = re.compile(r"[^\W_][\w.:-]{0,63}")
BROKERED = "mqtt:"
"""So the MQTT door names its sources: what such a source sent is replayed as messages, so no token may claim it."""
NOBODY = hashlib.sha256(b"").hexdigest()
"""What a secret is compared with when its id is unknown, so that this takes as long; no secret has this digest."""
UNWELCOME = "no token was given, or it is not known here."
REMEDY = "Send `Authorization: Bearer TOKEN` with a token of `quintet token create --source NAME`."


class Said(msgspec.Struct, frozen=True):
    """The body of a token's records: the whole of it each time, `revoked_us` 0 while it counts."""

    source: str
    may: tuple[str, ...]
    sha256: str
    created_us: int
    revoked_us: int = 0
    until_us: int = 0
    place: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What may be told of a token: never its secret, nor the digest. Moments are microseconds since 1970 UTC."""

    id: str
    source: str
    may: tuple[str, ...]
    created_us: int
    revoked_us: int | None
    until_us: int | None = None
    place: str = ""
    role: str = ""


class Tokens:
    """The tokens of one city. Every method may be called from any thread."""

    def __init__(self, engine: Engine) -> None:
        """Keep tokens in an engine's book; nothing is read before the first question."""
        self._engine = engine
        self._lock = threading.Lock()
        self._known: dict[str, Said] | None = None
        self.version = 0
        """Grows with every token that is made or ended."""

    def create(
        self,
        source: str,
        may: tuple[str, ...] = ("readings",),
        *,
        actor: str,
        until_us: int = 0,
        place: str = "",
        role: str = "",
    ) -> tuple[Token, str]:
        """Make a token for a source; gives it and, this once, the text that the sender must send.

        It counts until a moment (0: until it is revoked). Who may ask may ask of a place, in a role; the caller has
        checked both. Raises UsageError for a name that cannot be one (letters, digits, `._:-`, at most 64), for an
        unknown right, a moment that has passed, and for asking without place and role, or these without asking.
        """
        if not SOURCE.fullmatch(source) or source.startswith(BROKERED):
            raise UsageError(
                f"{source!r} is no name of a source.",
                code="bad_source",
                remedy="Begin with a letter or digit; letters, digits, dots, colons, dashes and _ follow, 64 in all; "
                f"names that begin with {BROKERED} are those of the MQTT door.",
            )
        strange = [right for right in may if right not in RIGHTS]
        if strange or not may:
            raise UsageError(
                f"there is no right {', '.join(strange)}." if strange else "a token that may do nothing is of no use.",
                code="bad_right",
                remedy=f"Rights are {', '.join(RIGHTS)}.",
            )
        if until_us and until_us <= self._engine.clock_us():
            raise UsageError("that moment has passed.", code="bad_until", place="--until", remedy="Give one to come.")
        if any(right in ASKING for right in may) != bool(place and role):
            raise UsageError(
                "who may read or follow live needs a place and a role, and nobody else has them.",
                code="bad_right",
                remedy="For asking give --place and --role; for sending neither.",
            )
        secret = secrets.token_urlsafe(32)
        name = secrets.token_hex(6)
        rights = tuple(right for right in RIGHTS if right in may)
        digest, now_us = hashlib.sha256(secret.encode()).hexdigest(), self._engine.clock_us()
        said = Said(source, rights, digest, now_us, 0, until_us, place, role)
        self._say(name, said, actor)
        return _told(name, said), f"qnt_{name}_{secret}"

    def revoke(self, name: str, *, actor: str) -> Token:
        """End a token by its id; one that ended already stays as it is. Raises NotFound for an unknown id."""
        said = self._all().get(name)
        if said is None:
            raise NotFound(
                f"there is no token {name!r}.",
                code="unknown_token",
                remedy="`quintet token list` shows their ids.",
                said={"name": name},
            )
        if not said.revoked_us:
            said = msgspec.structs.replace(said, revoked_us=self._engine.clock_us())
            self._say(name, said, actor)
        return _told(name, said)

    def listed(self) -> list[Token]:
        """List all tokens in order of making, revoked ones too."""
        known = sorted(self._all().items(), key=lambda one: (one[1].created_us, one[0]))
        return [_told(name, said) for name, said in known]

    def admit(self, header: str, right: str) -> str:
        """Give the source that an Authorization header proves.

        Raises Unknown where it proves none, Forbidden where its token lacks the right. The secret is compared in a time
        that does not depend on it.
        """
        said = self.proved(header)
        if said is None:
            raise Unknown(UNWELCOME, code="unknown_token", place="Authorization", remedy=REMEDY)
        if right not in said.may:
            raise Forbidden(
                f"the token of {said.source} does not allow {right}.",
                code="missing_right",
                place="Authorization",
                remedy=f"Make one with `quintet token create --source {said.source} --may {right}`.",
                said={"right": right},
            )
        return said.source

    def proved(self, header: str) -> Token | None:
        """Give the token that an Authorization header proves; None where it proves none that counts now."""
        scheme, _, text = header.partition(" ")
        form = FORM.fullmatch(text.strip())
        said = self._all().get(form.group(1)) if form else None
        given = hashlib.sha256(form.group(2).encode()).hexdigest() if form else NOBODY
        fits = hmac.compare_digest(given, said.sha256 if said else NOBODY)
        if not fits or form is None or said is None or said.revoked_us or scheme.lower() != "bearer":
            return None
        ended = said.until_us and said.until_us <= self._engine.clock_us()
        return None if ended else _told(form.group(1), said)

    def _all(self) -> dict[str, Said]:
        known = self._known
        if known is not None:
            return known
        with self._lock:
            if self._known is None:
                self._known = self._read()
            return self._known

    def _read(self) -> dict[str, Said]:
        with self._engine.snapshot() as snapshot:
            rows = snapshot.rows("select key, body from record where kind = ? order by batch, valid_from_us", [KIND])
        return {key: msgspec.json.decode(body, type=Said) for key, body in rows}

    def _say(self, name: str, said: Said, actor: str) -> None:
        """Write a statement durably, then believe it; the registry of places and meters is not touched."""
        now_us = said.revoked_us or said.created_us
        with self._engine.writing(KIND, said.source, actor, now_us) as writing:
            append_records(writing, [Record(KIND, name, now_us, msgspec.to_builtins(said))])
            action = "token_revoked" if said.revoked_us else "token"
            audit(writing, action=action, subject=f"token:{name}", detail={"source": said.source, "may": said.may})
        with self._lock:
            self.version += 1
            self._known = {**(self._known if self._known is not None else self._read()), name: said}


def _told(name: str, said: Said) -> Token:
    return Token(
        name, said.source, said.may, said.created_us, said.revoked_us or None, said.until_us or None, said.place,
        said.role,
    )  # fmt: skip
