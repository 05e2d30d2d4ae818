"""How people want to be told, and what waits to be told them: sealed in the vault, so that erasing a person takes it.

Nothing here decides who may be told (access/telling.py) or sends (alerts/telling.py). Every method may be called from
any thread.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable

import msgspec

from quintet.terms.errors import BadInput, NotFound
from quintet.terms.length import DAY_US, HOUR_US

from .people import People
from .person import Person
from .telling_kept import CODE, DROPPED, MAIL, PUSH, TEST, WAITING, Chosen, Notice, Target
from .telling_limits import TooManyMessages, kept_limits

STOP_SIGNS = 32
Kept = tuple[str, str]
"""A person and the id of one of his rows."""


class Tellings:
    """What is kept of telling people in one city; read from the vault at the first question."""

    def __init__(self, people: People) -> None:
        """Keep it with the people."""
        self.people = people
        self._lock = threading.RLock()
        self._read = False
        self._chosen: dict[str, Chosen] = {}
        self._targets: dict[str, dict[str, Target]] = {}
        self._owners: dict[str, str] = {}
        self._notices: dict[str, dict[str, Notice]] = {}
        people.leaving.append(self.forget)

    def chosen(self, person: str) -> Chosen:
        """Give what a person chose."""
        with self._lock:
            self._known()
            return self._chosen.get(person, Chosen())

    def choose(self, person: str, chosen: Chosen) -> None:
        """Keep what a person chose."""
        with self._lock:
            self._known()
            self._put(person, "chosen", "", chosen)
            self._chosen[person] = chosen

    def targets(self, person: str) -> dict[str, Target]:
        """Give where messages to a person, or to whom he agreed, may go: by id, in order of making."""
        with self._lock:
            self._known()
            found = self._targets.get(person, {})
            return dict(sorted(found.items(), key=lambda one: (one[1].created_us, one[0])))

    def target(self, person: str, name: str) -> Target | None:
        """Give one of them."""
        with self._lock:
            self._known()
            return self._targets.get(person, {}).get(name)

    def keep_target(self, person: str, target: Target, name: str = "") -> str:
        """Keep a target, new or changed; give its id."""
        with self._lock:
            self._known()
            key = name or secrets.token_hex(6)
            self._put(person, "target", key, target)
            self._targets.setdefault(person, {})[key] = target
            self._owners[key] = person
            return key

    def drop_target(self, person: str, name: str, reason: str = "removed") -> Target:
        """Forget a target; what waits for it is told no more. Raises NotFound for one that is not this person's."""
        with self._lock:
            found = self.target(person, name)
            if found is None:
                raise NotFound(f"there is no {name!r}.", code="unknown_target", place="id", remedy="Look at your list.")
            for key, notice in self.notices(person).items():
                if notice.target == name and notice.state == WAITING:
                    self.keep_notice(person, key, over(notice, DROPPED, self.people.now_us(), reason))
            self.people.vault.drop(person, "target", name)
            self._targets[person].pop(name)
            self._owners.pop(name, None)
            return found

    def notices(self, person: str) -> dict[str, Notice]:
        """Give what a person was told and is to be told, by id."""
        with self._lock:
            self._known()
            return dict(self._notices.get(person, {}))

    def keep_notice(self, person: str, name: str, notice: Notice) -> None:
        """Keep a notice durably; raises CityError where the person was erased meanwhile."""
        with self._lock:
            self._known()
            self._put(person, "notice", name, notice)
            self._notices.setdefault(person, {})[name] = notice

    def settle(self, person: str, name: str, sent: Notice, done: Notice) -> None:
        """Keep how a notice ended, unless another was laid in its place while it was on its way."""
        with self._lock:
            held = self.notices(person).get(name)
            if held is not None and held.at_us == sent.at_us and held.state == WAITING:
                self.keep_notice(person, name, done)

    def lay(self, person: str, name: str, notice: Notice) -> bool:
        """Lay a new notice into the outbox; False where too many wait for this person already."""
        with self._lock:
            waiting = sum(one.state == WAITING for one in self.notices(person).values())
            if waiting >= kept_limits().waiting:
                return False
            self.keep_notice(person, name, notice)
            return True

    def due(self, now_us: int) -> list[Kept]:
        """Name the notices that are due, the oldest first."""
        with self._lock:
            self._known()
            found = [
                (notice.due_us, person, name)
                for person, kept in self._notices.items()
                for name, notice in kept.items()
                if notice.state == WAITING and notice.due_us <= now_us
            ]
            return [(person, name) for _, person, name in sorted(found)]

    def prune(self, now_us: int, standing: Iterable[str] = ()) -> int:
        """Forget what was over long ago and whose alert does not stand any more; give how many."""
        oldest, held, count = now_us - kept_limits().kept_days * DAY_US, frozenset(standing), 0
        with self._lock:
            self._known()
            for person, kept in self._notices.items():
                for name in [
                    key
                    for key, one in kept.items()
                    if one.state != WAITING and one.over_us < oldest and one.alert not in held
                ]:
                    self.people.vault.drop(person, "notice", name)
                    kept.pop(name)
                    count += 1
        return count

    def ask(self, person: Person, target: Target, now_us: int) -> tuple[str, Target, str]:
        """Keep a target that has to be confirmed first; give its id, itself, and this once the code.

        Raises TooManyMessages where codes were asked for too often, by this person or for this address.
        """
        self.check_codes(person.id, target, now_us)
        with self._lock:
            name = next((key for key, one in self.targets(person.id).items() if _same(one, target)), "")
            secret = secrets.token_urlsafe(32)
            asked = msgspec.structs.replace(
                target, code_sha256=_digest(secret), code_until_us=now_us + kept_limits().code_hours * HOUR_US
            )
            name = self.keep_target(person.id, asked, name)
        return name, asked, f"{name}.{secret}"

    def confirm(self, code: str, now_us: int) -> tuple[str, str, Target]:
        """Confirm a target by the code that went to it; give whose it is, its id and itself. Raises NotFound."""
        name, _, secret = code.partition(".")
        with self._lock:
            self._known()
            person = self._owners.get(name, "")
            target = self.target(person, name)
            fits = target is not None and hmac.compare_digest(_digest(secret), target.code_sha256)
            if target is None or not fits or now_us >= target.code_until_us or self.people.person(person) is None:
                raise not_valid()
            done = msgspec.structs.replace(target, confirmed_us=target.confirmed_us or now_us, trouble="")
            self.keep_target(person, done, name)
            return person, name, done

    def stop_code(self, name: str) -> str:
        """Give the code by which who is told something at a target ends it."""
        proof = hmac.new(self.people.vault.index_key(), f"stop:{name}".encode(), hashlib.sha256).hexdigest()
        return f"{name}.{proof[:STOP_SIGNS]}"

    def stopped(self, code: str) -> tuple[str, str, Target]:
        """Give which target a code ends: whose, its id, itself. Raises NotFound for a code that ends none."""
        name, _, _ = code.partition(".")
        with self._lock:
            self._known()
            person = self._owners.get(name, "")
            target = self.target(person, name)
            if target is None or not hmac.compare_digest(self.stop_code(name).encode(), code.encode()):
                raise not_valid()
            return person, name, target

    def check_codes(self, person: str, target: Target, now_us: int) -> None:
        """Refuse more codes than a day bears; over all people for one address, which may be a stranger's.

        Raises TooManyMessages.
        """
        limits, since = kept_limits(), now_us - DAY_US
        with self._lock:
            self._known()
            sent = [
                (owner, one.address)
                for owner, kept in self._notices.items()
                for one in kept.values()
                if one.kind == CODE and one.at_us > since
            ]
        mine = sum(owner == person for owner, _ in sent)
        here = sum(address == target.address for _, address in sent)
        if mine >= limits.codes_a_day or here >= limits.codes_of_address_a_day:
            raise TooManyMessages(
                "too many codes were sent.", code="too_many_codes", place="address", remedy="Try again tomorrow."
            )

    def tests_since(self, person: str, since_us: int) -> int:
        """Count the test messages of a person since a moment."""
        return sum(one.kind == TEST and one.at_us > since_us for one in self.notices(person).values())

    def _put(self, person: str, kind: str, name: str, body: msgspec.Struct) -> None:
        self.people.vault.put(person, kind, name, msgspec.json.encode(body))

    def forget(self, person: str) -> None:
        """Drop from memory what the vault destroyed of a person."""
        with self._lock:
            for held in (self._chosen, self._targets, self._notices):
                held.pop(person, None)
            self._owners = {name: owner for name, owner in self._owners.items() if owner != person}

    def _known(self) -> None:
        if self._read or not self.people.vault.exists:
            return
        for row in self.people.vault.opened("chosen"):
            self._chosen[row.person] = msgspec.json.decode(row.body, type=Chosen)
        for row in self.people.vault.opened("target"):
            self._targets.setdefault(row.person, {})[row.id] = msgspec.json.decode(row.body, type=Target)
            self._owners[row.id] = row.person
        for row in self.people.vault.opened("notice"):
            self._notices.setdefault(row.person, {})[row.id] = msgspec.json.decode(row.body, type=Notice)
        self._read = True


def over(notice: Notice, state: str, now_us: int, reason: str = "") -> Notice:
    """Give a notice that is over, without what it said: only its title is kept for the person's list."""
    return msgspec.structs.replace(notice, state=state, reason=reason, over_us=now_us, text="", action="", url="")


def not_valid() -> NotFound:
    """Say that a code confirms or ends nothing, whatever the reason."""
    return NotFound(
        "this code is not valid: it has expired, was replaced by a newer one, or never was.",
        code="code_not_valid",
        place="code",
        remedy="Open the newest message; who asked for it can have it sent again.",
    )


def bounded(targets: Iterable[Target], channel: str, contact: bool) -> None:
    """Refuse one target more than a person may have of a kind; raises BadInput."""
    limits = kept_limits()
    most = limits.contacts if contact else {MAIL: limits.mails, PUSH: limits.pushes}.get(channel, limits.webhooks)
    have = [one for one in targets if bool(one.contact) == contact and (contact or one.channel == channel)]
    if len(have) >= most:
        raise BadInput(
            f"there are {most} already.",
            code="too_many",
            place=channel,
            remedy="Take one away first.",
            said={"most": most},
        )


def _same(one: Target, other: Target) -> bool:
    return (one.channel, one.address, one.contact) == (other.channel, other.address, other.contact)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
