"""The questions of a building's manager, and what he writes down: visits to meters, months that he closed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.buildings import standing_at
from quintet.access.roles import MONTH_MIN
from quintet.terms.errors import BadInput, NotFound, UsageError
from quintet.terms.period import from_us, local_day

from .answers_manager import BuildingAllocation, BuildingClose, BuildingVisits
from .bill_allocation import METHODS
from .bills import agreements, month_span
from .manager_allocation import building_allocation
from .manager_close import CLOSED, OPEN_STATES, building_close, checked_close
from .manager_places import own_building, own_buildings
from .manager_visits import VISITED, building_visits
from .manager_words import Both, words

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Note:
    """What is written down as a dated event: of a channel or of a place, from a moment until another."""

    kind: str
    start: datetime
    end: datetime
    channel: str | None
    place: str | None
    detail: str
    reason: str


class Notebook(Protocol):
    """Keeps what people write down."""

    def keep(self, note: Note, by: str) -> int:
        """Write a note durably, and who says so; gives the event's number."""
        ...


class BuildingQuestions:
    """Answers a manager's questions on the buildings that are his; nothing in them is finer than a month."""

    def __init__(self, access: Access, now: Callable[[], int]) -> None:
        """Ask through one reader's access; `now` gives microseconds since 1970."""
        self._access = access
        self._now = now

    @property
    def tz(self) -> ZoneInfo:
        """The city's clock."""
        return self._access.registry().tz

    def mine(self) -> list[tuple[str, Both]]:
        """Give the buildings that are the reader's, with their names."""
        return own_buildings(self._access)

    def last_month(self) -> str:
        """Give the newest month that is over."""
        today = local_day(from_us(self._now()), self.tz)
        return (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")

    def visits(self, place: str) -> BuildingVisits:
        """Give the walk to the meters that do not measure."""
        return building_visits(self._access, place, self._now())

    def close(self, place: str, month: str | None = None) -> BuildingClose:
        """Give the list that closes a month (None: the newest that is over)."""
        return building_close(self._access, place, month or self.last_month(), self.tz, self._now())

    def allocation(
        self, place: str, month: str | None = None, commodity: str | None = None, common_won: int | None = None
    ) -> BuildingAllocation:
        """Share a complex' bill of a month (None: the newest that is over), with how each amount came about.

        Of the first utility that has a contract of the whole complex, where none is named.
        """
        own_building(self._access, place)
        chosen = month or self.last_month()
        billed = [code for code, row in self._access.registry().commodities.rows.items() if row.balanced]
        if commodity is not None and commodity not in billed:
            raise BadInput(
                f"there is no utility {commodity!r}.", code="unknown_commodity", place="commodity",
                remedy=f"Known are {', '.join(billed)}.", said={"name": commodity, "known": billed},
            )  # fmt: skip
        named = commodity or self._shared(place, chosen)
        return building_allocation(self._access, place, chosen, named, common_won, self.tz, self._now())

    def _shared(self, place: str, month: str) -> str:
        """Give the first utility that is billed to the complex as a whole."""
        registry = self._access.registry()
        stated, (_, _, span) = agreements(registry), month_span(month, self.tz)
        for code in registry.commodities.rows:
            found = stated.at(place, code, span.start_us)
            if found is not None and found.contract in METHODS:
                return code
        raise NotFound(
            "no contract of the whole complex is stated for any utility.", code="not_agreed", place=place,
            remedy=f"State {' or '.join(METHODS)} in city.toml as [[billing]], or with `quintet bill agree`.",
        )  # fmt: skip

    def visited(self, place: str, channel: str, found: str, note: str = "") -> Note:
        """Give the note of a visit to a meter of a building; raises as `visits` does, and UsageError for no finding."""
        self._may_write(place)
        rows = words().rows["found"]
        if found not in rows:
            raise UsageError(
                f"{found!r} is no finding.",
                code="bad_found",
                place="found",
                remedy=f"One of {', '.join(rows)}.",
                said={"text": found, "known": list(rows)},
            )
        if channel not in standing_at(self._access.registry(), place):
            raise NotFound(
                "there is no such meter in this building.", code="not_in_building", place=channel,
                remedy="Take `channel` of a visit of the list.",
            )  # fmt: skip
        at = from_us(self._now())
        said = " ".join(note.split())[:LONGEST_NOTE] or rows[found].en
        return Note(VISITED, at, at + timedelta(seconds=1), channel, None, found, said)

    def closing(self, place: str, month: str, reason: str = "") -> Note:
        """Give the note that a month's list is closed; raises as `close` does, and as `checked_close` says."""
        self._may_write(place)
        found = self.close(place, month)
        said = checked_close(found, reason)[:LONGEST_NOTE]
        _, _, span = month_span(month, self.tz)
        open_ = " ".join(one.code for one in found.points if one.state in OPEN_STATES)
        return Note(CLOSED, span.start, span.end, None, place, open_, said)

    def _may_write(self, place: str) -> None:
        """Refuse who may not read the building's dwellings by the month: a note is as good as a reading."""
        own_building(self._access, place)
        _, _, span = month_span(local_day(from_us(self._now()), self.tz).strftime("%Y-%m"), self.tz)
        with self._access.asking(place, None, span, MONTH_MIN, each=True, running=True):
            pass
