"""Homes' answers made again when a commit has touched them, before the next question: an open page asks right then.

Each is made with the very rights under which it is kept, checked anew, and given to nobody who has others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from quintet.access import Access
from quintet.access.scope import Grant, Scope
from quintet.terms.errors import QuintetError

from .catalogue import Shelf
from .home import HomeQuestions
from .home_kept import KeptHomes

NOBODY = "anew"


@dataclass(frozen=True, slots=True)
class Freshening:
    """Makes answers anew. `access_of` gives the access of rights, `unlogged` one that lists the city for itself."""

    kept: KeptHomes
    shelf: Shelf
    access_of: Callable[[Scope], Access]
    unlogged: Callable[[], Access]
    now: Callable[[], int]

    def run(self, channels: Iterable[int], going_on: Callable[[], bool]) -> int:
        """Make the answers of homes with these channels for which somebody asked of late; give how many were made.

        Ends early when `going_on` says so. A home that cannot be answered is left for who asks.
        """
        made = 0
        for place, grants in self.kept.looked_at(channels):
            if not going_on():
                break
            made += self._make(place, grants)
        return made

    def _make(self, place: str, grants: tuple[Grant, ...]) -> bool:
        """Make a home's answer as who has these rights would ask for it; whether it is kept."""
        access = self.access_of(Scope(NOBODY, frozenset() if grants else None, grants))
        mine = HomeQuestions(access, lambda: self.shelf.listed(self.unlogged()), self.now, self.kept)
        try:
            return mine.make_ahead(place) is not None
        except QuintetError:
            return False  # who asks is told why
