"""Open data: aggregates of a city for everybody, cut by the privacy floor, each month told once and for ever."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.floor import floor
from quintet.access.floor_month import MonthFloor, month_floor
from quintet.terms.errors import UsageError
from quintet.terms.length import resolution_of
from quintet.terms.period import Resolution, Span, to_us

from .answers import Place
from .answers_open import OpenCell, OpenData, OpenFloor, OpenRelease, OpenReleases
from .asked import span_of
from .open_cells import MonthBooks, balance_cells, book_cells
from .open_releases import Month, chosen_releases, months_of, releases

ROOT = "city"
RESOLUTIONS = (Resolution.MONTH, Resolution.DAY, Resolution.HOUR)
BOOK_LEVELS = frozenset(("city", "district", "complex"))
"""Levels of which emissions and self-sufficiency are told."""
MOST_CELLS = 1_000_000
KEPT, KEPT_CELLS = 12, 100_000
"""Answers for a month that are remembered, and how many cells one holds at most: a released one never changes."""


class OpenQuestions:
    """Answers everybody, by the city's own right to read: the floor decides what is told. Safe for several threads."""

    def __init__(self, access: Access) -> None:
        """Ask through an access that may read the whole city."""
        self._access = access
        self._keeping = threading.Lock()
        self._kept: OrderedDict[tuple[str, datetime, str, str], list[OpenCell]] = OrderedDict()
        self._floors: OrderedDict[tuple[str, datetime], MonthFloor] = OrderedDict()
        self._making = threading.Lock()

    def releases(self) -> OpenReleases:
        """List the months that were told."""
        return OpenReleases(list(releases(self._access).values()))

    def open_data(self, start: str, end: str, resolution: str, place: str = ROOT, *, preview: bool = False) -> OpenData:
        """Give the cells of a place and what is below it over [start, end), in periods of the city's clock.

        `preview`: as known now, without a release. Raises UsageError for months that were not released, and for ranges
        that are not of whole months (days, below a month).
        """
        tz, step = self._tz(), open_resolution(resolution)
        span = span_of(start, end, tz)
        months = months_of(span, tz, cut=step is not Resolution.MONTH)
        self._access.registry().need_place(place)
        held = [] if preview else chosen_releases(self._access, months)
        cells: list[OpenCell] = []
        for number, month in enumerate(months):
            every = self._month(month, held[number] if held else None, step, place)
            cells += (cell for cell in every if _within(cell, span))
            if len(cells) > MOST_CELLS:
                raise UsageError(
                    f"that is more than {MOST_CELLS:,} cells.", code="range_too_long", place="to",
                    remedy="Ask for fewer months, a smaller place or a coarser resolution.",
                )  # fmt: skip
        return self._answer(span, step, place, held, cells, tz)

    def _month(self, month: Month, release: OpenRelease | None, step: Resolution, place: str) -> list[OpenCell]:
        """Give all cells of a month, remembered where it was released."""
        if release is None:
            return list(self._cells(month, None, step, place))
        key = (month.name, release.known_at, step.value, place)
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._making:  # anybody may ask: one month is read at a time
            found = list(self._cells(month, release, step, place))
        if len(found) > KEPT_CELLS:
            return found
        with self._keeping:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _cells(self, month: Month, release: OpenRelease | None, step: Resolution, place: str) -> Iterator[OpenCell]:
        tz = self._tz()
        known_at = None if release is None else release.known_at
        books = MonthBooks(
            self._access, month.span(tz), known_at, "current" if release is None else release.factor_set,
            self._floor(month, known_at), self._access.registry().descendants(place), tz,
        )  # fmt: skip
        yield from balance_cells(books, step)
        if step is Resolution.MONTH:
            yield from book_cells(books, BOOK_LEVELS)

    def _floor(self, month: Month, known_at: datetime | None) -> MonthFloor:
        """Give the floor's say, remembered where the month was released."""
        found = None if known_at is None else self._floors.get((month.name, known_at))
        if found is None:
            with self._access.asking(ROOT, known_at) as asked:
                found = month_floor(asked, month.first, month.last)
        if known_at is not None:
            self._floors[month.name, known_at] = found
            while len(self._floors) > KEPT:
                self._floors.popitem(last=False)
        return found

    def _answer(
        self, span: Span, step: Resolution, place: str, held: list[OpenRelease], cells: list[OpenCell], tz: ZoneInfo
    ) -> OpenData:
        registry, limits = self._access.registry(), floor()
        city = registry.city
        said = registry.timelines("city").get(ROOT, ())
        licence = next((body.get("licence") for _, body in reversed(said) if body is not None), None)
        named = {cell.place for cell in cells}
        places = [Place(**row) for row in registry.places().to_pylist() if row["place"] in named]
        with self._access.asking(ROOT) as asked:
            rules = asked.rule_set
        return OpenData(
            city.name_en, city.name_ko, city.tz, licence, city.simulated, span.start.astimezone(tz),
            span.end.astimezone(tz), step.value, place, not held, rules,
            OpenFloor(limits.customers, limits.share, limits.customers_fine, limits.digest), held, places, cells,
        )  # fmt: skip

    def _tz(self) -> ZoneInfo:
        return self._access.registry().tz


def open_resolution(text: str) -> Resolution:
    """Read a resolution; raises UsageError for one in which open data are not told."""
    step = resolution_of(text)
    if step not in RESOLUTIONS:
        known = ", ".join(one.value for one in RESOLUTIONS)
        raise UsageError(
            f"open data are not told by {step.value}.", code="bad_resolution", place="resolution",
            remedy=f"Ask for {known}.",
            said={"text": step.value, "known": known},
        )  # fmt: skip
    return step


def _within(cell: OpenCell, span: Span) -> bool:
    """Tell whether a cell lies in a span; what is suppressed for a month belongs to each part of it."""
    return to_us(cell.start) < span.end_us and to_us(cell.end) > span.start_us
