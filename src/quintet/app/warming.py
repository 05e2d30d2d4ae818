"""Inside `serve`: present answers of residents' homes are made before they ask, at start and after each midnight."""

import threading
from collections.abc import Hashable

from quintet.access import EVERYTHING, Access
from quintet.views.home_warm import Warming

from .city import City
from .door import Failure, guarded
from .doorkeeper import CityDoorkeeper
from .show import say

LOOK_S = 5.0
"""How often is looked whether a day has begun, or the registry has changed."""
AGAIN_S = 900.0
"""After a failure the next attempt waits this long: whoever asks is answered all the same, only later."""


class HomesWarming:
    """The thread that makes them; `end` waits for the home at hand."""

    def __init__(self, city: City, keeper: CityDoorkeeper) -> None:
        """Make answers for who has an account in a city."""
        self._city = city
        self._warming = Warming(keeper.kept, keeper.shelf, city.access, self._unlogged, city.now)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)

    def begin(self) -> None:
        """Start."""
        self._thread.start()

    def end(self) -> None:
        """Take up no further home, and wait for the one at hand."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        looked: Hashable = None
        pause = 0.0
        while not self._ending.wait(pause):
            city, pause = self._city, LOOK_S
            now = (city.engine.day_of(city.now()), city.registry())
            if now == looked:
                continue
            outcome = guarded(self._look)
            if isinstance(outcome, Failure):
                say(f"quintet: homes' answers ahead: {outcome.line()} Tried again in {AGAIN_S / 60:.0f} minutes.")
                pause = AGAIN_S
            else:
                looked = now

    def _look(self) -> int:
        """Make what is lacking."""
        city = self._city
        if not city.people.present:
            return 0
        readers = [city.identities.of_person(person).scope for person in city.people.listed()]
        return self._warming.run(readers, lambda: not self._ending.is_set())

    def _unlogged(self) -> Access:
        """Give what reads for the city itself: nobody sees it, and who asks is checked then."""
        city = self._city
        return Access(city.engine, city.registry, city.pipeline.recent, EVERYTHING, city.rule_set)
