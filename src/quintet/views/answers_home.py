"""The answers of the resident's page: what a household sees of its own utilities. Won are whole won, amounts exact."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from .answers import Answer
from .answers_bills import BillAdjustment


class Tile(Answer, frozen=True):
    """One utility of a home today.

    `state`: `fine`; `late` (two intervals or more are missing); `silent` (nothing was measured today, `last_heard` says
    when last); `stopped` (only zeros since `zero_since`, after days of use: perhaps a dead meter); `new` (nothing was
    ever measured); `none` (no such meter stands here). `use` is today's until `as_of`. `usual` is the median of
    `usual_days` days of the same kind up to the same hour; where it is null `usual_reason` says why. `won` is what
    today's use adds to the month's bill, `won_usual` what the usual would; where they are null `won_reason` says why.
    `values`, `marks` and `usual_values` are of today's hours, marks being measured, estimated, edited, questionable,
    missing or "" (not due yet).
    """

    commodity: str
    name_en: str
    name_ko: str
    unit: str
    state: str
    as_of: datetime | None
    last_heard: datetime | None
    zero_since: date | None
    use: Decimal | None
    coverage: float | None
    estimated_share: float | None
    usual: Decimal | None
    usual_days: int
    usual_reason: str | None
    won: int | None
    won_usual: int | None
    won_reason: str | None
    values: list[Decimal | None]
    marks: list[str]
    usual_values: list[Decimal | None]


class HomeNow(Answer, frozen=True):
    """A home's today: a tile a utility. `since` is the first day that the reader may see, where there is one."""

    place: str
    name_en: str
    name_ko: str
    timezone: str
    simulated: bool
    known_at: datetime
    day: date
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    since: date | None
    day_kind: str
    as_of: datetime | None
    stale: bool
    won: int | None
    won_usual: int | None
    unpriced: list[str]
    tiles: list[Tile]


class TierGauge(Answer, frozen=True):
    """Where the month's use stands in the tiers of its price: `number` of `count`, `left` units before the next.

    `limits` are the ends of all tiers but the last, `prices` won per unit in each. `day`: when the next tier begins
    by the month's forecast, without one at the pace of the known time that is over (null: not this month; where
    `tier_reason` of its line is `too_early`, not known).
    """

    name_en: str
    name_ko: str
    unit: str
    number: int
    count: int
    limits: list[float]
    prices: list[float]
    use: float
    left: float | None
    day: date | None


class BillItem(Answer, frozen=True):
    """One line of a bill; `won` is null where a fact of the contract is missing."""

    item: str
    name_en: str
    name_ko: str
    won: Decimal | None


class BillAhead(Answer, frozen=True):
    """A utility at the month's end: use and won, with the range of eight past misses of ten (null: too few)."""

    use: float
    use_low: float | None
    use_high: float | None
    won: int | None
    won_low: int | None
    won_high: int | None
    trials: int


class IssuedLine(Answer, frozen=True):
    """A utility's bill as it was issued for the days [first, last], both included; it is never changed.

    `due_won` is `total_won` with the adjustments of earlier months. `sound`: what it says is as it was sealed.
    """

    issued_at: datetime
    first: date
    last: date
    use: Decimal | None
    total_won: int | None
    due_won: int | None
    sound: bool
    items: list[BillItem]
    adjustments: list[BillAdjustment]


class BillLine(Answer, frozen=True):
    """One utility's bill of a month so far; `why` names what is missing, not certain or not whole.

    `contract_changed` among them: what is agreed changed within the month; the bills before and after are added up,
    card and tier are the later one's.
    `card_name_*`, `source` and `certainty` are those of the rate card, `stated`: its prices are those that
    were stated for the home; `ahead` is null where nothing can be forecast.
    `days_known` of the days that are over are known whole, `known` is the known share of that time, parts of days as
    parts (null: none is over). `tier_reason`: `month_unknown` where too little is known to name a tier (`tier` is
    null), `too_early` where it has no day yet. `issued`: the bills issued of these days (null: none were); `won` is
    then what they ask for.
    """

    commodity: str
    name_en: str
    name_ko: str
    unit: str
    use: Decimal | None
    gaps: bool
    days_known: int
    known: float | None
    estimated: bool
    won: int | None
    why: list[str]
    card_name_en: str
    card_name_ko: str
    source: str
    source_ko: str
    certainty: str
    stated: bool
    items: list[BillItem]
    ahead: BillAhead | None
    tier: TierGauge | None
    tier_reason: str | None
    issued: list[IssuedLine] | None


class HomeBill(Answer, frozen=True):
    """A home's bill of a calendar month: so far while it lasts, else whole; by [first, last], both days included.

    The sums are of the utilities that have an amount; `unpriced` names the others. `since` is the first day that the
    reader may see; `moved`, of who may see every household's: it is of who has lived there since a move on that day.
    """

    place: str
    name_en: str
    name_ko: str
    timezone: str
    month: str
    first: date
    last: date
    days: int
    days_over: int
    as_of: datetime | None
    since: date | None
    moved: date | None
    won: int | None
    won_ahead: int | None
    won_low: int | None
    won_high: int | None
    unpriced: list[str]
    lines: list[BillLine]


class LessStep(Answer, frozen=True):
    """A bill if of what is still to come `share` less were used: use and won at the end, and what is saved."""

    share: float
    use: float
    won: int
    saved: int


class LessRow(Answer, frozen=True):
    """What using less in the days that are left would change of one utility's bill; the first step is no change."""

    commodity: str
    name_en: str
    name_ko: str
    unit: str
    steps: list[LessStep]


class HomeLess(Answer, frozen=True):
    """What using less until the month's end would save, by utility; what has no forecast or no won is left out."""

    place: str
    name_en: str
    name_ko: str
    timezone: str
    month: str
    last: date
    rows: list[LessRow]


class HistoryRow(Answer, frozen=True):
    """One period of a utility: `value` with how it is drawn (`mark` as of a tile), and the same period a year before.

    `temperature_c` is the mean outdoor temperature that was measured; all are null where nothing is known.
    """

    start: datetime
    value: Decimal | None
    mark: str
    coverage: float | None
    estimated_share: float | None
    before: Decimal | None
    before_mark: str
    temperature_c: float | None


class Offered(Answer, frozen=True):
    """A utility of which a home has a history."""

    commodity: str
    name_en: str
    name_ko: str


class HomeHistory(Answer, frozen=True):
    """A utility over a day (by hours), a week or a month (by days) or a year (by months), beside the year before.

    `total` sums what is known, `known` says how much of the time that is due that is (0 to 1); `total_alike` and
    `before_alike` sum the periods of which both years are known whole: only these are compared. `earlier` and
    `later` are days to ask for the periods beside it, null where there are none.
    """

    place: str
    name_en: str
    name_ko: str
    timezone: str
    commodity: str
    unit: str
    length: str
    step: str
    first: date
    last: date
    earlier: date | None
    later: date | None
    since: date | None
    known_at: datetime
    total: Decimal | None
    known: float | None
    total_alike: Decimal | None
    before_alike: Decimal | None
    utilities: list[Offered]
    rows: list[HistoryRow]


class Beside(Answer, frozen=True):
    """One utility's month at home beside the mean of homes like it.

    `own` is null where no reading is known (`own_reason`: `month_unknown`), `own_whole` false where a day of it is not
    (`month_part`). `mean` is rounded to steps of 5 %; null where `reason` says why.
    """

    commodity: str
    name_en: str
    name_ko: str
    unit: str
    own: Decimal | None
    own_whole: bool
    own_reason: str | None
    mean: float | None
    reason: str | None


class HomeCompare(Answer, frozen=True):
    """A home's last whole month beside homes of its class: area band, the same utilities, the same occupants if known.

    `homes` counts the class, rounded down to tens. `reason` says why nothing is compared: no_whole_month, no_meter,
    month_unknown (nothing is known of any of its utilities).
    """

    place: str
    name_en: str
    name_ko: str
    timezone: str
    month: str | None
    reason: str | None
    area_low_m2: int | None
    area_high_m2: int | None
    area_known: bool
    occupants: int | None
    heated_by: list[Offered]
    homes: int
    homes_needed: int
    rows: list[Beside]
