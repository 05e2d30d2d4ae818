"""Reductions of a bill for households in need and large ones: dated rows, taken off the charges before tax."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, NotFound, UsageError

from .card_rows import ALL_YEAR, DATED, span_of
from .exact import ZERO, number

KEYS = DATED | {"commodity"}
MAY = {"share", "most", "note"}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """One reduction: a share of the charges, or all of `most`; `most` is won a month by calendar month (None: any)."""

    id: str
    name_en: str
    name_ko: str
    commodity: str
    share: Fraction | None
    most: Mapping[int, Fraction] | None
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str

    def won(self, charges: Fraction, start: date, end: date, months: Fraction) -> Fraction:
        """Give what is taken off `charges` over the days of a bill that counts as `months`; whole won, cut down.

        What a month allows is counted by the days of the bill that lie in it.
        """
        if self.most is None:
            most = charges
        else:
            days: dict[int, int] = {}
            at = start
            while at < end:
                days[at.month] = days.get(at.month, 0) + 1
                at += DAY
            whole = (end - start).days
            most = months * sum((Fraction(count, whole) * self.most[month] for month, count in days.items()), ZERO)
        wanted = most if self.share is None else min(self.share * charges, most)
        return Fraction(int(min(wanted, charges) // 1))


def _relief(code: str, row: Mapping[str, Any]) -> Relief:
    """Build one reduction; one without date or source, or that says nothing, does not load."""
    place = f"relief {code}"
    check_keys(dict(row), required=KEYS, optional=MAY, place=place)
    start, until = span_of(row, place)
    most: dict[int, Fraction] | None = None
    if "most" in row:
        listed = [(month, number(one["won"], place)) for one in row["most"] for month in one["months"]]
        most = dict(listed)
        if len(listed) != len(most) or sorted(most) != list(ALL_YEAR):
            raise BadInput("does not say once for each month: most.", code="bad_row", place=place)
    elif "share" not in row:
        raise BadInput("takes nothing off: neither share nor most.", code="bad_row", place=place)
    share = number(row["share"], place) if "share" in row else None
    return Relief(
        code, row["name_en"], row["name_ko"], row["commodity"], share, most, start, until, row["published_on"],
        row["source"], row["certainty"], row.get("note", ""),
    )  # fmt: skip


@cache
def reliefs() -> Mapping[str, Relief]:
    """Give the shipped reductions by name."""
    return {code: _relief(code, row) for code, row in read_toml("quintet.tariffs", "reliefs.toml")["relief"].items()}


def relief_of(name: str, commodity: str, start: date, end: date) -> Relief:
    """Find a reduction that holds on all days of a bill; says which are known."""
    of = {code: row for code, row in reliefs().items() if row.commodity == commodity}
    if name not in of:
        known = f"Known: {', '.join(of)}." if of else f"None is known for {commodity}."
        raise UsageError(f"{name!r} is not known.", code="unknown_relief", place="--relief", remedy=known)
    found = of[name]
    if start < found.start or end > found.until + DAY:
        raise NotFound(
            f"is not known to hold on all days from {start} to {end}.", code="no_card", place=f"relief {name}",
            remedy=f"It is known for {found.start} to {found.until}.",
        )  # fmt: skip
    return found
