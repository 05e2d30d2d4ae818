"""The dataset layout: which columns its files have, and what a file is told that lacks one."""

from collections import Counter
from collections.abc import Sequence

from quintet.terms.errors import BadInput

READINGS_NEED = ("site", "meter", "ts_utc", "value")
READINGS_MAY_HAVE = ("building", "commodity", "unit")
METERS_NEED = ("site", "building", "meter", "commodity", "unit", "value_kind", "cadence_min", "tz", "role")
MAP_NEED = ("site", "meter", "virtual_city", "shift_days")


def check_columns(found: Sequence[str], needed: Sequence[str], name: str) -> None:
    """Refuse a file that lacks a column or names one twice; the message says which were found."""
    missing = [column for column in needed if column not in found]
    if missing:
        raise BadInput(
            f"has no column {', '.join(missing)}; it has {', '.join(found) or 'none'}.",
            code="missing_column",
            place=name,
            remedy=f"Name the columns {', '.join(needed)}.",
        )
    twice = [column for column, count in Counter(found).items() if count > 1]
    if twice:
        raise BadInput(
            f"names the column {', '.join(twice)} twice.",
            code="double_column",
            place=name,
            remedy="Remove or rename one of them.",
        )
