"""The places of a building manager's work: which are his, how they are called, and in which order one walks them."""

import re
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.mixing import homes_below
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import Span, from_us, local_day

from .answers_manager import WorkText
from .bills import month_span
from .manager_words import Both, words

LEVELS = ("complex", "building")
DIGITS = re.compile(r"(\d+)")
LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a building something stands: `flat` and `floor` are empty for what is the building's own."""

    building: str
    building_name: Both
    flat: str
    floor: int | None

    @property
    def order(self) -> tuple[object, ...]:
        """Sort by building, floor and flat, as people count."""
        return (natural(self.building), -1 if self.floor is None else self.floor, natural(self.flat))


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort a name as people do: 2 before 10."""
    return tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in DIGITS.split(text) if one)


def own_building(access: Access, place: str) -> Both:
    """Give a building's or complex' names; what is not the reader's, or none, gives one and the same answer.

    Raises NotFound, UsageError for a place of another level, and NotFound for one without a dwelling.
    """
    if not access.sees(place):
        raise NotFound(
            "there is no building of that name for you.", code="not_your_building", place=place,
            remedy="Name a complex or a building that you manage, as `quintet registry list` does.",
        )  # fmt: skip
    registry = access.registry()
    level = registry.tree.bodies[place]["level"]
    if level not in LEVELS:
        raise UsageError(
            f"is a {level}, and no building.", code="no_building", place=place,
            remedy="Name a complex or a building.",
        )  # fmt: skip
    if not homes_below(registry, place):
        raise NotFound(
            "holds no dwelling.", code="no_dwellings", place=place,
            remedy="Register its flats: the meters table names building and premise.",
        )  # fmt: skip
    return names_of(access, place)


def begun_month(month: str, tz: ZoneInfo, now_us: int) -> tuple[date, date, Span, date]:
    """Read a month: its first day, that of the next, its span, and the day up to which it is over.

    Raises UsageError for what is no month, and for one that has not begun.
    """
    first, end, span = month_span(month, tz)
    today = local_day(from_us(now_us), tz)
    if today <= first:
        raise UsageError(
            f"{month} has not begun, or not a day of it is over.", code="month_not_begun", place="month",
            remedy="Ask for a month of which a day is over at least.",
        )  # fmt: skip
    return first, end, span, min(end, today)


def own_buildings(access: Access) -> list[tuple[str, Both]]:
    """Give the complexes, and the buildings in none of these, that are the reader's, in the order of a walk."""
    registry = access.registry()
    seen = access.horizon()
    tree = registry.tree
    every = (one for one in (tree.walk("city") if seen is None else seen) if one in tree)
    mine = {one for one in every if tree.bodies[one]["level"] in LEVELS and homes_below(registry, one)}
    top = [one for one in mine if not mine & set(tree.path(one)[1:])]
    return [(one, names_of(access, one)) for one in sorted(top, key=natural)]


def names_of(access: Access, place: str) -> Both:
    """Give a place's names."""
    body = access.registry().tree.bodies[place]
    return Both(str(body.get("name_en") or place), str(body.get("name_ko") or place))


def spot_of(access: Access, place: str) -> Spot:
    """Say where a place is in its building; the floor is read off the flat's number."""
    tree = access.registry().tree
    building = tree.nearest(place, "building")
    if tree.bodies.get(building, {}).get("level") != "building":
        building = tree.nearest(place, "complex")
    home = tree.bodies.get(place, {}).get("level") == "premise"
    flat = names_of(access, place).en if home else ""
    flat = flat.rpartition("/")[2]
    return Spot(building, names_of(access, building), flat, floor_of(flat))


def floor_of(flat: str) -> int | None:
    """Read the floor off a flat's number: 1203 is on floor 12; None where the number does not say."""
    numbers = [one for one in DIGITS.findall(flat) if len(one) >= LEAST_DIGITS]
    return int(numbers[-1]) // words().limits["floor_divisor"] if numbers else None


def text_of(table: str, code: str, **gaps: object) -> WorkText:
    """Give a text of the words with its code and how sure it is."""
    row = words().row(table, code)
    said = row.said(**gaps)
    return WorkText(code, said.en, said.ko, str(row.more.get("sure", "")))
