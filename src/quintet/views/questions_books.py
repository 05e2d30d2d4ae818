"""The questions of the ledger's books: losses, conversions, facilities, trees. Times are read on the city's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from quintet.access import Access
from quintet.ledger.balance import rows_for_people
from quintet.terms.length import resolution_of
from quintet.terms.period import Resolution, Span

from .answers import BalanceTree
from .answers_books import ConversionRows, FacilityRows, LossRows
from .asked import known_at_of, span_of, within
from .balances import balance_row
from .conversions import conversions_of
from .facilities import facilities_of
from .losses import losses_of
from .series import share
from .tree_pages import TreeAsked, too_many_rows, tree_page

ROOT = "city"
MOST_ROWS = 50_000
"""Rows of one tree."""


class BooksQuestions:
    """Answers one reader's questions to the books; raises as `Questions` does."""

    def __init__(self, access: Access) -> None:
        """Ask through one reader's access."""
        self._access = access

    def losses(
        self, start: str, end: str, resolution: str, place: str = "", network: str = "", known_at: str | None = None
    ) -> LossRows:
        """Give what networks lost: those of a place and below it, or one."""
        span, step, moment = self._asked(start, end, resolution, known_at)
        found = losses_of(self._access, span, step, place=place, network=network, known_at=moment)
        rows = [
            {name: share(value) if isinstance(value, float) else value for name, value in row.items()}
            for row in found.rows(self._tz())
        ]
        return LossRows(
            *self._basis(found.known_at, found.rule_set), msgspec.convert(rows, LossRows.__annotations__["rows"])
        )

    def conversions(
        self, start: str, end: str, resolution: str, place: str = ROOT, known_at: str | None = None
    ) -> ConversionRows:
        """Give what a place's plants took in and gave out."""
        span, step, moment = self._asked(start, end, resolution, known_at)
        found = conversions_of(self._access, span, step, place=place, known_at=moment)
        rows = msgspec.convert(found.rows, ConversionRows.__annotations__["rows"])
        return ConversionRows(*self._basis(found.known_at, found.rule_set), rows)

    def facilities(
        self, start: str, end: str, resolution: str, place: str = ROOT, known_at: str | None = None
    ) -> FacilityRows:
        """Give what a place's facilities with a service did."""
        span, step, moment = self._asked(start, end, resolution, known_at)
        found = facilities_of(self._access, span, step, place=place, known_at=moment)
        rows = msgspec.convert(found.rows, FacilityRows.__annotations__["rows"])
        return FacilityRows(*self._basis(found.known_at, found.rule_set), rows)

    def tree(
        self,
        start: str,
        end: str,
        resolution: str,
        place: str = ROOT,
        level: str | None = None,
        known_at: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> BalanceTree:
        """Give the balance of a place and every place below it, or of those of one level; whole, or page by page.

        All pages are of the moment of the first.
        """
        span, step, moment = self._asked(start, end, resolution, known_at)
        asked = TreeAsked(start, end, step, place, level, known_at)
        most = MOST_ROWS if limit is None else within(limit, 1, MOST_ROWS, "limit")
        found, following = tree_page(self._access, asked, span, moment, cursor, None if limit is None else most)
        if found.table.num_rows > MOST_ROWS and limit is None:
            raise too_many_rows(found.table.num_rows, MOST_ROWS, "limit")
        rows = [balance_row(row) for row in rows_for_people(found.table, self._tz())]
        return BalanceTree(*self._basis(found.known_at, found.rule_set), rows, following)

    def _asked(
        self, start: str, end: str, resolution: str, known_at: str | None
    ) -> tuple[Span, Resolution, datetime | None]:
        """Read span, resolution and moment of knowledge."""
        tz = self._tz()
        return span_of(start, end, tz), resolution_of(resolution), known_at_of(known_at, tz)

    def _basis(self, known_at: datetime, rule_set: str) -> tuple[datetime, str]:
        return known_at.astimezone(self._tz()), rule_set

    def _tz(self) -> ZoneInfo:
        return self._access.registry().tz
