"""Homes' answers made before anybody asks for them: many homes' usual days are read from the store at once.

Each is made with the rights of who will ask, by the same way as when he does; who asks meanwhile waits for no more than
one home.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quintet.access import Access
from quintet.access.scope import Scope
from quintet.terms.errors import QuintetError

from .catalogue import Shelf
from .home import HomeQuestions
from .home_kept import KeptHomes
from .home_limits import home_limits
from .home_services import services_of


@dataclass(frozen=True, slots=True)
class Warming:
    """Makes answers ahead. `access_of` gives a reader's access, `unlogged` one that reads for the city itself."""

    kept: KeptHomes
    shelf: Shelf
    access_of: Callable[[Scope], Access]
    unlogged: Callable[[], Access]
    now: Callable[[], int]

    def run(self, readers: Sequence[Scope], going_on: Callable[[], bool]) -> int:
        """Make the present answer of each reader's homes that has none; give how many were made.

        Ends early when `going_on` says so. A home that cannot be answered is left for who asks.
        """
        made = 0
        lacking = [(scope, place) for scope in readers for place in self._lacking(scope)]
        size = home_limits()["warmed_at_once"]
        for low in range(0, len(lacking), size):
            if not going_on():
                break
            made += self._make(lacking[low : low + size], going_on)
        return made

    def _lacking(self, scope: Scope) -> list[str]:
        """Name the homes of a reader whose day was not looked at yet."""
        access, out = self.access_of(scope), list[str]()
        for place in {grant.place for grant in scope.grants}:
            if not access.sees(place):
                continue
            alike = access.alike(place)
            if alike is not None and self.kept.lacks((place, alike), access.registry(), self.now()):
                out.append(place)
        return out

    def _make(self, homes: Sequence[tuple[Scope, str]], going_on: Callable[[], bool]) -> int:
        stamp, whole = self.kept.touched.stamp, self.unlogged()
        catalogue = self.shelf.listed(whole)
        names = [name for _, place in homes for one in services_of(catalogue, place) for name in one.channels]
        questions = HomeQuestions(whole, lambda: catalogue, self.now)
        span = questions.usual_span(homes[0][1])
        if span is None or not names:
            return 0
        ahead, made = whole.ahead(names, span), 0
        for scope, place in homes:
            if not going_on():
                break
            mine = HomeQuestions(self.access_of(scope).having(ahead), lambda: catalogue, self.now, self.kept)
            try:
                mine.make_ahead(place, stamp)
                made += 1
            except QuintetError:
                continue  # he is told why when he asks
        return made
