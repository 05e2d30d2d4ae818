"""Inside `serve`: answers of homes that somebody looks at are made again as soon as readings have touched them."""

import threading
from typing import Any

import numpy as np

from quintet.views.home_fresh import Freshening

from .background import Background
from .city import City
from .doorkeeper import CityDoorkeeper
from .warming import unlogged

LOOK_S = 60.0
"""It is woken by commits; this is only how long a miss could last."""
AGAIN_S = 60.0
"""After a failure the next attempt waits this long: whoever asks is answered all the same, only later."""


class HomesFreshening(Background):
    """Makes them one after the other; its end waits for the home at hand."""

    def __init__(self, city: City, keeper: CityDoorkeeper) -> None:
        """Make answers of a city's homes anew."""
        super().__init__("freshening", "homes' answers anew", self._look, again_s=AGAIN_S)
        self._city = city
        self._fresh = Freshening(keeper.kept, keeper.shelf, city.access, lambda: unlogged(city), city.now)
        self._lock = threading.Lock()
        self._touched: set[int] = set()

    def begin(self) -> None:
        """Start to listen to commits, and to make."""
        self._city.pipeline.listeners.append(self.take)
        super().begin()

    def end(self) -> None:
        """Make no further home, and hear of no further commit."""
        super().end()
        if self.take in self._city.pipeline.listeners:
            self._city.pipeline.listeners.remove(self.take)

    def take(self, committed: Any) -> None:
        """Note which channels a batch touched; called in the committing thread, so nothing more is done here."""
        if committed.rows is not None and len(committed.rows.channel):
            channels = np.unique(committed.rows.channel).tolist()
            with self._lock:
                self._touched.update(channels)
            self.wake()

    def _look(self) -> float:
        """Make what was touched since the last look; give the seconds until the next."""
        with self._lock:
            channels, self._touched = self._touched, set()
        self._fresh.run(channels, lambda: not self.ended)
        return LOOK_S
