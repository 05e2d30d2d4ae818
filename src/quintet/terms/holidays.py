"""Public holidays, by the clock that a city keeps; a clock that no calendar names has none."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from .catalogue import check_keys, read_toml
from .errors import BadInput

YEARS = range(1970, 2101)
"""Years for which fixed dates are given."""


@cache
def holidays_of(zone: str) -> frozenset[date]:
    """Give the public holidays of a zone (an IANA name), Sundays not counted."""
    return _calendars(read_toml("quintet.terms", "holidays.toml")).get(zone, frozenset())


def _calendars(table: Mapping[str, Any]) -> dict[str, frozenset[date]]:
    """Read the table: holidays by zone. Raises BadInput for a strange key, no source, or a zone named twice."""
    check_keys(dict(table), required={"calendar"}, optional=set(), place="holidays")
    out: dict[str, frozenset[date]] = {}
    for code, row in table["calendar"].items():
        place = f"holidays, {code}"
        check_keys(row, required={"zones", "source", "date", "every_year", "years"}, optional=set(), place=place)
        if not row["source"].strip() or not isinstance(row["date"], date):
            raise BadInput("has no source or no date.", code="no_source", place=place)
        days = [f"{year}-{day}" for year in YEARS for day in row["every_year"]]
        days += [f"{year}-{day}" for year, listed in row["years"].items() for day in listed]
        for zone in row["zones"]:
            if zone in out:
                raise BadInput(f"{zone} has two calendars.", code="bad_holidays", place=place)
            out[zone] = frozenset(map(date.fromisoformat, days))
    return out
