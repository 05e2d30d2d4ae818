"""The times of a question, read on the city's clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from quintet.terms.errors import UsageError
from quintet.terms.period import Span, parse_moment


def asked_span(start: str, end: str, tz: ZoneInfo) -> Span:
    """Read --from and --to on the city's clock; raises UsageError, in the words that were given, for an empty range."""
    first, last = parse_moment(start, tz), parse_moment(end, tz)
    if last <= first:
        after = following(end)
        raise UsageError(
            f"the range {start} .. {end} is empty.", code="empty_range", place="--to",
            remedy="--to is the first moment that no longer counts; it must be after --from."
            + (f" For {end} itself write --to {after}." if after and start == end else ""),
        )  # fmt: skip
    return Span(first, last)


def following(text: str) -> str | None:
    """Give the day, month or year after one, written as it is; None for anything else."""
    if len(text) == len("2025"):
        return str(int(text) + 1)
    if len(text) == len("2025-01"):
        year, month = int(text[:4]), int(text[5:])
        return f"{year + month // 12:04d}-{month % 12 + 1:02d}"
    if len(text) == len("2025-01-31"):
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    return None


def asked_moment(text: str | None, tz: ZoneInfo) -> datetime | None:
    """Read --known-at; None where it was not given."""
    return None if text is None else parse_moment(text, tz)
