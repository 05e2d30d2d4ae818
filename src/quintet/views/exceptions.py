"""The queue of exceptions as an operator reads it: what broke, what is at stake, what to do, worst first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.terms.errors import UsageError
from quintet.terms.length import DAY_US
from quintet.terms.period import from_us, to_us
from quintet.terms.unit import units

from .answers import (
    Evidence,
    ExceptionDetail,
    ExceptionItem,
    Exceptions,
    ExceptionStep,
)

STATES = ("open", "closed", "any")


def queue(
    access: Access, *, state: str, kind: str | None, place: str | None, limit: int, now: datetime, tz: ZoneInfo
) -> Exceptions:
    """List items, those first that cost most and wait longest.

    Raises UsageError for a state that is none, NotFound and Forbidden for a place.
    """
    if state not in STATES:
        raise UsageError(
            f"there is no state {state!r}.",
            code="bad_state",
            remedy=f"States: {', '.join(STATES)}.",
            said={"text": state, "known": list(STATES)},
        )
    inside = None
    if place is not None:
        access.may_read(place)
        inside = access.registry().descendants(place)
    moment, found = access.exceptions()
    rows = [
        entry(item, now, tz)
        for item in found
        if state in (item.state, "any")
        and kind in (item.kind, None)
        and (inside is None or item.content["place"] in inside)
    ]
    rows.sort(key=lambda row: (-row.score, row.id))
    kept = rows[:limit]
    return Exceptions(from_us(moment).astimezone(tz), len(rows), sum(row.won for row in rows), kept)


def detail(access: Access, number: int, *, now: datetime, tz: ZoneInfo) -> ExceptionDetail:
    """Give one item with its evidence and its history. Raises NotFound for one that is none."""
    item, steps = access.exception(number)
    told = [
        ExceptionStep(
            from_us(step["at_us"]).astimezone(tz), step["state"], step["reason"], step["actor"], step["recurrences"]
        )
        for step in steps
    ]
    content = item.content
    evidence = [_evidence(row, tz) for row in content["evidence"]]
    return ExceptionDetail(
        entry(item, now, tz), list(content["channels"]), amounts(access, content["amounts"]), evidence, told
    )


def entry(item: Any, now: datetime, tz: ZoneInfo) -> ExceptionItem:
    """Give an item as a row: its age, and its rank in the queue (won at stake, grown with age)."""
    content = item.content
    age_days = max(to_us(now) - item.since_us, 0) // DAY_US
    won = int(content["won"])
    return ExceptionItem(
        item.id,
        item.kind,
        content["name_en"],
        content["name_ko"],
        item.state,
        content["place"],
        item.cause,
        from_us(item.since_us).astimezone(tz),
        from_us(item.opened_us).astimezone(tz),
        int(age_days),
        item.recurrences,
        len(content["channels"]),
        won,
        won + won * int(age_days) // int(content["age_days"]),
        list(content["unpriced"]),
        content["action_en"],
        content["action_ko"],
        item.reason,
        item.actor,
        list(content.get("also", ())),
    )


def amounts(access: Access, said: Mapping[str, int]) -> dict[str, str]:
    """Give the amounts in question by commodity, in its display unit."""
    out: dict[str, str] = {}
    known = access.registry().commodities
    for code, amount in said.items():
        measures: Sequence[str] = list(known[code].measures.values())
        unit = units()[measures[0]]
        exact = Decimal(amount) * unit.ratio.denominator / unit.ratio.numerator
        out[code] = f"{exact.normalize():f} {measures[0]}"
    return out


def _evidence(row: Mapping[str, Any], tz: ZoneInfo) -> Evidence:
    start, end = (from_us(row[name]).astimezone(tz) for name in ("from_us", "until_us"))
    return Evidence(row["channel"], row["rule"], row["verdict"], start, end, dict(row["detail"]))
