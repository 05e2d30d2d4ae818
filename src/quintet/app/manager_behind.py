"""The notebook behind the building manager's pages: each note is a dated event, written in its turn."""

from quintet.views.questions_manager import Note

from .answer import no_progress
from .answers_events import event_add
from .city import City
from .requests import EventAdd
from .turns import Turns

VIA = "building"


class CityNotebook:
    """Keeps notes as events of an open city (`views.questions_manager.Notebook`)."""

    def __init__(self, city: City, turns: Turns, patience_s: float) -> None:
        """Write into a city; who waits longer for a turn is turned away."""
        self._city = city
        self._turns = turns
        self._patience_s = patience_s

    def keep(self, note: Note, by: str) -> int:
        """Write a note durably; gives the event's number."""
        with self._turns.mine(self._patience_s):
            return kept(self._city, note, by)


def kept(city: City, note: Note, by: str) -> int:
    """Write a note as an event; gives its number."""
    start, end = note.start.isoformat(), note.end.isoformat()
    asked = EventAdd(note.kind, start, by, note.reason, end, note.place, note.channel, note.detail, VIA)
    return int(event_add(city, asked, no_progress).read()["id"])
