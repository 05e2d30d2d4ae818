"""Which days are alike: a table in data, and the candidates that it names for one day of a gap."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput
from quintet.terms.holidays import holidays_of
from quintet.terms.period import day_number
from quintet.terms.quality import qualities

from .block import Mask, ids_of

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HOLIDAY = "hol"
SUNDAY = 3
"""Days after 1970-01-01, a Thursday, to the first Sunday."""
LISTED = re.compile(r"(sun|mon|tue|wed|thu|fri|sat)-(\d{1,2})w", re.IGNORECASE)


@dataclass(frozen=True)
class LikeDays:
    """The settings of estimation. `alike` names for each kind of day (weekday, weeks before), best first.

    `holidays` are days since 1970-01-01; the masks mark quality ids.
    """

    alike: Mapping[str, tuple[tuple[int, int], ...]]
    most: int
    fewest: int
    line_hours: int
    beside: Mask
    end_point: Mask
    used: Mask
    whole_day: Mask
    holidays: frozenset[int] = frozenset()

    def with_holidays(self, holidays: set[date]) -> "LikeDays":
        """Give this table with a city's public holidays."""
        return replace(self, holidays=frozenset(day_number(day) for day in holidays))

    def candidates(self, day: int, gap_day: int) -> list[int]:
        """List the days that may stand for `day`, best first, all before the day on which its gap began.

        Days count from 1970-01-01. In a gap longer than a week the weeks are counted from the gap's first week, so that
        "one week before" never falls into the gap itself.
        """
        anchor = day - 7 * ((day - gap_day) // 7)
        sunday = anchor - _weekday(anchor)
        named = self.alike[HOLIDAY if day in self.holidays else WEEKDAYS[_weekday(day)]]
        days = [sunday + weekday - 7 * weeks for weekday, weeks in named]
        return [found for found in days if found < gap_day and found not in self.holidays]


def _weekday(day: int) -> int:
    """Give the day of the week of a day since 1970-01-01: 0 is Sunday."""
    return (day - SUNDAY) % 7


def like_days_from(table: Mapping[str, Any]) -> LikeDays:
    """Load a table; a kind of day that is missing, or an entry that is no "tue-1w", is refused."""
    masks = {"beside", "end_point", "used", "whole_day"}
    numbers = {"line_hours", "most", "fewest"}
    check_keys(dict(table), required={"source", "date", "alike"} | masks | numbers, optional=set(), place="like days")
    if not str(table["source"]).strip() or not isinstance(table["date"], date):
        raise BadInput("have no source or no date.", code="no_source", place="like days")
    if not 1 <= table["fewest"] <= table["most"] <= 7:
        raise BadInput("need 1 <= fewest <= most <= 7.", code="bad_like_days", place="like days")
    for name in masks:
        strange = [code for code in table[name] if code not in qualities() or qualities()[code].kind != "measured"]
        if strange:
            raise BadInput(
                f"{', '.join(strange)} is no measured quality: an estimate never feeds another.",
                code="bad_like_days",
                place=f"like days, {name}",
            )
    check_keys(table["alike"], required={*WEEKDAYS, HOLIDAY}, optional=set(), place="like days, alike")
    alike = {kind: tuple(_entry(text, kind) for text in listed) for kind, listed in table["alike"].items()}
    return LikeDays(
        alike, *(table[name] for name in ("most", "fewest", "line_hours")), *(ids_of(table[n]) for n in sorted(masks))
    )


def _entry(text: str, kind: str) -> tuple[int, int]:
    """Read "tue-1w" as (2, 1)."""
    match = LISTED.fullmatch(text)
    if match is None:
        raise BadInput(
            f"{text!r} is no like day.",
            code="bad_like_days",
            place=f"like days, {kind}",
            remedy='Write it as "tue-1w".',
        )
    return WEEKDAYS.index(match[1].lower()), int(match[2])


@cache
def like_days_in(zone: str) -> LikeDays:
    """Give the table that ships with the public holidays of a zone (an IANA name); they are as Sundays."""
    return like_days().with_holidays(set(holidays_of(zone)))


@cache
def like_days() -> LikeDays:
    """Give the table that ships with the package; no holidays are set."""
    return like_days_from(read_toml("quintet.vee", "like_days.toml"))
