"""The words and numbers of a building manager's work: data in both languages, checked as they are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from quintet.terms.catalogue import check_keys, numbers_of, read_toml
from quintet.terms.errors import BadInput

FILE = "manager.toml"
LIMITS = (
    "life_months", "mended_days", "floor_divisor", "estimated_percent", "loss_percent", "gain_percent", "names_shown",
)  # fmt: skip
SPOKEN: Mapping[str, set[str]] = {
    "check": set(), "found": {"settles"}, "sure": set(), "evidence": {"sure"}, "life": {"sure", "empty"}, "note": set(),
    "close": {"mend", "page"}, "figure": set(), "why": set(), "rule": set(),
}  # fmt: skip
"""The tables of texts, and what their rows hold beside both languages."""
GAP = re.compile(r"\{(\w+)\}")


class Both(NamedTuple):
    """A text in English and Korean."""

    en: str
    ko: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of words, with what else it says."""

    en: str
    ko: str
    more: Mapping[str, Any]

    def said(self, **gaps: Any) -> Both:
        """Fill the gaps; a pair (Both) gives each language its own."""
        english = {name: gap.en if isinstance(gap, Both) else gap for name, gap in gaps.items()}
        korean = {name: gap.ko if isinstance(gap, Both) else gap for name, gap in gaps.items()}
        return Both(self.en.format(**english), self.ko.format(**korean))


@dataclass(frozen=True)
class Words:
    """All of it: limits by name, the checks of each kind of exception, and rows by table and code."""

    limits: Mapping[str, int]
    visits: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, Mapping[str, Row]]

    def row(self, table: str, code: str) -> Row:
        """Give one row."""
        return self.rows[table][code]

    def said(self, table: str, code: str, **gaps: Any) -> Both:
        """Give one text with its gaps filled."""
        return self.rows[table][code].said(**gaps)


def words_from(table: Mapping[str, Any]) -> Words:
    """Read the table; a row that lacks a key, holds one that nobody reads, or differs in its gaps raises BadInput."""
    check_keys(dict(table), required={"limit", "visit", *SPOKEN}, optional=set(), place=FILE)
    rows = {name: {code: _row(name, code, row) for code, row in table[name].items()} for name in SPOKEN}
    visits: dict[str, tuple[str, ...]] = {}
    for code, row in table["visit"].items():
        check_keys(row, required={"checks"}, optional=set(), place=f"{FILE} [visit.{code}]")
        strange = [one for one in row["checks"] if one not in rows["check"]]
        if strange:
            raise BadInput(f"there is no check {strange[0]!r}.", code="bad_row", place=f"{FILE} [visit.{code}]")
        visits[code] = tuple(row["checks"])
    return Words(numbers_of({"limit": table["limit"]}, LIMITS, FILE), visits, rows)


def _row(table: str, code: str, row: dict[str, Any]) -> Row:
    place = f"{FILE} [{table}.{code}]"
    check_keys(row, required={"en", "ko", *SPOKEN[table]}, optional=set(), place=place)
    if set(GAP.findall(row["en"])) != set(GAP.findall(row["ko"])):
        raise BadInput("fills other gaps in Korean than in English.", code="bad_row", place=place)
    return Row(row["en"], row["ko"], {key: row[key] for key in SPOKEN[table]})


@cache
def words() -> Words:
    """Give what ships with the package."""
    return words_from(read_toml("quintet.views", FILE))
