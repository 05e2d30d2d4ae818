"""Who asks a served city: wires people's sessions and tokens to their own questions."""

from collections.abc import Callable

from quintet.access import EVERYTHING, Access
from quintet.access.feed import Feed
from quintet.access.identities import LOCAL, Identities, Identity
from quintet.access.touched import Touched
from quintet.terms.errors import Unknown
from quintet.views import Questions
from quintet.views.catalogue import Shelf
from quintet.views.findings import RuleWords
from quintet.views.home_kept import KeptHomes
from quintet.views.identity import Reader
from quintet.views.live import Live

from .answers_findings import rule_words
from .city import City

ROOT = "city"

ASKING = frozenset({"read", "live", "metrics"})
"""What a token that asks is for; one without these only sends readings."""


class CityDoorkeeper:
    """Finds out who asks this city (`web.identity.Doorkeeper`)."""

    def __init__(self, city: City, feed: Feed | None, *, public: str = "", local_operator: bool = False) -> None:
        """Stand before a city; `feed` is what is told live.

        `local_operator`: who asks on this machine without any proof is its operator even where there are accounts, as
        in a demo; it never is where the city has a public address, for a proxy asks on this machine as well.
        """
        self._city = city
        self._feed = feed
        self.public = public
        self.staff_door = False
        """Whether staff can sign in with the city's identity provider."""
        self.address = public
        """Where people open the city; `serve` says it once it listens."""
        self._local_operator = local_operator and not public
        self.shelf = Shelf()
        touched = Touched(city.engine.tz)
        city.pipeline.listeners.insert(0, touched.take)  # before whoever is told, and then asks
        self.kept = KeptHomes(touched)
        """What was told to homes and still stands."""
        self._rules: dict[str, RuleWords] = dict(rule_words(city.rules))
        self._everything = city.access(EVERYTHING)
        self.questions = self._questions(self._everything)
        self._local = Reader(
            LOCAL,
            self.questions,
            None if feed is None else Live(feed, EVERYTHING),
            runs_city=True,
            renew=self.local,
            stamp=lambda: city.people.present,
        )

    @property
    def identities(self) -> Identities:
        """Who has an account."""
        return self._city.identities

    def local(self) -> Reader | None:
        """Give the operator at the machine: while there are no accounts, or where that was decided."""
        if self.public:
            return None
        return self._local if self._local_operator or not self._city.people.present else None

    def by_cookie(self, secret: str, reason: str) -> Reader | None:
        """Give who has this session."""
        return self._reader(lambda: self.identities.by_cookie(secret, reason))

    def at_hand(self, secret: str, reason: str) -> Reader | None:
        """Give who has this session, where that takes no waiting."""
        if not self._city.pipeline.registry_at_hand:
            return None
        who = self.identities.at_hand(secret, reason)
        return None if who is None else self.of(who, lambda: self.by_cookie(secret, reason))

    def by_token(self, header: str, reason: str) -> Reader:
        """Give who a token proves; raises Unknown."""

        def found() -> Identity | None:
            try:
                return self.identities.by_token(header, reason)
            except Unknown:
                return None

        reader = self._reader(found)
        if reader is None:
            self.identities.by_token(header, reason)
            raise Unknown("no valid token was given.", code="unknown_token", place="Authorization")
        if self.local() is self._local and not self._city.people.present and not reader.may & ASKING:
            # a door's token takes nothing away from who asks at the machine while there are no accounts
            return self._local
        return reader

    def by_pass(self, name: str) -> Reader | None:
        """Give the holder of a household's token by its id, for what is sent to him; None where it counts no more."""
        return self._reader(lambda: self.identities.by_pass(name))

    def of(self, who: Identity, renew: Callable[[], Reader | None] | None = None) -> Reader:
        """Give the reader of an identity."""
        access = self._city.access(who.scope)
        live = None if self._feed is None else Live(self._feed, who.scope)
        return Reader(
            who, self._questions(access), live, runs_city=who.runs(ROOT), renew=renew or (lambda: None),
            stamp=lambda: self.identities.stamp(who),
        )  # fmt: skip

    def _reader(self, find: Callable[[], Identity | None]) -> Reader | None:
        who = find()
        return None if who is None else self.of(who, lambda: self._reader(find))

    def _questions(self, access: Access) -> Questions:
        return Questions(
            access, now=self._city.now, rules=self._rules, shelf=self.shelf, city=self._everything, kept=self.kept
        )
