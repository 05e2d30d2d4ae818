"""What using less pays a dwelling, followed live: baselines from the same days of the years before, as they are known.

Days of before count only where all of their time is known; what is not known is no zero, and what is not the reader's
(another household lived there) is no baseline of his.
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import premise_use
from quintet.access.roles import MONTH_MIN
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.incentives import (
    Program,
    Standing,
    baseline_of,
    half_year,
    program_on,
    programs,
    standing,
    year_before,
)
from quintet.terms.errors import Forbidden, NotFound
from quintet.terms.period import Span, day_start, from_us, local_day

from .answers_bills import Incentives, IncentiveStanding
from .bills import month_span, own_part

FOLLOWED = ("cashback", "points")
UNKNOWN = "Not all of the time so far is known: nothing can be said of it."


@dataclass(frozen=True, slots=True)
class _Followed:
    """One incentive of one utility over [first, over) of the days [first, end)."""

    program: Program
    commodity: str
    unit: str
    first: date
    over: date
    end: date
    found: Standing | None
    reason: str | None


def dwelling_incentives(access: Access, place: str, month: str, known_at: datetime | None, tz: ZoneInfo) -> Incentives:
    """Say where a dwelling stands in each incentive that covers one of its utilities."""
    first, end, span = month_span(month, tz)
    known = access.as_known(known_at)
    part = own_part(known, place, span)
    with known.asking(place, None, part, MONTH_MIN) as asked:
        until, moment = local_day(from_us(asked.until_us), tz), from_us(asked.known_us).astimezone(tz)
        here = {row.commodity for row in premise_use(asked, place, first, end, within=part)}
    out: list[_Followed] = []
    for program in programs().values():
        if program.kind in FOLLOWED:
            days = (first, end) if program.kind == "cashback" else half_year(first)
            out += [_follow(known, place, program, code, days, until, tz) for code in program.steps if code in here]
    return Incentives(moment, place, month, [_told(one) for one in out])


def _follow(
    access: Access, place: str, program: Program, commodity: str, days: tuple[date, date], until: date, tz: ZoneInfo
) -> _Followed:
    """Follow one incentive of one utility."""
    first, end = days
    over = min(until, end)
    unit, found, reason = "", None, UNKNOWN
    now = _used(access, place, commodity, first, over, tz) if over > first else None
    if now is not None:
        use, unit = now
        try:
            held = program_on(program.kind, commodity, first)
            back = [
                _used(access, place, commodity, year_before(first, years), year_before(over, years), tz)
                for years in range(1, held.years + 1)
            ]
            uses = [one[0] if one is not None and one[1] == unit else None for one in back]
            found, reason = standing(held, commodity, baseline_of(held, uses), use), None
        except NotFound as error:
            reason = error.message
    return _Followed(program, commodity, unit, first, over, end, found, reason)


def _used(
    access: Access, place: str, commodity: str, first: date, end: date, tz: ZoneInfo
) -> tuple[Fraction, str] | None:
    """Give what was used over local days, and its unit; None where some of it is not known, or not the reader's."""
    span = Span(day_start(first, tz), day_start(end, tz))
    try:
        with access.asking(place, None, span, MONTH_MIN) as asked:
            rows = [row for row in premise_use(asked, place, first, end) if row.commodity == commodity]
            known = asked.registry.commodities[commodity]
    except Forbidden:
        return None
    if not rows or any(not 0 < row.expected_min <= row.arrived_min + row.estimated_min for row in rows):
        return None
    unit = known.display_unit(rows[0].quantity)
    return sum(row.value for row in rows if row.quantity == rows[0].quantity) / unit.ratio, unit.code


def _told(one: _Followed) -> IncentiveStanding:
    """Write where a use stands."""
    found, program = one.found, one.program
    return IncentiveStanding(
        program=program.kind,
        name_en=program.name_en,
        name_ko=program.name_ko,
        commodity=one.commodity,
        start=one.first,
        end=one.end,
        unit=one.unit,
        baseline=decimal_of(found.baseline) if found else None,
        use=decimal_of(found.use) if found else None,
        saved=decimal_of(found.saved) if found else None,
        saved_share=decimal_of(found.share) if found else None,
        step=decimal_of(found.step) if found and found.step is not None else None,
        paid=decimal_of(found.paid) if found else None,
        won=int(found.won) if found else None,
        one_more_percent_won=int(found.one_more_won) if found else None,
        next_step=decimal_of(found.next_step) if found and found.next_step is not None else None,
        next_left=decimal_of(found.next_left) if found and found.next_left is not None else None,
        so_far=one.over < one.end,
        reason=one.reason,
        source=program.source,
        source_ko=program.source_ko,
        note=program.note,
        note_ko=program.note_ko,
    )
