"""Who may be told what: residents of a dwelling in their own time, and who a resident agreed to.

The seam between what is kept of people (registry/telling.py) and what sends (alerts/telling.py): the rights are asked
when a message is laid into the outbox, and again when it leaves.
"""

from collections.abc import Mapping
from functools import lru_cache

from quintet.registry import Registry
from quintet.registry.passes import TOLD, Passes, counts
from quintet.registry.person import INTEGRATOR, Person
from quintet.registry.telling import Tellings, bounded, over
from quintet.registry.telling_kept import (
    CODE,
    DROPPED,
    GIVEN_UP,
    MAIL,
    PUSH,
    SENT,
    TEST,
    WAITING,
    WEBHOOK,
    Chosen,
    Notice,
    Target,
)
from quintet.registry.telling_limits import TooManyMessages, kept_limits
from quintet.registry.vapid import Vapid, base64url, from_base64url
from quintet.terms.errors import NotFound

from .identities import Identities
from .read_log import Read, VaultLog
from .scope import Grant

__all__ = [
    "CODE", "DROPPED", "GIVEN_UP", "MAIL", "PUSH", "SENT", "TEST", "WAITING", "WEBHOOK", "Audience", "Chosen", "Notice",
    "Person", "Target", "Tellings", "TooManyMessages", "Vapid", "base64url", "bounded", "from_base64url", "kept_limits",
    "over",
]  # fmt: skip
HOUR_MIN = 60


class Audience:
    """The people of a city as those who may be told something."""

    def __init__(self, identities: Identities, tellings: Tellings, log: VaultLog) -> None:
        """Ask these."""
        self._identities = identities
        self._log = log
        self.kept = tellings
        self.vapid = Vapid(tellings.people.vault)

    @property
    def identities(self) -> Identities:
        """Who has which rights."""
        return self._identities

    def residents(self) -> Mapping[str, list[tuple[Person, Grant]]]:
        """Give who lives where now, by dwelling, each with his time there."""
        out: dict[str, list[tuple[Person, Grant]]] = {}
        for person in self._identities.people.listed():
            for home in self._homes(person):
                out.setdefault(home.place, []).append((person, home))
        return out

    def lives_there(self, person: str, place: str, from_us: int) -> Person | None:
        """Give a person who lives at a place now, and may see what was there from a moment on; None for any other."""
        known = self._identities.people.person(person)
        if known is None:
            return None
        fits = any(home.place == place and home.from_us <= from_us for home in self._homes(known))
        return known if fits else None

    def homes(self, person: Person) -> list[str]:
        """Give the dwellings where a person lives now."""
        return [home.place for home in self._homes(person)]

    def person(self, person: str) -> Person | None:
        """Give a person who is there and not disabled."""
        known = self._identities.people.person(person)
        return None if known is None or known.profile.disabled_us else known

    def agreed(self, person: str, target: Target) -> bool:
        """Tell whether the consent stands under which somebody else is told; of one's own targets always."""
        if not target.contact:
            return True
        known = self._identities.people.person(person)
        said = None if known is None else known.passes.get(target.consent)
        return said is not None and counts(said, self._identities.people.now_us())

    def agree(
        self, person: Person, contact: str, purpose: str, place: str, until_us: int | None, commodities: tuple[str, ...]
    ) -> str:
        """Keep a dated consent that somebody is told something of a dwelling's utilities; give its id."""
        made, _, _ = Passes(self._identities.people).make(
            person, name=contact, place=place, may=(TOLD,), until_us=until_us,
            from_us=self._identities.people.now_us(), commodities=commodities, party=contact, purpose=purpose,
        )  # fmt: skip
        return made

    def revoke(self, person: Person, target: Target) -> None:
        """Take back the consent of a target, if it has one."""
        if target.consent:
            try:
                Passes(self._identities.people).end(person, target.consent)
            except NotFound:
                return

    def watched(self) -> Mapping[str, str]:
        """Give the dwellings of which somebody else is to be told now, and until when a resident says he is away.

        A local day as 2026-12-03, the latest of those who live there; empty: nobody is away.
        """
        out: dict[str, str] = {}
        for place, people in self.residents().items():
            agreed = [
                one.place == place and one.confirmed and self.agreed(person.id, one)
                for person, _ in people
                for one in self.kept.targets(person.id).values()
                if one.contact
            ]
            if any(agreed):
                out[place] = max(self.kept.chosen(person.id).away_until for person, _ in people)
        return out

    def meters(self, place: str) -> frozenset[str]:
        """Name the commodities that are metered at a place."""
        return _metered(self._identities.registry).get(place, frozenset())

    def note(self, target: Target, place: str, from_us: int, until_us: int, what: str, purpose: str) -> None:
        """Write into the dwelling's read log that somebody else was told something of it."""
        reader = f"pass:{target.consent}"
        self._log.note(Read(place, from_us, until_us, HOUR_MIN, what, reader, INTEGRATOR, purpose, purpose))

    def _homes(self, person: Person) -> list[Grant]:
        """Give the dwellings in which a person lives at this moment."""
        if person.profile.disabled_us:
            return []
        now = self._identities.people.now_us()
        homes = self._identities.of_person(person).homes
        return [home for home in homes if home.from_us <= now < home.until_us]


@lru_cache(maxsize=2)
def _metered(registry: Registry) -> Mapping[str, frozenset[str]]:
    """Lay out what is metered where."""
    rows = registry.placements()
    out: dict[str, set[str]] = {}
    for place, commodity in zip(rows["place"].to_pylist(), rows["commodity"].to_pylist(), strict=True):
        out.setdefault(place, set()).add(commodity)
    return {place: frozenset(known) for place, known in out.items()}
