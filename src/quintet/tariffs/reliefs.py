"""Reductions of a bill for households in need and large ones: dated rows, taken off the charges before tax."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, NotFound, UsageError

from .card_rows import ALL_YEAR, DATED, DATED_MAY, span_of, words_of
from .exact import ZERO, number

KEYS = DATED | {"commodity", "group"}
MAY = {"share", "most", "adds"} | DATED_MAY
FAMILY, WELFARE = "family", "welfare"
GROUPS = (FAMILY, WELFARE)
JOINED = "+"
"""Between the names of two reductions that one household was granted."""
FILE = "reliefs.toml"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """One reduction: a share of the charges, or all of `most`; `most` is won a month by calendar month (None: any).

    Beside one of the group `family` one of `welfare` that `adds` is taken as well, of others the larger only.
    """

    id: str
    name_en: str
    name_ko: str
    commodity: str
    group: str
    adds: bool
    share: Fraction | None
    most: Mapping[int, Fraction] | None
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str

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


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """How two reductions of one household combine, with its source."""

    id: str
    name_en: str
    name_ko: str
    start: date
    until: date
    published_on: str
    source: str
    certainty: str
    note: str
    source_ko: str
    note_ko: str


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
    if row["group"] not in GROUPS:
        raise BadInput(f"is of no group: {', '.join(GROUPS)}.", code="bad_row", place=place)
    share = number(row["share"], place) if "share" in row else None
    return Relief(
        code, row["name_en"], row["name_ko"], row["commodity"], row["group"], row.get("adds", False), share, most,
        start, until, row["published_on"], row["source"], row["certainty"], *words_of(row),
    )  # fmt: skip


@cache
def reliefs() -> Mapping[str, Relief]:
    """Give the shipped reductions by name."""
    return {code: _relief(code, row) for code, row in read_toml("quintet.tariffs", FILE)["relief"].items()}


@cache
def combination() -> Combination:
    """Give the shipped rule of how two reductions combine."""
    row, place = read_toml("quintet.tariffs", FILE)["combination"], f"{FILE}, combination"
    check_keys(dict(row), required=DATED, optional=DATED_MAY, place=place)
    start, until = span_of(row, place)
    return Combination(
        "combination", row["name_en"], row["name_ko"], start, until, row["published_on"], row["source"],
        row["certainty"], *words_of(row),
    )  # fmt: skip


def reliefs_named(text: str, commodity: str) -> tuple[Relief, ...]:
    """Find what a text names: one reduction, or two joined by +, the welfare one first; refuses what is not known.

    Only one of the family and one of welfare are known to combine.
    """
    of = {code: row for code, row in reliefs().items() if row.commodity == commodity}
    names = text.split(JOINED)
    for name in names:
        if name not in of:
            known = f"Known: {', '.join(of)}." if of else f"None is known for {commodity}."
            raise UsageError(
                f"{name!r} is not known.", code="unknown_relief", place="--relief", remedy=known,
                said={"text": name, "known": list(of) or "-"},
            )  # fmt: skip
    found = [of[name] for name in names]
    if len(found) > 1 and sorted(one.group for one in found) != sorted(GROUPS):
        family, welfare = (", ".join(code for code, row in of.items() if row.group == group) for group in GROUPS)
        raise UsageError(
            f"how {' and '.join(names)} combine is not known.", code="relief_not_combined", place="--relief",
            remedy=f"Name the one that is granted; one of {family} combines with one of {welfare}.",
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: GROUPS.index(one.group), reverse=True))


def reliefs_of(text: str, commodity: str, start: date, end: date) -> tuple[Relief, ...]:
    """Find what a text names; it must hold on all days of a bill."""
    found = reliefs_named(text, commodity)
    held = [*found, combination()] if len(found) > 1 else found
    for one in held:
        if start < one.start or end > one.until + DAY:
            raise NotFound(
                f"is not known to hold on all days from {start} to {end}.", code="no_card", place=f"relief {one.id}",
                remedy=f"It is known for {one.start} to {one.until}.",
                said={"first": start, "last": end - DAY, "spans": f"{one.start}~{one.until}"},
            )  # fmt: skip
    return found


def taken_off(
    rows: Sequence[Relief], charges: Fraction, start: date, end: date, months: Fraction
) -> list[tuple[Relief, Fraction]]:
    """Give what each reduction takes off the charges: two that add one after the other, else the larger alone."""
    if len(rows) == 2 and not rows[0].adds:
        won = [(one, one.won(charges, start, end, months)) for one in rows]
        return [max(won, key=lambda pair: pair[1])]
    out: list[tuple[Relief, Fraction]] = []
    for one in rows:
        won = one.won(charges, start, end, months)
        out.append((one, won))
        charges -= won
    return out
