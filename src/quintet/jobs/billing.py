"""Billing runs: a month's bills are issued with their evidence, and never again; corrections go on the next one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quintet.store.audit import audit
from quintet.store.bills import Draft, Issued, append_bills, issued_bills
from quintet.store.engine import Engine
from quintet.tariffs.dwellings import Reckoned, Reckoning
from quintet.tariffs.issuing import Adjustment, adjustment, body_of, carried, due, of_days, rows_said
from quintet.tariffs.periods import limits
from quintet.tariffs.request import bill_month
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import day_start

Reckon = Callable[[date, date], Reckoning]
"""Reckons the bills of the place of a run for local days [first, end), with what is known now."""
Anew = Mapping[tuple[int, str, str], Sequence[Reckoned]]
"""Bills by month, dwelling and utility."""
Owed = dict[tuple[str, str], list[tuple[Any, Adjustment]]]
"""Adjustments by dwelling and utility, each with since when its household lives there."""
Left = list[tuple[tuple[str, str, Any], Adjustment]]
"""Adjustments that found no bill, each with its household: a dwelling, a utility, since when it lives there."""
ACTION = "issue bills"
LAST_MONTH = 220012
DAYS = "days"
"""The cause of an adjustment that no bill carries by itself."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run issued: how many bills and what is due, how many earlier ones were adjusted and by how much.

    `held` could not be issued, each with its reasons; `already` were issued before. `unsettled` adjustments found no
    bill of the same household to go on.
    """

    month: str
    place: str
    batch: int
    digest: str
    issued: int
    due_won: int
    adjustments: int
    adjusted_won: int
    already: int
    held: tuple[Reckoned, ...]
    unsettled: tuple[Adjustment, ...]


def months_back(month: int, count: int) -> int:
    """Give the month so many before one, both as 202510."""
    number = month // 100 * 12 + month % 100 - 1 - count
    return number // 12 * 100 + number % 12 + 1


def issue(
    engine: Engine, place: str, homes: Sequence[str], month: str, reckon: Reckon, *, actor: str, now_us: int
) -> Run:
    """Issue the bills of a month that nothing stands against; `homes` are the place and all below it.

    Raises UsageError for a month that is not over, or all of whose bills are issued already; NotFound where there is
    nothing to issue.
    """
    first, end = bill_month(month)
    found = reckon(first, end)
    if found.until < day_start(end, engine.tz):
        raise UsageError(
            f"{month} is not over.", code="month_not_over", place="--month",
            remedy="`quintet bill show` tells what it comes to so far; it is issued when it is over.",
        )  # fmt: skip
    number = found.month
    span = (months_back(number, limits()["correct_months"]), LAST_MONTH)
    with engine.snapshot() as snapshot:
        anew = _anew([one for one in issued_bills(snapshot, homes, span) if one.month < number], reckon)
    with engine.exclusive():
        with engine.snapshot() as snapshot:
            held_before = issued_bills(snapshot, homes, span)
        issued = [one for one in held_before if one.month == number]
        fresh, already = _fresh(found.rows, issued)
        drafted = [one for one in fresh if one.issuable]
        held = tuple(one for one in fresh if not one.issuable)
        _refuse_empty(place, month, drafted, already, held)
        drafts, left = _drafts(drafted, _owed(held_before, anew, number), number)
        waiting = {(one.place, one.commodity, one.body["tenancy_us"]) for one in issued}
        unsettled = tuple(each for household, each in left if household not in waiting)
        content = {
            "month": month, "place": place, "known_at": found.known_at.isoformat(), "rule_set": found.rule_set,
            "rows": rows_said(drafted),
        }  # fmt: skip
        with engine.writing("bill", "billing", actor, now_us) as writing:
            digest = append_bills(writing, number, place, content, drafts)
            due_won = sum(draft.due_won for draft in drafts)
            told = {"month": month, "bills": len(drafts), "due_won": due_won, "digest": digest}
            audit(writing, action=ACTION, subject=place, detail=told)
            batch = writing.batch.id
    changes = [each for draft in drafts for each in draft.body["adjustments"]]
    return Run(
        month, place, batch, digest, len(drafts), due_won, len(changes),
        sum(each["now_won"] - each["was_won"] for each in changes), already, held, unsettled,
    )  # fmt: skip


def _refuse_empty(place: str, month: str, drafted: Sequence[Reckoned], already: int, held: Sequence[Reckoned]) -> None:
    """Refuse a run that would issue nothing, and say why."""
    if drafted:
        return
    if already and not held:
        raise UsageError(
            f"all {already} bills of {month} are issued already, and none is issued twice.", code="already_issued",
            place=place, remedy="What was corrected since goes on the next month's bill; see `quintet bill explain`.",
        )  # fmt: skip
    why = sorted({code for one in held for code in one.why})
    raise NotFound(
        f"nothing of {month} can be issued: {len(held)} bills are held back ({', '.join(why) or 'no meter'}).",
        code="nothing_to_issue", place=place, remedy="`quintet bill run` lists them with what to do.",
    )  # fmt: skip


def _fresh(rows: Sequence[Reckoned], issued: Sequence[Issued]) -> tuple[list[Reckoned], int]:
    """Give the bills whose days no issued bill holds, and count the others."""
    held: dict[tuple[str, str], list[Issued]] = {}
    for one in issued:
        held.setdefault((one.place, one.commodity), []).append(one)
    fresh: list[Reckoned] = []
    for one in rows:
        metered = one.metered
        others = held.get((metered.place, metered.commodity), [])
        if not any(other.first < metered.end and metered.first < other.end for other in others):
            fresh.append(one)
    return fresh, len(rows) - len(fresh)


def _anew(earlier: Sequence[Issued], reckon: Reckon) -> Anew:
    """Reckon the months of bills issued earlier once more."""
    out: dict[tuple[int, str, str], list[Reckoned]] = {}
    for month in sorted({one.month for one in earlier}):
        first, end = bill_month(f"{month // 100}-{month % 100:02}")
        for one in reckon(first, end).rows:
            out.setdefault((month, one.metered.place, one.metered.commodity), []).append(one)
    return out


def _owed(every: Sequence[Issued], anew: Anew, month: int) -> Owed:
    """Give what bills of earlier months come to now, less all that was issued for them, with their household."""
    of: dict[tuple[str, str], list[Issued]] = {}
    for one in every:
        of.setdefault((one.place, one.commodity), []).append(one)
    out: Owed = {}
    for key, bills in of.items():
        for one in (bill for bill in bills if bill.month < month):
            now = of_days(one.body, anew.get((one.month, *key), ()))
            if not all(each.issuable for each in now):
                continue
            later = [other.body for other in bills if other.batch > one.batch]
            found = adjustment(one.batch, one.body, carried(one.body, later), now)
            if found is not None:
                out.setdefault(key, []).append((one.body["tenancy_us"], found))
    return out


def _drafts(drafted: Sequence[Reckoned], owed: Owed, month: int) -> tuple[list[Draft], Left]:
    """Write the bills, each household's adjustments on its first one; what finds none is given back.

    Where the days of an issued bill are others now (a move was recorded later), people settle it: two households share
    what one was billed.
    """
    drafts: list[Draft] = []
    for one in drafted:
        metered = one.metered
        key = (metered.place, metered.commodity)
        mine = [each for tenancy, each in owed.get(key, ()) if tenancy == metered.tenancy_us and DAYS not in each.why]
        if mine:
            owed[key] = [pair for pair in owed[key] if pair[1] not in mine]
        body = body_of(one, month, mine)
        drafts.append(Draft(*key, month, metered.first, metered.end, due(one, mine), body))
    return drafts, [((*key, tenancy), each) for key, pairs in owed.items() for tenancy, each in pairs]
