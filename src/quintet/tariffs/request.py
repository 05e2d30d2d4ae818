"""What a bill is asked for, and how a use becomes an exact amount of a card's unit."""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

from quintet.terms.errors import UsageError
from quintet.terms.unit import units

from .fees import TV_FEE

LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Asked:
    """One bill that is asked for: `use` in `unit` over the days from `start` up to, not including, `end`.

    `contract`, `city` and `branch` choose the card. `households`: so many customers billed as one by their average use.
    `options` are the facts that some cards need, by name (pipe_mm, area_m2, capacity, calorific, correction,
    unit_price, base_won, common_won, tv_fee). `relief` names a reduction, or two joined by +. `provisional`: where a
    card has ended and none is known after it, the last one is taken as still in force, and the bill says so.
    """

    commodity: str
    use: Fraction
    unit: str
    start: date
    end: date
    contract: str | None = None
    city: str | None = None
    branch: str | None = None
    households: int = 1
    options: Mapping[str, Fraction] = field(default_factory=dict[str, Fraction])
    relief: str | None = None
    provisional: bool = False

    def __post_init__(self) -> None:
        """Refuse a bill that cannot be: no days, too many, a use below zero, no household."""
        if self.end <= self.start:
            raise UsageError(
                f"the bill from {self.start} to {self.end} has no day.",
                code="empty_range",
                place="--to",
                remedy="--to is the first day that no longer counts; it must be after --from.",
                said={"first": self.start, "last": self.end},
            )
        if self.days > LONGEST_DAYS:
            raise UsageError(
                f"a bill of {self.days} days is none.", code="too_long", place="--to", remedy="Ask for a year at most.",
                said={"days": self.days},
            )  # fmt: skip
        if self.use < 0:
            raise UsageError(
                "is below zero, and no bill is.",
                code="negative_use",
                place="--use",
                remedy="Say what was used: 0 or more.",
            )
        if self.households < 1:
            raise UsageError(
                f"{self.households} households are none.",
                code="bad_households",
                place="--households",
                remedy="Say 1 or more.",
            )
        of_one = {"--relief": self.relief is not None, "--tv-fee": bool(self.options.get(TV_FEE))}
        for place, asked in of_one.items():
            if asked and self.households > 1:
                raise UsageError(
                    "is for one household.", code="relief_of_many", place=place, remedy="Leave --households out."
                )

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.end - self.start).days

    def with_use(self, use: Fraction) -> "Asked":
        """Ask for the same bill with another use."""
        return replace(self, use=use)


def bill_month(text: str) -> tuple[date, date]:
    """Read a month, as 2025-10: its first day, and the first day of the next."""
    if re.fullmatch(r"\d{4}-\d{2}", text) and 1 <= int(text[5:]) <= 12 and 1900 <= int(text[:4]) < 2200:
        first = date(int(text[:4]), int(text[5:]), 1)
        return first, month_later(first)
    raise UsageError(
        f"{text!r} is no month.", code="bad_time", place="--month", remedy="Write 2025-10.",
        said={"text": text, "month": True},
    )  # fmt: skip


def bill_day(text: str, place: str) -> date:
    """Read a day, as 2025-10-15."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            found = date.fromisoformat(text)
            if 1900 <= found.year < 2200:
                return found
    except ValueError:
        pass
    raise UsageError(
        f"{text!r} is no day.", code="bad_time", place=place, remedy="Write 2025-10-15.", said={"text": text}
    )


def month_later(day: date) -> date:
    """Give the same day of the next month, or its last."""
    year, month = day.year + day.month // 12, day.month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def months_of(start: date, end: date, aside: int) -> Fraction:
    """Count the months of a bill: 1 where it is within `aside` days of a month, else whole months and a part of one.

    The part of a month is its days over the calendar days of the month that it lies in.
    """
    if abs((end - month_later(start)).days) <= aside:
        return Fraction(1)
    whole, at = 0, start
    while month_later(at) <= end:
        whole, at = whole + 1, month_later(at)
    return whole + Fraction((end - at).days, (month_later(at) - at).days)


def next_month(day: date) -> date:
    """Give the first day of the month after the one that holds a day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def in_card_unit(asked: Asked, wanted: str, *, by_heat: bool, others: Sequence[str] = ()) -> Fraction:
    """Give the use in a card's unit, exactly.

    By unit ratios; where the card allows it, a volume becomes energy: MJ = m3 x correction x mean heat in MJ/m3.
    `others`: the contracts that bill what is measured in the unit that was asked, named where this card's does not.
    """
    if asked.unit == wanted:
        return asked.use
    have, want = units()[asked.unit], units()[wanted]
    if have.quantity == want.quantity:
        return asked.use * have.ratio / want.ratio
    if not (by_heat and have.quantity == units()["m3"].quantity):
        raise UsageError(
            f"{asked.unit} is no unit in which {asked.commodity} is billed.",
            code="wrong_unit",
            place="--use",
            remedy=f"This rate card bills {wanted}."
            + (f" Billed by {asked.unit}: --contract {' or '.join(others)}." if others else ""),
            said={"unit": asked.unit, "wanted": wanted} | ({"others": list(others)} if others else {}),
        )
    heat = asked.options.get("calorific")
    if heat is None:
        raise UsageError(
            f"{asked.unit} become {wanted} only by the mean heat of the gas.",
            code="needs_calorific",
            place="--calorific",
            remedy="Give the mean heat in MJ/m3 that the supplier states for the month; where the price is one of a m3,"
            " say --contract residential_by_volume.",
        )
    factor = asked.options.get("correction", Fraction(1))
    for name, number in (("calorific", heat), ("correction", factor)):
        if number <= 0:
            raise UsageError(
                f"{number} cannot be: gas has heat.", code=f"bad_{name}", place=f"--{name}",
                remedy="Give what the supplier states for the month; it is above 0.",
            )  # fmt: skip
    volume_m3 = asked.use * have.ratio / units()["m3"].ratio
    energy_mj = volume_m3 * factor * heat
    return energy_mj * units()["MJ"].ratio / want.ratio
