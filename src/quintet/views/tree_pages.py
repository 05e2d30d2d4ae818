"""A tree of balances page by page: each page holds whole places, and all are of the moment of the first.

A cursor names the question, the moment and the last place of the page before: it continues no other question.
"""

from dataclasses import dataclass
from datetime import datetime

from quintet.access import Access
from quintet.terms.errors import UsageError
from quintet.terms.period import Resolution, Span, from_us, to_us

from .asked import cursor_after, cursor_start
from .tree import Page, TreeBalances, no_page, tree_balances

LONGEST_US = 17
"""Digits of a moment in microseconds: those of the year 5138."""


@dataclass(frozen=True, slots=True)
class TreeAsked:
    """A question to a tree as it was written: a cursor belongs to these words."""

    start: str
    end: str
    resolution: Resolution
    place: str
    level: str | None
    known_at: str | None

    @property
    def words(self) -> list[str | None]:
        """What a cursor holds of it."""
        return [self.start, self.end, self.resolution.value, self.place, self.level, self.known_at]


def tree_page(
    access: Access, asked: TreeAsked, span: Span, moment: datetime | None, cursor: str | None, rows: int | None
) -> tuple[TreeBalances, str | None]:
    """Give a page of at most so many rows (None: the whole tree), and the cursor of the next (None: it is the last).

    Raises UsageError for a cursor of another question, and for one without a limit.
    """
    if rows is None:
        if cursor is not None:
            raise UsageError(
                "a cursor leads to a page.", code="bad_cursor", place="cursor", remedy="Give `limit` as before."
            )
        found = tree_balances(
            access, span, asked.resolution, place=asked.place, level=asked.level, known_at=moment
        )  # fmt: skip
        return found, None
    after = ""
    if cursor is not None:
        said, _, after = cursor_start(asked.words, cursor).partition(" ")
        if not said.isascii() or not said.isdigit() or len(said) > LONGEST_US or not after:
            raise no_page()
        moment = from_us(int(said))
    found = tree_balances(
        access, span, asked.resolution, place=asked.place, level=asked.level, known_at=moment, page=Page(rows, after)
    )
    if found.last is None:
        return found, None
    return found, cursor_after(asked.words, f"{to_us(found.known_at)} {found.last}")


def too_many_rows(count: int, most: int, place: str) -> UsageError:
    """Refuse a tree that is too large for one answer."""
    return UsageError(
        f"that is {count:,} rows; one answer has at most {most:,}.",
        code="range_too_long",
        place=place,
        remedy="Ask page by page (a limit, then next_cursor), for a shorter range, one level, or a smaller place.",
    )
