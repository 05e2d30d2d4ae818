"""Inside `serve`: present answers of residents' homes are made before they ask, at start and after each midnight."""

from collections.abc import Hashable

from quintet.access import EVERYTHING, Access
from quintet.views.home_warm import Warming

from .background import Background
from .city import City
from .doorkeeper import CityDoorkeeper
from .pauses import set_aside

LOOK_S = 5.0
"""How often is looked whether a day has begun, or the registry has changed."""
AGAIN_S = 900.0
"""After a failure the next attempt waits this long: whoever asks is answered all the same, only later."""


class HomesWarming(Background):
    """Makes them; its end waits for the home at hand."""

    def __init__(self, city: City, keeper: CityDoorkeeper) -> None:
        """Make answers for who has an account in a city."""
        super().__init__("warming", "homes' answers ahead", self._look, again_s=AGAIN_S)
        self._city = city
        self._warming = Warming(keeper.kept, keeper.shelf, city.access, lambda: unlogged(city), city.now)
        self._looked: Hashable = None

    def _look(self) -> float:
        """Make what is lacking where a day or a registry is new; give the seconds until the next look."""
        city = self._city
        now = (city.engine.day_of(city.now()), city.registry())
        if now != self._looked:
            if city.people.present:
                readers = [city.identities.of_person(person).scope for person in city.people.listed()]
                if self._warming.run(readers, lambda: not self.ended):
                    set_aside()
            self._looked = now
        return LOOK_S


def unlogged(city: City) -> Access:
    """Give what reads for the city itself: nobody sees it, and who asks is checked then."""
    return Access(city.engine, city.registry, city.pipeline.recent, EVERYTHING, city.rule_set)
