"""The times of a question, read on the city's clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from quintet.terms.period import Span, parse_moment


def asked_span(start: str, end: str, tz: ZoneInfo) -> Span:
    """Read --from and --to on the city's clock."""
    return Span(parse_moment(start, tz), parse_moment(end, tz))


def asked_moment(text: str | None, tz: ZoneInfo) -> datetime | None:
    """Read --known-at; None where it was not given."""
    return None if text is None else parse_moment(text, tz)
