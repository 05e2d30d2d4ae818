"""Which months were told to everybody, and as known at which moment: each once, so that a cell is the same for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.floor import floor
from quintet.access.told import RELEASE
from quintet.terms.errors import BadInput, UsageError
from quintet.terms.period import Span, day_start, from_us, local_day

from .answers_open import OpenRelease

MOST_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of the city's clock."""

    first: date

    @property
    def name(self) -> str:
        """Give it as 2025-03."""
        return f"{self.first:%Y-%m}"

    @property
    def after(self) -> date:
        """Give the first day of the next one."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def last(self) -> date:
        """Give its last day."""
        return self.after - timedelta(days=1)

    def span(self, tz: ZoneInfo) -> Span:
        """Give it as moments."""
        return Span(day_start(self.first, tz), day_start(self.after, tz))


def months_of(span: Span, tz: ZoneInfo, *, cut: bool) -> list[Month]:
    """Give the months that a span touches; raises UsageError where it begins or ends within a month or a day.

    `cut`: it may hold only some days of a month.
    """
    first, after = local_day(span.start, tz), local_day(span.end, tz)
    even = all(day_start(day, tz) == moment for day, moment in ((first, span.start), (after, span.end)))
    if not even or (not cut and (first.day, after.day) != (1, 1)):
        raise UsageError(
            "open data are told by whole months of the city's clock." if not cut else "open data begin with a day.",
            code="not_whole_months", place="from",
            remedy="Ask from the first of a month to the first of another, as 2025-01 and 2025-04.",
        )  # fmt: skip
    out = [Month(first.replace(day=1))]
    while out[-1].after < after:
        out.append(Month(out[-1].after))
    if len(out) > MOST_MONTHS:
        raise UsageError(
            f"that is {len(out)} months; one answer has at most {MOST_MONTHS}.", code="range_too_long", place="to",
            remedy="Ask for fewer months at once.",
        )  # fmt: skip
    return out


def releases(access: Access) -> dict[str, OpenRelease]:
    """Give what was told, by month."""
    tz = access.registry().tz
    out: dict[str, OpenRelease] = {}
    for month, said in sorted(access.registry().timelines(RELEASE).items()):
        since, body = said[0]  # the first one counts: a month is told once
        if body is not None:
            out[month] = OpenRelease(
                month, datetime.fromisoformat(body["known_at"]).astimezone(tz), from_us(since).astimezone(tz),
                body["by"], body["why"], body["factor_set"], body["floor"],
            )  # fmt: skip
    return out


def chosen_releases(access: Access, months: Sequence[Month]) -> list[OpenRelease]:
    """Give the releases of some months; raises UsageError where one was not told, BadInput where the floor is another.

    Under another floor the same month would be cut otherwise, and the difference would tell what either one hides.
    """
    held = releases(access)
    lacking = [month.name for month in months if month.name not in held]
    if lacking:
        raise UsageError(
            f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not released.", code="not_released",
            place="from",
            remedy="Release it: POST /api/v1/open-data/releases, or `quintet export open-data` for that month.",
            said={"months": lacking},
        )  # fmt: skip
    out = [held[month.name] for month in months]
    for one in out:
        if one.floor != floor().digest:
            raise BadInput(
                f"was released by the privacy floor {one.floor}; in force is {floor().digest}.", code="other_floor",
                place=one.month,
                remedy="Use the Quintet that released it: the difference of two cuts would tell what both hide.",
            )  # fmt: skip
    return out


def refuse_unripe(months: Sequence[Month], now: datetime, tz: ZoneInfo) -> None:
    """Raise UsageError for a month that is not over, or so young that late readings are still to be expected."""
    for month in months:
        ripe = day_start(month.after + timedelta(days=floor().settled), tz)
        if now < ripe:
            raise UsageError(
                f"{month.name} cannot be released yet: a month that was told is never told again otherwise.",
                code="month_not_settled", place="from",
                remedy=f"Release it from {ripe.astimezone(tz):%Y-%m-%d} on, {floor().settled} days after its end.",
                said={"month": month.name, "day": f"{ripe.astimezone(tz):%Y-%m-%d}"},
            )  # fmt: skip


def release_body(known_at: datetime, factor_set: str, by: str, why: str) -> Mapping[str, Any]:
    """Give the body of the record of a release; raises UsageError without a name and a reason."""
    if not by.strip() or not why.strip():
        raise UsageError(
            "a release needs a name and a reason.", code="no_reason", remedy="Say by and reason (--actor, --reason)."
        )
    return {
        "known_at": known_at.isoformat(), "factor_set": factor_set, "floor": floor().digest, "by": by.strip(),
        "why": why.strip(),
    }  # fmt: skip
