"""Who asks: from a cookie or a token to a person with rights as they stand at this moment."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from quintet.registry import Registry
from quintet.registry.entrance import Entrance
from quintet.registry.households import DWELLING, own_time, stay_of
from quintet.registry.passes import Passes, counts
from quintet.registry.passkeys import Passkeys
from quintet.registry.people import ERASED, People, stands
from quintet.registry.person import INTEGRATOR, RESIDENT, Pass, Person, Right
from quintet.registry.tokens import Token, Tokens
from quintet.terms.errors import BadInput, Unknown

from .roles import role_named
from .scope import EVERYTHING, Grant, Scope

HEADER_REMEDY = "Sign in, or send a token that is valid: `Authorization: Bearer TOKEN`."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `kind`: local (at the machine), person, token, or consent (a third party's token).

    `name` is for people's eyes, `id` says nothing; `may` is what a token is for (a person: everything). `ends_us`: when
    he ends by himself, his rights apart; 0 where that was not asked.
    """

    id: str
    kind: str
    name: str
    language: str
    scope: Scope
    may: frozenset[str] = frozenset({"read", "live", "account"})
    person: Person | None = None
    ends_us: int = 0

    @property
    def roles(self) -> frozenset[str]:
        """The roles that he has anywhere."""
        return frozenset(grant.role.name for grant in self.scope.grants)

    @property
    def homes(self) -> tuple[Grant, ...]:
        """The dwellings that are his."""
        return tuple(grant for grant in self.scope.grants if grant.role.name == RESIDENT and grant.place)

    def sure_until_us(self, now_us: int) -> int:
        """Give until when he and his rights stand as they do now where nobody changes them; 0: nobody can tell."""
        edges = (edge for grant in self.scope.grants for edge in (grant.from_us, grant.until_us) if edge > now_us)
        return min([self.ends_us, *edges]) if self.ends_us else 0

    def runs(self, root: str) -> bool:
        """Whether the city's own desk is his: its operator, or a token for that."""
        if self.scope.unbounded:
            return True
        return any(grant.role.city_desk and grant.place == root for grant in self.scope.grants)


LOCAL = Identity("operator", "local", "operator", "", EVERYTHING)
"""Who asks on this machine, where nobody has an account."""


class Identities:
    """Finds out who asks. Rights are read anew each time: one that was taken away is gone with the next question."""

    def __init__(self, people: People, entrance: Entrance, tokens: Tokens, registry: Callable[[], Registry]) -> None:
        """Ask these; `registry` gives the registry as it stands."""
        self.people = people
        self.entrance = entrance
        self.passes = Passes(people)
        self.passkeys = Passkeys(people)
        self._tokens = tokens
        self._registry = registry

    @property
    def registry(self) -> Registry:
        """The registry as it stands."""
        return self._registry()

    def called(self, reader: str) -> str:
        """Give how a reader of the read log is called: a person, a third party, a token's source, or the machine's."""
        if reader == EVERYTHING.reader:
            return "operator at the machine"
        kind, _, name = reader.rpartition(":")
        if kind == "token":
            return next((token.source for token in self._tokens.listed() if token.id == name), "a token")
        if kind == "pass":
            holder = self.people.holder(name)
            said = None if holder is None else holder.passes.get(name)
            return said.party or said.name if said is not None else ERASED
        return self.people.called(name)

    def stamp(self, who: Identity) -> tuple[int, Registry]:
        """Give what changes when the rights of somebody may have changed otherwise than by the passing of time."""
        kind, _, name = who.id.rpartition(":")
        holder = self.people.holder(name) if kind == "pass" else who.person
        version = self.people.version(holder.id) if holder is not None else self._tokens.version
        return version, self._registry()

    def by_cookie(self, secret: str, reason: str = "") -> Identity | None:
        """Give who has this session; None where it has ended."""
        person = self.people.vault.exists and self.entrance.signed(secret)
        if not person:
            return None
        now = self.people.now_us()
        edges = (edge for right in person.rights.values() for edge in (right.valid_from_us, right.valid_until_us))
        ends_us = min([self.entrance.ends_us(secret), *(edge for edge in edges if edge > now)])
        return replace(self.of_person(person, reason), ends_us=ends_us)

    def at_hand(self, secret: str, reason: str = "") -> Identity | None:
        """Give what `by_cookie` gives where nothing is to be read or written for it; None: ask that."""
        person = self.entrance.at_hand(secret)
        return None if person is None else self.of_person(person, reason)

    def of_person(self, person: Person, reason: str = "") -> Identity:
        """Give a person with the rights that stand now."""
        now = self.people.now_us()
        rights = [right for right in person.rights.values() if stands(right, now)]
        grants = tuple(grant for right in rights if (grant := self._grant(right)) is not None)
        scope = Scope(person.id, frozenset(), grants or NOTHING, reason)
        return Identity(person.id, "person", person.profile.display, person.profile.language, scope, person=person)

    def by_token(self, header: str, reason: str = "") -> Identity:
        """Give who an Authorization header proves: a household's token, a third party's, or one of the city's.

        Raises Unknown where it proves nobody.
        """
        held = self.passes.held(header)
        if held is not None:
            return self._of_pass(*held, reason)
        token = self._tokens.proved(header)
        if token is None:
            raise Unknown(
                "no valid token was given.", code="unknown_token", place="Authorization", remedy=HEADER_REMEDY
            )
        grants = self._of_token(token)
        scope = Scope(f"token:{token.id}", frozenset(), grants, reason)
        return Identity(f"token:{token.id}", "token", token.source, "", scope, frozenset(token.may))

    def city_token(self, token: Token) -> Identity:
        """Give what a token of the city's may read."""
        grants = self._of_token(token)
        return Identity(f"token:{token.id}", "token", token.source, "", Scope(f"token:{token.id}", frozenset(), grants))

    def by_pass(self, name: str) -> Identity | None:
        """Give what a household's token opens, by its id: for what is sent to its holder. None where it has ended."""
        person = self.people.holder(name)
        said = None if person is None else person.passes.get(name)
        if person is None or said is None or person.profile.disabled_us or not counts(said, self.people.now_us()):
            return None
        return self._of_pass(person, name, said, "")

    def _of_pass(self, person: Person, name: str, said: Pass, reason: str) -> Identity:
        """Give what a household's token opens: what its maker may see now, and no more than it says."""
        own = [grant for grant in self.of_person(person).homes if grant.place == said.place]
        role = role_named(INTEGRATOR if said.is_consent else RESIDENT)
        kinds = frozenset(said.commodities) if said.commodities else None
        grants = tuple(
            replace(
                grant, role=role, from_us=max(grant.from_us, said.from_us), commodities=kinds, purpose=said.purpose,
                id=name,
            )
            for grant in own
        )  # fmt: skip
        who = said.party if said.is_consent else person.profile.display
        scope = Scope(f"pass:{name}", frozenset(), grants or NOTHING, reason or said.purpose)
        kind = "consent" if said.is_consent else "token"
        return Identity(f"pass:{name}", kind, who, person.profile.language, scope, frozenset(said.may))

    def _of_token(self, token: Token) -> tuple[Grant, ...]:
        """Give what a token of the city's opens.

        As a resident: the stay in which it was made, of one dwelling, and what it reads is noted, for it is not the
        household that made it. What only a household can agree to: nothing.
        """
        if not token.role or token.role == INTEGRATOR:
            return NOTHING
        role = role_named(token.role)
        if token.role != RESIDENT:
            return (Grant(token.place, role),)
        time = stay_of(self._registry(), token.place, token.created_us)
        return NOTHING if time is None else (Grant(token.place, replace(role, logged=True), *time),)

    def _grant(self, right: Right) -> Grant | None:
        if right.role == INTEGRATOR:  # a third party is let in by the household's consent, and by nothing else
            return None
        role = role_named(right.role)
        if right.role != RESIDENT:
            return Grant(right.place, role, right.from_us, right.until_us)
        time = own_time(self._registry(), right.place, right.from_us, right.until_us)
        return None if time is None else Grant(right.place, role, *time)


def may_hand_out(registry: Registry, role: str, place: str) -> None:
    """Refuse to give somebody a role at a place that it is not the city's to give.

    Raises BadInput for an unknown role, for that of a third party, and for a resident of what is no dwelling.
    """
    role_named(role)
    registry.need_place(place)
    if role == INTEGRATOR:
        raise BadInput(
            "is let in by a household's consent alone.",
            code="needs_consent",
            place="--role",
            remedy="The household agrees on its page or by POST /api/v1/me/consents; for staff name another role.",
        )
    if role == RESIDENT and registry.tree.bodies[place]["level"] != DWELLING:
        raise BadInput("is no dwelling.", code="no_dwelling", place=place, remedy="Name a place of level premise.")


NOTHING = (Grant("", role_named(RESIDENT), 0, 0),)
"""The right to nothing: whose rights have all ended is told no more than a stranger."""
