"""How a foreign reading is recognised: every sum that tells of somebody is known by its digits, whatever the unit.

The city's readings are made so that no two are alike (peopled.py). What somebody may see is said by the test itself,
from the table in docs/accounts.md, and not asked of the program.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import pairwise

import httpx

from .peopled import HOMES, HOURS, KINDS, MOVE, START, amount

NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w])")
MOVE_HOUR = int((MOVE - START) / timedelta(hours=1))
ALL_KINDS = tuple(kind for kind, _ in KINDS)
FINENESS = ("hour", "day", "month")
SIGNS = 7
"""Shorter numbers are too common to be known again."""
LATE = 0.5
"""What a reading that comes again, late, is more than before."""


@dataclass(frozen=True)
class Seen:
    """What of a dwelling somebody may see: from which hour until which, which carriers, and how fine."""

    home: str
    first: int = 0
    last: int = HOURS
    kinds: tuple[str, ...] = ALL_KINDS
    fine: str = "hour"


@dataclass(frozen=True)
class Fact:
    """A sum over dwellings and hours, told in a step."""

    homes: tuple[str, ...]
    kind: str
    first: int
    last: int
    fine: str

    def open_to(self, seen: tuple[Seen, ...]) -> bool:
        return all(any(_covers(one, self, home) for one in seen) for home in self.homes)


def _covers(one: Seen, fact: Fact, home: str) -> bool:
    inside = one.home == home and one.first <= fact.first and fact.last <= one.last and fact.kind in one.kinds
    return inside and FINENESS.index(one.fine) <= FINENESS.index(fact.fine)


def digits(number: str) -> str:
    """Give the significant digits of a number: the same in kWh, Wh and as a scaled whole number."""
    return number.replace(",", "").replace("-", "").replace(".", "").strip("0")


@cache
def facts() -> dict[str, tuple[Fact, ...]]:
    """Give every sum that tells of somebody, by its digits."""
    out: dict[str, list[Fact]] = {}
    for homes in groups():
        for kind in ALL_KINDS:
            for fact in _told(homes, kind):
                for more in (0.0, LATE) if fact.last == fact.first + 1 else (0.0,):
                    text = digits(f"{_sum(fact, more):.6f}")
                    if len(text) >= SIGNS:
                        out.setdefault(text, []).append(fact)
    return {text: tuple(found) for text, found in out.items()}


def groups() -> Iterator[tuple[str, ...]]:
    """Give each dwelling, and the dwellings of each building and complex, and of the city."""
    above = {home.rpartition("/")[0] for home in HOMES} | {home.partition("/")[0] for home in HOMES} | {""}
    yield from ((home,) for home in HOMES)
    for place in sorted(above):
        yield tuple(home for home in HOMES if not place or home.startswith(f"{place}/"))


def _told(homes: tuple[str, ...], kind: str) -> Iterator[Fact]:
    """Give hours, each day so far, whole days, and what there is of the month, also from and until the move."""
    for hour in range(HOURS):
        yield Fact(homes, kind, hour, hour + 1, "hour")
        if hour % 24:
            yield Fact(homes, kind, hour - hour % 24, hour + 1, "day" if hour % 24 == 23 else "hour")
    for first, last in pairwise((0, MOVE_HOUR, HOURS)):
        yield Fact(homes, kind, first, last, "month" if homes == (HOMES[1],) else "hour")
    yield Fact(homes, kind, 0, HOURS, "month")


def _sum(fact: Fact, more: float) -> float:
    at, hours = ALL_KINDS.index(fact.kind), range(fact.first, fact.last)
    return sum(amount(HOMES.index(home), at, hour) + more for home in fact.homes for hour in hours)


def text_of(answer: httpx.Response) -> str:
    """Give what an answer says, unpacked where it is a bundle."""
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            return "\n".join(bundle.read(name).decode("utf-8", "replace") for name in bundle.namelist())
    return answer.text


def foreign_numbers(seen: tuple[Seen, ...], text: str) -> set[str]:
    """Give the numbers of a text that are sums of which somebody may see none."""
    known = facts()
    said = {number for number in NUMBER.findall(text) if digits(number) in known}
    return {number for number in said if not any(fact.open_to(seen) for fact in known[digits(number)])}
