"""Who asks, as pages and routes know him: his own questions, and nobody else's."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from quintet.access import Access
from quintet.access.identities import LOCAL, Identity
from quintet.terms.errors import Lacking, NotFound, QuintetError
from quintet.terms.period import from_us

from .live import Live, Watch
from .questions import Questions

Kind = TypeVar("Kind")
AGAIN_US = 4_000_000
"""So long is believed what nobody has changed and whose end nobody knows: with the sweep of live push a right that ends
by its time ends a stream within 5 s. Asking again costs 0.06 ms: asked so often of 5,000 it would be 8 % of a core."""
FAR_US = 2**60
"""Beyond this a bound is none."""
NEVER: tuple[Hashable, int] = (None, 0)


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling that is the reader's: readings of [since, until); None for without bound."""

    place: str
    since: datetime | None
    until: datetime | None


class Reader:
    """One who asks. What is asked through him is his: hold no questions of a reader longer than his request."""

    def __init__(
        self, who: Identity, questions: Questions, live: Live | None, *, runs_city: bool, renew: "Renew | None" = None,
        stamp: Callable[[], Hashable] = tuple,
    ) -> None:  # fmt: skip
        """Ask these questions; `renew` finds the same reader anew, with the rights that stand then (None: no change).

        Where nothing of his own can be followed, `live` is None. While `stamp` gives the same, only time can have ended
        his rights.
        """
        self._who = who
        self._asked: dict[Any, Any] = {}
        self._renew = renew
        self._live = live
        self._stamp = stamp
        self._checked: tuple[Hashable, int] = NEVER
        self.questions = questions
        self.runs_city = runs_city
        """Whether the city's own desk is his: the addresses that are not of one place."""

    @property
    def identity(self) -> Identity:
        """Who he is, for the accounts of the city."""
        return self._who

    @property
    def id(self) -> str:
        """A name that says nothing; "operator" at the machine."""
        return self._who.id

    @property
    def name(self) -> str:
        """How he is called on pages."""
        return self._who.name

    @property
    def kind(self) -> str:
        """How he came: local, person, token, consent."""
        return self._who.kind

    @property
    def language(self) -> str:
        """The language that he chose: ko, en, or nothing."""
        return self._who.language

    @property
    def roles(self) -> frozenset[str]:
        """The roles that he has anywhere."""
        return self._who.roles

    @property
    def may(self) -> frozenset[str]:
        """What a token is for; a person may all of it."""
        return self._who.may

    @property
    def homes(self) -> tuple[Home, ...]:
        """The dwellings that are his."""
        return tuple(Home(one.place, moment(one.from_us), moment(one.until_us)) for one in self._who.homes)

    def live(self, default: Live) -> Live:
        """Give what he may follow: what is open to all here, where nobody has rights of his own."""
        return self._live or default

    def may_follow(self, watch: Watch, default: Live) -> bool:
        """Tell whether he may follow now what he began to follow; asked again and again while he listens."""
        stamp, now_us = self._stamp(), default.now_us()
        if stamp == self._checked[0] and now_us < self._checked[1]:
            return True
        again = self.again()
        may = again is not None and again.live(default).still(watch)
        if again is None or not may:
            self._checked = NEVER
            return False
        self._checked = stamp, max(again.identity.sure_until_us(now_us), now_us + AGAIN_US)
        return True

    def veiled(self, error: NotFound) -> QuintetError:
        """Give what is said of a thing that there is not: to who is not told what exists, always the same.

        What his own lacks he is told.
        """
        scope = self._who.scope
        return scope.not_yours(error.place) if scope.discreet and not isinstance(error, Lacking) else error

    def ask(self, kind: Callable[[Access], Kind]) -> Kind:
        """Give this reader's questions of a kind: a class that is made with an access."""
        if kind not in self._asked:
            self._asked[kind] = self.questions.ask(kind)
        return self._asked[kind]

    @property
    def lasting(self) -> bool:
        """Whether his rights never change: those of the one reader of a city without accounts."""
        return self._renew is None

    def again(self) -> "Reader | None":
        """Give the same reader with the rights that stand now; None where he may come in no more."""
        return self if self._renew is None else self._renew()


Renew = Callable[[], "Reader | None"]


def moment(at_us: int) -> datetime | None:
    """Give a bound as a moment; None for one beyond all time."""
    return None if abs(at_us) >= FAR_US else from_us(at_us)


def everybody(questions: Questions) -> Reader:
    """Give the one reader of a city without accounts, whoever asks."""
    return Reader(LOCAL, questions, None, runs_city=True)
