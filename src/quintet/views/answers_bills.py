"""The plain answers on bills: a dwelling's month, issued or reckoned, its items, its pace, and what using less pays."""

from datetime import date, datetime
from decimal import Decimal

from .answers import Answer


class UtilityBillItem(Answer, frozen=True):
    """One item of a bill in won; null where a fact of the contract is missing, and `lacks` names it."""

    item: str
    name_en: str
    name_ko: str
    won: Decimal | None
    lacks: str


class BillWhy(Answer, frozen=True):
    """Why a bill is not there, not whole or not to be issued, and what to do."""

    code: str
    en: str
    ko: str
    remedy_en: str
    remedy_ko: str
    blocks: bool


class BillCard(Answer, frozen=True):
    """A rate card or levy behind a bill; `certainty` S read in a source, V recomputed, M (in part) from memory."""

    id: str
    name_en: str
    name_ko: str
    in_force_from: str
    in_force_until: str
    source: str
    source_ko: str
    certainty: str


class BillAdjustment(Answer, frozen=True):
    """What a correction of an earlier month adds to this bill: `won` = `now_won` - `was_won`."""

    month: str
    start: date
    end: date
    was_won: int
    now_won: int
    won: int
    was_use: str
    now_use: str
    unit: str
    why: list[str]
    why_en: list[str]
    why_ko: list[str]


class BillTier(Answer, frozen=True):
    """Where an item with tiers stands: `left` units before the next tier, which begins on `next_day` at this pace."""

    item: str
    name_en: str
    name_ko: str
    tier: int
    tiers: int
    limit: Decimal | None
    left: Decimal | None
    unit_price: Decimal
    next_price: Decimal | None
    next_day: date | None


class BillPace(Answer, frozen=True):
    """Where a bill under way is heading at the pace of the days that are over, which is no forecast."""

    days: int
    of_days: int
    per_day: Decimal
    projected_use: Decimal
    projected_won: int
    tiers: list[BillTier]


class UtilityBill(Answer, frozen=True):
    """One utility's bill of a dwelling for the local days [start, end).

    `status`: issued, reckoned or none. `use` is in `unit`. `due_won` is the total with adjustments, null where there is
    no amount (`why` says it: never 0). `coverage` is the share of expected time that was measured, `estimated_share`
    that of the known time that is estimated. `absent`: no meter of it stands here. Of an issued bill `digest` seals
    what it says, and `sound` says that it holds. `pace_reason` says why one under way that has an amount has no pace:
    `month_unknown` (too little of its time is known) or `too_early` (less than a day is).
    """

    place: str
    commodity: str
    name_en: str
    name_ko: str
    start: date
    end: date
    status: str
    contract: str | None
    use: Decimal | None
    unit: str | None
    items: list[UtilityBillItem]
    subtotal_won: Decimal | None
    total_won: int | None
    adjustments: list[BillAdjustment]
    due_won: int | None
    coverage: float | None
    estimated_share: float | None
    complete: bool
    provisional: bool
    absent: bool
    why: list[BillWhy]
    detail: str
    cards: list[BillCard]
    pace: BillPace | None
    pace_reason: str | None
    issued_at: datetime | None
    digest: str | None
    sound: bool | None


class DwellingBills(Answer, frozen=True):
    """A dwelling's bills of a month; `total_won` adds up what is known, and `missing` names what is not in it."""

    known_at: datetime
    rule_set: str
    place: str
    month: str
    bills: list[UtilityBill]
    total_won: int | None
    whole: bool
    missing: list[str]


class IncentiveStanding(Answer, frozen=True):
    """Where a use stands in an incentive: what is saved of the baseline, what that pays, and one percent more.

    Where there is no baseline or no program, amounts are null and `reason` says why.
    """

    program: str
    name_en: str
    name_ko: str
    commodity: str
    start: date
    end: date
    unit: str
    baseline: Decimal | None
    use: Decimal | None
    saved: Decimal | None
    saved_share: Decimal | None
    step: Decimal | None
    paid: Decimal | None
    won: int | None
    one_more_percent_won: int | None
    next_step: Decimal | None
    next_left: Decimal | None
    so_far: bool
    reason: str | None
    source: str
    source_ko: str
    note: str
    note_ko: str


class Incentives(Answer, frozen=True):
    """What using less pays a dwelling in a month (energy cashback) and its half-year (carbon points)."""

    known_at: datetime
    place: str
    month: str
    incentives: list[IncentiveStanding]


class BillEvidence(Answer, frozen=True):
    """What an issued bill stands on: channels and their sum in sub-units, minutes, card versions, its seal."""

    batch: int
    known_at: str | None
    rule_set: str
    channels: list[str]
    quantity: str
    sub_units: int
    expected_min: int
    arrived_min: int
    estimated_min: int
    rows: list[str]
    digest: str
    sound: bool


class ExplainedBill(Answer, frozen=True):
    """An issued bill, its evidence, and the same days with what is known now.

    `adjusted_won` is what later bills (`adjusted_on`) corrected already; `open` goes on the next one. `now` is null
    where these days are several bills by now (`open` adds them up), or none.
    """

    issued: UtilityBill
    evidence: BillEvidence
    now: UtilityBill | None
    adjusted_won: int
    adjusted_on: list[str]
    open: BillAdjustment | None
    words: str


class BillExplained(Answer, frozen=True):
    """The issued bills of a dwelling's month, explained."""

    place: str
    month: str
    bills: list[ExplainedBill]


class FlatShare(Answer, frozen=True):
    """One flat's share of a complex' bill: its own bill, its part of what is common, and the sum."""

    place: str
    use: Decimal
    unit: str
    area_m2: float | None
    own_won: int
    common_won: int
    total_won: int


class Allocation(Answer, frozen=True):
    """A complex' bill shared over its flats to the last won, with the method.

    `total_won` is what the flats owe together; `common_won` of it is shared by `share` (below 0: a credit).
    `provisional`: by the last rate card known, for that of the month has not been published.
    """

    known_at: datetime
    place: str
    month: str
    commodity: str
    contract: str
    share: str
    provisional: bool
    method_en: str
    method_ko: str
    whole_use: Decimal
    common_use: Decimal
    unit: str
    whole_items: list[UtilityBillItem]
    common_won: int
    total_won: int
    flats: list[FlatShare]
    cards: list[BillCard]
