"""Writes bills as plain answers: reckoned ones with their evidence, issued ones word for word."""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from quintet.tariffs.card_rows import OPEN, UNDATED, Card, Levy
from quintet.tariffs.dwellings import Reckoned, reasons
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.issuing import Adjustment, changes
from quintet.tariffs.pace import Pace
from quintet.terms.period import from_us

from .answers_bills import (
    BillAdjustment,
    BillCard,
    BillPace,
    BillTier,
    BillWhy,
    UtilityBill,
    UtilityBillItem,
)
from .series import share


class Named(Protocol):
    """A commodity's names."""

    @property
    def code(self) -> str:
        """Its code."""
        ...

    @property
    def name_en(self) -> str:
        """English."""
        ...

    @property
    def name_ko(self) -> str:
        """Korean."""
        ...


class Frozen(Protocol):
    """An issued bill, as the store keeps it."""

    @property
    def issued_us(self) -> int:
        """When it was issued."""
        ...

    @property
    def digest(self) -> str:
        """What seals it."""
        ...

    @property
    def sound(self) -> bool:
        """Whether the seal holds."""
        ...

    @property
    def body(self) -> dict[str, Any]:
        """What it says."""
        ...


def why_rows(codes: Sequence[str]) -> list[BillWhy]:
    """Write reasons in both languages."""
    rows = [reasons()[code] for code in codes]
    return [BillWhy(one.code, one.en, one.ko, one.remedy_en, one.remedy_ko, one.blocks) for one in rows]


def _shares(expected: int, arrived: int, estimated: int) -> tuple[float | None, float | None]:
    known = arrived + estimated
    return share(arrived / expected) if expected else None, share(estimated / known) if known else None


def reckoned_bill(
    one: Reckoned, commodity: Named, pace: Pace | None = None, pace_reason: str | None = None
) -> UtilityBill:
    """Write a reckoned bill; one under way with its pace, or why it has none."""
    metered, pattern = one.metered, one.pattern
    coverage, estimated = _shares(metered.expected_min, metered.arrived_min, metered.estimated_min)
    return UtilityBill(
        place=metered.place,
        commodity=metered.commodity,
        name_en=commodity.name_en,
        name_ko=commodity.name_ko,
        start=metered.first,
        end=metered.end,
        status="none" if one.total is None else "reckoned",
        contract=None if one.agreement is None else one.agreement.contract,
        use=None if one.use is None else decimal_of(one.use),
        unit=None if pattern is None else pattern.unit,
        items=[UtilityBillItem(*line) for line in one.said],
        subtotal_won=None if one.subtotal is None else decimal_of(one.subtotal),
        total_won=one.total,
        adjustments=[],
        due_won=one.total,
        coverage=coverage,
        estimated_share=estimated,
        complete=one.total is not None and not {"lacks", "gaps", "so_far"} & set(one.why),
        provisional="provisional" in one.why,
        absent=False,
        why=why_rows(one.why),
        detail=one.detail,
        cards=[card_row(row) for row in one.rows],
        pace=None if pace is None else pace_row(pace),
        pace_reason=pace_reason,
        issued_at=None,
        digest=None,
        sound=None,
    )  # fmt: skip


def absent(commodity: Named, first: date, end: date, place: str = "") -> UtilityBill:
    """Say that no meter of a utility stands in a dwelling."""
    return UtilityBill(
        place, commodity.code, commodity.name_en, commodity.name_ko, first, end, "none", None, None, None, [], None,
        None, [], None, None, None, complete=False, provisional=False, absent=True, why=why_rows(["no_meter"]),
        detail="", cards=[], pace=None, pace_reason=None, issued_at=None, digest=None, sound=None,
    )  # fmt: skip


def issued_bill(one: Frozen, commodity: Named, tz: ZoneInfo, cards: Mapping[str, Any] | None = None) -> UtilityBill:
    """Write an issued bill as it was issued."""
    body = one.body
    coverage, estimated = _shares(body["expected_min"], body["arrived_min"], body["estimated_min"])
    return UtilityBill(
        place=body["place"],
        commodity=body["commodity"],
        name_en=commodity.name_en,
        name_ko=commodity.name_ko,
        start=date.fromisoformat(body["from"]),
        end=date.fromisoformat(body["to"]),
        status="issued",
        contract=None,
        use=_number(body["use"]),
        unit=body["unit"],
        items=[
            UtilityBillItem(item, english, korean, _number(won), "") for item, english, korean, won in body["lines"]
        ],
        subtotal_won=_number(body["subtotal_won"]),
        total_won=body["total_won"],
        adjustments=[_adjusted(each) for each in body["adjustments"]],
        due_won=body["due_won"],
        coverage=coverage,
        estimated_share=estimated,
        complete=True,
        provisional=False,
        absent=False,
        why=[],
        detail="",
        cards=[_said_card(cards[name]) for name in body["rows"] if cards and name in cards],
        pace=None,
        pace_reason=None,
        issued_at=from_us(one.issued_us).astimezone(tz),
        digest=one.digest,
        sound=one.sound,
    )


def _number(text: str | None) -> Any:
    return None if text is None else decimal_of(Fraction(text))


def adjustment_row(one: Adjustment) -> BillAdjustment:
    """Write an adjustment."""
    return _adjusted(
        {
            "month": one.month, "first": one.first.isoformat(), "end": one.end.isoformat(), "was_won": one.was_won,
            "now_won": one.now_won, "was_use": one.was_use, "now_use": one.now_use, "unit": one.unit, "why": one.why,
        }
    )  # fmt: skip


def _adjusted(row: Mapping[str, Any]) -> BillAdjustment:
    words = [changes()[code] for code in row["why"]]
    return BillAdjustment(
        f"{row['month'] // 100}-{row['month'] % 100:02}", date.fromisoformat(row["first"]),
        date.fromisoformat(row["end"]), row["was_won"], row["now_won"], row["now_won"] - row["was_won"], row["was_use"],
        row["now_use"], row["unit"], list(row["why"]), [one["en"] for one in words], [one["ko"] for one in words],
    )  # fmt: skip


@lru_cache(maxsize=256)
def card_row(row: Card | Levy) -> BillCard:
    """Write a card or levy."""
    days = (row.start, row.known_until or row.until)
    start, until = ({UNDATED: "undated", OPEN: "open"}.get(day, day.isoformat()) for day in days)
    return BillCard(row.id, row.name_en, row.name_ko, start, until, row.source, row.source_ko, row.certainty)


def _said_card(row: Mapping[str, Any]) -> BillCard:
    said = {"source_ko": row["source"], **row}  # bills issued before sources were said in Korean
    keys = ("id", "name_en", "name_ko", "start", "until", "source", "source_ko", "certainty")
    return BillCard(*(said[key] for key in keys))


def pace_row(pace: Pace) -> BillPace:
    """Write a pace with the tiers and the day of the next one."""
    days = {(one.item, one.number): one.day for one in pace.crossings}
    tiers = [
        BillTier(
            one.item, one.name_en, one.name_ko, one.number, one.count,
            None if one.limit is None else decimal_of(one.limit),
            None if one.left is None else decimal_of(one.left), decimal_of(one.unit_price),
            None if one.next_price is None else decimal_of(one.next_price), days.get((one.item, one.number + 1)),
        )
        for one in pace.tiers
    ]  # fmt: skip
    return BillPace(
        int(pace.days),
        pace.now.asked.days,
        decimal_of(pace.per_day),
        decimal_of(pace.projected),
        int(pace.then.total),
        tiers,
    )
