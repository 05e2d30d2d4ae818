"""The command that says why a total changed."""

import re
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .options import LANGUAGE, Common, ask
from .requests import Diff

MONTH = re.compile(r"(\d{4})-(\d{2})")


def diff(
    *,
    known_at: Annotated[str, Parameter(name="--known-at", help="The earlier moment.")],
    later: Annotated[str, Parameter(name="--and", help="The later moment.")],
    place: Annotated[str | None, Parameter(help="A place; default: the whole city.")] = None,
    channel: Annotated[str | None, Parameter(help="A channel instead of a place.")] = None,
    month: Annotated[str | None, Parameter(help="The month, such as 2025-10; or give --from and --to.")] = None,
    start: Annotated[str | None, Parameter(name="--from", help="First moment of what is summed.")] = None,
    end: Annotated[str | None, Parameter(name="--to", help="First moment that no longer counts.")] = None,
    lang: Annotated[Literal["en", "ko"], Parameter(name=LANGUAGE, help="The language of the sentences.")] = "en",
    most: Annotated[int, Parameter(help="Days and channels named, those with the largest part first.")] = 10,
    common: Common | None = None,
) -> int:
    """Say in words and figures why a total changed between two moments."""
    return ask(common, Diff(known_at, later, *_span(month, start, end), place, channel, lang, most))


def _span(month: str | None, start: str | None, end: str | None) -> tuple[str, str]:
    """Give the first and the last-plus-one moment of a month, or those that were given."""
    if month is None and start is not None and end is not None:
        return start, end
    found = MONTH.fullmatch(month or "")
    if month is None or start is not None or end is not None or found is None or not 1 <= int(found[2]) <= 12:
        raise UsageError(
            "which range is meant is not clear.", code="bad_range", remedy="Give --month 2025-10, or --from and --to."
        )
    year, number = int(found[1]), int(found[2])
    return month, f"{year + number // 12:04d}-{number % 12 + 1:02d}"
