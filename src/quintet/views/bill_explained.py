"""An issued bill explained: its evidence, what the same days come to now and why, and where corrections went."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import issued, run_said
from quintet.access.roles import MONTH_MIN
from quintet.tariffs.issuing import Adjustment, adjustment, carried, of_days
from quintet.terms.errors import Lacking
from quintet.terms.period import Span, day_start

from .answers_bills import BillEvidence, BillExplained, ExplainedBill
from .bill_rows import adjustment_row, issued_bill, reckoned_bill
from .bills import month_span, own_part, reckon_place

LAST_MONTH, LAST_DAY = 220012, date(2201, 1, 1)


def explained(
    access: Access, place: str, month: str, commodity: str | None, known_at: datetime | None, tz: ZoneInfo
) -> BillExplained:
    """Explain the bills issued of a dwelling's month; Lacking where none is."""
    first, end, span = month_span(month, tz)
    part = own_part(access, place, span)
    own = access.clip(place, Span(span.start, day_start(LAST_DAY, tz)))
    number = first.year * 100 + first.month
    known = access.as_known(known_at)
    with known.asking(place, None, part, MONTH_MIN) as asked:
        later = issued(asked, place, (number, LAST_MONTH), own)
        frozen = [one for one in later if one.month == number and commodity in (None, one.commodity)]
        runs = {one.batch: run_said(asked, one.batch) for one in frozen}
        commodities = asked.registry.commodities
    if not frozen:
        raise Lacking(
            f"no bill of {month} was issued here.", code="not_issued", place=place,
            remedy="`quintet bill show` tells what it comes to; `quintet bill issue` freezes it.",
            said={"month": month},
        )  # fmt: skip
    now = reckon_place(known, place, first, end, within=part).rows
    out: list[ExplainedBill] = []
    for one in frozen:
        own = commodities[one.commodity]
        anew = of_days(one.body, [row for row in now if row.metered.commodity == one.commodity])
        after = [other for other in later if other.commodity == one.commodity and other.batch > one.batch]
        so_far = carried(one.body, [other.body for other in after])
        left = adjustment(one.batch, one.body, so_far, anew) if all(each.issuable for each in anew) else None
        said = runs[one.batch]
        evidence = BillEvidence(
            one.batch, said.get("known_at"), said.get("rule_set", ""), one.body["channels"], one.body["quantity"],
            one.body["sub_units"], one.body["expected_min"], one.body["arrived_min"], one.body["estimated_min"],
            one.body["rows"], one.digest, one.sound,
        )  # fmt: skip
        out.append(
            ExplainedBill(
                issued_bill(one, own, tz, said.get("rows")),
                evidence,
                reckoned_bill(anew[0], own) if len(anew) == 1 else None,
                so_far - int(one.body["total_won"]),
                [f"{other.month // 100}-{other.month % 100:02}" for other in after if _adjusts(other.body, one.body)],
                None if left is None else adjustment_row(left),
                _words(left, so_far != one.body["total_won"]),
            )
        )
    return BillExplained(place, month, out)


def _adjusts(later: dict[str, object], body: dict[str, object]) -> bool:
    """Tell whether a later bill adjusts a bill."""
    rows = later["adjustments"]
    assert isinstance(rows, list)
    return any((each["month"], each["first"]) == (body["month"], body["from"]) for each in rows)


def _words(left: Adjustment | None, adjusted: bool) -> str:
    if left is not None and "days" in left.why:
        return "Its days are others now, for a move or a contract was recorded later: it is settled apart."
    if left is not None:
        return "It comes to something else now: the difference goes on the next bill that is issued."
    return "It was corrected on a later bill." if adjusted else "What is known now gives the same."
